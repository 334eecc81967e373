//! Digests spans into link observations: which calls got slower or failed more, and whose doing that is.

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::Limits;
use crate::model::gap::{Gap, GapReason};
use crate::model::num::{count_of, tidy};
use crate::model::observation::{Observation, Provenance, Signal, TraceLink};
use crate::model::query::Source;
use crate::model::resource::ResourceId;
use crate::model::telemetry::{LinkSum, Span};
use crate::model::text::cut;
use crate::model::time::Timestamp;

use super::fnv::fnv1a;
use super::link_sums::{LinkSums, Side};
use super::queries;
use super::scope::{Phase, Scope};
use super::stats::{rate_z, saturate};
use super::trace_tree::{Call, Compact, each_call};

/// Links weaker than this are noise to people.
const STRENGTH_MIN: f64 = 0.2;

/// A link that adds less than this share to the time of all calls from outside changes nothing that matters.
const SHARE_MIN: f64 = 0.01;

/// Units of standard error at which 63 % of certainty is reached.
const STRENGTH_SCALE: f64 = 4.0;

/// Standard errors below this share of a mean are not believed: time varies in more ways than a sample shows.
const RELATIVE_FLOOR: f64 = 0.1;

/// Names seen so far, by number; what comes beyond the limit shares the last number.
#[derive(Debug)]
struct Names {
    numbers: BTreeMap<String, u32>,
    max: u32,
    folded: u64,
}

impl Names {
    fn new(max: u32) -> Self {
        Self { numbers: BTreeMap::new(), max, folded: 0 }
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(n) = self.numbers.get(name) {
            return *n;
        }
        let n = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        if n >= self.max {
            self.folded += 1;
            return self.max;
        }
        self.numbers.insert(cut(name, NAME_BYTES_MAX).to_owned(), n);
        n
    }

    /// Names by number.
    fn names(&self) -> Vec<&str> {
        let mut names = vec![""; self.numbers.len()];
        for (name, n) in &self.numbers {
            if let Some(place) = usize::try_from(*n).ok().and_then(|n| names.get_mut(n)) {
                *place = name;
            }
        }
        names
    }
}

/// Resources whose calls are kept apart; further ones share one name.
const RESOURCES_MAX: u32 = 20_000;

/// Operations that are kept apart: an operation that carries an identifier in its name is as good as none.
const OPERATIONS_MAX: u32 = 20_000;

/// Longest name of a resource or operation.
const NAME_BYTES_MAX: usize = 512;

/// What stands for resources beyond the limit.
const OTHER: &str = "(other resources)";

/// Reads spans, one batch after the other.
#[derive(Debug)]
pub struct TraceDigest<'a> {
    scope: &'a Scope,
    resources: Names,
    operations: Names,
    spans: Vec<Compact>,
    sums: LinkSums,
    spans_max: usize,
    dropped: u64,
    offset_s: i64,
}

/// What the traces show.
#[derive(Debug, Default)]
pub struct TraceFindings {
    /// Observations, strongest first.
    pub observations: Vec<Observation>,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
    /// Calls that were seen: who calls whom, for a topology where there is none.
    pub links: Vec<(ResourceId, ResourceId)>,
}

/// What is summed over the calls of one operation of one link in one phase.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    calls: f64,
    duration: f64,
    own: Moments,
    uncovered: Moments,
    errors: f64,
    own_errors: f64,
    /// Start of the first call, in microseconds.
    first: Option<i64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    sum: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, x: f64) {
        self.sum += x;
        self.squares += x * x;
    }

    fn mean(self, n: f64) -> f64 {
        if n > 0.0 { self.sum / n } else { 0.0 }
    }

    fn variance(self, n: f64) -> f64 {
        // One call says nothing about how much calls vary: as much as they last.
        if n < 2.0 { self.mean(n).powi(2) } else { (self.squares / n - self.mean(n).powi(2)).max(0.0) }
    }
}

impl Sums {
    fn add(&mut self, call: &Call) {
        self.calls += 1.0;
        self.duration += call.duration_ms;
        self.own.add(call.own_ms);
        self.uncovered.add(call.uncovered_ms);
        self.errors += f64::from(u8::from(call.error));
        self.own_errors += f64::from(u8::from(call.own_error));
        self.first = Some(self.first.map_or(call.start, |f| f.min(call.start)));
    }
}

/// Before and after.
type Phases = (Sums, Sums);

/// Caller (absent: outside), callee, operation.
type Key = (Option<u32>, u32, u32);

impl<'a> TraceDigest<'a> {
    /// An empty digest.
    #[must_use]
    pub fn new(scope: &'a Scope, limits: &Limits) -> Self {
        Self {
            scope,
            resources: Names::new(RESOURCES_MAX),
            operations: Names::new(OPERATIONS_MAX),
            spans: Vec::new(),
            sums: LinkSums::default(),
            spans_max: limits.spans_max,
            dropped: 0,
            offset_s: 0,
        }
    }

    /// Corrects the source's clock by so many seconds from now on.
    pub fn align(&mut self, offset_s: i64) {
        self.offset_s = offset_s;
    }

    /// Takes a span. Beyond the limit spans are counted and dropped.
    pub fn push(&mut self, span: &Span) {
        let at = span.at.plus_secs(self.offset_s);
        if self.scope.phase(at).is_none() {
            return;
        }
        if self.spans.len() >= self.spans_max {
            self.dropped += 1;
            return;
        }
        let start = at.micros();
        let duration = i64::try_from(span.duration_us).unwrap_or(i64::MAX);
        self.spans.push(Compact {
            trace: hash(&span.trace),
            span: hash(&span.span),
            parent: span.parent.as_deref().map_or(0, hash),
            start,
            end: start.saturating_add(duration),
            resource: self.resources.number(span.resource.as_str()),
            operation: self.operations.number(&span.operation),
            error: span.error,
        });
    }

    /// Takes calls that were summed where they were recorded.
    pub fn push_sum(&mut self, sum: &LinkSum) {
        self.sums.push(self.scope, sum);
    }

    /// Concludes.
    #[must_use]
    pub fn finish(mut self, limits: &Limits) -> TraceFindings {
        let spans = self.sum();
        // Spans say more. Without any on one side of the onset there is nothing to compare: then sums do, all of them, because
        // what was sampled and what was counted do not add up.
        let both = |sums: &BTreeMap<Key, Phases>| {
            sums.values().any(|(b, _)| b.calls > 0.0) && sums.values().any(|(_, a)| a.calls > 0.0)
        };
        let counted = if both(&spans) { BTreeMap::new() } else { self.counted() };
        let sums = if both(&counted) { counted } else { spans };
        let mut findings = TraceFindings { gaps: self.gaps(&sums), ..TraceFindings::default() };
        let mut links: BTreeMap<(Option<u32>, u32), Vec<Phases>> = BTreeMap::new();
        for ((caller, callee, _), (before, after)) in &sums {
            links.entry((*caller, *callee)).or_default().push((*before, *after));
        }
        let outside_s = outside_s(&sums);
        let names = self.resources.names();
        let name = |n: u32| {
            let name = usize::try_from(n).ok().and_then(|i| names.get(i)).copied();
            ResourceId::new(name.unwrap_or(OTHER))
        };
        for ((caller, callee), operations) in &links {
            let (caller, callee) = (caller.map(name), name(*callee));
            if let Some(caller) = &caller {
                findings.links.push((caller.clone(), callee.clone()));
            }
            findings.observations.extend(self.observe(caller, callee, operations, outside_s));
        }
        findings.links.sort();
        findings.observations.sort_by(|a, b| {
            weight(b).total_cmp(&weight(a)).then_with(|| (&a.resource, &a.peer).cmp(&(&b.resource, &b.peer)))
        });
        findings.observations.truncate(limits.link_observations_max);
        findings
    }

    fn sum(&mut self) -> BTreeMap<Key, Phases> {
        let mut spans = std::mem::take(&mut self.spans);
        let mut sums: BTreeMap<Key, Phases> = BTreeMap::new();
        each_call(&mut spans, |call| {
            let entry = sums.entry((call.caller, call.callee, call.operation)).or_default();
            match self.scope.phase(Timestamp::from_micros(call.start)) {
                Some(Phase::Before) => entry.0.add(call),
                Some(Phase::After) => entry.1.add(call),
                None => {}
            }
        });
        sums
    }

    /// What was counted, as sums of calls of one operation.
    fn counted(&mut self) -> BTreeMap<Key, Phases> {
        let onset = self.scope.onset.micros();
        let links = self.sums.sides();
        let mut number = |id: &ResourceId| self.resources.number(id.as_str());
        let sums = |side: Side| Sums {
            calls: side.all.calls,
            duration: side.all.total_ms,
            own: Moments { sum: side.own_ms, squares: side.own_squares },
            errors: side.all.errors,
            own_errors: side.own_errors,
            first: (side.all.calls > 0.0).then_some(onset),
            ..Sums::default()
        };
        links
            .into_iter()
            .map(|((caller, callee), (before, after))| {
                let key = (caller.as_ref().map(&mut number), number(&callee), 0);
                (key, (sums(before), sums(after)))
            })
            .collect()
    }

    fn observe(
        &self,
        caller: Option<ResourceId>,
        callee: ResourceId,
        operations: &[Phases],
        outside_s: f64,
    ) -> Option<Observation> {
        let link = summarise(operations, self.time_ratio(), outside_s);
        let matters = link.excess_share >= SHARE_MIN || link.excess_errors > 0.0 || link.calls_after == 0;
        if link.strength < STRENGTH_MIN || !matters {
            return None;
        }
        let first = operations.iter().filter_map(|(_, after)| after.first).min();
        Some(Observation {
            query: queries::link(self.scope, caller.as_ref(), &callee),
            resource: callee,
            peer: caller,
            source: Source::Traces,
            provenance: Provenance::Metric,
            span: self.scope.incident(),
            since: first.map_or(self.scope.onset, Timestamp::from_micros),
            signal: Signal::TraceLink(link),
        })
    }

    /// Length of the incident over length of the baseline.
    fn time_ratio(&self) -> (f64, f64) {
        let secs = |s: i64| crate::model::num::real_signed(s.max(1));
        (secs(self.scope.healthy_secs()), secs(self.scope.incident().secs()))
    }

    fn gaps(&self, sums: &BTreeMap<Key, Phases>) -> Vec<Gap> {
        let gap = |reason, lost| {
            let window = self.scope.alarm.window;
            Gap { lost, ..Gap::new(Source::Traces, reason, window, "spans") }
        };
        let mut gaps = Vec::new();
        if self.dropped > 0 {
            gaps.push(gap(GapReason::Truncated, self.dropped));
        }
        let folded = self.resources.folded + self.operations.folded;
        if folded > 0 {
            gaps.push(gap(GapReason::Truncated, folded));
        }
        if !sums.is_empty() && !sums.values().any(|(before, _)| before.calls > 0.0) {
            gaps.push(gap(GapReason::NoBaseline, 0));
        }
        gaps
    }
}

fn weight(o: &Observation) -> f64 {
    match &o.signal {
        Signal::TraceLink(l) => l.strength * (1.0 + l.excess_s + l.excess_errors),
        Signal::MetricDeviation(_) | Signal::LogPattern(_) | Signal::Change(_) => 0.0,
    }
}

/// Seconds that calls from outside would have taken in the incident, had each operation kept its usual time.
fn outside_s(sums: &BTreeMap<Key, Phases>) -> f64 {
    // Where nothing comes from outside, who is called by nobody stands for it.
    let called: BTreeSet<u32> = sums.keys().map(|(_, callee, _)| *callee).collect();
    let some = sums.keys().any(|(caller, _, _)| caller.is_none());
    let outside = |caller: Option<u32>| caller.is_none_or(|c| !some && !called.contains(&c));
    let entries = || sums.iter().filter(|((caller, _, _), _)| outside(*caller)).map(|(_, s)| s);
    let known: f64 =
        entries().filter(|(b, _)| b.calls > 0.0).map(|(b, a)| b.duration / b.calls * a.calls).sum();
    let any: f64 = entries().map(|(_, a)| a.duration).sum();
    (if known > 0.0 { known } else { any }) / 1_000.0
}

/// All operations of a link in one record. Excess is summed per operation, so that a changed mix is no change.
fn summarise(operations: &[Phases], (time_before, time_after): (f64, f64), outside_s: f64) -> TraceLink {
    let total =
        |f: fn(&Sums) -> f64| operations.iter().fold((0.0, 0.0), |t, (b, a)| (t.0 + f(b), t.1 + f(a)));
    let (calls_before, calls_after) = total(|s| s.calls);
    let (errors_before, errors_after) = total(|s| s.errors);
    let (own_errors_before, own_errors_after) = total(|s| s.own_errors);
    let mean = |(before, after): (f64, f64)| {
        (tidy(before / calls_before.max(1.0)), tidy(after / calls_after.max(1.0)))
    };
    let duration = mean(total(|s| s.duration));
    let own = mean(total(|s| s.own.sum));
    let uncovered = mean(total(|s| s.uncovered.sum));
    let (mut excess_ms, mut strength) = (0.0, 0.0_f64);
    for (before, after) in operations.iter().filter(|(b, a)| b.calls > 0.0 && a.calls > 0.0) {
        for (b, a) in [(before.own, after.own), (before.uncovered, after.uncovered)] {
            let rise = a.mean(after.calls) - b.mean(before.calls);
            // Judged by how much calls usually vary: a fault that makes them vary more must not hide itself.
            let noise = (b.variance(before.calls) * (1.0 / before.calls + 1.0 / after.calls)).sqrt();
            let noise = noise.max(RELATIVE_FLOOR * b.mean(before.calls)).max(f64::MIN_POSITIVE);
            if rise > 0.0 {
                excess_ms += rise * after.calls;
                strength = strength.max(saturate(rise / noise, STRENGTH_SCALE));
            }
        }
    }
    let usual_errors = own_errors_before / calls_before.max(1.0) * calls_after;
    let error_z = rate_z(own_errors_before, calls_before, own_errors_after, calls_after.max(1.0));
    let lost_z = -rate_z(calls_before, time_before, calls_after, time_after);
    let failing = if calls_before > 0.0 { error_z } else { own_errors_after.sqrt() };
    TraceLink {
        calls_before: count_of(calls_before),
        calls_after: count_of(calls_after),
        duration_ms_before: duration.0,
        duration_ms_after: duration.1,
        own_ms_before: own.0,
        own_ms_after: own.1,
        uncovered_ms_before: uncovered.0,
        uncovered_ms_after: uncovered.1,
        errors_before: count_of(errors_before),
        errors_after: count_of(errors_after),
        excess_s: tidy(excess_ms / 1_000.0),
        excess_share: tidy(excess_ms / 1_000.0 / outside_s.max(f64::MIN_POSITIVE)),
        excess_errors: tidy((own_errors_after - usual_errors).max(0.0)),
        strength: tidy(strength.max(saturate(failing, STRENGTH_SCALE)).max(0.5 * saturate(lost_z, 8.0))),
    }
}

/// Only groups spans in memory: a collision among the traces of one incident joins two of them.
fn hash(text: &str) -> u64 {
    fnv1a(text.bytes()).max(1)
}
