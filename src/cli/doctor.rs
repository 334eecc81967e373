//! `tantei doctor`: tests what a server needs, line by line, and says how to mend what it lacks.

use std::process::ExitCode;

use anyhow::Result;
use indicatif::ProgressBar;
use serde_json::json;
use unicode_width::UnicodeWidthStr as _;

use super::output;
use super::serve::runtime;
use crate::app;
use crate::doctor::{self, Check, Findings, Status, Told, Topic};
use crate::render::escape;
use crate::words::{Lang, Words};

/// Longest sentence of one line: what AWS says may be long.
const LINE_MAX: usize = 600;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: super::serve::Settings,
    /// Language of what people read.
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut table = Table::new(args);
    let findings = match args.settings.read() {
        Ok(config) => runtime()?.block_on(app::doctor(&config, &mut table)),
        Err(errors) => doctor::unusable(&errors, &mut table),
    };
    table.finish()?;
    let policy = doctor::policy(&findings);
    if args.json {
        output::json(&json!({ "ok": !findings.failed(), "findings": findings, "policy": policy }))?;
    } else {
        told(&table.words, &findings, policy.as_ref())?;
    }
    Ok(if findings.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn told(words: &Words, findings: &Findings, policy: Option<&serde_json::Value>) -> Result<()> {
    output::line("")?;
    if let Some(policy) = policy {
        output::line(&words.word("doctor-policy"))?;
        output::line(&serde_json::to_string_pretty(policy)?)?;
    }
    if findings.micro_usd > 0 {
        let (dollars, rest) = (findings.micro_usd / 1_000_000, findings.micro_usd % 1_000_000);
        output::line(&words.say("doctor-cost", &[("usd", &format!("{dollars}.{rest:06}"))]))?;
    }
    let problems = findings.checks.iter().filter(|c| c.status == Status::Problem).count();
    output::line(&match problems {
        0 => words.word("doctor-all-fine"),
        n => words.say("doctor-mend", &[("count", &n.to_string())]),
    })
}

/// Prints every line as soon as it is known.
struct Table {
    words: Words,
    progress: Option<ProgressBar>,
    failure: Option<anyhow::Error>,
}

impl Table {
    fn new(args: &Args) -> Self {
        let words = Words::new(args.lang);
        let progress = (!args.json).then(output::spinner);
        Self { words, progress, failure: None }
    }

    fn finish(&mut self) -> Result<()> {
        if let Some(bar) = self.progress.take() {
            bar.finish_and_clear();
        }
        self.failure.take().map_or(Ok(()), Err)
    }

    fn line(&self, check: &Check) -> String {
        let status = self.words.word(match check.status {
            Status::Ok => "doctor-ok",
            Status::Warning => "doctor-warning",
            Status::Problem => "doctor-problem",
            Status::Skipped => "doctor-skipped",
        });
        let topic = self.words.word(match check.topic {
            Topic::Settings => "doctor-topic-settings",
            Topic::Store => "doctor-topic-store",
            Topic::Clock => "doctor-topic-clock",
            Topic::Credentials => "doctor-topic-credentials",
            Topic::Permission => "doctor-topic-permission",
            Topic::Delivery => "doctor-topic-delivery",
            Topic::Model => "doctor-topic-model",
        });
        let with: Vec<(&str, &str)> =
            check.with.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let says = escape::terminal(&self.words.say(check.says, &with), LINE_MAX);
        let subject = escape::terminal(&check.subject, 120);
        format!("{}  {}  {subject}: {says}", padded(&status, 10), padded(&topic, 11))
    }
}

/// Filled with spaces; a Japanese character is two columns wide.
fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

impl Told for Table {
    fn begins(&mut self, what: &str) {
        if let Some(bar) = &self.progress {
            bar.set_message(escape::terminal(what, 80));
            bar.tick();
        }
    }

    fn checked(&mut self, check: &Check) {
        let Some(bar) = &self.progress else { return };
        let line = self.line(check);
        bar.suspend(|| {
            if let Err(e) = output::line(&line) {
                self.failure.get_or_insert(e);
            }
        });
    }
}
