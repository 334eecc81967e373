//! The whole way, live: a signed SNS message comes in over HTTP, every source is read from a fake AWS over its real
//! protocols, and the causes are those that the recording gives offline.

use std::path::Path;
use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::Value;
use tantei::aws::client::Aws;
use tantei::aws::collector::{AwsCollector, Settings};
use tantei::clock::ReplayClock;
use tantei::ports::{Collector, Evidence};
use tantei::store::Store;
use tantei_engine::model::alarm::Alarm;
use tantei_engine::model::resource::Resource;
use tantei_engine::model::time::Timestamp;

use crate::aws::timing;
use crate::fake_aws::Fake;
use crate::server::{Server, World, config};
use crate::sns;
use crate::support::{document, lab_incident, root};

/// Every investigation reads this one AWS.
#[derive(Debug)]
struct Live {
    aws: Arc<Aws>,
    clock: Arc<ReplayClock>,
}

impl Evidence for Live {
    fn of(&self, alarm: &Alarm, _: Option<&Resource>) -> Arc<dyn Collector> {
        let alarm_name = Some(alarm.title.raw().to_owned());
        let settings = Settings { alarm_name, traces_max: 100_000, ..Settings::default() };
        Arc::new(AwsCollector::new(Arc::clone(&self.aws), Arc::clone(&self.clock) as _, settings))
    }
}

/// The message that CloudWatch published when the recorded alarm fired.
fn recorded_alarm(bundle: &Path) -> Value {
    let text = std::fs::read_to_string(bundle.join("alarms.jsonl")).unwrap();
    let lines = text.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
    let messages = lines.map(|l| if l["alarm"].is_object() { l["alarm"].clone() } else { l });
    messages.into_iter().find(|m| m["NewStateValue"] == "ALARM").unwrap()
}

async fn a_signed_message_becomes_the_causes_that_the_recording_gives_offline(store: Store) {
    let bundle = lab_incident();
    let manifest = std::fs::read_to_string(bundle.join("incident.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let end: Timestamp = manifest["window"]["end"].as_str().unwrap().parse().unwrap();
    let now = end.plus_secs(120);
    let fake = Fake::serve(&bundle).await;
    let mut config = config();
    config.sns.topics = vec![sns::TOPIC.to_owned()];
    config.sns.certificates.insert(sns::CERTIFICATE_URL.to_owned(), sns::certificate(&root()));
    let clock = Arc::new(ReplayClock::new(now));
    let evidence = Arc::new(Live { aws: fake.clients(timing()), clock: Arc::clone(&clock) });
    let server =
        Server::start_in(store, config, World { clock, evidence, queue: None, states: Vec::new() }).await;
    let signed = sns::Signer::new(&root()).notification("m-1", &recorded_alarm(&bundle), &now.to_string());
    let post = server.client.post(format!("{}/v1/alarms/sns", server.url)).body(signed);
    let answer = post.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{}", answer.text().await.unwrap());
    let list = server.until("/v1/investigations", |l| l["investigations"][0].is_object()).await;
    let id = list["investigations"][0]["id"].as_str().unwrap().to_owned();
    let feed = server
        .until(&format!("/v1/investigations/{id}/feed"), |f| {
            let items = f["items"].as_array().unwrap();
            items.iter().any(|i| i["body"]["item"] == "matched")
        })
        .await;
    let mut seen: Vec<&str> = feed["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|i| i["body"]["signal"]["type"].as_str())
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, ["change", "log_pattern", "metric_deviation", "trace_link"], "every source speaks");
    let report = server.get(&format!("/v1/investigations/{id}/report")).await.1;
    let offline = document(&bundle);
    // The alarm asks for other healthy times than the recording declares, so that scores differ; the cause must not.
    assert_eq!(report["ranking"][0]["resource"], offline["ranking"][0]["resource"], "{}", report["ranking"]);
    assert_eq!(report["ranking"][0]["band"], offline["ranking"][0]["band"], "{}", report["ranking"]);
    assert_eq!(report["report"]["cause"]["supporting"].as_array().map(Vec::is_empty), Some(false));
}

/// The command reads AWS with the standard chain of credentials, here from the environment, at another endpoint.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_is_investigated_by_its_name_without_a_server() {
    let fake = Fake::serve(&lab_incident()).await;
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("tantei.toml");
    let text = format!("[aws]\nregion = \"ap-northeast-1\"\nendpoint = \"{}\"\n", fake.url());
    std::fs::write(&settings, text).unwrap();
    let run = move |alarm: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tantei"));
        command.args(["investigate", "--json", "--alarm", alarm, "--config"]).arg(&settings);
        command.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").env("AWS_SECRET_ACCESS_KEY", "example");
        command.output().unwrap()
    };
    tokio::task::spawn_blocking(move || {
        for alarm in [
            "shop-alb-p99-response-time",
            "arn:aws:cloudwatch:ap-northeast-1:111122223333:alarm:shop-alb-p99-response-time",
        ] {
            let output = run(alarm);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let document: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(document["investigation"]["alarm"]["resource"], "shop-alb");
            assert_eq!(document["investigation"]["alarm"]["stat"], "p99");
            let feed = document["feed"].as_array().unwrap();
            let collected = feed.iter().filter(|i| i["body"]["item"] == "collected").count();
            assert!(collected >= 6, "every source was asked: {collected}");
            assert!(feed.iter().any(|i| i["body"]["item"] == "concluded"));
            let charges = feed.iter().filter_map(|i| i["body"]["charges"].as_array()).flatten();
            let read =
                |c: &Value| c["operation"] == "cloudwatch:GetMetricData" && c["micro_usd"].as_u64() > Some(0);
            assert!(charges.clone().any(read), "what was charged for is told: {charges:?}");
        }
        let output = run("no-such-alarm");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains("no-such-alarm"), "{error}");
    })
    .await
    .unwrap();
}

crate::store::on_both_stores!(a_signed_message_becomes_the_causes_that_the_recording_gives_offline);
