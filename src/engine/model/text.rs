//! Text that came from outside: log lines, alarm names, tags, change summaries, model output.
//!
//! [`Untrusted`] has no `Display`: to show it somewhere, say how ([`Untrusted::plain`]). Redaction of secrets
//! is another module's work; here only control, bidirectional and invisible characters are taken out.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits;

/// Text whose author may be an attacker. Stored as it came (cut at [`limits::UNTRUSTED_TEXT_BYTES_MAX`]).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Untrusted(String);

impl Untrusted {
    /// Takes the text, cut at a character boundary so that one line cannot fill the feed.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(cut(text, limits::UNTRUSTED_TEXT_BYTES_MAX).to_owned())
    }

    /// One line of printable text: whitespace runs become a space, invisible characters vanish.
    /// Safe for a terminal; Markdown and HTML need their own escaping on top.
    #[must_use]
    pub fn plain(&self) -> String {
        plain(&self.0)
    }

    /// The text as it came, for comparing and mining. Never write it anywhere.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<Untrusted> for String {
    fn from(text: Untrusted) -> Self {
        text.0
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({:?})", self.plain())
    }
}

/// One line of printable text from any text: the single place that decides which characters a person sees.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else if !is_invisible(c) {
            out.push(c);
        }
    }
    out.trim().to_owned()
}

/// The longest prefix of at most `bytes_max` bytes that ends at a character boundary.
#[must_use]
pub fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while end > 0 && !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Characters that change how text around them looks, or that nobody sees: control codes (terminal escapes),
/// bidirectional overrides, zero-width and tag characters, variation selectors beyond emoji use.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{3164}' | '\u{ffa0}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_has_no_escapes_no_bidi_no_tags() {
        let hostile = "a\u{1b}[31m\u{202e}b\u{200b}\u{e0041}\nc\t\u{9b}2Jd";
        assert_eq!(plain(hostile), "a[31mb c 2Jd");
        assert_eq!(plain("接続 失敗\u{3000}した"), "接続 失敗 した");
    }

    #[test]
    fn cutting_respects_characters() {
        assert_eq!(cut("日本", 4), "日");
        assert_eq!(cut("ab", 10), "ab");
        assert_eq!(cut("日", 2), "");
    }
}
