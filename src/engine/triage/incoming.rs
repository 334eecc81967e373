//! What triage is given: one transition of one alarm, who uses whom, silences.
//!
//! Not here: reading messages (the shell maps them to [`Incoming`]) and what follows from them.

use serde::{Deserialize, Serialize};

use crate::model::alarm::AlarmState;
use crate::model::resource::ResourceId;
use crate::model::text::Untrusted;
use crate::model::time::{TimeSpan, Timestamp};

/// An account and a region: where alarms share causes unless an edge says more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// AWS account, 12 digits.
    pub account: String,
    /// AWS region such as `ap-northeast-1`.
    pub region: String,
}

/// One alarm, or one contributor of an alarm that watches many.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AlarmKey {
    /// The alarm's ARN.
    pub arn: String,
    /// CloudWatch's identifier of the contributor, when the alarm has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contributor: Option<String>,
}

/// What an alarm is about, as well as it can be told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "watched", content = "id", rename_all = "snake_case")]
pub enum Watched {
    /// A resource.
    Resource(ResourceId),
    /// Some resource of this service (by tag).
    Service(String),
    /// Nothing is known but the alarm itself.
    Alarm(AlarmKey),
}

/// A node of the topology: the same name in another account or region is another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Node {
    /// Where.
    pub scope: Scope,
    /// What.
    #[serde(flatten)]
    pub watched: Watched,
}

impl Node {
    /// A resource in an account and a region.
    #[must_use]
    pub fn resource(scope: Scope, id: ResourceId) -> Self {
        Self { scope, watched: Watched::Resource(id) }
    }
}

/// A directed dependency: the caller uses the callee. Ends in different scopes are an explicit cross-account edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// The one that uses.
    pub caller: Node,
    /// The one that is used.
    pub callee: Node,
}

/// How bad people said that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Can wait.
    Low,
    /// Nobody said.
    #[default]
    Medium,
    /// Soon.
    High,
    /// Now.
    Critical,
}

/// That the source itself held the alarm's actions back (a mute rule, a composite that suppresses).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// The source's reason.
    pub reason: Untrusted,
    /// When it ends, if the source said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// One delivery of one transition. Deliveries repeat, come late and out of order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    /// Identity of the delivery: SNS `MessageId`, EventBridge `id`.
    pub delivery: String,
    /// Which alarm.
    pub alarm: AlarmKey,
    /// Its name.
    pub name: Untrusted,
    /// Where.
    pub scope: Scope,
    /// The resource that it watches, when that could be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceId>,
    /// The service's tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// State after the change.
    pub state: AlarmState,
    /// When it changed, by the source's clock.
    pub at: Timestamp,
    /// How bad people said that it is.
    #[serde(default)]
    pub severity: Severity,
    /// Value of `#DEDUPE_STRING=`: people's own statement that alarms belong together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedupe: Option<String>,
    /// ARNs of the alarms that a composite alarm is made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<String>,
    /// Set when the source held the alarm's actions back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<Suppression>,
}

impl Incoming {
    /// What the alarm is about: its resource, else its service, else itself.
    #[must_use]
    pub fn node(&self) -> Node {
        let watched = match (&self.resource, &self.service) {
            (Some(resource), _) => Watched::Resource(resource.clone()),
            (None, Some(service)) => Watched::Service(service.clone()),
            (None, None) => Watched::Alarm(self.alarm.clone()),
        };
        Node { scope: self.scope.clone(), watched }
    }
}

/// What a matcher looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The account.
    Account,
    /// The region.
    Region,
    /// The service's tag.
    Service,
    /// The resource.
    Resource,
    /// The alarm's name as it came.
    Name,
    /// The alarm's ARN.
    Arn,
}

/// One condition of a silence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Matcher {
    /// What it looks at.
    pub field: Field,
    /// The text that must be there.
    pub value: String,
    /// Whether the field may go on after the text.
    #[serde(default)]
    pub prefix: bool,
}

/// A silence: alarms that fulfil all matchers are shown and not investigated while it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its identifier.
    pub id: String,
    /// All must hold; a silence without matchers silences nothing.
    pub matchers: Vec<Matcher>,
    /// While.
    pub window: TimeSpan,
    /// Why, in its author's words.
    pub reason: Untrusted,
}

impl Silence {
    /// Whether the alarm is silenced at this instant.
    #[must_use]
    pub fn covers(&self, incoming: &Incoming, now: Timestamp) -> bool {
        self.window.contains(now)
            && !self.matchers.is_empty()
            && self.matchers.iter().all(|m| m.fits(incoming))
    }
}

impl Matcher {
    fn fits(&self, incoming: &Incoming) -> bool {
        let text = match self.field {
            Field::Account => Some(incoming.scope.account.as_str()),
            Field::Region => Some(incoming.scope.region.as_str()),
            Field::Service => incoming.service.as_deref(),
            Field::Resource => incoming.resource.as_ref().map(ResourceId::as_str),
            Field::Name => Some(incoming.name.raw()),
            Field::Arn => Some(incoming.alarm.arn.as_str()),
        };
        text.is_some_and(|t| if self.prefix { t.starts_with(&self.value) } else { t == self.value })
    }
}
