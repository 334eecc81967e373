//! Concludes: ranked causes become hypotheses, and a later conclusion says what it changed.
//!
//! Scores nothing: the ranking did. What is the same as before is not recorded again.

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::{Limits, PERIOD_S};
use crate::model::cause::{Abstention, Ranking};
use crate::model::feed::{Body, Concluded, NewItem, Principal};
use crate::model::gap::Gap;
use crate::model::hypothesis::{Hypothesis, HypothesisFacts};
use crate::model::id::ItemId;
use crate::model::observation::Signal;
use crate::model::revision::Revision;
use crate::model::time::Timestamp;
use crate::reasoning::deterministic::{Grounds, hypotheses};

use super::state::State;
use super::step::ranking;

/// The items of a conclusion: hypotheses that are new or different, then the conclusion itself.
pub(super) fn conclude(state: &State, now: Timestamp, limits: &Limits) -> Vec<NewItem> {
    let mut ranking = ranking(state);
    let Some(scope) = state.scope() else { return Vec::new() };
    leave_out(state, &mut ranking);
    let observations: BTreeMap<_, _> = state.evidence().collect();
    let gaps: BTreeMap<ItemId, &Gap> = state.open_gaps().collect();
    let provisional = scope.alarm.window.end.secs_since(scope.onset) < period_s(state);
    let grounds = Grounds {
        ranking: &ranking,
        observations: &observations,
        gaps: &gaps,
        target: scope.target(),
        onset: scope.onset,
        provisional,
    };
    let found = hypotheses(&grounds, limits.hypotheses_max);
    let standing: Vec<(ItemId, &HypothesisFacts)> = state.standing().collect();
    let same = |h: &Hypothesis| standing.iter().find(|(_, s)| *s == h.facts()).map(|(id, _)| *id);
    let kept: BTreeSet<ItemId> = found.iter().filter_map(same).collect();
    // What people ruled out since the last conclusion stood in it, too: it may have led.
    let named = state.hypotheses.iter().filter(|(id, _)| !state.outdated.contains(id));
    let named: Vec<(ItemId, &HypothesisFacts)> = named.map(|(id, h)| (*id, h.facts())).collect();
    let outdated = named.iter().map(|(id, _)| *id).filter(|id| !kept.contains(id)).collect();
    let led = named.iter().map(|(_, h)| *h).min_by_key(|h| h.rank);
    let leads = found.first().map(Hypothesis::facts);
    let revised = if state.concluded.is_some() { revised(state, led, leads) } else { Vec::new() };
    let concluded = Concluded { abstained: ranking.abstained.clone(), provisional, revised, outdated };
    let item = |because: Vec<ItemId>, body| NewItem {
        happened_at: now,
        by: Principal::tantei("analysis"),
        because,
        body,
    };
    let fresh: Vec<Hypothesis> = found.into_iter().filter(|h| same(h).is_none()).collect();
    let mut items: Vec<NewItem> = fresh
        .into_iter()
        .map(|h| item(h.facts().supporting.clone(), Body::Hypothesis(Box::new(h))))
        .collect();
    items.push(item(Vec::new(), Body::Concluded(concluded)));
    items
}

/// Leaves out what people ruled out; when nothing else is left, says so.
fn leave_out(state: &State, ranking: &mut Ranking) {
    let named = !ranking.candidates.is_empty();
    ranking.candidates.retain(|c| !state.ruled_out(&c.resource, c.mechanism));
    if named && ranking.candidates.is_empty() {
        ranking.abstained.push(Abstention::RuledOut);
    }
}

/// What is different from the conclusion before.
fn revised(state: &State, led: Option<&HypothesisFacts>, leads: Option<&HypothesisFacts>) -> Vec<Revision> {
    let mut revised = Vec::new();
    match (led, leads) {
        (Some(was), Some(is)) if was.cause == is.cause => {
            let resource = || is.cause.clone();
            if was.mechanism != is.mechanism {
                revised.push(Revision::Mechanism {
                    resource: resource(),
                    from: was.mechanism,
                    to: is.mechanism,
                });
            }
            if was.band != is.band {
                revised.push(Revision::Strength { resource: resource(), from: was.band, to: is.band });
            }
            if revised.is_empty() {
                revised.push(Revision::Same { resource: Some(resource()) });
            }
        }
        (None, None) => revised.push(Revision::Same { resource: None }),
        (was, is) => revised
            .push(Revision::Lead { from: was.map(|h| h.cause.clone()), to: is.map(|h| h.cause.clone()) }),
    }
    let moved = &state.moved;
    if moved.came > 0 || moved.left > 0 {
        revised.push(Revision::Evidence {
            new: moved.came.saturating_sub(moved.again),
            again: moved.again,
            gone: moved.left.saturating_sub(moved.again),
        });
    }
    revised
}

/// The period of the alarmed metric in seconds; the standard one while it was not seen.
pub(super) fn period_s(state: &State) -> i64 {
    let Some(opened) = &state.opened else { return PERIOD_S };
    let own = state.evidence().filter(|(_, o)| o.resource == opened.alarm.resource);
    own.filter_map(|(_, o)| match &o.signal {
        Signal::MetricDeviation(m) if m.impact.is_some() => Some(i64::from(m.period_s)),
        Signal::MetricDeviation(_) | Signal::LogPattern(_) | Signal::TraceLink(_) | Signal::Change(_) => None,
    })
    .max()
    .unwrap_or(PERIOD_S)
}
