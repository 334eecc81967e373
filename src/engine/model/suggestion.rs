//! Suggestions: a bound plan that people may approve, or a step that people take themselves.
//!
//! A plan is sealed: its digest is computed over its canonical form by the only constructor, and checked again
//! whenever it is read. What is approved is the digest; what is executed must have it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cause::Mechanism;
use super::feed::canonical_digest;
use super::id::ItemId;
use super::resource::ResourceId;

/// What running a runbook does to the world. Ordered from harmless to harmful; the catalogue's classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Only reads.
    ReadOnly,
    /// Diagnoses, but creates helpers, runs host commands or costs money.
    DiagnosticAux,
    /// Changes configuration, normally without an outage.
    MutatingLow,
    /// Can interrupt service or is hard to undo.
    MutatingDisruptive,
}

/// How much can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing that users would notice.
    Low,
    /// Users may notice.
    Medium,
    /// An outage is possible.
    High,
}

/// Where the value of a parameter came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "origin", rename_all = "snake_case")]
pub enum Origin {
    /// The identifier of the resource at fault.
    Resource {
        /// An item that observed it.
        item: ItemId,
    },
    /// A CloudWatch dimension of one of its metrics.
    Dimension {
        /// The dimension's name.
        name: String,
        /// The item that carried it.
        item: ItemId,
    },
    /// An attribute of the resource in the topology.
    Attribute {
        /// The attribute's name.
        name: String,
        /// The item that carried it.
        item: ItemId,
    },
    /// A field of a control-plane change event.
    Change {
        /// The field's name.
        name: String,
        /// The change.
        item: ItemId,
    },
    /// The incident's own time.
    Incident {
        /// `start` or `end`.
        name: String,
    },
    /// A constant that the playbook states.
    Constant,
    /// A setting of the operator, such as the role that Automation assumes.
    Setting {
        /// The setting's name.
        name: String,
    },
}

/// A parameter of a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Binding {
    /// The values, as Automation takes them.
    pub values: Vec<String>,
    /// Where they came from.
    #[serde(flatten)]
    pub origin: Origin,
}

/// What would run: everything that decides its effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFacts {
    /// Automation document.
    pub document: String,
    /// Its version; pinned again, with the content hash, before a real run.
    pub document_version: String,
    /// Parameters.
    pub parameters: BTreeMap<String, Binding>,
    /// Resources that it acts on.
    pub targets: Vec<ResourceId>,
    /// What it does to the world.
    pub effect: Effect,
    /// How much can go wrong.
    pub risk: Risk,
    /// Seconds for which an approval holds.
    pub expires_after_s: u32,
}

/// A sealed plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SealedPlan", into = "SealedPlan")]
pub struct Plan {
    facts: PlanFacts,
    digest: String,
}

/// The stored form of a plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SealedPlan {
    #[serde(flatten)]
    facts: PlanFacts,
    digest: String,
}

impl Plan {
    /// Seals the facts.
    #[must_use]
    pub fn seal(facts: PlanFacts) -> Self {
        let digest = canonical_digest(&facts);
        Self { facts, digest }
    }

    /// What would run.
    #[must_use]
    pub fn facts(&self) -> &PlanFacts {
        &self.facts
    }

    /// SHA-256 over the canonical form, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The first eight digits: what people compare across surfaces.
    #[must_use]
    pub fn short_digest(&self) -> &str {
        self.digest.get(..8).unwrap_or(&self.digest)
    }
}

impl TryFrom<SealedPlan> for Plan {
    type Error = String;

    fn try_from(sealed: SealedPlan) -> Result<Self, Self::Error> {
        let plan = Self::seal(sealed.facts);
        if plan.digest == sealed.digest {
            Ok(plan)
        } else {
            Err(format!("plan digest is `{}`, its content gives `{}`", sealed.digest, plan.digest))
        }
    }
}

impl From<Plan> for SealedPlan {
    fn from(plan: Plan) -> Self {
        Self { facts: plan.facts, digest: plan.digest }
    }
}

/// Where a value was looked for in vain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "wanted", rename_all = "snake_case")]
pub enum Wanted {
    /// The resource's own identifier, in the shape that the runbook takes.
    Resource,
    /// A dimension of one of its metrics.
    Dimension {
        /// Its name.
        name: String,
    },
    /// An attribute in the topology.
    Attribute {
        /// Its name.
        name: String,
    },
    /// A field of a change.
    Change {
        /// Its name.
        name: String,
    },
    /// A setting of the operator.
    Setting {
        /// Its name.
        name: String,
    },
    /// Only a person can know it.
    Person,
}

/// A parameter that nobody observed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MissingParameter {
    /// The parameter of the document.
    pub name: String,
    /// Where it was looked for.
    pub source: Wanted,
}

/// What can be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum SuggestedAction {
    /// A plan that can be approved as it is.
    Run {
        /// The plan.
        plan: Plan,
    },
    /// A runbook that fits, but some parameters must come from a person.
    Complete {
        /// The document.
        document: String,
        /// What it does to the world.
        effect: Effect,
        /// Parameters that were found.
        parameters: BTreeMap<String, Binding>,
        /// Parameters that were not.
        missing: Vec<MissingParameter>,
    },
    /// Documentation and checks: no safe automatic action fits.
    Read,
}

/// Why a playbook was matched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum MatchReason {
    /// It is for resources of this kind.
    ResourceKind {
        /// CloudFormation type.
        kind: String,
    },
    /// It is for this mechanism.
    Mechanism {
        /// The mechanism.
        mechanism: Mechanism,
    },
    /// A condition of it was observed.
    Signal {
        /// The item that met it.
        item: ItemId,
    },
}

impl Suggestion {
    /// Every item that is cited anywhere in it.
    #[must_use]
    pub fn cited(&self) -> Vec<ItemId> {
        let reasons = self.reasons.iter().filter_map(|r| match r {
            MatchReason::Signal { item } => Some(*item),
            MatchReason::ResourceKind { .. } | MatchReason::Mechanism { .. } => None,
        });
        let parameters = match &self.action {
            SuggestedAction::Run { plan } => Some(&plan.facts().parameters),
            SuggestedAction::Complete { parameters, .. } => Some(parameters),
            SuggestedAction::Read => None,
        };
        let origins = parameters.into_iter().flat_map(BTreeMap::values).filter_map(|b| b.origin.item());
        std::iter::once(self.hypothesis).chain(reasons).chain(origins).collect()
    }
}

impl Origin {
    /// The item that it rests on.
    #[must_use]
    pub fn item(&self) -> Option<ItemId> {
        match self {
            Self::Resource { item }
            | Self::Dimension { item, .. }
            | Self::Attribute { item, .. }
            | Self::Change { item, .. } => Some(*item),
            Self::Incident { .. } | Self::Constant | Self::Setting { .. } => None,
        }
    }
}

/// A suggestion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The hypothesis that it would act on.
    pub hypothesis: ItemId,
    /// The playbook.
    pub playbook: String,
    /// Place among the suggestions, from 1.
    pub rank: u32,
    /// Whether Tantei recommends it: never when all support is externally controllable.
    pub recommended: bool,
    /// Why it was matched.
    pub reasons: Vec<MatchReason>,
    /// What can be done.
    #[serde(flatten)]
    pub action: SuggestedAction,
}
