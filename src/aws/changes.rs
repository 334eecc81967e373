//! Changes: CloudTrail's writes, read once for all investigations that look at the same time.

use std::sync::Arc;

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use tantei_engine::limits::CHANGE_LEAD_S_MAX;
use tantei_engine::model::gap::GapReason;
use tantei_engine::model::telemetry::{Batch, Change};
use tantei_engine::model::time::{TimeSpan, Timestamp};
use tokio::sync::Mutex;

use super::apis::LOOKUP_EVENTS;
use super::change_event::{NoEvent, change};
use super::errors;
use super::reading::{Next, Pages, Reading, date, timestamp};

/// Pages of one look-up, 50 events each: at two a second more would take longer than the deadline.
const LOOKUP_PAGES_MAX: usize = 60;

/// Spans are widened to whole five minutes, so that investigations of one incident ask for the same.
const WIDEN_S: i64 = 300;

/// Events appear within so many seconds as a rule: until then what was read may be incomplete.
const DELAY_S: i64 = 900;

/// Seconds for which an answer that may be incomplete is good enough.
const FRESH_S: i64 = 60;

/// Answers kept.
const CACHED_MAX: usize = 32;

/// One answer.
#[derive(Debug, Clone)]
struct Cached {
    span: TimeSpan,
    read_at: Timestamp,
    changes: Arc<Vec<Change>>,
}

/// What was read already. Its lock is held while reading: whoever asks for the same meanwhile waits for that answer
/// instead of using up the two calls a second.
#[derive(Debug, Default)]
pub struct ChangeCache(Mutex<Vec<Cached>>);

/// Reads the changes from an hour before the window on.
pub(super) async fn read(r: &mut Reading<'_, '_>) {
    let window = r.request.window;
    let start = window.start.plus_secs(-CHANGE_LEAD_S_MAX);
    let wanted = TimeSpan::new(start, window.end.min(r.now));
    let aws = r.aws;
    let mut cache = aws.change_cache.0.lock().await;
    let usable = |c: &&Cached| {
        let complete = c.read_at.secs_since(wanted.end) >= DELAY_S;
        let covers = c.span.start <= wanted.start && wanted.end <= c.span.end;
        covers && (complete || r.now.secs_since(c.read_at) <= FRESH_S)
    };
    let known = cache.iter().find(usable).map(|c| Arc::clone(&c.changes));
    let changes = match known {
        Some(changes) => changes,
        None => {
            let span = widened(wanted);
            let (changes, whole) = look_up(r, span).await;
            let changes = Arc::new(changes);
            if whole {
                let read_at = r.now;
                cache.insert(0, Cached { span, read_at, changes: Arc::clone(&changes) });
                cache.truncate(CACHED_MAX);
            }
            changes
        }
    };
    drop(cache);
    let ours: Vec<Change> =
        changes.iter().filter(|c| wanted.contains(c.at) && !r.settings.ignored.has(c)).cloned().collect();
    r.give(Batch::Changes(ours));
}

fn widened(span: TimeSpan) -> TimeSpan {
    let floor = |t: Timestamp| Timestamp::from_secs(t.secs().div_euclid(WIDEN_S) * WIDEN_S);
    TimeSpan::new(floor(span.start), floor(span.end.plus_secs(WIDEN_S)))
}

/// Everything that was changed in a span, newest first; and whether that is all.
async fn look_up(r: &mut Reading<'_, '_>, span: TimeSpan) -> (Vec<Change>, bool) {
    let mut changes = Vec::new();
    let mut unread = 0;
    let mut pages = Pages::default();
    let whole = loop {
        let attribute = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::ReadOnly)
            .attribute_value("false")
            .build();
        let attribute = match attribute {
            Ok(attribute) => attribute,
            Err(e) => {
                let error = errors::unusable(&LOOKUP_EVENTS, "the request could not be made", &e.to_string());
                r.failed(span, "ReadOnly=false", &error);
                break false;
            }
        };
        let request = r
            .aws
            .cloudtrail
            .lookup_events()
            .lookup_attributes(attribute)
            .start_time(date(span.start))
            .end_time(date(span.end))
            .max_results(50)
            .set_next_token(pages.token());
        let page = match r.call(&LOOKUP_EVENTS, 1, request.send()).await {
            Ok(page) => page,
            Err(e) => {
                r.failed(span, "ReadOnly=false", &e);
                break false;
            }
        };
        for event in page.events() {
            let text = event.cloud_trail_event().unwrap_or_default();
            r.out.bytes = r.out.bytes.saturating_add(u64::try_from(text.len()).unwrap_or(u64::MAX));
            let named = event.resources().iter().find_map(|resource| resource.resource_name());
            match change(text, named, event.event_time().map(timestamp)) {
                Ok(found) => changes.extend(found),
                Err(NoEvent) => unread += 1,
            }
        }
        match pages.after(page.next_token(), LOOKUP_PAGES_MAX) {
            Next::More => {}
            Next::End => break true,
            Next::Stuck => {
                let detail =
                    format!("there are more events than are read; the newest {} changes were", changes.len());
                r.lacks(GapReason::Truncated, &LOOKUP_EVENTS, span, "ReadOnly=false", &detail, 0);
                break false;
            }
        }
    };
    if unread > 0 {
        let detail = "events that are no CloudTrail record were left out";
        r.lacks(GapReason::Malformed, &LOOKUP_EVENTS, span, "ReadOnly=false", detail, unread);
    }
    (changes, whole)
}
