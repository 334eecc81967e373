//! Lines that are objects or pairs: their text, level and time are fields; other fields count by name.

use serde_json::{Map, Value};

use super::header::level;
use super::time::{self, Stamp};
use super::values::{Values, is_measured, measured};
use crate::limits::LOG_TOKENS_MAX;
use crate::model::observation::Severity;

/// What a structured line says.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// The text, then what tells events apart.
    pub(super) text: String,
    pub(super) names: String,
    pub(super) severity: Option<Severity>,
    pub(super) stamp: Option<Stamp>,
    /// Of an object: what it holds.
    fields: Map<String, Value>,
}

impl Fields {
    /// Counts what fields measure under their key, and of objects within, under both keys.
    pub(super) fn count(&self, values: &mut Values) {
        for (key, value) in self.fields.iter().take(LOG_TOKENS_MAX) {
            match value {
                Value::Object(inner) => {
                    for (below, value) in inner.iter().take(LOG_TOKENS_MAX) {
                        count(&format!("{key}.{below}"), value, values);
                    }
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    count(key, value, values);
                }
            }
        }
    }
}

fn count(key: &str, value: &Value, values: &mut Values) {
    if TIMES.contains(&key) {
        return;
    }
    match value {
        Value::Number(n) if is_outcome(key) && n.as_u64().is_some_and(|n| n < 1_000) => {
            values.status(key.as_bytes(), n.to_string().as_bytes());
        }
        Value::Number(n) if n.is_f64() || measured(key.as_bytes()).is_some() => {
            values.quantity(key.as_bytes(), n.to_string().as_bytes(), None);
        }
        Value::String(text) if is_measured(text.as_bytes()) => {
            values.quantity(key.as_bytes(), text.as_bytes(), None);
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {}
    }
}

const TEXTS: [&str; 7] = ["message", "msg", "event", "error", "text", "log", "body"];
const LEVELS: [&str; 6] = ["level", "severity", "lvl", "log.level", "severity_text", "levelname"];
const TIMES: [&str; 7] = ["timestamp", "time", "ts", "@timestamp", "datetime", "date", "t"];

/// Reads an object; `None` when it is none.
pub(super) fn object(line: &str) -> Option<Fields> {
    let Ok(Value::Object(fields)) = serde_json::from_str(line) else { return None };
    let text = |keys: &[&str]| keys.iter().find_map(|k| fields.get(*k).and_then(Value::as_str));
    let mut out = Fields { text: text(&TEXTS).unwrap_or_default().to_owned(), ..Fields::default() };
    out.severity = text(&LEVELS).and_then(|l| level(l.as_bytes()));
    out.stamp = TIMES.iter().find_map(|k| fields.get(*k)).and_then(stamp);
    // Outcomes tell events apart; other fields only by their names.
    let mut names: Vec<String> = Vec::new();
    for (key, value) in fields.iter().take(LOG_TOKENS_MAX) {
        let code = is_outcome(key).then(|| value.as_u64()).flatten().filter(|n| (100..600).contains(n));
        names.push(code.map_or_else(|| key.clone(), |code| format!("{key}={code}")));
    }
    names.sort();
    out.names = format!("{{{}}}", names.join(","));
    out.fields = fields;
    Some(out)
}

fn is_outcome(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.ends_with("status") || key.ends_with("code")
}

fn stamp(value: &Value) -> Option<Stamp> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    time::found(text.as_bytes(), 0).map(|f| f.stamp)
}

/// Level and time of `key=value` pairs, when the line begins with pairs.
pub(super) fn pairs(line: &str) -> Option<Fields> {
    let key = line.split('=').next()?;
    if key.is_empty()
        || key.len() > 32
        || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.@-".contains(&b))
    {
        return None;
    }
    let mut out = Fields::default();
    let mut kept = Vec::new();
    for token in line.split(' ') {
        match token.split_once('=') {
            Some((k, v)) if TIMES.contains(&k) && out.stamp.is_none() => {
                out.stamp = time::found(v.trim_matches('"').as_bytes(), 0).map(|f| f.stamp);
            }
            Some((k, v)) if LEVELS.contains(&k) && out.severity.is_none() => {
                out.severity = level(v.trim_matches('"').as_bytes());
            }
            _ => kept.push(token),
        }
    }
    if out.stamp.is_none() && out.severity.is_none() {
        return None;
    }
    out.text = kept.join(" ");
    Some(out)
}
