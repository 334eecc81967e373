//! Finds metrics: the alarm's own by its definition, those of resources by their dimensions.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_cloudwatch::types::DimensionFilter;
use tantei_engine::model::gap::GapReason;
use tantei_engine::model::resource::Resource;
use tantei_engine::planning::metrics::{Lookup, Metric, Watched, lookups};
use tantei_engine::planning::naming;

use super::alarms::{self, Definition, of_metric};
use super::apis::LIST_METRICS;
use super::collector::Memo;
use super::reading::{Next, Pages, Reading};
use crate::ports::{PortError, PortErrorKind};

/// Pages of one lookup: 500 metrics each.
const PAGES_MAX: usize = 10;

/// What the alarm watches: by its name where it is known, otherwise the alarm in ALARM that fits.
pub(super) async fn watched(r: &mut Reading<'_, '_>, memo: &Memo) -> Vec<Watched> {
    let found = match &r.settings.alarm_name {
        Some(name) => alarms::named(r, std::slice::from_ref(name)).await.map(|d| d.into_iter().next()),
        None => fitting(r, memo).await,
    };
    let definition = match found {
        Ok(Some(definition)) => definition,
        Ok(None) => return by_name(r).await,
        Err(e) => {
            r.failed(r.request.window, "the alarm's definition", &e);
            return by_name(r).await;
        }
    };
    if !definition.composite {
        return definition.watched;
    }
    match alarms::children(r, &definition.name).await {
        Ok(children) => children.into_iter().flat_map(|d| d.watched).collect(),
        Err(e) => {
            r.failed(r.request.window, "the composite alarm's children", &e);
            Vec::new()
        }
    }
}

/// The alarm in ALARM on the metric and the resource that the investigation is about.
async fn fitting(r: &mut Reading<'_, '_>, memo: &Memo) -> Result<Option<Definition>, PortError> {
    let firing = match memo.alarms() {
        Some(known) => known,
        None => {
            let found = Arc::new(alarms::firing(r).await?);
            memo.know_alarms(Arc::clone(&found));
            found
        }
    };
    let alarm = &r.request.alarm;
    let fits = |d: &&Definition| d.fits(alarm);
    let same_stat = |d: &&Definition| d.watched.iter().any(|w| w.stat == alarm.stat);
    let best = firing.iter().filter(fits).find(same_stat).or_else(|| firing.iter().find(fits));
    Ok(best.cloned())
}

/// The alarm's metric by name and resource: all that is left when its definition cannot be read.
async fn by_name(r: &mut Reading<'_, '_>) -> Vec<Watched> {
    let alarm = r.request.alarm.clone();
    if alarm.metric.is_empty() {
        return Vec::new();
    }
    let request = r.aws.cloudwatch.list_metrics().metric_name(&alarm.metric);
    let page = match r.call(&LIST_METRICS, 1, request.send()).await {
        Ok(page) => page,
        Err(e) => {
            r.failed(r.request.window, "the alarm's metric", &e);
            return Vec::new();
        }
    };
    let of_resource = |m: &Metric| {
        naming::of_metric(&m.namespace, &m.dimensions).is_some_and(|(id, _)| id == alarm.resource)
    };
    let mut found: Vec<Metric> = page.metrics().iter().filter_map(of_metric).filter(of_resource).collect();
    found.sort_by_key(|m| m.dimensions.len());
    let stat = if alarm.stat.is_empty() { "Average".to_owned() } else { alarm.stat };
    found.into_iter().next().map(|metric| Watched { metric, stat, period_s: 60 }).into_iter().collect()
}

/// Every metric of these resources. A lookup that fails is a gap; access that is refused once is not tried again.
pub(super) async fn of_resources(r: &mut Reading<'_, '_>, resources: &[Resource]) -> BTreeSet<Metric> {
    let wanted: BTreeSet<Lookup> = resources.iter().flat_map(lookups).collect();
    let mut found = BTreeSet::new();
    for lookup in &wanted {
        match one(r, lookup).await {
            Ok(metrics) => found.extend(metrics),
            Err(e) => {
                let ends = matches!(e.kind, PortErrorKind::Denied | PortErrorKind::Timeout);
                r.failed(r.request.window, "metrics of the resources", &e);
                if ends {
                    break;
                }
            }
        }
    }
    found
}

async fn one(r: &mut Reading<'_, '_>, lookup: &Lookup) -> Result<Vec<Metric>, PortError> {
    let mut found = Vec::new();
    let mut pages = Pages::default();
    loop {
        let filter =
            DimensionFilter::builder().name(&lookup.dimension).set_value(lookup.value.clone()).build();
        let request = r
            .aws
            .cloudwatch
            .list_metrics()
            .set_namespace(lookup.namespace.clone())
            .dimensions(filter)
            .set_next_token(pages.token());
        let page = r.call(&LIST_METRICS, 1, request.send()).await?;
        found.extend(page.metrics().iter().filter_map(of_metric));
        match pages.after(page.next_token(), PAGES_MAX) {
            Next::More => {}
            Next::End => return Ok(found),
            Next::Stuck => {
                let detail =
                    format!("the listing did not end; the first {} metrics were looked at", found.len());
                r.lacks(GapReason::Truncated, &LIST_METRICS, r.request.window, &lookup.dimension, &detail, 0);
                return Ok(found);
            }
        }
    }
}
