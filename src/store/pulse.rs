//! How much lies in the store, for metrics: counts over indexes and the short table of investigations.

use super::error::{StoreError, unavailable};
use super::{Store, on};

/// What there is at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Deliveries that wait for triage.
    pub waiting: i64,
    /// Microseconds for which the oldest of them has waited.
    pub lag_us: i64,
    /// Investigations that go on.
    pub open: i64,
    /// Investigations that ended and are kept.
    pub ended: i64,
    /// Investigations with work that nobody has claimed.
    pub due: i64,
    /// Investigations that a worker of some node holds.
    pub leased: i64,
    /// Roles, such as the triage, that some node holds.
    pub roles: i64,
}

impl Store {
    /// What there is now.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn pulse(&self) -> Result<Pulse, StoreError> {
        const WAITING: &str = "SELECT COUNT(*), MIN(received_at) FROM delivery WHERE state = 'waiting'";
        const WORK: &str = "SELECT COUNT(*) FILTER (WHERE status = 'open'), \
             COUNT(*) FILTER (WHERE status <> 'open'), \
             COUNT(*) FILTER (WHERE next_at <= $1 AND lease_until <= $1), \
             COUNT(*) FILTER (WHERE lease_until > $1) FROM investigation";
        const ROLES: &str = "SELECT COUNT(*) FROM role_lease WHERE held_until > $1";
        let now = self.now().await?.micros();
        let (waiting, oldest): (i64, Option<i64>) =
            on!(self, pool => sqlx::query_as(WAITING).fetch_one(pool).await).map_err(unavailable("count"))?;
        let (open, ended, due, leased): (i64, i64, i64, i64) =
            on!(self, pool => sqlx::query_as(WORK).bind(now).fetch_one(pool).await)
                .map_err(unavailable("count"))?;
        let roles: i64 = on!(self, pool => sqlx::query_scalar(ROLES).bind(now).fetch_one(pool).await)
            .map_err(unavailable("count"))?;
        // Clocks of nodes differ a little: nothing has waited for less than no time.
        let lag_us = oldest.map_or(0, |at| now.saturating_sub(at).max(0));
        Ok(Pulse { waiting, lag_us, open, ended, due, leased, roles })
    }
}
