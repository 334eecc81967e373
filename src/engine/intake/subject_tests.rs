//! From events to what an investigation is about.

use serde_json::{Value, json};

use super::subject::{subject, transition};
use super::tests::{ARN, alarm, event, message, t, with};
use crate::limits;
use crate::model::alarm::Direction;
use crate::model::alarm_event::AlarmEvent;

const NOW: &str = "2026-03-01T10:00:10Z";

fn metric(id: &str, name: &str, balancer: &str) -> Value {
    json!({"id": id, "returnData": false, "metricStat": {"period": 60, "stat": "Sum",
           "metric": {"namespace": "AWS/ApplicationELB", "name": name, "dimensions": {"LoadBalancer": balancer}}}})
}

fn of_metrics(metrics: Value) -> AlarmEvent {
    alarm(&with(&event(), "/detail/configuration/metrics", metrics))
}

#[test]
fn a_metric_alarm_is_about_its_resource() {
    let about = subject(&alarm(&message()), &[], t(NOW));
    assert_eq!(about.alarm.kind, "metric_alarm");
    assert_eq!(about.alarm.resource.as_str(), "arn:aws:lambda:eu-west-1:123456789012:function:f");
    assert_eq!(about.resource.id, about.alarm.resource);
    assert_eq!(about.resource.kind.as_deref(), Some("AWS::Lambda::Function"));
    assert_eq!(about.resource.attributes["FunctionName"], "f");
    assert_eq!((about.alarm.metric.as_str(), about.alarm.stat.as_str()), ("Duration", "Average"));
    assert_eq!((about.alarm.direction, about.describe), (Direction::Above, None));
}

#[test]
fn copies_of_a_change_are_about_the_same() {
    let over_sns = subject(&alarm(&message()), &[], t(NOW));
    let over_events = subject(&alarm(&event()), &[], t(NOW));
    assert_eq!(over_sns, over_events);
}

#[test]
fn a_metric_of_another_account_belongs_to_that_account() {
    let mut metrics = json!([metric("m", "RequestCount", "app/a/1")]);
    metrics[0]["accountId"] = json!("210987654321");
    let about = subject(&of_metrics(metrics), &[], t(NOW));
    let owner = "arn:aws:elasticloadbalancing:eu-west-1:210987654321:loadbalancer/app/a/1";
    assert_eq!(about.alarm.resource.as_str(), owner);
}

#[test]
fn the_feed_gets_the_change_with_what_it_is_about() {
    let change = transition(&alarm(&message()));
    assert_eq!(change.resource.unwrap().as_str(), "arn:aws:lambda:eu-west-1:123456789012:function:f");
    assert_eq!((change.metric.as_deref(), change.threshold), (Some("Duration"), Some(5.0)));
    assert_eq!(change.query.unwrap().parameters["StartDate"], "2026-03-01T10:00:04.25Z");
}

#[test]
fn an_expression_is_about_what_goes_wrong_in_it() {
    let metrics =
        [metric("errors", "HTTPCode_Target_5XX_Count", "app/a/1"), metric("all", "RequestCount", "app/a/1")];
    for expression in
        ["100*errors/all", "IF(all > 0, 100 * errors / all, 0)", "IF(all>0,errors)", "FILL(errors, 0)"]
    {
        let of = json!([{"id": "e1", "expression": expression, "returnData": true}, metrics[1], metrics[0]]);
        assert_eq!(
            subject(&of_metrics(of), &[], t(NOW)).alarm.metric,
            "HTTPCode_Target_5XX_Count",
            "{expression}"
        );
    }
    let through = json!([{"id": "e2", "expression": "e1 * 2", "returnData": true},
                         {"id": "e1", "expression": "errors / all", "returnData": false}, metrics[1], metrics[0]]);
    assert_eq!(subject(&of_metrics(through), &[], t(NOW)).alarm.metric, "HTTPCode_Target_5XX_Count");
    let circle = json!([{"id": "e1", "expression": "e1 + e2"}, {"id": "e2", "expression": "e1"}, metrics[0]]);
    assert_eq!(subject(&of_metrics(circle), &[], t(NOW)).alarm.metric, "HTTPCode_Target_5XX_Count");
    let all = json!([{"id": "e1", "expression": "SUM(METRICS())"}, metrics[1]]);
    assert_eq!(subject(&of_metrics(all), &[], t(NOW)).alarm.metric, "RequestCount");
}

#[test]
fn a_contributor_is_about_its_own_resource() {
    let query = "Select MAX(ThrottledRequests) FROM SCHEMA(\"AWS/DynamoDB\", TableName) GROUP BY TableName";
    for query in [query, "select max(\"ThrottledRequests\") from \"AWS/DynamoDB\" group by TableName"] {
        let of = with(
            &event(),
            "/detail/configuration/metrics",
            json!([{"id": "q", "expression": query, "period": 60}]),
        );
        let whole = subject(&alarm(&of), &[], t(NOW));
        assert_eq!(whole.alarm.resource.as_str(), ARN);
        assert_eq!(
            (whole.alarm.metric.as_str(), whole.alarm.stat.as_str()),
            ("ThrottledRequests", "Maximum")
        );
        let of =
            with(&of, "/detail/alarmContributor", json!({"id": "c", "attributes": {"TableName": "orders"}}));
        let one = subject(&alarm(&of), &[], t(NOW));
        assert_eq!(one.alarm.resource.as_str(), "arn:aws:dynamodb:eu-west-1:123456789012:table/orders");
        assert_eq!(one.alarm.kind, "contributor_alarm");
    }
    for broken in
        ["Select", "Select x", "Select SUM(", "Select SUM(x) FROM", "Select ÄÄÄÄ(x) FROM y", "日本語日本語"]
    {
        let of = json!([{"id": "q", "expression": broken}]);
        assert_eq!(subject(&of_metrics(of), &[], t(NOW)).alarm.resource.as_str(), ARN);
    }
}

#[test]
fn a_composite_is_about_the_child_that_fires_longest() {
    let config = with(&event(), "/detail/configuration", json!({"alarmRule": "ALARM(a) OR ALARM(b)"}));
    let other = ARN.replace("slow", "other");
    let data = json!({"triggeringAlarms": [
        {"arn": other, "state": {"value": "ALARM", "timestamp": "2026-03-01T09:59:30.000+0000"}},
        {"arn": ARN, "state": {"value": "ALARM", "timestamp": "2026-03-01T09:40:00.000+0000"}},
        {"arn": "fine", "state": {"value": "OK", "timestamp": "2026-03-01T01:00:00.000+0000"}},
    ]});
    let composite = with(&config, "/detail/state/reasonData", json!(data.to_string()));
    let composite = with(&composite, "/resources", json!([ARN.replace("slow", "all")]));
    let composite = alarm(&composite);
    let unknown = subject(&composite, &[], t(NOW));
    assert_eq!(unknown.describe.as_deref(), Some(ARN));
    assert_eq!(unknown.alarm.resource.as_str(), ARN);
    let known = subject(&composite, &[alarm(&message())], t(NOW));
    assert_eq!((known.alarm.metric.as_str(), known.describe), ("Duration", None));
    assert_eq!(known.alarm.kind, "composite_alarm");
    // The window begins before the child, not before the composite.
    assert_eq!(
        known.alarm.window.start,
        t("2026-03-01T09:40:00Z").plus_secs(-300 * limits::WINDOW_LEAD_PERIODS)
    );
    let forced = subject(&alarm(&config), &[], t(NOW));
    assert_eq!(forced.resource.kind.as_deref(), Some("AWS::CloudWatch::CompositeAlarm"));
    assert_eq!(forced.describe.as_deref(), Some(ARN));
    let mut own_child = composite.clone();
    own_child.children =
        vec![crate::model::alarm_event::Child { arn: own_child.arn.clone(), state: None, at: None }];
    let circle = subject(&own_child, std::slice::from_ref(&own_child), t(NOW));
    assert_eq!(circle.alarm.resource.as_str(), own_child.arn);
}

#[test]
fn the_direction_is_the_configured_or_the_crossed_one() {
    let of = |operator: &str| {
        let body = with(&message(), "/Trigger/ComparisonOperator", json!(operator));
        subject(&alarm(&body), &[], t(NOW)).alarm.direction
    };
    assert_eq!(of("LessThanOrEqualToThreshold"), Direction::Below);
    assert_eq!(of("LessThanLowerOrGreaterThanUpperThreshold"), Direction::Above);
    let below = "1 datapoint [3.0] was less than the lower thresholds [4.0] or greater than the upper thresholds [9.0]";
    let body =
        with(&message(), "/Trigger/ComparisonOperator", json!("LessThanLowerOrGreaterThanUpperThreshold"));
    let body = with(&body, "/NewStateReason", json!(below));
    assert_eq!(subject(&alarm(&body), &[], t(NOW)).alarm.direction, Direction::Below);
}

#[test]
fn window_and_baselines_follow_the_period() {
    let quick = with(&message(), "/Trigger/Period", json!(10));
    let alarm_at = t("2026-03-01T10:00:05.250Z");
    let about = subject(&alarm(&quick), &[], t(NOW)).alarm;
    assert_eq!(about.window.start, alarm_at.plus_secs(-limits::WINDOW_LEAD_S_MIN));
    assert_eq!(about.window.end, t(NOW));
    let starts: Vec<i64> = about.baseline.iter().map(|b| about.window.start.secs_since(b.start)).collect();
    assert_eq!(starts, [7 * 86_400, 86_400, limits::BASELINE_BEFORE_S]);
    assert!(about.baseline.windows(2).all(|pair| pair[0].end <= pair[1].start));
    assert_eq!(about.baseline[2].end, about.window.start);
    let slow = with(&message(), "/Trigger/Period", json!(86_400));
    let late = subject(&alarm(&slow), &[], t("2026-03-08T00:00:00Z")).alarm;
    assert_eq!(late.window.secs(), limits::WINDOW_LEAD_S_MAX + limits::WINDOW_TAIL_S_MAX);
    assert!(late.baseline[1].end <= late.baseline[2].start);
    // A clock that is behind does not push the alarm out of its window.
    let early = subject(&alarm(&quick), &[], t("2026-03-01T09:59:00Z")).alarm;
    assert!(early.window.contains(early.at));
}
