//! What an investigation looks at: the alarm, the graph, and the division of time into before and after.

use crate::model::alarm::Alarm;
use crate::model::observation::Summary;
use crate::model::resource::ResourceId;
use crate::model::telemetry::SeriesId;
use crate::model::time::{TimeSpan, Timestamp};

use super::stats::MAD_TO_SD;
use super::topology::Graph;

/// Which side of the onset an instant lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Known to be healthy.
    Before,
    /// Inside the incident.
    After,
}

/// The frame of an analysis.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The alarm.
    pub alarm: Alarm,
    /// Who uses whom.
    pub graph: Graph,
    /// When the incident began, as far as is known by now: the alarm's time, or earlier when the alarmed series
    /// itself shows it.
    pub onset: Timestamp,
    /// The onset is known to within so many seconds after it: the length of the first deviating period.
    pub onset_within_s: i64,
    /// The alarm's threshold, where it is known.
    pub threshold: Option<f64>,
    /// Asked for every record that is read: made once.
    healthy: Vec<TimeSpan>,
}

/// Seconds before the onset that are not taken as healthy: an onset is known to within its source's resolution.
const ONSET_GUARD_S: i64 = 20;

/// A threshold within this many spreads of the median is crossed by every tenth healthy point or more.
const FIRES_ANYWAY_Z: f64 = 1.3;

/// Healthy points that are enough to know what is usual.
const USUAL_POINTS_MIN: u32 = 10;

/// A baseline shorter than this many seconds is completed by the time just before the onset.
const BASELINE_S_ENOUGH: i64 = 600;

impl Scope {
    /// The frame of an alarm, divided at the onset.
    #[must_use]
    pub fn new(alarm: Alarm, graph: Graph, onset: Timestamp, onset_within_s: i64) -> Self {
        let mut healthy = alarm.baseline.clone();
        if total_secs(&healthy) < BASELINE_S_ENOUGH && onset > alarm.window.start {
            healthy.push(TimeSpan::new(alarm.window.start, onset.plus_secs(-ONSET_GUARD_S)));
        }
        Self { alarm, graph, onset, onset_within_s, threshold: None, healthy }
    }

    /// The same frame with the alarm's threshold.
    #[must_use]
    pub fn with_threshold(self, threshold: Option<f64>) -> Self {
        Self { threshold, ..self }
    }

    /// Whether the alarm's threshold lies so near to what its metric usually shows that it fires without an incident.
    #[must_use]
    pub fn fires_anyway(&self, usual: &Summary) -> bool {
        let spread = MAD_TO_SD * usual.mad;
        let beyond = |t: f64| (t - usual.median) * self.alarm.direction.sign();
        usual.n >= USUAL_POINTS_MIN && self.threshold.is_some_and(|t| beyond(t) <= FIRES_ANYWAY_Z * spread)
    }

    /// The incident: from the onset to the end of the window.
    #[must_use]
    pub fn incident(&self) -> TimeSpan {
        TimeSpan::new(self.onset, self.alarm.window.end)
    }

    /// Which side an instant lies on; `None` where nothing is known of it.
    #[must_use]
    pub fn phase(&self, t: Timestamp) -> Option<Phase> {
        if self.incident().contains(t) {
            Some(Phase::After)
        } else if self.healthy().iter().any(|b| b.contains(t)) {
            Some(Phase::Before)
        } else {
            None
        }
    }

    /// Whether an instant lies in a baseline that came with the alarm.
    #[must_use]
    pub fn declared(&self, t: Timestamp) -> bool {
        self.alarm.baseline.iter().any(|b| b.contains(t))
    }

    /// The healthy times: the baseline, and the time of the window before the onset when the baseline is short.
    #[must_use]
    pub fn healthy(&self) -> &[TimeSpan] {
        &self.healthy
    }

    /// The spans that a recording holds: the window and the baseline.
    #[must_use]
    pub fn recorded(&self) -> Vec<TimeSpan> {
        let mut spans = self.alarm.baseline.clone();
        spans.push(self.alarm.window);
        spans
    }

    /// Seconds of healthy time, overlaps counted once.
    #[must_use]
    pub fn healthy_secs(&self) -> i64 {
        total_secs(&self.healthy)
    }

    /// Whether a series is the one that the alarm watches.
    #[must_use]
    pub fn is_alarmed(&self, series: &SeriesId) -> bool {
        let same_stat = self.alarm.stat.is_empty() || series.stat == self.alarm.stat;
        series.resource == self.alarm.resource && series.name == self.alarm.metric && same_stat
    }

    /// The alarmed resource.
    #[must_use]
    pub fn target(&self) -> &ResourceId {
        &self.alarm.resource
    }
}

/// Seconds that the spans cover, overlaps counted once.
fn total_secs(spans: &[TimeSpan]) -> i64 {
    let mut spans = spans.to_vec();
    spans.sort();
    let mut total = 0;
    let mut last: Option<TimeSpan> = None;
    for span in spans {
        match last {
            Some(open) if span.start <= open.end => last = Some(open.hull(span)),
            Some(open) => {
                total += open.secs();
                last = Some(span);
            }
            None => last = Some(span),
        }
    }
    total + last.map_or(0, |s| s.secs())
}
