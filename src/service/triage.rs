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
use crate::store::{Delivery, Lease, Opening, Settled, Waiting};

/// The lease of the node that does the triage.
const ROLE: &str = "triage";

/// How long the role is held without being renewed: a node that dies is replaced after it.
const HELD: Duration = Duration::from_secs(5);

/// How often the record is read when nothing else happens.
const PAUSE: Duration = Duration::from_millis(500);

/// Deliveries decided about in one transaction.
const BATCH: i64 = 256;

/// Alarm events remembered to find the children of composite alarms.
const KNOWN_MAX: usize = 1_000;

/// What one node holds while it does the triage.
struct Desk {
    lease: Lease,
    triage: Triage,
    known: Vec<AlarmEvent>,
}

impl Service {
    pub(super) async fn triage_loop(self) {
        let mut desk = None;
        loop {
            match self.triage_round(&mut desk).await {
                Ok(true) => {}
                Ok(false) => {
                    // Told early when something comes; both ends mean: look again.
                    drop(tokio::time::timeout(PAUSE, self.inner.received.notified()).await);
                }
                Err(error) => {
                    // What was decided and not recorded is decided again from the record.
                    desk = None;
                    tracing::warn!(error = format!("{error:#}"), "triage failed; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// One round; whether there may be more at once.
    async fn triage_round(&self, desk_is: &mut Option<Desk>) -> Result<bool> {
        let inner = &self.inner;
        let Some(lease) = inner.store.claim_role(ROLE, &inner.node, HELD).await? else {
            desk_is.take();
            inner.read_record().await?;
            return Ok(false);
        };
        if desk_is.as_ref().is_none_or(|d| d.lease.fence != lease.fence) {
            *desk_is = Some(self.sit_down(lease).await?);
        }
        let Some(desk) = desk_is.as_mut() else { return Ok(false) };
        let waiting = inner.store.waiting(BATCH).await?;
        let more = i64::try_from(waiting.len()).is_ok_and(|n| n == BATCH);
        let now = inner.clock.now();
        let mut settled = Vec::new();
        for w in waiting {
            match inner.try_to_settle(desk, &w, now) {
                Ok(s) => settled.push(s),
                Err(error) => {
                    let reason = format!("{error:#}");
                    tracing::warn!(delivery = w.delivery.id, reason, "a delivery cannot be decided about");
                    inner.store.failed(&w.delivery.id, &reason).await?;
                    // What was decided of this round is not recorded: it is decided again from the record.
                    desk_is.take();
                    return Ok(true);
                }
            }
        }
        let due = desk.triage.next_due().is_some_and(|at| at <= now);
        if due {
            let decisions = desk.triage.tick(now);
            settled.push(inner.settled(desk, String::new(), &decisions, None, now)?);
        }
        if !settled.is_empty() {
            inner.store.settle(&desk.lease, &settled).await?;
            inner.read_record().await?;
        }
        Ok(more)
    }

    /// Takes the role over: the state is folded from the record.
    async fn sit_down(&self, lease: Lease) -> Result<Desk> {
        let inner = &self.inner;
        let mut triage = Triage::new(TriageLimits { deep_max: inner.config.triage.deep_max });
        inner.fold_record(&mut triage).await?;
        let known = inner.remembered().await?;
        let mut desk = Desk { lease, triage, known };
        let links: Vec<Link> = inner.config.triage.edges.iter().filter_map(link).collect();
        if !links.is_empty() {
            let now = inner.clock.now();
            let learned = desk.triage.command(&Command::Learn { links }, now);
            let decisions = learned.map_err(|e| anyhow::anyhow!("triage.edges: {e}"))?;
            let settled = inner.settled(&desk, String::new(), &decisions, None, now)?;
            inner.store.settle(&desk.lease, &[settled]).await?;
        }
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
    /// Reads what was decided since this node last looked.
    async fn read_record(&self) -> Result<()> {
        loop {
            let seq = self.triage.read().await.seq();
            let decisions = self.store.decisions(number(seq)).await?;
            if decisions.is_empty() {
                return Ok(());
            }
            fold(&mut *self.triage.write().await, decisions)?;
            self.work.notify_waiters();
        }
    }

    /// Folds the whole record, page by page.
    async fn fold_record(&self, triage: &mut Triage) -> Result<()> {
        loop {
            let decisions = self.store.decisions(number(triage.seq())).await?;
            if decisions.is_empty() {
                return Ok(());
            }
            fold(triage, decisions)?;
        }
    }

    /// The alarms that whoever did the triage before would remember: an investigation may be opened about one of them.
    async fn remembered(&self) -> Result<Vec<AlarmEvent>> {
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
        let settled = catch_unwind(AssertUnwindSafe(|| self.settle(desk, waiting, now)));
        settled.unwrap_or_else(|_| Err(anyhow::anyhow!("deciding about it broke off: a fault of Tantei")))
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
        desk: &Desk,
        delivery: String,
        decisions: &[Decision],
        about: Option<&Subject>,
        now: Timestamp,
    ) -> Result<Settled> {
        let mut settled = Settled { delivery, outcome: "{}".to_owned(), ..Settled::default() };
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
