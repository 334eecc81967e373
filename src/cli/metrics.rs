//! `tantei metrics`: where a series deviates, or whether it does in one window.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use serde::Serialize;
use tantei_engine::analysis::online::{self, DeviatingSpan};
use tantei_engine::analysis::window::{Verdict, in_window};
use tantei_engine::model::num::tidy;
use tantei_engine::model::observation::Movement;
use tantei_engine::model::text::plain;
use tantei_engine::model::time::{TimeSpan, Timestamp};

use super::output;
use crate::bundle::csv::{self, SeriesText};
use crate::render::svg::{Picture, draw};

/// A file of more bytes is refused: it is no single series, and all of it is held in memory.
const FILE_BYTES_MAX: u64 = 256 << 20;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Lines of `timestamp,value`. Timestamps: RFC 3339, `YYYY-MM-DD HH:MM:SS` (UTC), Unix seconds or milliseconds.
    /// `-` reads standard input.
    file: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Write a picture: the series, where it usually lies, where it deviates.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Ask about this window only. The end does not belong to it.
    #[arg(long, value_name = "START/END")]
    window: Option<String>,
    /// What the window is compared with; may be repeated. Without: everything before the window.
    #[arg(long, value_name = "START/END", requires = "window")]
    baseline: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  tantei metrics cpu.csv --svg cpu.svg
  tantei metrics cpu.csv --json --window 2026-10-14T03:00:00Z/2026-10-14T06:00:00Z \\
      --baseline 2026-10-11T03:00:00Z/2026-10-14T03:00:00Z
  tantei metrics - < cpu.csv";

#[derive(Serialize)]
struct Document {
    points: Vec<(Timestamp, Option<f64>, f64)>,
    spans: Vec<Span>,
}

#[derive(Serialize)]
struct Span {
    start: Timestamp,
    end: Timestamp,
    score: f64,
}

#[derive(Serialize)]
struct Answer {
    score: f64,
    deviating: bool,
    direction: Option<Movement>,
    since: Option<Timestamp>,
    sure: f64,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let window = args.window.as_deref().map(|t| span("--window", t)).transpose()?;
    let baselines = args.baseline.iter().map(|t| span("--baseline", t)).collect::<Result<Vec<_>>>()?;
    let points = read(&args.file)?;
    let title = name(&args.file);
    let (usual, deviating) = match window {
        Some(window) => ask(args, &points, window, &baselines)?,
        None => (Vec::new(), judge(args, &points)?),
    };
    if let Some(path) = &args.svg {
        let picture = Picture { title: &title, points: &points, usual: &usual, deviating: &deviating };
        output::file(path, &draw(&picture))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The continuous question: a score for each point.
fn judge(args: &Args, points: &[(Timestamp, f64)]) -> Result<Vec<TimeSpan>> {
    let scored = online::score(points);
    let spans = online::spans(points, &scored);
    if args.json {
        let point = |((t, v), s): (&(Timestamp, f64), &online::Scored)| {
            (*t, v.is_finite().then_some(*v), tidy(s.score))
        };
        let points = points.iter().zip(&scored).map(point).collect();
        let span = |s: &DeviatingSpan| Span { start: s.span.start, end: s.span.end, score: tidy(s.score) };
        output::json(&Document { points, spans: spans.iter().map(span).collect() })?;
    } else {
        output::line(&format!("{} points, {} deviating spans", points.len(), spans.len()))?;
        for s in &spans {
            output::line(&format!("  {} to {}  score {:.2}", s.span.start, s.span.end, s.score))?;
        }
    }
    Ok(spans.into_iter().map(|s| s.span).collect())
}

/// The in-window question. Returns the times that were compared, and the deviating one.
fn ask(
    args: &Args,
    points: &[(Timestamp, f64)],
    window: TimeSpan,
    baselines: &[TimeSpan],
) -> Result<(Vec<TimeSpan>, Vec<TimeSpan>)> {
    let mut usual = baselines.to_vec();
    if let (true, Some((first, _))) = (usual.is_empty(), points.first()) {
        usual.push(TimeSpan::new(*first, window.start.max(*first)));
    }
    // A point of the window is never its own reference.
    let is_before = |t: Timestamp| !window.contains(t) && usual.iter().any(|b| b.contains(t));
    let before: Vec<_> = points.iter().copied().filter(|(t, _)| is_before(*t)).collect();
    if before.iter().filter(|(_, v)| v.is_finite()).count() < 2 {
        let words = "the baseline holds fewer than two values; choose times in which the series has some";
        return Err(output::input(&anyhow!("{}: {words}", quoted(&args.file))));
    }
    let inside: Vec<_> = points.iter().copied().filter(|(t, _)| window.contains(*t)).collect();
    let verdict = in_window(&before, &inside, window);
    if args.json {
        let Verdict { score, deviating, direction, since, sure } = verdict;
        output::json(&Answer { score: tidy(score), deviating, direction, since, sure: tidy(sure) })?;
    } else {
        output::line(&sentence(&verdict))?;
    }
    let deviating = verdict.since.map(|since| TimeSpan::new(since, window.end));
    Ok((usual, deviating.into_iter().collect()))
}

fn sentence(verdict: &Verdict) -> String {
    let way = match verdict.direction {
        Some(Movement::Up) => "up",
        Some(Movement::Down) => "down",
        Some(Movement::Missing) => "missing",
        None => "nothing moved",
    };
    match verdict.since {
        Some(since) => format!(
            "deviating ({way}) since {since}, score {:.2}, certainty {:.2}",
            verdict.score, verdict.sure
        ),
        None => format!("not deviating ({way}), score {:.2}, certainty {:.2}", verdict.score, verdict.sure),
    }
}

fn span(option: &str, text: &str) -> Result<TimeSpan> {
    let wrong = |why: String| output::input(&anyhow!("{option} `{}`: {why}", plain(text)));
    let Some((start, end)) = text.split_once('/') else {
        return Err(wrong(
            "write START/END, for instance 2026-10-14T03:00:00Z/2026-10-14T06:00:00Z".to_owned(),
        ));
    };
    let (start, end) = (csv::time(start).map_err(wrong)?, csv::time(end).map_err(wrong)?);
    if end <= start {
        return Err(wrong("the end is not after the start; swap them".to_owned()));
    }
    Ok(TimeSpan::new(start, end))
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn name(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// The name as a sentence has it: what was typed is in quotes.
fn quoted(path: &Path) -> String {
    if is_stdin(path) { "standard input (`-`)".to_owned() } else { format!("`{}`", plain(&name(path))) }
}

/// All bytes, up to the bound and one more, which tells that there were too many.
fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let input: Box<dyn Read> =
        if is_stdin(path) { Box::new(io::stdin()) } else { Box::new(std::fs::File::open(path)?) };
    let mut bytes = Vec::new();
    input.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file or standard input. Bad lines are named on standard error and left out.
fn read(path: &Path) -> Result<Vec<(Timestamp, f64)>> {
    let shown = quoted(path);
    let bytes = bytes(path).with_context(|| format!("{shown} cannot be read"));
    let bytes = bytes.map_err(|e| output::input(&e))?;
    if u64::try_from(bytes.len()).is_ok_and(|n| n > FILE_BYTES_MAX) {
        return Err(output::input(&anyhow!("{shown} is larger than 256 MB; split it by time")));
    }
    let SeriesText { points, bad, bad_lines } = csv::parse(&String::from_utf8_lossy(&bytes));
    let source = plain(&name(path));
    for line in &bad {
        output::note(&format!("{source}: line {}: {}", line.line, plain(&line.reason)))?;
    }
    if bad_lines > 0 {
        output::note(&format!("{source}: {bad_lines} lines left out, {} points kept", points.len()))?;
    }
    if points.iter().all(|(_, v)| !v.is_finite()) {
        return Err(output::input(&anyhow!("{shown} holds no point; write lines of `timestamp,value`")));
    }
    Ok(points)
}
