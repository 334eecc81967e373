//! What is read beyond the plain sources: how alarms are set up, patterns counted by Logs Insights, sums of links, events that
//! were sent, and what a person's word changes about the next round.

use std::time::Duration;

use serde_json::{Value, json};
use tantei::aws::client::Timing;
use tantei::aws::collector::Settings;
use tantei::bundle::manifest;
use tantei::replay::{Investigated, Options, Silent, replay};
use tantei_engine::analysis::alarm_health::judge;
use tantei_engine::analysis::log_digest::{LogDigest, LogFindings};
use tantei_engine::analysis::trace_digest::TraceDigest;
use tantei_engine::investigation::State;
use tantei_engine::limits::Limits;
use tantei_engine::model::alarm_health::{AlarmFault, AlarmHealth};
use tantei_engine::model::gap::GapReason;
use tantei_engine::model::observation::{PatternChange, Signal};
use tantei_engine::model::query::Source;
use tantei_engine::model::telemetry::Batch;

use crate::aws::{collect, collector, data, small, timing};
use crate::aws_faults::told;
use crate::fake_aws::{Data, Fake, Fault};
use crate::support::{SmallBundle, document, tantei_ok};

fn lines(lines: &[Value]) -> String {
    lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

/// The alarm fires on missing data, again and again, and tells nobody that it is over.
fn badly_set_up() -> SmallBundle {
    let bundle = small();
    let trigger = json!({"MetricName": "m", "Namespace": "Bundle", "Statistic": "AVERAGE", "Period": 60,
        "EvaluationPeriods": 1, "DatapointsToAlarm": 1, "TreatMissingData": "breaching", "Threshold": 3.0,
        "ComparisonOperator": "GreaterThanThreshold", "Dimensions": [{"name": "Service", "value": "front"}]});
    let change = |t: i64, from: &str, to: &str| {
        json!({"t": t * 1_000, "AlarmName": "front-slow", "NewStateValue": to, "OldStateValue": from,
            "NewStateReason": "no datapoints were received for 1 period and 1 missing datapoint was treated as [Breaching].",
            "AlarmArn": "arn:aws:cloudwatch:r:1:alarm:front-slow", "AlarmActions": ["arn:aws:sns:r:1:t"], "OKActions": [],
            "Trigger": trigger})
    };
    let changes: Vec<Value> = (0..3)
        .flat_map(|i| [change(300 + i * 60, "OK", "ALARM"), change(330 + i * 60, "ALARM", "OK")])
        .chain([change(1_080, "OK", "ALARM")])
        .collect();
    bundle.write("alarms.jsonl", &lines(&changes));
    bundle
}

/// The same incident, replayed from its recording.
async fn offline(bundle: &SmallBundle) -> Investigated {
    let path = bundle.path().to_owned();
    let replayed = move || replay(&path, &Options::default(), &mut Silent).unwrap();
    tokio::task::spawn_blocking(replayed).await.unwrap()
}

fn healths(state: &State) -> Vec<AlarmHealth> {
    state.unhealthy().map(|(_, h)| h.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_the_alarm_itself_is_told_live_as_offline_and_never_ranked() {
    let bundle = badly_set_up();
    let manifest = manifest::read(bundle.path()).unwrap();
    let fake = Fake::serve(bundle.path()).await;
    let settings = Settings { alarm_name: Some("front-slow".to_owned()), ..Settings::default() };
    let (_, batches) =
        collect(&collector(&fake.clients(timing()), &manifest, settings), &manifest, Source::Alarms).await;
    let (mut definitions, mut transitions) = (Vec::new(), Vec::new());
    for batch in batches {
        match batch {
            Batch::Definitions(found) => definitions.extend(found),
            Batch::Alarms(found) => transitions.extend(found),
            other => panic!("not of alarms: {other:?}"),
        }
    }
    assert!(definitions[0].past.is_some(), "its whole history was asked for");
    let offline = offline(&bundle).await;
    let expected =
        [AlarmFault::NoOkAction, AlarmFault::MissingFires { times: 4 }, AlarmFault::Flaps { times: 4 }];
    let scope = offline.state().scope().unwrap();
    let live = judge(&scope, definitions, &transitions);
    assert_eq!(live.len(), 1);
    assert_eq!(live[0].faults, expected);
    assert_eq!(healths(offline.state()), live);
    for h in offline.state().hypotheses.values() {
        let cited = h.facts().cited();
        assert!(!cited.iter().any(|id| offline.state().healths.contains_key(id)));
    }
}

#[test]
fn the_set_up_of_alarms_has_a_place_of_its_own_in_both_languages() {
    let bundle = badly_set_up();
    let folder = bundle.path().to_str().unwrap();
    let report = bundle.path().join("report.md");
    for (lang, heading, words) in [
        ("en", "Alarm hygiene", "nobody is told when it is over"),
        ("ja", "アラームの健全性", "復帰しても誰にも通知されない"),
    ] {
        let args = ["investigate", "--bundle", folder, "--lang", lang, "--report", report.to_str().unwrap()];
        let terminal = tantei_ok(&args);
        let markdown = std::fs::read_to_string(&report).unwrap();
        for text in [&terminal, &markdown] {
            assert!(text.contains(heading) && text.contains(words), "{lang}: {text}");
        }
    }
}

/// A million lines in the window, the one that tells all among the oldest; a line stands for a thousand written alike.
fn flood() -> SmallBundle {
    let bundle = small();
    let line = |s: i64, text: String, times: u64| json!({"t": s * 1_000, "resource": "front", "message": text, "times": times});
    let mut all: Vec<Value> = (0..900).map(|s| line(s, format!("request {s} served"), 1_000)).collect();
    all.extend((900..1_500).map(|s| line(s, format!("request {s} served"), 1_700)));
    all.push(line(1_081, "FATAL: remaining connection slots are reserved for superusers".to_owned(), 12));
    bundle.write("logs.jsonl", &lines(&all));
    bundle
}

/// What the engine makes of the batches.
async fn digested(bundle: &SmallBundle, batches: &[Batch]) -> LogFindings {
    let offline = offline(bundle).await;
    let scope = offline.state().scope().unwrap();
    let mut digest = LogDigest::new(&scope);
    for batch in batches {
        match batch {
            Batch::Logs(events) => events.iter().for_each(|e| digest.push(e)),
            Batch::Tallies(tallies) => tallies.iter().for_each(|t| digest.push_tally(t)),
            other => panic!("not of logs: {other:?}"),
        }
    }
    digest.finish(&Limits::default())
}

/// Lines before and after of the pattern with these words, and what changed about it.
fn counts(found: &LogFindings, words: &str) -> Option<(u64, u64, PatternChange)> {
    found.observations.iter().find_map(|o| match &o.signal {
        Signal::LogPattern(p) if p.template.raw().contains(words) => {
            Some((p.count_before, p.count_after, p.change))
        }
        _ => None,
    })
}

async fn logs(
    fake: &Fake,
    bundle: &SmallBundle,
    settings: Settings,
) -> (tantei::ports::Collection, Vec<Batch>) {
    let manifest = manifest::read(bundle.path()).unwrap();
    // The fake takes its time over ten thousand rows on a busy machine; what is tested is not how fast it is.
    let patient = Timing { attempt: Duration::from_secs(20), call: Duration::from_secs(45), ..timing() };
    let patient = Timing { source: Duration::from_secs(90), ..patient };
    collect(&collector(&fake.clients(patient), &manifest, settings), &manifest, Source::Logs).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rare_old_line_in_a_flood_is_found_by_patterns_and_not_by_the_newest_lines() {
    let bundle = flood();
    let settings = || Settings { log_lines_max: 10_000, ..Settings::default() };
    // A group so large that its lines are not even asked for; and one that turns out to have too many.
    for stored_bytes in [10_000_000_000, 10_000_000] {
        let fake = Fake::serve_data(Data { stored_bytes, ..data(bundle.path()) }).await;
        let (collection, batches) = logs(&fake, &bundle, settings()).await;
        assert!(collection.gaps.is_empty(), "nothing was left out: {:?}", collection.gaps);
        let found = digested(&bundle, &batches).await;
        assert_eq!(counts(&found, "slots are reserved"), Some((0, 12, PatternChange::New)));
        let asked = fake.asked("StartQuery");
        let by_lines =
            asked.iter().filter(|q| !q["queryString"].as_str().unwrap().contains("pattern")).count();
        assert_eq!(by_lines, if stored_bytes > 1_000_000_000 { 0 } else { 1 }, "{asked:?}");
        let total: u64 = batches
            .iter()
            .filter_map(|b| {
                if let Batch::Tallies(t) = b { Some(t.iter().map(|t| t.times).sum::<u64>()) } else { None }
            })
            .sum();
        assert_eq!(total, 900_000 + 600 * 1_700 + 12, "every line is counted once");
    }
    let fake = Fake::serve_data(Data { log_class: "INFREQUENT_ACCESS", ..data(bundle.path()) }).await;
    let (collection, batches) = logs(&fake, &bundle, settings()).await;
    assert_eq!(collection.gaps[0].reason, GapReason::Truncated);
    assert_eq!(counts(&digested(&bundle, &batches).await, "slots are reserved"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rates_counted_by_patterns_are_those_of_the_lines() {
    let bundle = small();
    let text =
        |s: i64| json!({"t": s * 1_000, "resource": "front", "message": format!("retry {s} of payment")});
    let few = (0..900).step_by(120).map(text);
    let many = (1_080..1_500).step_by(2).map(text);
    let usual = (0..1_500)
        .map(|s| json!({"t": s * 1_000, "resource": "front", "message": format!("request {s} served")}));
    bundle.write("logs.jsonl", &lines(&few.chain(many).chain(usual).collect::<Vec<_>>()));
    let mut told = Vec::new();
    for log_lines_max in [100_000, 100] {
        let fake = Fake::serve(bundle.path()).await;
        let settings = Settings { log_lines_max, ..Settings::default() };
        let (collection, batches) = logs(&fake, &bundle, settings).await;
        assert!(collection.gaps.is_empty(), "{:?}", collection.gaps);
        told.push(counts(&digested(&bundle, &batches).await, "payment").unwrap());
    }
    assert_eq!(told[0], told[1], "by lines and by patterns");
    assert_eq!(told[0].2, PatternChange::MoreFrequent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_while_patterns_are_counted_ends_as_a_gap() {
    let bundle = flood();
    for operation in ["StartQuery", "GetQueryResults"] {
        for fault in Fault::ALL.into_iter().filter(|f| f.fits(operation) && *f != Fault::Hang) {
            // What Logs Insights counts comes on one page.
            if matches!(fault, Fault::PartialPage | Fault::RepeatedToken) {
                continue;
            }
            let fake = Fake::serve_data(Data { stored_bytes: 10_000_000_000, ..data(bundle.path()) }).await;
            fake.fail(operation, fault);
            let settings =
                Settings { log_lines_max: 10_000, log_bytes_max: 5_000_000, ..Settings::default() };
            let (collection, _) = logs(&fake, &bundle, settings).await;
            let (reasons, words) = told(fault);
            let fits = |g: &&tantei_engine::model::gap::Gap| {
                reasons.contains(&g.reason) && g.detail.raw().contains(words)
            };
            assert!(collection.gaps.iter().any(|g| fits(&g)), "{operation} {fault:?} {:?}", collection.gaps);
        }
    }
}

/// X-Ray keeps no trace of this time, but its graph counted calls: `back` answers late from the onset on, `front` waits for it.
fn counted_links() -> Vec<Value> {
    let at = |t: i64| {
        let slow = t >= 1_080;
        let (back, front) = if slow { (0.4, 0.45) } else { (0.02, 0.07) };
        [
            json!({"t": t, "to": "front", "calls": 100, "faults": 0, "total_s": 100.0 * front}),
            json!({"t": t, "from": "front", "to": "back", "calls": 100, "faults": if slow { 30 } else { 0 },
                   "total_s": 100.0 * back}),
        ]
    };
    (0..1_500).step_by(60).flat_map(at).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_spans_the_service_graph_says_whose_time_it_was() {
    let bundle = small();
    let manifest = manifest::read(bundle.path()).unwrap();
    let data =
        Data { spans: std::collections::BTreeMap::new(), links: counted_links(), ..data(bundle.path()) };
    let fake = Fake::serve_data(data).await;
    let (_, batches) = collect(
        &collector(&fake.clients(timing()), &manifest, Settings::default()),
        &manifest,
        Source::Traces,
    )
    .await;
    let offline = offline(&bundle).await;
    let scope = offline.state().scope().unwrap();
    let limits = Limits::default();
    let mut digest = TraceDigest::new(&scope, &limits);
    for batch in &batches {
        match batch {
            Batch::Links(sums) => sums.iter().for_each(|s| digest.push_sum(s)),
            other => panic!("no spans were recorded: {other:?}"),
        }
    }
    let found = digest.finish(&limits);
    let link = found.observations.iter().find(|o| o.resource.as_str() == "back").unwrap();
    let Signal::TraceLink(l) = &link.signal else { panic!("no link") };
    assert_eq!(link.peer.as_ref().map(|p| p.as_str()), Some("front"));
    assert!(l.calls_before > 0 && l.calls_after > 0 && l.errors_after > 0, "{l:?}");
    assert!((l.own_ms_before - 20.0).abs() < 1.0 && (l.own_ms_after - 400.0).abs() < 1.0, "{l:?}");
    assert!(l.strength > 0.5 && l.excess_s > 0.0 && l.excess_errors > 0.0, "{l:?}");
    // What front spent itself is as before: it is not blamed for waiting.
    let front = found.observations.iter().find(|o| o.resource.as_str() == "front");
    let own = front.and_then(|o| if let Signal::TraceLink(l) = &o.signal { Some(l.excess_s) } else { None });
    assert!(own.unwrap_or(0.0) < l.excess_s / 10.0, "{own:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_are_spans_the_graph_is_not_asked_for_sums() {
    let bundle = small();
    let manifest = manifest::read(bundle.path()).unwrap();
    let fake = Fake::serve_data(Data { links: counted_links(), ..data(bundle.path()) }).await;
    let collector = collector(&fake.clients(timing()), &manifest, Settings::default());
    let (collection, _) = collect(&collector, &manifest, Source::Traces).await;
    assert_eq!(collection.records, 30);
    assert!(fake.asked("GetServiceGraph").is_empty());
}

#[test]
fn a_recording_may_hold_counts_instead_of_lines_and_calls() {
    let bundle = SmallBundle::new();
    let line = |s: i64, text: &str, times: u64| json!({"t": s * 1_000, "resource": "back", "message": text, "times": times});
    bundle.write(
        "log-tallies.jsonl",
        &lines(&[
            line(0, "request 1 served", 90_000),
            line(1_090, "request 7 served", 50_000),
            line(1_090, "FATAL: no slots left", 12),
        ]),
    );
    let link = |t: i64, until: i64, total_s: f64| {
        json!({"t": t * 1_000, "until": until * 1_000, "from": "front", "to": "back",
        "calls": 1_000, "errors": 0, "total_s": total_s})
    };
    bundle.write("links.jsonl", &lines(&[link(0, 900, 20.0), link(1_080, 1_500, 400.0)]));
    let document = document(bundle.path());
    let signals: Vec<&Value> = document["feed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["body"]["signal"])
        .filter(|s| s["type"] == "log_pattern" || s["type"] == "trace_link")
        .collect();
    let found = |key: &str, value: Value| signals.iter().any(|s| s[key] == value);
    assert!(
        found("count_after", json!(12)) && found("calls_after", json!(1_000)),
        "{signals:?} {}",
        document["gaps"]
    );
    let gaps: Vec<&Value> = document["feed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["body"])
        .filter(|b| b["item"] == "gap")
        .collect();
    assert!(!gaps.iter().any(|g| g["source"] == "logs" || g["source"] == "traces"), "{gaps:?}");
}
