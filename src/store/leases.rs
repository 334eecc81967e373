//! Who works on what: leases that end by themselves, with a fence that refuses an old owner's late writes.
//!
//! Times are the database's own; nothing but the database coordinates nodes.

use std::time::Duration;

use tantei_engine::model::time::Timestamp;

use super::error::{StoreError, StoreErrorKind, unavailable};
use super::{Store, in_transaction, on};

/// The right to work on something, for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The investigation, or the name of what one node does for all.
    pub what: String,
    /// The node.
    pub owner: String,
    /// Grows with every claim.
    pub fence: i64,
}

impl Store {
    /// Claims the investigation whose work is longest due; `None` when none is.
    ///
    /// From then on `next_at` is 0, which is due, but earlier than any wake: giving back tells them apart.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn claim(&self, owner: &str, lasts: Duration) -> Result<Option<Lease>, StoreError> {
        const LITE: &str = "UPDATE investigation SET lease_owner = $1, lease_until = $2, fence = fence + 1, \
             next_at = 0 \
             WHERE id = (SELECT id FROM investigation WHERE next_at <= $3 AND lease_until <= $3 \
             ORDER BY next_at, id LIMIT 1) RETURNING id, fence";
        const PG: &str = "UPDATE investigation SET lease_owner = $1, lease_until = $2, fence = fence + 1, \
             next_at = 0 \
             WHERE id = (SELECT id FROM investigation WHERE next_at <= $3 AND lease_until <= $3 \
             ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, fence";
        let now = self.now().await?.micros();
        let sql = if self.shared() { PG } else { LITE };
        let row: Option<(String, i64)> = on!(self, pool => sqlx::query_as(sql)
            .bind(owner)
            .bind(now.saturating_add(micros(lasts)))
            .bind(now)
            .fetch_optional(pool)
            .await)
        .map_err(unavailable("claim"))?;
        Ok(row.map(|(what, fence)| Lease { what, owner: owner.to_owned(), fence }))
    }

    /// Keeps a claimed investigation for longer.
    ///
    /// # Errors
    /// `Fenced` when it was claimed by somebody else meanwhile.
    pub async fn renew(&self, lease: &Lease, lasts: Duration) -> Result<(), StoreError> {
        const RENEW: &str = "UPDATE investigation SET lease_until = $3 WHERE id = $1 AND fence = $2";
        let until = self.now().await?.micros().saturating_add(micros(lasts));
        let kept = on!(self, pool => sqlx::query(RENEW)
            .bind(&lease.what)
            .bind(lease.fence)
            .bind(until)
            .execute(pool)
            .await
            .map(|r| r.rows_affected()))
        .map_err(unavailable("renew"))?;
        if kept == 0 { Err(lost(lease)) } else { Ok(()) }
    }

    /// Gives a claimed investigation back; `next_at` says when there is work again, `None` that it waits for somebody.
    ///
    /// When somebody woke it or appended to it while it was worked on, it is due at once, whatever `next_at` says: `seen`
    /// is the last sequence number that the worker knows.
    ///
    /// # Errors
    /// `Fenced` when it was claimed by somebody else meanwhile.
    pub async fn release(
        &self,
        lease: &Lease,
        seen: u64,
        next_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        const RELEASE: &str = "UPDATE investigation SET lease_owner = NULL, lease_until = 0, \
             next_at = CASE WHEN last_seq > $3 OR next_at > 0 THEN $5 ELSE $4 END WHERE id = $1 AND fence = $2";
        let now = self.now().await?.micros();
        let released = on!(self, pool => sqlx::query(RELEASE)
            .bind(&lease.what)
            .bind(lease.fence)
            .bind(i64::try_from(seen).unwrap_or(i64::MAX))
            .bind(next_at.map(Timestamp::micros))
            .bind(now)
            .execute(pool)
            .await
            .map(|r| r.rows_affected()))
        .map_err(unavailable("release"))?;
        if released == 0 { Err(lost(lease)) } else { Ok(()) }
    }

    /// Says that there is work on an investigation now.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn wake(&self, investigation: &str) -> Result<(), StoreError> {
        const WAKE: &str = "UPDATE investigation SET next_at = $2 WHERE id = $1";
        let now = self.now().await?.micros();
        on!(self, pool => sqlx::query(WAKE).bind(investigation).bind(now).execute(pool).await.map(drop))
            .map_err(unavailable("wake"))
    }

    /// Claims, or keeps, what one node does for all; `None` when another node holds it.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn claim_role(
        &self,
        name: &str,
        owner: &str,
        lasts: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        const MAKE: &str = "INSERT INTO role_lease (name, owner, held_until, fence) VALUES ($1, $2, 0, 0) \
             ON CONFLICT (name) DO NOTHING";
        // The fence grows only when the owner changes: who keeps it may go on with what it began.
        const TAKE: &str = "UPDATE role_lease SET fence = CASE WHEN owner = $2 AND held_until > $4 THEN fence \
             ELSE fence + 1 END, owner = $2, held_until = $3 \
             WHERE name = $1 AND (owner = $2 OR held_until <= $4) RETURNING fence";
        let now = self.now().await?.micros();
        let until = now.saturating_add(micros(lasts));
        let fence: Option<i64> = in_transaction!(self, "claim role", tx => {
            sqlx::query(MAKE)
                .bind(name)
                .bind(owner)
                .execute(&mut *tx)
                .await
                .map_err(unavailable("claim role"))?;
            sqlx::query_scalar(TAKE)
                .bind(name)
                .bind(owner)
                .bind(until)
                .bind(now)
                .fetch_optional(&mut *tx)
                .await
                .map_err(unavailable("claim role"))?
        });
        Ok(fence.map(|fence| Lease { what: name.to_owned(), owner: owner.to_owned(), fence }))
    }

    /// Gives up what one node does for all, so that another need not wait for its end.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn release_role(&self, lease: &Lease) -> Result<(), StoreError> {
        const FREE: &str = "UPDATE role_lease SET held_until = 0 WHERE name = $1 AND fence = $2";
        on!(self, pool => sqlx::query(FREE).bind(&lease.what).bind(lease.fence).execute(pool).await.map(drop))
            .map_err(unavailable("release role"))
    }

    /// Gives up everything that an owner holds, so that others need not wait; what it still writes is refused.
    ///
    /// # Errors
    /// When the database cannot be reached: then the leases end by themselves.
    pub async fn release_all(&self, owner: &str) -> Result<(), StoreError> {
        const ROLES: &str = "UPDATE role_lease SET held_until = 0, fence = fence + 1 WHERE owner = $1";
        const WORK: &str = "UPDATE investigation SET lease_owner = NULL, lease_until = 0, fence = fence + 1 \
             WHERE lease_owner = $1";
        for sql in [ROLES, WORK] {
            on!(self, pool => sqlx::query(sql).bind(owner).execute(pool).await.map(drop))
                .map_err(unavailable("release all"))?;
        }
        Ok(())
    }
}

fn lost(lease: &Lease) -> StoreError {
    let message = format!("another node works on `{}` now", lease.what);
    StoreError::new("lease", StoreErrorKind::Fenced, message)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
