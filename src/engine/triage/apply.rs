//! The fold: what each decision does to the state. Decides nothing.

use super::decision::{Decision, InvestigationId, Only, Outcome, What};
use super::incoming::{AlarmKey, Incoming, Link, Scope, Silence, Silenced};
use super::state::{Depth, Member, NodeIx, State};
use super::{
    ALARMS_MAX, CHILDREN_MAX, CLOSED_MAX, DELIVERIES_MAX, LINKS_MAX, SILENCES_PAST_MAX, TRANSITIONS_MAX,
};
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
            What::Suspected { node, investigation, since } => self.suspected(node, *investigation, *since),
            What::Moved { alarm, from, to, reason } => self.moved(alarm, *from, *to, reason),
            What::Split { investigation, from, .. } => self.split(*investigation, *from),
            What::Merged { from, into, reason } => self.merged(*from, *into, reason),
            What::Flapping { alarm, flapping } => {
                if let Some(member) = self.alarms.get_mut(alarm) {
                    member.flapping = *flapping;
                }
            }
            What::Recovered { alarm } => self.recovered(alarm),
            What::Closed { investigation } | What::Ended { investigation, .. } => {
                self.closed(*investigation);
            }
            What::Resumed { investigation, .. } => self.resumed(*investigation),
            What::StormOpened { investigation, scope } => self.storm_opened(*investigation, scope),
            What::Deepened { investigation } => self.set_depth(*investigation, Depth::Deep),
            What::Folded { investigation, storm } => self.set_depth(*investigation, Depth::Folded(*storm)),
            What::Finished { investigation } => self.set_depth(*investigation, Depth::Finished),
            What::Learned { links } => self.learned(links),
            What::SilenceSet { silence, person } => self.silence_set(silence, person),
            What::SilenceEnded { silence, person } => self.silence_ended(silence, person),
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
        for child in incoming.children.iter().take(CHILDREN_MAX) {
            if self.parents.len() >= ALARMS_MAX {
                break;
            }
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

    pub(super) fn hold(&mut self, alarm: &AlarmKey, until: Timestamp) {
        self.unhold(alarm);
        if let Some(member) = self.alarms.get_mut(alarm) {
            member.held = Some(until);
            self.held.insert((until, alarm.clone()));
        }
    }

    pub(super) fn unhold(&mut self, alarm: &AlarmKey) {
        if let Some(until) = self.alarms.get_mut(alarm).and_then(|m| m.held.take()) {
            self.held.remove(&(until, alarm.clone()));
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
        self.forget_closed();
    }

    fn resumed(&mut self, id: InvestigationId) {
        if let Some(i) = self.investigations.get_mut(&id) {
            i.closed = None;
            i.depth = Depth::Waiting;
            self.open.insert(id);
        }
    }

    fn storm_opened(&mut self, id: InvestigationId, scope: &Scope) {
        let now = self.now;
        self.open_new(id, scope.clone(), 0, now, None);
        self.set_depth(id, Depth::Storm);
        self.storms.insert(scope.clone(), id);
    }

    pub(super) fn set_depth(&mut self, id: InvestigationId, depth: Depth) {
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

    fn silence_set(&mut self, silence: &Silence, person: &str) {
        let now = self.now;
        let past = self.silences.values().filter(|s| !s.is_live(now));
        let mut past: Vec<(Timestamp, String)> =
            past.map(|s| (s.ended_at.unwrap_or(s.silence.window.end), s.silence.id.clone())).collect();
        past.sort();
        past.truncate(past.len().saturating_sub(SILENCES_PAST_MAX));
        for (_, id) in past {
            self.silences.remove(&id);
        }
        let silenced = Silenced {
            silence: silence.clone(),
            set_at: now,
            set_by: person.to_owned(),
            ended_at: None,
            ended_by: None,
        };
        self.silences.insert(silence.id.clone(), silenced);
    }

    fn silence_ended(&mut self, id: &str, person: &str) {
        if let Some(silenced) = self.silences.get_mut(id) {
            (silenced.ended_at, silenced.ended_by) = (Some(self.now), Some(person.to_owned()));
        }
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
            .filter(|(_, m)| {
                m.held.is_none() && !m.investigation.is_some_and(|i| self.is_open(self.current(i)))
            })
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

    /// Forgets the oldest closed investigations beyond the bound, a tenth at a time.
    pub(super) fn forget_closed(&mut self) {
        if self.investigations.len() <= CLOSED_MAX.saturating_add(self.open.len()) {
            return;
        }
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
