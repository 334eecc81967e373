//! What an investigation looks at: the alarm, the graph, and the division of time into before and after.

use crate::model::alarm::Alarm;
use crate::model::resource::ResourceId;
use crate::model::time::{TimeSpan, Timestamp};

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
    /// Asked for every record that is read: made once.
    healthy: Vec<TimeSpan>,
}

/// Seconds before the onset that are not taken as healthy: an onset is known to within its source's resolution.
const ONSET_GUARD_S: i64 = 20;

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
        Self { alarm, graph, onset, onset_within_s, healthy }
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
