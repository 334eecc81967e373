//! Data tests of the in-window question: one for each property that a series may have.

use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

fn every(step: i64, values: impl IntoIterator<Item = f64>) -> Points {
    (0..).zip(values).map(|(i, v)| (Timestamp::from_secs(i * step), v)).collect()
}

/// Cheap, fixed noise in -1..1.
fn noise(i: i64) -> f64 {
    crate::model::num::real_signed((i * 7_919 + i * i * 104_729) % 2_001 - 1_000) / 1_000.0
}

/// Asks about the last `window` points.
fn ask(points: &Points, window: usize) -> Verdict {
    let (before, after) = points.split_at(points.len() - window);
    let step = points[1].0.secs_since(points[0].0);
    in_window(before, after, TimeSpan::new(after[0].0, after[window - 1].0.plus_secs(step)))
}

fn value(i: i64) -> f64 {
    crate::model::num::real_signed(i)
}

#[test]
fn a_step_is_seen_dated_and_directed() {
    let step = |by: f64| every(MINUTE, (0..300).map(|i| 100.0 + noise(i) + if i >= 280 { by } else { 0.0 }));
    for (by, direction) in [(20.0, Movement::Up), (-20.0, Movement::Down)] {
        let seen = ask(&step(by), 30);
        assert!(seen.deviating && seen.direction == Some(direction), "{seen:?}");
        assert_eq!(seen.since, Some(Timestamp::from_secs(280 * MINUTE)));
    }
    let calm = ask(&step(0.0), 30);
    assert!(!calm.deviating && calm.since.is_none(), "{calm:?}");
}

#[test]
fn usual_spikes_are_usual_and_unusual_ones_are_not() {
    let spikes = |last: f64| {
        every(
            MINUTE,
            (0..600).map(move |i| {
                if i == 590 {
                    last
                } else if i % 37 == 0 {
                    50.0
                } else {
                    1.0 + noise(i) * 0.1
                }
            }),
        )
    };
    let (usual, unusual) = (ask(&spikes(1.0), 60), ask(&spikes(400.0), 60));
    assert!(!usual.deviating && unusual.deviating, "{usual:?} {unusual:?}");
}

#[test]
fn flat_and_sparse_series() {
    let flat = |last: f64| every(MINUTE, (0..200).map(move |i| if i == 195 { last } else { 45.0 }));
    assert_eq!(ask(&flat(45.0), 20).score, 0.0);
    assert!(ask(&flat(80.0), 20).deviating);
    assert!(!ask(&every(MINUTE, vec![0.0; 100]), 20).deviating);
    let errors = |more: bool| {
        every(MINUTE, (0..600).map(move |i| if i % 97 == 0 || (more && i > 560) { 1.0 } else { 0.0 }))
    };
    let (usual, many) = (ask(&errors(false), 60), ask(&errors(true), 60));
    assert!(many.score > usual.score, "{usual:?} {many:?}");
}

#[test]
fn the_time_of_day_is_usual_and_its_absence_is_not() {
    let daily = |missing: bool| {
        every(
            HOUR / 4,
            (0..96 * 6).map(move |i| {
                let busy = (36..72).contains(&(i % 96)) && !(missing && i > 96 * 5);
                (if busy { 80.0 } else { 20.0 }) + noise(i)
            }),
        )
    };
    let (usual, absent) = (ask(&daily(false), 48), ask(&daily(true), 48));
    assert!(!usual.deviating && absent.deviating, "{usual:?} {absent:?}");
    assert_eq!(absent.direction, Some(Movement::Down));
}

#[test]
fn the_day_of_the_week_is_usual() {
    let weekly = |sunday_works: bool| {
        every(
            HOUR,
            (0..24 * 28).map(move |i| {
                let rest = (i / 24) % 7 >= 5 && !(sunday_works && i >= 24 * 27);
                (if rest { 5.0 } else { 100.0 }) + noise(i)
            }),
        )
    };
    let (usual, worked) = (ask(&weekly(false), 24), ask(&weekly(true), 24));
    assert!(!usual.deviating && worked.deviating, "{usual:?} {worked:?}");
}

#[test]
fn a_trend_that_goes_on_is_usual() {
    let trend = |jump: f64| {
        every(MINUTE, (0..400).map(move |i| value(i) + 5.0 * noise(i) + if i > 380 { jump } else { 0.0 }))
    };
    let (usual, jumped) = (ask(&trend(0.0), 40), ask(&trend(100.0), 40));
    assert!(!usual.deviating && jumped.deviating, "{usual:?} {jumped:?}");
}

#[test]
fn a_counter_is_judged_by_its_rate() {
    let counter = |stalls: bool| {
        let mut total = 0.0;
        let step = move |i: i64| {
            total += if stalls && i > 380 { 0.0 } else { 100.0 + noise(i) };
            total
        };
        every(MINUTE, (0..400).map(step))
    };
    let (usual, stalled) = (ask(&counter(false), 30), ask(&counter(true), 30));
    assert!(!usual.deviating, "{usual:?}");
    assert!(stalled.deviating && stalled.direction == Some(Movement::Down), "{stalled:?}");
}

#[test]
fn short_series_answer_carefully() {
    let few = |last: f64| ask(&every(MINUTE, [10.0, 11.0, 9.0, last]), 1);
    assert!(!few(10.5).deviating && few(1_000.0).deviating);
    assert!(few(10.5).sure < 0.5);
    let at = Timestamp::from_secs;
    assert_eq!(
        in_window(&[(at(0), 1.0)], &[(at(60), 9.0)], TimeSpan::new(at(60), at(120))),
        Verdict::NOTHING
    );
}

#[test]
fn silence_is_a_signal_where_the_series_used_to_speak() {
    let regular = every(MINUTE, (0..200).map(|i| 5.0 + noise(i)));
    let span = TimeSpan::new(Timestamp::from_secs(200 * MINUTE), Timestamp::from_secs(230 * MINUTE));
    let gone = in_window(&regular, &[], span);
    assert!(gone.deviating && gone.direction == Some(Movement::Missing), "{gone:?}");
    let null = [(span.start, f64::NAN)];
    assert_eq!(in_window(&regular, &null, span), gone);
    let seldom = every(HOUR, (0..200).map(|i| 5.0 + noise(i)));
    let span = TimeSpan::new(Timestamp::from_secs(199 * HOUR + MINUTE), Timestamp::from_secs(200 * HOUR));
    assert!(!in_window(&seldom, &[], span).deviating);
}

#[test]
fn a_hole_says_nothing_where_recordings_have_holes_of_every_length() {
    let mut at = 0;
    let holes = |i: i64| {
        at += if i % 4 == 0 { MINUTE * (3 + i % 23) } else { MINUTE };
        (Timestamp::from_secs(at), 5.0 + noise(i))
    };
    let points: Points = (0..200).map(holes).collect();
    let end = points[199].0;
    let span = TimeSpan::new(end.plus_secs(MINUTE), end.plus_secs(HOUR * 3));
    assert!(!in_window(&points, &[], span).deviating);
}

proptest! {
    #[test]
    fn any_values_give_a_score_and_the_same_one_twice(values in prop::collection::vec(prop::num::f64::ANY, 3..80), n in 1usize..3) {
        let points = every(MINUTE, values);
        let verdict = ask(&points, n);
        prop_assert!((0.0..=1.0).contains(&verdict.score), "{verdict:?}");
        prop_assert!(verdict == ask(&points, n));
        prop_assert_eq!(verdict.deviating, verdict.since.is_some());
    }

    #[test]
    fn units_and_clocks_do_not_matter(values in prop::collection::vec(-1e3..1e3, 20..200), scale in 1e-3..1e6f64, shift in 0i64..10_000_000) {
        let points = every(600, values);
        let moved: Points = points.iter().map(|(t, v)| (t.plus_secs(shift), v * scale)).collect();
        let (a, b) = (ask(&points, 10), ask(&moved, 10));
        prop_assert!((a.score - b.score).abs() < 1e-6, "{a:?} {b:?}");
    }
}
