//! X-Ray segment documents as spans. No calls.

use std::collections::BTreeSet;

use serde::Deserialize;
use tantei_engine::model::resource::ResourceId;
use tantei_engine::model::telemetry::Span;
use tantei_engine::model::text::cut;
use tantei_engine::model::time::Timestamp;
use tantei_engine::planning::naming::short;
use tantei_engine::planning::trace_ids;

/// Subsegments within subsegments that are followed: documents have at most 64 KB, so real ones are never deeper.
const DEPTH_MAX: usize = 64;

/// Bytes of an operation's name that are kept: statements are longer, and their beginnings tell them apart.
const OPERATION_BYTES_MAX: usize = 200;

/// A segment, or a subsegment within one.
#[derive(Debug, Deserialize)]
struct Document {
    id: String,
    name: String,
    start_time: f64,
    #[serde(default)]
    end_time: Option<f64>,
    #[serde(default)]
    parent_id: Option<String>,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    error: bool,
    #[serde(default)]
    fault: bool,
    #[serde(default)]
    throttle: bool,
    #[serde(default)]
    http: Option<Http>,
    #[serde(default)]
    aws: Option<AwsCall>,
    #[serde(default)]
    sql: Option<Sql>,
    #[serde(default)]
    subsegments: Vec<Document>,
}

#[derive(Debug, Deserialize)]
struct Sql {
    #[serde(default)]
    sanitized_query: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Http {
    #[serde(default)]
    request: Option<HttpRequest>,
}

#[derive(Debug, Deserialize)]
struct HttpRequest {
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

/// What a call to AWS was about.
#[derive(Debug, Default, Deserialize)]
struct AwsCall {
    #[serde(default)]
    operation: Option<String>,
    #[serde(default)]
    table_name: Option<String>,
    #[serde(default)]
    queue_url: Option<String>,
    #[serde(default)]
    function_name: Option<String>,
    #[serde(default)]
    topic_arn: Option<String>,
    #[serde(default)]
    stream_name: Option<String>,
    #[serde(default)]
    bucket_name: Option<String>,
}

impl Document {
    fn failed(&self) -> bool {
        self.error || self.fault || self.throttle
    }

    /// `GET /products/{sku}`, or the name.
    fn operation(&self) -> String {
        let request = self.http.as_ref().and_then(|h| h.request.as_ref());
        let method = request.and_then(|r| r.method.as_deref());
        let path = request.and_then(|r| r.url.as_deref()).map(path);
        match (method, path) {
            (Some(method), Some(path)) => format!("{method} {path}"),
            _ => {
                let operation = self.aws.as_ref().and_then(|a| a.operation.as_deref());
                let statement = self.sql.as_ref().and_then(|s| s.sanitized_query.as_deref());
                let told = operation.or(statement).filter(|o| !o.is_empty());
                cut(told.unwrap_or(&self.name), OPERATION_BYTES_MAX).to_owned()
            }
        }
    }

    /// Whom a remote subsegment called.
    fn callee(&self) -> String {
        let aws = self.aws.as_ref();
        let named = aws.and_then(|a| {
            [&a.table_name, &a.queue_url, &a.function_name, &a.topic_arn, &a.stream_name, &a.bucket_name]
                .into_iter()
                .find_map(Option::as_deref)
        });
        short(named.unwrap_or(&self.name))
    }
}

/// The path of an address, without host and query.
fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    path.split(['?', '#']).next().unwrap_or(path)
}

/// The spans of one trace, and how many of its documents could not be read.
#[must_use]
pub fn spans(trace: &str, documents: &[&str]) -> (Vec<Span>, u64) {
    let trace = trace_ids::normal(trace).unwrap_or_else(|| trace.to_owned());
    let parsed: Vec<Option<Document>> =
        documents.iter().map(|text| serde_json::from_str(text).ok()).collect();
    let unread = parsed.iter().filter(|d| d.is_none()).count();
    let segments: Vec<Document> = parsed.into_iter().flatten().collect();
    let mut maker = Maker {
        trace,
        answered: segments.iter().filter_map(|s| s.parent_id.clone()).collect(),
        spans: Vec::new(),
    };
    for segment in &segments {
        let resource = ResourceId::new(short(&segment.name));
        maker.span(segment, segment.parent_id.clone(), &resource);
        maker.within(segment, &resource, 0);
    }
    (maker.spans, u64::try_from(unread).unwrap_or(u64::MAX))
}

struct Maker {
    trace: String,
    /// Subsegments whose callee sent a segment of its own.
    answered: BTreeSet<String>,
    spans: Vec<Span>,
}

impl Maker {
    fn within(&mut self, document: &Document, resource: &ResourceId, depth: usize) {
        if depth >= DEPTH_MAX {
            return;
        }
        for sub in &document.subsegments {
            self.span(sub, Some(document.id.clone()), resource);
            let remote = matches!(sub.namespace.as_deref(), Some("remote" | "aws"));
            if remote && !self.answered.contains(&sub.id) {
                self.inferred(sub);
            }
            self.within(sub, resource, depth + 1);
        }
    }

    fn span(&mut self, document: &Document, parent: Option<String>, resource: &ResourceId) {
        let (at, end) = (micros(document.start_time), document.end_time.map(micros));
        let duration_us = end.map_or(0, |end| u64::try_from(end - at).unwrap_or(0));
        self.spans.push(Span {
            at: Timestamp::from_micros(at),
            duration_us,
            trace: self.trace.clone(),
            span: document.id.clone(),
            parent: parent.filter(|p| !p.is_empty()),
            resource: resource.clone(),
            operation: document.operation(),
            error: document.failed(),
        });
    }

    /// A callee that does not trace (a database, a third party) has the span that its caller saw.
    fn inferred(&mut self, call: &Document) {
        let callee = ResourceId::new(call.callee());
        self.span(call, Some(call.id.clone()), &callee);
        if let Some(span) = self.spans.last_mut() {
            span.span = format!("{}:callee", call.id);
        }
    }
}

fn micros(seconds: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates; Timestamp clamps")]
    let micros = (seconds * 1e6).round() as i64;
    micros
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_become_links_whether_or_not_the_callee_traces() {
        let front = r#"{"id":"1","name":"front","start_time":10.0,"end_time":10.5,
            "http":{"request":{"method":"GET","url":"https://front.example/cart?x=1"}},
            "subsegments":[
              {"id":"2","name":"back","namespace":"remote","start_time":10.1,"end_time":10.2},
              {"id":"3","name":"db@orders-db.x.r.rds.amazonaws.com","namespace":"remote","start_time":10.2,"end_time":10.4,"fault":true},
              {"id":"4","name":"DynamoDB","namespace":"aws","start_time":10.4,"end_time":10.45,"aws":{"operation":"GetItem","table_name":"carts"}}]}"#;
        let back = r#"{"id":"5","name":"back","parent_id":"2","start_time":10.11,"end_time":10.19}"#;
        let (spans, unread) = spans("1-5f84c7a5-00000000000000000000000a", &[front, back, "{"]);
        assert_eq!(unread, 1);
        let told: Vec<(&str, Option<&str>, &str, &str, bool)> = spans
            .iter()
            .map(|s| {
                (s.span.as_str(), s.parent.as_deref(), s.resource.as_str(), s.operation.as_str(), s.error)
            })
            .collect();
        let db = "db@orders-db.x.r.rds.amazonaws.com";
        assert_eq!(
            told,
            [
                ("1", None, "front", "GET /cart", false),
                ("2", Some("1"), "front", "back", false),
                ("3", Some("1"), "front", db, true),
                ("3:callee", Some("3"), "orders-db", db, true),
                ("4", Some("1"), "front", "GetItem", false),
                ("4:callee", Some("4"), "carts", "GetItem", false),
                ("5", Some("2"), "back", "back", false),
            ]
        );
        assert_eq!(spans[0].duration_us, 500_000);
        assert_eq!(spans[0].trace, "5f84c7a500000000000000000000000a");
    }

    #[test]
    fn an_unfinished_segment_has_no_duration_yet() {
        let (spans, _) = spans("t", &[r#"{"id":"1","name":"a","start_time":10.0,"in_progress":true}"#]);
        assert_eq!((spans[0].duration_us, spans[0].trace.as_str()), (0, "t"));
    }
}
