//! The reconciler: at start and every few minutes it asks CloudWatch, in every account and Region, for changes of alarms
//! and stores them like deliveries. What came by another way as well collapses to one change; what was missed is found.

use std::time::Duration;

use anyhow::Result;
use tantei_engine::intake::Shape;
use tantei_engine::model::time::Timestamp;

use super::Service;
use crate::ports::AlarmStates;

/// How often it asks.
const PAUSE: Duration = Duration::from_secs(180);

/// The lease of the node that asks.
const ROLE: &str = "reconciler";

/// How long it is held without being renewed: a node that dies is replaced after it.
const HELD: Duration = Duration::from_secs(30);

/// How often it is renewed: two may fail.
const RENEW: Duration = Duration::from_secs(10);

/// Seconds that the first look after a start goes back: CloudWatch keeps the history of alarms for longer, but nobody
/// investigates what is older without being asked. How long nobody listened is not known.
const FIRST_LOOK_S: i64 = 86_400;

/// Seconds that looks overlap: changes are told late.
const OVERLAP_S: i64 = 600;

impl Service {
    pub(super) async fn reconcile_loop(self) {
        if self.inner.states.is_empty() {
            return;
        }
        // Up to when each account and Region was asked.
        let mut asked = vec![None; self.inner.states.len()];
        loop {
            // A long listing outlasts the lease unless somebody renews it.
            tokio::select! {
                () = self.reconcile(&mut asked) => {}
                () = self.keep_role() => {}
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

    /// Asks everywhere once. Where that fails, the same is asked again; the others are not affected.
    async fn reconcile(&self, asked: &mut [Option<Timestamp>]) {
        match self.inner.store.claim_role(ROLE, &self.inner.node, HELD).await {
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "alarms are not reconciled now");
                return;
            }
        }
        for (states, asked) in self.inner.states.iter().zip(asked) {
            let now = self.inner.clock.now();
            let since = asked.map_or(now.plus_secs(-FIRST_LOOK_S), |at| at.plus_secs(-OVERLAP_S));
            match self.reconcile_with(states.as_ref(), since).await {
                Ok(new) => {
                    *asked = Some(now);
                    if new > 0 {
                        tracing::info!(new, ?states, "changes of alarms were found by asking");
                    }
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(error, ?states, "alarms could not be reconciled; trying again");
                }
            }
        }
    }

    /// Asks once; how many changes were new.
    async fn reconcile_with(&self, states: &dyn AlarmStates, since: Timestamp) -> Result<usize> {
        let mut new = 0;
        for event in states.changes(since).await? {
            let received = self.keep(Shape::Alarm(Box::new(event)), "reconciler").await?;
            new += usize::from(received == super::Received::Stored);
        }
        Ok(new)
    }
}
