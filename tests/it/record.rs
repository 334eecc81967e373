//! What is investigated can be recorded, and the recording gives the same analysis: from another recording, from AWS,
//! from a server. What could not be seen cannot be seen in the replay either.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tantei::bundle::archive;
use tantei::bundle::collectors::BundleCollector;
use tantei::bundle::manifest;
use tantei::bundle::recording::Recording;
use tantei::bundle::write::{About, BundleWriter};
use tantei::clock::ReplayClock;
use tantei::driver::{self, Driver, Ports};
use tantei::playbooks;
use tantei::replay::{Investigated, Options, Silent, replay};
use tantei::store::Store;
use tantei_engine::investigation::{State, ranking};
use tantei_engine::model::feed::{FeedItem, Opened};
use tantei_engine::model::time::Timestamp;

use crate::aws_incidents::live_through;
use crate::fake_aws::{Fake, Fault};
use crate::server::{Server, config, start};
use crate::support::{SmallBundle, bundles, lab_incident, root, shared, tantei, tantei_ok};

/// Ends the recording of an investigation that this feed is.
fn finish(writer: &BundleWriter, feed: &[FeedItem]) {
    let at = Timestamp::from_secs(0);
    writer.finish(&About { id: "recorded", origin: "test", known: &[], at, feed }).unwrap();
}

/// Everything that the analysis says, without how it is asked for again: a recording is asked otherwise than AWS.
fn said(state: &State) -> Value {
    let ranking = ranking(state);
    let observations: Vec<Value> = state
        .evidence()
        .map(|(_, o)| {
            let mut value = serde_json::to_value(o).unwrap();
            value.as_object_mut().unwrap().remove("query");
            value
        })
        .collect();
    let mut alarms: Vec<Value> = state.alarms.values().map(|a| serde_json::to_value(a).unwrap()).collect();
    alarms.iter_mut().for_each(|a| drop(a.as_object_mut().unwrap().remove("query")));
    json!({
        "observations": observations,
        "alarms": alarms,
        "gaps": state.open_gaps().map(|(_, g)| serde_json::to_value(g).unwrap()).collect::<Vec<_>>(),
        "resources": state.resources.values().map(|(r, _)| r).collect::<Vec<_>>(),
        "edges": state.edges.iter().map(|e| serde_json::to_value(e).unwrap()).collect::<Vec<_>>(),
        "onset": state.scope().map(|s| s.onset),
        "ranking": ranking.candidates.iter().map(|c| json!({
            "resource": c.resource, "score": c.score, "band": c.band, "mechanism": c.mechanism, "since": c.since,
            "path": c.path,
        })).collect::<Vec<_>>(),
        "abstained": ranking.abstained,
        "hypotheses": state.standing().map(|(_, h)| serde_json::to_value(h).unwrap()["cause"].clone()).collect::<Vec<_>>(),
        "suggestions": state.proposed().map(|(_, s)| s.playbook.clone()).collect::<Vec<_>>(),
    })
}

/// Says where two analyses differ, part by part.
fn assert_same(one: &Value, other: &Value, what: &str) {
    for key in one.as_object().unwrap().keys() {
        let (a, b) = (&one[key], &other[key]);
        let list = |v: &Value| v.as_array().cloned().unwrap_or_default();
        let missing: Vec<Value> = list(a).into_iter().filter(|x| !list(b).contains(x)).take(2).collect();
        let more: Vec<Value> = list(b).into_iter().filter(|x| !list(a).contains(x)).take(2).collect();
        assert!(a == b, "{what}: {key} differ:\n- {}\n+ {}", json!(missing), json!(more));
    }
}

async fn replayed(bundle: PathBuf) -> Investigated {
    let replayed = tokio::task::spawn_blocking(move || replay(&bundle, &Options::default(), &mut Silent));
    replayed.await.unwrap().unwrap()
}

/// Investigates a recording and records it again.
async fn recorded_again(bundle: &Path, to: &Path) -> Driver {
    let manifest = manifest::read(bundle).unwrap();
    let writer = Arc::new(BundleWriter::create(to).unwrap());
    let inner = Arc::new(BundleCollector::new(bundle));
    let ports = Ports {
        collector: Arc::new(Recording::new(inner, Arc::clone(&writer))),
        clock: Arc::new(ReplayClock::new(manifest.alarm.window.end)),
        journal: None,
        approver: None,
        automation: None,
    };
    let library = Arc::new(playbooks::shipped().unwrap());
    let opened = Opened {
        investigation: "inv_again".to_owned(),
        alarm: manifest.alarm.clone(),
        origin: manifest.origin.clone(),
        tantei: env!("CARGO_PKG_VERSION").to_owned(),
        playbooks: playbooks::digest(&library),
    };
    let mut driver = Driver::new(ports, driver::Settings { library, ..driver::Settings::default() });
    driver.run(opened, &mut Silent).await.unwrap();
    finish(&writer, driver.feed());
    driver
}

/// The project's own incidents and every twelfth of the shared ones of AWS.
fn incidents() -> Vec<PathBuf> {
    let mut all = bundles(&root().join("tests/incidents"));
    if let Some(shared) = shared() {
        all.extend(bundles(&shared.join("incidents/petshop")).into_iter().step_by(12));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_of_a_recording_gives_the_same_observations() {
    let folder = tempfile::tempdir().unwrap();
    for (n, bundle) in incidents().into_iter().enumerate() {
        let to = folder.path().join(n.to_string());
        let first = recorded_again(&bundle, &to).await;
        let second = replayed(to).await;
        assert_same(&said(first.state()), &said(second.state()), &bundle.display().to_string());
        // The same items in the same order, too.
        let kinds = |feed: &[FeedItem]| feed.iter().map(|i| i.id).collect::<Vec<_>>();
        assert_eq!(kinds(first.feed()), kinds(second.feed()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_read_from_aws_can_be_recorded_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    for (n, bundle) in incidents().into_iter().enumerate() {
        let to = folder.path().join(n.to_string());
        let writer = Arc::new(BundleWriter::create(&to).unwrap());
        let around = |c| Arc::new(Recording::new(c, Arc::clone(&writer))) as _;
        let live = live_through(&bundle, |_| {}, around).await;
        finish(&writer, live.feed());
        let again = replayed(to).await;
        assert_same(&said(live.state()), &said(again.state()), &bundle.display().to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_seen_is_a_gap_in_the_replay_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("bundle");
    let writer = Arc::new(BundleWriter::create(&to).unwrap());
    let around = |c| Arc::new(Recording::new(c, Arc::clone(&writer))) as _;
    let live = live_through(
        &lab_incident(),
        |fake| {
            fake.fail("StartQuery", Fault::AccessDenied);
            fake.fail("GetServiceGraph", Fault::Status500);
            fake.fail("LookupEvents", Fault::BadBody);
        },
        around,
    )
    .await;
    assert!(live.state().open_gaps().count() >= 3);
    finish(&writer, live.feed());
    let again = replayed(to).await;
    assert_same(&said(live.state()), &said(again.state()), "with gaps");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_were_no_records_stay_a_gap() {
    let bundle = SmallBundle::new();
    let text = std::fs::read_to_string(bundle.path().join("metrics.jsonl")).unwrap();
    bundle.write("metrics.jsonl", &format!("{{\"no\": \"series\"}}\n{text}"));
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("bundle");
    let first = recorded_again(bundle.path(), &to).await;
    let second = replayed(to.clone()).await;
    assert_same(&said(first.state()), &said(second.state()), "small");
    assert!(second.state().open_gaps().any(|(_, g)| g.place.contains("metrics.jsonl line 1")));
    // A damaged `recording.json` is told, and what there is is still read.
    std::fs::write(to.join("recording.json"), "{}").unwrap();
    let third = replayed(to).await;
    assert!(third.state().open_gaps().any(|(_, g)| g.place == "recording.json"));
    assert_eq!(said(third.state())["ranking"], said(first.state())["ranking"]);
}

#[test]
fn a_folder_appears_whole_or_not_at_all_and_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("bundle");
    let writer = BundleWriter::create(&to).unwrap();
    assert!(!to.exists());
    let at = Timestamp::from_secs(0);
    let nothing = writer.finish(&About { id: "x", origin: "", known: &[], at, feed: &[] });
    assert!(nothing.unwrap_err().to_string().contains("nothing was read"));
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    std::fs::create_dir(&to).unwrap();
    assert!(BundleWriter::create(&to).unwrap_err().to_string().contains("exists already"));
    let output = tantei(&["record", "inv_1", "--to", to.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}

/// An archive with one file of that name.
fn archive_of(name: &[u8], kind: tar::EntryType) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_mode(0o644);
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header, std::io::empty()).unwrap();
    zstd::encode_all(builder.into_inner().unwrap().as_slice(), 1).unwrap()
}

#[test]
fn archives_are_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("to");
    let regular = tar::EntryType::Regular;
    let bad: [(&[u8], tar::EntryType); 7] = [
        (b"../incident.json", regular),
        (b"/incident.json", regular),
        (b"a/b/c/incident.json", regular),
        (b"x/label.json", regular),
        (b"x/.bashrc", regular),
        (b"x/incident.json", tar::EntryType::Symlink),
        (b"x/feed.jsonl", regular),
    ];
    for (name, kind) in bad {
        let refused = archive::unpack(archive_of(name, kind).as_slice(), &to);
        assert!(refused.is_err(), "{}", String::from_utf8_lossy(name));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    assert!(archive::unpack(&b"no archive"[..], &to).is_err());
    // A name that says it is 3 GB long is not read, and folders without end come to one.
    let long = tar::EntryType::GNULongName;
    let said =
        |archive: Vec<u8>| archive::unpack(archive.as_slice(), &to).unwrap_err().root_cause().to_string();
    assert!(said(archive_of(b"././@LongLink", long)).contains("@LongLink"));
    let mut folders = tar::Builder::new(Vec::new());
    for _ in 0..=1_000 {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        folders.append_data(&mut header, "x", std::io::empty()).unwrap();
    }
    let folders = zstd::encode_all(folders.into_inner().unwrap().as_slice(), 1).unwrap();
    let told = said(folders);
    assert!(told.contains("more than 1000 files"), "{told}");
    // And what is one is the same bundle, packed or not.
    let file = folder.path().join("incident.tar.zst");
    archive::pack(&lab_incident(), "incident", std::fs::File::create(&file).unwrap()).unwrap();
    archive::unpack(std::fs::File::open(&file).unwrap(), &to).unwrap();
    let ranking = |bundle: &Path| -> Value {
        let text = tantei_ok(&["investigate", "--json", "--bundle", bundle.to_str().unwrap()]);
        serde_json::from_str::<Value>(&text).unwrap()["ranking"].clone()
    };
    assert_eq!(ranking(&file), ranking(&lab_incident()));
    assert_eq!(ranking(&to), ranking(&lab_incident()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_hands_out_bundles_to_operators() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("tantei.db").display());
    let opened = Store::open(&store).await.unwrap();
    let server = Server::start(opened, config(), "2026-11-24T06:50:00Z").await;
    assert_eq!(server.post("/v1/investigations", "operator", &start()).await.0, StatusCode::ACCEPTED);
    let list = server.until("/v1/investigations", |l| l["investigations"][0].is_object()).await;
    let id = list["investigations"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/investigations/{id}");
    let done = |f: &Value| f["items"].as_array().unwrap().iter().any(|i| i["body"]["item"] == "matched");
    server.until(&format!("{path}/feed"), done).await;
    let report = server.get(&format!("{path}/report")).await.1;
    assert_eq!(server.get(&format!("{path}/bundle")).await.0, StatusCode::FORBIDDEN, "a viewer");
    let missing = server.client.get(format!("{}/v1/investigations/inv_9/bundle", server.url));
    let missing = missing.bearer_auth("operator").send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert_eq!(missing.headers()["content-type"], "application/problem+json");
    // One at a time: whoever has one has the node's turn, until the bundle is gone.
    let first = server.service.record(&id).await.unwrap();
    assert!(server.service.record(&id).await.is_err());
    let busy = server.client.get(format!("{}{path}/bundle", server.url)).bearer_auth("operator");
    let busy = busy.send().await.unwrap();
    assert_eq!(
        (busy.status(), busy.headers().contains_key("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, true)
    );
    drop(first);
    while server.service.record(&id).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let settings = folder.path().join("tantei.toml");
    let bundle = lab_incident();
    let text = format!("[store]\nurl = \"{store}\"\n[evidence]\nbundle = \"{}\"\n", bundle.display());
    std::fs::write(&settings, text).unwrap();
    let (url, at) = (server.url.clone(), folder.path().to_owned());
    let run = move |to: &str, more: &[&str], token: bool| -> Value {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tantei"));
        command.args(["record", &id, "--json", "--to"]).arg(at.join(to)).args(more);
        command.args(["--server", &url, "--config"]).arg(&settings);
        if token {
            command.env("TANTEI_TOKEN", "operator");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let told = tokio::task::spawn_blocking(move || {
        [run("store", &[], false), run("api", &[], true), run("server", &["--on-server"], true)]
    });
    for told in told.await.unwrap() {
        assert!(told["records"].as_u64().unwrap() > 100, "{told}");
        let bundle = PathBuf::from(told["bundle"].as_str().unwrap());
        let feed = std::fs::read_to_string(bundle.join("feed.jsonl")).unwrap();
        let items: Vec<Value> = feed.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        tantei_engine::model::feed::verify(&items).unwrap();
        let again = replayed(bundle).await;
        let scores = said(again.state())["ranking"].as_array().unwrap().clone();
        let names = |list: &[Value]| -> Vec<(Value, Value)> {
            list.iter().map(|c| (c["resource"].clone(), c["score"].clone())).collect()
        };
        assert_eq!(names(&scores), names(report["ranking"].as_array().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_is_recorded_by_its_name_without_a_server() {
    let fake = Fake::serve(&lab_incident()).await;
    let folder = tempfile::tempdir().unwrap();
    let (settings, to) = (folder.path().join("tantei.toml"), folder.path().join("bundle"));
    let text = format!("[aws]\nregion = \"ap-northeast-1\"\nendpoint = \"{}\"\n", fake.url());
    std::fs::write(&settings, text).unwrap();
    let at = to.clone();
    let run = move || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tantei"));
        command.args(["record", "--alarm", "shop-alb-p99-response-time", "--lang", "ja", "--to"]).arg(at);
        command.arg("--config").arg(settings);
        command.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").env("AWS_SECRET_ACCESS_KEY", "example");
        command.output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("件を記録"));
    // What was recorded is an investigation of its own; its feed and its replay agree.
    let feed = std::fs::read_to_string(to.join("feed.jsonl")).unwrap();
    let mut live = State::default();
    for line in feed.lines() {
        live.apply(&serde_json::from_str(line).unwrap()).unwrap();
    }
    let again = replayed(to).await;
    assert_same(&said(&live), &said(again.state()), "by name");
}
