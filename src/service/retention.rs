//! Retention: what ended long ago is exported, then deleted. Without a folder for exports nothing is deleted.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tantei_engine::model::feed::FeedItem;
use tantei_engine::model::time::Timestamp;

use super::Service;
use crate::access;
use crate::store::{Delivery, Kept};

/// How often it is looked for what is old.
const PAUSE: Duration = Duration::from_secs(3_600);

/// The lease of the node that does it.
const ROLE: &str = "retention";

/// Investigations of one round: what is left waits an hour.
const BATCH: i64 = 100;

/// Decisions or deliveries exported into one file and deleted in one transaction.
const PRUNED: i64 = 5_000;

/// Seconds of a day.
const DAY_S: i64 = 86_400;

impl Service {
    pub(super) async fn retention_loop(self) {
        loop {
            match self.retain().await {
                Ok(0) => {}
                Ok(deleted) => tracing::info!(deleted, "investigations were exported and deleted"),
                Err(error) => tracing::warn!(error = format!("{error:#}"), "retention failed; trying again"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Exports and deletes what is old; how many.
    ///
    /// # Errors
    /// When the store cannot be reached or an export cannot be written; then what was not exported stays.
    pub async fn retain(&self) -> Result<usize> {
        let inner = &self.inner;
        let Some(folder) = &inner.config.retention.export else { return Ok(0) };
        if inner.store.claim_role(ROLE, &inner.node, 2 * PAUSE).await?.is_none() {
            return Ok(0);
        }
        let before = inner.clock.now().plus_secs(-i64::from(inner.config.retention.days) * DAY_S);
        let mut deleted = 0;
        for id in inner.store.ended_before(before, BATCH).await? {
            let feed = inner.store.feed(&id, 0).await?;
            let Some(last) = feed.last() else { continue };
            export(folder, &id, &feed)?;
            deleted += usize::from(inner.store.delete_exported(&id, &last.hash).await?);
        }
        self.prune(folder, before).await?;
        Ok(deleted)
    }

    /// Exports and deletes decisions that a snapshot holds, and deliveries that were decided about. What members of open
    /// investigations were told by stays.
    async fn prune(&self, folder: &Path, before: Timestamp) -> Result<()> {
        let inner = &self.inner;
        inner.read_record().await?;
        inner.keep_snapshot().await?;
        loop {
            let old = inner.store.old_decisions(before, PRUNED).await?;
            let (Some((first, _)), Some((last, _))) = (old.first(), old.last()) else { break };
            let name = format!("decisions-{first:012}-{last:012}.jsonl");
            write_lines(folder, &name, old.iter().map(|(_, body)| body.clone()))?;
            let seqs: Vec<i64> = old.iter().map(|(seq, _)| *seq).collect();
            inner.store.delete_decisions(&seqs).await?;
        }
        let needed: BTreeSet<String> = {
            let triage = inner.triage.read().await;
            let open = triage.investigations().values().filter(|i| i.closed.is_none());
            let members = open.flat_map(|i| &i.alarms).filter_map(|key| triage.alarms().get(key));
            // What a silence holds back may still open one.
            let held = triage.alarms().values().filter(|m| m.held.is_some());
            members.chain(held).map(|m| m.last.delivery.clone()).collect()
        };
        let mut after: Option<Delivery> = None;
        loop {
            let old = inner.store.old_deliveries(before, after.as_ref(), PRUNED).await?;
            let Some(last) = old.last() else { return Ok(()) };
            after = Some(last.delivery.clone());
            let gone: Vec<&Kept> = old.iter().filter(|k| !needed.contains(&k.delivery.id)).collect();
            let Some(first) = gone.first() else { continue };
            // Named by what is in it: done again after a crash, it is the same file.
            let name =
                format!("deliveries-{:020}-{}.jsonl", first.delivery.received_at.micros(), short(first));
            write_lines(folder, &name, gone.iter().map(|k| line(k)))?;
            let ids: Vec<String> = gone.iter().map(|k| k.delivery.id.clone()).collect();
            inner.store.delete_deliveries(&ids).await?;
        }
    }
}

/// The beginning of a hash of a delivery's name: senders choose names, and files have their own rules for them.
fn short(kept: &Kept) -> String {
    access::hash(&kept.delivery.id).chars().take(8).collect()
}

/// A delivery as it is exported.
fn line(kept: &Kept) -> String {
    let d = &kept.delivery;
    serde_json::json!({
        "id": d.id, "transition": d.transition, "source": d.source, "received_at": d.received_at,
        "state": kept.state, "outcome": kept.outcome, "event": d.event,
    })
    .to_string()
}

/// Writes lines into a file: whole and on disk, or not at all.
fn write_lines(folder: &Path, name: &str, lines: impl Iterator<Item = String>) -> Result<()> {
    let file = folder.join(name);
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        for line in lines {
            writeln!(draft, "{line}")?;
        }
        draft.flush()?;
        draft.as_file().sync_all()?;
        draft.persist(&file)?;
        Ok(())
    };
    write().with_context(|| format!("retention.export: {} cannot be written", file.display()))
}

/// Writes a feed as `tantei audit verify` reads it: whole and on disk, or not at all.
fn export(folder: &Path, id: &str, feed: &[FeedItem]) -> Result<()> {
    let file = folder.join(format!("{id}.json"));
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut draft, feed)?;
        draft.flush()?;
        draft.as_file().sync_all()?;
        draft.persist(&file)?;
        Ok(())
    };
    write().with_context(|| format!("retention.export: {} cannot be written", file.display()))
}
