//! Secrets in addresses: passwords before the host, and webhooks, whose path is the secret.

use super::bytes::{Text, is_token, is_word, sorts};
use super::finding::{Finding, Match};
use super::kind;
use super::values::{self, random};

/// Longest authority.
const AUTHORITY_MAX: usize = 1_024;

/// Hosts whose paths are secrets, and how the path begins.
const WEBHOOKS: &[(&str, &str)] = &[
    ("hooks.slack.com", "/services/"),
    ("hooks.slack.com", "/workflows/"),
    ("hooks.slack.com", "/triggers/"),
    ("discord.com", "/api/webhooks/"),
    ("discordapp.com", "/api/webhooks/"),
    ("ptb.discord.com", "/api/webhooks/"),
    ("canary.discord.com", "/api/webhooks/"),
    ("hooks.zapier.com", "/hooks/catch/"),
    ("outlook.office.com", "/webhook/"),
    ("chat.googleapis.com", "/v1/spaces/"),
];

/// Where the scheme begins whose `://` stands at `i`.
pub(super) fn scheme(text: Text<'_>, i: usize) -> usize {
    text.run_back(i, 20, |b| is_word(b) || matches!(b, b'+' | b'-' | b'.'))
}

/// The secret of an address whose `://` stands at `i`.
pub(super) fn at(text: Text<'_>, i: usize) -> Match {
    let start = i + 3;
    let scheme = scheme(text, i);
    if scheme == i {
        return Match::None;
    }
    let webhook = webhook(text, start, scheme);
    if !matches!(webhook, Match::None) {
        return webhook;
    }
    let stop = text.run_max(start, AUTHORITY_MAX, |b| {
        !matches!(b, 0..=b' ' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'/' | b'?' | b'\\')
    });
    let authority = text.part(start, stop);
    let at_sign = authority.iter().rposition(|b| *b == b'@').or_else(|| late(text, start, stop));
    let Some(at_sign) = at_sign else {
        // A password that the end of the line cut: `scheme://user:pass`.
        let cut = text.line_ends(stop) && authority.contains(&b':');
        return if cut { Match::Open } else { Match::None };
    };
    let userinfo = text.part(start, start + at_sign);
    let Some(colon) = userinfo.iter().position(|b| *b == b':') else {
        let token = userinfo.len() >= 16 && random(userinfo) && !values::is_placeholder(userinfo);
        return if token {
            Match::Found(Finding::plain(text, start, start + at_sign, kind::TOKEN).since(scheme).sure())
        } else {
            Match::None
        };
    };
    let (from, to) = (start + colon + 1, start + at_sign);
    if from >= to || values::is_placeholder(text.part(from, to)) {
        return Match::None;
    }
    Match::Found(Finding::plain(text, from, to, kind::PASSWORD).since(scheme).sure())
}

/// Passwords with a slash or question mark that somebody did not encode: the sign may come later.
fn late(text: Text<'_>, start: usize, stop: usize) -> Option<usize> {
    if !matches!(text.at(stop), b'/' | b'?') {
        return None;
    }
    let part = text.part(start, stop);
    let colon = part.iter().position(|b| *b == b':')?;
    // Behind a host stands a port: digits.
    let port = part.get(colon + 1..).unwrap_or_default();
    if port.is_empty() || port.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let end = text.run_max(start, AUTHORITY_MAX, |b| !matches!(b, 0..=b' ' | b'"' | b'\'' | b'<' | b'>'));
    text.part(start, end).iter().position(|b| *b == b'@')
}

fn webhook(text: Text<'_>, start: usize, scheme: usize) -> Match {
    let teams = text.run_max(start, 80, |b| is_token(b) || b == b'.');
    let host = text.part(start, teams);
    let known = WEBHOOKS
        .iter()
        .find(|(h, path)| host.eq_ignore_ascii_case(h.as_bytes()) && text.has(teams, path.as_bytes()));
    let from = match known {
        Some((_, path)) => teams + path.len(),
        None if host.ends_with(b".webhook.office.com") => teams + 1,
        None => return Match::None,
    };
    let end = text
        .run_max(from, 400, |b| is_token(b) || matches!(b, b'/' | b'@' | b'.' | b'%' | b'=' | b'?' | b'&'));
    if text.line_ends(end) && end - from < 44 {
        return Match::Open;
    }
    if end - from < 16 || sorts(text.part(from, end)).distinct < 8 {
        return Match::None;
    }
    Match::Found(Finding::plain(text, from, end, kind::WEBHOOK).since(scheme))
}
