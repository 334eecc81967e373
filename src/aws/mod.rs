//! AWS: the one place that names its SDK. Reads telemetry of one account and Region behind [`crate::ports::Collector`].
//!
//! Not here: what to ask for (`tantei_engine::planning`, pure), and everything that changes something in AWS.

mod alarm_setup;
pub mod alarms;
pub mod apis;
pub mod asked;
pub mod change_event;
pub mod changes;
pub mod client;
pub mod collector;
pub mod errors;
pub mod evidence;
pub mod limiter;
mod link_sums;
mod log_events;
pub mod log_groups;
mod log_patterns;
pub mod logs;
pub mod metric_search;
pub mod metrics;
pub mod nodes;
pub mod otlp;
pub mod probe;
pub mod reading;
pub mod segments;
pub mod sns;
pub mod spent;
pub mod sqs;
pub mod states;
pub mod topics;
pub mod topology;
pub mod traces;
