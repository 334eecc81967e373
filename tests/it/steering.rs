//! What people and services say changes what is looked at: an accepted item steers the next round, events that were sent are
//! changes, and what an investigation learns of the topology serves the alarms to come.

use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tantei::aws::collector::{AwsCollector, Settings};
use tantei::bundle::manifest::{self, Manifest};
use tantei::clock::ReplayClock;
use tantei::driver::{self, Driver, Ports};
use tantei::playbooks;
use tantei::replay::Silent;
use tantei::store::Store;
use tantei_engine::model::feed::{
    Body, Decision, DecisionKind, FeedItem, NewItem, Opened, Principal, RoundReason,
};
use tantei_engine::model::id::ItemId;
use tantei_engine::model::time::Timestamp;

use crate::aws::{small, timing};
use crate::fake_aws::Fake;
use crate::server::{KEY, Server, config, event};
use crate::support::SmallBundle;

/// `elsewhere` is known and nobody calls it; it was changed, and it logs.
fn with_something_elsewhere() -> SmallBundle {
    let bundle = small();
    let lines = |lines: Vec<Value>| lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let nodes = json!([{"id": "front", "kind": "AWS::ECS::Service"}, {"id": "back"},
        {"id": "elsewhere", "kind": "AWS::ECS::Service"}]);
    bundle.write(
        "topology.json",
        &json!({"nodes": nodes, "edges": [{"from": "front", "to": "back"}]}).to_string(),
    );
    let line = |s: i64, who: &str, text: String| json!({"t": s * 1_000, "resource": who, "message": text});
    let usual = (0..1_500).step_by(10).map(|s| line(s, "front", format!("request {s} served")));
    let other = (1_080..1_500).step_by(10).map(|s| line(s, "elsewhere", format!("ERROR pool {s} exhausted")));
    bundle.write("logs.jsonl", &lines(usual.chain(other).collect()));
    let change = |who: &str| json!({"t": 990_000, "resource": who, "kind": "deployment", "actor": "ci", "summary": "v2"});
    bundle.write("changes.jsonl", &lines(vec![change("elsewhere")]));
    bundle
}

fn ports(fake: &Fake, manifest: &Manifest) -> Ports {
    let clock = Arc::new(ReplayClock::new(manifest.alarm.window.end.plus_secs(300)));
    let collector = AwsCollector::new(fake.clients(timing()), Arc::clone(&clock) as _, Settings::default());
    Ports { collector: Arc::new(collector), clock, journal: None, approver: None, automation: None }
}

fn settings() -> driver::Settings {
    driver::Settings { library: Arc::new(playbooks::shipped().unwrap()), ..driver::Settings::default() }
}

/// Investigates, lets a person decide about the first observation of a resource, and goes on.
async fn decided(fake: &Fake, manifest: &Manifest, about: &str, decision: DecisionKind) -> Driver {
    let opened = Opened {
        investigation: "inv_steered".to_owned(),
        alarm: manifest.alarm.clone(),
        origin: manifest.origin.clone(),
        tantei: "0".to_owned(),
        playbooks: String::new(),
    };
    let mut driver = Driver::new(ports(fake, manifest), settings());
    driver.run(opened, &mut Silent).await.unwrap();
    assert!(!asked_for(fake, about), "nobody looked there yet");
    let observed = |(id, o): (&ItemId, &tantei_engine::model::observation::Observation)| {
        (o.resource.as_str() == about).then_some(*id)
    };
    let item = driver.state().observations.iter().find_map(observed).unwrap();
    let by = Principal::Person { name: "yumi".to_owned(), surface: "terminal".to_owned() };
    let now = manifest.alarm.window.end.plus_secs(300);
    let body = Body::Decision(Decision { item, decision });
    let said = driver.state().seal(NewItem { happened_at: now, by, because: Vec::new(), body }, now);
    let mut feed = driver.feed().to_vec();
    feed.push(said);
    let mut driver = Driver::resume(ports(fake, manifest), settings(), feed).unwrap();
    driver.go_on(&mut Silent).await.unwrap();
    driver
}

/// Whether the log groups of a resource were looked for.
fn asked_for(fake: &Fake, resource: &str) -> bool {
    fake.asked("DescribeLogGroups").iter().any(|p| p["logGroupNamePattern"] == resource)
}

fn rounds(feed: &[FeedItem]) -> Vec<(RoundReason, Vec<&str>)> {
    feed.iter()
        .filter_map(|i| match &i.body {
            Body::Round(r) => Some((r.why, r.focus.iter().map(|id| id.as_str()).collect())),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_accepted_steers_the_next_round_and_a_discard_does_not() {
    let bundle = with_something_elsewhere();
    let manifest = manifest::read(bundle.path()).unwrap();
    let fake = Fake::serve(bundle.path()).await;
    let driver = decided(&fake, &manifest, "elsewhere", DecisionKind::Accepted).await;
    assert_eq!(rounds(driver.feed()), [(RoundReason::Steered, vec!["elsewhere"])]);
    assert!(asked_for(&fake, "elsewhere"));
    let logged = driver.state().evidence().any(|(_, o)| {
        o.resource.as_str() == "elsewhere" && o.source == tantei_engine::model::query::Source::Logs
    });
    assert!(logged, "its errors are evidence now");
    assert!(driver.state().concluded.is_some() && !driver.state().stale, "and it was ranked again");
    let fake = Fake::serve(bundle.path()).await;
    let driver = decided(&fake, &manifest, "elsewhere", DecisionKind::Discarded).await;
    assert!(rounds(driver.feed()).is_empty() && !asked_for(&fake, "elsewhere"));
}

/// A deployment of ECS that failed, as EventBridge tells it.
fn deployment(at: &str) -> Value {
    json!({
        "version": "0", "id": "deployment-1", "detail-type": "ECS Deployment State Change", "source": "aws.ecs",
        "account": "111122223333", "time": at, "region": "ap-northeast-1",
        "resources": ["arn:aws:ecs:ap-northeast-1:111122223333:service/shop/orders"],
        "detail": {"eventType": "ERROR", "eventName": "SERVICE_DEPLOYMENT_FAILED", "deploymentId": "ecs-svc/7",
                   "updatedAt": at, "reason": "circuit breaker: task failed to start"},
    })
}

/// Follows the only investigation until its work is done.
async fn done(server: &Server) -> Value {
    let list = server.until("/v1/investigations", |l| l["investigations"][0].is_object()).await;
    let id = list["investigations"][0]["id"].as_str().unwrap().to_owned();
    let items = |f: &Value, kind: &str| {
        f["items"].as_array().is_some_and(|items| items.iter().any(|i| i["body"]["item"] == kind))
    };
    server.until(&format!("/v1/investigations/{id}/feed"), |f| items(f, "matched")).await
}

async fn an_event_that_was_sent_is_a_change(store: Store) {
    let server = Server::start(store, config(), "2026-11-24T06:50:00Z").await;
    let sent = deployment("2026-11-24T06:41:40Z");
    assert_eq!(server.event(&sent, KEY).await, (StatusCode::OK, json!({"received": "stored"})));
    let fired = event("e-1", "orders", "ALARM", "2026-11-24T06:42:12.149+0000");
    server.event(&fired, KEY).await;
    let feed = done(&server).await;
    let told: Vec<&Value> = feed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["body"])
        .filter(|b| b["signal"]["summary"].as_str().is_some_and(|s| s.contains("circuit breaker")))
        .collect();
    assert_eq!(told.len(), 1, "{feed}");
    assert_eq!((&told[0]["resource"], &told[0]["signal"]["kind"]), (&json!("orders"), &json!("deployment")));
}

async fn what_is_learned_of_the_topology_serves_triage_once(store: Store) {
    let server = Server::start(store, config(), "2026-11-24T06:50:00Z").await;
    server.event(&event("e-1", "orders", "ALARM", "2026-11-24T06:42:12.149+0000"), KEY).await;
    done(&server).await;
    let learned = || async {
        let decisions = server.store.decisions(0).await.unwrap();
        decisions.iter().filter(|(_, body)| body.contains("learned")).count()
    };
    for _ in 0..200 {
        if learned().await > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(learned().await, 1);
    // Another investigation of the same topology has nothing new to tell.
    server.event(&event("e-2", "mailer", "ALARM", "2026-11-24T06:42:30.000+0000"), KEY).await;
    server.until("/v1/investigations", |l| l["investigations"][1].is_object()).await;
    server
        .until("/v1/investigations/inv_00000002/feed", |f| {
            f["items"].as_array().is_some_and(|items| items.iter().any(|i| i["body"]["item"] == "matched"))
        })
        .await;
    while !server.store.waiting(1).await.unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(learned().await, 1, "{:?}", server.store.decisions(0).await.unwrap());
}

async fn events_of_services_are_found_by_their_time(store: Store) {
    let put = |id: &str, at: i64, event: &str| tantei::store::Delivery {
        id: id.to_owned(),
        transition: id.to_owned(),
        source: "eventbridge".to_owned(),
        received_at: Timestamp::from_secs(at),
        event: event.to_owned(),
    };
    let deliveries = [
        put("a", 10, r#"{"event":"service","n":1}"#),
        put("b", 20, r#"{"event":"alarm","name":"{\"event\":\"service\""}"#),
        put("c", 30, r#"{"event":"service","n":2}"#),
        put("d", 40, r#"{"event":"service","n":3}"#),
    ];
    store.receive(&deliveries).await.unwrap();
    let found = |from, until, limit| {
        let store = store.clone();
        async move {
            let at = Timestamp::from_secs;
            store.services_between(at(from), at(until), limit).await.unwrap()
        }
    };
    assert_eq!(found(10, 40, 9).await, [r#"{"event":"service","n":2}"#, r#"{"event":"service","n":1}"#]);
    assert_eq!(found(0, 99, 1).await, [r#"{"event":"service","n":3}"#]);
    assert!(found(11, 30, 9).await.is_empty());
}

crate::store::on_both_stores!(
    an_event_that_was_sent_is_a_change,
    what_is_learned_of_the_topology_serves_triage_once,
    events_of_services_are_found_by_their_time,
);
