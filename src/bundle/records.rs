//! The lines of a bundle's files as they are written, and what they mean as telemetry.
//!
//! Accepts what real recordings contain: nulls, missing optional fields, unknown extra fields.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use tantei_engine::model::alarm::{AlarmState, AlarmTransition};
use tantei_engine::model::alarm_health::{AlarmDefinition, MissingData, Told};
use tantei_engine::model::observation::Provenance;
use tantei_engine::model::resource::{Edge, EdgeKind, EdgeOrigin, Resource, ResourceId};
use tantei_engine::model::telemetry::{Change, LinkSum, LogEvent, LogTally, Series, SeriesId, Span};
use tantei_engine::model::text::{Untrusted, cut};
use tantei_engine::model::time::{TimeSpan, Timestamp};

/// Longest string taken out of a change event's raw form: an ARN has at most 2,048 characters.
const ATTRIBUTE_BYTES_MAX: usize = 2_048;

/// Attributes taken out of one change event.
const ATTRIBUTES_MAX: usize = 64;

/// The time of any line; the rest is skipped.
#[derive(Debug, Deserialize)]
pub struct TimeOnly {
    /// In the file's own unit.
    pub t: i64,
}

/// A line of `metrics.jsonl`.
#[derive(Debug, Deserialize)]
pub struct MetricLine {
    resource: String,
    name: String,
    #[serde(default = "average")]
    stat: String,
    #[serde(default)]
    unit: Option<String>,
    period_s: u32,
    points: Vec<(f64, Option<f64>)>,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    dimensions: Option<BTreeMap<String, String>>,
}

fn average() -> String {
    "Average".to_owned()
}

impl From<MetricLine> for Series {
    fn from(line: MetricLine) -> Self {
        let at = |seconds: f64| {
            #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates; Timestamp clamps")]
            Timestamp::from_micros((seconds * 1e6).round() as i64)
        };
        Self {
            id: SeriesId {
                resource: ResourceId::new(line.resource),
                namespace: line.namespace,
                name: line.name,
                stat: line.stat,
                unit: line.unit,
                dimensions: line.dimensions.unwrap_or_default(),
            },
            period_s: line.period_s.max(1),
            points: line.points.into_iter().map(|(t, v)| (at(t), v.unwrap_or(f64::NAN))).collect(),
        }
    }
}

/// A line of `logs.jsonl`.
#[derive(Debug, Deserialize)]
pub struct LogLine {
    t: i64,
    resource: String,
    message: String,
    #[serde(default)]
    trace: Option<String>,
    #[serde(default)]
    span: Option<String>,
}

impl From<LogLine> for LogEvent {
    fn from(line: LogLine) -> Self {
        Self {
            at: Timestamp::from_millis(line.t),
            resource: ResourceId::new(line.resource),
            message: line.message,
            trace: line.trace,
            span: line.span,
        }
    }
}

/// A line of `log-tallies.jsonl`: a log line, and how many like it were counted.
#[derive(Debug, Deserialize)]
pub struct TallyLine {
    times: u64,
    #[serde(flatten)]
    line: LogLine,
}

impl From<TallyLine> for LogTally {
    fn from(line: TallyLine) -> Self {
        Self { event: line.line.into(), times: line.times }
    }
}

/// A line of `links.jsonl`: calls that were summed, from `t` to `until`.
#[derive(Debug, Deserialize)]
pub struct LinkLine {
    t: i64,
    until: i64,
    #[serde(default)]
    from: Option<String>,
    to: String,
    calls: u64,
    #[serde(default)]
    errors: u64,
    total_s: f64,
    #[serde(default)]
    squares_s2: Option<f64>,
}

impl From<LinkLine> for LinkSum {
    fn from(line: LinkLine) -> Self {
        let (start, end) = (Timestamp::from_millis(line.t), Timestamp::from_millis(line.until));
        Self {
            caller: line.from.map(ResourceId::new),
            callee: ResourceId::new(line.to),
            span: TimeSpan::new(start, end),
            calls: line.calls,
            errors: line.errors,
            total_s: line.total_s,
            squares_s2: line.squares_s2,
        }
    }
}

/// A line of `spans.jsonl`.
#[derive(Debug, Deserialize)]
pub struct SpanLine {
    t: i64,
    dur_us: u64,
    trace: String,
    span: String,
    #[serde(default)]
    parent: Option<String>,
    resource: String,
    #[serde(default)]
    op: String,
    #[serde(default)]
    error: Value,
}

impl From<SpanLine> for Span {
    fn from(line: SpanLine) -> Self {
        Self {
            at: Timestamp::from_micros(line.t),
            duration_us: line.dur_us,
            trace: line.trace,
            span: line.span,
            parent: line.parent.filter(|p| !p.is_empty()),
            resource: ResourceId::new(line.resource),
            operation: line.op,
            error: truthy(&line.error),
        }
    }
}

/// Recorders write `error` as a flag, a message or a code.
fn truthy(error: &Value) -> bool {
    match error {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(s) => !s.is_empty() && s != "false",
        Value::Array(a) => !a.is_empty(),
        Value::Object(o) => !o.is_empty(),
    }
}

/// A line of `changes.jsonl`.
#[derive(Debug, Deserialize)]
pub struct ChangeLine {
    t: i64,
    resource: String,
    kind: String,
    #[serde(default)]
    actor: Option<String>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    raw: Value,
}

impl From<ChangeLine> for Change {
    fn from(line: ChangeLine) -> Self {
        let attributes = attributes(&line.raw);
        Self {
            at: Timestamp::from_millis(line.t),
            resource: ResourceId::new(line.resource),
            kind: line.kind,
            actor: line.actor.unwrap_or_default(),
            summary: line.summary.unwrap_or_default(),
            attributes,
        }
    }
}

/// The scalar fields of a change event, by their path.
#[must_use]
pub fn attributes(event: &Value) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    flatten(event, "", &mut attributes);
    attributes
}

/// The scalar fields of an event, by their path. Bounded: an event may hold whole templates.
fn flatten(value: &Value, path: &str, out: &mut BTreeMap<String, String>) {
    if out.len() >= ATTRIBUTES_MAX {
        return;
    }
    let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Null => {}
        Value::Bool(b) => drop(out.insert(path.to_owned(), b.to_string())),
        Value::Number(n) => drop(out.insert(path.to_owned(), n.to_string())),
        Value::String(s) => drop(out.insert(path.to_owned(), cut(s, ATTRIBUTE_BYTES_MAX).to_owned())),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                flatten(item, &join(&i.to_string()), out);
            }
        }
        Value::Object(fields) => {
            for (key, item) in fields {
                flatten(item, &join(key), out);
            }
        }
    }
}

/// `topology.json`.
#[derive(Debug, Deserialize)]
pub struct TopologyFile {
    #[serde(default)]
    nodes: Vec<Node>,
    #[serde(default)]
    edges: Vec<Link>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Link {
    from: String,
    to: String,
    #[serde(default)]
    kind: Option<String>,
}

impl TopologyFile {
    /// Resources and dependencies, sorted and without repeats: the order of the file means nothing.
    #[must_use]
    pub fn resolve(self) -> (Vec<Resource>, Vec<Edge>) {
        let resources: BTreeMap<String, Resource> = self
            .nodes
            .into_iter()
            .map(|n| {
                let id = ResourceId::new(n.id.clone());
                (n.id, Resource { id, kind: n.kind, attributes: n.attributes })
            })
            .collect();
        let mut edges: Vec<Edge> = self
            .edges
            .into_iter()
            .map(|l| Edge {
                from: ResourceId::new(l.from),
                to: ResourceId::new(l.to),
                kind: match l.kind.as_deref() {
                    None | Some("calls") => EdgeKind::Calls,
                    Some("async" | "publishes" | "consumes") => EdgeKind::Async,
                    Some(_) => EdgeKind::DependsOn,
                },
                origin: EdgeOrigin::Observed,
            })
            .collect();
        edges.sort();
        edges.dedup();
        (resources.into_values().collect(), edges)
    }
}

/// A line of `alarms.jsonl`: the alarm as AWS sends it in an SNS message, and when.
#[derive(Debug, Deserialize)]
pub struct AlarmLine {
    t: i64,
    #[serde(default)]
    resource: Option<String>,
    #[serde(flatten)]
    body: AlarmBody,
}

/// Recorders put the alarm under a key of its own or beside the time; both are in use.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum AlarmBody {
    Nested { alarm: AlarmMessage },
    Flat(AlarmMessage),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AlarmMessage {
    alarm_name: String,
    #[serde(default)]
    alarm_arn: Option<String>,
    new_state_value: AlarmState,
    #[serde(default)]
    old_state_value: Option<AlarmState>,
    #[serde(default)]
    new_state_reason: Option<String>,
    #[serde(default)]
    trigger: Option<AlarmTrigger>,
    #[serde(default)]
    alarm_actions: Option<Vec<Value>>,
    #[serde(rename = "OKActions", default)]
    ok_actions: Option<Vec<Value>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AlarmTrigger {
    #[serde(default)]
    metric_name: Option<String>,
    #[serde(default)]
    threshold: Option<f64>,
    #[serde(default)]
    dimensions: Vec<AlarmDimension>,
    #[serde(default)]
    evaluation_periods: Option<u32>,
    #[serde(default)]
    datapoints_to_alarm: Option<u32>,
    #[serde(default)]
    comparison_operator: Option<String>,
    #[serde(default)]
    treat_missing_data: Option<String>,
}

#[derive(Debug, Deserialize)]
struct AlarmDimension {
    name: String,
    value: String,
}

impl From<AlarmLine> for AlarmTransition {
    fn from(line: AlarmLine) -> Self {
        let (AlarmBody::Nested { alarm } | AlarmBody::Flat(alarm)) = line.body;
        let trigger = alarm.trigger.unwrap_or_default();
        Self {
            name: Untrusted::new(&alarm.alarm_name),
            arn: alarm.alarm_arn,
            resource: line.resource.map(ResourceId::new),
            from: alarm.old_state_value,
            to: alarm.new_state_value,
            at: Timestamp::from_millis(line.t),
            metric: trigger.metric_name,
            threshold: trigger.threshold,
            dimensions: trigger.dimensions.into_iter().map(|d| (d.name, d.value)).collect(),
            reason: Untrusted::new(alarm.new_state_reason.as_deref().unwrap_or_default()),
            query: None,
            provenance: Provenance::ControlPlane,
        }
    }
}

/// How the alarm is set up, as far as its message says: whom it tells, and what it does with missing data.
impl From<AlarmLine> for AlarmDefinition {
    fn from(line: AlarmLine) -> Self {
        let (AlarmBody::Nested { alarm } | AlarmBody::Flat(alarm)) = line.body;
        let trigger = alarm.trigger.unwrap_or_default();
        let count = |actions: &[Value]| u32::try_from(actions.len()).unwrap_or(u32::MAX);
        // A message that was sent: its actions are switched on.
        let told = alarm.alarm_actions.zip(alarm.ok_actions).map(|(fires, ok)| Told {
            enabled: true,
            alarm: count(&fires),
            ok: count(&ok),
            suppressed: false,
        });
        Self {
            name: Untrusted::new(&alarm.alarm_name),
            resource: line.resource.map(ResourceId::new),
            metric: trigger.metric_name,
            state: Some(alarm.new_state_value),
            below: trigger.comparison_operator.is_some_and(|c| c.starts_with("LessThan")),
            datapoints: trigger.datapoints_to_alarm,
            periods: trigger.evaluation_periods,
            missing: trigger.treat_missing_data.as_deref().and_then(MissingData::from_name),
            told,
            evaluation: None,
            past: None,
        }
    }
}
