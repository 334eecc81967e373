//! Triage: which investigation does an alarm's transition belong to? Decided online, message by message.
//!
//! Values in, decisions out: [`Triage::decide`] for a message, [`Triage::tick`] for time that passed, [`Triage::command`]
//! for people. Each decides, applies its decisions to its state and returns them; whoever records them can fold them with
//! [`Triage::apply`] into the same state, after a crash or on another node. A stored [`Triage`] (it is a serde value) and
//! the decisions after it do as well.
//!
//! Not here: reading messages, sending messages, what the investigations find out.

mod apply;
mod cap;
mod decision;
mod due;
mod elect;
mod incoming;
mod known;
mod membership;
mod pairs;
mod people;
#[cfg(test)]
mod people_tests;
mod place;
mod state;
#[cfg(test)]
mod storm_tests;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use decision::{Decision, Effect, Identity, InvestigationId, Only, Outcome, Reason, What};
pub use incoming::{
    AlarmKey, Field, Incoming, Link, Matcher, Node, Scope, Severity, Silence, Silenced, Suppression, Watched,
};
pub use people::{Command, Refused};
use state::State;
pub use state::{Depth, Frozen, Investigation, Member};

use crate::model::time::Timestamp;

/// Seconds after its last new alarm in which an investigation takes further ones: alarms of one incident evaluate over at
/// most two periods of five minutes.
pub const ACCEPT_S: i64 = 600;

/// Seconds after its first alarm in which an investigation takes further ones: what begins later is news of its own.
pub const LIFE_S: i64 = 1_800;

/// Seconds for which OK must hold: a service that dies again at once has not recovered.
pub const HOLD_S: i64 = 300;

/// Seconds after its end in which the same alarm reopens an investigation: a day, so that the same nightly job is seen again.
pub const RECUR_S: i64 = 86_400;

/// Changes in [`FLAP_S`] beyond which an alarm flaps.
pub const FLAP_CHANGES: usize = 4;

/// See [`FLAP_CHANGES`].
pub const FLAP_S: i64 = 3_600;

/// Seconds within which unrelated dependencies must begin to have a shared cause: the time in which a storm is waited for
/// before the work begins. Longer, and incidents that only happen to be near are taken together.
pub const SHARED_S: i64 = 30;

/// Unrelated dependencies that must begin together to have a shared cause. Two may be chance or two incidents of one release;
/// three that are independent within [`SHARED_S`] are not seen in practice.
pub const SHARED_ROOTS_MIN: usize = 3;

/// Alarms that each of them must have: single alarms are too often noise.
pub const SHARED_ALARMS_MIN: usize = 2;

/// Users of a dependency without an alarm that must fire to suspect it, besides being most of its users: two are chance.
pub const SUSPECT_MIN: usize = 3;

/// Nodes without a firing alarm in a row through which a dependency is followed: one or two have no alarm, three say nothing.
pub const SILENT_MAX: usize = 2;

/// Seconds by which the alarm of a cause may come after that of its effect: three standard periods, since alarms see what
/// they watch after different numbers of periods.
pub const LAG_S: i64 = 180;

/// Seconds between two beginnings at which a vote counts half: one standard period of CloudWatch.
pub const VOTE_HALF_S: i64 = 60;

/// Longest way stored as a reason.
pub const PATH_MAX: usize = 8;

/// Longest chain of callers judged again at once; deeper systems are not known, endless ones are cycles.
pub const DEPTH_MAX: usize = 64;

/// Deliveries whose identity is remembered: those of some hours of storm. Older copies are found by their transition.
pub const DELIVERIES_MAX: usize = 50_000;

/// Transitions remembered of one alarm, to find copies and flapping.
pub const TRANSITIONS_MAX: usize = 16;

/// Alarms followed at once: CloudWatch's usual quota of one region is 5,000, so this is ten of them.
pub const ALARMS_MAX: usize = 50_000;

/// Children of one composite alarm: CloudWatch's own quota.
pub const CHILDREN_MAX: usize = 100;

/// Edges of the topology; more are left out.
pub const LINKS_MAX: usize = 50_000;

/// Closed investigations remembered: recurrence and "follows" need them.
pub const CLOSED_MAX: usize = 10_000;

/// Silences at one time.
pub const SILENCES_MAX: usize = 1_000;

/// Silences that ended and are still shown.
pub const SILENCES_PAST_MAX: usize = 1_000;

/// What an operator may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriageLimits {
    /// Deep investigations at one time. Those above it are folded into one overview per account and region.
    pub deep_max: usize,
}

impl Default for TriageLimits {
    fn default() -> Self {
        Self { deep_max: 5 }
    }
}

/// Triage: its state, which is a fold over its decisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triage {
    limits: TriageLimits,
    state: State,
}

impl Triage {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(limits: TriageLimits) -> Self {
        Self { limits, state: State::new() }
    }

    /// Goes on under these limits: a stored state may have been kept under others.
    #[must_use]
    pub fn under(self, limits: TriageLimits) -> Self {
        Self { limits, ..self }
    }

    /// Decides about one message. Exactly one of the decisions is [`What::Received`]; before it comes what was due, after it
    /// what follows.
    pub fn decide(&mut self, incoming: &Incoming, now: Timestamp) -> Vec<Decision> {
        let mut work = Work::new(&mut self.state, self.limits, now);
        work.due();
        work.receive(incoming);
        work.cap();
        work.decisions
    }

    /// Decides what is due: OK has held, a silence ended.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Decision> {
        let mut work = Work::new(&mut self.state, self.limits, now);
        work.due();
        work.cap();
        work.decisions
    }

    /// Does what a person, the shell or a newer topology says.
    ///
    /// # Errors
    /// When it names something that is not there or cannot be done; nothing is changed then.
    pub fn command(&mut self, command: &Command, now: Timestamp) -> Result<Vec<Decision>, Refused> {
        let mut work = Work::new(&mut self.state, self.limits, now);
        work.command(command)?;
        work.due();
        work.cap();
        Ok(work.decisions)
    }

    /// Takes a recorded decision in.
    pub fn apply(&mut self, decision: &Decision) {
        self.state.apply(decision);
    }

    /// When [`Triage::tick`] has something to do next, if ever.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let holds = self.state.holding.first().map(|(since, _)| since.plus_secs(HOLD_S));
        let held = self.state.held.first().map(|(until, _)| *until);
        [holds, held].into_iter().flatten().min()
    }

    /// Number of the last decision, 0 before the first.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.state.seq
    }

    /// Alarms heard of, held-back ones included.
    #[must_use]
    pub fn alarms(&self) -> &BTreeMap<AlarmKey, Member> {
        &self.state.alarms
    }

    /// Investigations, closed and merged ones included.
    #[must_use]
    pub fn investigations(&self) -> &BTreeMap<InvestigationId, Investigation> {
        &self.state.investigations
    }

    /// Silences: those that last, those to come, and the last that ended.
    #[must_use]
    pub fn silences(&self) -> &BTreeMap<String, Silenced> {
        &self.state.silences
    }

    /// The investigation that goes on for this number after merges.
    #[must_use]
    pub fn current(&self, id: InvestigationId) -> InvestigationId {
        self.state.current(id)
    }
}

/// One round of deciding: every decision is applied at once, so that the next sees it.
struct Work<'a> {
    state: &'a mut State,
    limits: TriageLimits,
    now: Timestamp,
    decisions: Vec<Decision>,
}

impl<'a> Work<'a> {
    /// A clock that went back does not make decisions go back.
    fn new(state: &'a mut State, limits: TriageLimits, now: Timestamp) -> Self {
        let now = now.max(state.now);
        Self { state, limits, now, decisions: Vec::new() }
    }

    fn decide(&mut self, what: What) {
        let decision = Decision { seq: self.state.seq.saturating_add(1), at: self.now, what };
        self.state.apply(&decision);
        self.decisions.push(decision);
    }

    fn next_id(&self) -> InvestigationId {
        InvestigationId(self.state.last_investigation.saturating_add(1))
    }
}
