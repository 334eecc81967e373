//! Empties the queue into which alarms are delivered: what is stored is deleted from it, what makes no sense is put aside
//! with the reason after five tries, everything else comes again by itself.

use std::time::Duration;

use super::{ReceiveError, Service};
use crate::ports::{Queue, QueueMessage};
use crate::store::{ATTEMPTS_MAX, Delivery, StoreError};

/// How long to wait before a queue that failed is asked again.
const AGAIN: Duration = Duration::from_secs(5);

impl Service {
    /// Every node empties the queue: SQS gives each message to one of them at a time.
    pub(super) async fn queue_loop(self) {
        let Some(queue) = self.inner.queue.clone() else { return };
        loop {
            match queue.receive().await {
                Ok(messages) => {
                    for message in messages {
                        self.take(queue.as_ref(), &message).await;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the queue cannot be read; trying again");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    async fn take(&self, queue: &dyn Queue, message: &QueueMessage) {
        let done = match self.receive_queued(message).await {
            Ok(_) => true,
            Err(ReceiveError::Unavailable(why)) => {
                tracing::warn!(
                    message = message.id,
                    why,
                    "a queued message cannot be stored now; it comes again"
                );
                false
            }
            Err(
                error @ (ReceiveError::Refused(_) | ReceiveError::Forbidden(_) | ReceiveError::UnknownKey),
            ) => self.put_aside(message, &error.to_string()).await.unwrap_or_else(|error| {
                tracing::warn!(message = message.id, %error, "a queued message cannot be put aside now");
                false
            }),
        };
        if done && let Err(error) = queue.delete(message).await {
            // It comes again and is a duplicate then.
            tracing::warn!(message = message.id, %error, "a queued message cannot be deleted");
        }
    }

    /// Puts a message aside when it came too often; whether it may be deleted.
    async fn put_aside(&self, message: &QueueMessage, reason: &str) -> Result<bool, StoreError> {
        tracing::warn!(
            message = message.id,
            receives = message.receives,
            reason,
            "a queued message was not taken"
        );
        if i64::from(message.receives) < ATTEMPTS_MAX {
            return Ok(false);
        }
        let delivery = Delivery {
            id: message.id.clone(),
            transition: message.id.clone(),
            source: "sqs".to_owned(),
            received_at: self.inner.clock.now(),
            event: message.body.clone(),
        };
        self.inner.store.quarantine(&delivery, reason).await?;
        Ok(true)
    }
}
