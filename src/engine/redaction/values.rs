//! Values behind names: where they begin and end, and whether they are values at all rather than prose, placeholders or
//! what somebody masked already.

use super::bytes::{Text, find_fold, is_blank, is_word, sorts};
use super::keys::Demand;
use super::pseudonym;

/// Longest value that is followed.
const VALUE_MAX: usize = 8_192;

/// Lines that a value in quotes may be broken into.
const BREAKS_MAX: usize = 3;

/// A value behind a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) quoted: bool,
}

/// The quotation mark at `i`, with the backslashes before it: its length and itself.
pub(super) fn quote(text: Text<'_>, i: usize) -> Option<(usize, u8)> {
    let slashes = text.run_max(i, 7, |b| b == b'\\') - i;
    let mark = text.at(i + slashes);
    let is = matches!(mark, b'"' | b'\'') || (mark == b'`' && slashes == 0);
    is.then_some((slashes + 1, mark))
}

/// The value that begins at `i`, in quotes or not. In a query an ampersand ends it.
pub(super) fn at(text: Text<'_>, i: usize, in_query: bool) -> Option<Value> {
    if let Some((length, mark)) = quote(text, i) {
        let start = i + length;
        if let Some(end) = closing(text, start, length, mark) {
            return (end > start).then_some(Value { start, end, quoted: true });
        }
        let end = bare_end(text, start, in_query);
        return (end > start).then_some(Value { start, end, quoted: false });
    }
    if let Some(start) = [b"%22".as_slice(), b"&quot;"].iter().find(|q| text.has(i, q)).map(|q| i + q.len()) {
        let end = bare_end(text, start, true);
        return (end > start).then_some(Value { start, end, quoted: false });
    }
    let end = bare_end(text, i, in_query);
    (end > i).then_some(Value { start: i, end, quoted: false })
}

/// Where the value in quotes that begins at `start` ends.
fn closing(text: Text<'_>, start: usize, length: usize, mark: u8) -> Option<usize> {
    let mut i = start;
    let mut breaks = 0;
    let limit = text.len().min(start + VALUE_MAX);
    while i < limit {
        let b = text.at(i);
        if b == b'\\' {
            let slashes = text.run(i, |b| b == b'\\') - i;
            if slashes + 1 == length && text.at(i + slashes) == mark {
                return Some(i);
            }
            // Fewer backslashes than the opening has: this quotation lies outside, so it ends here as well.
            if text.at(i + slashes) == mark && slashes + 1 < length {
                return Some(i);
            }
            i += slashes + 1;
            continue;
        }
        if b == mark {
            return Some(i);
        }
        if b == b'\n' {
            breaks += 1;
            if breaks > BREAKS_MAX {
                return None;
            }
        }
        i += 1;
    }
    None
}

fn bare_end(text: Text<'_>, start: usize, in_query: bool) -> usize {
    let mut i = start;
    let limit = text.len().min(start + VALUE_MAX);
    while i < limit {
        let b = text.at(i);
        let stops = match b {
            b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'<' | b'>' | b'`' | 0 => true,
            b'\\' => text.line_break(i) > 0 || matches!(text.at(i + 1), b'"' | b't' | b'\\'),
            b'&' => in_query || names(text, i + 1) || text.has(i, b"&quot;") || text.has(i, b"&amp;"),
            b',' | b';' => {
                names(text, i + 1) || matches!(text.at(i + 1), b' ' | b'\n' | b'\r' | b'"' | b'\'' | 0)
            }
            b'}' | b']' | b')' => matches!(
                text.at(i + 1),
                b'"' | b',' | b'}' | b']' | b')' | b' ' | b'\n' | b'\r' | b'.' | b';' | b':' | 0
            ),
            // Japanese punctuation and brackets, and what follows in Japanese.
            0xe3..=0xef => true,
            b'#' => in_query,
            _ => false,
        };
        if stops {
            break;
        }
        i += 1;
    }
    while i > start && matches!(text.at(i - 1), b',' | b';' | b'.' | b':') {
        i -= 1;
    }
    i
}

/// Whether a name and an equals sign stand at `i`: what follows is another pair.
fn names(text: Text<'_>, i: usize) -> bool {
    let start = text.run_max(i, 2, is_blank);
    let end = text.run_max(start, 40, |b| is_word(b) || matches!(b, b'-' | b'.' | b' '));
    end > start && (text.at(end) == b'=' || text.has(end, b"%3D"))
}

/// Words that stand where a value might, and say something about it.
const PROSE: &[&str] = &[
    "null",
    "nil",
    "none",
    "undefined",
    "empty",
    "true",
    "false",
    "required",
    "invalid",
    "missing",
    "expired",
    "wrong",
    "incorrect",
    "changed",
    "reset",
    "resetting",
    "failed",
    "failure",
    "error",
    "unknown",
    "redacted",
    "filtered",
    "hidden",
    "masked",
    "secret",
    "password",
    "passwd",
    "token",
    "string",
    "optional",
    "default",
    "unset",
    "rotated",
    "rotation",
    "updated",
    "accepted",
    "rejected",
    "denied",
    "authentication",
    "yes",
    "no",
    "on",
    "off",
    "ok",
    "present",
    "absent",
    "not",
    "found",
    "valid",
    "is",
    "was",
    "for",
    "the",
    "and",
    "prompt",
    "removed",
    "omitted",
    "disabled",
    "enabled",
    "set",
    "mismatch",
    "must",
    "should",
    "cannot",
    "has",
    "will",
    "value",
    "text",
    "object",
    "function",
    "array",
    "number",
    "boolean",
    "int",
    "varchar",
    "bearer",
    "basic",
    "env",
    "file",
    "vault",
    "sensitive",
    "publickey",
    "keyboard-interactive",
    "policy",
    "expires",
    "check",
    "n/a",
    "(null)",
    "nan",
    "change",
    "changeme",
    "attempt",
    "attempts",
    "provided",
    "supplied",
    "refresh",
    "refreshed",
    "revoked",
    "created",
    "deleted",
    "read",
];

/// Whether these bytes hide what was there, or name where it will come from.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let text = Text(value);
    let first = text.at(0);
    let s = sorts(value);
    s.distinct <= 1
        || find_fold(value, b"***").is_some()
        || find_fold(value, b"xxxx").is_some()
        || find_fold(value, b"redact").is_some()
        || find_fold(value, b"filtered").is_some()
        || find_fold(value, b"\xe2\x80\xa2\xe2\x80\xa2").is_some()
        || (0..value.len()).any(|i| pseudonym::end(text, i).is_some())
        || (first == b'$'
            && (matches!(text.at(1), b'{' | b'(')
                || value.iter().skip(1).all(|b| is_word(*b))
                    && s.lower * s.upper == 0
                    && (s.digits == 0 || s.upper + s.lower == 0)))
        || (matches!(first, b'{' | b'<' | b'[' | b'(') && !matches!(text.at(1), b'"' | b'\\'))
        || text.has(0, b"%s")
        || text.has(0, b"%{")
        || (matches!(first, b':' | b'@' | b'?') && value.iter().skip(1).all(|b| is_word(*b)) && s.digits < 3)
        || text.has(0, b"...")
}

/// Whether a value is one, given what its name demands. `assigned` tells a bare `name: value` in prose from the rest.
pub(super) fn plausible(value: &[u8], demand: Demand, assigned: bool) -> bool {
    if demand == Demand::Whole {
        return value.len() >= 4 && !is_placeholder(value);
    }
    if value.len() < 3
        || is_placeholder(value)
        || PROSE.iter().any(|w| value.eq_ignore_ascii_case(w.as_bytes()))
    {
        return false;
    }
    match demand {
        Demand::Whole => true,
        Demand::Password => {
            let s = sorts(value);
            if s.other == value.len() {
                return value.len() >= 6;
            }
            assigned && value.len() >= 4 || strong(value)
        }
        Demand::Secret => value.len() >= 8 && !is_name(value) && (strong(value) || random(value)),
        Demand::Random => value.len() >= 16 && !is_name(value) && random(value),
    }
}

/// Whether a word is more than a word: letters with digits or marks among them, or capitals inside.
pub(super) fn strong(value: &[u8]) -> bool {
    let s = sorts(value);
    let letters = s.upper + s.lower;
    let inner_capitals = s.upper >= 2 && s.lower >= 2;
    let inner = value.get(1..value.len().saturating_sub(1)).unwrap_or_default();
    let marks = inner
        .iter()
        .any(|b| matches!(b, b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'&' | b'*' | b'~' | b'?' | b'+'));
    value.len() >= 6 && letters >= 1 && (s.digits >= 1 || marks || (inner_capitals && s.changes >= 3))
}

/// Whether a value looks as if a machine had drawn it.
pub(super) fn random(value: &[u8]) -> bool {
    let s = sorts(value);
    let letters = s.upper + s.lower;
    let mixed = (s.digits >= 2 && letters >= 2 && s.changes >= 3)
        || (s.upper >= 3 && s.lower >= 3 && s.changes * 3 >= value.len());
    s.distinct >= 8.min(u32::try_from(value.len() / 2).unwrap_or(8)) && mixed
}

/// Whether a value names a thing rather than being a secret: an ARN, an address, a path, a time, a version.
fn is_name(value: &[u8]) -> bool {
    let text = Text(value);
    let s = sorts(value);
    let slashes = value.iter().filter(|b| **b == b'/').count();
    text.has(0, b"arn:")
        || find_fold(value, b"://").is_some()
        || (matches!(text.at(0), b'/' | b'.') && s.lower > s.upper + s.digits)
        || (slashes >= 1 && s.lower > 2 * (s.upper + s.digits) && s.changes < value.len() / 3)
        || (s.upper + s.lower == 0 && value.len() < 20)
        || (s.upper + s.lower <= 2 && value.iter().filter(|b| matches!(b, b':' | b'-' | b'.')).count() >= 3)
        || find_fold(value, b".com").is_some()
        || find_fold(value, b".amazonaws").is_some()
}
