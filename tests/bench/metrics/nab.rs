//! NAB's scoring function (its standard profile, as published in `nab/scorer.py` and `nab/sweeper.py`): early
//! detections inside a window earn, the first counts; detections outside cost, the less the closer behind a window;
//! one threshold for all files, the best; 15 % of each file (at most 750 points) is probation and not judged.

use super::data::File;

const FALSE_POSITIVE_WEIGHT: f64 = 0.11;

/// How one file's points are judged.
pub(crate) struct Judged {
    /// (score of the detector, window or none, what a detection here earns), without the probation.
    points: Vec<(f64, Option<usize>, f64)>,
    windows: usize,
}

fn sigmoid(position: f64) -> f64 {
    if position > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * position).exp()) - 1.0 }
}

pub(crate) fn probation(points: usize) -> usize {
    (points * 15 / 100).min(750)
}

pub(crate) fn judge(file: &File, scores: &[f64]) -> Judged {
    assert_eq!(file.points.len(), scores.len());
    let place = |t| file.points.iter().position(|(p, _)| *p == t).unwrap();
    let windows: Vec<(usize, usize)> = file.windows.iter().map(|(a, b)| (place(*a), place(*b))).collect();
    let real = |n: usize| f64::from(u32::try_from(n).unwrap());
    let point = |i: usize| {
        if let Some(w) = windows.iter().position(|(a, b)| (*a..=*b).contains(&i)) {
            let (a, b) = windows[w];
            let earned = sigmoid(-real(b - i + 1) / real(b - a + 1)) / sigmoid(-1.0);
            return (scores[i], Some(w), earned);
        }
        let cost = windows
            .iter()
            .rev()
            .find(|(_, b)| *b < i)
            .map_or(-1.0, |(a, b)| sigmoid(real(i - b) / real(b - a)));
        (scores[i], None, cost * FALSE_POSITIVE_WEIGHT)
    };
    Judged { points: (probation(scores.len())..scores.len()).map(point).collect(), windows: windows.len() }
}

/// What a threshold earns in one file, before normalising: from -windows (nothing found) to +windows (perfect).
fn earned(judged: &Judged, threshold: f64) -> f64 {
    let mut best = vec![-1.0f64; judged.windows];
    let mut outside = 0.0;
    for (_, window, worth) in judged.points.iter().filter(|(s, ..)| *s >= threshold) {
        match window {
            Some(w) => best[*w] = best[*w].max(*worth),
            None => outside += worth,
        }
    }
    best.iter().sum::<f64>() + outside
}

/// 0 is to detect nothing, 100 is perfect.
pub(crate) fn normalised(judged: &[&Judged], threshold: f64) -> f64 {
    let windows: f64 = judged.iter().map(|j| f64::from(u32::try_from(j.windows).unwrap())).sum();
    let sum: f64 = judged.iter().map(|j| earned(j, threshold)).sum();
    if windows > 0.0 { 100.0 * (sum + windows) / (2.0 * windows) } else { sum }
}

/// The best single threshold for all files and what it gives.
pub(crate) fn optimise(judged: &[&Judged]) -> (f64, f64) {
    // Every distinct score is a candidate, as in the published sweep: sorted downwards, worth is updated point by point.
    let mut all: Vec<(f64, usize, Option<usize>, f64)> = Vec::new();
    for (f, j) in judged.iter().enumerate() {
        all.extend(j.points.iter().map(|(s, w, worth)| (*s, f, *w, *worth)));
    }
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut best: Vec<Vec<f64>> = judged.iter().map(|j| vec![-1.0; j.windows]).collect();
    let windows: usize = judged.iter().map(|j| j.windows).sum();
    let windows = f64::from(u32::try_from(windows).unwrap());
    let (mut sum, mut top) = (-windows, (f64::INFINITY, -windows));
    for (i, (score, f, w, worth)) in all.iter().enumerate() {
        match w {
            Some(w) => {
                let before = best[*f][*w];
                best[*f][*w] = before.max(*worth);
                sum += best[*f][*w] - before;
            }
            None => sum += worth,
        }
        let last_of_its_score = all.get(i + 1).is_none_or(|n| n.0 < *score);
        if last_of_its_score && sum > top.1 {
            top = (*score, sum);
        }
    }
    (top.0, 100.0 * (top.1 + windows) / (2.0 * windows))
}
