//! Spans as Transaction Search keeps them in the log group `aws/spans` (OpenTelemetry, one JSON document a span), as
//! spans of ours. No calls.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use tantei_engine::model::resource::ResourceId;
use tantei_engine::model::telemetry::Span;
use tantei_engine::model::text::cut;
use tantei_engine::model::time::Timestamp;
use tantei_engine::planning::naming::short;
use tantei_engine::planning::trace_ids;

/// The log group.
pub const GROUP: &str = "aws/spans";

/// Bytes of an operation's name that are kept.
const OPERATION_BYTES_MAX: usize = 200;

/// Attributes that name whom a client called, the most specific first.
const CALLEE: [&str; 4] =
    ["aws.remote.resource.identifier", "aws.remote.service", "server.address", "peer.service"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    trace_id: String,
    span_id: String,
    #[serde(default)]
    parent_span_id: Option<String>,
    name: String,
    #[serde(default)]
    kind: Option<String>,
    start_time_unix_nano: u64,
    end_time_unix_nano: u64,
    #[serde(default)]
    status: Option<Status>,
    #[serde(default)]
    attributes: BTreeMap<String, Value>,
    #[serde(default)]
    resource: Option<Resource>,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(default)]
    code: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Resource {
    #[serde(default)]
    attributes: BTreeMap<String, Value>,
}

impl Document {
    fn attribute(&self, name: &str) -> Option<&str> {
        let of_resource = || self.resource.as_ref().and_then(|r| r.attributes.get(name));
        self.attributes.get(name).or_else(of_resource).and_then(Value::as_str).filter(|v| !v.is_empty())
    }

    fn service(&self) -> Option<&str> {
        self.attribute("aws.local.service").or_else(|| self.attribute("service.name"))
    }

    fn span(&self, id: String, parent: Option<String>, resource: &str) -> Span {
        let micros = |nanos: u64| i64::try_from(nanos / 1_000).unwrap_or(i64::MAX);
        let failed = self.status.as_ref().and_then(|s| s.code.as_deref());
        Span {
            at: Timestamp::from_micros(micros(self.start_time_unix_nano)),
            duration_us: self.end_time_unix_nano.saturating_sub(self.start_time_unix_nano) / 1_000,
            trace: trace_ids::normal(&self.trace_id).unwrap_or_else(|| self.trace_id.clone()),
            span: id,
            parent: parent.filter(|p| !p.is_empty()),
            resource: ResourceId::new(short(resource)),
            operation: cut(&self.name, OPERATION_BYTES_MAX).to_owned(),
            error: failed.is_some_and(|code| code.eq_ignore_ascii_case("error")),
        }
    }
}

/// The spans, and how many documents were none. A callee that has no span of its own gets the one its caller saw.
#[must_use]
pub fn spans(documents: &[String]) -> (Vec<Span>, usize) {
    let parsed: Vec<Document> = documents.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
    let answered: BTreeSet<&str> = parsed.iter().filter_map(|d| d.parent_span_id.as_deref()).collect();
    let mut found = Vec::with_capacity(parsed.len());
    let mut nameless = 0;
    for document in &parsed {
        let Some(service) = document.service() else {
            nameless += 1;
            continue;
        };
        found.push(document.span(document.span_id.clone(), document.parent_span_id.clone(), service));
        let calls = matches!(document.kind.as_deref(), Some("CLIENT" | "PRODUCER"));
        if calls
            && !answered.contains(document.span_id.as_str())
            && let Some(callee) = CALLEE.iter().find_map(|name| document.attribute(name))
        {
            let id = format!("{}:callee", document.span_id);
            found.push(document.span(id, Some(document.span_id.clone()), callee));
        }
    }
    (found, documents.len() - parsed.len() + nameless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_become_spans_and_silent_callees_are_inferred() {
        let server = r#"{"traceId":"5f84c7a500000000000000000000000a","spanId":"1","name":"GET /cart","kind":"SERVER",
            "startTimeUnixNano":1000000000,"endTimeUnixNano":1500000000,"status":{"code":"ERROR"},
            "resource":{"attributes":{"service.name":"front"}}}"#;
        let client = r#"{"traceId":"5f84c7a500000000000000000000000a","spanId":"2","parentSpanId":"1","name":"SELECT",
            "kind":"CLIENT","startTimeUnixNano":1100000000,"endTimeUnixNano":1200000000,
            "attributes":{"aws.local.service":"front","aws.remote.resource.identifier":"orders-db"}}"#;
        let documents = [server, client, "{", r#"{"message":"no span"}"#].map(str::to_owned);
        let (spans, bad) = spans(&documents);
        assert_eq!(bad, 2);
        let told: Vec<(&str, Option<&str>, &str, u64, bool)> = spans
            .iter()
            .map(|s| (s.span.as_str(), s.parent.as_deref(), s.resource.as_str(), s.duration_us, s.error))
            .collect();
        let expected = [
            ("1", None, "front", 500_000, true),
            ("2", Some("1"), "front", 100_000, false),
            ("2:callee", Some("2"), "orders-db", 100_000, false),
        ];
        assert_eq!(told, expected);
    }
}
