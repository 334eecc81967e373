//! The pure core of Tantei.
//!
//! Values in, values out: no I/O, no clock, no randomness, no hash-map order. A caller feeds telemetry into a
//! digest, appends what comes out to the feed, folds the feed into a state and asks [`investigation::step`] what to
//! do next. The contract of `step`: same state, same `now`, same limits, same actions.
//!
//! Floors, each using only lower ones: [`model`] and [`limits`] < [`analysis`], [`reasoning`], [`playbook`],
//! [`planning`], [`recovery`], [`redaction`], [`intake`], [`triage`] (side by side) < [`investigation`] < [`evaluation`].

pub mod analysis;
pub mod evaluation;
pub mod intake;
pub mod investigation;
pub mod limits;
pub mod model;
pub mod planning;
pub mod playbook;
pub mod reasoning;
pub mod recovery;
pub mod redaction;
pub mod report;
pub mod triage;
