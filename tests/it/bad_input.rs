//! Bad input gets an error that names the file, the line, the field and a remedy; one broken file is a gap.

use serde_json::Value;

use crate::support::{SmallBundle, document, tantei};

fn failure(bundle: &SmallBundle) -> String {
    let output = tantei(&["investigate", "--json", "--bundle", bundle.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_good_small_bundle_names_the_callee() {
    let document = document(SmallBundle::new().path());
    assert_eq!(document["ranking"][0]["resource"], "back");
}

#[test]
fn a_malformed_manifest_is_refused_with_place_and_remedy() {
    type Breakage = fn(&mut Value);
    let cases: [(Breakage, &str); 6] = [
        (|m| drop(m["trigger"].as_object_mut().unwrap().remove("metric")), "metric"),
        (|m| m["format"] = "incident-bundle/9".into(), "format"),
        (|m| m["trigger"]["at"] = "yesterday".into(), "trigger.at"),
        (|m| m["trigger"]["direction"] = "sideways".into(), "trigger.direction"),
        (|m| m["window"]["end"] = "1970-01-01T00:00:00Z".into(), "window"),
        (|m| m["trigger"]["resource"] = "".into(), "trigger.resource"),
    ];
    for (breakage, field) in cases {
        let bundle = SmallBundle::new();
        let mut manifest = bundle.manifest();
        breakage(&mut manifest);
        bundle.write("incident.json", &manifest.to_string());
        let message = failure(&bundle);
        assert!(message.contains("incident.json") && message.contains(field), "{field}: {message}");
    }
    let bundle = SmallBundle::new();
    bundle.write("incident.json", "{\n \"format\": ");
    assert!(failure(&bundle).contains("line 2"));
}

#[test]
fn a_missing_folder_and_a_wrong_time_are_refused() {
    let output = tantei(&["investigate", "--bundle", "/nowhere/at/all"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere/at/all"));
    let bundle = SmallBundle::new();
    let path = bundle.path().to_str().unwrap();
    let output = tantei(&["investigate", "--bundle", path, "--at", "2031-01-01T00:00:00Z"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("outside the incident"));
    assert_eq!(tantei(&["investigate", "--bundle", path, "--at", "soon"]).status.code(), Some(2));
}

/// The gaps of a bundle in which one file has this content.
fn gaps_with(file: &str, content: &[u8]) -> Vec<Value> {
    let bundle = SmallBundle::new();
    std::fs::write(bundle.path().join(file), content).unwrap();
    let document = document(bundle.path());
    if !file.starts_with("metrics") && !file.starts_with("topology") {
        assert_eq!(document["ranking"][0]["resource"], "back", "the other files were used");
    }
    document["gaps"].as_array().unwrap().clone()
}

#[test]
fn one_broken_file_is_a_gap_and_the_rest_is_investigated() {
    let line = br#"{"t": 1000000, "resource": "front", "stream": "s", "message": 5}"#;
    let gaps = gaps_with("logs.jsonl", line);
    let gap = gaps.iter().find(|g| g["reason"] == "malformed").unwrap();
    assert_eq!(gap["place"], "logs.jsonl line 1");
    assert!(gap["detail"].as_str().unwrap().contains("`message`"), "{gap}");
    for (file, content) in [
        ("metrics.jsonl", &b"{\"resource\": \"a\"}"[..]),
        ("spans.jsonl", b"not json at all"),
        ("changes.jsonl", b"[1,2"),
        ("alarms.jsonl", b"{\"t\": \"x\"}"),
        ("topology.json", b"{\"nodes\": [1]}"),
        ("logs.jsonl.zst", b"this is no zstandard frame"),
        ("spans.jsonl.zst", b"\x28\xb5\x2f\xfd"),
        ("logs.jsonl", &[0xff, 0xfe, 0x00]),
    ] {
        let gaps = gaps_with(file, content);
        let malformed =
            |g: &&Value| g["reason"] == "malformed" && g["place"].as_str().unwrap().contains(file);
        assert!(gaps.iter().any(|g| malformed(&g)), "{file}: {gaps:?}");
    }
}

#[test]
fn good_lines_around_bad_ones_are_used_and_the_bad_ones_counted() {
    let bundle = SmallBundle::new();
    let metrics = std::fs::read_to_string(bundle.path().join("metrics.jsonl")).unwrap();
    bundle.write("metrics.jsonl", &format!("nonsense\n{metrics}\n{{}}\n"));
    let document = document(bundle.path());
    assert_eq!(document["ranking"][0]["resource"], "back");
    let gaps = document["gaps"].as_array().unwrap();
    let gap = gaps.iter().find(|g| g["reason"] == "malformed").unwrap();
    assert_eq!(gap["lost"], 2);
    assert_eq!(gap["place"], "metrics.jsonl line 1");
}

#[test]
fn poor_data_gives_a_result_or_a_gap_and_never_a_failure() {
    // No topology, no baseline, only nulls, one-sided resources, no target, duplicate and unsorted points.
    let target = r#"{"resource":"front","name":"m","stat":"Average","unit":null,"period_s":60,"points":[[1140,null]]}"#;
    let other = r#"{"resource":"x","name":"m","stat":"Average","unit":"s","period_s":60,"points":[[1200,3],[1140,2],[1140,2]]}"#;
    let absurd = r#"{"resource":"y","name":"m","stat":"Average","unit":"s","period_s":0,"points":[[1e300,1e308],[-1e300,-1e308],[1140,1e308]]}"#;
    for lines in [target, other, absurd, ""] {
        let bundle = SmallBundle::new();
        std::fs::remove_file(bundle.path().join("topology.json")).unwrap();
        bundle.write("metrics.jsonl", lines);
        let mut manifest = bundle.manifest();
        manifest["baseline"] = serde_json::json!([]);
        bundle.write("incident.json", &manifest.to_string());
        let document = document(bundle.path());
        assert!(document["hypotheses"].as_array().unwrap().is_empty());
        assert!(!document["investigation"]["abstained"].as_array().unwrap().is_empty());
        assert!(!document["gaps"].as_array().unwrap().is_empty());
    }
}
