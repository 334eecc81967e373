//! Clocks that disagree: a recording holds telemetry of its window and its baseline only, so when much of a source
//! lies outside both and one shift brings nearly all of it inside, that source's clock was off by that shift.

use crate::model::num::real64;
use crate::model::time::{TimeSpan, Timestamp};

/// Records this close together belong to one stretch of recording.
const STRETCH_GAP_S: i64 = 30;

/// Spans that are tried as anchors.
const SPANS_MAX: usize = 16;

/// Stretches that are tried as anchors: a recording has few.
const STRETCHES_MAX: usize = 64;

/// A shift must bring this share of all records inside…
const INSIDE_MIN: f64 = 0.9;

/// …and at least this much more than no shift does.
const GAIN_MIN: f64 = 0.1;

/// How many records a source holds in each second. Sorted by time.
pub type Coverage = Vec<(Timestamp, u64)>;

/// Seconds to add to a source's times so that they fit the spans; 0 when they do.
#[must_use]
pub fn offset_s(coverage: &Coverage, spans: &[TimeSpan]) -> i64 {
    let total: u64 = coverage.iter().map(|(_, n)| n).sum();
    if total == 0 || spans.is_empty() {
        return 0;
    }
    let share = |shift: i64| real64(inside(coverage, spans, shift)) / real64(total);
    let unshifted = share(0);
    if unshifted + GAIN_MIN > 1.0 {
        return 0;
    }
    let mut best = (unshifted, 0_i64);
    for shift in candidates(coverage, spans) {
        let found = share(shift);
        // Of equally good shifts the least: clocks are rarely far off.
        if found > best.0 + 1e-9 || (found > best.0 - 1e-9 && shift.abs() < best.1.abs()) {
            best = (found, shift);
        }
    }
    let convincing =
        best.0 >= INSIDE_MIN && best.0 >= unshifted + GAIN_MIN && spans_met(coverage, spans, best.1) >= 2;
    if convincing { best.1 } else { 0 }
}

/// Spans into which a notable part of the records falls. One stretch of records fits into one span at many shifts; two
/// at once, apart as the spans are, are no chance.
fn spans_met(coverage: &Coverage, spans: &[TimeSpan], shift: i64) -> usize {
    let total: u64 = coverage.iter().map(|(_, n)| n).sum();
    spans.iter().filter(|s| inside(coverage, std::slice::from_ref(s), shift) * 20 >= total).count()
}

fn inside(coverage: &Coverage, spans: &[TimeSpan], shift: i64) -> u64 {
    coverage
        .iter()
        .filter(|(t, _)| spans.iter().any(|s| s.contains(t.plus_secs(shift))))
        .map(|(_, n)| n)
        .sum()
}

/// Shifts that move the beginning or end of a stretch of records to the beginning or end of a span.
fn candidates(coverage: &Coverage, spans: &[TimeSpan]) -> Vec<i64> {
    let mut starts: Vec<Timestamp> = Vec::new();
    let mut ends: Vec<Timestamp> = Vec::new();
    let mut last: Option<Timestamp> = None;
    for (t, _) in coverage {
        if last.is_none_or(|l| t.secs_since(l) > STRETCH_GAP_S) {
            starts.push(*t);
            ends.extend(last);
        }
        last = Some(*t);
    }
    ends.extend(last);
    starts.truncate(STRETCHES_MAX);
    ends.truncate(STRETCHES_MAX);
    let mut shifts: Vec<i64> = Vec::new();
    for span in spans.iter().take(SPANS_MAX) {
        shifts.extend(starts.iter().map(|t| span.start.secs_since(*t)));
        shifts.extend(ends.iter().map(|t| span.end.secs_since(*t) - 1));
    }
    shifts.sort_unstable();
    shifts.dedup();
    shifts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(from: i64, to: i64) -> impl Iterator<Item = (Timestamp, u64)> {
        (from..to).map(|s| (Timestamp::from_secs(s), 3))
    }

    fn spans() -> Vec<TimeSpan> {
        let at = Timestamp::from_secs;
        vec![TimeSpan::new(at(10_000), at(10_240)), TimeSpan::new(at(20_000), at(20_060))]
    }

    #[test]
    fn a_shifted_recording_is_found() {
        for shift in [-52, 3_600, -32_400] {
            let coverage: Coverage = filled(10_000 - shift, 10_200 - shift)
                .chain(filled(20_000 - shift, 20_060 - shift))
                .collect();
            assert_eq!(offset_s(&coverage, &spans()), shift);
        }
    }

    #[test]
    fn a_fitting_one_and_a_scattered_one_are_left_alone() {
        assert_eq!(offset_s(&filled(10_010, 10_200).collect(), &spans()), 0);
        assert_eq!(offset_s(&filled(0, 40_000).collect(), &spans()), 0);
        assert_eq!(offset_s(&Coverage::new(), &spans()), 0);
    }
}
