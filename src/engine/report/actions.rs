//! What can be done, what was approved by whom, what ran and whether it helped, as facts.
//!
//! A playbook's own texts are not here: they are words, and the reader's language picks them at view time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::investigation::State;
use crate::model::execution::{Recovery, RecoveryMeasure};
use crate::model::feed::{Body, FeedItem};
use crate::model::id::ItemId;
use crate::model::observation::Signal;
use crate::model::suggestion::{
    Binding, Effect, MatchReason, Origin, Plan, SuggestedAction, Suggestion, Wanted,
};
use crate::model::time::Timestamp;

use super::fact::{Arg, Fact, name, term};
use super::item::{Entry, digest, entry, recovery};
use super::terms;

/// A parameter of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its values; empty when a person must give them.
    pub values: Vec<String>,
    /// Where they came from, or where they were looked for.
    pub origin: Fact,
}

/// A deviation before, during and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// The numbers.
    pub fact: Fact,
    /// Whether it is back.
    pub back: bool,
    /// The points before and after the fix, to draw it.
    pub points: Vec<(Timestamp, Option<f64>)>,
}

/// Whether it helped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The item.
    pub item: ItemId,
    /// The judgement.
    pub verdict: Fact,
    /// What was measured.
    pub measures: Vec<Measure>,
}

/// Something that could be done, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The suggestion.
    pub item: ItemId,
    /// The playbook, whose texts are words.
    pub playbook: String,
    /// Whether Tantei recommends it.
    pub recommended: bool,
    /// What would happen: run a plan, complete a runbook, read.
    pub action: Fact,
    /// Why it was matched.
    pub reasons: Vec<Fact>,
    /// The parameters, with their origins.
    pub parameters: Vec<Parameter>,
    /// Words of people on it.
    pub decisions: Vec<Entry>,
    /// What ran.
    pub run: Vec<Entry>,
    /// Whether it helped.
    pub judgements: Vec<Judgement>,
}

/// Suggestions that hold, best first.
#[must_use]
pub(super) fn proposals(state: &State, feed: &[FeedItem]) -> Vec<Proposal> {
    let mut kept: Vec<(ItemId, &Suggestion)> = state.proposed().collect();
    kept.sort_by_key(|(id, s)| (s.rank, *id));
    kept.into_iter().map(|(id, s)| proposal(state, feed, id, s)).collect()
}

/// Judgements without a suggestion: it recovered by itself, or somebody helped elsewhere.
#[must_use]
pub(super) fn other_judgements(state: &State) -> Vec<Judgement> {
    let own = state.recoveries.iter().filter(|(_, r)| r.suggestion.is_none());
    own.map(|(id, r)| judgement(state, *id, r)).collect()
}

fn proposal(state: &State, feed: &[FeedItem], id: ItemId, s: &Suggestion) -> Proposal {
    let entries = |wanted: fn(&Body) -> Option<ItemId>| -> Vec<Entry> {
        feed.iter().filter(|i| wanted(&i.body) == Some(id)).map(entry).collect()
    };
    let judged = state.recoveries.iter().filter(|(_, r)| r.suggestion == Some(id));
    let (action, parameters) = action(&s.action);
    Proposal {
        item: id,
        playbook: s.playbook.clone(),
        recommended: s.recommended,
        action,
        reasons: s.reasons.iter().map(match_reason).collect(),
        parameters,
        decisions: entries(|b| if let Body::Approval(a) = b { Some(a.suggestion) } else { None }),
        run: entries(|b| if let Body::Execution(e) = b { Some(e.suggestion) } else { None }),
        judgements: judged.map(|(id, r)| judgement(state, *id, r)).collect(),
    }
}

fn action(action: &SuggestedAction) -> (Fact, Vec<Parameter>) {
    match action {
        SuggestedAction::Run { plan } => (plan_fact(plan), bound(&plan.facts().parameters)),
        SuggestedAction::Complete { document, effect, parameters, missing } => {
            let fact = documented("action-complete", document, *effect);
            let mut all = bound(parameters);
            all.extend(missing.iter().map(|m| Parameter {
                name: m.name.clone(),
                values: Vec::new(),
                origin: wanted(&m.source),
            }));
            (fact, all)
        }
        SuggestedAction::Read => (Fact::new("action-read"), Vec::new()),
    }
}

/// What would run, on what, how dangerous it is, under which digest it is approved.
#[must_use]
pub fn plan_fact(plan: &Plan) -> Fact {
    let facts = plan.facts();
    documented("action-run", &facts.document, facts.effect)
        .with("version", Arg::Name(facts.document_version.clone()))
        .with("risk", term(terms::risk(facts.risk)))
        .with("targets", Arg::Name(targets(plan)))
        .with("digest", digest(plan.digest()))
        .with("expires", Arg::Seconds(facts.expires_after_s.into()))
}

fn targets(plan: &Plan) -> String {
    let names: Vec<&str> = plan.facts().targets.iter().map(|t| t.as_str()).collect();
    names.join(", ")
}

fn documented(key: &str, document: &str, effect: Effect) -> Fact {
    Fact::new(key)
        .with("document", Arg::Name(document.to_owned()))
        .with("effect", term(terms::effect(effect)))
}

/// The parameters of a plan with their origins.
#[must_use]
pub(super) fn bound(parameters: &BTreeMap<String, Binding>) -> Vec<Parameter> {
    let one = |(name, b): (&String, &Binding)| Parameter {
        name: name.clone(),
        values: b.values.clone(),
        origin: origin(&b.origin),
    };
    parameters.iter().map(one).collect()
}

/// Where the value of a parameter came from.
#[must_use]
pub fn origin(origin: &Origin) -> Fact {
    let of = |key: &str, name: &str| Fact::new(key).with("name", Arg::Name(name.to_owned()));
    match origin {
        Origin::Resource { item } => Fact::new("origin-resource").citing(*item),
        Origin::Dimension { name, item } => of("origin-dimension", name).citing(*item),
        Origin::Attribute { name, item } => of("origin-attribute", name).citing(*item),
        Origin::Change { name, item } => of("origin-change", name).citing(*item),
        Origin::Incident { name } if name == "end" => Fact::new("origin-incident-end"),
        Origin::Incident { .. } => Fact::new("origin-incident-start"),
        Origin::Constant => Fact::new("origin-constant"),
        Origin::Setting { name } => of("origin-setting", name),
    }
}

/// Where a value was looked for in vain.
#[must_use]
pub(super) fn wanted(source: &Wanted) -> Fact {
    let of = |key: &str, name: &str| Fact::new(key).with("name", Arg::Name(name.to_owned()));
    match source {
        Wanted::Resource => Fact::new("missing-resource"),
        Wanted::Dimension { name } => of("missing-dimension", name),
        Wanted::Attribute { name } => of("missing-attribute", name),
        Wanted::Change { name } => of("missing-change", name),
        Wanted::Setting { name } => of("missing-setting", name),
        Wanted::Person => Fact::new("missing-person"),
    }
}

/// Why a playbook was matched.
#[must_use]
pub fn match_reason(reason: &MatchReason) -> Fact {
    match reason {
        MatchReason::ResourceKind { kind } if kind == "*" => Fact::new("match-any-kind"),
        MatchReason::ResourceKind { kind } => Fact::new("match-kind").with("kind", Arg::Name(kind.clone())),
        MatchReason::Mechanism { mechanism } => {
            Fact::new("match-mechanism").with("mechanism", term(terms::mechanism(*mechanism)))
        }
        MatchReason::Signal { item } => Fact::new("match-signal").citing(*item),
    }
}

fn judgement(state: &State, item: ItemId, r: &Recovery) -> Judgement {
    let measures = r.measures.iter().map(|m| measure(state, m)).collect();
    Judgement { item, verdict: recovery(r).citing(item), measures }
}

fn measure(state: &State, m: &RecoveryMeasure) -> Measure {
    let observation = state.observations.get(&m.item);
    let (metric, unit) = match observation.map(|o| &o.signal) {
        Some(Signal::MetricDeviation(d)) => (format!("{} {}", d.metric, d.stat), d.unit.clone()),
        Some(Signal::LogPattern(_) | Signal::TraceLink(_) | Signal::Change(_)) | None => {
            (String::new(), None)
        }
    };
    let number = |value: f64| Arg::Number { value, unit: unit.clone() };
    let fact = Fact::new(if m.after.is_some() { "measure" } else { "measure-blind" })
        .citing(m.item)
        .with("resource", observation.map_or_else(|| Arg::Name(String::new()), |o| name(&o.resource)))
        .with("metric", Arg::Name(metric.trim().to_owned()))
        .with("usual", number(m.usual))
        .with("incident", number(m.incident));
    let fact = match m.after {
        Some(after) => fact.with("after", number(after)),
        None => fact,
    };
    let since = m.back_since.filter(|_| m.back);
    let fact = fact.remarking(since.map(|t| Fact::new("remark-back-since").with("at", Arg::Clock(t))));
    // The whole course, so that the way back is seen beside what it came back from.
    let before = match observation.map(|o| &o.signal) {
        Some(Signal::MetricDeviation(d)) => d.points.clone(),
        Some(Signal::LogPattern(_) | Signal::TraceLink(_) | Signal::Change(_)) | None => Vec::new(),
    };
    Measure { fact, back: m.back, points: before.into_iter().chain(m.points.iter().copied()).collect() }
}
