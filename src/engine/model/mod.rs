//! The words of Tantei: what an alarm, an observation, a hypothesis, a feed item *is*.
//!
//! Facts only. No analysis, no sentences (those are rendered at view time, in the reader's language), no I/O.
//! Everything here is serialisable and versioned: what was stored once stays readable.

pub mod alarm;
pub mod alarm_event;
pub mod alarm_health;
pub mod cause;
pub mod execution;
pub mod feed;
pub mod gap;
pub mod hypothesis;
pub mod id;
pub mod num;
pub mod observation;
pub mod query;
pub mod resource;
pub mod revision;
pub mod service_event;
pub mod suggestion;
pub mod telemetry;
pub mod text;
pub mod time;
