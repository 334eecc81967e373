//! Writing to the terminal: results to standard output, progress and failures to standard error.
//!
//! A reader that goes away (`| head`) is no failure.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tantei_engine::model::text::plain;

use crate::render::terminal::Style;

/// What went wrong was in the arguments or the input, not outside.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct InputError(pub(super) String);

/// Marks an error as one of the input, keeping its words.
pub(super) fn input(error: &anyhow::Error) -> anyhow::Error {
    anyhow::Error::new(InputError(chain(error)))
}

/// Writes text to standard output.
pub(super) fn print(text: &str) -> Result<()> {
    // Flushed, because a question ends without a line break.
    let mut out = io::stdout().lock();
    forgiving(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Writes a line to standard output.
pub(super) fn line(text: &str) -> Result<()> {
    print(&format!("{text}\n"))
}

/// Writes one JSON document to standard output.
pub(super) fn json<T: Serialize>(value: &T) -> Result<()> {
    line(&serde_json::to_string(value)?)
}

/// Writes a line to standard error.
pub(super) fn note(text: &str) -> Result<()> {
    forgiving(io::stderr().lock().write_all(format!("{text}\n").as_bytes()))
}

/// A reader that goes away is no failure.
pub(super) fn forgiving(result: io::Result<()>) -> Result<()> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Writes a file, naming it when that fails.
pub(super) fn file(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("`{}` cannot be written", path.display()))
}

/// Layout for a person where one looks at standard output, plain for a pipe.
pub(super) fn style() -> Style {
    let terminal = console::Term::stdout();
    if io::stdout().is_terminal() {
        let (_, columns) = terminal.size();
        return Style::terminal(usize::from(columns));
    }
    Style::PLAIN
}

/// A line on standard error that moves while something is read; invisible unless a person looks at it.
pub(super) fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    bar
}

/// A bar on standard error; invisible unless a person looks at it.
pub(super) fn bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}

/// Reports a failure and says which exit code it gets.
pub(super) fn fail(error: &anyhow::Error) -> ExitCode {
    let code = if error.downcast_ref::<InputError>().is_some() { 2 } else { 1 };
    // Where not even standard error can be written to, the exit code alone must do.
    drop(note(&format!("tantei: {}", chain(error))));
    ExitCode::from(code)
}

/// The error and what caused it, as one line of printable text.
pub(super) fn chain(error: &anyhow::Error) -> String {
    let parts: Vec<String> = error.chain().map(|e| plain(&e.to_string())).collect();
    parts.join(": ")
}
