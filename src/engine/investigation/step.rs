//! Decides what to do next. Pure: same state, same `now`, same limits, same actions.

use crate::analysis::ranking::{Evidence, rank};
use crate::limits::{Limits, METRIC_DELAY_S};
use crate::model::cause::Ranking;
use crate::model::execution::{RunEvent, RunStatus};
use crate::model::feed::{Body, NewItem, Principal, Round, RoundReason};
use crate::model::gap::GapReason;
use crate::model::id::ItemId;
use crate::model::query::Source;
use crate::model::time::{TimeSpan, Timestamp};

use super::action::Action;
use super::authorise::authorise;
use super::conclude::{conclude, period_s};
use super::state::State;
use super::steer::steered_round;

/// What to do next; empty when there is nothing to do but wait.
///
/// One kind of thing at a time: sources are read, then causes concluded, then, when the conclusion was provisional
/// and its time has come, or somebody pointed elsewhere, sources are read again; then playbooks matched, then people asked,
/// then what they approved is run, then its effect judged.
#[must_use]
pub fn step(state: &State, now: Timestamp, limits: &Limits) -> Vec<Action> {
    if state.opened.is_none() {
        return Vec::new();
    }
    if let Some(source) = Source::ALL.into_iter().find(|s| !state.collected.contains(s)) {
        return vec![Action::Collect(source)];
    }
    if state.concluded.is_none() || state.stale {
        return vec![Action::Record(conclude(state, now, limits))];
    }
    if due(state).is_some_and(|at| at <= now) {
        return next_round(state, now).map(|round| Action::Record(vec![round])).into_iter().collect();
    }
    if let Some(round) = steered_round(state, now) {
        return vec![Action::Record(vec![round])];
    }
    if !state.matched {
        return vec![Action::Suggest];
    }
    act(state, now).into_iter().collect()
}

/// The next thing about the plans: ask about the best that nobody has answered, run what was approved, judge what ran.
fn act(state: &State, now: Timestamp) -> Option<Action> {
    // What runs comes first: a later round may have found something better to ask about.
    let mut plans: Vec<(bool, u32, ItemId)> = state
        .proposed()
        .filter(|(id, s)| s.recommended && state.plan(*id).is_some())
        .map(|(id, s)| (!runs(state, id), s.rank, id))
        .collect();
    plans.sort_unstable();
    for (_, _, id) in plans {
        match stage(state, id, now) {
            Stage::Next(action) => return Some(action),
            Stage::Waits => return None,
            Stage::Over => {}
        }
    }
    None
}

/// Where a plan stands.
enum Stage {
    /// Something is to be done about it.
    Next(Action),
    /// It runs, or was run and judged: no other plan is asked about beside it.
    Waits,
    /// A person said no.
    Over,
}

/// Whether a run ended well, and nobody has judged yet whether it helped.
fn to_judge(state: &State, id: ItemId) -> bool {
    let ended_well = matches!(state.run_end(id), Some((RunEvent::Ended { status: RunStatus::Success }, _)));
    ended_well && !state.recoveries.iter().any(|(_, r)| r.suggestion == Some(id))
}

/// Whether a run was begun and is not over: it has not ended, or not been judged.
fn runs(state: &State, id: ItemId) -> bool {
    state.was_intended(id) && (state.run_end(id).is_none() || to_judge(state, id))
}

fn stage(state: &State, id: ItemId, now: Timestamp) -> Stage {
    if state.was_intended(id) {
        return if to_judge(state, id) { Stage::Next(Action::JudgeRecovery(id)) } else { Stage::Waits };
    }
    match state.last_word(id) {
        Some(word) if !word.approved => Stage::Over,
        Some(_) if authorise(state, id, now).is_ok() => Stage::Next(Action::Execute(id)),
        // Never asked, or asked so long ago that the answer no longer holds, or for another plan.
        Some(_) | None => Stage::Next(Action::AskApproval(id)),
    }
}

/// The ranked causes of a state: a fold, the same wherever it is asked.
#[must_use]
pub fn ranking(state: &State) -> Ranking {
    state.scope().map_or_else(Ranking::default, |scope| {
        let no_baseline = state.open_gaps().any(|(_, g)| g.reason == GapReason::NoBaseline);
        let target_seen = state.collected.contains(&Source::Metrics)
            && !state.open_gaps().any(|(_, g)| g.source == Source::Metrics);
        rank(&Evidence { scope: &scope, observations: state.evidence().collect(), no_baseline, target_seen })
    })
}

/// When a provisional conclusion should be looked at again: when the first full period after the onset can be read.
#[must_use]
pub fn due(state: &State) -> Option<Timestamp> {
    state.concluded.as_ref().filter(|c| c.provisional)?;
    let onset = state.scope()?.onset;
    Some(onset.plus_secs(period_s(state) + METRIC_DELAY_S))
}

/// The item that begins the next round: everything up to now.
fn next_round(state: &State, now: Timestamp) -> Option<NewItem> {
    let alarm = state.alarm()?;
    let window = TimeSpan::new(alarm.window.start, alarm.window.end.max(now));
    Some(further_round(state, now, window, alarm.baseline, RoundReason::Due))
}

/// An item that begins a further round over this time.
#[must_use]
pub fn further_round(
    state: &State,
    now: Timestamp,
    window: TimeSpan,
    baseline: Vec<TimeSpan>,
    why: RoundReason,
) -> NewItem {
    let number = state.round.as_ref().map_or(1, |r| r.number) + 1;
    NewItem {
        happened_at: now,
        by: Principal::tantei("investigation"),
        because: Vec::new(),
        body: Body::Round(Round { number, window, baseline, why, focus: state.focus() }),
    }
}
