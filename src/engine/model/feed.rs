//! The feed: an append-only, hash-chained sequence of typed items. The only state there is.
//!
//! Items are never updated or deleted. Each carries the hash of the one before, over a canonical form
//! (JSON with sorted keys and no white space), so that [`verify`] finds any edit, deletion, reorder or insertion.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::alarm::{Alarm, AlarmTransition};
use super::alarm_health::AlarmHealth;
use super::cause::Abstention;
use super::execution::{Approval, Execution, Recovery};
use super::gap::Gap;
use super::hypothesis::Hypothesis;
use super::id::{ItemId, ItemKind};
use super::observation::Observation;
use super::query::Source;
use super::resource::{Edge, Resource, ResourceId};
use super::revision::Revision;
use super::suggestion::Suggestion;
use super::text::Untrusted;
use super::time::{TimeSpan, Timestamp};

/// Version of the stored form. A reader knows all versions up to its own.
pub const FEED_VERSION: u16 = 1;

/// The `prev` of the first item.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Who or what caused an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Principal {
    /// A part of Tantei.
    Tantei {
        /// Which: `intake`, `analysis`, `playbooks`, `recovery` …
        part: String,
    },
    /// A collector.
    Collector {
        /// Its source.
        source: Source,
    },
    /// A person.
    Person {
        /// Name or identifier as the surface authenticated it.
        name: String,
        /// Where they spoke: `terminal`, `slack`, `web` …
        surface: String,
    },
    /// Systems Manager Automation, or the simulation of it.
    Automation,
}

impl Principal {
    /// A part of Tantei.
    #[must_use]
    pub fn tantei(part: &str) -> Self {
        Self::Tantei { part: part.to_owned() }
    }
}

/// What an item says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "item", rename_all = "snake_case")]
pub enum Body {
    /// The investigation was opened.
    Opened(Opened),
    /// A further round of collection began.
    Round(Round),
    /// A source was read to its end, or as far as it could be.
    Collected(Collected),
    /// The analysis came to its end for now.
    Concluded(Concluded),
    /// Playbooks were matched against the hypotheses.
    Matched(Matched),
    /// An alarm changed its state.
    AlarmTransition(AlarmTransition),
    /// Something is wrong with how an alarm is set up.
    AlarmHealth(AlarmHealth),
    /// Resources and who uses whom.
    Topology(Topology),
    /// Something measured, logged, traced or changed.
    Observation(Box<Observation>),
    /// Something that could not be seen.
    Gap(Gap),
    /// A possible cause.
    Hypothesis(Box<Hypothesis>),
    /// Something that could be done.
    Suggestion(Box<Suggestion>),
    /// A person's word on a plan.
    Approval(Approval),
    /// One event of a run.
    Execution(Execution),
    /// Whether it helped.
    Recovery(Recovery),
    /// Words of a person.
    Note(Note),
    /// A person's decision on an item.
    Decision(Decision),
    /// What was spent.
    Usage(Usage),
}

impl Body {
    /// The kind of identifier that such an item gets.
    #[must_use]
    pub fn kind(&self) -> ItemKind {
        match self {
            Self::Opened(_) | Self::Round(_) | Self::Collected(_) | Self::Concluded(_) | Self::Matched(_) => {
                ItemKind::Lifecycle
            }
            Self::AlarmTransition(_) | Self::AlarmHealth(_) => ItemKind::Alarm,
            Self::Topology(_) => ItemKind::Topology,
            Self::Observation(_) => ItemKind::Observation,
            Self::Gap(_) => ItemKind::Gap,
            Self::Hypothesis(_) => ItemKind::Hypothesis,
            Self::Suggestion(_) => ItemKind::Suggestion,
            Self::Approval(_) => ItemKind::Approval,
            Self::Execution(_) => ItemKind::Execution,
            Self::Recovery(_) => ItemKind::Recovery,
            Self::Note(_) => ItemKind::Note,
            Self::Decision(_) => ItemKind::Decision,
            Self::Usage(_) => ItemKind::Usage,
        }
    }
}

/// The first item: what is investigated, with which rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// The investigation's identifier.
    pub investigation: String,
    /// What started it.
    pub alarm: Alarm,
    /// Where the telemetry comes from, in its own words.
    pub origin: Untrusted,
    /// Version of Tantei.
    pub tantei: String,
    /// Digest of the playbooks in force.
    pub playbooks: String,
}

/// Why a further round of collection began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundReason {
    /// The conclusion was provisional, and what it waited for should have arrived.
    Due,
    /// Somebody wanted what is known now.
    Asked,
    /// Somebody accepted an item: the round looks around its resource first.
    Steered,
}

/// A further round of collection: every source is read again, over this time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// From 2; the opening begins the first.
    pub number: u32,
    /// The time under investigation from now on.
    pub window: TimeSpan,
    /// Healthy times to compare with.
    pub baseline: Vec<TimeSpan>,
    /// Why.
    pub why: RoundReason,
    /// Resources that people pointed at, and their neighbours: they are read first, however far away they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub focus: Vec<ResourceId>,
}

/// A source was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    /// Which.
    pub source: Source,
    /// Records read.
    pub records: u64,
    /// Items of earlier rounds that no longer hold: measured again, or gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outdated: Vec<ItemId>,
}

/// The analysis came to its end for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concluded {
    /// Why no cause is named; empty when one is.
    pub abstained: Vec<Abstention>,
    /// Whether more data is expected: one full period after the onset has not passed.
    pub provisional: bool,
    /// What is different from the conclusion before; empty in the first one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revised: Vec<Revision>,
    /// Hypotheses that no longer hold as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outdated: Vec<ItemId>,
}

/// Playbooks were matched against the hypotheses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    /// Playbooks looked at.
    pub considered: u32,
    /// Suggestions made.
    pub suggested: u32,
    /// Suggestions that no longer fit and that nobody has decided about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outdated: Vec<ItemId>,
}

/// Resources and who uses whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// Resources, by identifier.
    pub resources: Vec<Resource>,
    /// Dependencies, sorted.
    pub edges: Vec<Edge>,
}

/// Words of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The words.
    pub text: Untrusted,
}

/// What a person decided about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// It belongs to the incident.
    Accepted,
    /// It does not.
    Discarded,
    /// A discard was taken back.
    Restored,
}

/// A person's decision on an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The item that it is about; `item` is the name of the body's kind.
    #[serde(rename = "about")]
    pub item: ItemId,
    /// The decision.
    pub decision: DecisionKind,
}

/// What was spent on a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The source.
    pub source: Source,
    /// Requests made.
    pub requests: u64,
    /// Bytes read, decompressed.
    pub bytes: u64,
    /// What was charged for, at list price.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<Charge>,
}

/// Calls that somebody is charged for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The operation, as permissions name it.
    pub operation: String,
    /// How often it was called.
    pub calls: u64,
    /// Millionths of a dollar, as estimated before the calls.
    pub expected_micro_usd: u64,
    /// Millionths of a dollar, as the answers tell.
    pub micro_usd: u64,
}

/// One item of a feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedItem {
    /// Version of the stored form.
    pub version: u16,
    /// Place in the feed, from 1.
    pub seq: u64,
    /// Its identifier.
    pub id: ItemId,
    /// When it happened.
    pub happened_at: Timestamp,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Who or what caused it.
    pub by: Principal,
    /// The items it follows from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<ItemId>,
    /// What it says.
    pub body: Body,
    /// Hash of the item before.
    pub prev: String,
    /// SHA-256 over the canonical form of all of the above.
    pub hash: String,
}

impl FeedItem {
    /// Whether its hash fits its content.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        serde_json::to_value(self).is_ok_and(|v| hash_of(v) == self.hash)
    }
}

/// An item before it has a place in a feed.
#[derive(Debug, Clone, PartialEq)]
pub struct NewItem {
    /// When it happened.
    pub happened_at: Timestamp,
    /// Who or what caused it.
    pub by: Principal,
    /// The items it follows from.
    pub because: Vec<ItemId>,
    /// What it says.
    pub body: Body,
}

/// The JSON text over which hashes are made: keys sorted, no white space.
#[must_use]
pub fn canonical(value: &Value) -> String {
    // serde_json's map is ordered by key (its `preserve_order` feature is off: the tidy test checks that).
    value.to_string()
}

/// SHA-256 of the canonical form, in hexadecimal.
#[must_use]
pub fn canonical_digest<T: Serialize>(value: &T) -> String {
    // Our own types have string keys and no failing serialisers; a null digest would match nothing.
    let value = serde_json::to_value(value).unwrap_or(Value::Null);
    hex(&Sha256::digest(canonical(&value).as_bytes()))
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        out.push_str(&format!("{b:02x}"));
        out
    })
}

/// Gives an item its place: sequence number, identifier, chain.
#[must_use]
pub fn seal(item: NewItem, number: u32, last: Option<&FeedItem>, recorded_at: Timestamp) -> FeedItem {
    let mut sealed = FeedItem {
        version: FEED_VERSION,
        seq: last.map_or(1, |l| l.seq + 1),
        id: ItemId::new(item.body.kind(), number),
        happened_at: item.happened_at,
        recorded_at,
        by: item.by,
        because: item.because,
        body: item.body,
        prev: last.map_or_else(|| GENESIS.to_owned(), |l| l.hash.clone()),
        hash: String::new(),
    };
    sealed.hash = serde_json::to_value(&sealed).map_or_else(|_| String::new(), hash_of);
    sealed
}

/// The hash of a stored item: over everything but its own `hash`.
fn hash_of(mut item: Value) -> String {
    if let Some(map) = item.as_object_mut() {
        map.remove("hash");
    }
    hex(&Sha256::digest(canonical(&item).as_bytes()))
}

/// What is wrong with a stored feed, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("item {position} ({what}): {problem}")]
pub struct Broken {
    /// Place in the file, from 1.
    pub position: usize,
    /// Identifier of the item as far as it can be told.
    pub what: String,
    /// What is wrong.
    pub problem: String,
}

/// Checks a stored feed as JSON values, without trusting that they are items this version knows:
/// an edit that this version would not even read must still be found.
///
/// # Errors
/// The first item that was edited, removed, moved or put in.
pub fn verify(items: &[Value]) -> Result<(), Broken> {
    let mut prev = GENESIS.to_owned();
    for (index, item) in items.iter().enumerate() {
        let position = index + 1;
        let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default();
        let broken = |problem: String| Broken { position, what: super::text::plain(text("id")), problem };
        let seq = item.get("seq").and_then(Value::as_u64);
        if seq != u64::try_from(position).ok() {
            return Err(broken(format!(
                "its `seq` is {}, its place is {position}: an item was removed, moved or put in",
                seq.map_or_else(|| "no number".to_owned(), |s| s.to_string())
            )));
        }
        if text("prev") != prev {
            return Err(broken("its `prev` is not the hash of the item before".to_owned()));
        }
        if text("hash") != hash_of(item.clone()) {
            return Err(broken("its `hash` does not fit its content: it was edited".to_owned()));
        }
        text("hash").clone_into(&mut prev);
    }
    Ok(())
}
