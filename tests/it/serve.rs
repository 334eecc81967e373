//! A running Tantei over HTTP: alarms in, investigations, feeds and people's decisions out; on either store.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tantei::bundle::collectors::BundleCollector;
use tantei::ports::{
    AlarmStates, BoxFuture, Collector, Evidence, PortError, PortErrorKind, Queue, QueueMessage, Retry,
};
use tantei::store::Store;
use tantei_engine::intake;
use tantei_engine::model::alarm::{Alarm, AlarmState};
use tantei_engine::model::alarm_event::AlarmEvent;
use tantei_engine::model::feed::verify;
use tantei_engine::model::resource::Resource;
use tantei_engine::model::time::Timestamp;

use crate::server::{KEY, Server, World, config, event, start};
use crate::sns;
use crate::support::{document, lab_incident, root, shared};

async fn an_alarm_becomes_an_investigation_once(store: Store) {
    let server = Server::start(store, config(), "2026-11-24T06:50:00Z").await;
    let fired = event("e-1", "orders", "ALARM", "2026-11-24T06:42:12.149+0000");
    assert_eq!(server.event(&fired, "wrong").await.0, StatusCode::FORBIDDEN);
    assert_eq!(server.event(&fired, KEY).await, (StatusCode::OK, json!({"received": "stored"})));
    assert_eq!(server.event(&fired, KEY).await.1, json!({"received": "duplicate"}));
    let copy = event("e-2", "orders", "ALARM", "2026-11-24T06:42:12.149+0000");
    assert_eq!(server.event(&copy, KEY).await.1["received"], "stored", "another delivery of the same change");
    let (status, problem) = server.event(&json!({"what": "is this"}), KEY).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(problem["detail"].as_str().is_some_and(|d| d.contains("what")), "{problem}");
    let list = server.until("/v1/investigations", |l| l["investigations"][0].is_object()).await;
    assert_eq!(list["investigations"].as_array().unwrap().len(), 1);
    let id = list["investigations"][0]["id"].as_str().unwrap().to_owned();
    let done = server
        .until(&format!("/v1/investigations/{id}/feed"), |f| has(f, "concluded") && has(f, "matched"))
        .await;
    verify(done["items"].as_array().unwrap()).unwrap();
    let detail = server.get(&format!("/v1/investigations/{id}")).await.1;
    assert_eq!(detail["alarms"].as_array().unwrap().len(), 1, "{detail}");
    assert_eq!(detail["alarms"][0]["reason"]["reason"], "first");
    // What the work asks of triage waits as well, for a moment.
    while !server.store.waiting(1).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn has(feed: &Value, kind: &str) -> bool {
    feed["items"].as_array().is_some_and(|items| items.iter().any(|i| i["body"]["item"] == kind))
}

async fn by_hand_the_same_causes_come_out_as_offline_and_people_steer_them(store: Store) {
    let server = Server::start(store, config(), "2026-11-24T06:50:00Z").await;
    let refused = server.post("/v1/investigations", "viewer", &start()).await;
    assert_eq!(refused.0, StatusCode::FORBIDDEN, "{}", refused.1);
    assert_eq!(server.post("/v1/investigations", "operator", &start()).await.0, StatusCode::ACCEPTED);
    let list = server.until("/v1/investigations", |l| l["investigations"][0].is_object()).await;
    let id = list["investigations"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/investigations/{id}");
    server.until(&format!("{path}/feed"), |f| has(f, "concluded") && has(f, "matched")).await;
    let report = server.get(&format!("{path}/report")).await.1;
    assert!(report["ranking"].is_array(), "{report}");
    let offline = document(&lab_incident());
    let names = |ranking: &Value| -> Vec<(Value, Value)> {
        ranking.as_array().unwrap().iter().map(|c| (c["resource"].clone(), c["score"].clone())).collect()
    };
    assert_eq!(names(&report["ranking"]), names(&offline["ranking"]));
    let lead = report["report"]["cause"]["item"].as_str().unwrap().to_owned();
    let discard = server.post(&format!("{path}/items/{lead}/discard"), "operator", &json!({})).await;
    assert_eq!(discard.0, StatusCode::CREATED, "{}", discard.1);
    let feed = server
        .until(&format!("{path}/feed"), |f| {
            let items = f["items"].as_array().unwrap_or_else(|| panic!("{f}"));
            items.iter().filter(|i| i["body"]["item"] == "concluded").count() == 2
        })
        .await;
    let revised =
        feed["items"].as_array().unwrap().iter().rev().find(|i| i["body"]["item"] == "concluded").unwrap();
    assert_eq!(revised["body"]["revised"][0]["revision"], "lead", "{revised}");
    let note = server.post(&format!("{path}/notes"), "operator", &json!({"text": "called the owner"})).await;
    assert_eq!(note.0, StatusCode::CREATED);
    let nothing = server.post(&format!("{path}/items/O-9999/discard"), "operator", &json!({})).await;
    assert_eq!(nothing.0, StatusCode::NOT_FOUND, "{}", nothing.1);
    assert_eq!(server.post(&format!("{path}/end"), "operator", &json!({})).await.0, StatusCode::NO_CONTENT);
    assert_eq!(server.get("/v1/investigations?status=open").await.1["investigations"], json!([]));
}

async fn a_stream_begins_where_its_reader_was_cut_off(store: Store) {
    let server = Server::start(store, config(), "2026-11-24T06:50:00Z").await;
    server.post("/v1/investigations", "operator", &start()).await;
    let list = server.until("/v1/investigations", |l| l["investigations"][0].is_object()).await;
    let id = list["investigations"][0]["id"].as_str().unwrap().to_owned();
    let stream = format!("{}/v1/investigations/{id}/feed/stream", server.url);
    let without = server.client.get(&stream).send().await.unwrap();
    assert_eq!(without.status(), StatusCode::UNAUTHORIZED);
    let mut all = server.client.get(&stream).bearer_auth("viewer").send().await.unwrap();
    let text = read_until(&mut all, "\"item\":\"matched\"").await;
    assert!(text.starts_with("id: 1\nevent: item\ndata: {"), "{text}");
    let request = server.client.get(&stream).bearer_auth("viewer").header("Last-Event-ID", "3");
    let mut rest = request.send().await.unwrap();
    let text = read_until(&mut rest, "\"item\":\"matched\"").await;
    assert!(text.starts_with("id: 4\n"), "{text}");
    server.post(&format!("/v1/investigations/{id}/notes"), "operator", &json!({"text": "live"})).await;
    assert!(read_until(&mut rest, "\"text\":\"live\"").await.contains("\"item\":\"note\""));
}

async fn read_until(response: &mut reqwest::Response, wanted: &str) -> String {
    let mut text = String::new();
    while !text.contains(wanted) {
        let chunk = tokio::time::timeout(Duration::from_secs(20), response.chunk()).await;
        let chunk = chunk.unwrap_or_else(|_| panic!("`{wanted}` never came")).unwrap().unwrap();
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    text
}

async fn forged_and_foreign_sns_messages_are_refused_and_good_ones_are_kept(store: Store) {
    let Some(shared) = shared() else { return };
    let folder = shared.join("fixtures/intake");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let sample: Value = serde_json::from_slice(&read("sns_notification_metric_alarm.json")).unwrap();
    let mut config = config();
    config.sns.topics = vec![sample["TopicArn"].as_str().unwrap().to_owned()];
    let url = sample["SigningCertURL"].as_str().unwrap().to_owned();
    config.sns.certificates.insert(url, folder.join("test_sns_cert.pem"));
    let wanted = |name: &str| {
        let good = name.starts_with("sns_notification_") && !name.ends_with(".headers.json");
        // The inner event of this one is a stub without resources: refused as such, whatever its signature.
        (good || name.starts_with("bad_sns_")) && !name.contains("eventbridge_over_sns")
    };
    let names =
        std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
    // In the order in which they were sent, so that the clock can stand at each one's time.
    let mut sent: Vec<(Timestamp, String)> = names
        .filter(|n| wanted(n))
        .map(|name| {
            let body: Value = serde_json::from_slice(&read(&name)).unwrap();
            (body["Timestamp"].as_str().unwrap().parse().unwrap(), name)
        })
        .collect();
    sent.sort();
    let first = sent.iter().find(|(_, n)| !n.starts_with("bad_")).unwrap().0;
    let server = Server::start(store, config, &first.to_string()).await;
    let mut seen = (0, 0);
    for (at, name) in sent {
        let bad = name.starts_with("bad_");
        if !bad {
            server.clock.advance(at);
        }
        let post = server.client.post(format!("{}/v1/alarms/sns", server.url));
        let answer = post.body(read(&name)).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status == StatusCode::OK, !bad, "{name}: {status} {text}");
        assert!(!status.is_server_error(), "{name}: {status} {text}");
        seen = (seen.0 + usize::from(!bad), seen.1 + usize::from(bad));
    }
    assert!(seen.0 >= 8 && seen.1 >= 12, "{seen:?}");
    let raw =
        server.client.post(format!("{}/v1/alarms/sns", server.url)).header("x-amz-sns-rawdelivery", "true");
    let answer = raw.body(read("sns_raw_delivery_metric_alarm.body.json")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
}

async fn a_signed_notification_is_kept_and_a_changed_one_is_not(store: Store) {
    let mut config = config();
    config.sns.topics = vec![sns::TOPIC.to_owned()];
    config.sns.certificates.insert(sns::CERTIFICATE_URL.to_owned(), sns::certificate(&root()));
    let server = Server::start(store, config, "2026-11-25T06:50:00Z").await;
    let signer = sns::Signer::new(&root());
    let message = sns::alarm_message("orders", "ALARM", "2026-11-25T06:42:12.149+0000");
    let good = signer.notification("m-1", &message, "2026-11-25T06:49:59.000Z");
    let post = |body: String| server.client.post(format!("{}/v1/alarms/sns", server.url)).body(body).send();
    assert_eq!(post(good.clone()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(post(good.clone()).await.unwrap().json::<Value>().await.unwrap()["received"], "duplicate");
    for (from, to) in [
        ("m-1", "m-2"),
        ("OK", "KO"),
        ("06:49:59", "06:49:58"),
        ("\"SignatureVersion\":\"2\"", "\"SignatureVersion\":\"1\""),
    ] {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good, "{from}");
        let answer = post(changed).await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{from}");
    }
    let foreign = good.replace(":alarms", ":others");
    assert!(post(foreign).await.unwrap().status().is_client_error());
    let old = signer.notification("m-3", &message, "2026-11-25T05:00:00.000Z");
    assert!(post(old).await.unwrap().status().is_client_error(), "a replay");
    let list = server.until("/v1/investigations", |l| l["investigations"][0].is_object()).await;
    assert_eq!(list["investigations"].as_array().unwrap().len(), 1);
}

async fn what_ended_long_ago_is_exported_and_then_deleted(store: Store) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config();
    config.retention.export = Some(folder.path().join("exports"));
    let server = Server::start(store, config, "2026-11-24T06:50:00Z").await;
    server.post("/v1/investigations", "operator", &start()).await;
    let list = server.until("/v1/investigations", |l| l["investigations"][0].is_object()).await;
    let id = list["investigations"][0]["id"].as_str().unwrap().to_owned();
    let feed = server.until(&format!("/v1/investigations/{id}/feed"), |f| has(f, "matched")).await;
    server.post(&format!("/v1/investigations/{id}/end"), "operator", &json!({})).await;
    server.clock.advance("2027-02-22T06:49:00Z".parse().unwrap());
    assert_eq!(server.service.retain().await.unwrap(), 0, "it ended 90 days ago, less a minute");
    server.clock.advance("2027-02-22T06:51:00Z".parse().unwrap());
    assert_eq!(server.service.retain().await.unwrap(), 1);
    let exported = std::fs::read_to_string(folder.path().join(format!("exports/{id}.json"))).unwrap();
    let exported: Value = serde_json::from_str(&exported).unwrap();
    assert_eq!(exported, feed["items"]);
    verify(exported.as_array().unwrap()).unwrap();
    assert_eq!(server.get(&format!("/v1/investigations/{id}")).await.0, StatusCode::NOT_FOUND);
}

/// A queue with these messages: what is not deleted comes again.
#[derive(Debug)]
struct Queued(Mutex<Vec<QueueMessage>>);

impl Queue for Queued {
    fn receive(&self) -> BoxFuture<'_, Result<Vec<QueueMessage>, PortError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let mut messages = self.0.lock().unwrap();
            messages.iter_mut().for_each(|m| m.receives += 1);
            Ok(messages.iter().take(10).cloned().collect())
        })
    }

    fn delete<'a>(&'a self, message: &'a QueueMessage) -> BoxFuture<'a, Result<(), PortError>> {
        self.0.lock().unwrap().retain(|m| m.receipt != message.receipt);
        Box::pin(async { Ok(()) })
    }
}

async fn a_queue_is_emptied_and_poison_is_put_aside_after_five_tries(store: Store) {
    let signer = sns::Signer::new(&root());
    let at = "2026-11-25T06:42:12.149+0000";
    let envelope =
        signer.notification("m-1", &sns::alarm_message("orders", "ALARM", at), "2026-11-20T06:00:00.000Z");
    let bodies = [
        envelope,
        sns::alarm_message("payments", "ALARM", at).to_string(),
        event("e-1", "carts", "ALARM", at).to_string(),
        "not json at all".to_owned(),
    ];
    let message = |(k, body): (usize, String)| QueueMessage {
        id: format!("q-{k}"),
        body,
        receipt: format!("r-{k}"),
        receives: 0,
    };
    let queue = Arc::new(Queued(Mutex::new(bodies.into_iter().enumerate().map(message).collect())));
    let mut config = config();
    config.sns.topics = vec![sns::TOPIC.to_owned()];
    let world = World { queue: Some(queue.clone()), ..World::at("2026-11-25T06:50:00Z") };
    let server = Server::start_in(store, config, world).await;
    let list = server
        .until("/v1/investigations", |l| l["investigations"].as_array().is_some_and(|l| l.len() == 3))
        .await;
    assert_eq!(list["investigations"].as_array().unwrap().len(), 3);
    while !queue.0.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let aside = server.store.quarantined(10).await.unwrap();
    assert_eq!(aside.len(), 1);
    assert!(aside[0].0 == "q-3" && aside[0].1.contains("JSON"), "{aside:?}");
}

/// CloudWatch as it answers somebody who was away: two alarms fire, of one of which an event was delivered.
#[derive(Debug)]
struct Away;

/// A place that cannot be asked.
#[derive(Debug)]
struct Closed;

impl AlarmStates for Closed {
    fn changes<'a>(&'a self, _: Timestamp) -> BoxFuture<'a, Result<Vec<AlarmEvent>, PortError>> {
        let error = PortError {
            dependency: "cloudwatch".to_owned(),
            operation: "DescribeAlarms".to_owned(),
            kind: PortErrorKind::Denied,
            retry: Retry::Never,
            message: "needs cloudwatch:DescribeAlarms".to_owned(),
        };
        Box::pin(async move { Err(error) })
    }
}

impl AlarmStates for Away {
    fn changes<'a>(&'a self, since: Timestamp) -> BoxFuture<'a, Result<Vec<AlarmEvent>, PortError>> {
        let arn = |name: &str| format!("arn:aws:cloudwatch:ap-northeast-1:111122223333:alarm:{name}");
        let at: Timestamp = "2026-11-24T06:42:12.149Z".parse().unwrap();
        assert!(since < at, "what was missed while nobody listened is asked for");
        let change = |name: &str| intake::reconciled(&arn(name), name, None, AlarmState::Alarm, at).unwrap();
        let changes = vec![change("orders"), change("payments")];
        Box::pin(async move { Ok(changes) })
    }
}

async fn what_was_never_delivered_is_found_by_asking(store: Store) {
    let server = Server::start_in(
        store,
        config(),
        World { states: vec![Arc::new(Closed), Arc::new(Away)], ..World::at("2026-11-24T06:50:00Z") },
    )
    .await;
    let fired = event("e-1", "orders", "ALARM", "2026-11-24T06:42:12.149+0000");
    assert_eq!(server.event(&fired, KEY).await.0, StatusCode::OK);
    let two = |l: &Value| l["investigations"].as_array().is_some_and(|l| l.len() == 2);
    server.until("/v1/investigations", two).await;
    while !server.store.waiting(1).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(two(&server.get("/v1/investigations").await.1), "the one that was delivered is not another one");
}

async fn a_revoked_reader_sees_nothing_more_and_a_stop_ends_streams(store: Store) {
    let server = Server::start(store, config(), "2026-11-24T06:50:00Z").await;
    server.post("/v1/investigations", "operator", &start()).await;
    let list = server.until("/v1/investigations", |l| l["investigations"][0].is_object()).await;
    let id = list["investigations"][0]["id"].as_str().unwrap().to_owned();
    let stream = format!("{}/v1/investigations/{id}/feed/stream", server.url);
    let mut revoked = server.client.get(&stream).bearer_auth("viewer").send().await.unwrap();
    let mut other = server.client.get(&stream).bearer_auth("operator").send().await.unwrap();
    read_until(&mut revoked, "\"item\":\"matched\"").await;
    assert_eq!(server.store.revoke_tokens("viewer").await.unwrap(), 1);
    server.post(&format!("/v1/investigations/{id}/notes"), "operator", &json!({"text": "secret"})).await;
    assert!(!rest(&mut revoked).await.contains("secret"));
    read_until(&mut other, "\"text\":\"secret\"").await;
    server.stop.cancel();
    rest(&mut other).await;
}

/// What comes until the stream ends.
async fn rest(response: &mut reqwest::Response) -> String {
    let mut text = String::new();
    let soon = Duration::from_secs(5);
    while let Some(chunk) = tokio::time::timeout(soon, response.chunk()).await.unwrap().unwrap() {
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    text
}

/// The answer to a request. Who is refused before all was read may be cut off before the answer is heard: then it is asked
/// again.
async fn answered(request: &reqwest::RequestBuilder) -> reqwest::Response {
    for _ in 0..20 {
        if let Ok(answer) = request.try_clone().unwrap().send().await {
            return answer;
        }
    }
    panic!("no answer was heard twenty times");
}

async fn what_cannot_be_read_is_refused_as_a_problem(store: Store) {
    let server = Server::start(store, config(), "2026-11-24T06:50:00Z").await;
    let (url, all) = (&server.url, "/v1/investigations");
    let get = |path: &str| server.client.get(format!("{url}{path}")).bearer_auth("operator");
    let post = || server.client.post(format!("{url}{all}")).bearer_auth("operator");
    let alarm = || server.client.post(format!("{url}/v1/alarms/eventbridge")).header("x-api-key", KEY);
    let json = "content-type";
    for (request, status) in [
        (get("/v1/investigations?limit=201"), 400),
        (get("/v1/investigations?limit=0"), 400),
        (get("/v1/investigations?what=this"), 400),
        (get("/v1/investigations/%ff"), 400),
        (get("/v1/investigations/%00"), 404),
        (server.client.put(format!("{url}{all}")), 405),
        (post().header(json, "text/plain").body("{}"), 415),
        (post().header(json, "application/json").body("{\"x\": 1}"), 422),
        (alarm().body(vec![b'a'; 2 << 20]), 413),
        (alarm().header("content-encoding", "gzip").body("{}"), 415),
    ] {
        let answer = answered(&request).await;
        assert_eq!(answer.status().as_u16(), status, "{}", answer.url());
        assert_eq!(answer.headers()[json], "application/problem+json", "{status}");
        assert_eq!(answer.json::<Value>().await.unwrap()["status"], status);
    }
}

/// Evidence on which Tantei itself breaks.
#[derive(Debug)]
struct Breaks(BundleCollector);

impl Evidence for Breaks {
    fn of(&self, alarm: &Alarm, resource: Option<&Resource>) -> Arc<dyn Collector> {
        assert!(alarm.title.raw() != "orders", "a fault");
        self.0.of(alarm, resource)
    }
}

async fn an_investigation_on_which_tantei_breaks_does_not_stop_the_others(store: Store) {
    let mut config = config();
    config.triage.deep_max = 1;
    let evidence = Arc::new(Breaks(BundleCollector::new(&lab_incident())));
    let world = World { evidence, ..World::at("2026-11-24T06:50:00Z") };
    let server = Server::start_in(store, config, world).await;
    let fired = event("e-1", "orders", "ALARM", "2026-11-24T06:42:12.149+0000");
    assert_eq!(server.event(&fired, KEY).await.0, StatusCode::OK);
    server.until("/v1/investigations", |l| l["investigations"][0].is_object()).await;
    // Its only worker has taken the broken one by now, or takes it next: either way the other comes through.
    server.post("/v1/investigations", "operator", &start()).await;
    server.until("/v1/investigations/inv_00000002/feed", |f| has(f, "matched")).await;
}

async fn it_lives_is_ready_and_counts(store: Store) {
    let server = Server::start(store, config(), "2026-11-24T06:50:00Z").await;
    for path in ["/healthz", "/readyz"] {
        let answer = server.client.get(format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    server.store.close().await;
    let answer = server.client.get(format!("{}/readyz", server.url)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let fired = event("e-1", "orders", "ALARM", "2026-11-24T06:42:12.149+0000");
    let (status, problem) = server.event(&fired, KEY).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "the sender tries again: {problem}");
}

async fn the_command_line_shows_and_steers_what_a_server_investigates(store: Store) {
    let server = Server::start(store, config(), "2026-11-24T06:50:00Z").await;
    server.post("/v1/investigations", "operator", &start()).await;
    let list = server.until("/v1/investigations", |l| l["investigations"][0].is_object()).await;
    let id = list["investigations"][0]["id"].as_str().unwrap().to_owned();
    server.until(&format!("/v1/investigations/{id}/feed"), |f| has(f, "matched")).await;
    let url = server.url.clone();
    let run = move |token: &str, args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tantei"));
        command.args(args).env("TANTEI_SERVER", &url).env("TANTEI_TOKEN", token);
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    tokio::task::spawn_blocking(move || {
        let (ok, out, _) = run("viewer", &["list"]);
        assert!(ok && out.contains(&id) && out.contains("shop is slow"), "{out}");
        let (ok, out, err) = run("viewer", &["show", &id]);
        assert!(ok && out.contains("orders-db"), "{out}{err}");
        let (ok, out, err) = run("viewer", &["report", &id, "--lang", "ja"]);
        assert!(ok && out.starts_with('#') && out.contains("根本原因"), "{out}{err}");
        let (ok, _, err) = run("viewer", &["discard", &id, "H-1"]);
        assert!(!ok && err.contains("operator"), "{err}");
        let (ok, _, err) = run("operator", &["note", &id, "called the owner"]);
        assert!(ok, "{err}");
        let (ok, _, err) = run("operator", &["discard", &id, "O-9999"]);
        assert!(!ok && err.contains("O-9999"), "{err}");
        let add = [
            "silence",
            "add",
            "--alarm",
            "orders-*",
            "--until",
            "2026-11-24T08:00:00Z",
            "--reason",
            "upgrade",
        ];
        let (ok, out, err) = run("operator", &add);
        assert!(ok && out.starts_with("sil_"), "{out}{err}");
        let listed = || run("viewer", &["silence", "list"]).1;
        let silences = (0..200).map(|_| listed()).find(|l| l.contains("name=orders-*")).unwrap();
        assert!(silences.contains("active") && silences.contains("upgrade"), "{silences}");
        let (ok, _, err) = run("operator", &["silence", "end", out.trim()]);
        assert!(ok, "{err}");
        let (ok, _, err) = run("nobody", &["list"]);
        assert!(!ok && err.contains("unknown, expired or revoked"), "{err}");
        let (ok, _, err) = run("viewer", &["list", "--server", "http://tantei.example"]);
        assert!(!ok && err.contains("https"), "a token is not sent in the clear: {err}");
    })
    .await
    .unwrap();
}

crate::store::on_both_stores!(
    an_alarm_becomes_an_investigation_once,
    by_hand_the_same_causes_come_out_as_offline_and_people_steer_them,
    a_stream_begins_where_its_reader_was_cut_off,
    forged_and_foreign_sns_messages_are_refused_and_good_ones_are_kept,
    a_signed_notification_is_kept_and_a_changed_one_is_not,
    a_queue_is_emptied_and_poison_is_put_aside_after_five_tries,
    what_was_never_delivered_is_found_by_asking,
    a_revoked_reader_sees_nothing_more_and_a_stop_ends_streams,
    what_cannot_be_read_is_refused_as_a_problem,
    an_investigation_on_which_tantei_breaks_does_not_stop_the_others,
    it_lives_is_ready_and_counts,
    what_ended_long_ago_is_exported_and_then_deleted,
    the_command_line_shows_and_steers_what_a_server_investigates,
);
