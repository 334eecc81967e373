//! How to fetch an observation's data again from AWS: the analysis speaks of recordings, this says the same in AWS's
//! words. No calls.

use tantei_engine::model::query::Query;
use tantei_engine::model::text::{cut, plain};
use tantei_engine::planning::log_groups::literal;

/// Bytes of a pattern's words that are searched for: more would make the query unreadable, and find the same lines.
const WORDS_BYTES_MAX: usize = 200;

/// The request to AWS that a request to a recording stands for. `groups` names the log groups of a resource.
#[must_use]
pub fn live(query: Query, groups: impl Fn(&str) -> Vec<String>) -> Query {
    if query.service != "bundle" {
        return query;
    }
    let get = |key: &str| query.parameters.get(key).cloned().unwrap_or_default();
    let mut live = match get("file").as_str() {
        "metrics.jsonl" => metric(&query, &get),
        "logs.jsonl" => {
            let text =
                format!("fields @timestamp, @message{} | sort @timestamp desc", matching(&get("pattern")));
            let groups = groups(&get("resource")).join(",");
            Query::new("logs", "StartQuery", [("LogGroupNames", groups), ("QueryString", text)])
        }
        "spans.jsonl" => {
            let callee = quoted(&get("resource"));
            let caller = get("caller");
            let filter = if caller.is_empty() {
                format!("service({callee})")
            } else {
                format!("edge({}, {callee})", quoted(&caller))
            };
            Query::new("xray", "GetTraceSummaries", [("FilterExpression", filter)])
        }
        "changes.jsonl" => {
            let attributes = "ReadOnly=false".to_owned();
            Query::new("cloudtrail", "LookupEvents", [("LookupAttributes", attributes)])
        }
        "alarms.jsonl" => {
            let kind = "StateUpdate".to_owned();
            Query::new(
                "cloudwatch",
                "DescribeAlarmHistory",
                [("AlarmName", get("alarm")), ("HistoryItemType", kind)],
            )
        }
        _ => return query,
    };
    let (start, end) = match live.operation.as_str() {
        "DescribeAlarmHistory" => ("StartDate", "EndDate"),
        _ => ("StartTime", "EndTime"),
    };
    live.parameters.insert(start.to_owned(), get("start"));
    live.parameters.insert(end.to_owned(), get("end"));
    for kept in ["resource", "baseline"] {
        if let Some(value) = query.parameters.get(kept) {
            live.parameters.insert(kept.to_owned(), value.clone());
        }
    }
    live
}

fn metric(query: &Query, get: &impl Fn(&str) -> String) -> Query {
    let mut live = Query::new(
        "cloudwatch",
        "GetMetricData",
        [
            ("Namespace", get("namespace")),
            ("MetricName", get("name")),
            ("Stat", get("stat")),
            ("Period", get("period_s")),
        ],
    );
    for (key, value) in &query.parameters {
        if let Some(name) = key.strip_prefix("dimension.") {
            live.parameters.insert(format!("Dimensions.{name}"), value.clone());
        }
    }
    live
}

/// The fixed words of a pattern as filters: what varies between its lines is left open.
fn matching(pattern: &str) -> String {
    literal(cut(pattern, WORDS_BYTES_MAX))
        .into_iter()
        .map(|words| format!(" | filter @message like {}", quoted(&words)))
        .collect()
}

/// A string of a query language. What cannot be escaped alike everywhere is taken out.
fn quoted(text: &str) -> String {
    format!("\"{}\"", plain(text).replace(['"', '\\'], ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded<const N: usize>(parameters: [(&str, &str); N]) -> Query {
        let mut query = Query::new("bundle", "read", parameters.map(|(k, v)| (k, v.to_owned())));
        query.parameters.insert("start".to_owned(), "S".to_owned());
        query.parameters.insert("end".to_owned(), "E".to_owned());
        query
    }

    #[test]
    fn every_kind_of_observation_can_be_asked_for_again() {
        let groups = |_: &str| vec!["/ecs/shop/orders".to_owned()];
        let asked = live(
            recorded([
                ("file", "metrics.jsonl"),
                ("name", "m"),
                ("stat", "p99"),
                ("dimension.Service", "orders"),
            ]),
            groups,
        );
        assert_eq!((asked.service.as_str(), asked.operation.as_str()), ("cloudwatch", "GetMetricData"));
        assert_eq!(asked.parameters["Dimensions.Service"], "orders");
        assert_eq!(asked.parameters["StartTime"], "S");
        let asked = live(
            recorded([
                ("file", "logs.jsonl"),
                ("resource", "orders"),
                ("pattern", "order <num> \"placed\" for <num>"),
            ]),
            groups,
        );
        assert_eq!(asked.parameters["LogGroupNames"], "/ecs/shop/orders");
        assert_eq!(
            asked.parameters["QueryString"],
            "fields @timestamp, @message | filter @message like \"order\" | filter @message like \"placed\" | sort @timestamp desc"
        );
        let asked = live(recorded([("file", "spans.jsonl"), ("resource", "b"), ("caller", "a")]), groups);
        assert_eq!(asked.parameters["FilterExpression"], "edge(\"a\", \"b\")");
        let asked = live(recorded([("file", "alarms.jsonl"), ("alarm", "x")]), groups);
        assert_eq!(asked.parameters["StartDate"], "S");
        let asked = live(recorded([("file", "changes.jsonl"), ("resource", "b")]), groups);
        assert_eq!(asked.operation, "LookupEvents");
    }
}
