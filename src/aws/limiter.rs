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
#[derive(Debug)]
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
        self.reserve_at(api, at_most, Instant::now())
    }

    fn reserve_at(&self, api: &Api, at_most: Duration, now: Instant) -> Option<Duration> {
        let rate = (api.per_second * self.speed).max(f64::MIN_POSITIVE);
        let each = seconds(1.0 / rate);
        let burst = seconds(BURST_S.max(1.0 / rate)) - each;
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
        self.throttled_at(api, Instant::now());
    }

    fn throttled_at(&self, api: &Api, now: Instant) {
        let pause = PENALTY.div_f64(self.speed.max(1.0));
        let rate = (api.per_second * self.speed).max(f64::MIN_POSITIVE);
        let full = now + seconds(BURST_S.max(1.0 / rate)) + pause;
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

    #[test]
    fn two_calls_a_second_and_no_more_whoever_asks() {
        let limiter = Limiter::new(1.0);
        let began = Instant::now();
        let mut now = began;
        let mut starts = Vec::new();
        for _ in 0..9 {
            now += limiter.reserve_at(&LOOKUP_EVENTS, LONG, now).unwrap();
            starts.push((now - began).as_millis());
        }
        assert_eq!(starts, [0, 0, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500]);
        assert_eq!(
            limiter.reserve_at(&GET_METRIC_DATA, LONG, now),
            Some(Duration::ZERO),
            "a bucket an operation"
        );
    }

    #[test]
    fn a_queue_longer_than_the_deadline_is_refused_and_takes_no_place() {
        let limiter = Limiter::new(1.0);
        let now = Instant::now();
        let at_most = Duration::from_secs(5);
        let mut placed = 0;
        while limiter.reserve_at(&LOOKUP_EVENTS, at_most, now).is_some() {
            placed += 1;
        }
        assert_eq!(placed, 12, "two at once, ten in five seconds");
        assert_eq!(limiter.reserve_at(&LOOKUP_EVENTS, at_most, now), None);
        let later = now + Duration::from_millis(500);
        assert_eq!(limiter.reserve_at(&LOOKUP_EVENTS, at_most, later), Some(at_most));
    }

    #[test]
    fn throttling_pauses_everybody() {
        let limiter = Limiter::new(1.0);
        let now = Instant::now();
        limiter.throttled_at(&GET_METRIC_DATA, now);
        let wait = limiter.reserve_at(&GET_METRIC_DATA, LONG, now).unwrap();
        assert!(wait >= PENALTY && wait < PENALTY * 2, "{wait:?}");
    }
}
