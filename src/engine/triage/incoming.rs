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
    /// The text that must be there; every `*` in it stands for any text.
    pub value: String,
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

/// A silence as it is remembered, also after it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silenced {
    /// What was said.
    pub silence: Silence,
    /// When.
    pub set_at: Timestamp,
    /// By whom.
    pub set_by: String,
    /// When somebody ended it before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
}

impl Silenced {
    /// Whether it silences something now or later.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.silence.window.end > now
    }
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
        text.is_some_and(|t| fits(&self.value, t))
    }
}

/// Whether the text is as the pattern says, whose stars stand for any text. Each piece between stars is taken where it comes
/// first, which is enough and takes no longer than reading.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut pieces = rest.split('*');
    let last = pieces.next_back().unwrap_or_default();
    for piece in pieces {
        let Some((_, after)) = text.split_once(piece) else { return false };
        text = after;
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn stars_stand_for_any_text_and_everything_else_for_itself() {
        for (pattern, text, fit) in [
            ("orders", "orders", true),
            ("orders", "orders-p99", false),
            ("orders*", "orders-p99", true),
            ("*p99", "orders-p99", true),
            ("*p99", "orders-p99-old", false),
            ("orders-*-p99", "orders-eu-p99", true),
            ("orders-*-p99", "orders-p99", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a**c", "abc", true),
            ("aa*aa", "aaa", false),
            ("*", "", true),
            ("", "x", false),
            ("注文*", "注文サービス", true),
            ("o?ders", "orders", false),
        ] {
            assert_eq!(fits(pattern, text), fit, "{pattern} {text}");
        }
    }
}
