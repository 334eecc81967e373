//! Quantities that lines carry: outcomes as they are, measured values to two digits.
//!
//! A plain integer is as often an identifier as a quantity, so only numbers with a unit or a fraction count, and those
//! behind a key whose last word is a unit or names something measured. Counts are a histogram whose steps grow
//! coarser when there are too many of them: how coarse depends on the set of values alone, so counts of several nodes
//! merge in any order.

use std::collections::BTreeMap;

use super::bytes::{at, hash, sub};

/// Quantities of a line that are counted.
const VALUES_MAX: usize = 8;

/// Different values of a pattern that are told apart before they are counted in coarser steps.
const STEPS_MAX: usize = 96;

/// Names of fields that are remembered, those with the smallest hashes: more are not fields but data.
const NAMES_MAX: usize = 4_096;

/// Bytes of a field's name.
const NAME_BYTES_MAX: usize = 64;

/// Steps of a decade: two digits.
const DECADE: i16 = 90;

/// The step of zero, below all others.
const ZERO: i16 = -20_000;

/// From this level on nothing is told apart.
const LEVEL_MAX: u8 = 3;

/// What a number measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Measure {
    /// Something without a known unit.
    #[default]
    Number,
    /// A time, in seconds.
    Seconds,
    /// An amount of information, in bytes.
    Bytes,
    /// A share of hundred.
    Percent,
    /// An outcome: not a quantity, only equal or not.
    Code,
}

/// A unit: what it measures, and its size as a factor and a power of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Unit {
    measure: Measure,
    factor: i16,
    power: i16,
}

/// Which quantity of the lines of a pattern: its key, or the place among those without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Slot {
    /// The hash of its key, or its place.
    pub(super) name: u32,
    /// What it measures.
    pub(super) measure: Measure,
}

/// An outcome, or a step on a scale of two digits and a power of ten, in its slot: packed, because every line that
/// carries one looks its count up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Value(u64);

/// Quantities of one line, and the names of all fields so far.
#[derive(Debug, Default)]
pub(super) struct Values {
    values: [Value; VALUES_MAX],
    len: usize,
    names: BTreeMap<u32, Box<str>>,
}

impl Values {
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    pub(super) fn all(&self) -> &[Value] {
        self.values.get(..self.len).unwrap_or_default()
    }

    /// Counts a measured value, whose unit stands behind its digits or is given.
    pub(super) fn quantity(&mut self, key: &[u8], number: &[u8], unit: Option<Unit>) {
        let (lead, power, rest) = digits(number);
        let unit = unit.or_else(|| unit_of(rest)).or_else(|| measured(key)).unwrap_or(Unit::NONE);
        self.add(key, unit.measure, step(lead, power, unit));
    }

    /// Counts an outcome.
    pub(super) fn status(&mut self, key: &[u8], code: &[u8]) {
        let code = code.iter().fold(0_i16, |n, b| n.saturating_mul(10).saturating_add(i16::from(b & 15)));
        self.add(key, Measure::Code, code);
    }

    /// Takes the last quantity back.
    pub(super) fn forget(&mut self) {
        self.len = self.len.saturating_sub(1);
    }

    fn add(&mut self, key: &[u8], measure: Measure, step: i16) {
        let place = u32::try_from(self.len).unwrap_or_default();
        let name = if key.is_empty() { place } else { self.name(key) };
        if let Some(slot) = self.values.get_mut(self.len) {
            *slot = Value::new(Slot { name, measure }, step);
            self.len += 1;
        }
    }

    fn name(&mut self, key: &[u8]) -> u32 {
        let key = sub(key, 0, NAME_BYTES_MAX);
        let name = u32::try_from(hash(key) >> 32).unwrap_or_default() | (1 << 31);
        self.names.entry(name).or_insert_with(|| String::from_utf8_lossy(key).into());
        self.bound();
        name
    }

    fn bound(&mut self) {
        while self.names.len() > NAMES_MAX {
            self.names.pop_last();
        }
    }

    /// Takes the names that another node has seen.
    pub(super) fn merge(&mut self, other: &Self) {
        self.names.extend(other.names.iter().map(|(name, key)| (*name, key.clone())));
        self.bound();
    }

    /// The key of a quantity, when it has one that is remembered.
    pub(super) fn key(&self, slot: Slot) -> Option<&str> {
        self.names.get(&slot.name).map(|key| &**key)
    }
}

impl Unit {
    const NONE: Self = Self { measure: Measure::Number, factor: 1, power: 0 };

    const fn new(measure: Measure, factor: i16, power: i16) -> Self {
        Self { measure, factor, power }
    }
}

/// Two leading digits (0 for zero), the power of ten of the first one, and what follows the number.
fn digits(number: &[u8]) -> (i16, i16, &[u8]) {
    let (mut lead, mut taken, mut place, mut fraction) = (0_i16, 0, 0_i16, false);
    let mut end = number.len();
    for (i, b) in number.iter().enumerate() {
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
            b'-' | b'+' | b',' => {}
            _ => {
                end = i;
                break;
            }
        }
    }
    let lead = if taken == 1 { lead * 10 } else { lead };
    (lead, place.saturating_sub(1), sub(number, end, number.len()))
}

fn step(lead: i16, power: i16, unit: Unit) -> i16 {
    if lead == 0 {
        return ZERO;
    }
    let (mut lead, mut power) = (lead.saturating_mul(unit.factor), power.saturating_add(unit.power));
    while lead >= 100 {
        lead /= 10;
        power = power.saturating_add(1);
    }
    power.clamp(-12, 18) * DECADE + lead - 10
}

/// Units behind a number.
fn unit_of(unit: &[u8]) -> Option<Unit> {
    let mut lower = [0_u8; 12];
    let n = unit.len();
    lower.get_mut(..n)?.copy_from_slice(unit);
    lower.make_ascii_lowercase();
    let seconds = |factor, power| Some(Unit::new(Measure::Seconds, factor, power));
    let bytes = |power| Some(Unit::new(Measure::Bytes, 1, power));
    match lower.get(..n)? {
        b"ns" | b"nanos" | b"nanoseconds" => seconds(1, -9),
        b"us" | b"micros" | b"microseconds" | b"\xc2\xb5s" | b"\xce\xbcs" => seconds(1, -6),
        b"ms" | b"msec" | b"millis" | b"milliseconds" => seconds(1, -3),
        b"s" | b"sec" | b"secs" | b"second" | b"seconds" => seconds(1, 0),
        b"m" | b"min" | b"mins" | b"minutes" => seconds(6, 1),
        b"h" | b"hr" | b"hours" => seconds(36, 2),
        b"d" => seconds(86, 3),
        b"b" | b"byte" | b"bytes" => bytes(0),
        b"k" | b"kb" | b"kib" => bytes(3),
        b"mb" | b"mib" => bytes(6),
        b"g" | b"gb" | b"gib" => bytes(9),
        b"t" | b"tb" | b"tib" => bytes(12),
        b"%" | b"percent" | b"pct" => Some(Unit::new(Measure::Percent, 1, 0)),
        _ => None,
    }
}

/// A unit that stands apart from its number.
pub(super) fn unit(word: &[u8]) -> Option<Unit> {
    unit_of(word)
}

/// Whether a text is a number with a unit that is none by chance, as a single letter may be.
pub(super) fn is_measured(text: &[u8]) -> bool {
    let (_, _, rest) = digits(text);
    let clear = rest.len() > 1 || matches!(rest, b"s" | b"%");
    text.first().is_some_and(u8::is_ascii_digit) && clear && unit_of(rest).is_some()
}

/// What a key says to measure: its last word is a unit or the name of something measured. What a key names otherwise
/// may be an identifier.
pub(super) fn measured(key: &[u8]) -> Option<Unit> {
    let mut from = key.len();
    while from > 0 && at(key, from - 1).is_ascii_alphanumeric() {
        from -= 1;
        if at(key, from).is_ascii_uppercase() && from > 0 && at(key, from - 1).is_ascii_lowercase() {
            break;
        }
    }
    let last = sub(key, from, key.len());
    let mut lower = [0_u8; 12];
    lower.get_mut(..last.len())?.copy_from_slice(last);
    lower.make_ascii_lowercase();
    match lower.get(..last.len())? {
        b"latency" | b"duration" | b"elapsed" | b"took" | b"delay" | b"rtt" | b"wait" | b"size"
        | b"length" | b"len" | b"count" | b"total" | b"depth" | b"lag" | b"rows" | b"retries"
        | b"attempts" | b"usage" => Some(Unit::NONE),
        // A word of its own may be a name as short as a unit.
        _ if last.len() > 1 || from > 0 => unit_of(last),
        _ => None,
    }
}

/// The key that stands before a place, with a colon or an equals sign; empty without one.
#[inline(never)]
pub(super) fn key(out: &[u8], end: usize) -> &[u8] {
    let out = sub(out, 0, end);
    let out = match out {
        [rest @ .., b'"'] => rest,
        [rest @ .., b':' | b'=', b' '] => sub(out, 0, rest.len() + 1),
        _ => out,
    };
    let [out @ .., b':' | b'='] = out else { return &[] };
    let out = out.strip_suffix(b"\"").unwrap_or(out);
    let named = |b: &&u8| b.is_ascii_alphanumeric() || matches!(**b, b'_' | b'.' | b'-');
    let n = out.iter().rev().take_while(named).count();
    sub(out, out.len() - n, out.len())
}

/// How often each value came, bounded; sums of such counts do not depend on their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// In the order of values.
    counts: Vec<(Value, u64)>,
    /// How coarse steps are: the finest at which there are not too many.
    level: u8,
}

impl Counts {
    #[inline]
    pub(super) fn add(&mut self, value: Value, n: u64) {
        if self.level >= LEVEL_MAX {
            return;
        }
        let value = value.at(self.level);
        match self.counts.binary_search_by_key(&value, |(known, _)| *known) {
            Ok(place) => {
                if let Some((_, count)) = self.counts.get_mut(place) {
                    *count += n;
                }
            }
            Err(place) => {
                self.counts.insert(place, (value, n));
                while self.counts.len() > STEPS_MAX {
                    self.coarsen(self.level + 1);
                }
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if other.level > self.level {
            self.coarsen(other.level);
        }
        for (value, n) in &other.counts {
            self.add(*value, *n);
        }
    }

    fn coarsen(&mut self, level: u8) {
        self.level = level;
        for (value, n) in std::mem::take(&mut self.counts) {
            self.add(value, n);
        }
    }

    /// The counts of every quantity, in order, on both sides in the same steps.
    pub(super) fn pair(before: &Self, after: &Self) -> [BTreeMap<Slot, BTreeMap<i16, u64>>; 2] {
        let level = before.level.max(after.level);
        [before, after].map(|side| {
            let mut slots: BTreeMap<Slot, BTreeMap<i16, u64>> = BTreeMap::new();
            for (value, n) in side.counts.iter().filter(|_| level < LEVEL_MAX) {
                let value = value.at(level);
                *slots.entry(value.slot()).or_default().entry(value.step()).or_default() += n;
            }
            slots
        })
    }
}

impl Value {
    fn new(slot: Slot, step: i16) -> Self {
        let measure = match slot.measure {
            Measure::Number => 0,
            Measure::Seconds => 1,
            Measure::Bytes => 2,
            Measure::Percent => 3,
            Measure::Code => 4,
        };
        let [a, b, c, d] = slot.name.to_be_bytes();
        let [e, f] = step.to_be_bytes();
        // With the sign turned, bytes are in the order of steps.
        Self(u64::from_be_bytes([a, b, c, d, 0, measure, e ^ 0x80, f]))
    }

    fn slot(self) -> Slot {
        let [a, b, c, d, _, measure, ..] = self.0.to_be_bytes();
        let measure = match measure {
            1 => Measure::Seconds,
            2 => Measure::Bytes,
            3 => Measure::Percent,
            4 => Measure::Code,
            _ => Measure::Number,
        };
        Slot { name: u32::from_be_bytes([a, b, c, d]), measure }
    }

    fn step(self) -> i16 {
        let [.., e, f] = self.0.to_be_bytes();
        i16::from_be_bytes([e ^ 0x80, f])
    }

    /// The first step of the coarser one that this step is part of.
    #[inline]
    fn at(self, level: u8) -> Self {
        if level == 0 { self } else { self.coarse(level) }
    }

    fn coarse(self, level: u8) -> Self {
        let (slot, step) = (self.slot(), self.step());
        let decade = step.div_euclid(DECADE) * DECADE;
        let first = match (slot.measure, level) {
            (Measure::Code, _) => step / 100 * 100,
            (_, _) if step == ZERO => ZERO,
            (_, 1) => {
                // The first two digits at which the eighth parts of a decade begin.
                let lead = step - decade + 10;
                let starts = [75, 56, 42, 32, 24, 18, 13];
                decade + starts.into_iter().find(|start| lead >= *start).unwrap_or(10) - 10
            }
            (_, _) => decade,
        };
        Self::new(slot, first)
    }
}

/// The value at which a step begins.
pub(super) fn value(step: i16) -> f64 {
    if step == ZERO {
        return 0.0;
    }
    let lead = f64::from(step.rem_euclid(DECADE) + 10);
    lead * 10_f64.powi(i32::from(step.div_euclid(DECADE)) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(numbers: &[String]) -> Counts {
        let mut counts = Counts::default();
        for number in numbers {
            let mut values = Values::default();
            values.quantity(b"", number.as_bytes(), None);
            values.all().iter().for_each(|v| counts.add(*v, 1));
        }
        counts
    }

    #[test]
    fn units_are_one_scale_and_keys_say_what_is_measured() {
        let read = |key: &str, number: &str| {
            let mut values = Values::default();
            values.quantity(key.as_bytes(), number.as_bytes(), None);
            let found = values.all()[0];
            (found.slot().measure, (value(found.step()) * 1e6).round() / 1e6)
        };
        assert_eq!(read("", "900ms"), (Measure::Seconds, 0.9));
        assert_eq!(read("", "1.2s"), (Measure::Seconds, 1.2));
        assert_eq!(read("", "2min"), (Measure::Seconds, 120.0));
        assert_eq!(read("latency_ms", "512"), (Measure::Seconds, 0.51));
        assert_eq!(read("responseTimeMs", "0"), (Measure::Seconds, 0.0));
        assert_eq!(read("", "64KB"), (Measure::Bytes, 64_000.0));
        assert_eq!(read("queue.depth", "7"), (Measure::Number, 7.0));
        for key in ["user_id", "port", "h", "pid", "ms_id", "items"] {
            assert_eq!(measured(key.as_bytes()), None, "{key}");
        }
    }

    #[test]
    fn more_values_than_are_told_apart_are_counted_alike_in_any_order() {
        let numbers: Vec<String> = (1..3_000).map(|n| format!("{}.{}ms", n * 7, n % 10)).collect();
        let mut backwards = numbers.clone();
        backwards.reverse();
        let whole = counted(&numbers);
        assert!(whole.counts.len() <= STEPS_MAX && whole.level == 1, "{}", whole.level);
        assert_eq!(whole.counts.iter().map(|(_, n)| n).sum::<u64>(), 2_999);
        assert_eq!(counted(&backwards), whole);
        let (left, right) = numbers.split_at(50);
        for (a, b) in [(left, right), (right, left)] {
            let mut merged = counted(a);
            merged.merge(&counted(b));
            assert_eq!(merged, whole);
        }
    }
}
