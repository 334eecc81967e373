//! An SQS queue into which alarms are delivered. Receives and deletes; judges nothing.

use std::sync::Arc;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};

use super::apis::{DELETE_MESSAGE, RECEIVE_MESSAGE};
use super::client::Aws;
use super::spent::Ledger;
use crate::ports::{BoxFuture, PortError, Queue, QueueMessage};

/// Messages of one answer: SQS's own limit.
const MESSAGES_MAX: i32 = 10;

/// Seconds that SQS waits for a message: the longest wait is the cheapest, but an attempt must end in time.
const WAIT_S: i32 = 10;

/// Seconds until a message that was not deleted comes again.
const HIDDEN_S: i32 = 30;

/// A queue.
#[derive(Debug)]
pub struct SqsQueue {
    aws: Arc<Aws>,
    url: String,
    ledger: Ledger,
}

impl SqsQueue {
    /// The queue at this URL.
    #[must_use]
    pub fn new(aws: Arc<Aws>, url: &str) -> Self {
        Self { aws, url: url.to_owned(), ledger: Ledger::default() }
    }

    async fn messages(&self) -> Result<Vec<QueueMessage>, PortError> {
        let request = self
            .aws
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(MESSAGES_MAX)
            .wait_time_seconds(WAIT_S)
            .visibility_timeout(HIDDEN_S)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let answer = self.aws.call(&self.ledger, &RECEIVE_MESSAGE, 1, request.send()).await?;
        Ok(answer.messages().iter().filter_map(message).collect())
    }

    async fn forget(&self, message: &QueueMessage) -> Result<(), PortError> {
        let request = self.aws.sqs.delete_message().queue_url(&self.url).receipt_handle(&message.receipt);
        self.aws.call(&self.ledger, &DELETE_MESSAGE, 1, request.send()).await.map(drop)
    }
}

impl Queue for SqsQueue {
    fn receive(&self) -> BoxFuture<'_, Result<Vec<QueueMessage>, PortError>> {
        Box::pin(self.messages())
    }

    fn delete<'a>(&'a self, message: &'a QueueMessage) -> BoxFuture<'a, Result<(), PortError>> {
        Box::pin(self.forget(message))
    }
}

/// A message; one without a receipt could never be deleted and is left to SQS.
fn message(message: &Message) -> Option<QueueMessage> {
    let receives =
        message.attributes().and_then(|a| a.get(&MessageSystemAttributeName::ApproximateReceiveCount));
    Some(QueueMessage {
        id: message.message_id()?.to_owned(),
        body: message.body().unwrap_or_default().to_owned(),
        receipt: message.receipt_handle()?.to_owned(),
        receives: receives.and_then(|n| n.parse().ok()).unwrap_or(1),
    })
}
