//! Shapes of deliveries, written here after AWS's documentation, and every reason for a refusal.

use serde_json::{Value, json};

use super::sns::{Authenticity, Envelope, MessageType, Opened, Trust};
use super::{Refused, Shape, UrlFault, recognise};
use crate::limits;
use crate::model::alarm::{AlarmState, Direction};
use crate::model::alarm_event::{AlarmEvent, AlarmKind, Comparison, Delivery, SuppressedBy, Via};
use crate::model::service_event::{ServiceEvent, ServiceEventKind};
use crate::model::time::Timestamp;

pub(super) const ARN: &str = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:slow";
pub(super) const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:alarms";
const CERT: &str =
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-00112233445566778899aabbccddeeff.pem";

pub(super) fn t(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn read(body: &Value) -> Result<Shape, Refused> {
    recognise(body.to_string().as_bytes(), &Delivery { via: Via::Sqs, id: "q-1".to_owned() })
}

pub(super) fn alarm(body: &Value) -> AlarmEvent {
    match read(body) {
        Ok(Shape::Alarm(event)) => *event,
        other => panic!("{other:?}"),
    }
}

fn service(body: &Value) -> ServiceEvent {
    match read(body) {
        Ok(Shape::Service(event)) => *event,
        other => panic!("{other:?}"),
    }
}

/// `base` with the field at the JSON pointer set.
pub(super) fn with(base: &Value, path: &str, value: Value) -> Value {
    let mut changed = base.clone();
    let (parent, key) = path.rsplit_once('/').unwrap();
    changed.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.to_owned(), value);
    changed
}

fn without(base: &Value, path: &str) -> Value {
    let mut changed = base.clone();
    let (parent, key) = path.rsplit_once('/').unwrap();
    changed.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
    changed
}

pub(super) fn message() -> Value {
    json!({
        "AlarmName": "slow", "AlarmDescription": null, "AWSAccountId": "123456789012", "AlarmArn": ARN,
        "NewStateValue": "ALARM", "OldStateValue": "OK", "StateChangeTime": "2026-03-01T10:00:05.250+0000",
        "NewStateReason": "Threshold Crossed: 1 datapoint [7.0 (01/03/26 09:59:00)] was greater than the threshold (5.0).",
        "Region": "EU (Ireland)",
        "OKActions": [], "InsufficientDataActions": [],
        "AlarmActions": [TOPIC, "arn:aws:aiops:eu-west-1:123456789012:investigation-group/g#DEDUPE_STRING=web"],
        "Trigger": {
            "MetricName": "Duration", "Namespace": "AWS/Lambda", "StatisticType": "Statistic", "Statistic": "AVERAGE",
            "Unit": null, "Dimensions": [{"value": "f", "name": "FunctionName"}], "Period": 300,
            "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 5.0,
            "TreatMissingData": "- TreatMissingData:                    missing",
        },
    })
}

pub(super) fn event() -> Value {
    json!({
        "version": "0", "id": "e-1", "detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch",
        "account": "123456789012", "time": "2026-03-01T10:00:05Z", "region": "eu-west-1", "resources": [ARN],
        "detail": {
            "alarmName": "slow",
            "state": {"value": "ALARM", "timestamp": "2026-03-01T10:00:05.250+0000",
                      "reason": "Threshold Crossed: 1 datapoint [7.0] was greater than the threshold (5.0).",
                      "reasonData": "{\"version\":\"1.0\",\"threshold\":5.0,\"recentDatapoints\":[7.0]}"},
            "previousState": {"value": "OK", "timestamp": "2026-03-01T09:00:00.000+0000"},
            "configuration": {"description": "d", "metrics": [{"id": "m1", "returnData": true, "metricStat": {
                "metric": {"namespace": "AWS/Lambda", "name": "Duration", "dimensions": {"FunctionName": "f"}},
                "period": 300, "stat": "Average"}}]},
        },
    })
}

pub(super) fn envelope(message: &str) -> Value {
    json!({
        "Type": "Notification", "MessageId": "m-1", "TopicArn": TOPIC, "Subject": "ALARM: \"slow\"",
        "Message": message, "Timestamp": "2026-03-01T10:00:06.000Z", "SignatureVersion": "2", "Signature": "QUJD",
        "SigningCertURL": CERT, "UnsubscribeURL": "https://evil.example/never-looked-at",
    })
}

fn confirmation() -> Value {
    json!({
        "Type": "SubscriptionConfirmation", "MessageId": "m-2", "TopicArn": TOPIC, "Token": "abc123",
        "Message": "You have chosen to subscribe", "Timestamp": "2026-03-01T10:00:06.000Z",
        "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=other&Token=other",
        "SignatureVersion": "2", "Signature": "QUJD", "SigningCertURL": CERT,
    })
}

fn open(body: &Value) -> Result<Opened, Refused> {
    open_at(body, "2026-03-01T10:00:07Z", &[TOPIC.to_owned()], true)
}

fn open_at(body: &Value, now: &str, topics: &[String], require_version_2: bool) -> Result<Opened, Refused> {
    let trust = Trust { topics, now: t(now), age_s_max: Some(limits::SNS_AGE_S_MAX), require_version_2 };
    Envelope::parse(body.to_string().as_bytes())?.judge(&trust)?.open(Authenticity::Signature)
}

#[test]
fn a_message_of_sns_says_everything() {
    let seen = alarm(&message());
    assert_eq!(seen.delivery, Delivery { via: Via::Sqs, id: "q-1".to_owned() });
    assert_eq!((seen.region.as_str(), seen.account.as_str()), ("eu-west-1", "123456789012"));
    assert_eq!(
        (seen.kind, seen.previous, seen.state),
        (AlarmKind::Metric, Some(AlarmState::Ok), AlarmState::Alarm)
    );
    assert_eq!(seen.at, t("2026-03-01T10:00:05.250Z"));
    assert!(seen.description.is_empty());
    let metric = &seen.metrics[0];
    assert_eq!((metric.stat.as_str(), metric.period_s), ("Average", Some(300)));
    assert_eq!(metric.dimensions["FunctionName"], "f");
    assert_eq!((seen.threshold, seen.comparison), (Some(5.0), Some(Comparison::Greater)));
    assert_eq!(seen.breach, Some(Direction::Above));
    assert_eq!(seen.treat_missing.unwrap().raw(), "missing");
    assert_eq!(seen.dedupe.unwrap().raw(), "web");
    let extended = with(&message(), "/Trigger/ExtendedStatistic", json!("p99"));
    assert_eq!(alarm(&extended).metrics[0].stat, "p99");
}

#[test]
fn one_change_has_one_key_whichever_way_it_comes() {
    let event_seen = alarm(&event());
    assert_eq!(event_seen.delivery, Delivery { via: Via::EventBridge, id: "e-1".to_owned() });
    assert_eq!((event_seen.threshold, event_seen.breach), (Some(5.0), Some(Direction::Above)));
    let lambda = json!({
        "source": "aws.cloudwatch", "alarmArn": ARN, "accountId": "123456789012", "region": "eu-west-1",
        "time": "2026-03-01T10:00:05.250+0000", "alarmData": event()["detail"],
    });
    let Ok(Opened::Published(Shape::Alarm(over_sns))) = open(&envelope(&message().to_string())) else {
        panic!()
    };
    assert_eq!(over_sns.delivery, Delivery { via: Via::Sns, id: "m-1".to_owned() });
    let Ok(Opened::Published(Shape::Alarm(both))) = open(&envelope(&event().to_string())) else { panic!() };
    assert_eq!(both.delivery.via, Via::EventBridge);
    let key = alarm(&message()).key();
    for copy in [event_seen, alarm(&lambda), *over_sns, *both] {
        assert_eq!(copy.key(), key);
        let text = serde_json::to_string(&copy).unwrap();
        assert_eq!(serde_json::from_str::<AlarmEvent>(&text).unwrap(), copy);
    }
    let finely = t("2026-03-01T10:00:05.250999Z");
    let found = |arn| super::reconciled(arn, "slow", None, AlarmState::Alarm, finely);
    let copy = found(ARN).unwrap();
    assert_eq!((copy.key(), copy.delivery), (key.clone(), found(ARN).unwrap().delivery));
    assert!(found("slow").is_err());
    let later = alarm(&with(&message(), "/StateChangeTime", json!("2026-03-01T10:00:05.251+0000")));
    assert_ne!(later.key(), key);
}

#[test]
fn every_kind_is_told() {
    let metric = json!({"Id": "m1", "ReturnData": false, "MetricStat": {"Period": 60, "Stat": "Sum",
        "Metric": {"Namespace": "N", "MetricName": "M", "Dimensions": []}}});
    let of = |metrics: Value| {
        let trigger = json!({"ComparisonOperator": "LessThanThreshold", "Threshold": 1, "Metrics": metrics});
        alarm(&with(&message(), "/Trigger", trigger)).kind
    };
    assert_eq!(of(json!([metric])), AlarmKind::Metric);
    assert_eq!(of(json!([metric, {"Id": "e", "Expression": "m1 * 2"}])), AlarmKind::Math);
    assert_eq!(
        of(json!([metric, {"Id": "e", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)"}])),
        AlarmKind::AnomalyDetection
    );
    let contributor = with(&message(), "/AlarmContributorId", json!("00aa"));
    let contributor = with(&contributor, "/AlarmContributorAttributes", json!({"TableName": "x"}));
    let seen = alarm(&contributor);
    assert_eq!((seen.kind, seen.key().contributor.as_deref()), (AlarmKind::Contributor, Some("00aa")));
    let promql = json!({"EvaluationCriteria": {"PromQLCriteria": {"Query": "x > 1", "PendingPeriod": 60}}});
    let promql = without(&with(&message(), "/Trigger", promql), "/NewStateReason");
    let seen = alarm(&promql);
    assert_eq!(seen.kind, AlarmKind::PromQl);
    assert!(seen.reason.is_empty());
    let log = json!({"ScheduledQueryConfiguration": {"QueryString": "fields @message"}, "Threshold": 1});
    assert_eq!(alarm(&with(&message(), "/Trigger", log)).kind, AlarmKind::Log);
}

#[test]
fn composites_name_their_children_if_they_have_any() {
    let rule = with(&without(&message(), "/Trigger"), "/AlarmRule", json!("ALARM(a) OR ALARM(b)"));
    let forced = alarm(&with(&rule, "/TriggeringChildren", json!([])));
    assert_eq!((forced.kind, forced.children.len()), (AlarmKind::Composite, 0));
    let children =
        json!([{"Arn": "a", "State": {"Value": "ALARM", "Timestamp": "2026-03-01T09:59:00.000+0000"}}, "b"]);
    let seen = alarm(&with(&rule, "/TriggeringChildren", children));
    assert_eq!(seen.children[0].state, Some(AlarmState::Alarm));
    assert_eq!((seen.children[1].arn.as_str(), seen.children[1].state), ("b", None));
    let config =
        with(&event(), "/detail/configuration", json!({"alarmRule": "ALARM(a)", "actionsSuppressor": "s"}));
    let data = json!("{\"triggeringAlarms\":[{\"arn\":\"a\",\"state\":{\"value\":\"ALARM\"}}]}");
    let config = with(&config, "/detail/state/reasonData", data);
    let seen = alarm(&with(&config, "/detail/state/actionsSuppressedBy", json!("WaitPeriod")));
    assert_eq!(seen.children.len(), 1);
    assert_eq!(seen.suppressed[0].by, SuppressedBy::WaitPeriod);
    assert_eq!(seen.suppressed[0].source.as_ref().unwrap().raw(), "s");
}

#[test]
fn a_muted_alarm_says_so() {
    let mute = json!({"mutedByArn": "r", "muteWindowStart": "2026-03-01T10:00:00.000+0000",
                      "muteWindowEnd": "2026-03-01T12:00:00.000+0000"});
    let seen = alarm(&with(&event(), "/detail/muteDetail", mute));
    assert!(seen.is_suppressed() && !alarm(&event()).is_suppressed());
    assert_eq!(seen.suppressed[0].by, SuppressedBy::MuteRule);
    assert_eq!(seen.suppressed[0].window.unwrap().secs(), 7_200);
}

#[test]
fn what_nobody_needs_may_be_odd() {
    let mut odd = with(&message(), "/NewStateReason", json!(7));
    odd = with(&odd, "/OldStateValue", json!("SLEEPING"));
    odd = with(&odd, "/Trigger/Threshold", json!("five"));
    odd = with(&odd, "/Trigger/Period", json!(-1));
    odd = with(&odd, "/AlarmActions", json!("none"));
    odd = with(&odd, "/Unheard", json!({"of": []}));
    let seen = alarm(&odd);
    assert_eq!((seen.previous, seen.threshold, seen.metrics[0].period_s), (None, None, None));
    let broken = with(&event(), "/detail/state/reasonData", json!("{not json"));
    assert_eq!(alarm(&broken).threshold, None);
}

#[test]
fn dimensions_come_as_list_or_map_everywhere() {
    let map = with(&message(), "/Trigger/Dimensions", json!({"FunctionName": "f"}));
    assert_eq!(alarm(&map).metrics[0].dimensions, alarm(&message()).metrics[0].dimensions);
    let path = "/detail/configuration/metrics";
    let metrics = json!([{"metricStat": {"stat": "Sum", "metric": {"namespace": "N", "name": "M",
        "dimensions": [{"name": "a", "value": "1"}, {"name": "b"}, 7]}}}]);
    let seen = alarm(&with(&event(), path, metrics));
    assert_eq!(seen.metrics[0].dimensions.len(), 1);
    assert!(seen.metrics[0].return_data);
}

#[test]
fn the_side_of_a_band_is_read_from_words_and_numbers() {
    let reason = "Thresholds Crossed: 1 datapoint [3.5 (x)] was less than the lower thresholds [4.0] or greater than \
                  the upper thresholds [9.0] (minimum 1).";
    assert_eq!(super::reading::breach(reason), Some(Direction::Below));
    assert_eq!(super::reading::breach(&reason.replace("3.5", "1.2e1")), Some(Direction::Above));
    assert_eq!(super::reading::breach("was less than the threshold (1.0)"), Some(Direction::Below));
    assert_eq!(super::reading::breach("testing: less than lucky"), None);
}

#[test]
fn other_events_are_recognised_and_flattened() {
    let of = |source: &str, detail_type: &str| {
        let other = with(&event(), "/source", json!(source));
        let other = with(&other, "/detail-type", json!(detail_type));
        let detail = json!({"eventName": "X", "n": 1.5, "ok": true, "none": null, "list": [{"a": "b"}]});
        service(&with(&other, "/detail", detail))
    };
    let cases = [
        ("aws.ecs", "ECS Deployment State Change", ServiceEventKind::EcsDeployment),
        ("aws.codedeploy", "CodeDeploy Deployment State-change Notification", ServiceEventKind::CodeDeploy),
        (
            "aws.ssm",
            "EC2 Automation Execution Status-change Notification",
            ServiceEventKind::AutomationExecution,
        ),
        ("aws.ssm", "EC2 Automation Step Status-change Notification", ServiceEventKind::AutomationStep),
        ("aws.health", "AWS Health Event", ServiceEventKind::Health),
        ("aws.rds", "AWS API Call via CloudTrail", ServiceEventKind::ApiCall),
        ("aws.cloudwatch", "CloudWatch Alarm Configuration Change", ServiceEventKind::AlarmConfiguration),
        ("my.app", "ECS Deployment State Change", ServiceEventKind::Unknown),
        ("my.app", "AWS API Call via CloudTrail", ServiceEventKind::Unknown),
        ("my.app", "CloudWatch Alarm State Change", ServiceEventKind::Unknown),
    ];
    for (source, detail_type, kind) in cases {
        let seen = of(source, detail_type);
        assert_eq!(seen.kind, kind, "{source} {detail_type}");
        let facts: Vec<(&str, &str)> = seen.facts.iter().map(|(k, v)| (k.as_str(), v.raw())).collect();
        assert_eq!(facts, [("eventName", "X"), ("list[0].a", "b"), ("n", "1.5"), ("ok", "true")]);
    }
    let large: Value =
        (0..1_000).map(|i| (format!("k{i:04}"), json!(i))).collect::<serde_json::Map<_, _>>().into();
    let other = with(&event(), "/source", json!("my.app"));
    let seen = service(&with(&other, "/detail", json!({"a": large, "z": 1})));
    assert_eq!(seen.facts.len(), limits::EVENT_FACTS_MAX);
    assert!(seen.facts.contains_key("z"));
}

#[test]
fn text_is_no_alarm_and_no_error() {
    let plain = without(&envelope("Hello from a person"), "/Subject");
    assert!(matches!(open(&plain), Ok(Opened::Published(Shape::Text(_)))));
    let signed = Envelope::parse(plain.to_string().as_bytes()).unwrap().string_to_sign();
    assert_eq!(
        signed,
        format!(
            "Message\nHello from a person\nMessageId\nm-1\nTimestamp\n2026-03-01T10:00:06.000Z\nTopicArn\n{TOPIC}\nType\nNotification\n"
        )
    );
}

#[test]
fn a_subscription_is_confirmed_at_an_address_of_our_own_making() {
    let Ok(Opened::Confirm(seen)) = open(&confirmation()) else { panic!() };
    assert_eq!(
        seen.url(),
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&\
         TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Aalarms&Token=abc123"
    );
    assert!(!format!("{seen:?}").contains("abc123"));
    let signed = Envelope::parse(confirmation().to_string().as_bytes()).unwrap().string_to_sign();
    let keys: Vec<&str> = signed.lines().step_by(2).collect();
    assert_eq!(keys, ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]);
    let ended = with(&confirmation(), "/Type", json!("UnsubscribeConfirmation"));
    assert!(matches!(open(&ended), Ok(Opened::Unsubscribed(_))));
    let chinese = "arn:aws-cn:sns:cn-north-1:123456789012:a";
    let mut body = with(&confirmation(), "/TopicArn", json!(chinese));
    let host = "https://sns.cn-north-1.amazonaws.com.cn";
    body = with(&body, "/SigningCertURL", json!(CERT.replace("https://sns.eu-west-1.amazonaws.com", host)));
    body = with(&body, "/SubscribeURL", json!(format!("{host}/?Action=ConfirmSubscription&x")));
    let Ok(Opened::Confirm(seen)) = open_at(&body, "2026-03-01T10:00:07Z", &[chinese.to_owned()], true)
    else {
        panic!()
    };
    assert!(seen.url().starts_with("https://sns.cn-north-1.amazonaws.com.cn/?Action="));
}

#[test]
fn every_refusal_of_a_document_has_its_reason() {
    let deep = format!("{}1{}", "[".repeat(65), "]".repeat(65));
    let raw: [(&[u8], &str); 9] = [
        (&vec![b' '; limits::INTAKE_BODY_BYTES_MAX + 1], "body_too_large"),
        (b"{\"a\":\"\xff\"}", "not_utf8"),
        (deep.as_bytes(), "too_deep"),
        (b"not json at all", "not_json"),
        (b"{\"AlarmName\":\"\\ud800\"}", "not_json"),
        (b"{\"a\":1e999}", "not_json"),
        (b"{\"a\":1,\"b\":{\"c\":1,\"c\":1}}", "duplicate_key"),
        (b"{\"hello\":1}", "unknown_shape"),
        (b"[]", "unknown_shape"),
    ];
    let carrier = Delivery { via: Via::Sqs, id: String::new() };
    for (body, reason) in raw {
        assert_eq!(recognise(body, &carrier).unwrap_err().code(), reason);
    }
    let long = "x".repeat(5_000);
    let many = |n: usize| Value::Array(vec![json!({"Id": "m"}); n]);
    let cases = [
        (without(&message(), "/AlarmArn"), "missing"),
        (without(&message(), "/Trigger"), "missing"),
        (with(&message(), "/AlarmArn", Value::Null), "missing"),
        (with(&message(), "/AlarmArn", json!(7)), "wrong_type"),
        (with(&message(), "/AlarmName", json!(long)), "too_long"),
        (with(&message(), "/Trigger/Namespace", json!(long)), "too_long"),
        (with(&message(), "/Trigger/Metrics", many(101)), "too_many"),
        (with(&message(), "/TriggeringChildren", many(501)), "too_many"),
        (with(&message(), "/OKActions", many(21)), "too_many"),
        (with(&message(), "/Trigger/Dimensions", many(31)), "too_many"),
        (with(&message(), "/NewStateValue", json!("FOO")), "unknown_state"),
        (with(&message(), "/StateChangeTime", json!("x")), "bad_time"),
        (with(&message(), "/AlarmArn", json!(TOPIC)), "bad_arn"),
        (with(&message(), "/AWSAccountId", json!("999999999999")), "contradiction"),
        (with(&event(), "/region", json!("us-east-1")), "contradiction"),
        (with(&event(), "/account", json!(123)), "contradiction"),
        (with(&event(), "/resources", json!([])), "missing"),
        (without(&event(), "/detail"), "missing"),
        (without(&event(), "/id"), "missing"),
        (without(&event(), "/detail/configuration"), "missing"),
        (with(&with(&event(), "/source", json!("x")), "/account", json!("1")), "wrong_type"),
    ];
    for (body, reason) in cases {
        let refused = read(&body).unwrap_err();
        assert_eq!(refused.code(), reason, "{refused}");
    }
    assert_eq!(
        read(&without(&event(), "/detail/state/value")).unwrap_err().to_string(),
        "the field `detail.state.value` is missing; without it the event cannot be used"
    );
}

#[test]
fn every_refusal_of_an_envelope_has_its_reason() {
    let e = envelope("x");
    let cert = |url: &str| with(&e, "/SigningCertURL", json!(url));
    let topic = |arn: &str| with(&e, "/TopicArn", json!(arn));
    let cases = [
        (message(), "not_an_envelope"),
        (with(&e, "/Type", json!("Greeting")), "unknown_message_type"),
        (with(&e, "/SignatureVersion", json!("3")), "unknown_signature_version"),
        (without(&e, "/SignatureVersion"), "missing"),
        (with(&e, "/SignatureVersion", json!("1")), "signature_version_too_old"),
        (with(&e, "/Signature", json!("")), "bad_signature"),
        (with(&e, "/Signature", json!("QUJ")), "bad_signature"),
        (with(&e, "/Signature", json!("Q J=")), "bad_signature"),
        (topic(&format!("{TOPIC}x")), "foreign_topic"),
        (topic(&TOPIC.replace("1234", "1235")), "foreign_topic"),
        (topic(&TOPIC.replace("eu-west-1", "eu-west-2")), "foreign_topic"),
        (topic(&TOPIC.to_uppercase()), "bad_arn"),
        (topic("arn:aws-iso:sns:us-iso-east-1:123456789012:a"), "unknown_partition"),
        (cert(&CERT.replace("https", "http")), "cert_url"),
        (cert(&CERT.replace("eu-west-1", "eu-west-2")), "cert_region"),
        (cert(&CERT.replace(".com/", ".com.cn/")), "cert_region"),
        (with(&e, "/Timestamp", json!("x")), "bad_time"),
        (with(&e, "/Timestamp", json!("2026-03-01T08:00:00Z")), "stale"),
        (with(&e, "/Timestamp", json!("2026-03-01T11:00:00Z")), "from_the_future"),
        (with(&e, "/Message", json!("y".repeat(limits::SNS_MESSAGE_BYTES_MAX + 1))), "too_long"),
        (with(&e, "/Message", json!("[]")), "unknown_shape"),
        (with(&e, "/Message", json!("{broken")), "not_json"),
        (with(&e, "/Message", json!(envelope("x").to_string())), "envelope_in_envelope"),
        (with(&confirmation(), "/SubscribeURL", json!("https://evil.example/")), "subscribe_url"),
        (without(&confirmation(), "/SubscribeURL"), "missing"),
        (with(&confirmation(), "/Token", json!("a&TopicArn=b")), "bad_token"),
        (with(&confirmation(), "/Token", json!("")), "bad_token"),
    ];
    for (body, reason) in cases {
        let refused = open(&body).unwrap_err();
        assert_eq!(refused.code(), reason, "{refused}");
    }
    let fault = open(&cert("https://sns.eu-west-1.amazonaws.com:444/x.pem")).unwrap_err();
    assert!(matches!(fault, Refused::CertUrl { fault: UrlFault::Port, .. }));
    let old = with(&e, "/SignatureVersion", json!("1"));
    assert!(open_at(&old, "2026-03-01T10:00:07Z", &[TOPIC.to_owned()], false).is_ok());
    let parsed = Envelope::parse(e.to_string().as_bytes()).unwrap();
    assert_eq!(parsed.kind(), MessageType::Notification);
    assert!(parsed.agrees_with_headers(Some("Notification"), Some(TOPIC), None).is_ok());
    let differs = parsed.agrees_with_headers(Some("UnsubscribeConfirmation"), None, None).unwrap_err();
    assert_eq!(differs, Refused::Header { header: "x-amz-sns-message-type" });
    // From a queue a message may be days old.
    let trust = Trust {
        topics: &[TOPIC.to_owned()],
        now: t("2026-03-09T00:00:00Z"),
        age_s_max: None,
        require_version_2: true,
    };
    assert!(parsed.judge(&trust).is_ok());
}
