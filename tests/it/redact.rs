//! `tantei redact` and the redactor: recall of every listed kind, harmless lines, equality, streams, and that nothing secret
//! leaves a collector.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use tantei::bundle::manifest;
use tantei::ports::Collector;
use tantei::redacting::{Redacting, RedactingWriter};
use tantei_engine::model::query::Source;
use tantei_engine::redaction::{Class, Redactor};

use crate::aws::{collector, small, timing};
use crate::fake_aws::Fake;
use crate::redaction::random::{Random, to_base64, to_percent};
use crate::redaction::{CONTEXTS, HARMLESS, PERSONAL, SECRETS, people, sample, shown};
use crate::support::{root, shared, tantei, tantei_ok};

/// Samples of a kind in a context.
const SEEDS: usize = 6;

/// Of a hundred: what the samples must give at least.
const SECRETS_MIN: f64 = 99.0;
const PERSONAL_MIN: f64 = 97.0;
const HARMLESS_MAX: f64 = 1.0;

fn percent(part: usize, of: usize) -> f64 {
    100.0 * f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(of.max(1)).unwrap())
}

/// How many samples of these kinds are gone, of how many; prints the kinds that leave some.
fn recall(redactor: &Redactor, kinds: &[&str]) -> f64 {
    let (mut all, mut gone) = (0, 0);
    for kind in kinds {
        let (mut of_kind, mut gone_of_kind) = (0, 0);
        for (context, seed) in CONTEXTS.iter().flat_map(|c| (0..SEEDS).map(move |s| (c, s))) {
            let mut r = Random::new(&format!("it/{kind}/{context}/{seed}"));
            let made = sample(kind, &mut r);
            let Some(text) = shown(&made, context, &mut r) else { continue };
            let out = redactor.text(&text.text);
            assert_eq!(redactor.text(&out), out, "{kind} in {context} is not the same after a second time");
            of_kind += 1;
            gone_of_kind += usize::from(text.gone.iter().all(|g| !out.contains(g.as_str())));
        }
        if gone_of_kind < of_kind {
            eprintln!(
                "{kind:<24} {gone_of_kind:>4} of {of_kind:<4} {:>6.2} %",
                percent(gone_of_kind, of_kind)
            );
        }
        all += of_kind;
        gone += gone_of_kind;
    }
    eprintln!("all {} kinds: {gone} of {all}, {:.2} %", kinds.len(), percent(gone, all));
    percent(gone, all)
}

#[test]
fn every_listed_kind_is_found_in_every_context() {
    let redactor = Redactor::new(b"test");
    assert!(recall(&redactor, SECRETS) >= SECRETS_MIN);
    assert!(recall(&redactor, PERSONAL) >= PERSONAL_MIN);
}

#[test]
fn the_kinds_are_those_that_are_listed() {
    let Some(shared) = shared() else { return };
    let text = std::fs::read_to_string(shared.join("security/redaction_kinds.json")).unwrap();
    let listed: Value = serde_json::from_str(&text).unwrap();
    let names =
        |v: &Value| v.as_array().unwrap().iter().map(|k| k.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&listed["redact"]["secret"]), SECRETS);
    assert_eq!(names(&listed["redact"]["pii"]), PERSONAL);
    assert_eq!(names(&listed["must_not_redact"]), HARMLESS);
}

#[test]
fn harmless_lines_stay() {
    let redactor = Redactor::new(b"test");
    let (mut all, mut touched) = (0, 0);
    // Of `either` both answers are right.
    for kind in HARMLESS.iter().filter(|k| **k != "either") {
        for seed in 0..60 {
            let line = people::harmless(kind, &mut Random::new(&format!("it/{kind}/{seed}"))).unwrap();
            all += 1;
            if redactor.text(&line) != line {
                touched += 1;
                eprintln!("{kind}: {line} -> {}", redactor.text(&line));
            }
        }
    }
    assert!(percent(touched, all) <= HARMLESS_MAX, "{touched} of {all}");
}

/// Lines of public log files: addresses of people's machines are in some of them, secrets in none.
#[test]
fn real_logs_keep_their_lines() {
    let Some(shared) = shared() else { return };
    let redactor = Redactor::new(b"test");
    let (mut all, mut touched) = (0, 0);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in std::fs::read_dir(shared.join("data/logs")).unwrap() {
        let bytes = zstd::decode_all(std::fs::File::open(entry.unwrap().path()).unwrap()).unwrap();
        for row in String::from_utf8(bytes).unwrap().lines() {
            let row: Value = serde_json::from_str(row).unwrap();
            let found = redactor.bytes(row["line"].as_str().unwrap().as_bytes()).kinds();
            all += 1;
            touched += usize::from(found.iter().any(|k| k.class() == Class::Secret));
            found.iter().for_each(|k| *kinds.entry(k.name()).or_default() += 1);
        }
    }
    eprintln!("{all} lines, {kinds:?}");
    assert!(percent(touched, all) <= 0.01, "{touched} of {all}");
    let personal = kinds.iter().filter(|(k, _)| !matches!(**k, "ip" | "mac" | "email")).map(|(_, n)| n).sum();
    assert!(percent(personal, all) <= 0.05, "{kinds:?}");
}

#[test]
fn equal_values_have_equal_pseudonyms_however_they_are_written() {
    let redactor = Redactor::new(b"test");
    let mut r = Random::new("equal");
    let token = sample("github_token_ghp", &mut r).value;
    let (head, tail) = token.split_at(17);
    let plain = redactor.text(&token).into_owned();
    assert!(plain.starts_with("<github-token:") && plain.len() == 27, "{plain}");
    for text in [
        format!("token {token} again"),
        format!("payload {} again", to_base64(token.as_bytes())),
        format!("GET /?a={} again", to_percent(&token)),
        format!("cut {head}\n  {tail} again"),
    ] {
        assert!(redactor.text(&text).contains(&plain), "{text}: {}", redactor.text(&text));
    }
    assert_ne!(Redactor::new(b"other").text(&token), plain);
    let phone = |text: &str| redactor.text(text).into_owned();
    assert_eq!(phone("+81-90-1234-5678"), phone("090 1234 5678"));
}

#[test]
fn events_that_follow_one_another_are_read_together() {
    let redactor = Redactor::new(b"test");
    let token = sample("slack_bot", &mut Random::new("two events")).value;
    let (head, tail) = token.split_at(30);
    let clean = redactor.lines(&[&format!("got {head}"), &format!("{tail} from\nclient"), "end"]);
    assert_eq!(clean.len(), 3);
    assert!(
        clean[0].starts_with("got <slack-token:") && clean[1] == " from\nclient" && clean[2] == "end",
        "{clean:?}"
    );
}

fn redact(args: &[&str], input: &[u8], key: Option<&str>) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tantei"));
    command.arg("redact").args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.env_remove("TANTEI_REDACTION_KEY");
    if let Some(key) = key {
        command.env("TANTEI_REDACTION_KEY", key);
    }
    let mut child = command.spawn().unwrap();
    // Beside reading: both pipes are short.
    let (mut pipe, input) = (child.stdin.take().unwrap(), input.to_vec());
    let writer = std::thread::spawn(move || pipe.write_all(&input).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    output.stdout
}

#[test]
fn a_file_and_a_pipe_are_redacted() {
    let mut r = Random::new("cli");
    let password = r.password();
    let token = sample("github_token_gho", &mut r).value;
    let (head, tail) = token.split_at(12);
    let text = format!("ok \u{1b}[0m\nDB_PASSWORD={password}\nsplit {head}\n{tail} here\nlast");
    let one = redact(&["-"], text.as_bytes(), Some("k"));
    assert_eq!(one, redact(&["-"], text.as_bytes(), Some("k")));
    assert_ne!(one, redact(&["-"], text.as_bytes(), None));
    let lines: Vec<&str> = std::str::from_utf8(&one).unwrap().split('\n').collect();
    assert_eq!(lines.len(), 5);
    assert_eq!((lines[0], lines[3], lines[4]), ("ok \u{1b}[0m", " here", "last"));
    assert!(
        lines[1].starts_with("DB_PASSWORD=<password:") && lines[2].starts_with("split <github-token:"),
        "{lines:?}"
    );

    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let rows = tantei_ok(&["redact", "--json", file.path().to_str().unwrap()]);
    let rows: Vec<Value> = rows.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let kinds: Vec<&Value> = rows.iter().map(|row| &row["kinds"]).collect();
    assert_eq!(
        kinds,
        [&json!([]), &json!(["password"]), &json!(["github-token"]), &json!(["github-token"]), &json!([])]
    );
    assert_eq!(rows[4], json!({"record": 5, "text": "last", "kinds": []}));

    let records = redact(&["-0", "--json", "-"], format!("{head}\n{tail}\0plain\n\0").as_bytes(), None);
    let rows: Vec<Value> =
        String::from_utf8(records).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((rows.len(), &rows[0]["kinds"]), (2, &json!(["github-token"])));
    assert_eq!(rows[1], json!({"record": 2, "text": "plain\n", "kinds": []}));
}

#[test]
fn any_bytes_pass_and_a_missing_file_is_a_sentence() {
    let mut bytes = vec![0xff, 0xfe, b'x', b'\n', 0xe3, 0x83, b'\n'];
    bytes.extend(b"a".repeat(3_000_000));
    assert_eq!(redact(&["-"], &bytes, None), bytes);
    let output = tantei(&["redact", "/nowhere/app.log"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("`/nowhere/app.log` cannot be opened"), "{stderr}");
    assert!(tantei_ok(&["redact", "--help"]).contains("TANTEI_REDACTION_KEY"));
}

/// Canaries in everything that AWS tells, read over the wire: none comes out of the collector.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_secret_leaves_the_collector() {
    let mut r = Random::new("canaries");
    let mut canary = |kind: &str| sample(kind, &mut r).value;
    let (token, key, mail, url) =
        (canary("github_token_ghp"), canary("aws_access_key_id"), canary("email"), canary("slack_bot"));
    let bundle = small();
    let replace = |name: &str, from: &str, to: &str| {
        let text = std::fs::read_to_string(bundle.path().join(name)).unwrap();
        assert!(text.contains(from), "{name} has no `{from}`");
        bundle.write(name, &text.replace(from, to));
    };
    replace("logs.jsonl", "served", &format!("served with {token} to {mail}"));
    replace("changes.jsonl", "\"v2\"", &format!("\"v2 by {mail} with {key}\""));
    replace("alarms.jsonl", "crossed", &format!("crossed, ask {mail} for {token}"));
    replace("spans.jsonl", "GET /", &format!("GET /hook/{url}"));
    let manifest = manifest::read(bundle.path()).unwrap();
    let fake = Fake::serve(bundle.path()).await;
    let inner = collector(&fake.clients(timing()), &manifest, tantei::aws::collector::Settings::default());
    let redacting: Arc<dyn Collector> =
        Arc::new(Redacting::new(Arc::new(inner), Arc::new(Redactor::new(b"test"))));
    let mut told = String::new();
    for source in Source::ALL {
        let request = tantei::ports::CollectRequest {
            source,
            alarm: manifest.alarm.clone(),
            window: manifest.alarm.window,
            baseline: manifest.alarm.baseline.clone(),
            onset: manifest.alarm.at,
            focus: Vec::new(),
        };
        let mut sink = |batch| told += &format!("{batch:?}");
        let collection = redacting.collect(&request, &mut sink).await.unwrap();
        told += &format!("{collection:?}");
    }
    for canary in [&token, &key, &mail, &url] {
        assert!(!told.contains(canary.as_str()), "{canary} came out");
    }
    assert!(told.contains("<github-token:") && told.contains("<email:"), "the canaries were not there");
}

#[test]
fn a_feed_and_our_own_log_hold_no_canary() {
    let mut r = Random::new("feed");
    let (token, mail) = (sample("stripe_live", &mut r).value, sample("email", &mut r).value);
    let bundle = small();
    let text = std::fs::read_to_string(bundle.path().join("logs.jsonl")).unwrap();
    let secret = format!("payment key {token} of {mail} refused");
    let changed: Vec<String> =
        text.lines()
            .enumerate()
            .map(|(n, l)| {
                if n > 100 { l.replace("request", &format!("error {secret} request")) } else { l.to_owned() }
            })
            .collect();
    bundle.write("logs.jsonl", &changed.join("\n"));
    let feed = crate::support::investigate(bundle.path());
    assert!(!feed.contains(&token) && !feed.contains(&mail));

    let mut log = Vec::new();
    let mut writer = RedactingWriter::new(&mut log, Arc::new(Redactor::new(b"test")));
    writeln!(writer, "WARN it failed error=\"AccessDenied: {token} is unknown\"").unwrap();
    assert!(!String::from_utf8(log).unwrap().contains(&token));
}

#[test]
fn no_sample_stands_in_the_repository() {
    let redactor = Redactor::new(b"test");
    for entry in std::fs::read_dir(root().join("tests/redaction")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let secret = ["github-token", "slack-token", "stripe-key", "aws-access-key", "jwt", "openai-key"];
        let found: Vec<&str> = redactor.bytes(text.as_bytes()).kinds().iter().map(|k| k.name()).collect();
        assert!(found.iter().all(|k| !secret.contains(k)), "{}: {found:?}", path.display());
    }
}
