//! What machines write before the text of a line: time, level, host, process, logger, thread, request.
//!
//! The properties it rests on: a header is at the beginning, it holds the time, it is not a sentence, and it ends
//! with the level and the logger, or with the process and a colon, or with a lone dash.

use super::bytes::{at, sub, token_end, token_start};
use super::time::{self, Stamp};
use crate::model::observation::Severity;

/// Tokens before the time: marks, counters, hosts, files.
const BEFORE_TIME_MAX: usize = 5;

/// Tokens between the time and the level: host, process, thread, component.
const BEFORE_LEVEL_MAX: usize = 4;

/// What a header says and where it ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) stamp: Option<Stamp>,
    pub(super) severity: Option<Severity>,
    /// Where the text begins.
    pub(super) end: usize,
}

/// Reads the header of a raw line.
pub(super) fn header(line: &[u8]) -> Header {
    let start = token_start(line, 0);
    let start = priority_end(line, start);
    if let Some(header) = lettered(line, start) {
        return header;
    }
    let Some((stamp, end, syslog)) = times(line, start) else {
        let (severity, end) = first_level(line, start).map_or((None, start), |(s, e)| (Some(s), e));
        return Header { stamp: None, severity, end };
    };
    let mut out = Header { stamp: Some(stamp), severity: None, end };
    if let Some((severity, end)) = level_ahead(line, end) {
        out.severity = Some(severity);
        out.end = after_level(line, end);
    } else if syslog {
        out.end = process(line, token_start(line, token_end(line, end)), 3).unwrap_or(end);
    } else {
        out.end = dash(line, end).or_else(|| process_with_id(line, end)).unwrap_or(end);
    }
    if out.end >= line.len() {
        out.end = end.min(line.len());
    }
    out
}

/// `I1124 10:12:13.123456 1234 pool.go:12] `: the letter of a level joined to month and day, the time, the number of
/// the thread, and a place in the code whose bracket ends the header.
fn lettered(line: &[u8], start: usize) -> Option<Header> {
    let severity = match at(line, start) {
        b'I' => Severity::Info,
        b'W' => Severity::Warning,
        b'E' => Severity::Error,
        b'F' => Severity::Fatal,
        _ => return None,
    };
    let (stamp, end) = time::joined(line, start + 1)?;
    let thread = token_start(line, end);
    let thread_end = token_end(line, thread);
    let place = token_start(line, thread_end);
    let place_end = token_end(line, place);
    let numbered = thread_end > thread && sub(line, thread, thread_end).iter().all(u8::is_ascii_digit);
    let bracket = sub(line, place, place_end).strip_suffix(b"]").is_some_and(|name| name.contains(&b':'));
    let end = token_start(line, place_end);
    (numbered && bracket && end < line.len()).then_some(Header {
        stamp: Some(stamp),
        severity: Some(severity),
        end,
    })
}

/// `<134>1 `: the priority of syslog.
fn priority_end(line: &[u8], i: usize) -> usize {
    if at(line, i) != b'<' {
        return i;
    }
    let n = sub(line, i + 1, line.len()).iter().take_while(|b| b.is_ascii_digit()).count();
    if !(1..=3).contains(&n) || at(line, i + 1 + n) != b'>' {
        return i;
    }
    let end = i + n + 2;
    if sub(line, end, end + 2) == b"1 " { end + 2 } else { token_start(line, end) }
}

/// The times near the beginning. A collector often adds its own before the one of the line: the last counts.
fn times(line: &[u8], start: usize) -> Option<(Stamp, usize, bool)> {
    let mut best: Option<(Stamp, usize, bool)> = None;
    let (mut i, mut n, mut between) = (start, 0, 0);
    while i < line.len() && n <= BEFORE_TIME_MAX {
        if let Some(found) = time::found(line, i) {
            let dated = best.map_or(found.stamp, |(s, ..)| if found.stamp < s { s } else { found.stamp });
            i = token_start(line, found.end);
            best = Some((dated, i, found.syslog));
            between = 0;
            continue;
        }
        if best.is_some() {
            between += 1;
            if between > 1 {
                break;
            }
        } else if n == 0 && !is_made(sub(line, i, token_end(line, i))) {
            return None;
        }
        i = token_start(line, token_end(line, i));
        n += 1;
    }
    best
}

/// A token that a machine wrote: with digits or marks, or all in capitals.
fn is_made(token: &[u8]) -> bool {
    !token.iter().any(u8::is_ascii_lowercase) || token.iter().any(u8::is_ascii_digit)
}

/// A level at the very beginning of a line without a time.
fn first_level(line: &[u8], start: usize) -> Option<(Severity, usize)> {
    let end = token_end(line, start);
    let token = sub(line, start, end);
    let marked = matches!(token.last(), Some(b':' | b']' | b'|')) || token.iter().all(u8::is_ascii_uppercase);
    let next = token_start(line, end);
    (marked && next < line.len()).then(|| level(token)).flatten().map(|s| (s, next))
}

/// The level within the next few tokens, if what stands before it is no sentence.
fn level_ahead(line: &[u8], from: usize) -> Option<(Severity, usize)> {
    let (mut i, mut words) = (from, 0);
    for n in 0..=BEFORE_LEVEL_MAX {
        let end = token_end(line, i);
        let token = sub(line, i, end);
        if token.is_empty() {
            return None;
        }
        if let Some(severity) = level(token)
            && (n == 0 || !token.iter().any(u8::is_ascii_lowercase) || at(token, 0) == b'[')
        {
            return Some((severity, token_start(line, end)));
        }
        if token.iter().all(u8::is_ascii_alphabetic) && token.iter().any(u8::is_ascii_lowercase) {
            words += 1;
            if words > 1 {
                return None;
            }
        }
        i = token_start(line, end);
    }
    None
}

/// Logger, thread and request behind the level, then a separator.
fn after_level(line: &[u8], from: usize) -> usize {
    let mut i = separators(line, from);
    for _ in 0..3 {
        let end = token_end(line, i);
        let token = sub(line, i, end);
        let next = match at(token, 0) {
            b'[' => group_end(line, i),
            _ if is_logger(token) => Some(end),
            // The number of a process or thread.
            _ if !token.is_empty()
                && token.iter().all(u8::is_ascii_digit)
                && sub(line, end, end + 4) == b" ---" =>
            {
                Some(end + 4)
            }
            _ => None,
        };
        let Some(next) = next else { break };
        let next = token_start(line, next);
        if next >= line.len() {
            break;
        }
        i = separators(line, next);
    }
    i
}

/// A name with dots and without a number of a line, perhaps with a colon: those who log are named by module.
fn is_logger(token: &[u8]) -> bool {
    let name = token.strip_suffix(b":").unwrap_or(token);
    let dotted = name.contains(&b'.') || name.windows(2).any(|w| w == b"::");
    dotted
        && name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.last().is_some_and(u8::is_ascii_alphanumeric)
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$' | b'-' | b':'))
        && name.iter().filter(|b| b.is_ascii_digit()).count() <= 2
}

/// The end of a bracketed group that holds identifiers and no sentence.
fn group_end(line: &[u8], i: usize) -> Option<usize> {
    let rest = sub(line, i, line.len().min(i + 256));
    let close = rest.iter().position(|b| *b == b']')?;
    let inside = sub(rest, 1, close);
    let blank = inside.contains(&b' ');
    let machine = inside.iter().any(u8::is_ascii_digit) || inside.contains(&b'=');
    let sentence = inside.windows(2).any(|w| w == b": ");
    let ends = at(line, i + close + 1) == b' ';
    (ends && !sentence && (!blank || machine)).then_some(i + close + 1)
}

/// Lone dashes, bars and colons between header and text.
fn separators(line: &[u8], from: usize) -> usize {
    let mut i = from;
    loop {
        let end = token_end(line, i);
        if !matches!(sub(line, i, end), b"-" | b"--" | b"---" | b"|" | b":" | b"::") {
            return i;
        }
        i = token_start(line, end);
    }
}

/// The end of a process name, which a colon ends, within a few tokens.
fn process(line: &[u8], from: usize, within: usize) -> Option<usize> {
    let mut i = from;
    for _ in 0..within {
        let end = token_end(line, i);
        let token = sub(line, i, end);
        if token.ends_with(b":") {
            return Some(token_start(line, end));
        }
        // `proc[12]:text` without a blank.
        if let Some(n) = token.windows(2).position(|w| w == b"]:") {
            return Some(i + n + 2);
        }
        i = token_start(line, end);
    }
    None
}

/// `name[123]:` behind a time without a host, or with one.
fn process_with_id(line: &[u8], from: usize) -> Option<usize> {
    let mut i = from;
    for _ in 0..2 {
        let end = token_end(line, i);
        let token = sub(line, i, end);
        if token.ends_with(b"]:") && token.contains(&b'[') {
            return Some(token_start(line, end));
        }
        i = token_start(line, end);
    }
    None
}

/// A lone dash behind at most two names.
fn dash(line: &[u8], from: usize) -> Option<usize> {
    let mut i = from;
    for _ in 0..3 {
        let end = token_end(line, i);
        if sub(line, i, end) == b"-" {
            return Some(token_start(line, end));
        }
        i = token_start(line, end);
    }
    None
}

/// The level that a token names, with or without brackets around it.
pub(super) fn level(token: &[u8]) -> Option<Severity> {
    let open = token.iter().take_while(|b| b"[(<|".contains(b)).count();
    let close = token.iter().rev().take_while(|b| b"])>|:,".contains(b)).count();
    let word = sub(token, open, token.len().saturating_sub(close));
    let mut upper = [0_u8; 8];
    upper.get_mut(..word.len())?.copy_from_slice(word);
    upper.make_ascii_uppercase();
    match upper.get(..word.len())? {
        b"FATAL" | b"CRITICAL" | b"PANIC" | b"EMERG" | b"ALERT" | b"CRIT" => Some(Severity::Fatal),
        b"ERROR" | b"ERR" | b"SEVERE" | b"FAILURE" => Some(Severity::Error),
        b"WARN" | b"WARNING" => Some(Severity::Warning),
        b"INFO" | b"NOTICE" | b"LOG" => Some(Severity::Info),
        b"DEBUG" | b"TRACE" | b"FINE" | b"FINER" | b"FINEST" | b"VERBOSE" => Some(Severity::Debug),
        _ => None,
    }
}

/// The level word that a text carries near its start; `Info` without one.
pub(super) fn severity(text: &[u8]) -> Severity {
    text.split(|b| !b.is_ascii_alphabetic())
        .filter(|w| w.len() >= 3)
        .take(8)
        .find_map(level)
        .unwrap_or(Severity::Info)
}
