//! Scores of ranked answers against labels. Pure arithmetic over cases; reading bundles is the shell's work.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::stats::{Sample, mean};
use crate::model::cause::Band;
use crate::model::num::{real, tidy};

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
    /// The strength of the first answer; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
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

/// How far one strength can be trusted: what it states, and how often it was right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reliability {
    /// The strength of the first answer.
    pub band: Band,
    /// Incidents in which a cause of this strength was named first.
    pub incidents: usize,
    /// Of them, those in which it was the truth.
    pub right: usize,
    /// The share of right ones; absent where there are none to judge by.
    pub precision: Option<f64>,
    /// The share that the strength states.
    pub stated: f64,
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
    /// By strength, strongest first; incidents without a named cause claim nothing and are left out.
    pub reliability: Vec<Reliability>,
    /// Mean squared difference between what the first answer's strength states and whether it was right, over incidents
    /// with a named cause: 0 is perfect, 0.25 is what a coin's 50 % gets. Absent where no cause was named.
    pub brier: Option<f64>,
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
    let claims: Vec<(Band, bool)> = cases.iter().filter_map(claim).collect();
    let reliability = [Band::Strong, Band::Moderate, Band::Weak].map(|b| reliability(b, &claims)).to_vec();
    let squares = claims.iter().map(|(b, right)| (b.stated() - f64::from(u8::from(*right))).powi(2));
    let brier = (!claims.is_empty()).then(|| tidy(mean(squares)));
    SourceScore { name: name.to_owned(), all, kinds, reliability, brier, cases }
}

/// The strength of the first answer and whether it is the truth, where one was named.
fn claim(case: &Case) -> Option<(Band, bool)> {
    case.band.filter(|_| !case.abstained).map(|band| (band, case.within(1)))
}

fn reliability(band: Band, claims: &[(Band, bool)]) -> Reliability {
    let of = claims.iter().filter(|(b, _)| *b == band);
    let (incidents, right) = (of.clone().count(), of.filter(|(_, right)| *right).count());
    let precision = (incidents > 0).then(|| tidy(real(right) / real(incidents)));
    Reliability { band, incidents, right, precision, stated: band.stated() }
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
    tidy(mean(cases.map(|c| f64::from(u8::from(c.within(n))))))
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
            band: Some(Band::Strong),
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

    #[test]
    fn strength_is_held_against_the_truth() {
        let case = |ranked: &str, band, abstained| Case {
            id: String::new(),
            expected: "x".to_owned(),
            ranked: vec![ranked.to_owned()],
            abstained,
            band,
            ms: 1.0,
            failure: None,
            kind: None,
        };
        let s = score(
            "s",
            vec![
                case("x", Some(Band::Strong), false),
                case("y", Some(Band::Strong), false),
                case("y", Some(Band::Weak), true),
            ],
        );
        let strong = &s.reliability[0];
        assert_eq!((strong.incidents, strong.right, strong.precision), (2, 1, Some(0.5)));
        assert_eq!(s.reliability[2].precision, None, "what abstains claims nothing");
        assert_eq!(s.brier, Some(tidy((0.05_f64.powi(2) + 0.95_f64.powi(2)) / 2.0)));
        assert_eq!(score("empty", Vec::new()).brier, None);
    }
}
