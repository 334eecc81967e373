//! `tantei logs`: documents, streams, bad input, and the quality of patterns as a ratchet.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{root, tantei, tantei_ok};

fn file(text: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text).unwrap();
    file
}

fn path(file: &tempfile::NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

const BEFORE: &str = "2026-10-14 03:21:09 INFO order 17 placed\n";
const NOW: &str = "2026-10-14 04:21:09 ERROR pool of 10.0.0.7 is empty\n";

#[test]
fn a_document_has_patterns_and_differences() {
    let before = file(BEFORE.repeat(50).as_bytes());
    let now = file((BEFORE.repeat(50) + &NOW.repeat(20)).as_bytes());
    let document: Value = serde_json::from_str(&tantei_ok(&["logs", "--json", path(&now)])).unwrap();
    assert_eq!(document["diff"], serde_json::json!([]));
    let top = &document["patterns"][0];
    assert_eq!(top["template"], "order <num> placed");
    assert_eq!((&top["count"], &top["severity"]), (&50.into(), &"info".into()));
    assert_eq!(top["first"], "2026-10-14T03:21:09.000");
    assert!(top["last"].is_string() && top["id"].is_string() && top["samples"].is_array());

    let both = tantei_ok(&["logs", "--json", path(&now), "--baseline", path(&before)]);
    let both: Value = serde_json::from_str(&both).unwrap();
    let first = &both["diff"][0];
    assert_eq!((&first["change"], &first["severity"]), (&"new".into(), &"error".into()));
    assert_eq!(first["template"], "pool of <ip> is empty");

    let people = tantei_ok(&["logs", path(&now), "--baseline", path(&before)]);
    assert!(people.contains("pool of <ip> is empty") && people.contains("71.4%"), "{people}");
}

#[test]
fn a_stream_names_every_line_in_order_as_the_document_does() {
    let now = file((BEFORE.to_owned() + NOW + BEFORE + "\n").as_bytes());
    let lines = tantei_ok(&["logs", "--lines", path(&now)]);
    let lines: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let document: Value = serde_json::from_str(&tantei_ok(&["logs", "--json", path(&now)])).unwrap();
    let known: BTreeSet<&str> =
        document["patterns"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect();
    let numbers: Vec<u64> = lines.iter().map(|l| l["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert_eq!(lines[0]["pattern"], lines[2]["pattern"]);
    assert_ne!(lines[0]["pattern"], lines[1]["pattern"]);
    assert!(lines.iter().all(|l| known.contains(l["pattern"].as_str().unwrap())));
}

#[test]
fn bytes_of_any_kind_and_giant_lines_are_read() {
    let mut bytes = vec![0xff, 0xfe, b'x', 0, b'\n'];
    bytes.extend(std::iter::repeat_n(b'a', 3_000_000));
    bytes.extend(b"\nlast line without an end \x1b[31m");
    let input = file(&bytes);
    assert_eq!(tantei_ok(&["logs", "--lines", "--content", path(&input)]).lines().count(), 3);
    assert!(!tantei_ok(&["logs", path(&input)]).contains('\u{1b}'));
    assert!(tantei_ok(&["logs", path(&file(b""))]).starts_with("0 lines"));
}

#[test]
fn input_that_is_not_there_exits_with_two_and_a_pipe_is_read() {
    for args in [&["logs"][..], &["logs", "/nowhere"], &["logs", "-", "--lines", "--json"]] {
        assert_eq!(tantei(args).status.code(), Some(2), "{args:?}");
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_tantei"))
        .args(["logs", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(NOW.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("pool of <ip> is empty"));
}

#[test]
fn a_reader_of_patterns_that_goes_away_is_no_failure() {
    let input = file(BEFORE.repeat(200_000).as_bytes());
    let mut child = Command::new(env!("CARGO_BIN_EXE_tantei"))
        .args(["logs", "--lines", path(&input)])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

/// Lines, true groups and true templates of one system.
struct System {
    rows: Vec<Value>,
}

impl System {
    fn read(path: &Path) -> Self {
        let bytes = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        Self { rows: text.lines().map(|l| serde_json::from_str(l).unwrap()).collect() }
    }

    fn field(&self, name: &str) -> Vec<&str> {
        self.rows.iter().map(|r| r[name].as_str().unwrap()).collect()
    }

    /// Grouping accuracy, F1 of groups, F1 of templates.
    fn score(&self, field: &str, flags: &[&str]) -> [f64; 3] {
        let text: String = self.field(field).iter().map(|l| format!("{}\n", l.replace('\n', " "))).collect();
        let input = file(text.as_bytes());
        let run = |flag| tantei_ok(&[&["logs", flag, path(&input)], flags].concat());
        let document: Value = serde_json::from_str(&run("--json")).unwrap();
        let template: BTreeMap<String, String> = document["patterns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| (p["id"].as_str().unwrap().to_owned(), p["template"].as_str().unwrap().to_owned()))
            .collect();
        let mut found: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for (n, line) in run("--lines").lines().enumerate() {
            let line: Value = serde_json::from_str(line).unwrap();
            found.entry(line["pattern"].as_str().unwrap().to_owned()).or_default().insert(n);
        }
        let mut truth: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for (n, event) in self.field("event_corrected").into_iter().enumerate() {
            truth.entry(event).or_default().insert(n);
        }
        let sets: BTreeSet<&BTreeSet<usize>> = truth.values().collect();
        let right: Vec<_> = found.iter().filter(|(_, lines)| sets.contains(lines)).collect();
        let lines: usize = right.iter().map(|(_, lines)| lines.len()).sum();
        let texts = self.field("template_corrected");
        let exact = |(id, lines): &&(&String, &BTreeSet<usize>)| {
            normal(&template[*id]) == normal(texts[*lines.first().unwrap()])
        };
        let f1 = |n: usize| 2.0 * real(n) / real(found.len() + truth.len());
        [real(lines) / real(self.rows.len()), f1(right.len()), f1(right.iter().filter(exact).count())]
    }
}

fn real(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap())
}

/// Every variable as `<*>`, blanks single.
fn normal(template: &str) -> String {
    let kinds = [
        "num", "hex", "ip", "mac", "uuid", "time", "duration", "size", "percent", "path", "url", "host",
        "email", "id", "list", "word",
    ];
    let text = kinds.iter().fold(template.to_owned(), |t, k| t.replace(&format!("<{k}>"), "<*>"));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Figures that may only rise: `tests/bench/logs.py quality` shows them per system.
#[test]
fn patterns_are_as_good_as_they_were() {
    let folder: PathBuf = root().join("../shared/data/logs");
    if !folder.is_dir() {
        eprintln!("NOT TESTED: the quality of log patterns, because {} is absent", folder.display());
        return;
    }
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "zst"));
    let mut sums = [0.0; 4];
    for path in &paths {
        let system = System::read(path);
        let [ga, fga, fta] = system.score("content", &["--content"]);
        let [raw, ..] = system.score("line", &[]);
        for (sum, figure) in sums.iter_mut().zip([ga, fga, fta, raw]) {
            *sum += figure / real(paths.len());
        }
    }
    for (name, figure, floor) in [
        ("grouping accuracy of texts", sums[0], GA_MIN),
        ("F1 of groups", sums[1], FGA_MIN),
        ("F1 of templates", sums[2], FTA_MIN),
        ("grouping accuracy of raw lines", sums[3], RAW_MIN),
    ] {
        assert!(figure >= floor, "{name} fell to {figure:.4}, below {floor}");
    }
}

const GA_MIN: f64 = 0.90;
const FGA_MIN: f64 = 0.94;
const FTA_MIN: f64 = 0.80;
const RAW_MIN: f64 = 0.90;
