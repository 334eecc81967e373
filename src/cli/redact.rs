//! `tantei redact`: secrets and personal data out of a file or a pipe, pseudonyms in their place.

use std::io::{self, BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;
use tantei_engine::redaction::{Kind, Redactor, Stream};

use super::{logs, output};
use crate::redacting;

/// Longest record of `-0`: one that is longer is taken in pieces.
const RECORD_BYTES_MAX: u64 = 16 << 20;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// File of text, `-` for standard input; `.zst` is unpacked.
    file: PathBuf,
    /// Print one JSON document a record: its number, its text, the kinds of what was taken out.
    #[arg(long)]
    json: bool,
    /// Records end in NUL instead of a line break, so that one may have several lines.
    #[arg(short = '0', long)]
    null: bool,
}

const EXAMPLES: &str = "\
Examples:
  tantei redact app.log > safe.log             one pseudonym a value, such as <email:3fa9c1d27b04>
  kubectl logs orders | tantei redact -        in a pipe
  tantei redact app.log --json                 which line held what

Equal values get equal pseudonyms, also encoded or broken over lines. They depend on the key in
TANTEI_REDACTION_KEY; without it a random key is drawn for this run, and no other run gives the same.";

/// One record of `--json`.
#[derive(Serialize)]
struct Row<'a> {
    record: u64,
    text: &'a str,
    kinds: &'a [Kind],
}

/// Where records go, and what became of writing them.
struct Sink<W> {
    out: W,
    json: bool,
    end: &'static [u8],
    record: u64,
    written: io::Result<()>,
}

impl<W: Write> Sink<W> {
    fn take(&mut self, text: &[u8], ended: bool, kinds: &[Kind]) {
        self.record += 1;
        if self.written.is_ok() {
            self.written = self.write(text, ended, kinds);
        }
    }

    fn write(&mut self, text: &[u8], ended: bool, kinds: &[Kind]) -> io::Result<()> {
        if self.json {
            let text = String::from_utf8_lossy(text);
            let row = Row { record: self.record, text: &text, kinds };
            serde_json::to_writer(&mut self.out, &row)?;
            return self.out.write_all(b"\n");
        }
        self.out.write_all(text)?;
        if ended { self.out.write_all(self.end) } else { Ok(()) }
    }
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let input = logs::open(&args.file)?;
    let redactor = redacting::redactor(key().as_deref()).context("the system gives no random numbers")?;
    let end: &[u8] = if args.null { b"\0" } else { b"\n" };
    let out = BufWriter::with_capacity(1 << 18, io::stdout().lock());
    let mut sink = Sink { out, json: args.json, end, record: 0, written: Ok(()) };
    if args.null {
        records(input, &args.file, &redactor, &mut sink)?;
    } else {
        lines(input, &args.file, &redactor, &mut sink)?;
    }
    output::forgiving(sink.written.and_then(|()| sink.out.flush()))?;
    Ok(ExitCode::SUCCESS)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a key on the command line would be seen by everybody on the machine"
)]
fn key() -> Option<String> {
    std::env::var(redacting::KEY_VARIABLE).ok().filter(|key| !key.is_empty())
}

/// Lines as they come: a value may begin on one and end on the next.
fn lines<W: Write>(
    mut input: Box<dyn BufRead>,
    path: &Path,
    redactor: &Redactor,
    sink: &mut Sink<W>,
) -> Result<()> {
    let mut stream = Stream::new(redactor);
    while sink.written.is_ok() {
        let part = read(input.fill_buf(), path)?;
        let read = part.len();
        if read == 0 {
            stream.finish(&mut |text, ended, kinds| sink.take(text, ended, kinds));
            return Ok(());
        }
        stream.push(part, &mut |text, ended, kinds| sink.take(text, ended, kinds));
        input.consume(read);
    }
    Ok(())
}

/// Records that end in NUL, each for itself.
fn records<W: Write>(
    mut input: Box<dyn BufRead>,
    path: &Path,
    redactor: &Redactor,
    sink: &mut Sink<W>,
) -> Result<()> {
    let mut record = Vec::new();
    while sink.written.is_ok() {
        record.clear();
        if read(io::Read::take(&mut input, RECORD_BYTES_MAX).read_until(0, &mut record), path)? == 0 {
            break;
        }
        let ended = record.pop_if(|last| *last == 0).is_some();
        let redacted = redactor.bytes(&record);
        sink.take(&redacted.text, ended, &redacted.kinds());
    }
    Ok(())
}

fn read<T>(result: io::Result<T>, path: &Path) -> Result<T> {
    let result = result.with_context(|| format!("`{}` cannot be read", path.display()));
    result.map_err(|e| output::input(&e))
}
