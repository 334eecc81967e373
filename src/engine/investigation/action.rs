//! What the driver is asked to do. Every variant is performed through one port, or by appending.

use crate::model::feed::NewItem;
use crate::model::id::ItemId;
use crate::model::query::Source;

/// One thing to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Append what was concluded.
    Record(Vec<NewItem>),
    /// Read a source to its end and append what it shows.
    Collect(Source),
    /// Match playbooks against the hypotheses and append suggestions.
    Suggest,
    /// Ask people whether the plan of this suggestion may run.
    AskApproval(ItemId),
    /// Run the approved plan of this suggestion.
    Execute(ItemId),
    /// Watch whether the run of this suggestion helped, and append the judgement.
    JudgeRecovery(ItemId),
}
