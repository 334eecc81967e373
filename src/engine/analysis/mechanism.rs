//! In which way a candidate is at fault: from what leads its account, and from how much it is asked to do.
//!
//! Says nothing of how likely it is: that is the ranking's.

use std::collections::BTreeSet;

use crate::model::alarm::Direction;
use crate::model::cause::{Mechanism, Part, PartKind};
use crate::model::observation::{Movement, Observation, Signal};
use crate::model::resource::ResourceId;

use super::ranking::Evidence;
use super::roles::{Role, by_name};
use super::topology::Graph;

/// Demand that rose to this many times its usual level is a surge…
const SURGE_RATIO: f64 = 1.5;

/// …when it left its range this clearly.
const SURGE_STRENGTH: f64 = 0.6;

/// A change this near to the onset explains more than a surge at the same time does.
const CHANGE_NEAR: f64 = 0.5;

/// What mechanisms are told apart by, gathered once for all candidates.
#[derive(Debug)]
pub struct Circumstances<'a> {
    /// Resources that are asked much more than usual.
    surged: BTreeSet<&'a ResourceId>,
    /// Resources of which the alarm's own metric is known.
    measured: usize,
}

impl<'a> Circumstances<'a> {
    /// Gathers them.
    #[must_use]
    pub fn of(evidence: &Evidence<'a>) -> Self {
        let observations = || evidence.observations.iter().map(|(_, o)| *o);
        Self {
            surged: observations().filter(|o| is_surge(o)).map(|o| &o.resource).collect(),
            measured: observations().filter(|o| o.impact().is_some()).count(),
        }
    }
}

/// The mechanism of a resource, by the part that leads its account.
#[must_use]
pub fn mechanism(
    evidence: &Evidence<'_>,
    circumstances: &Circumstances<'_>,
    resource: &ResourceId,
    lead: &Part,
    account: &[Part],
) -> Mechanism {
    let alarm = &evidence.scope.alarm;
    let failing = alarm.direction == Direction::Below
        || matches!(by_name(&alarm.metric), Role::Errors | Role::Availability);
    let mechanism = match lead.kind {
        PartKind::Impact if blind(&evidence.scope.graph, circumstances.measured, resource) => {
            Mechanism::UnobservedDependency
        }
        PartKind::Impact if failing => Mechanism::OwnErrors,
        PartKind::Impact | PartKind::OwnTime => Mechanism::OwnLatency,
        PartKind::OwnErrors => Mechanism::OwnErrors,
        PartKind::CallDelay => Mechanism::CallDelay,
        PartKind::Saturation => Mechanism::Saturation,
        PartKind::Logs => Mechanism::Behaviour,
        PartKind::Change => Mechanism::Unclear,
    };
    // Slow, failing or out of something: more work than usual explains each of them.
    let strained = matches!(lead.kind, PartKind::Impact | PartKind::OwnTime | PartKind::Saturation);
    let changed = account.iter().any(|p| p.kind == PartKind::Change && p.value >= CHANGE_NEAR);
    let surged = |r: &ResourceId| circumstances.surged.contains(r);
    if strained && !changed && surged(evidence.scope.target()) && surged(resource) {
        return Mechanism::Surge;
    }
    mechanism
}

/// Whether an observation shows that a resource is asked much more than usual.
fn is_surge(observation: &Observation) -> bool {
    match &observation.signal {
        Signal::MetricDeviation(m) => {
            by_name(&m.metric) == Role::Traffic
                && m.movement == Movement::Up
                && m.strength >= SURGE_STRENGTH
                && m.ratio.is_some_and(|r| r >= SURGE_RATIO)
        }
        Signal::TraceLink(_) | Signal::LogPattern(_) | Signal::Change(_) => false,
    }
}

/// Whether the resource uses others and the alarm's own metric is known of nothing else: what it passes on cannot be told
/// from what it does itself.
#[must_use]
pub fn blind(graph: &Graph, measured: usize, resource: &ResourceId) -> bool {
    measured <= 1 && !graph.callees(resource).is_empty()
}
