//! `tantei logs`: the patterns of a file or a pipe, and what is different from a baseline.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::words::{Lang, Words};
use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};
use tantei_engine::analysis::logs::compare::{Change, Comparison, Difference, compare};
use tantei_engine::analysis::logs::{Form, Measure, Miner, Moved, Pattern, Sequence, Shift};
use tantei_engine::model::num::tidy;
use tantei_engine::model::text::Untrusted;

use super::{log_table, output};

/// Bytes of a line that are read into memory: the miner looks at fewer, the rest is skipped.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// What editors write before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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
    /// Language of what people read.
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
}

const EXAMPLES: &str = "\
Examples:
  tantei logs app.log                          patterns, most frequent first
  journalctl -b | tantei logs -                in a pipe
  tantei logs now.log --baseline before.log    new, gone, more or less often, other values,
                                               what no longer follows within a request
  tantei logs app.log --lines                  which line has which pattern";

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let form = if args.content { Form::Content } else { Form::Raw };
    if args.lines {
        return lines(&args.file, form);
    }
    let words = Words::new(args.lang);
    let Some(path) = &args.baseline else {
        let mut now = Miner::new(form);
        read(&args.file, &mut now, |_| Ok(()))?;
        let patterns = now.patterns();
        if args.json {
            let rows = patterns.patterns.iter().map(|p| row(p, p.count)).collect();
            output::json(&Document { patterns: rows, diff: Vec::new() })?;
        } else {
            output::print(&log_table::patterns(&words, &patterns, None))?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let comparison = compared(&args.file, path, form)?;
    if args.json {
        output::json(&document(&comparison))?;
    } else {
        output::print(&log_table::differences(&words, &comparison))?;
        output::print(&log_table::patterns(&words, &comparison.joint, Some(&comparison.after)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Both files are opened before the first is read: a mistyped name is told at once.
fn compared(file: &Path, baseline: &Path, form: Form) -> Result<Comparison> {
    if file.as_os_str() == "-" && baseline.as_os_str() == "-" {
        let twice = anyhow::anyhow!("standard input can be read once: give FILE or --baseline as a file");
        return Err(output::input(&twice));
    }
    let (input, healthy) = (open(file)?, open(baseline)?);
    let (mut now, mut before) = (Miner::comparing(form), Miner::comparing(form));
    read_all(input, file, &mut now, |_| Ok(()))?;
    read_all(healthy, baseline, &mut before, |_| Ok(()))?;
    Ok(compare(now, &before))
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
fn read(path: &Path, miner: &mut Miner, each: impl FnMut(u32) -> Result<()>) -> Result<()> {
    read_all(open(path)?, path, miner, each)
}

fn read_all(
    mut input: Box<dyn BufRead>,
    path: &Path,
    miner: &mut Miner,
    mut each: impl FnMut(u32) -> Result<()>,
) -> Result<()> {
    let mut line = Vec::new();
    let mut mark = BYTE_ORDER_MARK;
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
        // Only the first line can carry it; with it, the line would have no header.
        let text = line.strip_prefix(std::mem::take(&mut mark)).unwrap_or(&line);
        each(miner.push(text))?;
    }
}

pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>> {
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
    Some(json!({
        "change": word(d.change),
        "id": p.id,
        "template": Untrusted::new(&p.template),
        "severity": p.severity,
        "count_before": d.before,
        "count_after": d.after,
        "strength": tidy(d.strength),
        "samples": p.samples.iter().map(|s| Untrusted::new(s)).collect::<Vec<_>>(),
        "values": d.shift.as_ref().map(values),
        "sequence": d.sequence.iter().filter_map(|s| sequence(comparison, *s)).collect::<Vec<_>>(),
    }))
}

fn values(shift: &Shift) -> Value {
    let unit = match shift.measure {
        Measure::Number => None,
        Measure::Seconds => Some("seconds"),
        Measure::Bytes => Some("bytes"),
        Measure::Percent => Some("percent"),
        Measure::Code => Some("code"),
    };
    let side = |pick: fn((f64, f64)) -> f64| match shift.moved {
        Moved::Share { code, share } => json!({ "code": code, "share": tidy(pick(share)) }),
        Moved::Quantiles { median, p95 } => json!({ "median": tidy(pick(median)), "p95": tidy(pick(p95)) }),
    };
    json!({
        "field": shift.field.as_deref().map(Untrusted::new),
        "unit": unit,
        "before": side(|both| both.0),
        "after": side(|both| both.1),
    })
}

fn sequence(comparison: &Comparison, s: Sequence) -> Option<Value> {
    let companion = comparison.joint.patterns.get(s.companion)?;
    let side = |(with, all): (u32, u32)| json!({ "with": with, "requests": all });
    Some(json!({
        "missing": companion.id,
        "template": Untrusted::new(&companion.template),
        "before": side(s.before),
        "after": side(s.after),
    }))
}

fn word(change: Change) -> &'static str {
    match change {
        Change::New => "new",
        Change::Gone => "gone",
        Change::MoreFrequent => "more_frequent",
        Change::LessFrequent => "less_frequent",
        Change::Values => "values_changed",
        Change::Sequence => "sequence_broken",
    }
}
