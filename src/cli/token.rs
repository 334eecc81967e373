//! `tantei token`: makes, lists and revokes access tokens, straight in the store.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::output;
use super::serve::{Settings, runtime};
use crate::access::Role;
use crate::app;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a token. It is shown once.
    Create {
        #[command(flatten)]
        settings: Settings,
        /// Whose it is: this name stands in feeds.
        #[arg(long)]
        name: String,
        /// What it allows.
        #[arg(long, value_enum)]
        role: Role,
        /// Days for which it works; for ever when absent.
        #[arg(long)]
        days: Option<u32>,
    },
    /// List the tokens that were not revoked.
    List {
        #[command(flatten)]
        settings: Settings,
    },
    /// Revoke all tokens of a name.
    Revoke {
        #[command(flatten)]
        settings: Settings,
        /// Whose.
        #[arg(long)]
        name: String,
    },
}

pub(super) fn run(command: &Command) -> Result<ExitCode> {
    match command {
        Command::Create { settings, name, role, days } => {
            let config = settings.load()?;
            let (token, known) = runtime()?.block_on(app::make_token(&config, name, *role, *days))?;
            output::json(&json!({ "token": token, "known": known }))?;
        }
        Command::List { settings } => {
            let config = settings.load()?;
            output::json(&json!({ "tokens": runtime()?.block_on(app::tokens(&config))? }))?;
        }
        Command::Revoke { settings, name } => {
            let config = settings.load()?;
            let revoked = runtime()?.block_on(app::revoke_tokens(&config, name))?;
            output::json(&json!({ "revoked": revoked }))?;
            if revoked == 0 {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
