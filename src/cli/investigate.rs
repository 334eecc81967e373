//! `tantei investigate`: a recorded incident becomes a feed, ranked causes, suggestions and a report.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use tantei_engine::model::time::Timestamp;

use super::document::document;
use super::live::Live;
use super::{output, playbooks};
use crate::render::Surface;
use crate::replay::{Options, Silent, replay};
use crate::words::Lang;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of the incident bundle (the one that holds incident.json). Its label.json is never opened.
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Language of what people read.
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    /// Print one JSON document: investigation, feed, ranking, hypotheses, suggestions, gaps.
    #[arg(long)]
    json: bool,
    /// Also write the report as Markdown.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Replay what was known at this time (RFC 3339, between the alarm and the end of the window). Given again, the
    /// later time is a further round that says what it changed.
    #[arg(long, value_name = "TIME")]
    at: Vec<Timestamp>,
    /// A folder of your own playbooks instead of the shipped ones.
    #[arg(long, value_name = "DIR")]
    playbooks: Option<PathBuf>,
    /// A value that playbooks may take by name, such as
    /// automation_role=arn:aws:iam::111122223333:role/automation.
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
    let library = playbooks::library(args.playbooks.as_deref())?;
    let options = Options {
        library: Some(Arc::new(library.clone())),
        values: args.settings.iter().cloned().collect(),
        at: args.at.clone(),
        ..Options::default()
    };
    let mut live = Live::new(args.lang, library);
    let replayed = if args.json {
        replay(&args.bundle, &options, &mut Silent)
    } else {
        replay(&args.bundle, &options, &mut live)
    }
    .map_err(|e| output::input(&e))?;
    if args.json {
        output::json(&document(&replayed))?;
    } else {
        live.finish()?;
        output::print(&live.summary(&replayed))?;
    }
    if let Some(path) = &args.report {
        output::file(path, &live.report(&replayed, Surface::Markdown))?;
    }
    Ok(ExitCode::SUCCESS)
}
