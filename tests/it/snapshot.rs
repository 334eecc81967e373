//! The record of triage is bounded: what is old is exported and goes, and every node knows the same without it.

use reqwest::StatusCode;
use serde_json::Value;
use tantei::store::Store;

use crate::server::{KEY, Server, World, config, event};

const NOW: &str = "2026-11-24T06:50:00Z";

/// Later than everything by any clock: decisions have the database's time.
const LATER: &str = "2126-11-24T06:50:00Z";

async fn send(server: &Server, id: &str, alarm: &str, state: &str, at: &str) {
    let event = event(id, alarm, state, &format!("2026-11-24T{at}.000+0000"));
    let (status, answer) = server.event(&event, KEY).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

async fn all_decided(server: &Server) {
    while !server.store.waiting(1).await.unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

fn exported(folder: &std::path::Path, prefix: &str) -> Vec<Value> {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            lines.extend(text.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()));
        }
    }
    lines
}

async fn what_is_old_goes_and_nothing_is_forgotten_that_goes_on(store: Store) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config();
    config.retention.export = Some(folder.path().to_owned());
    let first = Server::start(store.clone(), config.clone(), NOW).await;
    send(&first, "e-1", "orders", "ALARM", "06:42:12").await;
    send(&first, "e-2", "payments", "ALARM", "06:43:12").await;
    let two = |l: &Value| l["investigations"].as_array().is_some_and(|l| l.len() == 2);
    first.until("/v1/investigations", two).await;
    let path = "/v1/investigations/inv_00000002";
    assert_eq!(first.post(&format!("{path}/end"), "operator", &Value::Null).await.0, StatusCode::NO_CONTENT);
    all_decided(&first).await;
    let mine = first.get("/v1/investigations/inv_00000001").await.1;
    let before = store.decisions(0).await.unwrap();
    first.clock.advance(LATER.parse().unwrap());
    first.service.retain().await.unwrap();
    all_decided(&first).await;
    let left = store.decisions(0).await.unwrap();
    assert!(left.first().is_some_and(|(seq, _)| *seq > 1), "{left:?}");
    let gone = exported(folder.path(), "decisions-");
    assert!(gone.len() + left.len() >= before.len(), "{} and {} of {}", gone.len(), left.len(), before.len());
    let deliveries = exported(folder.path(), "deliveries-");
    assert!(deliveries.iter().any(|d| d["id"] == "e-2" && d["state"] == "done"), "{deliveries:?}");
    let kept = store.delivered().await.unwrap();
    assert!(kept.contains(&"e-1".to_owned()), "its investigation goes on: {kept:?}");
    assert!(!kept.contains(&"e-2".to_owned()), "{kept:?}");
    first.stop.cancel();
    // A node that begins now knows it from the snapshot.
    let second = Server::join(store, config, World::at(LATER)).await;
    let same = |theirs: &Value| theirs["alarms"].as_array().is_some_and(|a| a.len() == 1);
    let theirs = second.until("/v1/investigations/inv_00000001", same).await;
    assert_eq!(theirs["alarms"], mine["alarms"]);
    send(&second, "e-3", "orders", "INSUFFICIENT_DATA", "06:44:12").await;
    send(&second, "e-4", "orders", "ALARM", "06:45:12").await;
    let counted = |d: &Value| d["alarms"][0]["times"] == 2;
    second.until("/v1/investigations/inv_00000001", counted).await;
}

crate::store::on_both_stores!(what_is_old_goes_and_nothing_is_forgotten_that_goes_on);
