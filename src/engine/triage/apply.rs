//! The fold: what each decision does to the state. Decides nothing.

use super::decision::{Decision, InvestigationId, Only, Outcome, Reason, What};
use super::incoming::{AlarmKey, Incoming, Link, Node, Scope, Severity, Silence};
use super::state::{Depth, Frozen, Investigation, Member, NodeIx, State};
use super::{ALARMS_MAX, CLOSED_MAX, DELIVERIES_MAX, LINKS_MAX, TRANSITIONS_MAX};
use crate::model::alarm::AlarmState;
use crate::model::time::Timestamp;

impl State {
    /// Takes one decision in.
    pub(super) fn apply(&mut self, decision: &Decision) {
        self.seq = decision.seq;
        self.now = self.now.max(decision.at);
        match &decision.what {
            What::Received { incoming, outcome, .. } => self.received(incoming, outcome),
            What::Released { alarm, outcome } => self.released(alarm, outcome),
            What::Reassigned { node, from, to, reason } => self.reassigned(node, *from, *to, reason),
            What::Moved { alarm, from, to, reason } => self.moved(alarm, *from, *to, reason),
            What::Split { investigation, from, .. } => self.split(*investigation, *from),
            What::Merged { from, into, reason } => self.merged(*from, *into, reason),
            What::Flapping { alarm, flapping } => {
                if let Some(member) = self.alarms.get_mut(alarm) {
                    member.flapping = *flapping;
                }
            }
            What::Recovered { alarm } => self.recovered(alarm),
            What::Closed { investigation } => self.closed(*investigation),
            What::StormOpened { investigation, scope } => self.storm_opened(*investigation, scope),
            What::Deepened { investigation } => self.set_depth(*investigation, Depth::Deep),
            What::Folded { investigation, storm } => self.set_depth(*investigation, Depth::Folded(*storm)),
            What::Finished { investigation } => self.set_depth(*investigation, Depth::Finished),
            What::Learned { links } => self.learned(links),
            What::SilenceSet { silence, .. } => self.silence_set(silence),
            What::SilenceEnded { silence, .. } => self.silence_ended(silence),
        }
    }

    fn received(&mut self, incoming: &Incoming, outcome: &Outcome) {
        if self.delivered.insert(incoming.delivery.clone()) {
            self.deliveries.push_back(incoming.delivery.clone());
            if self.deliveries.len() > DELIVERIES_MAX {
                let oldest = self.deliveries.pop_front();
                oldest.map(|id| self.delivered.remove(&id));
            }
        }
        if let Outcome::Duplicate { .. } = outcome {
            if let Some(member) = self.alarms.get_mut(&incoming.alarm) {
                member.last_seen = self.now;
            }
            return;
        }
        let late = matches!(outcome, Outcome::RecordedOnly { why: Only::Late, .. });
        if let Outcome::RecordedOnly { why: Only::TooMany, .. } = outcome {
            return;
        }
        let node = self.intern(&incoming.node());
        self.note(incoming, node, late);
        if let Outcome::RecordedOnly { why: Only::Silenced { until, .. }, .. } = outcome {
            self.hold(&incoming.alarm, *until);
        }
        if let Outcome::RecordedOnly { why: Only::Suppressed { until, .. }, .. } = outcome {
            self.hold(&incoming.alarm, until.unwrap_or(Timestamp::from_secs(i64::MAX)));
        }
        self.take(&incoming.alarm, outcome);
    }

    fn released(&mut self, alarm: &AlarmKey, outcome: &Outcome) {
        self.unhold(alarm);
        if let Outcome::RecordedOnly { why: Only::Silenced { until, .. }, .. } = outcome {
            self.hold(alarm, *until);
        }
        if let Some(member) = self.alarms.get_mut(alarm) {
            member.fresh = self.now;
        }
        self.take(alarm, outcome);
    }

    /// Writes the transition down.
    fn note(&mut self, incoming: &Incoming, node: NodeIx, late: bool) {
        if !self.alarms.contains_key(&incoming.alarm) {
            self.make_room();
        }
        let now = self.now;
        let member = self.alarms.entry(incoming.alarm.clone()).or_insert_with(|| Member {
            last: incoming.clone(),
            last_seen: now,
            times: 0,
            investigation: None,
            reason: None,
            flapping: false,
            ok_since: None,
            recovered: false,
            held: None,
            stated: false,
            fresh: incoming.at,
            node,
            recent: std::collections::VecDeque::new(),
        });
        member.last_seen = now;
        member.recent.push_back((incoming.at, incoming.state));
        member.recent.make_contiguous().sort();
        if member.recent.len() > TRANSITIONS_MAX {
            member.recent.pop_front();
        }
        if late {
            return;
        }
        member.last = incoming.clone();
        member.fresh = incoming.at;
        if let Some(entry) = self.nodes.get_mut(&node) {
            entry.alarms.insert(incoming.alarm.clone());
        }
        if member.node != node {
            let before = std::mem::replace(&mut member.node, node);
            self.nodes.get_mut(&before).map(|n| n.alarms.remove(&incoming.alarm));
        }
        match incoming.state {
            AlarmState::Ok => self.is_ok(&incoming.alarm, incoming.at),
            AlarmState::Alarm => self.fires(incoming),
            AlarmState::InsufficientData => {}
        }
    }

    fn is_ok(&mut self, alarm: &AlarmKey, at: Timestamp) {
        self.unhold(alarm);
        let since = at.max(self.now);
        let Some(member) = self.alarms.get_mut(alarm) else { return };
        if member.ok_since.is_none() {
            member.ok_since = Some(since);
            if member.investigation.is_some() {
                self.holding.insert((since, alarm.clone()));
            }
        }
    }

    fn fires(&mut self, incoming: &Incoming) {
        for child in &incoming.children {
            self.parents.insert(child.clone(), incoming.alarm.clone());
        }
        let Some(member) = self.alarms.get_mut(&incoming.alarm) else { return };
        member.times = member.times.saturating_add(1);
        if let Some(since) = member.ok_since.take() {
            self.holding.remove(&(since, incoming.alarm.clone()));
        }
        if std::mem::take(&mut member.recovered)
            && let Some(id) = member.investigation
        {
            let id = self.current(id);
            if let Some(i) = self.investigations.get_mut(&id) {
                i.unrecovered = i.unrecovered.saturating_add(1);
            }
        }
    }

    fn hold(&mut self, alarm: &AlarmKey, until: Timestamp) {
        self.unhold(alarm);
        if let Some(member) = self.alarms.get_mut(alarm) {
            member.held = Some(until);
            self.held.insert((until, alarm.clone()));
        }
    }

    fn unhold(&mut self, alarm: &AlarmKey) {
        if let Some(until) = self.alarms.get_mut(alarm).and_then(|m| m.held.take()) {
            self.held.remove(&(until, alarm.clone()));
        }
    }

    /// Membership as the outcome says.
    fn take(&mut self, alarm: &AlarmKey, outcome: &Outcome) {
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
                self.reopen(*investigation, *recurrence);
                self.enter(alarm, *investigation, Reason::SameAlarm, false);
            }
            Outcome::RecordedOnly { .. } | Outcome::Duplicate { .. } => {}
        }
    }

    fn open_new(
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

    fn reopen(&mut self, id: InvestigationId, recurrence: u32) {
        let id = self.current(id);
        let Some(i) = self.investigations.get_mut(&id) else { return };
        i.closed = None;
        i.recurrence = recurrence;
        i.depth = Depth::Waiting;
        self.open.insert(id);
    }

    /// Puts an alarm into an investigation, taking it out of the one before when that is open.
    fn enter(&mut self, alarm: &AlarmKey, id: InvestigationId, reason: Reason, stated: bool) {
        let id = self.current(id);
        self.leave(alarm, id);
        let Some(member) = self.alarms.get_mut(alarm) else { return };
        let (node, at, is_new) = (member.node, member.fresh, member.investigation != Some(id));
        member.investigation = Some(id);
        member.stated = stated;
        let path = match &reason {
            Reason::DependsOn { path } => path.clone(),
            _ => Vec::new(),
        };
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

    fn reassigned(&mut self, node: &Node, from: InvestigationId, to: InvestigationId, reason: &Reason) {
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
        let path: &[Node] = match reason {
            Reason::DependsOn { path } => path,
            _ => &[],
        };
        let to = self.current(to);
        self.settle(ix, to, onset, path);
        if let Some(entry) = self.nodes.get_mut(&ix) {
            entry.onset = onset;
            if path.is_empty() {
                entry.path = vec![ix];
            }
        }
    }

    fn moved(
        &mut self,
        alarm: &AlarmKey,
        from: Option<InvestigationId>,
        to: InvestigationId,
        reason: &Reason,
    ) {
        self.enter(alarm, to, reason.clone(), true);
        let Some(node) = self.alarms.get(alarm).map(|m| m.node) else { return };
        let Some(entry) = self.nodes.get(&node).filter(|n| n.group == from) else { return };
        let stays = entry.alarms.iter().any(|a| {
            self.alarms.get(a).is_some_and(|m| m.investigation.map(|i| self.current(i)) == from)
        });
        // The whole node went, so what comes of it later goes there, too.
        if !stays && let Some(entry) = self.nodes.get_mut(&node) {
            entry.group = Some(to);
            entry.path = vec![node];
        }
    }

    fn merged(&mut self, from: InvestigationId, into: InvestigationId, reason: &Reason) {
        let stated = matches!(reason, Reason::Person { .. });
        let Some(gone) = self.investigations.get_mut(&from) else { return };
        let (alarms, began, last_new) = (std::mem::take(&mut gone.alarms), gone.began, gone.last_new);
        let (severity, unrecovered, frozen) = (gone.severity, std::mem::take(&mut gone.unrecovered), gone.frozen);
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
        let Some(i) = self.investigations.get_mut(&into) else { return };
        i.alarms.extend(alarms);
        i.began = i.began.min(began);
        i.last_new = i.last_new.max(last_new);
        i.severity = i.severity.max(severity);
        i.unrecovered = i.unrecovered.saturating_add(unrecovered);
        i.frozen = i.frozen.max(frozen).max(freezing(reason));
        if let Reason::DependsOn { path } = reason
            && let Some(root) = path.last().and_then(|n| self.names.get(n))
        {
            i.root = *root;
        }
    }

    fn split(&mut self, id: InvestigationId, from: InvestigationId) {
        let Some(old) = self.investigations.get_mut(&from) else { return };
        old.frozen = Some(Frozen::Person);
        let (scope, root, at) = (old.scope.clone(), old.root, old.began);
        self.open_new(id, scope, root, at, None);
        if let Some(i) = self.investigations.get_mut(&id) {
            i.frozen = Some(Frozen::Person);
        }
    }

    fn recovered(&mut self, alarm: &AlarmKey) {
        let Some(member) = self.alarms.get_mut(alarm) else { return };
        member.recovered = true;
        if let Some(since) = member.ok_since {
            self.holding.remove(&(since, alarm.clone()));
        }
        let Some(id) = member.investigation.map(|i| self.current(i)) else { return };
        if let Some(i) = self.investigations.get_mut(&id) {
            i.unrecovered = i.unrecovered.saturating_sub(1);
        }
    }

    fn closed(&mut self, id: InvestigationId) {
        if let Some(i) = self.investigations.get_mut(&id) {
            i.closed = Some(self.now);
            if i.depth == Depth::Storm {
                self.storms.remove(&i.scope.clone());
            }
        }
        self.open.remove(&id);
        if self.investigations.len() > CLOSED_MAX.saturating_add(self.open.len()) {
            self.forget_closed();
        }
    }

    fn storm_opened(&mut self, id: InvestigationId, scope: &Scope) {
        let now = self.now;
        self.open_new(id, scope.clone(), 0, now, None);
        self.set_depth(id, Depth::Storm);
        self.storms.insert(scope.clone(), id);
    }

    fn set_depth(&mut self, id: InvestigationId, depth: Depth) {
        if let Some(i) = self.investigations.get_mut(&id) {
            i.depth = depth;
        }
    }

    fn learned(&mut self, links: &[Link]) {
        for link in links.iter().filter(|l| l.caller != l.callee) {
            if self.links >= LINKS_MAX {
                return;
            }
            let (caller, callee) = (self.intern(&link.caller), self.intern(&link.callee));
            let is_new = self.nodes.get_mut(&caller).is_some_and(|n| n.callees.insert(callee));
            if is_new {
                self.links = self.links.saturating_add(1);
                self.nodes.get_mut(&callee).map(|n| n.callers.insert(caller));
            }
        }
    }

    fn silence_set(&mut self, silence: &Silence) {
        let now = self.now;
        self.silences.retain(|_, s| s.window.end > now);
        self.silences.insert(silence.id.clone(), silence.clone());
    }

    fn silence_ended(&mut self, id: &str) {
        self.silences.remove(id);
        // Whether another silence still covers them is decided when they are due, which is now.
        let held: Vec<AlarmKey> = self.held.iter().map(|(_, a)| a.clone()).collect();
        let now = self.now;
        for alarm in held {
            if self.alarms.get(&alarm).is_some_and(|m| m.last.suppressed.is_none()) {
                self.hold(&alarm, now);
            }
        }
    }

    /// Forgets the alarms that were heard of least recently and are in nothing open, a tenth at a time.
    fn make_room(&mut self) {
        if self.alarms.len() < ALARMS_MAX {
            return;
        }
        let mut idle: Vec<(Timestamp, AlarmKey)> = self
            .alarms
            .iter()
            .filter(|(_, m)| m.held.is_none() && !m.investigation.is_some_and(|i| self.is_open(self.current(i))))
            .map(|(k, m)| (m.last_seen, k.clone()))
            .collect();
        idle.sort();
        idle.truncate(ALARMS_MAX / 10);
        for (_, alarm) in idle {
            let Some(member) = self.alarms.remove(&alarm) else { continue };
            if let Some(since) = member.ok_since {
                self.holding.remove(&(since, alarm.clone()));
            }
            self.parents.retain(|_, parent| *parent != alarm);
            self.forget_node(member.node, &alarm);
        }
    }

    fn forget_node(&mut self, ix: NodeIx, alarm: &AlarmKey) {
        let Some(entry) = self.nodes.get_mut(&ix) else { return };
        entry.alarms.remove(alarm);
        if entry.alarms.is_empty() && entry.callers.is_empty() && entry.callees.is_empty() {
            let name = entry.name.clone();
            self.names.remove(&name);
            self.nodes.remove(&ix);
        }
    }

    /// Forgets the oldest closed investigations beyond the bound.
    fn forget_closed(&mut self) {
        let closed: Vec<InvestigationId> = self
            .investigations
            .iter()
            .filter(|(_, i)| i.closed.is_some())
            .map(|(id, _)| *id)
            .take(CLOSED_MAX / 10)
            .collect();
        for id in closed {
            self.investigations.remove(&id);
        }
        let known = &self.investigations;
        self.dedupes.retain(|_, id| known.contains_key(id));
        self.services.retain(|_, id| known.contains_key(id));
    }
}

/// Whether the reason is somebody's statement, which topology does not overrule.
fn is_stated(reason: &Reason) -> bool {
    match reason {
        Reason::SameDedupe { .. } | Reason::ChildOf { .. } | Reason::ParentOf { .. } | Reason::Person { .. } => true,
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
