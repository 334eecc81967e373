//! Every fault of every operation: the run ends in time, the other sources are whole, and the gap says what happened.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tantei::aws::client::Timing;
use tantei::aws::collector::Settings;
use tantei::bundle::manifest;
use tantei_engine::model::gap::{Gap, GapReason};
use tantei_engine::model::query::Source;

use crate::aws::{collect_all, collector, data, small, timing};
use crate::fake_aws::{Fake, Fault};
use crate::support::SmallBundle;

/// The operations of each source.
const OPERATIONS: [(&str, &str, &[Source]); 12] = [
    ("xray", "GetServiceGraph", &[Source::Topology, Source::Metrics, Source::Logs]),
    ("cloudwatch", "DescribeAlarms", &[Source::Alarms]),
    ("cloudwatch", "DescribeAlarmHistory", &[Source::Alarms]),
    ("cloudwatch", "ListMetrics", &[Source::Metrics]),
    ("cloudwatch", "GetMetricData", &[Source::Metrics]),
    ("cloudtrail", "LookupEvents", &[Source::Changes]),
    ("xray", "GetTraceSummaries", &[Source::Traces]),
    ("xray", "BatchGetTraces", &[Source::Traces]),
    ("logs", "DescribeLogGroups", &[Source::Logs]),
    ("logs", "StartQuery", &[Source::Logs]),
    ("logs", "GetQueryResults", &[Source::Logs]),
    ("logs", "FilterLogEvents", &[Source::Logs]),
];

/// What a gap after that fault must say.
pub(crate) fn told(fault: Fault) -> (&'static [GapReason], &'static str) {
    match fault {
        Fault::Throttle => (&[GapReason::Unavailable], "throttled"),
        Fault::Status500 | Fault::Status503 | Fault::PartialPage => {
            (&[GapReason::Unavailable], "the service failed")
        }
        Fault::Hang => (&[GapReason::Unavailable], "no answer in time"),
        Fault::ResetMidBody => (&[GapReason::Unavailable, GapReason::Malformed], ""),
        Fault::BadBody => (&[GapReason::Malformed], "makes no sense"),
        Fault::AccessDenied => (&[GapReason::Denied], "needs svc:"),
        Fault::ExpiredToken => (&[GapReason::Denied], "expired"),
        Fault::ClockSkew => (&[GapReason::Denied], "clock"),
        Fault::RepeatedToken => (&[GapReason::Truncated], ""),
        Fault::QueryFailed => (&[GapReason::Unavailable], "ailed"),
        Fault::NeverEnds => (&[GapReason::Truncated], ""),
        Fault::OneForbidden => (&[GapReason::Denied], "Forbidden"),
    }
}

async fn one_fault(
    bundle: Arc<SmallBundle>,
    at: (&'static str, &'static str, &'static [Source]),
    fault: Fault,
) {
    let (service, operation, sources) = at;
    let what = format!("{operation} {fault:?}");
    let manifest = manifest::read(bundle.path()).unwrap();
    let mut data = data(bundle.path());
    if operation == "FilterLogEvents" {
        data.stored_bytes = 1_000;
    }
    let fake = Fake::serve_data(data).await;
    fake.fail(operation, fault);
    let quick = if fault == Fault::Hang {
        Timing { attempt: Duration::from_millis(60), call: Duration::from_millis(150), ..timing() }
    } else {
        timing()
    };
    // What does not hang may be slow on a busy machine: only the source's own deadline is short for both.
    let collector = collector(&fake.clients(quick), &manifest, Settings::default());
    let found = collect_all(&collector, &manifest).await;
    let healthy = BTreeMap::from([
        (Source::Alarms, 1),
        (Source::Topology, 3),
        (Source::Metrics, 2),
        (Source::Logs, 150),
        (Source::Traces, 30),
        (Source::Changes, 2),
    ]);
    for (source, collection) in &found {
        if !sources.contains(source) {
            // Others are neither affected nor do they know.
            let known = fault == Fault::Hang;
            assert!(known || collection.gaps.is_empty(), "{what}: {source:?} {:?}", collection.gaps);
            assert!(
                known || collection.records == healthy[source],
                "{what}: {source:?} {}",
                collection.records
            );
            continue;
        }
        let (reasons, words) = told(fault);
        let place = format!("{service} {operation}");
        let fits =
            |g: &&Gap| g.place == place && reasons.contains(&g.reason) && g.detail.raw().contains(words);
        let Some(gap) = collection.gaps.iter().find(fits) else {
            // A service graph that was read once is not read again.
            let partial = [Fault::PartialPage, Fault::RepeatedToken].contains(&fault);
            assert!(
                partial && operation == "GetServiceGraph" && *source != Source::Topology,
                "{what}: {source:?} {:?}",
                collection.gaps
            );
            continue;
        };
        assert_eq!(gap.source, *source, "{what}");
        let query = gap.query.as_ref().unwrap();
        assert_eq!((query.service.as_str(), query.operation.as_str()), (service, operation), "{what}");
        assert!(query.parameters.contains_key("StartTime") && gap.span.secs() > 0, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_every_operation_ends_in_time_as_a_gap_that_says_what() {
    let bundle = Arc::new(small());
    let mut runs = 0;
    let mut slowest = Duration::ZERO;
    for at in OPERATIONS {
        for fault in Fault::ALL.into_iter().filter(|f| f.fits(at.1)) {
            let began = Instant::now();
            one_fault(Arc::clone(&bundle), at, fault).await;
            slowest = slowest.max(began.elapsed());
            runs += 1;
        }
    }
    assert_eq!(runs, 132);
    assert!(slowest < Duration::from_secs(20), "{slowest:?}");
}
