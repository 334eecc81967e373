//! What Tantei tells of itself: metrics that are all documented, and traces that a real collector could read.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};
use tantei::access::{self, Role, Token};
use tantei::store::check::Tables;
use tantei::store::{Delivery, Store};
use tantei_engine::model::time::Timestamp;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fake_aws::{Fake, Fault};
use crate::support::{lab_incident, root};

#[test]
fn every_metric_is_documented() {
    let document = std::fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let all = tantei::http::GAUGES.iter().chain(&tantei::http::COUNTERS).chain(&tantei::http::HISTOGRAMS);
    for (name, _) in all {
        assert!(document.contains(&format!("`{name}`")), "docs/metrics.md does not mention {name}");
    }
}

/// A server process that sends traces to `collector`, its address, and what stops it.
fn serve(folder: &std::path::Path, store: &str, aws: &str, collector: &str) -> (std::process::Child, String) {
    let config = format!(
        "[store]\nurl = \"{store}\"\n[http]\nlisten = \"127.0.0.1:0\"\n\
         [aws]\nregion = \"ap-northeast-1\"\nendpoint = \"{aws}\"\nreconcile = false\n",
    );
    let file = folder.join("tantei.toml");
    std::fs::write(&file, config).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tantei"))
        .args(["serve", "--log-json", "--config"])
        .arg(&file)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "example")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let line: Value = serde_json::from_str(&line).ok()?;
        line["fields"]["address"].as_str().map(str::to_owned)
    });
    std::thread::spawn(move || lines.for_each(drop));
    (child, format!("http://{}", address.unwrap()))
}

fn text(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|a| a.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Any::StringValue(text) => Some(text.clone()),
        Any::IntValue(number) => Some(number.to_string()),
        other => panic!("{key} is {other:?}"),
    }
}

/// Its metrics, once the investigation has ended.
async fn counted(client: &reqwest::Client, url: &str) -> String {
    for _ in 0..1_200 {
        let text = client.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
        if text.contains("tantei_feed_items_total{kind=\"matched\"}") {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the investigation never ended");
}

fn assert_counted(metrics: &str) {
    for expected in [
        "tantei_aws_calls_total{service=\"cloudwatch\",operation=\"GetMetricData\",outcome=\"ok\"}",
        "tantei_aws_calls_total{service=\"xray\",operation=\"GetTraceSummaries\",outcome=\"denied\"} 1",
        "tantei_aws_charged_units_total{service=\"cloudwatch\",operation=\"GetMetricData\"}",
        "tantei_gaps_total{source=\"traces\",reason=\"denied\"} 1",
        "tantei_store_up 1",
        "tantei_inbox_lag_seconds ",
        "tantei_collected_records_total{source=\"metrics\"}",
        "tantei_investigations{status=\"open\"}",
        "# HELP tantei_work_due ",
        "process_resident_memory_bytes ",
        "tantei_http_requests_total{method=\"POST\",route=\"/v1/investigations\",status=\"202\"} 1",
    ] {
        assert!(metrics.contains(expected), "{expected} is missing:\n{metrics}");
    }
}

/// Every span that the collector was sent.
async fn delivered(collector: &MockServer) -> Vec<Span> {
    let mut spans = Vec::new();
    for request in collector.received_requests().await.unwrap() {
        assert_eq!(request.headers["content-type"], "application/x-protobuf");
        let seen = String::from_utf8_lossy(&request.body).into_owned();
        assert!(!seen.contains("secret"), "neither tokens nor what is investigated");
        let traces = ExportTraceServiceRequest::decode(request.body.as_slice()).unwrap();
        for resource in traces.resource_spans {
            let named = resource.resource.unwrap().attributes;
            assert!(named.iter().any(|a| a.key == "service.name"));
            spans.extend(resource.scope_spans.into_iter().flat_map(|s| s.spans));
        }
    }
    spans
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_and_steps_are_traced_and_delivered_before_the_end() {
    let collector = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/traces"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&collector)
        .await;
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("tantei.db").display());
    let opened = Store::open(&store).await.unwrap();
    let (role, created_at) = (Role::Operator, Timestamp::from_secs(0));
    let token = Token { name: "yumi".to_owned(), role, created_at, expires_at: None };
    opened.add_token(&access::hash("a-secret-token"), &token).await.unwrap();
    opened.close().await;
    let fake = Fake::serve(&lab_incident()).await;
    // Thousands of traces would be read one by one at AWS's pace.
    fake.fail("GetTraceSummaries", Fault::AccessDenied);
    let (mut child, url) = serve(folder.path(), &store, fake.url(), &collector.uri());
    let client = reqwest::Client::new();
    let manifest = std::fs::read_to_string(lab_incident().join("incident.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let trigger = &manifest["trigger"];
    let start = json!({
        "title": "a secret title", "resource": trigger["resource"], "metric": trigger["metric"],
        "stat": trigger["stat"], "direction": trigger["direction"], "at": trigger["at"],
        "window": manifest["window"], "baseline": manifest["baseline"],
    });
    let post = client.post(format!("{url}/v1/investigations")).bearer_auth("a-secret-token").json(&start);
    assert_eq!(post.send().await.unwrap().status(), 202);
    let metrics = counted(&client, &url).await;
    assert_counted(&metrics);
    let stopping = Instant::now();
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let ended = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert!(ended.success() && stopping.elapsed() < Duration::from_secs(10), "{ended:?}");
    let spans = delivered(&collector).await;
    let named =
        |name: &str| spans.iter().find(|s| s.name == name).unwrap_or_else(|| panic!("no span {name}"));
    let request = named("POST /v1/investigations");
    assert_eq!(text(request, "http.response.status_code").as_deref(), Some("202"));
    let collect = named("collect metrics");
    let call =
        spans.iter().find(|s| s.name == "cloudwatch.GetMetricData" && s.parent_span_id == collect.span_id);
    assert_eq!(text(call.unwrap(), "cloud.region").as_deref(), Some("ap-northeast-1"));
    assert_eq!(text(named("xray.GetTraceSummaries"), "error.type").as_deref(), Some("denied"));
    let investigation = spans.iter().find(|s| s.span_id == collect.parent_span_id).unwrap();
    assert_eq!(investigation.name, "investigate");
    assert!(text(investigation, "tantei.investigation").is_some_and(|id| id.starts_with("inv_")));
    assert!(collect.end_time_unix_nano > collect.start_time_unix_nano);
}

async fn what_waits_is_counted_and_a_trial_leaves_nothing(store: Store) {
    assert_eq!(store.tables().await.unwrap(), Tables::UpToDate);
    // Twice: what the first one wrote is gone.
    store.try_write().await.unwrap();
    store.try_write().await.unwrap();
    let pulse = store.pulse().await.unwrap();
    assert_eq!((pulse.waiting, pulse.lag_us, pulse.open, pulse.roles), (0, 0, 0, 0));
    let received_at = Timestamp::from_secs(store.now().await.unwrap().secs() - 90);
    let (id, source) = ("d-1".to_owned(), "sns".to_owned());
    let delivery = Delivery { id: id.clone(), transition: id, source, received_at, event: "{}".to_owned() };
    store.receive(&[delivery]).await.unwrap();
    store.claim_role("triage", "node", Duration::from_secs(60)).await.unwrap();
    let pulse = store.pulse().await.unwrap();
    assert_eq!((pulse.waiting, pulse.roles, pulse.leased), (1, 1, 0));
    assert!((89_000_000..120_000_000).contains(&pulse.lag_us), "{pulse:?}");
}

crate::store::on_both_stores!(what_waits_is_counted_and_a_trial_leaves_nothing);
