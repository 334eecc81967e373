//! Holds what a source shows now, and what playbooks suggest now, against the rounds before.
//!
//! What is the same is not recorded again; what was measured again follows from its predecessor, so that a person's
//! discard stays in force, even over a round that did not show it; what is gone is named, unless the source failed:
//! what nobody could look at is not gone. Judges nothing.

use std::collections::BTreeMap;

use crate::model::alarm_health::AlarmHealth;
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

/// How far a source was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// To its end: what it no longer shows is gone.
    Whole,
    /// It failed on the way: what it does not show may still be there.
    Broken,
}

/// Holds the items of a source against the state. In the first round everything is new.
#[must_use]
pub fn revise(state: &State, source: Source, items: Vec<NewItem>, reading: Reading) -> Revised {
    if state.round.is_none() {
        return Revised { items, outdated: Vec::new() };
    }
    let mut before = Before::of(state, source);
    let items: Vec<NewItem> = items.into_iter().filter_map(|item| before.hold(state, item)).collect();
    let outdated = match reading {
        Reading::Whole => before.left(),
        Reading::Broken => before.replaced_by(&items),
    };
    Revised { items, outdated }
}

/// Holds suggestions against those of before: what to append, and which of before no longer fit.
///
/// What people refused or discarded, or what ran, stays as it is, and they are not asked the same a second time. An
/// approval holds as long as the same plan for the same cause is suggested: nobody approved it for another cause.
#[must_use]
pub fn propose(state: &State, found: Vec<Suggestion>) -> (Vec<Suggestion>, Vec<ItemId>) {
    let cause = |s: &Suggestion| state.hypotheses.get(&s.hypothesis).map(|h| &h.facts().cause);
    let equal = |a: &Suggestion, b: &Suggestion| {
        a.playbook == b.playbook && a.action == b.action && cause(a) == cause(b)
    };
    let decided =
        |id: ItemId| state.discarded.contains(&id) || state.last_word(id).is_some() || state.was_intended(id);
    let may_run = |id: ItemId| {
        let approved = state.last_word(id).is_some_and(|w| w.approved);
        approved && !state.discarded.contains(&id) && !state.was_intended(id)
    };
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
        .filter(|(id, was)| (!decided(*id) || may_run(*id)) && !found.iter().any(|now| stays(*id, was, now)))
        .map(|(id, _)| *id)
        .collect();
    let fresh = found.iter().filter(|now| !current.iter().any(|(id, was)| stays(*id, was, now)));
    (fresh.cloned().collect(), outdated)
}

/// What a source showed before.
struct Before<'a> {
    /// Discarded ones as well: they are still about the same thing. Two records may speak of one thing.
    observations: BTreeMap<Identity, Vec<(ItemId, &'a Observation)>>,
    /// The last item about a thing, when a person discarded it: it may have been out of sight for a round.
    discarded: BTreeMap<Identity, ItemId>,
    gaps: Vec<(ItemId, &'a Gap)>,
    healths: Vec<(ItemId, &'a AlarmHealth)>,
    replaced: Vec<ItemId>,
}

impl<'a> Before<'a> {
    fn of(state: &'a State, source: Source) -> Self {
        let current = |id: &ItemId| !state.outdated.contains(id);
        let mut observations: BTreeMap<Identity, Vec<(ItemId, &Observation)>> = BTreeMap::new();
        let mut last: BTreeMap<Identity, ItemId> = BTreeMap::new();
        for (id, o) in state.observations.iter().filter(|(_, o)| o.source == source) {
            last.insert(o.identity(), *id);
            if current(id) {
                observations.entry(o.identity()).or_default().push((*id, o));
            }
        }
        last.retain(|_, id| state.discarded.contains(id));
        let gaps = state.gaps.iter().filter(|(id, g)| g.source == source && current(id));
        let healths = state.healths.iter().filter(|(id, _)| source == Source::Alarms && current(id));
        Self {
            observations,
            discarded: last,
            gaps: gaps.map(|(id, g)| (*id, g)).collect(),
            healths: healths.map(|(id, h)| (*id, h)).collect(),
            replaced: Vec::new(),
        }
    }

    /// What was known of the same thing, an equal record before others.
    fn known(&mut self, o: &Observation) -> Option<(ItemId, &'a Observation)> {
        let known = self.observations.get_mut(&o.identity()).filter(|known| !known.is_empty())?;
        let place = known.iter().position(|(_, was)| *was == o).unwrap_or_default();
        Some(known.remove(place))
    }

    /// The item as it is to be appended; nothing when the feed says it already.
    fn hold(&mut self, state: &State, mut item: NewItem) -> Option<NewItem> {
        match &item.body {
            Body::Observation(o) => {
                let Some((id, was)) = self.known(o) else {
                    item.because.extend(self.discarded.get(&o.identity()));
                    return Some(item);
                };
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
            Body::AlarmHealth(h) => {
                let place = self.healths.iter().position(|(_, was)| was.name == h.name);
                let Some((id, was)) = place.map(|place| self.healths.swap_remove(place)) else {
                    return Some(item);
                };
                if was == h {
                    return None;
                }
                self.replaced.push(id);
                item.because.push(id);
                Some(item)
            }
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
        let gone = self.observations.into_values().flatten().map(|(id, _)| id);
        let healed = self.gaps.into_iter().map(|(id, _)| id);
        let mended = self.healths.into_iter().map(|(id, _)| id);
        let mut left: Vec<ItemId> =
            self.replaced.into_iter().chain(gone).chain(healed).chain(mended).collect();
        left.sort_unstable();
        left
    }

    /// Only what these items replace; gaps when the same place is incomplete for the same reason again.
    fn replaced_by(self, items: &[NewItem]) -> Vec<ItemId> {
        let again = |was: &Gap| {
            items.iter().any(
                |item| matches!(&item.body, Body::Gap(g) if g.reason == was.reason && g.place == was.place),
            )
        };
        let told = self.gaps.into_iter().filter(|(_, was)| again(was)).map(|(id, _)| id);
        let mut left: Vec<ItemId> = self.replaced.into_iter().chain(told).collect();
        left.sort_unstable();
        left
    }
}
