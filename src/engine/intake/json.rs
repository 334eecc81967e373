//! Bytes → JSON within bounds, and walking it with paths, so that an error names the place.
//!
//! Size, encoding and depth are checked by a scan before the parser runs (serde_json would stop at 128 by itself).
//! A key that occurs twice refuses the document: readers disagree on which one counts, and AWS never writes that.
//! Numbers beyond what a float can hold are refused by the parser.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::refused::{Refused, shown};
use crate::limits;
use crate::model::time::Timestamp;

/// A JSON document within the bounds of [`limits`].
///
/// # Errors
/// `BodyTooLarge`, `NotUtf8`, `TooDeep`, `NotJson`, `DuplicateKey`.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, Refused> {
    if bytes.len() > limits::INTAKE_BODY_BYTES_MAX {
        return Err(Refused::BodyTooLarge { bytes: bytes.len(), max: limits::INTAKE_BODY_BYTES_MAX });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| Refused::NotUtf8 { at: e.valid_up_to() })?;
    if let Some(at) = too_deep(bytes) {
        return Err(Refused::TooDeep { at, max: limits::JSON_DEPTH_MAX });
    }
    let duplicate = RefCell::new(None);
    let mut parser = serde_json::Deserializer::from_str(text);
    let read = Strict(&duplicate).deserialize(&mut parser).and_then(|v| parser.end().map(|()| v));
    read.map_err(|e| match duplicate.take() {
        Some(key) => Refused::DuplicateKey { key },
        None => Refused::NotJson { line: e.line(), column: e.column(), what: shown(&e.to_string()) },
    })
}

/// The first bracket beyond the allowed depth. Works on any bytes: what is no JSON is found by the parser.
fn too_deep(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut inside, mut escaped) = (0_usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        if inside {
            inside = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => inside = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > limits::JSON_DEPTH_MAX {
                    return Some(at);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Reads any value; leaves the key here when it occurs twice in one object.
#[derive(Clone, Copy)]
struct Strict<'k>(&'k RefCell<Option<String>>);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(Number::from_f64(v).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                self.0.replace(Some(shown(&key)));
                return Err(A::Error::custom("a key occurs twice"));
            }
            let value = entries.next_value_seed(self)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

/// A value and where it stands in its document.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    pub(super) path: String,
}

impl<'a> Node<'a> {
    /// The document itself.
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    fn below(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The field, unless it is absent or null. Keys come from this program.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|v| !v.is_null())?;
        Some(Self { value, path: self.below(key) })
    }

    /// The field, which must be there.
    pub(super) fn need(&self, key: &str) -> Result<Self, Refused> {
        self.get(key).ok_or_else(|| Refused::Missing { path: self.below(key) })
    }

    /// The text of a required field.
    pub(super) fn need_text(&self, key: &str, max: usize) -> Result<&'a str, Refused> {
        self.need(key)?.text(max)
    }

    /// The text of an optional field; what is no text counts as absent.
    pub(super) fn opt_text(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(|n| n.value.as_str())
    }

    /// The text of an optional field within a bound; what is no text counts as absent.
    pub(super) fn text_within(&self, key: &str, max: usize) -> Result<Option<&'a str>, Refused> {
        self.get(key).filter(|n| n.value.is_string()).map(|n| n.text(max)).transpose()
    }

    /// This value as text of at most `max` bytes.
    pub(super) fn text(&self, max: usize) -> Result<&'a str, Refused> {
        let wrong = || Refused::WrongType { path: self.path.clone(), wanted: "a text" };
        let text = self.value.as_str().ok_or_else(wrong)?;
        if text.len() > max {
            return Err(Refused::TooLong { path: self.path.clone(), bytes: text.len(), max });
        }
        Ok(text)
    }

    /// This value as an instant.
    pub(super) fn time(&self) -> Result<Timestamp, Refused> {
        let text = self.text(limits::DIMENSION_BYTES_MAX)?;
        text.parse().map_err(|_| Refused::BadTime { path: self.path.clone(), text: shown(text) })
    }

    /// The entries of a list field; none when it is absent or no list.
    pub(super) fn list(&self, key: &str, max: usize) -> Result<Vec<Self>, Refused> {
        let Some(node) = self.get(key) else { return Ok(Vec::new()) };
        let Some(items) = node.value.as_array() else { return Ok(Vec::new()) };
        if items.len() > max {
            return Err(Refused::TooMany { path: node.path, count: items.len(), max });
        }
        let at = |i: usize| format!("{}[{i}]", node.path);
        Ok(items.iter().enumerate().map(|(i, value)| Self { value, path: at(i) }).collect())
    }
}
