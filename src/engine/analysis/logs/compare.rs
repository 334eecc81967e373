//! What is different from a baseline: patterns that are new or gone, come more or less often, or carry other values.
//!
//! Significance respects counts: one line more is no news, a thousandth of many lines may be. Shares of all lines
//! are compared, because two files rarely cover equally long times.

use std::collections::BTreeMap;

use super::miner::{Miner, Pattern, Patterns};
use super::values::{Counts, describe};
use crate::analysis::stats::{rate_z, saturate};
use crate::model::observation::Severity;

/// Standard errors at which 63 % of certainty is reached.
const STRENGTH_SCALE: f64 = 4.0;

/// Changes weaker than this are noise.
const STRENGTH_MIN: f64 = 0.4;

/// A new or vanished pattern of fewer lines is reported only when it is an error.
const NEWS_MIN: u64 = 3;

/// Values on both sides without which distributions say nothing.
const VALUES_MIN: u64 = 20;

/// Values expected in a class of a distribution, below which classes are pooled.
const EXPECTED_MIN: f64 = 5.0;

/// The share of values that must have moved: with enough lines any trifle is certain, and still a trifle.
const SHIFT_MIN: f64 = 0.02;

/// How a pattern differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Not in the baseline.
    New,
    /// Only in the baseline.
    Gone,
    /// A greater share of all lines.
    MoreFrequent,
    /// A smaller share.
    LessFrequent,
    /// The values that it carries are others.
    Values,
}

/// A pattern that differs.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The place in the patterns of the comparison.
    pub pattern: usize,
    /// How it differs.
    pub change: Change,
    /// Lines in the baseline.
    pub before: u64,
    /// Lines now.
    pub after: u64,
    /// How clearly: 0 not at all, 1 beyond doubt.
    pub strength: f64,
    /// For values: the most frequent ones before and now.
    pub values: Option<(String, String)>,
}

/// Two inputs side by side.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// Patterns of both together, so that each line has the same pattern on both sides.
    pub joint: Patterns,
    /// Lines now, by pattern.
    pub after: Vec<u64>,
    /// Lines in the baseline, by pattern.
    pub before: Vec<u64>,
    /// What differs, clearest first.
    pub differences: Vec<Difference>,
}

/// Compares what one miner has read with what another has.
#[must_use]
pub fn compare(now: Miner, baseline: &Miner) -> Comparison {
    let mine = now.tally();
    let mut joint = now;
    let theirs = joint.merge(baseline);
    let patterns = joint.patterns();
    let after = side(&patterns, mine.into_iter());
    let before = side(
        &patterns,
        baseline.tally().into_iter().filter_map(|(n, count, values)| {
            let here = usize::try_from(n).ok().and_then(|i| theirs.get(i)).copied()?;
            Some((here, count, values))
        }),
    );
    let totals = (sum(&before), sum(&after));
    let looks = before.iter().zip(&after).map(|(b, a)| shared(&b.1, &a.1)).sum::<u64>();
    let looks = real(looks);
    let mut differences: Vec<Difference> = Vec::new();
    for (n, pattern) in patterns.patterns.iter().enumerate() {
        let none = (0, Counts::default());
        let (b, a) = (before.get(n).unwrap_or(&none), after.get(n).unwrap_or(&none));
        differences.extend(judge(n, pattern, (b.0, a.0), totals));
        differences.extend(judge_values(n, b, a, looks));
    }
    let weight = |d: &Difference| {
        let severe = patterns.patterns.get(d.pattern).is_some_and(|p| p.severity >= Severity::Error);
        let news = match d.change {
            Change::New => 1.0,
            Change::Gone | Change::Values => 0.5,
            Change::MoreFrequent | Change::LessFrequent => 0.0,
        };
        d.strength + news + if severe && d.after > 0 { 2.0 } else { 0.0 }
    };
    differences.sort_by(|x, y| {
        let order = (x.pattern, x.change).cmp(&(y.pattern, y.change));
        weight(y).total_cmp(&weight(x)).then(order)
    });
    let counts = |side: &[(u64, Counts)]| side.iter().map(|(n, _)| *n).collect();
    Comparison { after: counts(&after), before: counts(&before), joint: patterns, differences }
}

fn sum(side: &[(u64, Counts)]) -> f64 {
    side.iter().map(|(n, _)| real(*n)).sum::<f64>().max(1.0)
}

fn side(patterns: &Patterns, leaves: impl Iterator<Item = (u32, u64, Counts)>) -> Vec<(u64, Counts)> {
    let mut out = vec![(0, Counts::default()); patterns.patterns.len()];
    for (leaf, count, values) in leaves {
        if let Some(slot) = patterns.index(leaf).and_then(|i| out.get_mut(i)) {
            slot.0 += count;
            slot.1.merge(&values);
        }
    }
    out
}

fn judge(n: usize, pattern: &Pattern, (before, after): (u64, u64), totals: (f64, f64)) -> Option<Difference> {
    let z = rate_z(real(before), totals.0, real(after), totals.1);
    let mut strength = saturate(z.abs(), STRENGTH_SCALE);
    let change = match (before, after) {
        (0, 0) => return None,
        (0, _) => Change::New,
        (_, 0) => Change::Gone,
        _ if z > 0.0 => Change::MoreFrequent,
        _ => Change::LessFrequent,
    };
    let news = matches!(change, Change::New | Change::Gone);
    if news && (before.max(after) >= NEWS_MIN || pattern.severity >= Severity::Error) {
        // That something is there that never was (or the reverse) is worth a look even when it is rare.
        strength = strength.max(STRENGTH_MIN);
    }
    (strength >= STRENGTH_MIN).then_some(Difference {
        pattern: n,
        change,
        before,
        after,
        strength,
        values: None,
    })
}

fn judge_values(n: usize, before: &(u64, Counts), after: &(u64, Counts), looks: f64) -> Option<Difference> {
    let (old, new) = (before.1.slots(), after.1.slots());
    let mut best: Option<Difference> = None;
    for (slot, b) in &old {
        let Some(a) = new.get(slot) else { continue };
        if shifted(b, a) < SHIFT_MIN {
            continue;
        }
        // Whoever looks at many distributions sees a strange one by chance: as far as the greatest of so many
        // standard normals goes is no news.
        let z = distance(b, a) - (2.0 * looks.max(1.0).ln()).sqrt();
        let strength = saturate(z, STRENGTH_SCALE);
        if strength >= STRENGTH_MIN.max(best.as_ref().map_or(0.0, |d| d.strength)) {
            let values = Some((most(b), most(a)));
            let (before, after) = (before.0, after.0);
            best = Some(Difference { pattern: n, change: Change::Values, before, after, strength, values });
        }
    }
    best
}

/// Quantities that both sides have.
fn shared(before: &Counts, after: &Counts) -> u64 {
    let new = after.slots();
    before.slots().keys().map(|slot| u64::from(new.contains_key(slot))).sum()
}

/// The share of values that would have to move for two distributions to be the same.
fn shifted(before: &BTreeMap<i16, u64>, after: &BTreeMap<i16, u64>) -> f64 {
    let total = |m: &BTreeMap<i16, u64>| real(m.values().sum::<u64>().max(1));
    let (nb, na) = (total(before), total(after));
    let share = |m: &BTreeMap<i16, u64>, key: i16, n: f64| m.get(&key).map_or(0.0, |c| real(*c)) / n;
    let gained = after.keys().map(|k| (share(after, *k, na) - share(before, *k, nb)).max(0.0));
    gained.sum()
}

/// How far two distributions are apart, in standard errors: the likelihood-ratio test of equal shares, with rare
/// classes pooled so that its approximation holds.
fn distance(before: &BTreeMap<i16, u64>, after: &BTreeMap<i16, u64>) -> f64 {
    let total = |m: &BTreeMap<i16, u64>| m.values().sum::<u64>();
    let (nb, na) = (total(before), total(after));
    if nb < VALUES_MIN || na < VALUES_MIN {
        return 0.0;
    }
    let (nb, na) = (real(nb), real(na));
    let mut keys: Vec<i16> = before.keys().chain(after.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    let (mut g, mut classes) = (0.0, 0.0);
    let (mut b, mut a) = (0.0, 0.0);
    for (i, key) in keys.iter().enumerate() {
        b += before.get(key).map_or(0.0, |n| real(*n));
        a += after.get(key).map_or(0.0, |n| real(*n));
        let (eb, ea) = ((b + a) * nb / (nb + na), (b + a) * na / (nb + na));
        if eb.min(ea) < EXPECTED_MIN && i + 1 < keys.len() {
            continue;
        }
        let part = |seen: f64, expected: f64| if seen > 0.0 { seen * (seen / expected).ln() } else { 0.0 };
        g += 2.0 * (part(b, eb) + part(a, ea));
        classes += 1.0;
        (b, a) = (0.0, 0.0);
    }
    let freedom: f64 = classes - 1.0;
    if freedom < 1.0 {
        return 0.0;
    }
    // Wilson and Hilferty: the cube root of chi-square over its freedom is close to normal.
    let spread = 2.0 / (9.0 * freedom);
    (((g / freedom).cbrt()) - (1.0 - spread)) / spread.sqrt()
}

/// The most frequent value, with its share.
fn most(counts: &BTreeMap<i16, u64>) -> String {
    let all: u64 = counts.values().sum();
    let top = counts.iter().max_by_key(|(k, n)| (**n, std::cmp::Reverse(**k)));
    top.map_or_else(String::new, |(k, n)| {
        format!("{} ({:.0} %)", describe(*k), 100.0 * real(*n) / real(all.max(1)))
    })
}

fn real(n: u64) -> f64 {
    crate::model::num::real64(n)
}
