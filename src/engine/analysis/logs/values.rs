//! Quantities that lines carry: outcomes as they are, measured values by their order of magnitude.
//!
//! A plain integer is as often an identifier as a quantity, so only numbers with a unit or a fraction count.

use std::collections::BTreeMap;

/// Quantities of a line that are counted.
const VALUES_MAX: usize = 4;

/// Different values of a slot that are told apart; eight steps a decade make this twelve decades.
const STEPS_MAX: usize = 96;

/// An outcome (status code) or a step on a logarithmic scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Value {
    /// Which quantity of the line.
    pub slot: u8,
    /// Eight times the decimal logarithm; codes begin at 10,000.
    pub step: i16,
}

/// Quantities of one line.
#[derive(Debug, Default)]
pub(super) struct Values {
    values: [Value; VALUES_MAX],
    len: usize,
}

impl Values {
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    pub(super) fn all(&self) -> &[Value] {
        self.values.get(..self.len).unwrap_or_default()
    }

    /// Counts a measured value.
    pub(super) fn quantity(&mut self, number: &[u8]) {
        self.add(magnitude(number));
    }

    /// Counts an outcome.
    pub(super) fn status(&mut self, code: &[u8]) {
        let code = code.iter().fold(0_i16, |n, b| n.saturating_mul(10).saturating_add(i16::from(b & 15)));
        self.add(code.saturating_add(10_000));
    }

    fn add(&mut self, step: i16) {
        if let Some(slot) = self.values.get_mut(self.len) {
            *slot = Value { slot: u8::try_from(self.len).unwrap_or_default(), step };
            self.len += 1;
        }
    }
}

/// Eight steps a decade, from the first two digits and their place: exact enough, and without floating point.
fn magnitude(number: &[u8]) -> i16 {
    let (mut lead, mut taken, mut place, mut fraction) = (0_i16, 0, 0_i16, false);
    for b in number {
        match b {
            b'0'..=b'9' => {
                let significant = taken > 0 || *b != b'0';
                if significant && taken < 2 {
                    lead = lead * 10 + i16::from(b - b'0');
                    taken += 1;
                }
                if !fraction && significant {
                    place = place.saturating_add(1);
                } else if fraction && !significant {
                    place = place.saturating_sub(1);
                }
            }
            b'.' => fraction = true,
            b'-' | b'+' => {}
            _ => break,
        }
    }
    if taken == 0 {
        return -1_000;
    }
    let lead = if taken == 1 { lead * 10 } else { lead };
    // The first two digits at which the eighth parts of a decade begin.
    let step = [13, 18, 24, 32, 42, 56, 75].iter().filter(|t| lead >= **t).count();
    place.saturating_mul(8).saturating_add(i16::try_from(step).unwrap_or_default())
}

/// How often each value came, bounded; sums of such counts do not depend on their order unless they overflow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Value, u64>);

impl Counts {
    pub(super) fn add(&mut self, value: Value, n: u64) {
        if self.0.len() < STEPS_MAX || self.0.contains_key(&value) {
            *self.0.entry(value).or_default() += n;
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (value, n) in &other.0 {
            self.add(*value, *n);
        }
    }

    /// The counts of every quantity, in order.
    #[must_use]
    pub fn slots(&self) -> BTreeMap<u8, BTreeMap<i16, u64>> {
        let mut slots: BTreeMap<u8, BTreeMap<i16, u64>> = BTreeMap::new();
        for (value, n) in &self.0 {
            slots.entry(value.slot).or_default().insert(value.step, *n);
        }
        slots
    }
}

/// What a step stands for, as people read it.
#[must_use]
pub fn describe(step: i16) -> String {
    if step >= 10_000 {
        return (step - 10_000).to_string();
    }
    if step <= -1_000 {
        return "0".to_owned();
    }
    let starts = [1.0, 1.3, 1.8, 2.4, 3.2, 4.2, 5.6, 7.5];
    let lead = usize::try_from(step.rem_euclid(8)).ok().and_then(|i| starts.get(i)).copied().unwrap_or(1.0);
    let value = lead * 10_f64.powi(i32::from(step.div_euclid(8)) - 1);
    format!("{}", (value * 1e6).round() / 1e6)
}
