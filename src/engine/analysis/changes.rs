//! Changes near the onset: deployments, configuration, API calls that change something.
//!
//! A change is never evidence alone. It strengthens a candidate that other evidence points to.

use std::collections::BTreeMap;

use crate::limits::Limits;
use crate::model::observation::{ChangeEvent, Observation, Provenance, Signal};
use crate::model::query::Source;
use crate::model::telemetry::Change;
use crate::model::text::Untrusted;

use super::queries;
use super::scope::Scope;

/// Observations of the changes, nearest to the onset first. Changes after the window are not looked at.
#[must_use]
pub fn observe(scope: &Scope, changes: &[Change], limits: &Limits) -> Vec<Observation> {
    let mut near: Vec<&Change> = changes.iter().filter(|c| c.at < scope.alarm.window.end).collect();
    near.sort_by_key(|c| ((scope.onset.micros() - c.at.micros()).abs(), c.resource.clone(), c.kind.clone()));
    near.dedup();
    near.into_iter().take(limits.change_observations_max).map(|c| observe_one(scope, c)).collect()
}

fn observe_one(scope: &Scope, change: &Change) -> Observation {
    let span = crate::model::time::TimeSpan::new(change.at, change.at.plus_secs(1));
    // Without the event itself there is only what somebody wrote about it.
    let provenance = if change.attributes.is_empty() {
        Provenance::ExternallyControllable
    } else {
        Provenance::ControlPlane
    };
    Observation {
        resource: change.resource.clone(),
        peer: None,
        source: Source::Changes,
        provenance,
        query: queries::change(&change.resource, span),
        span,
        since: change.at,
        signal: Signal::Change(ChangeEvent {
            kind: Untrusted::new(&change.kind),
            actor: Untrusted::new(&change.actor),
            summary: Untrusted::new(&change.summary),
            attributes: facts(&change.attributes),
            before_onset_s: lead_s(scope, change),
        }),
    }
}

/// Seconds from the change to the onset; negative when it came after. The onset is known to a period: a change inside
/// that period came at the onset, not after it.
fn lead_s(scope: &Scope, change: &Change) -> i64 {
    let lead = scope.onset.secs_since(change.at);
    if lead < 0 && -lead <= scope.onset_within_s { 0 } else { lead }
}

/// The fields that runbooks need, by stable names, out of the shapes in which AWS reports changes. Everything else of
/// the event is dropped: it is large, and its author may be anybody.
fn facts(event: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let get = |key: &str| event.get(key).or_else(|| event.get(&format!("detail.{key}"))).cloned();
    let mut facts = BTreeMap::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            facts.entry(name.to_owned()).or_insert(value);
        }
    };
    put("eventName", get("eventName"));
    put("deploymentId", get("deploymentId"));
    put("taskDefinition", get("requestParameters.taskDefinition"));
    put("previousTaskDefinition", previous_task_definition(event));
    // CloudTrail UpdateAlias of Lambda, and deployment tools that note both versions.
    put("functionVersion", get("requestParameters.functionVersion"));
    let is_alias = get("eventName").is_some_and(|name| name.contains("Alias"));
    put("aliasName", get("requestParameters.name").filter(|_| is_alias));
    put("previousVersion", get("previousVersion"));
    put("previousDeploymentId", get("previousDeploymentId"));
    facts
}

/// What ran before, out of CloudTrail's `UpdateService`: the answer lists deployments, of which `PRIMARY` is wanted now
/// and `ACTIVE` still runs. Only another revision of the same family can be gone back to.
fn previous_task_definition(event: &BTreeMap<String, String>) -> Option<String> {
    let deployments: Vec<(&str, &String)> = event
        .iter()
        .filter_map(|(key, status)| key.strip_suffix(".status").map(|prefix| (prefix, status)))
        .filter(|(prefix, _)| prefix.contains("deployments."))
        .collect();
    let definition = |wanted: &str| {
        let (prefix, _) = deployments.iter().find(|(_, status)| status.as_str() == wanted)?;
        event.get(&format!("{prefix}.taskDefinition")).filter(|arn| arn.starts_with("arn:"))
    };
    let (primary, active) = (definition("PRIMARY")?, definition("ACTIVE")?);
    let family = |arn: &str| arn.rsplit_once(':').map(|(family, _)| family.to_owned());
    (primary != active && family(primary) == family(active)).then(|| active.clone())
}
