//! Takes secrets and personal data out of text and puts keyed pseudonyms in their place: `<email:3fa9c1d27b04>`.
//!
//! One pass with bounded memory. Equal values get equal pseudonyms, also when one of them is encoded or wrapped, so that a
//! reader sees that two lines speak of one thing. What was redacted once is not changed again. Reads no files and draws no
//! keys: the caller brings both. What is not listed in `kind` stays, identifiers of AWS, traces and commits above all.

mod addresses;
mod bytes;
mod digits;
mod encoded;
mod finding;
mod joined;
mod keyed;
mod keys;
mod kind;
mod kubernetes;
mod labels;
mod net;
mod numbers;
mod pem;
mod personal;
mod pseudonym;
mod scan;
mod stream;
mod tokens;
mod tools;
mod urls;
mod values;

use std::borrow::Cow;

pub use kind::{Class, Kind};
pub use stream::{Line, Stream};

use bytes::Text;
use finding::Finding;
use pseudonym::Pseudonyms;

/// Rounds until a text no longer changes: what stands beside a pseudonym may read differently than before.
const ROUNDS_MAX: usize = 4;

/// Bytes of a line that are looked at again beside a pseudonym.
const WINDOW: usize = 4_096;

/// Takes out what is nobody else's business.
#[derive(Debug, Clone)]
pub struct Redactor {
    pseudonyms: Pseudonyms,
}

/// A text without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted<'a> {
    /// The text; borrowed when nothing had to go.
    pub text: Cow<'a, [u8]>,
    /// What was taken out: where the value stood in the text as it came, and its kind.
    pub spots: Vec<Spot>,
}

/// A place of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// Its first byte.
    pub start: usize,
    /// The byte behind its last.
    pub end: usize,
    /// Its kind.
    pub kind: Kind,
}

impl Redacted<'_> {
    /// The kinds that were taken out, each once, in order of their names.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = self.spots.iter().map(|s| s.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

impl Redactor {
    /// A redactor whose pseudonyms depend on this key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self { pseudonyms: Pseudonyms::new(key) }
    }

    /// Redacts bytes that need not be valid UTF-8. Line breaks stay, also those within a value.
    #[must_use]
    pub fn bytes<'a>(&self, text: &'a [u8]) -> Redacted<'a> {
        let findings = scan::findings(text);
        if findings.is_empty() {
            return Redacted { text: Cow::Borrowed(text), spots: Vec::new() };
        }
        let spots = findings.iter().map(|f| Spot { start: f.start, end: f.end, kind: f.kind }).collect();
        let out = self.settled(text, &findings);
        Redacted { text: Cow::Owned(out), spots }
    }

    /// Redacts a text.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.bytes(text.as_bytes()).text {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// Redacts the value of a name, which says what it is.
    #[must_use]
    pub fn value(&self, name: &str, value: &str) -> String {
        let pair = format!("{name}={value}");
        let redacted = self.text(&pair);
        let rest = redacted.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
        rest.map_or_else(|| self.text(value).into_owned(), ToOwned::to_owned)
    }

    /// Redacts texts that follow one another: a value that begins in one and ends in the next is found.
    #[must_use]
    pub fn lines(&self, lines: &[&str]) -> Vec<String> {
        let joined = lines.join("\n");
        let redacted = self.bytes(joined.as_bytes());
        let mut parts = redacted.text.split(|b| *b == b'\n');
        let mut part = || parts.next().map(|p| String::from_utf8_lossy(p).into_owned()).unwrap_or_default();
        lines
            .iter()
            .map(|line| {
                let breaks = line.bytes().filter(|b| *b == b'\n').count();
                (0..breaks).fold(part(), |text, _| text + "\n" + &part())
            })
            .collect()
    }

    /// Replaces, and again what reads differently beside pseudonyms.
    fn settled(&self, text: &[u8], findings: &[Finding]) -> Vec<u8> {
        let mut out = self.replaced(text, findings);
        for _ in 1..ROUNDS_MAX {
            let again = around(&out);
            if again.is_empty() {
                break;
            }
            out = self.replaced(&out, &again);
        }
        out
    }

    fn replaced(&self, text: &[u8], findings: &[Finding]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        for finding in findings {
            out.extend_from_slice(text.get(at..finding.start).unwrap_or_default());
            self.pseudonyms.write(finding.kind, &finding.value, &mut out);
            let gone = text.get(finding.start..finding.end).unwrap_or_default();
            out.extend(gone.iter().filter(|b| matches!(b, b'\n')));
            at = finding.end.max(at);
        }
        out.extend_from_slice(text.get(at..).unwrap_or_default());
        out
    }
}

/// What is found again in the lines that hold pseudonyms, and in those before and behind them.
fn around(text: &[u8]) -> Vec<Finding> {
    let view = Text(text);
    let mut found = Vec::new();
    let mut done = 0;
    let mut i = 0;
    while let Some(next) = text.get(i..).and_then(|rest| rest.iter().position(|b| *b == b'<')).map(|p| i + p)
    {
        i = next + 1;
        if next < done || pseudonym::end(view, next).is_none() {
            continue;
        }
        let not_break = |b: u8| b != b'\n';
        let line = view.run_back(next, WINDOW, not_break);
        let start = view.run_back(line.saturating_sub(1), WINDOW, not_break).max(done);
        let end = view.run_max(next, WINDOW, not_break);
        let end = view.run_max(end + 1, WINDOW, not_break).max(end).min(text.len());
        let moved =
            |f: Finding| Finding { from: f.from + start, start: f.start + start, end: f.end + start, ..f };
        found.extend(scan::findings(view.part(start, end)).into_iter().map(moved));
        done = end;
    }
    found
}
