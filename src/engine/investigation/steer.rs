//! Where people point: what they accepted says where the next round looks first, and beyond what it would look at.
//!
//! Reads nothing and ranks nothing; a discard steers nowhere.

use std::collections::BTreeSet;

use crate::model::feed::{NewItem, RoundReason};
use crate::model::resource::ResourceId;
use crate::model::time::Timestamp;

use super::state::State;
use super::step::further_round;

/// Resources of one focus: those that were accepted, and what is beside them.
const FOCUS_MAX: usize = 12;

/// Resources to which rounds of one investigation are steered: each round reads every source again, which costs.
const STEERED_MAX: usize = 60;

impl State {
    /// The resources that people pointed at: those of accepted items, then their neighbours.
    #[must_use]
    pub fn focus(&self) -> Vec<ResourceId> {
        let mut seen = BTreeSet::new();
        let pointed = self.pointed();
        let beside = |id: &ResourceId| {
            let around = self.edges.iter().filter(|e| &e.from == id || &e.to == id);
            around.flat_map(|e| [e.from.clone(), e.to.clone()]).collect::<Vec<_>>()
        };
        let neighbours: Vec<ResourceId> = pointed.iter().flat_map(beside).collect();
        // Where no round looked yet comes first: there is room for it in any case.
        let (fresh, known): (Vec<_>, Vec<_>) = pointed.into_iter().partition(|id| !self.steered.contains(id));
        let mut focus: Vec<ResourceId> =
            fresh.into_iter().chain(known).chain(neighbours).filter(|id| seen.insert(id.clone())).collect();
        focus.truncate(FOCUS_MAX);
        focus
    }

    /// The resources of accepted items, in order of the items; also of those that were measured again since.
    fn pointed(&self) -> Vec<ResourceId> {
        let mut found = Vec::new();
        for id in self.accepted.iter().filter(|id| !self.discarded.contains(id)) {
            let observed = self.observations.get(id).map(|o| (Some(&o.resource), o.peer.as_ref()));
            let supposed = || self.hypotheses.get(id).map(|h| (Some(&h.facts().cause), None));
            let (resource, peer) = observed.or_else(supposed).unwrap_or_default();
            found.extend(resource.into_iter().chain(peer).cloned());
        }
        found
    }
}

/// The round that looks where people pointed since the last one; over the same time, because it looks elsewhere, not later.
pub(super) fn steered_round(state: &State, now: Timestamp) -> Option<NewItem> {
    let fresh = state.pointed().into_iter().any(|id| !state.steered.contains(&id));
    if !fresh || state.steered.len() >= STEERED_MAX {
        return None;
    }
    let alarm = state.alarm()?;
    Some(further_round(state, now, alarm.window, alarm.baseline, RoundReason::Steered))
}
