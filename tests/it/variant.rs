//! Variants of an incident bundle: read whole, changed in memory, written into a temporary folder. What is changed is the
//! tests' business.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

/// Files of one record a line.
const RECORDS: [&str; 3] = ["metrics.jsonl", "logs.jsonl", "spans.jsonl"];

/// A bundle in memory.
pub(crate) struct Variant {
    pub(crate) incident: Value,
    pub(crate) topology: Value,
    /// By the name of the file; files that are absent are left out.
    pub(crate) records: BTreeMap<&'static str, Vec<Value>>,
}

impl Variant {
    pub(crate) fn of(bundle: &Path) -> Self {
        let read = |name: &str| -> Value {
            serde_json::from_str(&std::fs::read_to_string(bundle.join(name)).unwrap()).unwrap()
        };
        let records = RECORDS.iter().filter_map(|name| lines(bundle, name).map(|l| (*name, l))).collect();
        Self { incident: read("incident.json"), topology: read("topology.json"), records }
    }

    /// Gives every resource another name, wherever it is named.
    pub(crate) fn rename(&mut self, mut new: impl FnMut(&str) -> String) {
        let mut rename = |value: &mut Value| {
            if let Some(name) = value.as_str() {
                *value = new(name).into();
            }
        };
        rename(&mut self.incident["trigger"]["resource"]);
        self.topology["nodes"].as_array_mut().unwrap().iter_mut().for_each(|n| rename(&mut n["id"]));
        for edge in self.topology["edges"].as_array_mut().unwrap() {
            rename(&mut edge["from"]);
            rename(&mut edge["to"]);
        }
        self.records.values_mut().flatten().for_each(|r| rename(&mut r["resource"]));
    }

    /// Turns the order of all lists and lines round.
    pub(crate) fn reverse(&mut self) {
        self.topology["nodes"].as_array_mut().unwrap().reverse();
        self.topology["edges"].as_array_mut().unwrap().reverse();
        self.records.values_mut().for_each(|r| r.reverse());
    }

    fn edges(&self) -> impl Iterator<Item = (&str, &str)> {
        let edges = self.topology["edges"].as_array().unwrap().iter();
        edges.map(|e| (e["from"].as_str().unwrap(), e["to"].as_str().unwrap()))
    }

    /// Who uses the resource directly.
    pub(crate) fn callers(&self, resource: &str) -> BTreeSet<String> {
        self.edges().filter(|(_, to)| *to == resource).map(|(from, _)| from.to_owned()).collect()
    }

    /// Everything that the resource uses, directly or not, and itself.
    pub(crate) fn reach(&self, resource: &str) -> BTreeSet<String> {
        let mut reached = BTreeSet::from([resource.to_owned()]);
        loop {
            let next: Vec<String> = self
                .edges()
                .filter(|(from, to)| reached.contains(*from) && !reached.contains(*to))
                .map(|(_, to)| to.to_owned())
                .collect();
            if next.is_empty() {
                return reached;
            }
            reached.extend(next);
        }
    }

    /// Takes every trace of a resource away.
    pub(crate) fn hide(&mut self, resource: &str) {
        self.topology["nodes"].as_array_mut().unwrap().retain(|n| n["id"] != resource);
        self.topology["edges"]
            .as_array_mut()
            .unwrap()
            .retain(|e| e["from"] != resource && e["to"] != resource);
        self.records.values_mut().for_each(|r| r.retain(|r| r["resource"] != resource));
    }

    /// Drops the points of metrics from an instant on, in seconds.
    pub(crate) fn cut(&mut self, end: i64) {
        for series in self.records.get_mut("metrics.jsonl").unwrap() {
            let points = series["points"].as_array_mut().unwrap();
            points.retain(|p| p[0].as_i64().unwrap() < end);
        }
    }

    pub(crate) fn write(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        put("incident.json", self.incident.to_string());
        put("topology.json", self.topology.to_string());
        for (name, records) in &self.records {
            let mut text = String::new();
            for record in records {
                text.push_str(&record.to_string());
                text.push('\n');
            }
            put(name, text);
        }
        folder
    }
}

/// The lines of a possibly compressed file.
fn lines(folder: &Path, name: &str) -> Option<Vec<Value>> {
    let compressed = folder.join(format!("{name}.zst"));
    let text = if compressed.is_file() {
        let data = zstd::decode_all(std::fs::File::open(compressed).unwrap()).unwrap();
        String::from_utf8(data).unwrap()
    } else {
        std::fs::read_to_string(folder.join(name)).ok()?
    };
    Some(text.lines().map(|l| serde_json::from_str(l).unwrap()).collect())
}
