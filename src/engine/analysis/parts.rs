//! The kinds of evidence for each resource, each calibrated to 0..1 so that they compare.

use std::collections::BTreeMap;

use crate::model::cause::{Part, PartKind};
use crate::model::id::ItemId;
use crate::model::num::tidy;
use crate::model::observation::{
    Impact, LogPattern, MetricDeviation, Movement, PatternChange, Severity, Signal,
};
use crate::model::resource::ResourceId;

use super::impact::confidence;
use super::mechanism::blind;
use super::ranking::Evidence;
use super::roles::{Role, by_name, runs_out};
use super::stats::saturate;

/// The account of every resource.
#[derive(Debug, Default)]
pub struct Parts {
    /// By resource.
    pub of: BTreeMap<ResourceId, Vec<Part>>,
    /// How badly the alarmed resource's own metric deviates; absent when it has none.
    pub target_z: Option<f64>,
    /// Resources of which the alarm's own metric is known.
    suffering: BTreeMap<ResourceId, f64>,
}

impl Parts {
    /// How much a resource suffers by the alarm's own metric; absent where that is not known.
    fn impact_of(&self, resource: &ResourceId) -> Option<f64> {
        self.suffering.get(resource).copied()
    }
}

/// A resource whose callees cannot be seen may pass on what they do: its own impact counts this much, too little to name
/// it by that alone.
const BLIND: f64 = 0.15;

/// A resource that adds this share to the time of all calls from outside is a clear case (63 %).
const SHARE_SCALE: f64 = 0.3;

/// Where the alarm's own metric is known of this many resources, one that does not show it is a bystander…
const WELL_KNOWN: usize = 3;

/// …and what else it shows counts this much.
const BYSTANDER: f64 = 0.3;

/// Where calls are traced, a resource whose own part in their time and failures grew less than this is not felt by its
/// callers…
const SLOW_MIN: f64 = 0.02;

/// …and what its metrics show counts this much.
const UNFELT: f64 = 0.4;

/// A rise by this many times what the highest peers usually show is a clear case (63 %).
const PEERS_SCALE: f64 = 4.0;

/// More demand is what callers cause, and counts this much.
const DEMAND: f64 = 0.3;

/// Points that a series needs to be judged by its own past alone.
const HISTORY_MIN: u32 = 10;

/// A level this many units of spread beyond its own past is a clear case (63 %).
const HISTORY_Z_SCALE: f64 = 10.0;

/// Assesses every kind of evidence.
#[must_use]
pub fn assess(evidence: &Evidence<'_>) -> Parts {
    let mut parts = Parts::default();
    impact(evidence, &mut parts);
    calls(evidence, &mut parts);
    saturation(evidence, &mut parts);
    logs(evidence, &mut parts);
    changes(evidence, &mut parts);
    parts
}

fn add(parts: &mut Parts, resource: &ResourceId, part: Part) {
    if part.value > 0.0 {
        parts.of.entry(resource.clone()).or_default().push(part);
    }
}

/// Impact on the alarm's own metric, what direct callees explain subtracted.
fn impact(evidence: &Evidence<'_>, parts: &mut Parts) {
    let graph = &evidence.scope.graph;
    let of: BTreeMap<&ResourceId, (ItemId, Impact)> = evidence
        .observations
        .iter()
        .filter_map(|(id, o)| o.impact().map(|i| (&o.resource, (*id, i))))
        .collect();
    parts.target_z = of.get(evidence.scope.target()).map(|(_, i)| i.z);
    let rest = |resource: &ResourceId| -> Option<(f64, f64, f64)> {
        let (_, own) = of.get(resource)?;
        if !own.known_before {
            return None;
        }
        let explained: f64 = graph
            .awaited(resource)
            .iter()
            .filter_map(|c| of.get(*c))
            .filter(|(_, i)| i.known_before)
            .map(|(_, i)| i.excess)
            .sum();
        let factor = if blind(graph, of.len(), resource) { BLIND } else { 1.0 };
        Some((own.excess, explained, factor * (own.excess - explained).max(0.0) * confidence(own.z)))
    };
    let rests: BTreeMap<&ResourceId, (f64, f64, f64)> =
        of.keys().filter_map(|r| rest(r).map(|x| (*r, x))).collect();
    let target = of.get(evidence.scope.target()).map_or(0.0, |(_, i)| i.excess);
    let most = rests.values().map(|(_, _, r)| *r).fold(target, f64::max);
    for (resource, (seen, explained, rest)) in rests {
        let items = of.get(resource).map(|(id, _)| vec![*id]).unwrap_or_default();
        let value = tidy(rest / most.max(f64::MIN_POSITIVE));
        parts.suffering.insert(resource.clone(), value);
        let part = Part { kind: PartKind::Impact, value, seen, explained, items };
        add(parts, resource, part);
    }
}

/// Own time, delay and failures in spans.
fn calls(evidence: &Evidence<'_>, parts: &mut Parts) {
    #[derive(Default)]
    struct Sum {
        excess: f64,
        share: f64,
        errors: f64,
        delay: f64,
        strength: f64,
        items: Vec<ItemId>,
    }
    let mut of: BTreeMap<&ResourceId, Sum> = BTreeMap::new();
    for (id, o) in &evidence.observations {
        if let Signal::TraceLink(link) = &o.signal {
            let sum = of.entry(&o.resource).or_default();
            sum.excess += link.excess_s;
            sum.share += link.excess_share;
            sum.errors += link.excess_errors;
            let uncovered = (link.uncovered_ms_after - link.uncovered_ms_before).max(0.0);
            let own = (link.own_ms_after - link.own_ms_before).max(0.0);
            sum.delay += link.excess_s * uncovered / (uncovered + own).max(f64::MIN_POSITIVE);
            sum.strength = sum.strength.max(link.strength);
            sum.items.push(*id);
        }
    }
    let most = of.values().map(|s| s.excess).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let most_errors = of.values().map(|s| s.errors).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    for (resource, sum) in of {
        let kind = if sum.delay * 2.0 > sum.excess { PartKind::CallDelay } else { PartKind::OwnTime };
        let value = tidy(sum.strength * saturate(sum.share, SHARE_SCALE) * (sum.excess / most).sqrt());
        let items = sum.items.clone();
        add(parts, resource, Part { kind, value, seen: tidy(sum.excess), explained: 0.0, items });
        let value = tidy(saturate(sum.errors, 3.0) * sum.errors / most_errors);
        let (seen, items) = (tidy(sum.errors), sum.items);
        add(parts, resource, Part { kind: PartKind::OwnErrors, value, seen, explained: 0.0, items });
    }
}

/// Resource metrics out of their range, the strongest one of each resource.
///
/// Where the alarm's own metric is known of a resource, that says more: what does not suffer is not saturated.
fn saturation(evidence: &Evidence<'_>, parts: &mut Parts) {
    let mut best: BTreeMap<&ResourceId, (f64, ItemId, f64)> = BTreeMap::new();
    for (id, o) in &evidence.observations {
        let Signal::MetricDeviation(m) = &o.signal else { continue };
        // Slow and failing are symptoms, which callers share; running out of something is a resource's own.
        let symptom = matches!(by_name(&m.metric), Role::Latency | Role::Errors | Role::Availability);
        let bad = if runs_out(&m.metric) { Movement::Down } else { Movement::Up };
        let moved = m.movement == bad || m.movement == Movement::Missing;
        if m.impact.is_some() || !moved || symptom {
            continue;
        }
        let value = m.strength * unusual(m) * if by_name(&m.metric) == Role::Traffic { DEMAND } else { 1.0 };
        if best.get(&o.resource).is_none_or(|(v, _, _)| value > *v) {
            best.insert(&o.resource, (value, *id, m.z));
        }
    }
    let traced: BTreeMap<&ResourceId, f64> = parts
        .of
        .iter()
        .filter_map(|(r, account)| {
            let slow = account
                .iter()
                .filter(|p| matches!(p.kind, PartKind::OwnTime | PartKind::OwnErrors | PartKind::CallDelay));
            slow.map(|p| p.value).max_by(f64::total_cmp).map(|v| (r, v))
        })
        .collect();
    let mut found = Vec::new();
    for (resource, (value, item, z)) in best {
        let slow = traced.is_empty() || traced.get(resource).is_some_and(|v| *v >= SLOW_MIN);
        let value = if slow { value } else { value * UNFELT };
        let value = tidy(match parts.impact_of(resource) {
            Some(suffers) => value.min(suffers),
            None if parts.suffering.len() >= WELL_KNOWN => value * BYSTANDER,
            None => value,
        });
        let part = Part { kind: PartKind::Saturation, value, seen: z, explained: 0.0, items: vec![item] };
        found.push((resource, part));
    }
    for (resource, part) in found {
        add(parts, resource, part);
    }
}

/// How unusual a level is: beyond what peers usually show where there are peers, beyond its own past where there is
/// enough of it.
fn unusual(m: &MetricDeviation) -> f64 {
    match m.beyond_peers {
        Some(beyond) if m.movement == Movement::Up => saturate(beyond, PEERS_SCALE),
        Some(_) | None if m.baseline.n >= HISTORY_MIN => saturate(m.z, HISTORY_Z_SCALE),
        Some(_) | None => 0.0,
    }
}

/// Log patterns: errors and broken sequences above all.
fn logs(evidence: &Evidence<'_>, parts: &mut Parts) {
    let mut of: BTreeMap<&ResourceId, (f64, Vec<ItemId>)> = BTreeMap::new();
    for (id, o) in &evidence.observations {
        if let Signal::LogPattern(p) = &o.signal {
            let weight = log_weight(p);
            let entry = of.entry(&o.resource).or_default();
            entry.0 = entry.0.max(weight);
            entry.1.push(*id);
        }
    }
    for (resource, (value, items)) in &of {
        // Errors travel up: what a callee logs as clearly explains what its callers log.
        let callees = evidence.scope.graph.callees(resource);
        let explained = callees.iter().filter_map(|c| of.get(*c)).map(|(v, _)| *v).fold(0.0, f64::max);
        let rest = value * (1.0 - explained);
        let items = items.clone();
        let part = Part {
            kind: PartKind::Logs,
            value: tidy(rest),
            seen: tidy(*value),
            explained: tidy(explained),
            items,
        };
        add(parts, resource, part);
    }
}

fn log_weight(p: &LogPattern) -> f64 {
    let kind = match (p.change, p.severity >= Severity::Error) {
        (PatternChange::SequenceBroken, _) => 0.7,
        (PatternChange::New | PatternChange::MoreFrequent, true) => 0.8,
        (PatternChange::New, false) => 0.3,
        (PatternChange::Gone, false) => 0.6,
        // Errors that no longer come are no fault.
        (PatternChange::Gone, true) => 0.05,
        (PatternChange::MoreFrequent, false) => 0.1,
        (PatternChange::LessFrequent, _) => 0.05,
    };
    kind * p.strength
}

/// A change shortly before the onset.
fn changes(evidence: &Evidence<'_>, parts: &mut Parts) {
    for (id, o) in &evidence.observations {
        let Signal::Change(change) = &o.signal else { continue };
        let lead = change.before_onset_s;
        if !(-60..=crate::limits::CHANGE_LEAD_S_MAX).contains(&lead) {
            continue;
        }
        let near = 1.0
            - crate::model::num::real_signed(lead.max(0))
                / crate::model::num::real_signed(crate::limits::CHANGE_LEAD_S_MAX);
        let part = Part {
            kind: PartKind::Change,
            value: tidy(near),
            seen: crate::model::num::real_signed(lead),
            explained: 0.0,
            items: vec![*id],
        };
        add(parts, &o.resource, part);
    }
}
