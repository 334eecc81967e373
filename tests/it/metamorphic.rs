//! What must not matter does not: names, order of lines and columns, units and scales, clocks of recorders.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{bundles, document, shared};

/// The lines of a possibly compressed file.
fn lines(folder: &std::path::Path, name: &str) -> Option<Vec<Value>> {
    let compressed = folder.join(format!("{name}.zst"));
    let text = if compressed.is_file() {
        let data = zstd::decode_all(std::fs::File::open(compressed).unwrap()).unwrap();
        String::from_utf8(data).unwrap()
    } else {
        std::fs::read_to_string(folder.join(name)).ok()?
    };
    Some(text.lines().map(|l| serde_json::from_str(l).unwrap()).collect())
}

/// A copy of the bundle with resources and metrics renamed, lines reversed, values rescaled, units changed.
fn disguise(bundle: &std::path::Path) -> (tempfile::TempDir, BTreeMap<String, String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut names = BTreeMap::new();
    let mut rename = |name: &Value| -> Value {
        // Keeps the order of identifiers, so that ties between equals fall the same way.
        let name = name.as_str().unwrap();
        let new = format!("r{}", name.bytes().map(|b| format!("{b:02x}")).collect::<String>());
        names.insert(new.clone(), name.to_owned());
        Value::String(new)
    };
    let read = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(bundle.join(name)).unwrap()).unwrap()
    };
    let mut manifest = read("incident.json");
    manifest["trigger"]["resource"] = rename(&manifest["trigger"]["resource"]);
    manifest["trigger"]["metric"] = "q1".into();
    let alarm_metric = read("incident.json")["trigger"]["metric"].clone();
    std::fs::write(folder.path().join("incident.json"), manifest.to_string()).unwrap();
    let mut topology = read("topology.json");
    for node in topology["nodes"].as_array_mut().unwrap() {
        node["id"] = rename(&node["id"]);
    }
    for edge in topology["edges"].as_array_mut().unwrap() {
        edge["from"] = rename(&edge["from"]);
        edge["to"] = rename(&edge["to"]);
    }
    topology["edges"].as_array_mut().unwrap().reverse();
    std::fs::write(folder.path().join("topology.json"), topology.to_string()).unwrap();
    let mut metrics = lines(bundle, "metrics.jsonl").unwrap();
    metrics.reverse();
    let mut out = String::new();
    for mut series in metrics {
        series["resource"] = rename(&series["resource"]);
        let alarmed = series["name"] == alarm_metric;
        series["unit"] = Value::Null;
        if alarmed {
            series["name"] = "q1".into();
            for point in series["points"].as_array_mut().unwrap() {
                if let Some(v) = point[1].as_f64() {
                    point[1] = (v * 1000.0).into();
                }
            }
        } else {
            let name = series["name"].as_str().unwrap();
            series["name"] = format!("q{}", name.len() * 7 + usize::from(name.as_bytes()[0])).into();
        }
        out.push_str(&series.to_string());
        out.push('\n');
    }
    std::fs::write(folder.path().join("metrics.jsonl"), out).unwrap();
    (folder, names)
}

#[test]
fn renamed_reversed_and_rescaled_incidents_have_the_same_first_cause() {
    let Some(shared) = shared() else { return };
    for bundle in bundles(&shared.join("incidents/petshop")) {
        let (disguised, names) = disguise(&bundle);
        let expected = document(&bundle)["ranking"][0]["resource"].as_str().unwrap().to_owned();
        let found = document(disguised.path())["ranking"][0]["resource"].as_str().unwrap().to_owned();
        assert_eq!(names[&found], expected, "{}", bundle.display());
    }
}
