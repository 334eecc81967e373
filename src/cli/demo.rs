//! `tantei demo`: a real recorded incident from alarm to proven recovery. Automation is simulated: a run of the right
//! runbook reveals what was really recorded after the real fix. Needs no credentials and no network.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use rust_embed::RustEmbed;
use tantei_engine::investigation::{State, ranking};
use tantei_engine::model::id::ItemId;
use tantei_engine::model::suggestion::Plan;
use tantei_engine::playbook::matching::Library;
use tantei_engine::report;
use tempfile::TempDir;

use super::document::document;
use super::live::Live;
use super::output;
use crate::playbooks;
use crate::ports::{Answer, Approver, BoxFuture};
use crate::render::layout::wrap;
use crate::render::terminal::{Style, proposal};
use crate::render::{Surface, Voice};
use crate::replay::{Options, Silent, replay};
use crate::words::{Lang, Words};

#[derive(RustEmbed)]
#[folder = "tests/incidents/001-lock-contention"]
#[exclude = "label.json"]
struct Recording;

/// The role that the simulated Automation assumes: nobody's.
const ROLE: &str = "arn:aws:iam::111122223333:role/tantei-automation";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Language of what people read.
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    /// Approve the suggested plan without asking.
    #[arg(long)]
    yes: bool,
    /// Print one JSON document instead. Without --yes nothing is approved.
    #[arg(long)]
    json: bool,
    /// Where the report is written; the folder must exist.
    #[arg(long, value_name = "FILE", default_value = "tantei-demo-report.md")]
    report: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let folder = unpack()?;
    let library = playbooks::shipped()?;
    let mut live = Live::new(args.lang, library.clone());
    let approver = TerminalApprover {
        lang: args.lang,
        library: library.clone(),
        style: live.style(),
        mode: match (args.yes, args.json) {
            (true, _) => Mode::Approve,
            (false, true) => Mode::Silent,
            (false, false) => Mode::Ask,
        },
    };
    let options = Options {
        library: Some(Arc::new(library)),
        values: [("automation_role".to_owned(), ROLE.to_owned())].into(),
        approver: Some(Arc::new(approver)),
        simulate: true,
        ..Options::default()
    };
    if args.json {
        let replayed = replay(folder.path(), &options, &mut Silent)?;
        output::json(&document(&replayed))?;
        return Ok(ExitCode::SUCCESS);
    }
    let intro = wrap(&live.words().word("demo-intro"), live.style().width);
    output::line(&format!("{}\n", intro.join("\n")))?;
    let replayed = replay(folder.path(), &options, &mut live)?;
    live.finish()?;
    output::print(&live.summary(&replayed))?;
    output::file(&args.report, &live.report(&replayed, Surface::Markdown))?;
    let path = args.report.display().to_string();
    output::line(&format!("\n{}", live.words().say("demo-report", &[("file", &path)])))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the embedded recording to a new temporary folder, so that it is read like any other bundle.
/// The folder goes when the value is dropped.
fn unpack() -> Result<TempDir> {
    let folder = TempDir::with_prefix("tantei-demo-").context("no temporary folder can be made")?;
    for name in Recording::iter() {
        let file = Recording::get(&name).with_context(|| format!("`{name}` is not embedded"))?;
        let path = folder.path().join(name.as_ref());
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .with_context(|| format!("`{}` cannot be made", parent.display()))?;
        }
        std::fs::write(&path, &file.data)
            .with_context(|| format!("`{}` cannot be written", path.display()))?;
    }
    Ok(folder)
}

/// What to do when a plan waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Approve,
    Ask,
    Silent,
}

/// Asks the person at the terminal.
#[derive(Debug)]
struct TerminalApprover {
    lang: Lang,
    library: Library,
    style: Style,
    mode: Mode,
}

impl Approver for TerminalApprover {
    fn ask<'a>(
        &'a self,
        state: &'a State,
        suggestion: ItemId,
        plan: &'a Plan,
    ) -> BoxFuture<'a, Option<Answer>> {
        Box::pin(async move {
            let approved = match self.mode {
                Mode::Silent => return None,
                Mode::Approve => true,
                Mode::Ask => self.asked(state, suggestion, plan)?,
            };
            let digest = plan.digest().to_owned();
            Some(Answer { person: "demo".to_owned(), surface: "terminal".to_owned(), approved, digest })
        })
    }
}

impl TerminalApprover {
    /// Shows the plan and reads the answer; `None` when nobody is there to give one.
    fn asked(&self, state: &State, suggestion: ItemId, plan: &Plan) -> Option<bool> {
        let words = Words::new(self.lang);
        let voice = Voice { words: &words, library: &self.library, surface: Surface::Terminal };
        let report = report::facts(state, &[], &ranking(state));
        let shown = report.actions.iter().find(|p| p.item == suggestion)?;
        let page = proposal(&voice, self.style, shown);
        let question = words.say("demo-ask", &[("digest", plan.short_digest())]);
        output::print(&format!("\n{page}\n{question} ")).ok()?;
        if !io::stdin().is_terminal() {
            output::line(&words.word("demo-nobody")).ok()?;
            return None;
        }
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).ok()?;
        Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "はい"))
    }
}
