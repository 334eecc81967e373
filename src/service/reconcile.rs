//! The reconciler: at start and every few minutes it asks CloudWatch for changes of alarms and stores them like
//! deliveries. What came by another way as well collapses to one change; what was missed is found.

use std::time::Duration;

use anyhow::Result;
use tantei_engine::intake::Shape;

use super::Service;

/// How often it asks.
const PAUSE: Duration = Duration::from_secs(180);

/// The lease of the node that asks.
const ROLE: &str = "reconciler";

/// How long it is held without being renewed: a node that dies is replaced after it.
const HELD: Duration = Duration::from_secs(30);

/// How often it is renewed: two may fail.
const RENEW: Duration = Duration::from_secs(10);

/// Seconds that the first look goes back: CloudWatch keeps the history of alarms for longer, but nobody investigates what is
/// older without being asked.
const FIRST_LOOK_S: i64 = 86_400;

/// Seconds that looks overlap: changes are told late.
const OVERLAP_S: i64 = 600;

impl Service {
    pub(super) async fn reconcile_loop(self) {
        if self.inner.states.is_none() {
            return;
        }
        loop {
            if let Err(error) = self.reconcile().await {
                tracing::warn!(error = format!("{error:#}"), "alarms could not be reconciled; trying again");
            }
            // The role stays with this node while it waits; when it was lost, another asks at once.
            drop(tokio::time::timeout(PAUSE, self.keep_role()).await);
        }
    }

    /// Holds the role, or waits for it: ends when this node gets it from another.
    async fn keep_role(&self) {
        let mut held = true;
        loop {
            tokio::time::sleep(RENEW).await;
            let claimed = self.inner.store.claim_role(ROLE, &self.inner.node, HELD).await;
            // A store that does not answer gives the role to nobody.
            let Ok(claimed) = claimed else { continue };
            if claimed.is_some() && !held {
                return;
            }
            held = claimed.is_some();
        }
    }

    /// Asks once; how many changes were new.
    ///
    /// # Errors
    /// When CloudWatch or the store cannot be reached: then the same is asked again.
    pub async fn reconcile(&self) -> Result<usize> {
        let inner = &self.inner;
        let Some(states) = &inner.states else { return Ok(0) };
        if inner.store.claim_role(ROLE, &inner.node, HELD).await?.is_none() {
            return Ok(0);
        }
        let now = inner.clock.now();
        let since = match inner.store.last_received("reconciler").await? {
            Some(last) => last.plus_secs(-OVERLAP_S).max(now.plus_secs(-FIRST_LOOK_S)),
            None => now.plus_secs(-FIRST_LOOK_S),
        };
        let mut new = 0;
        // A long listing outlasts the lease unless somebody renews it.
        let changes = tokio::select! {
            changes = states.changes(since) => changes?,
            () = self.keep_role() => Vec::new(),
        };
        for event in changes {
            let received = self.keep(Shape::Alarm(Box::new(event)), "reconciler").await?;
            new += usize::from(received == super::Received::Stored);
        }
        if new > 0 {
            tracing::info!(new, "changes of alarms were found by asking");
        }
        Ok(new)
    }
}
