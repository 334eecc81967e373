//! Ranked candidates for the cause, each with its account: what was seen, what was subtracted, why.

use serde::{Deserialize, Serialize};

use super::id::ItemId;
use super::resource::ResourceId;
use super::time::Timestamp;

/// How far to trust a candidate. Bands, not invented percentages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Evidence exists, but not enough to act on.
    Weak,
    /// One clear kind of evidence.
    Moderate,
    /// Clear evidence that explains most of the impact, or several independent kinds that agree.
    Strong,
}

impl Band {
    /// How often a first answer of this band is meant to be right, 0..1: what `evaluate` holds against how often it was.
    /// Round figures, chosen before measuring and fitted to no data: act, look first, a hint.
    #[must_use]
    pub fn stated(self) -> f64 {
        match self {
            Self::Weak => 0.3,
            Self::Moderate => 0.7,
            Self::Strong => 0.95,
        }
    }
}

/// In which way a resource is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mechanism {
    /// It became slow itself.
    OwnLatency,
    /// It fails itself.
    OwnErrors,
    /// It ran out of something: processor, memory, connections.
    Saturation,
    /// Calls to it are slow, although it answers in its usual time.
    CallDelay,
    /// It behaves differently: log lines came, vanished or changed their order.
    Behaviour,
    /// It deviates, and what it uses is not observed: the fault may lie in one of its dependencies.
    UnobservedDependency,
    /// It has more work than usual.
    Surge,
    /// It moved, and nothing says how.
    Unclear,
}

/// One kind of evidence for a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// Impact on the alarm's own metric, callees subtracted.
    Impact,
    /// Own time in spans.
    OwnTime,
    /// Failures that began here in spans.
    OwnErrors,
    /// Time of calls that nothing covers.
    CallDelay,
    /// A resource metric out of its range.
    Saturation,
    /// Log patterns.
    Logs,
    /// A change shortly before the onset. Never evidence alone: it strengthens other parts.
    Change,
}

/// A line of a candidate's account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The kind of evidence.
    pub kind: PartKind,
    /// What it contributes, calibrated to 0..1 over all kinds.
    pub value: f64,
    /// What was seen, in the evidence's own unit.
    pub seen: f64,
    /// What direct callees explain of it and was subtracted.
    pub explained: f64,
    /// The items it rests on.
    pub items: Vec<ItemId>,
}

/// A resource that may be the cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The resource.
    pub resource: ResourceId,
    /// 0..1; comparable within one investigation only.
    pub score: f64,
    /// How far to trust it.
    pub band: Band,
    /// In which way it is at fault.
    pub mechanism: Mechanism,
    /// When its own evidence began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The path of dependencies from the alarmed resource to this one, both included.
    pub path: Vec<ResourceId>,
    /// What the score is made of, strongest first.
    pub account: Vec<Part>,
}

/// Why no cause is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Abstention {
    /// The alarmed resource shows nothing unusual.
    TargetQuiet,
    /// Nothing stands out.
    NothingStandsOut,
    /// There is no telemetry to judge by.
    NoTelemetry,
    /// There is no healthy time to compare with.
    NoBaseline,
    /// The alarm's threshold lies inside the usual range of its metric: it fires without an incident.
    ThresholdUsual,
    /// People ruled out every cause that was found.
    RuledOut,
}

/// All candidates, best first, and whether the evidence is good enough to name one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Ranking {
    /// Candidates, best first; ties by identifier.
    pub candidates: Vec<Candidate>,
    /// Why none of them is named as the cause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub abstained: Vec<Abstention>,
}
