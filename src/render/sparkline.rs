//! A series in one line of blocks. No axis, no colour: how it moved, not how much.

use tantei_engine::model::num::{index, real};
use tantei_engine::model::time::Timestamp;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Where there is no point.
const MISSING: char = '·';

/// The points in at most `columns` blocks; the greatest of each column, so that a peak is never lost.
#[must_use]
pub fn draw(points: &[(Timestamp, Option<f64>)], columns: usize) -> String {
    let finite = |v: &Option<f64>| v.filter(|v| v.is_finite());
    let values: Vec<f64> = points.iter().filter_map(|(_, v)| finite(v)).collect();
    if values.is_empty() || columns == 0 {
        return String::new();
    }
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let per_column = points.len().div_ceil(columns).max(1);
    let column = |chunk: &[(Timestamp, Option<f64>)]| {
        let top = chunk
            .iter()
            .filter_map(|(_, v)| finite(v))
            .fold(None, |top: Option<f64>, v| Some(top.map_or(v, |t| t.max(v))));
        top.map_or(MISSING, |v| block(v, least, most))
    };
    points.chunks(per_column).map(column).collect()
}

fn block(value: f64, least: f64, most: f64) -> char {
    let share = if most > least { (value - least) / (most - least) } else { 0.0 };
    let level = index((share * real(BLOCKS.len() - 1)).round());
    BLOCKS.get(level).copied().unwrap_or('█')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_peaks_gaps_and_flat_lines() {
        let points = |values: &[Option<f64>]| -> Vec<(Timestamp, Option<f64>)> {
            (0..).zip(values).map(|(s, v)| (Timestamp::from_secs(s), *v)).collect()
        };
        assert_eq!(draw(&points(&[Some(0.0), Some(1.0), None, Some(7.0)]), 10), "▁▂·█");
        assert_eq!(draw(&points(&[Some(5.0), Some(5.0)]), 10), "▁▁");
        assert_eq!(draw(&points(&[Some(0.0), Some(9.0), Some(0.0), Some(0.0)]), 2), "█▁");
        assert_eq!(draw(&points(&[None, Some(f64::NAN)]), 10), "");
    }
}
