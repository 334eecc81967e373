//! What may be deleted: investigations that ended long ago, and only as they were exported.

use tantei_engine::model::time::Timestamp;

use super::error::{StoreError, unavailable};
use super::{Store, in_transaction, on};

impl Store {
    /// Investigations that ended before this time, oldest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn ended_before(&self, time: Timestamp, limit: i64) -> Result<Vec<String>, StoreError> {
        const READ: &str = "SELECT id FROM investigation WHERE status = 'ended' AND ended_at < $1 \
             ORDER BY ended_at, id LIMIT $2";
        on!(self, pool => sqlx::query_scalar(READ).bind(time.micros()).bind(limit).fetch_all(pool).await)
            .map_err(unavailable("read ended"))
    }

    /// Deletes an investigation that is still ended and has not grown since it was exported: `hash` is the last one of
    /// the export. Whether it did.
    ///
    /// # Errors
    /// When the database cannot be reached: then nothing is deleted.
    pub async fn delete_exported(&self, id: &str, hash: &str) -> Result<bool, StoreError> {
        const CHECK: &str =
            "SELECT id FROM investigation WHERE id = $1 AND last_hash = $2 AND status = 'ended'";
        // Nobody appends between the look and the end.
        const CHECK_LOCKED: &str =
            "SELECT id FROM investigation WHERE id = $1 AND last_hash = $2 AND status = 'ended' FOR UPDATE";
        const ITEMS: &str = "DELETE FROM item WHERE investigation = $1";
        const INVESTIGATION: &str = "DELETE FROM investigation WHERE id = $1";
        let check = if self.shared() { CHECK_LOCKED } else { CHECK };
        let failed = unavailable("delete");
        let deleted = in_transaction!(self, "delete", tx => {
            let as_exported: Option<String> = sqlx::query_scalar(check)
                .bind(id)
                .bind(hash)
                .fetch_optional(&mut *tx)
                .await
                .map_err(&failed)?;
            if as_exported.is_some() {
                sqlx::query(ITEMS).bind(id).execute(&mut *tx).await.map_err(&failed)?;
                sqlx::query(INVESTIGATION).bind(id).execute(&mut *tx).await.map_err(&failed)?;
            }
            as_exported.is_some()
        });
        Ok(deleted)
    }
}
