//! A small investigation, told in both languages and on both surfaces; half of its telemetry is hostile.
#![expect(clippy::string_slice, reason = "a small scanner of ASCII fences; a wrong index fails the test")]

mod case;

use std::collections::BTreeSet;

use tantei_engine::investigation::State;
use tantei_engine::model::feed::{Body, Principal};
use tantei_engine::model::id::ItemKind;
use tantei_engine::model::observation::Signal;
use tantei_engine::playbook::matching::Library;
use tantei_engine::report::Report;

use crate::words::{Lang, Words};

use super::terminal::Style;
use super::{Surface, Voice, layout, markdown, terminal};

use case::{Case, case, change, link, log, metric, opened};
/// Everything that the terminal shows.
fn on_terminal(case: &Case, lang: Lang, library: &Library, style: Style) -> String {
    let words = Words::new(lang);
    let voice = Voice { words: &words, library, surface: Surface::Terminal };
    let lines: Vec<String> = case.feed.iter().filter_map(|i| terminal::feed_line(&voice, style, i)).collect();
    format!("{}\n{}", lines.join("\n"), terminal::summary(&voice, style, &case.report()))
}

fn in_markdown(case: &Case, lang: Lang, library: &Library) -> String {
    let words = Words::new(lang);
    let voice = Voice { words: &words, library, surface: Surface::Markdown };
    markdown::report(&voice, &case.report())
}

/// A Markdown line parted into what stands outside of code spans and what inside, as CommonMark parts it.
fn part(line: &str) -> (String, Vec<String>) {
    let (mut outside, mut inside) = (String::new(), Vec::new());
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        outside.push_str(&rest[..at]);
        let fence = rest[at..].chars().take_while(|c| *c == '`').count();
        let body = &rest[at + fence..];
        let end = (0..body.len()).find(|i| {
            let run = body.as_bytes()[*i..].iter().take_while(|b| **b == b'`').count();
            run == fence && (*i == 0 || body.as_bytes()[i - 1] != b'`')
        });
        let end = end.unwrap_or_else(|| panic!("an open code span in: {line}"));
        inside.push(body[..end].to_owned());
        rest = &body[end + fence..];
    }
    outside.push_str(rest);
    (outside, inside)
}

/// Identifiers and numbers: words with a digit, and everything in code spans.
fn identifiers(markdown: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in markdown.lines() {
        let (outside, inside) = part(line);
        found.extend(inside);
        let words = outside.split(|c: char| !(c.is_ascii_alphanumeric() || "-:.".contains(c)));
        let words = words.map(|w| w.trim_matches(['.', ':', '-']));
        found.extend(words.filter(|w| w.contains(|c: char| c.is_ascii_digit())).map(str::to_owned));
    }
    found
}

#[test]
fn hostile_text_stays_text_in_markdown() {
    let case = case();
    for lang in Lang::ALL {
        let text = in_markdown(&case, lang, &Library::new());
        assert!(text.contains("evil"), "the hostile text is shown");
        for line in text.lines() {
            let (outside, inside) = part(line);
            for bad in ["evil", "<", "http", "www.", "mailto", "](", "!["] {
                assert!(!outside.contains(bad), "`{bad}` got out in {lang}: {line}");
            }
            // Tables break at any bar, even in a code span.
            assert!(inside.iter().all(|i| !i.contains('|')), "{line}");
        }
        assert!(!text.contains(is_trick), "{lang}");
    }
}

#[test]
fn tables_have_as_many_cells_in_every_row() {
    let text = in_markdown(&case(), Lang::En, &Library::new());
    let mut width = None;
    for line in text.lines() {
        let bars = line.matches('|').count();
        assert!(!line.starts_with('|') || width.is_none_or(|w| w == bars), "{line}");
        width = line.starts_with('|').then_some(bars);
    }
}

#[test]
fn hostile_text_stays_text_on_a_terminal() {
    let case = case();
    for lang in Lang::ALL {
        let text = on_terminal(&case, lang, &Library::new(), Style::PLAIN);
        assert!(text.contains("evil") && !text.contains(is_trick), "{lang}");
        // With colour only our own escapes are there: each ends with an `m` within five characters.
        let coloured = on_terminal(&case, lang, &Library::new(), Style::terminal(120));
        for code in coloured.split('\u{1b}').skip(1) {
            assert!(code.starts_with('[') && code.chars().take(5).any(|c| c == 'm'), "{code}");
        }
    }
}

#[test]
fn lines_fit_the_terminal() {
    let library = crate::playbooks::shipped().unwrap();
    let case = case();
    for (lang, width) in [(Lang::En, 80), (Lang::Ja, 80), (Lang::En, 140), (Lang::Ja, 140)] {
        let style = Style { width, colour: false };
        let text = on_terminal(&case, lang, &library, style);
        // What cannot be broken (identifiers, URLs) may stand out.
        let long = |l: &&str| layout::columns(l) > width + 1 && !l.contains("http") && !l.contains("evil");
        assert_eq!(text.lines().find(long), None, "{lang} {width}");
    }
}

#[test]
fn both_languages_have_the_same_identifiers_and_numbers() {
    let case = case();
    let [en, ja] = Lang::ALL.map(|lang| identifiers(&in_markdown(&case, lang, &Library::new())));
    assert_eq!(en, ja);
    for wanted in ["O-1", "H-1", "S-1", "G-1", "R-1", "2.41", "148", "83", "orders:41"] {
        assert!(en.contains(wanted), "{wanted} in {en:?}");
    }
}

#[test]
fn facts_survive_storage() {
    let report = case().report();
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}

#[test]
fn an_unknown_cause_is_said_first() {
    let mut case = Case { state: State::default(), feed: Vec::new() };
    case.add(752, Principal::tantei("intake"), Body::Opened(opened("slow")));
    let text = in_markdown(&case, Lang::En, &Library::new());
    assert!(text.contains("**Cause unknown**: there is no telemetry to judge by\n"), "{text}");
}

#[test]
fn one_liners_are_short_and_concrete() {
    let check = |signal: Signal, peer: Option<&str>, en: &str, ja: &str| {
        let mut case = Case { state: State::default(), feed: Vec::new() };
        case.add(752, Principal::tantei("intake"), Body::Opened(opened("slow")));
        let id = case.observe("orders", peer, 710, signal);
        assert_eq!(id.kind(), ItemKind::Observation);
        for (lang, wanted) in [(Lang::En, en), (Lang::Ja, ja)] {
            let words = Words::new(lang);
            let voice = Voice { words: &words, library: &Library::new(), surface: Surface::Terminal };
            assert_eq!(voice.item(case.feed.last().unwrap()), wanted);
        }
    };
    check(
        metric(),
        None,
        "TargetResponseTime p99 rose from 120 ms to 2.41 s (20×)",
        "TargetResponseTime p99 が 120 ms から 2.41 s に上昇（20倍）",
    );
    check(
        log("pool timeout after <duration>"),
        None,
        "new error lines 0 → 148: “pool timeout after <duration>”",
        "新しいエラーログ（0 → 148 件）：「pool timeout after <duration>」",
    );
    check(
        link(),
        Some("storefront"),
        "calls 35 ms → 1.9 s (own time 30 ms → 1.88 s; 12 % failed, usually 0 %)",
        "呼び出し時間 35 ms → 1.9 s（自身の処理時間 30 ms → 1.88 s、12 % が失敗、通常は 0 %）",
    );
    check(
        change("orders 1.9.0"),
        None,
        "deployment by ci-deploy/pipeline, 40 s before the onset: “orders 1.9.0”",
        "ci-deploy/pipeline によるデプロイ（発生の 40秒前）：「orders 1.9.0」",
    );
}

/// Characters that no surface may get: controls other than line ends, bidirectional and invisible ones.
fn is_trick(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{e0000}'..='\u{e0fff}')
}
