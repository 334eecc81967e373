//! `tantei record`: writes an investigation as a bundle that can be replayed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::json;
use tantei_engine::limits::Limits;

use super::live::Live;
use super::output;
use super::serve::runtime;
use crate::app::{self, Settings};
use crate::client::Client;
use crate::ports::Observer;
use crate::record::Outcome;
use crate::replay::{Investigated, Silent};
use crate::service::Wish;
use crate::words::Lang;
use crate::{bundle, playbooks};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The investigation: its feed comes from the server when there is a token, else from the store of the settings.
    #[arg(required_unless_present = "alarm")]
    id: Option<String>,
    /// An alarm of AWS instead, by its name or ARN: it is investigated now and recorded.
    #[arg(long, value_name = "NAME", conflicts_with = "id")]
    alarm: Option<String>,
    /// The folder to make. It must not exist.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Let the server read the telemetry, with its own credentials, and send the bundle.
    #[arg(long, requires = "id", requires = "token")]
    on_server: bool,
    /// The server.
    #[arg(long, value_name = "URL", env = "TANTEI_SERVER", default_value = "http://127.0.0.1:8080")]
    server: String,
    /// The token; better in the environment, where other users of the machine do not see it.
    #[arg(long, env = "TANTEI_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Settings for AWS: Region, other accounts, log groups.
    #[command(flatten)]
    config: super::serve::Settings,
    /// Language of what people read.
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    if args.to.symlink_metadata().is_ok() {
        let exists = format!("`{}` exists already: --to names a folder that does not", args.to.display());
        return Err(output::InputError(exists).into());
    }
    let mut live = Live::new(args.lang, playbooks::shipped()?);
    let same_cause = match (&args.alarm, &args.id) {
        (Some(alarm), _) => observed(args, &mut live, |o| of_alarm(args, alarm, o)).map(|_| None),
        (None, Some(id)) if args.on_server => of_server(args, id).map(|()| None),
        (None, id) => {
            let id = id.as_deref().unwrap_or_default();
            observed(args, &mut live, |o| of_investigation(args, id, o)).map(|outcome| outcome.same_cause)
        }
    }?;
    live.finish()?;
    told(args, &live, same_cause)
}

/// The feed line by line for people, nothing of it for a script.
fn observed<T>(args: &Args, live: &mut Live, work: impl FnOnce(&mut dyn Observer) -> Result<T>) -> Result<T> {
    if args.json { work(&mut Silent) } else { work(live) }
}

fn settings() -> Result<Settings> {
    let library = Arc::new(playbooks::shipped()?);
    Ok(Settings { limits: Limits::default(), library, ..Settings::default() })
}

fn of_alarm(args: &Args, alarm: &str, observer: &mut dyn Observer) -> Result<Investigated> {
    let config = args.config.load()?;
    let wish = Wish { alarm: Some(alarm.to_owned()), ..Wish::default() };
    runtime()?.block_on(app::investigate(&config, &wish, settings()?, observer, Some(&args.to)))
}

fn of_investigation(args: &Args, id: &str, observer: &mut dyn Observer) -> Result<Outcome> {
    let config = args.config.load()?;
    runtime()?.block_on(async {
        let feed = match &args.token {
            Some(_) => client(args)?.feed(id).await?,
            None => app::feed(&config, id).await?,
        };
        app::record(&config, feed, settings()?, &args.to, observer).await
    })
}

/// The server's archive is kept beside the folder until it is unpacked: it may be large.
fn of_server(args: &Args, id: &str) -> Result<()> {
    let mut file = tempfile::tempfile().context("no temporary file can be made")?;
    let bar = output::spinner();
    let fetched = runtime()?.block_on(client(args)?.bundle(id, &mut file, |said| {
        bar.set_message(tantei_engine::model::text::plain(said));
        bar.tick();
    }));
    bar.finish_and_clear();
    fetched?;
    std::io::Seek::rewind(&mut file)?;
    bundle::archive::unpack(file, &args.to)
}

fn client(args: &Args) -> Result<Client> {
    let token = args.token.as_deref().unwrap_or_default();
    Client::new(&args.server, token).map_err(|e| output::input(&e))
}

fn told(args: &Args, live: &Live, same_cause: Option<bool>) -> Result<ExitCode> {
    let recorded = bundle::recorded::read(&args.to).ok().flatten();
    let sources = recorded.map(|r| r.sources).unwrap_or_default();
    let records: u64 = sources.values().map(|s| s.records).sum();
    let gaps: usize = sources.values().map(|s| s.gaps.len()).sum();
    if args.json {
        let folder = args.to.display().to_string();
        output::json(&json!({
            "bundle": folder, "records": records, "gaps": gaps, "same_cause": same_cause, "sources": sources,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let words = live.words();
    let (folder, records, gaps) = (shown(&args.to), records.to_string(), gaps.to_string());
    let said = [("folder", folder.as_str()), ("records", records.as_str()), ("gaps", gaps.as_str())];
    output::line(&words.say("record-done", &said))?;
    match same_cause {
        Some(true) => output::line(&words.word("record-same"))?,
        Some(false) => output::line(&words.word("record-differs"))?,
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(path: &Path) -> String {
    tantei_engine::model::text::plain(&path.display().to_string())
}
