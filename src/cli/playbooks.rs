//! `tantei playbooks`: list, show, check.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Subcommand;
use serde_json::json;
use tantei_engine::model::text::plain;
use tantei_engine::playbook::matching::Library;
use tantei_engine::playbook::schema::Playbook;

use super::output;
use crate::playbooks::{self, Loaded};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List playbooks: identifier, effect, document, title.
    List {
        /// A folder of your own playbooks; the shipped ones without it.
        folder: Option<PathBuf>,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Show one playbook.
    Show {
        /// Its identifier.
        id: String,
        /// A folder of your own playbooks; the shipped ones without it.
        folder: Option<PathBuf>,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Check playbooks against the schema and the catalogue of Automation documents.
    Check {
        /// A folder of your own playbooks; the shipped ones without it.
        folder: Option<PathBuf>,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: &Command) -> Result<ExitCode> {
    match command {
        Command::List { folder, json } => list(&library(folder.as_deref())?, *json),
        Command::Show { id, folder, json } => show(&library(folder.as_deref())?, id, *json),
        Command::Check { folder, json } => check(folder.as_deref(), *json),
    }
}

fn load(folder: Option<&Path>) -> Result<Loaded> {
    match folder {
        Some(folder) => playbooks::folder(folder).map_err(|e| output::input(&e)),
        None => Ok(Loaded { library: playbooks::shipped()?, ..Loaded::default() }),
    }
}

/// Playbooks to use: all of them must be good, or none is.
pub(super) fn library(folder: Option<&Path>) -> Result<Library> {
    playbooks::in_force(folder).map_err(|e| output::input(&e))
}

fn list(library: &Library, as_json: bool) -> Result<ExitCode> {
    if as_json {
        output::json(&json!({ "playbooks": library.values().collect::<Vec<_>>() }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for (id, playbook) in library {
        let effect = word(&playbook.effect);
        output::line(&format!("{id:<44} {effect:<20} {}", plain(&playbook.title.en)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(library: &Library, id: &str, as_json: bool) -> Result<ExitCode> {
    let Some(playbook) = library.get(id) else {
        let near: Vec<&str> = library.keys().filter(|k| k.contains(id)).map(String::as_str).take(5).collect();
        let hint = if near.is_empty() { "see `tantei playbooks list`".to_owned() } else { near.join(", ") };
        return Err(output::input(&anyhow::anyhow!("there is no playbook `{id}`; {hint}")));
    };
    if as_json {
        output::json(playbook)?;
    } else {
        for line in page(playbook).lines() {
            output::line(&visible(line))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Both languages: whoever writes playbooks reads them side by side.
fn page(p: &Playbook) -> String {
    let mut out = String::new();
    let mut put = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    put(format!("{}\n  {}\n  {}", p.playbook, p.title.en, p.title.ja));
    put(format!("\nfor        {}", p.when.resource_kinds.join(", ")));
    if !p.when.mechanisms.is_empty() {
        put(format!("mechanism  {}", p.when.mechanisms.iter().map(word).collect::<Vec<_>>().join(", ")));
    }
    for (label, conditions) in [("all of", &p.when.all), ("any of", &p.when.any)] {
        for condition in conditions {
            put(format!("{label}     {}", serde_json::to_string(condition).unwrap_or_default()));
        }
    }
    put(format!("effect     {}, risk {}", word(&p.effect), word(&p.risk)));
    if let Some(run) = &p.run {
        put(format!("\nruns       {} {}", run.document, run.version));
        for (name, source) in &run.parameters {
            put(format!("  {name:<32} {}", serde_json::to_string(source).unwrap_or_default()));
        }
    }
    let texts = [("first", &p.preconditions), ("steps", &p.steps)];
    for (label, words) in texts {
        for w in words {
            put(format!("\n{label:<10} {}\n           {}", w.en, w.ja));
        }
    }
    put(format!("\nexpect     {}\n           {}", p.expect.en, p.expect.ja));
    put(format!("\nundo       {}\n           {}", p.undo.en, p.undo.ja));
    for link in &p.links {
        put(format!("\nread       {}\n           {}", link.title.en, link.url));
    }
    out
}

/// A line without invisible characters, its indentation kept.
fn visible(line: &str) -> String {
    let indent = line.len() - line.trim_start_matches(' ').len();
    format!("{}{}", " ".repeat(indent), plain(line))
}

fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn check(folder: Option<&Path>, as_json: bool) -> Result<ExitCode> {
    let loaded = load(folder)?;
    let good = loaded.library.len();
    if good == 0 && loaded.problems.is_empty() {
        bail!("`{}` holds no `*.yaml` files", folder.map_or_else(String::new, |f| f.display().to_string()));
    }
    if as_json {
        let problems: Vec<_> =
            loaded.problems.iter().map(|p| json!({ "file": p.file, "problems": p.what })).collect();
        output::json(&json!({ "good": loaded.library.keys().collect::<Vec<_>>(), "bad": problems }))?;
    } else {
        for problem in &loaded.problems {
            for what in &problem.what {
                output::line(&plain(&format!("{}: {what}", problem.file)))?;
            }
        }
        output::line(&format!("{good} good, {} bad", loaded.problems.len()))?;
    }
    Ok(if loaded.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
