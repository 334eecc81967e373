//! Log lines to patterns. A line is read once: its header is recognised and left out, its variables become their
//! kind, equal results are counted together, and at the end lines that differ in one place are joined.
//!
//! Everything is a function of the set of lines, so patterns are the same in every run and on every node, whatever
//! the order, and states of several nodes can be merged. No rule rests on one system: each says which property of
//! logs in general it uses.

mod bytes;
pub mod compare;
mod header;
mod kind;
mod leaf;
mod mask;
mod merge;
mod miner;
mod request;
mod sequence;
mod shift;
mod spell;
mod structured;
mod table;
mod time;
mod values;
mod word;

#[cfg(test)]
mod tests;

pub use kind::Kind;
pub use miner::{Form, Miner, Pattern, Patterns, identity};
pub use sequence::Sequence;
pub use shift::{Moved, Shift};
pub use time::Stamp;
pub use values::{Counts, Measure};
