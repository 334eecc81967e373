//! Data tests of the online score.

use proptest::prelude::*;

use super::*;
use crate::model::num::real_signed;

fn every(step: i64, values: impl IntoIterator<Item = f64>) -> Vec<(Timestamp, f64)> {
    (0..).zip(values).map(|(i, v)| (Timestamp::from_secs(i * step), v)).collect()
}

fn noise(i: i64) -> f64 {
    real_signed((i * 7_919 + i * i * 104_729) % 2_001 - 1_000) / 1_000.0
}

/// After a third of the series: before it, the first spike and the first busy hour are news indeed.
fn after_learning(points: &[(Timestamp, f64)]) -> Vec<usize> {
    detections(points).into_iter().filter(|i| *i >= points.len() / 3).collect()
}

fn detections(points: &[(Timestamp, f64)]) -> Vec<usize> {
    let scored = score(points);
    (0..scored.len()).filter(|i| scored[*i].score >= DETECTION).collect()
}

#[test]
fn a_step_is_detected_at_once_and_told_once() {
    let points = every(60, (0..800).map(|i| 10.0 + noise(i) + if i >= 500 { 30.0 } else { 0.0 }));
    let found = detections(&points);
    assert_eq!(found.first(), Some(&500), "{found:?}");
    assert!(found.len() <= 4, "{found:?}");
    let spans = spans(&points, &score(&points));
    assert_eq!(spans.len(), 1, "{spans:?}");
    assert_eq!(spans[0].span.start, points[500].0);
}

#[test]
fn usual_series_are_quiet() {
    for points in [
        every(60, vec![45.0; 1_000]),
        every(60, vec![0.0; 1_000]),
        every(60, (0..1_000).map(|i| 10.0 + noise(i))),
        every(60, (0..1_000).map(|i| if i % 40 == 0 { 90.0 } else { 1.0 })),
        every(900, (0..96 * 14).map(|i| if (36..72).contains(&(i % 96)) { 80.0 } else { 20.0 } + noise(i))),
    ] {
        assert!(after_learning(&points).is_empty(), "{:?}", detections(&points));
    }
}

#[test]
fn a_busy_hour_at_night_is_seen() {
    let usual = |i: i64| if (36..72).contains(&(i % 96)) { 80.0 } else { 20.0 } + noise(i);
    let points = every(900, (0..96 * 14).map(|i| if (1_160..1_168).contains(&i) { 80.0 } else { usual(i) }));
    assert_eq!(after_learning(&points).first(), Some(&1_160), "{:?}", detections(&points));
}

#[test]
fn missing_values_change_nothing() {
    let points = every(60, (0..400).map(noise));
    let mut with = Vec::new();
    for p in &points {
        with.extend([(p.0, f64::NAN), *p]);
    }
    let of_values: Vec<Scored> = score(&with).into_iter().skip(1).step_by(2).collect();
    assert_eq!(score(&points), of_values);
}

proptest! {
    #[test]
    fn any_values_give_scores_and_the_same_ones_twice(values in prop::collection::vec(prop::num::f64::ANY, 0..300)) {
        let points = every(60, values);
        let scored = score(&points);
        prop_assert!(scored.iter().all(|s| (0.0..=1.0).contains(&s.score)));
        prop_assert_eq!(&scored, &score(&points));
    }

    #[test]
    fn units_and_clocks_do_not_matter(values in prop::collection::vec(-1e3..1e3, 20..300), power in -8i32..12, shift in 0i64..10_000_000) {
        let points = every(600, values);
        let moved: Vec<_> = points.iter().map(|(t, v)| (t.plus_secs(shift), v * 2f64.powi(power))).collect();
        prop_assert_eq!(score(&points), score(&moved));
    }
}
