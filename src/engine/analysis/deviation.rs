//! Is a series outside its usual range, in which direction, since when, how clearly?
//!
//! The answer joins two questions that fail on different series: how far outside anything seen before (fails on
//! short baselines), and how far the mean moved in units of usual movement (fails on spiky ones).

use crate::model::observation::Movement;
use crate::model::time::Timestamp;

use super::stats::{MAD_TO_SD, Sample, mean, saturate};

/// Spread below this share of the level is measurement, not behaviour.
const RELATIVE_FLOOR: f64 = 0.02;

/// Evidence, in units of usual spread, at which 63 % of certainty is reached.
const STRENGTH_SCALE: f64 = 4.0;

/// A point is deviating from this many units of spread on.
const POINT_Z: f64 = 3.0;

/// Earlier points that are needed to date a deviation back beyond the incident.
const DATING_MIN: usize = 8;

/// How a series behaved in the incident, compared with before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deviation {
    /// Which way it moved.
    pub movement: Movement,
    /// Robust z-score of the incident's level; positive in the direction of the movement.
    pub z: f64,
    /// 0 not at all, 1 beyond doubt.
    pub strength: f64,
    /// Level in the incident.
    pub level: f64,
    /// Usual level.
    pub reference: f64,
    /// First deviating point.
    pub since: Timestamp,
}

/// The usual spread of a sample: robust where it can be, never zero while there is a level.
#[must_use]
pub fn spread(before: &Sample, floor: f64) -> f64 {
    let robust = (before.mad() * MAD_TO_SD).max(before.iqr() / 1.349);
    robust.max(before.median().abs() * RELATIVE_FLOOR).max(floor)
}

/// Compares the points of the incident (in time order) with the sample from before. `lead` are the points between the
/// two: the deviation began among them when it goes back without a break from the first point of the incident. `floor` is the least spread that
/// is believed, in the series' own unit: what resources of the same kind usually show.
#[must_use]
pub fn compare(
    before: &Sample,
    lead: &[(Timestamp, f64)],
    after: &[(Timestamp, f64)],
    floor: f64,
) -> Option<Deviation> {
    let first = after.first()?;
    if before.is_empty() {
        return None;
    }
    let reference = before.median();
    let scale = spread(before, floor).max(f64::MIN_POSITIVE);
    let level = mean(after.iter().map(|(_, v)| *v));
    let up = level >= reference;
    let signed = |v: f64| if up { v - reference } else { reference - v };
    let z = (signed(level) / scale).min(1e6);
    let outside = outside_range(before, level, scale, up);
    let shift = (signed(level) / before.sd().max(scale)).min(1e6);
    let strength = saturate(outside + 0.5 * shift, STRENGTH_SCALE);
    let deviates = |p: &&(Timestamp, f64)| signed(p.1) / scale >= POINT_Z;
    // Two or three earlier points cannot tell a deviation from the usual ups and downs.
    let known = before.len() >= DATING_MIN;
    let back = lead.iter().rev().take_while(deviates).last().filter(|_| known && deviates(&first));
    let since = back.or_else(|| after.iter().find(deviates)).unwrap_or(first).0;
    let movement = if up { Movement::Up } else { Movement::Down };
    Some(Deviation { movement, z, strength, level, reference, since })
}

/// How far the level lies outside what nearly all earlier points were, in units of spread.
fn outside_range(before: &Sample, level: f64, scale: f64, up: bool) -> f64 {
    let beyond = if up { level - before.quantile(0.99) } else { before.quantile(0.01) - level };
    (beyond / scale).clamp(0.0, 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[f64]) -> Vec<(Timestamp, f64)> {
        (0..).zip(values).map(|(i, v)| (Timestamp::from_secs(i * 60), *v)).collect()
    }

    #[test]
    fn a_jump_is_seen_and_dated_and_a_usual_level_is_not() {
        let before = Sample::new([10.0, 11.0, 9.0, 10.5, 9.5, 10.0]);
        let jump = compare(&before, &[], &points(&[10.0, 30.0, 31.0]), 0.0).unwrap();
        assert!(jump.strength > 0.8 && jump.movement == Movement::Up);
        assert_eq!(jump.since, Timestamp::from_secs(60));
        let calm = compare(&before, &[], &points(&[10.2, 9.9]), 0.0).unwrap();
        assert!(calm.strength < 0.2, "{calm:?}");
    }

    #[test]
    fn a_deviation_is_dated_back_to_where_it_began() {
        let before = Sample::new([10.0, 11.0, 9.0, 10.5, 9.5, 10.0, 10.2, 9.8]);
        let (lead, after) = (points(&[10.0, 29.0, 10.0, 30.0, 31.0]), points(&[0.0; 6]));
        let after = vec![(after[5].0, 30.0)];
        let jump = compare(&before, &lead, &after, 0.0).unwrap();
        assert_eq!(jump.since, Timestamp::from_secs(180));
    }

    #[test]
    fn scale_does_not_matter() {
        let a = compare(&Sample::new([1.0, 2.0, 1.5]), &[], &points(&[4.0]), 0.0).unwrap();
        let b = compare(&Sample::new([1e6, 2e6, 1.5e6]), &[], &points(&[4e6]), 0.0).unwrap();
        assert!((a.strength - b.strength).abs() < 1e-9);
    }

    #[test]
    fn flat_and_empty_series_give_an_answer_or_none() {
        assert!(compare(&Sample::new([0.0, 0.0]), &[], &points(&[0.0]), 0.0).unwrap().strength < 1e-9);
        assert!(compare(&Sample::default(), &[], &points(&[1.0]), 0.0).is_none());
        assert!(compare(&Sample::new([1.0]), &[], &[], 0.0).is_none());
    }
}
