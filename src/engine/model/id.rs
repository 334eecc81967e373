//! Identifiers of feed items: made by the server, short enough to say aloud (`O-12`, `H-2`, `S-1`).
//!
//! Never taken from telemetry or a model: those may only *name* an identifier that already exists.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an identifier names. The letter is its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// `I`: the investigation was opened, advanced or closed.
    Lifecycle,
    /// `A`: an alarm changed its state.
    Alarm,
    /// `T`: what was learned about which resource uses which.
    Topology,
    /// `O`: something measured, logged, traced or changed.
    Observation,
    /// `G`: something that could not be seen.
    Gap,
    /// `H`: a possible cause.
    Hypothesis,
    /// `S`: something that could be done.
    Suggestion,
    /// `P`: a person approved or rejected a plan.
    Approval,
    /// `E`: a runbook ran.
    Execution,
    /// `R`: whether it helped.
    Recovery,
    /// `N`: words of a person.
    Note,
    /// `D`: a person's decision on an item.
    Decision,
    /// `U`: what was spent.
    Usage,
}

const PREFIXES: [(ItemKind, char); 13] = [
    (ItemKind::Lifecycle, 'I'),
    (ItemKind::Alarm, 'A'),
    (ItemKind::Topology, 'T'),
    (ItemKind::Observation, 'O'),
    (ItemKind::Gap, 'G'),
    (ItemKind::Hypothesis, 'H'),
    (ItemKind::Suggestion, 'S'),
    (ItemKind::Approval, 'P'),
    (ItemKind::Execution, 'E'),
    (ItemKind::Recovery, 'R'),
    (ItemKind::Note, 'N'),
    (ItemKind::Decision, 'D'),
    (ItemKind::Usage, 'U'),
];

/// The identifier of one feed item, unique within its investigation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ItemId {
    kind: ItemKind,
    number: u32,
}

impl ItemId {
    /// The `number`-th item of its kind, counted from 1.
    #[must_use]
    pub fn new(kind: ItemKind, number: u32) -> Self {
        Self { kind, number }
    }

    /// What it names.
    #[must_use]
    pub fn kind(self) -> ItemKind {
        self.kind
    }

    /// Its number among its kind.
    #[must_use]
    pub fn number(self) -> u32 {
        self.number
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = PREFIXES.iter().find(|(kind, _)| *kind == self.kind).map_or('?', |(_, c)| *c);
        write!(f, "{prefix}-{}", self.number)
    }
}

impl fmt::Debug for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no item identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an item identifier such as `O-12`")]
pub struct ItemIdError {
    text: String,
}

impl FromStr for ItemId {
    type Err = ItemIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ItemIdError { text: text.chars().take(32).collect() };
        let (prefix, digits) = text.split_once('-').ok_or_else(error)?;
        let kind = PREFIXES
            .iter()
            .find(|(_, c)| prefix.len() == 1 && prefix.starts_with(*c))
            .map(|(kind, _)| *kind)
            .ok_or_else(error)?;
        // One spelling per identifier: no sign, no leading zero.
        if !digits.bytes().all(|b| b.is_ascii_digit()) || digits.starts_with('0') {
            return Err(error());
        }
        let number = digits.parse().map_err(|_| error())?;
        Ok(Self { kind, number })
    }
}

impl TryFrom<String> for ItemId {
    type Error = ItemIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ItemId> for String {
    fn from(id: ItemId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_round_trips_and_has_its_own_letter() {
        for (kind, _) in PREFIXES {
            let id = ItemId::new(kind, 12);
            assert_eq!(id.to_string().parse::<ItemId>().unwrap(), id);
        }
    }

    #[test]
    fn nothing_else_is_an_identifier() {
        for text in ["", "O", "O-", "O-0", "O-01", "O-+1", "o-1", "X-1", "OO-1", "O-99999999999", "é-1"] {
            assert!(text.parse::<ItemId>().is_err(), "{text}");
        }
    }
}
