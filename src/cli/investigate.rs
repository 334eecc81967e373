//! `tantei investigate`: a recorded incident, or an alarm of AWS, becomes a feed, ranked causes, suggestions, a report.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use tantei_engine::limits::Limits;
use tantei_engine::model::alarm::Direction;
use tantei_engine::model::time::Timestamp;
use tantei_engine::playbook::matching::Library;

use super::document::document;
use super::live::Live;
use super::serve::runtime;
use super::{output, playbooks};
use crate::app::{self, Settings};
use crate::ports::Observer;
use crate::render::Surface;
use crate::replay::{Investigated, Options, Silent, replay};
use crate::service::Wish;
use crate::words::Lang;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of the incident bundle (the one that holds incident.json), or a .tar.zst of it. Its label.json is never
    /// opened.
    #[arg(long, value_name = "DIR", required_unless_present_any = ["alarm", "metric", "text"])]
    bundle: Option<PathBuf>,
    /// An alarm of AWS instead, by its name or ARN: evidence is read now, with the standard chain of credentials. What is
    /// looked at is when it fired last.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["bundle", "metric", "text"])]
    alarm: Option<String>,
    /// A metric of AWS instead, such as AWS/Lambda/Errors, with its --dimension.
    #[arg(long, value_name = "NAMESPACE/NAME", conflicts_with_all = ["bundle", "text"])]
    metric: Option<String>,
    /// A dimension of the metric.
    #[arg(long = "dimension", value_name = "NAME=VALUE", value_parser = setting, requires = "metric")]
    dimensions: Vec<(String, String)>,
    /// The metric's statistic.
    #[arg(long, default_value = "Average", requires = "metric")]
    stat: String,
    /// That low values of the metric are bad, not high ones.
    #[arg(long, requires = "metric")]
    below: bool,
    /// Free words instead, in English or Japanese, such as 'orders is slow since 03:10 JST': what they name of the account's
    /// alarms and their resources is investigated.
    #[arg(long, value_name = "WORDS", conflicts_with = "bundle")]
    text: Option<String>,
    /// Settings for AWS: Region, other accounts, log groups.
    #[command(flatten)]
    config: super::serve::Settings,
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
    /// later time is a further round that says what it changed. Of AWS: when it was noticed.
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
    let mut live = Live::new(args.lang, library.clone());
    let library = Arc::new(library);
    let investigated = if args.json {
        investigate(args, library, &mut Silent)
    } else {
        investigate(args, library, &mut live)
    }?;
    if args.json {
        output::json(&document(&investigated))?;
    } else {
        live.finish()?;
        output::print(&live.summary(&investigated))?;
    }
    if let Some(path) = &args.report {
        output::file(path, &live.report(&investigated, Surface::Markdown))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn investigate(args: &Args, library: Arc<Library>, observer: &mut dyn Observer) -> Result<Investigated> {
    let values = args.settings.iter().cloned().collect();
    if let Some(folder) = &args.bundle {
        let options = Options { library: Some(library), values, at: args.at.clone(), ..Options::default() };
        return replay(folder, &options, observer).map_err(|e| output::input(&e));
    }
    let settings = Settings { limits: Limits::default(), library, values };
    let (wish, config) = (wish(args)?, args.config.load()?);
    runtime()?.block_on(app::investigate(&config, &wish, settings, observer, None))
}

fn wish(args: &Args) -> Result<Wish> {
    let at = match args.at.as_slice() {
        [] => None,
        [at] => Some(*at),
        [_, _, ..] => {
            return Err(output::input(&anyhow::anyhow!("--at: only a recording has several times")));
        }
    };
    Ok(Wish {
        alarm: args.alarm.clone(),
        metric: args.metric.clone(),
        text: args.text.clone(),
        dimensions: args.dimensions.iter().cloned().collect(),
        stat: args.metric.is_some().then(|| args.stat.clone()),
        direction: args.below.then_some(Direction::Below),
        at,
        ..Wish::default()
    })
}
