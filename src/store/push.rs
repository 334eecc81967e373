//! Tells every node's readers that a feed has grown. PostgreSQL tells other nodes; SQLite has only this one.
//!
//! Carries no items: a reader asks for what is new, so a lost message costs a delay and nothing else.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::broadcast;

/// The channel of PostgreSQL.
pub(super) const CHANNEL: &str = "tantei_feed";

/// Messages that a slow reader may be behind: then it asks for everything that is new.
const BACKLOG: usize = 1_024;

/// How long to wait before listening again after the connection was lost.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// A feed has grown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    /// Which.
    pub investigation: String,
    /// Its last sequence number.
    pub seq: i64,
}

/// Where readers listen.
#[derive(Debug, Clone)]
pub(super) struct Push {
    sender: broadcast::Sender<Pushed>,
    /// With PostgreSQL every message comes back from the database, also the own ones.
    echoed: bool,
}

impl Push {
    pub(super) fn local() -> Self {
        Self { sender: broadcast::channel(BACKLOG).0, echoed: false }
    }

    pub(super) fn postgres(pool: PgPool) -> Self {
        let sender = broadcast::channel(BACKLOG).0;
        tokio::spawn(listen(pool, sender.clone()));
        Self { sender, echoed: true }
    }

    /// Called after the commit.
    pub(super) fn committed(&self, pushed: Pushed) {
        if !self.echoed {
            // Nobody listens: nobody is told.
            drop(self.sender.send(pushed));
        }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Pushed> {
        self.sender.subscribe()
    }
}

/// Forwards what PostgreSQL tells, until the pool is closed.
async fn listen(pool: PgPool, sender: broadcast::Sender<Pushed>) {
    while !pool.is_closed() {
        if let Err(error) = forward(&pool, &sender).await {
            tracing::warn!(%error, "listening for feed items failed; trying again");
        }
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}

async fn forward(pool: &PgPool, sender: &broadcast::Sender<Pushed>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        let notification = listener.recv().await?;
        if let Ok(pushed) = serde_json::from_str::<Pushed>(notification.payload()) {
            drop(sender.send(pushed));
        }
    }
}

impl super::Store {
    /// Hears of every feed that grows, on any node.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Pushed> {
        self.push.subscribe()
    }
}
