//! Whether the values that a pattern's lines carry are others than before: outcomes by their shares, measured values
//! by their whole distribution.

use std::collections::BTreeMap;

use super::compare::{STRENGTH_MIN, STRENGTH_SCALE};
use super::values::{Counts, Measure, Slot, value};
use crate::analysis::stats::{classes_z, ordered_z, saturate};
use crate::model::num::real64;

/// Values on both sides without which distributions say nothing.
const VALUES_MIN: u64 = 20;

/// The share of values that must have moved: with enough lines any trifle is certain, and still a trifle.
const SHIFT_MIN: f64 = 0.02;

/// A measured value that is less than a fifth greater or smaller, at the median and far out, is a trifle as well.
const RATIO_MIN: f64 = 1.2;

/// Quantiles at which that is looked at.
const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

/// How values differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    /// The key that lines write before the value, when they do.
    pub field: Option<String>,
    /// What is measured.
    pub measure: Measure,
    /// What moved.
    pub moved: Moved,
}

/// What is told of two distributions, each number before and after.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Moved {
    /// The outcome whose share moved most, and that share, 0..1.
    Share {
        /// The outcome.
        code: u16,
        /// Its share.
        share: (f64, f64),
    },
    /// A measured value in its basic unit, to two digits.
    Quantiles {
        /// Half of the values are smaller.
        median: (f64, f64),
        /// Of twenty values one is greater.
        p95: (f64, f64),
    },
}

type Steps = BTreeMap<i16, u64>;

/// Quantities that both sides have.
pub(super) fn looks(before: &Counts, after: &Counts) -> usize {
    let [old, new] = Counts::pair(before, after);
    old.keys().filter(|slot| new.contains_key(slot)).count()
}

/// The quantity that moved most clearly, with its strength.
pub(super) fn shift(before: &Counts, after: &Counts, chance: f64) -> Option<(Slot, f64, Shift)> {
    let [old, new] = Counts::pair(before, after);
    let mut best: Option<(Slot, f64, Shift)> = None;
    for (slot, b) in &old {
        let Some(a) = new.get(slot) else { continue };
        let Some(z) = distance(slot.measure, b, a) else { continue };
        let strength = saturate(z - chance, STRENGTH_SCALE);
        if strength >= STRENGTH_MIN && best.as_ref().is_none_or(|(_, known, _)| strength > *known) {
            let moved = told(slot.measure, b, a);
            best = Some((*slot, strength, Shift { field: None, measure: slot.measure, moved }));
        }
    }
    best
}

/// How far two distributions are apart, in standard errors; `None` when that is too little to matter.
fn distance(measure: Measure, before: &Steps, after: &Steps) -> Option<f64> {
    if total(before) < VALUES_MIN || total(after) < VALUES_MIN {
        return None;
    }
    let pairs = pairs(before, after);
    if measure == Measure::Code {
        let (nb, na) = (real64(total(before)), real64(total(after)));
        let moved: f64 = pairs.iter().map(|(b, a)| (a / na - b / nb).max(0.0)).sum();
        return (moved >= SHIFT_MIN).then(|| classes_z(&pairs));
    }
    let (moved, z) = ordered_z(&pairs);
    let apart = |q: f64| {
        let (b, a) = (quantile(before, q), quantile(after, q));
        b.max(a) >= RATIO_MIN * b.min(a) && b.max(a) > 0.0
    };
    (moved >= SHIFT_MIN && QUANTILES.into_iter().any(apart)).then_some(z)
}

fn total(steps: &Steps) -> u64 {
    steps.values().sum()
}

fn pairs(before: &Steps, after: &Steps) -> Vec<(f64, f64)> {
    let mut all: BTreeMap<i16, (f64, f64)> = BTreeMap::new();
    for (step, n) in before {
        all.entry(*step).or_default().0 = real64(*n);
    }
    for (step, n) in after {
        all.entry(*step).or_default().1 = real64(*n);
    }
    all.into_values().collect()
}

fn told(measure: Measure, before: &Steps, after: &Steps) -> Moved {
    if measure != Measure::Code {
        let both = |q: f64| (quantile(before, q), quantile(after, q));
        return Moved::Quantiles { median: both(0.5), p95: both(0.95) };
    }
    let share = |side: &Steps, code: i16| {
        real64(side.get(&code).copied().unwrap_or_default()) / real64(total(side).max(1))
    };
    let moved = |code: i16| rounded((share(after, code) - share(before, code)).abs());
    // Of two codes that changed places the greater one is told: greater codes are worse news.
    let codes = before.keys().chain(after.keys()).copied();
    let code = codes.max_by(|x, y| moved(*x).total_cmp(&moved(*y)).then(x.cmp(y))).unwrap_or_default();
    Moved::Share { code: code.unsigned_abs(), share: (share(before, code), share(after, code)) }
}

/// Rounded, so that sums that differ in their last bit are equal.
fn rounded(share: f64) -> f64 {
    (share * 1e6).round()
}

/// The value below which a share of the values lies.
fn quantile(steps: &Steps, q: f64) -> f64 {
    let wanted = q * real64(total(steps));
    let mut seen = 0.0;
    for (step, n) in steps {
        seen += real64(*n);
        if seen >= wanted {
            return value(*step);
        }
    }
    0.0
}
