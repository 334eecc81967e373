//! Raw telemetry as collectors hand it over, one batch at a time: read, digested into observations, dropped.
//!
//! Never stored in the feed: a feed holds what was concluded and how to fetch it again.

use std::collections::BTreeMap;

use super::alarm::AlarmTransition;
use super::alarm_health::AlarmDefinition;
use super::resource::{Edge, Resource, ResourceId};
use super::time::{TimeSpan, Timestamp};

/// Identity of a time series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesId {
    /// Whose metric.
    pub resource: ResourceId,
    /// CloudWatch namespace, when known.
    pub namespace: Option<String>,
    /// Metric name.
    pub name: String,
    /// Statistic: `Average`, `Sum`, `p99` …
    pub stat: String,
    /// Unit as the source names it; nothing may depend on it.
    pub unit: Option<String>,
    /// CloudWatch dimensions.
    pub dimensions: BTreeMap<String, String>,
}

/// A time series. Points are in no particular order, may repeat, and may be missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What was measured.
    pub id: SeriesId,
    /// Length of one period in seconds.
    pub period_s: u32,
    /// Start of the period and the value; `NaN` where the source says that there is none.
    pub points: Vec<(Timestamp, f64)>,
}

/// A log event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub resource: ResourceId,
    /// The line (or lines). Not cut: the miner bounds what it reads.
    pub message: String,
    /// Trace it belongs to.
    pub trace: Option<String>,
    /// Span it belongs to.
    pub span: Option<String>,
}

/// Log lines that were counted where they lie, and not read one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTally {
    /// One of them; its time lies in the span over which they were counted, which lies on one side of the onset.
    pub event: LogEvent,
    /// How many there are.
    pub times: u64,
}

/// A span: one operation of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// The trace it belongs to.
    pub trace: String,
    /// Its identifier within the trace.
    pub span: String,
    /// The span that caused it.
    pub parent: Option<String>,
    /// Who did it.
    pub resource: ResourceId,
    /// What was done.
    pub operation: String,
    /// Whether it failed.
    pub error: bool,
}

/// Calls from one resource to another, summed where they were recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkSum {
    /// Who called; absent for traffic from outside.
    pub caller: Option<ResourceId>,
    /// Who was called.
    pub callee: ResourceId,
    /// When; on one side of the onset.
    pub span: TimeSpan,
    /// How often.
    pub calls: u64,
    /// How many of them failed.
    pub errors: u64,
    /// How long they took together, in seconds.
    pub total_s: f64,
    /// Sum of the squares of their durations, where a histogram tells it.
    pub squares_s2: Option<f64>,
}

/// A change as the control plane or a deployment tool reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// What was changed.
    pub resource: ResourceId,
    /// `deployment`, `configuration` …
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// A line for people.
    pub summary: String,
    /// Facts out of the event that AWS calls may need, by the event's own names.
    pub attributes: BTreeMap<String, String>,
}

/// What a collector hands over.
#[derive(Debug, Clone, PartialEq)]
pub enum Batch {
    /// Resources and who uses whom.
    Topology {
        /// Resources.
        resources: Vec<Resource>,
        /// Dependencies.
        edges: Vec<Edge>,
    },
    /// Time series.
    Metrics(Vec<Series>),
    /// Log events.
    Logs(Vec<LogEvent>),
    /// Log events that were counted.
    Tallies(Vec<LogTally>),
    /// Spans.
    Traces(Vec<Span>),
    /// Calls that were summed; they count only where there are no spans.
    Links(Vec<LinkSum>),
    /// Changes.
    Changes(Vec<Change>),
    /// Alarm transitions.
    Alarms(Vec<AlarmTransition>),
    /// How the alarms are set up that these transitions are of.
    Definitions(Vec<AlarmDefinition>),
    /// How many records follow for each second, sorted by time. Sent first, by recordings only: their clocks may
    /// disagree with the alarm's.
    Coverage(Vec<(Timestamp, u64)>),
}

impl Batch {
    /// How many records it holds.
    #[must_use]
    pub fn records(&self) -> u64 {
        let n = match self {
            Self::Topology { resources, edges } => resources.len() + edges.len(),
            Self::Metrics(series) => series.len(),
            Self::Logs(events) => events.len(),
            Self::Tallies(tallies) => tallies.len(),
            Self::Traces(spans) => spans.len(),
            Self::Links(sums) => sums.len(),
            Self::Changes(changes) => changes.len(),
            Self::Alarms(transitions) => transitions.len(),
            // Both speak of records that are handed over themselves.
            Self::Definitions(_) | Self::Coverage(_) => 0,
        };
        u64::try_from(n).unwrap_or(u64::MAX)
    }
}
