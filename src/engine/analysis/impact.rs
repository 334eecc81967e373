//! What a deviation of the alarm's own metric cost at every resource, in one currency: deviation times requests.
//!
//! A slow resource that nobody calls explains nothing, a slightly slow one that everybody calls may explain
//! everything. Weighting by traffic makes resources comparable; weighting periods by how badly the alarmed resource
//! suffered in them keeps other disturbances out.

use std::collections::BTreeMap;

use crate::model::num::{real, tidy};
use crate::model::observation::Impact;
use crate::model::resource::ResourceId;
use crate::model::telemetry::SeriesId;
use crate::model::time::Timestamp;

use super::metrics::Kept;
use super::roles::{Role, by_name};
use super::scope::Scope;
use super::stats::{Sample, mean, saturate};

/// Spread below this share of the usual level is not believed.
const RELATIVE_FLOOR: f64 = 0.0025;

/// The impact of every series that measures the alarm's own metric.
#[derive(Debug, Default)]
pub struct Impacts {
    /// By series.
    pub of: BTreeMap<SeriesId, Impact>,
    /// The alarmed resource has no such series.
    pub target_unseen: bool,
}

/// One period of one resource.
#[derive(Debug, Clone, Copy)]
struct Bin {
    deviation: f64,
    z: f64,
    requests: f64,
}

/// Assesses every resource that has the alarm's metric.
#[must_use]
pub fn assess(scope: &Scope, kept: &BTreeMap<SeriesId, Kept>) -> Impacts {
    let family = family(scope, kept);
    let Some((_, target)) = family.iter().find(|(id, _)| &id.resource == scope.target()) else {
        return Impacts { target_unseen: true, ..Impacts::default() };
    };
    let traffic = traffic(kept, &family);
    let bins = |id: &SeriesId, k: &Kept| bins(scope, k, traffic.get(&id.resource).copied());
    let weights: BTreeMap<Timestamp, f64> = {
        let target_bins = bins_of_target(scope, target);
        target_bins.into_iter().filter(|(_, z)| *z > 0.0).collect()
    };
    let of = family
        .iter()
        .map(|(id, k)| {
            let traffic_before = traffic.get(&id.resource).is_some_and(|t| t.before.max() > 0.0);
            let known_before = !k.before.is_empty() || traffic_before;
            ((*id).clone(), weigh(&bins(id, k), &weights, known_before))
        })
        .collect();
    Impacts { of, target_unseen: false }
}

/// One series per resource that measures what the alarm measures: the alarm's own metric and statistic.
fn family<'k>(scope: &Scope, kept: &'k BTreeMap<SeriesId, Kept>) -> Vec<(&'k SeriesId, &'k Kept)> {
    let alarm = &scope.alarm;
    let mut by_resource: BTreeMap<&ResourceId, (&SeriesId, &Kept)> = BTreeMap::new();
    for (id, k) in kept.iter().filter(|(id, _)| id.name == alarm.metric && id.stat == alarm.stat) {
        // Several series of one resource (per operation, per zone): the one with the most data speaks for it.
        let better = by_resource
            .get(&id.resource)
            .is_none_or(|(_, old)| k.before.len() + k.window.len() > old.before.len() + old.window.len());
        if better {
            by_resource.insert(&id.resource, (id, k));
        }
    }
    by_resource.into_values().collect()
}

/// The series that says how much each resource was asked. Chosen once for all: the metric that nearly all resources
/// of the family have and that looks most like a count of requests.
fn traffic<'k>(
    kept: &'k BTreeMap<SeriesId, Kept>,
    family: &[(&SeriesId, &Kept)],
) -> BTreeMap<&'k ResourceId, &'k Kept> {
    let resources: BTreeMap<&ResourceId, ()> = family.iter().map(|(id, _)| (&id.resource, ())).collect();
    let mut metrics: BTreeMap<(&str, &str), BTreeMap<&ResourceId, &Kept>> = BTreeMap::new();
    let measured: BTreeMap<(&str, &str), ()> =
        family.iter().map(|(id, _)| ((id.name.as_str(), id.stat.as_str()), ())).collect();
    for (id, k) in kept {
        let key = (id.name.as_str(), id.stat.as_str());
        if resources.contains_key(&id.resource) && !measured.contains_key(&key) {
            metrics.entry(key).or_default().insert(&id.resource, k);
        }
    }
    let enough = resources.len().div_ceil(2);
    metrics
        .into_iter()
        .filter(|(_, of)| of.len() >= enough)
        .map(|((name, stat), of)| (likeness(name, stat, &of), of))
        .filter(|(score, _)| *score >= 1.0)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, of)| of)
        .unwrap_or_default()
}

/// How much a metric looks like a count of requests: whole numbers, summed, and (a hint) named like one.
fn likeness(name: &str, stat: &str, of: &BTreeMap<&ResourceId, &Kept>) -> f64 {
    let values = || of.values().flat_map(|k| k.window.iter().map(|(_, v)| *v));
    let n = values().count();
    if n == 0 || values().any(|v| v < 0.0) {
        return 0.0;
    }
    let whole = real(values().filter(|v| v.fract().abs() < 1e-9).count()) / real(n);
    let above_one = real(values().filter(|v| *v > 1.0).count()) / real(n);
    // A bounded percentage is whole too when all is well; counts differ between resources.
    let spread = Sample::new(of.values().map(|k| k.before.median().max(0.0)));
    let varied = if spread.max() > 2.0 * spread.median().max(0.5) { 1.0 } else { 0.0 };
    let summed = if matches!(stat, "Sum" | "SampleCount") { 0.5 } else { 0.0 };
    let named = if by_name(name) == Role::Traffic { 0.5 } else { 0.0 };
    let coverage = real(of.len()) * 1e-6;
    whole.mul_add(0.75, 0.25 * above_one) + 0.5 * varied + summed + named + coverage - 0.5
}

/// The reference level of a resource: of its history and of the time just before the onset the one that makes the
/// incident look less unusual. An old shift of level then cancels out.
fn reference(scope: &Scope, k: &Kept) -> Option<f64> {
    let sign = scope.alarm.direction.sign();
    let quiet = |t: Timestamp| t.plus_secs(i64::from(k.period_s)) <= scope.alarm.at;
    let just_before: Vec<f64> = k.window.iter().filter(|(t, _)| quiet(*t)).map(|(_, v)| *v).collect();
    let history = (!k.before.is_empty()).then(|| k.before.median());
    let recent = (!just_before.is_empty()).then(|| mean(just_before.into_iter()));
    match (history, recent) {
        (Some(h), Some(r)) => Some(if sign * h >= sign * r { h } else { r }),
        (Some(x), None) | (None, Some(x)) => Some(x),
        (None, None) => None,
    }
}

/// The z-score of the alarmed resource in every period of the window from the alarm on.
fn bins_of_target(scope: &Scope, k: &Kept) -> BTreeMap<Timestamp, f64> {
    bins(scope, k, None).into_iter().map(|(t, b)| (t, b.z)).collect()
}

fn bins(scope: &Scope, k: &Kept, traffic: Option<&Kept>) -> BTreeMap<Timestamp, Bin> {
    // Nothing known from before: measured from zero trouble, so that a new resource can still be seen.
    let reference = reference(scope, k).unwrap_or_default();
    let floor = (RELATIVE_FLOOR * reference.abs()).max(f64::MIN_POSITIVE);
    let scale = k.before.mad().max(floor);
    let sign = scope.alarm.direction.sign();
    let after = |t: Timestamp| t.plus_secs(i64::from(k.period_s)) > scope.alarm.at;
    k.window
        .iter()
        .filter(|(t, _)| after(*t))
        .map(|(t, v)| {
            let deviation = (sign * (v - reference)).max(0.0);
            let requests = traffic.map_or(1.0, |w| value_at(w, *t));
            (*t, Bin { deviation, z: (deviation / scale).min(1e6), requests })
        })
        .collect()
}

/// The value of the period that covers the instant: series of one resource need not share their period or phase.
fn value_at(traffic: &Kept, t: Timestamp) -> f64 {
    let after = traffic.window.partition_point(|(at, _)| *at <= t);
    let covering = after.checked_sub(1).and_then(|i| traffic.window.get(i));
    covering.filter(|(at, _)| at.plus_secs(i64::from(traffic.period_s)) > t).map_or(0.0, |(_, v)| *v)
}

/// Sums the periods, each weighted by how badly the alarmed resource suffered in it.
fn weigh(bins: &BTreeMap<Timestamp, Bin>, weights: &BTreeMap<Timestamp, f64>, known_before: bool) -> Impact {
    let total: f64 = weights.values().sum();
    let (mut excess, mut z, mut requests) = (0.0, 0.0, 0.0);
    for (t, bin) in bins {
        let weight = weights.get(t).copied().unwrap_or_default() / total.max(f64::MIN_POSITIVE);
        excess += weight * bin.deviation * bin.requests;
        z += weight * bin.z;
        requests += bin.requests;
    }
    Impact { excess: tidy(excess), z: tidy(z), requests: tidy(requests), known_before }
}

/// How far an impact's z-score is believed.
#[must_use]
pub fn confidence(z: f64) -> f64 {
    saturate(z, 3.0)
}
