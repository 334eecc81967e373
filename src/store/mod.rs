//! The store: what was received, the feeds, and who works on what. SQLite in one file, or PostgreSQL for several nodes.
//!
//! SQL stands nowhere else. Both databases run the same statements and pass the same contract; where they differ
//! (how a transaction begins, how a row is skipped, how others are told) is said here and in `migrations/`.
//! Decides nothing: what is written was decided by the engine.

pub mod check;
mod error;
mod feeds;
mod inbox;
mod leases;
mod migrations;
mod pulse;
mod push;
mod record;
mod retention;
mod tokens;

use std::borrow::Cow;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, PgPool, SqlitePool};
use tantei_engine::model::time::Timestamp;

pub use error::{StoreError, StoreErrorKind};
pub use feeds::{Filter, Listed, Opening};
pub use inbox::{ATTEMPTS_MAX, Delivery, Inbox, Inserted, Settled, Waiting};
pub use leases::Lease;
pub use pulse::Pulse;
pub use push::Pushed;
pub use record::Kept;

use error::unavailable;
use push::Push;

/// Connections of one node: more only queue at the database instead of here.
const CONNECTIONS_MAX: u32 = 8;

/// How long a statement waits for a connection or a lock before it counts as unavailable: the sender of an alarm
/// waits 15 seconds for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Either database.
#[derive(Debug, Clone)]
enum Db {
    Lite(SqlitePool),
    Pg(PgPool),
}

/// Text from outside, as both databases can hold it: PostgreSQL refuses NUL, and one such name would stop all that is
/// written with it.
fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// Runs the same statements on either database.
macro_rules! on {
    ($store:expr, $pool:ident => $body:expr) => {
        match &$store.db {
            $crate::store::Db::Lite($pool) => $body,
            $crate::store::Db::Pg($pool) => $body,
        }
    };
}

/// Runs the same statements in one transaction of either database: commits when they succeed, and else rolls back before
/// the caller hears of it. Left to the pool, the rollback would come a moment later, and whoever asks next would find rows
/// locked by what has failed.
macro_rules! in_transaction {
    ($store:expr, $operation:expr, $tx:ident => $body:expr) => {
        match &$store.db {
            // Taking the write lock at once: a transaction that reads first and writes later could not wait for it.
            $crate::store::Db::Lite(pool) => {
                let begun = pool.begin_with("BEGIN IMMEDIATE").await;
                in_transaction!(@ends begun, $operation, $tx => $body)
            }
            $crate::store::Db::Pg(pool) => {
                let begun = pool.begin().await;
                in_transaction!(@ends begun, $operation, $tx => $body)
            }
        }
    };
    (@ends $begun:ident, $operation:expr, $tx:ident => $body:expr) => {{
        let mut $tx = $begun.map_err($crate::store::unavailable($operation))?;
        let outcome: Result<_, $crate::store::StoreError> = async { Ok($body) }.await;
        match outcome {
            Ok(done) => {
                $tx.commit().await.map_err($crate::store::unavailable($operation))?;
                done
            }
            Err(error) => {
                // A connection that cannot even roll back is thrown away by the pool.
                drop($tx.rollback().await);
                return Err(error);
            }
        }
    }};
}

pub(crate) use {in_transaction, on};

/// The store of one node.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
    push: Push,
}

impl Store {
    /// Opens `sqlite:PATH` (made when absent), `sqlite::memory:`, or `postgres://…`, and brings its tables up to date.
    ///
    /// # Errors
    /// When the URL is of another kind, the database cannot be reached, or its tables were made by a newer version.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let store = Self::connect(url).await?;
        match &store.db {
            Db::Lite(pool) => {
                // Taking the lock shows whether it can be written, before an alarm has to be.
                let probe = pool.begin_with("BEGIN IMMEDIATE").await.map_err(|e| unwritable(url, &e))?;
                probe.rollback().await.map_err(|e| unwritable(url, &e))?;
                migrations::sqlite().run(pool).await
            }
            Db::Pg(pool) => migrations::postgres().run(pool).await,
        }
        .map_err(|e| StoreError::migration(&e))?;
        Ok(store)
    }

    /// The same, with its tables as they are: for `doctor`, which changes nothing.
    ///
    /// # Errors
    /// When the URL is of another kind or the database cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::connect_postgres(url).await;
        }
        if url.starts_with("sqlite:") {
            return Self::connect_sqlite(url).await;
        }
        Err(StoreError::invalid(
            "open",
            "the store's URL must begin with `sqlite:` or `postgres://`; it names neither".to_owned(),
        ))
    }

    async fn connect_sqlite(url: &str) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url)
            .map_err(unavailable("open"))?
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What was acknowledged survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(PATIENCE);
        // A database in memory is one connection's own.
        let connections = if url.contains(":memory:") { 1 } else { CONNECTIONS_MAX };
        let pool = SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
            // A full disk ends a transaction by itself, which sqlx does not notice: such a connection is of no more use.
            .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
            .connect_with(options)
            .await
            .map_err(|e| unwritable(url, &e))?;
        Ok(Self { db: Db::Lite(pool), push: Push::local() })
    }

    async fn connect_postgres(url: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(unavailable("open"))?
            .application_name("tantei")
            .options([("statement_timeout", "10s"), ("idle_in_transaction_session_timeout", "15s")]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(PATIENCE)
            .connect_with(options)
            .await
            .map_err(unavailable("open"))?;
        let push = Push::postgres(pool.clone());
        Ok(Self { db: Db::Pg(pool), push })
    }

    /// The database's own clock: nodes whose clocks differ still agree on who holds what.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn now(&self) -> Result<Timestamp, StoreError> {
        let micros: i64 = match &self.db {
            Db::Lite(pool) => {
                sqlx::query_scalar("SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)")
                    .fetch_one(pool)
                    .await
            }
            Db::Pg(pool) => {
                sqlx::query_scalar("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
                    .fetch_one(pool)
                    .await
            }
        }
        .map_err(unavailable("now"))?;
        Ok(Timestamp::from_micros(micros))
    }

    /// Whether several nodes may share it.
    #[must_use]
    pub fn shared(&self) -> bool {
        matches!(self.db, Db::Pg(_))
    }

    /// Ends all connections after what runs on them.
    pub async fn close(&self) {
        on!(self, pool => pool.close().await);
    }
}

/// A file that cannot be used. Its URL holds no password.
fn unwritable(url: &str, error: &sqlx::Error) -> StoreError {
    let message = format!(
        "`{url}` cannot be opened for writing ({error}); it must be a file that this user may write, in a folder where \
         this user may make files, and no other program may keep it locked"
    );
    StoreError::new("open", StoreErrorKind::Unavailable, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives the database so much room, on all connections that there may be.
    async fn pages(store: &Store, max: u32) {
        let Db::Lite(pool) = &store.db else { panic!("this is SQLite's") };
        let mut all = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            let mut connection = pool.acquire().await.unwrap();
            let sql = format!("PRAGMA max_page_count = {max}");
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *connection).await.unwrap();
            all.push(connection);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_stored_on_a_full_disk_can_be_when_there_is_room_again() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("tantei.db").display());
        let store = Store::open(&url).await.unwrap();
        let delivery = |id: &str| Delivery {
            id: id.to_owned(),
            transition: id.to_owned(),
            source: "sns".to_owned(),
            received_at: Timestamp::from_secs(0),
            event: "x".repeat(1_000_000),
        };
        // Often enough for every connection to have had its turn; each new one has to be told.
        for _ in 0..3 * CONNECTIONS_MAX {
            pages(&store, 60).await;
            let full = store.receive(&[delivery("a")]).await.unwrap_err();
            assert!(full.kind == StoreErrorKind::Unavailable && full.message.contains("full"), "{full}");
        }
        assert!(store.waiting(1).await.unwrap().is_empty());
        pages(&store, 1_000_000).await;
        assert_eq!(store.receive(&[delivery("a")]).await.unwrap(), [Inserted::New]);
    }
}
