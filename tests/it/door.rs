//! The door of a running Tantei: how often one may ask, how long one may take, and what is said when it cannot be ready.

use std::os::unix::fs::PermissionsExt as _;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tantei::service::Event;
use tantei::store::Store;
use tantei_engine::intake::{Shape, recognise};
use tantei_engine::model::alarm_event::{Delivery, Via};

use crate::server::{KEY, Server, config, event};

const NOW: &str = "2026-11-24T06:50:00Z";

async fn store(folder: &tempfile::TempDir) -> Store {
    let url = format!("sqlite:{}", folder.path().join("tantei.db").display());
    Store::open(&url).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_tokens_is_stopped_and_who_has_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config();
    config.http.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let server = Server::start(store(&folder).await, config, NOW).await;
    let ask = |token: String, client: &'static str| {
        let request = server.client.get(format!("{}/v1/investigations", server.url)).bearer_auth(token);
        async move { request.header("x-forwarded-for", client).send().await.unwrap() }
    };
    assert_eq!(ask("viewer".to_owned(), "192.0.2.1").await.status(), 200);
    for k in 0..10 {
        assert_eq!(ask(format!("guess {k}"), "192.0.2.1").await.status(), 401);
    }
    let stopped = ask("guess".to_owned(), "192.0.2.1").await;
    assert_eq!(stopped.status(), 429);
    let wait: u64 = stopped.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=7).contains(&wait), "{wait}");
    assert_eq!(stopped.headers()["content-type"], "application/problem+json");
    // A token that never worked here is not even looked up: the answer tells nothing about it.
    assert_eq!(ask("operator".to_owned(), "192.0.2.1").await.status(), 429);
    assert_eq!(ask("viewer".to_owned(), "192.0.2.1").await.status(), 200, "its owner goes on");
    assert_eq!(ask("operator".to_owned(), "203.0.113.9, 192.0.2.2").await.status(), 200, "another address");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_keys_is_stopped_and_who_has_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(store(&folder).await, config(), NOW).await;
    let fired = event("e-1", "orders", "ALARM", "2026-11-24T06:42:12.149+0000");
    for _ in 0..10 {
        assert_eq!(server.event(&fired, "wrong").await.0, StatusCode::FORBIDDEN);
    }
    assert_eq!(server.event(&fired, "wrong").await.0, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(server.event(&fired, KEY).await, (StatusCode::OK, json!({"received": "stored"})));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_alarms_of_one_address_are_asked_for_again_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config();
    config.http.alarms_per_second = 1;
    let server = Server::start(store(&folder).await, config, NOW).await;
    // Faster than they are refilled, on any machine: all are on their way at once.
    let send = |k: usize| {
        let fired = event(&format!("e-{k}"), "orders", "ALARM", "2026-11-24T06:42:12.149+0000");
        let post = server.client.post(format!("{}/v1/alarms/eventbridge", server.url));
        post.header("x-api-key", KEY).body(fired.to_string()).send()
    };
    let mut posts = tokio::task::JoinSet::new();
    (0..200).for_each(|k| drop(posts.spawn(send(k))));
    let answers: Vec<_> = posts.join_all().await.into_iter().map(Result::unwrap).collect();
    let refused: Vec<_> = answers.iter().filter(|a| a.status() == 429).collect();
    let taken = answers.iter().filter(|a| a.status() == 200).count();
    assert!(taken >= 2 && !refused.is_empty() && taken + refused.len() == 200, "{taken} {}", refused.len());
    assert!(refused.iter().all(|a| a.headers().contains_key("retry-after")));
    assert_eq!(server.get("/v1/investigations").await.0, StatusCode::OK, "only alarms are counted");
}

/// A database that does not take one delivery's end, whatever it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_the_database_does_not_take_is_put_aside_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let url = format!("sqlite:{}", folder.path().join("tantei.db").display());
    let database = sqlx::SqlitePool::connect(&url).await.unwrap();
    let poison = "CREATE TRIGGER poison BEFORE UPDATE ON delivery WHEN NEW.id = 'e-1' AND NEW.state = 'done' \
                  BEGIN SELECT RAISE(ABORT, 'this one not'); END";
    sqlx::query(poison).execute(&database).await.unwrap();
    let events = ["e-0", "e-1", "e-2"]
        .map(|id| serde_json::to_string(&event(id, id, "ALARM", "2026-11-24T06:42:12.149+0000")).unwrap());
    let carrier = Delivery { via: Via::EventBridge, id: String::new() };
    let waiting = events.map(|body| {
        let Shape::Alarm(event) = recognise(body.as_bytes(), &carrier).unwrap() else { panic!("an alarm") };
        tantei::store::Delivery {
            id: event.delivery.id.clone(),
            transition: event.key().digest(),
            source: "eventbridge".to_owned(),
            received_at: NOW.parse().unwrap(),
            event: serde_json::to_string(&Event::Alarm(event)).unwrap(),
        }
    });
    // All three wait before triage looks: they are recorded together first.
    store.receive(&waiting).await.unwrap();
    let server = Server::start(store, config(), NOW).await;
    let two = |l: &Value| l["investigations"].as_array().is_some_and(|l| l.len() == 2);
    server.until("/v1/investigations", two).await;
    while !server.store.waiting(1).await.unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let aside = server.store.quarantined(10).await.unwrap();
    assert!(aside.len() == 1 && aside[0].0 == "e-1" && aside[0].1.contains("this one not"), "{aside:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_written_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    store(&folder).await.close().await;
    let file = folder.path().join("tantei.db");
    let missing = folder.path().join("no/folder/tantei.db");
    let mut paths = vec![missing, folder.path().to_owned()];
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o400)).unwrap();
    // Whoever runs this may be one for whom permissions do not count.
    if std::fs::OpenOptions::new().write(true).open(&file).is_err() {
        paths.push(file);
    }
    for url in paths.iter().map(|p| format!("sqlite:{}", p.display())) {
        let error = Store::open(&url).await.map(drop).unwrap_err();
        assert!(error.message.contains("cannot be opened for writing"), "{url}: {error}");
        assert!(error.message.contains("may write"), "{url}: {error}");
    }
}
