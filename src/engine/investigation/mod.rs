//! The spine: a feed folds into a [`State`], [`step()`] decides what to do next, [`Digest`] turns what was collected
//! into new items. The only module that composes the engine's features.

mod action;
mod authorise;
mod conclude;
mod digest;
mod revise;
#[cfg(test)]
mod round_tests;
mod state;
mod steer;
mod step;
#[cfg(test)]
mod tests;

pub use action::Action;
pub use authorise::authorise;
pub use digest::Digest;
pub use revise::{Reading, Revised, propose, revise};
pub use state::{ApplyError, Moved, State};
pub use step::{due, further_round, ranking, step};
