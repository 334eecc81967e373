//! What normally comes with what in a request, and no longer does.
//!
//! Lines of a request are taken as a set, because lines of one millisecond come in any order, and a missing line is
//! judged by the requests that hold its companions, so that another mix of requests is no change. Every pattern has its
//! own sample of requests, and two patterns are compared as far as both samples reach: what is rare is seen whole
//! beside what is frequent.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{Change, Difference, STRENGTH_MIN, STRENGTH_SCALE};
use super::request::{Requests, Sample};
use crate::analysis::log_companions::{Missing, Z_MIN, missing};
use crate::analysis::stats::{chance_z, saturate};
use crate::model::num::{real, u32_of};

/// Requests on both sides without which a missing line says nothing: with fewer, one odd request decides.
const REQUESTS_MIN: u32 = 5;

/// The drop in the share of requests below which a change is a trifle, however certain.
const DROP_MIN: f64 = 0.02;

/// Patterns of one request that are compared; a request that logs more is a loop, whose most frequent ones say it all.
const PATTERNS_MAX: usize = 24;

/// A line that normally comes in one request with a pattern, and is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    /// The pattern that is missing, as a place in the patterns of the comparison.
    pub companion: usize,
    /// Requests with both, of requests with the pattern, in the baseline.
    pub before: (u32, u32),
    /// The same now.
    pub after: (u32, u32),
}

/// Finds broken sequences. `count` says the lines of a pattern on either side; requests come with their patterns.
pub(super) fn broken(
    now: &Requests,
    baseline: &Requests,
    now_is: impl Fn(u32) -> Option<usize>,
    baseline_is: impl Fn(u32) -> Option<usize>,
    count: impl Fn(usize) -> (u64, u64),
) -> Vec<Difference> {
    let (before, after) = (Side::of(baseline, baseline_is), Side::of(now, now_is));
    let pairs = before.together.keys();
    let judged: Vec<Missing> =
        pairs.filter_map(|(line, other)| judge(&before, &after, *line, *other)).collect();
    // Who looks often sees something strange by chance.
    let chance = chance_z(real(judged.len()));
    // What is missing is told beside the pattern beside which that is clearest.
    let mut clearest: BTreeMap<u32, Missing> = BTreeMap::new();
    for found in judged.into_iter().filter(|m| m.z > Z_MIN) {
        let best = clearest.entry(found.companion).or_insert(found);
        if found.z > best.z {
            *best = found;
        }
    }
    // What is missing beside one pattern broke in one place: it is told once.
    let mut beside: BTreeMap<u32, Vec<(f64, Sequence)>> = BTreeMap::new();
    for missing in clearest.values() {
        if let Some(found) = clear(missing, chance) {
            beside.entry(missing.line.1).or_default().push(found);
        }
    }
    beside.into_iter().filter_map(|(line, missing)| difference(line, missing, &count)).collect()
}

/// The requests of one side by pattern.
#[derive(Debug, Default)]
struct Side {
    samples: BTreeMap<u32, Sample>,
    /// Patterns that lack lines: what is missing of them is not known to be missing.
    cut: BTreeSet<u32>,
    /// Requests that hold both patterns, of those up to whose hash both are known.
    together: BTreeMap<(u32, u32), u32>,
}

impl Side {
    fn of(requests: &Requests, pattern: impl Fn(u32) -> Option<usize>) -> Self {
        let number = |leaf: u32| pattern(leaf).and_then(|n| u32::try_from(n).ok());
        let mut side = Self { cut: requests.cut().filter_map(number).collect(), ..Self::default() };
        for (leaf, sample) in requests.each() {
            if let Some(n) = number(leaf).filter(|n| !side.cut.contains(n)) {
                side.samples.entry(n).or_default().merge(sample);
            }
        }
        let held = side.samples.iter().flat_map(|(n, s)| s.requests().iter().map(|r| (*r, *n)));
        let mut held: Vec<(u64, u32)> = held.collect();
        held.sort_unstable();
        for lines in held.chunk_by(|a, b| a.0 == b.0) {
            // In the order of their frequency, so that the bound does not depend on the order of lines.
            let lines = lines.get(..PATTERNS_MAX).unwrap_or(lines);
            for (request, one) in lines {
                for (_, other) in lines.iter().filter(|(_, other)| other != one) {
                    if *request <= side.until(*other) {
                        *side.together.entry((*one, *other)).or_default() += 1;
                    }
                }
            }
        }
        side
    }

    fn until(&self, pattern: u32) -> u64 {
        self.samples.get(&pattern).map_or(u64::MAX, Sample::until)
    }

    /// Requests with both, of requests with the line; `None` where that is not known.
    fn share(&self, line: u32, companion: u32) -> Option<(u32, u32)> {
        if self.cut.contains(&line) || self.cut.contains(&companion) {
            return None;
        }
        let all = self.samples.get(&line).map_or(0, |s| s.up_to(self.until(companion)));
        Some((self.together.get(&(line, companion)).copied().unwrap_or_default(), u32_of(all)))
    }
}

fn judge(before: &Side, after: &Side, line: u32, companion: u32) -> Option<Missing> {
    missing((0, line), companion, before.share(line, companion)?, after.share(line, companion)?)
}

/// A missing line with its strength, when it is clear enough to be told.
fn clear(missing: &Missing, chance: f64) -> Option<(f64, Sequence)> {
    let enough = missing.before.1 >= REQUESTS_MIN && missing.after.1 >= REQUESTS_MIN;
    let strength = saturate(missing.z - chance, STRENGTH_SCALE);
    if !enough || missing.drop < DROP_MIN || strength < STRENGTH_MIN {
        return None;
    }
    let companion = usize::try_from(missing.companion).ok()?;
    Some((strength, Sequence { companion, before: missing.before, after: missing.after }))
}

fn difference(
    line: u32,
    mut missing: Vec<(f64, Sequence)>,
    count: &impl Fn(usize) -> (u64, u64),
) -> Option<Difference> {
    missing.sort_by(|(x, a), (y, b)| y.total_cmp(x).then(a.companion.cmp(&b.companion)));
    let strength = missing.first()?.0;
    let pattern = usize::try_from(line).ok()?;
    let (before, after) = count(pattern);
    Some(Difference {
        pattern,
        change: Change::Sequence,
        before,
        after,
        strength,
        shift: None,
        sequence: missing.into_iter().map(|(_, s)| s).collect(),
    })
}
