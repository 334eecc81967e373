//! Values that a line break cut in two: the end of one line and the beginning of the next, read as one.
//!
//! Only looked at where something on the first line may go on, and never over the beginning of another log line.

use super::bytes::{Text, is_blank, is_word, sorts};
use super::finding::Finding;
use super::kind;
use super::{scan, tokens};

/// Bytes of the first line that are looked at.
const BEFORE_MAX: usize = 4_096;

/// Bytes of the lines behind.
const BEHIND_MAX: usize = 8_192;

/// Lines that one value may be wrapped into.
const LINES_MAX: usize = 120;

/// The value that goes on over the break of `breaks` bytes at `at`, when there is one. `edge` is where something begins that
/// may, and whether it is nothing without the rest.
pub(super) fn across(
    text: Text<'_>,
    edge: Option<(usize, bool)>,
    at: usize,
    breaks: usize,
    depth: u8,
) -> Option<Finding> {
    let next = text.run_max(at + breaks, 80, |b| is_blank(b) || b == b'|');
    if text.line_ends(next) || next >= text.len() || is_blank(text.before(at)) && edge.is_none() {
        return None;
    }
    let word = text.run_back(at, 24, |b| is_word(b) || matches!(b, b'-' | b'.'));
    let (edge, cut) = edge.or_else(|| prefix(text, word, at, next).then_some((word, true)))?;
    if begins_a_line(text, next) {
        return None;
    }
    let edge = edge.max(at.saturating_sub(BEFORE_MAX));
    let mut bytes = text.part(edge, at).to_vec();
    // Where each stretch of the joined bytes came from.
    let mut stretches = vec![(0, edge)];
    let mut from = next;
    for _ in 0..LINES_MAX {
        let end = text.run_max(from, 400, |b| b != b'\n' && b != b'\r' && b != b'\\');
        stretches.push((bytes.len(), from));
        bytes.extend_from_slice(text.part(from, end));
        let whole = !text.part(from, end).iter().any(|b| is_blank(*b));
        let more = text.line_break(end);
        if !whole || more == 0 || bytes.len() > BEHIND_MAX {
            break;
        }
        from = text.run_max(end + more, 80, |b| is_blank(b) || b == b'|');
        if text.line_ends(from) || begins_a_line(text, from) {
            break;
        }
    }
    let seam = at - edge;
    let found = scan::within(&bytes, depth + 2);
    let finding = found.into_iter().find(|f| f.start < seam && f.end > seam)?;
    // A password may end in any character.
    let by_last = finding.kind != kind::PASSWORD;
    if !finding.sure && !cut && !continues(&bytes, seam, finding.end, by_last) {
        return None;
    }
    let place = |i: usize| {
        let stretch = stretches.iter().rev().find(|(begin, _)| *begin <= i);
        stretch.map_or(edge + i, |(begin, from)| from + (i - begin))
    };
    // The end is where the last byte was, and one more: the next stretch may begin there.
    let end = place(finding.end.saturating_sub(1)) + 1;
    Some(Finding { from: place(finding.from), start: place(finding.start), end, ..finding })
}

/// Whether a token's prefix stands across the break.
fn prefix(text: Text<'_>, word: usize, at: usize, next: usize) -> bool {
    if at == word || at - word > 20 {
        return false;
    }
    let mut head = [0_u8; 48];
    let joined = text.part(word, at).iter().chain(text.part(next, next + 20));
    head.iter_mut().zip(joined).for_each(|(slot, b)| *slot = *b);
    tokens::begin(&head)
}

/// Whether what stands at `i` begins a log line of its own rather than going on with the one before.
fn begins_a_line(text: Text<'_>, i: usize) -> bool {
    let b = text.at(i);
    let digits = text.run_max(i, 5, |b| b.is_ascii_digit()) - i;
    let date = digits == 4
        && matches!(text.at(i + 4), b'-' | b'/')
        && text.at(i + 5).is_ascii_digit()
        && text.at(i + 7) == text.at(i + 4)
        || digits == 2
            && matches!(text.at(i + 2), b':' | b'/')
            && text.at(i + 3).is_ascii_digit()
            && text.at(i + 5) == text.at(i + 2);
    let levels =
        ["INFO", "WARN", "ERROR", "DEBUG", "TRACE", "FATAL", "NOTICE", "level=", "time=", "at ", "Caused by"];
    matches!(b, b'[' | b'{') || date || levels.iter().any(|l| text.has(i, l.as_bytes()))
}

/// Whether the bytes behind the seam look like the rest of a value rather than the next words.
fn continues(bytes: &[u8], seam: usize, end: usize, by_last: bool) -> bool {
    let rest = bytes.get(seam..end).unwrap_or_default();
    let s = sorts(rest);
    let after = bytes.get(end).copied().unwrap_or(0);
    // A name of a pair, or a word of a sentence, begins something else.
    if matches!(after, b'=' | b':') || rest.is_empty() {
        return false;
    }
    // No sentence and no word ends in these.
    if by_last && matches!(bytes.get(seam.wrapping_sub(1)), Some(b'-' | b'_' | b'/' | b'+' | b'@')) {
        return true;
    }
    let word = s.digits == 0 && s.other == 0 && (s.upper == 0 || s.changes <= 1);
    !word || end == bytes.len()
}
