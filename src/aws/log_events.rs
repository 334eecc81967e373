//! A log group read event by event: that costs nothing and takes no query, but is slow.

use tantei_engine::model::gap::GapReason;
use tantei_engine::model::telemetry::Batch;
use tantei_engine::model::time::Timestamp;

use super::apis::FILTER_LOG_EVENTS;
use super::logs::{Job, event};
use super::reading::{Next, Pages, Reading};
use crate::ports::PortError;

/// Pages of events of one group, 10,000 events each, of which many may be empty.
const FILTER_PAGES_MAX: usize = 50;

/// Reads a group event by event.
pub(super) async fn filter(r: &mut Reading<'_, '_>, job: &Job) -> Result<(), PortError> {
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
