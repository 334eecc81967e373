//! One feed item as one line: when, which, about whom, what it says.
//!
//! Every kind of item has a line, so that a feed can be read without gaps. No layout and no words.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::model::alarm::{AlarmState, AlarmTransition};
use crate::model::execution::{Approval, Execution, Recovery, Refusal, RunEvent};
use crate::model::feed::{Body, Concluded, Decision, DecisionKind, FeedItem, Principal, Round, RoundReason};
use crate::model::gap::{Gap, GapReason};
use crate::model::id::ItemId;
use crate::model::num::{real64, u32_of};
use crate::model::observation::{
    ChangeEvent, LogPattern, MetricDeviation, Movement, Observation, PatternChange, Severity, Signal,
    TraceLink,
};
use crate::model::resource::ResourceId;
use crate::model::suggestion::{SuggestedAction, Suggestion};
use crate::model::text::Untrusted;
use crate::model::time::Timestamp;

use super::cause;
use super::fact::{Arg, Fact, term};
use super::{hygiene, terms};

/// A line about a feed item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened.
    pub at: Timestamp,
    /// Which item.
    pub item: ItemId,
    /// Whom it is about: one resource, or the caller and the called one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subject: Vec<String>,
    /// What it says.
    pub fact: Fact,
    /// The points of its series, to draw it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<(Timestamp, Option<f64>)>,
}

/// A rate of failures counts as risen from this many percentage points (as a share) on.
const FAILING_MORE: f64 = 0.005;

/// A mean duration counts as risen from this factor on.
const SLOWER: f64 = 1.2;

/// A level this near to its usual one is not given as a factor: `1.0×` says nothing.
const FACTOR_MIN: f64 = 0.05;

/// The line of a feed item.
#[must_use]
pub fn entry(item: &FeedItem) -> Entry {
    let (at, id) = (item.happened_at, item.id);
    if let Body::Observation(o) = &item.body {
        return observation(id, o);
    }
    Entry { at, item: id, subject: subject(&item.body), fact: fact(item), points: Vec::new() }
}

/// The line of an observation.
#[must_use]
pub fn observation(id: ItemId, o: &Observation) -> Entry {
    let peer = o.peer.iter().map(ResourceId::as_str);
    let subject = peer.chain([o.resource.as_str()]).map(str::to_owned).collect();
    let (fact, points) = match &o.signal {
        Signal::MetricDeviation(m) => (metric(m), m.points.clone()),
        Signal::LogPattern(p) => (log(p), Vec::new()),
        Signal::TraceLink(l) => (link(l, o.peer.is_none()), Vec::new()),
        Signal::Change(c) => (change(c), Vec::new()),
    };
    Entry { at: o.since, item: id, subject, fact, points }
}

/// The line of an alarm transition.
#[must_use]
pub fn alarm(id: ItemId, t: &AlarmTransition) -> Entry {
    let subject = t.resource.iter().map(|r| r.as_str().to_owned()).collect();
    Entry { at: t.at, item: id, subject, fact: transition(t), points: Vec::new() }
}

fn subject(body: &Body) -> Vec<String> {
    let one = |r: &ResourceId| vec![r.as_str().to_owned()];
    match body {
        Body::Opened(o) => one(&o.alarm.resource),
        Body::AlarmTransition(t) => t.resource.as_ref().map(one).unwrap_or_default(),
        Body::AlarmHealth(h) => h.resource.as_ref().map(one).unwrap_or_default(),
        Body::Gap(g) => g.resource.as_ref().map(one).unwrap_or_default(),
        Body::Observation(o) => one(&o.resource),
        Body::Round(_)
        | Body::Collected(_)
        | Body::Concluded(_)
        | Body::Matched(_)
        | Body::Topology(_)
        | Body::Hypothesis(_)
        | Body::Suggestion(_)
        | Body::Approval(_)
        | Body::Execution(_)
        | Body::Recovery(_)
        | Body::Note(_)
        | Body::Decision(_)
        | Body::Usage(_) => Vec::new(),
    }
}

fn fact(item: &FeedItem) -> Fact {
    let count = |n: usize| Arg::Count(u64::from(u32_of(n)));
    match &item.body {
        Body::Opened(o) => Fact::new("item-opened").with("title", Arg::Text(o.alarm.title.clone())),
        Body::Round(r) => round(r),
        Body::Collected(c) => Fact::new("item-collected")
            .with("source", term(terms::source(c.source)))
            .with("records", Arg::Count(c.records)),
        Body::Concluded(c) => concluded(c),
        Body::Matched(m) => Fact::new("item-matched")
            .with("considered", Arg::Count(m.considered.into()))
            .with("suggested", Arg::Count(m.suggested.into())),
        Body::AlarmTransition(t) => transition(t),
        Body::AlarmHealth(h) => hygiene::health(h),
        Body::Topology(t) => Fact::new("item-topology")
            .with("resources", count(t.resources.len()))
            .with("edges", count(t.edges.len())),
        // Reached only through `entry`, which takes observations first.
        Body::Observation(o) => observation(item.id, o).fact,
        Body::Gap(g) => gap(g),
        Body::Hypothesis(h) => cause::statement(h.facts()),
        Body::Suggestion(s) => suggestion(s),
        Body::Approval(a) => approval(a, &item.by),
        Body::Execution(e) => execution(e),
        Body::Recovery(r) => recovery(r),
        Body::Note(n) => {
            Fact::new("item-note").with("person", person(&item.by)).with("text", Arg::Text(n.text.clone()))
        }
        Body::Decision(d) => decision(d, &item.by),
        Body::Usage(u) => Fact::new("item-usage")
            .with("source", term(terms::source(u.source)))
            .with("requests", Arg::Count(u.requests))
            .with("bytes", Arg::Number { value: real64(u.bytes), unit: Some("Bytes".to_owned()) }),
    }
}

fn concluded(c: &Concluded) -> Fact {
    let key = match (c.abstained.is_empty(), c.revised.is_empty()) {
        (true, true) => "item-concluded",
        (true, false) => "item-concluded-again",
        (false, true) => "item-concluded-unknown",
        (false, false) => "item-concluded-again-unknown",
    };
    let provisional = c.provisional.then(|| Fact::new("remark-provisional"));
    Fact::new(key)
        .remarking(c.revised.iter().map(cause::revision))
        .remarking(c.abstained.iter().map(|a| cause::abstention(*a)))
        .remarking(provisional)
}

fn round(r: &Round) -> Fact {
    let why = match r.why {
        RoundReason::Due => "round-due",
        RoundReason::Asked => "round-asked",
        RoundReason::Steered => "round-steered",
    };
    Fact::new("item-round")
        .with("number", Arg::Count(r.number.into()))
        .with("until", Arg::Clock(r.window.end))
        .remarking([Fact::new(why)])
}

fn transition(t: &AlarmTransition) -> Fact {
    let name = Arg::Name(t.name.raw().to_owned());
    let to = Arg::Name(state(t.to).to_owned());
    match t.from {
        Some(from) => Fact::new("item-alarm")
            .with("name", name)
            .with("from", Arg::Name(state(from).to_owned()))
            .with("to", to),
        None => Fact::new("item-alarm-now").with("name", name).with("to", to),
    }
}

/// CloudWatch's own words, the same in every language.
fn state(state: AlarmState) -> &'static str {
    match state {
        AlarmState::Ok => "OK",
        AlarmState::Alarm => "ALARM",
        AlarmState::InsufficientData => "INSUFFICIENT_DATA",
    }
}

fn metric(m: &MetricDeviation) -> Fact {
    let number = |value: f64| Arg::Number { value, unit: m.unit.clone() };
    let key = match m.movement {
        Movement::Up => "item-metric-up",
        Movement::Down => "item-metric-down",
        Movement::Missing => return labelled(Fact::new("item-metric-missing"), m),
    };
    let fact =
        labelled(Fact::new(key), m).with("before", number(m.baseline.median)).with("after", number(m.level));
    // The stored ratio may be against another reference; people compare the two numbers that they see.
    let telling = |f: &f64| f.is_finite() && *f > 0.0 && (f - 1.0).abs() >= FACTOR_MIN;
    let factor = Some(m.level / m.baseline.median).filter(telling);
    fact.remarking(factor.map(|f| Fact::new("remark-factor").with("factor", Arg::Factor(f))))
}

/// The metric's name and statistic.
fn labelled(fact: Fact, m: &MetricDeviation) -> Fact {
    fact.with("metric", Arg::Name(format!("{} {}", m.metric, m.stat).trim().to_owned()))
}

fn log(p: &LogPattern) -> Fact {
    let bad = p.severity >= Severity::Error;
    let key = match p.change {
        PatternChange::New if bad => "item-log-new-error",
        PatternChange::New => "item-log-new",
        PatternChange::Gone => "item-log-gone",
        PatternChange::MoreFrequent if bad => "item-log-more-error",
        PatternChange::MoreFrequent => "item-log-more",
        PatternChange::LessFrequent => "item-log-less",
        PatternChange::SequenceBroken => return broken(p),
    };
    Fact::new(key)
        .with("text", template(&p.template))
        .with("before", Arg::Count(p.count_before))
        .with("after", Arg::Count(p.count_after))
}

fn broken(p: &LogPattern) -> Fact {
    let fact = Fact::new("item-log-broken").with("text", template(&p.template));
    fact.remarking(p.follower.as_ref().map(|f| Fact::new("remark-follower").with("text", template(f))))
}

/// The shape without the times in front, which every line has and nobody reads.
fn template(text: &Untrusted) -> Arg {
    let mut rest = text.raw().trim_start();
    while let Some(cut) = rest.strip_prefix("<time>") {
        rest = cut.trim_start();
    }
    Arg::Text(Untrusted::new(if rest.is_empty() { text.raw() } else { rest }))
}

/// `outside`: no caller is known, the calls come from outside.
fn link(l: &TraceLink, outside: bool) -> Fact {
    let ms = Arg::Milliseconds;
    let share = |errors: u64, calls: u64| if calls == 0 { 0.0 } else { real64(errors) / real64(calls) };
    let (failed_before, failed) =
        (share(l.errors_before, l.calls_before), share(l.errors_after, l.calls_after));
    let failing = (failed > failed_before + FAILING_MORE).then(|| {
        Fact::new("remark-failing")
            .with("before", Arg::Share(failed_before))
            .with("after", Arg::Share(failed))
    });
    if l.calls_before == 0 {
        let fact = Fact::new("item-link-new").with("calls", Arg::Count(l.calls_after));
        return fact.with("after", ms(l.duration_ms_after)).remarking(failing);
    }
    let own = (l.own_ms_after > SLOWER * l.own_ms_before).then(|| {
        Fact::new("remark-own").with("before", ms(l.own_ms_before)).with("after", ms(l.own_ms_after))
    });
    let uncovered = (l.uncovered_ms_after > SLOWER * l.uncovered_ms_before.max(1.0)).then(|| {
        Fact::new("remark-uncovered")
            .with("before", ms(l.uncovered_ms_before))
            .with("after", ms(l.uncovered_ms_after))
    });
    Fact::new(if outside { "item-link-outside" } else { "item-link" })
        .with("before", ms(l.duration_ms_before))
        .with("after", ms(l.duration_ms_after))
        .remarking(own)
        .remarking(uncovered)
        .remarking(failing)
}

fn change(c: &ChangeEvent) -> Fact {
    let key = match c.before_onset_s.cmp(&0) {
        Ordering::Greater => "item-change-before",
        Ordering::Equal => "item-change-at",
        Ordering::Less => "item-change-after",
    };
    let kind = c.kind.plain();
    let kind = match kind.as_str() {
        "deployment" => term("change-deployment"),
        "configuration" => term("change-configuration"),
        _ => Arg::Name(kind),
    };
    Fact::new(key)
        .with("kind", kind)
        .with("actor", Arg::Name(actor(c.actor.raw())))
        .with("lead", Arg::Seconds(c.before_onset_s.abs()))
        .with("summary", Arg::Text(c.summary.clone()))
}

/// Who it was: of an ARN the part that names somebody. The whole of it stands in the feed.
fn actor(actor: &str) -> String {
    let last = if actor.starts_with("arn:") { actor.rsplit(':').next().unwrap_or(actor) } else { actor };
    last.strip_prefix("assumed-role/").or_else(|| last.strip_prefix("user/")).unwrap_or(last).to_owned()
}

/// What could not be seen.
#[must_use]
pub fn gap(g: &Gap) -> Fact {
    let key = match g.reason {
        GapReason::Absent => "gap-absent",
        GapReason::Malformed => "gap-malformed",
        GapReason::Truncated => "gap-truncated",
        GapReason::Denied => "gap-denied",
        GapReason::Unavailable => "gap-unavailable",
        GapReason::NoBaseline => "gap-no-baseline",
        GapReason::TargetUnseen => "gap-target-unseen",
        GapReason::ClockSkew => "gap-clock-skew",
    };
    let lost = (g.lost > 0).then(|| Fact::new("remark-lost").with("lost", Arg::Count(g.lost)));
    let place = (!g.place.is_empty() && g.place != g.source.name())
        .then(|| Fact::new("remark-place").with("place", Arg::Name(g.place.clone())));
    let detail =
        (!g.detail.is_empty()).then(|| Fact::new("remark-detail").with("text", Arg::Text(g.detail.clone())));
    Fact::new(key)
        .with("source", term(terms::source(g.source)))
        .remarking(lost)
        .remarking(place)
        .remarking(detail)
}

fn suggestion(s: &Suggestion) -> Fact {
    let key = match s.action {
        SuggestedAction::Run { .. } => "item-suggestion-run",
        SuggestedAction::Complete { .. } => "item-suggestion-complete",
        SuggestedAction::Read => "item-suggestion-read",
    };
    Fact::new(key).with("title", Arg::Playbook(s.playbook.clone()))
}

fn approval(a: &Approval, by: &Principal) -> Fact {
    let fact = if a.approved {
        Fact::new("item-approved").with("until", Arg::Clock(a.expires_at))
    } else {
        Fact::new("item-rejected")
    };
    fact.with("suggestion", Arg::Item(a.suggestion))
        .with("person", person(by))
        .with("surface", surface(by))
        .with("digest", digest(&a.digest))
}

/// The first eight digits of a digest: what people compare across surfaces.
pub(super) fn digest(digest: &str) -> Arg {
    Arg::Name(digest.get(..8).unwrap_or(digest).to_owned())
}

fn person(by: &Principal) -> Arg {
    match by {
        Principal::Person { name, .. } => Arg::Name(name.clone()),
        Principal::Tantei { part } => Arg::Name(part.clone()),
        Principal::Collector { source } => Arg::Name(source.name().to_owned()),
        Principal::Automation => Arg::Name("Automation".to_owned()),
    }
}

fn surface(by: &Principal) -> Arg {
    match by {
        Principal::Person { surface, .. } => Arg::Name(surface.clone()),
        Principal::Tantei { .. } | Principal::Collector { .. } | Principal::Automation => {
            Arg::Name("tantei".to_owned())
        }
    }
}

fn execution(e: &Execution) -> Fact {
    let fact = match &e.event {
        RunEvent::Intended => Fact::new("item-run-intended").with("digest", digest(&e.digest)),
        RunEvent::Step { name, action, status } => Fact::new("item-run-step")
            .with("step", Arg::Name(name.clone()))
            .with("action", Arg::Name(action.clone()))
            .with("status", term(terms::status(*status))),
        RunEvent::Ended { status } => {
            Fact::new("item-run-ended").with("status", term(terms::status(*status)))
        }
        RunEvent::Refused(Refusal::Automation { message }) => {
            Fact::new("item-run-failed").with("message", Arg::Text(message.clone()))
        }
        RunEvent::Lost { message } => Fact::new("item-run-lost").with("message", Arg::Text(message.clone())),
        RunEvent::Refused(refusal) => {
            Fact::new("item-run-refused").with("why", term(terms::refusal(refusal)))
        }
    };
    fact.with("suggestion", Arg::Item(e.suggestion))
}

/// Whether it helped.
#[must_use]
pub fn recovery(r: &Recovery) -> Fact {
    let back = r.measures.iter().filter(|m| m.back).count();
    let count = |n: usize| Arg::Count(u64::from(u32_of(n)));
    let measured = (!r.measures.is_empty())
        .then(|| Fact::new("remark-back").with("back", count(back)).with("all", count(r.measures.len())));
    let alarm = r.alarm_ok_at.map(|at| Fact::new("remark-alarm-ok").with("at", Arg::Clock(at)));
    let took = r.seconds_to_recovery.map(|s| Fact::new("remark-took").with("seconds", Arg::Seconds(s)));
    Fact::new(terms::verdict(r.verdict)).remarking(measured).remarking(alarm).remarking(took)
}

fn decision(d: &Decision, by: &Principal) -> Fact {
    let key = match d.decision {
        DecisionKind::Accepted => "item-accepted",
        DecisionKind::Discarded => "item-discarded",
        DecisionKind::Restored => "item-restored",
    };
    Fact::new(key).citing(d.item).with("person", person(by))
}
