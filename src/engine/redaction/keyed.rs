//! Values behind names that announce them: assignments, headers, markup, messages, in any of the usual writings.
//!
//! Which names announce something is in `keys`, whether a value is one in `values`.

use super::bytes::{Text, is_base64, is_blank, is_token};
use super::encoded;
use super::finding::{Finding, Match};
use super::keys::{self, Demand, Key};
use super::kind;
use super::tokens;
use super::values::{self, Value, plausible, quote, random, strong};

/// Words between a name and its value in a sentence.
const WALK_MAX: usize = 6;

/// The secret behind the word from `start` to `end`, when it is a name that announces one.
pub(super) fn behind(text: Text<'_>, start: usize, end: usize) -> Match {
    let next = text.at(end);
    if !matches!(
        next,
        b'=' | b':'
            | b'"'
            | b'\''
            | b'\\'
            | b' '
            | b'\t'
            | b']'
            | b'>'
            | b'\n'
            | b'\r'
            | b'('
            | b'%'
            | b','
            | 0xe3
            | 0xef
            | b'`'
            | b'?'
            | b'!'
    ) {
        return Match::None;
    }
    let word = text.part(start, end);
    if word.eq_ignore_ascii_case(b"bearer") {
        return bearer(text, start, end);
    }
    if word.eq_ignore_ascii_case(b"basic") {
        return basic(text, start, end);
    }
    if word.eq_ignore_ascii_case(b"by") {
        return identified(text, start, end);
    }
    if word.eq_ignore_ascii_case(b"key") && matches!(text.before(start), b' ' | b'\t') {
        return spoken_key(text, start, end);
    }
    let Some(key) = keys::ending(text, end) else { return Match::None };
    if let Some((at, sign)) = assignment(text, end) {
        return assigned(text, key, at, sign);
    }
    if next == b'>' {
        return markup(text, key, end);
    }
    if let Some(at) = paired(text, end) {
        return assigned(text, key, at, b'=');
    }
    if matches!(next, b' ' | b'\t') {
        return told(text, key, end);
    }
    if next == 0xe3 || next == 0xef {
        return told_in_japanese(text, key, end);
    }
    Match::None
}

/// Where the value begins when the name that ends at `end` is assigned one, and by which sign.
fn assignment(text: Text<'_>, end: usize) -> Option<(usize, u8)> {
    let mut i = end;
    if let Some((length, _)) = quote(text, i) {
        i += length;
    }
    if text.at(i) == b']' {
        i += 1;
        i += quote(text, i).map_or(0, |(length, _)| length);
    }
    i = text.run_max(i, 40, is_blank);
    let sign = match text.at(i) {
        b'=' if text.at(i + 1) == b'=' => return None,
        b'=' | b':' => text.at(i),
        0xef if text.has(i, "：".as_bytes()) || text.has(i, "＝".as_bytes()) => b':',
        _ => return None,
    };
    if sign == b':' && (text.at(i + 1) == b':' || text.has(i, b"://")) {
        return None;
    }
    i += if text.at(i) == 0xef { 3 } else { 1 };
    if matches!(text.at(i), b'=' | b'>') {
        i += 1;
    }
    i = text.run_max(i, 40, is_blank);
    // The value may stand on the next line, further in.
    let breaks = text.line_break(i);
    if breaks > 0 {
        let next = text.run_max(i + breaks, 40, is_blank);
        if next == i + breaks || text.line_ends(next) || text.at(next) == b'-' {
            return None;
        }
        i = next;
    }
    Some((i, sign))
}

/// `"name": "DB_PASSWORD", "value": "…"`: where the value begins.
fn paired(text: Text<'_>, end: usize) -> Option<usize> {
    let mut i = end;
    i += quote(text, i).map_or(0, |(length, _)| length);
    i = text.run_max(i, 60, |b| matches!(b, b',' | b' ' | b'\t' | b'\n' | b'\r'));
    i += quote(text, i).map_or(0, |(length, _)| length);
    if !text.has_fold(i, b"value") {
        return None;
    }
    assignment(text, i + 5).map(|(at, _)| at)
}

/// Judges the value behind a sign.
fn assigned(text: Text<'_>, key: Key, at: usize, sign: u8) -> Match {
    let in_query = matches!(text.before(key.start), b'?' | b'&');
    let Some(mut value) = values::at(text, at, in_query) else {
        return Match::None;
    };
    // `arn:…:secret:name` names a secret; a scheme in a header comes before its value, which is looked at by itself.
    let colons = sign == b':' && text.before(key.start) == b':';
    let schemed = [b"bearer".as_slice(), b"basic"].iter().any(|s| {
        text.has_fold(value.start, s) && matches!(text.at(value.start + s.len()), b' ' | b'+' | b'%')
    });
    if colons || schemed {
        return Match::None;
    }
    // A name or a scheme in a header comes before the secret itself.
    let word = text.part(value.start, value.end);
    let scheme = ["bearer", "basic", "token", "apikey", "bot", "digest"];
    if !value.quoted
        && text.at(value.end) == b' '
        && scheme.iter().any(|s| word.eq_ignore_ascii_case(s.as_bytes()))
    {
        if !word.eq_ignore_ascii_case(b"token")
            && !word.eq_ignore_ascii_case(b"apikey")
            && !word.eq_ignore_ascii_case(b"bot")
        {
            return Match::None;
        }
        match values::at(text, text.run(value.end, is_blank), in_query) {
            Some(next) => value = next,
            None => return Match::None,
        }
    }
    let firm = value.quoted || sign == b'=' || in_query || alone(text, key, value);
    judged(text, key, value, firm)
}

/// Whether name and value are all that stands on the line, as in YAML, or a pair among others.
fn alone(text: Text<'_>, key: Key, value: Value) -> bool {
    let before = text.line_before(key.start, 80);
    let begins =
        before.iter().all(|b| matches!(b, b' ' | b'\t' | b'-' | b'"' | b'\'' | b'{' | b',' | b'>' | b'#'))
            || matches!(text.before(key.start), b'{' | b',' | b';' | b'"');
    let end = text.run_max(value.end, 8, |b| is_blank(b) || matches!(b, b',' | b'"' | b'\''));
    begins && (text.line_ends(end) || end >= text.len() || text.at(end) == b'}')
}

fn judged(text: Text<'_>, key: Key, value: Value, firm: bool) -> Match {
    // What says itself what it is has one pseudonym, whatever it is called.
    if tokens::may_begin(text.at(value.start), text.at(value.start + 1))
        && let Match::Found(own) = tokens::at(text, value.start)
        && (own.start, own.end) == (value.start, value.end)
    {
        return Match::Found(own.since(key.start));
    }
    if !plausible(text.part(value.start, value.end), key.demand, firm) {
        // A beginning too short to be judged may go on behind the line's end.
        let cut = text.line_ends(value.end) && value.end > value.start && key.demand != Demand::Whole;
        return if cut { Match::Open } else { Match::None };
    }
    let found = Finding::plain(text, value.start, value.end, key.kind).since(key.start);
    Match::Found(if value.quoted { found.sure() } else { found })
}

/// `<password>…</password>`.
fn markup(text: Text<'_>, key: Key, end: usize) -> Match {
    if !matches!(text.before(key.start), b'<' | b':') {
        return Match::None;
    }
    let mut start = end + 1;
    if text.has(start, b"<![CDATA[") {
        start += 9;
    }
    let stop = text.run_max(start, 4_096, |b| b != b'<' && b != b']');
    if text.at(stop) != b'<' && text.at(stop) != b']' {
        return Match::None;
    }
    judged(text, key, Value { start, end: stop, quoted: true }, true)
}

/// `password for bob is …`, `--password …`, `password '…'`: the name is followed by words.
fn told(text: Text<'_>, key: Key, end: usize) -> Match {
    let option = text.before(key.start) == b'-';
    let mut i = end;
    let mut named = false;
    for _ in 0..WALK_MAX {
        i = text.run_max(i, 8, is_blank);
        if matches!(text.at(i), b'(' | b'[') {
            i += 1;
        }
        let Some(value) = values::at(text, i, false) else { return Match::None };
        let word = text.part(value.start, value.end);
        let says = |words: &[&str]| words.iter().any(|w| word.eq_ignore_ascii_case(w.as_bytes()));
        if named {
            // Whose it is, not what it is.
            named = false;
        } else if says(&["for", "of", "user"]) {
            named = !says(&["user"]) || !option;
        } else if !says(CONNECTING) {
            let firm = value.quoted || option;
            let fits = match key.demand {
                Demand::Password => {
                    plausible(word, key.demand, firm) && (firm || (strong(word) && !names_thing(word)))
                }
                Demand::Secret | Demand::Random => {
                    plausible(word, Demand::Random, firm) && !names_thing(word)
                }
                Demand::Whole => false,
            };
            let cut = !fits && text.line_ends(value.end) && word.len() >= 3 && key.demand == Demand::Password;
            return match (fits, cut) {
                (true, _) => judged(text, key, value, true),
                (false, true) => Match::Open,
                (false, false) => Match::None,
            };
        }
        i = value.end + usize::from(value.quoted);
        i = text.run_max(i, 3, |b| matches!(b, b',' | b':' | b'=' | b';'));
    }
    Match::None
}

/// Words that join a name with its value.
const CONNECTING: &[&str] = &[
    "is",
    "was",
    "to",
    "as",
    "set",
    "changed",
    "reset",
    "with",
    "the",
    "user",
    "a",
    "new",
    "temporary",
    "been",
    "has",
    "now",
    "generated",
    "value",
    "used",
    "rejected",
    "attempted",
    "=",
    ":",
    "->",
    "=>",
    "account",
    "initial",
    "updated",
    "received",
    "sent",
    "provided",
    "supplied",
    "entered",
    "tried",
    "wrong",
    "using",
    "default",
];

/// Whether a word is a time, a path, a version or an address: things that sentences about passwords speak of.
fn names_thing(word: &[u8]) -> bool {
    let letters = word.iter().filter(|b| b.is_ascii_alphabetic()).count();
    letters <= 2 && word.iter().any(|b| matches!(b, b':' | b'-' | b'.' | b'/'))
        || word.first() == Some(&b'/')
        || word.contains(&b'=')
        || is_uuid(word)
}

fn is_uuid(word: &[u8]) -> bool {
    word.len() == 36
        && word
            .iter()
            .enumerate()
            .all(|(n, b)| if matches!(n, 8 | 13 | 18 | 23) { *b == b'-' } else { b.is_ascii_hexdigit() })
}

/// `API key …`, `secret key: …` in two words.
fn spoken_key(text: Text<'_>, start: usize, end: usize) -> Match {
    let before = text.line_before(start - 1, 12);
    let kind = if before.to_ascii_lowercase().ends_with(b"api") {
        kind::API_KEY
    } else if ["secret", "access", "signing", "private", "routing", "license", "encryption", "integration"]
        .iter()
        .any(|w| before.to_ascii_lowercase().ends_with(w.as_bytes()))
    {
        kind::SECRET
    } else {
        return Match::None;
    };
    let key = Key { start, kind, demand: Demand::Secret };
    if let Some((at, sign)) = assignment(text, end) {
        return assigned(text, key, at, sign);
    }
    match text.at(end) {
        b' ' | b'\t' | b'(' => told(text, key, end),
        0xe3 | 0xef => told_in_japanese(text, key, end),
        _ => Match::None,
    }
}

/// `password は …`, `token「…」`.
fn told_in_japanese(text: Text<'_>, key: Key, end: usize) -> Match {
    let start = text.run_max(end, 24, |b| b >= 0x80 || matches!(b, b' ' | b'"' | b'\'' | b'(' | b':'));
    let Some(value) = values::at(text, start, false) else { return Match::None };
    let demand = if key.demand == Demand::Password { Demand::Password } else { Demand::Random };
    judged(text, Key { demand, ..key }, value, false)
}

/// A value behind a Japanese name that ends at `end`.
pub(super) fn japanese(text: Text<'_>, start: usize, end: usize, kind: kind::Kind) -> Match {
    let demand = if kind == kind::PASSWORD { Demand::Password } else { Demand::Secret };
    told_in_japanese(text, Key { start, kind, demand }, end)
}

/// `Bearer …`.
fn bearer(text: Text<'_>, start: usize, end: usize) -> Match {
    let mut at = text.run_max(end, 4, |b| is_blank(b) || matches!(b, b':' | b'=' | b'+'));
    if text.has(at, b"%20") {
        at += 3;
    }
    at += quote(text, at).map_or(0, |(length, _)| length);
    if at == end || text.has(at, b"eyJ") {
        return Match::None;
    }
    let stop = text.run_max(at, 4_096, |b| is_base64(b) || matches!(b, b'.' | b'~' | b'='));
    let value = text.part(at, stop);
    if text.line_ends(stop) && value.len() < 12 && stop > at {
        return Match::Open;
    }
    let fits = value.len() >= 12
        && (random(value) || value.len() >= 20 && strong(value))
        && !values::is_placeholder(value);
    if fits { Match::Found(Finding::plain(text, at, stop, kind::TOKEN).since(start)) } else { Match::None }
}

/// `Basic …`: base64 of a user, a colon and a password.
fn basic(text: Text<'_>, start: usize, end: usize) -> Match {
    let mut at = text.run_max(end, 4, |b| is_blank(b) || b == b'+');
    if text.has(at, b"%20") {
        at += 3;
    }
    if at == end {
        return Match::None;
    }
    let stop = text.run_max(at, 1_024, |b| is_base64(b) || b == b'=');
    if text.line_ends(stop) && stop - at >= 4 && text.before(stop) != b'=' {
        let whole = encoded::printable(text.part(at, stop)).is_some_and(|d| d.contains(&b':'));
        if !whole {
            return Match::Open;
        }
    }
    match encoded::printable(text.part(at, stop)) {
        Some(decoded) if decoded.contains(&b':') && decoded.len() >= 4 => {
            let found = Finding { sure: false, ..Finding::known_as(at, stop, kind::CREDENTIALS, decoded) };
            Match::Found(found.since(start))
        }
        Some(_) | None => Match::None,
    }
}

/// `IDENTIFIED BY '…'`.
fn identified(text: Text<'_>, start: usize, end: usize) -> Match {
    if !text.line_before(start, 12).to_ascii_lowercase().ends_with(b"identified ") {
        return Match::None;
    }
    let at = text.run_max(end, 8, is_blank);
    let key = Key { start, kind: kind::PASSWORD, demand: Demand::Password };
    values::at(text, at, false).map_or(Match::None, |value| judged(text, key, value, true))
}

/// A cookie's value: `name=value` within a header of cookies.
pub(super) fn cookie(text: Text<'_>, start: usize, end: usize) -> Match {
    if text.at(end) != b'=' {
        return Match::None;
    }
    let stop = text.run_max(end + 1, 4_096, |b| {
        is_token(b) || matches!(b, b'.' | b'%' | b'+' | b'/' | b'~' | b':' | b'|' | b'!' | b'*' | b'=')
    });
    let value = text.part(end + 1, stop);
    if value.len() >= 16 && random(value) && !values::is_placeholder(value) {
        return Match::Found(Finding::plain(text, end + 1, stop, kind::SESSION).since(start));
    }
    if text.line_ends(stop) && stop > end + 1 { Match::Open } else { Match::None }
}

/// The value of a parameter whose name `Value` ends at `end`.
pub(super) fn of_parameter(text: Text<'_>, end: usize) -> Option<Finding> {
    let (at, _) = assignment(text, end)?;
    let value = values::at(text, at, false)?;
    let fits = plausible(text.part(value.start, value.end), Demand::Whole, true);
    fits.then(|| Finding::plain(text, value.start, value.end, kind::SECRET))
}
