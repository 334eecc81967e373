//! What was received, durably before it is acknowledged, and what triage decided about it.
//!
//! Many senders share one commit: a commit costs a wait for the disk, whatever it holds. A delivery is acknowledged
//! only after the commit that holds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tantei_engine::model::feed::{FeedItem, GENESIS};
use tantei_engine::model::time::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::error::{StoreError, StoreErrorKind, unavailable};
use super::feeds::{Opening, rows};
use super::leases::Lease;
use super::{Store, in_transaction, on, storable};

/// Deliveries that wait for a commit: beyond it senders wait at the door, which slows them down.
const QUEUE: usize = 4_096;

/// Deliveries of one commit: a few milliseconds of work, so that nobody waits long for others.
const BATCH_MAX: usize = 512;

/// Triage decisions read at once: a record of years must not have to fit into memory.
const DECISIONS_PAGE: i64 = 10_000;

/// Tries after which a delivery is put aside: what fails five times fails for ever.
pub const ATTEMPTS_MAX: i64 = 5;

/// Something received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The sender's identifier: what is sent twice is the same.
    pub id: String,
    /// Alarm, state and time in one text: the same transition by another way has the same.
    pub transition: String,
    /// By which way: `sns`, `eventbridge`, `sqs`, `reconciler`, `manual`.
    pub source: String,
    /// When.
    pub received_at: Timestamp,
    /// The event as JSON.
    pub event: String,
}

/// Whether a delivery was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is stored.
    New,
    /// It was stored before.
    Duplicate,
}

/// A delivery that triage has not decided about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The delivery.
    pub delivery: Delivery,
    /// Tries so far.
    pub attempts: i64,
}

/// What triage decided about one delivery.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// The delivery.
    pub delivery: String,
    /// What became of it, as JSON.
    pub outcome: String,
    /// Decisions with their numbers, as JSON, in order.
    pub decisions: Vec<(i64, String)>,
    /// Investigations that begin, each with its first items.
    pub openings: Vec<(Opening, Vec<FeedItem>)>,
    /// Investigations on which there is work now.
    pub wake: Vec<String>,
    /// Investigations that have ended.
    pub ended: Vec<String>,
    /// Investigations that go on again.
    pub reopened: Vec<String>,
}

type Waiter = (Delivery, oneshot::Sender<Result<Inserted, StoreError>>);
type WaitingRow = (String, String, String, i64, String, i64);

/// The door: takes deliveries and answers after the commit.
#[derive(Debug, Clone)]
pub struct Inbox {
    queue: mpsc::Sender<Waiter>,
    /// Whether the last commit failed.
    failing: Arc<AtomicBool>,
}

impl Inbox {
    /// Opens the door of a store.
    #[must_use]
    pub fn open(store: Store) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let failing = Arc::new(AtomicBool::new(false));
        tokio::spawn(commit_together(store, waiting, Arc::clone(&failing)));
        Self { queue, failing }
    }

    /// Whether the last commit failed: then reading may work, and nothing can be acknowledged all the same.
    #[must_use]
    pub fn failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// Stores a delivery; returns after the commit.
    ///
    /// # Errors
    /// When the database cannot be reached: then nothing is stored, and the sender must try again.
    pub async fn put(&self, delivery: Delivery) -> Result<Inserted, StoreError> {
        let closed = || StoreError::new("receive", StoreErrorKind::Unavailable, "the store is closing");
        let (answer, answered) = oneshot::channel();
        self.queue.send((delivery, answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

async fn commit_together(store: Store, mut waiting: mpsc::Receiver<Waiter>, failing: Arc<AtomicBool>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let (deliveries, answers): (Vec<Delivery>, Vec<_>) = batch.drain(..).unzip();
        let received = store.receive(&deliveries).await;
        let down = |e: &StoreError| e.kind != StoreErrorKind::Invalid;
        failing.store(received.as_ref().is_err_and(down), Ordering::Relaxed);
        let received = match received {
            Ok(inserted) => inserted.into_iter().map(Ok).collect(),
            // One of them is what the database does not take: the others are.
            Err(error) if !down(&error) => one_by_one(&store, &deliveries).await,
            Err(error) => vec![Err(error); answers.len()],
        };
        for (answer, received) in answers.into_iter().zip(received) {
            // A sender that has gone needs no answer.
            drop(answer.send(received));
        }
    }
}

async fn one_by_one(store: &Store, deliveries: &[Delivery]) -> Vec<Result<Inserted, StoreError>> {
    let mut received = Vec::with_capacity(deliveries.len());
    for delivery in deliveries {
        let alone = store.receive(std::slice::from_ref(delivery)).await;
        received.push(alone.map(|inserted| inserted.first().copied().unwrap_or(Inserted::Duplicate)));
    }
    received
}

impl Store {
    /// Stores deliveries in one commit.
    ///
    /// # Errors
    /// When the database cannot be reached: then none of them is stored.
    pub async fn receive(&self, deliveries: &[Delivery]) -> Result<Vec<Inserted>, StoreError> {
        const PUT: &str = "INSERT INTO delivery (id, transition, source, received_at, event, state) \
             VALUES ($1, $2, $3, $4, $5, 'waiting') ON CONFLICT (id) DO NOTHING";
        let inserted = in_transaction!(self, "receive", tx => {
            let mut inserted = Vec::with_capacity(deliveries.len());
            for d in deliveries {
                let rows = sqlx::query(PUT)
                    .bind(storable(&d.id))
                    .bind(storable(&d.transition))
                    .bind(&d.source)
                    .bind(d.received_at.micros())
                    .bind(&d.event)
                    .execute(&mut *tx)
                    .await
                    .map_err(unavailable("receive"))?
                    .rows_affected();
                inserted.push(if rows == 0 { Inserted::Duplicate } else { Inserted::New });
            }
            inserted
        });
        Ok(inserted)
    }

    /// Deliveries that triage has not decided about, in the order in which they came.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn waiting(&self, limit: i64) -> Result<Vec<Waiting>, StoreError> {
        const READ: &str = "SELECT id, transition, source, received_at, event, attempts FROM delivery \
             WHERE state = 'waiting' ORDER BY received_at, id LIMIT $1";
        let rows: Vec<WaitingRow> = on!(self, pool => sqlx::query_as(READ).bind(limit).fetch_all(pool).await)
            .map_err(unavailable("read waiting"))?;
        Ok(rows.into_iter().map(waiting).collect())
    }

    /// Writes what triage decided: decisions, new investigations and the end of the waiting, all or nothing.
    ///
    /// # Errors
    /// `Fenced` when another node does the triage now, `Unavailable`.
    pub async fn settle(&self, lease: &Lease, settled: &[Settled]) -> Result<(), StoreError> {
        const FENCE: &str = "SELECT fence FROM role_lease WHERE name = $1";
        const FENCE_LOCKED: &str = "SELECT fence FROM role_lease WHERE name = $1 FOR UPDATE";
        let now = self.now().await?.micros();
        let fence_sql = if self.shared() { FENCE_LOCKED } else { FENCE };
        let mut writes = Vec::new();
        for s in settled {
            s.writes(now, &mut writes)?;
        }
        let failed = unavailable("settle");
        in_transaction!(self, "settle", tx => {
            let fence: Option<i64> = sqlx::query_scalar(fence_sql)
                .bind(&lease.what)
                .fetch_optional(&mut *tx)
                .await
                .map_err(&failed)?;
            if fence != Some(lease.fence) {
                let message = "another node does the triage now; nothing was written";
                return Err(StoreError::new("settle", StoreErrorKind::Fenced, message));
            }
            for write in writes {
                let mut query = sqlx::query(write.sql);
                for value in write.values {
                    query = match value {
                        Value::Number(number) => query.bind(number),
                        Value::Text(text) => query.bind(text),
                    };
                }
                query.execute(&mut *tx).await.map_err(&failed)?;
            }
        });
        for (opening, items) in settled.iter().flat_map(|s| &s.openings) {
            self.tell(&opening.id, i64::try_from(items.len()).unwrap_or(i64::MAX)).await;
        }
        Ok(())
    }

    /// Counts a failed try; after the last one the delivery is put aside with the reason, and the others go on.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn failed(&self, delivery: &str, reason: &str) -> Result<(), StoreError> {
        const FAIL: &str = "UPDATE delivery SET attempts = attempts + 1, outcome = $2, \
             state = CASE WHEN attempts + 1 >= $3 THEN 'quarantined' ELSE state END WHERE id = $1";
        on!(self, pool => sqlx::query(FAIL)
            .bind(delivery)
            .bind(storable(reason))
            .bind(ATTEMPTS_MAX)
            .execute(pool)
            .await
            .map(drop))
        .map_err(unavailable("fail delivery"))
    }

    /// Stores a delivery that is put aside at once: it came too often and never made sense.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn quarantine(&self, delivery: &Delivery, reason: &str) -> Result<(), StoreError> {
        const PUT: &str = "INSERT INTO delivery (id, transition, source, received_at, event, state, outcome) \
             VALUES ($1, $2, $3, $4, $5, 'quarantined', $6) ON CONFLICT (id) DO NOTHING";
        on!(self, pool => sqlx::query(PUT)
            .bind(storable(&delivery.id))
            .bind(storable(&delivery.transition))
            .bind(&delivery.source)
            .bind(delivery.received_at.micros())
            .bind(storable(&delivery.event))
            .bind(storable(reason))
            .execute(pool)
            .await
            .map(drop))
        .map_err(unavailable("quarantine"))
    }

    /// Deliveries that were put aside, with the reason.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn quarantined(&self, limit: i64) -> Result<Vec<(String, String)>, StoreError> {
        const READ: &str = "SELECT id, COALESCE(outcome, '') FROM delivery WHERE state = 'quarantined' \
             ORDER BY received_at, id LIMIT $1";
        on!(self, pool => sqlx::query_as(READ).bind(limit).fetch_all(pool).await)
            .map_err(unavailable("read quarantine"))
    }

    /// The names of all deliveries that are stored.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn delivered(&self) -> Result<Vec<String>, StoreError> {
        const READ: &str = "SELECT id FROM delivery ORDER BY received_at, id";
        on!(self, pool => sqlx::query_scalar(READ).fetch_all(pool).await)
            .map_err(unavailable("read deliveries"))
    }

    /// Triage decisions after a sequence number, in order: the state of triage is a fold over them. At most
    /// `DECISIONS_PAGE` at a time, none when there are no more.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn decisions(&self, after: i64) -> Result<Vec<(i64, String)>, StoreError> {
        const READ: &str = "SELECT seq, body FROM decision WHERE seq > $1 ORDER BY seq LIMIT $2";
        on!(self, pool => sqlx::query_as(READ).bind(after).bind(DECISIONS_PAGE).fetch_all(pool).await)
            .map_err(unavailable("read decisions"))
    }

    /// Events of services that were received in a span of time, newest first, at most so many.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn services_between(
        &self,
        from: Timestamp,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        // The kind is the first field of every event's JSON: `Event` is tagged by it.
        const READ: &str = "SELECT event FROM delivery WHERE received_at >= $1 AND received_at < $2 \
             AND event LIKE '{\"event\":\"service\"%' ORDER BY received_at DESC, id DESC LIMIT $3";
        let (from, until) = (from.micros(), until.micros());
        on!(self, pool => sqlx::query_scalar(READ).bind(from).bind(until).bind(limit).fetch_all(pool).await)
            .map_err(unavailable("read services"))
    }

    /// The events of the last deliveries that were decided about, oldest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn decided_last(&self, limit: i64) -> Result<Vec<String>, StoreError> {
        const READ: &str = "SELECT event FROM delivery WHERE state = 'done' \
             ORDER BY received_at DESC, id DESC LIMIT $1";
        let mut events: Vec<String> =
            on!(self, pool => sqlx::query_scalar(READ).bind(limit).fetch_all(pool).await)
                .map_err(unavailable("read decided"))?;
        events.reverse();
        Ok(events)
    }
}

/// A statement of a settlement.
struct Write {
    sql: &'static str,
    values: Vec<Value>,
}

enum Value {
    Number(i64),
    Text(String),
}

impl Settled {
    /// What is to be written. What exists already stays as it is: a settlement may be tried again.
    fn writes(&self, now: i64, writes: &mut Vec<Write>) -> Result<(), StoreError> {
        const DECIDE: &str = "INSERT INTO decision (seq, decided_at, body) VALUES ($1, $2, $3)";
        const OPEN: &str = "INSERT INTO investigation \
             (id, opened_at, resource, title, status, next_at, last_seq, last_hash) \
             VALUES ($1, $2, $3, $4, 'open', NULL, $5, $6) ON CONFLICT (id) DO NOTHING";
        const ITEM: &str = "INSERT INTO item (investigation, seq, recorded_at, body) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (investigation, seq) DO NOTHING";
        const WAKE: &str = "UPDATE investigation SET next_at = $2 WHERE id = $1";
        // What a person ended has ended since then.
        const END: &str =
            "UPDATE investigation SET status = 'ended', ended_at = $2 WHERE id = $1 AND status = 'open'";
        const REOPEN: &str =
            "UPDATE investigation SET status = 'open', ended_at = NULL WHERE id = $1 AND status = 'ended'";
        const DONE: &str = "UPDATE delivery SET state = 'done', outcome = $2 WHERE id = $1";
        let text = |t: &str| Value::Text(storable(t).into_owned());
        let mut write = |sql, values| writes.push(Write { sql, values });
        for (seq, body) in &self.decisions {
            write(DECIDE, vec![Value::Number(*seq), Value::Number(now), text(body)]);
        }
        for (opening, items) in &self.openings {
            let hash = items.last().map_or(GENESIS, |i| i.hash.as_str());
            let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
            let (id, at) = (text(&opening.id), Value::Number(opening.opened_at.micros()));
            let (resource, title) = (text(&opening.resource), text(opening.title.raw()));
            write(OPEN, vec![id, at, resource, title, Value::Number(count), text(hash)]);
            for (seq, recorded_at, body) in rows(items)? {
                let (seq, recorded_at) = (Value::Number(seq), Value::Number(recorded_at));
                write(ITEM, vec![text(&opening.id), seq, recorded_at, Value::Text(body)]);
            }
        }
        self.wake.iter().for_each(|id| write(WAKE, vec![text(id), Value::Number(now)]));
        self.ended.iter().for_each(|id| write(END, vec![text(id), Value::Number(now)]));
        self.reopened.iter().for_each(|id| write(REOPEN, vec![text(id)]));
        write(DONE, vec![text(&self.delivery), text(&self.outcome)]);
        Ok(())
    }
}

fn waiting(row: WaitingRow) -> Waiting {
    let (id, transition, source, received_at, event, attempts) = row;
    let received_at = Timestamp::from_micros(received_at);
    Waiting { delivery: Delivery { id, transition, source, received_at, event }, attempts }
}
