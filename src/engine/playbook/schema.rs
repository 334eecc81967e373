//! The playbook schema: what a YAML file under `playbooks/` may say. `playbooks/README.md` explains it to people.
//!
//! Unknown keys are refused, so that a misspelt precondition cannot silently vanish.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::cause::Mechanism;
use crate::model::observation::{Movement, PatternChange, Severity};
use crate::model::suggestion::{Effect, Risk};

/// A text in the languages of the readers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// English.
    pub en: String,
    /// Japanese.
    pub ja: String,
}

/// A playbook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Playbook {
    /// Its identifier: the file's name without `.yaml`.
    pub playbook: String,
    /// What it does, in one line.
    pub title: Words,
    /// When it applies.
    pub when: When,
    /// The runbook to run; absent for a playbook of checks and links only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// What running it does to the world.
    pub effect: Effect,
    /// How much can go wrong.
    pub risk: Risk,
    /// What a person must make sure of first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preconditions: Vec<Words>,
    /// What should happen.
    pub expect: Words,
    /// How recovery is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryRule>,
    /// How to undo it.
    pub undo: Words,
    /// Steps for people, where no runbook does them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Words>,
    /// Documentation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
}

/// When a playbook applies: kind of resource and mechanism, all of `all`, and one of `any` if there are some.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// CloudFormation types of the resource at fault; a trailing `*` matches any end.
    pub resource_kinds: Vec<String>,
    /// Mechanisms; empty means any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mechanisms: Vec<Mechanism>,
    /// Conditions that must all be observed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all: Vec<Condition>,
    /// Conditions of which one must be observed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any: Vec<Condition>,
}

/// A condition on the observations of the resource at fault. Exactly one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Condition {
    /// A metric deviates.
    Metric(MetricCondition),
    /// A log pattern changed.
    Log(LogCondition),
    /// Calls to the resource got slower or failed.
    Link(LinkCondition),
    /// The resource was changed.
    Change(ChangeCondition),
}

/// A metric deviates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricCondition {
    /// Metric names as CloudWatch spells them; any of them.
    pub names: Vec<String>,
    /// Which way it must move.
    pub movement: Movement,
    /// How clearly, 0..1.
    #[serde(default = "default_strength")]
    pub min_strength: f64,
    /// The level it must have reached, in its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_level: Option<f64>,
}

/// A log pattern changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogCondition {
    /// Text that the pattern must contain, in any case; any of them.
    pub contains: Vec<String>,
    /// What must have changed; empty means new or more frequent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub change: Vec<PatternChange>,
    /// The least severity.
    #[serde(default = "default_severity")]
    pub min_severity: Severity,
}

/// Calls to the resource got slower or failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkCondition {
    /// How clearly, 0..1.
    #[serde(default = "default_strength")]
    pub min_strength: f64,
    /// Whether the calls must fail, not only be slow.
    #[serde(default)]
    pub failing: bool,
}

/// The resource was changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeCondition {
    /// Kinds of change (`deployment`, `configuration` …); empty means any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// At most this many seconds before the onset.
    pub within_s: i64,
}

/// The runbook to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Automation document.
    pub document: String,
    /// Its version.
    #[serde(default = "default_version")]
    pub version: String,
    /// Parameters of the document, each from an observed fact or a stated constant.
    pub parameters: BTreeMap<String, ParameterSource>,
}

/// Where a parameter comes from. Exactly one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum ParameterSource {
    /// The identifier of the resource at fault: `resource: {}`.
    Resource(Shape),
    /// A CloudWatch dimension of one of its metrics: `dimension: {name: ClusterName}`.
    Dimension(Named),
    /// An attribute that the topology states: `attribute: {name: Arn}`.
    Attribute(Named),
    /// A field of a change event on it: `change: {name: previousTaskDefinition}`.
    Change(Named),
    /// The incident's own time: `incident: {name: start}` (or `end`), RFC 3339.
    Incident(Named),
    /// A constant: `constant: "2"`.
    Constant(String),
    /// A list of constants: `constants: [a, b]`.
    Constants(Vec<String>),
    /// A setting of the operator: `setting: {name: automation_role}`.
    Setting(Named),
    /// Nobody can know it but a person: `person: {ask: {en: …, ja: …}}`.
    Person(Ask),
}

/// What an observed value must look like. Values that do not are not bound.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// The value must begin with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// A named fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// The value must begin with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// A question to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The question.
    pub ask: Words,
}

/// How recovery is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryRule {
    /// Seconds after the run in which the effect must show.
    pub within_s: u32,
    /// Seconds for which it must hold.
    pub hold_s: u32,
}

/// A link for people. Only ever shown as text beside its host; never fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// What it is.
    pub title: Words,
    /// Where: `https://` only.
    pub url: String,
}

fn default_strength() -> f64 {
    0.5
}

fn default_severity() -> Severity {
    Severity::Info
}

fn default_version() -> String {
    "$DEFAULT".to_owned()
}
