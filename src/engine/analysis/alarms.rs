//! Alarm transitions near the onset: which belong to the feed.

use crate::limits::Limits;
use crate::model::alarm::AlarmTransition;
use crate::model::resource::ResourceId;

use super::queries;
use super::scope::Scope;

/// Seconds by which the records of one transition differ between what sends them.
const SAME_MOMENT_S: i64 = 5;

/// One transition per alarm, state and instant, nearest to the onset first, at most as many as the limit says.
#[must_use]
pub fn select(scope: &Scope, mut transitions: Vec<AlarmTransition>, limits: &Limits) -> Vec<AlarmTransition> {
    transitions.retain(|t| t.at < scope.alarm.window.end);
    for transition in &mut transitions {
        transition.query = Some(queries::alarm(transition.name.raw(), scope.alarm.window));
        transition.resource = transition.resource.take().or_else(|| watched(scope, transition));
    }
    let key =
        |t: &AlarmTransition| ((t.at.micros() - scope.onset.micros()).abs(), t.name.raw().to_owned(), t.to);
    transitions.sort_by_key(key);
    transitions.dedup_by(|a, b| a.name == b.name && a.to == b.to && a.at == b.at);
    transitions.truncate(limits.alarm_transitions_max);
    transitions.sort_by_key(|t| (t.at, t.name.raw().to_owned()));
    transitions
}

/// The transition that started the investigation watches the alarmed resource: same metric, same moment.
fn watched(scope: &Scope, transition: &AlarmTransition) -> Option<ResourceId> {
    let same_metric = transition.metric.as_deref() == Some(scope.alarm.metric.as_str());
    let same_moment = transition.at.secs_since(scope.alarm.at).abs() <= SAME_MOMENT_S;
    (same_metric && same_moment).then(|| scope.target().clone())
}
