//! The ports: everything the driver needs of the world, as object-safe traits. No implementations here.
//!
//! AWS, a recorded bundle and a simulation stand behind the same traits, so that what is tested is what runs.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tantei_engine::investigation::State;
use tantei_engine::model::alarm::{Alarm, AlarmTransition};
use tantei_engine::model::alarm_event::AlarmEvent;
use tantei_engine::model::execution::RunStatus;
use tantei_engine::model::feed::{Charge, FeedItem};
use tantei_engine::model::gap::{Gap, GapReason};
use tantei_engine::model::id::ItemId;
use tantei_engine::model::query::{Query, Source};
use tantei_engine::model::resource::{Resource, ResourceId};
use tantei_engine::model::suggestion::Plan;
use tantei_engine::model::telemetry::{Batch, Change};
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::{TimeSpan, Timestamp};

/// A future behind a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What kind of failure it was: enough to branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortErrorKind {
    /// Access was refused.
    Denied,
    /// There is no such thing.
    NotFound,
    /// Too many requests.
    Throttled,
    /// No answer in time.
    Timeout,
    /// Down, or unreachable.
    Unavailable,
    /// The answer makes no sense.
    Invalid,
}

impl PortErrorKind {
    /// Its name, for traces and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::NotFound => "not_found",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Invalid => "invalid",
        }
    }
}

/// Whether trying again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It will not.
    Never,
    /// After at least this long.
    After(Duration),
}

/// A failure of something outside.
#[derive(Debug, thiserror::Error)]
#[error("{dependency} {operation}: {message}")]
pub struct PortError {
    /// Who failed: `bundle`, `cloudwatch`, `ssm` …
    pub dependency: String,
    /// At what.
    pub operation: String,
    /// In which way.
    pub kind: PortErrorKind,
    /// Whether trying again may help.
    pub retry: Retry,
    /// What it said; names the missing permission where access was refused.
    pub message: String,
}

impl PortError {
    /// The failure as a visible gap in what a source shows of that time.
    #[must_use]
    pub fn gap(&self, source: Source, span: TimeSpan) -> Gap {
        let reason = match self.kind {
            PortErrorKind::Denied => GapReason::Denied,
            PortErrorKind::NotFound => GapReason::Absent,
            PortErrorKind::Throttled | PortErrorKind::Timeout | PortErrorKind::Unavailable => {
                GapReason::Unavailable
            }
            PortErrorKind::Invalid => GapReason::Malformed,
        };
        let place = format!("{} {}", self.dependency, self.operation);
        Gap { detail: Untrusted::new(&self.message), ..Gap::new(source, reason, span, &place) }
    }
}

/// What to collect.
#[derive(Debug, Clone)]
pub struct CollectRequest {
    /// From where.
    pub source: Source,
    /// For which alarm.
    pub alarm: Alarm,
    /// The time under investigation.
    pub window: TimeSpan,
    /// Healthy times to compare with.
    pub baseline: Vec<TimeSpan>,
    /// When the incident began, as far as is known by now: what is only counted is counted on either side of it.
    pub onset: Timestamp,
    /// Resources that people pointed at: they come first, however far away they are.
    pub focus: Vec<ResourceId>,
}

/// What a collection came to.
#[derive(Debug, Clone, Default)]
pub struct Collection {
    /// Records handed over.
    pub records: u64,
    /// Requests made.
    pub requests: u64,
    /// Bytes read, decompressed.
    pub bytes: u64,
    /// What was charged for, at list price.
    pub charges: Vec<Charge>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// Takes telemetry as it arrives.
pub type Sink<'a> = dyn FnMut(Batch) + Send + 'a;

/// Reads one source.
pub trait Collector: Send + Sync + fmt::Debug {
    /// Hands over everything that fits the request, batch by batch.
    fn collect<'a>(
        &'a self,
        request: &'a CollectRequest,
        sink: &'a mut Sink<'_>,
    ) -> BoxFuture<'a, Result<Collection, PortError>>;

    /// How this collector is asked again for what a recording would be asked so.
    fn asked(&self, query: Query) -> Query {
        query
    }
}

/// A message of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMessage {
    /// Its identifier.
    pub id: String,
    /// What it says.
    pub body: String,
    /// By which it is deleted.
    pub receipt: String,
    /// How often it was received, this time included.
    pub receives: u32,
}

/// A queue into which alarms are delivered.
pub trait Queue: Send + Sync + fmt::Debug {
    /// Waits for messages; none after a while is an answer, too. What is not deleted comes again.
    fn receive(&self) -> BoxFuture<'_, Result<Vec<QueueMessage>, PortError>>;

    /// Deletes a message for good.
    fn delete<'a>(&'a self, message: &'a QueueMessage) -> BoxFuture<'a, Result<(), PortError>>;
}

/// Tells the changes of alarms that were perhaps never delivered.
pub trait AlarmStates: Send + Sync + fmt::Debug {
    /// Alarms that fire now, and every change since that time, those that are over included; in order.
    fn changes<'a>(&'a self, since: Timestamp) -> BoxFuture<'a, Result<Vec<AlarmEvent>, PortError>>;

    /// All alarms that ever changed their state, each as its last change.
    fn known(&self) -> BoxFuture<'_, Result<Vec<AlarmEvent>, PortError>> {
        self.changes(Timestamp::from_secs(0))
    }

    /// The last time that the alarm of this name fired, when that is known.
    fn named<'a>(&'a self, _name: &'a str) -> BoxFuture<'a, Result<Option<AlarmEvent>, PortError>> {
        Box::pin(async { Ok(None) })
    }
}

/// Tells the changes that services of AWS reported themselves: what was sent, not asked for.
pub trait SentChanges: Send + Sync + fmt::Debug {
    /// Those of a span of time, in order.
    fn between(&self, span: TimeSpan) -> BoxFuture<'_, Result<Vec<Change>, PortError>>;
}

/// Gives investigations their collectors: which account and Region is read depends on what fired.
pub trait Evidence: Send + Sync + fmt::Debug {
    /// The collector of one investigation; `resource` is what is known of the alarmed resource, where it lives above all.
    fn of(&self, alarm: &Alarm, resource: Option<&Resource>) -> Arc<dyn Collector>;
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStep {
    /// Its name.
    pub name: String,
    /// Its action.
    pub action: String,
    /// Its status.
    pub status: RunStatus,
    /// When it reached that status.
    pub at: Timestamp,
}

/// A finished run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    /// Execution identifier.
    pub run: String,
    /// Steps, in order.
    pub steps: Vec<RunStep>,
    /// How it ended.
    pub status: RunStatus,
    /// When.
    pub at: Timestamp,
}

/// What the world looks like after a run.
#[derive(Debug, Clone, Default)]
pub struct Aftermath {
    /// Telemetry from the end of the run on.
    pub batches: Vec<Batch>,
    /// Alarm transitions from the end of the run on.
    pub alarms: Vec<AlarmTransition>,
    /// Up to when it was watched.
    pub until: Option<Timestamp>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// Runs runbooks. A node without it cannot execute.
pub trait Automation: Send + Sync + fmt::Debug {
    /// Starts the plan, at most once per digest, and waits for its end.
    fn run<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, Result<RunReport, PortError>>;

    /// Watches what happens afterwards.
    fn watch<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, Result<Aftermath, PortError>>;
}

/// A person's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Who.
    pub person: String,
    /// Where.
    pub surface: String,
    /// Yes or no.
    pub approved: bool,
    /// The digest of what they saw.
    pub digest: String,
}

/// Asks people.
pub trait Approver: Send + Sync + fmt::Debug {
    /// Shows the plan of a suggestion and waits; `None` when nobody answers.
    fn ask<'a>(
        &'a self,
        state: &'a State,
        suggestion: ItemId,
        plan: &'a Plan,
    ) -> BoxFuture<'a, Option<Answer>>;
}

/// Tells people, as the feed grows. Never decides anything.
pub trait Observer: Send {
    /// An item was appended; the state has it already.
    fn appended(&mut self, item: &FeedItem, state: &State);

    /// A source is being read: so many records so far.
    fn progress(&mut self, source: Source, records: u64);
}

/// Why a journal did not append.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Somebody else appended first.
    #[error("the feed has grown meanwhile")]
    Conflict,
    /// Another node works on it now: this one must stop.
    #[error("another node works on this investigation now")]
    Fenced,
    /// It cannot be written or read for now.
    #[error("{0}")]
    Unavailable(String),
}

/// Keeps a feed. Items are kept when `append` returns, and only then.
pub trait Journal: Send + Sync + fmt::Debug {
    /// Appends sealed items after the last one, all or none.
    fn append<'a>(&'a self, items: &'a [FeedItem]) -> BoxFuture<'a, Result<(), JournalError>>;

    /// The items after a sequence number, in order: people append as well.
    fn after(&self, seq: u64) -> BoxFuture<'_, Result<Vec<FeedItem>, JournalError>>;
}

/// The clock. The only one.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Now.
    fn now(&self) -> Timestamp;
}
