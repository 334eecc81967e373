//! The work loop: claims an investigation on which there is work, drives it until it waits, gives it back.
//!
//! The lease is kept while the work goes on; when it is lost, the store refuses what comes late and the work stops.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tantei_engine::investigation::{State, due};
use tantei_engine::model::feed::{Body, FeedItem, canonical_digest};
use tantei_engine::model::query::Source;
use tantei_engine::model::resource::{EdgeKind, Resource, ResourceId};
use tantei_engine::model::time::Timestamp;
use tantei_engine::triage::{Command, Link, Node, Scope};
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::sent::{Beside, StoredChanges};
use super::triage::triage_id;
use super::{Event, Service};
use crate::aws::evidence::{ACCOUNT, REGION};
use crate::driver::{Driver, Ports};
use crate::ports::{BoxFuture, Journal, JournalError, Observer};
use crate::store::{Lease, Store, StoreError, StoreErrorKind};
use crate::telemetry::SPANS;

/// How long a claimed investigation is held without being renewed: a node that dies is replaced after it.
const HELD: Duration = Duration::from_secs(15);

/// How often it is renewed: two may fail.
const RENEW: Duration = Duration::from_secs(5);

/// How often work is looked for when nobody says that there is some: what is due by time, what another node left.
const PAUSE: Duration = Duration::from_secs(1);

/// Seconds until work that failed is tried again; twice as long after each further failure.
const AGAIN_S: i64 = 10;

/// How often that is doubled: every ten minutes is often enough for what may never work.
const AGAIN_DOUBLED_MAX: u32 = 6;

/// Links that one investigation tells triage at once: more than a service map that people can draw.
const LINKS_MAX: usize = 500;

/// Failures in a row after which others get the place: a store or a source that is away for a moment fails less often.
const FAILURES_MAX: u32 = 5;

impl Service {
    pub(super) async fn work_loop(self, worker: usize) {
        let owner = self.inner.worker(worker);
        loop {
            match self.inner.store.claim(&owner, HELD).await {
                Ok(Some(lease)) => {
                    let investigation = lease.what.clone();
                    if let Err(error) = self.work(lease).await {
                        tracing::warn!(
                            investigation,
                            error = format!("{error:#}"),
                            "work was given up for now"
                        );
                    }
                }
                Ok(None) => drop(tokio::time::timeout(PAUSE, self.inner.work.notified()).await),
                Err(error) => {
                    tracing::warn!(%error, "no work can be claimed");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Works on one investigation while its lease holds.
    async fn work(&self, lease: Lease) -> Result<()> {
        // A task of its own: what breaks it does not break the worker, and who ends the worker ends it.
        let mut task = JoinSet::new();
        let (service, held) = (self.clone(), lease.clone());
        let span = tracing::info_span!(
            target: SPANS,
            "investigation",
            otel.name = "investigate",
            tantei.investigation = lease.what,
            otel.status_code = tracing::field::Empty,
        );
        task.spawn(async move { service.drive(&held).await }.instrument(span.clone()));
        let outcome = tokio::select! {
            done = task.join_next() => match done {
                Some(Ok(outcome)) => outcome,
                Some(Err(_)) | None => Err(anyhow::anyhow!("the work broke off: a fault of Tantei")),
            },
            lost = self.keep_lease(&lease) => Err(lost.into()),
        };
        if outcome.is_err() {
            span.record("otel.status_code", "ERROR");
            metrics::counter!("tantei_work_failures_total").increment(1);
        }
        let (seen, next_at) = match &outcome {
            Ok((seen, next_at)) => {
                self.inner.failures.lock().await.remove(&lease.what);
                (*seen, *next_at)
            }
            // Whatever was appended: it is not tried again at once.
            Err(_) => (u64::MAX, Some(self.failed(&lease).await)),
        };
        match (self.inner.store.release(&lease, seen, next_at).await, outcome) {
            (_, Err(error)) => Err(error),
            (released, Ok(_)) => released.context("it cannot be given back"),
        }
    }

    /// Counts a failure; when to try again, by the clock that decides what is due. What fails again and again gives its
    /// place among the deep ones to others, and is tried now and then.
    pub(super) async fn failed(&self, lease: &Lease) -> Timestamp {
        let failures = {
            let mut failures = self.inner.failures.lock().await;
            let count = failures.entry(lease.what.clone()).or_default();
            *count = count.saturating_add(1);
            *count
        };
        if let (FAILURES_MAX, Some(investigation)) = (failures, triage_id(&lease.what)) {
            tracing::error!(investigation = lease.what, failures, "work fails again and again");
            if let Err(error) = self.ask_triage(Command::Finish { investigation }).await {
                tracing::warn!(error = format!("{error:#}"), "its place cannot be given to others now");
            }
        }
        let now = self.inner.store.now().await.unwrap_or_else(|_| self.inner.clock.now());
        now.plus_secs(AGAIN_S << failures.saturating_sub(1).min(AGAIN_DOUBLED_MAX))
    }

    /// Renews the lease; returns when it is lost.
    async fn keep_lease(&self, lease: &Lease) -> StoreError {
        loop {
            tokio::time::sleep(RENEW).await;
            match self.inner.store.renew(lease, HELD).await {
                Ok(()) => {}
                Err(error) if error.kind == StoreErrorKind::Fenced => return error,
                // The lease may still hold when the store answers again; if not, it refuses what is written.
                Err(error) => tracing::warn!(%error, "a lease could not be renewed"),
            }
        }
    }

    /// Drives it until it waits; the last sequence number and when there is work again.
    async fn drive(&self, lease: &Lease) -> Result<(u64, Option<Timestamp>)> {
        let inner = &self.inner;
        let feed = inner.store.feed(&lease.what, 0).await?;
        let journal = StoreJournal { store: inner.store.clone(), lease: lease.clone() };
        let opened = feed.iter().find_map(|i| if let Body::Opened(o) = &i.body { Some(o) } else { None });
        let opened = opened.context("the feed does not begin with an opening")?;
        let described =
            feed.iter().find_map(|i| if let Body::Topology(t) = &i.body { Some(t) } else { None });
        let resource = described.and_then(|t| t.resources.first());
        let place = place(resource);
        let (account, region) = place.clone().map(|p| (p.account, p.region)).unwrap_or_default();
        let sent = StoredChanges::new(inner.store.clone(), account, region);
        let ports = Ports {
            collector: Arc::new(Beside::new(inner.evidence.of(&opened.alarm, resource), Arc::new(sent))),
            clock: Arc::clone(&inner.clock),
            journal: Some(Arc::new(journal)),
            approver: None,
            automation: None,
        };
        let mut driver = Driver::resume(ports, inner.settings.clone(), feed)?;
        driver.go_on(&mut Nobody).await?;
        if let Some(place) = place {
            self.teach(&lease.what, driver.state(), &place).await?;
        }
        let state = driver.state();
        let next_at = due(state);
        let concluded = state.concluded.is_some() && !state.stale && next_at.is_none();
        if let (true, Some(investigation)) = (concluded, triage_id(&lease.what)) {
            // Its place among the deep ones is free.
            self.ask_triage(Command::Finish { investigation }).await?;
        }
        Ok((driver.feed().last().map_or(0, |i| i.seq), next_at))
    }
}

impl Service {
    /// Tells triage who uses whom, as far as it does not know: alarms to come are grouped by it. What is told twice, after
    /// a crash, has the same name and is stored once.
    async fn teach(&self, investigation: &str, state: &State, place: &Scope) -> Result<()> {
        let node = |id: &ResourceId| Node::resource(place.clone(), id.clone());
        // Who hands work over does not suffer from who takes it.
        let used = state.edges.iter().filter(|e| e.kind != EdgeKind::Async);
        let mut links: Vec<Link> =
            used.map(|e| Link { caller: node(&e.from), callee: node(&e.to) }).collect();
        let triage = self.inner.triage.read().await;
        links.retain(|link| !triage.knows(link));
        drop(triage);
        links.truncate(LINKS_MAX);
        if links.is_empty() {
            return Ok(());
        }
        let id = format!("learn_{investigation}_{}", canonical_digest(&links));
        let event = Event::Command(Command::Learn { links });
        self.put(id.clone(), id, "command", &event).await.context("the topology cannot be kept")?;
        Ok(())
    }
}

/// The account and Region of what is investigated, where they are known.
fn place(resource: Option<&Resource>) -> Option<Scope> {
    let attribute = |name: &str| resource.and_then(|r| r.attributes.get(name)).cloned();
    Some(Scope { account: attribute(ACCOUNT)?, region: attribute(REGION)? })
}

/// The feed in the store, written under a lease.
#[derive(Debug)]
struct StoreJournal {
    store: Store,
    lease: Lease,
}

impl Journal for StoreJournal {
    fn append<'a>(&'a self, items: &'a [FeedItem]) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            self.store.append(&self.lease.what, Some(&self.lease), items).await.map_err(journal_error)
        })
    }

    fn after(&self, seq: u64) -> BoxFuture<'_, Result<Vec<FeedItem>, JournalError>> {
        Box::pin(async move { self.store.feed(&self.lease.what, seq).await.map_err(journal_error) })
    }
}

fn journal_error(error: StoreError) -> JournalError {
    match error.kind {
        StoreErrorKind::Conflict => JournalError::Conflict,
        StoreErrorKind::Fenced => JournalError::Fenced,
        StoreErrorKind::Unavailable
        | StoreErrorKind::NotFound
        | StoreErrorKind::Damaged
        | StoreErrorKind::Invalid => JournalError::Unavailable(error.to_string()),
    }
}

/// Readers hear of new items from the store.
struct Nobody;

impl Observer for Nobody {
    fn appended(&mut self, _: &FeedItem, _: &State) {}

    fn progress(&mut self, _: Source, _: u64) {}
}
