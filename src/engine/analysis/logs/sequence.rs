//! What normally comes with what in a request, and no longer does.
//!
//! Lines of a request are taken as a set, because lines of one millisecond come in any order, and a missing line is
//! judged by the requests that hold its companions, so that another mix of requests is no change.

use std::collections::BTreeMap;

use super::bytes::mix;
use super::compare::{Change, Difference, STRENGTH_MIN, STRENGTH_SCALE};
use super::request::Requests;
use crate::analysis::log_companions::{Companions, Missing, When};
use crate::analysis::stats::{chance_z, saturate};
use crate::model::num::real;

/// Requests on both sides without which a missing line says nothing: with fewer, one odd request decides.
const REQUESTS_MIN: u32 = 5;

/// The drop in the share of requests below which a change is a trifle, however certain.
const DROP_MIN: f64 = 0.02;

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
    let mut companions = Companions::default();
    take(&mut companions, now, When::After, now_is);
    take(&mut companions, baseline, When::Declared, baseline_is);
    let compared = companions.compare(Some);
    let chance = chance_z(real(compared.looks));
    // What is missing beside one pattern broke in one place: it is told once.
    let mut beside: BTreeMap<u32, Vec<(f64, Sequence)>> = BTreeMap::new();
    for missing in &compared.missing {
        if let Some(found) = clear(missing, chance) {
            beside.entry(missing.line.1).or_default().push(found);
        }
    }
    beside.into_iter().filter_map(|(line, missing)| difference(line, missing, &count)).collect()
}

fn take(
    companions: &mut Companions,
    requests: &Requests,
    when: When,
    pattern: impl Fn(u32) -> Option<usize>,
) {
    // A request that both files hold is one of either.
    let side = if when == When::After { 1 } else { 0 };
    for (request, leaves) in requests.each() {
        let mut patterns: Vec<u32> =
            leaves.filter_map(&pattern).filter_map(|n| u32::try_from(n).ok()).collect();
        // In the order of their frequency, so that the bound of a span does not depend on the order of lines.
        patterns.sort_unstable();
        patterns.dedup();
        for n in patterns {
            companions.push(mix(request ^ side), (0, n), when);
        }
    }
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
