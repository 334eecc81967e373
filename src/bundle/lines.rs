//! Streams a JSON-lines file of a bundle, plain or Zstandard-compressed. Bounded memory, whatever the file holds.
//!
//! A line that is no record is counted and remembered (the first one, with its place); reading goes on. A file that
//! breaks midway keeps what came before. Nothing here knows what a record means.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Longest line that is read: a series of ten weeks at one minute is 3 MB.
pub(super) const LINE_BYTES_MAX: usize = 16 << 20;

/// Window of a Zstandard frame that is accepted, as a power of two: 128 MB, zstd's own default limit for decoding.
pub(super) const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// What reading a file came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Records handed over.
    pub records: u64,
    /// Bytes read, decompressed.
    pub bytes: u64,
    /// Lines that were no records.
    pub bad_lines: u64,
    /// The first of them, or what ended the reading: where and why.
    pub problem: Option<Problem>,
}

/// A place in a file and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: u64,
    /// What is wrong, naming the field.
    pub what: String,
    /// Whether reading ended there.
    pub fatal: bool,
}

/// The file of that name in the folder, compressed or plain. The compressed one wins.
#[must_use]
pub fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    [format!("{name}.zst"), name.to_owned()].into_iter().map(|n| folder.join(n)).find(|p| p.is_file())
}

/// Reads every line as a `T` and hands it over with its length in bytes.
pub fn read<T: DeserializeOwned>(path: &Path, mut each: impl FnMut(T, usize)) -> Outcome {
    let mut outcome = Outcome::default();
    let mut reader = match open(path) {
        Ok(reader) => reader,
        Err(e) => {
            outcome.problem = Some(Problem { line: 1, what: format!("cannot be opened: {e}"), fatal: true });
            return outcome;
        }
    };
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        match next_line(&mut reader, &mut line) {
            Ok(0) => break,
            Ok(bytes) => {
                outcome.bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
                take_line(&line, number, &mut outcome, &mut each);
            }
            Err(e) => {
                outcome.problem = Some(Problem { line: number, what: reading_problem(&e), fatal: true });
                break;
            }
        }
    }
    outcome
}

fn take_line<T: DeserializeOwned>(
    line: &[u8],
    number: u64,
    outcome: &mut Outcome,
    each: &mut impl FnMut(T, usize),
) {
    // Some editors begin a file with a byte order mark.
    let line = line.strip_prefix(b"\xef\xbb\xbf").filter(|_| number == 1).unwrap_or(line);
    if line.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    match serde_json::from_slice::<T>(line) {
        Ok(record) => {
            outcome.records += 1;
            each(record, line.len());
        }
        Err(_) => {
            outcome.bad_lines += 1;
            let what = || explain::<T>(line);
            outcome.problem.get_or_insert_with(|| Problem { line: number, what: what(), fatal: false });
        }
    }
}

/// Parses again, tracking the path: slow, so only for the line that is reported.
fn explain<T: DeserializeOwned>(line: &[u8]) -> String {
    let mut json = serde_json::Deserializer::from_slice(line);
    match serde_path_to_error::deserialize::<_, T>(&mut json) {
        Ok(_) => "more than one JSON value on the line".to_owned(),
        Err(e) => {
            let (path, inner) = (e.path().to_string(), e.into_inner().to_string());
            // Every line is a text of its own for the parser: its `at line 1` would mislead.
            let inner = inner.replace(" at line 1 column ", " at column ");
            if path == "." { inner } else { format!("field `{path}`: {inner}") }
        }
    }
}

fn open(path: &Path) -> std::io::Result<Box<dyn BufRead>> {
    let file = File::open(path)?;
    if path.extension().is_some_and(|e| e == "zst") {
        let mut decoder = zstd::Decoder::new(file)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
        return Ok(Box::new(BufReader::with_capacity(1 << 18, decoder)));
    }
    Ok(Box::new(BufReader::with_capacity(1 << 18, file)))
}

/// One line, without its end; at most [`LINE_BYTES_MAX`] bytes. Returns the bytes consumed.
fn next_line(reader: &mut dyn BufRead, line: &mut Vec<u8>) -> std::io::Result<usize> {
    let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
    let read = reader.take(limit).read_until(b'\n', line)?;
    if read == LINE_BYTES_MAX && line.last() != Some(&b'\n') {
        return Err(std::io::Error::new(
            ErrorKind::InvalidData,
            format!("a line is longer than {} MB", LINE_BYTES_MAX >> 20),
        ));
    }
    Ok(read)
}

fn reading_problem(e: &std::io::Error) -> String {
    if e.kind() == ErrorKind::UnexpectedEof {
        "the compressed file ends too early".to_owned()
    } else {
        format!("cannot be read any further: {e}")
    }
}
