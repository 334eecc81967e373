//! Decides what to do next. Pure: same state, same `now`, same limits, same actions.

use std::collections::BTreeMap;

use crate::analysis::ranking::{Evidence, rank};
use crate::limits::Limits;
use crate::model::cause::Ranking;
use crate::model::execution::{RunEvent, RunStatus};
use crate::model::feed::{Body, Concluded, NewItem, Principal};
use crate::model::gap::GapReason;
use crate::model::id::ItemId;
use crate::model::observation::Signal;
use crate::model::query::Source;
use crate::model::time::Timestamp;
use crate::reasoning::deterministic::{Grounds, hypotheses};

use super::action::Action;
use super::authorise::authorise;
use super::state::State;

/// What to do next; empty when there is nothing to do but wait.
///
/// One kind of thing at a time: sources are read, then causes concluded, then playbooks matched, then people asked,
/// then what they approved is run, then its effect judged.
#[must_use]
pub fn step(state: &State, now: Timestamp, limits: &Limits) -> Vec<Action> {
    if state.opened.is_none() {
        return Vec::new();
    }
    if let Some(source) = Source::ALL.into_iter().find(|s| !state.collected.contains(s)) {
        return vec![Action::Collect(source)];
    }
    if state.concluded.is_none() {
        return vec![Action::Record(conclude(state, now, limits))];
    }
    if !state.matched {
        return vec![Action::Suggest];
    }
    act(state, now).into_iter().collect()
}

/// The next thing about the plans: ask about the best that nobody has answered, run what was approved, judge what ran.
fn act(state: &State, now: Timestamp) -> Option<Action> {
    let mut plans: Vec<(u32, ItemId)> = state
        .suggestions
        .iter()
        .filter(|(id, s)| s.recommended && !state.discarded.contains(id) && state.plan(**id).is_some())
        .map(|(id, s)| (s.rank, *id))
        .collect();
    plans.sort_unstable();
    for (_, id) in plans {
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

fn stage(state: &State, id: ItemId, now: Timestamp) -> Stage {
    if state.was_intended(id) {
        let ended_well =
            matches!(state.run_end(id), Some((RunEvent::Ended { status: RunStatus::Success }, _)));
        let judged = state.recoveries.iter().any(|(_, r)| r.suggestion == Some(id));
        let judge = ended_well && !judged;
        return if judge { Stage::Next(Action::JudgeRecovery(id)) } else { Stage::Waits };
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
        let no_baseline = state.gaps.values().any(|g| g.reason == GapReason::NoBaseline);
        let target_seen = state.collected.contains(&Source::Metrics)
            && !state.gaps.values().any(|g| g.source == Source::Metrics);
        rank(&Evidence { scope: &scope, observations: state.evidence().collect(), no_baseline, target_seen })
    })
}

fn conclude(state: &State, now: Timestamp, limits: &Limits) -> Vec<NewItem> {
    let ranking = ranking(state);
    let Some(scope) = state.scope() else { return Vec::new() };
    let observations: BTreeMap<_, _> = state.evidence().collect();
    let provisional = provisional(state, scope.onset);
    let found = hypotheses(
        &Grounds {
            ranking: &ranking,
            observations: &observations,
            gaps: &state.gaps,
            target: scope.target(),
            onset: scope.onset,
            provisional,
        },
        limits.hypotheses_max,
    );
    let item = |because: Vec<ItemId>, body| NewItem {
        happened_at: now,
        by: Principal::tantei("analysis"),
        because,
        body,
    };
    let mut items: Vec<NewItem> = found
        .into_iter()
        .map(|h| item(h.facts().supporting.clone(), Body::Hypothesis(Box::new(h))))
        .collect();
    items.push(item(Vec::new(), Body::Concluded(Concluded { abstained: ranking.abstained, provisional })));
    items
}

/// Whether the alarmed metric has not been seen for one full period after the onset.
fn provisional(state: &State, onset: Timestamp) -> bool {
    let Some(opened) = &state.opened else { return true };
    let period = state
        .evidence()
        .filter(|(_, o)| o.resource == opened.alarm.resource)
        .filter_map(|(_, o)| match &o.signal {
            Signal::MetricDeviation(m) if m.impact.is_some() => Some(i64::from(m.period_s)),
            Signal::MetricDeviation(_) | Signal::LogPattern(_) | Signal::TraceLink(_) | Signal::Change(_) => {
                None
            }
        })
        .max();
    period.is_some_and(|p| opened.alarm.window.end.secs_since(onset) < p)
}
