//! The shape of a log line: words stay, variables become their kind. A pure function of the line, so the same line
//! has the same pattern in every run and on every node.
//!
//! Each rule rests on a property of logs in general, stated beside it; none on one system's lines.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::limits::{LOG_JSON_BYTES_MAX, LOG_LINE_BYTES_MAX, LOG_TOKENS_MAX};
use crate::model::feed::hex;
use crate::model::observation::Severity;
use crate::model::text::cut;

/// What was recognised of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Words, and variables by kind.
    pub template: String,
    /// How bad the line says it is.
    pub severity: Severity,
}

/// Identity of a template: the same on every node and in every run.
#[must_use]
pub fn identity(template: &str) -> String {
    let digest = hex(&Sha256::digest(template.as_bytes()));
    digest.get(..12).unwrap_or(&digest).to_owned()
}

/// The shape of a message. Only its first line counts: what follows (stack frames, dumps) belongs to it.
#[must_use]
pub fn shape(message: &str) -> Shape {
    if message.len() <= LOG_JSON_BYTES_MAX
        && message.trim_start().starts_with('{')
        && let Ok(Value::Object(fields)) = serde_json::from_str(message.trim())
    {
        return shape_of_json(&fields);
    }
    let message = cut(message, LOG_LINE_BYTES_MAX);
    let first = message.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    Shape { template: template(first), severity: severity(first) }
}

/// A structured line: its text and level decide, its other fields only by their names.
fn shape_of_json(fields: &serde_json::Map<String, Value>) -> Shape {
    let text = |keys: &[&str]| keys.iter().find_map(|k| fields.get(*k).and_then(Value::as_str));
    let message = text(&["message", "msg", "event", "error", "text"]).unwrap_or_default();
    let level = text(&["level", "severity", "lvl", "log.level"]);
    let severity = level.map_or_else(|| severity(message), severity);
    let names: Vec<&str> = fields.keys().map(String::as_str).take(LOG_TOKENS_MAX).collect();
    // The level belongs to the shape: the same words as an error are another event.
    let level = level.map(|l| format!("{} ", cut(l, 16).to_uppercase())).unwrap_or_default();
    Shape { template: format!("{level}{} {{{}}}", template(message), names.join(",")), severity }
}

/// The level word that a line carries near its start; `Info` without one.
#[must_use]
pub fn severity(line: &str) -> Severity {
    // A path, a quotation or a value that contains such a word is somebody else's text.
    let own = |token: &&str| !token.contains(['/', '"', '\'', '?', '&']);
    let tokens = line.split_whitespace().take(8).take_while(own);
    let mut words = tokens.flat_map(|t| t.split(|c: char| !c.is_ascii_alphabetic())).filter(|w| w.len() >= 3);
    words
        .find_map(|w| match w.to_ascii_uppercase().as_str() {
            "FATAL" | "CRITICAL" | "PANIC" | "EMERG" | "ALERT" => Some(Severity::Fatal),
            "ERROR" | "ERR" | "SEVERE" => Some(Severity::Error),
            "WARN" | "WARNING" => Some(Severity::Warning),
            "INFO" | "NOTICE" | "LOG" => Some(Severity::Info),
            "DEBUG" | "TRACE" | "FINE" => Some(Severity::Debug),
            _ => None,
        })
        .unwrap_or(Severity::Info)
}

/// Words stay, variables become their kind.
#[must_use]
pub fn template(line: &str) -> String {
    let mut out = String::with_capacity(line.len().min(512));
    let mut previous = "";
    for (n, token) in line.split_whitespace().enumerate() {
        if n >= LOG_TOKENS_MAX {
            out.push_str(" <rest>");
            break;
        }
        if n > 0 {
            out.push(' ');
        }
        mask_token(token, previous, &mut out);
        previous = token;
    }
    out
}

/// A token between white space. Punctuation inside separates parts; each part is masked on its own.
fn mask_token(token: &str, previous: &str, out: &mut String) {
    // Dates and clock times are digits with separators only.
    if is_time(token) {
        out.push_str("<time>");
        return;
    }
    // Addresses and places contain what is masked below, so they are recognised whole.
    if token.contains("://") {
        out.push_str("<url>");
        return;
    }
    if token.trim_start_matches(['[', '(', '"', '\'']).starts_with('/') && token.len() > 1 {
        out.push_str("<path>");
        return;
    }
    let mut before = previous;
    let mut after_equals = false;
    for part in parts(token) {
        match part {
            Part::Mark(c) => {
                after_equals = c == '=';
                out.push(c);
            }
            Part::Word(w) => {
                // What follows `key=` is a value whatever it looks like, unless the key says that it classifies.
                if after_equals && !classifies(before) && !w.is_empty() {
                    out.push_str("<value>");
                } else {
                    out.push_str(mask_word(w, before));
                }
                before = w;
                after_equals = false;
            }
        }
    }
}

enum Part<'t> {
    Word(&'t str),
    Mark(char),
}

/// Splits a token at punctuation, which is kept.
fn parts(token: &str) -> impl Iterator<Item = Part<'_>> {
    let is_mark = |c: char| {
        matches!(
            c,
            '=' | ':' | ',' | ';' | '(' | ')' | '[' | ']' | '{' | '}' | '"' | '\'' | '|' | '<' | '>' | '@'
        )
    };
    let mut rest = token;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        if is_mark(first) {
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            return Some(Part::Mark(first));
        }
        let (word, tail) = rest.split_at(rest.find(is_mark).unwrap_or(rest.len()));
        rest = tail;
        Some(Part::Word(word))
    })
}

/// Keys whose values are few and tell kinds of event apart: levels, methods, states, codes.
fn classifies(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["level", "severity", "status", "code", "method", "state", "type", "event"]
        .iter()
        .any(|k| key.ends_with(k))
}

/// One word without punctuation: itself, or the kind of variable that it is.
fn mask_word<'w>(word: &'w str, previous: &str) -> &'w str {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 {
        // Long runs of hexadecimal letters without any digit are rare, and words like `deadbeef` are words.
        return word;
    }
    // `Class#115` names a place in the code: the number is part of the name.
    if word.contains('#') {
        return word;
    }
    let number = word.trim_start_matches(['+', '-']);
    if number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return mask_number(word, number, previous);
    }
    if is_uuid(word) {
        return "<uuid>";
    }
    if let Some(kind) = measured(number) {
        return kind;
    }
    if is_hex(word) {
        return "<hex>";
    }
    mask_mixed(word, digits)
}

/// Digits and dots: an address, a status, a number.
fn mask_number<'w>(word: &'w str, number: &str, previous: &str) -> &'w str {
    let dots = number.bytes().filter(|b| *b == b'.').count();
    if dots == 3 {
        return "<ip>";
    }
    // A status code tells kinds of event apart: three digits after a word that announces a code.
    let announced = previous.to_ascii_lowercase();
    let announced = announced.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_status = number.len() == 3
        && number.starts_with(['1', '2', '3', '4', '5'])
        && (classifies(announced) || announced.starts_with("http"));
    if is_status { word } else { "<num>" }
}

/// A number with a unit.
fn measured(word: &str) -> Option<&'static str> {
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if unit.len() == word.len() {
        return None;
    }
    match unit.to_ascii_lowercase().as_str() {
        "ns" | "us" | "µs" | "ms" | "s" | "sec" | "secs" | "m" | "min" | "h" | "hr" | "d" => {
            Some("<duration>")
        }
        "b" | "kb" | "mb" | "gb" | "tb" | "k" | "g" | "t" | "kib" | "mib" | "gib" | "bytes" => Some("<size>"),
        "%" => Some("<percent>"),
        _ => None,
    }
}

/// Letters and digits together: names keep a digit or two (`Travel2Controller`, `ipv4`), identifiers have many.
fn mask_mixed(word: &str, digits: usize) -> &str {
    let starts_with_letter = word.chars().next().is_some_and(char::is_alphabetic);
    if starts_with_letter && digits <= 2 && digits * 3 < word.len() { word } else { "<id>" }
}

fn is_time(token: &str) -> bool {
    let token = token.trim_matches(|c: char| matches!(c, '[' | ']' | '(' | ')' | ','));
    let separators = token.bytes().filter(|b| matches!(b, b':' | b'-' | b'/')).count();
    let digits = token.bytes().filter(u8::is_ascii_digit).count();
    let dots = token.bytes().filter(|b| *b == b'.').count();
    separators >= 2
        && digits >= 5
        && dots <= 1
        && token
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b':' | b'-' | b'/' | b'.' | b',' | b'T' | b'Z' | b'+'))
}

fn is_uuid(word: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut groups = word.split('-');
    let fits = lengths
        .iter()
        .all(|n| groups.next().is_some_and(|g| g.len() == *n && g.bytes().all(|b| b.is_ascii_hexdigit())));
    fits && groups.next().is_none()
}

/// Hexadecimal: announced by `0x`, or at least eight digits of it. With fewer, words and counters look alike.
fn is_hex(word: &str) -> bool {
    if let Some(digits) = word.strip_prefix("0x") {
        return digits.bytes().all(|b| b.is_ascii_hexdigit());
    }
    word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_become_their_kind_and_words_stay() {
        for (line, expected) in [
            (
                "2026-10-14 03:21:09.377 ERROR pool timeout after 5000ms (in use 8/8)",
                "<time> <time> ERROR pool timeout after <duration> (in use <id>)",
            ),
            (
                "GET /v1/orders/1234 HTTP/1.1 status=500 took=0.25s",
                "GET <path> HTTP/1.1 status=500 took=<value>",
            ),
            (
                "conn 10.0.3.17:5432 id 7d444840-9dc0-11d1-b245-5ffdce74fad2 at 0x7ffe",
                "conn <ip>:<num> id <uuid> at <hex>",
            ),
            (
                "c.Travel2Controller#115 TraceID: 6f3cbf058c2765548a39ad724905d6a1",
                "c.Travel2Controller#115 TraceID: <hex>",
            ),
            ("接続に失敗しました 再試行 3 回目", "接続に失敗しました 再試行 <num> 回目"),
        ] {
            assert_eq!(template(line), expected);
        }
    }

    #[test]
    fn structured_lines_are_known_by_their_text_and_level() {
        let a = shape(r#"{"level":"error","msg":"pool timeout after 5000ms","trace":"ab12"}"#);
        let b = shape(r#"{"trace":"ff34","msg":"pool timeout after 1ms","level":"error"}"#);
        assert_eq!(a, b);
        assert_eq!(a.severity, Severity::Error);
    }

    #[test]
    fn any_text_has_a_shape() {
        for line in
            ["", "   ", "{", "{\"a\":", "\u{0}\u{1b}[31m", &"x ".repeat(100_000), "=,=:=", "日本語だけ"]
        {
            let s = shape(line);
            assert!(s.template.len() < 10_000);
        }
    }
}
