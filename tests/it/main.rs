//! The one integration test binary: everything that is tested from outside, without a server and without a network.
//!
//! Tests that need `../shared` say so clearly when it is absent; what must always be tested uses the project's own
//! recordings under `tests/incidents`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "helpers of tests fail loudly; the allow-in-tests settings only cover the bodies of test functions"
)]

#[path = "../redaction/mod.rs"]
mod redaction;
#[path = "../sns/mod.rs"]
mod sns;

mod analysis;
mod audit;
mod aws;
mod aws_evidence;
mod aws_faults;
mod aws_incidents;
mod bad_input;
mod binding;
mod catalogue;
mod cli;
mod crash;
mod demo;
mod doctor;
mod door;
mod fake_aws;
mod incidents;
mod intake;
mod live;
mod log_baseline;
mod logs;
mod metamorphic;
mod metrics;
mod nodes;
mod openapi;
mod people;
mod record;
mod redact;
mod rounds;
mod serve;
mod server;
mod snapshot;
mod states;
mod steering;
mod store;
mod storm;
mod support;
mod telemetry;
mod tidy;
mod triage;
mod variant;
