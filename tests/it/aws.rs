//! The collectors of AWS against a fake that speaks its wire protocols: what is read, what is asked, what goes wrong.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tantei::aws::apis;
use tantei::aws::client::{Aws, Timing};
use tantei::aws::collector::{AwsCollector, Settings};
use tantei::bundle::manifest::{self, Manifest};
use tantei::clock::ReplayClock;
use tantei::ports::{CollectRequest, Collection, Collector};
use tantei_engine::model::gap::GapReason;
use tantei_engine::model::query::Source;
use tantei_engine::model::resource::ResourceId;
use tantei_engine::model::telemetry::Batch;
use tantei_engine::model::time::{TimeSpan, Timestamp};

use crate::aws_faults::told;
use crate::fake_aws::{Data, Fake, Fault, clients};
use crate::support::SmallBundle;

/// Short, so that what hangs is noticed at once.
pub(crate) fn timing() -> Timing {
    Timing {
        connect: Duration::from_millis(500),
        attempt: Duration::from_millis(1_500),
        call: Duration::from_secs(4),
        attempts: 2,
        backoff: Duration::from_millis(1),
        source: Duration::from_secs(20),
        poll: Duration::from_millis(1),
        speed: 10_000.0,
    }
}

/// A bundle in which every source has something to say.
pub(crate) fn small() -> SmallBundle {
    let bundle = SmallBundle::new();
    let lines = |lines: Vec<Value>| lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let trigger = json!({"MetricName": "m", "Namespace": "Bundle", "Statistic": "AVERAGE", "Period": 60,
        "Threshold": 3.0, "Dimensions": [{"name": "Service", "value": "front"}]});
    bundle.write(
        "alarms.jsonl",
        &lines(vec![json!({"t": 1_080_000, "AlarmName": "front-slow", "NewStateValue": "ALARM", "OldStateValue": "OK",
            "NewStateReason": "crossed", "AlarmArn": "arn:aws:cloudwatch:r:1:alarm:front-slow", "Trigger": trigger})]),
    );
    let second =
        |s: i64| json!({"t": s * 1_000, "resource": "front", "message": format!("request {s} served")});
    bundle.write("logs.jsonl", &lines((0..1_500).step_by(10).map(second).collect()));
    let trace = |s: i64| {
        let trace = format!("{s:032x}");
        let span = |id: &str, parent: Value, resource: &str| {
            json!({"t": s * 1_000_000, "dur_us": 1_000, "trace": trace, "span": format!("{s:08x}{id}"),
                   "parent": parent, "resource": resource, "op": "GET /"})
        };
        [span("00000001", Value::Null, "front"), span("00000002", json!(format!("{s:08x}00000001")), "back")]
    };
    bundle.write("spans.jsonl", &lines((0..1_500).step_by(100).flat_map(trace).collect()));
    let change = |s: i64| json!({"t": s * 1_000, "resource": "back", "kind": "deployment", "actor": "ci", "summary": "v2"});
    bundle.write("changes.jsonl", &lines(vec![change(990), change(200)]));
    bundle
}

/// A collector of one investigation, five minutes after the end of the recording.
pub(crate) fn collector(aws: &Arc<Aws>, manifest: &Manifest, settings: Settings) -> AwsCollector {
    let clock = ReplayClock::new(manifest.alarm.window.end.plus_secs(300));
    AwsCollector::new(Arc::clone(aws), Arc::new(clock), settings)
}

pub(crate) async fn collect(
    collector: &AwsCollector,
    manifest: &Manifest,
    source: Source,
) -> (Collection, Vec<Batch>) {
    let request = CollectRequest {
        source,
        alarm: manifest.alarm.clone(),
        window: manifest.alarm.window,
        baseline: manifest.alarm.baseline.clone(),
        onset: manifest.alarm.at,
        focus: Vec::new(),
    };
    let mut batches = Vec::new();
    let mut sink = |batch| batches.push(batch);
    let collection = collector.collect(&request, &mut sink).await.unwrap();
    (collection, batches)
}

pub(crate) async fn collect_all(
    collector: &AwsCollector,
    manifest: &Manifest,
) -> BTreeMap<Source, Collection> {
    let mut found = BTreeMap::new();
    for source in Source::ALL {
        found.insert(source, collect(collector, manifest, source).await.0);
    }
    found
}

pub(crate) fn data(bundle: &Path) -> Data {
    Data::read(bundle)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_source_is_read_whole() {
    let bundle = small();
    let manifest = manifest::read(bundle.path()).unwrap();
    let fake = Fake::serve(bundle.path()).await;
    let collector = collector(&fake.clients(timing()), &manifest, Settings::default());
    let found = collect_all(&collector, &manifest).await;
    let records: Vec<(Source, u64)> = found.iter().map(|(s, c)| (*s, c.records)).collect();
    // Two resources and an edge; of two metrics Average alone was recorded; every span and line.
    let expected = [
        (Source::Alarms, 1),
        (Source::Topology, 3),
        (Source::Metrics, 2),
        (Source::Logs, 150),
        (Source::Traces, 30),
        (Source::Changes, 2),
    ];
    assert_eq!(records, expected);
    for (source, collection) in &found {
        assert!(collection.gaps.is_empty(), "{source:?}: {:?}", collection.gaps);
        assert!(collection.requests > 0, "{source:?}");
    }
    let spent = collector.spent();
    assert_eq!(spent.calls(), found.values().map(|c| c.requests).sum::<u64>());
    assert_eq!(spent.by_api["logs:StartQuery"].units, 1_000_000, "bytes that the service says it scanned");
    assert!(spent.by_api["logs:StartQuery"].expected_units > 0 && spent.micro_usd() > 0);
    assert_eq!(spent.by_api["cloudwatch:GetMetricData"].units, 4);
    for action in spent.by_api.keys() {
        assert!(apis::ALL.iter().any(|api| api.action == *action), "{action} is in no policy");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_keeps_what_was_read_and_stops_the_queries() {
    let bundle = small();
    let manifest = manifest::read(bundle.path()).unwrap();
    let fake = Fake::serve(bundle.path()).await;
    fake.fail("GetQueryResults", Fault::NeverEnds);
    let short = Timing { source: Duration::from_millis(800), ..timing() };
    let collector = collector(&fake.clients(short), &manifest, Settings::default());
    let began = Instant::now();
    let (collection, _) = collect(&collector, &manifest, Source::Logs).await;
    assert!(began.elapsed() < Duration::from_secs(5));
    let gap = &collection.gaps[0];
    assert_eq!((gap.reason, gap.place.as_str()), (GapReason::Unavailable, "logs GetQueryResults"));
    assert!(gap.detail.raw().contains("the deadline of 0.8 s"), "{:?}", gap.detail);
    assert_eq!(fake.asked("StopQuery").len(), fake.asked("StartQuery").len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_budget_of_bytes_scanned_stops_a_query_and_starts_no_other() {
    let bundle = small();
    let manifest = manifest::read(bundle.path()).unwrap();
    let fake = Fake::serve_data(Data { scanned_bytes: 2_000, ..data(bundle.path()) }).await;
    let settings = Settings { log_bytes_max: 1_000, ..Settings::default() };
    let collector = collector(&fake.clients(timing()), &manifest, settings);
    let (collection, _) = collect(&collector, &manifest, Source::Logs).await;
    assert_eq!(fake.asked("StopQuery").len(), 1);
    assert_eq!(collection.gaps.len(), 1, "{:?}", collection.gaps);
    assert_eq!(collection.gaps[0].reason, GapReason::Truncated);
    assert_eq!(collector.spent().by_api["logs:StartQuery"].units, 2_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_were_not_read_are_counted() {
    let bundle = small();
    let manifest = manifest::read(bundle.path()).unwrap();
    // Where patterns are not counted.
    let fake = Fake::serve_data(Data { log_class: "INFREQUENT_ACCESS", ..data(bundle.path()) }).await;
    let settings = Settings { log_lines_max: 100, ..Settings::default() };
    let collector = collector(&fake.clients(timing()), &manifest, settings);
    let (collection, _) = collect(&collector, &manifest, Source::Logs).await;
    assert_eq!(collection.records, 100);
    let gap = &collection.gaps[0];
    assert_eq!((gap.reason, gap.lost), (GapReason::Truncated, 50));
    assert!(gap.detail.raw().contains("100 of 150 lines"), "{:?}", gap.detail);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_groups_are_read_without_a_query_and_the_infrequent_class_with_one() {
    let bundle = small();
    let manifest = manifest::read(bundle.path()).unwrap();
    for (class, by_events) in [("STANDARD", true), ("INFREQUENT_ACCESS", false)] {
        let data = Data { stored_bytes: 1_000, log_class: class, ..data(bundle.path()) };
        let fake = Fake::serve_data(data).await;
        let collector = collector(&fake.clients(timing()), &manifest, Settings::default());
        let (collection, _) = collect(&collector, &manifest, Source::Logs).await;
        assert_eq!((collection.records, collection.gaps.len()), (150, 0), "{class}");
        assert_eq!(fake.asked("StartQuery").is_empty(), by_events, "{class}");
        assert_eq!(fake.asked("FilterLogEvents").is_empty(), !by_events, "{class}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_transaction_search_spans_are_read_from_their_log_group() {
    let bundle = small();
    let manifest = manifest::read(bundle.path()).unwrap();
    let mut data = data(bundle.path());
    for span in std::mem::take(&mut data.spans).into_values().flatten() {
        let (at, took) = (span["t"].as_u64().unwrap() * 1_000, span["dur_us"].as_u64().unwrap() * 1_000);
        let document = json!({"traceId": span["trace"], "spanId": span["span"], "parentSpanId": span["parent"],
            "name": span["op"], "kind": "SERVER", "startTimeUnixNano": at, "endTimeUnixNano": at + took,
            "resource": {"attributes": {"service.name": span["resource"]}}});
        data.logs
            .push(json!({"t": at / 1_000_000, "resource": "aws/spans", "message": document.to_string()}));
    }
    let fake = Fake::serve_data(data).await;
    let collector = collector(&fake.clients(timing()), &manifest, Settings::default());
    let (collection, batches) = collect(&collector, &manifest, Source::Traces).await;
    assert_eq!((collection.records, collection.gaps.len()), (30, 0), "{:?}", collection.gaps);
    let spans = batches.iter().filter_map(|b| match b {
        Batch::Traces(spans) => Some(spans),
        _ => None,
    });
    let linked = spans.flatten().filter(|s| s.resource.as_str() == "back" && s.parent.is_some()).count();
    assert_eq!(linked, 15);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_that_was_never_ok_is_called_that() {
    let bundle = small();
    let mut manifest = manifest::read(bundle.path()).unwrap();
    let fake = Fake::serve(bundle.path()).await;
    // The same alarm, looked at a day later: its history of that time is empty.
    manifest.alarm.window = TimeSpan::new(Timestamp::from_secs(86_400), Timestamp::from_secs(87_000));
    let collector = collector(&fake.clients(timing()), &manifest, Settings::default());
    let (collection, batches) = collect(&collector, &manifest, Source::Alarms).await;
    let gap = &collection.gaps[0];
    assert_eq!((gap.reason, gap.span.start), (GapReason::Absent, Timestamp::from_secs(1_080)));
    assert!(
        gap.detail.raw().contains("front-slow has been in ALARM since 1970-01-01T00:18:00Z"),
        "{:?}",
        gap.detail
    );
    let told: Vec<(Option<&str>, Option<f64>)> = batches
        .iter()
        .filter_map(|b| match b {
            Batch::Alarms(found) => Some(found),
            _ => None,
        })
        .flatten()
        .map(|t| (t.resource.as_ref().map(ResourceId::as_str), t.threshold))
        .collect();
    assert_eq!(told, [(Some("front"), Some(3.0))], "it is told all the same, with its threshold");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_say_whether_they_are_managed_and_answer() {
    let bundle = small();
    let (lost, unmanaged) = ("i-0abc1234def567890", "i-0abc1234def567891");
    let nodes = json!([{"id": "front", "kind": "AWS::ECS::Service"}, {"id": unmanaged},
                       {"id": lost, "attributes": {"PingStatus": "ConnectionLost"}}]);
    let edges = json!([{"from": "front", "to": lost}, {"from": "front", "to": unmanaged}]);
    bundle.write("topology.json", &json!({"nodes": nodes, "edges": edges}).to_string());
    let manifest = manifest::read(bundle.path()).unwrap();
    let fake = Fake::serve(bundle.path()).await;
    let aws = fake.clients(timing());
    let (collection, batches) =
        collect(&collector(&aws, &manifest, Settings::default()), &manifest, Source::Topology).await;
    assert!(collection.gaps.is_empty(), "{:?}", collection.gaps);
    let Batch::Topology { resources, .. } = &batches[0] else { panic!("no topology") };
    let status =
        |id: &str| resources.iter().find(|r| r.id.as_str() == id).unwrap().attributes["PingStatus"].clone();
    assert_eq!((status(lost).as_str(), status(unmanaged).as_str()), ("ConnectionLost", "Unmanaged"));
    for fault in Fault::ALL.into_iter().filter(|f| f.fits("DescribeInstanceInformation") && *f != Fault::Hang)
    {
        fake.fail("DescribeInstanceInformation", fault);
        let (collection, _) =
            collect(&collector(&aws, &manifest, Settings::default()), &manifest, Source::Topology).await;
        assert_eq!(collection.records, 5, "the graph is there all the same");
        let (gap, (reasons, words)) = (&collection.gaps[0], told(fault));
        assert_eq!(gap.place, "ssm DescribeInstanceInformation");
        assert!(reasons.contains(&gap.reason) && gap.detail.raw().contains(words), "{fault:?} {gap:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_series_that_is_refused_is_a_gap_and_the_others_are_read() {
    let bundle = small();
    let manifest = manifest::read(bundle.path()).unwrap();
    let fake = Fake::serve(bundle.path()).await;
    fake.fail("GetMetricData", Fault::OneForbidden);
    let collector = collector(&fake.clients(timing()), &manifest, Settings::default());
    let (collection, _) = collect(&collector, &manifest, Source::Metrics).await;
    assert_eq!(collection.records, 2, "both averages; the maximum was refused");
    let gap = &collection.gaps[0];
    assert_eq!((gap.reason, gap.lost), (GapReason::Denied, 1));
    let told = "Forbidden: needs cloudwatch:GetMetricData on 1 series, m the first of them. Access denied to account";
    assert!(gap.detail.raw().starts_with(told), "{:?}", gap.detail);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn configured_log_groups_replace_the_search() {
    let bundle = small();
    let manifest = manifest::read(bundle.path()).unwrap();
    let fake = Fake::serve(bundle.path()).await;
    let groups = vec!["/ecs/shop/front".to_owned()];
    let log_groups = BTreeMap::from([(manifest.alarm.resource.clone(), groups)]);
    let collector =
        collector(&fake.clients(timing()), &manifest, Settings { log_groups, ..Settings::default() });
    let (collection, _) = collect(&collector, &manifest, Source::Logs).await;
    assert_eq!(collection.records, 150);
    let asked = fake.asked("DescribeLogGroups");
    assert!(asked.iter().any(|a| a["logGroupNamePrefix"] == "/ecs/shop/front"), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn investigations_of_one_time_share_one_look_at_cloudtrail() {
    let bundle = small();
    let manifest = manifest::read(bundle.path()).unwrap();
    let fake = Fake::serve(bundle.path()).await;
    let aws = fake.clients(timing());
    let collectors: Vec<AwsCollector> =
        (0..8).map(|_| collector(&aws, &manifest, Settings::default())).collect();
    let mut together = tokio::task::JoinSet::new();
    for collector in collectors {
        let manifest = manifest.clone();
        together.spawn(async move { collect(&collector, &manifest, Source::Changes).await.0.records });
    }
    assert_eq!(together.join_all().await, [2; 8]);
    assert_eq!(fake.asked("LookupEvents").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn series_are_asked_for_in_batches_of_500_and_the_rest_is_counted() {
    let bundle = small();
    let manifest = manifest::read(bundle.path()).unwrap();
    let mut data = data(bundle.path());
    for namespace in 0..22 {
        for metric in 0..38 {
            data.metrics.push(json!({"resource": "front", "namespace": format!("Own/N{namespace}"), "name": format!("depth{metric}"),
                "stat": "Maximum", "period_s": 60, "dimensions": {"Service": "front"}, "points": [[960, 1.0]]}));
        }
    }
    let fake = Fake::serve_data(data).await;
    let collector = collector(&fake.clients(timing()), &manifest, Settings::default());
    let (collection, _) = collect(&collector, &manifest, Source::Metrics).await;
    let batches: Vec<usize> = fake
        .asked("GetMetricData")
        .iter()
        .map(|a| a["MetricDataQueries"].as_array().unwrap().len())
        .collect();
    assert_eq!(batches, [500, 500, 500]);
    // Two statistics of 836 and of the alarm's own metric and its neighbour's, of which 1,500 are read.
    let gap = &collection.gaps[0];
    assert_eq!((gap.reason, gap.lost), (GapReason::Truncated, 2 * (22 * 38 + 2) - 1_500));
    assert_eq!(collector.spent().by_api["cloudwatch:GetMetricData"].micro_usd, 15_000);
    let first = &fake.asked("GetMetricData")[0];
    assert_eq!(
        first["MetricDataQueries"][0]["MetricStat"]["Metric"]["MetricName"], "m",
        "the alarm's own comes first"
    );
    assert_eq!((first["StartTime"].as_f64(), first["EndTime"].as_f64()), (Some(0.0), Some(1_500.0)));
}

#[tokio::test]
async fn a_single_request_is_what_the_service_expects() {
    use wiremock::matchers::{body_partial_json, header, header_exists, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};
    let bundle = small();
    let manifest = manifest::read(bundle.path()).unwrap();
    let server = MockServer::start().await;
    let base = "/service/GraniteServiceVersion20100801/operation";
    let mut body = Vec::new();
    let empty = |name: &str| (ciborium::Value::Text(name.to_owned()), ciborium::Value::Array(Vec::new()));
    let answer = ciborium::Value::Map(vec![empty("MetricAlarms"), empty("AlarmHistoryItems")]);
    ciborium::into_writer(&answer, &mut body).unwrap();
    for (operation, times) in [("DescribeAlarms", 1), ("DescribeAlarmHistory", 1)] {
        let cbor = ResponseTemplate::new(200)
            .insert_header("smithy-protocol", "rpc-v2-cbor")
            .set_body_raw(body.clone(), "application/cbor");
        Mock::given(method("POST"))
            .and(path(format!("{base}/{operation}")))
            .and(header("smithy-protocol", "rpc-v2-cbor"))
            .and(header("content-type", "application/cbor"))
            .and(header_exists("authorization"))
            .respond_with(cbor)
            .expect(times)
            .mount(&server)
            .await;
    }
    let attributes = json!([{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]);
    for (token, next) in [(None, Some("page-1")), (Some("page-1"), None)] {
        let mut expected = json!({"MaxResults": 50, "LookupAttributes": attributes});
        let mut answer = json!({"Events": []});
        if let Some(token) = token {
            expected["NextToken"] = token.into();
        }
        if let Some(next) = next {
            answer["NextToken"] = next.into();
        }
        Mock::given(method("POST"))
            .and(header("x-amz-target", "CloudTrail_20131101.LookupEvents"))
            .and(header("content-type", "application/x-amz-json-1.1"))
            .and(body_partial_json(expected))
            .respond_with(ResponseTemplate::new(200).set_body_json(answer))
            .with_priority(if token.is_some() { 1 } else { 2 })
            .expect(1)
            .mount(&server)
            .await;
    }
    let aws = Arc::new(clients(&server.uri(), timing()));
    let collector = collector(&aws, &manifest, Settings::default());
    for source in [Source::Alarms, Source::Changes] {
        let (collection, _) = collect(&collector, &manifest, source).await;
        assert!(collection.gaps.is_empty(), "{:?}", collection.gaps);
    }
}
