//! From spans to calls: who called whom, how long the caller waited, what the callee spent itself, what nothing covers.
//!
//! A call enters a resource where a span's parent belongs to another resource (or is absent). Everything below it in
//! the same resource is the callee's own work, except time spent in further calls.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::num::real_signed;

/// A span, names replaced by small numbers.
#[derive(Debug, Clone, Copy)]
pub struct Compact {
    /// Hash of the trace identifier.
    pub trace: u64,
    /// Hash of the span identifier.
    pub span: u64,
    /// Hash of the parent's identifier; 0 at the root.
    pub parent: u64,
    /// Start in microseconds.
    pub start: i64,
    /// End in microseconds.
    pub end: i64,
    /// The resource.
    pub resource: u32,
    /// The operation.
    pub operation: u32,
    /// Whether it failed.
    pub error: bool,
}

/// One call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Call {
    /// When it began, in microseconds.
    pub start: i64,
    /// The caller, when there is one.
    pub caller: Option<u32>,
    /// The callee.
    pub callee: u32,
    /// The operation of the callee that was called.
    pub operation: u32,
    /// How long the caller waited, in milliseconds.
    pub duration_ms: f64,
    /// Time in the callee's own spans that no further call covers, in milliseconds.
    pub own_ms: f64,
    /// Time of the caller's client span that no span of the callee covers, in milliseconds.
    pub uncovered_ms: f64,
    /// Whether it failed.
    pub error: bool,
    /// Whether it failed although no call that it made failed.
    pub own_error: bool,
}

/// Hands over all calls in the spans. Sorts them by trace; the order in which they came means nothing.
pub fn each_call(spans: &mut [Compact], mut take: impl FnMut(&Call)) {
    spans.sort_unstable_by_key(|s| (s.trace, s.start, s.end, s.span));
    for repeated in spans.chunk_by(|a, b| a.trace == b.trace) {
        // Exporters send at least once: of a repeated span the first counts.
        let mut seen = BTreeSet::new();
        let trace: Vec<Compact> = repeated.iter().copied().filter(|s| seen.insert(s.span)).collect();
        let tree = Tree::new(&trace);
        (0..trace.len()).filter_map(|i| tree.call_at(i)).for_each(|call| take(&call));
    }
}

struct Tree<'s> {
    spans: &'s [Compact],
    by_id: BTreeMap<u64, usize>,
    children: Vec<Vec<usize>>,
}

impl<'s> Tree<'s> {
    fn new(spans: &'s [Compact]) -> Self {
        // A repeated identifier (retried export) keeps its first span.
        let mut by_id = BTreeMap::new();
        for (i, s) in spans.iter().enumerate() {
            by_id.entry(s.span).or_insert(i);
        }
        let mut children = vec![Vec::new(); spans.len()];
        for (i, s) in spans.iter().enumerate() {
            let parent = by_id.get(&s.parent).copied().filter(|p| *p != i);
            if let Some(list) = parent.and_then(|p| children.get_mut(p)) {
                list.push(i);
            }
        }
        Self { spans, by_id, children }
    }

    fn span(&self, i: usize) -> Option<&'s Compact> {
        self.spans.get(i)
    }

    fn parent(&self, s: &Compact) -> Option<usize> {
        self.by_id.get(&s.parent).copied().filter(|p| self.span(*p).is_some_and(|q| q.span != s.span))
    }

    fn children(&self, i: usize) -> &[usize] {
        self.children.get(i).map_or(&[], Vec::as_slice)
    }

    /// The call that enters a resource at this span, if one does.
    fn call_at(&self, i: usize) -> Option<Call> {
        let entry = self.span(i)?;
        let parent = self.parent(entry).and_then(|p| self.span(p).map(|s| (p, s)));
        if parent.is_some_and(|(_, p)| p.resource == entry.resource) {
            return None;
        }
        let client = parent.filter(|(p, _)| self.is_client(*p));
        let waited = client.map_or(entry, |(_, c)| c);
        let own = self.own(i);
        let uncovered = client.map_or(0, |(p, c)| length(c) - self.covered(p, c));
        Some(Call {
            start: waited.start,
            caller: parent.map(|(_, p)| p.resource),
            callee: entry.resource,
            operation: entry.operation,
            duration_ms: ms(length(waited)),
            own_ms: ms(own.time),
            uncovered_ms: ms(uncovered),
            error: entry.error || client.is_some_and(|(_, c)| c.error),
            own_error: entry.error && !own.callee_failed,
        })
    }

    /// A client span does nothing but wait for one call: it is inside its resource, and all it has is one child
    /// elsewhere.
    fn is_client(&self, i: usize) -> bool {
        let Some(s) = self.span(i) else { return false };
        let inside = self.parent(s).and_then(|p| self.span(p)).is_some_and(|p| p.resource == s.resource);
        let elsewhere = |c: &usize| self.span(*c).is_some_and(|c| c.resource != s.resource);
        inside && self.children(i).len() == 1 && self.children(i).iter().all(elsewhere)
    }

    /// Own work of the part of a resource's spans that one call entered at `entry`: the time of the entry during
    /// which no call of its own was under way. Inner spans overlap one another, so they are not summed.
    fn own(&self, entry: usize) -> Own {
        let mut own = Own { time: 0, callee_failed: false };
        let Some(first) = self.span(entry) else { return own };
        let mut calls: Vec<(i64, i64)> = Vec::new();
        let mut open = vec![entry];
        // Every span is visited at most once, but hostile identifiers may form a circle: the visits are bounded.
        for _ in 0..self.spans.len() {
            let Some(i) = open.pop() else { break };
            let Some(s) = self.span(i) else { continue };
            if self.is_client(i) {
                calls.push((s.start, s.end));
                own.callee_failed |= s.error || self.children(i).iter().any(|c| self.failed(*c));
                continue;
            }
            for c in self.children(i) {
                match self.span(*c) {
                    Some(child) if child.resource == s.resource => open.push(*c),
                    Some(child) => {
                        calls.push((child.start, child.end));
                        own.callee_failed |= child.error;
                    }
                    None => {}
                }
            }
        }
        calls.sort_unstable();
        own.time = length(first) - union(&calls, first.start, first.end);
        own
    }

    fn failed(&self, i: usize) -> bool {
        self.span(i).is_some_and(|s| s.error)
    }

    /// Microseconds of the span during which at least one child ran.
    fn covered(&self, i: usize, s: &Compact) -> i64 {
        let mut children: Vec<(i64, i64)> =
            self.children(i).iter().filter_map(|c| self.span(*c)).map(|c| (c.start, c.end)).collect();
        children.sort_unstable();
        union(&children, s.start, s.end)
    }
}

/// Length of the union of intervals, sorted by their start, within the bounds.
fn union(sorted: &[(i64, i64)], from: i64, to: i64) -> i64 {
    let mut covered = 0;
    let mut until = from;
    for (start, end) in sorted {
        let (start, end) = ((*start).max(until), (*end).min(to));
        if end > start {
            covered += end - start;
            until = end;
        }
    }
    covered
}

struct Own {
    time: i64,
    callee_failed: bool,
}

fn length(s: &Compact) -> i64 {
    s.end.saturating_sub(s.start).max(0)
}

fn ms(us: i64) -> f64 {
    real_signed(us.max(0)) / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(spans: &mut [Compact]) -> Vec<Call> {
        let mut calls = Vec::new();
        each_call(spans, |call| calls.push(*call));
        calls
    }

    fn span(span: u64, parent: u64, start: i64, end: i64, resource: u32, error: bool) -> Compact {
        Compact { trace: 1, span, parent, start, end, resource, operation: 0, error }
    }

    #[test]
    fn time_is_charged_to_who_spent_it() {
        // 1: server of A 0..100, 2: client in A 10..90, 3: server of B 30..80 with a query 40..50 to C.
        let mut spans = [
            span(3, 2, 30_000, 80_000, 2, true),
            span(1, 0, 0, 100_000, 1, true),
            span(4, 3, 40_000, 50_000, 3, false),
            span(2, 1, 10_000, 90_000, 1, true),
        ];
        let calls = calls(&mut spans);
        let to = |r: u32| *calls.iter().find(|c| c.callee == r).unwrap();
        assert_eq!((to(1).own_ms, to(1).caller, to(1).own_error), (20.0, None, false));
        assert_eq!((to(2).duration_ms, to(2).own_ms, to(2).uncovered_ms), (80.0, 40.0, 30.0));
        assert!(to(2).own_error);
        assert_eq!((to(3).caller, to(3).own_ms, to(3).error), (Some(2), 10.0, false));
    }

    #[test]
    fn circles_and_orphans_end() {
        let mut spans =
            [span(1, 2, 0, 10, 1, false), span(2, 1, 0, 10, 1, false), span(3, 99, 5, 1, 2, false)];
        assert_eq!(calls(&mut spans).len(), 1);
    }
}
