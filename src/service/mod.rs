//! What can be asked of a running Tantei: receive, list, read, decide. The one way in for HTTP and the command line.
//!
//! Holds the store, the door for alarms, and what every node knows of triage. Speaks no protocol and renders nothing;
//! the loops that do the work are in `triage` and `work`.

mod events;
mod investigations;
mod queue;
mod receive;
mod reconcile;
mod retention;
mod triage;
mod work;

use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result};
use tantei_engine::triage::{Triage, TriageLimits};
use tokio::sync::{Notify, RwLock};
use tokio_util::sync::CancellationToken;

use crate::access::Token;
use crate::aws::sns::Verifier;
use crate::config::Config;
use crate::driver::Settings;
use crate::ports::{AlarmStates, Clock, Evidence, Queue};
use crate::store::{Inbox, Store};

pub use crate::store::{Filter, Listed, Pushed, StoreError, StoreErrorKind};
pub use events::{Event, Start, subject_of};
pub use investigations::{DecideError, Detail};
pub use receive::{ReceiveError, Received, SnsHeaders};

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
    queue: Option<Arc<dyn Queue>>,
    states: Option<Arc<dyn AlarmStates>>,
    verifier: Verifier,
    settings: Settings,
    playbooks: String,
    /// What triage decided, as far as this node has read it.
    triage: RwLock<Triage>,
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
    /// Where the states of alarms are asked for, when they can be.
    pub states: Option<Arc<dyn AlarmStates>>,
    /// Bounds, playbooks, values.
    pub settings: Settings,
}

impl Service {
    /// A service; nothing runs before [`Service::run`].
    ///
    /// # Errors
    /// When a pinned certificate cannot be read.
    pub fn new(parts: Parts) -> Result<Self> {
        let mut pinned = std::collections::BTreeMap::new();
        for (url, file) in &parts.config.sns.certificates {
            let pem = std::fs::read_to_string(file)
                .with_context(|| format!("sns.certificates: {} cannot be read", file.display()))?;
            pinned.insert(url.clone(), pem);
        }
        let triage = Triage::new(TriageLimits { deep_max: parts.config.triage.deep_max });
        let inner = Inner {
            node: format!("node_{}", uuid::Uuid::now_v7().simple()),
            inbox: Inbox::open(parts.store.clone()),
            verifier: Verifier::new(&pinned)?,
            playbooks: crate::playbooks::digest(&parts.settings.library),
            config: parts.config,
            store: parts.store,
            clock: parts.clock,
            evidence: parts.evidence,
            queue: parts.queue,
            states: parts.states,
            settings: parts.settings,
            triage: RwLock::new(triage),
            received: Notify::new(),
            work: Notify::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Does the work until it is told to stop: triage on one node, investigations on all.
    pub async fn run(&self, stop: CancellationToken) {
        let triage = tokio::spawn(self.clone().triage_loop());
        let retention = tokio::spawn(self.clone().retention_loop());
        let queue = tokio::spawn(self.clone().queue_loop());
        let reconciler = tokio::spawn(self.clone().reconcile_loop());
        let mut workers = Vec::new();
        for k in 0..self.inner.config.triage.deep_max {
            workers.push(tokio::spawn(self.clone().work_loop(k)));
        }
        stop.cancelled().await;
        triage.abort();
        retention.abort();
        queue.abort();
        reconciler.abort();
        workers.iter().for_each(tokio::task::JoinHandle::abort);
        self.give_back().await;
    }

    /// Whether the store answers: then alarms can be acknowledged.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.inner.store.now().await.map(drop)
    }

    /// The token with this hash, when it works now.
    ///
    /// # Errors
    /// When the store cannot be reached.
    pub async fn token(&self, hash: &str) -> Result<Option<Token>, StoreError> {
        self.inner.store.token(hash).await
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }
}
