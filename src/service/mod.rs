//! What can be asked of a running Tantei: receive, list, read, decide. The one way in for HTTP and the command line.
//!
//! Holds the store, the door for alarms, and what every node knows of triage. Speaks no protocol and renders nothing;
//! the loops that do the work are in `triage` and `work`.

mod bundle;
mod events;
mod investigations;
mod pulse;
mod queue;
mod receive;
mod reconcile;
mod retention;
mod sent;
mod silences;
#[cfg(test)]
mod tests;
mod triage;
mod wish;
mod work;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tantei_engine::redaction::Redactor;
use tantei_engine::triage::{Triage, TriageLimits};
use tokio::sync::{Mutex, Notify, RwLock, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::access::Token;
use crate::aws::sns::Verifier;
use crate::clock::Stopwatch;
use crate::config::{Config, HttpConfig};
use crate::driver::Settings;
use crate::ports::{AlarmStates, Clock, Evidence, Queue};
use crate::redacting::{self, RedactingEvidence};
use crate::store::{Inbox, Store};

pub use crate::store::{Filter, Listed, Pushed, StoreError, StoreErrorKind};
pub use bundle::{Recorded, RecordingJob};
pub use events::{Event, Start, subject_of};
pub use investigations::{DecideError, Detail};
pub use pulse::Pulse;
pub use receive::{ReceiveError, Received, SnsHeaders};
pub use silences::{ListedSilence, Standing, Wanted};
pub use wish::{Wish, WishError};

/// A running Tantei, as one node knows it.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

struct Inner {
    /// Names this node in leases: different after every start.
    node: String,
    config: Config,
    store: Store,
    inbox: Inbox,
    clock: Arc<dyn Clock>,
    evidence: Arc<dyn Evidence>,
    redactor: Arc<Redactor>,
    queue: Option<Arc<dyn Queue>>,
    states: Vec<Arc<dyn AlarmStates>>,
    verifier: Verifier,
    settings: Settings,
    playbooks: String,
    /// What triage decided, as far as this node has read it.
    triage: RwLock<Triage>,
    /// How often work on an investigation failed in a row; only those on which it failed last.
    failures: Mutex<BTreeMap<String, u32>>,
    /// It is told to stop: what has no end of its own ends now.
    stopping: CancellationToken,
    /// How much there was to do when somebody looked last.
    pulse: Mutex<Option<(Stopwatch, Pulse)>>,
    /// One recording at a time: it costs money, and room on the disk.
    recording: Arc<Semaphore>,
    /// Something was received.
    received: Notify,
    /// There may be work on an investigation.
    work: Notify,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("node", &self.inner.node).finish_non_exhaustive()
    }
}

/// What a service is made of.
#[derive(Debug)]
pub struct Parts {
    /// The settings.
    pub config: Config,
    /// Where feeds are kept.
    pub store: Store,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives investigations their collectors.
    pub evidence: Arc<dyn Evidence>,
    /// A queue into which alarms are delivered, when there is one.
    pub queue: Option<Arc<dyn Queue>>,
    /// Where the states of alarms are asked for: every account and Region that can be.
    pub states: Vec<Arc<dyn AlarmStates>>,
    /// Bounds, playbooks, values.
    pub settings: Settings,
}

impl Service {
    /// A service; nothing runs before [`Service::run`].
    ///
    /// # Errors
    /// When a pinned certificate cannot be read.
    pub fn new(parts: Parts) -> Result<Self> {
        let mut pinned = BTreeMap::new();
        for (url, file) in &parts.config.sns.certificates {
            let pem = std::fs::read_to_string(file)
                .with_context(|| format!("sns.certificates: {} cannot be read", file.display()))?;
            pinned.insert(url.clone(), pem);
        }
        let key = parts.config.redaction.key.as_deref();
        if key.is_none() {
            tracing::warn!(
                "no TANTEI_REDACTION_KEY and no redaction.key_file: pseudonyms are other ones on every node and after \
                 every start"
            );
        }
        let redactor = Arc::new(redacting::redactor(key)?);
        let triage = Triage::new(TriageLimits { deep_max: parts.config.triage.deep_max });
        let inner = Inner {
            node: format!("node_{}", uuid::Uuid::now_v7().simple()),
            inbox: Inbox::open(parts.store.clone()),
            verifier: Verifier::new(&pinned)?,
            playbooks: crate::playbooks::digest(&parts.settings.library),
            config: parts.config,
            store: parts.store,
            clock: parts.clock,
            evidence: Arc::new(RedactingEvidence::new(parts.evidence, Arc::clone(&redactor))),
            redactor,
            queue: parts.queue,
            states: parts.states,
            settings: parts.settings,
            triage: RwLock::new(triage),
            failures: Mutex::new(BTreeMap::new()),
            stopping: CancellationToken::new(),
            pulse: Mutex::new(None),
            recording: Arc::new(Semaphore::new(1)),
            received: Notify::new(),
            work: Notify::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Does the work until it is told to stop: triage on one node, investigations on all.
    pub async fn run(&self, stop: CancellationToken) {
        let mut loops = JoinSet::new();
        loops.spawn(kept_up("triage", self.clone(), Self::triage_loop));
        loops.spawn(kept_up("retention", self.clone(), Self::retention_loop));
        loops.spawn(kept_up("queue", self.clone(), Self::queue_loop));
        loops.spawn(kept_up("reconciler", self.clone(), Self::reconcile_loop));
        for k in 0..self.inner.config.triage.deep_max {
            loops.spawn(kept_up("work", self.clone(), move |service| service.work_loop(k)));
        }
        stop.cancelled().await;
        self.inner.stopping.cancel();
        // What computes and cannot be interrupted is fenced off below.
        drop(tokio::time::timeout(ENDING, loops.shutdown()).await);
        self.give_back().await;
    }

    /// Gives up what this node holds, so that another, or this one after a restart, need not wait.
    async fn give_back(&self) {
        let workers = (0..self.inner.config.triage.deep_max).map(|k| self.inner.worker(k));
        for owner in workers.chain([self.inner.node.clone()]) {
            // The leases would end by themselves: nothing depends on this.
            if let Err(error) = self.inner.store.release_all(&owner).await {
                tracing::warn!(%error, "what this node held is free only when its leases end");
                return;
            }
        }
    }

    /// Ends when this node is told to stop.
    pub(crate) async fn stopping(&self) {
        self.inner.stopping.cancelled().await;
    }

    /// Whether alarms can be acknowledged: the store answers, and takes what is written.
    ///
    /// # Errors
    /// Why they cannot.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let store = &self.inner.store;
        if self.inner.inbox.failing() {
            // Whether it is better now, only another write tells: a full disk can still be read.
            store.claim_role(PROBE, &self.inner.node, Duration::ZERO).await?;
        }
        store.now().await.map(drop)
    }

    /// How it may be asked over HTTP.
    pub(crate) fn http_config(&self) -> &HttpConfig {
        &self.inner.config.http
    }

    /// The token with this hash, when it works now.
    ///
    /// # Errors
    /// When the store cannot be reached.
    pub async fn token(&self, hash: &str) -> Result<Option<Token>, StoreError> {
        self.inner.store.token(hash).await
    }
}

impl Inner {
    /// Names a worker of this node in leases.
    fn worker(&self, worker: usize) -> String {
        format!("{}/{worker}", self.node)
    }
}

/// The lease that is written only to see whether something can be written.
const PROBE: &str = "probe";

/// How long the loops may take to end.
const ENDING: Duration = Duration::from_secs(3);

/// How long to wait before a loop that broke begins again.
const BROKEN: Duration = Duration::from_secs(1);

/// Begins a loop again when it breaks: alarms that are acknowledged and that nobody looks at would be worse than none.
async fn kept_up<F, L>(what: &'static str, service: Service, begin: F)
where
    F: Fn(Service) -> L + Send + 'static,
    L: Future<Output = ()> + Send + 'static,
{
    loop {
        let mut task = JoinSet::new();
        task.spawn(begin(service.clone()));
        match task.join_next().await {
            Some(Err(error)) if error.is_panic() => {
                tracing::error!(what, "a loop broke, a fault of Tantei; it begins again");
                tokio::time::sleep(BROKEN).await;
            }
            Some(Ok(()) | Err(_)) | None => return,
        }
    }
}
