//! Passwords in command lines: `mysql -p…`, `sshpass -p …`, `curl -u user:…`. Long options are assignments elsewhere.

use super::bytes::{Text, is_blank};
use super::finding::{Finding, Match};
use super::keys::Demand;
use super::kind;
use super::values::{self, plausible};

/// How far an option stands behind its tool.
const LINE_MAX: usize = 400;

/// Tool, option, whether the value is attached to it.
const TOOLS: &[(&str, &str, bool)] = &[
    ("mysql", "-p", true),
    ("mysqldump", "-p", true),
    ("mysqladmin", "-p", true),
    ("mariadb", "-p", true),
    ("mysqlimport", "-p", true),
    ("7z", "-p", true),
    ("sshpass", "-p", false),
    ("docker", "-p", false),
    ("podman", "-p", false),
    ("mongo", "-p", false),
    ("mongosh", "-p", false),
    ("mongodump", "-p", false),
    ("az", "-p", false),
    ("helm", "-p", false),
    ("cli", "-a", false),
    ("ldapsearch", "-w", false),
    ("ldapadd", "-w", false),
    ("ldapmodify", "-w", false),
    ("sqlcmd", "-P", false),
    ("bcp", "-P", false),
    ("zip", "-P", false),
    ("unzip", "-P", false),
    ("plink", "-pw", false),
    ("curl", "-u", false),
    ("curl", "--user", false),
    ("wget", "-u", false),
    ("http", "-a", false),
];

/// Whether a tool's name may begin and end so; asked of every word.
#[inline]
pub(super) fn may_be(first: u8, last: u8, length: usize) -> bool {
    length <= 11
        && match first {
            b'm' => matches!(last, b'l' | b'p' | b'n' | b'b' | b't' | b'o' | b'h'),
            b'7' | b'a' => last == b'z',
            b's' => matches!(last, b's' | b'd'),
            b'd' => last == b'r',
            b'p' => matches!(last, b'n' | b'k'),
            b'h' => matches!(last, b'm' | b'p'),
            b'c' => matches!(last, b'i' | b'l'),
            b'l' => matches!(last, b'h' | b'd' | b'y'),
            b'b' | b'z' | b'u' => last == b'p',
            b'w' => last == b't',
            _ => false,
        }
}

/// The password that the command from `start` to `end` is given.
#[inline]
pub(super) fn given(text: Text<'_>, start: usize, end: usize) -> Match {
    if text.at(end) != b' ' || end - start > 11 || matches!(text.before(start), b'.' | b':') {
        return Match::None;
    }
    let word = text.part(start, end);
    for (_, option, attached) in TOOLS.iter().filter(|(tool, ..)| tool.as_bytes() == word) {
        let found = option_of(text, start, end, option.as_bytes(), *attached);
        if !matches!(found, Match::None) {
            return found;
        }
    }
    Match::None
}

fn option_of(text: Text<'_>, from: usize, end: usize, option: &[u8], attached: bool) -> Match {
    let line = text.line_after(end, LINE_MAX);
    let mut i = end;
    while i < end + line.len() {
        if !(is_blank(text.before(i)) && text.has(i, option)) {
            i += 1;
            continue;
        }
        let after = i + option.len();
        let at = if is_blank(text.at(after)) && !attached { text.run_max(after, 4, is_blank) } else { after };
        let two_words = at > after;
        i = after;
        if text.at(at) == b'-' || (!two_words && !attached && option.len() > 2) || is_blank(text.at(at)) {
            continue;
        }
        let Some(mut value) = values::at(text, at, false) else { continue };
        let mut kind = kind::PASSWORD;
        if matches!(option, b"-u" | b"--user") {
            let part = text.part(value.start, value.end);
            let Some(colon) = part.iter().position(|b| *b == b':') else { continue };
            value.start += colon + 1;
            kind = kind::CREDENTIALS;
        }
        if plausible(text.part(value.start, value.end), Demand::Password, true) {
            return Match::Found(Finding::plain(text, value.start, value.end, kind).since(from));
        }
        if text.line_ends(value.end) {
            return Match::Open;
        }
    }
    Match::None
}
