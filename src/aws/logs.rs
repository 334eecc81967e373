//! Log events: Logs Insights queries over the window and the healthy times, within a budget of bytes scanned; small
//! groups event by event.

use std::collections::VecDeque;

use aws_sdk_cloudwatchlogs::types::ResultField;
use tantei_engine::model::gap::GapReason;
use tantei_engine::model::num::{count_of, index};
use tantei_engine::model::telemetry::{Batch, LogEvent};
use tantei_engine::model::time::{TimeSpan, Timestamp};
use tantei_engine::planning::trace_ids;

use super::apis::{FILTER_LOG_EVENTS, GET_QUERY_RESULTS, START_QUERY, STOP_QUERY};
use super::collector::Memo;
use super::log_groups::{self, Group};
use super::otlp;
use super::reading::{Next, Pages, Reading};
use crate::ports::{PortError, PortErrorKind};

/// Queries of one investigation that run at once: polling them must stay within ten calls a second for all.
const AT_ONCE_MAX: usize = 4;

/// Rows of one page of results: the service's own bound.
const ROWS_MAX: usize = 10_000;

/// Rows of one query: the service's own bound.
const QUERY_ROWS_MAX: usize = 100_000;

/// Pages of events of one small group, 10,000 events each, of which many may be empty.
const FILTER_PAGES_MAX: usize = 50;

/// What the lines of a group are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// What a resource wrote.
    Events,
    /// Spans, one a line.
    Spans,
}

/// One group in one span of time.
#[derive(Debug, Clone)]
struct Job {
    group: Group,
    span: TimeSpan,
    lines: Lines,
}

/// A query that was started.
struct Running<'a> {
    job: Job,
    id: String,
    /// Bytes that were charged so far.
    scanned: u64,
    _permit: tokio::sync::SemaphorePermit<'a>,
}

/// Reads the log groups of the alarmed resource and its neighbours.
pub(super) async fn read(r: &mut Reading<'_, '_>, memo: &Memo) {
    let groups = log_groups::find(r, memo).await;
    memo.know_log_groups(groups.iter().map(|g| (g.resource.as_str().to_owned(), g.name.clone())));
    let (small, large): (Vec<Group>, Vec<Group>) = groups.into_iter().partition(|group| group.small);
    for job in jobs(r, small, Lines::Events) {
        if let Err(e) = filter(r, &job).await {
            r.failed(job.span, &job.group.name, &e);
            if e.kind == PortErrorKind::Denied {
                break;
            }
        }
    }
    query(r, large, Lines::Events).await;
}

fn jobs(r: &Reading<'_, '_>, groups: Vec<Group>, lines: Lines) -> VecDeque<Job> {
    let spans = r.spans();
    let of = |group: Group| {
        spans.iter().map(move |span| Job { group: group.clone(), span: *span, lines }).collect::<Vec<_>>()
    };
    groups.into_iter().flat_map(of).collect()
}

/// Queries the groups over the window and the healthy times, a few at once.
pub(super) async fn query(r: &mut Reading<'_, '_>, groups: Vec<Group>, lines: Lines) {
    let mut waiting = jobs(r, groups, lines);
    let mut running: Vec<Running<'_>> = Vec::new();
    let mut scanned = 0;
    loop {
        while running.len() < AT_ONCE_MAX && scanned < r.settings.log_bytes_max {
            let Some(job) = waiting.pop_front() else { break };
            if let Some(query) = begin(r, job, &mut waiting).await {
                running.push(query);
            }
        }
        if running.is_empty() {
            break;
        }
        let mut still = Vec::new();
        for mut query in running {
            let before = query.scanned;
            let ended = look(r, &mut query, scanned).await;
            scanned += query.scanned - before;
            if ended {
                r.running.retain(|id| *id != query.id);
            } else {
                still.push(query);
            }
        }
        running = still;
        if !running.is_empty() {
            tokio::time::sleep(r.aws.timing.poll).await;
        }
    }
    left_out(r, &waiting);
}

/// Jobs for which the budget did not suffice.
fn left_out(r: &mut Reading<'_, '_>, waiting: &VecDeque<Job>) {
    if let Some(first) = waiting.front() {
        let detail = format!(
            "the budget of {} bytes scanned was used up; {} queries were not started, {} the first of them",
            r.settings.log_bytes_max,
            waiting.len(),
            first.group.name
        );
        let (span, name) = (first.span, first.group.name.clone());
        r.lacks(GapReason::Truncated, &START_QUERY, span, &name, &detail, 0);
    }
}

/// Starts a query. When there is no room for one, the group is read event by event; when access is refused, the other
/// groups are not tried either.
async fn begin<'a>(r: &mut Reading<'a, '_>, job: Job, waiting: &mut VecDeque<Job>) -> Option<Running<'a>> {
    let aws = r.aws;
    // Waiting here is bounded by the source's deadline. The semaphore is never closed.
    let permit = aws.log_queries.acquire().await.ok()?;
    let limit = r.settings.log_lines_max.clamp(1, QUERY_ROWS_MAX);
    let request = aws
        .logs
        .start_query()
        .log_group_name(&job.group.name)
        .start_time(job.span.start.secs())
        // Inclusive, in whole seconds.
        .end_time(job.span.end.secs())
        .query_string("fields @timestamp, @message | sort @timestamp desc")
        .limit(i32::try_from(limit).unwrap_or(i32::MAX));
    let expected = job.group.expected_bytes(job.span, r.now);
    let error = match r.call(&START_QUERY, expected, request.send()).await {
        Ok(answer) => match answer.query_id() {
            Some(id) => {
                r.running.push(id.to_owned());
                return Some(Running { job, id: id.to_owned(), scanned: 0, _permit: permit });
            }
            None => super::errors::unusable(&START_QUERY, "the answer names no query", ""),
        },
        Err(e) => e,
    };
    r.failed(job.span, &job.group.name, &error);
    match error.kind {
        PortErrorKind::Throttled if job.lines == Lines::Events => {
            if let Err(e) = filter(r, &job).await {
                r.failed(job.span, &job.group.name, &e);
            }
        }
        PortErrorKind::Denied | PortErrorKind::Timeout => waiting.clear(),
        PortErrorKind::Throttled
        | PortErrorKind::NotFound
        | PortErrorKind::Unavailable
        | PortErrorKind::Invalid => {}
    }
    None
}

/// Looks at a query once: whether it has ended, in whichever way.
async fn look(r: &mut Reading<'_, '_>, query: &mut Running<'_>, scanned: u64) -> bool {
    let request = r.aws.logs.get_query_results().query_id(&query.id);
    let page = match r.call(&GET_QUERY_RESULTS, 1, request.send()).await {
        Ok(page) => page,
        Err(e) => {
            r.failed(query.job.span, &query.job.group.name, &e);
            stop(r, &query.id.clone()).await;
            return true;
        }
    };
    let bytes = page.statistics().map_or(0.0, |s| s.bytes_scanned());
    let bytes = count_of(bytes).max(query.scanned);
    r.ledger.charge(&START_QUERY, bytes - query.scanned);
    r.out.bytes = r.out.bytes.saturating_add(bytes - query.scanned);
    let total = scanned.saturating_add(bytes - query.scanned);
    query.scanned = bytes;
    match page.status().map_or("", |s| s.as_str()) {
        "Complete" => {
            let matched = index(page.statistics().map_or(0.0, |s| s.records_matched()));
            results(r, query, page.results(), page.next_token(), matched).await;
            true
        }
        "Scheduled" | "Running" => {
            if total <= r.settings.log_bytes_max {
                return false;
            }
            stop(r, &query.id.clone()).await;
            let detail = format!(
                "the query was stopped after {bytes} bytes: the budget of {} bytes scanned was used up",
                r.settings.log_bytes_max
            );
            r.lacks(GapReason::Truncated, &STOP_QUERY, query.job.span, &query.job.group.name, &detail, 0);
            true
        }
        status => {
            let detail = format!("the query on {} ended as {status:?}", query.job.group.name);
            r.lacks(
                GapReason::Unavailable,
                &GET_QUERY_RESULTS,
                query.job.span,
                &query.job.group.name,
                &detail,
                0,
            );
            true
        }
    }
}

/// Hands the rows of all pages over, and says what is missing.
async fn results(
    r: &mut Reading<'_, '_>,
    query: &Running<'_>,
    first: &[Vec<ResultField>],
    token: Option<&str>,
    matched: usize,
) {
    let job = &query.job;
    let mut oldest = job.span.end;
    let mut spans = Vec::new();
    let (mut read, mut bad) = give_rows(r, job, first, &mut oldest, &mut spans);
    let mut pages = Pages::default();
    let mut next = pages.after(token, QUERY_ROWS_MAX.div_ceil(ROWS_MAX) + 1);
    while next == Next::More {
        let request = r.aws.logs.get_query_results().query_id(&query.id).set_next_token(pages.token());
        let page = match r.call(&GET_QUERY_RESULTS, 1, request.send()).await {
            Ok(page) => page,
            Err(e) => {
                r.failed(unread(job, oldest), &job.group.name, &e);
                break;
            }
        };
        let more = give_rows(r, job, page.results(), &mut oldest, &mut spans);
        (read, bad) = (read + more.0, bad + more.1);
        next = pages.after(page.next_token(), QUERY_ROWS_MAX.div_ceil(ROWS_MAX) + 1);
    }
    if job.lines == Lines::Spans {
        let (found, none) = otlp::spans(&spans);
        r.give(Batch::Traces(found));
        (read, bad) = (read.saturating_sub(none), bad + none);
    }
    if next == Next::Stuck || matched > read + bad {
        let lost = u64::try_from(matched.saturating_sub(read)).unwrap_or(u64::MAX);
        let detail = format!(
            "{} of {matched} lines of {} were read, the newest; none before {oldest}",
            read, job.group.name
        );
        let span = unread(job, oldest);
        r.lacks(GapReason::Truncated, &GET_QUERY_RESULTS, span, &job.group.name, &detail, lost);
    }
    if bad > 0 {
        let detail = format!("rows of {} without time or message were left out", job.group.name);
        let lost = u64::try_from(bad).unwrap_or(u64::MAX);
        r.lacks(GapReason::Malformed, &GET_QUERY_RESULTS, job.span, &job.group.name, &detail, lost);
    }
}

/// The time of which lines may be missing: rows come newest first.
fn unread(job: &Job, oldest: Timestamp) -> TimeSpan {
    if oldest > job.span.start { TimeSpan::new(job.span.start, oldest) } else { job.span }
}

/// Hands rows over: how many were read, how many were none. Spans are kept until all are there.
fn give_rows(
    r: &mut Reading<'_, '_>,
    job: &Job,
    rows: &[Vec<ResultField>],
    oldest: &mut Timestamp,
    spans: &mut Vec<String>,
) -> (usize, usize) {
    let events: Vec<LogEvent> = rows.iter().filter_map(|row| of_row(job, row)).collect();
    let bad = rows.len() - events.len();
    let read = events.len();
    *oldest = events.iter().map(|e| e.at).min().unwrap_or(*oldest).min(*oldest);
    match job.lines {
        Lines::Spans => spans.extend(events.into_iter().map(|e| e.message)),
        // Whole seconds were asked for: what lies outside belongs to another span of time.
        Lines::Events => {
            r.give(Batch::Logs(events.into_iter().filter(|e| job.span.contains(e.at)).collect()));
        }
    }
    (read, bad)
}

fn of_row(job: &Job, row: &[ResultField]) -> Option<LogEvent> {
    let field = |name: &str| row.iter().find(|f| f.field() == Some(name)).and_then(|f| f.value());
    // `2026-10-14 03:13:10.221`, in UTC.
    let at = field("@timestamp")?.replacen(' ', "T", 1);
    let at: Timestamp = format!("{at}Z").parse().ok()?;
    Some(event(job, at, field("@message")?))
}

fn event(job: &Job, at: Timestamp, message: &str) -> LogEvent {
    let (trace, span) = trace_ids::of_line(message);
    LogEvent { at, resource: job.group.resource.clone(), message: message.trim_end().to_owned(), trace, span }
}

/// Reads a group event by event.
async fn filter(r: &mut Reading<'_, '_>, job: &Job) -> Result<(), PortError> {
    let mut pages = Pages::default();
    let mut read = 0;
    loop {
        let request = r
            .aws
            .logs
            .filter_log_events()
            .log_group_name(&job.group.name)
            .start_time(job.span.start.micros().div_euclid(1_000))
            // Inclusive, in milliseconds.
            .end_time((job.span.end.micros() - 1).div_euclid(1_000))
            .set_next_token(pages.token());
        let page = r.call(&FILTER_LOG_EVENTS, 1, request.send()).await?;
        let mut events = Vec::new();
        for found in page.events() {
            let (Some(at), Some(message)) = (found.timestamp(), found.message()) else { continue };
            r.out.bytes = r.out.bytes.saturating_add(u64::try_from(message.len()).unwrap_or(u64::MAX));
            events.push(event(job, Timestamp::from_millis(at), message));
        }
        read += events.len();
        r.give(Batch::Logs(events));
        let stuck = match pages.after(page.next_token(), FILTER_PAGES_MAX) {
            Next::More => read >= r.settings.log_lines_max,
            Next::End => return Ok(()),
            Next::Stuck => true,
        };
        if stuck {
            let detail =
                format!("there are more lines in {} than are read; the oldest {read} were", job.group.name);
            r.lacks(GapReason::Truncated, &FILTER_LOG_EVENTS, job.span, &job.group.name, &detail, 0);
            return Ok(());
        }
    }
}

/// Stops a query, so that it scans no further. Whether that worked is in the account book only.
pub(super) async fn stop(r: &mut Reading<'_, '_>, id: &str) {
    let request = r.aws.logs.stop_query().query_id(id);
    if let Err(error) = r.call(&STOP_QUERY, 1, request.send()).await {
        tracing::warn!(query = id, %error, "a query could not be stopped and may scan to its end");
    }
}
