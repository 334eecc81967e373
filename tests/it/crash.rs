//! The real binary is killed at random moments while alarms come in: nothing that was acknowledged is lost, nothing is
//! decided twice, every investigation ends what it began, every feed verifies.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tantei::access;
use tantei::store::{Filter, Store};
use tantei_engine::model::feed::{Body, verify};

use crate::server::{KEY, event};
use crate::support::{lab_incident, postgres_url};

/// Loops without a flag; `TANTEI_CRASH_LOOPS` asks for more.
const LOOPS: u64 = 50;

/// A server process and where it listens.
struct Process {
    child: Child,
    url: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL: nothing is cleaned up.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn serve(folder: &Path, store: &str) -> Process {
    let config = format!(
        "[store]\nurl = \"{store}\"\n[http]\nlisten = \"127.0.0.1:0\"\n[eventbridge]\nkey_hashes = [\"{}\"]\n\
         [evidence]\nbundle = \"{}\"\n",
        access::hash(KEY),
        lab_incident().display(),
    );
    let file = folder.join("tantei.toml");
    std::fs::write(&file, config).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tantei"))
        .args(["serve", "--log-json", "--config"])
        .arg(&file)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line).ok()?;
            line["fields"]["address"].as_str().map(str::to_owned)
        })
        .unwrap_or_else(|| panic!("the server never listened"));
    // Read on, so that the pipe never fills.
    std::thread::spawn(move || lines.for_each(drop));
    Process { child, url: format!("http://{address}") }
}

/// Posts events until the server dies or `count` were sent; which were acknowledged.
async fn post(url: &str, first: u64, count: u64) -> BTreeSet<String> {
    let client = reqwest::Client::new();
    let mut acknowledged = BTreeSet::new();
    for k in first..first + count {
        let id = format!("e-{k}");
        // Few alarms that fire and recover again and again, and each change in two copies.
        let (alarm, state) = (format!("orders-{}", k % 7), if k % 3 == 0 { "OK" } else { "ALARM" });
        let at = format!("2026-11-24T06:{:02}:{:02}.000+0000", (k / 60) % 60, k % 60);
        let body = event(&id, &alarm, state, &at).to_string();
        let post = client.post(format!("{url}/v1/alarms/eventbridge")).header("x-api-key", KEY).body(body);
        match post.send().await {
            Ok(answer) if answer.status().is_success() => drop(acknowledged.insert(id)),
            Ok(answer) => assert!(answer.status().is_server_error(), "{}", answer.status()),
            // It is dead; what was sent last may or may not be stored.
            Err(_) => break,
        }
    }
    acknowledged
}

async fn kill_again_and_again(url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let loops = std::env::var("TANTEI_CRASH_LOOPS").ok().and_then(|n| n.parse().ok()).unwrap_or(LOOPS);
    let mut acknowledged = BTreeSet::new();
    let mut sent = 0;
    for k in 0..loops {
        let server = serve(folder.path(), url);
        // Spread over what a start, a post, a decision and an investigation take.
        let wait = Duration::from_millis(5 + (k * 7_919 + 104_729) % 400);
        let posted = tokio::time::timeout(wait, async {
            let mut all = BTreeSet::new();
            loop {
                let some = post(&server.url, sent, 4).await;
                sent += 4;
                all.extend(some);
                acknowledged.extend(all.iter().cloned());
            }
        });
        assert!(posted.await.is_err(), "posting goes on until the kill");
        drop(server);
    }
    let server = serve(folder.path(), url);
    let store = Store::open(url).await.unwrap();
    settled(&store).await;
    drop(server);
    check(&store, &acknowledged).await;
    eprintln!("{loops} kills, {} deliveries acknowledged, none lost", acknowledged.len());
}

/// Waits until everything was decided about and every investigation has concluded or ended.
async fn settled(store: &Store) {
    for _ in 0..1_200 {
        let waiting = store.waiting(1).await.unwrap();
        if waiting.is_empty() && all_concluded(store).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let waiting = store.waiting(10).await.unwrap().len();
    let mut left = Vec::new();
    for listed in store.investigations(&Filter { limit: 200, ..Filter::default() }).await.unwrap() {
        let feed = store.feed(&listed.id, 0).await.unwrap();
        let last = feed.last().map(|i| i.body.kind());
        left.push(format!("{} open {} items {} last {last:?}", listed.id, listed.open, feed.len()));
    }
    panic!("not everything came to its end: {waiting} deliveries wait; {left:#?}");
}

async fn all_concluded(store: &Store) -> bool {
    for listed in store.investigations(&Filter { limit: 200, ..Filter::default() }).await.unwrap() {
        let feed = store.feed(&listed.id, 0).await.unwrap();
        // One whose alarms recovered before it had its turn has ended without work.
        if listed.open && !feed.iter().any(|i| matches!(i.body, Body::Matched(_))) {
            return false;
        }
    }
    true
}

async fn check(store: &Store, acknowledged: &BTreeSet<String>) {
    let stored = store.delivered().await.unwrap();
    let lost: Vec<&String> = acknowledged.iter().filter(|id| !stored.contains(*id)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(store.quarantined(10).await.unwrap().is_empty());
    // Every delivery was decided about exactly once.
    let mut decided: BTreeMap<String, u32> = BTreeMap::new();
    for (_, body) in store.decisions(0).await.unwrap() {
        let decision: serde_json::Value = serde_json::from_str(&body).unwrap();
        if let Some(id) = decision["what"]["incoming"]["delivery"].as_str() {
            *decided.entry(id.to_owned()).or_default() += 1;
        }
    }
    let twice: Vec<_> = decided.iter().filter(|(_, n)| **n != 1).collect();
    assert!(twice.is_empty(), "decided about more than once: {twice:?}");
    assert!(stored.iter().filter(|id| id.starts_with("e-")).all(|id| decided.contains_key(id)));
    for listed in store.investigations(&Filter { limit: 200, ..Filter::default() }).await.unwrap() {
        let feed = store.feed(&listed.id, 0).await.unwrap();
        let values: Vec<_> = feed.iter().map(|i| serde_json::to_value(i).unwrap()).collect();
        verify(&values).unwrap_or_else(|e| panic!("{}: {e}", listed.id));
        let concluded = feed.iter().filter(|i| matches!(i.body, Body::Concluded(_))).count();
        assert!(concluded == 1 || (concluded == 0 && !listed.open), "{}: {concluded} conclusions", listed.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_survives_kills() {
    let folder = tempfile::tempdir().unwrap();
    kill_again_and_again(&format!("sqlite:{}", folder.path().join("tantei.db").display())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/all starts one"]
async fn postgres_survives_kills() {
    kill_again_and_again(&postgres_url("crash").await).await;
}
