//! The one integration test binary: everything that is tested from outside, without a server and without a network.
//!
//! Tests that need `../shared` say so clearly when it is absent; what must always be tested uses the project's own
//! recordings under `tests/incidents`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::too_many_lines,
    reason = "helpers of tests fail loudly; the allow-in-tests settings only cover the bodies of test functions"
)]

mod audit;
mod bad_input;
mod catalogue;
mod cli;
mod demo;
mod incidents;
mod metamorphic;
mod support;
mod tidy;
