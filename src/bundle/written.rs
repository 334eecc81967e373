//! Telemetry as the lines of a bundle: what [`super::records`] reads, written.

use std::collections::BTreeMap;

use serde::Serialize;
use tantei_engine::model::alarm::{Alarm, AlarmState, AlarmTransition, Direction};
use tantei_engine::model::resource::{Edge, EdgeKind, Resource, ResourceId};
use tantei_engine::model::telemetry::{Change, LinkSum, LogEvent, LogTally, Series, Span};
use tantei_engine::model::time::{TimeSpan, Timestamp};

use super::manifest::FORMAT;

/// Seconds, whole where they are.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Seconds {
    Whole(i64),
    Part(f64),
}

fn seconds(at: Timestamp) -> Seconds {
    if at == Timestamp::from_secs(at.secs()) {
        return Seconds::Whole(at.secs());
    }
    #[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 stay far below 2^53")]
    Seconds::Part(at.micros() as f64 / 1e6)
}

fn millis(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000)
}

/// A line of `metrics.jsonl`.
#[derive(Debug, Serialize)]
pub(super) struct Metric<'a> {
    resource: &'a str,
    name: &'a str,
    stat: &'a str,
    unit: Option<&'a str>,
    period_s: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    dimensions: &'a BTreeMap<String, String>,
    points: Vec<(Seconds, Option<f64>)>,
}

impl<'a> From<&'a Series> for Metric<'a> {
    fn from(series: &'a Series) -> Self {
        let id = &series.id;
        Self {
            resource: id.resource.as_str(),
            name: &id.name,
            stat: &id.stat,
            unit: id.unit.as_deref(),
            period_s: series.period_s,
            namespace: id.namespace.as_deref(),
            dimensions: &id.dimensions,
            points: series.points.iter().map(|(t, v)| (seconds(*t), v.is_finite().then_some(*v))).collect(),
        }
    }
}

/// A line of `logs.jsonl`.
#[derive(Debug, Serialize)]
pub(super) struct Log<'a> {
    t: i64,
    resource: &'a str,
    /// The format wants it; what is read of logs does not tell it.
    stream: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<&'a str>,
}

impl<'a> From<&'a LogEvent> for Log<'a> {
    fn from(event: &'a LogEvent) -> Self {
        Self {
            t: millis(event.at),
            resource: event.resource.as_str(),
            stream: "",
            message: &event.message,
            trace: event.trace.as_deref(),
            span: event.span.as_deref(),
        }
    }
}

/// A line of `log-tallies.jsonl`.
#[derive(Debug, Serialize)]
pub(super) struct Tally<'a> {
    times: u64,
    #[serde(flatten)]
    line: Log<'a>,
}

impl<'a> From<&'a LogTally> for Tally<'a> {
    fn from(tally: &'a LogTally) -> Self {
        Self { times: tally.times, line: Log::from(&tally.event) }
    }
}

/// A line of `links.jsonl`.
#[derive(Debug, Serialize)]
pub(super) struct LinkOut<'a> {
    t: i64,
    until: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    to: &'a str,
    calls: u64,
    errors: u64,
    total_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    squares_s2: Option<f64>,
}

impl<'a> From<&'a LinkSum> for LinkOut<'a> {
    fn from(sum: &'a LinkSum) -> Self {
        Self {
            t: millis(sum.span.start),
            until: millis(sum.span.end),
            from: sum.caller.as_ref().map(ResourceId::as_str),
            to: sum.callee.as_str(),
            calls: sum.calls,
            errors: sum.errors,
            total_s: sum.total_s,
            squares_s2: sum.squares_s2,
        }
    }
}

/// A line of `spans.jsonl`.
#[derive(Debug, Serialize)]
pub(super) struct SpanOut<'a> {
    t: i64,
    dur_us: u64,
    trace: &'a str,
    span: &'a str,
    parent: Option<&'a str>,
    resource: &'a str,
    op: &'a str,
    error: bool,
}

impl<'a> From<&'a Span> for SpanOut<'a> {
    fn from(span: &'a Span) -> Self {
        Self {
            t: span.at.micros(),
            dur_us: span.duration_us,
            trace: &span.trace,
            span: &span.span,
            parent: span.parent.as_deref(),
            resource: span.resource.as_str(),
            op: &span.operation,
            error: span.error,
        }
    }
}

/// A line of `changes.jsonl`. The attributes stand under their paths, which is how they are read again.
#[derive(Debug, Serialize)]
pub(super) struct ChangeOut<'a> {
    t: i64,
    resource: &'a str,
    kind: &'a str,
    actor: &'a str,
    summary: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    raw: &'a BTreeMap<String, String>,
}

impl<'a> From<&'a Change> for ChangeOut<'a> {
    fn from(change: &'a Change) -> Self {
        Self {
            t: millis(change.at),
            resource: change.resource.as_str(),
            kind: &change.kind,
            actor: &change.actor,
            summary: &change.summary,
            raw: &change.attributes,
        }
    }
}

/// A line of `alarms.jsonl`.
#[derive(Debug, Serialize)]
pub(super) struct TransitionOut<'a> {
    t: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
    alarm: Message<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Message<'a> {
    alarm_name: &'a str,
    alarm_arn: Option<&'a str>,
    new_state_value: AlarmState,
    old_state_value: Option<AlarmState>,
    new_state_reason: &'a str,
    trigger: Trigger<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Trigger<'a> {
    metric_name: Option<&'a str>,
    threshold: Option<f64>,
    dimensions: Vec<Dimension<'a>>,
}

#[derive(Debug, Serialize)]
struct Dimension<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> From<&'a AlarmTransition> for TransitionOut<'a> {
    fn from(transition: &'a AlarmTransition) -> Self {
        let dimensions = transition.dimensions.iter().map(|(name, value)| Dimension { name, value });
        Self {
            t: millis(transition.at),
            resource: transition.resource.as_ref().map(ResourceId::as_str),
            alarm: Message {
                alarm_name: transition.name.raw(),
                alarm_arn: transition.arn.as_deref(),
                new_state_value: transition.to,
                old_state_value: transition.from,
                new_state_reason: transition.reason.raw(),
                trigger: Trigger {
                    metric_name: transition.metric.as_deref(),
                    threshold: transition.threshold,
                    dimensions: dimensions.collect(),
                },
            },
        }
    }
}

/// `topology.json`.
#[derive(Debug, Serialize)]
pub(super) struct TopologyOut<'a> {
    nodes: Vec<&'a Resource>,
    edges: Vec<Link<'a>>,
}

#[derive(Debug, Serialize)]
struct Link<'a> {
    from: &'a str,
    to: &'a str,
    kind: &'static str,
}

impl<'a> TopologyOut<'a> {
    pub(super) fn new(resources: impl Iterator<Item = &'a Resource>, edges: &'a [Edge]) -> Self {
        let link = |edge: &'a Edge| Link {
            from: edge.from.as_str(),
            to: edge.to.as_str(),
            kind: match edge.kind {
                EdgeKind::Calls => "calls",
                EdgeKind::Async => "async",
                EdgeKind::DependsOn => "depends_on",
            },
        };
        Self { nodes: resources.collect(), edges: edges.iter().map(link).collect() }
    }
}

/// `incident.json`.
#[derive(Debug, Serialize)]
pub(super) struct ManifestOut<'a> {
    format: &'static str,
    id: &'a str,
    title: &'a str,
    trigger: TriggerOut<'a>,
    window: TimeSpan,
    baseline: Vec<TimeSpan>,
    source: SourceOut<'a>,
}

#[derive(Debug, Serialize)]
struct TriggerOut<'a> {
    kind: &'a str,
    resource: &'a str,
    metric: &'a str,
    stat: &'a str,
    direction: Direction,
    at: Timestamp,
}

#[derive(Debug, Serialize)]
struct SourceOut<'a> {
    name: &'a str,
    license: &'static str,
    repository: &'static str,
}

impl<'a> ManifestOut<'a> {
    /// The alarm, as it was looked at last.
    pub(super) fn new(id: &'a str, origin: &'a str, alarm: &'a Alarm) -> Self {
        Self {
            format: FORMAT,
            id,
            title: alarm.title.raw(),
            trigger: TriggerOut {
                kind: &alarm.kind,
                resource: alarm.resource.as_str(),
                metric: &alarm.metric,
                stat: &alarm.stat,
                direction: alarm.direction,
                at: alarm.at,
            },
            window: alarm.window,
            // A span of no length says nothing, and the reader refuses it.
            baseline: alarm.baseline.iter().copied().filter(|s| s.end > s.start).collect(),
            // Whose data it is, the account's owner knows.
            source: SourceOut { name: origin, license: "", repository: "" },
        }
    }
}
