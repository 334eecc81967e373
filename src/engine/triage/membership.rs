//! Membership, as decisions say it: alarms enter, move, merge; nodes and investigations follow.

use super::decision::{InvestigationId, Outcome, Reason};
use super::incoming::{AlarmKey, Node, Scope, Severity};
use super::state::{Depth, Frozen, Investigation, NodeIx, State};
use crate::model::time::Timestamp;

impl State {
    /// Membership as the outcome says.
    pub(super) fn take(&mut self, alarm: &AlarmKey, outcome: &Outcome) {
        match outcome {
            Outcome::Opened { investigation, follows } => {
                let Some(member) = self.alarms.get(alarm) else { return };
                let (scope, node, at) = (member.last.scope.clone(), member.node, member.fresh);
                self.open_new(*investigation, scope, node, at, *follows);
                self.enter(alarm, *investigation, Reason::First, false);
            }
            Outcome::Joined { investigation, reason } => {
                self.enter(alarm, *investigation, reason.clone(), is_stated(reason));
            }
            Outcome::Counted { .. } => self.unhold(alarm),
            Outcome::Reopened { investigation, recurrence } => {
                self.unhold(alarm);
                let at = self.alarms.get(alarm).map_or(self.now, |m| m.fresh);
                self.reopen(*investigation, *recurrence, at);
                self.enter(alarm, *investigation, Reason::SameAlarm, false);
            }
            Outcome::RecordedOnly { .. } | Outcome::Duplicate { .. } => {}
        }
    }

    pub(super) fn open_new(
        &mut self,
        id: InvestigationId,
        scope: Scope,
        root: NodeIx,
        at: Timestamp,
        follows: Option<InvestigationId>,
    ) {
        self.last_investigation = self.last_investigation.max(id.0);
        let it = Investigation {
            scope,
            opened_at: self.now,
            began: at,
            last_new: at,
            alarms: std::collections::BTreeSet::new(),
            severity: Severity::Low,
            closed: None,
            merged_into: None,
            recurrence: 0,
            follows,
            depth: Depth::Waiting,
            frozen: None,
            root,
            unrecovered: 0,
        };
        self.investigations.insert(id, it);
        self.open.insert(id);
    }

    fn reopen(&mut self, id: InvestigationId, recurrence: u32, at: Timestamp) {
        let id = self.current(id);
        let Some(i) = self.investigations.get_mut(&id) else { return };
        i.closed = None;
        i.recurrence = recurrence;
        i.depth = Depth::Waiting;
        // It begins again: what was with it then counts from now.
        (i.began, i.last_new) = (at, at);
        self.open.insert(id);
        for node in self.nodes.values_mut().filter(|n| n.group == Some(id)) {
            node.onset = at;
        }
    }

    /// Puts an alarm into an investigation, taking it out of the one before when that is open.
    fn enter(&mut self, alarm: &AlarmKey, id: InvestigationId, reason: Reason, stated: bool) {
        let id = self.current(id);
        self.leave(alarm, id);
        let Some(member) = self.alarms.get_mut(alarm) else { return };
        let (node, at, is_new) = (member.node, member.fresh, member.investigation != Some(id));
        member.investigation = Some(id);
        member.stated = stated;
        let path = reason.path().to_vec();
        member.reason = Some(reason);
        if let Some(since) = member.ok_since.filter(|_| !member.recovered) {
            self.holding.insert((since, alarm.clone()));
        }
        let (recovered, incoming) = (member.recovered, member.last.clone());
        if let Some(i) = self.investigations.get_mut(&id) {
            if i.alarms.insert(alarm.clone()) && !recovered {
                i.unrecovered = i.unrecovered.saturating_add(1);
            }
            if is_new {
                i.began = i.began.min(at);
                i.last_new = i.last_new.max(at);
            }
            i.severity = i.severity.max(incoming.severity);
        }
        if let Some(value) = &incoming.dedupe {
            self.dedupes.insert((incoming.scope.account.clone(), value.clone()), id);
        }
        if let Some(service) = &incoming.service {
            self.services.insert((incoming.scope.clone(), service.clone()), id);
        }
        if !stated {
            self.settle(node, id, at, &path);
        }
    }

    /// Notes the investigation of a node and the way to its root.
    fn settle(&mut self, node: NodeIx, id: InvestigationId, at: Timestamp, path: &[Node]) {
        let path: Vec<NodeIx> = path.iter().filter_map(|n| self.names.get(n).copied()).collect();
        let known = self.nodes.get(&node).and_then(|n| n.group).is_some_and(|g| self.current(g) == id);
        if let Some(entry) = self.nodes.get_mut(&node) {
            if known {
                entry.onset = entry.onset.min(at);
            } else {
                entry.onset = at;
                entry.path = vec![node];
            }
            entry.group = Some(id);
            if !path.is_empty() {
                entry.path = path;
            }
        }
    }

    fn leave(&mut self, alarm: &AlarmKey, to: InvestigationId) {
        let Some(member) = self.alarms.get(alarm) else { return };
        let recovered = member.recovered;
        let Some(from) = member.investigation.map(|f| self.current(f)) else { return };
        if from == to || !self.open.contains(&from) {
            return;
        }
        if let Some(i) = self.investigations.get_mut(&from)
            && i.alarms.remove(alarm)
            && !recovered
        {
            i.unrecovered = i.unrecovered.saturating_sub(1);
        }
    }

    pub(super) fn reassigned(
        &mut self,
        node: &Node,
        from: InvestigationId,
        to: InvestigationId,
        reason: &Reason,
    ) {
        let Some(ix) = self.names.get(node).copied() else { return };
        let Some(entry) = self.nodes.get(&ix) else { return };
        let (onset, alarms) = (entry.onset, entry.alarms.clone());
        let from = self.current(from);
        for alarm in alarms {
            let Some(member) = self.alarms.get(&alarm) else { continue };
            let here = member.investigation.map(|i| self.current(i)) == Some(from);
            if here && !member.stated {
                self.enter(&alarm, to, reason.clone(), false);
            }
        }
        let path = reason.path();
        let to = self.current(to);
        self.settle(ix, to, onset, path);
        if let Some(entry) = self.nodes.get_mut(&ix) {
            entry.onset = onset;
            if path.is_empty() {
                entry.path = vec![ix];
            }
        }
        if let Some(root) = path.last().and_then(|n| self.names.get(n)).copied()
            && let Some(i) = self.investigations.get_mut(&to).filter(|i| i.root == ix)
        {
            i.root = root;
        }
    }

    pub(super) fn suspected(&mut self, node: &Node, id: InvestigationId, since: Timestamp) {
        let Some(ix) = self.names.get(node).copied() else { return };
        let id = self.current(id);
        if let Some(entry) = self.nodes.get_mut(&ix) {
            (entry.group, entry.onset, entry.path) = (Some(id), since, vec![ix]);
        }
    }

    pub(super) fn moved(
        &mut self,
        alarm: &AlarmKey,
        from: Option<InvestigationId>,
        to: InvestigationId,
        reason: &Reason,
    ) {
        self.enter(alarm, to, reason.clone(), true);
        let Some(node) = self.alarms.get(alarm).map(|m| m.node) else { return };
        let Some(entry) = self.nodes.get(&node).filter(|n| n.group == from) else { return };
        let stays = entry
            .alarms
            .iter()
            .any(|a| self.alarms.get(a).is_some_and(|m| m.investigation.map(|i| self.current(i)) == from));
        // The whole node went, so what comes of it later goes there, too.
        if !stays && let Some(entry) = self.nodes.get_mut(&node) {
            entry.group = Some(to);
            entry.path = vec![node];
        }
    }

    pub(super) fn merged(&mut self, from: InvestigationId, into: InvestigationId, reason: &Reason) {
        let stated = matches!(reason, Reason::Person { .. });
        let Some(gone) = self.investigations.get_mut(&from) else { return };
        let (alarms, began, last_new) = (std::mem::take(&mut gone.alarms), gone.began, gone.last_new);
        let (severity, unrecovered, frozen) =
            (gone.severity, std::mem::take(&mut gone.unrecovered), gone.frozen);
        let is_news = gone.depth != Depth::Finished;
        gone.merged_into = Some(into);
        gone.closed = Some(self.now);
        self.open.remove(&from);
        for alarm in &alarms {
            let Some(member) = self.alarms.get_mut(alarm) else { continue };
            member.investigation = Some(into);
            if stated || member.reason == Some(Reason::First) {
                member.reason = Some(reason.clone());
            }
            let node = member.node;
            if let Some(entry) = self.nodes.get_mut(&node)
                && entry.group == Some(from)
            {
                entry.group = Some(into);
            }
        }
        let root = self.investigations.get(&from).map(|i| i.root);
        if let Some(entry) = root.and_then(|r| self.nodes.get_mut(&r)).filter(|n| n.group == Some(from)) {
            // A suspected root has no alarm that would take it along.
            entry.group = Some(into);
        }
        let Some(i) = self.investigations.get_mut(&into) else { return };
        i.alarms.extend(alarms);
        i.began = i.began.min(began);
        i.last_new = i.last_new.max(last_new);
        i.severity = i.severity.max(severity);
        if is_news && i.depth == Depth::Finished {
            i.depth = Depth::Waiting;
        }
        i.unrecovered = i.unrecovered.saturating_add(unrecovered);
        i.frozen = i.frozen.max(frozen).max(freezing(reason));
        if let Reason::DependsOn { path } = reason
            && let Some(root) = path.last().and_then(|n| self.names.get(n))
        {
            i.root = *root;
        }
        self.forget_closed();
    }

    pub(super) fn split(&mut self, id: InvestigationId, from: InvestigationId) {
        let Some(old) = self.investigations.get_mut(&from) else { return };
        old.frozen = Some(Frozen::Person);
        let (scope, root, at) = (old.scope.clone(), old.root, old.began);
        self.open_new(id, scope, root, at, None);
        if let Some(i) = self.investigations.get_mut(&id) {
            i.frozen = Some(Frozen::Person);
        }
    }
}

/// Whether the reason is somebody's statement, which topology does not overrule.
fn is_stated(reason: &Reason) -> bool {
    match reason {
        Reason::SameDedupe { .. }
        | Reason::ChildOf { .. }
        | Reason::ParentOf { .. }
        | Reason::Person { .. } => true,
        Reason::First
        | Reason::SameNode
        | Reason::DependsOn { .. }
        | Reason::DependencyOf { .. }
        | Reason::SameService { .. }
        | Reason::SharedCause { .. }
        | Reason::SameAlarm => false,
    }
}

/// What a merge for this reason makes of the investigation.
fn freezing(reason: &Reason) -> Option<Frozen> {
    match reason {
        Reason::SharedCause { .. } => Some(Frozen::SharedCause),
        Reason::Person { .. } => Some(Frozen::Person),
        Reason::First
        | Reason::SameNode
        | Reason::DependsOn { .. }
        | Reason::DependencyOf { .. }
        | Reason::SameService { .. }
        | Reason::SameDedupe { .. }
        | Reason::ChildOf { .. }
        | Reason::ParentOf { .. }
        | Reason::SameAlarm => None,
    }
}
