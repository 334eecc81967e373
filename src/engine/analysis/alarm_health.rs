//! What is wrong with the alarms themselves. Nothing here takes part in the ranking: an alarm that is set up badly hides or
//! invents incidents, it does not cause them.

use crate::model::alarm::{AlarmState, AlarmTransition};
use crate::model::alarm_health::{AlarmDefinition, AlarmFault, AlarmHealth, MissingData, Told};

use super::scope::Scope;

/// Alarms of one investigation whose set-up is judged: its own first.
const ALARMS_MAX: usize = 20;

/// An alarm that fires so often in what is known of its past does not tell an incident from a moment.
const FLAPS_MIN: u32 = 3;

/// The alarms with something wrong, the investigation's own first, then by name.
#[must_use]
pub fn judge(
    scope: &Scope,
    mut definitions: Vec<AlarmDefinition>,
    transitions: &[AlarmTransition],
) -> Vec<AlarmHealth> {
    definitions.sort_by_cached_key(|d| (!is_own(scope, d), d.name.raw().to_owned()));
    definitions.dedup_by(|a, b| a.name == b.name);
    let mut found: Vec<AlarmHealth> = Vec::new();
    for definition in definitions {
        let own = is_own(scope, &definition);
        let changes: Vec<&AlarmTransition> =
            transitions.iter().filter(|t| t.name == definition.name).collect();
        let mut faults = misleading(&definition, &changes);
        // Whom alarms tell is the business of those who read about this one.
        faults.extend(definition.told.filter(|_| own).map(untold).unwrap_or_default());
        faults.sort_unstable();
        if !faults.is_empty() {
            let resource = definition.resource.or_else(|| own.then(|| scope.target().clone()));
            found.push(AlarmHealth { name: definition.name, resource, faults });
        }
    }
    found.truncate(ALARMS_MAX);
    found
}

/// Whether it is the alarm that the investigation is about.
fn is_own(scope: &Scope, definition: &AlarmDefinition) -> bool {
    let alarm = &scope.alarm;
    definition.name == alarm.title
        || definition.metric.as_deref() == Some(alarm.metric.as_str())
            && definition.resource.as_ref().is_none_or(|r| r == &alarm.resource)
}

/// What makes an alarm say something else than what is the case.
fn misleading(definition: &AlarmDefinition, changes: &[&AlarmTransition]) -> Vec<AlarmFault> {
    let mut faults = Vec::new();
    let past = definition.past;
    let fires = |t: &&&AlarmTransition| t.to == AlarmState::Alarm;
    let on_missing = |t: &&&AlarmTransition| says_missing(t.reason.raw());
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let seen = count(changes.iter().filter(fires).count());
    let seen_on_missing = count(changes.iter().filter(fires).filter(on_missing).count());
    let fired = past.map_or(0, |p| p.fired).max(seen);
    let fired_on_missing = past.map_or(0, |p| p.fired_on_missing).max(seen_on_missing);
    let ok_seen = changes.iter().any(|t| t.to == AlarmState::Ok || t.from == Some(AlarmState::Ok));
    if let Some(past) = past.filter(|p| !p.was_ok && !ok_seen && definition.state == Some(AlarmState::Alarm))
    {
        faults.push(AlarmFault::NeverOk { since: past.since });
    }
    match definition.missing {
        Some(MissingData::Breaching) if fired_on_missing > 0 => {
            faults.push(AlarmFault::MissingFires { times: fired_on_missing });
        }
        Some(MissingData::NotBreaching) if definition.below => faults.push(AlarmFault::MissingHides),
        Some(MissingData::Ignore) => faults.push(AlarmFault::MissingFreezes),
        Some(MissingData::Breaching | MissingData::NotBreaching | MissingData::Missing) | None => {}
    }
    if definition.datapoints.or(definition.periods) == Some(1) && fired >= FLAPS_MIN {
        faults.push(AlarmFault::Flaps { times: fired });
    }
    faults.extend(definition.evaluation.map(|problem| AlarmFault::Evaluation { problem }));
    faults.extend(definition.told.filter(|t| t.suppressed).map(|_| AlarmFault::ActionsSuppressed));
    faults
}

fn untold(told: Told) -> Vec<AlarmFault> {
    if !told.enabled {
        return vec![AlarmFault::ActionsDisabled];
    }
    let mut faults = Vec::new();
    faults.extend((told.alarm == 0).then_some(AlarmFault::NoAction));
    faults.extend((told.ok == 0 && told.alarm > 0).then_some(AlarmFault::NoOkAction));
    faults
}

/// Whether CloudWatch's reason says that data were missing: `no datapoints were received for 1 period and 1 missing
/// datapoint was treated as [Breaching]`.
#[must_use]
pub fn says_missing(reason: &str) -> bool {
    reason.contains("treated as [Breaching]") || reason.contains("no datapoints were received")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::topology::Graph;
    use crate::model::alarm::{Alarm, Direction};
    use crate::model::alarm_health::{Evaluation, Past};
    use crate::model::observation::Provenance;
    use crate::model::resource::ResourceId;
    use crate::model::text::Untrusted;
    use crate::model::time::{TimeSpan, Timestamp};
    use std::collections::BTreeMap;

    fn scope() -> Scope {
        let at = Timestamp::from_secs;
        let alarm = Alarm {
            kind: "metric_alarm".to_owned(),
            title: Untrusted::new("own"),
            resource: ResourceId::new("front"),
            metric: "m".to_owned(),
            stat: String::new(),
            direction: Direction::Above,
            at: at(1_000),
            window: TimeSpan::new(at(900), at(1_500)),
            baseline: Vec::new(),
        };
        Scope::new(alarm, Graph::new(&[], &[]), at(1_000), 0)
    }

    fn plain(name: &str) -> AlarmDefinition {
        AlarmDefinition {
            name: Untrusted::new(name),
            resource: None,
            metric: Some("other".to_owned()),
            state: Some(AlarmState::Alarm),
            below: false,
            datapoints: Some(3),
            periods: Some(3),
            missing: Some(MissingData::Missing),
            told: Some(Told { enabled: true, alarm: 1, ok: 1, suppressed: false }),
            evaluation: None,
            past: None,
        }
    }

    fn fired(name: &str, at: i64, reason: &str) -> AlarmTransition {
        AlarmTransition {
            name: Untrusted::new(name),
            arn: None,
            resource: None,
            from: None,
            to: AlarmState::Alarm,
            at: Timestamp::from_secs(at),
            metric: None,
            threshold: None,
            dimensions: BTreeMap::new(),
            reason: Untrusted::new(reason),
            query: None,
            provenance: Provenance::ControlPlane,
        }
    }

    fn faults(definition: AlarmDefinition, transitions: &[AlarmTransition]) -> Vec<AlarmFault> {
        judge(&scope(), vec![definition], transitions).into_iter().flat_map(|h| h.faults).collect()
    }

    #[test]
    fn what_is_wrong_with_an_alarm_is_told_and_nothing_else() {
        let told = |enabled, alarm, ok, suppressed| Some(Told { enabled, alarm, ok, suppressed });
        let past = |was_ok, fired, fired_on_missing| {
            Some(Past { since: Timestamp::from_secs(5), was_ok, fired, fired_on_missing })
        };
        let since = Timestamp::from_secs(5);
        for (definition, expected) in [
            (plain("own"), vec![]),
            (
                AlarmDefinition { past: past(false, 1, 0), ..plain("own") },
                vec![AlarmFault::NeverOk { since }],
            ),
            (AlarmDefinition { past: past(true, 1, 0), ..plain("own") }, vec![]),
            (AlarmDefinition { told: told(true, 0, 0, false), ..plain("own") }, vec![AlarmFault::NoAction]),
            (AlarmDefinition { told: told(true, 1, 0, false), ..plain("own") }, vec![AlarmFault::NoOkAction]),
            (
                AlarmDefinition { told: told(false, 1, 1, false), ..plain("own") },
                vec![AlarmFault::ActionsDisabled],
            ),
            // Whom other alarms tell is not what people look at now; that they are suppressed is.
            (AlarmDefinition { told: told(true, 0, 0, false), ..plain("other") }, vec![]),
            (
                AlarmDefinition { told: told(true, 1, 1, true), ..plain("other") },
                vec![AlarmFault::ActionsSuppressed],
            ),
            (AlarmDefinition { missing: Some(MissingData::NotBreaching), ..plain("own") }, vec![]),
            (
                AlarmDefinition { missing: Some(MissingData::NotBreaching), below: true, ..plain("own") },
                vec![AlarmFault::MissingHides],
            ),
            (
                AlarmDefinition { missing: Some(MissingData::Ignore), ..plain("own") },
                vec![AlarmFault::MissingFreezes],
            ),
            (
                AlarmDefinition {
                    missing: Some(MissingData::Breaching),
                    past: past(true, 2, 0),
                    ..plain("own")
                },
                vec![],
            ),
            (
                AlarmDefinition {
                    missing: Some(MissingData::Breaching),
                    past: past(true, 2, 2),
                    ..plain("own")
                },
                vec![AlarmFault::MissingFires { times: 2 }],
            ),
            (AlarmDefinition { datapoints: Some(1), past: past(true, 2, 0), ..plain("own") }, vec![]),
            (
                AlarmDefinition { datapoints: Some(1), past: past(true, 9, 0), ..plain("own") },
                vec![AlarmFault::Flaps { times: 9 }],
            ),
            (
                AlarmDefinition { evaluation: Some(Evaluation::PartialData), ..plain("other") },
                vec![AlarmFault::Evaluation { problem: Evaluation::PartialData }],
            ),
        ] {
            assert_eq!(faults(definition.clone(), &[]), expected, "{definition:?}");
        }
    }

    #[test]
    fn transitions_of_the_window_count_where_the_past_is_not_known() {
        let reason = "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [Breaching].";
        let transitions: Vec<_> = (0..3).map(|i| fired("own", 900 + i, reason)).collect();
        let sparse = AlarmDefinition {
            missing: Some(MissingData::Breaching),
            periods: Some(1),
            datapoints: None,
            ..plain("own")
        };
        let expected = [AlarmFault::MissingFires { times: 3 }, AlarmFault::Flaps { times: 3 }];
        assert_eq!(faults(sparse, &transitions), expected);
    }

    #[test]
    fn the_treatment_of_missing_data_is_read_as_messages_spell_it() {
        for (text, expected) in [
            ("missing", Some(MissingData::Missing)),
            ("- TreatMissingData:                    notBreaching", Some(MissingData::NotBreaching)),
            ("ignore", Some(MissingData::Ignore)),
            ("breaching", Some(MissingData::Breaching)),
            ("", None),
        ] {
            assert_eq!(MissingData::from_name(text), expected, "{text}");
        }
    }
}
