//! The cause as facts: the statement, why it has its strength, what would confirm or refute it, why others rank lower.
//!
//! Decides nothing: hypotheses and ranking come in, facts go out. No words.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::investigation::State;
use crate::model::cause::{Abstention, Candidate, Part, PartKind, Ranking};
use crate::model::hypothesis::{Check, HypothesisFacts, StrengthReason};
use crate::model::id::ItemId;
use crate::model::num::{index, u32_of};
use crate::model::observation::Signal;
use crate::model::resource::ResourceId;
use crate::model::revision::Revision;

use super::fact::{Arg, Fact, name, path, term};
use super::item::{Entry, alarm, observation};
use super::terms;

/// Another candidate, and why it is not the one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// The hypothesis, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemId>,
    /// What it would be.
    pub statement: Fact,
    /// Why it ranks lower, and what it rests on.
    pub why: Vec<Fact>,
}

/// The cause, or why none is named.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Cause {
    /// The leading hypothesis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemId>,
    /// What it states; absent when the cause is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Fact>,
    /// Why no cause is named.
    pub unknown: Vec<Fact>,
    /// What the last conclusion says that the one before did not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revised: Vec<Fact>,
    /// Why the leading hypothesis has its strength.
    pub reasons: Vec<Fact>,
    /// When it began, the path from the alarm, what triggered it.
    pub details: Vec<Fact>,
    /// What its score is made of.
    pub account: Vec<Account>,
    /// Items that carry it.
    pub supporting: Vec<Entry>,
    /// The change that may have triggered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Entry>,
    /// Items that speak against it.
    pub contradicting: Vec<Entry>,
    /// Other candidates, best first.
    pub alternatives: Vec<Alternative>,
    /// What would confirm it.
    pub confirm: Vec<Fact>,
    /// What would refute it.
    pub refute: Vec<Fact>,
}

/// One kind of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// What it contributes, 0..1.
    pub value: f64,
    /// What was seen.
    pub fact: Fact,
}

/// Other candidates that are listed: more would only hide the first.
const ALTERNATIVES_MAX: usize = 4;

/// Evidence that is listed for the leading hypothesis: strongest first.
const SUPPORTING_MAX: usize = 8;

/// A part whose callees explain this share of it is called explained.
const EXPLAINED_MIN: f64 = 0.1;

/// The cause, from the hypotheses that nobody discarded and the ranking.
#[must_use]
pub(super) fn cause(state: &State, ranking: &Ranking) -> Cause {
    let leading = leading(state);
    let leads = leading.map(|(_, h)| &h.cause);
    let alternatives = alternatives(state, ranking, leads);
    let revised = state.concluded.iter().flat_map(|c| &c.revised).map(revision).collect();
    let Some((id, h)) = leading else {
        return Cause { unknown: unknown(state, ranking), revised, alternatives, ..Cause::default() };
    };
    let candidate = ranking.candidates.iter().find(|c| c.resource == h.cause);
    let entry = |id: &ItemId| line(state, *id);
    let since = h.since.map(|t| Fact::new("cause-since").with("at", Arg::Time(t)));
    let along = match h.path.len() {
        0 => Some(Fact::new("cause-path-inferred")),
        1 => None,
        _ => Some(Fact::new("cause-path").with("path", path(&h.path))),
    };
    Cause {
        item: Some(id),
        statement: Some(statement(h).citing(id)),
        unknown: Vec::new(),
        revised,
        reasons: h.reasons.iter().map(|r| reason(state, r)).collect(),
        details: since.into_iter().chain(along).collect(),
        account: candidate.map(|c| account(&c.account)).unwrap_or_default(),
        supporting: h.supporting.iter().filter_map(entry).take(SUPPORTING_MAX).collect(),
        trigger: h.trigger.as_ref().and_then(entry),
        contradicting: h.contradicting.iter().filter_map(entry).collect(),
        alternatives,
        confirm: h.confirm.iter().map(|c| check(state, c)).collect(),
        refute: h.refute.iter().map(|c| check(state, c)).collect(),
    }
}

/// The best hypothesis that holds.
#[must_use]
pub fn leading(state: &State) -> Option<(ItemId, &HypothesisFacts)> {
    state.standing().min_by_key(|(id, h)| (h.rank, std::cmp::Reverse(*id)))
}

/// What a hypothesis states.
#[must_use]
pub fn statement(h: &HypothesisFacts) -> Fact {
    Fact::new(terms::statement(h.mechanism)).about(&h.cause).with("band", term(terms::band(h.band)))
}

fn stated(c: &Candidate) -> Fact {
    Fact::new(terms::statement(c.mechanism)).about(&c.resource).with("band", term(terms::band(c.band)))
}

/// Why no cause is named.
#[must_use]
pub fn abstention(reason: Abstention) -> Fact {
    Fact::new(match reason {
        Abstention::TargetQuiet => "unknown-target-quiet",
        Abstention::NothingStandsOut => "unknown-nothing-stands-out",
        Abstention::NoTelemetry => "unknown-no-telemetry",
        Abstention::NoBaseline => "unknown-no-baseline",
        Abstention::ThresholdUsual => "unknown-threshold-usual",
        Abstention::RuledOut => "unknown-ruled-out",
    })
}

fn unknown(state: &State, ranking: &Ranking) -> Vec<Fact> {
    let concluded = state.concluded.iter().flat_map(|c| &c.abstained);
    let mut reasons: Vec<Abstention> = ranking.abstained.iter().chain(concluded).copied().collect();
    reasons.sort();
    reasons.dedup();
    // Where nothing was measured, nothing can stand out.
    let blind = reasons.contains(&Abstention::NoTelemetry);
    reasons.retain(|r| !blind || *r != Abstention::NothingStandsOut);
    if reasons.is_empty() {
        return vec![Fact::new("unknown-not-concluded")];
    }
    reasons.into_iter().map(abstention).collect()
}

/// What a conclusion says that the one before did not.
#[must_use]
pub(super) fn revision(revision: &Revision) -> Fact {
    match revision {
        Revision::Lead { from: Some(from), to: Some(to) } => {
            Fact::new("revised-lead").about(to).with("from", name(from))
        }
        Revision::Lead { from: None, to: Some(to) } => Fact::new("revised-found").about(to),
        Revision::Lead { from: Some(from), to: None } => Fact::new("revised-lost").about(from),
        Revision::Lead { from: None, to: None } | Revision::Same { .. } => Fact::new("revised-same"),
        Revision::Mechanism { resource, from, to } => Fact::new("revised-mechanism")
            .about(resource)
            .with("from", term(terms::mechanism(*from)))
            .with("to", term(terms::mechanism(*to))),
        Revision::Strength { resource, from, to } => Fact::new("revised-strength")
            .about(resource)
            .with("from", term(terms::band(*from)))
            .with("to", term(terms::band(*to))),
        Revision::Evidence { new, again, gone } => Fact::new("revised-evidence")
            .with("new", Arg::Count((*new).into()))
            .with("again", Arg::Count((*again).into()))
            .with("gone", Arg::Count((*gone).into())),
    }
}

/// Why a hypothesis has its strength.
#[must_use]
pub fn reason(state: &State, reason: &StrengthReason) -> Fact {
    match reason {
        StrengthReason::ExplainsShare { share } => {
            let target = state.opened.as_ref().map(|o| &o.alarm.resource);
            let target = target.map_or_else(|| Arg::Name(String::new()), name);
            Fact::new("reason-explains-share").with("share", Arg::Share(*share)).with("target", target)
        }
        StrengthReason::KindsAgree { kinds } => {
            Fact::new("reason-kinds-agree").with("kinds", Arg::Count((*kinds).into()))
        }
        StrengthReason::StandsOut { factor } => {
            Fact::new("reason-stands-out").with("factor", Arg::Factor(*factor))
        }
        StrengthReason::CloseSecond { resource } => Fact::new("reason-close-second").about(resource),
        StrengthReason::ChangeBefore { item, seconds } => {
            let key = match seconds.cmp(&0) {
                Ordering::Greater => "reason-change-before",
                Ordering::Equal => "reason-change-at",
                Ordering::Less => "reason-change-after",
            };
            Fact::new(key).citing(*item).with("lead", Arg::Seconds(seconds.abs()))
        }
        StrengthReason::SingleKind => Fact::new("reason-single-kind"),
        StrengthReason::OnlyExternal => Fact::new("reason-only-external"),
        StrengthReason::Provisional => Fact::new("reason-provisional"),
        StrengthReason::SourceMissing { item } => {
            let source = state.gaps.get(item).map_or("source-other", |g| terms::source(g.source));
            Fact::new("reason-source-missing").citing(*item).with("source", term(source))
        }
    }
}

/// Something to look at, and what it would say.
#[must_use]
pub fn check(state: &State, check: &Check) -> Fact {
    match check {
        Check::MetricReturns { item } => measured(state, "check-metric-returns", *item),
        Check::UndoChange { item } => named(state, "check-undo-change", *item),
        Check::OtherEarlier { resource } => Fact::new("check-other-earlier").about(resource),
        Check::HiddenCallee { resource } => Fact::new("check-hidden-callee").about(resource),
        Check::LinesStop { item } => named(state, "check-lines-stop", *item),
        Check::CallsReturn { item } => match state.observations.get(item).map(|o| &o.signal) {
            Some(Signal::TraceLink(l)) => named(state, "check-calls-return", *item)
                .with("usual", Arg::Milliseconds(l.duration_ms_before)),
            Some(Signal::MetricDeviation(_) | Signal::LogPattern(_) | Signal::Change(_)) | None => {
                named(state, "check-item-returns", *item)
            }
        },
    }
}

/// A check of a metric, with the level that it must come back to.
fn measured(state: &State, key: &str, item: ItemId) -> Fact {
    match state.observations.get(&item).map(|o| &o.signal) {
        Some(Signal::MetricDeviation(m)) => named(state, key, item)
            .with("metric", Arg::Name(format!("{} {}", m.metric, m.stat)))
            .with("usual", Arg::Number { value: m.baseline.median, unit: m.unit.clone() }),
        Some(Signal::LogPattern(_) | Signal::TraceLink(_) | Signal::Change(_)) | None => {
            named(state, "check-item-returns", item)
        }
    }
}

/// A check of an item of a resource.
fn named(state: &State, key: &str, item: ItemId) -> Fact {
    let resource =
        state.observations.get(&item).map_or_else(|| Arg::Name(String::new()), |o| name(&o.resource));
    Fact::new(key).citing(item).with("resource", resource)
}

/// Changes count once: two deployments in a row are one kind of evidence.
fn account(parts: &[Part]) -> Vec<Account> {
    let mut seen = std::collections::BTreeSet::new();
    let parts = parts.iter().filter(|p| seen.insert(p.kind));
    parts.map(|p| Account { value: p.value, fact: part(p) }).collect()
}

/// One kind of evidence, with what was seen in its own unit.
fn part(p: &Part) -> Fact {
    let explained = if p.seen > 0.0 { (p.explained / p.seen).clamp(0.0, 1.0) } else { 0.0 };
    let explained = (explained >= EXPLAINED_MIN)
        .then(|| Fact::new("remark-explained").with("share", Arg::Share(explained)));
    let fact = Fact::new(terms::part(p.kind));
    let fact = match p.kind {
        PartKind::OwnTime | PartKind::CallDelay => fact.with("seen", Arg::Milliseconds(p.seen * 1000.0)),
        PartKind::OwnErrors => fact.with("seen", Arg::Count(u64::from(u32_of(index(p.seen.round()))))),
        PartKind::Change => fact.with("seen", Arg::Seconds(i64::from(u32_of(index(p.seen))))),
        PartKind::Impact | PartKind::Saturation | PartKind::Logs => fact,
    };
    let mut fact = fact.remarking(explained);
    fact.cites = p.items.iter().take(3).copied().collect();
    fact
}

fn alternatives(state: &State, ranking: &Ranking, leads: Option<&ResourceId>) -> Vec<Alternative> {
    let best = leads.and_then(|r| ranking.candidates.iter().find(|c| &c.resource == r));
    let hypothesis =
        |c: &Candidate| state.standing().filter(|(_, h)| h.cause == c.resource).max_by_key(|(id, _)| *id);
    let others = ranking.candidates.iter().filter(|c| Some(&c.resource) != leads);
    let others = others.map(|c| (c, hypothesis(c)));
    others
        .take(ALTERNATIVES_MAX)
        .map(|(c, h)| Alternative {
            item: h.map(|(id, _)| id),
            statement: stated(c),
            why: lower(c, best, h.map(|(_, h)| h)),
        })
        .collect()
}

/// Why a candidate ranks lower than the best.
fn lower(c: &Candidate, best: Option<&Candidate>, h: Option<&HypothesisFacts>) -> Vec<Fact> {
    let score = |value: f64| Arg::Number { value, unit: None };
    let mut why = Vec::new();
    why.extend(
        best.map(|b| Fact::new("lower-score").with("score", score(c.score)).with("best", score(b.score))),
    );
    why.extend(h.and_then(|h| h.contradicting.first()).map(|id| Fact::new("lower-contradicted").citing(*id)));
    let explained = c.account.iter().filter(|p| p.seen > 0.0).map(|p| (p.explained / p.seen).min(1.0));
    let explained = explained.fold(0.0, f64::max);
    if explained >= EXPLAINED_MIN {
        why.push(Fact::new("lower-explained").with("share", Arg::Share(explained)));
    }
    if c.path.is_empty() {
        why.push(Fact::new("lower-unreached"));
    }
    if c.account.iter().filter(|p| p.kind != PartKind::Change).count() == 1 {
        why.extend(
            c.account
                .iter()
                .find(|p| p.kind != PartKind::Change)
                .map(|p| Fact::new("lower-single").with("kind", term(terms::kind(p.kind)))),
        );
    }
    why
}

/// The line of an item that a hypothesis may cite.
fn line(state: &State, id: ItemId) -> Option<Entry> {
    let seen = state.observations.get(&id).map(|o| observation(id, o));
    seen.or_else(|| state.alarms.get(&id).map(|t| alarm(id, t)))
}
