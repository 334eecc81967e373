//! Retention: what ended long ago is exported, then deleted. Without a folder for exports nothing is deleted.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tantei_engine::model::feed::FeedItem;

use super::Service;

/// How often it is looked for what is old.
const PAUSE: Duration = Duration::from_secs(3_600);

/// The lease of the node that does it.
const ROLE: &str = "retention";

/// Investigations of one round: what is left waits an hour.
const BATCH: i64 = 100;

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
        Ok(deleted)
    }
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
