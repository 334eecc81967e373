//! What a series usually does at this time of the day or the week, and what is left without it.
//!
//! Anchored at the first point, not at midnight: nothing depends on a time zone, and a shift of all times changes
//! nothing.

use crate::model::num::real;
use crate::model::time::Timestamp;

use super::stats::{mean, median_of};

/// Seconds of a bin: finer ones have too few points of a baseline of some days.
const BIN_S: i64 = 3_600;

/// Rhythms that people and their schedules have, in bins.
const RHYTHMS: [i64; 2] = [24, 24 * 7];

/// A rhythm must be seen twice before it is one.
const REPEATS_MIN: i64 = 2;

/// A rhythm is believed when it leaves less than this share of the movement unexplained.
const LEFT_MAX: f64 = 0.7;

/// The usual level by place in the rhythm.
#[derive(Debug, Clone)]
pub struct Profile {
    anchor: Timestamp,
    levels: Vec<f64>,
}

impl Profile {
    /// The rhythm that explains the points best, if one does.
    #[must_use]
    pub fn of(points: &[(Timestamp, f64)]) -> Option<Self> {
        let (first, last) = (points.first()?.0, points.last()?.0);
        let all = median_of(points.iter().map(|(_, v)| *v).collect());
        let mut least = LEFT_MAX * mean(points.iter().map(|(_, v)| (v - all).abs()));
        let mut best = None;
        for bins in RHYTHMS.into_iter().filter(|b| last.secs_since(first) >= REPEATS_MIN * b * BIN_S) {
            let profile = Self::with_bins(points, first, bins, all);
            // Levels fit the points that they were made of: few points a bin prove little.
            let each = real(points.len()) / real(profile.levels.len());
            if each <= 1.0 {
                continue;
            }
            let left = mean(points.iter().map(|(t, v)| (v - profile.level(*t)).abs())) * each / (each - 1.0);
            if left < least {
                least = left * LEFT_MAX;
                best = Some(profile);
            }
        }
        best
    }

    fn with_bins(points: &[(Timestamp, f64)], anchor: Timestamp, bins: i64, all: f64) -> Self {
        let mut values: Vec<Vec<f64>> = (0..bins).map(|_| Vec::new()).collect();
        for (t, v) in points {
            if let Some(bin) = values.get_mut(place(anchor, *t, bins)) {
                bin.push(*v);
            }
        }
        let level = |of: Vec<f64>| if of.len() >= 2 { median_of(of) } else { all };
        Self { anchor, levels: values.into_iter().map(level).collect() }
    }

    /// What is usual at this instant.
    #[must_use]
    pub fn level(&self, t: Timestamp) -> f64 {
        let bins = i64::try_from(self.levels.len()).unwrap_or(1);
        self.levels.get(place(self.anchor, t, bins)).copied().unwrap_or_default()
    }
}

/// The bin of the rhythm that an instant falls into.
#[must_use]
pub fn place(anchor: Timestamp, t: Timestamp, bins: i64) -> usize {
    usize::try_from(t.secs_since(anchor).rem_euclid(bins * BIN_S) / BIN_S).unwrap_or_default()
}
