//! Reading investigations and deciding about their items: what people do, through whatever surface.

use anyhow::Context;
use serde::Serialize;
use tantei_engine::investigation::{State, ranking};
use tantei_engine::model::cause::Candidate;
use tantei_engine::model::feed::{Body, Decision, DecisionKind, FeedItem, NewItem, Note, Principal};
use tantei_engine::model::id::ItemId;
use tantei_engine::model::text::Untrusted;
use tantei_engine::report::{self, Report};
use tantei_engine::triage::{AlarmKey, Command, Depth, InvestigationId, Member};

use super::triage::{feed_id, triage_id};
use super::{Filter, Listed, Pushed, Service, StoreError, StoreErrorKind};

/// Others that may append first while a decision is appended.
const CONFLICTS_MAX: usize = 20;

/// One investigation with what triage knows of it.
#[derive(Debug, Clone, Serialize)]
pub struct Detail {
    /// As it is listed.
    #[serde(flatten)]
    pub listed: Listed,
    /// The alarms that belong to it, each with the reason why.
    pub alarms: Vec<Member>,
    /// The investigation that goes on for this one after a merge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
    /// How often it came back after it had ended.
    pub recurrence: u32,
}

/// Why a decision was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// There is no such investigation or item.
    #[error("{0}")]
    NotFound(String),
    /// It cannot be decided like this.
    #[error("{0}")]
    Invalid(String),
    /// What is stored cannot be read: asking again does not help.
    #[error("{0}")]
    Damaged(String),
    /// Try again.
    #[error("{0}")]
    Unavailable(String),
}

impl From<StoreError> for DecideError {
    fn from(error: StoreError) -> Self {
        match error.kind {
            StoreErrorKind::NotFound => Self::NotFound(error.message),
            StoreErrorKind::Unavailable | StoreErrorKind::Conflict => Self::Unavailable(error.to_string()),
            StoreErrorKind::Damaged => Self::Damaged(error.to_string()),
            StoreErrorKind::Fenced | StoreErrorKind::Invalid => Self::Invalid(error.to_string()),
        }
    }
}

impl Service {
    /// Investigations, newest first.
    ///
    /// # Errors
    /// When the store cannot be reached.
    pub async fn investigations(&self, filter: &Filter) -> Result<Vec<Listed>, StoreError> {
        self.inner.store.investigations(filter).await
    }

    /// One investigation; `None` when there is none.
    ///
    /// # Errors
    /// When the store cannot be reached.
    pub async fn investigation(&self, id: &str) -> Result<Option<Detail>, StoreError> {
        let Some(listed) = self.inner.store.investigation(id).await? else { return Ok(None) };
        let triage = self.inner.triage.read().await;
        let known = triage_id(id).and_then(|n| triage.investigations().get(&n));
        let members = known.into_iter().flat_map(|i| &i.alarms);
        let alarms = members.filter_map(|key| triage.alarms().get(key)).cloned().collect();
        Ok(Some(Detail {
            listed,
            alarms,
            merged_into: known.and_then(|i| i.merged_into).map(feed_id),
            recurrence: known.map_or(0, |i| i.recurrence),
        }))
    }

    /// The items of a feed after a sequence number.
    ///
    /// # Errors
    /// When the store cannot be reached.
    pub async fn feed(&self, id: &str, after: u64) -> Result<Vec<FeedItem>, StoreError> {
        self.inner.store.feed(id, after).await
    }

    /// Hears of every feed that grows.
    #[must_use]
    pub fn subscribe(&self) -> tokio::sync::broadcast::Receiver<Pushed> {
        self.inner.store.subscribe()
    }

    /// The report of an investigation, as facts, and its ranking.
    ///
    /// # Errors
    /// When there is none, or its feed cannot be read.
    pub async fn report(&self, id: &str) -> Result<(Report, Vec<Candidate>), DecideError> {
        let (state, feed) = self.state(id).await?;
        let ranking = ranking(&state);
        Ok((report::facts(&state, &feed, &ranking), ranking.candidates))
    }

    /// A person accepts, discards or restores an item: the causes are ranked again.
    ///
    /// # Errors
    /// When there is no such item, or the decision cannot be kept.
    pub async fn decide(
        &self,
        id: &str,
        item: ItemId,
        decision: DecisionKind,
        person: &Principal,
    ) -> Result<FeedItem, DecideError> {
        self.say(id, vec![item], Body::Decision(Decision { item, decision }), person).await
    }

    /// A person writes a note.
    ///
    /// # Errors
    /// When there is no such investigation, or the note cannot be kept.
    pub async fn note(&self, id: &str, text: &str, person: &Principal) -> Result<FeedItem, DecideError> {
        if text.trim().is_empty() {
            return Err(DecideError::Invalid("a note needs words".to_owned()));
        }
        self.say(
            id,
            Vec::new(),
            Body::Note(Note { text: Untrusted::new(&self.inner.redactor.text(text)) }),
            person,
        )
        .await
    }

    /// Ends an investigation, or opens it again. It is listed so at once; the node that does the triage knows it before
    /// it decides about anything that is received from now on.
    ///
    /// # Errors
    /// When there is no such investigation, or another one goes on for it.
    pub async fn set_ended(&self, id: &str, ended: bool, person: &str) -> Result<(), DecideError> {
        let missing = || DecideError::NotFound(format!("there is no investigation `{id}`"));
        let investigation = triage_id(id).ok_or_else(missing)?;
        let person = person.to_owned();
        let now = self.inner.clock.now();
        let command = if ended {
            Command::Close { investigation, person }
        } else {
            self.can_go_on(investigation).await?;
            Command::Reopen { investigation, person }
        };
        let told = self.told_triage(command).map_err(|e| DecideError::Unavailable(format!("{e:#}")))?;
        self.inner.store.set_ended(id, ended.then_some(now), &told).await?;
        self.inner.received.notify_one();
        Ok(())
    }

    async fn can_go_on(&self, id: InvestigationId) -> Result<(), DecideError> {
        let triage = self.inner.triage.read().await;
        let Some(known) = triage.investigations().get(&id) else { return Ok(()) };
        if known.merged_into.is_some() {
            let other = feed_id(triage.current(id));
            return Err(DecideError::Invalid(format!("it was merged: `{other}` goes on for it")));
        }
        if known.depth == Depth::Storm {
            let why = "it was the overview of a storm; another begins when one is needed";
            return Err(DecideError::Invalid(why.to_owned()));
        }
        Ok(())
    }

    /// Two investigations are one incident; done soon, by the node that does the triage.
    ///
    /// # Errors
    /// When one of them is unknown, or the request cannot be kept.
    pub async fn merge(&self, from: &str, into: &str, person: &str) -> Result<(), DecideError> {
        let (from, into) = (self.known(from).await?, self.known(into).await?);
        if from == into {
            return Err(DecideError::Invalid("an investigation cannot be merged with itself".to_owned()));
        }
        self.ask(Command::Merge { from, into, person: person.to_owned() }).await
    }

    /// Some alarms of an investigation are another incident; done soon, by the node that does the triage.
    ///
    /// # Errors
    /// When the investigation is unknown, or the request cannot be kept.
    pub async fn split(&self, id: &str, alarms: Vec<AlarmKey>, person: &str) -> Result<(), DecideError> {
        let investigation = self.known(id).await?;
        if alarms.is_empty() {
            return Err(DecideError::Invalid("name the alarms that are another incident".to_owned()));
        }
        let alarms = self.contributors(investigation, alarms).await;
        self.ask(Command::Split { investigation, alarms, person: person.to_owned() }).await
    }

    /// Alarms that were named by their ARN alone, as the members that they are: an alarm with contributors is as many.
    async fn contributors(&self, id: InvestigationId, alarms: Vec<AlarmKey>) -> Vec<AlarmKey> {
        let triage = self.inner.triage.read().await;
        let Some(known) = triage.investigations().get(&id) else { return alarms };
        let members = |named: &AlarmKey| -> Vec<AlarmKey> {
            let all = known.alarms.iter().filter(|m| m.arn == named.arn && named.contributor.is_none());
            all.cloned().collect()
        };
        let each = alarms.into_iter().flat_map(|named| {
            let found = members(&named);
            if found.is_empty() { vec![named] } else { found }
        });
        each.collect()
    }

    pub(super) async fn ask(&self, command: Command) -> Result<(), DecideError> {
        self.ask_triage(command).await.map_err(|e| DecideError::Unavailable(format!("{e:#}")))
    }

    async fn known(&self, id: &str) -> Result<InvestigationId, DecideError> {
        let missing = || DecideError::NotFound(format!("there is no investigation `{id}`"));
        let number = triage_id(id).ok_or_else(missing)?;
        self.inner.store.investigation(id).await?.ok_or_else(missing)?;
        Ok(number)
    }

    /// Appends what a person says, and wakes the work.
    async fn say(
        &self,
        id: &str,
        because: Vec<ItemId>,
        body: Body,
        person: &Principal,
    ) -> Result<FeedItem, DecideError> {
        for _ in 0..CONFLICTS_MAX {
            let (state, _) = self.state(id).await?;
            let now = self.inner.clock.now();
            let new = NewItem {
                happened_at: now,
                by: person.clone(),
                because: because.clone(),
                body: body.clone(),
            };
            let item = state.seal(new, now);
            state.clone().apply(&item).map_err(|e| DecideError::NotFound(e.to_string()))?;
            match self.inner.store.append(id, None, std::slice::from_ref(&item)).await {
                Ok(()) => {
                    self.inner.work.notify_waiters();
                    return Ok(item);
                }
                Err(e) if e.kind == StoreErrorKind::Conflict => {}
                Err(e) => return Err(e.into()),
            }
        }
        Err(DecideError::Unavailable("the feed grows too fast just now".to_owned()))
    }

    async fn state(&self, id: &str) -> Result<(State, Vec<FeedItem>), DecideError> {
        let feed = self.inner.store.feed(id, 0).await?;
        if feed.is_empty() {
            return Err(DecideError::NotFound(format!("there is no investigation `{id}`")));
        }
        let mut state = State::default();
        for item in &feed {
            let applied = state.apply(item).context("the stored feed does not follow");
            applied.map_err(|e| DecideError::Damaged(format!("{e:#}")))?;
        }
        Ok((state, feed))
    }
}
