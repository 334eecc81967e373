//! Playbooks: from a hypothesis to a runbook that people may approve.
//!
//! Schema, checks against the runbook catalogue, matching, binding. Reading YAML is the shell's work
//! (`src/playbooks.rs`); nothing here executes anything.

pub mod catalogue;
pub mod matching;
pub mod schema;
