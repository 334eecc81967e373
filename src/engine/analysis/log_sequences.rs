//! What normally follows what: broken sequences of log patterns within one span of a trace.
//!
//! Code that takes another path than usual often logs nothing new; it stops logging what came next.

use std::collections::BTreeMap;

use super::scope::Phase;

/// Spans whose last pattern is remembered. Beyond it the map is emptied: a few successions are lost, never the bound.
const OPEN_SPANS_MAX: usize = 200_000;

/// Kinds of succession that are counted.
const SUCCESSIONS_MAX: usize = 100_000;

/// A follower is normal when it came at least this often…
const SUPPORT_MIN: f64 = 3.0;

/// …and at least at this share of the occurrences.
const SHARE_MIN: f64 = 0.8;

/// Numbers of a resource and a pattern.
pub type Line = (u32, u32);

/// Counts which pattern follows which.
#[derive(Debug, Default)]
pub struct Sequences {
    open: BTreeMap<(u64, u32), (u32, Phase)>,
    follows: BTreeMap<(Line, u32), (f64, f64)>,
    total: BTreeMap<Line, (f64, f64)>,
}

/// A succession that no longer happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Broken {
    /// Resource and pattern.
    pub line: Line,
    /// The pattern that normally follows.
    pub follower: u32,
    /// How often it followed before, as a share.
    pub share_before: f64,
    /// How often it follows now, as a share.
    pub share_after: f64,
    /// Occurrences before.
    pub n_before: f64,
    /// Occurrences now.
    pub n_after: f64,
    /// Significance in standard errors.
    pub z: f64,
}

impl Sequences {
    /// Takes a line of a span, in time order.
    pub fn push(&mut self, span: u64, line: Line, phase: Phase) {
        add(self.total.entry(line).or_default(), phase);
        if self.open.len() >= OPEN_SPANS_MAX {
            self.open.clear();
        }
        let last = self.open.insert((span, line.0), (line.1, phase));
        if let Some((pattern, then)) = last
            && then == phase
            && (self.follows.len() < SUCCESSIONS_MAX
                || self.follows.contains_key(&((line.0, pattern), line.1)))
        {
            add(self.follows.entry(((line.0, pattern), line.1)).or_default(), phase);
        }
    }

    /// Gives patterns other numbers; those of equal numbers are counted together, those without are dropped.
    #[must_use]
    pub fn renumbered(&self, number: impl Fn(u32) -> Option<u32>) -> Self {
        let sum = |a: &mut (f64, f64), b: &(f64, f64)| {
            a.0 += b.0;
            a.1 += b.1;
        };
        let mut out = Self::default();
        for (((resource, pattern), follower), counts) in &self.follows {
            if let (Some(pattern), Some(follower)) = (number(*pattern), number(*follower)) {
                sum(out.follows.entry(((*resource, pattern), follower)).or_default(), counts);
            }
        }
        for ((resource, pattern), counts) in &self.total {
            if let Some(pattern) = number(*pattern) {
                sum(out.total.entry((*resource, pattern)).or_default(), counts);
            }
        }
        out
    }

    /// All successions that were normal and are broken.
    #[must_use]
    pub fn broken(&self) -> Vec<Broken> {
        self.follows.iter().filter_map(|(key, counts)| self.judge(*key, *counts)).collect()
    }

    fn judge(&self, (line, follower): (Line, u32), (before, after): (f64, f64)) -> Option<Broken> {
        let (n_before, n_after) = self.total.get(&line).copied()?;
        if before < SUPPORT_MIN || before < SHARE_MIN * n_before || n_after < 1.0 {
            return None;
        }
        let (share_before, share_after) = (before / n_before, after / n_after);
        // One more success and failure each, so that small samples are not certain.
        let p = (before + after + 1.0) / (n_before + n_after + 2.0);
        let error = (p * (1.0 - p) * (1.0 / n_before + 1.0 / n_after)).sqrt();
        let z = (share_before - share_after) / error.max(1e-6);
        (z > 2.0).then_some(Broken { line, follower, share_before, share_after, n_before, n_after, z })
    }
}

fn add(counts: &mut (f64, f64), phase: Phase) {
    match phase {
        Phase::Before => counts.0 += 1.0,
        Phase::After => counts.1 += 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_follower_is_found_and_a_usual_one_is_not() {
        let mut s = Sequences::default();
        for i in 0..20 {
            s.push(i, (1, 1), Phase::Before);
            s.push(i, (1, 2), Phase::Before);
            s.push(i, (1, 3), Phase::Before);
        }
        for i in 100..110 {
            s.push(i, (1, 1), Phase::After);
            s.push(i, (1, 2), Phase::After);
        }
        let broken = s.broken();
        assert_eq!(broken.len(), 1);
        assert_eq!((broken[0].line, broken[0].follower), ((1, 2), 3));
    }
}
