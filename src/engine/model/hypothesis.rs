//! Hypotheses: a cause, the items that carry it, and what would confirm or refute it.
//!
//! An uncited hypothesis cannot be constructed: the fields are private and every way in checks them.

use serde::{Deserialize, Serialize};

use super::cause::{Band, Mechanism};
use super::id::{ItemId, ItemKind};
use super::resource::ResourceId;
use super::time::Timestamp;

/// Who reasoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// Deterministic analysis.
    Analysis,
}

/// Why a hypothesis has its strength.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum StrengthReason {
    /// It explains this share (0..1) of what the alarmed resource suffers.
    ExplainsShare {
        /// The share.
        share: f64,
    },
    /// This many independent kinds of evidence agree.
    KindsAgree {
        /// How many.
        kinds: u32,
    },
    /// It stands out from the next candidate by this factor.
    StandsOut {
        /// Score over the next score.
        factor: f64,
    },
    /// The next candidate is nearly as good.
    CloseSecond {
        /// That candidate.
        resource: ResourceId,
    },
    /// A change came shortly before.
    ChangeBefore {
        /// The change.
        item: ItemId,
        /// Seconds from the change to the onset.
        seconds: i64,
    },
    /// Only one kind of evidence.
    SingleKind,
    /// Everything that supports it could have been written by somebody outside.
    OnlyExternal,
    /// The data ends before one full period after the onset.
    Provisional,
    /// A source that could have confirmed it is missing.
    SourceMissing {
        /// The gap.
        item: ItemId,
    },
}

/// Something to look at, and what it would say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum Check {
    /// The resource's own metric returns to its range when this cause is removed.
    MetricReturns {
        /// The deviating metric.
        item: ItemId,
    },
    /// Undoing the change ends the deviation.
    UndoChange {
        /// The change.
        item: ItemId,
    },
    /// Another resource deviates earlier, or more than this one.
    OtherEarlier {
        /// This resource.
        resource: ResourceId,
    },
    /// A callee of the resource, not observed now, turns out to deviate.
    HiddenCallee {
        /// This resource.
        resource: ResourceId,
    },
    /// New error lines stop.
    LinesStop {
        /// The pattern.
        item: ItemId,
    },
    /// The calls return to their usual time.
    CallsReturn {
        /// The link.
        item: ItemId,
    },
}

/// The facts of a hypothesis, before they were checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HypothesisFacts {
    /// Who reasoned.
    pub author: Author,
    /// Place among the hypotheses of this round, from 1.
    pub rank: u32,
    /// The resource at fault.
    pub cause: ResourceId,
    /// In which way.
    pub mechanism: Mechanism,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// 0..1, comparable within the round only.
    pub score: f64,
    /// How far to trust it.
    pub band: Band,
    /// Why.
    pub reasons: Vec<StrengthReason>,
    /// From the alarmed resource to the cause, both included.
    pub path: Vec<ResourceId>,
    /// Items that carry it, strongest first.
    pub supporting: Vec<ItemId>,
    /// Items that speak against it.
    pub contradicting: Vec<ItemId>,
    /// The change that may have triggered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<ItemId>,
    /// What would confirm it.
    pub confirm: Vec<Check>,
    /// What would refute it.
    pub refute: Vec<Check>,
}

impl HypothesisFacts {
    /// Every item that is cited anywhere in it.
    #[must_use]
    pub fn cited(&self) -> Vec<ItemId> {
        let reasons = self.reasons.iter().filter_map(|r| match r {
            StrengthReason::ChangeBefore { item, .. } | StrengthReason::SourceMissing { item } => Some(*item),
            StrengthReason::ExplainsShare { .. }
            | StrengthReason::KindsAgree { .. }
            | StrengthReason::StandsOut { .. }
            | StrengthReason::CloseSecond { .. }
            | StrengthReason::SingleKind
            | StrengthReason::OnlyExternal
            | StrengthReason::Provisional => None,
        });
        let checks = self.confirm.iter().chain(&self.refute).filter_map(|c| match c {
            Check::MetricReturns { item }
            | Check::UndoChange { item }
            | Check::LinesStop { item }
            | Check::CallsReturn { item } => Some(*item),
            Check::OtherEarlier { .. } | Check::HiddenCallee { .. } => None,
        });
        let lists = self.supporting.iter().chain(&self.contradicting).chain(&self.trigger).copied();
        lists.chain(reasons).chain(checks).collect()
    }
}

/// A hypothesis whose citations are well-formed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "HypothesisFacts", into = "HypothesisFacts")]
pub struct Hypothesis {
    facts: HypothesisFacts,
}

/// Why facts are no hypothesis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HypothesisError {
    /// Nothing supports it.
    #[error("a hypothesis about `{0}` cites no observation")]
    Uncited(String),
    /// It cites something that is no evidence.
    #[error("a hypothesis about `{0}` cites `{1}`, which is no evidence")]
    NotEvidence(String, ItemId),
}

impl Hypothesis {
    /// Checks the citations: at least one, and each names an observation or an alarm transition.
    ///
    /// # Errors
    /// When nothing supports it, or when a citation is of another kind.
    pub fn new(facts: HypothesisFacts) -> Result<Self, HypothesisError> {
        let cause = || facts.cause.as_str().to_owned();
        if facts.supporting.is_empty() {
            return Err(HypothesisError::Uncited(cause()));
        }
        let evidence = |id: &&ItemId| !matches!(id.kind(), ItemKind::Observation | ItemKind::Alarm);
        if let Some(id) = facts.supporting.iter().chain(&facts.contradicting).find(evidence) {
            return Err(HypothesisError::NotEvidence(cause(), *id));
        }
        Ok(Self { facts })
    }

    /// The facts.
    #[must_use]
    pub fn facts(&self) -> &HypothesisFacts {
        &self.facts
    }
}

impl TryFrom<HypothesisFacts> for Hypothesis {
    type Error = HypothesisError;

    fn try_from(facts: HypothesisFacts) -> Result<Self, Self::Error> {
        Self::new(facts)
    }
}

impl From<Hypothesis> for HypothesisFacts {
    fn from(hypothesis: Hypothesis) -> Self {
        hypothesis.facts
    }
}
