//! Deterministic analysis: telemetry in, observations out; observations in, ranked causes out.
//!
//! Analysis cannot fail: whatever is missing, null, late or broken, the result is observations and gaps. One
//! configuration for everything; nothing is keyed to a dataset, a system, a name or a unit.

pub mod alarm_health;
pub mod alarms;
pub mod changes;
pub mod deviation;
pub mod fnv;
pub mod impact;
mod link_sums;
pub mod log_companions;
pub mod log_digest;
pub mod logs;
pub mod mechanism;
pub mod metrics;
pub mod online;
pub mod parts;
pub mod queries;
pub mod ranking;
pub mod roles;
pub mod scope;
pub mod season;
pub mod skew;
pub mod stats;
pub mod topology;
pub mod trace_digest;
pub mod trace_tree;
pub mod window;
