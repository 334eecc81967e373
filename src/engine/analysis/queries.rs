//! How to fetch an observation's data again. Recordings are asked by file and content; collectors of live sources will
//! state their own requests.

use crate::model::query::Query;
use crate::model::resource::ResourceId;
use crate::model::telemetry::SeriesId;
use crate::model::time::TimeSpan;

use super::scope::Scope;

/// The series in the window and the baseline.
#[must_use]
pub fn metric(scope: &Scope, id: &SeriesId, period_s: u32) -> Query {
    let mut query = read("metrics.jsonl", &id.resource, scope.alarm.window);
    let mut put = |key: &str, value: String| drop(query.parameters.insert(key.to_owned(), value));
    put("name", id.name.clone());
    put("stat", id.stat.clone());
    put("period_s", period_s.to_string());
    put("baseline", spans(scope.healthy()));
    if let Some(namespace) = &id.namespace {
        put("namespace", namespace.clone());
    }
    for (name, value) in &id.dimensions {
        put(&format!("dimension.{name}"), value.clone());
    }
    query
}

/// The lines of one pattern.
#[must_use]
pub fn pattern(scope: &Scope, resource: &ResourceId, template: &str, follower: Option<&str>) -> Query {
    let mut query = read("logs.jsonl", resource, scope.incident());
    query.parameters.insert("pattern".to_owned(), template.to_owned());
    query.parameters.insert("baseline".to_owned(), spans(scope.healthy()));
    if let Some(follower) = follower {
        query.parameters.insert("follower".to_owned(), follower.to_owned());
    }
    query
}

/// The calls from one resource to another.
#[must_use]
pub fn link(scope: &Scope, caller: Option<&ResourceId>, callee: &ResourceId) -> Query {
    let mut query = read("spans.jsonl", callee, scope.incident());
    query.parameters.insert("baseline".to_owned(), spans(scope.healthy()));
    if let Some(caller) = caller {
        query.parameters.insert("caller".to_owned(), caller.as_str().to_owned());
    }
    query
}

/// One change of a resource.
#[must_use]
pub fn change(resource: &ResourceId, span: TimeSpan) -> Query {
    read("changes.jsonl", resource, span)
}

/// The transitions of one alarm.
#[must_use]
pub fn alarm(name: &str, span: TimeSpan) -> Query {
    Query::new(
        "bundle",
        "read",
        [
            ("file", "alarms.jsonl".to_owned()),
            ("alarm", name.to_owned()),
            ("start", span.start.to_string()),
            ("end", span.end.to_string()),
        ],
    )
}

fn read(file: &str, resource: &ResourceId, span: TimeSpan) -> Query {
    Query::new(
        "bundle",
        "read",
        [
            ("file", file.to_owned()),
            ("resource", resource.as_str().to_owned()),
            ("start", span.start.to_string()),
            ("end", span.end.to_string()),
        ],
    )
}

fn spans(spans: &[TimeSpan]) -> String {
    spans.iter().map(|s| format!("{}/{}", s.start, s.end)).collect::<Vec<_>>().join(",")
}
