//! Digests time series into metric observations: reads each once, keeps little, concludes at the end.

use std::collections::BTreeMap;

use crate::limits::{CHART_POINTS_MAX, Limits};
use crate::model::gap::{Gap, GapReason};
use crate::model::num::{real, tidy};
use crate::model::observation::{MetricDeviation, Movement, Observation, Provenance, Signal};
use crate::model::query::Source;
use crate::model::telemetry::{Series, SeriesId};
use crate::model::text::Untrusted;
use crate::model::time::Timestamp;

use super::deviation::{self, Deviation};
use super::impact::{self, Impacts};
use super::queries;
use super::scope::Scope;
use super::stats::{Sample, mean};

/// Observations weaker than this are noise to people; impact is kept whatever its strength.
const STRENGTH_MIN: f64 = 0.3;

/// Share of the usual level of a family of series below which a movement is not believed.
const FAMILY_LEVEL_SHARE: f64 = 0.1;

/// Resources that a family must have before they say what is usual among peers.
const FAMILY_SIZE_MIN: usize = 5;

/// Points held over all series: with more, further series are counted and dropped.
const POINTS_MAX: usize = 12_000_000;

/// Series held at once, for the same reason.
const SERIES_MAX: usize = 100_000;

/// What is kept of a series after it was read.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Length of a period in seconds.
    pub period_s: u32,
    /// Values in healthy times.
    pub before: Sample,
    /// Points of the window, in time order, one per instant.
    pub window: Vec<(Timestamp, f64)>,
    /// Instants of the window for which the source says that there is no value.
    pub missing: Vec<Timestamp>,
    /// Periods of the baseline that could have had a value.
    pub expected_before: usize,
}

/// Reads series, one batch after the other.
#[derive(Debug)]
pub struct MetricDigest<'a> {
    scope: &'a Scope,
    kept: BTreeMap<SeriesId, Kept>,
    with_baseline: bool,
    points: usize,
    dropped: u64,
}

/// What the metrics show.
#[derive(Debug, Default)]
pub struct MetricFindings {
    /// Observations, strongest first.
    pub observations: Vec<Observation>,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
}

impl<'a> MetricDigest<'a> {
    /// An empty digest.
    #[must_use]
    pub fn new(scope: &'a Scope) -> Self {
        Self { scope, kept: BTreeMap::new(), with_baseline: false, points: 0, dropped: 0 }
    }

    /// Takes a series. A second series of the same identity adds its points.
    pub fn push(&mut self, series: Series) {
        let Series { id, period_s, mut points } = series;
        self.points += points.len();
        let full = self.points > POINTS_MAX || self.kept.len() >= SERIES_MAX;
        // The alarmed resource is never crowded out.
        if full && &id.resource != self.scope.target() && !self.kept.contains_key(&id) {
            self.dropped += 1;
            return;
        }
        points.sort_by_key(|(t, _)| *t);
        points.dedup_by_key(|(t, _)| *t);
        let window = self.scope.alarm.window;
        let before_onset = |t: Timestamp| t.plus_secs(i64::from(period_s)) <= self.scope.onset;
        let healthy = |t: Timestamp| self.scope.alarm.baseline.iter().any(|b| b.contains(t));
        let declared = points.iter().any(|(t, v)| healthy(*t) && v.is_finite());
        // A series without any declared healthy time is compared with the window's time before the onset.
        let is_before = |t: &Timestamp| match declared {
            true => healthy(*t) && (!window.contains(*t) || before_onset(*t)),
            false => window.contains(*t) && before_onset(*t),
        };
        let expected_before = points.iter().filter(|(t, _)| is_before(t)).count();
        let before = points.iter().filter(|(t, _)| is_before(t)).map(|(_, v)| *v);
        let before = Sample::new(before);
        self.with_baseline |= !before.is_empty();
        // A period that reaches beyond the window was not over yet at its end.
        let inside = |t: Timestamp| window.contains(t) && t.plus_secs(i64::from(period_s)) <= window.end;
        let (window, missing): (Vec<_>, Vec<_>) =
            points.into_iter().filter(|(t, _)| inside(*t)).partition(|(_, v)| v.is_finite());
        let missing: Vec<Timestamp> = missing.into_iter().map(|(t, _)| t).collect();
        match self.kept.get_mut(&id) {
            Some(kept) => {
                kept.before = kept.before.joined(&before);
                kept.expected_before += expected_before;
                kept.missing.extend(missing);
                kept.window.extend(window);
                kept.window.sort_by_key(|(t, _)| *t);
                kept.window.dedup_by_key(|(t, _)| *t);
            }
            None => {
                let kept = Kept { period_s, before, window, missing, expected_before };
                self.kept.insert(id, kept);
            }
        }
    }

    /// Concludes.
    #[must_use]
    pub fn finish(self, limits: &Limits) -> MetricFindings {
        let mut findings = MetricFindings::default();
        if !self.kept.is_empty() && !self.with_baseline {
            findings.gaps.push(self.gap(GapReason::NoBaseline, ""));
        }
        if self.dropped > 0 {
            findings.gaps.push(Gap { lost: self.dropped, ..self.gap(GapReason::Truncated, "") });
        }
        let impacts = impact::assess(self.scope, &self.kept);
        if impacts.target_unseen && !self.kept.is_empty() {
            findings.gaps.push(self.gap(GapReason::TargetUnseen, &self.scope.alarm.metric));
        }
        let families = families(self.scope, &self.kept);
        for (id, kept) in &self.kept {
            let Some(family) = families.get(&(id.name.as_str(), id.stat.as_str())) else { continue };
            findings.observations.extend(self.observe(id, kept, family, &impacts));
        }
        findings.observations.sort_by(by_weight);
        findings.observations.truncate(limits.metric_observations_max);
        findings
    }

    fn observe(&self, id: &SeriesId, kept: &Kept, family: &Family, impacts: &Impacts) -> Option<Observation> {
        let after: Vec<_> = incident_points(self.scope, kept);
        let lead = kept.window.get(..kept.window.len().saturating_sub(after.len())).unwrap_or_default();
        let impact = impacts.of.get(id).copied();
        let deviation = match deviation::compare(&kept.before, lead, &after, family.floor) {
            Some(d) => d,
            None => silence(self.scope, kept, &after)?,
        };
        let carries_impact = impact.is_some_and(|i| i.excess > 0.0 || !i.known_before);
        let usual = kept.before.summary();
        // That the alarm would fire on any day is worth knowing, although nothing deviates.
        let fires_anyway = self.scope.is_alarmed(id) && self.scope.fires_anyway(&usual);
        if deviation.strength < STRENGTH_MIN && !carries_impact && !fires_anyway {
            return None;
        }
        let ratio = (deviation.reference.abs() > f64::MIN_POSITIVE)
            .then(|| tidy(deviation.level / deviation.reference))
            .filter(|r| r.is_finite());
        Some(Observation {
            resource: id.resource.clone(),
            peer: None,
            source: Source::Metrics,
            provenance: Provenance::Metric,
            query: queries::metric(self.scope, id, kept.period_s),
            span: self.scope.alarm.window,
            since: deviation.since,
            signal: Signal::MetricDeviation(Box::new(MetricDeviation {
                namespace: id.namespace.clone(),
                metric: id.name.clone(),
                stat: id.stat.clone(),
                unit: id.unit.clone(),
                dimensions: id.dimensions.clone(),
                movement: deviation.movement,
                strength: tidy(deviation.strength),
                z: tidy(deviation.z),
                baseline: usual,
                level: tidy(deviation.level),
                ratio,
                beyond_peers: family.beyond(&deviation),
                period_s: kept.period_s,
                points: chart(kept),
                impact,
            })),
        })
    }

    fn gap(&self, reason: GapReason, detail: &str) -> Gap {
        Gap {
            resource: Some(self.scope.target().clone()),
            detail: Untrusted::new(detail),
            ..Gap::new(Source::Metrics, reason, self.scope.alarm.window, "metrics")
        }
    }
}

/// A series that reported regularly and stopped: missing data is itself the signal.
fn silence(scope: &Scope, kept: &Kept, after: &[(Timestamp, f64)]) -> Option<Deviation> {
    let regular = kept.before.len() >= 10 && kept.before.len() * 10 >= kept.expected_before * 9;
    let periods = scope.incident().secs() / i64::from(kept.period_s.max(1));
    let silent = after.is_empty() && regular && periods >= 2;
    silent.then(|| Deviation {
        movement: Movement::Missing,
        z: 3.0,
        strength: 0.5,
        level: 0.0,
        reference: kept.before.median(),
        since: scope.onset,
    })
}

/// What resources show of one metric.
#[derive(Debug, Clone, Default)]
struct Family {
    /// The least spread that is believed: a rise from nearly nothing to very little is no deviation.
    floor: f64,
    /// The highest level of each member, before or during the incident, sorted.
    levels: Sample,
    /// Members by the bits of their level in the incident: equal ones measure something that they share.
    shared: BTreeMap<u64, usize>,
}

impl Family {
    /// How far a member rose, in units of its own usual level or what the highest of its peers show, whichever is
    /// more: what many show together is load or a common cause, not this resource's own trouble.
    fn beyond(&self, deviation: &Deviation) -> Option<f64> {
        let own = deviation.level.abs().max(deviation.reference.abs());
        let high = self.levels.quantile_without(own, 0.9).max(deviation.reference.abs());
        let enough = self.levels.len() > FAMILY_SIZE_MIN && high > 0.0;
        let sharers = self.shared.get(&deviation.level.to_bits()).copied().unwrap_or(1).max(1);
        enough.then(|| tidy((deviation.level - deviation.reference) / high / real(sharers)))
    }
}

fn families<'k>(scope: &Scope, kept: &'k BTreeMap<SeriesId, Kept>) -> BTreeMap<(&'k str, &'k str), Family> {
    let mut levels: BTreeMap<(&str, &str), Vec<(f64, f64)>> = BTreeMap::new();
    for (id, k) in kept.iter().filter(|(_, k)| !k.before.is_empty()) {
        let usual = k.before.median().abs();
        let now = mean(incident_points(scope, k).into_iter().map(|(_, v)| v)).abs();
        levels.entry((&id.name, &id.stat)).or_default().push((usual, now));
    }
    let family = |of: Vec<(f64, f64)>| Family {
        shared: of.iter().fold(BTreeMap::new(), |mut shared, (_, now)| {
            *shared.entry(now.to_bits()).or_default() += 1;
            shared
        }),
        floor: FAMILY_LEVEL_SHARE * Sample::new(of.iter().map(|(usual, _)| *usual)).median(),
        levels: Sample::new(of.iter().map(|(usual, now)| usual.max(*now))),
    };
    levels.into_iter().map(|(name, of)| (name, family(of))).collect()
}

/// Points whose period reaches into the incident.
fn incident_points(scope: &Scope, kept: &Kept) -> Vec<(Timestamp, f64)> {
    let reaches = |t: Timestamp| t.plus_secs(i64::from(kept.period_s)) > scope.onset;
    kept.window.iter().copied().filter(|(t, _)| reaches(*t)).collect()
}

/// Impact first, then strength, then identity: a total order.
fn by_weight(a: &Observation, b: &Observation) -> std::cmp::Ordering {
    weight(b)
        .total_cmp(&weight(a))
        .then_with(|| a.resource.cmp(&b.resource))
        .then_with(|| a.query.parameters.cmp(&b.query.parameters))
}

fn weight(observation: &Observation) -> f64 {
    match &observation.signal {
        Signal::MetricDeviation(m) => m.strength + if m.impact.is_some() { 1.0 } else { 0.0 },
        Signal::LogPattern(_) | Signal::TraceLink(_) | Signal::Change(_) => 0.0,
    }
}

/// At most as many points as a chart can show; of each group the one farthest from the usual level, so that peaks and
/// dips stay, and `None` where the source says that there is no value.
fn chart(kept: &Kept) -> Vec<(Timestamp, Option<f64>)> {
    let usual = kept.before.median();
    let mut points: Vec<(Timestamp, Option<f64>)> = kept.window.iter().map(|(t, v)| (*t, Some(*v))).collect();
    points.extend(kept.missing.iter().map(|t| (*t, None)));
    points.sort_by_key(|(t, _)| *t);
    let far = |p: &(Timestamp, Option<f64>)| p.1.map_or(-1.0, |v| (v - usual).abs());
    let group = points.len().div_ceil(CHART_POINTS_MAX).max(1);
    points
        .chunks(group)
        .filter_map(|c| c.iter().copied().max_by(|a, b| far(a).total_cmp(&far(b))))
        .map(|(t, v)| (t, v.map(tidy)))
        .collect()
}
