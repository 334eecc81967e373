//! One change of state of one CloudWatch alarm as it was delivered, whichever way it came.
//!
//! Facts only: what the delivery said, bounded and typed. What it *means* for an investigation (resource, window,
//! baseline) is concluded by `intake::subject`; whether one is opened is decided by the caller.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::alarm::{AlarmState, Direction};
use super::feed::canonical_digest;
use super::text::Untrusted;
use super::time::{TimeSpan, Timestamp};

/// The way a delivery came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// In an SNS notification, over HTTPS or SQS.
    Sns,
    /// As an EventBridge event, whatever carried it.
    EventBridge,
    /// As the bare alarm message of an SQS queue with raw delivery.
    Sqs,
    /// As the payload of a Lambda alarm action.
    Lambda,
    /// Found by asking CloudWatch, because nothing was delivered.
    Reconciler,
}

/// Identity of one delivery: the same message delivered again has the same one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Delivery {
    /// The way it came.
    pub via: Via,
    /// SNS `MessageId`, EventBridge `id`, SQS message id; at most `limits::DELIVERY_ID_BYTES_MAX` bytes.
    pub id: String,
}

/// What an alarm watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// One metric.
    Metric,
    /// An expression over metrics, or a Metrics Insights query as a whole.
    Math,
    /// A metric against its expected band.
    AnomalyDetection,
    /// Other alarms.
    Composite,
    /// One time series of a query with many.
    Contributor,
    /// A Prometheus query.
    PromQl,
    /// A scheduled query over logs.
    Log,
}

impl AlarmKind {
    /// The name used in feeds and messages: `metric_alarm`, as incident bundles spell it, and its siblings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Metric => "metric_alarm",
            Self::Math => "math_alarm",
            Self::AnomalyDetection => "anomaly_alarm",
            Self::Composite => "composite_alarm",
            Self::Contributor => "contributor_alarm",
            Self::PromQl => "promql_alarm",
            Self::Log => "log_alarm",
        }
    }
}

/// How a value is compared with a threshold or a band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// `GreaterThanThreshold`.
    Greater,
    /// `GreaterThanOrEqualToThreshold`.
    GreaterOrEqual,
    /// `LessThanThreshold`.
    Less,
    /// `LessThanOrEqualToThreshold`.
    LessOrEqual,
    /// `GreaterThanUpperThreshold`: above the band.
    AboveBand,
    /// `LessThanLowerThreshold`: below the band.
    BelowBand,
    /// `LessThanLowerOrGreaterThanUpperThreshold`: on either side of the band.
    OutsideBand,
}

impl Comparison {
    /// The operator of CloudWatch's name for it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "GreaterThanThreshold" => Some(Self::Greater),
            "GreaterThanOrEqualToThreshold" => Some(Self::GreaterOrEqual),
            "LessThanThreshold" => Some(Self::Less),
            "LessThanOrEqualToThreshold" => Some(Self::LessOrEqual),
            "GreaterThanUpperThreshold" => Some(Self::AboveBand),
            "LessThanLowerThreshold" => Some(Self::BelowBand),
            "LessThanLowerOrGreaterThanUpperThreshold" => Some(Self::OutsideBand),
            _ => None,
        }
    }

    /// The direction that is bad; none when both are.
    #[must_use]
    pub fn direction(self) -> Option<Direction> {
        match self {
            Self::Greater | Self::GreaterOrEqual | Self::AboveBand => Some(Direction::Above),
            Self::Less | Self::LessOrEqual | Self::BelowBand => Some(Direction::Below),
            Self::OutsideBand => None,
        }
    }
}

/// One metric or expression of an alarm.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AlarmMetric {
    /// Its identifier within the alarm (`m1`); empty where the delivery had none.
    pub id: String,
    /// Account of the metric, 12 digits, when stated: an alarm of a monitoring account watches metrics of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Namespace (`AWS/Lambda`); empty for an expression.
    pub namespace: String,
    /// Metric name; empty for an expression.
    pub name: String,
    /// Dimensions; empty for an expression.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, String>,
    /// Statistic in the spelling of `GetMetricData` (`Average`, `p99`); empty for an expression.
    pub stat: String,
    /// Period in seconds, when stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_s: Option<u32>,
    /// The expression or query, for an expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<Untrusted>,
    /// Whether the alarm compares this one.
    pub return_data: bool,
}

/// An alarm that a composite alarm watches and that took part in the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Child {
    /// Its ARN.
    pub arn: String,
    /// Its state, when stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<AlarmState>,
    /// Since when it has that state, when stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// The time series that changed, of an alarm with many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contributor {
    /// CloudWatch's identifier of it (16 hexadecimal digits).
    pub id: String,
    /// What tells it from the others (`TableName` → `orders`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// What kept the alarm's actions from being taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressedBy {
    /// The suppressor alarm is in `ALARM`.
    Alarm,
    /// The composite waits whether its suppressor fires.
    WaitPeriod,
    /// The suppressor fired until a moment ago.
    ExtensionPeriod,
    /// A mute rule.
    MuteRule,
    /// Something that this version has no word for; the reason may say.
    Unknown,
}

/// One reason why the alarm's actions were not taken. EventBridge tells of such changes all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// What kept them.
    pub by: SuppressedBy,
    /// CloudWatch's words.
    #[serde(default)]
    pub reason: Untrusted,
    /// Name or ARN of the suppressor alarm or mute rule, when stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Untrusted>,
    /// When it is muted, when stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<TimeSpan>,
}

/// ARNs of what the alarm does on each change of state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmActions {
    /// On the change to `OK`.
    #[serde(default)]
    pub ok: Vec<String>,
    /// On the change to `ALARM`.
    #[serde(default)]
    pub alarm: Vec<String>,
    /// On the change to `INSUFFICIENT_DATA`.
    #[serde(default)]
    pub insufficient_data: Vec<String>,
}

/// One change of state of one alarm, as delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmEvent {
    /// Identity of the delivery.
    pub delivery: Delivery,
    /// The alarm's ARN: the source of account, Region and partition.
    pub arn: String,
    /// Partition (`aws`, `aws-cn`, `aws-us-gov`).
    pub partition: String,
    /// Region code (`ap-northeast-1`), never the display name that alarm messages carry.
    pub region: String,
    /// Account, 12 digits.
    pub account: String,
    /// The alarm's name.
    pub name: Untrusted,
    /// Its description; empty when there is none.
    #[serde(default)]
    pub description: Untrusted,
    /// What it watches.
    pub kind: AlarmKind,
    /// State before; contributors have none in events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<AlarmState>,
    /// State after.
    pub state: AlarmState,
    /// When it changed.
    pub at: Timestamp,
    /// CloudWatch's or a tester's reason; `PromQL` alarms have none.
    #[serde(default)]
    pub reason: Untrusted,
    /// `PARTIAL_DATA`, `EVALUATION_ERROR` or `EVALUATION_FAILURE` when the evaluation itself had a problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<Untrusted>,
    /// Metrics and expressions, in the alarm's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<AlarmMetric>,
    /// Threshold in the metric's unit, when stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// The comparison, when stated (EventBridge does not).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// On which side the threshold or band was left, when numbers or words of the reason say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breach: Option<Direction>,
    /// `missing`, `breaching`, `notBreaching` or `ignore`, when stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treat_missing: Option<Untrusted>,
    /// Rule of a composite alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Untrusted>,
    /// Children of a composite alarm that took part; empty when its state was set by hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Child>,
    /// The time series that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contributor: Option<Contributor>,
    /// Why its actions were not taken; empty when they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressed: Vec<Suppression>,
    /// What it does on a change, when stated (EventBridge does not).
    #[serde(default)]
    pub actions: AlarmActions,
    /// `DEDUPE_STRING` of an investigation-group action: alarms that share it share an investigation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedupe: Option<Untrusted>,
    /// Whether actions are enabled, when stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions_enabled: Option<bool>,
}

impl AlarmEvent {
    /// What is the same for every copy of this change.
    #[must_use]
    pub fn key(&self) -> TransitionKey {
        let contributor = self.contributor.as_ref().map(|c| c.id.clone());
        TransitionKey::new(&self.arn, contributor, self.state, self.at)
    }

    /// Whether CloudWatch itself kept still about this change: recorded, but no reason to investigate.
    #[must_use]
    pub fn is_suppressed(&self) -> bool {
        !self.suppressed.is_empty()
    }
}

/// Identity of a change of state: copies that came through SNS, EventBridge, SQS and the reconciler have the same.
///
/// The reconciler must fill `at` with `StateTransitionedTimestamp`: `StateUpdatedTimestamp` also moves without a
/// change of state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TransitionKey {
    /// The alarm's ARN.
    pub arn: String,
    /// The time series of an alarm with many; none for the alarm as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contributor: Option<String>,
    /// State after.
    pub state: AlarmState,
    /// When it changed, in whole milliseconds: what every way of delivery can carry.
    pub at: Timestamp,
}

impl TransitionKey {
    /// The key of a change; `at` is cut to milliseconds.
    #[must_use]
    pub fn new(arn: &str, contributor: Option<String>, state: AlarmState, at: Timestamp) -> Self {
        let at = Timestamp::from_millis(at.micros().div_euclid(1_000));
        Self { arn: arn.to_owned(), contributor, state, at }
    }

    /// One text for the whole key, to index by: SHA-256 over its canonical form, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        canonical_digest(self)
    }
}
