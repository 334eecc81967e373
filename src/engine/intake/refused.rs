//! Why a delivery was refused: one variant a reason, so that callers can count them and answer each differently.
//!
//! Outside text appears only shortened and without control characters.

use crate::limits;
use crate::model::text::{cut, plain};

/// What is wrong with a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UrlFault {
    /// It is too long.
    Length,
    /// It has characters that no such URL needs: control, space, backslash, percent, beyond ASCII.
    Characters,
    /// It is not https.
    Scheme,
    /// It names a user.
    User,
    /// It names a port.
    Port,
    /// Its host is not SNS in a Region.
    Host,
    /// It has a query or a fragment.
    Query,
    /// Its path is not that of a signing certificate.
    Path,
}

impl UrlFault {
    fn says(self) -> &'static str {
        match self {
            Self::Length => "it is too long",
            Self::Characters => "it has characters that such a URL never has",
            Self::Scheme => "it does not begin with https://",
            Self::User => "it names a user before the host",
            Self::Port => "it names a port",
            Self::Host => "its host is not sns.<region>.amazonaws.com or .com.cn",
            Self::Query => "it has a query or a fragment",
            Self::Path => "its path is not /SimpleNotificationService-<32 hexadecimal digits>.pem",
        }
    }
}

/// Why a delivery is not taken. None of these is mended by delivering the same bytes again, except that a clock may be
/// set (`FromTheFuture`) and a topic configured (`ForeignTopic`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The body is larger than anything AWS delivers.
    #[error("the body has {bytes} bytes, more than {max} that AWS delivers at most; nothing was read")]
    BodyTooLarge {
        /// Bytes of the body.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The body is not UTF-8.
    #[error("the body is not UTF-8 (byte {at}); AWS delivers UTF-8, so look at what stands between")]
    NotUtf8 {
        /// First byte that is wrong, from 0.
        at: usize,
    },
    /// The nesting is deeper than allowed.
    #[error("byte {at}: brackets are nested deeper than {max}; no event of AWS is")]
    TooDeep {
        /// Byte of the bracket, from 0.
        at: usize,
        /// The limit.
        max: usize,
    },
    /// The text is no JSON document.
    #[error(
        "line {line}, column {column}: this is no JSON document ({what}); send the event as AWS wrote it"
    )]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The parser's words.
        what: String,
    },
    /// A key occurs twice in one object: two readers could see two events.
    #[error("the key `{key}` occurs twice in one object; AWS never writes that, so the event was altered")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// A JSON document of no known shape.
    #[error(
        "the document (keys: {keys}) is no SNS envelope, alarm message, EventBridge event or Lambda alarm action; \
         check what is subscribed to this address"
    )]
    UnknownShape {
        /// Its first keys, or its type.
        keys: String,
    },
    /// An address that takes SNS envelopes only got something else.
    #[error(
        "this address takes signed SNS envelopes only, and this is none; turn raw message delivery off, or use SQS"
    )]
    NotAnEnvelope,
    /// An SNS envelope inside another one.
    #[error(
        "the SNS message carries another SNS envelope, whose signature nobody would check; subscribe directly"
    )]
    EnvelopeInEnvelope,
    /// A required field is absent or null.
    #[error("the field `{path}` is missing; without it the event cannot be used")]
    Missing {
        /// Its path.
        path: String,
    },
    /// A required field has another type.
    #[error("the field `{path}` is not {wanted}; compare with the event that AWS documents")]
    WrongType {
        /// Its path.
        path: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A text is longer than AWS allows.
    #[error("the field `{path}` has {bytes} bytes, more than {max}; AWS does not allow such a value")]
    TooLong {
        /// Its path.
        path: String,
        /// Its length in bytes.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// A list or map has more entries than AWS allows.
    #[error("the field `{path}` has {count} entries, more than {max}; AWS does not allow so many")]
    TooMany {
        /// Its path.
        path: String,
        /// Its entries.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// A state that no alarm has.
    #[error("the field `{path}` is `{text}`, not OK, ALARM or INSUFFICIENT_DATA")]
    UnknownState {
        /// Its path.
        path: String,
        /// What it says.
        text: String,
    },
    /// A time that is none.
    #[error("the field `{path}` is `{text}`, not a time such as 2026-10-14T03:21:09.377+0000")]
    BadTime {
        /// Its path.
        path: String,
        /// What it says.
        text: String,
    },
    /// An ARN that is none, or one of something else.
    #[error("the field `{path}` is `{text}`, not an ARN of {wanted}")]
    BadArn {
        /// Its path.
        path: String,
        /// What it says.
        text: String,
        /// What it should name.
        wanted: &'static str,
    },
    /// Two fields contradict each other.
    #[error("the field `{path}` is `{said}`, but the ARN says `{arn}`; the event was altered")]
    Contradiction {
        /// Path of the field.
        path: String,
        /// What it says.
        said: String,
        /// What the ARN says.
        arn: String,
    },
    /// An SNS message of a type that does not exist.
    #[error(
        "the field `Type` is `{text}`, not Notification, SubscriptionConfirmation or UnsubscribeConfirmation"
    )]
    UnknownMessageType {
        /// What it says.
        text: String,
    },
    /// A signature version that does not exist.
    #[error("the field `SignatureVersion` is `{text}`; only 1 and 2 exist")]
    UnknownSignatureVersion {
        /// What it says.
        text: String,
    },
    /// Version 1 (SHA-1), where version 2 is demanded.
    #[error(
        "the message is signed with SHA-1 (version 1), which is not accepted; set SignatureVersion=2 on the topic"
    )]
    SignatureVersionTooOld,
    /// The signature is empty or not base64.
    #[error("the field `Signature` is empty or not base64; AWS signs every message")]
    BadSignature,
    /// The topic is not on the list of topics.
    #[error("the topic `{topic}` is not one of the configured topics; add it to them if it is yours")]
    ForeignTopic {
        /// The topic's ARN.
        topic: String,
    },
    /// The topic's partition has another domain than the known ones.
    #[error("the topic's partition `{partition}` is not supported; aws, aws-cn and aws-us-gov are")]
    UnknownPartition {
        /// The partition.
        partition: String,
    },
    /// The certificate's URL is not one of SNS. Nothing was fetched.
    #[error("SigningCertURL `{url}` is not one of SNS: {}; nothing was fetched", fault.says())]
    CertUrl {
        /// What is wrong with it.
        fault: UrlFault,
        /// The URL.
        url: String,
    },
    /// The certificate comes from another Region than the topic. Nothing was fetched.
    #[error("SigningCertURL is of Region `{url}`, the topic of `{topic}`; nothing was fetched")]
    CertRegion {
        /// Region of the URL.
        url: String,
        /// Region of the topic.
        topic: String,
    },
    /// The URL for confirming is not one of SNS in the topic's Region. It would not have been used anyway.
    #[error(
        "SubscribeURL `{url}` does not lead to SNS in the topic's Region; the subscription is not confirmed"
    )]
    SubscribeUrl {
        /// The URL.
        url: String,
    },
    /// The token of a confirmation is not letters and digits.
    #[error(
        "the field `Token` is empty or not made of letters and digits; the subscription is not confirmed"
    )]
    BadToken,
    /// The message is too old.
    #[error(
        "the message is {age_s} s old, more than {max_s} s; a replay, or this server was away: the reconciler finds what was missed"
    )]
    Stale {
        /// Its age in seconds.
        age_s: i64,
        /// The limit in seconds.
        max_s: i64,
    },
    /// The message comes from the future.
    #[error("the message is dated {ahead_s} s in the future, more than {max_s} s; check this server's clock")]
    FromTheFuture {
        /// How far, in seconds.
        ahead_s: i64,
        /// The limit in seconds.
        max_s: i64,
    },
    /// A header says something else than the body.
    #[error("the header `{header}` says something else than the body; the request was altered")]
    Header {
        /// Name of the header.
        header: &'static str,
    },
}

impl Refused {
    /// A short name of the reason, to count refusals by.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::TooDeep { .. } => "too_deep",
            Self::NotJson { .. } => "not_json",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::UnknownShape { .. } => "unknown_shape",
            Self::NotAnEnvelope => "not_an_envelope",
            Self::EnvelopeInEnvelope => "envelope_in_envelope",
            Self::Missing { .. } => "missing",
            Self::WrongType { .. } => "wrong_type",
            Self::TooLong { .. } => "too_long",
            Self::TooMany { .. } => "too_many",
            Self::UnknownState { .. } => "unknown_state",
            Self::BadTime { .. } => "bad_time",
            Self::BadArn { .. } => "bad_arn",
            Self::Contradiction { .. } => "contradiction",
            Self::UnknownMessageType { .. } => "unknown_message_type",
            Self::UnknownSignatureVersion { .. } => "unknown_signature_version",
            Self::SignatureVersionTooOld => "signature_version_too_old",
            Self::BadSignature => "bad_signature",
            Self::ForeignTopic { .. } => "foreign_topic",
            Self::UnknownPartition { .. } => "unknown_partition",
            Self::CertUrl { .. } => "cert_url",
            Self::CertRegion { .. } => "cert_region",
            Self::SubscribeUrl { .. } => "subscribe_url",
            Self::BadToken => "bad_token",
            Self::Stale { .. } => "stale",
            Self::FromTheFuture { .. } => "from_the_future",
            Self::Header { .. } => "header",
        }
    }
}

/// Outside text for a message: one line, short.
pub(super) fn shown(text: &str) -> String {
    let line = plain(cut(text, limits::UNTRUSTED_TEXT_BYTES_MAX));
    cut(&line, SHOWN_BYTES_MAX).to_owned()
}

/// Bytes of outside text in a message: enough for an ARN's beginning, too little to flood a log.
const SHOWN_BYTES_MAX: usize = 120;
