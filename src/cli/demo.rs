//! demo
use anyhow::Result;
use std::process::ExitCode;
#[derive(Debug, clap::Args)]
pub(super) struct Args {}
pub(super) fn run(_: &Args) -> Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
