//! The report as facts: a view of an investigation's state and feed, in sections, without any language.
//!
//! Stands above [`crate::investigation`], because it is a fold over its state. Nothing is decided here and nothing
//! is worded: a renderer turns each fact into a sentence, in every language with the same identifiers and numbers.

mod actions;
mod cause;
mod fact;
mod hygiene;
mod item;
mod terms;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::investigation::State;
use crate::model::alarm::{Alarm, AlarmState, AlarmTransition};
use crate::model::cause::Ranking;
use crate::model::execution::Verdict;
use crate::model::feed::{Body, Charge, DecisionKind, FeedItem};
use crate::model::num::{real64, u32_of};
use crate::model::observation::{Observation, Signal};
use crate::model::time::Timestamp;

pub use actions::{Judgement, Measure, Parameter, Proposal, match_reason, origin, plan_fact};
pub use cause::{Account, Alternative, Cause, abstention, check, leading, reason, statement};
pub use fact::{Arg, Fact};
pub use item::{Entry, alarm, entry, gap, observation, recovery};

/// A report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The investigation's identifier.
    pub investigation: String,
    /// What is investigated, from where, how it stands.
    pub overview: Vec<Fact>,
    /// How long it lasted and what it did.
    pub impact: Vec<Fact>,
    /// How it was noticed: transitions of alarms.
    pub detection: Vec<Entry>,
    /// What is wrong with the alarms themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hygiene: Vec<Entry>,
    /// What happened when, in order.
    pub timeline: Timeline,
    /// Why.
    pub cause: Cause,
    /// What can be done and what was done.
    pub actions: Vec<Proposal>,
    /// Recovery that no action of ours brought.
    pub recovery: Vec<Judgement>,
    /// What could not be seen.
    pub gaps: Vec<Entry>,
    /// What remains to be done after the incident.
    pub follow_ups: Vec<Fact>,
}

/// What happened when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// Lines in order of time.
    pub entries: Vec<Entry>,
    /// Observations that were left out, weakest first, so that the rest can be read.
    pub omitted: u64,
}

/// Lines of the timeline: what fits on two pages.
const TIMELINE_MAX: usize = 40;

/// Lines of the timeline for one resource, beside those that a hypothesis cites: a resource with many metrics tells
/// the same story many times.
const PER_RESOURCE_MAX: usize = 4;

/// Alarm transitions shown as detection.
const DETECTION_MAX: usize = 12;

/// Folds an investigation into the facts of its report.
///
/// `feed` must be the feed that `state` was folded from: it knows who said what.
#[must_use]
pub fn facts(state: &State, feed: &[FeedItem], ranking: &Ranking) -> Report {
    let cause = cause::cause(state, ranking);
    let times = times(state);
    Report {
        investigation: state.opened.as_ref().map(|o| o.investigation.clone()).unwrap_or_default(),
        overview: overview(state, feed, &times),
        impact: impact(state, &times),
        detection: state.alarms.iter().map(|(id, t)| alarm(*id, t)).take(DETECTION_MAX).collect(),
        hygiene: hygiene::hygiene(state),
        timeline: timeline(state, feed, &cause),
        follow_ups: follow_ups(state, &cause),
        actions: actions::proposals(state, feed),
        recovery: actions::other_judgements(state),
        gaps: feed
            .iter()
            .filter(|i| matches!(i.body, Body::Gap(_)) && state.holds(i.id))
            .map(entry)
            .collect(),
        cause,
    }
}

/// The instants that matter.
struct Times {
    onset: Option<Timestamp>,
    alarm: Option<Timestamp>,
    end: Option<Timestamp>,
}

fn times(state: &State) -> Times {
    let opened = state.opened.as_ref();
    let onset = state.scope().map(|s| s.onset);
    let recovered = state.recoveries.iter().rev().find(|(_, r)| r.verdict == Verdict::Recovered);
    let back = recovered
        .and_then(|(_, r)| r.measures.iter().filter_map(|m| m.back_since).chain(r.alarm_ok_at).max());
    let silent = || opened.and_then(|o| alarm_ended(state, &o.alarm));
    Times { onset, alarm: opened.map(|o| o.alarm.at), end: back.or_else(silent) }
}

/// When the alarm that started the investigation went back to OK, if that is its last transition.
fn alarm_ended(state: &State, fired: &Alarm) -> Option<Timestamp> {
    let own = |t: &&AlarmTransition| {
        t.resource.as_ref() == Some(&fired.resource) && t.metric.as_deref() == Some(fired.metric.as_str())
    };
    let last = state.alarms.values().filter(own).max_by_key(|t| t.at)?;
    (last.to == AlarmState::Ok && last.at > fired.at).then_some(last.at)
}

fn overview(state: &State, feed: &[FeedItem], times: &Times) -> Vec<Fact> {
    let Some(opened) = &state.opened else { return Vec::new() };
    let fired = Fact::new("overview-alarm")
        .about(&opened.alarm.resource)
        .with("title", Arg::Text(opened.alarm.title.clone()))
        .with("metric", Arg::Name(format!("{} {}", opened.alarm.metric, opened.alarm.stat)))
        .with("at", Arg::Time(opened.alarm.at));
    let verdict = state.recoveries.last().map(|(id, r)| recovery(r).citing(*id));
    let until = state.alarm().map_or(opened.alarm.window.end, |a| a.window.end);
    let status = match (verdict, times.end) {
        (Some(verdict), _) => verdict,
        (None, Some(end)) => Fact::new("overview-alarm-ended").with("at", Arg::Time(end)),
        (None, None) => Fact::new("overview-going-on").with("until", Arg::Time(until)),
    };
    let provisional = state.concluded.as_ref().is_some_and(|c| c.provisional);
    let origin = Fact::new("overview-origin").with("origin", Arg::Text(opened.origin.clone()));
    let seen = Fact::new("overview-seen")
        .with("observations", Arg::Count(u64::from(u32_of(state.evidence().count()))))
        .with("gaps", Arg::Count(u64::from(u32_of(state.open_gaps().count()))));
    let mut facts = vec![fired, status];
    facts.extend(provisional.then(|| Fact::new("remark-provisional")));
    facts.extend([origin, seen]);
    facts.extend(cost(feed));
    facts
}

/// What reading the telemetry cost, where somebody is charged for it.
fn cost(feed: &[FeedItem]) -> Option<Fact> {
    let usage = feed.iter().filter_map(|i| if let Body::Usage(u) = &i.body { Some(u) } else { None });
    let charges: Vec<_> = usage.flat_map(|u| &u.charges).collect();
    let sum = |of: fn(&Charge) -> u64| charges.iter().map(|c| of(c)).sum();
    let money = |micro: u64| Arg::Number { value: real64(micro) / 1e6, unit: Some("USD".to_owned()) };
    (!charges.is_empty()).then(|| {
        Fact::new("overview-cost")
            .with("calls", Arg::Count(sum(|c| c.calls)))
            .with("expected", money(sum(|c| c.expected_micro_usd)))
            .with("cost", money(sum(|c| c.micro_usd)))
    })
}

fn impact(state: &State, times: &Times) -> Vec<Fact> {
    let mut facts = Vec::new();
    facts.extend(times.onset.map(|t| Fact::new("impact-start").with("at", Arg::Time(t))));
    if let (Some(onset), Some(alarm)) = (times.onset, times.alarm) {
        let delay = Arg::Seconds(alarm.secs_since(onset).max(0));
        facts.push(Fact::new("impact-detected").with("at", Arg::Time(alarm)).with("delay", delay));
    }
    match (times.onset, times.end) {
        (Some(onset), Some(end)) => {
            let lasted = Arg::Seconds(end.secs_since(onset).max(0));
            facts.push(Fact::new("impact-end").with("at", Arg::Time(end)).with("lasted", lasted));
        }
        (Some(_) | None, _) => facts.push(Fact::new("impact-no-end")),
    }
    facts.extend(suffered(state));
    facts
}

/// What the alarmed resource and the calls from outside suffered.
fn suffered(state: &State) -> Vec<Fact> {
    let Some(target) = state.opened.as_ref().map(|o| &o.alarm.resource) else { return Vec::new() };
    let own = |o: &Observation| match &o.signal {
        Signal::MetricDeviation(m) => m.impact.is_some() && &o.resource == target,
        Signal::TraceLink(_) => o.peer.is_none(),
        Signal::LogPattern(_) | Signal::Change(_) => false,
    };
    let told = |(id, o)| {
        let Entry { fact, subject, .. } = observation(id, o);
        let subject = subject.last().cloned().unwrap_or_default();
        fact.citing(id).with("resource", Arg::Name(subject))
    };
    let mut facts: Vec<Fact> = state.evidence().filter(|(_, o)| own(o)).map(told).take(4).collect();
    let hurt = |o: &Observation| match &o.signal {
        Signal::MetricDeviation(m) => m.impact.is_some_and(|i| i.excess > 0.0) && m.strength >= 0.5,
        Signal::TraceLink(l) => l.strength >= 0.5,
        Signal::LogPattern(_) | Signal::Change(_) => false,
    };
    let hurt: BTreeSet<&str> =
        state.evidence().filter(|(_, o)| hurt(o)).map(|(_, o)| o.resource.as_str()).collect();
    let count = Arg::Count(u64::from(u32_of(hurt.len())));
    if !hurt.is_empty() {
        let names: Vec<&str> = hurt.into_iter().take(8).collect();
        facts.push(
            Fact::new("impact-affected").with("count", count).with("names", Arg::Name(names.join(", "))),
        );
    }
    facts
}

/// What happened, in order: changes, alarms, what people and runs did, and the strongest observations.
fn timeline(state: &State, feed: &[FeedItem], cause: &Cause) -> Timeline {
    let cited = cause.supporting.iter().chain(&cause.trigger).chain(&cause.contradicting).map(|e| e.item);
    let cited: BTreeSet<_> = cited.collect();
    let weight = |item: &FeedItem| -> Option<f64> {
        if !state.holds(item.id) {
            return None;
        }
        match &item.body {
            Body::Observation(_) if cited.contains(&item.id) => Some(3.0),
            Body::Observation(o) => Some(strength(o)),
            Body::Opened(_)
            | Body::AlarmTransition(_)
            | Body::Approval(_)
            | Body::Execution(_)
            | Body::Recovery(_)
            | Body::Note(_) => Some(2.0),
            Body::Decision(d) => (d.decision != DecisionKind::Accepted).then_some(2.0),
            Body::Concluded(c) => (!c.revised.is_empty()).then_some(2.0),
            Body::Round(_)
            | Body::Collected(_)
            | Body::Matched(_)
            | Body::AlarmHealth(_)
            | Body::Topology(_)
            | Body::Gap(_)
            | Body::Hypothesis(_)
            | Body::Suggestion(_)
            | Body::Usage(_) => None,
        }
    };
    let mut all: Vec<(f64, &FeedItem)> = feed.iter().filter_map(|i| weight(i).map(|w| (w, i))).collect();
    all.sort_by(|(a, x), (b, y)| b.total_cmp(a).then(x.seq.cmp(&y.seq)));
    let found = all.len();
    let mut of: BTreeMap<String, usize> = BTreeMap::new();
    all.retain(|(_, item)| {
        let Body::Observation(o) = &item.body else { return true };
        let seen = of.entry(o.resource.as_str().to_owned()).or_default();
        *seen += usize::from(!cited.contains(&item.id));
        cited.contains(&item.id) || *seen <= PER_RESOURCE_MAX
    });
    all.truncate(TIMELINE_MAX);
    let omitted = found - all.len();
    let mut entries: Vec<(u64, Entry)> = all.into_iter().map(|(_, i)| (i.seq, entry(i))).collect();
    entries.sort_by_key(|(seq, e)| (e.at, *seq));
    let entries = entries.into_iter().map(|(_, e)| Entry { points: Vec::new(), ..e }).collect();
    Timeline { entries, omitted: u64::from(u32_of(omitted)) }
}

/// How much an observation tells: a change near the onset as much as a clear deviation.
fn strength(o: &Observation) -> f64 {
    match &o.signal {
        Signal::Change(c) if (0..crate::limits::CHANGE_LEAD_S_MAX).contains(&c.before_onset_s) => 1.5,
        Signal::Change(_) => 0.3,
        Signal::MetricDeviation(_) | Signal::LogPattern(_) | Signal::TraceLink(_) => o.strength(),
    }
}

fn follow_ups(state: &State, cause: &Cause) -> Vec<Fact> {
    let mut facts = Vec::new();
    facts.extend(cause.trigger.as_ref().map(|t| {
        let resource = Arg::Name(t.subject.last().cloned().unwrap_or_default());
        Fact::new("follow-trigger").citing(t.item).with("resource", resource)
    }));
    if cause.statement.is_none() {
        facts.push(Fact::new("follow-unknown"));
    }
    if state.concluded.as_ref().is_some_and(|c| c.provisional) {
        facts.push(Fact::new("follow-provisional"));
    }
    let recovered = state.recoveries.iter().any(|(_, r)| r.verdict == Verdict::Recovered);
    if !recovered {
        facts.push(Fact::new("follow-recovery"));
        facts.extend(cause.confirm.iter().cloned());
    }
    facts.extend(state.open_gaps().take(8).map(|(id, g)| {
        Fact::new("follow-gap").citing(id).with("source", fact::term(terms::source(g.source)))
    }));
    facts
}
