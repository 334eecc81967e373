//! How text from outside is written so that it stays text: one function for each surface.
//!
//! Nothing else in [`super`] may write a resource's name, a log line or a person's words.

use tantei_engine::model::text::plain;

/// The mark of something that has no text.
const NOTHING: &str = "—";

/// For a terminal: one line, no escapes, no invisible or bidirectional characters.
#[must_use]
pub fn terminal(text: &str, chars_max: usize) -> String {
    shorten(&plain(text), chars_max)
}

/// For Markdown: a code span. Inside one there are no links, images, emphasis, HTML, entities or autolinks.
///
/// The fence is longer than any run of backticks inside. A bar would end a table's cell even in a code span, and
/// how to escape it depends on what stands before it: it becomes a broken bar.
#[must_use]
pub fn markdown(text: &str, chars_max: usize) -> String {
    let text = shorten(&plain(text), chars_max).replace('|', "¦");
    if text == NOTHING {
        return text;
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    // CommonMark takes one space off each side when both are there.
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Takes the schemes off URLs, so that surfaces which link whatever looks like one do not.
#[must_use]
pub fn inert_urls(text: &str) -> String {
    text.replace("://", "[:]//").replace("www.", "www[.]").replace("mailto:", "mailto[:]")
}

/// Our own words and the operator's playbooks in Markdown: trusted, but a bar or a star must not become markup.
#[must_use]
pub fn markdown_words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn longest_run(text: &str, wanted: char) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == wanted { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

fn shorten(text: &str, chars_max: usize) -> String {
    if text.is_empty() {
        return NOTHING.to_owned();
    }
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let head: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{}…", head.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_cannot_be_left() {
        for (text, written) in [
            ("a`b", "``a`b``"),
            ("``", "``` `` ```"),
            ("a|b\\|c", "`a¦b\\¦c`"),
            ("x\n\n# y", "`x # y`"),
            ("", "—"),
        ] {
            assert_eq!(markdown(text, 80), written, "{text}");
        }
    }

    #[test]
    fn urls_are_no_links_any_more() {
        let text = inert_urls("see https://evil.example/x, www.evil.example and mailto:a@evil.example");
        assert!(!text.contains("://") && !text.contains("www.") && !text.contains("mailto:"), "{text}");
    }

    #[test]
    fn long_text_is_cut_with_a_mark() {
        assert_eq!(terminal("日本語の長い行", 4), "日本語…");
    }
}
