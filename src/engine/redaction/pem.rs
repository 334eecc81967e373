//! Blocks of PEM: private keys go whole, cut ones as far as they look like one; certificates and public keys stay.

use super::bytes::{Text, find_fold, is_base64};
use super::finding::Finding;
use super::kind;

/// Longest block: a key of 16,384 bits has 13 kB.
const BLOCK_MAX: usize = 24_576;

/// What a block is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// It is none.
    None,
    /// Nothing secret; it ends there.
    Public(usize),
    /// A private key.
    Private(Finding),
}

/// The block whose `-----BEGIN` stands at `i`.
pub(super) fn at(text: Text<'_>, i: usize) -> Block {
    if !text.has(i, b"-----BEGIN ") && !text.has(i, b"---- BEGIN ") {
        return Block::None;
    }
    let name_end = text.run_max(i + 11, 60, |b| b != b'-' && b != b'\n');
    let name = text.part(i + 11, name_end);
    let body = text.run_max(name_end, 6, |b| b == b'-' || b == b' ');
    let end = end_of(text, body);
    if find_fold(name, b"private key").is_none() && find_fold(name, b"secret").is_none() {
        return Block::Public(end.unwrap_or(body));
    }
    let (end, sure) = match end {
        Some(end) => (end, true),
        None => (cut(text, body), false),
    };
    let value: Vec<u8> = key(text, body, end);
    // Without a body it only speaks of keys.
    if value.len() < 16 {
        return Block::Public(body);
    }
    let found = Finding::known_as(i, end, kind::PRIVATE_KEY, value);
    Block::Private(Finding { sure, ..found })
}

/// Where the block that has its body at `body` ends, when its end is there.
fn end_of(text: Text<'_>, body: usize) -> Option<usize> {
    let part = text.part(body, body + BLOCK_MAX);
    let found = part.windows(9).position(|w| w == b"-----END " || w == b"---- END ")?;
    // Another beginning in between: this one was cut.
    if part.get(..found)?.windows(9).any(|w| w == b"----BEGIN") {
        return None;
    }
    let name = text.run_max(body + found + 9, 60, |b| b != b'-' && b != b'\n');
    Some(text.run_max(name, 5, |b| b == b'-'))
}

/// Where a block without an end ends: with the last line that can belong to it.
fn cut(text: Text<'_>, body: usize) -> usize {
    let mut end = body;
    let mut i = body;
    let limit = text.len().min(body + BLOCK_MAX);
    while i < limit {
        let breaks = text.line_break(i);
        if breaks > 0 {
            i += breaks;
            continue;
        }
        let start = text.run(i, |b| matches!(b, b' ' | b'\t' | b'|' | b'>'));
        let stop = text.run(start, |b| is_base64(b) || b == b'=');
        let header = text.part(start, start + 60);
        let header = header.starts_with(b"Proc-Type:")
            || header.starts_with(b"DEK-Info:")
            || header.starts_with(b"Version:")
            || header.starts_with(b"Comment:");
        if header {
            i = text.run(start, |b| b != b'\n' && b != b'\\');
            end = i;
            continue;
        }
        let length = stop - start;
        let whole =
            text.line_ends(stop) || stop >= text.len() || matches!(text.at(stop), b'"' | b'\'' | b'.' | b' ');
        let plain = text
            .part(start, stop)
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_uppercase() && length < 12);
        if length == 0 || !whole || (length < 24 && (end == body || plain)) {
            break;
        }
        end = stop;
        if length < 24 || !text.line_ends(stop) {
            // The last line of a key is short; an ellipsis says that it was cut.
            end = text.run_max(stop, 3, |b| b == b'.');
            break;
        }
        i = stop;
    }
    end
}

/// The characters of a key: one value however its lines were written.
fn key(text: Text<'_>, body: usize, end: usize) -> Vec<u8> {
    let mut value = Vec::new();
    let mut i = body;
    while i < end && !text.has(i, b"-----END") {
        let breaks = text.line_break(i);
        if breaks > 0 {
            i += breaks;
            continue;
        }
        let b = text.at(i);
        if is_base64(b) && b != b'-' || b == b'=' {
            value.push(b);
        }
        i += 1;
    }
    value
}
