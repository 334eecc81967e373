//! A generated incident of any size, in memory and as a bundle. The same at every run.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use tantei_engine::analysis::scope::Scope;
use tantei_engine::analysis::topology::Graph;
use tantei_engine::model::alarm::{Alarm, Direction};
use tantei_engine::model::resource::{Edge, EdgeKind, EdgeOrigin, ResourceId};
use tantei_engine::model::telemetry::{Series, SeriesId};
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::{TimeSpan, Timestamp};

/// Each resource calls this many of the next layer.
const FAN_OUT: u32 = 4;

/// Minutes of baseline, and of the window.
const MINUTES: u32 = 60;

/// The fault begins so many minutes into the window.
const LEAD: u32 = 20;

/// Lines that each resource logs.
const LINES: u32 = 40;

pub(crate) struct Incident {
    resources: u32,
    /// The resource at fault and all that call it, directly or not.
    suffering: Vec<u32>,
}

impl Incident {
    pub(crate) fn new(resources: u32) -> Self {
        // Resource n calls n·4+1 to n·4+4: a tree with the entry at 0. The root lies in its last layer.
        let mut suffering = vec![resources - 1];
        while let Some(last) = suffering.last().copied().filter(|n| *n > 0) {
            suffering.push((last - 1) / FAN_OUT);
        }
        Self { resources, suffering }
    }

    pub(crate) fn size(&self) -> u32 {
        self.resources
    }

    pub(crate) fn root(&self) -> ResourceId {
        name(self.resources - 1)
    }

    fn edges(&self) -> impl Iterator<Item = Edge> {
        (1..self.resources).map(|n| Edge {
            from: name((n - 1) / FAN_OUT),
            to: name(n),
            kind: EdgeKind::Calls,
            origin: EdgeOrigin::Observed,
        })
    }

    pub(crate) fn scope(&self) -> Scope {
        let at = Timestamp::from_secs(minute(MINUTES + LEAD));
        let span =
            |from, to| TimeSpan::new(Timestamp::from_secs(minute(from)), Timestamp::from_secs(minute(to)));
        let alarm = Alarm {
            kind: "metric_alarm".to_owned(),
            title: Untrusted::new("the entry is slow"),
            resource: name(0),
            metric: "latency".to_owned(),
            stat: "Average".to_owned(),
            direction: Direction::Above,
            at,
            window: span(MINUTES, 2 * MINUTES),
            baseline: vec![span(0, MINUTES)],
        };
        Scope::new(alarm, Graph::new(&[], &self.edges().collect::<Vec<_>>()), at, 60)
    }

    /// Latency, requests and processor of every resource.
    pub(crate) fn series(&self) -> impl Iterator<Item = Series> {
        let metrics = [("latency", "Average"), ("requests", "Sum"), ("CPUUtilization", "Average")];
        (0..self.resources).flat_map(move |n| {
            metrics.map(|(metric, stat)| Series {
                id: SeriesId {
                    resource: name(n),
                    namespace: None,
                    name: metric.to_owned(),
                    stat: stat.to_owned(),
                    unit: None,
                    dimensions: BTreeMap::new(),
                },
                period_s: 60,
                points: (0..2 * MINUTES)
                    .map(|m| (Timestamp::from_secs(minute(m)), self.value(n, metric, m)))
                    .collect(),
            })
        })
    }

    fn value(&self, n: u32, metric: &str, m: u32) -> f64 {
        let wobble = noise(u64::from(n) * 1_000_003 + u64::from(m) * 31 + u64::from(metric.as_bytes()[0]));
        let bad = m >= MINUTES + LEAD && self.suffering.contains(&n);
        match metric {
            "latency" => (if bad { 450.0 } else { 50.0 }) * (1.0 + 0.1 * wobble),
            "requests" => (100.0 * (1.0 + 0.1 * wobble)).round(),
            _ => 40.0 + 8.0 * wobble,
        }
    }

    /// Raw lines of many kinds; those of the root fail in the end.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        (0..self.resources).flat_map(move |n| (0..LINES).map(move |i| self.line(n, i)))
    }

    fn line(&self, n: u32, i: u32) -> String {
        let id = u64::from(n * LINES + i).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        match i % 4 {
            0 => format!("INFO request {id:016x} from 10.0.{}.{} took {} ms", n % 256, i, id % 300),
            1 => format!("INFO cache hit for user={} shard={}", id % 10_000, id % 16),
            2 if n + 1 == self.resources && i > LINES / 2 => {
                format!("ERROR connection to /var/run/db.sock timed out after {} ms", id % 5_000)
            }
            2 => format!("DEBUG pool size={} idle={}", id % 32, id % 8),
            _ => format!("INFO wrote {} bytes to /data/{}/part-{i:04}", id % 100_000, n % 50),
        }
    }

    /// Writes it as a bundle.
    pub(crate) fn write(&self, folder: &Path) {
        let scope = self.scope();
        let put = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
        let span = |s: &TimeSpan| json!({"start": s.start.to_string(), "end": s.end.to_string()});
        let incident = json!({
            "format": "incident-bundle/1", "id": "generated", "title": "the entry is slow",
            "trigger": {"kind": "metric_alarm", "resource": name(0), "metric": "latency", "stat": "Average",
                        "direction": "above", "at": scope.alarm.at.to_string()},
            "window": span(&scope.alarm.window),
            "baseline": scope.alarm.baseline.iter().map(span).collect::<Vec<_>>(),
            "source": {"name": "bench", "license": "Apache-2.0", "repository": "none"},
        });
        put("incident.json", incident.to_string());
        let nodes: Vec<_> = (0..self.resources).map(|n| json!({"id": name(n), "kind": null})).collect();
        let edges: Vec<_> =
            self.edges().map(|e| json!({"from": e.from, "to": e.to, "kind": "calls"})).collect();
        put("topology.json", json!({"nodes": nodes, "edges": edges}).to_string());
        let metrics: Vec<String> = self
            .series()
            .map(|s| {
                let points: Vec<_> =
                    s.points.iter().map(|(t, v)| json!([t.micros() / 1_000_000, v])).collect();
                json!({"resource": s.id.resource, "name": s.id.name, "stat": s.id.stat, "unit": null,
                       "period_s": s.period_s, "points": points})
                .to_string()
            })
            .collect();
        put("metrics.jsonl", metrics.join("\n"));
        let logs: Vec<String> = (0..self.resources)
            .flat_map(|n| (0..LINES).map(move |i| (n, i)))
            .map(|(n, i)| {
                let at = minute(i * 3) * 1_000 + i64::from(n % 1_000);
                json!({"t": at, "resource": name(n), "message": self.line(n, i)}).to_string()
            })
            .collect();
        put("logs.jsonl", logs.join("\n"));
    }
}

/// Seconds of a minute since an arbitrary day.
fn minute(n: u32) -> i64 {
    1_700_000_040 + i64::from(n) * 60
}

fn name(n: u32) -> ResourceId {
    ResourceId::new(format!("service-{n:05}"))
}

/// A deterministic stand-in for noise, between -1 and 1.
fn noise(seed: u64) -> f64 {
    let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xd6e8_feb8_6659_fd93);
    f64::from(u32::try_from(mixed >> 40).unwrap()) / f64::from(1 << 23) - 1.0
}
