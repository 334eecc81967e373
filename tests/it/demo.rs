//! The demo: from alarm to proven recovery, in both languages, with what a person decides.

use serde_json::Value;

use crate::support::{tantei, tantei_ok};

fn demo(lang: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.md");
    let shown = tantei_ok(&["demo", "--yes", "--lang", lang, "--report", report.to_str().unwrap()]);
    (shown, std::fs::read_to_string(report).unwrap())
}

/// Identifiers of items that a text mentions.
fn identifiers(text: &str) -> std::collections::BTreeSet<String> {
    let boundary = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
    text.split(boundary)
        .filter(|w| w.parse::<tantei_engine::model::id::ItemId>().is_ok())
        .map(str::to_owned)
        .collect()
}

#[test]
fn both_languages_tell_the_same_story_to_its_good_end() {
    let (en, en_report) = demo("en");
    let (ja, ja_report) = demo("ja");
    assert!(en.contains("recovered") && en.contains("orders"), "{en}");
    assert!(ja.contains("復旧") && ja.contains("orders"), "{ja}");
    assert_eq!(identifiers(&en), identifiers(&ja));
    assert_eq!(identifiers(&en_report), identifiers(&ja_report));
    assert!(identifiers(&en_report).len() > 20);
    for report in [&en_report, &ja_report] {
        for fact in
            ["shop-alb", "orders", "AWSResilienceHub-ScaleECSServiceSOP_2020-04-01", "H-1", "R-1", "P-1"]
        {
            assert!(report.contains(fact), "{fact}");
        }
    }
}

#[test]
fn an_approved_run_is_recorded_from_intent_to_verdict() {
    let document: Value = serde_json::from_str(&tantei_ok(&["demo", "--yes", "--json"])).unwrap();
    let feed = document["feed"].as_array().unwrap();
    let of = |kind: &str| feed.iter().filter(|i| i["body"]["item"] == kind).collect::<Vec<_>>();
    let approval = &of("approval")[0]["body"];
    let suggestion = &of("suggestion")[0]["body"];
    assert_eq!(approval["digest"], suggestion["plan"]["digest"]);
    let executions = of("execution");
    assert_eq!(executions[0]["body"]["event"], "intended");
    assert_eq!(executions.last().unwrap()["body"]["status"], "success");
    let recovery = &of("recovery")[0]["body"];
    assert_eq!(recovery["verdict"], "recovered");
    assert!(recovery["seconds_to_recovery"].as_i64().unwrap() < 300);
}

#[test]
fn without_an_answer_nothing_is_approved_and_nothing_runs() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.md");
    // Standard input is no terminal here: nobody can answer.
    let output = tantei(&["demo", "--report", report.to_str().unwrap()]);
    assert!(output.status.success());
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("nobody is at the terminal"), "{shown}");
    let document: Value = serde_json::from_str(&tantei_ok(&["demo", "--json"])).unwrap();
    let kinds: Vec<&str> =
        document["feed"].as_array().unwrap().iter().map(|i| i["body"]["item"].as_str().unwrap()).collect();
    assert!(!kinds.contains(&"approval") && !kinds.contains(&"execution"));
}

#[test]
fn two_demos_give_the_same_feed() {
    assert_eq!(tantei_ok(&["demo", "--yes", "--json"]), tantei_ok(&["demo", "--yes", "--json"]));
}
