//! One message: is it new, what became of it, what follows for others.

use std::collections::{BTreeMap, BTreeSet};

use super::decision::{Identity, InvestigationId, Only, Outcome, Reason, What};
use super::elect::{Paths, elect};
use super::incoming::{AlarmKey, Incoming, Node};
use super::state::{Depth, Frozen, NodeIx};
use super::{
    ALARMS_MAX, RECUR_S, SHARED_ALARMS_MIN, SHARED_ROOTS_MIN, SHARED_S, SUSPECT_MIN, VOTE_HALF_S, Work,
};
use crate::model::alarm::AlarmState;
use crate::model::time::Timestamp;

/// Microseconds by which the times of copies of one transition differ: services send them as floating-point seconds, which
/// readers cut to milliseconds. No alarm comes back to a state within them.
const SAME_MICROS: i64 = 2_000;

impl Work<'_> {
    /// Records the message with its one outcome, then what follows from it.
    pub(super) fn receive(&mut self, incoming: &Incoming) {
        let outcome = self.recorded_only(incoming);
        let (outcome, paths) = match outcome {
            Some(outcome) => (outcome, Paths::new()),
            None => self.firing(incoming, incoming.at),
        };
        let flapping = self.state.alarms.get(&incoming.alarm).is_some_and(|m| m.flapping);
        let notify = !flapping && matches!(outcome, Outcome::Opened { .. } | Outcome::Reopened { .. });
        let member = is_membership(&outcome);
        self.decide(What::Received { incoming: Box::new(incoming.clone()), outcome, notify });
        let restless = self.state.alarms.get(&incoming.alarm).filter(|m| m.is_restless() != m.flapping);
        if let Some(flapping) = restless.map(|m| !m.flapping) {
            self.decide(What::Flapping { alarm: incoming.alarm.clone(), flapping });
        }
        if member {
            self.follow(&incoming.alarm, incoming.at, &paths);
        }
    }

    /// The outcome of a message that starts nothing.
    fn recorded_only(&self, incoming: &Incoming) -> Option<Outcome> {
        let investigation = self.state.shown(&incoming.alarm, &incoming.node());
        let known = self.state.alarms.get(&incoming.alarm);
        let duplicate = |by| Some(Outcome::Duplicate { by, investigation });
        if self.state.delivered.contains(&incoming.delivery) {
            return duplicate(Identity::Delivery);
        }
        let same = |(at, state): &(Timestamp, AlarmState)| {
            *state == incoming.state && (at.micros() - incoming.at.micros()).abs() <= SAME_MICROS
        };
        if known.is_some_and(|m| m.recent.iter().any(same)) {
            return duplicate(Identity::Transition);
        }
        let only = |why| Some(Outcome::RecordedOnly { investigation, why });
        if known.is_some_and(|m| incoming.at < m.last.at) {
            return only(Only::Late);
        }
        if known.is_none() && self.is_full() {
            return only(Only::TooMany);
        }
        match incoming.state {
            AlarmState::Ok => return only(Only::Ok),
            AlarmState::InsufficientData => return only(Only::NoData),
            AlarmState::Alarm => {}
        }
        if let Some(s) = &incoming.suppressed
            && s.until.is_none_or(|u| u > self.now)
        {
            return only(Only::Suppressed { reason: s.reason.clone(), until: s.until });
        }
        self.silenced(incoming).and_then(only)
    }

    /// The silence that covers the alarm for longest.
    pub(super) fn silenced(&self, incoming: &Incoming) -> Option<Only> {
        let live = self.state.silences.values().filter(|s| s.is_live(self.now)).map(|s| &s.silence);
        let silences = live.filter(|s| s.covers(incoming, self.now));
        let longest = silences.max_by_key(|s| s.window.end)?;
        Some(Only::Silenced { silence: longest.id.clone(), until: longest.window.end })
    }

    fn is_full(&self) -> bool {
        let state = &self.state;
        state.alarms.len() >= ALARMS_MAX
            && state
                .alarms
                .values()
                .all(|m| m.held.is_some() || m.investigation.is_some_and(|i| state.is_open(state.current(i))))
    }

    /// What an alarm that fires does: `at` is when that began to count.
    pub(super) fn firing(&mut self, incoming: &Incoming, at: Timestamp) -> (Outcome, Paths) {
        let node = self.state.intern(&incoming.node());
        let known = self.state.alarms.get(&incoming.alarm);
        let times = known.map_or(0, |m| m.times).saturating_add(1);
        let before = known.and_then(|m| m.investigation).map(|i| self.state.current(i));
        if let Some(id) = before {
            if self.state.is_open(id) {
                return (Outcome::Counted { investigation: id, times }, Paths::new());
            }
            if let Some(i) = self.state.investigations.get(&id)
                && i.closed.is_some_and(|c| self.now.secs_since(c) <= RECUR_S)
            {
                let recurrence = i.recurrence.saturating_add(1);
                return (Outcome::Reopened { investigation: id, recurrence }, Paths::new());
            }
        }
        let joined = |(investigation, reason)| Outcome::Joined { investigation, reason };
        if let Some(stated) = self.stated(incoming) {
            return (joined(stated), Paths::new());
        }
        if let Some(id) = self.state.group_at(node, at) {
            let path = self.state.nodes.get(&node).map(|n| n.path.clone()).unwrap_or_default();
            return (joined((id, self.because(&path))), Paths::new());
        }
        let paths = elect(self.state, node, at);
        let found = self.by_topology(node, at, &paths).or_else(|| self.by_service(incoming, node, at));
        let opened = Outcome::Opened { investigation: self.next_id(), follows: before };
        (found.map_or(opened, joined), paths)
    }

    fn because(&self, path: &[NodeIx]) -> Reason {
        if path.len() > 1 { Reason::DependsOn { path: self.state.names_of(path) } } else { Reason::SameNode }
    }

    /// What people stated goes before what is concluded.
    fn stated(&self, incoming: &Incoming) -> Option<(InvestigationId, Reason)> {
        let open = |id: InvestigationId| Some(self.state.current(id)).filter(|i| self.state.is_open(*i));
        let of = |m: &super::Member| m.investigation.and_then(open);
        if let Some(key) = self.state.parents.get(&incoming.alarm.arn)
            && let Some(parent) = self.state.alarms.get(key).filter(|m| m.ok_since.is_none())
            && let Some(id) = of(parent)
        {
            return Some((id, Reason::ChildOf { composite: key.arn.clone() }));
        }
        if let Some(value) = &incoming.dedupe {
            let key = (incoming.scope.account.clone(), value.clone());
            if let Some(id) = self.state.dedupes.get(&key).copied().and_then(open) {
                return Some((id, Reason::SameDedupe { value: value.clone() }));
            }
        }
        let children = incoming.children.iter().flat_map(|arn| self.alarms_of(arn));
        let oldest = children.filter_map(|c| Some((of(self.state.alarms.get(&c)?)?, c))).min();
        oldest.map(|(id, child)| (id, Reason::ParentOf { child: child.arn }))
    }

    /// The alarm with this ARN, or its contributors.
    fn alarms_of(&self, arn: &str) -> Vec<AlarmKey> {
        let first = AlarmKey { arn: arn.to_owned(), contributor: None };
        self.state.alarms.range(first..).map(|(k, _)| k).take_while(|k| k.arn == arn).cloned().collect()
    }

    fn by_topology(&self, node: NodeIx, at: Timestamp, paths: &Paths) -> Option<(InvestigationId, Reason)> {
        let own = paths.get(&node)?;
        let root = own.last().copied()?;
        if root != node {
            return Some((self.state.group_at(root, at)?, self.because(own)));
        }
        // It is the deepest: it takes the oldest of those over whose root it is.
        let above = paths.iter().filter(|(n, path)| **n != node && path.last() == Some(&node));
        let group = |n: NodeIx| self.state.group_at(n, at);
        let taken = above.filter_map(|(n, _)| Some((group(*n)?, *n)));
        let taken = taken.filter(|(g, n)| self.state.investigations.get(g).is_some_and(|i| i.root == *n));
        let member = taken.min().or_else(|| {
            let callers = self.state.nodes.get(&node).map(|n| n.callers.clone()).unwrap_or_default();
            callers
                .into_iter()
                .filter_map(|c| Some((group(c)?, c)))
                .filter(|(g, _)| self.state.is_frozen(*g))
                .min()
        });
        let (id, member) = member?;
        Some((id, Reason::DependencyOf { member: self.state.nodes.get(&member)?.name.clone() }))
    }

    fn by_service(
        &self,
        incoming: &Incoming,
        node: NodeIx,
        at: Timestamp,
    ) -> Option<(InvestigationId, Reason)> {
        let entry = self.state.nodes.get(&node)?;
        if !entry.callers.is_empty() || !entry.callees.is_empty() {
            return None;
        }
        let service = incoming.service.clone()?;
        let id = *self.state.services.get(&(incoming.scope.clone(), service.clone()))?;
        let id = self.state.current(id);
        self.state.accepts(id, at).then_some((id, Reason::SameService { service }))
    }

    /// What follows for others from a membership.
    pub(super) fn follow(&mut self, alarm: &AlarmKey, at: Timestamp, paths: &Paths) {
        self.reassign(at, paths);
        if !paths.is_empty() {
            self.suspect(alarm, at);
        }
        self.children(alarm);
        self.shared_cause(alarm, at);
    }

    /// A dependency without an alarm is the likely cause when most of what uses it fires, began together, and depends on nothing
    /// else that fires.
    fn suspect(&mut self, alarm: &AlarmKey, at: Timestamp) {
        let Some(node) = self.state.alarms.get(alarm).map(|m| m.node) else { return };
        let callees = self.state.nodes.get(&node).map(|n| n.callees.clone()).unwrap_or_default();
        for callee in callees {
            let Some((investigation, since)) = self.suspicion(node, callee, at) else { continue };
            let Some(name) = self.state.nodes.get(&callee).map(|n| n.name.clone()) else { continue };
            self.decide(What::Suspected { node: name, investigation, since });
            let paths = elect(self.state, callee, at);
            self.reassign(at, &paths);
        }
    }

    /// The oldest investigation among callers that nothing else explains, and when the first of them began.
    fn suspicion(&self, node: NodeIx, callee: NodeIx, at: Timestamp) -> Option<(InvestigationId, Timestamp)> {
        let state = &*self.state;
        let callers = &state.nodes.get(&callee).filter(|_| state.group_at(callee, at).is_none())?.callers;
        let fire = |ix: &NodeIx| Some((*ix, state.nodes.get(ix)?, state.group_at(*ix, at)?));
        let firing: Vec<_> = callers.iter().filter_map(fire).collect();
        if firing.len() < SUSPECT_MIN || firing.len() * 2 <= callers.len() {
            return None;
        }
        let own = state.nodes.get(&node)?.onset;
        let unexplained = firing.into_iter().filter(|(ix, n, group)| {
            n.root(*ix) == *ix
                && !state.is_frozen(*group)
                && n.onset.secs_since(own).saturating_abs() <= VOTE_HALF_S
        });
        let (groups, onsets): (BTreeSet<_>, Vec<_>) =
            unexplained.map(|(_, n, group)| (group, n.onset)).unzip();
        if groups.len() < 2 {
            return None;
        }
        Some((groups.into_iter().min()?, onsets.into_iter().min()?))
    }

    /// Brings investigations and members in line with the ways to the roots.
    pub(super) fn reassign(&mut self, at: Timestamp, paths: &Paths) {
        for (node, path) in paths {
            let Some((from, to)) = self.ends(*node, path, at).filter(|(from, to)| from != to) else {
                continue;
            };
            let ruled =
                |id| self.state.investigations.get(&id).is_some_and(|i| i.frozen != Some(Frozen::Person));
            let is_root = self.state.investigations.get(&from).is_some_and(|i| i.root == *node);
            if is_root && !self.state.is_frozen(from) && ruled(to) {
                let reason = self.because(path);
                self.decide(What::Merged { from: from.max(to), into: from.min(to), reason });
            }
        }
        for (node, path) in paths {
            let Some((from, to)) = self.ends(*node, path, at) else { continue };
            let Some(entry) = self.state.nodes.get(node) else { continue };
            if from == to && (entry.root(*node) == path.last().copied().unwrap_or(*node)) {
                continue;
            }
            let (name, reason) = (entry.name.clone(), self.because(path));
            self.decide(What::Reassigned { node: name, from, to, reason: reason.clone() });
            self.end_if_empty(from, to, reason);
        }
    }

    /// The node's investigation and that of its root.
    fn ends(
        &self,
        node: NodeIx,
        path: &[NodeIx],
        at: Timestamp,
    ) -> Option<(InvestigationId, InvestigationId)> {
        let root = path.last().copied()?;
        Some((self.state.group_at(node, at)?, self.state.group_at(root, at)?))
    }

    pub(super) fn end_if_empty(&mut self, from: InvestigationId, into: InvestigationId, reason: Reason) {
        let empty = self.state.investigations.get(&from).is_some_and(|i| i.alarms.is_empty());
        if from != into && empty && self.state.is_open(from) {
            self.decide(What::Merged { from, into, reason });
        }
    }

    /// Children of a composite alarm that fires go where it is, unless a person said otherwise.
    fn children(&mut self, alarm: &AlarmKey) {
        let Some(member) = self.state.alarms.get(alarm) else { return };
        let Some(to) = member.investigation.map(|i| self.state.current(i)) else { return };
        let children: Vec<AlarmKey> =
            member.last.children.iter().flat_map(|arn| self.alarms_of(arn)).collect();
        for child in children {
            let Some(member) = self.state.alarms.get(&child) else { continue };
            let from = member.investigation.map(|i| self.state.current(i));
            let by_person = matches!(member.reason, Some(Reason::Person { .. }));
            if let Some(from) = from.filter(|f| *f != to && self.state.is_open(*f) && !by_person) {
                let reason = Reason::ChildOf { composite: alarm.arn.clone() };
                self.decide(What::Moved { alarm: child, from: Some(from), to, reason: reason.clone() });
                self.end_if_empty(from, to, reason);
            }
        }
    }

    /// Unrelated dependencies of one scope that began together have one cause, though no edge shows it: a zone, a network,
    /// a quota. It takes several of them, each seen by more than one alarm, and a topology in which they are unrelated:
    /// time alone joins nothing.
    fn shared_cause(&mut self, alarm: &AlarmKey, at: Timestamp) {
        let state = &*self.state;
        let Some(own) = state.alarms.get(alarm).and_then(|m| m.investigation).map(|i| state.current(i))
        else {
            return;
        };
        let Some(centre) = state.investigations.get(&own) else { return };
        let mut near: BTreeMap<InvestigationId, (Node, bool)> = BTreeMap::new();
        for id in &state.open {
            let Some(i) = state.investigations.get(id) else { continue };
            let together = i.began.secs_since(centre.began).saturating_abs() <= SHARED_S;
            let seen =
                i.alarms.len() >= SHARED_ALARMS_MIN && i.depth != Depth::Storm && state.accepts(*id, at);
            let Some(root) = state.nodes.get(&i.root) else { continue };
            let placed = !root.callers.is_empty() || !root.callees.is_empty();
            if i.scope == centre.scope && together && seen && placed && i.frozen != Some(Frozen::Person) {
                near.insert(*id, (root.name.clone(), i.frozen == Some(Frozen::SharedCause)));
            }
        }
        let enough =
            near.len() >= SHARED_ROOTS_MIN || (near.len() > 1 && near.values().any(|(_, shared)| *shared));
        if !enough || !near.contains_key(&own) {
            return;
        }
        let roots: Vec<Node> = near.values().map(|(root, _)| root.clone()).collect();
        let mut ids = near.into_keys();
        let Some(into) = ids.next() else { return };
        for from in ids {
            self.decide(What::Merged { from, into, reason: Reason::SharedCause { roots: roots.clone() } });
        }
    }
}

/// Whether the outcome put an alarm into an investigation, or found it there.
pub(super) fn is_membership(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Opened { .. }
        | Outcome::Joined { .. }
        | Outcome::Reopened { .. }
        | Outcome::Counted { .. } => true,
        Outcome::RecordedOnly { .. } | Outcome::Duplicate { .. } => false,
    }
}
