//! Observations: what was measured, logged, traced or changed, each with where it came from and how far to trust it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::query::{Query, Source};
use super::resource::ResourceId;
use super::text::Untrusted;
use super::time::{TimeSpan, Timestamp};

/// Who could have written what an observation says. Ordered from the most to the least trustworthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// AWS itself: API activity, service events.
    ControlPlane,
    /// Numbers that infrastructure counted.
    Metric,
    /// Text that an application wrote.
    ApplicationLog,
    /// Values that somebody outside can choose: request paths, user names, free-text summaries.
    ExternallyControllable,
}

/// An observation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The resource it is about.
    pub resource: ResourceId,
    /// The other resource, where it is about two (the caller of a link).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<ResourceId>,
    /// Where it came from.
    pub source: Source,
    /// Who could have written it.
    pub provenance: Provenance,
    /// How to fetch it again.
    pub query: Query,
    /// The time it speaks of.
    pub span: TimeSpan,
    /// When what it shows began.
    pub since: Timestamp,
    /// What it shows.
    pub signal: Signal,
}

/// What an observation is about: two rounds that see the same thing measure it twice, they do not see two things.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identity {
    /// A series: namespace, metric, statistic, dimensions.
    Series(ResourceId, Option<String>, String, String, BTreeMap<String, String>),
    /// A pattern of a resource, and the companion that it came without, when that is what it shows.
    Pattern(ResourceId, String, Option<String>),
    /// A link: caller and callee.
    Link(Option<ResourceId>, ResourceId),
    /// A change: when, its kind, its actor, its summary.
    Change(ResourceId, Timestamp, String, String, String),
}

impl Observation {
    /// What it is about.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let resource = self.resource.clone();
        let text = |t: &Untrusted| t.raw().to_owned();
        match &self.signal {
            Signal::MetricDeviation(m) => Identity::Series(
                resource,
                m.namespace.clone(),
                m.metric.clone(),
                m.stat.clone(),
                m.dimensions.clone(),
            ),
            Signal::LogPattern(p) => {
                let broken = p.change == PatternChange::SequenceBroken;
                let companion = p.follower.as_ref().filter(|_| broken).map(text);
                Identity::Pattern(resource, p.pattern.clone(), companion)
            }
            Signal::TraceLink(_) => Identity::Link(self.peer.clone(), resource),
            Signal::Change(c) => {
                Identity::Change(resource, self.since, text(&c.kind), text(&c.actor), text(&c.summary))
            }
        }
    }

    /// What the deviation cost, where it is one of the alarm's own metric.
    #[must_use]
    pub fn impact(&self) -> Option<Impact> {
        match &self.signal {
            Signal::MetricDeviation(m) => m.impact,
            Signal::LogPattern(_) | Signal::TraceLink(_) | Signal::Change(_) => None,
        }
    }

    /// How clearly it shows what it shows, 0..1; a change shows nothing by itself.
    #[must_use]
    pub fn strength(&self) -> f64 {
        match &self.signal {
            Signal::MetricDeviation(m) => m.strength,
            Signal::LogPattern(p) => p.strength,
            Signal::TraceLink(l) => l.strength,
            Signal::Change(_) => 0.0,
        }
    }
}

/// What an observation shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Signal {
    /// A series left its usual range.
    MetricDeviation(Box<MetricDeviation>),
    /// A log pattern appeared, vanished or changed its rate.
    LogPattern(LogPattern),
    /// Calls from one resource to another got slower or failed more.
    TraceLink(TraceLink),
    /// Something was changed.
    Change(ChangeEvent),
}

/// Which way a series moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// Above its usual range.
    Up,
    /// Below it.
    Down,
    /// Data stopped arriving.
    Missing,
}

/// Five numbers and a count: how a series usually looks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Points with a value.
    pub n: u32,
    /// Least.
    pub min: f64,
    /// Median.
    pub median: f64,
    /// 95th percentile.
    pub p95: f64,
    /// Greatest.
    pub max: f64,
    /// Median absolute deviation from the median.
    pub mad: f64,
}

/// A series that left its usual range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricDeviation {
    /// CloudWatch namespace, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Metric name.
    pub metric: String,
    /// Statistic.
    pub stat: String,
    /// Unit as the source names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// CloudWatch dimensions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, String>,
    /// Which way it moved.
    pub movement: Movement,
    /// How clearly it left its range: 0 not at all, 1 beyond doubt.
    pub strength: f64,
    /// The same as a robust z-score.
    pub z: f64,
    /// How it usually looks.
    pub baseline: Summary,
    /// Mean in the deviating part of the window.
    pub level: f64,
    /// Mean over reference level; absent where the reference is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// The rise beyond its usual level, in units of the level that the highest resources usually have of the same
    /// metric; absent where no other resource has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond_peers: Option<f64>,
    /// Length of one period in seconds.
    pub period_s: u32,
    /// The points of the window, enough to draw it; `null` where there is none.
    pub points: Vec<(Timestamp, Option<f64>)>,
    /// What the deviation cost, where the metric is the alarm's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<Impact>,
}

/// Deviation multiplied by traffic, so that resources compare: excess request-seconds, or excess failed calls,
/// in the alarm metric's unit times requests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Impact {
    /// Weighted excess of this resource, callees included.
    pub excess: f64,
    /// The greatest weighted z-score in the window.
    pub z: f64,
    /// Requests in the window; 1 per period where traffic is unknown.
    pub requests: f64,
    /// Whether the resource carried such traffic in the baseline. A new callee explains nothing.
    pub known_before: bool,
}

/// What changed about a log pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatternChange {
    /// Never seen in the baseline.
    New,
    /// Seen in the baseline, not in the window.
    Gone,
    /// More per second than before.
    MoreFrequent,
    /// Less per second than before.
    LessFrequent,
    /// What normally follows it within a trace no longer does.
    SequenceBroken,
}

/// How bad a log line says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Debug or trace.
    Debug,
    /// Information, or no level.
    Info,
    /// Warning.
    Warning,
    /// Error.
    Error,
    /// Fatal, critical, panic.
    Fatal,
}

/// A log pattern whose behaviour changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogPattern {
    /// Identity of the pattern: the same text shape has the same identity in every run and on every node.
    pub pattern: String,
    /// The shape: words and variables by kind.
    pub template: Untrusted,
    /// What changed.
    pub change: PatternChange,
    /// The pattern that normally follows, for a broken sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follower: Option<Untrusted>,
    /// How bad its lines say they are.
    pub severity: Severity,
    /// Lines in the baseline.
    pub count_before: u64,
    /// Lines in the window.
    pub count_after: u64,
    /// Lines per minute in the baseline.
    pub per_minute_before: f64,
    /// Lines per minute in the window.
    pub per_minute_after: f64,
    /// How clearly it changed: 0 not at all, 1 beyond doubt.
    pub strength: f64,
    /// A few lines, first seen first.
    pub samples: Vec<Untrusted>,
}

/// Calls from one resource (`Observation::peer`; absent for traffic from outside) to another (`Observation::resource`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraceLink {
    /// Calls in the baseline.
    pub calls_before: u64,
    /// Calls in the window.
    pub calls_after: u64,
    /// Mean duration as the caller saw it, baseline, in milliseconds.
    pub duration_ms_before: f64,
    /// The same in the window.
    pub duration_ms_after: f64,
    /// Mean time that the callee spent itself, in no call of its own, baseline, in milliseconds.
    pub own_ms_before: f64,
    /// The same in the window.
    pub own_ms_after: f64,
    /// Mean time of the call that no span of the callee covers (network, queueing before the callee), baseline.
    pub uncovered_ms_before: f64,
    /// The same in the window.
    pub uncovered_ms_after: f64,
    /// Failed calls in the baseline.
    pub errors_before: u64,
    /// Failed calls in the window.
    pub errors_after: u64,
    /// Seconds that the callee itself added in the window beyond its usual time (own + uncovered).
    pub excess_s: f64,
    /// The same as a share of all the time that calls from outside usually take in as many calls.
    pub excess_share: f64,
    /// Failures that began at the callee: no call of its own failed.
    pub excess_errors: f64,
    /// How clearly it changed: 0 not at all, 1 beyond doubt.
    pub strength: f64,
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeEvent {
    /// `deployment`, `configuration` …
    pub kind: Untrusted,
    /// Who did it.
    pub actor: Untrusted,
    /// A line for people.
    pub summary: Untrusted,
    /// Facts out of the event that AWS calls may need.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Seconds from the change to the onset of the incident; negative when it came after.
    pub before_onset_s: i64,
}
