//! Investigations and their feeds: append only, chained, with an optimistic sequence and a fence.

use serde::{Deserialize, Serialize};
use tantei_engine::model::feed::FeedItem;
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::Timestamp;

use super::error::{StoreError, StoreErrorKind, unavailable};
use super::inbox::Delivery;
use super::leases::Lease;
use super::push::{CHANNEL, Pushed};
use super::{Db, Store, in_transaction, on, storable};

/// Investigations of one page at most.
const PAGE_MAX: i64 = 200;

/// Whether an investigation goes on.
const OPEN: &str = "open";
const ENDED: &str = "ended";

/// What an investigation is listed by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Its identifier.
    pub id: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The alarmed resource.
    pub resource: String,
    /// The alarm's title.
    pub title: Untrusted,
}

/// An investigation in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its identifier.
    pub id: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The alarmed resource.
    pub resource: String,
    /// The alarm's title.
    pub title: Untrusted,
    /// Whether it goes on.
    pub open: bool,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Items in its feed.
    pub items: i64,
}

/// Which investigations to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those that go on, or only those that ended.
    pub open: Option<bool>,
    /// Only those of this resource.
    pub resource: Option<String>,
    /// Only those after this one of a list before: its time and identifier.
    pub after: Option<(Timestamp, String)>,
    /// How many at most.
    pub limit: i64,
}

type ListedRow = (String, i64, String, String, String, Option<i64>, i64);
type HeadRow = (i64, String, i64, String);

impl Store {
    /// Appends items that were sealed after the last one that the writer knows.
    ///
    /// The database checks the chain: the first item must follow the last stored one in number and hash, each
    /// further one the one before. With a lease, its fence must still be the last one given. Without one somebody else
    /// speaks, and the investigation has work from the same moment: what is said is never stored and then forgotten.
    ///
    /// # Errors
    /// `Conflict` when somebody appended meanwhile, `Fenced` when the lease was lost, `NotFound`, `Unavailable`.
    pub async fn append(
        &self,
        investigation: &str,
        lease: Option<&Lease>,
        items: &[FeedItem],
    ) -> Result<(), StoreError> {
        const HEAD: &str = "SELECT last_seq, last_hash, fence, status FROM investigation WHERE id = $1";
        const HEAD_LOCKED: &str =
            "SELECT last_seq, last_hash, fence, status FROM investigation WHERE id = $1 FOR UPDATE";
        const ITEM: &str = "INSERT INTO item (investigation, seq, recorded_at, body) VALUES ($1, $2, $3, $4)";
        // Who holds it sees the new item when it is given back.
        const MOVE: &str = "UPDATE investigation SET last_seq = $2, last_hash = $3, next_at = CASE WHEN $5 = 1 \
             OR (lease_until > $4 AND next_at IS NOT NULL) THEN next_at ELSE $4 END WHERE id = $1";
        let Some(last) = items.last() else { return Ok(()) };
        let rows = rows(items)?;
        let last_seq = number(last.seq);
        let now = self.now().await?.micros();
        // SQLite's transaction holds the only write lock; PostgreSQL locks the row.
        let head_sql = if self.shared() { HEAD_LOCKED } else { HEAD };
        in_transaction!(self, "append", tx => {
            let head: Option<HeadRow> = sqlx::query_as(head_sql)
                .bind(investigation)
                .fetch_optional(&mut *tx)
                .await
                .map_err(unavailable("append"))?;
            follows(investigation, head, lease, items)?;
            for (seq, recorded_at, body) in &rows {
                sqlx::query(ITEM)
                    .bind(investigation)
                    .bind(seq)
                    .bind(recorded_at)
                    .bind(body)
                    .execute(&mut *tx)
                    .await
                    .map_err(unavailable("append"))?;
            }
            sqlx::query(MOVE)
                .bind(investigation)
                .bind(last_seq)
                .bind(&last.hash)
                .bind(now)
                .bind(i64::from(lease.is_some()))
                .execute(&mut *tx)
                .await
                .map_err(unavailable("append"))?;
        });
        self.tell(investigation, last_seq).await;
        Ok(())
    }

    /// Tells readers. Not part of the transaction: what is stored counts, readers ask again anyway.
    pub(super) async fn tell(&self, investigation: &str, seq: i64) {
        let pushed = Pushed { investigation: investigation.to_owned(), seq };
        if let (Db::Pg(pool), Ok(payload)) = (&self.db, serde_json::to_string(&pushed)) {
            let told =
                sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(payload).execute(pool).await;
            if let Err(error) = told {
                tracing::warn!(%error, "readers were not told of new feed items");
            }
        }
        self.push.committed(pushed);
    }

    /// The items of a feed after a sequence number, in order.
    ///
    /// # Errors
    /// When the database cannot be reached, or an item cannot be read.
    pub async fn feed(&self, investigation: &str, after: u64) -> Result<Vec<FeedItem>, StoreError> {
        const READ: &str = "SELECT body FROM item WHERE investigation = $1 AND seq > $2 ORDER BY seq";
        let bodies: Vec<String> = on!(self, pool => sqlx::query_scalar(READ)
            .bind(storable(investigation))
            .bind(number(after))
            .fetch_all(pool)
            .await)
        .map_err(unavailable("read feed"))?;
        let parsed = bodies.iter().map(|b| serde_json::from_str(b));
        parsed
            .collect::<Result<_, _>>()
            .map_err(|e| StoreError::damaged("read feed", &format!("an item of `{investigation}`"), &e))
    }

    /// One investigation as it is listed; `None` when there is none.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn investigation(&self, id: &str) -> Result<Option<Listed>, StoreError> {
        const READ: &str = "SELECT id, opened_at, resource, title, status, ended_at, last_seq FROM investigation \
             WHERE id = $1";
        let row: Option<ListedRow> =
            on!(self, pool => sqlx::query_as(READ).bind(storable(id)).fetch_optional(pool).await)
                .map_err(unavailable("read investigation"))?;
        Ok(row.map(listed))
    }

    /// Investigations, newest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn investigations(&self, filter: &Filter) -> Result<Vec<Listed>, StoreError> {
        const LIST: &str = "SELECT id, opened_at, resource, title, status, ended_at, last_seq FROM investigation \
             WHERE ($1 = '' OR status = $1) AND ($2 = '' OR resource = $2) \
             AND (opened_at < $3 OR (opened_at = $3 AND id > $4)) ORDER BY opened_at DESC, id LIMIT $5";
        let status = filter.open.map_or("", |open| if open { OPEN } else { ENDED });
        let (before, id) = filter.after.as_ref().map_or((i64::MAX, ""), |(t, id)| (t.micros(), id.as_str()));
        let rows: Vec<ListedRow> = on!(self, pool => sqlx::query_as(LIST)
            .bind(status)
            .bind(storable(filter.resource.as_deref().unwrap_or_default()))
            .bind(before)
            .bind(storable(id))
            .bind(filter.limit.clamp(1, PAGE_MAX))
            .fetch_all(pool)
            .await)
        .map_err(unavailable("list investigations"))?;
        Ok(rows.into_iter().map(listed).collect())
    }

    /// Ends an investigation, or opens it again; in the same transaction what tells triage so begins to wait, before
    /// everything that is received from now on.
    ///
    /// # Errors
    /// `NotFound`, or when the database cannot be reached: then neither was done.
    pub async fn set_ended(
        &self,
        id: &str,
        ended_at: Option<Timestamp>,
        told: &Delivery,
    ) -> Result<(), StoreError> {
        const SET: &str = "UPDATE investigation SET status = $2, ended_at = $3 WHERE id = $1";
        const TELL: &str = "INSERT INTO delivery (id, transition, source, received_at, event, state) \
             VALUES ($1, $2, $3, $4, $5, 'waiting')";
        let status = if ended_at.is_some() { ENDED } else { OPEN };
        let failed = unavailable("end investigation");
        in_transaction!(self, "end investigation", tx => {
            let done = sqlx::query(SET)
                .bind(storable(id))
                .bind(status)
                .bind(ended_at.map(Timestamp::micros))
                .execute(&mut *tx)
                .await
                .map_err(&failed)?
                .rows_affected();
            if done == 0 {
                return Err(absent("end investigation", id));
            }
            sqlx::query(TELL)
                .bind(storable(&told.id))
                .bind(storable(&told.transition))
                .bind(&told.source)
                .bind(told.received_at.micros())
                .bind(&told.event)
                .execute(&mut *tx)
                .await
                .map_err(&failed)?;
        });
        Ok(())
    }
}

/// Whether the items may follow what is stored.
fn follows(
    investigation: &str,
    head: Option<HeadRow>,
    lease: Option<&Lease>,
    items: &[FeedItem],
) -> Result<(), StoreError> {
    let (seq, hash, fence, _) = head.ok_or_else(|| absent("append", investigation))?;
    if lease.is_some_and(|l| l.fence != fence) {
        let message = format!("another node works on `{investigation}` now; nothing was written");
        return Err(StoreError::new("append", StoreErrorKind::Fenced, message));
    }
    let mut expected = (seq, hash.as_str());
    for item in items {
        if number(item.seq) != expected.0 + 1 || item.prev != expected.1 {
            let message = format!("the feed of `{investigation}` has grown meanwhile; nothing was written");
            return Err(StoreError::new("append", StoreErrorKind::Conflict, message));
        }
        if !item.is_intact() {
            let message = format!("item `{}` does not fit its hash; nothing was written", item.id);
            return Err(StoreError::new("append", StoreErrorKind::Invalid, message));
        }
        expected = (number(item.seq), item.hash.as_str());
    }
    Ok(())
}

pub(super) fn rows(items: &[FeedItem]) -> Result<Vec<(i64, i64, String)>, StoreError> {
    let row = |item: &FeedItem| {
        let body = serde_json::to_string(item).map_err(|e| {
            StoreError::invalid("append", format!("item `{}` cannot be written: {e}", item.id))
        })?;
        Ok((number(item.seq), item.recorded_at.micros(), body))
    };
    items.iter().map(row).collect()
}

fn listed(row: ListedRow) -> Listed {
    let (id, opened_at, resource, title, status, ended_at, items) = row;
    Listed {
        id,
        opened_at: Timestamp::from_micros(opened_at),
        resource,
        title: Untrusted::new(&title),
        open: status == OPEN,
        ended_at: ended_at.map(Timestamp::from_micros),
        items,
    }
}

fn absent(operation: &'static str, id: &str) -> StoreError {
    StoreError::new(operation, StoreErrorKind::NotFound, format!("there is no investigation `{id}`"))
}

/// Sequence numbers are far below the range of either type.
fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
