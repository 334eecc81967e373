//! A fact: a key and typed arguments. What is said is here; how it is said is the reader's language.
//!
//! No words. The keys are those of the word files; every argument says by its type how it is written, and whether it
//! came from outside and must be escaped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::id::ItemId;
use crate::model::resource::ResourceId;
use crate::model::text::Untrusted;
use crate::model::time::Timestamp;

/// An argument of a fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", content = "value", rename_all = "snake_case")]
pub enum Arg {
    /// An item of the feed.
    Item(ItemId),
    /// A name from outside, shown letter by letter: a resource, a metric, a document, a person.
    Name(String),
    /// Names in order, each using the next.
    Path(Vec<String>),
    /// Free text from outside: quoted, and cut where it is long.
    Text(Untrusted),
    /// A measured number and its unit as the source names it.
    Number {
        /// The number.
        value: f64,
        /// The unit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<String>,
    },
    /// A count.
    Count(u64),
    /// How many times as much.
    Factor(f64),
    /// A part of a whole, 0..1.
    Share(f64),
    /// A measured time in milliseconds.
    Milliseconds(f64),
    /// A length of time in seconds.
    Seconds(i64),
    /// A day and a time.
    Time(Timestamp),
    /// The time of day, where the day is clear.
    Clock(Timestamp),
    /// A word of our own, by its key.
    Term(String),
    /// The title of a playbook, by its identifier.
    Playbook(String),
}

/// Something the report says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Which sentence.
    pub key: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, Arg>,
    /// The items it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cites: Vec<ItemId>,
    /// Remarks on it, which not every fact of this key has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Fact>,
}

impl Fact {
    /// A fact without arguments.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self { key: key.to_owned(), args: BTreeMap::new(), cites: Vec::new(), remarks: Vec::new() }
    }

    /// With an argument.
    #[must_use]
    pub fn with(mut self, name: &str, arg: Arg) -> Self {
        self.args.insert(name.to_owned(), arg);
        self
    }

    /// About a resource.
    #[must_use]
    pub fn about(self, resource: &ResourceId) -> Self {
        self.with("resource", name(resource))
    }

    /// Resting on an item, which becomes the argument `item` too.
    #[must_use]
    pub fn citing(mut self, item: ItemId) -> Self {
        self.cites.push(item);
        self.with("item", Arg::Item(item))
    }

    /// With a remark.
    #[must_use]
    pub fn remarking(mut self, remark: impl IntoIterator<Item = Self>) -> Self {
        self.remarks.extend(remark);
        self
    }
}

/// The name of a resource.
#[must_use]
pub(super) fn name(resource: &ResourceId) -> Arg {
    Arg::Name(resource.as_str().to_owned())
}

/// Names of resources in order.
#[must_use]
pub(super) fn path(resources: &[ResourceId]) -> Arg {
    Arg::Path(resources.iter().map(|r| r.as_str().to_owned()).collect())
}

/// A word of our own.
#[must_use]
pub(super) fn term(key: &str) -> Arg {
    Arg::Term(key.to_owned())
}
