//! Decides what to do next. Pure: same state, same `now`, same limits, same actions.

use std::collections::BTreeMap;

use crate::analysis::ranking::{Evidence, rank};
use crate::limits::Limits;
use crate::model::cause::Ranking;
use crate::model::execution::{RunEvent, RunStatus};
use crate::model::feed::{Body, Concluded, NewItem, Principal};
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

/// The next thing about the best plan: ask, run, or judge.
fn act(state: &State, now: Timestamp) -> Option<Action> {
    let (id, _) = state
        .suggestions
        .iter()
        .filter(|(id, s)| s.recommended && !state.discarded.contains(id) && state.plan(**id).is_some())
        .min_by_key(|(_, s)| s.rank)?;
    if let Some((event, _)) = state.run_end(*id) {
        let ended_well = matches!(event, RunEvent::Ended { status: RunStatus::Success });
        let judged = state.recoveries.iter().any(|(_, r)| r.suggestion == Some(*id));
        return (ended_well && !judged).then_some(Action::JudgeRecovery(*id));
    }
    if state.was_intended(*id) {
        // Begun and not ended: only the driver that began it may go on.
        return None;
    }
    match state.last_word(*id) {
        None => Some(Action::AskApproval(*id)),
        Some(_) => authorise(state, *id, now).is_ok().then_some(Action::Execute(*id)),
    }
}

/// The ranked causes of a state: a fold, the same wherever it is asked.
#[must_use]
pub fn ranking(state: &State) -> Ranking {
    state.scope().map_or_else(Ranking::default, |scope| {
        rank(&Evidence { scope: &scope, observations: state.evidence().collect() })
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
