//! What several tests need: running the binary, finding bundles, making small ones.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

/// The project's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The incident that the project carries.
pub(crate) fn lab_incident() -> PathBuf {
    root().join("tests/incidents/001-lock-contention")
}

/// The shared reference data beside the project, if it is there. Says clearly when it is not.
pub(crate) fn shared() -> Option<PathBuf> {
    let path = root().parent()?.join("shared");
    if path.join("incidents").is_dir() {
        return Some(path);
    }
    eprintln!("NOT TESTED: `{}` is absent; this test needs the shared reference data", path.display());
    None
}

/// All bundles of one shared source, in order.
pub(crate) fn bundles(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.join("incident.json").is_file())
        .collect();
    found.sort();
    found
}

/// Runs the binary.
pub(crate) fn tantei(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tantei")).args(args).output().unwrap()
}

/// Runs the binary, expects success, returns standard output.
pub(crate) fn tantei_ok(args: &[&str]) -> String {
    let output = tantei(args);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "tantei {args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Investigates a bundle and returns the JSON text.
pub(crate) fn investigate(bundle: &Path) -> String {
    tantei_ok(&["investigate", "--json", "--bundle", bundle.to_str().unwrap()])
}

/// The same as a document.
pub(crate) fn document(bundle: &Path) -> Value {
    serde_json::from_str(&investigate(bundle)).unwrap()
}

/// A small bundle: `front` calls `back`, both have the metric `m`; `back` is slow from second 1000 on.
pub(crate) struct SmallBundle {
    folder: tempfile::TempDir,
}

impl SmallBundle {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let it = Self { folder };
        it.write("incident.json", &it.manifest().to_string());
        it.write(
            "topology.json",
            &json!({
                "nodes": [{"id": "front", "kind": "AWS::ECS::Service"}, {"id": "back", "kind": null}],
                "edges": [{"from": "front", "to": "back", "kind": "calls"}],
            })
            .to_string(),
        );
        let lines: Vec<String> = ["front", "back"].iter().map(|r| series(r).to_string()).collect();
        it.write("metrics.jsonl", &lines.join("\n"));
        it
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    pub(crate) fn manifest(&self) -> Value {
        json!({
            "format": "incident-bundle/1", "id": "small", "title": "front is slow",
            "trigger": {"kind": "metric_alarm", "resource": "front", "metric": "m", "stat": "Average",
                        "direction": "above", "at": "1970-01-01T00:18:00Z"},
            "window": {"start": "1970-01-01T00:15:00Z", "end": "1970-01-01T00:25:00Z"},
            "baseline": [{"start": "1970-01-01T00:00:00Z", "end": "1970-01-01T00:15:00Z"}],
            "source": {"name": "test", "license": "Apache-2.0", "repository": "none"},
        })
    }
}

fn series(resource: &str) -> Value {
    let points: Vec<Value> = (0..25)
        .map(|minute| {
            let slow = if minute >= 17 { 5.0 } else { 0.0 };
            json!([minute * 60, 1.0 + 0.01 * f64::from(minute % 3) + slow])
        })
        .collect();
    json!({"resource": resource, "name": "m", "stat": "Average", "unit": null, "period_s": 60, "points": points})
}

/// A store in a fresh database of the PostgreSQL server that `tests/all` names in `TANTEI_TEST_POSTGRES`.
pub(crate) async fn postgres(name: &str) -> tantei::store::Store {
    use sqlx::Connection;
    let server = std::env::var("TANTEI_TEST_POSTGRES")
        .expect("TANTEI_TEST_POSTGRES is not set: run tests/all, which starts a server");
    let database = format!("t_{}", &sha(name)[..16]);
    let mut admin = sqlx::PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    for sql in
        [format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"), format!("CREATE DATABASE {database}")]
    {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
    }
    tantei::store::Store::open(&format!("{server}/{database}")).await.unwrap()
}

fn sha(text: &str) -> String {
    tantei_engine::model::feed::canonical_digest(&text)
}
