//! Digests log events into observations: patterns that are new, gone, changed their rate, or whose sequence broke.

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::{LOG_SAMPLES_MAX, Limits};
use crate::model::gap::{Gap, GapReason};
use crate::model::num::{count_of, real_signed, real64, tidy};
use crate::model::observation::{LogPattern, Observation, PatternChange, Provenance, Severity, Signal};
use crate::model::query::Source;
use crate::model::resource::ResourceId;
use crate::model::telemetry::{LogEvent, LogTally};
use crate::model::text::Untrusted;
use crate::model::time::Timestamp;

use super::fnv::fnv1a;
use super::log_companions::{Companions, Compared, Line, Missing, When};
use super::logs::{Form, Miner, Pattern, Patterns};
use super::queries;
use super::scope::{Phase, Scope};
use super::stats::{rate_z, saturate};

/// Units of standard error at which 63 % of certainty is reached.
const STRENGTH_SCALE: f64 = 4.0;

/// Observations weaker than this are noise to people.
const STRENGTH_MIN: f64 = 0.5;

/// Resources that log: beyond it lines are counted under the last one's name no more, but dropped and counted.
const RESOURCES_MAX: usize = 20_000;

/// Lines of other patterns that are needed before a pattern's share says anything.
const OTHERS_MIN: f64 = 20.0;

/// Bytes of samples kept over all patterns: people read a few, and a flood must not fill the memory.
const SAMPLE_BYTES_MAX: usize = 32 << 20;

/// Patterns of resources counted at once; lines of further ones are counted as folded.
const ENTRIES_MAX: usize = 400_000;

/// A pattern of a resource.
#[derive(Debug, Default)]
struct Entry {
    before: f64,
    after: f64,
    first: Option<Timestamp>,
    samples: Vec<Untrusted>,
    old_sample: Option<Untrusted>,
}

impl Entry {
    fn add(&mut self, other: Self) {
        self.before += other.before;
        self.after += other.after;
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.old_sample = self.old_sample.take().or(other.old_sample);
        self.samples.extend(other.samples);
        self.samples.truncate(LOG_SAMPLES_MAX);
    }
}

/// Reads log events, one batch after the other.
#[derive(Debug)]
pub struct LogDigest<'a> {
    scope: &'a Scope,
    resources: BTreeMap<ResourceId, u32>,
    miner: Miner,
    patterns: Patterns,
    entries: BTreeMap<Line, Entry>,
    companions: Companions,
    lines: (f64, f64),
    folded: u64,
    offset_s: i64,
    sample_bytes: usize,
}

/// What the logs show.
#[derive(Debug, Default)]
pub struct LogFindings {
    /// Observations, strongest first.
    pub observations: Vec<Observation>,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
}

impl<'a> LogDigest<'a> {
    /// An empty digest.
    #[must_use]
    pub fn new(scope: &'a Scope) -> Self {
        Self {
            scope,
            resources: BTreeMap::new(),
            miner: Miner::new(Form::Raw),
            patterns: Patterns::default(),
            entries: BTreeMap::new(),
            companions: Companions::default(),
            lines: (0.0, 0.0),
            folded: 0,
            offset_s: 0,
            sample_bytes: 0,
        }
    }

    /// Corrects the source's clock by so many seconds from now on.
    pub fn align(&mut self, offset_s: i64) {
        self.offset_s = offset_s;
    }

    /// Takes an event.
    pub fn push(&mut self, event: &LogEvent) {
        self.take(event, 1);
    }

    /// Takes so many events of which one is known.
    pub fn push_tally(&mut self, tally: &LogTally) {
        if tally.times > 0 {
            self.take(&tally.event, tally.times);
        }
    }

    fn take(&mut self, event: &LogEvent, times: u64) {
        let lines = real64(times);
        let at = event.at.plus_secs(self.offset_s);
        let Some(phase) = self.scope.phase(at) else { return };
        let Some(resource) = self.resource(&event.resource) else {
            self.folded += times;
            return;
        };
        let pattern = self.miner.push_events(&event.message, times);
        let line = (resource, pattern);
        if self.entries.len() >= ENTRIES_MAX && !self.entries.contains_key(&line) {
            self.folded += times;
            return;
        }
        let entry = self.entries.entry(line).or_default();
        match phase {
            Phase::Before => {
                entry.before += lines;
                self.lines.0 += lines;
                // Of a pattern that vanishes, the lines from before are the only ones there are.
                if entry.samples.is_empty() && self.sample_bytes < SAMPLE_BYTES_MAX {
                    self.sample_bytes += event.message.len();
                    entry.old_sample.get_or_insert_with(|| Untrusted::new(&event.message));
                }
            }
            Phase::After => {
                entry.after += lines;
                self.lines.1 += lines;
                entry.first = Some(entry.first.map_or(at, |t| t.min(at)));
                if entry.samples.len() < LOG_SAMPLES_MAX && self.sample_bytes < SAMPLE_BYTES_MAX {
                    self.sample_bytes += event.message.len();
                    entry.samples.push(Untrusted::new(&event.message));
                }
            }
        }
        if let Some(span) = event.span.as_ref().or(event.trace.as_ref()) {
            let when = match phase {
                Phase::Before if self.scope.declared(at) => When::Declared,
                Phase::Before => When::Assumed,
                Phase::After => When::After,
            };
            self.companions.push(hash(event.trace.as_deref().unwrap_or_default(), span), line, when);
        }
    }

    fn resource(&mut self, id: &ResourceId) -> Option<u32> {
        if let Some(n) = self.resources.get(id) {
            return Some(*n);
        }
        if self.resources.len() >= RESOURCES_MAX {
            return None;
        }
        let n = u32::try_from(self.resources.len()).ok()?;
        self.resources.insert(id.clone(), n);
        Some(n)
    }

    /// Concludes.
    #[must_use]
    pub fn finish(mut self, limits: &Limits) -> LogFindings {
        self.settle();
        let names: BTreeMap<u32, &ResourceId> = self.resources.iter().map(|(id, n)| (*n, id)).collect();
        let mut observations: Vec<Observation> = Vec::new();
        let Compared { missing, accompanied, .. } = self.companions.compare(|n| number(&self.patterns, n));
        let talking: BTreeSet<u32> =
            self.entries.iter().filter(|(_, e)| e.after > 0.0).map(|((resource, _), _)| *resource).collect();
        for (line, entry) in &self.entries {
            let Some(resource) = names.get(&line.0) else { continue };
            // Gone with its whole request it is another mix of requests; gone from among its companions, a broken
            // sequence. Unless all fell silent.
            if entry.after <= 0.0 && accompanied.contains(line) && talking.contains(&line.0) {
                continue;
            }
            observations.extend(self.judge(resource, *line, entry));
        }
        for missing in missing {
            let Some(resource) = names.get(&missing.line.0) else { continue };
            observations.extend(self.observe_missing(resource, &missing));
        }
        observations.sort_by(|a, b| {
            let key = |o: &Observation| o.query.parameters.clone();
            weight(b)
                .total_cmp(&weight(a))
                .then_with(|| a.resource.cmp(&b.resource))
                .then_with(|| key(a).cmp(&key(b)))
        });
        let dropped = spread(&mut observations, limits.log_observations_max);
        LogFindings { observations, gaps: self.gaps(dropped) }
    }

    /// Which pattern a line has is known when all lines were read.
    fn settle(&mut self) {
        self.patterns = self.miner.patterns();
        let mut entries: BTreeMap<Line, Entry> = BTreeMap::new();
        for ((resource, n), entry) in std::mem::take(&mut self.entries) {
            if let Some(pattern) = number(&self.patterns, n) {
                entries.entry((resource, pattern)).or_default().add(entry);
            }
        }
        self.entries = entries;
    }

    fn judge(&self, resource: &ResourceId, line: Line, entry: &Entry) -> Option<Observation> {
        let time = self.time();
        let by_time = rate_z(entry.before, time.0, entry.after, time.1);
        let change = match (entry.before > 0.0, entry.after > 0.0) {
            (false, true) => PatternChange::New,
            (true, false) => PatternChange::Gone,
            _ if by_time > 0.0 => PatternChange::MoreFrequent,
            _ => PatternChange::LessFrequent,
        };
        let severe = self.pattern_at(line.1).is_some_and(|p| p.severity >= Severity::Error);
        let more = matches!(change, PatternChange::New | PatternChange::MoreFrequent);
        // When everything is logged more (or less) often, no single pattern changed. More errors are news all the same.
        let others = (self.lines.0 - entry.before, self.lines.1 - entry.after);
        let z = if severe && more || others.0 < OTHERS_MIN {
            by_time
        } else {
            let by_share = rate_z(entry.before, others.0, entry.after, others.1.max(1.0));
            if by_time.signum() * by_share.signum() < 0.0 && change != PatternChange::New {
                return None;
            }
            if by_time.abs() < by_share.abs() { by_time } else { by_share }
        };
        self.observe(resource, line, change, saturate(z.abs(), STRENGTH_SCALE), None)
    }

    fn observe_missing(&self, resource: &ResourceId, missing: &Missing) -> Option<Observation> {
        // An error that no longer comes is no fault, and what comes with errors is no normal path.
        let severe = |n| self.pattern_at(n).is_some_and(|p| p.severity >= Severity::Error);
        if severe(missing.line.1) || severe(missing.companion) {
            return None;
        }
        // A fault that began after the onset, or ended, leaves some spans whole.
        let strength = saturate(missing.z, STRENGTH_SCALE) * missing.drop.sqrt();
        self.observe(resource, missing.line, PatternChange::SequenceBroken, strength, Some(missing.companion))
    }

    fn observe(
        &self,
        resource: &ResourceId,
        line: Line,
        change: PatternChange,
        strength: f64,
        follower: Option<u32>,
    ) -> Option<Observation> {
        if strength < STRENGTH_MIN {
            return None;
        }
        let pattern = self.pattern_at(line.1)?;
        let follower = follower.and_then(|f| self.pattern_at(f)).map(|p| Untrusted::new(&p.template));
        let entry = self.entries.get(&line)?;
        let time = self.time();
        let minutes = (time.0 / 60.0, time.1 / 60.0);
        let id = pattern.id.clone();
        Some(Observation {
            resource: resource.clone(),
            peer: None,
            source: Source::Logs,
            provenance: provenance_of(&pattern.template),
            query: queries::pattern(
                self.scope,
                resource,
                &pattern.template,
                follower.as_ref().map(Untrusted::raw),
            ),
            span: self.scope.incident(),
            since: entry.first.unwrap_or(self.scope.onset),
            signal: Signal::LogPattern(LogPattern {
                pattern: id,
                template: Untrusted::new(&pattern.template),
                change,
                follower,
                severity: pattern.severity,
                count_before: count_of(entry.before),
                count_after: count_of(entry.after),
                per_minute_before: tidy(entry.before / minutes.0),
                per_minute_after: tidy(entry.after / minutes.1),
                strength: tidy(strength),
                samples: if entry.samples.is_empty() {
                    entry.old_sample.iter().cloned().collect()
                } else {
                    entry.samples.clone()
                },
            }),
        })
    }

    fn pattern_at(&self, n: u32) -> Option<&Pattern> {
        usize::try_from(n).ok().and_then(|i| self.patterns.patterns.get(i))
    }

    /// Seconds of baseline and of incident.
    fn time(&self) -> (f64, f64) {
        let secs = |s: i64| real_signed(s.max(1));
        (secs(self.scope.healthy_secs()), secs(self.scope.incident().secs()))
    }

    fn gaps(&self, dropped: u64) -> Vec<Gap> {
        let gap = |reason, lost| {
            let window = self.scope.alarm.window;
            Gap { lost, ..Gap::new(Source::Logs, reason, window, "logs") }
        };
        let mut gaps = Vec::new();
        for lost in [self.folded, dropped].into_iter().filter(|n| *n > 0) {
            gaps.push(gap(GapReason::Truncated, lost));
        }
        if self.lines.1 > 0.0 && self.lines.0 == 0.0 {
            gaps.push(gap(GapReason::NoBaseline, 0));
        }
        gaps
    }
}

/// The number of a pattern among those that were found in the end.
fn number(patterns: &Patterns, n: u32) -> Option<u32> {
    patterns.index(n).and_then(|i| u32::try_from(i).ok())
}

/// Errors first, then broken sequences and news, then rates.
fn weight(observation: &Observation) -> f64 {
    match &observation.signal {
        Signal::LogPattern(p) => {
            let severe = if p.severity >= Severity::Error { 2.0 } else { 0.0 };
            let kind = match p.change {
                PatternChange::SequenceBroken | PatternChange::New => 1.0,
                PatternChange::Gone => 0.5,
                PatternChange::MoreFrequent | PatternChange::LessFrequent => 0.0,
            };
            p.strength + severe + kind
        }
        Signal::MetricDeviation(_) | Signal::TraceLink(_) | Signal::Change(_) => 0.0,
    }
}

/// Keeps so many observations, strongest first. No resource may take more than a quarter while others have any: a flood of
/// one must not hide the rest. Returns how many errors had to go.
fn spread(observations: &mut Vec<Observation>, max: usize) -> u64 {
    let mut of: BTreeMap<ResourceId, usize> = BTreeMap::new();
    let (mut first, mut more) = (Vec::new(), Vec::new());
    for observation in std::mem::take(observations) {
        let taken = of.entry(observation.resource.clone()).or_default();
        *taken += 1;
        if *taken <= (max / 4).max(1) { first.push(observation) } else { more.push(observation) }
    }
    first.append(&mut more);
    let severe =
        |o: &&Observation| matches!(&o.signal, Signal::LogPattern(p) if p.severity >= Severity::Error);
    let dropped = first.iter().skip(max).filter(severe).count();
    first.truncate(max);
    *observations = first;
    u64::try_from(dropped).unwrap_or(u64::MAX)
}

/// A line that repeats what a caller sent (an address, a path, a query) can be written by that caller.
fn provenance_of(template: &str) -> Provenance {
    let external = ["<ip>", "<path>", "<url>"].iter().any(|v| template.contains(v));
    if external { Provenance::ExternallyControllable } else { Provenance::ApplicationLog }
}

/// The hash of a trace and a span, turned round: its low bits know all bytes, its high ones hardly the last
/// ones, and a sample of the smallest must not be one of neighbouring identifiers.
fn hash(trace: &str, span: &str) -> u64 {
    fnv1a(trace.bytes().chain([0]).chain(span.bytes())).reverse_bits()
}
