//! Changes near the onset: deployments, configuration, API calls that change something.
//!
//! A change is never evidence alone. It strengthens a candidate that other evidence points to.

use std::collections::BTreeMap;

use crate::limits::Limits;
use crate::model::observation::{ChangeEvent, Observation, Provenance, Signal};
use crate::model::query::{Query, Source};
use crate::model::telemetry::Change;
use crate::model::text::Untrusted;

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
    Observation {
        resource: change.resource.clone(),
        peer: None,
        source: Source::Changes,
        provenance: Provenance::ControlPlane,
        query: Query::new(
            "cloudtrail",
            "LookupEvents",
            [
                ("ResourceName", change.resource.as_str().to_owned()),
                ("StartTime", span.start.to_string()),
                ("EndTime", span.end.to_string()),
            ],
        ),
        span,
        since: change.at,
        signal: Signal::Change(ChangeEvent {
            kind: Untrusted::new(&change.kind),
            actor: Untrusted::new(&change.actor),
            summary: Untrusted::new(&change.summary),
            attributes: facts(&change.attributes),
            before_onset_s: scope.onset.secs_since(change.at),
        }),
    }
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
    // CloudTrail UpdateService: what is wanted now, and what runs beside it was wanted before.
    let wanted = get("requestParameters.taskDefinition");
    let running = event.iter().filter(|(k, _)| k.contains("deployments.") && k.ends_with(".taskDefinition"));
    let previous = wanted.as_ref().and_then(|w| {
        running.map(|(_, v)| v).find(|v| !v.ends_with(w.as_str()) && v.starts_with("arn:")).cloned()
    });
    put("taskDefinition", wanted);
    put("previousTaskDefinition", get("previousTaskDefinition").or(previous));
    // CloudTrail UpdateAlias of Lambda, and deployment tools that note both versions.
    put("functionVersion", get("requestParameters.functionVersion"));
    put("aliasName", get("requestParameters.name"));
    put("previousVersion", get("previousVersion"));
    put("previousDeploymentId", get("previousDeploymentId"));
    facts
}
