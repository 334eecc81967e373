//! The triage loop: one node decides for all which investigation a delivery belongs to, and records it.
//!
//! The decisions are the engine's; their record and the investigations they open are written in one transaction with
//! the end of the delivery's waiting. All other nodes read the record and know the same.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use anyhow::{Context, Result};
use tantei_engine::intake::subject::Subject;
use tantei_engine::investigation::State;
use tantei_engine::model::alarm_event::AlarmEvent;
use tantei_engine::model::feed::{Body, NewItem, Opened, Principal, Topology};
use tantei_engine::model::resource::ResourceId;
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::Timestamp;
use tantei_engine::triage::{
    Command, Decision, Effect, InvestigationId, Link, Node, Scope, Triage, TriageLimits, What,
};

use super::events::{Event, incoming};
use super::{Inner, Service};
use crate::store::{Delivery, Lease, Opening, Settled, StoreErrorKind, Waiting};

/// The lease of the node that does the triage.
const ROLE: &str = "triage";

/// How long the role is held without being renewed: a node that dies is replaced after it.
const HELD: Duration = Duration::from_secs(5);

/// How often the record is read when nothing else happens.
const PAUSE: Duration = Duration::from_millis(500);

/// Deliveries decided about in one transaction.
const BATCH: i64 = 256;

/// Decisions after which a snapshot is kept: reading so many takes a second.
const SNAPSHOT_EVERY: u64 = 10_000;

/// Alarm events remembered to find the children of composite alarms.
const KNOWN_MAX: usize = 1_000;

/// What one node holds while it does the triage.
struct Desk {
    lease: Lease,
    triage: Triage,
    known: Vec<AlarmEvent>,
    /// What was decided and is not recorded yet.
    fresh: Vec<Decision>,
    /// The decision of the last snapshot.
    snapshot: u64,
}

/// What one node keeps between rounds.
#[derive(Default)]
struct Rounds {
    desk: Option<Desk>,
    /// Deliveries to be recorded one by one, because the database did not take them together: one of them is poison.
    alone: i64,
}

impl Service {
    pub(super) async fn triage_loop(self) {
        let mut rounds = Rounds::default();
        loop {
            match self.triage_round(&mut rounds).await {
                Ok(true) => {}
                Ok(false) => {
                    // Told early when something comes; both ends mean: look again.
                    drop(tokio::time::timeout(PAUSE, self.inner.received.notified()).await);
                }
                Err(error) => {
                    // What was decided and not recorded is decided again from the record.
                    rounds.desk = None;
                    tracing::warn!(error = format!("{error:#}"), "triage failed; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// One round; whether there may be more at once.
    async fn triage_round(&self, rounds: &mut Rounds) -> Result<bool> {
        let inner = &self.inner;
        let Some(lease) = inner.store.claim_role(ROLE, &inner.node, HELD).await? else {
            *rounds = Rounds::default();
            inner.read_record().await?;
            return Ok(false);
        };
        if rounds.desk.as_ref().is_none_or(|d| d.lease.fence != lease.fence) {
            rounds.desk = Some(self.sit_down(lease).await?);
        }
        let Some(desk) = rounds.desk.as_mut() else { return Ok(false) };
        let limit = if rounds.alone > 0 { 1 } else { BATCH };
        let waiting = inner.store.waiting(limit).await?;
        let count = i64::try_from(waiting.len()).unwrap_or(i64::MAX);
        let now = inner.clock.now();
        let mut settled = Vec::new();
        for w in waiting {
            match inner.try_to_settle(desk, &w, now) {
                Ok(s) => settled.push(s),
                Err(error) => {
                    // What was decided of this round is not recorded: it is decided again from the record.
                    rounds.desk = None;
                    self.put_off(&w.delivery.id, &format!("{error:#}")).await?;
                    return Ok(true);
                }
            }
        }
        // Poison is looked for among deliveries alone.
        let due = rounds.alone == 0 && desk.triage.next_due().is_some_and(|at| at <= now);
        if due {
            let decisions = desk.triage.tick(now);
            settled.push(inner.settled(desk, String::new(), &decisions, None, now)?);
        }
        if settled.is_empty() {
            rounds.alone = 0;
            return Ok(false);
        }
        match inner.store.settle(&desk.lease, &settled).await {
            Ok(()) => {
                rounds.alone = rounds.alone.saturating_sub(1).max(0);
                inner.know(&std::mem::take(&mut desk.fresh)).await?;
                if desk.triage.seq().saturating_sub(desk.snapshot) >= SNAPSHOT_EVERY {
                    desk.snapshot = inner.keep_snapshot().await?;
                }
                Ok(count == limit)
            }
            Err(error) if error.kind == StoreErrorKind::Invalid && count > 0 => {
                rounds.desk = None;
                match settled.as_slice() {
                    [one] => self.put_off(&one.delivery, &error.to_string()).await?,
                    _ => rounds.alone = count,
                }
                Ok(true)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Counts a failed try of a delivery; what fails five times is put aside, and the others go on.
    async fn put_off(&self, delivery: &str, reason: &str) -> Result<()> {
        tracing::warn!(delivery, reason, "a delivery cannot be decided about");
        Ok(self.inner.store.failed(delivery, reason).await?)
    }

    /// Takes the role over: the state is folded from the record.
    async fn sit_down(&self, lease: Lease) -> Result<Desk> {
        let inner = &self.inner;
        let mut triage = inner.last_snapshot().await?;
        let snapshot = triage.seq();
        inner.fold_record(&mut triage).await?;
        let known = inner.remembered().await?;
        let mut desk = Desk { lease, triage, known, fresh: Vec::new(), snapshot };
        let links: Vec<Link> = inner.config.triage.edges.iter().filter_map(link).collect();
        if !links.is_empty() {
            let now = inner.clock.now();
            let learned = desk.triage.command(&Command::Learn { links }, now);
            let decisions = learned.map_err(|e| anyhow::anyhow!("triage.edges: {e}"))?;
            let settled = inner.settled(&mut desk, String::new(), &decisions, None, now)?;
            inner.store.settle(&desk.lease, &[settled]).await?;
            desk.fresh.clear();
        }
        // What is asked of this node is answered from the same state, also before anything new comes.
        inner.read_record().await?;
        tracing::info!(node = inner.node, decisions = desk.triage.seq(), "this node does the triage");
        Ok(desk)
    }

    /// Asks triage for something; it is done soon, by the node that does the triage.
    pub(super) async fn ask_triage(&self, command: Command) -> Result<()> {
        let told = self.told_triage(command)?;
        self.inner.inbox.put(told).await.context("the request cannot be kept")?;
        self.inner.received.notify_one();
        Ok(())
    }

    /// What tells triage, as it waits in the inbox.
    pub(super) fn told_triage(&self, command: Command) -> Result<Delivery> {
        let id = format!("command_{}", uuid::Uuid::now_v7().simple());
        Ok(Delivery {
            transition: id.clone(),
            id,
            source: "command".to_owned(),
            received_at: self.inner.clock.now(),
            event: serde_json::to_string(&Event::Command(command))?,
        })
    }
}

impl Desk {
    fn remember(&mut self, event: AlarmEvent) {
        if self.known.len() >= KNOWN_MAX {
            self.known.drain(..KNOWN_MAX / 2);
        }
        self.known.push(event);
    }

    /// What an investigation is about that no delivery of now opened (a silence ended, a person split one, a storm needs
    /// an overview): its earliest alarm that is remembered; a storm's overview is about the newest that came.
    fn about(&self, id: InvestigationId, now: Timestamp) -> Option<Subject> {
        let members = self.triage.investigations().get(&id).map(|i| &i.alarms);
        let member = |e: &&AlarmEvent| members.is_some_and(|m| m.iter().any(|key| key.arn == e.arn));
        let event = self.known.iter().find(member).or(self.known.last())?;
        Some(incoming(event, &self.known, now).1)
    }
}

impl Inner {
    /// Takes in what this node itself has just recorded. When it lacks something before it, everything is read.
    async fn know(&self, fresh: &[Decision]) -> Result<()> {
        let Some(first) = fresh.first() else { return Ok(()) };
        {
            let mut triage = self.triage.write().await;
            if triage.seq().saturating_add(1) == first.seq {
                fresh.iter().for_each(|decision| triage.apply(decision));
                self.work.notify_waiters();
                return Ok(());
            }
        }
        self.read_record().await
    }

    /// Reads what was decided since this node last looked.
    pub(super) async fn read_record(&self) -> Result<()> {
        loop {
            let seq = self.triage.read().await.seq();
            if seq == 0 {
                let snapshot = self.last_snapshot().await?;
                *self.triage.write().await = snapshot;
            }
            let decisions = self.store.decisions(number(self.triage.read().await.seq())).await?;
            if decisions.is_empty() {
                return Ok(());
            }
            let missed = !follows(&*self.triage.read().await, &decisions);
            let snapshot = if missed { Some(self.past(seq).await?) } else { None };
            let mut triage = self.triage.write().await;
            match snapshot {
                Some(snapshot) => *triage = snapshot,
                None => fold(&mut triage, decisions)?,
            }
            self.work.notify_waiters();
        }
    }

    /// Folds the record from where the state stands, page by page.
    async fn fold_record(&self, triage: &mut Triage) -> Result<()> {
        loop {
            let decisions = self.store.decisions(number(triage.seq())).await?;
            if decisions.is_empty() {
                return Ok(());
            }
            if follows(triage, &decisions) {
                fold(triage, decisions)?;
            } else {
                *triage = self.past(triage.seq()).await?;
            }
        }
    }

    /// The state of the last snapshot; one that knows nothing when there is none, or none that this version can read.
    async fn last_snapshot(&self) -> Result<Triage> {
        let limits = TriageLimits { deep_max: self.config.triage.deep_max };
        let Some((seq, state)) = self.store.snapshot().await? else { return Ok(Triage::new(limits)) };
        match serde_json::from_str::<Triage>(&state) {
            Ok(triage) => Ok(triage.under(limits)),
            Err(error) => {
                // Whether the record reaches back to its beginning is seen when it is read.
                tracing::warn!(seq, %error, "the snapshot of triage is of another version; the record is read");
                Ok(Triage::new(limits))
            }
        }
    }

    /// The snapshot that goes on where decisions after this one are gone.
    async fn past(&self, seq: u64) -> Result<Triage> {
        let triage = self.last_snapshot().await?;
        anyhow::ensure!(triage.seq() > seq, "decisions after {seq} are gone, and no snapshot holds them");
        Ok(triage)
    }

    /// Keeps a snapshot of what this node knows, which is all folded from the record; the decision after which it was taken.
    pub(super) async fn keep_snapshot(&self) -> Result<u64> {
        let (seq, state) = {
            let triage = self.triage.read().await;
            (triage.seq(), serde_json::to_string(&*triage)?)
        };
        if seq > 0 {
            self.store.keep_snapshot(number(seq), &state).await?;
        }
        Ok(seq)
    }

    /// The alarms that whoever did the triage before would remember: an investigation may be opened about one of them.
    pub(super) async fn remembered(&self) -> Result<Vec<AlarmEvent>> {
        let limit = i64::try_from(KNOWN_MAX / 2).unwrap_or(i64::MAX);
        let events = self.store.decided_last(limit).await?;
        // What cannot be read was put aside or is of a newer version: it is remembered by nobody.
        let alarm = |text: &String| match serde_json::from_str(text) {
            Ok(Event::Alarm(event)) => Some(*event),
            Ok(Event::Service(_) | Event::Start(_) | Event::Command(_)) | Err(_) => None,
        };
        Ok(events.iter().filter_map(alarm).collect())
    }

    /// Decides about one delivery. One on which the engine breaks is told apart like one that cannot be read: the others
    /// go on. What was decided half is thrown away with the desk.
    fn try_to_settle(&self, desk: &mut Desk, waiting: &Waiting, now: Timestamp) -> Result<Settled> {
        caught(|| self.settle(desk, waiting, now))
    }

    /// Decides about one delivery.
    fn settle(&self, desk: &mut Desk, waiting: &Waiting, now: Timestamp) -> Result<Settled> {
        let event: Event =
            serde_json::from_str(&waiting.delivery.event).context("the stored event cannot be read")?;
        let id = waiting.delivery.id.clone();
        match event {
            Event::Alarm(event) => {
                let (incoming, about) = incoming(&event, &desk.known, now);
                desk.remember(*event);
                let decisions = desk.triage.decide(&incoming, now);
                self.settled(desk, id, &decisions, Some(&about), now)
            }
            Event::Start(start) => {
                let (incoming, about) = start.subject(&id, now);
                let decisions = desk.triage.decide(&incoming, now);
                self.settled(desk, id, &decisions, Some(&about), now)
            }
            // Kept: collectors of changes read it from the inbox.
            Event::Service(_) => {
                Ok(Settled { delivery: id, outcome: "\"kept\"".to_owned(), ..Settled::default() })
            }
            Event::Command(command) => match desk.triage.command(&command, now) {
                Ok(decisions) => self.settled(desk, id, &decisions, None, now),
                Err(refused) => Ok(Settled {
                    delivery: id,
                    outcome: serde_json::to_string(&refused.to_string())?,
                    ..Settled::default()
                }),
            },
        }
    }

    /// What is written of decisions: themselves, the investigations that they open, and those that have work now.
    fn settled(
        &self,
        desk: &mut Desk,
        delivery: String,
        decisions: &[Decision],
        about: Option<&Subject>,
        now: Timestamp,
    ) -> Result<Settled> {
        let mut settled = Settled { delivery, outcome: "{}".to_owned(), ..Settled::default() };
        desk.fresh.extend_from_slice(decisions);
        for decision in decisions {
            settled.decisions.push((number(decision.seq), serde_json::to_string(decision)?));
            let received = decision.outcome().filter(|_| matches!(decision.what, What::Received { .. }));
            if let Some(outcome) = received {
                settled.outcome = serde_json::to_string(outcome)?;
            }
            match decision.what.effect() {
                Effect::Opens(id) => {
                    let about = match about.filter(|_| received.is_some()) {
                        Some(about) => Some(about.clone()),
                        None => desk.about(id, now),
                    };
                    let about = about.context("an investigation is opened about no alarm")?;
                    settled.openings.push(self.opening(id, &about, now)?);
                }
                Effect::Reopens(id) => settled.reopened.push(feed_id(id)),
                Effect::Works(id) => settled.wake.push(feed_id(id)),
                Effect::Ends(id) => settled.ended.push(feed_id(id)),
                Effect::Nothing => {}
            }
        }
        Ok(settled)
    }

    /// The first items of an investigation: that it was opened, and what its resource is.
    fn opening(
        &self,
        id: InvestigationId,
        about: &Subject,
        now: Timestamp,
    ) -> Result<(Opening, Vec<tantei_engine::model::feed::FeedItem>)> {
        let id = feed_id(id);
        let opened = Opened {
            investigation: id.clone(),
            alarm: about.alarm.clone(),
            origin: Untrusted::new("CloudWatch"),
            tantei: env!("CARGO_PKG_VERSION").to_owned(),
            playbooks: self.playbooks.clone(),
        };
        let topology = Topology { resources: vec![about.resource.clone()], edges: Vec::new() };
        let mut state = State::default();
        let mut items = Vec::new();
        for body in [Body::Opened(opened), Body::Topology(topology)] {
            let by = Principal::tantei("intake");
            let item = NewItem { happened_at: about.alarm.at, by, because: Vec::new(), body };
            let item = state.seal(item, now);
            state.apply(&item).context("an investigation cannot be opened")?;
            items.push(item);
        }
        let opening = Opening {
            id,
            opened_at: now,
            resource: about.alarm.resource.as_str().to_owned(),
            title: about.alarm.title.clone(),
        };
        Ok((opening, items))
    }
}

/// What the closure returns; an error when it breaks.
pub(super) fn caught<T>(decide: impl FnOnce() -> Result<T>) -> Result<T> {
    let decided = catch_unwind(AssertUnwindSafe(decide));
    decided.unwrap_or_else(|_| Err(anyhow::anyhow!("deciding about it broke off: a fault of Tantei")))
}

/// The identifier of an investigation's feed.
pub(super) fn feed_id(id: InvestigationId) -> String {
    format!("inv_{:08}", id.0)
}

/// The investigation of a feed's identifier.
pub(super) fn triage_id(feed: &str) -> Option<InvestigationId> {
    feed.strip_prefix("inv_")?.parse().ok().map(InvestigationId)
}

/// Numbers of decisions are far below the range of either type.
fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// Whether the decisions go on where the state stands: older ones may have been exported and deleted.
fn follows(triage: &Triage, decisions: &[(i64, String)]) -> bool {
    decisions.first().is_some_and(|(first, _)| *first == number(triage.seq().saturating_add(1)))
}

fn fold(triage: &mut Triage, decisions: Vec<(i64, String)>) -> Result<()> {
    for (seq, body) in decisions {
        let decision: Decision =
            serde_json::from_str(&body).with_context(|| format!("triage decision {seq} cannot be read"))?;
        triage.apply(&decision);
    }
    Ok(())
}

/// A configured dependency; the settings were checked when they were read.
fn link((caller, callee): &(String, String)) -> Option<Link> {
    Some(Link { caller: node(caller)?, callee: node(callee)? })
}

fn node(text: &str) -> Option<Node> {
    let mut parts = text.splitn(3, '/');
    let scope = Scope { account: parts.next()?.to_owned(), region: parts.next()?.to_owned() };
    Some(Node::resource(scope, ResourceId::new(parts.next()?)))
}
