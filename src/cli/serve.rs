//! `tantei serve`: receives alarms and investigates them until it is told to stop.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use super::output;
use crate::app;
use crate::config::{Config, ConfigErrors};
use crate::redacting::{self, RedactingWriter};
use crate::telemetry::{SPANS, Traces};

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
    pub(super) fn load(&self) -> Result<Config> {
        self.read().map_err(|e| output::input(&e.into()))
    }

    /// The settings, or everything that is wrong with them.
    #[expect(clippy::disallowed_methods, reason = "the settings are read once, here")]
    pub(super) fn read(&self) -> Result<Config, ConfigErrors> {
        Config::load(self.file.as_deref(), |name| std::env::var(name).ok())
    }
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let config = args.settings.load()?;
    let runtime = runtime()?;
    let traces = config.telemetry.otlp_endpoint.as_deref();
    let traces = traces.map(|endpoint| Traces::to(endpoint, runtime.handle().clone())).transpose()?;
    log(args, config.redaction.key.as_deref(), traces.as_ref())?;
    let served = runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(told_to_stop(stop.clone()));
        app::serve(config, stop, |address| tracing::info!(%address, "listening")).await
    });
    if let Some(traces) = traces {
        traces.end();
    }
    served?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("the asynchronous runtime cannot start")
}

/// Logs go to standard error: standard output stays empty for whoever pipes it. Spans are for traces only.
fn log(args: &Args, key: Option<&str>, traces: Option<&Traces>) -> Result<()> {
    let filter = EnvFilter::try_new(&args.log).context("--log: such as info, or tantei=debug,warn")?;
    let filter = filter.add_directive(format!("{SPANS}=off").parse()?);
    let redactor = Arc::new(redacting::redactor(key)?);
    let writer = move || RedactingWriter::new(std::io::stderr(), Arc::clone(&redactor));
    let logs = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
    let logs = if args.log_json {
        logs.json().with_filter(filter).boxed()
    } else {
        logs.with_filter(filter).boxed()
    };
    tracing_subscriber::registry().with(logs).with(traces.map(Traces::layer)).init();
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
