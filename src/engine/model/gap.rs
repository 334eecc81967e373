//! What could not be seen. A failing source is a visible gap, never a silent hole and never a crash.

use serde::{Deserialize, Serialize};

use super::observation::Provenance;
use super::query::{Query, Source};
use super::resource::ResourceId;
use super::text::Untrusted;
use super::time::TimeSpan;

/// Why something could not be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The source holds nothing for what was asked (a bundle without that file, a resource without telemetry).
    Absent,
    /// Part of the data could not be read; the rest was used.
    Malformed,
    /// A budget ended the reading; the rest is not known.
    Truncated,
    /// Access was refused.
    Denied,
    /// The source was slow, throttled or down.
    Unavailable,
    /// There is no healthy time to compare with.
    NoBaseline,
    /// The alarmed resource has no telemetry of its own.
    TargetUnseen,
    /// Clocks disagree: times of this source are not comparable with the others.
    ClockSkew,
}

/// One thing that could not be seen, and what would change that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The source that is incomplete.
    pub source: Source,
    /// Why.
    pub reason: GapReason,
    /// The resource it concerns, when it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceId>,
    /// The time it concerns.
    pub span: TimeSpan,
    /// Where exactly: a file and line, or an operation.
    pub place: String,
    /// What the source said.
    pub detail: Untrusted,
    /// How many records were lost, where that can be counted.
    #[serde(default)]
    pub lost: u64,
    /// How to ask again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Query>,
    /// Who could have written it: Tantei itself states gaps; `detail` is the source's.
    #[serde(default = "stated")]
    pub provenance: Provenance,
}

fn stated() -> Provenance {
    Provenance::ControlPlane
}

impl Gap {
    /// A gap of a source in a span of time, at a place; the rest is filled in by who knows it.
    #[must_use]
    pub fn new(source: Source, reason: GapReason, span: TimeSpan, place: &str) -> Self {
        Self {
            source,
            reason,
            resource: None,
            span,
            place: place.to_owned(),
            detail: Untrusted::default(),
            lost: 0,
            query: None,
            provenance: stated(),
        }
    }
}
