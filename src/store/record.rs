//! The record of triage, kept bounded: a snapshot of its state, and what may go after it was exported.
//!
//! Decisions go only when a later snapshot holds what they led to; deliveries only when they were decided about.

use tantei_engine::model::time::Timestamp;

use super::error::{StoreError, StoreErrorKind, unavailable};
use super::{Delivery, Store, in_transaction, on};

/// Of what the snapshot is.
const TRIAGE: &str = "triage";

/// Of JSON that repeats itself: more packs little better and takes much longer.
const ZSTD_LEVEL: i32 = 3;

/// A delivery that was decided about or put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The delivery.
    pub delivery: Delivery,
    /// `done` or `quarantined`.
    pub state: String,
    /// What became of it.
    pub outcome: String,
}

type KeptRow = (String, String, String, i64, String, String, String);

impl Store {
    /// Keeps a snapshot of triage's state after a decision, unless a later one is kept.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn keep_snapshot(&self, seq: i64, state: &str) -> Result<(), StoreError> {
        const KEEP: &str = "INSERT INTO snapshot (name, seq, taken_at, body) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, taken_at = excluded.taken_at, \
             body = excluded.body WHERE snapshot.seq < excluded.seq";
        let packed = zstd::encode_all(state.as_bytes(), ZSTD_LEVEL)
            .map_err(|e| StoreError::invalid("keep snapshot", format!("it cannot be packed: {e}")))?;
        let now = self.now().await?.micros();
        on!(self, pool => sqlx::query(KEEP)
            .bind(TRIAGE)
            .bind(seq)
            .bind(now)
            .bind(packed)
            .execute(pool)
            .await
            .map(drop))
        .map_err(unavailable("keep snapshot"))
    }

    /// The last snapshot of triage's state, with the decision after which it was taken.
    ///
    /// # Errors
    /// When the database cannot be reached, or it cannot be read.
    pub async fn snapshot(&self) -> Result<Option<(i64, String)>, StoreError> {
        const READ: &str = "SELECT seq, body FROM snapshot WHERE name = $1";
        let row: Option<(i64, Vec<u8>)> =
            on!(self, pool => sqlx::query_as(READ).bind(TRIAGE).fetch_optional(pool).await)
                .map_err(unavailable("read snapshot"))?;
        let Some((seq, packed)) = row else { return Ok(None) };
        let damaged = |e: &dyn std::fmt::Display| {
            let message = format!("the snapshot of triage cannot be read ({e}); restore it from a backup");
            StoreError::new("read snapshot", StoreErrorKind::Damaged, message)
        };
        let state = zstd::decode_all(packed.as_slice()).map_err(|e| damaged(&e))?;
        Ok(Some((seq, String::from_utf8(state).map_err(|e| damaged(&e))?)))
    }

    /// Decisions of before this time that the snapshot holds, oldest first.
    ///
    /// The decision of the snapshot itself is none of them: who reads on behind it sees whether it missed something.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn old_decisions(
        &self,
        before: Timestamp,
        limit: i64,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        const READ: &str = "SELECT seq, body FROM decision WHERE decided_at < $1 \
             AND seq < (SELECT seq FROM snapshot WHERE name = $2) ORDER BY seq LIMIT $3";
        on!(self, pool => sqlx::query_as(READ)
            .bind(before.micros())
            .bind(TRIAGE)
            .bind(limit)
            .fetch_all(pool)
            .await)
        .map_err(unavailable("read old decisions"))
    }

    /// Deletes decisions that were exported and that the snapshot holds.
    ///
    /// # Errors
    /// When the database cannot be reached: then none is deleted.
    pub async fn delete_decisions(&self, exported: &[i64]) -> Result<(), StoreError> {
        const DELETE: &str =
            "DELETE FROM decision WHERE seq = $1 AND seq < (SELECT seq FROM snapshot WHERE name = $2)";
        let failed = unavailable("delete decisions");
        in_transaction!(self, "delete decisions", tx => {
            for seq in exported {
                sqlx::query(DELETE).bind(seq).bind(TRIAGE).execute(&mut *tx).await.map_err(&failed)?;
            }
        });
        Ok(())
    }

    /// Deliveries received before this time that do not wait, oldest first, after that one.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn old_deliveries(
        &self,
        before: Timestamp,
        after: Option<&Delivery>,
        limit: i64,
    ) -> Result<Vec<Kept>, StoreError> {
        const READ: &str = "SELECT id, transition, source, received_at, event, state, COALESCE(outcome, '') \
             FROM delivery WHERE state <> 'waiting' AND received_at < $1 \
             AND (received_at > $2 OR (received_at = $2 AND id > $3)) ORDER BY received_at, id LIMIT $4";
        let (at, id) = after.map_or((i64::MIN, ""), |d| (d.received_at.micros(), d.id.as_str()));
        let rows: Vec<KeptRow> = on!(self, pool => sqlx::query_as(READ)
            .bind(before.micros())
            .bind(at)
            .bind(id)
            .bind(limit)
            .fetch_all(pool)
            .await)
        .map_err(unavailable("read old deliveries"))?;
        Ok(rows.into_iter().map(kept).collect())
    }

    /// Deletes deliveries that were exported and do not wait.
    ///
    /// # Errors
    /// When the database cannot be reached: then none is deleted.
    pub async fn delete_deliveries(&self, exported: &[String]) -> Result<(), StoreError> {
        const DELETE: &str = "DELETE FROM delivery WHERE id = $1 AND state <> 'waiting'";
        let failed = unavailable("delete deliveries");
        in_transaction!(self, "delete deliveries", tx => {
            for id in exported {
                sqlx::query(DELETE).bind(id).execute(&mut *tx).await.map_err(&failed)?;
            }
        });
        Ok(())
    }
}

fn kept((id, transition, source, received_at, event, state, outcome): KeptRow) -> Kept {
    let received_at = Timestamp::from_micros(received_at);
    Kept { delivery: Delivery { id, transition, source, received_at, event }, state, outcome }
}
