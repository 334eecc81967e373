//! How a source was asked: enough to ask again, word for word.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where telemetry comes from. One collector each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Alarm states and their history.
    Alarms,
    /// Which resource uses which.
    Topology,
    /// Time series.
    Metrics,
    /// Log events.
    Logs,
    /// Spans.
    Traces,
    /// Deployments, configuration changes, API calls that change something.
    Changes,
}

impl Source {
    /// All sources, in the order in which they are asked: the alarm's metric dates the onset that the others need.
    pub const ALL: [Self; 6] =
        [Self::Topology, Self::Alarms, Self::Metrics, Self::Changes, Self::Traces, Self::Logs];

    /// The name used in feeds, messages and configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Alarms => "alarms",
            Self::Topology => "topology",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
            Self::Traces => "traces",
            Self::Changes => "changes",
        }
    }
}

/// The exact request behind an observation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The service asked: `cloudwatch`, `logs`, `xray`, `cloudtrail`, or `bundle` for a recording.
    pub service: String,
    /// The operation: `GetMetricData`, or `read` for a recording.
    pub operation: String,
    /// Its parameters, by AWS's names where the service is AWS's.
    pub parameters: BTreeMap<String, String>,
}

impl Query {
    /// A query with the given parameters.
    #[must_use]
    pub fn new<const N: usize>(service: &str, operation: &str, parameters: [(&str, String); N]) -> Self {
        Self {
            service: service.to_owned(),
            operation: operation.to_owned(),
            parameters: parameters.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
        }
    }
}
