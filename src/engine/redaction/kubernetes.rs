//! Manifests of Kubernetes secrets: under `data` every value is one, whatever its name.

use super::bytes::{Text, find_fold, is_base64, is_blank, is_token};
use super::encoded;
use super::finding::Finding;
use super::kind;
use super::values::quote;

/// How far `data` stands from `kind: Secret`.
const NEAR: usize = 4_096;

/// Entries of one manifest.
const ENTRIES_MAX: usize = 64;

/// The values of the manifest in which the word `Secret` stands at `start`.
pub(super) fn values(text: Text<'_>, start: usize, end: usize) -> Vec<Finding> {
    let before = text.line_before(start, 16);
    if find_fold(before, b"kind").is_none() || !before.contains(&b':') {
        return Vec::new();
    }
    let behind = data(text, end, end + NEAR);
    let from = start.saturating_sub(NEAR);
    let document = text.part(from, start).windows(4).rposition(|w| w == b"\n---").map_or(from, |p| from + p);
    let place = behind.or_else(|| data(text, document, start));
    place.map(|at| entries(text, at)).unwrap_or_default()
}

/// Where the entries under `data` begin.
fn data(text: Text<'_>, from: usize, to: usize) -> Option<usize> {
    let mut i = from;
    while i < to.min(text.len()) {
        let found = i + text.part(i, to).windows(4).position(|w| w == b"data" || w == b"Data")?;
        let end = found + 4 + quote(text, found + 4).map_or(0, |(length, _)| length);
        let escape = text.before(found) == b'n' && text.at(found.wrapping_sub(2)) == b'\\';
        let own =
            escape || !is_token(text.before(found)) || text.has_fold(found.saturating_sub(6), b"string");
        if own && text.at(end) == b':' {
            return Some(end + 1);
        }
        i = found + 4;
    }
    None
}

fn entries(text: Text<'_>, from: usize) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut i = from;
    for _ in 0..ENTRIES_MAX {
        i = skipped(text, i);
        let key = text.run(i, |b| is_token(b) || b == b'.');
        let mut at = key + quote(text, key).map_or(0, |(length, _)| length);
        let indented = is_blank(text.before(i)) || matches!(text.before(i), b'"' | b'\'');
        if key == i || text.at(at) != b':' || !indented {
            break;
        }
        at = text.run(at + 1, is_blank);
        at += quote(text, at).map_or(0, |(length, _)| length);
        let end = text.run_max(at, 16_384, |b| is_base64(b) || b == b'=');
        let value = text.part(at, end);
        if end == at {
            break;
        }
        if value.len() >= 4
            && let Some(decoded) = encoded::printable(value)
        {
            found.push(Finding::known_as(at, end, kind::SECRET, decoded));
        }
        i = end;
    }
    found
}

/// Where the next entry may begin: behind blanks, breaks, braces and quotation marks.
fn skipped(text: Text<'_>, from: usize) -> usize {
    let mut i = from;
    loop {
        let next = text.run(i, |b| is_blank(b) || matches!(b, b'\n' | b'\r' | b'{' | b',' | b'"' | b'\''));
        let breaks = text.line_break(next);
        let after = if breaks == 0 && text.at(next) == b'\\' { next + 1 } else { next + breaks };
        if after == i {
            return i;
        }
        i = after;
    }
}
