//! One word without separators: what kind of variable is it, if any? Pure functions of its bytes.
//!
//! The property behind all of it: people write words, machines write digits.

use super::bytes::{at, sub};
use super::kind::Kind;

/// Endings of source files. `name.c:115` names a place in the code, `name.net:115` a machine and its port.
const SOURCES: [&[u8]; 20] = [
    b"c", b"cc", b"cpp", b"h", b"hpp", b"java", b"py", b"go", b"rs", b"js", b"ts", b"rb", b"php", b"cs",
    b"kt", b"scala", b"swift", b"ex", b"pl", b"lua",
];

/// What a whole token is, when its parts would not tell.
#[inline]
pub(super) fn whole(t: &[u8]) -> Option<Kind> {
    // One pass over the token says which of the questions below can be answered with yes at all.
    let (mut digits, mut colons, mut steps, mut ats) = (0, 0, 0, 0);
    for b in t {
        match b {
            b'0'..=b'9' => digits += 1,
            b':' => colons += 1,
            b'/' | b'\\' | b'~' => steps += 1,
            b'@' => ats += 1,
            _ => {}
        }
    }
    if digits > 0 {
        if is_ip(t) {
            return Some(Kind::Ip);
        }
        if let Some(kind) = time_or_mac(t, digits, colons) {
            return Some(kind);
        }
    }
    if steps > 0 && colons > 0 && t.windows(3).any(|w| w == b"://") {
        return Some(Kind::Url);
    }
    if steps > 0 && is_path(t) {
        return Some(Kind::Path);
    }
    if colons == 1 && is_host_with_port(t) {
        return Some(Kind::Host);
    }
    (ats == 1 && is_email(t)).then_some(Kind::Email)
}

/// Dates and times are groups of digits with separators; hardware addresses are pairs of hexadecimal digits.
#[inline]
fn time_or_mac(t: &[u8], digits: usize, colons: usize) -> Option<Kind> {
    let pairs = |t: &[u8]| t.split(|b| *b == b':' || *b == b'-').all(|g| g.len() == 2 && all_hex(g));
    if t.len() >= 14 && (t.len() + 1).is_multiple_of(3) && pairs(t) {
        return Some(Kind::Mac);
    }
    is_time(t, digits, colons).then_some(Kind::Time)
}

/// `12:30`, `12:30:01,123`, `2026-11-24`, `2026-11-24T12:30:01.5+09:00`, `24/Nov/2026:12:30:01`, `2026/11/24`.
pub(super) fn is_time(t: &[u8], digits: usize, colons: usize) -> bool {
    if !t.first().is_some_and(u8::is_ascii_digit) || t.len() > 40 || digits < 3 {
        return false;
    }
    let letters = t.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let valid = |b: &u8| {
        b.is_ascii_digit() || matches!(b, b':' | b'-' | b'/' | b'.' | b',' | b'+') || b.is_ascii_alphabetic()
    };
    if letters > 4 || !t.iter().all(valid) {
        return false;
    }
    let number = |from: usize, to: usize| sub(t, from, to).iter().all(u8::is_ascii_digit);
    let clock = (1..=2).contains(&colons)
        && letters <= 1
        && number(0, 1)
        && (at(t, 2) == b':' || at(t, 1) == b':')
        && t.split(|b| matches!(b, b':' | b'.' | b',' | b'+' | b'-'))
            .take(2)
            .all(|g| matches!(g.len(), 1 | 2));
    let separated = |s: u8| at(t, 4) == s && at(t, 7) == s && number(0, 4) && number(5, 7) && number(8, 10);
    let date = t.len() >= 10 && (separated(b'-') || separated(b'/') || (separated(b'.') && t.len() == 10));
    let web = t.len() >= 11 && at(t, 2) == b'/' && at(t, 6) == b'/' && number(7, 11) && letters == 3;
    let short = t.len() == 8 && at(t, 2) == b'/' && at(t, 5) == b'/' && digits == 6;
    clock || date || web || short
}

/// Four numbers up to 255 with dots; a port or a mask may follow. Or the six and more groups of a long address.
#[inline]
fn is_ip(t: &[u8]) -> bool {
    let t = t.strip_prefix(b"/").unwrap_or(t);
    if t.first().is_some_and(u8::is_ascii_digit) {
        let end = t.iter().position(|b| matches!(b, b':' | b'/')).unwrap_or(t.len());
        let (address, rest) = t.split_at_checked(end).unwrap_or((t, &[]));
        let mut groups = 0;
        for g in address.split(|b| *b == b'.') {
            groups += 1;
            if g.is_empty() || g.len() > 3 || !g.iter().all(u8::is_ascii_digit) {
                return false;
            }
        }
        let rest = rest.get(1..).unwrap_or_default();
        if groups == 4 && rest.iter().all(u8::is_ascii_digit) {
            return true;
        }
    }
    let colons = t.iter().filter(|b| **b == b':').count();
    let double = t.windows(2).any(|w| w == b"::");
    (colons == 7 || (double && (3..8).contains(&colons)))
        && t.split(|b| *b == b':').all(|g| g.len() <= 4 && all_hex(g))
}

/// Absolute, or with more than one step inside.
fn is_path(t: &[u8]) -> bool {
    if matches!(at(t, 0), b'/' | b'~') && t.len() > 1 {
        return at(t, 0) == b'/' && !t.iter().all(|b| *b == b'/') || at(t, 1) == b'/';
    }
    if matches!(sub(t, 1, 3), b":\\" | b":/") && at(t, 0).is_ascii_alphabetic() {
        return true;
    }
    let slashes = t.iter().filter(|b| **b == b'/').count();
    slashes >= 2
        && t.iter().any(u8::is_ascii_alphabetic)
        && t.iter().all(|b| b.is_ascii_alphanumeric() || b"/._-+~%@:".contains(b))
}

fn is_host_with_port(t: &[u8]) -> bool {
    let Some(colon) = t.iter().position(|b| *b == b':') else { return false };
    let (name, port) = (sub(t, 0, colon), sub(t, colon + 1, t.len()));
    (1..=5).contains(&port.len())
        && port.iter().all(u8::is_ascii_digit)
        && is_domain(name)
        && !is_source(name)
}

/// Labels with dots, of which the last has only letters.
pub(super) fn is_domain(t: &[u8]) -> bool {
    let last = t.rsplit(|b| *b == b'.').next().unwrap_or_default();
    t.contains(&b'.')
        && last.len() >= 2
        && last.iter().all(u8::is_ascii_alphabetic)
        && t.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        && !t.starts_with(b".")
        && !t.windows(2).any(|w| w == b"..")
}

fn is_source(t: &[u8]) -> bool {
    let last = t.rsplit(|b| *b == b'.').next().unwrap_or_default();
    SOURCES.contains(&last)
}

fn is_email(t: &[u8]) -> bool {
    let mut sides = t.split(|b| *b == b'@');
    match (sides.next(), sides.next(), sides.next()) {
        (Some(name), Some(host), None) => {
            !name.is_empty()
                && is_domain(host)
                && name.iter().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(b))
        }
        _ => false,
    }
}

/// What a word with at least one digit is; `None` when it stays a word.
#[inline]
pub(super) fn with_digits(w: &[u8]) -> Option<Kind> {
    let body = match w.first() {
        Some(b'+' | b'-') => w.get(1..).unwrap_or_default(),
        _ => w,
    };
    if let Some(digits) = body.strip_prefix(b"0x").or_else(|| body.strip_prefix(b"0X")) {
        return Some(if all_hex(digits) { Kind::Hex } else { Kind::Id });
    }
    let digits = body.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == body.len() {
        return Some(Kind::Num);
    }
    if is_uuid(body) {
        return Some(Kind::Uuid);
    }
    if digits > 0 {
        let n = body.iter().take_while(|b| b.is_ascii_digit() || **b == b'.' || **b == b',').count();
        let unit = body.get(n..).unwrap_or_default();
        if unit.is_empty() {
            return Some(Kind::Num);
        }
        return Some(unit_kind(unit).unwrap_or(if is_hex(body) { Kind::Hex } else { Kind::Id }));
    }
    if is_hex(body) {
        return Some(Kind::Hex);
    }
    let count = body.iter().filter(|b| b.is_ascii_digit()).count();
    // `v1.32`: a version is a number with a letter before it.
    let version = matches!(at(body, 0), b'v' | b'V')
        && body.iter().skip(1).all(|b| b.is_ascii_digit() || *b == b'.')
        && body.contains(&b'.');
    (count >= 3 || version).then_some(Kind::Id)
}

/// Units of time, information and shares.
pub(super) fn unit_kind(unit: &[u8]) -> Option<Kind> {
    let mut lower = [0_u8; 8];
    let n = unit.len();
    lower.get_mut(..n)?.copy_from_slice(unit);
    lower.make_ascii_lowercase();
    match lower.get(..n)? {
        b"ns" | b"us" | b"ms" | b"s" | b"sec" | b"secs" | b"m" | b"min" | b"mins" | b"h" | b"hr" | b"d"
        | b"\xc2\xb5s" | b"\xce\xbcs" => Some(Kind::Duration),
        b"b" | b"kb" | b"mb" | b"gb" | b"tb" | b"k" | b"g" | b"t" | b"kib" | b"mib" | b"gib" | b"tib"
        | b"bytes" => Some(Kind::Size),
        b"%" => Some(Kind::Percent),
        _ => None,
    }
}

/// Units of information that stand apart from their number.
pub(super) fn is_size_unit(t: &[u8]) -> bool {
    matches!(
        t,
        b"B" | b"KB" | b"MB" | b"GB" | b"TB" | b"kB" | b"KiB" | b"MiB" | b"GiB" | b"TiB" | b"bytes" | b"byte"
    )
}

/// Units of time that stand apart from their number.
pub(super) fn is_time_unit(t: &[u8]) -> bool {
    matches!(
        t,
        b"ns"
            | b"us"
            | b"ms"
            | b"s"
            | b"sec"
            | b"secs"
            | b"second"
            | b"seconds"
            | b"min"
            | b"mins"
            | b"minutes"
            | b"milliseconds"
            | b"microseconds"
            | b"hours"
    )
}

fn all_hex(t: &[u8]) -> bool {
    t.iter().all(u8::is_ascii_hexdigit)
}

fn is_uuid(w: &[u8]) -> bool {
    w.len() == 36
        && w.iter()
            .enumerate()
            .all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { *b == b'-' } else { b.is_ascii_hexdigit() })
}

/// At least eight digits, some of them decimal: with fewer, words and counters look alike.
fn is_hex(w: &[u8]) -> bool {
    w.len() >= 8 && all_hex(w)
}
