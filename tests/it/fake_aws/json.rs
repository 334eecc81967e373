//! CloudWatch Logs, CloudTrail and Systems Manager: JSON 1.1.

use serde_json::{Value, json};

use super::data::Data;
use super::paged;

pub(crate) fn describe_log_groups(data: &Data, parameters: &Value) -> Value {
    let prefix = parameters.get("logGroupNamePrefix").and_then(Value::as_str);
    let pattern = parameters.get("logGroupNamePattern").and_then(Value::as_str).map(str::to_lowercase);
    let groups: Vec<Value> = data
        .log_groups()
        .into_values()
        .filter(|name| prefix.is_none_or(|p| name.starts_with(p)))
        .filter(|name| pattern.as_ref().is_none_or(|p| name.to_lowercase().contains(p)))
        .map(|name| {
            json!({"logGroupName": name, "storedBytes": data.stored_bytes, "creationTime": 0,
                   "logGroupClass": data.log_class})
        })
        .collect();
    json!({"logGroups": groups})
}

/// The events of a group in a span of milliseconds, both ends inclusive, in order.
fn events<'a>(data: &'a Data, group: &str, start: i64, end: i64) -> Vec<&'a Value> {
    let groups = data.log_groups();
    let own = |l: &&Value| {
        let t = l["t"].as_i64().unwrap();
        groups.get(l["resource"].as_str().unwrap()).is_some_and(|g| g == group) && start <= t && t <= end
    };
    let mut found: Vec<&Value> = data.logs.iter().filter(own).collect();
    found.sort_by_key(|l| l["t"].as_i64());
    found
}

pub(crate) fn filter_log_events(data: &Data, parameters: &Value, page: usize) -> Value {
    let (start, end) = (parameters["startTime"].as_i64().unwrap(), parameters["endTime"].as_i64().unwrap());
    let events: Vec<Value> = events(data, parameters["logGroupName"].as_str().unwrap(), start, end)
        .into_iter()
        .map(|l| json!({"timestamp": l["t"], "message": l["message"], "ingestionTime": l["t"]}))
        .collect();
    let (events, token) = paged(&events, page, 10_000);
    match token {
        Some(token) => json!({"events": events, "nextToken": token}),
        None => json!({"events": events}),
    }
}

/// The Infrequent Access class counts no patterns.
pub(crate) fn start_query(data: &Data, parameters: &Value) -> Option<Value> {
    let text = parameters["queryString"].as_str().unwrap();
    let refused = data.log_class == "INFREQUENT_ACCESS" && text.contains("| pattern");
    refused.then(|| {
        json!({"__type": "MalformedQueryException", "message":
            "pattern command is not supported for log groups in the Infrequent Access log class"})
    })
}

/// Events by shape: words with a digit are tokens. Counted, most frequent first, with a few samples.
fn patterns(found: &[&Value]) -> Vec<Value> {
    let mut shapes: std::collections::BTreeMap<String, Vec<&Value>> = std::collections::BTreeMap::new();
    for line in found {
        let mut tokens = 0;
        let shape = line["message"].as_str().unwrap().split_whitespace().map(|word| {
            if word.chars().any(|c| c.is_ascii_digit()) {
                tokens += 1;
                format!("<Token-{tokens}>")
            } else {
                word.to_owned()
            }
        });
        shapes.entry(shape.collect::<Vec<_>>().join(" ")).or_default().push(line);
    }
    let times = |line: &Value| line["times"].as_u64().unwrap_or(1);
    let all: u64 = found.iter().map(|l| times(l)).sum();
    let mut rows: Vec<(u64, Value)> = shapes
        .into_iter()
        .map(|(shape, lines)| {
            let count: u64 = lines.iter().map(|l| times(l)).sum();
            let samples: Vec<Value> =
                lines.iter().take(3).map(|l| json!({"timestamp": l["t"], "message": l["message"]})).collect();
            let ratio = count * 10_000 / all.max(1);
            let field = |name: &str, value: String| json!({"field": name, "value": value});
            let row = json!([
                field("@pattern", shape),
                field("@sampleCount", count.to_string()),
                field("@ratio", format!("0.{ratio:04}")),
                field("@severityLabel", String::new()),
                field("@logSamples", Value::from(samples).to_string()),
            ]);
            (count, row)
        })
        .collect();
    rows.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Running at the first look, complete at the second. A line may stand for many that are written alike (`times`).
pub(crate) fn get_query_results(data: &Data, query: &Value, looks: u64, page: usize) -> Value {
    let statistics = |matched: usize| json!({"recordsMatched": matched, "recordsScanned": matched, "bytesScanned": data.scanned_bytes});
    if looks == 0 {
        return json!({"status": "Running", "results": [], "statistics": statistics(0)});
    }
    let (start, end) = (query["startTime"].as_i64().unwrap(), query["endTime"].as_i64().unwrap());
    let found: Vec<&Value> =
        events(data, query["logGroupName"].as_str().unwrap(), start * 1_000, end * 1_000 + 999);
    let times = |l: &&Value| usize::try_from(l["times"].as_u64().unwrap_or(1)).unwrap();
    let matched = found.iter().map(times).sum();
    if query["queryString"].as_str().unwrap().contains("| pattern") {
        return json!({"status": "Complete", "results": patterns(&found), "statistics": statistics(matched)});
    }
    let limit = usize::try_from(query["limit"].as_u64().unwrap()).unwrap();
    let newest = found.iter().rev().flat_map(|l| std::iter::repeat_n(*l, times(l))).take(limit);
    let rows: Vec<Value> = newest
        .map(|l| {
            let at = tantei_engine::model::time::Timestamp::from_millis(l["t"].as_i64().unwrap()).to_string();
            let at = at.trim_end_matches('Z').replace('T', " ");
            json!([{"field": "@timestamp", "value": at}, {"field": "@message", "value": l["message"]},
                   {"field": "@ptr", "value": "p"}])
        })
        .collect();
    let (rows, token) = paged(&rows, page, 10_000);
    let mut answer = json!({"status": "Complete", "results": rows, "statistics": statistics(matched)});
    if let Some(token) = token {
        answer["nextToken"] = token.into();
    }
    answer
}

pub(crate) fn lookup_events(data: &Data, parameters: &Value, page: usize) -> Value {
    let (start, end) = (parameters["StartTime"].as_f64().unwrap(), parameters["EndTime"].as_f64().unwrap());
    let mut events: Vec<Value> = data
        .changes
        .iter()
        .filter(|l| (start..=end).contains(&(l["t"].as_f64().unwrap() / 1_000.0)))
        .filter_map(event)
        .collect();
    events.reverse();
    let (events, token) = paged(&events, page, 50);
    match token {
        Some(token) => json!({"Events": events, "NextToken": token}),
        None => json!({"Events": events}),
    }
}

/// A change as CloudTrail knows it. What came from EventBridge is not in CloudTrail.
fn event(line: &Value) -> Option<Value> {
    let raw = &line["raw"];
    if raw.get("detail-type").is_some() {
        return None;
    }
    let seconds = line["t"].as_i64().unwrap().div_euclid(1_000);
    let at = tantei_engine::model::time::Timestamp::from_secs(seconds).to_string();
    let record = if raw.get("eventName").is_some() {
        raw.clone()
    } else {
        let name = if line["kind"] == "deployment" { "UpdateService" } else { "PutParameter" };
        json!({"eventName": name, "eventSource": "shop.amazonaws.com", "eventTime": at,
               "userIdentity": {"arn": line["actor"]},
               "requestParameters": {"serviceName": line["resource"], "value": line["summary"]}})
    };
    Some(json!({"EventName": record["eventName"], "EventTime": seconds, "EventSource": record["eventSource"],
                "ReadOnly": "false", "CloudTrailEvent": record.to_string()}))
}

/// The instances that have a `PingStatus` among their attributes are managed.
pub(crate) fn describe_instance_information(data: &Data, parameters: &Value) -> Value {
    assert_eq!(parameters["Filters"][0]["Key"], "InstanceIds");
    let asked = parameters["Filters"][0]["Values"].as_array().unwrap();
    let managed =
        data.nodes.iter().filter(|n| asked.contains(&n["id"]) && n["attributes"]["PingStatus"].is_string());
    let list: Vec<Value> = managed
        .map(|n| json!({"InstanceId": n["id"], "PingStatus": n["attributes"]["PingStatus"], "AgentVersion": "3.3"}))
        .collect();
    json!({"InstanceInformationList": list})
}
