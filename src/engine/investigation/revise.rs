//! Holds what a source shows now, and what playbooks suggest now, against the rounds before.
//!
//! What is the same is not recorded again; what was measured again follows from its predecessor, so that a person's
//! discard stays in force; what is gone is named. Judges nothing.

use std::collections::BTreeMap;

use crate::model::feed::{Body, NewItem};
use crate::model::gap::Gap;
use crate::model::id::ItemId;
use crate::model::observation::{Identity, Observation};
use crate::model::query::Source;
use crate::model::suggestion::Suggestion;

use super::state::State;

/// What to append of a source that was read, and which items of before no longer hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Revised {
    /// Items to append, in order.
    pub items: Vec<NewItem>,
    /// Items of earlier rounds that no longer hold.
    pub outdated: Vec<ItemId>,
}

/// Holds the items of a source against the state. In the first round everything is new.
#[must_use]
pub fn revise(state: &State, source: Source, items: Vec<NewItem>) -> Revised {
    if state.round.is_none() {
        return Revised { items, outdated: Vec::new() };
    }
    let mut before = Before::of(state, source);
    let items = items.into_iter().filter_map(|item| before.hold(state, item)).collect();
    Revised { items, outdated: before.left() }
}

/// Holds suggestions against those of before: what to append, and which of before no longer fit.
///
/// What people decided about, or what ran, stays as it is, and they are not asked the same a second time.
#[must_use]
pub fn propose(state: &State, found: Vec<Suggestion>) -> (Vec<Suggestion>, Vec<ItemId>) {
    let cause = |s: &Suggestion| state.hypotheses.get(&s.hypothesis).map(|h| &h.facts().cause);
    let equal = |a: &Suggestion, b: &Suggestion| {
        a.playbook == b.playbook && a.action == b.action && cause(a) == cause(b)
    };
    let decided =
        |id: ItemId| state.discarded.contains(&id) || state.last_word(id).is_some() || state.was_intended(id);
    let current: Vec<(ItemId, &Suggestion)> = state
        .suggestions
        .iter()
        .filter(|(id, _)| !state.outdated.contains(id))
        .map(|(id, s)| (*id, s))
        .collect();
    let stays = |id: ItemId, was: &Suggestion, now: &Suggestion| {
        equal(was, now) && (decided(id) || (was.rank == now.rank && was.recommended == now.recommended))
    };
    let outdated = current
        .iter()
        .filter(|(id, was)| !decided(*id) && !found.iter().any(|now| stays(*id, was, now)))
        .map(|(id, _)| *id)
        .collect();
    let fresh = found.iter().filter(|now| !current.iter().any(|(id, was)| stays(*id, was, now)));
    (fresh.cloned().collect(), outdated)
}

/// What a source showed before.
struct Before<'a> {
    /// Discarded ones as well: they are still about the same thing.
    observations: BTreeMap<Identity, (ItemId, &'a Observation)>,
    gaps: Vec<(ItemId, &'a Gap)>,
    replaced: Vec<ItemId>,
}

impl<'a> Before<'a> {
    fn of(state: &'a State, source: Source) -> Self {
        let current = |id: &ItemId| !state.outdated.contains(id);
        let observations = state.observations.iter().filter(|(id, o)| o.source == source && current(id));
        let gaps = state.gaps.iter().filter(|(id, g)| g.source == source && current(id));
        Self {
            observations: observations.map(|(id, o)| (o.identity(), (*id, o))).collect(),
            gaps: gaps.map(|(id, g)| (*id, g)).collect(),
            replaced: Vec::new(),
        }
    }

    /// The item as it is to be appended; nothing when the feed says it already.
    fn hold(&mut self, state: &State, mut item: NewItem) -> Option<NewItem> {
        match &item.body {
            Body::Observation(o) => {
                let Some((id, was)) = self.observations.remove(&o.identity()) else { return Some(item) };
                if *was == **o {
                    return None;
                }
                self.replaced.push(id);
                item.because.push(id);
                Some(item)
            }
            Body::Gap(g) => {
                let place = self.gaps.iter().position(|(_, was)| *was == g);
                if let Some(place) = place {
                    self.gaps.swap_remove(place);
                }
                place.is_none().then_some(item)
            }
            Body::AlarmTransition(t) => (!state.alarms.values().any(|was| was == t)).then_some(item),
            Body::Topology(t) => {
                let known = |r: &crate::model::resource::Resource| {
                    state.resources.get(&r.id).is_some_and(|(was, _)| was == r)
                };
                let nothing_new =
                    t.resources.iter().all(known) && t.edges.iter().all(|e| state.edges.contains(e));
                (!nothing_new).then_some(item)
            }
            Body::Opened(_)
            | Body::Round(_)
            | Body::Collected(_)
            | Body::Concluded(_)
            | Body::Matched(_)
            | Body::Hypothesis(_)
            | Body::Suggestion(_)
            | Body::Approval(_)
            | Body::Execution(_)
            | Body::Recovery(_)
            | Body::Note(_)
            | Body::Decision(_)
            | Body::Usage(_) => Some(item),
        }
    }

    /// What was replaced, and what did not come again.
    fn left(self) -> Vec<ItemId> {
        let gone = self.observations.into_values().map(|(id, _)| id);
        let healed = self.gaps.into_iter().map(|(id, _)| id);
        let mut left: Vec<ItemId> = self.replaced.into_iter().chain(gone).chain(healed).collect();
        left.sort_unstable();
        left
    }
}
