//! The trace and the span that a log line says it belongs to, in one spelling for all sources.

/// Keys of trace identifiers, lower case, without separators.
const TRACE_KEYS: [&str; 3] = ["traceid", "xraytraceid", "rootid"];

/// Keys of span identifiers.
const SPAN_KEYS: [&str; 3] = ["spanid", "segmentid", "parentid"];

/// Bytes of a line in which the keys are looked for: headers and fields come early, payloads do not matter.
const LOOKED_AT_MAX: usize = 4_096;

/// Trace and span of a line. Only identifiers behind a key that names one: any other hexadecimal text may be anything.
#[must_use]
pub fn of_line(line: &str) -> (Option<String>, Option<String>) {
    let line = crate::model::text::cut(line, LOOKED_AT_MAX);
    let (mut trace, mut span) = (None, None);
    let mut key = String::new();
    for word in words(line) {
        let folded: String =
            word.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        if trace.is_none() && TRACE_KEYS.iter().any(|k| key.ends_with(k)) {
            trace = normal(word);
        }
        if span.is_none() && SPAN_KEYS.iter().any(|k| key.ends_with(k)) {
            span = (word.len() == 16 && is_hex(word)).then(|| word.to_ascii_lowercase());
        }
        if !folded.is_empty() {
            key = folded;
        }
    }
    (trace, span)
}

/// Runs of letters, digits, `_` and `-`: keys and identifiers.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).filter(|w| !w.is_empty())
}

/// A trace identifier as 32 hexadecimal digits: W3C's as it is, X-Ray's `1-5f84c7a5-…` without its separators.
#[must_use]
pub fn normal(text: &str) -> Option<String> {
    let digits: String = match text.strip_prefix("1-") {
        Some(rest) => rest.chars().filter(|c| *c != '-').collect(),
        None => text.to_owned(),
    };
    (digits.len() == 32 && is_hex(&digits)).then(|| digits.to_ascii_lowercase())
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_found_behind_their_keys_in_every_usual_form() {
        let trace = "9efe3de5412b2f0ba030d0f57cfd6ea7";
        let span = "a9d5ccbf1a8331f4";
        for line in [
            format!("INFO shop.orders [trace_id={trace} span_id={span}] - placed"),
            format!(r#"{{"level":"info","traceId":"{trace}","spanId":"{span}"}}"#),
            format!(r#"{{"trace_id": "{trace}", "span_id": "{span}", "n": 4}}"#),
            format!("dd.trace_id={trace} dd.span_id={span}"),
        ] {
            assert_eq!(of_line(&line), (Some(trace.to_owned()), Some(span.to_owned())), "{line}");
        }
        let xray = "REPORT XRAY TraceId: 1-9efe3de5-412b2f0ba030d0f57cfd6ea7 SegmentId: a9d5ccbf1a8331f4";
        assert_eq!(of_line(xray), (Some(trace.to_owned()), Some(span.to_owned())));
        assert_eq!(of_line(&format!("order {trace} placed")), (None, None));
        assert_eq!(of_line("trace_id=日本 span_id="), (None, None));
    }
}
