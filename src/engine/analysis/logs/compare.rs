//! What is different from a baseline: patterns that are new or gone, come more or less often, carry other values, or no
//! longer come with what they came with in a request.
//!
//! Significance respects counts: one line more is no news, a thousandth of many lines may be. Two files rarely cover
//! equally long times, and a flood or a gap in one place must not make every other pattern rarer or more frequent: how
//! much longer one is, is what most patterns say.

use std::collections::BTreeMap;

use super::leaf::Leaf;
use super::miner::{Miner, Pattern, Patterns};
use super::request::Requests;
use super::sequence::{Sequence, broken};
use super::shift::{Shift, looks, shift};
use super::values::{Counts, Values};
use crate::analysis::stats::{chance_z, rate_z, saturate};
use crate::model::num::{real, real64};
use crate::model::observation::Severity;

/// Standard errors at which 63 % of certainty is reached.
pub(super) const STRENGTH_SCALE: f64 = 4.0;

/// Changes weaker than this are noise.
pub(super) const STRENGTH_MIN: f64 = 0.4;

/// Lines that the other side should have for a new or vanished pattern to be reported: with three expected, none comes
/// by chance once in twenty times. A new error is always reported.
const NEWS_MIN: f64 = 3.0;

/// Lines on both sides with which a pattern takes part in saying how much longer one side is…
const SCALE_LINES_MIN: u64 = 8;

/// …and patterns without which all lines together say it.
const SCALE_PATTERNS_MIN: usize = 3;

/// How a pattern differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Not in the baseline.
    New,
    /// Only in the baseline.
    Gone,
    /// More lines than other patterns let expect.
    MoreFrequent,
    /// Fewer.
    LessFrequent,
    /// The values that it carries are others.
    Values,
    /// What normally comes with it in a request is missing.
    Sequence,
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
    /// For values: what they were and are.
    pub shift: Option<Shift>,
    /// For a sequence: what is missing, and how often, clearest first.
    pub sequence: Vec<Sequence>,
}

/// Two inputs side by side.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// Patterns of both together, so that each line has the same pattern on both sides. Times, level and samples are
    /// those of now, and of the baseline where there is no line now.
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
pub fn compare(mut now: Miner, baseline: &Miner) -> Comparison {
    let requests = now.take_requests();
    let mine = now.leaves();
    let mut joint = now;
    let theirs = joint.merge(baseline);
    let mut patterns = joint.patterns();
    let after = side(&patterns, mine.iter().map(|(n, leaf)| (*n, leaf.count, leaf.values.clone())));
    as_now(&mut patterns, &mine);
    let before = side(
        &patterns,
        baseline.tally().into_iter().filter_map(|(n, count, values)| {
            let here = usize::try_from(n).ok().and_then(|i| theirs.get(i)).copied()?;
            Some((here, count, values))
        }),
    );
    let scale = scale(&before, &after);
    // Whoever looks at many patterns and distributions sees a strange one by chance.
    let rates = before.iter().zip(&after).filter(|(b, a)| b.0.min(a.0) > 0).count();
    let by_chance = chance_z(real(rates));
    let chance = chance_z(real(before.iter().zip(&after).map(|(b, a)| looks(&b.1, &a.1)).sum()));
    let mut differences: Vec<Difference> = Vec::new();
    for (n, pattern) in patterns.patterns.iter().enumerate() {
        let none = (0, Counts::default());
        let (b, a) = (before.get(n).unwrap_or(&none), after.get(n).unwrap_or(&none));
        differences.extend(judge(n, pattern, (b.0, a.0), scale, by_chance));
        differences.extend(judge_values(n, b, a, chance, joint.fields()));
    }
    let counts = |n: usize| {
        let lines = |side: &[(u64, Counts)]| side.get(n).map_or(0, |(count, _)| *count);
        (lines(&before), lines(&after))
    };
    let theirs = |n: u32| usize::try_from(n).ok().and_then(|i| theirs.get(i)).copied();
    let baseline_is = |n| theirs(n).and_then(|n| patterns.index(n));
    let none = Requests::default();
    let past = baseline.requests().unwrap_or(&none);
    differences.extend(broken(&requests, past, |n| patterns.index(n), baseline_is, counts));
    let weight = |d: &Difference| {
        let severe = patterns.patterns.get(d.pattern).is_some_and(|p| p.severity >= Severity::Error);
        let news = match d.change {
            Change::New => 1.0,
            Change::Gone | Change::Values | Change::Sequence => 0.5,
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

/// Patterns that there are now are shown as they are now: when they came, how bad they are, which lines they have.
fn as_now(patterns: &mut Patterns, leaves: &[(u32, Leaf)]) {
    let mut now: BTreeMap<usize, Leaf> = BTreeMap::new();
    for (n, leaf) in leaves {
        if let Some(place) = patterns.index(*n) {
            now.entry(place).or_insert_with(|| Leaf::new(&[])).merge(leaf);
        }
    }
    for (place, leaf) in now {
        if let Some(pattern) = patterns.patterns.get_mut(place) {
            pattern.first = leaf.first;
            pattern.last = leaf.last;
            pattern.severity = leaf.severity;
            pattern.samples = leaf.samples.iter().map(|(_, line)| line.to_string()).collect();
        }
    }
}

/// How many times as long the second side is: the median of the patterns' own ratios, each with the weight that its
/// counts give it. Where few patterns are on both sides it is the ratio of all lines.
fn scale(before: &[(u64, Counts)], after: &[(u64, Counts)]) -> f64 {
    let sum = |side: &[(u64, Counts)]| side.iter().map(|(n, _)| real64(*n)).sum::<f64>().max(1.0);
    let both = before.iter().zip(after).filter(|(b, a)| b.0.min(a.0) >= SCALE_LINES_MIN);
    let mut ratios: Vec<(f64, f64)> = both
        .map(|(b, a)| (real64(b.0), real64(a.0)))
        .map(|(b, a)| (a / b, (a * b / (a + b)).sqrt()))
        .collect();
    if ratios.len() < SCALE_PATTERNS_MIN {
        return sum(after) / sum(before);
    }
    ratios.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.total_cmp(&y.1)));
    let half = ratios.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut seen = 0.0;
    let middle = ratios.iter().find(|(_, weight)| {
        seen += weight;
        seen >= half
    });
    middle.map_or(1.0, |(ratio, _)| *ratio)
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

fn judge(
    n: usize,
    pattern: &Pattern,
    (before, after): (u64, u64),
    scale: f64,
    chance: f64,
) -> Option<Difference> {
    let z = rate_z(real64(before), 1.0, real64(after), scale);
    let mut strength = saturate(z.abs() - chance, STRENGTH_SCALE);
    let change = match (before, after) {
        (0, 0) => return None,
        (0, _) => Change::New,
        (_, 0) => Change::Gone,
        _ if z > 0.0 => Change::MoreFrequent,
        _ => Change::LessFrequent,
    };
    // That something is there that never was (or the reverse) is worth a look even when it is rare, as long as the other
    // side is long enough that it would have been there too.
    let expected = match change {
        Change::New => real64(after) / scale.max(1.0),
        Change::Gone => real64(before) * scale.min(1.0),
        Change::MoreFrequent | Change::LessFrequent | Change::Values | Change::Sequence => 0.0,
    };
    let severe = pattern.severity >= Severity::Error && change == Change::New;
    if expected >= NEWS_MIN || severe {
        strength = strength.max(STRENGTH_MIN);
    }
    (strength >= STRENGTH_MIN).then_some(Difference {
        pattern: n,
        change,
        before,
        after,
        strength,
        shift: None,
        sequence: Vec::new(),
    })
}

fn judge_values(
    n: usize,
    before: &(u64, Counts),
    after: &(u64, Counts),
    chance: f64,
    fields: &Values,
) -> Option<Difference> {
    let (slot, strength, shift) = shift(&before.1, &after.1, chance)?;
    Some(Difference {
        pattern: n,
        change: Change::Values,
        before: before.0,
        after: after.0,
        strength,
        shift: Some(Shift { field: fields.key(slot).map(str::to_owned), ..shift }),
        sequence: Vec::new(),
    })
}
