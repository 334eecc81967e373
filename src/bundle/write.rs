//! Writes a bundle while telemetry arrives: a compressed file a source, line by line, memory bounded. The folder
//! appears when all is written, or not at all.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
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
use super::written::{ChangeOut, Log, ManifestOut, Metric, SpanOut, TopologyOut, TransitionOut};
use crate::ports::{CollectRequest, Collection, PortError};

/// Bytes of lines of one bundle, before compression: what an investigation of the largest systems reads, several times.
const BUNDLE_BYTES_MAX: u64 = 16 << 30;

/// Level of compression: logs become a tenth, and writing is never slower than reading from AWS.
const LEVEL: i32 = 3;

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
    files: BTreeMap<Source, Encoder>,
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
        match file_of(source) {
            Some(name) => {
                if source == Source::Alarms {
                    self.definitions.clear();
                }
                let file = create(&self.folder()?.join(format!("{name}.zst")))?;
                self.files.insert(source, zstd::Encoder::new(BufWriter::new(file), LEVEL)?);
            }
            None => {
                self.resources.clear();
                self.edges.clear();
            }
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
            Batch::Metrics(series) => self.lines(source, series.iter().map(Metric::from)),
            Batch::Logs(events) => self.lines(source, events.iter().map(Log::from)),
            Batch::Traces(spans) => self.lines(source, spans.iter().map(SpanOut::from)),
            Batch::Changes(changes) => self.lines(source, changes.iter().map(ChangeOut::from)),
            Batch::Alarms(transitions) => self.lines(source, transitions.iter().map(TransitionOut::from)),
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

    fn lines<T: Serialize>(&mut self, source: Source, records: impl Iterator<Item = T>) -> Result<()> {
        let file = self.files.get_mut(&source).context("a source sent records before it began")?;
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
        let Some(encoder) = self.files.remove(&source) else { return Ok(()) };
        let written = encoder.finish().and_then(|buffer| buffer.into_inner().map_err(Into::into));
        written.and_then(|file| file.sync_all()).context("the bundle cannot be written")
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

/// A source's file of lines; the topology is one document.
fn file_of(source: Source) -> Option<&'static str> {
    match source {
        Source::Topology => None,
        Source::Alarms => Some("alarms.jsonl"),
        Source::Metrics => Some("metrics.jsonl"),
        Source::Logs => Some("logs.jsonl"),
        Source::Traces => Some("spans.jsonl"),
        Source::Changes => Some("changes.jsonl"),
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
