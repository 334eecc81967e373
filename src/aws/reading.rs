//! One source being read for one investigation: the request, where records go, what was asked, what could not be seen.
//!
//! Kept outside the work itself, so that a deadline that cuts the work off loses nothing that was counted.

use std::future::Future;

use aws_sdk_cloudwatch::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudwatch::primitives::DateTime;
use tantei_engine::model::gap::{Gap, GapReason};
use tantei_engine::model::query::Query;
use tantei_engine::model::telemetry::Batch;
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::{TimeSpan, Timestamp};

use super::apis::Api;
use super::client::Aws;
use super::collector::Settings;
use super::spent::Ledger;
use crate::ports::{CollectRequest, Collection, PortError, Sink};

/// Pages of one listing: more than any healthy answer has, and a token that repeats is noticed before.
pub(super) const PAGES_MAX: usize = 1_000;

/// A source being read.
pub(super) struct Reading<'a, 's> {
    pub(super) aws: &'a Aws,
    pub(super) settings: &'a Settings,
    pub(super) ledger: &'a Ledger,
    pub(super) request: &'a CollectRequest,
    pub(super) now: Timestamp,
    pub(super) out: Collection,
    /// Logs Insights queries that were started and have not ended: they cost money until they are stopped.
    pub(super) running: Vec<String>,
    sink: &'a mut Sink<'s>,
}

impl<'a, 's> Reading<'a, 's> {
    pub(super) fn new(
        aws: &'a Aws,
        settings: &'a Settings,
        ledger: &'a Ledger,
        request: &'a CollectRequest,
        now: Timestamp,
        sink: &'a mut Sink<'s>,
    ) -> Self {
        let out = Collection::default();
        Self { aws, settings, ledger, request, now, out, running: Vec::new(), sink }
    }

    /// Makes a call and counts it. The request is boxed here: the SDK's futures are large, and move.
    pub(super) fn call<T, E, F>(
        &mut self,
        api: &'static Api,
        units: u64,
        request: F,
    ) -> impl Future<Output = Result<T, PortError>> + use<'a, T, E, F>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.out.requests += 1;
        self.aws.call(self.ledger, api, units, Box::pin(request))
    }

    /// Hands records over.
    pub(super) fn give(&mut self, batch: Batch) {
        self.out.records += batch.records();
        (self.sink)(batch);
    }

    /// Notes what could not be read because a call failed.
    pub(super) fn failed(&mut self, span: TimeSpan, what: &str, error: &PortError) {
        let query = query(&error.dependency, &error.operation, what, span);
        self.gap(Gap { query: Some(query), ..error.gap(self.request.source, span) });
    }

    /// Notes something else that could not be seen.
    pub(super) fn lacks(
        &mut self,
        reason: GapReason,
        api: &Api,
        span: TimeSpan,
        what: &str,
        detail: &str,
        lost: u64,
    ) {
        let place = format!("{} {}", api.service, api.operation);
        let query = query(api.service, api.operation, what, span);
        let gap = Gap::new(self.request.source, reason, span, &place);
        self.gap(Gap { detail: Untrusted::new(detail), lost, query: Some(query), ..gap });
    }

    /// Notes a gap, once: many calls that fail in one way are one gap.
    fn gap(&mut self, gap: Gap) {
        let same = |known: &&mut Gap| {
            known.place == gap.place
                && known.reason == gap.reason
                && known.span == gap.span
                && known.detail == gap.detail
        };
        match self.out.gaps.iter_mut().find(same) {
            Some(known) => known.lost = known.lost.saturating_add(gap.lost),
            None => self.out.gaps.push(gap),
        }
    }

    /// The window and the healthy times, merged where they touch, oldest first, nothing after now.
    pub(super) fn spans(&self) -> Vec<TimeSpan> {
        tantei_engine::planning::times::merged(self.request.window, &self.request.baseline, self.now)
    }
}

fn query(service: &str, operation: &str, what: &str, span: TimeSpan) -> Query {
    let (start, end) = (span.start.to_string(), span.end.to_string());
    let mut query = Query::new(service, operation, [("StartTime", start), ("EndTime", end)]);
    if !what.is_empty() {
        query.parameters.insert("what".to_owned(), what.to_owned());
    }
    query
}

/// Follows the tokens of a listing: at most so many pages, and never the same token twice in a row.
#[derive(Debug, Default)]
pub(super) struct Pages {
    token: Option<String>,
    read: usize,
}

/// Where a listing stands after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// There is more.
    More,
    /// That was all.
    End,
    /// The service sent the same token again, or tokens without end.
    Stuck,
}

impl Pages {
    /// The token to send with the next request.
    pub(super) fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Takes the token of an answer.
    pub(super) fn after(&mut self, token: Option<&str>, pages_max: usize) -> Next {
        self.read += 1;
        let token = token.filter(|t| !t.is_empty()).map(ToOwned::to_owned);
        match token {
            None => Next::End,
            same if same == self.token => Next::Stuck,
            _ if self.read >= pages_max => Next::Stuck,
            fresh => {
                self.token = fresh;
                Next::More
            }
        }
    }
}

/// An instant as the SDK writes it.
pub(super) fn date(t: Timestamp) -> DateTime {
    DateTime::from_nanos(i128::from(t.micros()) * 1_000).unwrap_or_else(|_| DateTime::from_secs(t.secs()))
}

/// An instant as the SDK reads it: to the nearest microsecond, because seconds come as floating-point numbers, in which 0.149
/// is a little less. (Of CBOR the SDK itself cuts off what is below a millisecond: such times may be one too early.)
pub(super) fn timestamp(t: &DateTime) -> Timestamp {
    Timestamp::from_micros(i64::try_from((t.as_nanos() + 500).div_euclid(1_000)).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_floating_point_keeps_its_millisecond() {
        for millis in (1_795_502_532_000_i64..).take(1_000) {
            let seconds = DateTime::from_secs_f64(tantei_engine::model::num::real_signed(millis) / 1_000.0);
            assert_eq!(timestamp(&seconds), Timestamp::from_millis(millis));
        }
    }

    #[test]
    fn a_repeated_token_ends_the_listing() {
        let mut pages = Pages::default();
        assert_eq!(pages.after(Some("a"), 10), Next::More);
        assert_eq!(pages.token().as_deref(), Some("a"));
        assert_eq!(pages.after(Some("b"), 10), Next::More);
        assert_eq!(pages.after(Some("b"), 10), Next::Stuck);
        assert_eq!(Pages::default().after(Some(""), 10), Next::End);
        assert_eq!(Pages::default().after(Some("a"), 1), Next::Stuck);
    }

    #[test]
    fn instants_keep_their_microseconds() {
        for t in [Timestamp::from_micros(1_795_502_200_053_905), Timestamp::from_micros(-1)] {
            assert_eq!(timestamp(&date(t)), t);
        }
    }
}
