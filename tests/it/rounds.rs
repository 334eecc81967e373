//! Further rounds of collection: what is provisional, what a later round changes, and that it says so.

use serde_json::{Value, json};

use crate::support::{SmallBundle, tantei_ok};

/// The document of a bundle as it was known at these times, one round each.
fn rounds(bundle: &SmallBundle, times: &[&str]) -> Value {
    let mut args = vec!["investigate", "--bundle", bundle.path().to_str().unwrap(), "--json"];
    times.iter().for_each(|t| args.extend(["--at", t]));
    serde_json::from_str(&tantei_ok(&args)).unwrap()
}

fn points(value: impl Fn(u32) -> f64) -> Vec<Value> {
    (0..25).map(|k| json!([k * 60, value(k)])).collect()
}

fn line(resource: &str, value: impl Fn(u32) -> f64) -> String {
    let points = points(value);
    json!({"resource": resource, "name": "m", "stat": "Average", "unit": null, "period_s": 60, "points": points})
        .to_string()
}

fn conclusions(document: &Value) -> Vec<&Value> {
    let feed = document["feed"].as_array().unwrap();
    feed.iter().map(|i| &i["body"]).filter(|b| b["item"] == "concluded").collect()
}

/// `front` is slow from minute 17 on; `back` only from minute 20 on, and then explains it.
fn late_culprit() -> SmallBundle {
    let bundle = SmallBundle::new();
    let wobble = |k: u32| 0.01 * f64::from(k % 3);
    let front = line("front", |k| 1.0 + wobble(k) + if k >= 17 { 5.0 } else { 0.0 });
    let back = line("back", |k| 1.0 + wobble(k) + if k >= 20 { 5.0 } else { 0.0 });
    bundle.write("metrics.jsonl", &[front, back].join("\n"));
    bundle
}

#[test]
fn a_later_round_ranks_again_and_says_what_changed() {
    let bundle = late_culprit();
    let document = rounds(&bundle, &["1970-01-01T00:19:00Z", "1970-01-01T00:25:00Z"]);
    let concluded = conclusions(&document);
    assert_eq!(concluded.len(), 2);
    assert!(concluded[0].get("revised").is_none(), "the first one revises nothing");
    let kinds: Vec<&str> =
        concluded[1]["revised"].as_array().unwrap().iter().filter_map(|r| r["revision"].as_str()).collect();
    assert!(kinds.contains(&"evidence"), "{kinds:?}");
    assert!(kinds.contains(&"lead"), "{}", concluded[1]);
    assert_eq!(document["hypotheses"][0]["cause"], "back");
    let once = rounds(&bundle, &["1970-01-01T00:25:00Z"]);
    assert_eq!(document["ranking"][0]["resource"], once["ranking"][0]["resource"]);
    assert_eq!(
        document["ranking"][0]["score"], once["ranking"][0]["score"],
        "rounds end where one look does"
    );
}

#[test]
fn what_is_the_same_is_not_recorded_again() {
    let bundle = SmallBundle::new();
    let once = rounds(&bundle, &["1970-01-01T00:25:00Z"]);
    let twice = rounds(&bundle, &["1970-01-01T00:24:00Z", "1970-01-01T00:25:00Z"]);
    let count = |d: &Value, kind: &str| {
        d["feed"].as_array().unwrap().iter().filter(|i| i["body"]["item"] == kind).count()
    };
    assert_eq!(count(&twice, "topology"), count(&once, "topology"));
    assert_eq!(count(&twice, "gap"), count(&once, "gap") + changed_gaps(&twice));
    assert_eq!(twice["gaps"].as_array().unwrap().len(), once["gaps"].as_array().unwrap().len());
    let text = tantei_ok(&[
        "investigate",
        "--bundle",
        bundle.path().to_str().unwrap(),
        "--at",
        "1970-01-01T00:24:00Z",
        "--at",
        "1970-01-01T00:25:00Z",
        "--lang",
        "ja",
    ]);
    assert!(text.contains("第 2 ラウンド"), "{text}");
    assert!(text.contains("結論は前回と同じ"), "{text}");
}

/// Gaps of the first round whose span ended earlier: they come again with the longer one.
fn changed_gaps(document: &Value) -> usize {
    let feed = document["feed"].as_array().unwrap();
    let outdated = feed.iter().filter(|i| i["body"]["item"] == "collected");
    outdated
        .flat_map(|i| i["body"]["outdated"].as_array().cloned().unwrap_or_default())
        .filter(|id| id.as_str().is_some_and(|id| id.starts_with("G-")))
        .count()
}

#[test]
fn less_than_one_period_after_the_onset_is_provisional() {
    let bundle = SmallBundle::new();
    let early = rounds(&bundle, &["1970-01-01T00:18:30Z"]);
    assert_eq!(conclusions(&early)[0]["provisional"], true);
    let late = rounds(&bundle, &["1970-01-01T00:18:30Z", "1970-01-01T00:22:00Z"]);
    assert_eq!(conclusions(&late).last().unwrap()["provisional"], false);
}

#[test]
fn an_alarm_whose_threshold_is_usual_is_called_that() {
    let bundle = SmallBundle::new();
    let quiet = |k: u32| 1.0 + 0.1 * f64::from(k % 4);
    bundle.write("metrics.jsonl", &[line("front", quiet), line("back", quiet)].join("\n"));
    let alarm = |threshold: f64| {
        json!({"t": 1_080_000, "resource": "front", "alarm": {
            "AlarmName": "front-m", "NewStateValue": "ALARM", "OldStateValue": "OK",
            "NewStateReason": "Threshold Crossed", "Trigger": {"MetricName": "m", "Threshold": threshold},
        }})
    };
    for (threshold, usual) in [(1.2, true), (4.0, false)] {
        bundle.write("alarms.jsonl", &alarm(threshold).to_string());
        let document = rounds(&bundle, &[]);
        let abstained = document["investigation"]["abstained"].as_array().unwrap();
        assert!(abstained.contains(&json!("target_quiet")), "{abstained:?}");
        assert_eq!(abstained.contains(&json!("threshold_usual")), usual, "{threshold}: {abstained:?}");
    }
}
