//! The labelled series, read once; labelled windows, and quiet times drawn with a fixed seed.

use std::collections::BTreeMap;
use std::path::Path;

use tantei::bundle::csv;
use tantei_engine::model::time::{TimeSpan, Timestamp};

pub(crate) type Points = Vec<(Timestamp, f64)>;

/// One file.
pub(crate) struct File {
    pub(crate) folder: String,
    pub(crate) points: Points,
    /// Labelled windows; both ends are points of the series.
    pub(crate) windows: Vec<(Timestamp, Timestamp)>,
}

pub(crate) fn read(folder: &Path) -> Vec<File> {
    let text = std::fs::read_to_string(folder.join("windows.json")).unwrap();
    let windows: BTreeMap<String, Vec<(String, String)>> = serde_json::from_str(&text).unwrap();
    let file = |(name, windows): (String, Vec<(String, String)>)| {
        let text = std::fs::read_to_string(folder.join(&name)).unwrap();
        let windows = windows.iter().map(|(a, b)| (csv::time(a).unwrap(), csv::time(b).unwrap())).collect();
        let (of, _) = name.split_once('/').unwrap();
        File { folder: of.to_owned(), points: csv::parse(&text).points, windows }
    };
    windows.into_iter().map(file).collect()
}

/// How windows and baselines are cut: the question is the same, its proportions are not.
#[derive(Clone, Copy)]
pub(crate) struct Protocol {
    pub(crate) name: &'static str,
    /// Seconds of the window around the label's middle; the whole label where 0.
    pub(crate) window_s: i64,
    /// Seconds of the baseline just before; everything before where 0.
    pub(crate) baseline_s: i64,
}

/// One question, and the truth.
pub(crate) struct Case {
    pub(crate) folder: String,
    pub(crate) baseline: Points,
    pub(crate) window: Points,
    pub(crate) span: TimeSpan,
    pub(crate) labelled: bool,
}

/// Quiet windows for each labelled one.
const QUIET: usize = 10;
/// Points that both sides need for the question to make sense.
const LEAST: usize = 3;

/// Every labelled window, and for each as many quiet ones of the same length out of the same file.
pub(crate) fn cases(files: &[File], protocol: Protocol, seed: u64) -> Vec<Case> {
    let mut random = Random(seed);
    let mut cases = Vec::new();
    for file in files.iter().filter(|f| !f.windows.is_empty()) {
        for (a, b) in &file.windows {
            let span = match protocol.window_s {
                0 => TimeSpan::new(*a, b.plus_secs(1)),
                s => TimeSpan::new(
                    a.plus_secs((b.secs_since(*a) - s) / 2),
                    a.plus_secs((b.secs_since(*a) + s) / 2),
                ),
            };
            cases.extend(cut(file, span, protocol, true));
            let mut left = QUIET;
            for _ in 0..1_000 {
                let (first, last) = (file.points[0].0, file.points[file.points.len() - 1].0);
                let room = last.secs_since(first) - span.secs();
                let start = first.plus_secs(i64::try_from(random.below(room.unsigned_abs().max(1))).unwrap());
                let quiet = TimeSpan::new(start, start.plus_secs(span.secs()));
                if file.windows.iter().any(|(a, b)| quiet.start <= *b && *a < quiet.end) || left == 0 {
                    continue;
                }
                let found = cut(file, quiet, protocol, false);
                left -= usize::from(found.is_some());
                cases.extend(found);
            }
        }
    }
    cases
}

fn cut(file: &File, span: TimeSpan, protocol: Protocol, labelled: bool) -> Option<Case> {
    let from = match protocol.baseline_s {
        0 => file.points.first()?.0,
        s => span.start.plus_secs(-s),
    };
    // A quiet time needs the past that the labelled windows have: no baseline, no question.
    let known = protocol.baseline_s.max(span.secs());
    if span.start.secs_since(file.points.first()?.0) < known {
        return None;
    }
    let inside =
        |s: TimeSpan| file.points.iter().copied().filter(|(t, _)| s.contains(*t)).collect::<Points>();
    let (baseline, window) = (inside(TimeSpan::new(from, span.start)), inside(span));
    (baseline.len() >= LEAST && window.len() >= LEAST).then(|| Case {
        folder: file.folder.clone(),
        baseline,
        window,
        span,
        labelled,
    })
}

/// Splitmix64: a fixed seed gives the same draws on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap()) / 4_294_967_296.0
    }
}

/// Area under the receiver operating characteristic: how often a labelled window scores above a quiet one.
pub(crate) fn auroc(scored: &[(f64, bool)]) -> Option<f64> {
    let (mut wins, mut pairs) = (0.0, 0.0);
    for (yes, _) in scored.iter().filter(|(_, l)| *l) {
        for (no, _) in scored.iter().filter(|(_, l)| !*l) {
            pairs += 1.0;
            wins += if yes > no {
                1.0
            } else if yes < no {
                0.0
            } else {
                0.5
            };
        }
    }
    (pairs > 0.0).then(|| wins / pairs)
}
