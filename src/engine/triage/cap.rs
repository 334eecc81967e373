//! The cap on deep investigations: who gets a place, who is folded into the overview of its account and region.
//!
//! Nothing is dropped or merged here: what is folded keeps its number, its members and its chance of a place.

use super::Work;
use super::decision::{InvestigationId, What};
use super::incoming::Severity;
use super::state::{Depth, Investigation};

/// Worse first: severity as people said it, then the magnitude of how much fires. Only magnitudes, so that places do not
/// change hands with every alarm.
fn rank(i: &Investigation) -> (Severity, u32) {
    (i.severity, i.alarms.len().checked_ilog10().unwrap_or(0))
}

impl Work<'_> {
    /// Gives places out.
    pub(super) fn cap(&mut self) {
        if !self.decisions.iter().any(|d| moves_places(&d.what)) {
            return;
        }
        while self.give_a_place() {}
        let waiting: Vec<InvestigationId> = self.with(|d| d == Depth::Waiting).map(|(id, _)| id).collect();
        for id in waiting {
            self.fold(id);
        }
        self.close_storms();
    }

    fn with(
        &self,
        wanted: impl Fn(Depth) -> bool,
    ) -> impl Iterator<Item = (InvestigationId, &Investigation)> {
        let open = self.state.open.iter();
        open.filter_map(|id| Some((*id, self.state.investigations.get(id)?)))
            .filter(move |(_, i)| wanted(i.depth))
    }

    /// One step; whether there was one to take.
    fn give_a_place(&mut self) -> bool {
        let waits = |d: Depth| matches!(d, Depth::Waiting | Depth::Folded(_));
        let best = self.with(waits).max_by_key(|(id, i)| (rank(i), std::cmp::Reverse(*id)));
        let Some((investigation, wanted)) = best.map(|(id, i)| (id, rank(i))) else { return false };
        if self.with(|d| d == Depth::Deep).count() >= self.limits.deep_max {
            let deep = self.with(|d| d == Depth::Deep);
            let worst =
                deep.min_by_key(|(id, i)| (rank(i), std::cmp::Reverse(*id))).map(|(id, i)| (id, rank(i)));
            let Some((worst, _)) = worst.filter(|(_, r)| *r < wanted) else { return false };
            self.fold(worst);
        }
        self.decide(What::Deepened { investigation });
        true
    }

    fn fold(&mut self, investigation: InvestigationId) {
        let Some(scope) = self.state.investigations.get(&investigation).map(|i| i.scope.clone()) else {
            return;
        };
        if !self.state.storms.contains_key(&scope) {
            self.decide(What::StormOpened { investigation: self.next_id(), scope: scope.clone() });
        }
        if let Some(storm) = self.state.storms.get(&scope).copied() {
            self.decide(What::Folded { investigation, storm });
        }
    }

    fn close_storms(&mut self) {
        let storms: Vec<InvestigationId> = self.state.storms.values().copied().collect();
        for investigation in storms {
            if self.with(|d| d == Depth::Folded(investigation)).next().is_none() {
                self.decide(What::Closed { investigation });
            }
        }
    }
}

/// Whether a decision can change who has a place.
fn moves_places(what: &What) -> bool {
    match what {
        What::Received { outcome, .. } | What::Released { outcome, .. } => match outcome {
            super::Outcome::Opened { .. }
            | super::Outcome::Joined { .. }
            | super::Outcome::Reopened { .. } => true,
            super::Outcome::Counted { .. }
            | super::Outcome::RecordedOnly { .. }
            | super::Outcome::Duplicate { .. } => false,
        },
        What::Reassigned { .. }
        | What::Moved { .. }
        | What::Split { .. }
        | What::Merged { .. }
        | What::Closed { .. }
        | What::Ended { .. }
        | What::Resumed { .. }
        | What::Finished { .. } => true,
        What::Flapping { .. }
        | What::Suspected { .. }
        | What::Recovered { .. }
        | What::StormOpened { .. }
        | What::Deepened { .. }
        | What::Folded { .. }
        | What::Learned { .. }
        | What::SilenceSet { .. }
        | What::SilenceEnded { .. } => false,
    }
}
