//! `tantei serve`: receives alarms and investigates them until it is told to stop.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use super::output;
use crate::app;
use crate::config::Config;
use crate::redacting::{self, RedactingWriter};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Log lines as JSON.
    #[arg(long)]
    log_json: bool,
    /// How much to log.
    #[arg(long, value_name = "LEVEL", default_value = "info", env = "TANTEI_LOG")]
    log: String,
}

/// Where the settings are.
#[derive(Debug, clap::Args)]
pub(super) struct Settings {
    /// The settings; without it, defaults and environment variables. `tantei.example.toml` shows them all.
    #[arg(long = "config", value_name = "FILE", env = "TANTEI_CONFIG")]
    file: Option<PathBuf>,
}

impl Settings {
    #[expect(clippy::disallowed_methods, reason = "the settings are read once, here")]
    pub(super) fn load(&self) -> Result<Config> {
        let config = Config::load(self.file.as_deref(), |name| std::env::var(name).ok());
        config.map_err(|e| output::input(&e.into()))
    }
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let config = args.settings.load()?;
    log(args, config.redaction.key.as_deref())?;
    runtime()?.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(told_to_stop(stop.clone()));
        app::serve(config, stop, |address| tracing::info!(%address, "listening")).await
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("the asynchronous runtime cannot start")
}

/// Logs go to standard error: standard output stays empty for whoever pipes it.
fn log(args: &Args, key: Option<&str>) -> Result<()> {
    let filter = EnvFilter::try_new(&args.log).context("--log: such as info, or tantei=debug,warn")?;
    let redactor = Arc::new(redacting::redactor(key)?);
    let writer = move || RedactingWriter::new(std::io::stderr(), Arc::clone(&redactor));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false);
    if args.log_json {
        logs.json().init();
    } else {
        logs.init();
    }
    Ok(())
}

/// Ends with the first SIGINT or SIGTERM.
async fn told_to_stop(stop: CancellationToken) {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
    tracing::info!("stopping");
    stop.cancel();
}
