//! Which times to ask for, and in which periods: what CloudWatch still keeps, what it has published already.

use crate::limits;
use crate::model::time::{TimeSpan, Timestamp};

/// Spans that lie this close are asked for in one: one request more costs more than a few minutes of data.
const MERGE_WITHIN_S: i64 = 60;

/// CloudWatch's retention: a period, and for how long points of it are kept.
const RETENTION: [(u32, i64); 4] =
    [(1, 3 * 3_600), (60, 15 * DAY_S), (300, 63 * DAY_S), (3_600, 455 * DAY_S)];

const DAY_S: i64 = 86_400;

/// Data that is about to expire may be gone when the request arrives.
const RETENTION_MARGIN_S: i64 = 600;

/// The window and the healthy times, cut at `now`, in order, merged where they touch.
#[must_use]
pub fn merged(window: TimeSpan, baseline: &[TimeSpan], now: Timestamp) -> Vec<TimeSpan> {
    let cut = |s: &TimeSpan| TimeSpan::new(s.start, s.end.min(now));
    let mut spans: Vec<TimeSpan> =
        baseline.iter().chain([&window]).map(cut).filter(|s| s.secs() > 0).collect();
    spans.sort();
    let mut merged: Vec<TimeSpan> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end.plus_secs(MERGE_WITHIN_S) => *last = last.hull(span),
            _ => merged.push(span),
        }
    }
    merged
}

/// The shortest period in which CloudWatch keeps data since `start`: 60 s normally, less for an alarm that evaluates
/// faster than that. `None` when nothing that old is kept at all.
#[must_use]
pub fn period_s(start: Timestamp, now: Timestamp, wanted_s: Option<u32>) -> Option<u32> {
    let age_s = now.secs_since(start) + RETENTION_MARGIN_S;
    let kept = RETENTION.iter().find(|(_, for_s)| age_s <= *for_s).map(|(period, _)| *period)?;
    // Periods below a minute exist for high-resolution metrics, and are asked for only where the alarm is one.
    let standard = if kept == 1 { 60 } else { kept };
    match wanted_s {
        Some(s) if kept == 1 && matches!(s, 1 | 5 | 10 | 20 | 30) => Some(s),
        _ => Some(standard),
    }
}

/// The span in whole periods: it starts where a period starts, and ends before what is not published yet. CloudWatch
/// rounds the start down by itself, but differently for different ages; asked for on the boundary, every answer is
/// stamped alike. Empty when all of it is too fresh.
#[must_use]
pub fn aligned(span: TimeSpan, period_s: u32, now: Timestamp) -> TimeSpan {
    let period = i64::from(period_s.max(1));
    let floor = |t: Timestamp| Timestamp::from_secs(t.secs().div_euclid(period) * period);
    let ceil = |t: Timestamp| floor(Timestamp::from_micros(t.plus_secs(period).micros() - 1));
    // Published late by a minute; high-resolution points by less, but late points are worth waiting for.
    let published = floor(now.plus_secs(-if period < 60 { period } else { limits::METRIC_DELAY_S }));
    TimeSpan::new(floor(span.start), ceil(span.end).min(published))
}

/// The length of a period as the points themselves show it: a standard metric asked for in seconds answers by the minute.
#[must_use]
pub fn seen_period_s(points: &[(Timestamp, f64)], asked_s: u32) -> u32 {
    let gaps = points.windows(2).filter_map(|pair| match pair {
        [(a, _), (b, _)] => u32::try_from(b.secs_since(*a).abs()).ok().filter(|gap| *gap > 0),
        _ => None,
    });
    // One point more than a minute after the last is a missing one, not a longer period.
    let seen = gaps.min().unwrap_or(asked_s);
    if asked_s < 60 && seen >= 60 { 60 } else { asked_s }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_secs(s)
    }

    fn span(a: i64, b: i64) -> TimeSpan {
        TimeSpan::new(at(a), at(b))
    }

    #[test]
    fn touching_spans_are_one_request_and_nothing_is_asked_of_the_future() {
        let merged_spans = merged(span(1_000, 2_000), &[span(400, 1_000), span(0, 100)], at(1_500));
        assert_eq!(merged_spans, [span(0, 100), span(400, 1_500)]);
        assert!(merged(span(10, 20), &[], at(5)).is_empty());
    }

    #[test]
    fn the_period_follows_the_age_of_the_data() {
        let now = at(1_000 * DAY_S);
        for (age_days, period) in [
            (0, Some(60)),
            (14, Some(60)),
            (16, Some(300)),
            (62, Some(300)),
            (64, Some(3_600)),
            (454, Some(3_600)),
            (456, None),
        ] {
            assert_eq!(period_s(now.plus_secs(-age_days * DAY_S), now, None), period, "{age_days} days");
        }
        assert_eq!(period_s(now.plus_secs(-3_600), now, Some(10)), Some(10));
        assert_eq!(
            period_s(now.plus_secs(-4 * 3_600), now, Some(10)),
            Some(60),
            "sub-minute points are gone after 3 h"
        );
        assert_eq!(period_s(now.plus_secs(-3_600), now, Some(300)), Some(60));
    }

    #[test]
    fn spans_are_whole_published_periods() {
        assert_eq!(aligned(span(61, 179), 60, at(10_000)), span(60, 180));
        assert_eq!(
            aligned(span(60, 180), 60, at(200)),
            span(60, 120),
            "the last minute is not published yet"
        );
        assert_eq!(aligned(span(60, 180), 60, at(60)).secs(), 0);
    }

    #[test]
    fn a_standard_metric_asked_for_in_seconds_is_seen_to_be_one() {
        let minutes: Vec<_> = (0..4).map(|i| (at(i * 60), 1.0)).collect();
        assert_eq!(seen_period_s(&minutes, 10), 60);
        let fast: Vec<_> = (0..4).map(|i| (at(i * 10), 1.0)).collect();
        assert_eq!(seen_period_s(&fast, 10), 10);
        assert_eq!(seen_period_s(&minutes, 300), 300);
    }
}
