//! Spans: which traces there are, an even share of them, and their segments.

use tantei_engine::model::gap::GapReason;
use tantei_engine::model::telemetry::Batch;
use tantei_engine::model::time::TimeSpan;

use super::apis::{BATCH_GET_TRACES, GET_TRACE_SUMMARIES};
use super::logs::{self, Lines};
use super::reading::{Next, Pages, Reading, date};
use super::{link_sums, log_groups, otlp, segments};

/// Longest span of one request: six hours.
const SPAN_S_MAX: i64 = 6 * 3_600;

/// Pages of summaries of one request: about a hundred traces each.
const SUMMARY_PAGES_MAX: usize = 50;

/// Traces of one request.
const IDS_MAX: usize = 5;

/// Traces that a page of summaries is expected to scan, for the estimate.
const SCANNED_EXPECTED: u64 = 100;

/// Reads traces; where there are none on one side of the onset, what the service graph sums.
pub(super) async fn read(r: &mut Reading<'_, '_>) {
    let mut sides = Sides::default();
    spans(r, &mut sides).await;
    if !(sides.before && sides.after) {
        link_sums::read(r).await;
    }
}

/// On which sides of the onset there are spans.
#[derive(Debug, Default)]
struct Sides {
    before: bool,
    after: bool,
}

async fn spans(r: &mut Reading<'_, '_>, sides: &mut Sides) {
    let mut ids = Vec::new();
    for span in r.spans() {
        let mut start = span.start;
        while start < span.end {
            let part = TimeSpan::new(start, start.plus_secs(SPAN_S_MAX).min(span.end));
            ids.extend(summaries(r, part).await);
            start = part.end;
        }
    }
    if ids.is_empty() {
        if r.out.gaps.is_empty() {
            in_logs(
                r,
                sides,
                "X-Ray has no traces of this time, and there is no log group aws/spans: is tracing on?",
            )
            .await;
        }
        return;
    }
    // The same share of every span of time: what is compared must be sampled alike.
    let stride = ids.len().div_ceil(r.settings.traces_max.max(1)).max(1);
    let chosen: Vec<String> = ids.iter().step_by(stride).cloned().collect();
    let left_out = u64::try_from(ids.len() - chosen.len()).unwrap_or(u64::MAX);
    if left_out > 0 {
        let detail = format!("one trace in {stride} was read, evenly over the time");
        r.lacks(GapReason::Truncated, &BATCH_GET_TRACES, r.request.window, "", &detail, left_out);
    }
    whole(r, sides, &chosen).await;
}

/// With Transaction Search spans are in a log group, and X-Ray does not find them.
async fn in_logs(r: &mut Reading<'_, '_>, sides: &mut Sides, otherwise: &str) {
    let window = r.request.window;
    match log_groups::exactly(r, otlp::GROUP).await {
        Ok(Some(group)) => {
            let before = r.out.records;
            logs::query(r, vec![group], Lines::Spans).await;
            // On which side they are is not looked at: with Transaction Search X-Ray's graph is of the same spans.
            let some = r.out.records > before;
            *sides = Sides { before: some, after: some };
        }
        Ok(None) => r.lacks(GapReason::Absent, &GET_TRACE_SUMMARIES, window, "", otherwise, 0),
        Err(e) => r.failed(window, otlp::GROUP, &e),
    }
}

/// The identifiers of the traces in a span, in the order in which the service gives them.
async fn summaries(r: &mut Reading<'_, '_>, span: TimeSpan) -> Vec<String> {
    let mut ids = Vec::new();
    let mut pages = Pages::default();
    loop {
        let request = r
            .aws
            .xray
            .get_trace_summaries()
            .start_time(date(span.start))
            .end_time(date(span.end))
            .sampling(false)
            .set_next_token(pages.token());
        let page = match r.call(&GET_TRACE_SUMMARIES, SCANNED_EXPECTED, request.send()).await {
            Ok(page) => page,
            Err(e) => {
                r.failed(span, "summaries of traces", &e);
                return ids;
            }
        };
        ids.extend(page.trace_summaries().iter().filter_map(|s| s.id().map(ToOwned::to_owned)));
        match pages.after(page.next_token(), SUMMARY_PAGES_MAX) {
            Next::More => {}
            Next::End => return ids,
            Next::Stuck => {
                let detail = format!("there are more traces than are listed; {} were", ids.len());
                r.lacks(GapReason::Truncated, &GET_TRACE_SUMMARIES, span, "summaries of traces", &detail, 0);
                return ids;
            }
        }
    }
}

/// The segments of these traces.
async fn whole(r: &mut Reading<'_, '_>, sides: &mut Sides, ids: &[String]) {
    let onset = r.request.onset;
    let (mut missing, mut unread) = (0, 0);
    for ids in ids.chunks(IDS_MAX) {
        let units = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        let mut pages = Pages::default();
        loop {
            let request =
                r.aws.xray.batch_get_traces().set_trace_ids(Some(ids.to_vec())).set_next_token(pages.token());
            let page = match r.call(&BATCH_GET_TRACES, units, request.send()).await {
                Ok(page) => page,
                Err(e) => {
                    r.failed(r.request.window, "traces", &e);
                    return;
                }
            };
            missing += page.unprocessed_trace_ids().len();
            let mut spans = Vec::new();
            for trace in page.traces() {
                let documents: Vec<&str> = trace.segments().iter().filter_map(|s| s.document()).collect();
                let bytes: usize = documents.iter().map(|d| d.len()).sum();
                r.out.bytes = r.out.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
                let (found, bad) = segments::spans(trace.id().unwrap_or_default(), &documents);
                spans.extend(found);
                unread += bad;
            }
            sides.before |= spans.iter().any(|s| s.at < onset);
            sides.after |= spans.iter().any(|s| s.at >= onset);
            r.give(Batch::Traces(spans));
            match pages.after(page.next_token(), IDS_MAX * 20) {
                Next::More => {}
                Next::End => break,
                Next::Stuck => {
                    let detail =
                        "the same page of a trace was offered again; its further segments were not read";
                    r.lacks(GapReason::Truncated, &BATCH_GET_TRACES, r.request.window, "traces", detail, 0);
                    break;
                }
            }
        }
    }
    let window = r.request.window;
    if missing > 0 && r.out.records == 0 {
        let otherwise = "X-Ray lists traces that it does not return, and there is no log group aws/spans";
        return in_logs(r, sides, otherwise).await;
    }
    if missing > 0 {
        let detail = "traces that the service listed and did not return";
        let lost = u64::try_from(missing).unwrap_or(u64::MAX);
        r.lacks(GapReason::Unavailable, &BATCH_GET_TRACES, window, "traces", detail, lost);
    }
    if unread > 0 {
        let detail = "segments that are no X-Ray document were left out";
        r.lacks(GapReason::Malformed, &BATCH_GET_TRACES, window, "traces", detail, unread);
    }
}
