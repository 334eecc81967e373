//! `tantei evaluate`: how often the truth is ranked first, per source and per kind of fault.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tantei_engine::evaluation::{Case, Reliability, Score, SourceScore, score};
use tantei_engine::investigation::ranking;
use tantei_engine::model::cause::Band;

use super::output;
use crate::bundle::label;
use crate::clock::Stopwatch;
use crate::playbooks;
use crate::replay::{Options, Silent, replay};

/// Folders below a source are searched this deep.
const DEPTH_MAX: usize = 8;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders of labelled incident bundles; each is a source of its own.
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document {
    sources: Vec<SourceScore>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let options = Options { library: Some(Arc::new(playbooks::shipped()?)), ..Options::default() };
    let mut sources = Vec::new();
    for folder in &args.folders {
        sources.push(evaluate(folder, &options)?);
    }
    if args.json {
        output::json(&Document { sources })?;
    } else {
        for source in &sources {
            output::print(&table(source))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn evaluate(folder: &Path, options: &Options) -> Result<SourceScore> {
    let mut bundles = Vec::new();
    find(folder, 0, &mut bundles).map_err(|e| output::input(&e))?;
    bundles.sort();
    if bundles.is_empty() {
        let error = anyhow::anyhow!("no labelled incident bundle lies below `{}`", folder.display());
        return Err(output::input(&error));
    }
    let bar = output::bar(u64::try_from(bundles.len()).unwrap_or(u64::MAX));
    let mut cases = Vec::new();
    for bundle in &bundles {
        let name = bundle.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        bar.set_message(tantei_engine::model::text::plain(&name));
        cases.push(case(bundle, options));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(score(&folder.display().to_string(), cases))
}

/// Every folder below that holds an incident and a label.
fn find(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        bail!("`{}` is not a folder", folder.display());
    }
    if folder.join("incident.json").is_file() && folder.join("label.json").is_file() {
        found.push(folder.to_owned());
        return Ok(());
    }
    if depth < DEPTH_MAX {
        let entries =
            std::fs::read_dir(folder).with_context(|| format!("`{}` cannot be listed", folder.display()))?;
        for path in entries.filter_map(|e| e.ok().map(|e| e.path())).filter(|p| p.is_dir()) {
            find(&path, depth + 1, found)?;
        }
    }
    Ok(())
}

/// One bundle. What cannot be investigated is a miss with its reason, so that the others are still scored.
fn case(bundle: &Path, options: &Options) -> Case {
    let watch = Stopwatch::start();
    let outcome = label::read(bundle).and_then(|label| {
        let label = label.context("a labelled bundle lost its label")?;
        Ok((label, replay(bundle, options, &mut Silent)?))
    });
    let ms = tantei_engine::model::num::tidy(watch.elapsed().as_secs_f64() * 1_000.0);
    match outcome {
        Ok((label, replayed)) => {
            let ranking = ranking(replayed.state());
            let ranked = ranking.candidates.iter().map(|c| c.resource.as_str().to_owned()).collect();
            let abstained = !ranking.abstained.is_empty();
            let band = ranking.candidates.first().map(|c| c.band);
            let (expected, kind) = (label.resource, label.kind);
            Case { id: replayed.id(), expected, ranked, abstained, band, ms, failure: None, kind }
        }
        Err(e) => Case {
            id: bundle.display().to_string(),
            expected: String::new(),
            ranked: Vec::new(),
            abstained: true,
            band: None,
            ms,
            failure: Some(output::chain(&e)),
            kind: None,
        },
    }
}

fn table(source: &SourceScore) -> String {
    let mut out = String::new();
    let plain = tantei_engine::model::text::plain;
    let mut put = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    put(format!("{}: {}", plain(&source.name), line(&source.all)));
    for (kind, score) in &source.kinds {
        put(format!("  {:<24} {}", plain(kind), line(score)));
    }
    for r in source.reliability.iter().filter(|r| r.incidents > 0) {
        put(format!("  {:<24} {}", band(r.band), trusted(r)));
    }
    if let Some(brier) = source.brier {
        put(format!("  {:<24} {brier:.3}", "Brier score"));
    }
    for case in source.cases.iter().filter(|c| !c.within(1)) {
        let ranked: Vec<String> = case.ranked.iter().take(5).map(|r| plain(r)).collect();
        if let Some(failure) = &case.failure {
            put(format!("  failed {}: {failure}", plain(&case.id)));
            continue;
        }
        let note = if case.abstained { " (abstained)" } else { "" };
        put(format!(
            "  missed {}: expected {}, ranked {}{note}",
            plain(&case.id),
            plain(&case.expected),
            if ranked.is_empty() { "nothing".to_owned() } else { ranked.join(", ") }
        ));
    }
    out
}

fn band(band: Band) -> &'static str {
    match band {
        Band::Strong => "named as strong",
        Band::Moderate => "named as moderate",
        Band::Weak => "named as weak",
    }
}

fn trusted(r: &Reliability) -> String {
    let precision = r.precision.unwrap_or_default();
    format!("{} incidents, {} right, precision {precision:.3} (states {:.2})", r.incidents, r.right, r.stated)
}

fn line(s: &Score) -> String {
    format!(
        "{} incidents, top-1 {:.3}, top-3 {:.3}, top-5 {:.3}, abstained {}, p50 {:.0} ms, p95 {:.0} ms",
        s.incidents, s.top1, s.top3, s.top5, s.abstained, s.p50_ms, s.p95_ms
    )
}
