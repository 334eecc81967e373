//! Matches playbooks against hypotheses, binds parameters from observed facts, seals plans.
//!
//! A parameter takes its value from what the feed observed of the resource at fault, from a constant of the playbook
//! or a setting of the operator; never from a log line or a model. What cannot be bound is listed as missing.

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::APPROVAL_EXPIRES_S;
use crate::model::alarm::Alarm;
use crate::model::cause::Band;
use crate::model::hypothesis::{HypothesisFacts, StrengthReason};
use crate::model::id::ItemId;
use crate::model::num::u32_of;
use crate::model::observation::{Observation, PatternChange, Provenance, Signal};
use crate::model::resource::{Resource, ResourceId};
use crate::model::suggestion::{
    Binding, MatchReason, MissingParameter, Origin, Plan, PlanFacts, SuggestedAction, Suggestion, Wanted,
};
use crate::model::time::Timestamp;

use super::schema::{Condition, Named, ParameterSource, Playbook, Run, Shape};

/// Playbooks by identifier.
pub type Library = BTreeMap<String, Playbook>;

/// What matching works on.
#[derive(Debug)]
pub struct Case<'a> {
    /// What fired.
    pub alarm: &'a Alarm,
    /// When the incident began.
    pub onset: Timestamp,
    /// Hypotheses, best first.
    pub hypotheses: Vec<(ItemId, &'a HypothesisFacts)>,
    /// Observations that nobody discarded.
    pub observations: Vec<(ItemId, &'a Observation)>,
    /// Resources that the topology names.
    pub resources: &'a BTreeMap<ResourceId, (Resource, ItemId)>,
    /// Settings of the operator, such as the role that Automation assumes.
    pub settings: &'a BTreeMap<String, String>,
}

/// Automation takes values of at most this many characters.
const VALUE_CHARS_MAX: usize = 512;

/// Suggestions, best first, at most `suggestions_max`.
#[must_use]
pub fn suggest(case: &Case<'_>, library: &Library, suggestions_max: usize) -> Vec<Suggestion> {
    let mut matches: Vec<Match<'_>> = Vec::new();
    for (id, hypothesis) in &case.hypotheses {
        matches.extend(library.values().filter_map(|p| matched(case, *id, hypothesis, p)));
    }
    matches.sort_by(|a, b| a.order().cmp(&b.order()));
    // One playbook and resource at most once: for its best hypothesis.
    let mut seen = BTreeSet::new();
    matches.retain(|m| seen.insert((m.playbook.playbook.clone(), m.hypothesis.cause.clone())));
    (1..).zip(matches.into_iter().take(suggestions_max)).map(|(rank, m)| m.suggestion(rank)).collect()
}

/// A playbook that applies to a hypothesis.
struct Match<'a> {
    id: ItemId,
    hypothesis: &'a HypothesisFacts,
    playbook: &'a Playbook,
    reasons: Vec<MatchReason>,
    action: SuggestedAction,
}

impl Match<'_> {
    /// Better hypotheses first; then more observed conditions, a named kind before `*`, a complete plan before an
    /// incomplete one, the gentler effect, the name.
    fn order(&self) -> (u32, u32, u8, crate::model::suggestion::Effect, &str) {
        let points: u32 = self
            .reasons
            .iter()
            .map(|r| match r {
                MatchReason::Signal { .. } => 2,
                MatchReason::ResourceKind { kind } if kind != "*" => 2,
                MatchReason::ResourceKind { .. } => 0,
                MatchReason::Mechanism { .. } => 1,
            })
            .sum();
        let action = match self.action {
            SuggestedAction::Run { .. } => 0,
            SuggestedAction::Read => 1,
            SuggestedAction::Complete { .. } => 2,
        };
        (self.hypothesis.rank, u32::MAX - points, action, self.playbook.effect, &self.playbook.playbook)
    }

    /// Recommended is only what acts on the leading hypothesis, and never when everything that supports it could have
    /// been written by somebody outside.
    fn suggestion(self, rank: u32) -> Suggestion {
        let external = self.hypothesis.reasons.contains(&StrengthReason::OnlyExternal);
        let leading = self.hypothesis.rank == 1;
        Suggestion {
            hypothesis: self.id,
            playbook: self.playbook.playbook.clone(),
            rank,
            recommended: leading && !external && self.hypothesis.band > Band::Weak,
            reasons: self.reasons,
            action: self.action,
        }
    }
}

fn matched<'a>(
    case: &Case<'_>,
    id: ItemId,
    hypothesis: &'a HypothesisFacts,
    playbook: &'a Playbook,
) -> Option<Match<'a>> {
    let when = &playbook.when;
    let kind = case.resources.get(&hypothesis.cause).and_then(|(r, _)| r.kind.as_deref());
    let fits = |pattern: &String| match (pattern.strip_suffix('*'), kind) {
        (Some(""), _) => true,
        (Some(prefix), Some(kind)) => kind.starts_with(prefix),
        (Some(_) | None, None) => false,
        (None, Some(kind)) => kind == pattern,
    };
    let pattern = when.resource_kinds.iter().find(|p| fits(p))?;
    let mut reasons = vec![MatchReason::ResourceKind { kind: pattern.clone() }];
    if !when.mechanisms.is_empty() {
        if !when.mechanisms.contains(&hypothesis.mechanism) {
            return None;
        }
        reasons.push(MatchReason::Mechanism { mechanism: hypothesis.mechanism });
    }
    let mut items = BTreeSet::new();
    for condition in &when.all {
        items.insert(met_by(case, &hypothesis.cause, condition)?);
    }
    let any: Vec<ItemId> = when.any.iter().filter_map(|c| met_by(case, &hypothesis.cause, c)).collect();
    if !when.any.is_empty() && any.is_empty() {
        return None;
    }
    items.extend(any);
    reasons.extend(items.into_iter().map(|item| MatchReason::Signal { item }));
    let action = action(case, hypothesis, playbook);
    Some(Match { id, hypothesis, playbook, reasons, action })
}

/// The first observation of the resource that meets the condition.
fn met_by(case: &Case<'_>, resource: &ResourceId, condition: &Condition) -> Option<ItemId> {
    let of_resource = case.observations.iter().filter(|(_, o)| &o.resource == resource);
    of_resource.clone().find(|(_, o)| meets(o, condition)).map(|(id, _)| *id)
}

fn meets(observation: &Observation, condition: &Condition) -> bool {
    match (&observation.signal, condition) {
        (Signal::MetricDeviation(m), Condition::Metric(c)) => {
            c.names.contains(&m.metric)
                && m.movement == c.movement
                && m.strength >= c.min_strength
                && c.min_level.is_none_or(|least| m.level >= least)
        }
        (Signal::LogPattern(p), Condition::Log(c)) => {
            let text = p.template.raw().to_lowercase();
            let default = [PatternChange::New, PatternChange::MoreFrequent];
            let changes = if c.change.is_empty() { &default[..] } else { &c.change[..] };
            p.severity >= c.min_severity
                && changes.contains(&p.change)
                && c.contains.iter().any(|needle| text.contains(&needle.to_lowercase()))
        }
        (Signal::TraceLink(l), Condition::Link(c)) => {
            l.strength >= c.min_strength && (!c.failing || l.errors_after > 0)
        }
        (Signal::Change(change), Condition::Change(c)) => {
            let kind = change.kind.plain();
            (c.kinds.is_empty() || c.kinds.contains(&kind))
                && (-60..=c.within_s).contains(&change.before_onset_s)
        }
        (
            Signal::MetricDeviation(_) | Signal::LogPattern(_) | Signal::TraceLink(_) | Signal::Change(_),
            _,
        ) => false,
    }
}

fn action(case: &Case<'_>, hypothesis: &HypothesisFacts, playbook: &Playbook) -> SuggestedAction {
    let Some(run) = &playbook.run else { return SuggestedAction::Read };
    let (parameters, missing) = bind_all(case, hypothesis, run);
    if !missing.is_empty() {
        let (document, effect) = (run.document.clone(), playbook.effect);
        return SuggestedAction::Complete { document, effect, parameters, missing };
    }
    let plan = Plan::seal(PlanFacts {
        document: run.document.clone(),
        document_version: run.version.clone(),
        parameters,
        targets: vec![hypothesis.cause.clone()],
        effect: playbook.effect,
        risk: playbook.risk,
        expires_after_s: APPROVAL_EXPIRES_S,
    });
    SuggestedAction::Run { plan }
}

fn bind_all(
    case: &Case<'_>,
    hypothesis: &HypothesisFacts,
    run: &Run,
) -> (BTreeMap<String, Binding>, Vec<MissingParameter>) {
    let mut parameters = BTreeMap::new();
    let mut missing = Vec::new();
    for (name, source) in &run.parameters {
        match bind(case, hypothesis, source) {
            Ok(binding) => drop(parameters.insert(name.clone(), binding)),
            Err(source) => missing.push(MissingParameter { name: name.clone(), source }),
        }
    }
    (parameters, missing)
}

/// The value of a parameter, or where it was looked for in vain.
fn bind(case: &Case<'_>, hypothesis: &HypothesisFacts, source: &ParameterSource) -> Result<Binding, Wanted> {
    let cause = &hypothesis.cause;
    match source {
        ParameterSource::Resource(shape) => resource(case, cause, shape),
        ParameterSource::Dimension(named) => dimension(case, cause, named),
        ParameterSource::Attribute(named) => attribute(case, cause, named),
        ParameterSource::Change(named) => change(case, hypothesis, named),
        ParameterSource::Incident(named) => {
            // Automation documents take whole seconds.
            let t = if named.name == "end" { case.alarm.window.end } else { case.onset };
            let whole = Timestamp::from_secs(t.secs()).to_string();
            Ok(Binding { values: vec![whole], origin: Origin::Incident { name: named.name.clone() } })
        }
        ParameterSource::Constant(value) => {
            Ok(Binding { values: vec![value.clone()], origin: Origin::Constant })
        }
        ParameterSource::Constants(values) => {
            Ok(Binding { values: values.clone(), origin: Origin::Constant })
        }
        ParameterSource::Setting(named) => {
            let wanted = Wanted::Setting { name: named.name.clone() };
            let value =
                case.settings.get(&named.name).filter(|v| fits(v, named.prefix.as_deref())).ok_or(wanted)?;
            Ok(Binding { values: vec![value.clone()], origin: Origin::Setting { name: named.name.clone() } })
        }
        ParameterSource::Person(_) => Err(Wanted::Person),
    }
}

fn resource(case: &Case<'_>, cause: &ResourceId, shape: &Shape) -> Result<Binding, Wanted> {
    let wanted = || Wanted::Resource;
    let value = Some(cause.as_str()).filter(|v| fits(v, shape.prefix.as_deref())).ok_or_else(wanted)?;
    let observed = case.observations.iter().find(|(_, o)| &o.resource == cause).map(|(id, _)| *id);
    let item = observed.or_else(|| case.resources.get(cause).map(|(_, id)| *id)).ok_or_else(wanted)?;
    Ok(Binding { values: vec![value.to_owned()], origin: Origin::Resource { item } })
}

/// The one value that the resource's metrics have in that dimension. Several different ones are no answer.
fn dimension(case: &Case<'_>, cause: &ResourceId, named: &Named) -> Result<Binding, Wanted> {
    let of_cause = case.observations.iter().filter(|(_, o)| &o.resource == cause);
    let mut found = of_cause.filter_map(|(id, o)| match &o.signal {
        // Only AWS's own namespaces: the dimensions of an application's metrics are the application's words.
        Signal::MetricDeviation(m) if m.namespace.as_deref().is_some_and(|n| n.starts_with("AWS/")) => {
            m.dimensions.get(&named.name).map(|v| (*id, v))
        }
        Signal::MetricDeviation(_) => None,
        Signal::LogPattern(_) | Signal::TraceLink(_) | Signal::Change(_) => None,
    });
    let wanted = || Wanted::Dimension { name: named.name.clone() };
    let (item, value) = found.next().ok_or_else(wanted)?;
    if found.any(|(_, other)| other != value) || !fits(value, named.prefix.as_deref()) {
        return Err(wanted());
    }
    Ok(Binding { values: vec![value.clone()], origin: Origin::Dimension { name: named.name.clone(), item } })
}

fn attribute(case: &Case<'_>, cause: &ResourceId, named: &Named) -> Result<Binding, Wanted> {
    let found = case.resources.get(cause).and_then(|(r, id)| r.attributes.get(&named.name).map(|v| (*id, v)));
    let wanted = || Wanted::Attribute { name: named.name.clone() };
    let (item, value) = found.filter(|(_, v)| fits(v, named.prefix.as_deref())).ok_or_else(wanted)?;
    Ok(Binding { values: vec![value.clone()], origin: Origin::Attribute { name: named.name.clone(), item } })
}

/// A field of a control-plane change of the resource, nearest to the onset first.
fn change(case: &Case<'_>, hypothesis: &HypothesisFacts, named: &Named) -> Result<Binding, Wanted> {
    let mut found: Vec<(i64, ItemId, &String)> = case
        .observations
        .iter()
        .filter(|(_, o)| o.resource == hypothesis.cause && o.provenance == Provenance::ControlPlane)
        .filter_map(|(id, o)| match &o.signal {
            // The deployment that came before the incident is what is gone back on, nothing else.
            Signal::Change(c) if c.before_onset_s < 0 || c.kind.raw() != "deployment" => None,
            Signal::Change(c) => c.attributes.get(&named.name).map(|v| (c.before_onset_s.abs(), *id, v)),
            Signal::MetricDeviation(_) | Signal::LogPattern(_) | Signal::TraceLink(_) => None,
        })
        .filter(|(_, _, v)| fits(v, named.prefix.as_deref()))
        .collect();
    found.sort();
    let wanted = || Wanted::Change { name: named.name.clone() };
    let (_, item, value) = found.first().ok_or_else(wanted)?;
    let origin = Origin::Change { name: named.name.clone(), item: *item };
    Ok(Binding { values: vec![(*value).clone()], origin })
}

/// Identifiers that AWS makes consist of these characters; anything else is not an identifier but an attempt.
fn fits(value: &str, prefix: Option<&str>) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+=,$".contains(c);
    !value.is_empty()
        && u32_of(value.len()) <= u32_of(VALUE_CHARS_MAX)
        && value.chars().all(plain)
        && !value.contains("://")
        && prefix.is_none_or(|p| value.starts_with(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_identifiers_are_bound() {
        for good in
            ["orders", "arn:aws:ecs:ap-northeast-1:111122223333:task-definition/orders:41", "app/x/50dc"]
        {
            assert!(fits(good, None), "{good}");
        }
        for bad in ["", "a b", "x;rm", "a\nb", "$(id)", "`id`", "{{ssm:x}}", "日本", &"a".repeat(513)] {
            assert!(!fits(bad, None), "{bad}");
        }
        assert!(!fits("orders", Some("arn:aws")));
    }
}
