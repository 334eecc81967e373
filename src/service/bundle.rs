//! Bundles of investigations: their telemetry is read again, one investigation at a time, for whoever wants to replay it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use tantei_engine::investigation::State;
use tantei_engine::model::feed::FeedItem;
use tantei_engine::model::query::Source;
use tempfile::TempDir;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinHandle;

use super::{DecideError, Service};
use crate::ports::Observer;
use crate::record::Subject;

/// A recording that goes on. Dropping it ends it, and removes what it wrote.
#[derive(Debug)]
pub struct RecordingJob {
    /// How far it is, in a line.
    pub progress: watch::Receiver<String>,
    work: JoinHandle<Result<Recorded>>,
}

/// A finished recording; gone with this value.
#[derive(Debug)]
pub struct Recorded {
    folder: TempDir,
    /// Others wait until the bundle was sent: it takes room.
    _turn: OwnedSemaphorePermit,
}

impl Recorded {
    /// The bundle.
    #[must_use]
    pub fn bundle(&self) -> PathBuf {
        self.folder.path().join(BUNDLE)
    }
}

impl RecordingJob {
    /// Waits for its end.
    ///
    /// # Errors
    /// When the bundle could not be written.
    pub async fn ended(&mut self) -> Result<Recorded> {
        (&mut self.work).await.context("the recording broke off: a fault of Tantei")?
    }
}

impl Drop for RecordingJob {
    fn drop(&mut self) {
        self.work.abort();
    }
}

/// The folder of the bundle within the temporary one.
const BUNDLE: &str = "bundle";

impl Service {
    /// Begins to record an investigation. It asks AWS again, which costs, so one at a time on each node.
    ///
    /// # Errors
    /// When there is no such investigation, nothing of it could be replayed, or another recording goes on.
    pub async fn record(&self, id: &str) -> Result<RecordingJob, DecideError> {
        let feed = self.feed(id, 0).await?;
        if feed.is_empty() {
            return Err(DecideError::NotFound(format!("there is no investigation `{id}`")));
        }
        let subject = Subject::of_feed(feed).map_err(|e| DecideError::Invalid(format!("{e:#}")))?;
        let busy = "another investigation is being recorded on this node";
        let turn = Arc::clone(&self.inner.recording)
            .try_acquire_owned()
            .map_err(|_| DecideError::Unavailable(busy.to_owned()))?;
        let room = |e| DecideError::Unavailable(format!("no temporary folder can be made: {e}"));
        let folder = tempfile::tempdir().map_err(room)?;
        let (sender, progress) = watch::channel(String::new());
        let service = self.clone();
        let work = tokio::spawn(async move {
            service.read_again(subject, &folder.path().join(BUNDLE), sender).await?;
            Ok(Recorded { folder, _turn: turn })
        });
        Ok(RecordingJob { progress, work })
    }

    async fn read_again(&self, subject: Subject, target: &Path, told: watch::Sender<String>) -> Result<()> {
        let inner = &self.inner;
        let collector = subject.collector(inner.evidence.as_ref());
        let (settings, clock) = (inner.settings.clone(), Arc::clone(&inner.clock));
        subject.record(collector, settings, clock.as_ref(), target, &mut Told(told)).await.map(drop)
    }
}

/// Tells how many records of which source were read.
struct Told(watch::Sender<String>);

impl Observer for Told {
    fn appended(&mut self, _: &FeedItem, _: &State) {}

    fn progress(&mut self, source: Source, records: u64) {
        self.0.send_replace(format!("{} {records}", source.name()));
    }
}
