//! SNS envelopes: parsed, judged by everything that needs no network, opened only after that.
//!
//! The way is a chain of types: [`Envelope`] → [`Envelope::judge`] → [`Judged`] → [`Judged::open`]. What stands
//! between judging and opening is the caller's: fetch the certificate from [`Judged::cert_url`], check its chain and
//! name, check the signature over [`Judged::string_to_sign`]. `SubscribeURL` and `UnsubscribeURL` are never used.

use std::fmt;

use super::arn::{self, Arn};
use super::json::{self, Node};
use super::refused::{Refused, shown};
use super::{Shape, signing_url};
use crate::limits;
use crate::model::alarm_event::{Delivery, Via};
use crate::model::text::Untrusted;
use crate::model::time::Timestamp;

/// What an SNS message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageType {
    /// Something was published.
    Notification,
    /// Somebody subscribed this address and SNS asks whether that is wanted.
    SubscriptionConfirmation,
    /// Somebody ended the subscription and SNS asks whether it should be restored.
    UnsubscribeConfirmation,
}

impl MessageType {
    /// SNS's name for it, in the body and in the header `x-amz-sns-message-type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }
}

/// How a message is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignatureVersion {
    /// RSA PKCS#1 v1.5 with SHA-1.
    One,
    /// RSA PKCS#1 v1.5 with SHA-256.
    Two,
}

/// The ARN of a topic, and the domain of its Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicArn {
    text: String,
    region: String,
    domain: &'static str,
}

impl TopicArn {
    /// Reads the ARN of a topic in a supported partition.
    ///
    /// # Errors
    /// `BadArn`, naming `path`, or `UnknownPartition`.
    pub fn parse(text: &str, path: &str) -> Result<Self, Refused> {
        let bad = || Refused::BadArn { path: path.to_owned(), text: shown(text), wanted: "an SNS topic" };
        let arn = Arn::parse(text).filter(|a| a.service == "sns" && is_topic(a.resource)).ok_or_else(bad)?;
        let domain = arn::domain(arn.partition, arn.region)
            .ok_or_else(|| Refused::UnknownPartition { partition: shown(arn.partition) })?;
        Ok(Self { text: text.to_owned(), region: arn.region.to_owned(), domain })
    }

    /// The ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its Region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Where SNS answers in its Region.
    fn endpoint(&self) -> String {
        format!("https://sns.{}.{}/", self.region, self.domain)
    }
}

fn is_topic(name: &str) -> bool {
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    (1..=256).contains(&name.len())
        && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// What a receiver trusts.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'a> {
    /// ARNs of the topics whose messages are taken, compared exactly.
    pub topics: &'a [String],
    /// The time.
    pub now: Timestamp,
    /// Oldest message that is taken, in seconds: [`limits::SNS_AGE_S_MAX`] over HTTPS, none from a queue, in which
    /// messages may wait for days.
    pub age_s_max: Option<i64>,
    /// Whether messages signed with SHA-1 are refused.
    pub require_version_2: bool,
}

/// A parsed envelope. Nothing in it is trusted yet, and its content cannot be read yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    kind: MessageType,
    message_id: String,
    topic: TopicArn,
    subject: Option<String>,
    message: String,
    timestamp_text: String,
    timestamp: Timestamp,
    version: SignatureVersion,
    signature: String,
    cert_url: String,
    /// Of confirmations alone.
    token: Option<String>,
    /// Of confirmations alone: signed with the rest, so it is kept, but never used.
    subscribe_url: Option<String>,
}

impl fmt::Debug for Envelope {
    /// Without message and token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("kind", &self.kind)
            .field("topic", &self.topic.text)
            .field("message_id", &shown(&self.message_id))
            .finish_non_exhaustive()
    }
}

/// Whether the document is an envelope: by its keys.
pub(super) fn is_one(root: &Node<'_>) -> bool {
    root.get("Type").is_some() && root.get("TopicArn").is_some()
}

impl Envelope {
    /// Reads the body of a request to an address that takes SNS envelopes only.
    ///
    /// # Errors
    /// `NotAnEnvelope` for anything else, raw delivery above all; or what is wrong with it.
    pub fn parse(body: &[u8]) -> Result<Self, Refused> {
        let document = json::parse(body)?;
        let root = Node::root(&document);
        if is_one(&root) { Self::read(&root) } else { Err(Refused::NotAnEnvelope) }
    }

    /// Reads one.
    pub(super) fn read(root: &Node<'_>) -> Result<Self, Refused> {
        let short = limits::DELIVERY_ID_BYTES_MAX;
        let kind = match root.need_text("Type", short)? {
            "Notification" => MessageType::Notification,
            "SubscriptionConfirmation" => MessageType::SubscriptionConfirmation,
            "UnsubscribeConfirmation" => MessageType::UnsubscribeConfirmation,
            other => return Err(Refused::UnknownMessageType { text: shown(other) }),
        };
        let version = match root.need_text("SignatureVersion", short)? {
            "1" => SignatureVersion::One,
            "2" => SignatureVersion::Two,
            other => return Err(Refused::UnknownSignatureVersion { text: shown(other) }),
        };
        let timestamp = root.need("Timestamp")?;
        let confirms = kind != MessageType::Notification;
        let of_confirmation = |key: &str, max: usize| -> Result<Option<String>, Refused> {
            if confirms { root.need_text(key, max).map(|t| Some(t.to_owned())) } else { Ok(None) }
        };
        Ok(Self {
            kind,
            message_id: root.need_text("MessageId", short)?.to_owned(),
            topic: TopicArn::parse(root.need_text("TopicArn", limits::ARN_BYTES_MAX)?, "TopicArn")?,
            // Confirmations have none, and it is not signed there.
            subject: if confirms {
                None
            } else {
                root.text_within("Subject", limits::SNS_FIELD_BYTES_MAX)?.map(str::to_owned)
            },
            message: root.need_text("Message", limits::SNS_MESSAGE_BYTES_MAX)?.to_owned(),
            timestamp_text: timestamp.text(short)?.to_owned(),
            timestamp: timestamp.time()?,
            version,
            signature: root.need_text("Signature", limits::SNS_FIELD_BYTES_MAX)?.to_owned(),
            cert_url: root.need_text("SigningCertURL", limits::SNS_URL_BYTES_MAX)?.to_owned(),
            token: of_confirmation("Token", limits::SNS_TOKEN_BYTES_MAX)?,
            subscribe_url: of_confirmation("SubscribeURL", limits::SNS_URL_BYTES_MAX)?,
        })
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> MessageType {
        self.kind
    }

    /// The topic it names.
    #[must_use]
    pub fn topic(&self) -> &TopicArn {
        &self.topic
    }

    /// The text that the signature covers: the same for both versions.
    #[must_use]
    pub fn string_to_sign(&self) -> String {
        let mut text = String::with_capacity(self.message.len() + 1_024);
        let mut line = |key: &str, value: &str| {
            for part in [key, "\n", value, "\n"] {
                text.push_str(part);
            }
        };
        line("Message", &self.message);
        line("MessageId", &self.message_id);
        if let Some(subject) = &self.subject {
            line("Subject", subject);
        }
        if let Some(url) = &self.subscribe_url {
            line("SubscribeURL", url);
        }
        line("Timestamp", &self.timestamp_text);
        if let Some(token) = &self.token {
            line("Token", token);
        }
        line("TopicArn", &self.topic.text);
        line("Type", self.kind.name());
        text
    }

    /// Compares the headers that SNS sends with the body; absent ones are not compared.
    ///
    /// # Errors
    /// `Header`, naming the one that differs.
    pub fn agrees_with_headers(
        &self,
        message_type: Option<&str>,
        topic_arn: Option<&str>,
        message_id: Option<&str>,
    ) -> Result<(), Refused> {
        for (header, said, body) in [
            ("x-amz-sns-message-type", message_type, self.kind.name()),
            ("x-amz-sns-topic-arn", topic_arn, self.topic.text.as_str()),
            ("x-amz-sns-message-id", message_id, self.message_id.as_str()),
        ] {
            if said.is_some_and(|s| s != body) {
                return Err(Refused::Header { header });
            }
        }
        Ok(())
    }

    /// Judges everything that needs no network: topic, certificate's URL, version, signature's form, time, and of
    /// confirmations their URL and token.
    ///
    /// # Errors
    /// The first of these that is wrong.
    pub fn judge(self, trust: &Trust<'_>) -> Result<Judged, Refused> {
        if !trust.topics.contains(&self.topic.text) {
            return Err(Refused::ForeignTopic { topic: shown(&self.topic.text) });
        }
        let judged = signing_url::judge(&self.cert_url);
        let (region, domain) =
            judged.map_err(|fault| Refused::CertUrl { fault, url: shown(&self.cert_url) })?;
        if (region, domain) != (self.topic.region.as_str(), self.topic.domain) {
            return Err(Refused::CertRegion { url: region.to_owned(), topic: self.topic.region.clone() });
        }
        if trust.require_version_2 && self.version == SignatureVersion::One {
            return Err(Refused::SignatureVersionTooOld);
        }
        if !is_base64(&self.signature) {
            return Err(Refused::BadSignature);
        }
        self.judge_time(trust)?;
        if let Some(url) = &self.subscribe_url {
            let expected = format!("{}?Action=ConfirmSubscription&", self.topic.endpoint());
            if !url.starts_with(&expected) {
                return Err(Refused::SubscribeUrl { url: shown(url) });
            }
        }
        if self.token.as_ref().is_some_and(|t| t.is_empty() || !t.bytes().all(|b| b.is_ascii_alphanumeric()))
        {
            return Err(Refused::BadToken);
        }
        Ok(Judged(self))
    }

    fn judge_time(&self, trust: &Trust<'_>) -> Result<(), Refused> {
        let age_s = trust.now.secs_since(self.timestamp);
        if let Some(max_s) = trust.age_s_max.filter(|max| age_s > *max) {
            return Err(Refused::Stale { age_s, max_s });
        }
        let (ahead_s, max_s) = (age_s.saturating_neg(), limits::SNS_AHEAD_S_MAX);
        if ahead_s > max_s {
            return Err(Refused::FromTheFuture { ahead_s, max_s });
        }
        Ok(())
    }
}

fn is_base64(text: &str) -> bool {
    let data = text.trim_end_matches('=');
    !data.is_empty()
        && text.len().is_multiple_of(4)
        && text.len() - data.len() <= 2
        && data.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

/// Why the content of an envelope may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authenticity {
    /// The signature was checked with a certificate of SNS.
    Signature,
    /// It was taken from a queue whose policy lets only SNS write, and only for our topics.
    QueuePolicy,
}

/// An envelope in which everything is right that can be told without a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged(Envelope);

/// A subscription that may be confirmed. Give topic and token to `ConfirmSubscription`, or fetch [`Self::url`].
#[derive(Clone, PartialEq, Eq)]
pub struct Confirmation {
    topic: TopicArn,
    token: String,
}

impl fmt::Debug for Confirmation {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmation").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl Confirmation {
    /// The topic: one of the configured ones.
    #[must_use]
    pub fn topic(&self) -> &TopicArn {
        &self.topic
    }

    /// SNS's token: letters and digits. Whoever has it can confirm, so it belongs in no log.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The URL that confirms it: built from the topic's Region and partition and the token, of nothing else.
    #[must_use]
    pub fn url(&self) -> String {
        let topic = percent_encoded(&self.topic.text);
        let token = percent_encoded(&self.token);
        format!("{}?Action=ConfirmSubscription&TopicArn={topic}&Token={token}", self.topic.endpoint())
    }
}

fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            let digits =
                [byte >> 4, byte & 15].into_iter().filter_map(|n| char::from_digit(u32::from(n), 16));
            out.extend(digits.map(|d| d.to_ascii_uppercase()));
        }
    }
    out
}

/// What was in an envelope.
#[derive(Debug, Clone, PartialEq)]
pub enum Opened {
    /// Something was published: an alarm, another event or plain text, never another envelope.
    Published(Shape),
    /// A configured topic asks whether it may deliver here.
    Confirm(Confirmation),
    /// The subscription was ended. It is left so: whoever ended it may have had reasons.
    Unsubscribed(TopicArn),
}

impl Judged {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> MessageType {
        self.0.kind
    }

    /// Its topic, one of the configured ones.
    #[must_use]
    pub fn topic(&self) -> &TopicArn {
        &self.0.topic
    }

    /// SNS `MessageId`: the same for every attempt to deliver it.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.0.message_id
    }

    /// The certificate's URL: on SNS's host in the topic's Region.
    #[must_use]
    pub fn cert_url(&self) -> &str {
        &self.0.cert_url
    }

    /// How it is signed.
    #[must_use]
    pub fn version(&self) -> SignatureVersion {
        self.0.version
    }

    /// The signature in base64.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.0.signature
    }

    /// The text that the signature covers.
    #[must_use]
    pub fn string_to_sign(&self) -> String {
        self.0.string_to_sign()
    }

    /// Reads the content; the caller states why it may be believed.
    ///
    /// # Errors
    /// What is wrong with the content. Text that does not begin like a JSON document is no error.
    pub fn open(&self, _because: Authenticity) -> Result<Opened, Refused> {
        let envelope = &self.0;
        match (envelope.kind, &envelope.token) {
            (MessageType::Notification, _) => published(envelope).map(Opened::Published),
            (MessageType::SubscriptionConfirmation, Some(token)) => {
                Ok(Opened::Confirm(Confirmation { topic: envelope.topic.clone(), token: token.clone() }))
            }
            (MessageType::SubscriptionConfirmation, None) => Err(Refused::BadToken),
            (MessageType::UnsubscribeConfirmation, _) => Ok(Opened::Unsubscribed(envelope.topic.clone())),
        }
    }
}

fn published(envelope: &Envelope) -> Result<Shape, Refused> {
    if !envelope.message.trim_start().starts_with(['{', '[']) {
        return Ok(Shape::Text(Untrusted::new(&envelope.message)));
    }
    let carrier = Delivery { via: Via::Sns, id: envelope.message_id.clone() };
    match super::recognise(envelope.message.as_bytes(), &carrier)? {
        Shape::Envelope(_) => Err(Refused::EnvelopeInEnvelope),
        shape @ (Shape::Alarm(_) | Shape::Service(_) | Shape::Text(_)) => Ok(shape),
    }
}
