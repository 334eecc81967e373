//! Reasoning: from ranked candidates to hypotheses that people can check.

pub mod deterministic;
