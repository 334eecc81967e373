//! Writes a bundle while telemetry arrives: a compressed file a source, line by line, memory bounded. The folder
//! appears when all is written, or not at all.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tantei_engine::model::alarm::Alarm;
use tantei_engine::model::alarm_health::AlarmDefinition;
use tantei_engine::model::feed::FeedItem;
use tantei_engine::model::gap::{Gap, GapReason};
use tantei_engine::model::query::Source;
use tantei_engine::model::resource::{Edge, Resource, ResourceId};
use tantei_engine::model::telemetry::Batch;
use tantei_engine::model::time::Timestamp;

use super::lines::LINE_BYTES_MAX;
use super::recorded::{self, Recorded, RecordedSource};
use super::staging::Staging;
use super::written::{
    ChangeOut, LinkOut, Log, ManifestOut, Metric, SpanOut, Tally, TopologyOut, TransitionOut,
};
use crate::ports::{CollectRequest, Collection, PortError};

/// Bytes of lines of one bundle, before compression: what an investigation of the largest systems reads, several times.
const BUNDLE_BYTES_MAX: u64 = 16 << 30;

/// Level of compression: logs become a tenth, and writing is never slower than reading from AWS.
const LEVEL: i32 = 3;

const ALARMS: &str = "alarms.jsonl";
const CHANGES: &str = "changes.jsonl";
const LINKS: &str = "links.jsonl";
const LOGS: &str = "logs.jsonl";
const METRICS: &str = "metrics.jsonl";
const SPANS: &str = "spans.jsonl";
const TALLIES: &str = "log-tallies.jsonl";

type Encoder = zstd::Encoder<'static, BufWriter<File>>;

/// What a bundle says of itself.
#[derive(Debug)]
pub struct About<'a> {
    /// The investigation.
    pub id: &'a str,
    /// Where the telemetry comes from.
    pub origin: &'a str,
    /// What was known of resources before anything was read.
    pub known: &'a [Resource],
    /// When its telemetry was read.
    pub at: Timestamp,
    /// The feed to put beside it.
    pub feed: &'a [FeedItem],
}

/// A bundle being written.
pub struct BundleWriter(Mutex<Inner>);

struct Inner {
    staging: Option<Staging>,
    files: BTreeMap<&'static str, Encoder>,
    sources: BTreeMap<Source, RecordedSource>,
    resources: BTreeMap<ResourceId, Resource>,
    edges: Vec<Edge>,
    definitions: Vec<AlarmDefinition>,
    alarm: Option<Alarm>,
    bytes: u64,
    failure: Option<anyhow::Error>,
}

impl fmt::Debug for BundleWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BundleWriter").finish_non_exhaustive()
    }
}

impl BundleWriter {
    /// Begins a bundle that will stand at `target`.
    ///
    /// # Errors
    /// When there is something already, or nothing can be written there.
    pub fn create(target: &Path) -> Result<Self> {
        Ok(Self(Mutex::new(Inner {
            staging: Some(Staging::begin(target)?),
            files: BTreeMap::new(),
            sources: BTreeMap::new(),
            resources: BTreeMap::new(),
            edges: Vec::new(),
            definitions: Vec::new(),
            alarm: None,
            bytes: 0,
            failure: None,
        })))
    }

    /// A source begins. What an earlier round read of it is replaced.
    pub(super) fn begin(&self, request: &CollectRequest) {
        self.attempt(|inner| inner.begin(request));
    }

    /// Writes a batch. A failure is kept for [`Self::finish`]: the investigation goes on.
    pub(super) fn write(&self, source: Source, batch: &Batch) {
        self.attempt(|inner| inner.write(source, batch));
    }

    /// A source has ended.
    pub(super) fn end(&self, request: &CollectRequest, outcome: &Result<Collection, PortError>) {
        self.attempt(|inner| {
            let source = inner.sources.entry(request.source).or_default();
            match outcome {
                Ok(collection) => {
                    source.requests = collection.requests;
                    source.gaps.extend(collection.gaps.iter().cloned());
                }
                Err(e) => source.gaps.push(e.gap(request.source, request.window)),
            }
            inner.close(request.source)
        });
    }

    /// Puts the bundle in its place.
    ///
    /// # Errors
    /// When something could not be written, at whatever time, or nothing was read.
    pub fn finish(&self, about: &About<'_>) -> Result<()> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match inner.failure.take() {
            Some(failure) => Err(failure),
            None => inner.finish(about),
        }
    }

    fn attempt(&self, work: impl FnOnce(&mut Inner) -> Result<()>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.failure.is_none() {
            inner.failure = work(&mut inner).err();
        }
    }
}

impl Inner {
    fn folder(&self) -> Result<&Path> {
        self.staging.as_ref().map(Staging::path).context("the bundle is finished already")
    }

    fn begin(&mut self, request: &CollectRequest) -> Result<()> {
        let source = request.source;
        self.sources.insert(source, RecordedSource::default());
        let alarm =
            Alarm { window: request.window, baseline: request.baseline.clone(), ..request.alarm.clone() };
        self.alarm = Some(alarm);
        if source == Source::Alarms {
            self.definitions.clear();
        }
        if source == Source::Topology {
            self.resources.clear();
            self.edges.clear();
        }
        for name in files_of(source) {
            self.files.remove(name);
            match std::fs::remove_file(self.path_of(name)?) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
                Err(_) | Ok(()) => {}
            }
        }
        // A source without a record has a file without a line: it was read.
        if let Some(name) = files_of(source).first() {
            self.open(name)?;
        }
        Ok(())
    }

    fn write(&mut self, source: Source, batch: &Batch) -> Result<()> {
        match batch {
            Batch::Topology { resources, edges } => {
                self.resources.extend(resources.iter().map(|r| (r.id.clone(), r.clone())));
                self.edges.extend(edges.iter().cloned());
                self.sources.entry(source).or_default().records += batch.records();
                Ok(())
            }
            Batch::Metrics(series) => self.lines(source, METRICS, series.iter().map(Metric::from)),
            Batch::Logs(events) => self.lines(source, LOGS, events.iter().map(Log::from)),
            Batch::Tallies(tallies) => self.lines(source, TALLIES, tallies.iter().map(Tally::from)),
            Batch::Traces(spans) => self.lines(source, SPANS, spans.iter().map(SpanOut::from)),
            Batch::Links(sums) => self.lines(source, LINKS, sums.iter().map(LinkOut::from)),
            Batch::Changes(changes) => self.lines(source, CHANGES, changes.iter().map(ChangeOut::from)),
            Batch::Alarms(all) => self.lines(source, ALARMS, all.iter().map(TransitionOut::from)),
            Batch::Definitions(definitions) => {
                self.definitions.extend_from_slice(definitions);
                Ok(())
            }
            Batch::Coverage(_) => {
                self.sources.entry(source).or_default().foreign_clock = true;
                Ok(())
            }
        }
    }

    fn path_of(&self, name: &str) -> Result<PathBuf> {
        Ok(self.folder()?.join(format!("{name}.zst")))
    }

    /// Makes a file of lines, unless it is there.
    fn open(&mut self, name: &'static str) -> Result<()> {
        if !self.files.contains_key(name) {
            let file = create(&self.path_of(name)?)?;
            self.files.insert(name, zstd::Encoder::new(BufWriter::new(file), LEVEL)?);
        }
        Ok(())
    }

    fn lines<T: Serialize>(
        &mut self,
        source: Source,
        name: &'static str,
        records: impl Iterator<Item = T>,
    ) -> Result<()> {
        self.open(name)?;
        let file = self.files.get_mut(name).context("a file was closed before its end")?;
        let recorded = self.sources.entry(source).or_default();
        for record in records {
            let mut line = serde_json::to_vec(&record)?;
            line.push(b'\n');
            if line.len() >= LINE_BYTES_MAX {
                too_long(source, recorded, self.alarm.as_ref());
                continue;
            }
            self.bytes = self.bytes.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
            if self.bytes > BUNDLE_BYTES_MAX {
                bail!("the incident holds more than {} GB of telemetry", BUNDLE_BYTES_MAX >> 30);
            }
            file.write_all(&line).context("the bundle cannot be written")?;
            recorded.records += 1;
        }
        Ok(())
    }

    fn close(&mut self, source: Source) -> Result<()> {
        for name in files_of(source) {
            let Some(encoder) = self.files.remove(name) else { continue };
            let written = encoder.finish().and_then(|buffer| buffer.into_inner().map_err(Into::into));
            written.and_then(|file| file.sync_all()).context("the bundle cannot be written")?;
        }
        Ok(())
    }

    fn finish(&mut self, about: &About<'_>) -> Result<()> {
        let alarm = self.alarm.take().context("nothing was read: there is nothing to record")?;
        for source in Source::ALL {
            self.close(source)?;
        }
        let folder = self.folder()?.to_owned();
        // What triage knew of the alarmed resource before X-Ray was asked.
        for known in about.known {
            self.resources.entry(known.id.clone()).or_insert_with(|| known.clone());
        }
        if !self.resources.is_empty() || !self.edges.is_empty() {
            json(&folder, "topology.json", &TopologyOut::new(self.resources.values(), &self.edges))?;
        }
        json(&folder, "incident.json", &ManifestOut::new(about.id, about.origin, &alarm))?;
        let recorded = Recorded {
            format: recorded::FORMAT.to_owned(),
            tantei: env!("CARGO_PKG_VERSION").to_owned(),
            investigation: about.id.to_owned(),
            recorded_at: about.at,
            sources: std::mem::take(&mut self.sources),
        };
        json(&folder, recorded::FILE, &recorded)?;
        if !self.definitions.is_empty() {
            lines(&folder, "alarm-definitions.jsonl", &self.definitions)?;
        }
        lines(&folder, "feed.jsonl", about.feed)?;
        self.staging.take().context("the bundle is finished already")?.commit()
    }
}

/// A source's files of lines, the one that is always there first; the topology is one document.
fn files_of(source: Source) -> &'static [&'static str] {
    match source {
        Source::Topology => &[],
        Source::Alarms => &[ALARMS],
        Source::Metrics => &[METRICS],
        Source::Logs => &[LOGS, TALLIES],
        Source::Traces => &[SPANS, LINKS],
        Source::Changes => &[CHANGES],
    }
}

fn too_long(source: Source, recorded: &mut RecordedSource, alarm: Option<&Alarm>) {
    let Some(alarm) = alarm else { return };
    let place = "record";
    match recorded.gaps.iter_mut().find(|g| g.place == place) {
        Some(gap) => gap.lost += 1,
        None => {
            let gap = Gap::new(source, GapReason::Truncated, alarm.window, place);
            recorded.gaps.push(Gap { lost: 1, ..gap });
        }
    }
}

fn create(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("`{}` cannot be written", path.display()))
}

fn lines<T: Serialize>(folder: &Path, name: &str, values: &[T]) -> Result<()> {
    let mut file = BufWriter::new(create(&folder.join(name))?);
    for value in values {
        serde_json::to_writer(&mut file, value)?;
        file.write_all(b"\n")?;
    }
    Ok(file.into_inner().map_err(std::io::Error::from)?.sync_all()?)
}

fn json<T: Serialize>(folder: &Path, name: &str, value: &T) -> Result<()> {
    let mut file = create(&folder.join(name))?;
    let text = serde_json::to_string_pretty(value)? + "\n";
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(|| format!("`{name}`"))
}
