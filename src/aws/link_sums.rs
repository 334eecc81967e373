//! The calls that X-Ray's service graph sums, before and after the onset: for when no spans are to be had.

use std::collections::BTreeMap;

use aws_sdk_xray::types::{Edge, HistogramEntry, Service};
use tantei_engine::model::resource::ResourceId;
use tantei_engine::model::telemetry::{Batch, LinkSum};
use tantei_engine::model::time::TimeSpan;
use tantei_engine::planning::naming::{short, takes_work, xray_kind};

use super::reading::Reading;
use super::topology;

/// Reads the graph of the window on either side of the onset, and of the healthy times.
pub(super) async fn read(r: &mut Reading<'_, '_>) {
    let onset = r.request.onset;
    let parts: Vec<TimeSpan> = r
        .spans()
        .into_iter()
        .flat_map(|span| {
            let divided = span.contains(onset) && onset > span.start;
            let cut = if divided { onset } else { span.end };
            [TimeSpan::new(span.start, cut), TimeSpan::new(cut, span.end)]
        })
        .filter(|part| part.secs() > 0)
        .collect();
    for part in parts {
        match topology::services(r, part).await {
            Ok(services) => r.give(Batch::Links(sums(&services, part))),
            Err(e) => {
                r.failed(part, "service graph", &e);
                return;
            }
        }
    }
}

/// The graph's edges as sums. Several nodes of one thing are one resource; calls within it are its own business.
fn sums(services: &[Service], span: TimeSpan) -> Vec<LinkSum> {
    // `None` for clients: outside.
    let mut named: BTreeMap<i32, (Option<ResourceId>, String)> = BTreeMap::new();
    for service in services {
        let name = service.name().unwrap_or_default();
        let kind = xray_kind(service.r#type().unwrap_or_default(), name);
        let id = kind.is_some().then(|| ResourceId::new(short(name)));
        if let Some(reference) = service.reference_id() {
            named.insert(reference, (id, kind.unwrap_or_default()));
        }
    }
    let mut found = Vec::new();
    for service in services {
        let Some((caller, _)) = service.reference_id().and_then(|id| named.get(&id)) else { continue };
        for edge in service.edges() {
            let Some((Some(callee), kind)) = edge.reference_id().and_then(|id| named.get(&id)) else {
                continue;
            };
            let hands_over = edge.edge_type() == Some("link") || takes_work(kind);
            if caller.as_ref() != Some(callee) && !hands_over {
                found.extend(sum(caller.clone(), callee.clone(), span, edge));
            }
        }
    }
    found
}

fn sum(caller: Option<ResourceId>, callee: ResourceId, span: TimeSpan, edge: &Edge) -> Option<LinkSum> {
    let statistics = edge.summary_statistics()?;
    let count = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    // What the callee answers wrongly and what it refuses are failures; what the caller asked wrongly (4xx) is none of it.
    let throttled = count(statistics.error_statistics().and_then(|e| e.throttle_count()));
    let faults = count(statistics.fault_statistics().and_then(|f| f.total_count()));
    Some(LinkSum {
        caller,
        callee,
        span,
        calls: count(statistics.total_count()),
        errors: faults.saturating_add(throttled),
        total_s: statistics.total_response_time().unwrap_or(0.0),
        squares_s2: squares(edge.response_time_histogram()),
    })
}

fn squares(histogram: &[HistogramEntry]) -> Option<f64> {
    let all = histogram.iter().map(|e| e.value() * e.value() * f64::from(e.count()));
    (!histogram.is_empty()).then(|| all.sum())
}
