//! Every payload under `shared/fixtures/intake` and the forgeries under `shared/security` against the intake.
//!
//! Signatures need a certificate and are checked in the shell: what only a signature can refuse is listed by name.

use std::path::Path;

use serde_json::{Value, json};
use tantei_engine::intake::sns::{Authenticity, Envelope, Opened, Trust};
use tantei_engine::intake::subject::subject;
use tantei_engine::intake::{Refused, Shape, UrlFault, recognise};
use tantei_engine::limits;
use tantei_engine::model::alarm::AlarmState;
use tantei_engine::model::alarm_event::{AlarmEvent, AlarmKind, Delivery, SuppressedBy, Via};
use tantei_engine::model::service_event::ServiceEventKind;
use tantei_engine::model::time::Timestamp;

use crate::support::shared;

const TOPIC: &str = "arn:aws:sns:ap-northeast-1:111122223333:prod-alarms";

/// Forgeries in which everything is right but the signature: refused by the verifier in the shell.
const LEFT_TO_THE_VERIFIER: [&str; 2] = ["bad_sns_signed_by_other_key.json", "bad_sns_tampered_message.json"];

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn parsed(path: &Path) -> Value {
    serde_json::from_str(&text(path)).unwrap()
}

fn t(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn read(body: &str) -> Result<Shape, Refused> {
    recognise(body.as_bytes(), &Delivery { via: Via::Sqs, id: "queue-1".to_owned() })
}

/// Judges and opens an envelope half a minute after it was written, or at `now`.
fn open_at(body: &str, now: Option<&str>) -> Result<Opened, Refused> {
    let envelope = Envelope::parse(body.as_bytes())?;
    let written: Value = serde_json::from_str(body).unwrap();
    let now = now.map_or_else(|| t(written["Timestamp"].as_str().unwrap()).plus_secs(30), t);
    let topics = [TOPIC.to_owned(), format!("{TOPIC}.fifo")];
    let trust =
        Trust { topics: &topics, now, age_s_max: Some(limits::SNS_AGE_S_MAX), require_version_2: false };
    envelope.judge(&trust)?.open(Authenticity::Signature)
}

fn open(body: &str) -> Result<Opened, Refused> {
    open_at(body, None)
}

fn alarm(read: Result<Shape, Refused>, file: &str) -> AlarmEvent {
    match read {
        Ok(Shape::Alarm(event)) => *event,
        other => panic!("{file}: {other:?}"),
    }
}

fn published(body: &str, file: &str) -> AlarmEvent {
    match open(body) {
        Ok(Opened::Published(shape)) => alarm(Ok(shape), file),
        other => panic!("{file}: {other:?}"),
    }
}

/// What every accepted alarm of the fixtures must say, and what an investigation makes of it.
fn check(event: &AlarmEvent, kind: AlarmKind, file: &str) {
    assert_eq!(event.kind, kind, "{file}");
    assert_eq!((event.region.as_str(), event.account.as_str()), ("ap-northeast-1", "111122223333"), "{file}");
    let back: AlarmEvent = serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap();
    assert_eq!(&back, event, "{file}");
    let about = subject(event, &[], event.at.plus_secs(60));
    assert!(about.alarm.window.contains(event.at), "{file}");
    let resource = about.alarm.resource.as_str();
    let expected = match (kind, event.name.raw()) {
        (_, "checkout-api-p99-latency" | "checkout-5xx-rate") => {
            "arn:aws:elasticloadbalancing:ap-northeast-1:111122223333:loadbalancer/app/shop-prod/50dc6c495c0c9188"
        }
        (_, "orders-db-cpu") => "arn:aws:rds:ap-northeast-1:111122223333:db:orders-prod-1",
        (_, "orders-lambda-duration-anomaly") => {
            "arn:aws:lambda:ap-northeast-1:111122223333:function:orders-writer"
        }
        (AlarmKind::Contributor, _) => "arn:aws:dynamodb:ap-northeast-1:111122223333:table/orders-prod",
        (AlarmKind::Composite, _) => {
            "arn:aws:cloudwatch:ap-northeast-1:111122223333:alarm:checkout-api-p99-latency"
        }
        (AlarmKind::Math, _) => "arn:aws:cloudwatch:ap-northeast-1:111122223333:alarm:ddb-throttle-by-table",
        _ => "Shop/決済:Stage=本番",
    };
    assert_eq!(resource, expected, "{file}");
}

fn alarm_kind(file: &str) -> AlarmKind {
    for (part, kind) in [
        ("anomaly", AlarmKind::AnomalyDetection),
        ("composite", AlarmKind::Composite),
        ("math", AlarmKind::Math),
        ("contributor", AlarmKind::Contributor),
        ("metrics_insights_alarm", AlarmKind::Math),
    ] {
        if file.contains(part) {
            return kind;
        }
    }
    AlarmKind::Metric
}

#[test]
fn every_fixture_is_accepted_or_refused_as_it_should() {
    let Some(folder) = shared().map(|s| s.join("fixtures/intake")) else { return };
    let mut names: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() >= 84, "{}", names.len());
    for file in &names {
        let path = folder.join(file);
        match file.as_str() {
            "INDEX.json" | "sns_string_to_sign_vectors.json" => {}
            "investigation_action.json" => investigation_action(&folder, &parsed(&path)),
            name if name.ends_with(".pem") => {}
            name if name.ends_with(".headers.json") => headers(&folder, name),
            name if name.starts_with("bad_") => bad(name, &text(&path)),
            name if name.starts_with("alarm_message_") || name.starts_with("lambda_action_") => {
                check(&alarm(read(&text(&path)), name), alarm_kind(name), name);
            }
            name if name.starts_with("eventbridge_") => event(name, &text(&path)),
            name if name.starts_with("sns_") => envelope(name, &text(&path)),
            name if name.starts_with("sqs_receive_") => queue(name, &parsed(&path)),
            name => panic!("{name} is new: say here what becomes of it"),
        }
    }
}

fn bad(file: &str, body: &str) {
    if LEFT_TO_THE_VERIFIER.contains(&file) {
        assert!(open(body).is_ok(), "{file}");
        return;
    }
    let now = (file == "bad_sns_stale_timestamp.json").then_some("2026-10-14T03:22:00Z");
    let refused = open_at(body, now).unwrap_err();
    let cert = |fault| matches!(&refused, Refused::CertUrl { fault: f, .. } if *f == fault);
    let right = match file {
        "bad_sns_cert_url_host.json" | "bad_sns_cert_url_s3.json" => cert(UrlFault::Host),
        "bad_sns_cert_url_http.json" => cert(UrlFault::Scheme),
        "bad_sns_cert_url_notpem.json" => cert(UrlFault::Query),
        "bad_sns_cert_url_port.json" => cert(UrlFault::Port),
        "bad_sns_cert_url_userinfo.json" => cert(UrlFault::User),
        "bad_sns_stale_timestamp.json" => refused.code() == "stale",
        "bad_sns_subscribe_url_host.json" => refused.code() == "subscribe_url",
        "bad_sns_unknown_signature_version.json" => refused.code() == "unknown_signature_version",
        "bad_sns_wrong_topic.json" => refused.code() == "foreign_topic",
        _ => false,
    };
    assert!(right, "{file}: {refused}");
}

fn event(file: &str, body: &str) {
    let kind = match file {
        "eventbridge_alarm_configuration_change.json" => ServiceEventKind::AlarmConfiguration,
        "eventbridge_cloudtrail_api_call.json" => ServiceEventKind::ApiCall,
        "eventbridge_codedeploy_state_change.json" => ServiceEventKind::CodeDeploy,
        "eventbridge_ecs_deployment_state_change.json" => ServiceEventKind::EcsDeployment,
        "eventbridge_health_event.json" => ServiceEventKind::Health,
        "eventbridge_ssm_automation_execution_status.json" => ServiceEventKind::AutomationExecution,
        "eventbridge_ssm_automation_step_status.json" => ServiceEventKind::AutomationStep,
        _ => {
            let seen = alarm(read(body), file);
            check(&seen, alarm_kind(file), file);
            let by = match file {
                f if f.contains("suppressed_alarm") => vec![SuppressedBy::Alarm],
                f if f.contains("extensionperiod") => vec![SuppressedBy::ExtensionPeriod],
                f if f.contains("waitperiod") => vec![SuppressedBy::WaitPeriod],
                f if f.contains("muted") => vec![SuppressedBy::MuteRule],
                _ => Vec::new(),
            };
            assert_eq!(seen.suppressed.iter().map(|s| s.by).collect::<Vec<_>>(), by, "{file}");
            return;
        }
    };
    let Ok(Shape::Service(seen)) = read(body) else { panic!("{file}") };
    assert_eq!(seen.kind, kind, "{file}");
    assert!(!seen.facts.is_empty(), "{file}");
}

fn envelope(file: &str, body: &str) {
    match file {
        "sns_raw_delivery_metric_alarm.body.json" => {
            assert_eq!(Envelope::parse(body.as_bytes()), Err(Refused::NotAnEnvelope));
            check(&alarm(read(body), file), AlarmKind::Metric, file);
        }
        "sns_notification_plain_text_no_subject.json" => {
            assert!(matches!(open(body), Ok(Opened::Published(Shape::Text(_)))));
        }
        // Its inner event is a stub without resources, which is told so; the full one comes over SQS.
        "sns_notification_eventbridge_over_sns.json" => {
            assert_eq!(open(body), Err(Refused::Missing { path: "resources[0]".to_owned() }));
        }
        "sns_subscription_confirmation.json" | "sns_subscription_confirmation_sigv1.json" => {
            let Ok(Opened::Confirm(seen)) = open(body) else { panic!("{file}") };
            let said: Value = serde_json::from_str(body).unwrap();
            let said = said["SubscribeURL"].as_str().unwrap().to_owned();
            assert_eq!(seen.url().replace("%3A", ":"), said, "{file}");
        }
        "sns_unsubscribe_confirmation.json" => {
            assert!(matches!(open(body), Ok(Opened::Unsubscribed(_))));
        }
        _ => {
            let seen = published(body, file);
            check(&seen, alarm_kind(file), file);
            let state = match file {
                "sns_notification_metric_ok.json" => AlarmState::Ok,
                "sns_notification_metric_insufficient_data.json" => AlarmState::InsufficientData,
                _ => AlarmState::Alarm,
            };
            assert_eq!(seen.state, state, "{file}");
        }
    }
}

fn headers(folder: &Path, file: &str) {
    let said = parsed(&folder.join(file));
    let Ok(body) = std::fs::read_to_string(folder.join(file.replace(".headers.json", ".json"))) else {
        assert_eq!(said["x-amz-sns-rawdelivery"], "true", "{file}");
        return;
    };
    let header = |name: &str| said[name].as_str();
    let seen = Envelope::parse(body.as_bytes()).unwrap();
    let (kind, topic) = (header("x-amz-sns-message-type"), header("x-amz-sns-topic-arn"));
    assert_eq!(seen.agrees_with_headers(kind, topic, header("x-amz-sns-message-id")), Ok(()), "{file}");
}

fn queue(file: &str, received: &Value) {
    for message in received["Messages"].as_array().unwrap() {
        let body = message["Body"].as_str().unwrap();
        if file == "sqs_receive_poison.json" {
            assert_eq!(read(body).unwrap_err().code(), "not_json");
            continue;
        }
        let seen = match read(body) {
            Ok(Shape::Envelope(_)) => published(body, file),
            other => alarm(other, file),
        };
        check(&seen, AlarmKind::Metric, file);
        let raw = file == "sqs_receive_sns_raw.json";
        assert_eq!(seen.delivery.id == "queue-1", raw, "{file}");
    }
}

fn investigation_action(folder: &Path, sample: &Value) {
    let mut message = parsed(&folder.join("alarm_message_metric.json"));
    let formats = sample["alarm_action_arn_formats"].as_array().unwrap();
    let dedupe: Vec<Option<String>> = formats
        .iter()
        .map(|arn| {
            message["AlarmActions"] = json!([arn]);
            let seen = alarm(read(&message.to_string()), "investigation_action.json");
            seen.dedupe.map(|d| d.raw().to_owned())
        })
        .collect();
    assert_eq!(dedupe, [None, Some("webserver-performance".to_owned())]);
}

/// Copies of one change through four ways have one key.
#[test]
fn copies_of_the_fixtures_change_collapse() {
    let Some(folder) = shared().map(|s| s.join("fixtures/intake")) else { return };
    let key = |file: &str| alarm(read(&text(&folder.join(file))), file).key();
    let first = key("alarm_message_metric.json");
    assert_eq!(key("eventbridge_metric_alarm.json"), first);
    assert_eq!(key("lambda_action_metric.json"), first);
    assert_eq!(published(&text(&folder.join("sns_notification_metric_alarm.json")), "").key(), first);
    assert_ne!(key("eventbridge_metric_ok.json"), first);
}

#[test]
fn the_string_to_sign_is_that_of_the_vectors() {
    let Some(folder) = shared().map(|s| s.join("fixtures/intake")) else { return };
    let vectors = parsed(&folder.join("sns_string_to_sign_vectors.json"));
    let vectors = vectors.as_array().unwrap();
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let body = text(&folder.join(vector["file"].as_str().unwrap()));
        let seen = Envelope::parse(body.as_bytes()).unwrap();
        assert_eq!(seen.string_to_sign(), vector["string_to_sign"].as_str().unwrap());
    }
    // The two forgeries that are left to the verifier parse, so that there is something to verify.
    let sign = |file: &str| Envelope::parse(text(&folder.join(file)).as_bytes()).unwrap().string_to_sign();
    for file in LEFT_TO_THE_VERIFIER {
        assert!(sign(file).ends_with(&format!("TopicArn\n{TOPIC}\nType\nNotification\n")), "{file}");
    }
}

#[test]
fn signing_urls_are_told_apart_before_anything_is_fetched() {
    let Some(folder) = shared().map(|s| s.join("security")) else { return };
    let template = parsed(&folder.join("../fixtures/intake/sns_notification_metric_alarm.json"));
    let (mut taken, mut refused) = (0, 0);
    for line in text(&folder.join("sns_signing_url_cases.jsonl")).lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let url = case["url"].as_str().unwrap();
        let accept = case["accept"].as_bool().unwrap();
        let region = if accept { url.split('.').nth(1).unwrap() } else { "ap-northeast-1" };
        let partition = match region {
            r if r.starts_with("cn-") => "aws-cn",
            r if r.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        let topic = format!("arn:{partition}:sns:{region}:111122223333:prod-alarms");
        let mut body = template.clone();
        body["TopicArn"] = json!(topic);
        body["SigningCertURL"] = json!(url);
        let trust = Trust {
            topics: &[topic],
            now: t("2026-10-14T03:22:00Z"),
            age_s_max: Some(limits::SNS_AGE_S_MAX),
            require_version_2: true,
        };
        let seen = Envelope::parse(body.to_string().as_bytes()).and_then(|e| e.judge(&trust));
        assert_eq!(seen.is_ok(), accept, "{url}");
        *(if accept { &mut taken } else { &mut refused }) += 1;
    }
    assert_eq!((taken, refused), (7, 57));
}

/// What becomes of a mutation of the true notification: the code of the refusal, or where else it is refused.
fn fate(case: &str, true_one: &Value) -> Result<(Value, &'static str), &'static str> {
    let with = |key: &str, value: Value| {
        let mut body = true_one.clone();
        body.as_object_mut().unwrap().insert(key.to_owned(), value);
        body
    };
    let without = |key: &str| {
        let mut body = true_one.clone();
        body.as_object_mut().unwrap().remove(key);
        body
    };
    let inner = |change: fn(&mut Value)| {
        let mut message: Value = serde_json::from_str(true_one["Message"].as_str().unwrap()).unwrap();
        change(&mut message);
        with("Message", json!(message.to_string()))
    };
    Ok(match case {
        "signature_empty" => (with("Signature", json!("")), "bad_signature"),
        "v1_sha1_when_v2_required" => (with("SignatureVersion", json!("1")), "signature_version_too_old"),
        "version_3" => (with("SignatureVersion", json!("3")), "unknown_signature_version"),
        "version_missing" => (without("SignatureVersion"), "missing"),
        "topic_changed" | "topic_valid_other_account" | "subscribe_unknown_topic" => {
            (with("TopicArn", json!(TOPIC.replace("1111", "2222"))), "foreign_topic")
        }
        "topic_other_region" => {
            (with("TopicArn", json!(TOPIC.replace("ap-northeast-1", "us-east-1"))), "foreign_topic")
        }
        "topic_case" => (with("TopicArn", json!(TOPIC.to_uppercase())), "bad_arn"),
        "topic_suffix" => (with("TopicArn", json!(format!("{TOPIC}x"))), "foreign_topic"),
        "type_swap" => (with("Type", json!("SubscriptionConfirmation")), "missing"),
        "type_unsub" => (with("Type", json!("UnsubscribeConfirmation")), "missing"),
        "timestamp_old" => (with("Timestamp", json!("2026-10-14T01:21:09.412Z")), "stale"),
        "timestamp_future" => (with("Timestamp", json!("2026-10-14T04:21:09.412Z")), "from_the_future"),
        "timestamp_garbage" => (with("Timestamp", json!("x")), "bad_time"),
        "subscribe_url_foreign" => {
            let mut body = with("Type", json!("SubscriptionConfirmation"));
            body["SubscribeURL"] = json!("https://attacker.example");
            body["Token"] = json!("abc");
            (body, "subscribe_url")
        }
        "body_257k" => (with("Message", json!("x".repeat(257 * 1_024))), "too_long"),
        "body_1m1" => (with("Message", json!("x".repeat(1_048_577))), "body_too_large"),
        "message_json_array" => (with("Message", json!("[]")), "unknown_shape"),
        "alarm_name_10k" => (inner(|m| m["AlarmName"] = json!("n".repeat(10_000))), "too_long"),
        "alarm_unknown_state" => (inner(|m| m["NewStateValue"] = json!("FOO")), "unknown_state"),
        "alarm_missing_trigger" => (inner(|m| drop(m.as_object_mut().unwrap().remove("Trigger"))), "missing"),
        "raw_delivery_enabled" => {
            (serde_json::from_str(true_one["Message"].as_str().unwrap()).unwrap(), "not_an_envelope")
        }
        "signature_truncated"
        | "signature_of_other_message"
        | "message_changed"
        | "subject_added"
        | "subject_removed" => {
            return Err("the verifier: the signature does not fit");
        }
        "message_id_replay" | "message_id_reused_new_body" => return Err("the store: the delivery is known"),
        "cert_self_signed" | "cert_wrong_cn" | "cert_expired" | "cert_rsa512" | "cert_ecdsa"
        | "cert_huge" | "cert_slow" | "cert_redirect" | "cert_404" => {
            return Err("the verifier: the certificate");
        }
        "unsubscribe_url_click" => return Err("nobody: UnsubscribeURL is not even read"),
        "content_type_json" | "header_body_mismatch" | "body_gzip_bomb" => return Err("the HTTP surface"),
        "duplicate_json_keys" | "body_utf16" | "body_lone_surrogate" => {
            return Err("the test below, as bytes");
        }
        "message_not_json" => return Err("nobody: it is recorded as text, not as an alarm"),
        other => panic!("{other} is new: say here what becomes of it"),
    })
}

#[test]
fn every_mutation_of_an_envelope_has_its_fate() {
    let Some(folder) = shared() else { return };
    let true_one = parsed(&folder.join("fixtures/intake/sns_notification_metric_alarm.json"));
    let cases = parsed(&folder.join("security/sns_envelope_mutations.json"));
    let (mut here, mut elsewhere) = (0, 0);
    for case in cases.as_array().unwrap() {
        let case = case["case"].as_str().unwrap();
        let Ok((body, code)) = fate(case, &true_one) else {
            elsewhere += 1;
            continue;
        };
        here += 1;
        let trust = Trust {
            topics: &[TOPIC.to_owned()],
            now: t("2026-10-14T03:21:30Z"),
            age_s_max: Some(limits::SNS_AGE_S_MAX),
            require_version_2: true,
        };
        let opened = Envelope::parse(body.to_string().as_bytes())
            .and_then(|e| e.judge(&trust))
            .and_then(|j| j.open(Authenticity::Signature));
        assert_eq!(opened.unwrap_err().code(), code, "{case}");
    }
    assert_eq!((here, elsewhere), (23, 24));
    let body = true_one.to_string();
    let utf16: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(Envelope::parse(&utf16).is_err());
    let surrogate = body.replace("\"Subject\":\"", "\"Subject\":\"\\ud800");
    assert_eq!(Envelope::parse(surrogate.as_bytes()).unwrap_err().code(), "not_json");
    let twice = body.replacen('{', &format!("{{\"TopicArn\":\"{TOPIC}\","), 1);
    assert_eq!(Envelope::parse(twice.as_bytes()).unwrap_err().code(), "duplicate_key");
}
