//! Proves recovery: alarm OK and held, deviating metrics back inside their own range. Numbers, not hope.

use std::collections::BTreeMap;

use crate::model::alarm::{AlarmState, AlarmTransition};
use crate::model::execution::{Recovery, RecoveryMeasure, Verdict};
use crate::model::id::ItemId;
use crate::model::num::{real, tidy};
use crate::model::observation::{MetricDeviation, Observation, Signal};
use crate::model::telemetry::Series;
use crate::model::time::Timestamp;

/// What the judgement works on.
#[derive(Debug)]
pub struct Aftermath<'a> {
    /// The suggestion whose run is judged.
    pub suggestion: ItemId,
    /// When the run began: an alarm that went back to OK while it was going on did so because of it.
    pub began: Timestamp,
    /// When the run ended.
    pub since: Timestamp,
    /// Until when it was watched.
    pub until: Timestamp,
    /// What the playbook demands.
    pub rule: Rule,
    /// Metric deviations that must end: the alarmed resource's and those that carry the hypothesis.
    pub deviations: Vec<(ItemId, &'a Observation)>,
    /// Series after the run.
    pub series: &'a [Series],
    /// Alarm transitions after the run.
    pub alarms: &'a [AlarmTransition],
    /// Name of the alarm that started the investigation, when one is known.
    pub alarm: Option<&'a str>,
}

/// How recovery is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Seconds after the run in which the effect must show.
    pub within_s: i64,
    /// Seconds for which it must hold.
    pub hold_s: i64,
}

impl Default for Rule {
    /// Where a playbook says nothing: a quarter of an hour, held for two minutes.
    fn default() -> Self {
        Self { within_s: 900, hold_s: 120 }
    }
}

/// A level this share of the way from the incident's to the usual one is not back yet.
const BACK_SHARE: f64 = 0.2;

/// A level this much beyond the incident's own deviation is worse.
const WORSE: f64 = 1.3;

/// Points that a series needs after the run to be judged.
const POINTS_MIN: usize = 3;

/// Judges.
#[must_use]
pub fn judge(aftermath: &Aftermath<'_>) -> Recovery {
    let series = by_identity(aftermath.series);
    let measures: Vec<RecoveryMeasure> = aftermath
        .deviations
        .iter()
        .filter_map(|(id, o)| match &o.signal {
            Signal::MetricDeviation(m) => Some(measure(aftermath, *id, o, m, &series)),
            Signal::LogPattern(_) | Signal::TraceLink(_) | Signal::Change(_) => None,
        })
        .collect();
    let alarm_ok_at = alarm_ok_at(aftermath);
    let all_back = measures.iter().filter_map(|m| m.back_since).chain(alarm_ok_at).max();
    let verdict = verdict(&measures, alarm_ok_at.is_some(), all_back, aftermath);
    let seconds_to_recovery = (verdict == Verdict::Recovered)
        .then_some(all_back)
        .flatten()
        .map(|t| t.secs_since(aftermath.since).max(0));
    Recovery { suggestion: Some(aftermath.suggestion), verdict, alarm_ok_at, seconds_to_recovery, measures }
}

type Identity<'a> = (&'a str, &'a str, &'a str, &'a BTreeMap<String, String>);

fn by_identity(series: &[Series]) -> BTreeMap<Identity<'_>, &Series> {
    series
        .iter()
        .map(|s| ((s.id.resource.as_str(), s.id.name.as_str(), s.id.stat.as_str(), &s.id.dimensions), s))
        .collect()
}

fn measure(
    aftermath: &Aftermath<'_>,
    item: ItemId,
    observation: &Observation,
    m: &MetricDeviation,
    series: &BTreeMap<Identity<'_>, &Series>,
) -> RecoveryMeasure {
    let key = (observation.resource.as_str(), m.metric.as_str(), m.stat.as_str(), &m.dimensions);
    let mut points: Vec<(Timestamp, f64)> = series
        .get(&key)
        .map(|s| s.points.iter().copied().filter(|(t, v)| *t >= aftermath.since && v.is_finite()).collect())
        .unwrap_or_default();
    points.sort_by_key(|(t, _)| *t);
    let usual = m.baseline.median;
    let near = |v: f64| is_back(v, m);
    // Judged by its last third: the first points still carry the incident.
    let tail = points.len().div_ceil(3).max(1);
    let last: Vec<f64> = points.iter().rev().take(tail).map(|(_, v)| *v).collect();
    let after = (points.len() >= POINTS_MIN).then(|| last.iter().sum::<f64>() / real(last.len().max(1)));
    let back = after.is_some_and(near) && last.iter().filter(|v| near(**v)).count() * 3 >= last.len() * 2;
    let back_since = if back { back_since(&points, near) } else { None };
    RecoveryMeasure {
        item,
        usual,
        incident: m.level,
        after: after.map(tidy),
        back,
        back_since,
        points: points.into_iter().map(|(t, v)| (t, Some(tidy(v)))).collect(),
    }
}

/// Back: inside what it usually was, or nearly all the way from the incident's level.
fn is_back(v: f64, m: &MetricDeviation) -> bool {
    let inside = m.baseline.min <= v && v <= m.baseline.max;
    let way = (v - m.baseline.median).abs() <= BACK_SHARE * (m.level - m.baseline.median).abs();
    inside || way
}

/// The first point from which at most one in four lies outside again: a single late request is no relapse.
fn back_since(points: &[(Timestamp, f64)], near: impl Fn(f64) -> bool) -> Option<Timestamp> {
    (0..points.len()).find_map(|i| {
        let rest = points.get(i..)?;
        let outside = rest.iter().filter(|(_, v)| !near(*v)).count();
        let (t, v) = rest.first()?;
        (near(*v) && outside * 4 <= rest.len()).then_some(*t)
    })
}

/// When the alarm went back to OK, if it is still OK.
fn alarm_ok_at(aftermath: &Aftermath<'_>) -> Option<Timestamp> {
    let mut relevant: Vec<&AlarmTransition> =
        aftermath.alarms.iter().filter(|t| t.at >= aftermath.began && is_own(aftermath, t)).collect();
    relevant.sort_by_key(|t| t.at);
    relevant.last().filter(|t| t.to == AlarmState::Ok).map(|t| t.at)
}

/// Whether the transition is of the alarm that started the investigation.
fn is_own(aftermath: &Aftermath<'_>, transition: &AlarmTransition) -> bool {
    aftermath.alarm.is_none_or(|name| transition.name.raw() == name)
}

fn verdict(
    measures: &[RecoveryMeasure],
    alarm_ok: bool,
    all_back: Option<Timestamp>,
    aftermath: &Aftermath<'_>,
) -> Verdict {
    let judged: Vec<&RecoveryMeasure> = measures.iter().filter(|m| m.after.is_some()).collect();
    if judged.is_empty() {
        return Verdict::Unknown;
    }
    let fired =
        |t: &AlarmTransition| t.at > aftermath.since && t.to == AlarmState::Alarm && is_own(aftermath, t);
    let fired_again = aftermath.alarms.iter().any(fired);
    let in_time = all_back.is_some_and(|t| {
        t.secs_since(aftermath.since) <= aftermath.rule.within_s
            && aftermath.until.secs_since(t) >= aftermath.rule.hold_s
    });
    let back = judged.iter().filter(|m| m.back).count();
    let worse = judged.iter().any(|m| {
        let deviation = |v: f64| (v - m.usual).abs();
        m.after.is_some_and(|v| {
            deviation(v) > WORSE * deviation(m.incident) && (v > m.usual) == (m.incident > m.usual)
        })
    });
    // What could not be measured again is not proven.
    if back == measures.len() && alarm_ok && !fired_again && in_time {
        Verdict::Recovered
    } else if worse && back == 0 {
        Verdict::Worse
    } else if back * 2 >= judged.len() || alarm_ok {
        Verdict::Improved
    } else {
        Verdict::NotRecovered
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::id::ItemKind;
    use crate::model::observation::{Movement, Provenance, Summary};
    use crate::model::query::{Query, Source};
    use crate::model::resource::ResourceId;
    use crate::model::telemetry::SeriesId;
    use crate::model::text::Untrusted;
    use crate::model::time::TimeSpan;

    fn t(s: i64) -> Timestamp {
        Timestamp::from_secs(s)
    }

    /// A latency that is usually 1 and was 9.
    fn deviation() -> Observation {
        let baseline = Summary { n: 60, min: 0.8, median: 1.0, p95: 1.2, max: 1.3, mad: 0.05 };
        Observation {
            resource: ResourceId::new("front"),
            peer: None,
            source: Source::Metrics,
            provenance: Provenance::Metric,
            query: Query::new("bundle", "read", []),
            span: TimeSpan::new(t(0), t(600)),
            since: t(300),
            signal: Signal::MetricDeviation(Box::new(MetricDeviation {
                namespace: None,
                metric: "Latency".to_owned(),
                stat: "Average".to_owned(),
                unit: None,
                dimensions: BTreeMap::new(),
                movement: Movement::Up,
                strength: 1.0,
                z: 9.0,
                baseline,
                level: 9.0,
                ratio: Some(9.0),
                beyond_peers: None,
                period_s: 60,
                points: Vec::new(),
                impact: None,
            })),
        }
    }

    fn verdict_of(after: &[f64], states: &[(i64, AlarmState)]) -> Recovery {
        let id = SeriesId {
            resource: ResourceId::new("front"),
            namespace: None,
            name: "Latency".to_owned(),
            stat: "Average".to_owned(),
            unit: None,
            dimensions: BTreeMap::new(),
        };
        let points = (0..).zip(after).map(|(i, v)| (t(600 + 60 * i), *v)).collect();
        let alarms: Vec<AlarmTransition> = states
            .iter()
            .map(|(at, to)| AlarmTransition {
                name: Untrusted::new("slow"),
                arn: None,
                resource: None,
                from: None,
                to: *to,
                at: t(*at),
                metric: None,
                threshold: None,
                dimensions: BTreeMap::new(),
                reason: Untrusted::default(),
                query: None,
                provenance: Provenance::ControlPlane,
            })
            .collect();
        judge(&Aftermath {
            suggestion: ItemId::new(ItemKind::Suggestion, 1),
            began: t(590),
            since: t(600),
            until: t(960),
            rule: Rule { within_s: 300, hold_s: 120 },
            deviations: vec![(ItemId::new(ItemKind::Observation, 1), &deviation())],
            series: &[Series { id, period_s: 60, points }],
            alarms: &alarms,
            alarm: Some("slow"),
        })
    }

    #[test]
    fn recovery_is_judged_by_numbers_and_by_the_alarm() {
        let (ok, alarm) = (AlarmState::Ok, AlarmState::Alarm);
        for (after, states, expected) in [
            (&[6.0, 1.1, 1.0, 0.9, 1.0, 1.1][..], &[(720, ok)][..], Verdict::Recovered),
            (&[6.0, 1.1, 1.0, 0.9, 1.0, 1.1], &[(595, ok)], Verdict::Recovered),
            (&[6.0, 1.1, 1.0, 0.9, 1.0, 1.1], &[(900, ok)], Verdict::Improved),
            (&[6.0, 1.1, 1.0, 0.9, 1.0, 1.1], &[], Verdict::Improved),
            (&[6.0, 1.1, 1.0, 0.9, 1.0, 1.1], &[(720, ok), (800, alarm)], Verdict::Improved),
            (&[9.0, 9.1, 8.8, 9.0, 9.2, 9.0], &[], Verdict::NotRecovered),
            (&[9.0, 12.0, 15.0, 15.0, 16.0, 15.0], &[], Verdict::Worse),
            (&[9.0, 5.0, 1.0, 5.0, 9.0, 9.0], &[(720, ok)], Verdict::Improved),
            (&[1.0], &[(720, ok)], Verdict::Unknown),
            (&[], &[], Verdict::Unknown),
        ] {
            assert_eq!(verdict_of(after, states).verdict, expected, "{after:?} {states:?}");
        }
    }

    #[test]
    fn the_time_to_recovery_is_that_of_the_last_thing_to_return() {
        let recovery = verdict_of(&[6.0, 1.1, 1.0, 0.9, 1.0, 1.1], &[(750, AlarmState::Ok)]);
        assert_eq!(recovery.seconds_to_recovery, Some(150));
        assert_eq!(recovery.measures.first().and_then(|m| m.back_since), Some(t(660)));
    }
}
