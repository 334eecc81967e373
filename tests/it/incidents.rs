//! Real incidents: every bundle runs, answers the same twice, and the scores do not fall below what was reached.

use std::path::Path;

use serde_json::Value;

use crate::support::{bundles, document, investigate, lab_incident, root, shared, tantei_ok};

/// Shares of incidents with the truth first that must not be lost again. Raise them, never lower them.
const RATCHET: [(&str, f64); 2] = [("petshop", 1.0), ("trainticket", 0.85)];

#[test]
fn all_shared_bundles_run_and_give_identical_documents_twice() {
    let Some(shared) = shared() else { return };
    let mut seen = 0;
    for (source, _) in RATCHET {
        for bundle in bundles(&shared.join("incidents").join(source)) {
            let first = investigate(&bundle);
            assert_eq!(first, investigate(&bundle), "{}", bundle.display());
            check_document(&serde_json::from_str(&first).unwrap(), &bundle);
            seen += 1;
        }
    }
    assert_eq!(seen, 62);
}

/// Every reference of a document leads to an item of its feed.
fn check_document(document: &Value, bundle: &Path) {
    let feed = document["feed"].as_array().unwrap();
    let ids: Vec<&str> = feed.iter().map(|i| i["id"].as_str().unwrap()).collect();
    let exists = |id: &Value| assert!(ids.contains(&id.as_str().unwrap()), "{}: {id}", bundle.display());
    for hypothesis in document["hypotheses"].as_array().unwrap() {
        let supporting = hypothesis["supporting"].as_array().unwrap();
        assert!(!supporting.is_empty());
        supporting.iter().chain(hypothesis["contradicting"].as_array().unwrap()).for_each(exists);
    }
    for candidate in document["ranking"].as_array().unwrap() {
        let score = candidate["score"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&score), "{}: {score}", bundle.display());
        for part in candidate["account"].as_array().unwrap() {
            part["items"].as_array().unwrap().iter().for_each(exists);
        }
    }
}

#[test]
fn scores_do_not_fall() {
    let Some(shared) = shared() else { return };
    for (source, least) in RATCHET {
        let folder = shared.join("incidents").join(source);
        let text = tantei_ok(&["evaluate", "--json", folder.to_str().unwrap()]);
        let document: Value = serde_json::from_str(&text).unwrap();
        let top1 = document["sources"][0]["top1"].as_f64().unwrap();
        assert!(top1 >= least, "{source}: top-1 {top1} is below {least}");
        let strong = &document["sources"][0]["reliability"][0];
        assert_eq!(strong["band"], "strong");
        let precision = strong["precision"].as_f64().unwrap();
        assert!(precision >= 0.9, "{source}: strong answers are right in {precision} only");
    }
}

#[test]
fn the_lab_incident_names_the_service_that_was_deployed() {
    let document = document(&lab_incident());
    assert_eq!(document["ranking"][0]["resource"], "orders");
    let hypothesis = &document["hypotheses"][0];
    assert_eq!(hypothesis["cause"], "orders");
    assert!(hypothesis["trigger"].is_string(), "the deployment is named as the trigger");
    assert_eq!(hypothesis["path"], serde_json::json!(["shop-alb", "storefront", "orders"]));
    assert!(document["gaps"].as_array().unwrap().is_empty(), "{}", document["gaps"]);
}

#[test]
fn every_lab_incident_has_its_cause_first() {
    let folder = root().join("tests/incidents");
    let text = tantei_ok(&["evaluate", "--json", folder.to_str().unwrap()]);
    let document: Value = serde_json::from_str(&text).unwrap();
    let top1 = document["sources"][0]["top1"].as_f64().unwrap();
    assert!(top1 >= 1.0, "top-1 of the lab's incidents is {top1}");
}

#[test]
fn lab_bundles_are_small_and_their_references_lead_somewhere() {
    for bundle in bundles(&root().join("tests/incidents")) {
        let size: u64 = walk(&bundle).iter().map(|p| std::fs::metadata(p).unwrap().len()).sum();
        assert!(size <= 2 << 20, "{}: {size}", bundle.display());
        check_document(&document(&bundle), &bundle);
    }
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder)
        .unwrap()
        .flat_map(|e| {
            let path = e.unwrap().path();
            if path.is_dir() { walk(&path) } else { vec![path] }
        })
        .collect()
}

#[test]
fn the_label_is_never_opened() {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(lab_incident()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let with = investigate(folder.path());
    std::fs::write(folder.path().join("label.json"), "{ broken").unwrap();
    assert_eq!(with, investigate(folder.path()));
    std::fs::remove_file(folder.path().join("label.json")).unwrap();
    assert_eq!(with, investigate(folder.path()));
}
