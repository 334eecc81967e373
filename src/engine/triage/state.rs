//! What triage knows: alarms, nodes, investigations and the look-ups between them.
//!
//! Changed by `apply` alone. Everything here is bounded, see the constants of the module.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::decision::{InvestigationId, Reason};
use super::incoming::{AlarmKey, Incoming, Node, Scope, Severity, Silenced};
use super::{ACCEPT_S, FLAP_CHANGES, FLAP_S, LIFE_S, pairs};
use crate::model::alarm::AlarmState;
use crate::model::time::Timestamp;

/// Number of a node, in order of appearance.
pub(super) type NodeIx = u32;

/// An alarm that was heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The newest transition.
    pub last: Incoming,
    /// When the last delivery of it was received.
    pub last_seen: Timestamp,
    /// How often it fired, duplicates not counted.
    pub times: u64,
    /// The investigation that it is or was in.
    pub investigation: Option<InvestigationId>,
    /// Why it is there.
    pub reason: Option<Reason>,
    /// Whether it changes too often.
    pub flapping: bool,
    /// Since when it is OK; none while it fires.
    pub ok_since: Option<Timestamp>,
    /// Whether OK has held.
    pub recovered: bool,
    /// Until when it is held back, while it fires under a silence; the end of time when nobody said.
    pub held: Option<Timestamp>,
    /// Whether its membership was stated rather than concluded, so that topology does not move it.
    pub(super) stated: bool,
    /// From when its membership counts: its change, or the end of what held it back.
    pub(super) fresh: Timestamp,
    pub(super) node: NodeIx,
    pub(super) recent: VecDeque<(Timestamp, AlarmState)>,
}

impl Member {
    /// Changes between firing and OK in the hour before the newest one.
    pub(super) fn is_restless(&self) -> bool {
        let Some((newest, _)) = self.recent.back() else { return false };
        let changes = self
            .recent
            .iter()
            .filter(|(at, state)| newest.secs_since(*at) < FLAP_S && *state != AlarmState::InsufficientData);
        changes.count() > FLAP_CHANGES
    }
}

/// Who works on an investigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// It waits for a place.
    Waiting,
    /// It has a place among the deep ones.
    Deep,
    /// The storm's investigation looks after it.
    Folded(InvestigationId),
    /// The deep work is done.
    Finished,
    /// It is a storm's investigation itself: an overview.
    Storm,
}

/// Why rules may no longer take members out of an investigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frozen {
    /// Unrelated dependencies began together.
    SharedCause,
    /// A person split or merged it.
    Person,
}

/// An investigation as triage sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Investigation {
    /// Where it began.
    pub scope: Scope,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The earliest change of a member, by the source's clock.
    pub began: Timestamp,
    /// The latest first change of a member, by the source's clock.
    pub last_new: Timestamp,
    /// Its members.
    pub alarms: BTreeSet<AlarmKey>,
    /// The worst severity of its members so far.
    pub severity: Severity,
    /// When it was closed; none while open.
    pub closed: Option<Timestamp>,
    /// Where its members went.
    pub merged_into: Option<InvestigationId>,
    /// How often it came back after it was closed.
    pub recurrence: u32,
    /// The investigation of the same alarm that was closed too long ago to be this one.
    pub follows: Option<InvestigationId>,
    /// Who works on it.
    pub depth: Depth,
    /// Set when rules may no longer take members out of it.
    pub frozen: Option<Frozen>,
    pub(super) root: NodeIx,
    pub(super) unrecovered: u64,
}

/// A node of the topology or of an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NodeEntry {
    pub(super) name: Node,
    pub(super) callers: BTreeSet<NodeIx>,
    pub(super) callees: BTreeSet<NodeIx>,
    /// The investigation that its alarms belong to, unless stated otherwise for one of them.
    pub(super) group: Option<InvestigationId>,
    /// First change of an alarm of it in that investigation.
    pub(super) onset: Timestamp,
    /// From it to the deepest node that fires, both included.
    pub(super) path: Vec<NodeIx>,
    pub(super) alarms: BTreeSet<AlarmKey>,
}

impl NodeEntry {
    /// The deepest node that fires below it.
    pub(super) fn root(&self, own: NodeIx) -> NodeIx {
        self.path.last().copied().unwrap_or(own)
    }
}

/// All that triage knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) seq: u64,
    pub(super) now: Timestamp,
    pub(super) last_investigation: u64,
    #[serde(with = "pairs")]
    pub(super) names: BTreeMap<Node, NodeIx>,
    pub(super) nodes: BTreeMap<NodeIx, NodeEntry>,
    pub(super) last_node: NodeIx,
    pub(super) links: usize,
    #[serde(with = "pairs")]
    pub(super) alarms: BTreeMap<AlarmKey, Member>,
    #[serde(with = "pairs")]
    pub(super) investigations: BTreeMap<InvestigationId, Investigation>,
    pub(super) open: BTreeSet<InvestigationId>,
    pub(super) deliveries: VecDeque<String>,
    pub(super) delivered: BTreeSet<String>,
    /// Those that ended as well, up to a bound.
    pub(super) silences: BTreeMap<String, Silenced>,
    /// Alarms whose OK must still hold, by the time from which it has held since.
    pub(super) holding: BTreeSet<(Timestamp, AlarmKey)>,
    /// Alarms that are held back, by the time when that ends.
    pub(super) held: BTreeSet<(Timestamp, AlarmKey)>,
    /// Composite alarms by the ARN of a child.
    pub(super) parents: BTreeMap<String, AlarmKey>,
    #[serde(with = "pairs")]
    pub(super) dedupes: BTreeMap<(String, String), InvestigationId>,
    #[serde(with = "pairs")]
    pub(super) services: BTreeMap<(Scope, String), InvestigationId>,
    #[serde(with = "pairs")]
    pub(super) storms: BTreeMap<Scope, InvestigationId>,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            seq: 0,
            now: Timestamp::from_secs(i64::MIN),
            last_investigation: 0,
            names: BTreeMap::new(),
            nodes: BTreeMap::new(),
            last_node: 0,
            links: 0,
            alarms: BTreeMap::new(),
            investigations: BTreeMap::new(),
            open: BTreeSet::new(),
            deliveries: VecDeque::new(),
            delivered: BTreeSet::new(),
            silences: BTreeMap::new(),
            holding: BTreeSet::new(),
            held: BTreeSet::new(),
            parents: BTreeMap::new(),
            dedupes: BTreeMap::new(),
            services: BTreeMap::new(),
            storms: BTreeMap::new(),
        }
    }

    /// The node's number, given out when it is new.
    pub(super) fn intern(&mut self, name: &Node) -> NodeIx {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        self.last_node = self.last_node.saturating_add(1);
        let entry = NodeEntry {
            name: name.clone(),
            callers: BTreeSet::new(),
            callees: BTreeSet::new(),
            group: None,
            onset: Timestamp::from_secs(0),
            path: Vec::new(),
            alarms: BTreeSet::new(),
        };
        self.nodes.insert(self.last_node, entry);
        self.names.insert(name.clone(), self.last_node);
        self.last_node
    }

    /// Follows merges to the investigation that goes on.
    pub(super) fn current(&self, id: InvestigationId) -> InvestigationId {
        let mut at = id;
        while let Some(next) = self.investigations.get(&at).and_then(|i| i.merged_into) {
            at = next;
        }
        at
    }

    pub(super) fn is_open(&self, id: InvestigationId) -> bool {
        self.open.contains(&id)
    }

    /// Whether a new alarm that changed at `at` may still belong to the investigation.
    pub(super) fn accepts(&self, id: InvestigationId, at: Timestamp) -> bool {
        self.is_open(id)
            && self.investigations.get(&id).is_some_and(|i| {
                i.depth != Depth::Storm
                    && at.secs_since(i.last_new) <= ACCEPT_S
                    && at.secs_since(i.began) <= LIFE_S
                    && i.began.secs_since(at) <= ACCEPT_S
            })
    }

    pub(super) fn is_frozen(&self, id: InvestigationId) -> bool {
        self.investigations.get(&id).is_some_and(|i| i.frozen.is_some())
    }

    /// The node's investigation, when an alarm of that time may join it.
    pub(super) fn group_at(&self, node: NodeIx, at: Timestamp) -> Option<InvestigationId> {
        self.nodes.get(&node).and_then(|n| n.group).filter(|g| self.accepts(*g, at))
    }

    /// Where something about this alarm is shown: its own investigation, else that of its node, if open.
    pub(super) fn shown(&self, alarm: &AlarmKey, node: &Node) -> Option<InvestigationId> {
        let own = self.alarms.get(alarm).and_then(|a| a.investigation).map(|id| self.current(id));
        own.or_else(|| {
            let group = self.names.get(node).and_then(|ix| self.nodes.get(ix)).and_then(|n| n.group);
            group.filter(|g| self.is_open(*g))
        })
    }

    /// Names of nodes.
    pub(super) fn names_of(&self, path: &[NodeIx]) -> Vec<Node> {
        path.iter().filter_map(|ix| self.nodes.get(ix)).map(|n| n.name.clone()).collect()
    }
}
