//! Approvals, runs of runbooks, and whether they helped.

use serde::{Deserialize, Serialize};

use super::id::ItemId;
use super::text::Untrusted;
use super::time::Timestamp;

/// A person's word on a plan. Who it was is the feed item's `by`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The suggestion that holds the plan.
    pub suggestion: ItemId,
    /// The digest that the person saw.
    pub digest: String,
    /// Yes or no.
    pub approved: bool,
    /// When a yes ends to hold.
    pub expires_at: Timestamp,
}

/// Status of a run or a step, folded from the 19 that Automation knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Not begun.
    Pending,
    /// Going on.
    InProgress,
    /// Waits for a person.
    Waiting,
    /// Done.
    Success,
    /// Failed.
    Failed,
    /// Took too long.
    TimedOut,
    /// Was stopped.
    Cancelled,
}

/// Why a plan was not started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Refusal {
    /// The suggestion has no plan that could run.
    NoPlan,
    /// A person discarded the suggestion or its hypothesis.
    Discarded,
    /// It no longer fits what is known.
    Outdated,
    /// Nobody approved it, or the last word was no.
    NotApproved,
    /// What was approved is not this plan.
    OtherDigest,
    /// The approval ended to hold.
    Expired,
    /// It was started before.
    Started,
    /// Automation refused or could not be reached.
    Automation {
        /// What it said.
        message: Untrusted,
    },
}

/// One event of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// The suggestion that was executed.
    pub suggestion: ItemId,
    /// The digest of the plan, checked immediately before the start.
    pub digest: String,
    /// Automation's execution id; absent before it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub event: RunEvent,
}

/// What happened in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// About to be started. Written before the call, so that a crash cannot hide it.
    Intended,
    /// A step changed its status.
    Step {
        /// Name of the step.
        name: String,
        /// Its action, such as `aws:executeAwsApi`.
        action: String,
        /// Its status.
        status: RunStatus,
    },
    /// The run ended.
    Ended {
        /// How.
        status: RunStatus,
    },
    /// It was not started.
    Refused(Refusal),
    /// Nobody knows whether it was started, or how it ended: the answer got lost.
    Lost {
        /// What was said instead.
        message: Untrusted,
    },
}

/// Whether a fix helped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything that deviated is back in its own range, and the alarm is OK and held.
    Recovered,
    /// Clearly better, not yet back.
    Improved,
    /// No better.
    NotRecovered,
    /// Worse than before.
    Worse,
    /// There is nothing to judge by.
    Unknown,
}

/// One deviation before, during and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecoveryMeasure {
    /// The observation that deviated.
    pub item: ItemId,
    /// Its usual level.
    pub usual: f64,
    /// Its level in the incident.
    pub incident: f64,
    /// Its level after the fix; absent when there is no data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<f64>,
    /// Whether it is back in its usual range.
    pub back: bool,
    /// The first instant from which it stayed there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_since: Option<Timestamp>,
    /// The points after the fix, to draw it.
    pub points: Vec<(Timestamp, Option<f64>)>,
}

/// The judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// The suggestion whose effect is judged; absent when it recovered by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<ItemId>,
    /// The judgement.
    pub verdict: Verdict,
    /// When the alarm went back to OK.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_ok_at: Option<Timestamp>,
    /// Seconds from the end of the run until everything was back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_to_recovery: Option<i64>,
    /// What was measured.
    pub measures: Vec<RecoveryMeasure>,
}
