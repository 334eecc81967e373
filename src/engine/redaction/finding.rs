//! What a look at a place found: the bytes that go, of which kind they are, and the value by which they are known.

use super::bytes::{Text, hex};
use super::kind::Kind;

/// Bytes to be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// Where what led to it begins: a key before the value.
    pub(super) from: usize,
    /// Where the value begins.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// Of which kind it is.
    pub(super) kind: Kind,
    /// The value without what differs between writings of one value.
    pub(super) value: Vec<u8>,
    /// Whether its form alone tells where it ends: a length, a check digit.
    pub(super) sure: bool,
}

/// What a look at a place came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Match {
    /// Nothing.
    None,
    /// The beginning of something that the end of the line cut.
    Open,
    /// A value.
    Found(Finding),
}

impl Finding {
    /// A value that is known as it stands.
    pub(super) fn plain(text: Text<'_>, start: usize, end: usize, kind: Kind) -> Self {
        let value = normal(text.part(start, end));
        Self { from: start, start, end, kind, value, sure: false }
    }

    /// A value that is known by other bytes than those that stand there.
    pub(super) fn known_as(start: usize, end: usize, kind: Kind, value: Vec<u8>) -> Self {
        Self { from: start, start, end, kind, value, sure: true }
    }

    /// Its form tells where it ends.
    pub(super) fn sure(self) -> Self {
        Self { sure: true, ..self }
    }

    /// What led to it begins there.
    pub(super) fn since(self, from: usize) -> Self {
        Self { from, ..self }
    }
}

/// A value without percent-encoding, escaped slashes and line breaks.
fn normal(bytes: &[u8]) -> Vec<u8> {
    let text = Text(bytes);
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let b = text.at(i);
        let breaks = text.line_break(i);
        if breaks > 0 {
            i = text.run(i + breaks, |b| b == b' ');
            continue;
        }
        if b == b'%'
            && let (Some(high), Some(low)) = (hex(text.at(i + 1)), hex(text.at(i + 2)))
        {
            out.push(high << 4 | low);
            i += 3;
            continue;
        }
        if b == b'\\' && matches!(text.at(i + 1), b'/' | b'"' | b'\\') {
            i += 1;
        }
        out.push(text.at(i));
        i += 1;
    }
    out
}
