//! CloudWatch: RPC v2 CBOR, alarms, metrics.

use ciborium::Value as Cbor;
use serde_json::{Value, json};

use super::data::Data;

/// Members that are instants.
const INSTANTS: [&str; 6] = [
    "Timestamps",
    "Timestamp",
    "StateUpdatedTimestamp",
    "StateTransitionedTimestamp",
    "StartTime",
    "EndTime",
];

/// Members that are floating point numbers.
const REALS: [&str; 2] = ["Values", "Threshold"];

/// A request as JSON; instants become seconds.
pub(crate) fn decode(body: &[u8]) -> Value {
    to_json(ciborium::from_reader(body).unwrap())
}

fn to_json(value: Cbor) -> Value {
    match value {
        Cbor::Integer(i) => json!(i64::try_from(i).unwrap()),
        Cbor::Float(f) => json!(f),
        Cbor::Bool(b) => json!(b),
        Cbor::Text(t) => json!(t),
        Cbor::Array(items) => items.into_iter().map(to_json).collect(),
        Cbor::Map(fields) => {
            fields.into_iter().map(|(k, v)| (k.as_text().unwrap().to_owned(), to_json(v))).collect()
        }
        Cbor::Tag(1, inner) => to_json(*inner),
        Cbor::Null => Value::Null,
        other => panic!("no such value is expected: {other:?}"),
    }
}

/// An answer as CBOR.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(&to_cbor("", value), &mut bytes).unwrap();
    bytes
}

fn to_cbor(key: &str, value: &Value) -> Cbor {
    match value {
        Value::Number(n) if INSTANTS.contains(&key) => {
            Cbor::Tag(1, Box::new(Cbor::Float(n.as_f64().unwrap())))
        }
        Value::Number(n) if REALS.contains(&key) || n.is_f64() => Cbor::Float(n.as_f64().unwrap()),
        Value::Number(n) => Cbor::Integer(n.as_i64().unwrap().into()),
        Value::String(s) => Cbor::Text(s.clone()),
        Value::Bool(b) => Cbor::Bool(*b),
        Value::Null => Cbor::Null,
        Value::Array(items) => Cbor::Array(items.iter().map(|i| to_cbor(key, i)).collect()),
        Value::Object(fields) => {
            Cbor::Map(fields.iter().map(|(k, v)| (Cbor::Text(k.clone()), to_cbor(k, v))).collect())
        }
    }
}

fn dimensions(line: &Value) -> Vec<Value> {
    let fields = line["dimensions"].as_object().unwrap();
    fields.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect()
}

pub(crate) fn list_metrics(data: &Data, parameters: &Value) -> Value {
    let wanted = |line: &&Value| {
        let namespace = parameters.get("Namespace").is_none_or(|n| *n == line["namespace"]);
        let name = parameters.get("MetricName").is_none_or(|n| *n == line["name"]);
        let filters = parameters["Dimensions"].as_array().cloned().unwrap_or_default();
        let dimensions = filters.iter().all(|f| {
            let value = &line["dimensions"][f["Name"].as_str().unwrap()];
            !value.is_null() && f.get("Value").is_none_or(|v| v == value)
        });
        namespace && name && dimensions
    };
    let mut metrics: Vec<Value> = data
        .metrics
        .iter()
        .filter(wanted)
        .map(|l| json!({"Namespace": l["namespace"], "MetricName": l["name"], "Dimensions": dimensions(l)}))
        .collect();
    metrics.sort_by_key(ToString::to_string);
    metrics.dedup();
    json!({"Metrics": metrics})
}

pub(crate) fn get_metric_data(data: &Data, parameters: &Value) -> Value {
    let (start, end) = (parameters["StartTime"].as_f64().unwrap(), parameters["EndTime"].as_f64().unwrap());
    let queries = parameters["MetricDataQueries"].as_array().unwrap();
    assert!(queries.len() <= 500, "at most 500 queries");
    let results = queries.iter().map(|query| {
        let stat = &query["MetricStat"];
        let metric = &stat["Metric"];
        let mut asked = metric["Dimensions"].as_array().cloned().unwrap_or_default();
        asked.sort_by_key(ToString::to_string);
        let same = |l: &&Value| {
            let mut own = dimensions(l);
            own.sort_by_key(ToString::to_string);
            l["namespace"] == metric["Namespace"]
                && l["name"] == metric["MetricName"]
                && l.get("stat").map_or("Average", |s| s.as_str().unwrap()) == stat["Stat"]
                && own == asked
        };
        let found = data.metrics.iter().find(same);
        let period = stat["Period"].as_f64().unwrap();
        let points = found.map_or_else(Vec::new, |l| points(l, start, end, period));
        json!({"Id": query["Id"], "Label": metric["MetricName"], "StatusCode": "Complete",
               "Timestamps": points.iter().map(|p| p.0).collect::<Vec<_>>(),
               "Values": points.iter().map(|p| p.1).collect::<Vec<_>>()})
    });
    json!({"MetricDataResults": results.collect::<Vec<_>>(), "Messages": []})
}

/// The points of a series in a span, joined to the period that was asked for.
fn points(line: &Value, start: f64, end: f64, period: f64) -> Vec<(f64, f64)> {
    let mut buckets: Vec<(f64, Vec<f64>)> = Vec::new();
    for point in line["points"].as_array().unwrap() {
        let (Some(t), Some(v)) = (point[0].as_f64(), point[1].as_f64()) else { continue };
        let bucket = (t / period).floor() * period;
        if bucket < start || bucket >= end {
            continue;
        }
        match buckets.last_mut() {
            Some((last, values)) if *last == bucket => values.push(v),
            _ => buckets.push((bucket, vec![v])),
        }
    }
    let sum = line["stat"] == "Sum";
    let join = |values: Vec<f64>| {
        let total: f64 = values.iter().sum();
        if sum { total } else { total / f64::from(u32::try_from(values.len()).unwrap()) }
    };
    buckets.into_iter().map(|(t, values)| (t, join(values))).collect()
}

pub(crate) fn describe_alarms(data: &Data, parameters: &Value) -> Value {
    let mut latest: std::collections::BTreeMap<&str, &Value> = std::collections::BTreeMap::new();
    for line in &data.alarms {
        latest.insert(line["AlarmName"].as_str().unwrap(), line);
    }
    let names = parameters["AlarmNames"].as_array();
    let wanted = |l: &&Value| {
        names.is_none_or(|names| names.contains(&l["AlarmName"]))
            && parameters.get("StateValue").is_none_or(|s| *s == l["NewStateValue"])
    };
    let alarms: Vec<Value> = latest.into_values().filter(wanted).map(alarm).collect();
    json!({"MetricAlarms": alarms, "CompositeAlarms": []})
}

fn alarm(line: &Value) -> Value {
    let trigger = &line["Trigger"];
    let dimensions: Vec<Value> = trigger["Dimensions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|d| json!({"Name": d["name"], "Value": d["value"]}))
        .collect();
    let mut alarm = json!({
        "AlarmName": line["AlarmName"], "StateValue": line["NewStateValue"],
        "StateReason": line["NewStateReason"], "StateTransitionedTimestamp": seconds(line),
        "MetricName": trigger["MetricName"], "Namespace": trigger["Namespace"], "Dimensions": dimensions,
        "Period": trigger["Period"], "Threshold": trigger["Threshold"],
    });
    if let Some(arn) = line.get("AlarmArn") {
        alarm["AlarmArn"] = arn.clone();
    }
    match trigger["Statistic"].as_str() {
        Some(word) => {
            let (head, tail) = word.split_at(1);
            alarm["Statistic"] = format!("{head}{}", tail.to_ascii_lowercase()).into();
        }
        None => alarm["ExtendedStatistic"] = trigger["ExtendedStatistic"].clone(),
    }
    alarm.as_object_mut().unwrap().retain(|_, v| !v.is_null());
    alarm
}

fn seconds(line: &Value) -> f64 {
    line["t"].as_f64().unwrap() / 1_000.0
}

pub(crate) fn describe_alarm_history(data: &Data, parameters: &Value) -> Value {
    let start = parameters["StartDate"].as_f64().unwrap_or(f64::MIN);
    let end = parameters["EndDate"].as_f64().unwrap_or(f64::MAX);
    let items: Vec<Value> = data
        .alarms
        .iter()
        .filter(|l| (start..end).contains(&seconds(l)))
        .filter(|l| parameters.get("AlarmName").is_none_or(|name| *name == l["AlarmName"]))
        .map(|l| {
            let data = json!({"version": "1.0", "oldState": {"stateValue": l["OldStateValue"]},
                "newState": {"stateValue": l["NewStateValue"], "stateReason": l["NewStateReason"]}});
            json!({"AlarmName": l["AlarmName"], "Timestamp": seconds(l), "HistoryItemType": "StateUpdate",
                   "HistorySummary": "Alarm updated", "HistoryData": data.to_string()})
        })
        .collect();
    json!({"AlarmHistoryItems": items})
}
