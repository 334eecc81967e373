//! Alarm transitions near the onset: which belong to the feed.

use crate::limits::Limits;
use crate::model::alarm::AlarmTransition;

use super::scope::Scope;

/// One transition per alarm, state and instant, nearest to the onset first, at most as many as the limit says.
#[must_use]
pub fn select(scope: &Scope, mut transitions: Vec<AlarmTransition>, limits: &Limits) -> Vec<AlarmTransition> {
    transitions.retain(|t| t.at < scope.alarm.window.end);
    let key =
        |t: &AlarmTransition| ((t.at.micros() - scope.onset.micros()).abs(), t.name.raw().to_owned(), t.to);
    transitions.sort_by_key(key);
    transitions.dedup_by(|a, b| a.name == b.name && a.to == b.to && a.at == b.at);
    transitions.truncate(limits.alarm_transitions_max);
    transitions.sort_by_key(|t| (t.at, t.name.raw().to_owned()));
    transitions
}
