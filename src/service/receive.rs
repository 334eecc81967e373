//! Receiving: what came is judged, stored, and only then acknowledged.
//!
//! Decides nothing about incidents: that is triage's, later. A refusal says what was wrong; a store that is down is
//! told apart from it, so that the sender tries again.

use tantei_engine::intake::sns::{Authenticity, Envelope, Opened, Trust};
use tantei_engine::intake::{Refused, Shape, recognise};
use tantei_engine::limits;
use tantei_engine::model::alarm_event::{AlarmEvent, Delivery as Carrier, Via};

use super::{DecideError, Event, Service, Start, Wish};
use crate::access;
use crate::aws::sns::SignatureError;
use crate::ports::QueueMessage;
use crate::redacting;
use crate::store::{Delivery, Inserted, StoreError};

/// What SNS says in headers: they must not contradict the message.
#[derive(Debug, Clone, Default)]
pub struct SnsHeaders {
    /// `x-amz-sns-message-type`.
    pub message_type: Option<String>,
    /// `x-amz-sns-topic-arn`.
    pub topic_arn: Option<String>,
    /// `x-amz-sns-message-id`.
    pub message_id: Option<String>,
    /// `x-amz-sns-rawdelivery`.
    pub raw: bool,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Received {
    /// It is stored and will be looked at.
    Stored,
    /// It was stored before.
    Duplicate,
    /// A subscription to a configured topic was confirmed.
    Confirmed,
    /// A subscription has ended; noted, not restored.
    Unsubscribed,
    /// It is no alarm and nothing to keep.
    Ignored,
}

/// Why a delivery was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// It is wrong: sending it again will not help.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Who sent it is not known.
    #[error("{0}")]
    Forbidden(String),
    /// The API key is none of those that are taken.
    #[error("the API key is missing or unknown: eventbridge.key_hashes lists those that are taken")]
    UnknownKey,
    /// It may be good: the sender should try again.
    #[error("{0}")]
    Unavailable(String),
}

impl From<StoreError> for ReceiveError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl Service {
    /// Takes an SNS message over HTTPS.
    ///
    /// # Errors
    /// `Refused` and `Forbidden` are final, `Unavailable` asks to be tried again.
    pub async fn receive_sns(&self, body: &[u8], headers: &SnsHeaders) -> Result<Received, ReceiveError> {
        if headers.raw {
            let why = "raw delivery carries no signature: turn it off for this subscription";
            return Err(ReceiveError::Forbidden(why.to_owned()));
        }
        let now = self.inner.clock.now();
        let envelope = Envelope::parse(body)?;
        let (kind, topic, id) = (&headers.message_type, &headers.topic_arn, &headers.message_id);
        envelope.agrees_with_headers(kind.as_deref(), topic.as_deref(), id.as_deref())?;
        let trust = Trust {
            topics: &self.inner.config.sns.topics,
            now,
            age_s_max: Some(limits::SNS_AGE_S_MAX),
            require_version_2: self.inner.config.sns.require_version_2,
        };
        let judged = envelope.judge(&trust)?;
        self.inner.verifier.verify(&judged, now).await.map_err(|e| match e {
            SignatureError::Unavailable(e) => ReceiveError::Unavailable(e.to_string()),
            SignatureError::Refused(why) => ReceiveError::Forbidden(why),
        })?;
        match judged.open(Authenticity::Signature)? {
            Opened::Published(shape) => self.keep(shape, "sns").await,
            Opened::Confirm(confirmation) => {
                let confirmed = self.inner.verifier.confirm(&confirmation).await;
                confirmed.map_err(|e| ReceiveError::Unavailable(e.to_string()))?;
                tracing::info!(topic = confirmation.topic().as_str(), "subscription confirmed");
                Ok(Received::Confirmed)
            }
            Opened::Unsubscribed(topic) => {
                tracing::warn!(
                    topic = topic.as_str(),
                    "a subscription has ended: alarms no longer come by it"
                );
                Ok(Received::Unsubscribed)
            }
        }
    }

    /// Takes an event of an EventBridge API destination.
    ///
    /// # Errors
    /// `Refused` and `Forbidden` are final, `Unavailable` asks to be tried again.
    pub async fn receive_eventbridge(
        &self,
        body: &[u8],
        key: Option<&str>,
    ) -> Result<Received, ReceiveError> {
        let hash = key.map(access::hash).ok_or(ReceiveError::UnknownKey)?;
        // All are compared, whole: how long it takes tells nothing.
        let known = self.inner.config.eventbridge.key_hashes.iter().filter(|k| access::same(k, &hash));
        if known.count() == 0 {
            return Err(ReceiveError::UnknownKey);
        }
        let carrier = Carrier { via: Via::EventBridge, id: access::hash(&String::from_utf8_lossy(body)) };
        match recognise(body, &carrier)? {
            // Nothing vouches for an envelope here: its signature belongs to the other address.
            Shape::Envelope(_) => {
                Err(ReceiveError::Forbidden("SNS messages are taken at /v1/alarms/sns".to_owned()))
            }
            shape @ (Shape::Alarm(_) | Shape::Service(_) | Shape::Text(_)) => {
                self.keep(shape, "eventbridge").await
            }
        }
    }

    /// Takes somebody's wish for an investigation; the name of the request.
    ///
    /// # Errors
    /// `Invalid` when it is not clear what is wanted, `Unavailable` when it cannot be kept.
    pub async fn start(&self, wish: &Wish) -> Result<String, DecideError> {
        let known = self.known_to(wish).await?;
        let start = wish.resolve(&known, self.inner.clock.now());
        let start = start.map_err(|e| DecideError::Invalid(e.to_string()))?;
        let kept = self.begin(start).await;
        kept.map_err(|e| DecideError::Unavailable(e.to_string()))
    }

    /// The alarms with which a wish is compared: those that came lately, and those that CloudWatch tells.
    async fn known_to(&self, wish: &Wish) -> Result<Vec<AlarmEvent>, DecideError> {
        if wish.alarm.is_none() && wish.text.is_none() {
            return Ok(Vec::new());
        }
        let unavailable = |e: anyhow::Error| DecideError::Unavailable(format!("{e:#}"));
        let mut known = self.inner.remembered().await.map_err(unavailable)?;
        let wanted = wish.alarm.as_deref();
        if known.iter().any(|e| wanted.is_some_and(|alarm| e.arn == alarm || e.name.raw() == alarm)) {
            return Ok(known);
        }
        let name = wish.alarm_name();
        for states in &self.inner.states {
            let told = match name {
                Some(name) => states.named(name).await.map(|event| event.into_iter().collect()),
                None => states.known().await,
            };
            match told {
                Ok(told) => known.extend(told),
                // What came lately is known without it.
                Err(error) => tracing::warn!(%error, "CloudWatch cannot be asked for its alarms"),
            }
        }
        Ok(known)
    }

    async fn begin(&self, start: Start) -> Result<String, ReceiveError> {
        let start = Start { title: redacting::text(&self.inner.redactor, &start.title), ..start };
        let id = format!("start_{}", uuid::Uuid::now_v7().simple());
        self.put(id.clone(), id.clone(), "manual", &Event::Start(Box::new(start))).await?;
        Ok(id)
    }

    /// Takes a message of a queue: an SNS envelope, an event, or a bare alarm. The queue's policy says who may write.
    ///
    /// # Errors
    /// `Refused` and `Forbidden` are final, `Unavailable` asks to be tried again.
    pub async fn receive_queued(&self, message: &QueueMessage) -> Result<Received, ReceiveError> {
        let carrier = Carrier { via: Via::Sqs, id: message.id.clone() };
        let shape = match recognise(message.body.as_bytes(), &carrier)? {
            Shape::Envelope(envelope) => {
                let trust = Trust {
                    topics: &self.inner.config.sns.topics,
                    now: self.inner.clock.now(),
                    // Messages may wait in a queue for days.
                    age_s_max: None,
                    require_version_2: false,
                };
                match envelope.judge(&trust)?.open(Authenticity::QueuePolicy)? {
                    Opened::Published(shape) => shape,
                    // A queue's subscription is confirmed where it is made.
                    Opened::Confirm(_) | Opened::Unsubscribed(_) => return Ok(Received::Ignored),
                }
            }
            shape @ (Shape::Alarm(_) | Shape::Service(_) | Shape::Text(_)) => shape,
        };
        self.keep(shape, "sqs").await
    }

    /// Stores what was recognised.
    pub(super) async fn keep(&self, shape: Shape, source: &str) -> Result<Received, ReceiveError> {
        let (id, transition, event) = match shape {
            Shape::Alarm(event) => {
                let event = redacting::alarm(&self.inner.redactor, *event);
                (event.delivery.id.clone(), event.key().digest(), Event::Alarm(Box::new(event)))
            }
            Shape::Service(event) => {
                let event = redacting::service(&self.inner.redactor, *event);
                let id = event.delivery.id.clone();
                (id.clone(), id, Event::Service(Box::new(event)))
            }
            Shape::Envelope(_) | Shape::Text(_) => return Ok(Received::Ignored),
        };
        self.put(id, transition, source, &event).await
    }

    /// Stores an event; returns after the commit.
    pub(super) async fn put(
        &self,
        id: String,
        transition: String,
        source: &str,
        event: &Event,
    ) -> Result<Received, ReceiveError> {
        let event = serde_json::to_string(event).map_err(|e| ReceiveError::Unavailable(e.to_string()))?;
        let received_at = self.inner.clock.now();
        let delivery = Delivery { id, transition, source: source.to_owned(), received_at, event };
        let inserted = self.inner.inbox.put(delivery).await?;
        self.inner.received.notify_one();
        Ok(match inserted {
            Inserted::New => Received::Stored,
            Inserted::Duplicate => Received::Duplicate,
        })
    }
}
