//! How an alarm is set up, and what is wrong with that: facts about the alarm itself, never about what caused an incident.

use serde::{Deserialize, Serialize};

use super::alarm::AlarmState;
use super::resource::ResourceId;
use super::text::Untrusted;
use super::time::Timestamp;

/// What an alarm takes missing data for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MissingData {
    /// For missing: the alarm says so.
    Missing,
    /// For nothing: the state stays as it is.
    Ignore,
    /// For data beyond the threshold.
    Breaching,
    /// For data inside it.
    NotBreaching,
}

impl MissingData {
    /// As CloudWatch writes it, the prefix included that some messages have.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name.rsplit([' ', ':']).next().unwrap_or_default() {
            "missing" => Some(Self::Missing),
            "ignore" => Some(Self::Ignore),
            "breaching" => Some(Self::Breaching),
            "notBreaching" => Some(Self::NotBreaching),
            _ => None,
        }
    }
}

/// What CloudWatch says of its own evaluation of an alarm, when something is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Evaluation {
    /// Only part of the data was looked at.
    PartialData,
    /// The alarm is configured in a way that cannot be evaluated.
    EvaluationError,
    /// CloudWatch failed.
    EvaluationFailure,
}

/// Whom an alarm tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Whether its actions are switched on.
    pub enabled: bool,
    /// Actions when it fires.
    pub alarm: u32,
    /// Actions when it is OK again.
    pub ok: u32,
    /// Whether another alarm suppresses its actions now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suppressed: bool,
}

/// What is left of an alarm's changes of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// The oldest change that is known.
    pub since: Timestamp,
    /// Whether it was ever OK.
    pub was_ok: bool,
    /// How often it fired.
    pub fired: u32,
    /// How often it fired because data were missing.
    pub fired_on_missing: u32,
}

/// An alarm as it is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmDefinition {
    /// Its name.
    pub name: Untrusted,
    /// The resource it watches, when its dimensions tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceId>,
    /// The metric it watches, when it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Its state now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<AlarmState>,
    /// Whether it fires when its metric is low.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub below: bool,
    /// Data points of which so many …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datapoints: Option<u32>,
    /// … out of so many periods make it fire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub periods: Option<u32>,
    /// What it takes missing data for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingData>,
    /// Whom it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
    /// What CloudWatch says of its evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<Evaluation>,
    /// Its past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub past: Option<Past>,
}

/// Something that is wrong with an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum AlarmFault {
    /// It fires and was not OK since then: it tells nothing about now.
    NeverOk {
        /// The oldest change that is known.
        since: Timestamp,
    },
    /// Nothing is told to anybody when it fires.
    NoAction,
    /// Its actions are switched off.
    ActionsDisabled,
    /// Another alarm suppresses its actions.
    ActionsSuppressed,
    /// Nobody is told when it is over.
    NoOkAction,
    /// It fires when its metric is low, and takes missing data for healthy: what stops altogether does not make it fire.
    MissingHides,
    /// It keeps its state while data are missing.
    MissingFreezes,
    /// It fires on missing data, and did.
    MissingFires {
        /// How often.
        times: u32,
    },
    /// One data point makes it fire, and it did again and again.
    Flaps {
        /// How often.
        times: u32,
    },
    /// CloudWatch does not evaluate it as it should.
    Evaluation {
        /// What CloudWatch says.
        problem: Evaluation,
    },
}

/// What is wrong with one alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmHealth {
    /// The alarm's name.
    pub name: Untrusted,
    /// The resource it watches, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceId>,
    /// What is wrong; never empty.
    pub faults: Vec<AlarmFault>,
}
