//! A bundle as tables that AWS could have: its own reading of the files, independent of the product's.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tantei::bundle::lines;
use tantei_engine::model::num::real_signed;
use tantei_engine::model::time::TimeSpan;
use tantei_engine::planning::naming::short;

/// What is served.
#[derive(Debug, Clone, Default)]
pub(crate) struct Data {
    pub(crate) metrics: Vec<Value>,
    pub(crate) alarms: Vec<Value>,
    pub(crate) logs: Vec<Value>,
    pub(crate) changes: Vec<Value>,
    /// Spans by trace.
    pub(crate) spans: BTreeMap<String, Vec<Value>>,
    pub(crate) nodes: Vec<Value>,
    pub(crate) edges: Vec<Value>,
    /// Calls that X-Ray summed: `t`, `from` (none: from outside), `to`, `calls`, `faults`, `total_s`.
    pub(crate) links: Vec<Value>,
    /// Bytes that every log group says it holds.
    pub(crate) stored_bytes: u64,
    /// The class of every log group.
    pub(crate) log_class: &'static str,
    /// Bytes that every query says it scanned.
    pub(crate) scanned_bytes: u64,
}

impl Data {
    pub(crate) fn read(folder: &Path) -> Self {
        let lines = |name: &str| {
            let mut found: Vec<Value> = Vec::new();
            if let Some(path) = lines::find(folder, name) {
                lines::read::<Value>(&path, |value, _| found.push(value));
            }
            found
        };
        let mut spans: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for span in lines("spans.jsonl") {
            spans.entry(span["trace"].as_str().unwrap().to_owned()).or_default().push(span);
        }
        let topology =
            std::fs::read_to_string(folder.join("topology.json")).unwrap_or_else(|_| "{}".to_owned());
        let topology: Value = serde_json::from_str(&topology).unwrap();
        let list = |key: &str| topology[key].as_array().cloned().unwrap_or_default();
        let mut metrics = lines("metrics.jsonl");
        for metric in &mut metrics {
            // What has no dimensions in the recording is an application's own metric here.
            if metric["dimensions"].as_object().is_none_or(serde_json::Map::is_empty) {
                metric["dimensions"] =
                    serde_json::json!({"Service": short(metric["resource"].as_str().unwrap())});
            }
            if metric["namespace"].is_null() {
                metric["namespace"] = "Bundle".into();
            }
        }
        let alarms = lines("alarms.jsonl").into_iter().map(|line| match line.get("alarm") {
            Some(nested) => {
                let mut alarm = nested.clone();
                alarm["t"] = line["t"].clone();
                alarm
            }
            None => line,
        });
        Self {
            metrics,
            alarms: alarms.collect(),
            logs: lines("logs.jsonl"),
            changes: lines("changes.jsonl"),
            spans,
            nodes: list("nodes"),
            edges: list("edges"),
            links: Vec::new(),
            stored_bytes: 10_000_000,
            log_class: "STANDARD",
            scanned_bytes: 1_000_000,
        }
    }

    /// Moves the metrics of a span by so many seconds: CloudWatch does not keep what lies months away.
    pub(crate) fn move_metrics(&mut self, span: TimeSpan, by_s: i64) {
        let moved = real_signed(span.start.secs())..real_signed(span.end.secs());
        for point in self.metrics.iter_mut().flat_map(|m| m["points"].as_array_mut().unwrap()) {
            let at = point[0].as_f64().unwrap();
            if moved.contains(&at) {
                point[0] = (at + real_signed(by_s)).into();
            }
        }
        for metric in &mut self.metrics {
            let points = metric["points"].as_array_mut().unwrap();
            points.sort_by(|a, b| a[0].as_f64().unwrap().total_cmp(&b[0].as_f64().unwrap()));
        }
    }

    /// The kind of a resource.
    pub(crate) fn kind(&self, resource: &str) -> &str {
        let node = self.nodes.iter().find(|n| n["id"] == resource);
        node.and_then(|n| n["kind"].as_str()).unwrap_or_default()
    }

    /// Each resource that logs, and its log group.
    pub(crate) fn log_groups(&self) -> BTreeMap<String, String> {
        let resources = self.logs.iter().filter_map(|l| l["resource"].as_str());
        resources
            .map(|r| {
                let name = match self.kind(r) {
                    "AWS::Lambda::Function" => format!("/aws/lambda/{r}"),
                    "AWS::RDS::DBInstance" => format!("/aws/rds/instance/{r}/postgresql"),
                    _ => format!("/ecs/shop/{r}"),
                };
                // With Transaction Search.
                let name = if r == "aws/spans" { r.to_owned() } else { name };
                (r.to_owned(), name)
            })
            .collect()
    }
}
