//! Instants and spans of time. Stored as microseconds since the Unix epoch, written as RFC 3339 in UTC.
//!
//! No clock: `now` is always an argument.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An instant, in microseconds since the Unix epoch (UTC).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// Microseconds in a second.
const MICROS: i64 = 1_000_000;

/// 0001-01-01 and 9999-12-31 in seconds: what RFC 3339 can write. Outside values are clamped, never wrapped.
const SECONDS_MIN: i64 = -62_135_596_800;
const SECONDS_MAX: i64 = 253_402_207_200;

impl Timestamp {
    /// From microseconds since the epoch, clamped to the years 1 to 9999.
    #[must_use]
    pub fn from_micros(us: i64) -> Self {
        Self(us.clamp(SECONDS_MIN * MICROS, SECONDS_MAX * MICROS))
    }

    /// From milliseconds since the epoch, clamped to the years 1 to 9999.
    #[must_use]
    pub fn from_millis(ms: i64) -> Self {
        Self::from_micros(ms.saturating_mul(1_000))
    }

    /// From seconds since the epoch, clamped to the years 1 to 9999.
    #[must_use]
    pub fn from_secs(s: i64) -> Self {
        Self::from_micros(s.saturating_mul(MICROS))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub fn secs(self) -> i64 {
        self.0.div_euclid(MICROS)
    }

    /// This instant moved by `seconds` (negative: earlier).
    #[must_use]
    pub fn plus_secs(self, seconds: i64) -> Self {
        Self::from_micros(self.0.saturating_add(seconds.saturating_mul(MICROS)))
    }

    /// Seconds from `earlier` to this instant; negative when `earlier` is later.
    #[must_use]
    pub fn secs_since(self, earlier: Self) -> i64 {
        (self.0.saturating_sub(earlier.0)).div_euclid(MICROS)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(t) => write!(f, "{t}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an RFC 3339 time such as `2026-10-14T03:21:00Z`")]
pub struct TimestampError {
    text: String,
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // AWS writes `+0000` in alarm messages, which RFC 3339 (and so jiff's strict parser) refuses.
        let normal = match text.strip_suffix("+0000") {
            Some(head) => format!("{head}Z"),
            None => text.to_owned(),
        };
        normal
            .parse::<jiff::Timestamp>()
            .map(|t| Self::from_micros(t.as_microsecond()))
            .map_err(|_| TimestampError { text: text.chars().take(64).collect() })
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(t: Timestamp) -> Self {
        t.to_string()
    }
}

/// A half-open span of time: `start` belongs to it, `end` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TimeSpan {
    /// First instant inside.
    pub start: Timestamp,
    /// First instant after.
    pub end: Timestamp,
}

impl TimeSpan {
    /// A span from `start` up to `end`; an end before the start gives an empty span at `start`.
    #[must_use]
    pub fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end: end.max(start) }
    }

    /// Whether the instant lies inside.
    #[must_use]
    pub fn contains(&self, t: Timestamp) -> bool {
        self.start <= t && t < self.end
    }

    /// Length in seconds.
    #[must_use]
    pub fn secs(&self) -> i64 {
        self.end.secs_since(self.start)
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_rfc_3339() {
        let t: Timestamp = "2026-10-14T03:21:09.377+0000".parse().unwrap();
        assert_eq!(t.to_string(), "2026-10-14T03:21:09.377Z");
        assert_eq!(t.to_string().parse::<Timestamp>().unwrap(), t);
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn absurd_instants_are_clamped_and_still_writable() {
        for us in [i64::MIN, i64::MAX] {
            let t = Timestamp::from_secs(us);
            assert_eq!(t.to_string().parse::<Timestamp>().unwrap(), t);
        }
    }

    #[test]
    fn spans_are_half_open_and_never_negative() {
        let at = Timestamp::from_secs;
        let span = TimeSpan::new(at(10), at(20));
        assert!(span.contains(at(10)) && !span.contains(at(20)));
        assert_eq!(TimeSpan::new(at(20), at(10)).secs(), 0);
    }
}
