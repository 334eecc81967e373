//! Addresses of networks: public IPv4 and IPv6 addresses and hardware addresses. Private ones, ranges and versions stay.

use super::bytes::{Text, any_fold, is_word};
use super::finding::{Finding, Match};
use super::kind;

/// The IPv4 address that begins at `i`, when it is a public one.
#[inline]
pub(super) fn v4(text: Text<'_>, i: usize) -> Match {
    let mut parts = [0_u8; 4];
    let mut at = i;
    for (n, part) in parts.iter_mut().enumerate() {
        let end = text.run_max(at, 4, |b| b.is_ascii_digit());
        let Some(value) = octet(text.part(at, end)) else {
            let cut = n > 0 && text.line_ends(end);
            return if cut { Match::Open } else { Match::None };
        };
        *part = value;
        if n < 3 {
            if text.at(end) != b'.' {
                return if n > 0 && text.line_ends(end) { Match::Open } else { Match::None };
            }
            at = end + 1;
        } else {
            at = end;
        }
    }
    if !is_public(parts) || bounded(text, i, at) || is_version(text, i, at) {
        return Match::None;
    }
    let found = Finding::known_as(i, at, kind::IP, text.part(i, at).to_vec());
    // The last part may have been cut.
    Match::Found(Finding { sure: false, ..found })
}

fn octet(digits: &[u8]) -> Option<u8> {
    let leading = digits.len() > 1 && digits.first() == Some(&b'0');
    if digits.is_empty() || leading {
        return None;
    }
    digits.iter().try_fold(0_u8, |n, d| n.checked_mul(10)?.checked_add(d - b'0'))
}

fn is_public([a, b, c, d]: [u8; 4]) -> bool {
    let private = match a {
        0 | 10 | 127 | 224..=255 => true,
        100 => matches!(b, 64..=127),
        169 => b == 254,
        172 => matches!(b, 16..=31),
        192 => b == 168 || (b == 0 && c == 0),
        198 => matches!(b, 18 | 19),
        _ => false,
    };
    // Four small numbers, or a network's own address, are rather a version or a range.
    !private && !(a < 20 && b < 20 && c < 20 && d < 20 && a != 8 && (a != 1 || b == 2)) && d != 0
}

/// Whether what stands around makes it a part of something longer, or a range.
fn bounded(text: Text<'_>, i: usize, end: usize) -> bool {
    let (before, next, then) = (text.before(i), text.at(end), text.at(end + 1));
    is_word(before)
        || matches!(before, b'.' | b'-' | b'^' | b'~')
        || is_word(next)
        || next == b'/' && then.is_ascii_digit()
        || matches!(next, b'.' | b'-' | b'+') && is_word(then)
}

/// `Chrome/120.0.6099.109`, `version 4.18.0.1`: what is before tells.
fn is_version(text: Text<'_>, i: usize, end: usize) -> bool {
    let before = text.before(i);
    if before == b'/' {
        let product = text.at(i.wrapping_sub(2)).is_ascii_alphanumeric();
        return product && text.at(end) != b':';
    }
    any_fold(
        text.line_before(i, 16),
        &[
            "version",
            "ver ",
            "ver.",
            "ver=",
            "v.",
            "release",
            "firmware",
            "build",
            "driver",
            "バージョン",
            "sdk",
            "agent/",
        ],
    ) && !any_fold(text.line_before(i, 16), &["ip", "addr", "host", "client"])
}

/// The IPv6 address that begins at `i` with four hexadecimal digits, when it is a global one.
#[inline]
pub(super) fn v6(text: Text<'_>, i: usize) -> Match {
    let is = |b: u8| b.is_ascii_hexdigit() || b == b':';
    let mut end = text.run_max(i, 40, is);
    let cut = text.line_ends(end);
    while end > i && text.at(end - 1) == b':' && text.at(end.wrapping_sub(2)) != b':' {
        end -= 1;
    }
    let part = text.part(i, end);
    let short = part.windows(2).filter(|w| w == b"::").count();
    let mut groups = 0;
    for group in part.split(|b| *b == b':') {
        if group.len() > 4 {
            return Match::None;
        }
        groups += usize::from(!group.is_empty());
    }
    let whole = short == 0 && groups == 8 || short == 1 && (2..8).contains(&groups);
    if !whole || is_word(text.before(i)) || text.before(i) == b':' {
        return if cut && groups >= 1 { Match::Open } else { Match::None };
    }
    let (next, then) = (text.at(end), text.at(end + 1));
    if is_word(next) || next == b'/' && then.is_ascii_digit() || part.ends_with(b"::") {
        return Match::None;
    }
    let found = Finding::known_as(i, end, kind::IP, part.to_ascii_lowercase());
    Match::Found(Finding { sure: groups == 8, ..found })
}

/// The hardware address that begins at `i` with two hexadecimal digits and a colon or hyphen.
#[inline]
pub(super) fn mac(text: Text<'_>, i: usize) -> Match {
    let mark = text.at(i + 2);
    let mut value = Vec::new();
    let mut at = i;
    for n in 0..6 {
        let pair = text.part(at, at + 2);
        if pair.len() < 2 || !pair.iter().all(u8::is_ascii_hexdigit) {
            let cut = n > 0 && (text.line_ends(at) || text.line_ends(at + 1));
            return if cut { Match::Open } else { Match::None };
        }
        value.extend(pair.to_ascii_lowercase());
        at += 2;
        if n < 5 {
            if text.at(at) != mark {
                return if n > 0 && text.line_ends(at) { Match::Open } else { Match::None };
            }
            at += 1;
        }
    }
    // A fingerprint has more pairs, and one octet of all says nothing about a device.
    let longer = is_word(text.at(at)) || text.at(at) == mark && text.at(at + 1).is_ascii_hexdigit();
    let inside =
        is_word(text.before(i)) || text.before(i) == mark && text.at(i.wrapping_sub(2)).is_ascii_hexdigit();
    let same = value.iter().all(|b| value.first() == Some(b));
    let letters = value.iter().any(u8::is_ascii_alphabetic) || mark == b':';
    if longer || inside || same || !letters {
        return Match::None;
    }
    Match::Found(Finding::known_as(i, at, kind::MAC, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_found_and_others_stay() {
        let found = |text: &str, i: usize| matches!(v4(Text(text.as_bytes()), i), Match::Found(_));
        assert!(found("from 203.0.113.7 port", 5));
        assert!(found("8.8.8.8", 0));
        assert!(found("x /198.51.100.7:4431", 3));
        for (other, at) in [
            ("10.0.0.7", 0),
            ("172.16.4.2", 0),
            ("203.0.113.0/24", 0),
            ("Chrome/120.0.6099.109", 7),
            ("version 4.18.0.193", 8),
            ("1.2.3", 0),
            ("256.1.1.1", 0),
            ("52.0.0.0", 0),
            ("1.2.3.4.5", 0),
        ] {
            assert!(!found(other, at), "{other}");
        }
        assert!(matches!(v6(Text(b"2001:db8::8a2e:370:7334"), 0), Match::Found(_)));
        assert!(matches!(mac(Text(b"0a:1b:2c:3d:4e:5f up"), 0), Match::Found(_)));
        assert!(!matches!(mac(Text(b"12:34:56"), 0), Match::Found(_)));
    }
}
