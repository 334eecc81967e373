//! The recorded storm, posted to a running server over HTTP in order of arrival: how many investigations, how pure, and
//! whether every alarm is in one of them. `triage.rs` judges the rules alone; this judges what people get.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tantei::store::Store;
use tantei_engine::model::time::Timestamp;
use tantei_engine::triage::{Decision, Outcome, What};

use crate::server::{KEY, Server, config, event};
use crate::support::shared;

/// Alarms arrive for this many seconds between two looks at whether all were decided about.
const BATCH_S: i64 = 5;

/// Deliveries that are under way at once: SNS and EventBridge do not wait for one another either.
const AT_ONCE: usize = 16;

const START: &str = "2026-11-24T06:00:00Z";

struct Line {
    value: Value,
    arrival: Timestamp,
}

impl Line {
    fn text(&self, key: &str) -> &str {
        self.value[key].as_str().unwrap()
    }

    /// As EventBridge would have told it.
    fn event(&self) -> Value {
        let at = at(self.value["change_time"].as_f64().unwrap()).to_string();
        let mut event = event(self.text("message_id"), self.text("alarm"), self.text("state"), &at);
        event["account"] = self.value["account"].clone();
        event["region"] = self.value["region"].clone();
        event["resources"][0] = self.value["arn"].clone();
        let metric = &mut event["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"];
        metric["namespace"] = "Shop".into();
        metric["dimensions"] = serde_json::json!({ "Service": self.text("service") });
        event
    }
}

fn at(seconds: f64) -> Timestamp {
    let start: Timestamp = START.parse().unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a quarter of an hour")]
    let ms = (seconds * 1_000.0) as i64;
    Timestamp::from_micros(start.micros() + ms * 1_000)
}

async fn every_alarm_of_a_storm_is_in_an_investigation_and_they_are_few_and_pure(store: Store) {
    let Some(shared) = shared() else { return };
    let packed = std::fs::File::open(shared.join("data/storm/storm_10k.jsonl.zst")).unwrap();
    let text = std::io::read_to_string(zstd::Decoder::new(packed).unwrap()).unwrap();
    let line = |l: &str| {
        let value: Value = serde_json::from_str(l).unwrap();
        Line { arrival: at(value["arrival"].as_f64().unwrap()), value }
    };
    let mut lines: Vec<Line> = text.lines().map(line).collect();
    lines.sort_by_key(|l| l.arrival);
    let mut config = config();
    let topology = std::fs::read_to_string(shared.join("data/storm/topology.json")).unwrap();
    let topology: Value = serde_json::from_str(&topology).unwrap();
    let end = |e: &Value| {
        let (scope, service) = e.as_str().unwrap().rsplit_once('/').unwrap();
        format!("{scope}/{service}")
    };
    config.triage.edges =
        topology["edges"].as_array().unwrap().iter().map(|e| (end(&e[0]), end(&e[1]))).collect();
    let server = Server::start(store, config, START).await;
    let seen = Seen::watch(&server);
    let mut posted = BTreeMap::new();
    let mut rest = &lines[..];
    while let Some(first) = rest.first() {
        let until = first.arrival.plus_secs(BATCH_S);
        let (batch, later) = rest.split_at(rest.partition_point(|l| l.arrival < until));
        rest = later;
        for some in batch.chunks(AT_ONCE) {
            server.clock.advance(some.last().unwrap().arrival);
            let mut posts = tokio::task::JoinSet::new();
            for line in some {
                posted.insert(line.text("message_id").to_owned(), Instant::now());
                let post = server.client.post(format!("{}/v1/alarms/eventbridge", server.url));
                let post = post.header("x-api-key", KEY).body(line.event().to_string());
                posts.spawn(async move { post.send().await.unwrap().status() });
            }
            assert!(posts.join_all().await.iter().all(|status| status.is_success()));
        }
        while !server.store.waiting(1).await.unwrap().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    seen.judge(&server, &posted).await;
    let mut members = members(&server).await;
    for (arn, investigation) in told(&server).await {
        members.entry(arn).or_insert(investigation);
    }
    judge(&lines, &members);
}

/// When each investigation was first seen in the list, by somebody who looks again and again.
struct Seen(Arc<Mutex<BTreeMap<String, Instant>>>);

impl Seen {
    fn watch(server: &Server) -> Self {
        let seen = Arc::new(Mutex::new(BTreeMap::new()));
        let (client, stop, kept) = (server.client.clone(), server.stop.clone(), Arc::clone(&seen));
        let url = format!("{}/v1/investigations?limit=200", server.url);
        tokio::spawn(async move {
            while !stop.is_cancelled() {
                let answer = client.get(&url).bearer_auth("viewer").send().await;
                if let Ok(answer) = answer
                    && let Ok(list) = answer.json::<Value>().await
                {
                    let ids = list["investigations"].as_array().into_iter().flatten();
                    let mut kept = kept.lock().unwrap();
                    for id in ids.filter_map(|i| i["id"].as_str()) {
                        kept.entry(id.to_owned()).or_insert_with(Instant::now);
                    }
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        Self(seen)
    }

    /// Every investigation that an alarm opened was seen; says how long after that alarm was posted.
    async fn judge(&self, server: &Server, posted: &BTreeMap<String, Instant>) {
        let mut waits = Vec::new();
        for (delivery, id) in openings(server).await {
            let mut when = None;
            for _ in 0..600 {
                when = self.0.lock().unwrap().get(&id).copied();
                if when.is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let when = when.unwrap_or_else(|| panic!("{id} was never listed"));
            waits.push(when.saturating_duration_since(posted[&delivery]));
        }
        waits.sort();
        let (p50, max) = (waits[waits.len() / 2], waits[waits.len() - 1]);
        eprintln!("first card after the first alarm: p50 {p50:?}, max {max:?} of {}", waits.len());
    }
}

/// The deliveries that opened an investigation, each with it.
async fn openings(server: &Server) -> Vec<(String, String)> {
    let decisions = decisions(server).await.into_iter();
    decisions
        .filter_map(|decision| {
            let What::Received { incoming, outcome: Outcome::Opened { investigation, .. }, .. } =
                decision.what
            else {
                return None;
            };
            Some((incoming.delivery, format!("inv_{:08}", investigation.0)))
        })
        .collect()
}

/// Alarm → the investigation that it is in, for those that were not merged into others.
async fn members(server: &Server) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    let list = server.get("/v1/investigations?limit=200").await.1;
    for listed in list["investigations"].as_array().unwrap() {
        let id = listed["id"].as_str().unwrap();
        let detail = server.get(&format!("/v1/investigations/{id}")).await.1;
        for member in detail["alarms"].as_array().unwrap() {
            shown.insert(member["last"]["alarm"]["arn"].as_str().unwrap().to_owned(), id.to_owned());
        }
    }
    shown
}

/// Alarm → where its messages are shown without making it a member: one whose OK came before its ALARM, for instance.
async fn told(server: &Server) -> BTreeMap<String, String> {
    let decisions = decisions(server).await.into_iter();
    decisions
        .filter_map(|decision| {
            let What::Received { incoming, outcome, .. } = decision.what else { return None };
            Some((incoming.alarm.arn, format!("inv_{:08}", outcome.investigation()?.0)))
        })
        .collect()
}

/// The whole record.
async fn decisions(server: &Server) -> Vec<Decision> {
    let mut decisions = Vec::new();
    loop {
        let page = server.store.decisions(i64::try_from(decisions.len()).unwrap()).await.unwrap();
        if page.is_empty() {
            break;
        }
        decisions.extend(page);
    }
    decisions.iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
}

fn judge(lines: &[Line], shown: &BTreeMap<String, String>) {
    let fired = lines.iter().filter(|l| l.text("state") == "ALARM");
    let truth: BTreeMap<&str, &str> = fired.map(|l| (l.text("arn"), l.text("incident"))).collect();
    let lost: Vec<&&str> = truth.keys().filter(|arn| !shown.contains_key(**arn)).collect();
    assert!(lost.is_empty(), "{} alarms are in no investigation, such as {:?}", lost.len(), lost.first());
    let mut cells: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for (arn, incident) in &truth {
        *cells.entry((shown[*arn].as_str(), incident)).or_default() += 1.0;
    }
    let groups: BTreeSet<&str> = cells.keys().map(|(group, _)| *group).collect();
    let largest = |g: &str| cells.iter().filter(|((x, _), _)| *x == g).map(|(_, n)| *n).fold(0.0, f64::max);
    let all: f64 = cells.values().sum();
    let purity = groups.iter().map(|g| largest(g)).sum::<f64>() / all;
    let pairs = |n: f64| n * (n - 1.0) / 2.0;
    let total = |of: fn(&(&str, &str)) -> String| {
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        cells.iter().for_each(|(cell, n)| *sums.entry(of(cell)).or_default() += n);
        sums.into_values().map(pairs).sum::<f64>()
    };
    let both: f64 = cells.values().copied().map(pairs).sum();
    let f1 = 2.0 * both / (total(|(g, _)| (*g).to_owned()) + total(|(_, i)| (*i).to_owned()));
    eprintln!("storm over HTTP: {} investigations, purity {purity:.4}, pair F1 {f1:.4}", groups.len());
    assert!(groups.len() <= 25, "{} investigations", groups.len());
    assert!(purity >= 0.99, "purity {purity}");
    assert!(f1 >= 0.95, "pair F1 {f1}");
}

crate::store::on_both_stores!(every_alarm_of_a_storm_is_in_an_investigation_and_they_are_few_and_pure);
