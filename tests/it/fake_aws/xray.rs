//! X-Ray: REST-JSON; the bundle's graph as a service graph, its spans as segments.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tantei_engine::model::num::count_of;

use super::data::Data;
use super::paged;

/// How X-Ray names a node, and its type.
fn node(data: &Data, id: &str) -> (String, &'static str) {
    match data.kind(id) {
        "AWS::RDS::DBInstance" => (format!("app@{id}.c1.ap-northeast-1.rds.amazonaws.com"), "Database::SQL"),
        "AWS::SQS::Queue" => {
            (format!("https://sqs.ap-northeast-1.amazonaws.com/111122223333/{id}"), "AWS::SQS::Queue")
        }
        "AWS::ECS::Service" => (id.to_owned(), "AWS::ECS::Fargate"),
        "AWS::Lambda::Function" => (id.to_owned(), "AWS::Lambda::Function"),
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => {
            (id.to_owned(), "AWS::ElasticLoadBalancingV2::LoadBalancer")
        }
        "RemoteService" => (id.to_owned(), "remote"),
        _ => (id.to_owned(), ""),
    }
}

/// Whether a node sends no segments: its callers' subsegments are all that is known.
fn silent(data: &Data, id: &str) -> bool {
    ["AWS::RDS::DBInstance", "AWS::SQS::Queue", "RemoteService"].contains(&data.kind(id))
}

pub(crate) fn service_graph(data: &Data, parameters: &Value) -> Value {
    let (start, end) = (parameters["StartTime"].as_f64().unwrap(), parameters["EndTime"].as_f64().unwrap());
    assert!(end - start <= 6.0 * 3_600.0, "X-Ray answers for six hours at once");
    let links: Vec<&Value> =
        data.links.iter().filter(|l| (start..end).contains(&l["t"].as_f64().unwrap())).collect();
    let ids: Vec<&str> = data.nodes.iter().map(|n| n["id"].as_str().unwrap()).collect();
    let index = |id: &Value| ids.iter().position(|i| id == i).unwrap();
    let edges = |from: Option<&str>| -> Vec<Value> {
        let known = data.edges.iter().filter(|e| from.is_some() && e["from"].as_str() == from);
        let counted = links.iter().copied().filter(|l| l["from"].as_str() == from);
        let mut to: Vec<(&Value, Option<&str>)> =
            known.map(|e| (&e["to"], e["kind"].as_str())).chain(counted.map(|l| (&l["to"], None))).collect();
        to.sort_by_key(|(to, kind)| (to.as_str(), kind.is_none()));
        to.dedup_by_key(|(to, _)| *to);
        let edge = |(to, kind): (&Value, Option<&str>)| {
            let mut edge = json!({"ReferenceId": index(to)});
            if let Some("async" | "publishes" | "consumes") = kind {
                edge["EdgeType"] = "link".into();
            }
            let own = links.iter().filter(|l| l["to"] == *to && l["from"].as_str() == from);
            let sum = |key: &str| own.clone().map(|l| l[key].as_f64().unwrap_or(0.0)).sum::<f64>();
            if own.clone().next().is_some() {
                let (calls, faults) = (sum("calls"), sum("faults"));
                edge["SummaryStatistics"] = json!({"OkCount": count_of(calls - faults), "TotalCount": count_of(calls),
                    "FaultStatistics": {"TotalCount": count_of(faults)}, "TotalResponseTime": sum("total_s")});
            }
            edge
        };
        to.into_iter().map(edge).collect()
    };
    let mut services: Vec<Value> = ids
        .iter()
        .enumerate()
        .map(|(reference, id)| {
            let (name, kind) = node(data, id);
            json!({"ReferenceId": reference, "Name": name, "Type": kind, "Edges": edges(Some(id))})
        })
        .collect();
    let outside = edges(None);
    if !outside.is_empty() {
        services
            .push(json!({"ReferenceId": ids.len(), "Name": "client", "Type": "client", "Edges": outside}));
    }
    json!({"Services": services})
}

/// `5f84c7a5…` as `1-5f84c7a5-…`.
fn xray_id(trace: &str) -> String {
    if trace.len() == 32 { format!("1-{}-{}", &trace[..8], &trace[8..]) } else { trace.to_owned() }
}

fn began(spans: &[Value]) -> f64 {
    spans.iter().map(|s| s["t"].as_f64().unwrap() / 1e6).fold(f64::INFINITY, f64::min)
}

pub(crate) fn trace_summaries(data: &Data, parameters: &Value, page: usize) -> Value {
    let (start, end) = (parameters["StartTime"].as_f64().unwrap(), parameters["EndTime"].as_f64().unwrap());
    let mut found: Vec<(f64, Value)> = data
        .spans
        .iter()
        .map(|(id, spans)| (began(spans), json!({"Id": xray_id(id)})))
        .filter(|(at, _)| (start..end).contains(at))
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ids: Vec<Value> = found.into_iter().map(|(_, id)| id).collect();
    let (ids, token) = paged(&ids, page, 100);
    match token {
        Some(token) => json!({"TraceSummaries": ids, "NextToken": token}),
        None => json!({"TraceSummaries": ids}),
    }
}

pub(crate) fn traces(data: &Data, parameters: &Value) -> Value {
    let ids = parameters["TraceIds"].as_array().unwrap();
    assert!(ids.len() <= 5, "at most 5 traces");
    let traces: Vec<Value> = ids
        .iter()
        .filter_map(|id| {
            let (_, spans) = data.spans.iter().find(|(t, _)| *id == xray_id(t))?;
            Some(json!({"Id": id, "Segments": segments(data, spans)}))
        })
        .collect();
    json!({"Traces": traces, "UnprocessedTraceIds": []})
}

fn segments(data: &Data, spans: &[Value]) -> Vec<Value> {
    let by_id: BTreeMap<&str, &Value> = spans.iter().map(|s| (s["span"].as_str().unwrap(), s)).collect();
    let mut children: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for span in spans {
        if let Some(parent) = span["parent"].as_str() {
            children.entry(parent).or_default().push(span);
        }
    }
    let parent = |s: &Value| s["parent"].as_str().and_then(|p| by_id.get(p)).copied();
    let roots = spans.iter().filter(|s| {
        let own = parent(s).is_none_or(|p| p["resource"] != s["resource"]);
        own && (parent(s).is_none() || !silent(data, s["resource"].as_str().unwrap()))
    });
    roots
        .map(|root| {
            let mut document = document(data, root, &children);
            document["trace_id"] = xray_id(root["trace"].as_str().unwrap()).into();
            if let Some(parent) = root["parent"].as_str() {
                document["parent_id"] = parent.into();
            }
            json!({"Id": root["span"], "Document": document.to_string()})
        })
        .collect()
}

fn document(data: &Data, span: &Value, children: &BTreeMap<&str, Vec<&Value>>) -> Value {
    let resource = span["resource"].as_str().unwrap();
    let within = children.get(span["span"].as_str().unwrap()).cloned().unwrap_or_default();
    let subsegments: Vec<Value> = within
        .iter()
        .filter(|c| c["resource"] == span["resource"])
        .map(|c| {
            let mut sub = document(data, c, children);
            // A call: whom it reached is its only child.
            let called = children.get(c["span"].as_str().unwrap()).and_then(|of| of.first());
            if let Some(callee) = called.filter(|callee| callee["resource"] != c["resource"]) {
                sub["namespace"] = "remote".into();
                sub["name"] = node(data, callee["resource"].as_str().unwrap()).0.into();
            } else {
                sub["name"] = c["op"].clone();
            }
            sub
        })
        .collect();
    let start = span["t"].as_f64().unwrap() / 1e6;
    let failed = !matches!(&span["error"], Value::Null | Value::Bool(false));
    let mut document = json!({
        "id": span["span"], "name": node(data, resource).0, "start_time": start,
        "end_time": start + span["dur_us"].as_f64().unwrap() / 1e6, "fault": failed, "subsegments": subsegments,
    });
    let op = span["op"].as_str().unwrap_or_default();
    match op.split_once(' ') {
        Some((method, path)) if path.starts_with('/') => {
            document["http"] =
                json!({"request": {"method": method, "url": format!("http://{resource}{path}")}});
        }
        _ => document["sql"] = json!({"sanitized_query": op}),
    }
    document
}
