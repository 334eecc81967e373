//! What triage decides, as facts: the record from which its state is folded again.
//!
//! Not here: sentences (the shell words them) and how a decision comes about.

use serde::{Deserialize, Serialize};

use super::incoming::{AlarmKey, Incoming, Link, Node, Scope, Silence};
use crate::model::text::Untrusted;
use crate::model::time::Timestamp;

/// Number of an investigation, from 1 in order of opening. Stays valid after a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InvestigationId(pub u64);

/// Why an alarm belongs to its investigation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// It is the first.
    First,
    /// Another alarm of the same resource, service or alarm is in it.
    SameNode,
    /// Its resource depends on the deepest one that fires.
    DependsOn {
        /// From its resource to the deepest that fires, both included; in the middle some may be left out.
        path: Vec<Node>,
    },
    /// Its resource is what members depend on.
    DependencyOf {
        /// One of them.
        member: Node,
    },
    /// Same account, region and service tag, and its resource has no known edges.
    SameService {
        /// The tag.
        service: String,
    },
    /// Same `#DEDUPE_STRING=`.
    SameDedupe {
        /// The value.
        value: String,
    },
    /// A composite alarm that fires is made of it.
    ChildOf {
        /// The composite's ARN.
        composite: String,
    },
    /// It is a composite alarm, and a child of it is in it.
    ParentOf {
        /// The child's ARN.
        child: String,
    },
    /// Unrelated dependencies of one account and region began together: one cause that the topology does not show.
    SharedCause {
        /// The dependencies that began together.
        roots: Vec<Node>,
    },
    /// It is the same alarm as before.
    SameAlarm,
    /// A person said so.
    Person {
        /// Who.
        name: String,
    },
}

impl Reason {
    /// The way to the deepest dependency that fires; empty for other reasons.
    #[must_use]
    pub fn path(&self) -> &[Node] {
        if let Self::DependsOn { path } = self { path } else { &[] }
    }
}

/// Why a message changed no membership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Only {
    /// The alarm went back to OK.
    Ok,
    /// There is no data: an event, no trigger.
    NoData,
    /// A newer transition of the alarm came before it.
    Late,
    /// A silence covers it.
    Silenced {
        /// Which.
        silence: String,
        /// When it ends.
        until: Timestamp,
    },
    /// The source held the alarm's actions back.
    Suppressed {
        /// The source's reason.
        reason: Untrusted,
        /// When that ends, if known.
        until: Option<Timestamp>,
    },
    /// [`super::ALARMS_MAX`] alarms are members of open investigations: no further one is followed.
    TooMany,
}

/// What made a delivery a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// The delivery's identity.
    Delivery,
    /// Alarm, contributor, state and time of the change.
    Transition,
}

/// The one thing that became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It opened an investigation.
    Opened {
        /// Which.
        investigation: InvestigationId,
        /// The one that this alarm was in before, closed too long ago to be the same.
        follows: Option<InvestigationId>,
    },
    /// It joined an open one.
    Joined {
        /// Which.
        investigation: InvestigationId,
        /// Why.
        reason: Reason,
    },
    /// Its alarm is a member already.
    Counted {
        /// Which.
        investigation: InvestigationId,
        /// How often the alarm fired in all.
        times: u64,
    },
    /// Its alarm's investigation was closed and is open again.
    Reopened {
        /// Which.
        investigation: InvestigationId,
        /// The how manieth recurrence, from 1.
        recurrence: u32,
    },
    /// It is recorded and changes no membership.
    RecordedOnly {
        /// Where it is shown; none when nothing is open that it has to do with.
        investigation: Option<InvestigationId>,
        /// Why.
        why: Only,
    },
    /// It was received before.
    Duplicate {
        /// By what.
        by: Identity,
        /// Where the first one is shown.
        investigation: Option<InvestigationId>,
    },
}

impl Outcome {
    /// Where the message is shown.
    #[must_use]
    pub fn investigation(&self) -> Option<InvestigationId> {
        match self {
            Self::Opened { investigation, .. }
            | Self::Joined { investigation, .. }
            | Self::Counted { investigation, .. }
            | Self::Reopened { investigation, .. } => Some(*investigation),
            Self::RecordedOnly { investigation, .. } | Self::Duplicate { investigation, .. } => {
                *investigation
            }
        }
    }
}

/// One decision. The state is a fold over these, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Place in the record, from 1.
    pub seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

impl Decision {
    /// What became of the message, when this is the decision about one.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        if let What::Received { outcome, .. } = &self.what { Some(outcome) } else { None }
    }
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decided", rename_all = "snake_case")]
pub enum What {
    /// A message and what became of it: exactly one for every message.
    Received {
        /// The message.
        incoming: Box<Incoming>,
        /// What became of it.
        outcome: Outcome,
        /// Whether people should hear of it; the same news is not told twice.
        notify: bool,
    },
    /// An alarm that was held back still fires when the silence ends: it opened or joined an investigation.
    Released {
        /// Which.
        alarm: AlarmKey,
        /// What it did.
        outcome: Outcome,
    },
    /// What is known of a node changed: its members move, or their reason does.
    Reassigned {
        /// Which.
        node: Node,
        /// Where its members were.
        from: InvestigationId,
        /// Where they are now.
        to: InvestigationId,
        /// Why.
        reason: Reason,
    },
    /// A node without an alarm is taken for the deepest that fires: most of what uses it does, and nothing else explains that.
    Suspected {
        /// Which.
        node: Node,
        /// Where it belongs.
        investigation: InvestigationId,
        /// The earliest change of those that use it.
        since: Timestamp,
    },
    /// One alarm moves.
    Moved {
        /// Which.
        alarm: AlarmKey,
        /// Where it was, if anywhere.
        from: Option<InvestigationId>,
        /// Where it is now.
        to: InvestigationId,
        /// Why.
        reason: Reason,
    },
    /// An investigation was opened by a person who split another.
    Split {
        /// The new one.
        investigation: InvestigationId,
        /// Where its alarms came from.
        from: InvestigationId,
        /// Who.
        person: String,
    },
    /// All members of one investigation go to another; both identifiers stay valid.
    Merged {
        /// The one that ends.
        from: InvestigationId,
        /// The one that goes on.
        into: InvestigationId,
        /// Why.
        reason: Reason,
    },
    /// An alarm changes too often, or no longer does.
    Flapping {
        /// Which.
        alarm: AlarmKey,
        /// Whether it does.
        flapping: bool,
    },
    /// An alarm's OK has held.
    Recovered {
        /// Which.
        alarm: AlarmKey,
    },
    /// All members have recovered.
    Closed {
        /// Which.
        investigation: InvestigationId,
    },
    /// A person ended it. Members may still fire: what changes from now on opens it again.
    Ended {
        /// Which.
        investigation: InvestigationId,
        /// Who.
        person: String,
    },
    /// A person opened it again.
    Resumed {
        /// Which.
        investigation: InvestigationId,
        /// Who.
        person: String,
    },
    /// A storm's investigation was opened: the overview of what the cap holds back in one account and region.
    StormOpened {
        /// Its number.
        investigation: InvestigationId,
        /// Where.
        scope: Scope,
    },
    /// An investigation gets its place among the deep ones.
    Deepened {
        /// Which.
        investigation: InvestigationId,
    },
    /// An investigation is looked after by the storm's for now. It keeps its number and its members.
    Folded {
        /// Which.
        investigation: InvestigationId,
        /// The storm's.
        storm: InvestigationId,
    },
    /// The deep work on an investigation is done: its place is free.
    Finished {
        /// Which.
        investigation: InvestigationId,
    },
    /// Edges became known.
    Learned {
        /// Which.
        links: Vec<Link>,
    },
    /// A silence was set.
    SilenceSet {
        /// Which.
        silence: Silence,
        /// By whom.
        person: String,
    },
    /// A silence was ended.
    SilenceEnded {
        /// Which.
        silence: String,
        /// By whom.
        person: String,
    },
}

/// What a decision means for the work on an investigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It begins to exist.
    Opens(InvestigationId),
    /// It has ended and goes on again.
    Reopens(InvestigationId),
    /// The deep work on it begins.
    Works(InvestigationId),
    /// It ends.
    Ends(InvestigationId),
    /// Nothing.
    Nothing,
}

impl What {
    /// What it means for the work.
    #[must_use]
    pub fn effect(&self) -> Effect {
        match self {
            Self::Received { outcome, .. } | Self::Released { outcome, .. } => match outcome {
                Outcome::Opened { investigation, .. } => Effect::Opens(*investigation),
                Outcome::Reopened { investigation, .. } => Effect::Reopens(*investigation),
                Outcome::Joined { .. }
                | Outcome::Counted { .. }
                | Outcome::RecordedOnly { .. }
                | Outcome::Duplicate { .. } => Effect::Nothing,
            },
            Self::Split { investigation, .. } | Self::StormOpened { investigation, .. } => {
                Effect::Opens(*investigation)
            }
            Self::Deepened { investigation } => Effect::Works(*investigation),
            Self::Resumed { investigation, .. } => Effect::Reopens(*investigation),
            Self::Closed { investigation }
            | Self::Ended { investigation, .. }
            | Self::Merged { from: investigation, .. } => Effect::Ends(*investigation),
            Self::Reassigned { .. }
            | Self::Suspected { .. }
            | Self::Moved { .. }
            | Self::Flapping { .. }
            | Self::Recovered { .. }
            | Self::Folded { .. }
            | Self::Finished { .. }
            | Self::Learned { .. }
            | Self::SilenceSet { .. }
            | Self::SilenceEnded { .. } => Effect::Nothing,
        }
    }
}
