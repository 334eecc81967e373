//! Calls that were summed where they were recorded (a service graph), as the same sums that spans give: for links of which no
//! span is at hand on one side of the onset.
//!
//! Of a sum nobody knows which call caused which: what a callee spent itself is what calls to it took less what its own
//! calls took, on the average.

use std::collections::BTreeMap;

use crate::model::num::real64;
use crate::model::resource::ResourceId;
use crate::model::telemetry::LinkSum;

use super::scope::{Phase, Scope};

/// Links that are kept apart: more than a service graph shows.
const LINKS_MAX: usize = 20_000;

/// Calls of one link, or of all links of a resource, on one side of the onset.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Calls {
    pub(super) calls: f64,
    pub(super) errors: f64,
    /// Their whole duration.
    pub(super) total_ms: f64,
    /// Sum of the squares of their durations.
    pub(super) squares: f64,
}

impl Calls {
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.total_ms += other.total_ms;
        self.squares += other.squares;
    }

    fn variance(self) -> f64 {
        let n = self.calls.max(1.0);
        (self.squares / n - (self.total_ms / n).powi(2)).max(0.0)
    }
}

/// One link on one side of the onset, with what the callee did itself.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Side {
    pub(super) all: Calls,
    pub(super) own_ms: f64,
    pub(super) own_squares: f64,
    pub(super) own_errors: f64,
}

/// Caller (absent: outside) and callee.
type Link = (Option<ResourceId>, ResourceId);

/// Takes sums.
#[derive(Debug, Default)]
pub(super) struct LinkSums {
    links: BTreeMap<Link, (Calls, Calls)>,
}

impl LinkSums {
    /// Takes a sum; its span of time lies on one side of the onset.
    pub(super) fn push(&mut self, scope: &Scope, sum: &LinkSum) {
        let Some(phase) = scope.phase(sum.span.start) else { return };
        let link = (sum.caller.clone(), sum.callee.clone());
        if self.links.len() >= LINKS_MAX && !self.links.contains_key(&link) {
            return;
        }
        let (calls, total_ms) = (real64(sum.calls), sum.total_s * 1_000.0);
        // Without a histogram, calls vary as much as they last.
        let known = sum.squares_s2.map(|s| s * 1e6);
        let squares = known.unwrap_or(2.0 * total_ms.powi(2) / calls.max(1.0));
        let added = Calls { calls, errors: real64(sum.errors), total_ms, squares };
        let entry = self.links.entry(link).or_default();
        match phase {
            Phase::Before => entry.0.add(added),
            Phase::After => entry.1.add(added),
        }
    }

    /// Every link with both sides.
    pub(super) fn sides(&self) -> BTreeMap<Link, (Side, Side)> {
        let mut of: BTreeMap<&ResourceId, [(Calls, Calls); 2]> = BTreeMap::new();
        for ((caller, callee), (before, after)) in &self.links {
            let [taken, _] = of.entry(callee).or_default();
            taken.0.add(*before);
            taken.1.add(*after);
            if let Some(caller) = caller {
                let [_, made] = of.entry(caller).or_default();
                made.0.add(*before);
                made.1.add(*after);
            }
        }
        let sides = |(link, (before, after)): (&Link, &(Calls, Calls))| {
            let [taken, made] = of.get(&link.1).copied().unwrap_or_default();
            (link.clone(), (side(*before, taken.0, made.0), side(*after, taken.1, made.1)))
        };
        self.links.iter().map(sides).collect()
    }
}

/// A link's share of what its callee took and did not pass on.
fn side(link: Calls, taken: Calls, made: Calls) -> Side {
    let n = taken.calls.max(1.0);
    let own = ((taken.total_ms - made.total_ms) / n).max(0.0);
    let failed = ((taken.errors - made.errors) / n).max(0.0);
    Side {
        all: link,
        own_ms: own * link.calls,
        own_squares: (link.variance() + own.powi(2)) * link.calls,
        own_errors: failed * link.calls,
    }
}
