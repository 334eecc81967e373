//! What to ask of AWS for an alarm: names, metrics, times, log groups. Values in, values out: nothing is called here.
//!
//! AWS's words (namespaces, dimensions, log groups) are data here, so that what is asked is tested without AWS.

pub mod kinds;
pub mod log_groups;
pub mod metrics;
pub mod naming;
pub mod sent;
pub mod times;
pub mod trace_ids;
