//! Several nodes on one PostgreSQL: one effect each, readers on every node, and a database that is killed under load.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tantei::store::Store;
use tantei_engine::triage::{Decision, What};

use crate::server::{KEY, Server, World, config, event};
use crate::support::{postgres_url, root};

/// Changes posted while nodes race or the database is killed.
const CHANGES: usize = 200;

fn change(k: usize) -> serde_json::Value {
    let (alarm, state) = (format!("orders-{}", k % 9), if k.is_multiple_of(4) { "OK" } else { "ALARM" });
    event(&format!("e-{k}"), &alarm, state, &format!("2026-11-24T06:{:02}:{:02}.000+0000", k / 60, k % 60))
}

async fn settled(store: &Store) {
    for _ in 0..1_200 {
        if store.waiting(1).await.is_ok_and(|w| w.is_empty()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("deliveries wait for ever");
}

/// Deliveries that were decided about, in the order of the record.
async fn decided(store: &Store) -> Vec<String> {
    let record = store.decisions(0).await.unwrap();
    let numbers: Vec<i64> = record.iter().map(|(seq, _)| *seq).collect();
    let count = i64::try_from(numbers.len()).unwrap();
    assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "the record has no hole and no fork");
    let decisions = record.iter().map(|(_, body)| serde_json::from_str::<Decision>(body).unwrap());
    let received = decisions.filter_map(|d| {
        let What::Received { incoming, .. } = d.what else { return None };
        Some(incoming.delivery)
    });
    received.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/all starts one"]
async fn two_nodes_race_and_every_change_has_one_effect() {
    race(&postgres_url("two nodes").await).await;
}

/// Nobody should, but a server that is started twice by mistake must do no harm.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_file_race_and_every_change_has_one_effect() {
    let folder = tempfile::tempdir().unwrap();
    race(&format!("sqlite:{}", folder.path().join("tantei.db").display())).await;
}

/// Sends it until it is taken, as SNS and EventBridge do; what became of it.
async fn taken(server: &Server, change: &serde_json::Value) -> serde_json::Value {
    for _ in 0..50 {
        let (status, answer) = server.event(change, KEY).await;
        if status.is_success() {
            return answer["received"].clone();
        }
        assert_eq!(status.as_u16(), 503, "{answer}");
        eprintln!("not taken at first: {}", answer["detail"]);
    }
    panic!("fifty times not taken");
}

async fn race(url: &str) {
    let (first, second) = (Store::open(url).await.unwrap(), Store::open(url).await.unwrap());
    let a = Server::start(first, config(), "2026-11-24T06:50:00Z").await;
    let b = Server::join(second, config(), World::at("2026-11-24T06:50:00Z")).await;
    for k in 0..CHANGES {
        let change = change(k);
        let (one, other) = tokio::join!(taken(&a, &change), taken(&b, &change));
        let mut received = [one, other];
        received.sort_by_key(ToString::to_string);
        assert_eq!(received, [json!("duplicate"), json!("stored")], "both nodes were sent the same");
    }
    settled(&a.store).await;
    let decided = decided(&a.store).await;
    let distinct: BTreeSet<&String> = decided.iter().collect();
    assert_eq!((decided.len(), distinct.len()), (CHANGES, CHANGES));
    // Either node tells the same of every investigation, whoever decided and whoever worked.
    let list = a.get("/v1/investigations").await.1;
    for listed in list["investigations"].as_array().unwrap() {
        let path = format!("/v1/investigations/{}", listed["id"].as_str().unwrap());
        let mine = a.get(&path).await.1;
        let theirs = b.until(&path, |theirs| theirs["alarms"] == mine["alarms"]).await;
        assert_eq!(theirs["recurrence"], mine["recurrence"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/all starts one"]
async fn a_database_that_is_killed_under_load_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("pg");
    let script = root().join("tests/postgres");
    let run = |action: &str| {
        let output = Command::new(&script).arg(action).arg(&dir).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let url = format!("{}/postgres", run("start"));
    let server = Server::start(Store::open(&url).await.unwrap(), config(), "2026-11-24T06:50:00Z").await;
    let mut acknowledged = BTreeSet::new();
    let mut refused = 0;
    for k in 0..CHANGES {
        if k % 50 == 25 {
            run("restart");
        }
        let (status, answer) = server.event(&change(k), KEY).await;
        if status.is_success() {
            acknowledged.insert(format!("e-{k}"));
        } else {
            assert_eq!(status.as_u16(), 503, "{answer}");
            refused += 1;
        }
    }
    assert!(acknowledged.len() > CHANGES / 2, "{} of {CHANGES} were taken", acknowledged.len());
    settled(&server.store).await;
    let decided: BTreeSet<String> = decided(&server.store).await.into_iter().collect();
    let lost: Vec<&String> = acknowledged.difference(&decided).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    eprintln!("4 kills of PostgreSQL: {} acknowledged, {refused} refused, none lost", acknowledged.len());
    run("stop");
}
