//! One alarm of AWS, asked for by its name: what is looked at is when it fired last.

use serde_json::Value;
use tantei::aws::states::AwsAlarmStates;
use tantei::ports::AlarmStates;
use tantei_engine::model::alarm::AlarmState;
use tantei_engine::model::alarm_event::AlarmEvent;
use tantei_engine::model::time::Timestamp;

use crate::aws::timing;
use crate::fake_aws::Fake;
use crate::support::lab_incident;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_that_is_ok_again_is_looked_at_when_it_fired_last() {
    let folder = tempfile::tempdir().unwrap();
    let files = std::fs::read_dir(lab_incident()).unwrap().map(Result::unwrap);
    for entry in files.filter(|e| e.path().is_file()) {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let file = folder.path().join("alarms.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let fired: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let at = fired["t"].as_i64().unwrap();
    // Ten minutes later it was OK again.
    let mut ok = fired.clone();
    ok["t"] = (at + 600_000).into();
    let message = if ok["alarm"].is_object() { &mut ok["alarm"] } else { &mut ok };
    message["OldStateValue"] = "ALARM".into();
    message["NewStateValue"] = "OK".into();
    let name = message["AlarmName"].as_str().unwrap().to_owned();
    std::fs::write(&file, format!("{}\n{ok}\n", text.trim_end())).unwrap();
    let fake = Fake::serve(folder.path()).await;
    let states = AwsAlarmStates::new(fake.clients(timing()));
    let event = states.named(&name).await.unwrap();
    assert_eq!(event.state, AlarmState::Alarm);
    // CloudWatch tells times as fractions of seconds.
    assert!((event.at.micros() / 1_000 - at).abs() <= 1, "{} and {at}", event.at);
    // The reconciler is told both changes, whatever it is now; later it is told the later one.
    let told = |events: Vec<AlarmEvent>| events.iter().map(|e| (e.state, e.at.secs())).collect::<Vec<_>>();
    let (fired, over) = ((AlarmState::Alarm, at / 1_000), (AlarmState::Ok, at / 1_000 + 600));
    let since = Timestamp::from_millis(at).plus_secs(-60);
    assert_eq!(told(states.changes(since).await.unwrap()), [fired, over]);
    assert_eq!(told(states.changes(since.plus_secs(300)).await.unwrap()), [over]);
    assert_eq!(told(states.known().await.unwrap()), [over]);
    let unknown = states.named("nothing").await.unwrap_err();
    assert!(unknown.message.contains("`nothing`"), "{unknown}");
}
