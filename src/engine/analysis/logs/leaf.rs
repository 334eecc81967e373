//! What is remembered of equal masked lines. All of it is independent of the order in which they came.

use super::time::Stamp;
use super::values::Counts;
use crate::limits::LOG_SAMPLES_MAX;
use crate::model::observation::Severity;

/// Bytes of a sample that are kept.
const SAMPLE_BYTES_MAX: usize = 400;

/// Equal masked lines.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) masked: Box<[u8]>,
    pub(super) count: u64,
    pub(super) first: Option<Stamp>,
    pub(super) last: Option<Stamp>,
    pub(super) severity: Severity,
    /// The lines with the smallest hashes: a fair choice that needs no order.
    pub(super) samples: Vec<(u64, Box<str>)>,
    pub(super) values: Counts,
}

impl Leaf {
    pub(super) fn new(masked: &[u8]) -> Self {
        Self {
            masked: masked.into(),
            count: 0,
            first: None,
            last: None,
            severity: Severity::Debug,
            samples: Vec::new(),
            values: Counts::default(),
        }
    }

    pub(super) fn seen(&mut self, at: Option<Stamp>) {
        if let Some(at) = at {
            self.first = Some(self.first.map_or(at, |t| t.min(at)));
            self.last = Some(self.last.map_or(at, |t| t.max(at)));
        }
    }

    /// Whether a line with this hash would be kept as a sample.
    pub(super) fn wants(&self, hash: u64) -> bool {
        let full = self.samples.len() >= LOG_SAMPLES_MAX;
        !(full && self.samples.last().is_some_and(|(h, _)| *h <= hash))
    }

    pub(super) fn sample(&mut self, hash: u64, line: &[u8]) {
        if self.samples.iter().any(|(h, _)| *h == hash) {
            return;
        }
        let cut = line.get(..SAMPLE_BYTES_MAX).unwrap_or(line);
        let text = String::from_utf8_lossy(cut);
        let text = text.trim_end_matches('\u{fffd}').trim_end();
        self.keep(hash, text.into());
    }

    fn keep(&mut self, hash: u64, text: Box<str>) {
        let place = self.samples.partition_point(|(h, _)| *h < hash);
        if self.samples.get(place).is_none_or(|(h, _)| *h != hash) {
            self.samples.insert(place, (hash, text));
            self.samples.truncate(LOG_SAMPLES_MAX);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.seen(other.first);
        self.seen(other.last);
        self.severity = self.severity.max(other.severity);
        for (hash, text) in &other.samples {
            self.keep(*hash, text.clone());
        }
        self.values.merge(&other.values);
    }
}
