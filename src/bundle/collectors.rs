//! Replays a bundle through the collector port, file by file. Blocking reads: a bundle is local.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tantei_engine::model::alarm::Alarm;
use tantei_engine::model::alarm_health::AlarmDefinition;
use tantei_engine::model::gap::{Gap, GapReason};
use tantei_engine::model::query::{Query, Source};
use tantei_engine::model::resource::Resource;
use tantei_engine::model::telemetry::Batch;
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::Timestamp;

use super::lines::{self, Outcome};
use super::recorded::{self, RecordedSource};
use super::records::{
    AlarmLine, ChangeLine, LinkLine, LogLine, MetricLine, SpanLine, TallyLine, TimeOnly, TopologyFile,
};
use crate::ports::{BoxFuture, CollectRequest, Collection, Collector, Evidence, PortError, Sink};

/// Records handed over at once.
const BATCH: usize = 1_024;

/// Bytes of lines handed over at once: a few huge lines must not pile up.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// Series handed over at once: each may hold thousands of points.
const SERIES_BATCH: usize = 16;

/// Seconds counted in the first pass: a month, and bounded whatever times a file claims.
const COVERAGE_SECONDS_MAX: usize = 2_600_000;

/// Largest `topology.json` that is read.
const TOPOLOGY_BYTES_MAX: u64 = 16 << 20;

/// All sources of one bundle.
#[derive(Debug, Clone)]
pub struct BundleCollector {
    folder: PathBuf,
}

impl BundleCollector {
    /// Replays the bundle in that folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// What Tantei recorded itself says what it could not see; of other bundles, what is absent is told by the files.
    fn read(&self, request: &CollectRequest, sink: &mut Sink<'_>) -> Collection {
        match recorded::read(&self.folder) {
            Ok(None) => self.files(request, true, sink),
            Ok(Some(mut recorded)) => {
                let RecordedSource { foreign_clock, gaps, .. } =
                    recorded.sources.remove(&request.source).unwrap_or_default();
                let mut read = self.files(request, foreign_clock, sink);
                let broken = std::mem::take(&mut read.gaps).into_iter();
                read.gaps =
                    gaps.into_iter().chain(broken.filter(|g| g.reason != GapReason::Absent)).collect();
                read
            }
            Err(what) => {
                let mut read = self.files(request, true, sink);
                read.gaps.push(gap(request, GapReason::Malformed, "recording.json", &what, 0));
                read
            }
        }
    }

    fn files(&self, request: &CollectRequest, foreign_clock: bool, sink: &mut Sink<'_>) -> Collection {
        match request.source {
            Source::Topology => self.topology(request, sink),
            Source::Metrics => {
                self.records::<MetricLine, _>(request, sink, "metrics.jsonl", SERIES_BATCH, Batch::Metrics)
            }
            Source::Logs => {
                if foreign_clock {
                    self.coverage(sink, "logs.jsonl", Timestamp::from_millis);
                }
                let read = self.records::<LogLine, _>(request, sink, "logs.jsonl", BATCH, Batch::Logs);
                let name = "log-tallies.jsonl";
                if lines::find(&self.folder, name).is_none() {
                    return read;
                }
                both(read, self.records::<TallyLine, _>(request, sink, name, BATCH, Batch::Tallies))
            }
            Source::Traces => {
                if foreign_clock {
                    self.coverage(sink, "spans.jsonl", Timestamp::from_micros);
                }
                let read = self.records::<SpanLine, _>(request, sink, "spans.jsonl", BATCH, Batch::Traces);
                if lines::find(&self.folder, "links.jsonl").is_none() {
                    return read;
                }
                both(read, self.records::<LinkLine, _>(request, sink, "links.jsonl", BATCH, Batch::Links))
            }
            Source::Changes => {
                self.records::<ChangeLine, _>(request, sink, "changes.jsonl", BATCH, Batch::Changes)
            }
            Source::Alarms => {
                self.definitions(sink);
                self.records::<AlarmLine, _>(request, sink, "alarms.jsonl", BATCH, Batch::Alarms)
            }
        }
    }

    /// How the alarms are set up: as it was recorded, else as far as the messages say. A broken line is told by whoever reads
    /// the messages.
    fn definitions(&self, sink: &mut Sink<'_>) {
        let mut found: BTreeMap<String, AlarmDefinition> = BTreeMap::new();
        let mut add = |d: AlarmDefinition| drop(found.insert(d.name.raw().to_owned(), d));
        if let Some(path) = lines::find(&self.folder, "alarm-definitions.jsonl") {
            lines::read::<AlarmDefinition>(&path, |d, _| add(d));
        } else if let Some(path) = lines::find(&self.folder, "alarms.jsonl") {
            lines::read::<AlarmLine>(&path, |line, _| add(line.into()));
        }
        sink(Batch::Definitions(found.into_values().collect()));
    }

    /// A first pass over the times alone: how many records there are in each second.
    fn coverage(&self, sink: &mut Sink<'_>, name: &str, at: fn(i64) -> Timestamp) {
        let Some(path) = lines::find(&self.folder, name) else { return };
        let mut seconds: BTreeMap<Timestamp, u64> = BTreeMap::new();
        lines::read::<TimeOnly>(&path, |line, _| {
            let second = Timestamp::from_secs(at(line.t).secs());
            if seconds.len() < COVERAGE_SECONDS_MAX || seconds.contains_key(&second) {
                *seconds.entry(second).or_default() += 1;
            }
        });
        sink(Batch::Coverage(seconds.into_iter().collect()));
    }

    fn records<L, T>(
        &self,
        request: &CollectRequest,
        sink: &mut Sink<'_>,
        name: &str,
        batch: usize,
        wrap: fn(Vec<T>) -> Batch,
    ) -> Collection
    where
        L: serde::de::DeserializeOwned,
        T: From<L>,
    {
        let Some(path) = lines::find(&self.folder, name) else { return absent(request, name) };
        let mut records: Vec<T> = Vec::with_capacity(batch);
        let mut bytes = 0;
        let outcome = lines::read::<L>(&path, |line, length| {
            records.push(line.into());
            bytes += length;
            if records.len() >= batch || bytes >= BATCH_BYTES_MAX {
                bytes = 0;
                sink(wrap(std::mem::take(&mut records)));
            }
        });
        sink(wrap(records));
        collection(request, &path, &outcome)
    }

    fn topology(&self, request: &CollectRequest, sink: &mut Sink<'_>) -> Collection {
        let path = self.folder.join("topology.json");
        if !path.is_file() {
            return absent(request, "topology.json");
        }
        let size = std::fs::metadata(&path).map_or(0, |m| m.len());
        let parsed = if size > TOPOLOGY_BYTES_MAX {
            Err(format!("is {size} bytes long; at most {TOPOLOGY_BYTES_MAX} are read"))
        } else {
            std::fs::read_to_string(&path).map_err(|e| format!("cannot be read: {e}")).and_then(|text| {
                let mut json = serde_json::Deserializer::from_str(&text);
                serde_path_to_error::deserialize::<_, TopologyFile>(&mut json)
                    .map_err(|e| format!("field `{}`: {}", e.path(), e.inner()))
            })
        };
        match parsed {
            Ok(file) => {
                let (resources, edges) = file.resolve();
                let records = u64::try_from(resources.len() + edges.len()).unwrap_or(u64::MAX);
                sink(Batch::Topology { resources, edges });
                Collection { records, requests: 1, bytes: size, ..Collection::default() }
            }
            Err(what) => {
                let gaps = vec![gap(request, GapReason::Malformed, "topology.json", &what, 0)];
                Collection { requests: 1, bytes: size, gaps, ..Collection::default() }
            }
        }
    }
}

impl Evidence for BundleCollector {
    fn of(&self, _: &Alarm, _: Option<&Resource>) -> Arc<dyn Collector> {
        Arc::new(self.clone())
    }
}

impl Collector for BundleCollector {
    fn collect<'a>(
        &'a self,
        request: &'a CollectRequest,
        sink: &'a mut Sink<'_>,
    ) -> BoxFuture<'a, Result<Collection, PortError>> {
        Box::pin(async move { Ok(self.read(request, sink)) })
    }
}

/// What a source came to that a recording holds in two files: only one of them must be there.
fn both(first: Collection, second: Collection) -> Collection {
    let absent = |g: &Gap| g.reason == GapReason::Absent;
    let gaps = first.gaps.into_iter().chain(second.gaps).filter(|g| !absent(g));
    Collection {
        records: first.records + second.records,
        requests: first.requests + second.requests,
        bytes: first.bytes + second.bytes,
        gaps: gaps.collect(),
        ..Collection::default()
    }
}

fn absent(request: &CollectRequest, name: &str) -> Collection {
    let gaps = vec![gap(request, GapReason::Absent, name, "", 0)];
    Collection { gaps, ..Collection::default() }
}

fn collection(request: &CollectRequest, path: &Path, outcome: &Outcome) -> Collection {
    let file = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let mut gaps = Vec::new();
    if let Some(problem) = &outcome.problem {
        let place = format!("{file} line {}", problem.line);
        let rest = match (problem.fatal, outcome.bad_lines) {
            (true, _) => "; nothing after it was read".to_owned(),
            (false, 0 | 1) => "; the line was left out".to_owned(),
            (false, n) => format!("; it and {} more such lines were left out", n - 1),
        };
        gaps.push(gap(
            request,
            GapReason::Malformed,
            &place,
            &format!("{}{rest}", problem.what),
            outcome.bad_lines,
        ));
    }
    Collection { records: outcome.records, requests: 1, bytes: outcome.bytes, gaps, ..Collection::default() }
}

fn gap(request: &CollectRequest, reason: GapReason, place: &str, detail: &str, lost: u64) -> Gap {
    let (start, end) = (request.window.start.to_string(), request.window.end.to_string());
    let query = Query::new("bundle", "read", [("place", place.to_owned()), ("start", start), ("end", end)]);
    Gap {
        detail: Untrusted::new(detail),
        lost,
        query: Some(query),
        ..Gap::new(request.source, reason, request.window, place)
    }
}
