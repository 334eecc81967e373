//! Patterns and differences for people: what to read first comes first, in either language.
//!
//! No decisions: what differs and how clearly is the engine's.

use crate::render::layout::{columns, cut};
use crate::words::Words;
use tantei_engine::analysis::logs::compare::{Change, Comparison, Difference};
use tantei_engine::analysis::logs::{Measure, Moved, Pattern, Patterns, Sequence, Shift};
use tantei_engine::model::observation::Severity;
use tantei_engine::model::text::plain;

/// Rows of a table for people; `--json` has them all.
const ROWS_MAX: usize = 40;

/// Columns of a template or a sample in a table.
const TEXT_COLUMNS: usize = 110;

/// Columns before a difference's text.
const MARGIN: usize = 18;

/// Columns of a field's name.
const FIELD_COLUMNS: usize = 40;

fn severity(s: Severity) -> &'static str {
    match s {
        Severity::Debug => "debug",
        Severity::Info => "info",
        Severity::Warning => "WARN",
        Severity::Error => "ERROR",
        Severity::Fatal => "FATAL",
    }
}

/// Patterns, most frequent first. With `counts` the lines are those of one side of a comparison.
pub(super) fn patterns(words: &Words, patterns: &Patterns, counts: Option<&Vec<u64>>) -> String {
    let count = |n: usize, p: &Pattern| counts.map_or(p.count, |c| c.get(n).copied().unwrap_or_default());
    let mut rows: Vec<(u64, &Pattern)> =
        patterns.patterns.iter().enumerate().map(|(n, p)| (count(n, p), p)).filter(|(n, _)| *n > 0).collect();
    rows.sort_by(|(a, p), (b, q)| b.cmp(a).then_with(|| p.template.cmp(&q.template)));
    let all: u64 = rows.iter().map(|(n, _)| n).sum();
    let (lines, found) = (all.to_string(), rows.len().to_string());
    let mut out = words.say("logs-patterns", &[("lines", &lines), ("patterns", &found)]) + "\n";
    for (n, p) in rows.iter().take(ROWS_MAX) {
        let share = percent(*n, all);
        let times = match (p.first, p.last) {
            (Some(first), Some(last)) if first != last => format!("  {first} … {last}"),
            (Some(first), _) => format!("  {first}"),
            _ => String::new(),
        };
        out.push_str(&format!("{n:>9} {share:>6}  {:<5} {}{times}\n", severity(p.severity), p.id));
        out.push_str(&below(&short(&p.template)));
        if let Some(sample) = p.samples.first().filter(|s| **s != p.template) {
            out.push_str(&below(&words.say("logs-example", &[("line", &short(sample))])));
        }
    }
    if rows.len() > ROWS_MAX {
        out.push_str(&words.say("logs-more-patterns", &[("count", &(rows.len() - ROWS_MAX).to_string())]));
        out.push('\n');
    }
    out
}

/// What differs, clearest first.
pub(super) fn differences(words: &Words, comparison: &Comparison) -> String {
    let count = comparison.differences.len();
    let none = |side: &[u64]| side.iter().all(|n| *n == 0);
    if none(&comparison.after) || none(&comparison.before) {
        // Silence is no sameness.
        let which = if none(&comparison.before) { "logs-no-baseline" } else { "logs-no-lines" };
        return words.word(which) + "\n\n";
    }
    if count == 0 {
        return words.word("logs-same") + "\n\n";
    }
    let mut out = words.say("logs-differences", &[("count", &count.to_string())]) + "\n";
    for d in comparison.differences.iter().take(ROWS_MAX) {
        out.push_str(&difference(words, comparison, d));
    }
    if count > ROWS_MAX {
        out.push_str(&words.say("logs-more-differences", &[("count", &(count - ROWS_MAX).to_string())]));
        out.push('\n');
    }
    out.push('\n');
    out
}

fn difference(words: &Words, comparison: &Comparison, d: &Difference) -> String {
    let Some(p) = comparison.joint.patterns.get(d.pattern) else { return String::new() };
    let what = words.word(match d.change {
        Change::New => "logs-new",
        Change::Gone => "logs-gone",
        Change::MoreFrequent => "logs-more-frequent",
        Change::LessFrequent => "logs-less-frequent",
        Change::Values => "logs-values",
        Change::Sequence => "logs-sequence",
    });
    let indent = " ".repeat((MARGIN - 2).saturating_sub(columns(&what)));
    let level = severity(p.severity);
    let mut out = format!("{indent}{what}  {:>9} → {:<9} {level:<5} {:.2}\n", d.before, d.after, d.strength);
    out.push_str(&below(&short(&p.template)));
    if let Some(shift) = &d.shift {
        out.push_str(&below(&shifted(words, shift)));
    }
    if !d.sequence.is_empty() {
        out.push_str(&below(&words.word("logs-companions")));
    }
    for sequence in &d.sequence {
        let Some(companion) = comparison.joint.patterns.get(sequence.companion) else { continue };
        out.push_str(&below(&format!("  {}", companions(words, *sequence))));
        out.push_str(&below(&format!("    {}", short(&companion.template))));
    }
    out
}

fn below(text: &str) -> String {
    format!("{:>MARGIN$}{text}\n", "")
}

fn companions(words: &Words, sequence: Sequence) -> String {
    let [with, all] = <[u32; 2]>::from(sequence.before).map(|n| n.to_string());
    let [with_now, all_now] = <[u32; 2]>::from(sequence.after).map(|n| n.to_string());
    let args = [("with", &*with), ("all", &*all), ("with_now", &*with_now), ("all_now", &*all_now)];
    words.say("logs-companion", &args)
}

fn shifted(words: &Words, shift: &Shift) -> String {
    let field = shift.field.as_deref().map(plain).map(|f| cut(&f, FIELD_COLUMNS));
    let field = field.unwrap_or_else(|| words.word("logs-field"));
    let unit = match shift.measure {
        Measure::Seconds => Some("Seconds"),
        Measure::Bytes => Some("Bytes"),
        Measure::Percent => Some("Percent"),
        Measure::Number | Measure::Code => None,
    };
    match shift.moved {
        Moved::Quantiles { median, p95 } => {
            let [m, m_now, p, p_now] = [median.0, median.1, p95.0, p95.1].map(|v| words.number(v, unit));
            let args = [
                ("field", &*field),
                ("median", &*m),
                ("median_now", &*m_now),
                ("p95", &*p),
                ("p95_now", &*p_now),
            ];
            words.say("logs-quantiles", &args)
        }
        Moved::Share { code, share } => {
            let (code, before, now) = (code.to_string(), words.share(share.0), words.share(share.1));
            let field = if shift.field.is_some() { field } else { words.word("logs-code") };
            let args = [("field", &*field), ("code", &*code), ("before", &*before), ("now", &*now)];
            words.say("logs-share", &args)
        }
    }
}

fn percent(n: u64, all: u64) -> String {
    let tenths = n.saturating_mul(1_000) / all.max(1);
    if n > 0 && tenths == 0 { "<0.1%".to_owned() } else { format!("{}.{}%", tenths / 10, tenths % 10) }
}

/// One line that fits a terminal, printable whatever the input was.
fn short(text: &str) -> String {
    cut(&plain(text), TEXT_COLUMNS)
}
