//! The catalogue of Automation documents that playbooks may name, and the check of a playbook against it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::schema::{ParameterSource, Playbook, Run};
use crate::model::suggestion::Effect;

/// A parameter of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Type as Automation names it: `String`, `StringList`, `Integer`, `AWS::IAM::Role::Arn` …
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether a run without it is refused.
    #[serde(default)]
    pub required: bool,
    /// The only values that are accepted, where the document lists them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// What running it does: one of [`Effect`], or a class that no playbook may use.
    pub effect: String,
    /// Its parameters.
    pub parameters: BTreeMap<String, Parameter>,
}

/// Documents by name, and the names that are never allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Catalogue {
    /// Documents.
    pub documents: BTreeMap<String, Document>,
    /// Fault-injection documents: owned by Amazon like the others, and never to be run.
    pub denied: BTreeSet<String>,
}

/// Everything that is wrong with a playbook, as sentences. Empty when it is fine.
#[must_use]
pub fn check(playbook: &Playbook, catalogue: &Catalogue) -> Vec<String> {
    let mut problems = check_text(playbook);
    match &playbook.run {
        Some(run) => problems.extend(check_run(run, playbook.effect, catalogue)),
        None if playbook.steps.is_empty() && playbook.links.is_empty() => {
            problems.push("`run`, `steps` and `links` are all empty: say what to do".to_owned());
        }
        None if playbook.effect != Effect::ReadOnly => {
            problems.push("`effect` must be `read_only` where nothing is run".to_owned());
        }
        None => {}
    }
    problems
}

fn check_text(playbook: &Playbook) -> Vec<String> {
    let mut problems = Vec::new();
    let id = &playbook.playbook;
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        problems.push(format!("`playbook: {id}`: use lower-case letters, digits and `-`"));
    }
    if playbook.when.resource_kinds.is_empty() {
        problems.push("`when.resource_kinds` is empty: name at least one CloudFormation type".to_owned());
    }
    for link in &playbook.links {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/#?=&%+:,".contains(c);
        if !link.url.starts_with("https://") || !link.url.chars().all(plain) {
            problems.push(format!("`links`: `{}` is not a plain https address", link.url));
        }
    }
    problems
}

fn check_run(run: &Run, effect: Effect, catalogue: &Catalogue) -> Vec<String> {
    let name = &run.document;
    if catalogue.denied.contains(name) {
        return vec![format!("`run.document`: `{name}` injects faults and is never run")];
    }
    let Some(document) = catalogue.documents.get(name) else {
        return vec![format!("`run.document`: `{name}` is not in the catalogue of Automation documents")];
    };
    let mut problems = Vec::new();
    let stated = serde_json::to_value(effect).ok();
    if stated.as_ref().and_then(|v| v.as_str()) != Some(document.effect.as_str()) {
        problems.push(format!(
            "`effect`: `{name}` is `{}` in the catalogue; a playbook may not claim otherwise",
            document.effect
        ));
    }
    for (parameter, known) in &document.parameters {
        if known.required && !run.parameters.contains_key(parameter) {
            problems.push(format!("`run.parameters`: `{name}` requires `{parameter}`"));
        }
    }
    for (parameter, source) in &run.parameters {
        match document.parameters.get(parameter) {
            Some(known) => problems.extend(check_parameter(parameter, source, known)),
            None => problems.push(format!("`run.parameters`: `{name}` has no parameter `{parameter}`")),
        }
    }
    problems
}

/// A parameter's source must be able to give a value of its type.
fn check_parameter(name: &str, source: &ParameterSource, known: &Parameter) -> Vec<String> {
    let constants: Vec<&String> = match source {
        ParameterSource::Constant(value) => vec![value],
        ParameterSource::Constants(values) => values.iter().collect(),
        ParameterSource::Resource(_)
        | ParameterSource::Dimension(_)
        | ParameterSource::Attribute(_)
        | ParameterSource::Change(_)
        | ParameterSource::Incident(_)
        | ParameterSource::Setting(_)
        | ParameterSource::Person(_) => Vec::new(),
    };
    let mut problems = Vec::new();
    for value in constants {
        if !known.allowed.is_empty() && !known.allowed.contains(value) {
            problems.push(format!("`{name}`: `{value}` is not one of {}", known.allowed.join(", ")));
        }
        if known.kind == "Integer" && value.parse::<i64>().is_err() {
            problems.push(format!("`{name}`: `{value}` is not an integer"));
        }
        if known.kind == "Boolean" && !matches!(value.as_str(), "true" | "false") {
            problems.push(format!("`{name}`: `{value}` is neither `true` nor `false`"));
        }
    }
    if matches!(source, ParameterSource::Constants(_)) && !known.kind.ends_with("List") {
        problems.push(format!("`{name}` takes one value (`{}`), not a list", known.kind));
    }
    if known.kind == "AWS::IAM::Role::Arn"
        && !matches!(source, ParameterSource::Setting(_) | ParameterSource::Person(_))
    {
        problems.push(format!("`{name}` is a role: only a setting or a person may name it"));
    }
    if let ParameterSource::Incident(named) = source
        && !matches!(named.name.as_str(), "start" | "end")
    {
        problems.push(format!("`{name}`: `incident` has `start` and `end`, not `{}`", named.name));
    }
    problems
}
