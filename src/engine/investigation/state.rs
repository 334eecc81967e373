//! The state of an investigation: a fold over its feed, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::scope::Scope;
use crate::analysis::topology::Graph;
use crate::model::alarm::{Alarm, AlarmTransition, Direction};
use crate::model::alarm_health::AlarmHealth;
use crate::model::cause::Mechanism;
use crate::model::execution::{Approval, Execution, Recovery, RunEvent};
use crate::model::feed::{
    Body, Concluded, Decision, DecisionKind, FeedItem, GENESIS, NewItem, Opened, Principal, Round, seal,
};
use crate::model::gap::Gap;
use crate::model::hypothesis::{Hypothesis, HypothesisFacts};
use crate::model::id::{ItemId, ItemKind};
use crate::model::num::u32_of;
use crate::model::observation::{Movement, Observation, Signal};
use crate::model::query::Source;
use crate::model::resource::{Edge, Resource, ResourceId};
use crate::model::suggestion::{Plan, SuggestedAction, Suggestion};
use crate::model::time::Timestamp;

/// What is known of an investigation.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// What is investigated.
    pub opened: Option<Opened>,
    /// Resources by identifier.
    pub resources: BTreeMap<ResourceId, (Resource, ItemId)>,
    /// Dependencies.
    pub edges: BTreeSet<Edge>,
    /// Alarm transitions.
    pub alarms: BTreeMap<ItemId, AlarmTransition>,
    /// What is wrong with alarms themselves.
    pub healths: BTreeMap<ItemId, AlarmHealth>,
    /// Observations, discarded ones included.
    pub observations: BTreeMap<ItemId, Observation>,
    /// Gaps.
    pub gaps: BTreeMap<ItemId, Gap>,
    /// The last round of collection, when there was more than the first.
    pub round: Option<Round>,
    /// Sources that were read in this round.
    pub collected: BTreeSet<Source>,
    /// Hypotheses.
    pub hypotheses: BTreeMap<ItemId, Hypothesis>,
    /// The last conclusion.
    pub concluded: Option<Concluded>,
    /// Whether something came after the last conclusion that may change it: a round, or a decision of a person.
    pub stale: bool,
    /// What of the evidence moved since the last conclusion.
    pub moved: Moved,
    /// Whether playbooks were matched since the last conclusion.
    pub matched: bool,
    /// Suggestions.
    pub suggestions: BTreeMap<ItemId, Suggestion>,
    /// Words of people on plans, in order.
    pub approvals: Vec<(ItemId, Approval, Timestamp)>,
    /// Events of runs, in order.
    pub executions: Vec<(ItemId, Execution, Timestamp)>,
    /// Judgements, in order.
    pub recoveries: Vec<(ItemId, Recovery)>,
    /// Items that a person discarded.
    pub discarded: BTreeSet<ItemId>,
    /// Items that a person accepted.
    pub accepted: BTreeSet<ItemId>,
    /// Resources that a round was steered to.
    pub steered: BTreeSet<ResourceId>,
    /// Items that later ones replaced, or that no longer hold.
    pub outdated: BTreeSet<ItemId>,
    counters: BTreeMap<ItemKind, u32>,
    last: Option<FeedItem>,
}

/// Observations that moved since the last conclusion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// That came, measured again or for the first time.
    pub came: u32,
    /// That were there before and no longer hold as they were.
    pub left: u32,
    /// That came and replaced one of before.
    pub again: u32,
}

/// Why an item cannot follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// It is not the next one of this chain.
    #[error("item `{0}` does not follow the last one of the feed")]
    OutOfChain(ItemId),
    /// It refers to something that does not exist.
    #[error("item `{0}` refers to `{1}`, which does not exist")]
    UnknownReference(ItemId, ItemId),
    /// Approvals, decisions and notes are people's.
    #[error("item `{0}` speaks for a person, but no person made it")]
    NotAPerson(ItemId),
    /// Nothing may come before the opening, and it comes once.
    #[error("item `{0}` stands where only the opening may, or the opening comes twice")]
    Opening(ItemId),
}

impl State {
    /// Gives a new item its place after everything that was applied. Does not apply it.
    #[must_use]
    pub fn seal(&self, item: NewItem, recorded_at: Timestamp) -> FeedItem {
        let number = self.counters.get(&item.body.kind()).copied().unwrap_or_default() + 1;
        seal(item, number, self.last.as_ref(), recorded_at)
    }

    /// Folds the next item in.
    ///
    /// # Errors
    /// When the item is not the next of the chain, or refers to an item that does not exist.
    pub fn apply(&mut self, item: &FeedItem) -> Result<(), ApplyError> {
        let (seq, prev) = self.last.as_ref().map_or((1, GENESIS), |l| (l.seq + 1, l.hash.as_str()));
        if item.seq != seq || item.prev != prev {
            return Err(ApplyError::OutOfChain(item.id));
        }
        let number = self.counters.get(&item.id.kind()).copied().unwrap_or_default() + 1;
        if item.id != ItemId::new(item.body.kind(), number) || !item.is_intact() {
            return Err(ApplyError::OutOfChain(item.id));
        }
        if matches!(item.body, Body::Opened(_)) != self.opened.is_none() {
            return Err(ApplyError::Opening(item.id));
        }
        let unknown = references(item).into_iter().find(|id| !self.exists(*id));
        if let Some(id) = unknown {
            return Err(ApplyError::UnknownReference(item.id, id));
        }
        if speaks_for_people(&item.body) && !matches!(item.by, Principal::Person { .. }) {
            return Err(ApplyError::NotAPerson(item.id));
        }
        self.fold(item);
        let counter = self.counters.entry(item.id.kind()).or_default();
        *counter = (*counter).max(item.id.number());
        self.last = Some(item.clone());
        Ok(())
    }

    fn fold(&mut self, item: &FeedItem) {
        let id = item.id;
        match &item.body {
            Body::Opened(opened) => self.opened = Some(opened.clone()),
            Body::Round(round) => {
                self.round = Some(round.clone());
                self.steered.extend(round.focus.iter().cloned());
                self.collected.clear();
                self.stale = true;
            }
            Body::Collected(collected) => {
                self.collected.insert(collected.source);
                self.outdate(&collected.outdated);
            }
            Body::Concluded(concluded) => {
                self.outdate(&concluded.outdated);
                self.concluded = Some(concluded.clone());
                self.matched = false;
                self.stale = false;
                self.moved = Moved::default();
            }
            Body::AlarmTransition(t) => drop(self.alarms.insert(id, t.clone())),
            Body::AlarmHealth(h) => drop(self.healths.insert(id, h.clone())),
            Body::Topology(t) => {
                for resource in &t.resources {
                    self.resources.insert(resource.id.clone(), (resource.clone(), id));
                }
                self.edges.extend(t.edges.iter().cloned());
            }
            Body::Observation(o) => self.observe(item, o),
            Body::Gap(gap) => drop(self.gaps.insert(id, gap.clone())),
            Body::Hypothesis(h) => drop(self.hypotheses.insert(id, (**h).clone())),
            Body::Matched(matched) => {
                self.outdate(&matched.outdated);
                self.matched = true;
            }
            Body::Suggestion(s) => drop(self.suggestions.insert(id, (**s).clone())),
            Body::Approval(a) => {
                self.approvals.push((id, self.clamped(a, item.recorded_at), item.recorded_at))
            }
            Body::Execution(e) => self.executions.push((id, e.clone(), item.happened_at)),
            Body::Recovery(r) => self.recoveries.push((id, r.clone())),
            Body::Decision(d) => self.decide(d),
            Body::Note(_) | Body::Usage(_) => {}
        }
    }

    /// An observation that measures again what a person discarded stays discarded.
    fn observe(&mut self, item: &FeedItem, observation: &Observation) {
        // What was out of sight for a round left then already.
        let seen = |id: &ItemId| id.kind() == ItemKind::Observation && !self.outdated.contains(id);
        let again = item.because.iter().any(seen);
        if item.because.iter().any(|id| self.discarded.contains(id)) {
            self.discarded.insert(item.id);
        }
        self.moved.came += 1;
        self.moved.again += u32::from(again);
        self.observations.insert(item.id, observation.clone());
    }

    fn outdate(&mut self, items: &[ItemId]) {
        let left = items.iter().filter(|id| id.kind() == ItemKind::Observation).count();
        self.moved.left += u32_of(left);
        self.outdated.extend(items);
    }

    fn decide(&mut self, decision: &Decision) {
        match decision.decision {
            DecisionKind::Discarded => {
                self.accepted.remove(&decision.item);
                self.discarded.insert(decision.item);
            }
            DecisionKind::Accepted => {
                self.discarded.remove(&decision.item);
                self.accepted.insert(decision.item);
            }
            DecisionKind::Restored => drop(self.discarded.remove(&decision.item)),
        }
        // The ranking rests on observations; hypotheses are left out by what people say of them.
        self.stale |= matches!(decision.item.kind(), ItemKind::Observation | ItemKind::Hypothesis);
    }

    /// An approval never holds longer than its plan allows, whatever it says itself.
    fn clamped(&self, approval: &Approval, recorded_at: Timestamp) -> Approval {
        let allowed = self.plan(approval.suggestion).map_or(0, |p| i64::from(p.facts().expires_after_s));
        let expires_at = approval.expires_at.min(recorded_at.plus_secs(allowed));
        Approval { expires_at, ..approval.clone() }
    }

    fn exists(&self, id: ItemId) -> bool {
        id.number() >= 1 && id.number() <= self.counters.get(&id.kind()).copied().unwrap_or_default()
    }

    /// Whether nobody discarded the item and nothing replaced it.
    #[must_use]
    pub fn holds(&self, id: ItemId) -> bool {
        !self.discarded.contains(&id) && !self.outdated.contains(&id)
    }

    /// Observations that hold, in order.
    pub fn evidence(&self) -> impl Iterator<Item = (ItemId, &Observation)> {
        self.holding(&self.observations)
    }

    /// What is wrong with alarms, as it holds, in order.
    pub fn unhealthy(&self) -> impl Iterator<Item = (ItemId, &AlarmHealth)> {
        self.holding(&self.healths)
    }

    /// Gaps that hold, in order.
    pub fn open_gaps(&self) -> impl Iterator<Item = (ItemId, &Gap)> {
        self.holding(&self.gaps)
    }

    /// Hypotheses that hold, in order of their recording.
    pub fn standing(&self) -> impl Iterator<Item = (ItemId, &HypothesisFacts)> {
        self.holding(&self.hypotheses).map(|(id, h)| (id, h.facts()))
    }

    /// Hypotheses of the last conclusion, those that people discarded since included.
    pub(super) fn concluded_before(&self) -> impl Iterator<Item = (ItemId, &HypothesisFacts)> {
        let current = self.hypotheses.iter().filter(|(id, _)| !self.outdated.contains(id));
        current.map(|(id, h)| (*id, h.facts()))
    }

    /// Suggestions that hold, in order of their recording.
    pub fn proposed(&self) -> impl Iterator<Item = (ItemId, &Suggestion)> {
        self.holding(&self.suggestions)
    }

    fn holding<'a, T>(&'a self, items: &'a BTreeMap<ItemId, T>) -> impl Iterator<Item = (ItemId, &'a T)> {
        items.iter().filter(|(id, _)| self.holds(**id)).map(|(id, item)| (*id, item))
    }

    /// Whether a person discarded a hypothesis that this resource is at fault in this way.
    #[must_use]
    pub fn ruled_out(&self, cause: &ResourceId, mechanism: Mechanism) -> bool {
        let same = |h: &HypothesisFacts| &h.cause == cause && h.mechanism == mechanism;
        let discarded = self.hypotheses.iter().filter(|(id, _)| self.discarded.contains(id));
        discarded.map(|(_, h)| h.facts()).any(same)
    }

    /// The alarm, with the time that this round looks at; `None` before the opening.
    #[must_use]
    pub fn alarm(&self) -> Option<Alarm> {
        let alarm = self.opened.as_ref()?.alarm.clone();
        Some(match &self.round {
            Some(round) => Alarm { window: round.window, baseline: round.baseline.clone(), ..alarm },
            None => alarm,
        })
    }

    /// The threshold of the alarm that fired, where its transition says it.
    fn threshold(&self) -> Option<f64> {
        let fired = &self.opened.as_ref()?.alarm;
        let own = |t: &&AlarmTransition| {
            t.resource.as_ref() == Some(&fired.resource) && t.metric.as_deref() == Some(fired.metric.as_str())
        };
        self.alarms.values().filter(own).find_map(|t| t.threshold)
    }

    /// The frame of the analysis; `None` before the opening.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        let alarm = self.alarm()?;
        let resources: Vec<Resource> = self.resources.values().map(|(r, _)| r.clone()).collect();
        let edges: Vec<Edge> = self.edges.iter().cloned().collect();
        let (onset, onset_within_s) = self.onset(&alarm).unwrap_or((alarm.at, 0));
        let onset = onset.min(alarm.at).max(alarm.window.start);
        let scope = Scope::new(alarm, Graph::new(&resources, &edges), onset, onset_within_s);
        Some(scope.with_threshold(self.threshold()))
    }

    /// The first period in which the alarmed resource's own metric left its range in the bad direction; unknown until
    /// this round has read metrics, so that what an earlier one took for the onset does not confirm itself.
    fn onset(&self, alarm: &Alarm) -> Option<(Timestamp, i64)> {
        if !self.collected.contains(&Source::Metrics) {
            return None;
        }
        let bad = match alarm.direction {
            Direction::Above => Movement::Up,
            Direction::Below => Movement::Down,
        };
        self.evidence()
            .filter(|(_, o)| o.resource == alarm.resource)
            .filter_map(|(_, o)| match &o.signal {
                Signal::MetricDeviation(m)
                    if m.impact.is_some() && m.movement == bad && m.strength >= 0.5 =>
                {
                    let period = i64::from(m.period_s);
                    // A CloudWatch alarm fires after the deviating period has ended: when the first deviating period
                    // still contains the alarm's time, that time says more than the period's start.
                    let ended = o.since.plus_secs(period) <= alarm.at;
                    Some(if ended { (o.since, period) } else { (alarm.at, 0) })
                }
                Signal::MetricDeviation(_)
                | Signal::LogPattern(_)
                | Signal::TraceLink(_)
                | Signal::Change(_) => None,
            })
            .min()
    }

    /// The plan of a suggestion, when it has one.
    #[must_use]
    pub fn plan(&self, suggestion: ItemId) -> Option<&Plan> {
        match &self.suggestions.get(&suggestion)?.action {
            SuggestedAction::Run { plan } => Some(plan),
            SuggestedAction::Complete { .. } | SuggestedAction::Read => None,
        }
    }

    /// The last word of people on a suggestion.
    #[must_use]
    pub fn last_word(&self, suggestion: ItemId) -> Option<&Approval> {
        self.approvals.iter().rev().map(|(_, a, _)| a).find(|a| a.suggestion == suggestion)
    }

    /// When the run of a suggestion ended, and whether it was successful; `None` while it has not.
    #[must_use]
    pub fn run_end(&self, suggestion: ItemId) -> Option<(&RunEvent, Timestamp)> {
        self.executions
            .iter()
            .rev()
            .filter(|(_, e, _)| e.suggestion == suggestion)
            .find(|(_, e, _)| matches!(e.event, RunEvent::Ended { .. } | RunEvent::Refused(_)))
            .map(|(_, e, at)| (&e.event, *at))
    }

    /// Whether a run of the suggestion was ever intended: then it is never started again. A refusal before the call
    /// intends nothing.
    #[must_use]
    pub fn was_intended(&self, suggestion: ItemId) -> bool {
        let begun = |e: &Execution| !matches!(e.event, RunEvent::Refused(_));
        self.executions.iter().any(|(_, e, _)| e.suggestion == suggestion && begun(e))
    }
}

/// What only people may say.
fn speaks_for_people(body: &Body) -> bool {
    matches!(body, Body::Approval(_) | Body::Decision(_) | Body::Note(_))
}

/// Everything an item refers to.
fn references(item: &FeedItem) -> Vec<ItemId> {
    let mut ids = item.because.clone();
    match &item.body {
        Body::Hypothesis(h) => {
            ids.extend(h.facts().cited());
        }
        Body::Suggestion(s) => ids.extend(s.cited()),
        Body::Approval(a) => ids.push(a.suggestion),
        Body::Execution(e) => ids.push(e.suggestion),
        Body::Recovery(r) => {
            ids.extend(&r.suggestion);
            ids.extend(r.measures.iter().map(|m| m.item));
        }
        Body::Decision(d) => ids.push(d.item),
        Body::Collected(c) => ids.extend(&c.outdated),
        Body::Concluded(c) => ids.extend(&c.outdated),
        Body::Matched(m) => ids.extend(&m.outdated),
        Body::Opened(_)
        | Body::Round(_)
        | Body::AlarmTransition(_)
        | Body::AlarmHealth(_)
        | Body::Topology(_)
        | Body::Observation(_)
        | Body::Gap(_)
        | Body::Note(_)
        | Body::Usage(_) => {}
    }
    ids
}
