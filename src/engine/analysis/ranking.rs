//! Ranks resources as causes: calibrated parts of evidence on the call graph, the greatest part leading.
//!
//! Parts are the maximum, not the sum, of different kinds of evidence: sums reward what is merely measured in many
//! ways. What callees explain is subtracted. A change strengthens what other evidence points to, and is none itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::cause::{Abstention, Band, Candidate, Part, PartKind, Ranking};
use crate::model::id::ItemId;
use crate::model::num::tidy;
use crate::model::observation::{Observation, Signal};
use crate::model::resource::ResourceId;

use super::mechanism::{Circumstances, mechanism};
use super::parts::{self, Parts};
use super::scope::Scope;
use super::topology::Ways;

/// What the ranking works on.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The frame.
    pub scope: &'a Scope,
    /// Observations that nobody discarded.
    pub observations: Vec<(ItemId, &'a Observation)>,
    /// Whether a source had no healthy time to compare with.
    pub no_baseline: bool,
    /// Whether metrics of the alarmed resource were read: then a deviation that is not there is known not to be.
    pub target_seen: bool,
}

/// What the kinds of evidence beyond the greatest add, each.
const AGREEMENT: f64 = 0.1;

/// Kinds of evidence that may agree with the greatest: the score stays within 0..1.
const KINDS: f64 = 6.0;

/// Resources that the alarm does not reach through known dependencies: edges are missing in real maps, so they are
/// demoted, not excluded.
const UNREACHED: f64 = 0.3;

/// Below this score nothing is named.
const SCORE_MIN: f64 = 0.12;

/// Below this many units of usual spread the alarmed resource is quiet.
const QUIET_Z: f64 = 1.5;

/// The alarmed resource's own deviation, which nothing else explains, only repeats the alarm: it must be this clear.
const REPEATS_Z: f64 = 6.0;

/// An impact below this many units of usual spread is noise: shares are relative, and something is always greatest.
const STANDS_OUT_Z: f64 = 3.0;

/// Ranks all resources that show anything.
#[must_use]
pub fn rank(evidence: &Evidence<'_>) -> Ranking {
    let parts = parts::assess(evidence);
    let around = Around {
        ways: evidence.scope.graph.ways_from(evidence.scope.target()),
        circumstances: Circumstances::of(evidence),
        observations: evidence.observations.iter().map(|(id, o)| (*id, *o)).collect(),
    };
    let mut candidates: Vec<Candidate> = parts
        .of
        .iter()
        .filter_map(|(resource, account)| candidate(evidence, resource, account, &around))
        .collect();
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.resource.cmp(&b.resource)));
    let abstained = abstain(evidence, &parts, &candidates, &around);
    for candidate in &mut candidates {
        if !abstained.is_empty() {
            candidate.band = Band::Weak;
        }
    }
    Ranking { candidates, abstained }
}

/// What every candidate is looked up in.
struct Around<'a> {
    ways: Ways,
    circumstances: Circumstances<'a>,
    observations: BTreeMap<ItemId, &'a Observation>,
}

fn candidate(
    evidence: &Evidence<'_>,
    resource: &ResourceId,
    account: &[Part],
    around: &Around<'_>,
) -> Option<Candidate> {
    let mut account = account.to_vec();
    account.sort_by(|a, b| b.value.total_cmp(&a.value).then(a.kind.cmp(&b.kind)));
    let lead = account.iter().find(|p| p.kind != PartKind::Change)?;
    let others = others(lead.kind, &account);
    let reached = around.ways.reach(resource) || evidence.scope.graph.has_no_edges();
    let reach = if reached { 1.0 } else { UNREACHED };
    let score = reach * (lead.value + AGREEMENT * others) / (1.0 + AGREEMENT * KINDS);
    if score <= 0.0 {
        return None;
    }
    let path = around.ways.path_to(resource);
    let band = band(lead.value, &account, score, reached);
    let mechanism = mechanism(evidence, &around.circumstances, resource, lead, &account);
    let since = lead.items.iter().filter_map(|id| around.observations.get(id)).map(|o| o.since).min();
    Some(Candidate { resource: resource.clone(), score: tidy(score), band, mechanism, since, path, account })
}

/// The greatest part of every other kind, summed.
fn others(lead: PartKind, account: &[Part]) -> f64 {
    let mut best: BTreeMap<PartKind, f64> = BTreeMap::new();
    for part in account.iter().filter(|p| p.kind != lead) {
        let value = best.entry(part.kind).or_default();
        *value = value.max(part.value);
    }
    best.values().sum()
}

/// Strong needs a clear part that is nearly everything or agrees with another kind, on a resource that the alarm reaches.
/// A change is no kind of evidence.
fn band(lead: f64, account: &[Part], score: f64, reached: bool) -> Band {
    let kinds: BTreeSet<PartKind> =
        account.iter().filter(|p| p.value >= 0.3 && p.kind != PartKind::Change).map(|p| p.kind).collect();
    if reached && lead >= 0.6 && (kinds.len() >= 2 || lead >= 0.8) {
        Band::Strong
    } else if score >= SCORE_MIN {
        Band::Moderate
    } else {
        Band::Weak
    }
}

fn abstain(
    evidence: &Evidence<'_>,
    parts: &Parts,
    candidates: &[Candidate],
    around: &Around<'_>,
) -> Vec<Abstention> {
    let mut reasons = Vec::new();
    // A quiet target with a clear case elsewhere has too coarse a metric, not too quiet a service.
    let clear = |p: &Part| p.value >= 0.5 && !matches!(p.kind, PartKind::Impact | PartKind::Change);
    let elsewhere = candidates.first().is_some_and(|c| c.account.iter().any(clear));
    let target_z = parts.target_z.or(evidence.target_seen.then_some(0.0));
    let measured = evidence.observations.iter().any(|(_, o)| !matches!(o.signal, Signal::Change(_)));
    if !measured && evidence.no_baseline {
        reasons.push(Abstention::NoBaseline);
    } else if !measured {
        reasons.push(Abstention::NoTelemetry);
    } else if target_z.is_some_and(|z| z < QUIET_Z) && !elsewhere {
        reasons.push(Abstention::TargetQuiet);
        reasons.extend(fires_anyway(evidence).then_some(Abstention::ThresholdUsual));
    }
    let least = |c: &Candidate| if &c.resource == evidence.scope.target() { REPEATS_Z } else { STANDS_OUT_Z };
    let stands_out =
        |c: &Candidate| c.score >= SCORE_MIN && impact_z(around, c).is_none_or(|z| z >= least(c));
    if !candidates.first().is_some_and(stands_out) {
        reasons.push(Abstention::NothingStandsOut);
    }
    reasons
}

/// Whether the alarm's own metric crosses its threshold in healthy times as well.
fn fires_anyway(evidence: &Evidence<'_>) -> bool {
    evidence.observations.iter().any(|(_, o)| usually_crosses(evidence.scope, o))
}

/// Whether the observation is of the alarm's own metric, which crosses the threshold in healthy times as well.
#[must_use]
pub fn usually_crosses(scope: &Scope, o: &Observation) -> bool {
    match &o.signal {
        Signal::MetricDeviation(m) => {
            o.resource == scope.alarm.resource
                && m.metric == scope.alarm.metric
                && scope.fires_anyway(&m.baseline)
        }
        Signal::LogPattern(_) | Signal::TraceLink(_) | Signal::Change(_) => false,
    }
}

/// The z-score of the deviation that leads a candidate's account, where impact leads it.
fn impact_z(around: &Around<'_>, candidate: &Candidate) -> Option<f64> {
    let lead = candidate.account.iter().find(|p| p.kind != PartKind::Change)?;
    let leads = lead.kind == PartKind::Impact;
    let cited = lead.items.iter().filter(|_| leads).filter_map(|id| around.observations.get(id));
    cited.filter_map(|o| o.impact()).map(|i| i.z).max_by(f64::total_cmp)
}
