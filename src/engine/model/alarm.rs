//! Alarms: what fired, on what, and the transitions of its state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::observation::Provenance;
use super::query::Query;
use super::resource::ResourceId;
use super::text::Untrusted;
use super::time::{TimeSpan, Timestamp};

/// The direction that is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is worse.
    Above,
    /// Less is worse.
    Below,
}

impl Direction {
    /// `+1` when more is worse, `-1` when less is.
    #[must_use]
    pub fn sign(self) -> f64 {
        match self {
            Self::Above => 1.0,
            Self::Below => -1.0,
        }
    }
}

/// The states that CloudWatch knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlarmState {
    /// Inside the threshold.
    Ok,
    /// Outside.
    Alarm,
    /// Not enough data to say.
    InsufficientData,
}

/// What starts an investigation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// The kind of trigger, `metric_alarm` for a CloudWatch metric alarm.
    pub kind: String,
    /// A line for people.
    pub title: Untrusted,
    /// The resource that the alarm watches.
    pub resource: ResourceId,
    /// The metric that it watches.
    pub metric: String,
    /// The statistic of it (`Average`, `p99` …).
    pub stat: String,
    /// The direction that is bad.
    pub direction: Direction,
    /// When it fired.
    pub at: Timestamp,
    /// The time under investigation.
    pub window: TimeSpan,
    /// Times known to be healthy; may be days away.
    pub baseline: Vec<TimeSpan>,
}

/// One change of state of one alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmTransition {
    /// The alarm's name.
    pub name: Untrusted,
    /// Its ARN, when the source gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The resource it watches, when that could be told from its dimensions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceId>,
    /// State before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<AlarmState>,
    /// State after.
    pub to: AlarmState,
    /// When it changed.
    pub at: Timestamp,
    /// Metric it watches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Threshold in the metric's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Dimensions of the metric.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, String>,
    /// CloudWatch's reason.
    #[serde(default)]
    pub reason: Untrusted,
    /// How to fetch it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Query>,
    /// Who could have written it: AWS itself, though name and description are people's.
    #[serde(default = "control_plane")]
    pub provenance: Provenance,
}

fn control_plane() -> Provenance {
    Provenance::ControlPlane
}
