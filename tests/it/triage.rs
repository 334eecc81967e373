//! Triage over a recorded quarter of an hour of alarms, message by message in order of arrival.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde_json::Value;
use tantei_engine::model::alarm::AlarmState;
use tantei_engine::model::resource::ResourceId;
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::Timestamp;
use tantei_engine::triage::{
    AlarmKey, Command, Incoming, InvestigationId, Link, Node, Outcome, Scope, Severity, Triage, TriageLimits,
};

use crate::support::shared;

/// A delivery and the incident that it truly belongs to.
struct Delivery {
    incoming: Incoming,
    incident: String,
    arrival: Timestamp,
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap().to_owned()
}

fn seconds(value: &Value, key: &str) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "seconds of a day fit")]
    let ms = (value[key].as_f64().unwrap() * 1_000.0) as i64;
    Timestamp::from_millis(ms)
}

fn delivery(line: &Value) -> Delivery {
    let state = match text(line, "state").as_str() {
        "OK" => AlarmState::Ok,
        "ALARM" => AlarmState::Alarm,
        _ => AlarmState::InsufficientData,
    };
    let incoming = Incoming {
        delivery: text(line, "message_id"),
        alarm: AlarmKey { arn: text(line, "arn"), contributor: None },
        name: Untrusted::new(&text(line, "alarm")),
        scope: Scope { account: text(line, "account"), region: text(line, "region") },
        resource: Some(ResourceId::new(text(line, "service"))),
        service: Some(text(line, "service")),
        state,
        at: seconds(line, "change_time"),
        severity: Severity::Medium,
        dedupe: None,
        children: Vec::new(),
        suppressed: None,
    };
    Delivery { incoming, incident: text(line, "incident"), arrival: seconds(line, "arrival") }
}

/// `account/region/service`, as the recording writes nodes.
fn node(path: &Value) -> Node {
    let parts: Vec<&str> = path.as_str().unwrap().split('/').collect();
    let scope = Scope { account: parts[0].to_owned(), region: parts[1].to_owned() };
    Node::resource(scope, ResourceId::new(parts[2]))
}

fn recording() -> Option<(Vec<Delivery>, Vec<Link>)> {
    let folder = shared()?.join("data/storm");
    let packed = std::fs::File::open(folder.join("storm_10k.jsonl.zst")).unwrap();
    let lines = String::from_utf8(zstd::decode_all(packed).unwrap()).unwrap();
    let deliveries = lines.lines().map(|l| delivery(&serde_json::from_str(l).unwrap())).collect();
    let topology: Value =
        serde_json::from_slice(&std::fs::read(folder.join("topology.json")).unwrap()).unwrap();
    let edges = topology["edges"].as_array().unwrap();
    let links = edges.iter().map(|e| Link { caller: node(&e[0]), callee: node(&e[1]) }).collect();
    Some((deliveries, links))
}

/// How well investigations fit incidents, over the distinct messages that say ALARM.
#[derive(Debug)]
struct Fit {
    investigations: usize,
    purity: f64,
    f1: f64,
    /// Investigations of each incident with at least 100 messages.
    pieces: BTreeMap<String, usize>,
}

/// `shown` says where each delivery was shown when it came, for those whose alarm never became a member.
fn fit(triage: &Triage, deliveries: &[Delivery], shown: &[Option<InvestigationId>]) -> Fit {
    let mut seen = BTreeSet::new();
    let mut cells: BTreeMap<(InvestigationId, &str), usize> = BTreeMap::new();
    for (d, shown) in deliveries.iter().zip(shown).filter(|(d, _)| d.incoming.state == AlarmState::Alarm) {
        if seen.insert(&d.incoming.delivery) {
            let member = triage.alarms()[&d.incoming.alarm].investigation;
            let investigation = member.or(*shown).unwrap();
            *cells.entry((triage.current(investigation), &d.incident)).or_default() += 1;
        }
    }
    let mut groups: BTreeMap<InvestigationId, Vec<usize>> = BTreeMap::new();
    let mut incidents: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for ((group, incident), n) in &cells {
        groups.entry(*group).or_default().push(*n);
        incidents.entry(incident).or_default().push(*n);
    }
    let pairs = |n: usize| (n * n.saturating_sub(1) / 2) as f64;
    let together = cells.values().map(|n| pairs(*n)).sum::<f64>();
    let all = |parts: Vec<&Vec<usize>>| parts.iter().map(|p| pairs(p.iter().sum())).sum::<f64>();
    let pure: usize = groups.values().filter_map(|p| p.iter().max()).sum();
    let big = incidents.iter().filter(|(_, p)| p.iter().sum::<usize>() >= 100);
    Fit {
        investigations: groups.len(),
        purity: pure as f64 / seen.len() as f64,
        f1: 2.0 * together / (all(groups.values().collect()) + all(incidents.values().collect())),
        pieces: big.map(|(name, p)| ((*name).to_owned(), p.len())).collect(),
    }
}

/// Ten thousand deliveries, 21 incidents, several at a time in one account: an investigation for each, and every message
/// accounted for.
#[test]
fn a_storm_becomes_as_many_investigations_as_there_are_incidents() {
    let Some((deliveries, links)) = recording() else { return };
    let mut triage = Triage::new(TriageLimits::default());
    triage.command(&Command::Learn { links }, deliveries[0].arrival).unwrap();
    let start = Instant::now();
    let decisions: Vec<_> = deliveries.iter().map(|d| triage.decide(&d.incoming, d.arrival)).collect();
    let took = start.elapsed();
    let mut shown = Vec::new();
    for (delivery, made) in deliveries.iter().zip(&decisions) {
        let outcomes: Vec<_> = made.iter().filter_map(|d| d.outcome()).map(Outcome::investigation).collect();
        assert_eq!(outcomes.len(), 1, "{:?}", delivery.incoming);
        shown.push(outcomes[0]);
    }
    let fit = fit(&triage, &deliveries, &shown);
    eprintln!("{fit:?}, {} decisions in {took:?}", decisions.iter().map(Vec::len).sum::<usize>());
    eprintln!("{} messages are shown in no investigation", shown.iter().filter(|s| s.is_none()).count());
    assert!(fit.investigations <= 25 && fit.purity >= 0.99 && fit.f1 >= 0.95, "{fit:?}");
    assert!(fit.pieces.values().all(|n| *n <= 2), "{fit:?}");
    assert!(took.as_secs_f64() < 5.0, "{took:?} for {} deliveries", deliveries.len());
}
