//! What no sender of good will writes: flipped bits, cut bodies, huge numbers. Nothing panics, nothing gains trust.

use serde_json::{Value, json};

use super::sns::{Envelope, Trust};
use super::tests::{ARN, TOPIC, envelope, event, message, t, with};
use super::{Shape, recognise, subject};
use crate::limits;
use crate::model::alarm_event::{Delivery, Via};

fn carrier() -> Delivery {
    Delivery { via: Via::Sqs, id: "q".to_owned() }
}

/// Reads a body as far as it goes, which must not panic, and returns the alarm's ARN if there is one.
fn arn(body: &[u8]) -> Option<String> {
    match recognise(body, &carrier()) {
        Ok(Shape::Alarm(event)) => {
            let about = subject::subject(&event, &[], t("2026-03-01T10:05:00Z"));
            assert!(about.alarm.window.contains(event.at) && about.alarm.baseline.len() == 3);
            Some(event.arn)
        }
        Ok(Shape::Envelope(_) | Shape::Service(_) | Shape::Text(_)) => None,
        Err(refused) => {
            let sentence = refused.to_string();
            assert!(sentence.len() < 1_024 && !sentence.chars().any(char::is_control), "{sentence}");
            None
        }
    }
}

#[test]
fn flipped_bits_never_make_a_topic_trusted_nor_a_change_unsigned() {
    let body = envelope(&message().to_string()).to_string().into_bytes();
    let original = Envelope::parse(&body).unwrap();
    let topics = [TOPIC.to_owned()];
    let trust = Trust {
        topics: &topics,
        now: t("2026-03-01T10:00:07Z"),
        age_s_max: Some(limits::SNS_AGE_S_MAX),
        require_version_2: false,
    };
    let whole = original.clone().judge(&trust).unwrap();
    let mut judged = 0;
    for at in 0..body.len() {
        for bit in 0..8 {
            let mut flipped = body.clone();
            flipped[at] ^= 1 << bit;
            let Ok(parsed) = Envelope::parse(&flipped) else { continue };
            let Ok(seen) = parsed.clone().judge(&trust) else { continue };
            judged += 1;
            assert_eq!(seen.topic().as_str(), TOPIC);
            // Whatever was read differently is covered by the signature, or is what the signature is checked with.
            let signed = seen.string_to_sign() == whole.string_to_sign()
                && seen.signature() == whole.signature()
                && seen.cert_url() == whole.cert_url()
                && seen.version() == whole.version();
            assert!(!signed || parsed == original, "byte {at}, bit {bit}");
        }
    }
    assert!(judged > 1_000, "flips inside the message pass and are left to the signature: {judged}");
}

#[test]
fn flipped_bits_and_cut_bodies_never_panic() {
    for body in [message().to_string(), event().to_string()] {
        let body = body.into_bytes();
        assert!(arn(&body).is_some());
        for at in 0..body.len() {
            assert_eq!(arn(&body[..at]), None);
            for bit in 0..8 {
                let mut flipped = body.clone();
                flipped[at] ^= 1 << bit;
                arn(&flipped);
            }
        }
    }
}

/// JSON pointers of all fields below a value.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), v)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (key, v) in parts {
        let path = format!("{at}/{key}");
        pointers(v, &path, found);
        found.push(path);
    }
}

#[test]
fn any_field_may_be_anything() {
    let odd = [
        json!(null),
        json!(true),
        json!(-7),
        json!(1e300),
        json!(""),
        json!("\u{202e}\u{0}{[<\u{1b}"),
        json!([]),
        json!({}),
        json!([[{}]]),
        json!({"": {"": null}}),
        json!("x".repeat(300_000)),
        json!(vec![json!({"name": "n", "value": "v"}); 600]),
    ];
    for body in [message(), event(), envelope(&message().to_string())] {
        let mut fields = Vec::new();
        pointers(&body, "", &mut fields);
        for field in &fields {
            for value in &odd {
                let mut changed = body.clone();
                *changed.pointer_mut(field).unwrap() = value.clone();
                // Where the alarm is still read, it is still this one.
                let read = arn(changed.to_string().as_bytes());
                assert!(read.is_none_or(|a| a == ARN), "{field}");
            }
        }
    }
}

#[test]
fn depth_is_counted_outside_texts_only() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    let refused = |body: &str| format!("{:?}", recognise(body.as_bytes(), &carrier()).unwrap_err());
    assert!(refused(&nested(limits::JSON_DEPTH_MAX)).starts_with("UnknownShape"));
    assert!(refused(&nested(limits::JSON_DEPTH_MAX + 1)).starts_with("TooDeep"));
    assert!(refused(&nested(400_000)).starts_with("TooDeep"));
    let text = with(&message(), "/AlarmDescription", json!("[{\\\"".repeat(100)));
    assert!(arn(text.to_string().as_bytes()).is_some());
}

#[test]
fn huge_numbers_are_no_thresholds_and_no_periods() {
    for number in ["1e308", "-1e308", "18446744073709551616", "1e-400", "0.0000000001", "-0"] {
        let body = message().to_string();
        let body = body.replace("\"Threshold\":5.0", &format!("\"Threshold\":{number}"));
        let body = body.replace("\"Period\":300", &format!("\"Period\":{number}"));
        let Ok(Shape::Alarm(seen)) = recognise(body.as_bytes(), &carrier()) else { panic!("{number}") };
        assert!(seen.threshold.unwrap().is_finite());
        assert_eq!(seen.metrics[0].period_s, None);
    }
}

#[test]
fn a_key_that_occurs_twice_is_refused_at_any_depth() {
    let twice = envelope("x").to_string().replace("{\"Message\"", "{\"TopicArn\":\"arn:x\",\"Message\"");
    let refused = Envelope::parse(twice.as_bytes()).unwrap_err().to_string();
    assert!(refused.contains("`TopicArn` occurs twice"), "{refused}");
    // Spelled with an escape it is the same key.
    let escaped =
        envelope("x").to_string().replace("{\"Message\"", "{\"Topic\\u0041rn\":\"arn:x\",\"Message\"");
    assert!(Envelope::parse(escaped.as_bytes()).is_err());
    let inner = message().to_string().replace("\"Period\":300", "\"Period\":300,\"Period\":60");
    assert_eq!(arn(inner.as_bytes()), None);
}

#[test]
fn absurd_times_stay_within_bounds() {
    for at in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59.999+0000"] {
        let body = with(&message(), "/StateChangeTime", json!(at));
        let Ok(Shape::Alarm(seen)) = recognise(body.to_string().as_bytes(), &carrier()) else { continue };
        let about = subject::subject(&seen, &[], t("2026-03-01T10:05:00Z"));
        assert!(about.alarm.window.start <= about.alarm.window.end);
        assert_eq!(seen.key(), seen.key());
    }
}
