//! What normally comes with what: log patterns that are missing from spans which otherwise look as they always did.
//!
//! Code that takes another path than usual often logs nothing new; it stops logging what came next. Within one span the
//! patterns are taken as a set: lines of one millisecond arrive in any order, and each pattern is judged by the spans
//! that hold its companions, so that another mix of requests is no change.

use std::collections::{BTreeMap, BTreeSet};

use super::stats::share_z;

/// Spans that are compared. Beyond it a sample is: of every resource equally many at most, those with the smallest
/// hashes, so that whole spans are kept whatever the order in which lines come, and a flood of requests to one resource
/// hides nothing of another.
const SPANS_MAX: usize = 20_000;

/// Patterns of one span that are compared; a span that logs more is a loop, whose first patterns say it all.
const PATTERNS_MAX: usize = 24;

/// Spans that a companion needs before it is called normal.
const SUPPORT_MIN: f64 = 3.0;

/// A companion is normal when it came in at least this share of the spans.
const SHARE_MIN: f64 = 0.8;

/// Differences of fewer standard errors are chance.
pub const Z_MIN: f64 = 2.0;

/// Numbers of a resource and a pattern.
pub type Line = (u32, u32);

/// When a span was, as far as comparing needs it. In the order of their times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// In a baseline that was declared healthy.
    Declared,
    /// In the window before the onset: taken as healthy where the baseline says nothing.
    Assumed,
    /// In the incident.
    After,
}

/// Collects the patterns of each span.
#[derive(Debug)]
pub struct Companions {
    /// By resource and span.
    spans: BTreeMap<(u32, u64), Lines>,
    resources: BTreeMap<u32, Kept>,
    /// Spans that are kept of one resource.
    each: usize,
}

/// What is kept of a resource.
#[derive(Debug, Clone, Copy)]
struct Kept {
    spans: usize,
    /// Spans with a greater hash are not.
    until: u64,
}

impl Default for Companions {
    fn default() -> Self {
        Self { spans: BTreeMap::new(), resources: BTreeMap::new(), each: SPANS_MAX }
    }
}

/// The lines of one resource in one span.
#[derive(Debug)]
struct Lines {
    /// Of the first line: a span that the onset divides belongs to the time in which it began.
    when: When,
    patterns: Vec<u32>,
}

/// A companion that no longer comes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Missing {
    /// Resource and pattern with which it normally comes.
    pub line: Line,
    /// The pattern that is missing.
    pub companion: u32,
    /// Significance in standard errors.
    pub z: f64,
    /// The drop in the share of spans that hold it, 0..1.
    pub drop: f64,
    /// Spans with both, of spans with the line, in the healthy time.
    pub before: (u32, u32),
    /// The same in the incident.
    pub after: (u32, u32),
}

/// What the spans show.
#[derive(Debug, Default)]
pub struct Compared {
    /// Companions that were normal and are missing, each with the pattern beside which that is clearest.
    pub missing: Vec<Missing>,
    /// Patterns that normally have companions.
    pub accompanied: BTreeSet<Line>,
}

/// How often something was seen: declared healthy, assumed healthy, in the incident.
#[derive(Debug, Clone, Copy, Default)]
struct Counts([u32; 3]);

impl Counts {
    fn add(&mut self, when: When) {
        let [declared, assumed, after] = &mut self.0;
        let count = match when {
            When::Declared => declared,
            When::Assumed => assumed,
            When::After => after,
        };
        *count = count.saturating_add(1);
    }

    fn after(self) -> u32 {
        let [_, _, after] = self.0;
        after
    }

    fn before(self, declared_only: bool) -> u32 {
        let [declared, assumed, _] = self.0;
        if declared_only { declared } else { declared.saturating_add(assumed) }
    }
}

impl Companions {
    /// Takes a line of a span, in any order.
    pub fn push(&mut self, span: u64, line: Line, when: When) {
        let kept = self.resources.entry(line.0).or_insert(Kept { spans: 0, until: u64::MAX });
        if span > kept.until {
            return;
        }
        let lines = self.spans.entry((line.0, span)).or_insert_with(|| {
            kept.spans += 1;
            Lines { when, patterns: Vec::new() }
        });
        lines.when = lines.when.min(when);
        if lines.patterns.len() < PATTERNS_MAX && !lines.patterns.contains(&line.1) {
            lines.patterns.push(line.1);
        }
        self.thin(line.0);
    }

    fn thin(&mut self, resource: u32) {
        self.cut(resource);
        while self.spans.len() > SPANS_MAX && self.each > 1 {
            self.each /= 2;
            let all: Vec<u32> = self.resources.keys().copied().collect();
            all.into_iter().for_each(|resource| self.cut(resource));
        }
        // More resources than spans may be kept: then the last one goes, and the bound stays.
        while self.spans.len() > SPANS_MAX {
            self.spans.pop_last();
        }
    }

    /// Leaves out the spans of a resource with the greatest hashes, when there are too many.
    fn cut(&mut self, resource: u32) {
        let Some(kept) = self.resources.get_mut(&resource) else { return };
        while kept.spans > self.each {
            let Some((last, _)) = self.spans.range((resource, 0)..=(resource, kept.until)).next_back() else {
                return;
            };
            let (_, span) = *last;
            self.spans.remove(&(resource, span));
            kept.spans -= 1;
            kept.until = span.saturating_sub(1);
        }
    }

    /// Compares. Patterns are numbered anew by `number`; those without a number are left out.
    #[must_use]
    pub fn compare(&self, number: impl Fn(u32) -> Option<u32>) -> Compared {
        let mut alone: BTreeMap<Line, Counts> = BTreeMap::new();
        let mut accompanied: BTreeMap<Line, Counts> = BTreeMap::new();
        let mut together: BTreeMap<(Line, u32), Counts> = BTreeMap::new();
        for ((resource, _), lines) in &self.spans {
            let mut patterns: Vec<u32> = lines.patterns.iter().filter_map(|p| number(*p)).collect();
            patterns.sort_unstable();
            patterns.dedup();
            for one in &patterns {
                alone.entry((*resource, *one)).or_default().add(lines.when);
                if patterns.len() > 1 {
                    accompanied.entry((*resource, *one)).or_default().add(lines.when);
                }
                for other in patterns.iter().filter(|other| *other != one) {
                    together.entry(((*resource, *one), *other)).or_default().add(lines.when);
                }
            }
        }
        let mut clearest: BTreeMap<Line, Missing> = BTreeMap::new();
        for ((line, companion), both) in together {
            let Some(found) = alone.get(&line).and_then(|a| judge(line, companion, *a, both)) else {
                continue;
            };
            if found.z <= Z_MIN {
                continue;
            }
            let best = clearest.entry((line.0, companion)).or_insert(found);
            if found.z > best.z {
                *best = found;
            }
        }
        let usual = |(line, with): &(Line, Counts)| {
            let all = alone.get(line).map_or(0.0, |c| f64::from(c.before(false)));
            f64::from(with.before(false)) >= SHARE_MIN * all.max(SUPPORT_MIN)
        };
        Compared {
            missing: clearest.into_values().collect(),
            accompanied: accompanied.into_iter().filter(usual).map(|(line, _)| line).collect(),
        }
    }
}

/// Compares a companion that was normal; `None` when it was not, or when nothing is there to compare with.
fn judge(line: Line, companion: u32, alone: Counts, both: Counts) -> Option<Missing> {
    // What was declared healthy counts; the window's own past may already hold the fault.
    let declared_only = f64::from(alone.before(true)) >= SUPPORT_MIN;
    let before = (both.before(declared_only), alone.before(declared_only));
    missing(line, companion, before, (both.after(), alone.after()))
}

/// The same from counts of spans with both, of spans with the line, on either side.
#[must_use]
pub fn missing(line: Line, companion: u32, before: (u32, u32), after: (u32, u32)) -> Option<Missing> {
    let real = |(with, all): (u32, u32)| (f64::from(with), f64::from(all));
    let (b, a) = (real(before), real(after));
    if b.1 < SUPPORT_MIN || b.0 < SHARE_MIN * b.1 || a.1 < 1.0 {
        return None;
    }
    Some(Missing { line, companion, z: share_z(b, a), drop: b.0 / b.1 - a.0 / a.1, before, after })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(of: &mut Companions, ids: std::ops::Range<u64>, patterns: &[u32], when: When) {
        for id in ids {
            for pattern in patterns {
                of.push(id, (1, *pattern), when);
            }
        }
    }

    #[test]
    fn a_missing_companion_is_found_and_a_usual_one_is_not() {
        let mut c = Companions::default();
        spans(&mut c, 0..20, &[1, 2, 3], When::Declared);
        spans(&mut c, 100..110, &[2, 1], When::After);
        let missing = c.compare(Some).missing;
        assert_eq!(missing.len(), 1);
        assert_eq!((missing[0].companion, missing[0].drop), (3, 1.0));
    }

    #[test]
    fn another_mix_of_requests_is_no_change() {
        let mut c = Companions::default();
        spans(&mut c, 0..50, &[1, 2], When::Declared);
        spans(&mut c, 50..60, &[3, 4], When::Declared);
        spans(&mut c, 100..150, &[3, 4], When::After);
        assert_eq!(c.compare(Some).missing, []);
    }

    #[test]
    fn what_was_declared_healthy_counts_where_the_window_already_holds_the_fault() {
        let mut c = Companions::default();
        spans(&mut c, 0..6, &[1, 2], When::Declared);
        spans(&mut c, 10..30, &[1], When::Assumed);
        spans(&mut c, 30..50, &[1], When::After);
        assert_eq!(c.compare(Some).missing.len(), 1);
    }

    #[test]
    fn spans_whose_hashes_are_made_to_collide_stay_within_the_bound() {
        let mut c = Companions::default();
        for resource in 0..=u32::try_from(SPANS_MAX).unwrap() {
            c.push(0, (resource, 1), When::After);
        }
        assert_eq!(c.spans.len(), SPANS_MAX);
    }

    #[test]
    fn a_flood_of_one_resource_leaves_the_spans_of_another_whole() {
        let mut c = Companions::default();
        let hash = |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (0..100).for_each(|i| c.push(hash(i), (2, 1), When::After));
        (100..100_000).for_each(|i| c.push(hash(i), (1, 1), When::After));
        let of = |resource: u32| c.spans.keys().filter(|(r, _)| *r == resource).count();
        assert_eq!(of(2), 100);
        assert!(of(1) > SPANS_MAX / 4 && c.spans.len() <= SPANS_MAX);
    }

    #[test]
    fn the_sample_of_many_spans_does_not_depend_on_their_order() {
        let ids: Vec<u64> =
            (0..SPANS_MAX as u64 * 3).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let take = |ids: &mut dyn Iterator<Item = &u64>| {
            let mut c = Companions::default();
            ids.for_each(|id| c.push(*id, (1, 1), When::After));
            c.spans.into_keys().collect::<Vec<_>>()
        };
        let forth = take(&mut ids.iter());
        assert_eq!(forth, take(&mut ids.iter().rev()));
        assert!(forth.len() <= SPANS_MAX && forth.len() > SPANS_MAX / 4);
    }
}
