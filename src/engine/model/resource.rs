//! Resources (what has an alarm, calls, deploys, fails) and the graph of who uses whom.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a resource as the source of telemetry spells it. Outside text: render with [`crate::model::text::plain`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceId(String);

impl ResourceId {
    /// Names a resource.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The name as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// A resource as the control plane or a trace described it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Its name.
    pub id: ResourceId,
    /// CloudFormation type such as `AWS::Lambda::Function`, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Identifiers that AWS calls need (`ClusterName`, `ServiceName`, `Arn` …), as observed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// How we know of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeOrigin {
    /// Stated by the service map or seen in traces.
    Observed,
    /// Concluded from telemetry that moves together.
    Inferred,
}

/// What an edge says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// The caller waits for the callee.
    Calls,
    /// The caller hands over work and does not wait (queues, topics, streams).
    Async,
    /// Any other dependency.
    DependsOn,
}

/// A directed dependency: `from` uses `to`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// The one that uses.
    pub from: ResourceId,
    /// The one that is used.
    pub to: ResourceId,
    /// What the edge says.
    pub kind: EdgeKind,
    /// How it is known.
    pub origin: EdgeOrigin,
}
