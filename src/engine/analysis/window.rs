//! The in-window question: does a series deviate in a window from its baseline, which way, since when, how surely?
//!
//! Answers out of three things that fail on different series, joined as a geometric mean so that none needs a scale
//! of its own: how far the farthest point lies (spikes), how far the mean moved (levels), and whether the window is
//! more or less restless than stretches of the same length before (rhythm, density of spikes, flat lines). All are
//! asked of what is left after the rhythm of day and week, and of the differences of what only grows or only falls.

use crate::model::num::real;
use crate::model::observation::Movement;
use crate::model::time::{TimeSpan, Timestamp};

use super::season::Profile;
use super::stats::{mean, median_of};

/// Spread below this share of the level is measurement, not behaviour.
const RELATIVE_FLOOR: f64 = 0.02;

/// Joint evidence at which a series deviates: the three sigma that everybody knows.
const EVIDENCE_DEVIATES: f64 = 3.0;

/// The farthest point counts as much as three votes: an incident may fill a small part of its window only.
const FARTHEST_VOTES: f64 = 3.0;

/// Half a vote: a point far away makes its stretch restless as well, so this says in part what was said before.
const UNREST_VOTES: f64 = 0.5;

/// No evidence is worth more: beyond it only a spread of nearly nothing speaks.
const EVIDENCE_MAX: f64 = 1e6;

/// Stretches of the baseline that tell how restless the series usually is; each is looked at in four places.
const STRETCHES: i64 = 6;
const PLACES: i64 = 4;

/// Points from which on "only grows" is a property and not luck.
const MONOTONE_MIN: usize = 16;

/// A line that explains this much of the baseline's variance is a trend.
const TREND_R2: f64 = 0.9;

/// Silence must cover this share of the window to be the signal itself.
const SILENCE_SHARE: f64 = 0.5;

/// Silence in usual gaps below which it may be one late point.
const SILENCE_GAPS: f64 = 3.0;

/// Silence says something about a series that reports regularly: nearly all of its gaps are about one period. Where
/// recordings have holes of every length anyway, one more is about the recorder.
const SILENCE_REGULAR: f64 = 0.9;
const SILENCE_PERIODS: f64 = 1.5;

/// Points of a baseline that are worth half of the certainty.
const SURE_HALF: f64 = 8.0;

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// 0 not at all, 0.5 at the border, 1 beyond doubt.
    pub score: f64,
    /// Whether it deviates.
    pub deviating: bool,
    /// Which way it moved; none where nothing moved.
    pub direction: Option<Movement>,
    /// The first deviating instant, where it deviates.
    pub since: Option<Timestamp>,
    /// How much the data lets one know: 0 nothing, towards 1 with every point of the baseline.
    pub sure: f64,
}

impl Verdict {
    const NOTHING: Self = Self { score: 0.0, deviating: false, direction: None, since: None, sure: 0.0 };
}

type Points = Vec<(Timestamp, f64)>;

/// Asks the question. Points are in time order; values that are not finite are missing. `span` is the window asked
/// about, which may hold no point at all.
#[must_use]
pub fn in_window(before: &[(Timestamp, f64)], window: &[(Timestamp, f64)], span: TimeSpan) -> Verdict {
    let finite =
        |p: &[(Timestamp, f64)]| p.iter().copied().filter(|(_, v)| v.is_finite()).collect::<Points>();
    let (before, window) = (finite(before), finite(window));
    if before.len() < 2 {
        return Verdict::NOTHING;
    }
    let sure = real(before.len()) / (real(before.len()) + SURE_HALF);
    let silent = silence(&before, &window, span);
    let moved = if window.is_empty() { None } else { movement(&before, &window) };
    let (score, direction, since) = match (silent, moved) {
        (Some((score, since)), Some(m)) if score > m.score => (score, Movement::Missing, since),
        (Some((score, since)), None) => (score, Movement::Missing, since),
        (_, Some(m)) => (m.score, m.direction, m.since),
        (None, None) => return Verdict { sure, ..Verdict::NOTHING },
    };
    let deviating = score >= 0.5;
    let moves = score > 0.0;
    Verdict {
        score,
        deviating,
        direction: moves.then_some(direction),
        since: deviating.then_some(since),
        sure,
    }
}

#[derive(Debug, Clone, Copy)]
struct Moved {
    score: f64,
    direction: Movement,
    since: Timestamp,
}

fn movement(before: &Points, window: &Points) -> Option<Moved> {
    // A scale of the series' own keeps squares finite for any finite value.
    let largest = before.iter().chain(window).map(|(_, v)| v.abs()).fold(0.0, f64::max);
    let unit = if largest > 0.0 { largest } else { 1.0 };
    let scaled = |p: &Points| p.iter().map(|(t, v)| (*t, v / unit)).collect::<Points>();
    let (before, window) = left(&scaled(before), &scaled(window));
    let centre = mean(before.iter().map(|(_, v)| *v));
    let n = real(before.len());
    // The spread of few points is itself uncertain.
    let spread = sd(&before, centre) * (1.0 + 2.0 / n);
    let floor = RELATIVE_FLOOR * centre.abs().max(usual_size(&before));
    let scale = spread.max(floor).max(1e-12);
    let distance = |v: f64| ((v - centre) / scale).clamp(-EVIDENCE_MAX, EVIDENCE_MAX);
    let (_, farthest) =
        window.iter().map(|(t, v)| (*t, distance(*v))).max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    let shift = distance(mean(window.iter().map(|(_, v)| *v)));
    let unrest = unrest(&before, &window, scale).unwrap_or_else(|| shift.abs());
    let evidence = joined(farthest.abs(), shift.abs(), unrest);
    // Both speak about the direction; the farthest point alone may be one of many on either side.
    let up = farthest + shift * 2.0 >= 0.0;
    let border = EVIDENCE_DEVIATES.min(farthest.abs() * 0.75);
    let since = window.iter().find(|(_, v)| distance(*v).abs() >= border)?.0;
    let score = evidence.powi(2) / (evidence.powi(2) + EVIDENCE_DEVIATES.powi(2));
    Some(Moved { score, direction: if up { Movement::Up } else { Movement::Down }, since })
}

/// The geometric mean of the three, on a scale on which nothing is nothing.
fn joined(farthest: f64, shift: f64, unrest: f64) -> f64 {
    let unrest = UNREST_VOTES * unrest.ln_1p();
    let votes = FARTHEST_VOTES.mul_add(farthest.ln_1p(), shift.ln_1p() + unrest);
    (votes / (FARTHEST_VOTES + 1.0 + UNREST_VOTES)).exp_m1()
}

/// What is left to explain: differences of what only grows or falls, the rest without its trend or rhythm.
fn left(before: &Points, window: &Points) -> (Points, Points) {
    if let Some(rates) = rates(before, window) {
        return rates;
    }
    if let Some(line) = Trend::of(before) {
        let rest = |p: &Points| p.iter().map(|(t, v)| (*t, v - line.at(*t))).collect();
        return (rest(before), rest(window));
    }
    match Profile::of(before) {
        Some(profile) => {
            let rest = |p: &Points| p.iter().map(|(t, v)| (*t, v - profile.level(*t))).collect();
            (rest(before), rest(window))
        }
        None => (before.clone(), window.clone()),
    }
}

/// The differences of a counter (or of what only falls). A step against its way in the window is kept: a reset is news.
fn rates(before: &Points, window: &Points) -> Option<(Points, Points)> {
    let steps = |p: &[(Timestamp, f64)]| -> Points {
        p.iter().zip(p.iter().skip(1)).map(|(a, b)| (b.0, b.1 - a.1)).collect()
    };
    let of_before = steps(before);
    let moving = of_before.iter().filter(|(_, v)| v.abs() > 0.0).count();
    let one_way = of_before.iter().all(|(_, v)| *v >= 0.0) || of_before.iter().all(|(_, v)| *v <= 0.0);
    if !one_way || before.len() < MONOTONE_MIN || moving * 2 < of_before.len() {
        return None;
    }
    let joined: Points = before.last().copied().into_iter().chain(window.iter().copied()).collect();
    Some((of_before, steps(&joined)))
}

#[derive(Debug, Clone, Copy)]
struct Trend {
    middle: Timestamp,
    level: f64,
    slope: f64,
}

impl Trend {
    fn of(points: &Points) -> Option<Self> {
        let middle = points.get(points.len() / 2)?.0;
        let x = |t: Timestamp| crate::model::num::real_signed(t.secs_since(middle));
        let (mx, my) = (mean(points.iter().map(|(t, _)| x(*t))), mean(points.iter().map(|(_, v)| *v)));
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for (t, v) in points {
            let (dx, dy) = (x(*t) - mx, v - my);
            xx += dx * dx;
            xy += dx * dy;
            yy += dy * dy;
        }
        let explains = xx > 0.0 && yy > 0.0 && xy * xy / (xx * yy) >= TREND_R2;
        let slope = xy / xx;
        (explains && points.len() >= MONOTONE_MIN).then_some(Self { middle, level: my - slope * mx, slope })
    }

    fn at(&self, t: Timestamp) -> f64 {
        crate::model::num::real_signed(t.secs_since(self.middle)).mul_add(self.slope, self.level)
    }
}

/// How unusual the spread inside the window is, compared with stretches of the same length before.
fn unrest(before: &Points, window: &Points, scale: f64) -> Option<f64> {
    let length = |p: &Points| Some(p.last()?.0.secs_since(p.first()?.0) + 1);
    let stretch = length(window)?.min(length(before)? / STRETCHES).max(1);
    let usual = spreads(before, stretch);
    let now = spreads(window, stretch);
    if usual.len() < 3 || now.is_empty() {
        return None;
    }
    let centre = mean(usual.iter().copied());
    let sd = (usual.iter().map(|s| (s - centre).powi(2)).sum::<f64>() / real(usual.len() - 1)).sqrt();
    // The spread of a stretch is known to a quarter of the spread of all, at best.
    let unit = sd.max(scale * 0.25);
    let (low, high) = usual.iter().fold((f64::MAX, f64::MIN), |(l, h), s| (l.min(*s), h.max(*s)));
    let unusual = |s: &f64| ((s - centre).abs() + (s - high).max(low - s).max(0.0)) / unit;
    Some(now.iter().map(unusual).fold(0.0, f64::max).min(EVIDENCE_MAX))
}

/// Standard deviations of all stretches, a quarter of their length apart.
fn spreads(points: &Points, stretch: i64) -> Vec<f64> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    let step = (stretch / PLACES).max(1);
    let centre = mean(points.iter().map(|(_, v)| *v));
    let mut sums = vec![(0.0, 0.0)];
    let (mut sum, mut squares) = (0.0, 0.0);
    for (_, v) in points {
        sum += v - centre;
        squares += (v - centre).powi(2);
        sums.push((sum, squares));
    }
    let (mut from, mut to) = (0, 0);
    let mut found = Vec::new();
    let mut start = 0;
    while start + stretch <= last.0.secs_since(first.0) + 1 {
        let offset = |i: usize| points.get(i).map(|p| p.0.secs_since(first.0));
        while offset(from).is_some_and(|s| s < start) {
            from += 1;
        }
        while offset(to).is_some_and(|s| s < start + stretch) {
            to += 1;
        }
        let n = real(to.saturating_sub(from));
        if let (Some(a), Some(b), true) = (sums.get(from), sums.get(to), n >= 2.0) {
            let (s, q) = (b.0 - a.0, b.1 - a.1);
            found.push(((q - s * s / n) / (n - 1.0)).max(0.0).sqrt());
        }
        // A hole in the data is stepped over at once, however long it is.
        let next = offset(to).map_or(0, |s| (s - stretch).div_euclid(step) * step);
        start = (start + step).max(if from == to { next } else { 0 });
    }
    found
}

/// Silence of a regular series that is longer than any before, and most of the window: its score and its beginning.
fn silence(before: &Points, window: &Points, span: TimeSpan) -> Option<(f64, Timestamp)> {
    let gap =
        |a: &(Timestamp, f64), b: &(Timestamp, f64)| crate::model::num::real_signed(b.0.secs_since(a.0));
    let usual: Vec<f64> = before.iter().zip(before.iter().skip(1)).map(|(a, b)| gap(a, b)).collect();
    let longest_before = usual.iter().copied().fold(0.0, f64::max);
    let period = median_of(usual.clone()).max(1.0);
    let regular = usual.iter().filter(|g| **g <= period * SILENCE_PERIODS).count();
    if real(regular) < SILENCE_REGULAR * real(usual.len()) {
        return None;
    }
    let edge = |t: Timestamp| (t, 0.0);
    let marks: Points = std::iter::once(edge(span.start))
        .chain(window.iter().copied())
        .chain(std::iter::once(edge(span.end)))
        .collect();
    let gaps = marks.iter().zip(marks.iter().skip(1)).map(|(a, b)| (gap(a, b), a.0));
    let (longest, since) = gaps.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let share = longest / crate::model::num::real_signed(span.secs().max(1));
    let beyond = longest / longest_before.max(period * SILENCE_GAPS);
    let news = share >= SILENCE_SHARE && beyond > 1.0 && before.len() >= 8;
    news.then(|| (beyond.powi(2) / (beyond.powi(2) + 1.0), since))
}

fn sd(points: &Points, centre: f64) -> f64 {
    let sum: f64 = points.iter().map(|(_, v)| (v - centre).powi(2)).sum();
    (sum / real(points.len().max(2) - 1)).sqrt()
}

fn usual_size(points: &Points) -> f64 {
    median_of(points.iter().map(|(_, v)| v.abs()).collect())
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
