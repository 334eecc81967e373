//! What is read beyond the plain sources: how alarms are set up, patterns counted by Logs Insights, sums of links, events that
//! were sent, and what a person's word changes about the next round.

use serde_json::{Value, json};
use tantei::aws::collector::Settings;
use tantei::bundle::manifest;
use tantei::replay::{Options, Silent, replay};
use tantei_engine::analysis::alarm_health::judge;
use tantei_engine::investigation::State;
use tantei_engine::model::alarm_health::{AlarmFault, AlarmHealth};
use tantei_engine::model::query::Source;
use tantei_engine::model::telemetry::Batch;

use crate::aws::{collect, collector, small, timing};
use crate::fake_aws::Fake;
use crate::support::{SmallBundle, tantei_ok};

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
    let path = bundle.path().to_owned();
    let offline =
        tokio::task::spawn_blocking(move || replay(&path, &Options::default(), &mut Silent).unwrap());
    let offline = offline.await.unwrap();
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
