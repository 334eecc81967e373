//! Log events: Logs Insights queries over the window and the healthy times, within a budget of bytes scanned; small
//! groups event by event; where there are more lines than are read, Logs Insights counts their patterns.

use std::collections::VecDeque;

use aws_sdk_cloudwatchlogs::operation::get_query_results::GetQueryResultsOutput;
use aws_sdk_cloudwatchlogs::types::ResultField;
use tantei_engine::model::gap::GapReason;
use tantei_engine::model::num::{count_of, index};
use tantei_engine::model::telemetry::{Batch, LogEvent};
use tantei_engine::model::time::{TimeSpan, Timestamp};
use tantei_engine::planning::trace_ids;

use super::apis::{GET_QUERY_RESULTS, START_QUERY, STOP_QUERY};
use super::collector::Memo;
use super::log_events::filter;
use super::log_groups::{self, Group};
use super::log_patterns::{self, Shown};
use super::otlp;
use super::reading::{Next, Pages, Reading};
use crate::ports::PortErrorKind;

/// Queries of one investigation that run at once: polling them must stay within ten calls a second for all.
const AT_ONCE_MAX: usize = 4;

/// Rows of one page of results: the service's own bound.
const ROWS_MAX: usize = 10_000;

/// Rows of one query: the service's own bound.
const QUERY_ROWS_MAX: usize = 100_000;

/// Bytes of a line as it is stored, generously: a group that holds more than so many a line has more lines than are read.
const LINE_BYTES: u64 = 1_000;

/// What is asked of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// What a resource wrote; patterns instead, when that is more than is read.
    Events,
    /// What a resource wrote, the newest of it: patterns are not to be had.
    Newest,
    /// How often each pattern was written.
    Patterns,
    /// Spans, one a line.
    Spans,
}

/// One group in one span of time.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) group: Group,
    pub(super) span: TimeSpan,
    lines: Lines,
}

/// What is still to be done, and what was found so far.
#[derive(Debug, Default)]
struct Work {
    waiting: VecDeque<Job>,
    shown: Shown,
    scanned: u64,
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
        let lines = way(r, &group, lines, &spans);
        let parts = spans.iter().flat_map(|span| parts(r, *span, lines));
        parts.map(|span| Job { group: group.clone(), span, lines }).collect::<Vec<_>>()
    };
    groups.into_iter().flat_map(of).collect()
}

/// How a group is asked: by patterns at once, when it is so large that its lines would only be read in part.
fn way(r: &Reading<'_, '_>, group: &Group, lines: Lines, spans: &[TimeSpan]) -> Lines {
    let bytes = spans.iter().map(|span| group.expected_bytes(*span, r.now)).max().unwrap_or(0);
    let read = u64::try_from(lines_max(r)).unwrap_or(u64::MAX).saturating_mul(LINE_BYTES);
    match lines {
        Lines::Events if !group.patterns => Lines::Newest,
        Lines::Events if bytes > read => Lines::Patterns,
        Lines::Events | Lines::Newest | Lines::Patterns | Lines::Spans => lines,
    }
}

/// A span of time as it is asked for: what is counted belongs to one side of the onset.
fn parts(r: &Reading<'_, '_>, span: TimeSpan, lines: Lines) -> Vec<TimeSpan> {
    let onset = r.request.onset;
    if lines == Lines::Patterns && span.contains(onset) && onset > span.start {
        vec![TimeSpan::new(span.start, onset), TimeSpan::new(onset, span.end)]
    } else {
        vec![span]
    }
}

fn lines_max(r: &Reading<'_, '_>) -> usize {
    r.settings.log_lines_max.clamp(1, QUERY_ROWS_MAX)
}

/// Queries the groups over the window and the healthy times, a few at once.
pub(super) async fn query(r: &mut Reading<'_, '_>, groups: Vec<Group>, lines: Lines) {
    let mut work = Work { waiting: jobs(r, groups, lines), ..Work::default() };
    let mut running: Vec<Running<'_>> = Vec::new();
    loop {
        while running.len() < AT_ONCE_MAX && work.scanned < r.settings.log_bytes_max {
            let Some(job) = work.waiting.pop_front() else { break };
            if let Some(query) = begin(r, job, &mut work.waiting).await {
                running.push(query);
            }
        }
        if running.is_empty() {
            break;
        }
        let mut still = Vec::new();
        for mut query in running {
            if look(r, &mut query, &mut work).await {
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
    left_out(r, &work.waiting);
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
    let (text, limit) = match job.lines {
        Lines::Patterns => (log_patterns::QUERY, log_patterns::PATTERNS_MAX),
        Lines::Events | Lines::Newest | Lines::Spans => {
            let text = "fields @timestamp, @message | sort @timestamp desc";
            (text, i32::try_from(lines_max(r)).unwrap_or(i32::MAX))
        }
    };
    let request = aws
        .logs
        .start_query()
        .log_group_name(&job.group.name)
        .start_time(job.span.start.secs())
        .end_time(until_s(&job))
        .query_string(text)
        .limit(limit);
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
        PortErrorKind::Throttled if job.lines != Lines::Spans => {
            if let Err(e) = filter(r, &job).await {
                r.failed(job.span, &job.group.name, &e);
            }
        }
        PortErrorKind::Denied | PortErrorKind::Timeout => waiting.clear(),
        // A group or a Region where patterns are not counted.
        PortErrorKind::Invalid if job.lines == Lines::Patterns => waiting.push_front(newest(&job)),
        PortErrorKind::Throttled
        | PortErrorKind::NotFound
        | PortErrorKind::Unavailable
        | PortErrorKind::Invalid => {}
    }
    None
}

/// The last second that is asked for: the end is inclusive, in whole seconds. Lines of that second are left out when they
/// are read; of what is counted they cannot be.
fn until_s(job: &Job) -> i64 {
    match job.lines {
        Lines::Patterns => (job.span.end.secs() - 1).max(job.span.start.secs()),
        Lines::Events | Lines::Newest | Lines::Spans => job.span.end.secs(),
    }
}

fn newest(job: &Job) -> Job {
    Job { lines: Lines::Newest, ..job.clone() }
}

/// Looks at a query once: whether it has ended, in whichever way.
async fn look(r: &mut Reading<'_, '_>, query: &mut Running<'_>, work: &mut Work) -> bool {
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
    work.scanned = work.scanned.saturating_add(bytes - query.scanned);
    query.scanned = bytes;
    let job = query.job.clone();
    match page.status().map_or("", |s| s.as_str()) {
        "Complete" => {
            let matched = index(page.statistics().map_or(0.0, |s| s.records_matched()));
            // What was left out is what the incident began with: patterns leave nothing out.
            let can_count = work.scanned < r.settings.log_bytes_max;
            if job.lines == Lines::Events && matched > lines_max(r) && can_count {
                let parts = parts(r, job.span, Lines::Patterns).into_iter().rev();
                let jobs = parts.map(|span| Job { span, lines: Lines::Patterns, ..job.clone() });
                jobs.for_each(|job| work.waiting.push_front(job));
                return true;
            }
            results(r, query, &page, matched, &mut work.shown).await;
            true
        }
        "Scheduled" | "Running" => {
            if work.scanned <= r.settings.log_bytes_max {
                return false;
            }
            stop(r, &query.id.clone()).await;
            let detail = format!(
                "the query was stopped after {bytes} bytes: the budget of {} bytes scanned was used up",
                r.settings.log_bytes_max
            );
            r.lacks(GapReason::Truncated, &STOP_QUERY, job.span, &job.group.name, &detail, 0);
            true
        }
        status => {
            let detail = format!("the query on {} ended as {status:?}", job.group.name);
            r.lacks(GapReason::Unavailable, &GET_QUERY_RESULTS, job.span, &job.group.name, &detail, 0);
            if job.lines == Lines::Patterns {
                work.waiting.push_front(newest(&job));
            }
            true
        }
    }
}

/// What was read of an answer so far.
struct Got {
    oldest: Timestamp,
    spans: Vec<String>,
    /// Lines that were read, or that patterns stand for.
    read: usize,
    bad: usize,
}

/// Hands the rows of all pages over, and says what is missing.
async fn results(
    r: &mut Reading<'_, '_>,
    query: &Running<'_>,
    first: &GetQueryResultsOutput,
    matched: usize,
    shown: &mut Shown,
) {
    let job = &query.job;
    let mut got = Got { oldest: job.span.end, spans: Vec::new(), read: 0, bad: 0 };
    got.rows(r, job, first.results(), shown);
    let mut pages = Pages::default();
    let mut next = pages.after(first.next_token(), QUERY_ROWS_MAX.div_ceil(ROWS_MAX) + 1);
    while next == Next::More {
        let request = r.aws.logs.get_query_results().query_id(&query.id).set_next_token(pages.token());
        let page = match r.call(&GET_QUERY_RESULTS, 1, request.send()).await {
            Ok(page) => page,
            Err(e) => {
                r.failed(unread(job, got.oldest), &job.group.name, &e);
                break;
            }
        };
        got.rows(r, job, page.results(), shown);
        next = pages.after(page.next_token(), QUERY_ROWS_MAX.div_ceil(ROWS_MAX) + 1);
    }
    if job.lines == Lines::Spans {
        let (found, none) = otlp::spans(&got.spans);
        r.give(Batch::Traces(found));
        (got.read, got.bad) = (got.read.saturating_sub(none), got.bad + none);
    }
    if next == Next::Stuck || matched > got.read + got.bad {
        let lost = u64::try_from(matched.saturating_sub(got.read)).unwrap_or(u64::MAX);
        let (read, name) = (got.read, &job.group.name);
        let (detail, span) = match job.lines {
            Lines::Patterns => {
                (format!("the patterns of {name} stand for {read} of {matched} lines"), job.span)
            }
            Lines::Events | Lines::Newest | Lines::Spans => {
                let oldest = got.oldest;
                let detail = format!(
                    "{read} of {matched} lines of {name} were read, the newest; none before {oldest}"
                );
                (detail, unread(job, oldest))
            }
        };
        r.lacks(GapReason::Truncated, &GET_QUERY_RESULTS, span, name, &detail, lost);
    }
    if got.bad > 0 {
        let detail = format!("rows of {} without time or message were left out", job.group.name);
        let lost = u64::try_from(got.bad).unwrap_or(u64::MAX);
        r.lacks(GapReason::Malformed, &GET_QUERY_RESULTS, job.span, &job.group.name, &detail, lost);
    }
}

/// The time of which lines may be missing: rows come newest first.
fn unread(job: &Job, oldest: Timestamp) -> TimeSpan {
    if oldest > job.span.start { TimeSpan::new(job.span.start, oldest) } else { job.span }
}

impl Got {
    /// Hands rows over. Spans are kept until all are there.
    fn rows(&mut self, r: &mut Reading<'_, '_>, job: &Job, rows: &[Vec<ResultField>], shown: &mut Shown) {
        if job.lines == Lines::Patterns {
            let counted = shown.count(&job.group.name, &job.group.resource, job.span, rows);
            self.read = self.read.saturating_add(usize::try_from(counted.lines).unwrap_or(usize::MAX));
            self.bad += counted.bad;
            r.give(Batch::Tallies(counted.tallies));
            return;
        }
        let events: Vec<LogEvent> = rows.iter().filter_map(|row| of_row(job, row)).collect();
        self.bad += rows.len() - events.len();
        self.read += events.len();
        self.oldest = events.iter().map(|e| e.at).min().unwrap_or(self.oldest).min(self.oldest);
        if job.lines == Lines::Spans {
            self.spans.extend(events.into_iter().map(|e| e.message));
        } else {
            // Whole seconds were asked for: what lies outside belongs to another span of time.
            r.give(Batch::Logs(events.into_iter().filter(|e| job.span.contains(e.at)).collect()));
        }
    }
}

fn of_row(job: &Job, row: &[ResultField]) -> Option<LogEvent> {
    let field = |name: &str| row.iter().find(|f| f.field() == Some(name)).and_then(|f| f.value());
    // `2026-10-14 03:13:10.221`, in UTC.
    let at = field("@timestamp")?.replacen(' ', "T", 1);
    let at: Timestamp = format!("{at}Z").parse().ok()?;
    Some(event(job, at, field("@message")?))
}

pub(super) fn event(job: &Job, at: Timestamp, message: &str) -> LogEvent {
    let (trace, span) = trace_ids::of_line(message);
    LogEvent { at, resource: job.group.resource.clone(), message: message.trim_end().to_owned(), trace, span }
}

/// Stops a query, so that it scans no further. Whether that worked is in the account book only.
pub(super) async fn stop(r: &mut Reading<'_, '_>, id: &str) {
    let request = r.aws.logs.stop_query().query_id(id);
    if let Err(error) = r.call(&STOP_QUERY, 1, request.send()).await {
        tracing::warn!(query = id, %error, "a query could not be stopped and may scan to its end");
    }
}
