//! Robust statistics over small samples. No time series, no meaning.

use std::cell::OnceCell;

use crate::model::num::{index, real, tidy, u32_of};
use crate::model::observation::Summary;

/// The standard deviation of a normal distribution over its median absolute deviation.
pub const MAD_TO_SD: f64 = 1.4826;

/// A sample sorted once, asked many times. Holds finite values only.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    sorted: Vec<f64>,
    /// Asked for several times, costs a pass each: remembered.
    mad: OnceCell<f64>,
}

impl Sample {
    /// From values in any order; what is not finite is left out.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        Self { sorted, mad: OnceCell::new() }
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// The value below which the share `q` (0..1) lies, interpolated; 0 when empty.
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        let Some(last) = self.sorted.len().checked_sub(1) else { return 0.0 };
        let place = q.clamp(0.0, 1.0) * real(last);
        let low = index(place);
        let at = |i: usize| self.sorted.get(i.min(last)).copied().unwrap_or_default();
        at(low) + (at(low + 1) - at(low)) * (place - real(low))
    }

    /// The median; 0 when empty.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Least value; 0 when empty.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.sorted.first().copied().unwrap_or_default()
    }

    /// Greatest value; 0 when empty.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.sorted.last().copied().unwrap_or_default()
    }

    /// Both samples as one.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        Self::new(self.sorted.iter().chain(&other.sorted).copied())
    }

    /// The quantile of the sample without one value equal to `value`.
    #[must_use]
    pub fn quantile_without(&self, value: f64, q: f64) -> f64 {
        let Ok(gone) = self.sorted.binary_search_by(|v| v.total_cmp(&value)) else { return self.quantile(q) };
        let Some(last) = self.sorted.len().checked_sub(2) else { return 0.0 };
        let place = q.clamp(0.0, 1.0) * real(last);
        let low = index(place);
        let at = |i: usize| {
            let i = i.min(last);
            self.sorted.get(if i >= gone { i + 1 } else { i }).copied().unwrap_or_default()
        };
        at(low) + (at(low + 1) - at(low)) * (place - real(low))
    }

    /// Arithmetic mean; 0 when empty.
    #[must_use]
    pub fn mean(&self) -> f64 {
        mean(self.sorted.iter().copied())
    }

    /// Median absolute deviation from the median; 0 when empty.
    #[must_use]
    pub fn mad(&self) -> f64 {
        *self.mad.get_or_init(|| {
            let median = self.median();
            median_of(self.sorted.iter().map(|v| (v - median).abs()).collect())
        })
    }

    /// Standard deviation; 0 below two values.
    #[must_use]
    pub fn sd(&self) -> f64 {
        if self.len() < 2 {
            return 0.0;
        }
        let mean = self.mean();
        let sum: f64 = self.sorted.iter().map(|v| (v - mean).powi(2)).sum();
        (sum / real(self.len() - 1)).sqrt()
    }

    /// Distance between the quartiles.
    #[must_use]
    pub fn iqr(&self) -> f64 {
        self.quantile(0.75) - self.quantile(0.25)
    }

    /// The numbers that are stored.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            n: u32_of(self.len()),
            min: tidy(self.min()),
            median: tidy(self.median()),
            p95: tidy(self.quantile(0.95)),
            max: tidy(self.max()),
            mad: tidy(self.mad()),
        }
    }
}

/// The median by selection, which costs less than sorting; 0 when empty.
#[must_use]
pub fn median_of(mut values: Vec<f64>) -> f64 {
    let half = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    if values.is_empty() {
        return 0.0;
    }
    let (low, middle, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    let below = low.iter().copied().fold(f64::MIN, f64::max);
    if even { below + (*middle - below) * 0.5 } else { *middle }
}

/// Arithmetic mean; 0 when empty.
#[must_use]
pub fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
    if n > 0.0 { sum / n } else { 0.0 }
}

/// Maps a non-negative evidence in units of noise to 0..1: 0 at 0, 0.63 at `scale`, 1 far beyond.
#[must_use]
pub fn saturate(evidence: f64, scale: f64) -> f64 {
    if evidence.is_nan() || evidence <= 0.0 { 0.0 } else { 1.0 - (-evidence / scale).exp() }
}

/// How surprising `after` events in `after_time` are when `before` were seen in `before_time`: a signed z-score
/// of the difference of two Poisson rates, by the square-root transform (stable for small counts).
#[must_use]
pub fn rate_z(before: f64, before_time: f64, after: f64, after_time: f64) -> f64 {
    if before_time <= 0.0 || after_time <= 0.0 {
        return 0.0;
    }
    let scaled = (before + 0.375).sqrt() * (after_time / before_time).sqrt();
    let noise = (1.0 + after_time / before_time).sqrt();
    2.0 * ((after + 0.375).sqrt() - scaled) / noise
}

/// How surprising a drop from one share to another is, in standard errors: (successes, trials) before and after. One
/// more success and failure each, so that small samples are not certain.
#[must_use]
pub fn share_z(before: (f64, f64), after: (f64, f64)) -> f64 {
    if before.1 <= 0.0 || after.1 <= 0.0 {
        return 0.0;
    }
    let p = (before.0 + after.0 + 1.0) / (before.1 + after.1 + 2.0);
    let error = (p * (1.0 - p) * (1.0 / before.1 + 1.0 / after.1)).sqrt();
    (before.0 / before.1 - after.0 / after.1) / error.max(f64::MIN_POSITIVE)
}

/// Values expected in a class of a distribution, below which classes are pooled.
const EXPECTED_MIN: f64 = 5.0;

/// How far two distributions over the same unordered classes are apart, in standard errors: the likelihood-ratio test
/// of equal shares, with rare classes pooled so that its approximation holds. Pairs are counts before and after.
#[must_use]
pub fn classes_z(pairs: &[(f64, f64)]) -> f64 {
    let (nb, na) = sums(pairs);
    if nb <= 0.0 || na <= 0.0 {
        return 0.0;
    }
    let (mut g, mut classes) = (0.0, 0.0);
    let (mut b, mut a) = (0.0, 0.0);
    for (i, pair) in pairs.iter().enumerate() {
        (b, a) = (b + pair.0, a + pair.1);
        let (eb, ea) = ((b + a) * nb / (nb + na), (b + a) * na / (nb + na));
        if eb.min(ea) < EXPECTED_MIN && i + 1 < pairs.len() {
            continue;
        }
        let part = |seen: f64, expected: f64| if seen > 0.0 { seen * (seen / expected).ln() } else { 0.0 };
        g += 2.0 * (part(b, eb) + part(a, ea));
        classes += 1.0;
        (b, a) = (0.0, 0.0);
    }
    let freedom: f64 = classes - 1.0;
    if freedom < 1.0 {
        return 0.0;
    }
    // Wilson and Hilferty: the cube root of chi-square over its freedom is close to normal.
    let spread = 2.0 / (9.0 * freedom);
    ((g / freedom).cbrt() - (1.0 - spread)) / spread.sqrt()
}

/// Kolmogorov and Smirnov for counts in ordered classes: the greatest distance of the two cumulated shares, and how
/// surprising it is in standard errors (that of a normal tail as thin as Kolmogorov's bound).
#[must_use]
pub fn ordered_z(pairs: &[(f64, f64)]) -> (f64, f64) {
    let (nb, na) = sums(pairs);
    if nb <= 0.0 || na <= 0.0 {
        return (0.0, 0.0);
    }
    let (mut b, mut a, mut distance) = (0.0, 0.0, 0.0_f64);
    for pair in pairs {
        (b, a) = (b + pair.0, a + pair.1);
        distance = distance.max((b / nb - a / na).abs());
    }
    let squared = distance * distance * nb * na / (nb + na);
    (distance, (4.0 * squared - 2.0 * std::f64::consts::LN_2).max(0.0).sqrt())
}

fn sums(pairs: &[(f64, f64)]) -> (f64, f64) {
    pairs.iter().fold((0.0, 0.0), |(b, a), pair| (b + pair.0, a + pair.1))
}

/// How far the greatest of so many independent standard normals goes: whoever looks often sees something strange.
#[must_use]
pub fn chance_z(looks: f64) -> f64 {
    (2.0 * looks.max(1.0).ln()).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_and_ignore_what_is_not_finite() {
        let s = Sample::new([4.0, f64::NAN, 1.0, 3.0, 2.0, f64::INFINITY]);
        assert_eq!((s.len(), s.median(), s.min(), s.max()), (4, 2.5, 1.0, 4.0));
        assert_eq!(Sample::default().median(), 0.0);
    }

    #[test]
    fn equal_rates_do_not_surprise_and_new_ones_do() {
        assert!(rate_z(100.0, 60.0, 200.0, 120.0).abs() < 0.5);
        assert!(rate_z(0.0, 600.0, 50.0, 60.0) > 8.0);
        assert!(rate_z(600.0, 600.0, 0.0, 60.0) < -4.0);
    }

    #[test]
    fn shares_and_distributions_surprise_by_their_counts() {
        assert!(share_z((5.0, 5.0), (0.0, 1.0)) < share_z((50.0, 50.0), (0.0, 10.0)));
        assert!(share_z((90.0, 100.0), (91.0, 100.0)).abs() < 0.5);
        assert_eq!(ordered_z(&[(10.0, 10.0), (20.0, 20.0)]), (0.0, 0.0));
        let (distance, z) = ordered_z(&[(100.0, 0.0), (0.0, 100.0)]);
        assert!(distance == 1.0 && z > 10.0);
        assert!(ordered_z(&[(3.0, 0.0), (0.0, 3.0)]).1 < 3.0);
        assert!(classes_z(&[(99.0, 70.0), (1.0, 30.0)]) > 4.0);
    }
}
