//! The work loop: claims an investigation on which there is work, drives it until it waits, gives it back.
//!
//! The lease is kept while the work goes on; when it is lost, the store refuses what comes late and the work stops.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tantei_engine::investigation::{State, due};
use tantei_engine::model::feed::{Body, FeedItem};
use tantei_engine::model::query::Source;
use tantei_engine::model::time::Timestamp;
use tantei_engine::triage::Command;

use super::Service;
use super::triage::triage_id;
use crate::driver::{Driver, Ports};
use crate::ports::{BoxFuture, Journal, JournalError, Observer};
use crate::store::{Lease, Store, StoreError, StoreErrorKind};

/// How long a claimed investigation is held without being renewed: a node that dies is replaced after it.
const HELD: Duration = Duration::from_secs(15);

/// How often it is renewed: two may fail.
const RENEW: Duration = Duration::from_secs(5);

/// How often work is looked for when nobody says that there is some: what is due by time, what another node left.
const PAUSE: Duration = Duration::from_secs(1);

/// Seconds until work that failed is tried again.
const AGAIN_S: i64 = 10;

impl Service {
    pub(super) async fn work_loop(self, worker: usize) {
        let owner = format!("{}/{worker}", self.inner.node);
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
        let outcome = tokio::select! {
            outcome = self.drive(&lease) => outcome,
            lost = self.keep_lease(&lease) => Err(lost.into()),
        };
        let (seen, next_at) = match &outcome {
            Ok((seen, next_at)) => (*seen, *next_at),
            Err(_) => (0, Some(self.inner.clock.now().plus_secs(AGAIN_S))),
        };
        match (self.inner.store.release(&lease, seen, next_at).await, outcome) {
            (_, Err(error)) => Err(error),
            (released, Ok(_)) => released.context("it cannot be given back"),
        }
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
        let ports = Ports {
            collector: inner.evidence.of(&opened.alarm, resource),
            clock: Arc::clone(&inner.clock),
            journal: Some(Arc::new(journal)),
            approver: None,
            automation: None,
        };
        let mut driver = Driver::resume(ports, inner.settings.clone(), feed)?;
        driver.go_on(&mut Nobody).await?;
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
