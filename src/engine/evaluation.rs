//! Scores of ranked answers against labels. Pure arithmetic over cases; reading bundles is the shell's work.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::stats::Sample;
use crate::model::num::tidy;

/// One labelled incident and what was answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Case {
    /// The incident.
    pub id: String,
    /// The resource at fault.
    pub expected: String,
    /// Resources, best first.
    pub ranked: Vec<String>,
    /// Whether no cause was named.
    pub abstained: bool,
    /// Time it took in milliseconds.
    pub ms: f64,
    /// Why it could not be investigated, when it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Kind of fault, where it was noted.
    #[serde(skip)]
    pub kind: Option<String>,
}

impl Case {
    /// Whether the truth is among the first `n` answers.
    #[must_use]
    pub fn within(&self, n: usize) -> bool {
        self.ranked.iter().take(n).any(|r| *r == self.expected)
    }
}

/// Scores of some cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Labelled incidents.
    pub incidents: usize,
    /// Share with the truth first.
    pub top1: f64,
    /// Share with the truth among the first three.
    pub top3: f64,
    /// Share with the truth among the first five.
    pub top5: f64,
    /// Incidents without a named cause.
    pub abstained: usize,
    /// Median time in milliseconds.
    pub p50_ms: f64,
    /// 95th percentile of the time in milliseconds.
    pub p95_ms: f64,
}

/// Scores of one source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceScore {
    /// The source: a folder.
    pub name: String,
    /// All its cases together.
    #[serde(flatten)]
    pub all: Score,
    /// By kind of fault; `unlabelled` where the label names none.
    pub kinds: BTreeMap<String, Score>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// Scores the cases of one source.
#[must_use]
pub fn score(name: &str, cases: Vec<Case>) -> SourceScore {
    let mut by_kind: BTreeMap<String, Vec<&Case>> = BTreeMap::new();
    for case in &cases {
        let kind = case.kind.clone().unwrap_or_else(|| "unlabelled".to_owned());
        by_kind.entry(kind).or_default().push(case);
    }
    let kinds = by_kind.into_iter().map(|(kind, of)| (kind, score_of(&of))).collect();
    let all = score_of(&cases.iter().collect::<Vec<_>>());
    SourceScore { name: name.to_owned(), all, kinds, cases }
}

fn score_of(cases: &[&Case]) -> Score {
    let times = Sample::new(cases.iter().map(|c| c.ms));
    Score {
        incidents: cases.len(),
        top1: share(cases.iter().copied(), 1),
        top3: share(cases.iter().copied(), 3),
        top5: share(cases.iter().copied(), 5),
        abstained: cases.iter().filter(|c| c.abstained).count(),
        p50_ms: tidy(times.median()),
        p95_ms: tidy(times.quantile(0.95)),
    }
}

fn share<'c>(cases: impl Iterator<Item = &'c Case>, n: usize) -> f64 {
    tidy(crate::analysis::stats::mean(cases.map(|c| f64::from(u8::from(c.within(n))))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_counted_per_kind() {
        let case = |id: &str, ranked: &[&str], kind: &str| Case {
            id: id.to_owned(),
            expected: "x".to_owned(),
            ranked: ranked.iter().map(|r| (*r).to_owned()).collect(),
            abstained: false,
            ms: 1.0,
            failure: None,
            kind: Some(kind.to_owned()),
        };
        let s =
            score("s", vec![case("1", &["x"], "cpu"), case("2", &["a", "x"], "cpu"), case("3", &[], "io")]);
        assert_eq!((s.all.top1, s.all.top3), (tidy(1.0 / 3.0), tidy(2.0 / 3.0)));
        assert_eq!(s.kinds["cpu"].top1, 0.5);
        assert_eq!(score("empty", Vec::new()).all.top1, 0.0);
    }
}
