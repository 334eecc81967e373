//! Columns and lines for a fixed-width display, where Japanese characters are two columns wide.
//!
//! Plain text only: colour is put around what came out of here.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Characters that may not begin a line.
const NO_START: &str = "、。，．・：；）」』】！？ーっゃゅょ…,.;:)]}”";

/// Characters that may not end a line.
const NO_END: &str = "（「『【([{“";

/// Columns that the text takes.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.width()
}

/// The text in exactly `width` columns: filled up with spaces, or cut with a mark.
#[must_use]
pub fn fit(text: &str, width: usize) -> String {
    let text = cut(text, width);
    let fill = width.saturating_sub(columns(&text));
    text + &" ".repeat(fill)
}

/// The text in at most `width` columns, cut with a mark.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let (mut out, mut used) = (String::new(), 0);
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        out.push(c);
        used += wide;
    }
    out + "…"
}

/// The text in lines of at most `width` columns. Breaks at spaces and between wide characters.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for piece in pieces(text) {
        let room = columns(&line) + columns(piece.trim_end()) <= width;
        if !room && !line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
            line = piece.trim_start().to_owned();
        } else {
            line.push_str(&piece);
        }
    }
    if !line.trim().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// What may not be torn apart: words with the space behind them, single wide characters with their punctuation.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut open = false;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0) > 1;
        let joined =
            NO_START.contains(c) || pieces.last().is_some_and(|p| p.ends_with(|e| NO_END.contains(e)));
        match pieces.last_mut() {
            Some(last) if joined || c == ' ' || (open && !wide) => last.push(c),
            Some(_) | None => pieces.push(c.to_string()),
        }
        open = !wide && c != ' ';
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(fit("日本", 6), "日本  ");
        assert_eq!(fit("日本語", 4), "日… ");
        assert_eq!(cut("orders-db", 6), "order…");
    }

    #[test]
    fn lines_break_at_spaces_and_between_wide_characters() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("日本語、英語", 6), ["日本", "語、英", "語"]);
        assert_eq!(wrap("averyveryverylongword", 5), ["averyveryverylongword"]);
        for line in wrap("orders 自身の処理が遅くなった（確度：高）。独立した 3 種類の証拠が一致", 20)
        {
            assert!(columns(&line) <= 21, "{line}");
        }
    }
}
