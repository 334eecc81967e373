//! What belongs to a person and is not a number: e-mail addresses, IBANs, residence cards and passports.

use super::bytes::{Text, any_fold, is_blank, is_word};
use super::finding::{Finding, Match};
use super::kind;

/// Ends of names that look like domains and are none that a person gets mail at.
const NO_DOMAINS: &[&str] = &[
    "internal",
    "local",
    "localdomain",
    "localhost",
    "service",
    "socket",
    "timer",
    "slice",
    "scope",
    "mount",
    "target",
    "png",
    "jpg",
    "svg",
    "js",
    "ts",
    "git",
    "java",
    "invalid",
    "arpa",
];

/// The e-mail address whose `@` stands at `i`; it may begin at `floor`.
pub(super) fn email(text: Text<'_>, i: usize, floor: usize) -> Match {
    let local = |b: u8| is_word(b) || matches!(b, b'.' | b'%' | b'+' | b'-' | b'\'' | b'=' | b'~');
    let mut start = text.run_back(i, 64, local).max(floor);
    while start < i && !is_word(text.at(start)) && text.at(start) != b'+' {
        start += 1;
    }
    // `to=name@…` and `'name@…`: what stands before belongs to the line.
    if let Some(sign) = text.part(start, i).iter().rposition(|b| matches!(b, b'=' | b'\'')) {
        start += sign + 1;
    }
    // The letter behind an escape (`\nname@…`) belongs to it.
    if text.before(start) == b'\\' && matches!(text.at(start), b'n' | b't' | b'r') {
        start += 1;
    }
    if start >= i || text.part(start, i) == b"git" {
        return Match::None;
    }
    let head = cut_head(text, start, floor);
    let mut end = text.run_max(i + 1, 255, |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    let cut = text.line_ends(end);
    while end > i && matches!(text.at(end - 1), b'.' | b'-') {
        end -= 1;
    }
    let domain = text.part(i + 1, end);
    let Some(dot) = domain.iter().rposition(|b| *b == b'.') else {
        return if cut { Match::Open } else { Match::None };
    };
    let top = domain.get(dot + 1..).unwrap_or_default();
    if top.len() < 2 || !top.iter().all(u8::is_ascii_alphabetic) {
        return if cut { Match::Open } else { Match::None };
    }
    let first = domain.first().is_some_and(u8::is_ascii_alphanumeric);
    let other = NO_DOMAINS.iter().any(|t| top.eq_ignore_ascii_case(t.as_bytes()));
    if !first
        || other
        || text.at(i + 2) == b'x' && text.at(i + 1).is_ascii_digit()
        || key_comment(text, start)
    {
        return Match::None;
    }
    // A password before a host is not a mail address, and was looked at.
    if text.before(start) == b':' && text.line_before(start, 80).windows(3).any(|w| w == b"://") {
        return Match::None;
    }
    let mut value = head.map_or(&[][..], |(from, to)| text.part(from, to)).to_ascii_lowercase();
    value.extend(text.part(start, end).to_ascii_lowercase());
    let start = head.map_or(start, |(from, _)| from);
    Match::Found(Finding { sure: false, ..Finding::known_as(start, end, kind::EMAIL, value) })
}

/// The beginning of a local part that ends the line before `start`: no word of a sentence, so it has a mark or digit inside.
fn cut_head(text: Text<'_>, start: usize, floor: usize) -> Option<(usize, usize)> {
    let line = text.run_back(start, 80, is_blank);
    let to = line.checked_sub(1).filter(|i| text.at(*i) == b'\n')?;
    let from = text.run_back(to, 40, |b| is_word(b) || matches!(b, b'.' | b'+' | b'-')).max(floor);
    let head = text.part(from, to);
    let inner = head.get(..head.len().saturating_sub(1)).unwrap_or_default();
    let marked =
        inner.iter().any(|b| matches!(b, b'.' | b'_' | b'+')) && head.iter().any(u8::is_ascii_lowercase);
    (marked && head.len() >= 3 && head.first().is_some_and(u8::is_ascii_lowercase)).then_some((from, to))
}

/// The comment of a public key names who made it.
fn key_comment(text: Text<'_>, start: usize) -> bool {
    is_blank(text.before(start))
        && any_fold(text.line_before(start, 1_200), &["ssh-rsa aaaa", "ssh-ed25519 aaaa", "ecdsa-sha2-nistp"])
}

/// What two capitals and a digit begin at `i`: a residence card or an IBAN.
pub(super) fn document(text: Text<'_>, i: usize) -> Match {
    let end = text.run_max(i, 40, |b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if is_word(text.before(i)) || matches!(text.before(i), b'-') {
        return Match::None;
    }
    let part = text.part(i, end);
    let digits =
        |from: usize, to: usize| part.get(from..to).is_some_and(|p| p.iter().all(u8::is_ascii_digit));
    if part.len() == 12
        && digits(2, 10)
        && part.get(10..).is_some_and(|p| p.iter().all(u8::is_ascii_uppercase))
        && !is_word(text.at(end))
    {
        return Match::Found(Finding::plain(text, i, end, kind::RESIDENCE).sure());
    }
    if !digits(2, 4) {
        return if text.line_ends(end) && part.len() >= 3 { Match::Open } else { Match::None };
    }
    iban(text, i)
}

/// An IBAN in one piece or in groups of four, by its check digits.
fn iban(text: Text<'_>, i: usize) -> Match {
    let mut value = Vec::with_capacity(34);
    let mut at = i;
    let mut best = None;
    loop {
        let end = text.run_max(at, 34, |b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let grouped = end - at;
        if grouped == 0 || value.len() + grouped > 34 {
            break;
        }
        value.extend_from_slice(text.part(at, end));
        if value.len() >= 15 && !is_word(text.at(end)) && checks(&value) {
            best = Some((end, value.clone()));
        }
        if grouped != 4 || !matches!(text.at(end), b' ' | b'-') {
            if text.line_ends(end) && best.is_none() {
                return Match::Open;
            }
            break;
        }
        at = end + 1;
    }
    best.map_or(Match::None, |(end, value)| Match::Found(Finding::known_as(i, end, kind::IBAN, value)))
}

/// ISO 7064, modulo 97: the first four characters go to the end, letters count from 10.
fn checks(iban: &[u8]) -> bool {
    let moved = iban.iter().cycle().skip(4).take(iban.len());
    let rest = moved.fold(0_u32, |rest, b| match b {
        b'0'..=b'9' => (rest * 10 + u32::from(b - b'0')) % 97,
        _ => (rest * 100 + u32::from(b.saturating_sub(b'A')) + 10) % 97,
    });
    rest == 1
}

/// A passport's number behind its name: two letters and seven digits at `i`.
pub(super) fn passport(text: Text<'_>, i: usize) -> Match {
    let letters = text.run_max(i, 3, |b| b.is_ascii_uppercase());
    let end = text.run_max(letters, 10, |b| b.is_ascii_digit());
    let fits = letters - i <= 2 && matches!(end - letters, 7..=9) && !is_word(text.at(end));
    if fits {
        return Match::Found(Finding::plain(text, i, end, kind::PASSPORT).sure());
    }
    if text.line_ends(end) && end > i { Match::Open } else { Match::None }
}
