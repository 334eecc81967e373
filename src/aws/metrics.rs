//! Series: those that the plan names, over the window and the healthy times, in batches of 500.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use tantei_engine::model::gap::GapReason;
use tantei_engine::model::telemetry::{Batch, Series, SeriesId};
use tantei_engine::model::time::{TimeSpan, Timestamp};
use tantei_engine::planning::metrics::{Watched, choose, plan, series_of, wanted};
use tantei_engine::planning::times::{aligned, period_s, seen_period_s};

use super::apis::GET_METRIC_DATA;
use super::collector::{Map, Memo};
use super::reading::{Next, PAGES_MAX, Pages, Reading, date, timestamp};
use super::{metric_search, topology};
use crate::ports::PortError;

/// Queries of one request.
const QUERIES_MAX: usize = 500;

/// Points of one page.
const POINTS_MAX: i32 = 100_800;

/// Reads the series that matter.
pub(super) async fn read(r: &mut Reading<'_, '_>, memo: &Memo) {
    let watched = metric_search::watched(r, memo).await;
    let map = match topology::known(r, memo).await {
        Ok(map) => map,
        Err(e) => {
            r.failed(r.request.window, "the alarmed resource's neighbours", &e);
            Arc::default()
        }
    };
    let series = planned(r, &watched, &map).await;
    let spans = r.spans();
    let Some(oldest) = spans.first() else { return };
    let wanted_s = watched.iter().map(|w| w.period_s).min();
    let Some(period) = period_s(oldest.start, r.now, wanted_s) else {
        let detail = "the healthy times lie so far back that CloudWatch keeps no data of them";
        r.lacks(GapReason::Absent, &GET_METRIC_DATA, *oldest, "", detail, 0);
        return;
    };
    for series in series.chunks(QUERIES_MAX) {
        let mut batch = Requested::new(series, period);
        for span in &spans {
            let span = aligned(*span, period, r.now);
            if span.secs() == 0 {
                continue;
            }
            if let Err(e) = batch.read(r, span).await {
                r.failed(span, "series", &e);
            }
        }
        let found = batch.finish();
        r.give(Batch::Metrics(found));
    }
}

/// The series to read, the alarm's own first.
async fn planned(r: &mut Reading<'_, '_>, watched: &[Watched], map: &Map) -> Vec<SeriesId> {
    let target = r.request.alarm.resource.clone();
    let mut resources = wanted(&target, &r.request.focus, &map.0, &map.1);
    // The alarm's dimensions tell the kind of a resource that no service map shows.
    if let Some(own) = resources.first_mut().filter(|own| own.kind.is_none()) {
        own.kind = topology::kind_by_metric(watched, &target);
    }
    let found = metric_search::of_resources(r, &resources).await;
    let own = watched.iter().map(|w| series_of(&target, &w.metric, &w.stat)).collect();
    let (series, left_out) = plan(own, resources.iter().map(|resource| choose(resource, &found)).collect());
    if left_out > 0 {
        let detail =
            "more series than are read of one investigation; those of distant resources were left out";
        let lost = u64::try_from(left_out).unwrap_or(u64::MAX);
        r.lacks(GapReason::Truncated, &GET_METRIC_DATA, r.request.window, "", detail, lost);
    }
    series
}

/// The series of one batch of requests, and what came back.
struct Requested<'a> {
    series: &'a [SeriesId],
    period_s: u32,
    points: Vec<Vec<(Timestamp, f64)>>,
}

impl<'a> Requested<'a> {
    fn new(series: &'a [SeriesId], period_s: u32) -> Self {
        Self { series, period_s, points: vec![Vec::new(); series.len()] }
    }

    /// Reads one span, all pages.
    async fn read(&mut self, r: &mut Reading<'_, '_>, span: TimeSpan) -> Result<(), PortError> {
        let queries: Vec<MetricDataQuery> =
            self.series.iter().enumerate().map(|(i, id)| query(i, id, self.period_s)).collect();
        let units = u64::try_from(queries.len()).unwrap_or(u64::MAX);
        let mut statuses: BTreeMap<usize, (String, String)> = BTreeMap::new();
        let mut pages = Pages::default();
        let ended = loop {
            let request = r
                .aws
                .cloudwatch
                .get_metric_data()
                .set_metric_data_queries(Some(queries.clone()))
                .start_time(date(span.start))
                .end_time(date(span.end))
                .scan_by(ScanBy::TimestampAscending)
                .max_datapoints(POINTS_MAX)
                .set_next_token(pages.token());
            let page = match r.call(&GET_METRIC_DATA, units, request.send()).await {
                Ok(page) => page,
                Err(e) => break Err(e),
            };
            for result in page.metric_data_results() {
                let Some(index) =
                    result.id().and_then(|id| id.strip_prefix('q')).and_then(|n| n.parse::<usize>().ok())
                else {
                    continue;
                };
                let Some(points) = self.points.get_mut(index) else { continue };
                points.extend(result.timestamps().iter().map(timestamp).zip(result.values().iter().copied()));
                let status = result.status_code().map_or("Complete", |s| s.as_str()).to_owned();
                let told = result.messages().iter().filter_map(|m| m.value()).collect::<Vec<_>>().join(" ");
                statuses.insert(index, (status, told));
            }
            match pages.after(page.next_token(), PAGES_MAX) {
                Next::More => {}
                Next::End => break Ok(()),
                Next::Stuck => {
                    let detail = "the same page was offered again; the points of later pages were not read";
                    r.lacks(GapReason::Truncated, &GET_METRIC_DATA, span, "series", detail, 0);
                    break Ok(());
                }
            }
        };
        // Of a request that failed midway every series is partial; the failure itself is told once.
        if ended.is_ok() {
            self.note(r, span, statuses);
        }
        ended
    }

    /// A request succeeds although queries in it failed: each says so itself.
    fn note(&self, r: &mut Reading<'_, '_>, span: TimeSpan, statuses: BTreeMap<usize, (String, String)>) {
        let mut bad: BTreeMap<(String, String), (usize, u64)> = BTreeMap::new();
        for (index, status) in statuses.into_iter().filter(|(_, (status, _))| status != "Complete") {
            bad.entry(status).or_insert((index, 0)).1 += 1;
        }
        for ((status, told), (first, count)) in bad {
            let (reason, hint) = match status.as_str() {
                "Forbidden" => (GapReason::Denied, "needs cloudwatch:GetMetricData on"),
                "PartialData" => (GapReason::Truncated, "the service returned only part of"),
                _ => (GapReason::Unavailable, "the service failed on"),
            };
            let name = self.series.get(first).map_or("", |s| s.name.as_str());
            let detail = format!("{status}: {hint} {count} series, {name} the first of them. {told}");
            r.lacks(reason, &GET_METRIC_DATA, span, "series", detail.trim_end(), count);
        }
    }

    fn finish(self) -> Vec<Series> {
        let period_s = self.period_s;
        self.series
            .iter()
            .zip(self.points)
            .filter(|(_, points)| !points.is_empty())
            .map(|(id, mut points)| {
                points.sort_by_key(|(t, _)| *t);
                points.dedup_by_key(|(t, _)| *t);
                Series { id: id.clone(), period_s: seen_period_s(&points, period_s), points }
            })
            .collect()
    }
}

fn query(index: usize, id: &SeriesId, period_s: u32) -> MetricDataQuery {
    let dimensions =
        id.dimensions.iter().map(|(k, v)| Dimension::builder().name(k).value(v).build()).collect();
    let metric = Metric::builder()
        .set_namespace(id.namespace.clone())
        .metric_name(&id.name)
        .set_dimensions(Some(dimensions))
        .build();
    let period = i32::try_from(period_s).unwrap_or(i32::MAX);
    let stat = MetricStat::builder().metric(metric).period(period).stat(&id.stat).build();
    MetricDataQuery::builder().id(format!("q{index}")).metric_stat(stat).return_data(true).build()
}
