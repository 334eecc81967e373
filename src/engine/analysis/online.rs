//! An online score for a continuous series: each point is judged once, with memory that does not grow.
//!
//! What counts is to be outside anything seen before, asked of several views of the series: the value, its fast
//! average, the fast average against the slow one, and the same of what the time of day does not explain. Distances
//! are in the series' own spread (self-calibration), and after a detection only something stronger is news (hold-off).
//!
//! A young series breaks records all the time: its first spike and its first busy hour are news. Callers that judge a
//! series from its beginning should not act on its first days.

use crate::model::num::real;
use crate::model::time::{TimeSpan, Timestamp};

use super::season::place;
use super::stats::saturate;

/// Points of the fast average: some periods, so that one odd point does not make it.
const FAST: f64 = 6.0;

/// Points of the slow average: what "lately" means.
const SLOW: f64 = 100.0;

/// Points after a detection in which only something stronger is news: the slow average has followed by then.
const HOLD_OFF: usize = 100;

/// Points after which a record is worth half: early ones are broken all the time.
const YOUNG: f64 = 100.0;

/// Points before a view or an hour of the day is believed at all.
const KNOWN_MIN: f64 = 10.0;

/// The time of day is used when it leaves less than this share of the movement unexplained.
const RHYTHM_LEFT_MAX: f64 = 0.5;

/// Points over which it is judged whether the time of day explains anything.
const RHYTHM_MEMORY: f64 = 2_000.0;

/// Spread below this share of the level is measurement, not behaviour.
const RELATIVE_FLOOR: f64 = 0.01;

/// Evidence at which the score is 0.5: a record beaten by half of the usual spread, ln(1.5).
const EVIDENCE_HALF: f64 = 0.405;

/// From this score on a point is a detection.
pub const DETECTION: f64 = 0.5;

/// Distance from the usual level, in usual spreads, up to which a deviation has not ended.
const AWAY: f64 = 3.0;

/// Views of a series; the first three need no rhythm.
const VIEWS: usize = 6;
const PLAIN_VIEWS: usize = 3;

/// What a point is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scored {
    /// 0 nothing new, 1 far outside anything seen before.
    pub score: f64,
    /// Whether it is far from the usual level, new or not.
    pub away: bool,
}

/// The state of one series.
#[derive(Debug, Clone)]
pub struct Online {
    views: [View; VIEWS],
    hours: [Level; 24],
    anchor: Option<Timestamp>,
    n: usize,
    fast: f64,
    slow: f64,
    rest_fast: f64,
    rest_slow: f64,
    moved: f64,
    left: f64,
    peak: f64,
    peak_at: usize,
    unit: f64,
}

impl Default for Online {
    fn default() -> Self {
        Self {
            views: [View::default(); VIEWS],
            hours: [Level::default(); 24],
            anchor: None,
            n: 0,
            fast: 0.0,
            slow: 0.0,
            rest_fast: 0.0,
            rest_slow: 0.0,
            moved: 0.0,
            left: 0.0,
            peak: 0.0,
            peak_at: 0,
            unit: 0.0,
        }
    }
}

impl Online {
    /// Judges the next point. A value that is not finite is no point: nothing changes.
    pub fn push(&mut self, t: Timestamp, value: f64) -> Scored {
        if !value.is_finite() {
            return Scored::default();
        }
        // Squares of the largest finite values are not finite: one fixed unit, the first size seen, keeps them so.
        if self.unit <= 0.0 {
            self.unit = value.abs();
        }
        let v = if self.unit > 0.0 { (value / self.unit).clamp(-1e100, 1e100) } else { value };
        self.n += 1;
        let anchor = *self.anchor.get_or_insert(t);
        let hour = self.hours.get(place(anchor, t, 24)).copied().unwrap_or_default();
        let rest = (hour.n >= KNOWN_MIN).then_some(v - hour.mean);
        self.average(v, rest);
        let (gap, rest_gap) = (self.fast - self.slow, self.rest_fast - self.rest_slow);
        let x = [v, self.fast, gap, rest.unwrap_or_default(), self.rest_fast, rest_gap];
        let rhythm = rest.is_some() && self.left < RHYTHM_LEFT_MAX * self.moved;
        let asked = if rhythm { VIEWS } else { PLAIN_VIEWS };
        let evidence: f64 = self.views.iter().zip(x).take(asked).map(|(view, x)| view.novelty(x)).sum();
        let away = self
            .views
            .iter()
            .zip(x)
            .skip(if rhythm { PLAIN_VIEWS } else { 0 })
            .take(1)
            .any(|(w, x)| w.far(x));
        self.learn(t, v, x, rest);
        let n = real(self.n);
        let score = saturate(evidence * n / (n + YOUNG), EVIDENCE_HALF / std::f64::consts::LN_2);
        Scored { score: self.hold_off(score), away }
    }

    fn average(&mut self, v: f64, rest: Option<f64>) {
        let share = |memory: f64| 1.0 / real(self.n).min(memory);
        let (fast, slow) = (share(FAST), share(SLOW));
        let r = rest.unwrap_or_default();
        self.fast += (v - self.fast) * fast;
        self.slow += (v - self.slow) * slow;
        self.rest_fast += (r - self.rest_fast) * fast;
        self.rest_slow += (r - self.rest_slow) * slow;
    }

    fn learn(&mut self, t: Timestamp, v: f64, x: [f64; VIEWS], rest: Option<f64>) {
        let share = 1.0 / real(self.n).min(RHYTHM_MEMORY);
        let mean = self.views.first().map_or(0.0, |w| w.level.mean);
        let known = if rest.is_some() { VIEWS } else { PLAIN_VIEWS };
        if let Some(rest) = rest {
            self.moved += ((v - mean).abs() - self.moved) * share;
            self.left += (rest.abs() - self.left) * share;
        }
        for (view, x) in self.views.iter_mut().zip(x).take(known) {
            view.learn(x);
        }
        let anchor = self.anchor.unwrap_or(t);
        if let Some(hour) = self.hours.get_mut(place(anchor, t, 24)) {
            hour.learn(v);
        }
    }

    /// Lets a score through when it is stronger than what was said lately.
    fn hold_off(&mut self, score: f64) -> f64 {
        let held = self.n < self.peak_at + HOLD_OFF && self.peak_at > 0;
        if score > 0.0 && (!held || score > self.peak) {
            self.peak = score;
            self.peak_at = self.n;
            return score;
        }
        0.0
    }
}

/// Running mean and variance.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    n: f64,
    mean: f64,
    variance: f64,
}

impl Level {
    fn learn(&mut self, x: f64) {
        self.n += 1.0;
        let d = x - self.mean;
        self.mean += d / self.n;
        self.variance += (d * (x - self.mean) - self.variance) / self.n;
    }
}

/// One way to look at the series: its level and all that was ever seen.
#[derive(Debug, Clone, Copy)]
struct View {
    level: Level,
    low: f64,
    high: f64,
}

impl Default for View {
    fn default() -> Self {
        Self { level: Level::default(), low: f64::MAX, high: f64::MIN }
    }
}

impl View {
    fn scale(&self) -> f64 {
        self.level.variance.max(0.0).sqrt().max(self.level.mean.abs() * RELATIVE_FLOOR).max(1e-12)
    }

    fn novelty(&self, x: f64) -> f64 {
        let beyond = (x - self.high).max(self.low - x);
        // Nearly every point lies inside: it must cost nothing.
        if beyond > 0.0 && self.level.n >= KNOWN_MIN { (beyond / self.scale()).ln_1p() } else { 0.0 }
    }

    fn far(&self, x: f64) -> bool {
        let spread = self.level.variance.max((self.level.mean * RELATIVE_FLOOR).powi(2)).max(1e-24);
        self.level.n >= KNOWN_MIN && (x - self.level.mean).powi(2) >= AWAY * AWAY * spread
    }

    fn learn(&mut self, x: f64) {
        self.level.learn(x);
        self.low = self.low.min(x);
        self.high = self.high.max(x);
    }
}

/// A stretch in which the series deviated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeviatingSpan {
    /// From its first to its last deviating point.
    pub span: TimeSpan,
    /// The greatest score inside.
    pub score: f64,
}

/// Judges all points of a series, which are in time order.
#[must_use]
pub fn score(points: &[(Timestamp, f64)]) -> Vec<Scored> {
    let mut online = Online::default();
    points.iter().map(|(t, v)| online.push(*t, *v)).collect()
}

/// Joins detections, and what did not come back after them within the hold-off, to spans.
#[must_use]
pub fn spans(points: &[(Timestamp, f64)], scored: &[Scored]) -> Vec<DeviatingSpan> {
    let mut found: Vec<DeviatingSpan> = Vec::new();
    let mut open_until = 0;
    for (i, ((t, _), s)) in points.iter().zip(scored).enumerate() {
        let detected = s.score >= DETECTION;
        match found.last_mut().filter(|_| i < open_until) {
            Some(span) if detected || s.away => {
                span.span.end = *t;
                span.score = span.score.max(s.score);
            }
            None if detected => found.push(DeviatingSpan { span: TimeSpan::new(*t, *t), score: s.score }),
            Some(_) | None => {}
        }
        if detected {
            open_until = i + HOLD_OFF;
        }
    }
    found
}

#[cfg(test)]
#[path = "online_tests.rs"]
mod tests;
