//! `tantei logs`: the patterns of a file or a pipe, and what is different from a baseline.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};
use tantei_engine::analysis::logs::compare::{Change, Comparison, Difference, compare};
use tantei_engine::analysis::logs::{Form, Miner, Pattern, Patterns};
use tantei_engine::model::observation::Severity;
use tantei_engine::model::text::{Untrusted, plain};

use super::output;

/// Bytes of a line that are read into memory: the miner looks at fewer, the rest is skipped.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// Rows of a table for people; `--json` has them all.
const ROWS_MAX: usize = 40;

/// Columns of a template or a sample in a table.
const TEXT_COLUMNS: usize = 110;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// File of log lines, `-` for standard input; `.zst` is unpacked.
    file: PathBuf,
    /// File of lines from a healthy time to compare with.
    #[arg(long, value_name = "FILE", conflicts_with = "lines")]
    baseline: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long, conflicts_with = "lines")]
    json: bool,
    /// Print the pattern of every line, one JSON document a line, in order.
    #[arg(long)]
    lines: bool,
    /// Lines carry no header of time, level, host or process.
    #[arg(long)]
    content: bool,
}

const EXAMPLES: &str = "\
Examples:
  tantei logs app.log                          patterns, most frequent first
  journalctl -b | tantei logs -                in a pipe
  tantei logs now.log --baseline before.log    what is new, gone, or different
  tantei logs app.log --lines                  which line has which pattern";

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let form = if args.content { Form::Content } else { Form::Raw };
    if args.lines {
        return lines(&args.file, form);
    }
    let mut now = Miner::new(form);
    read(&args.file, &mut now, |_| Ok(()))?;
    let Some(path) = &args.baseline else {
        let patterns = now.patterns();
        let document = Document {
            patterns: patterns.patterns.iter().map(|p| row(p, p.count)).collect(),
            diff: Vec::new(),
        };
        if args.json {
            output::json(&document)?
        } else {
            output::print(&table(&patterns, None))?
        }
        return Ok(ExitCode::SUCCESS);
    };
    let mut baseline = Miner::new(form);
    read(path, &mut baseline, |_| Ok(()))?;
    let comparison = compare(now, &baseline);
    if args.json {
        output::json(&document(&comparison))?;
    } else {
        output::print(&differences(&comparison))?;
        output::print(&table(&comparison.joint, Some(&comparison.after)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Which pattern a line has is known when all lines were read, so numbers wait in a file that nobody sees.
fn lines(file: &Path, form: Form) -> Result<ExitCode> {
    let mut miner = Miner::new(form);
    let mut spool = BufWriter::new(tempfile::tempfile().context("no temporary file can be made")?);
    read(file, &mut miner, |n| Ok(spool.write_all(&n.to_le_bytes())?))?;
    let mut spool = spool.into_inner().map_err(io::IntoInnerError::into_error)?;
    spool.seek(SeekFrom::Start(0))?;
    let patterns = miner.patterns();
    let mut numbers = BufReader::new(spool);
    let mut out = BufWriter::new(io::stdout().lock());
    let mut number = [0_u8; 4];
    let mut line = 0_u64;
    let written = loop {
        if let Err(e) = numbers.read_exact(&mut number) {
            break if e.kind() == io::ErrorKind::UnexpectedEof { out.flush() } else { Err(e) };
        }
        line += 1;
        let id = patterns.of(u32::from_le_bytes(number)).map_or("", |p| p.id.as_str());
        if let Err(e) = writeln!(out, "{{\"line\":{line},\"pattern\":\"{id}\"}}") {
            break Err(e);
        }
    };
    output::forgiving(written)?;
    Ok(ExitCode::SUCCESS)
}

/// Gives every line to the miner and its number to whoever asks.
fn read(path: &Path, miner: &mut Miner, mut each: impl FnMut(u32) -> Result<()>) -> Result<()> {
    let mut input = open(path)?;
    let mut line = Vec::new();
    loop {
        line.clear();
        let n = (&mut input).take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let n = n
            .with_context(|| format!("`{}` cannot be read", path.display()))
            .map_err(|e| output::input(&e))?;
        if n == 0 {
            return Ok(());
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if u64::try_from(n).unwrap_or_default() == LINE_BYTES_MAX {
            input.skip_until(b'\n')?;
        }
        each(miner.push(&line))?;
    }
}

fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufReader::with_capacity(1 << 17, io::stdin())));
    }
    let file = File::open(path)
        .with_context(|| format!("`{}` cannot be opened", path.display()))
        .map_err(|e| output::input(&e))?;
    if path.extension().is_some_and(|e| e == "zst") {
        return Ok(Box::new(BufReader::new(zstd::Decoder::new(file)?)));
    }
    Ok(Box::new(BufReader::with_capacity(1 << 17, file)))
}

#[derive(Serialize)]
struct Document {
    patterns: Vec<Value>,
    diff: Vec<Value>,
}

fn document(comparison: &Comparison) -> Document {
    let mut patterns = Vec::new();
    for (n, pattern) in comparison.joint.patterns.iter().enumerate() {
        let after = comparison.after.get(n).copied().unwrap_or_default();
        if after == 0 {
            continue;
        }
        patterns.push(row(pattern, after));
    }
    let diff = comparison.differences.iter().filter_map(|d| difference(comparison, d)).collect();
    Document { patterns, diff }
}

fn row(p: &Pattern, count: u64) -> Value {
    json!({
        "id": p.id,
        "template": Untrusted::new(&p.template),
        "count": count,
        "first": p.first.map(|t| t.to_string()),
        "last": p.last.map(|t| t.to_string()),
        "severity": p.severity,
        "samples": p.samples.iter().map(|s| Untrusted::new(s)).collect::<Vec<_>>(),
    })
}

fn difference(comparison: &Comparison, d: &Difference) -> Option<Value> {
    let p = comparison.joint.patterns.get(d.pattern)?;
    let values = d.values.as_ref().map(|(before, after)| json!({ "before": before, "after": after }));
    Some(json!({
        "change": word(d.change),
        "id": p.id,
        "template": Untrusted::new(&p.template),
        "severity": p.severity,
        "count_before": d.before,
        "count_after": d.after,
        "strength": tantei_engine::model::num::tidy(d.strength),
        "samples": p.samples.iter().map(|s| Untrusted::new(s)).collect::<Vec<_>>(),
        "values": values,
    }))
}

fn word(change: Change) -> &'static str {
    match change {
        Change::New => "new",
        Change::Gone => "gone",
        Change::MoreFrequent => "more_frequent",
        Change::LessFrequent => "less_frequent",
        Change::Values => "values_changed",
    }
}

fn severity(s: Severity) -> &'static str {
    match s {
        Severity::Debug => "debug",
        Severity::Info => "info",
        Severity::Warning => "WARN",
        Severity::Error => "ERROR",
        Severity::Fatal => "FATAL",
    }
}

/// Patterns for people. With `counts` the lines are those of one side of a comparison.
fn table(patterns: &Patterns, counts: Option<&Vec<u64>>) -> String {
    let count = |n: usize, p: &Pattern| counts.map_or(p.count, |c| c.get(n).copied().unwrap_or_default());
    let mut rows: Vec<(u64, &Pattern)> =
        patterns.patterns.iter().enumerate().map(|(n, p)| (count(n, p), p)).filter(|(n, _)| *n > 0).collect();
    rows.sort_by(|(a, p), (b, q)| b.cmp(a).then_with(|| p.template.cmp(&q.template)));
    let all: u64 = rows.iter().map(|(n, _)| n).sum();
    let mut out = format!("{all} lines, {} patterns\n", rows.len());
    for (n, p) in rows.iter().take(ROWS_MAX) {
        let share = percent(*n, all);
        let times = match (p.first, p.last) {
            (Some(first), Some(last)) if first != last => format!("  {first} … {last}"),
            (Some(first), _) => format!("  {first}"),
            _ => String::new(),
        };
        out.push_str(&format!("{n:>9} {share:>6}  {:<5} {}{times}\n", severity(p.severity), p.id));
        out.push_str(&format!("{:>18}{}\n", "", short(&p.template)));
        if let Some(sample) = p.samples.first().filter(|s| **s != p.template) {
            out.push_str(&format!("{:>18}e.g. {}\n", "", short(sample)));
        }
    }
    if rows.len() > ROWS_MAX {
        out.push_str(&format!("… and {} more patterns: `--json` has them all\n", rows.len() - ROWS_MAX));
    }
    out
}

fn differences(comparison: &Comparison) -> String {
    if comparison.differences.is_empty() {
        return "nothing differs clearly from the baseline\n\n".to_owned();
    }
    let mut out = format!("{} differences from the baseline, clearest first\n", comparison.differences.len());
    for d in comparison.differences.iter().take(ROWS_MAX) {
        let Some(p) = comparison.joint.patterns.get(d.pattern) else { continue };
        let what = word(d.change).replace('_', " ");
        let level = severity(p.severity);
        out.push_str(&format!("{what:>14} {:>9} → {:<9} {level:<5} {:.2}\n", d.before, d.after, d.strength));
        out.push_str(&format!("{:>15}{}\n", "", short(&p.template)));
        if let Some((before, after)) = &d.values {
            out.push_str(&format!("{:>15}mostly {before} → mostly {after}\n", ""));
        }
    }
    out.push('\n');
    out
}

fn percent(n: u64, all: u64) -> String {
    let tenths = n.saturating_mul(1_000) / all.max(1);
    if n > 0 && tenths == 0 { "<0.1%".to_owned() } else { format!("{}.{}%", tenths / 10, tenths % 10) }
}

/// One line that fits a terminal, printable whatever the input was.
fn short(text: &str) -> String {
    let text = plain(text);
    if text.chars().count() <= TEXT_COLUMNS {
        return text;
    }
    let mut cut: String = text.chars().take(TEXT_COLUMNS - 1).collect();
    cut.push('…');
    cut
}
