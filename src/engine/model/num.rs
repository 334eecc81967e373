//! Numbers as they are stored: finite, rounded, and converted between kinds without surprise.

/// Rounds to six significant digits, and turns what is not finite into zero.
///
/// Feeds are read by people and hashed over their text: digits beyond what telemetry can know are noise.
#[must_use]
pub fn tidy(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return 0.0;
    }
    let magnitude = x.abs().log10().floor();
    let scale = 10f64.powf(5.0 - magnitude);
    let rounded = (x * scale).round() / scale;
    if rounded.is_finite() { rounded } else { x }
}

/// A count as a real number. Exact up to 2^53, which no budget here allows anybody to reach.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub fn real(n: usize) -> f64 {
    n as f64
}

/// A 64-bit count as a real number; see [`real`].
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub fn real64(n: u64) -> f64 {
    n as f64
}

/// Microseconds, seconds or another signed quantity as a real number.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "microseconds of this millennium stay below 2^53")]
pub fn real_signed(n: i64) -> f64 {
    n as f64
}

/// A non-negative real number as an index, rounded down; negative and non-finite become 0.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast saturates; the sign was checked"
)]
pub fn index(x: f64) -> usize {
    if x > 0.0 { x as usize } else { 0 }
}

/// A number of things as an integer: rounded like [`index`], as many bits as counters have.
#[must_use]
pub fn count_of(x: f64) -> u64 {
    u64::try_from(index(x)).unwrap_or(u64::MAX)
}

/// A length as a 32-bit number, saturating.
#[must_use]
pub fn u32_of(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tidy_keeps_six_digits_and_is_stable() {
        assert_eq!(tidy(0.001_234_567_89), 0.001_234_57);
        assert_eq!(tidy(123_456_789.0), 123_457_000.0);
        assert_eq!(tidy(f64::NAN), 0.0);
        for x in [1e-300, 3.3, 1e300, -7.123_456_7] {
            assert_eq!(tidy(tidy(x)), tidy(x));
        }
    }
}
