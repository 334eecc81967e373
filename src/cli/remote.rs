//! Commands of a running Tantei, from the terminal: list, show, watch, report, accept, discard, restore, note, end.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tantei_engine::report::Report;

use super::output;
use super::serve::runtime;
use crate::client::Client;
use crate::playbooks;
use crate::render::terminal::{feed_line, summary};
use crate::render::{Surface, Voice, escape, markdown};
use crate::words::{Lang, Words};

/// Which server, and how to show.
#[derive(Debug, clap::Args)]
pub(super) struct Server {
    /// The server.
    #[arg(long, value_name = "URL", env = "TANTEI_SERVER", default_value = "http://127.0.0.1:8080")]
    server: String,
    /// The token; better in the environment, where other users of the machine do not see it.
    #[arg(long, env = "TANTEI_TOKEN", hide_env_values = true)]
    token: String,
    /// Language of what people read.
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    /// Print what the server says, as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    server: Server,
    /// Only those that go on.
    #[arg(long)]
    open: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct One {
    #[command(flatten)]
    server: Server,
    /// The investigation.
    id: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    one: One,
    /// Write the report to this file instead of printing it.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Item {
    #[command(flatten)]
    one: One,
    /// The item, such as O-12 or H-1.
    item: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct NoteArgs {
    #[command(flatten)]
    one: One,
    /// The words.
    text: String,
}

impl Server {
    pub(super) fn client(&self) -> Result<Client> {
        Client::new(&self.server, &self.token).map_err(|e| output::input(&e))
    }

    /// Whether to print what the server says as it is.
    pub(super) fn json(&self) -> bool {
        self.json
    }
}

pub(super) fn list(args: &List) -> Result<ExitCode> {
    let path = if args.open { "/v1/investigations?status=open" } else { "/v1/investigations" };
    let client = args.server.client()?;
    let answer = runtime()?.block_on(client.get(path))?;
    if args.server.json {
        output::json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let words = Words::new(args.server.lang);
    let all = answer.get("investigations").and_then(Value::as_array);
    for listed in all.into_iter().flatten() {
        let text = |key: &str| {
            let text = listed.get(key).and_then(Value::as_str).unwrap_or_default();
            escape::terminal(text, 200)
        };
        let open = listed.get("open").and_then(Value::as_bool).unwrap_or_default();
        let status = words.word(if open { "status-open" } else { "status-ended" });
        output::line(&format!(
            "{}  {}  {status}  {}  {}",
            text("id"),
            text("opened_at"),
            text("resource"),
            text("title")
        ))?;
    }
    if all.is_none_or(Vec::is_empty) {
        output::line(&words.word("none"))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn show(args: &One) -> Result<ExitCode> {
    let (answer, report) = report_of(args)?;
    if args.server.json {
        output::json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (words, library) = (Words::new(args.server.lang), playbooks::shipped()?);
    let voice = Voice { words: &words, library: &library, surface: Surface::Terminal };
    output::print(&summary(&voice, output::style(), &report))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn report(args: &ReportArgs) -> Result<ExitCode> {
    let (answer, report) = report_of(&args.one)?;
    let text = if args.one.server.json {
        serde_json::to_string_pretty(&answer)? + "\n"
    } else {
        let (words, library) = (Words::new(args.one.server.lang), playbooks::shipped()?);
        markdown::report(&Voice { words: &words, library: &library, surface: Surface::Markdown }, &report)
    };
    match &args.file {
        Some(file) => output::file(file, &text)?,
        None => output::print(&text)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The server's answer, and the report in it.
fn report_of(args: &One) -> Result<(Value, Report)> {
    let client = args.server.client()?;
    let path = format!("/v1/investigations/{}/report", args.id);
    let answer = runtime()?.block_on(client.get(&path))?;
    let report = answer.get("report").cloned().unwrap_or_default();
    let report = serde_json::from_value(report).context("the server is of another version")?;
    Ok((answer, report))
}

pub(super) fn watch(args: &One) -> Result<ExitCode> {
    let client = args.server.client()?;
    let (words, library) = (Words::new(args.server.lang), playbooks::shipped()?);
    let voice = Voice { words: &words, library: &library, surface: Surface::Terminal };
    let style = output::style();
    runtime()?.block_on(client.watch(&args.id, |item| {
        if args.server.json {
            output::line(&serde_json::to_string(&item)?)?;
        } else if let Some(line) = feed_line(&voice, style, &item) {
            output::line(&line)?;
        }
        Ok(true)
    }))?;
    Ok(ExitCode::SUCCESS)
}

/// Accepts, discards or restores an item.
pub(super) fn decide(args: &Item, decision: &str) -> Result<ExitCode> {
    let path = format!("/v1/investigations/{}/items/{}/{decision}", args.one.id, args.item);
    done(&args.one.server, &path, &json!({}))
}

pub(super) fn note(args: &NoteArgs) -> Result<ExitCode> {
    let path = format!("/v1/investigations/{}/notes", args.one.id);
    done(&args.one.server, &path, &json!({ "text": args.text }))
}

pub(super) fn end(args: &One) -> Result<ExitCode> {
    done(&args.server, &format!("/v1/investigations/{}/end", args.id), &json!({}))
}

fn done(server: &Server, path: &str, body: &Value) -> Result<ExitCode> {
    let client = server.client()?;
    let answer = runtime()?.block_on(client.post(path, body))?;
    if server.json {
        output::json(&answer)?;
    }
    Ok(ExitCode::SUCCESS)
}
