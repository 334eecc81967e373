//! demo
use std::process::ExitCode;
use anyhow::Result;
#[derive(Debug, clap::Args)]
pub(super) struct Args {}
pub(super) fn run(_: &Args) -> Result<ExitCode> { Ok(ExitCode::SUCCESS) }
