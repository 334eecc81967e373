//! `tantei audit`: has a feed been tampered with?

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use serde_json::Value;
use tantei_engine::model::feed;

use super::output;
use super::strict::Strict;

/// Largest export that is read.
const EXPORT_BYTES_MAX: u64 = 1 << 30;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Verify the hash chain of an exported feed: any edit, deletion, reorder or insertion is found.
    ///
    /// Only the feed is verified: `ranking`, `hypotheses` and the other parts of a document are copies of it.
    /// Takes the output of `tantei investigate --json`, a JSON list of feed items, or one item a line. Items cut off
    /// at the very end cannot be noticed from the file alone: compare the count and the last hash with what you noted.
    Verify {
        /// The exported feed.
        file: PathBuf,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: &Command) -> Result<ExitCode> {
    let Command::Verify { file, json } = command;
    let export = read(file).map_err(|e| output::input(&e))?;
    let items = &export.items;
    let verdict = feed::verify(items).map_err(|broken| broken.to_string()).and_then(|()| export.complete());
    let last = items.last().and_then(|i| i.get("hash")).and_then(Value::as_str).unwrap_or_default();
    if *json {
        output::json(&serde_json::json!({
            "intact": verdict.is_ok(),
            "items": items.len(),
            "last_hash": last,
            "problem": verdict.as_ref().err(),
        }))?;
    } else if let Err(broken) = &verdict {
        output::line(&format!("broken: {broken}"))?;
    } else {
        output::line(&format!("intact: {} items, last hash {last}", items.len()))?;
    }
    Ok(if verdict.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A feed, and what the document around it says of its length and end.
struct Export {
    items: Vec<Value>,
    stated: Option<(Option<u64>, Option<String>)>,
}

impl Export {
    /// Whether the feed is as long and ends as the document says; nothing can be said of a bare feed.
    fn complete(&self) -> Result<(), String> {
        let Some((items, last)) = &self.stated else { return Ok(()) };
        let found = u64::try_from(self.items.len()).unwrap_or(u64::MAX);
        if items.is_some_and(|n| n != found) {
            return Err(format!(
                "{found} items, the document says {}: the end was cut off",
                items.unwrap_or(0)
            ));
        }
        let end = self.items.last().and_then(|i| i.get("hash")).and_then(Value::as_str);
        if last.is_some() && last.as_deref() != end {
            return Err("the last hash is not the one that the document states".to_owned());
        }
        Ok(())
    }
}

fn read(file: &Path) -> Result<Export> {
    let size = std::fs::metadata(file).with_context(|| format!("`{}` cannot be read", file.display()))?.len();
    if size > EXPORT_BYTES_MAX {
        bail!("`{}` is {size} bytes long; at most {EXPORT_BYTES_MAX} are read", file.display());
    }
    let text =
        std::fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
    let mut stated = None;
    let items = match strict(&text) {
        Ok(Value::Array(items)) => items,
        Ok(Value::Object(mut document)) if document.contains_key("feed") => {
            let about = document.get("investigation");
            let count = about.and_then(|i| i.get("feed_items")).and_then(Value::as_u64);
            let hash = about.and_then(|i| i.get("last_hash")).and_then(Value::as_str).map(str::to_owned);
            stated = Some((count, hash));
            match document.remove("feed") {
                Some(Value::Array(items)) => items,
                _ => bail!("`{}`: field `feed` is no list", file.display()),
            }
        }
        Ok(item @ Value::Object(_)) => vec![item],
        Ok(_) => bail!("`{}` is neither a feed nor a document with a `feed`", file.display()),
        // One item a line, unless it is one value that is wrong in itself.
        Err(e) if e.to_string().contains("comes twice") => bail!("`{}`: {e}", file.display()),
        Err(_) => lines(file, &text)?,
    };
    if items.is_empty() {
        bail!("`{}` holds no feed items: there is nothing to verify", file.display());
    }
    Ok(Export { items, stated })
}

fn strict(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str::<Strict>(text).map(|Strict(value)| value)
}

fn lines(file: &Path, text: &str) -> Result<Vec<Value>> {
    let numbered = (1..).zip(text.lines()).filter(|(_, l)| !l.trim().is_empty());
    numbered
        .map(|(n, l)| strict(l).with_context(|| format!("`{}` line {n} is no JSON value", file.display())))
        .collect()
}
