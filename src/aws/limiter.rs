//! Keeps the calls of all investigations below AWS's quotas: one leaky bucket an operation, in order of arrival.
//!
//! Only spreads calls over time. Whether a call is worth waiting for, its caller's deadline decides.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::apis::Api;

/// Seconds' worth of calls that may be made at once after a quiet time.
const BURST_S: f64 = 1.0;

/// Pause of an operation that AWS throttled although the bucket let it pass: somebody else uses the quota as well.
const PENALTY: Duration = Duration::from_secs(1);

/// The buckets of one account and Region.
#[derive(Debug, Default)]
pub struct Limiter {
    /// For each operation the instant at which its bucket will be empty.
    empty_at: Mutex<BTreeMap<&'static str, Instant>>,
    /// Rates are multiplied by this; 1 outside tests.
    speed: f64,
}

impl Limiter {
    /// Buckets at so many times the usual rates.
    #[must_use]
    pub fn new(speed: f64) -> Self {
        Self { empty_at: Mutex::default(), speed }
    }

    /// Takes a place in the queue: how long to wait for it. `None` when that is longer than `at_most`; then no place was
    /// taken.
    #[must_use]
    pub fn reserve(&self, api: &Api, at_most: Duration) -> Option<Duration> {
        let rate = (api.per_second * self.speed).max(f64::MIN_POSITIVE);
        let each = seconds(1.0 / rate);
        let burst = seconds(BURST_S.max(1.0 / rate)) - each;
        let now = Instant::now();
        let mut buckets = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        let empty_at = buckets.get(api.action).copied().unwrap_or(now).max(now);
        let wait = empty_at.duration_since(now).saturating_sub(burst);
        if wait > at_most {
            return None;
        }
        buckets.insert(api.action, empty_at + each);
        Some(wait)
    }

    /// AWS throttled the operation: everybody waits a moment.
    pub fn throttled(&self, api: &Api) {
        let pause = PENALTY.div_f64(self.speed.max(1.0));
        let rate = (api.per_second * self.speed).max(f64::MIN_POSITIVE);
        let full = Instant::now() + seconds(BURST_S.max(1.0 / rate)) + pause;
        let mut buckets = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        let empty_at = buckets.entry(api.action).or_insert(full);
        *empty_at = (*empty_at).max(full);
    }
}

/// A bounded duration: rates near zero must not overflow.
fn seconds(s: f64) -> Duration {
    const LONGEST_S: f64 = 3_600.0;
    Duration::from_secs_f64(s.clamp(0.0, LONGEST_S))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::apis::{GET_METRIC_DATA, LOOKUP_EVENTS};

    const LONG: Duration = Duration::from_secs(100);

    #[tokio::test(start_paused = true)]
    async fn two_calls_a_second_and_no_more_whoever_asks() {
        let limiter = Limiter::new(1.0);
        let mut starts = Vec::new();
        let began = Instant::now();
        for _ in 0..9 {
            tokio::time::sleep(limiter.reserve(&LOOKUP_EVENTS, LONG).unwrap()).await;
            starts.push(began.elapsed().as_millis());
        }
        assert_eq!(starts, [0, 0, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500]);
        for pair in starts.windows(4) {
            assert!(pair[3] - pair[0] >= 1_000, "four calls within a second: {starts:?}");
        }
        assert_eq!(limiter.reserve(&GET_METRIC_DATA, LONG), Some(Duration::ZERO), "a bucket an operation");
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_longer_than_the_deadline_is_refused_and_takes_no_place() {
        let limiter = Limiter::new(1.0);
        while limiter.reserve(&LOOKUP_EVENTS, Duration::from_secs(5)).is_some() {}
        let refused = limiter.reserve(&LOOKUP_EVENTS, Duration::from_secs(5));
        assert_eq!(refused, None);
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(limiter.reserve(&LOOKUP_EVENTS, Duration::from_secs(5)), Some(Duration::from_secs(5)));
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_pauses_everybody() {
        let limiter = Limiter::new(1.0);
        limiter.throttled(&GET_METRIC_DATA);
        let wait = limiter.reserve(&GET_METRIC_DATA, LONG).unwrap();
        assert!(wait >= PENALTY && wait < PENALTY * 2, "{wait:?}");
    }
}
