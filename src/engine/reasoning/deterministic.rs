//! Hypotheses without a model: the best candidates as facts, each with what carries it, what speaks against it, why it
//! has its strength, and what would confirm or refute it.
//!
//! No scores are made here; the ranking made them. No sentences either.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::cause::{Band, Candidate, PartKind, Ranking};
use crate::model::gap::{Gap, GapReason};
use crate::model::hypothesis::{Author, Check, Hypothesis, HypothesisFacts, StrengthReason};
use crate::model::id::ItemId;
use crate::model::num::{tidy, u32_of};
use crate::model::observation::{Observation, Provenance, Signal};
use crate::model::resource::ResourceId;
use crate::model::time::Timestamp;

/// What reasoning works on.
#[derive(Debug)]
pub struct Grounds<'a> {
    /// The ranked candidates.
    pub ranking: &'a Ranking,
    /// Observations that nobody discarded.
    pub observations: &'a BTreeMap<ItemId, &'a Observation>,
    /// What could not be seen.
    pub gaps: &'a BTreeMap<ItemId, &'a Gap>,
    /// The alarmed resource.
    pub target: &'a ResourceId,
    /// When the incident began.
    pub onset: Timestamp,
    /// Whether one full period after the onset has not passed yet.
    pub provisional: bool,
}

/// A candidate below this share of the best score is not worth a person's time.
const SCORE_SHARE_MIN: f64 = 0.3;

/// A part from this value on is a kind of evidence of its own.
const KIND_MIN: f64 = 0.3;

/// The next candidate is close when it has this share of the score.
const CLOSE: f64 = 0.8;

/// Items cited for each kind of evidence.
const ITEMS_PER_PART: usize = 3;

/// Events this close together belong to one change.
const ONE_CHANGE_S: i64 = 600;

/// An effect seen this many seconds before its supposed cause contradicts it: more than periods blur.
const BEFORE_CAUSE_S: i64 = 90;

/// Hypotheses for the best candidates, best first; none when the ranking abstains.
#[must_use]
pub fn hypotheses(grounds: &Grounds<'_>, hypotheses_max: usize) -> Vec<Hypothesis> {
    if !grounds.ranking.abstained.is_empty() {
        return Vec::new();
    }
    let best = grounds.ranking.candidates.first().map_or(0.0, |c| c.score);
    let worth = grounds.ranking.candidates.iter().filter(|c| c.score >= SCORE_SHARE_MIN * best);
    (1..)
        .zip(worth.take(hypotheses_max))
        .filter_map(|(rank, candidate)| Hypothesis::new(facts(grounds, rank, candidate)).ok())
        .collect()
}

fn facts(grounds: &Grounds<'_>, rank: u32, candidate: &Candidate) -> HypothesisFacts {
    let trigger = trigger(grounds, candidate);
    let supporting = supporting(candidate);
    let reasons = reasons(grounds, rank, candidate, trigger, &supporting);
    let external = reasons.contains(&StrengthReason::OnlyExternal);
    HypothesisFacts {
        author: Author::Analysis,
        rank,
        cause: candidate.resource.clone(),
        mechanism: candidate.mechanism,
        since: candidate.since,
        score: candidate.score,
        band: if external { Band::Weak } else { candidate.band },
        reasons,
        path: candidate.path.clone(),
        contradicting: contradicting(grounds, candidate),
        confirm: confirm(grounds, &supporting, trigger),
        refute: refute(candidate),
        supporting,
        trigger,
    }
}

/// The items of each kind of evidence, strongest kind first.
fn supporting(candidate: &Candidate) -> Vec<ItemId> {
    let mut seen = BTreeSet::new();
    candidate
        .account
        .iter()
        .filter(|p| p.kind != PartKind::Change)
        .flat_map(|p| p.items.iter().take(ITEMS_PER_PART))
        .filter(|id| seen.insert(**id))
        .copied()
        .collect()
}

/// The change before the onset that the candidate's account names: of the events of one change (requested, in progress,
/// completed) the first.
fn trigger(grounds: &Grounds<'_>, candidate: &Candidate) -> Option<ItemId> {
    let lead = |id: &ItemId| match grounds.observations.get(id).map(|o| &o.signal) {
        Some(Signal::Change(c)) if c.before_onset_s >= 0 => Some((c.before_onset_s, *id)),
        Some(
            Signal::Change(_) | Signal::MetricDeviation(_) | Signal::LogPattern(_) | Signal::TraceLink(_),
        )
        | None => None,
    };
    let changes = candidate.account.iter().filter(|p| p.kind == PartKind::Change);
    let leads: Vec<(i64, ItemId)> = changes.flat_map(|p| &p.items).filter_map(lead).collect();
    let (nearest, _) = leads.iter().min()?;
    let same = leads.iter().filter(|(lead, _)| lead - nearest <= ONE_CHANGE_S);
    same.min_by_key(|(_, id)| (grounds.observations.get(id).map(|o| o.since), *id)).map(|(_, id)| *id)
}

fn reasons(
    grounds: &Grounds<'_>,
    rank: u32,
    candidate: &Candidate,
    trigger: Option<ItemId>,
    supporting: &[ItemId],
) -> Vec<StrengthReason> {
    let mut reasons = Vec::new();
    reasons.extend(share(grounds, candidate).map(|share| StrengthReason::ExplainsShare { share }));
    let kinds: BTreeSet<PartKind> = candidate
        .account
        .iter()
        .filter(|p| p.value >= KIND_MIN && p.kind != PartKind::Change)
        .map(|p| p.kind)
        .collect();
    if kinds.len() >= 2 {
        reasons.push(StrengthReason::KindsAgree { kinds: u32_of(kinds.len()) });
    } else {
        reasons.push(StrengthReason::SingleKind);
    }
    reasons.extend(compared(grounds, rank, candidate));
    if let Some((item, seconds)) = trigger.and_then(|id| seconds_before(grounds, id).map(|s| (id, s))) {
        reasons.push(StrengthReason::ChangeBefore { item, seconds });
    }
    let outside = |id: &ItemId| {
        grounds.observations.get(id).is_some_and(|o| o.provenance >= Provenance::ApplicationLog)
    };
    if supporting.iter().all(outside) {
        reasons.push(StrengthReason::OnlyExternal);
    }
    if grounds.provisional {
        reasons.push(StrengthReason::Provisional);
    }
    let missing = grounds.gaps.iter().find(|(_, g)| {
        matches!(
            g.reason,
            GapReason::Denied | GapReason::Unavailable | GapReason::NoBaseline | GapReason::Truncated
        )
    });
    reasons.extend(missing.map(|(id, _)| StrengthReason::SourceMissing { item: *id }));
    reasons
}

/// The share of the trouble that is the candidate's own: of what the alarmed resource suffers, or of all the time that
/// was added anywhere in the traces.
fn share(grounds: &Grounds<'_>, candidate: &Candidate) -> Option<f64> {
    let parts = |c: &Candidate, kinds: &[PartKind]| -> f64 {
        c.account.iter().filter(|p| kinds.contains(&p.kind)).map(|p| (p.seen - p.explained).max(0.0)).sum()
    };
    let lead = candidate.account.iter().find(|p| p.kind != PartKind::Change)?;
    let (own, all) = match lead.kind {
        PartKind::Impact => {
            let seen = |c: &Candidate| c.account.iter().find(|p| p.kind == PartKind::Impact).map(|p| p.seen);
            let target = grounds.ranking.candidates.iter().find(|c| &c.resource == grounds.target);
            (parts(candidate, &[PartKind::Impact]), target.and_then(seen)?)
        }
        PartKind::OwnTime | PartKind::CallDelay => {
            let kinds = [PartKind::OwnTime, PartKind::CallDelay];
            (parts(candidate, &kinds), grounds.ranking.candidates.iter().map(|c| parts(c, &kinds)).sum())
        }
        PartKind::OwnErrors | PartKind::Saturation | PartKind::Logs | PartKind::Change => return None,
    };
    (all > 0.0).then(|| tidy((own / all).min(1.0)))
}

/// How the candidate stands to its neighbours in the ranking.
fn compared(grounds: &Grounds<'_>, rank: u32, candidate: &Candidate) -> Option<StrengthReason> {
    let next = usize::try_from(rank).ok().and_then(|i| grounds.ranking.candidates.get(i))?;
    if next.score >= CLOSE * candidate.score {
        return Some(StrengthReason::CloseSecond { resource: next.resource.clone() });
    }
    let factor = tidy((candidate.score / next.score.max(0.001)).min(100.0));
    Some(StrengthReason::StandsOut { factor })
}

fn seconds_before(grounds: &Grounds<'_>, id: ItemId) -> Option<i64> {
    match grounds.observations.get(&id).map(|o| &o.signal) {
        Some(Signal::Change(c)) => Some(c.before_onset_s),
        Some(Signal::MetricDeviation(_) | Signal::LogPattern(_) | Signal::TraceLink(_)) | None => None,
    }
}

/// Observations of resources between the alarm and the candidate that began clearly before the candidate's own:
/// an effect does not precede its cause.
fn contradicting(grounds: &Grounds<'_>, candidate: &Candidate) -> Vec<ItemId> {
    let Some(since) = candidate.since else { return Vec::new() };
    let between = |r: &ResourceId| *r != candidate.resource && candidate.path.contains(r);
    grounds
        .observations
        .iter()
        .filter(|(_, o)| between(&o.resource) && !matches!(o.signal, Signal::Change(_)))
        .filter(|(_, o)| {
            o.strength() >= 0.8 && since.secs_since(o.since) > BEFORE_CAUSE_S && o.since >= grounds.onset
        })
        .map(|(id, _)| *id)
        .take(ITEMS_PER_PART)
        .collect()
}

fn confirm(grounds: &Grounds<'_>, supporting: &[ItemId], trigger: Option<ItemId>) -> Vec<Check> {
    let mut checks: Vec<Check> = trigger.map(|item| Check::UndoChange { item }).into_iter().collect();
    let check = |id: &ItemId| {
        Some(match &grounds.observations.get(id)?.signal {
            Signal::MetricDeviation(_) => Check::MetricReturns { item: *id },
            Signal::LogPattern(_) => Check::LinesStop { item: *id },
            Signal::TraceLink(_) => Check::CallsReturn { item: *id },
            Signal::Change(_) => return None,
        })
    };
    checks.extend(supporting.iter().filter_map(check).take(ITEMS_PER_PART));
    checks
}

fn refute(candidate: &Candidate) -> Vec<Check> {
    let resource = candidate.resource.clone();
    vec![Check::OtherEarlier { resource: resource.clone() }, Check::HiddenCallee { resource }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cause::Abstention;

    #[test]
    fn an_abstaining_ranking_gives_no_hypotheses() {
        let ranking = Ranking { candidates: Vec::new(), abstained: vec![Abstention::NothingStandsOut] };
        let grounds = Grounds {
            ranking: &ranking,
            observations: &BTreeMap::new(),
            gaps: &BTreeMap::new(),
            target: &ResourceId::new("a"),
            onset: Timestamp::from_secs(0),
            provisional: false,
        };
        assert!(hypotheses(&grounds, 5).is_empty());
    }
}
