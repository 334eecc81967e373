//! Who uses whom: X-Ray's service graph as resources and edges, with the alarmed resource even when X-Ray lacks it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_xray::types::Service;
use tantei_engine::model::gap::GapReason;
use tantei_engine::model::resource::{Edge, EdgeKind, EdgeOrigin, Resource, ResourceId};
use tantei_engine::model::telemetry::Batch;
use tantei_engine::model::time::TimeSpan;
use tantei_engine::planning::metrics::Watched;
use tantei_engine::planning::naming::{short, takes_work, xray_kind};

use super::apis::GET_SERVICE_GRAPH;
use super::collector::{Map, Memo};
use super::nodes;
use super::reading::{Next, Pages, Reading, date};
use crate::ports::PortError;

/// Longest span of one request: six hours.
const SPAN_S_MAX: i64 = 6 * 3_600;

/// Pages of one request.
const GRAPH_PAGES_MAX: usize = 100;

/// Reads the graph.
pub(super) async fn read(r: &mut Reading<'_, '_>, memo: &Memo) {
    match graph(r).await {
        Ok(mut map) => {
            nodes::describe(r, &mut map.0).await;
            let map = Arc::new(map);
            memo.know_topology(Arc::clone(&map));
            let (resources, edges) = (map.0.clone(), map.1.clone());
            if edges.is_empty() {
                let detail = "X-Ray recorded no calls between services in this time: is tracing on?";
                r.lacks(GapReason::Absent, &GET_SERVICE_GRAPH, r.request.window, "service graph", detail, 0);
            }
            r.give(Batch::Topology { resources, edges });
        }
        Err(e) => r.failed(r.request.window, "service graph", &e),
    }
}

/// The graph as the topology source read it; read now when the investigation was resumed after that.
pub(super) async fn known(r: &mut Reading<'_, '_>, memo: &Memo) -> Result<Arc<Map>, PortError> {
    if let Some(known) = memo.topology() {
        return Ok(known);
    }
    let map = Arc::new(graph(r).await?);
    memo.know_topology(Arc::clone(&map));
    Ok(map)
}

/// The kind of a resource, told by the namespace of a metric of it.
pub(super) fn kind_by_metric(watched: &[Watched], resource: &ResourceId) -> Option<String> {
    let of =
        |w: &Watched| tantei_engine::planning::naming::of_metric(&w.metric.namespace, &w.metric.dimensions);
    watched
        .iter()
        .filter_map(of)
        .find(|(id, _)| id == resource)
        .and_then(|(_, kind)| kind)
        .map(ToOwned::to_owned)
}

async fn graph(r: &mut Reading<'_, '_>) -> Result<Map, PortError> {
    let window = r.request.window;
    let services = services(r, TimeSpan::new(window.start, window.end.min(r.now))).await?;
    Ok(map(&services, &r.request.alarm.resource))
}

/// The nodes of the service graph in a span, of which the last six hours are read.
pub(super) async fn services(r: &mut Reading<'_, '_>, asked: TimeSpan) -> Result<Vec<Service>, PortError> {
    let span = TimeSpan::new(asked.start.max(asked.end.plus_secs(-SPAN_S_MAX)), asked.end);
    if span.start > asked.start {
        let detail = "X-Ray answers for six hours at once: only the last six were read";
        r.lacks(GapReason::Truncated, &GET_SERVICE_GRAPH, asked, "service graph", detail, 0);
    }
    let mut services = Vec::new();
    let mut pages = Pages::default();
    loop {
        let request = r
            .aws
            .xray
            .get_service_graph()
            .start_time(date(span.start))
            .end_time(date(span.end))
            .set_next_token(pages.token());
        let page = match r.call(&GET_SERVICE_GRAPH, 1, request.send()).await {
            Ok(page) => page,
            Err(e) if !services.is_empty() => {
                r.failed(span, "further pages of the service graph", &e);
                break;
            }
            Err(e) => return Err(e),
        };
        services.extend(page.services().iter().cloned());
        match pages.after(page.next_token(), GRAPH_PAGES_MAX) {
            Next::More => {}
            Next::End => break,
            Next::Stuck => {
                let detail =
                    format!("the listing did not end; the first {} services were read", services.len());
                r.lacks(GapReason::Truncated, &GET_SERVICE_GRAPH, span, "service graph", &detail, 0);
                break;
            }
        }
    }
    Ok(services)
}

/// The services as resources. X-Ray has several nodes for one thing (a Lambda function and its service): they become one.
fn map(services: &[Service], alarmed: &ResourceId) -> Map {
    let mut named: BTreeMap<i32, (ResourceId, String)> = BTreeMap::new();
    let mut resources: BTreeMap<ResourceId, Resource> = BTreeMap::new();
    for service in services {
        let Some(name) = service.name().filter(|n| !n.is_empty()) else { continue };
        let Some(kind) = xray_kind(service.r#type().unwrap_or_default(), name) else { continue };
        let id = ResourceId::new(short(name));
        if let Some(reference) = service.reference_id() {
            named.insert(reference, (id.clone(), kind.clone()));
        }
        let resource = resources.entry(id.clone()).or_insert_with(|| Resource {
            id,
            kind: None,
            attributes: BTreeMap::new(),
        });
        resource.kind = resource.kind.take().or(Some(kind).filter(|k| !k.is_empty()));
        if let Some(account) = service.account_id() {
            resource.attributes.insert("AccountId".to_owned(), account.to_owned());
        }
    }
    let mut edges = BTreeSet::new();
    for service in services {
        let Some((from, _)) = service.reference_id().and_then(|id| named.get(&id)) else { continue };
        for edge in service.edges() {
            let Some((to, kind)) = edge.reference_id().and_then(|id| named.get(&id)) else { continue };
            if from == to {
                continue;
            }
            let is_async = edge.edge_type() == Some("link") || takes_work(kind);
            let kind = if is_async { EdgeKind::Async } else { EdgeKind::Calls };
            edges.insert(Edge { from: from.clone(), to: to.clone(), kind, origin: EdgeOrigin::Observed });
        }
    }
    let bare = || Resource { id: alarmed.clone(), kind: None, attributes: BTreeMap::new() };
    resources.entry(alarmed.clone()).or_insert_with(bare);
    (resources.into_values().collect(), edges.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_xray::types::Edge as XrayEdge;

    #[test]
    fn nodes_of_one_thing_become_one_and_clients_none() {
        let node = |reference: i32, name: &str, node_type: &str, to: &[i32]| {
            let edges = to.iter().map(|id| XrayEdge::builder().reference_id(*id).build()).collect();
            Service::builder()
                .reference_id(reference)
                .name(name)
                .r#type(node_type)
                .set_edges(Some(edges))
                .build()
        };
        let services = [
            node(0, "resize", "client", &[1]),
            node(1, "resize", "AWS::Lambda", &[2]),
            node(2, "resize", "AWS::Lambda::Function", &[3, 4, 5]),
            node(3, "db@orders-db.x.ap-northeast-1.rds.amazonaws.com", "Database::SQL", &[]),
            node(4, "https://sqs.ap-northeast-1.amazonaws.com/1/jobs", "AWS::SQS::Queue", &[]),
            node(5, "api.payments.example", "remote", &[]),
        ];
        let (resources, edges) = map(&services, &ResourceId::new("shop-alb"));
        let kinds: Vec<(&str, Option<&str>)> =
            resources.iter().map(|r| (r.id.as_str(), r.kind.as_deref())).collect();
        let expected = [
            ("api.payments.example", Some("RemoteService")),
            ("jobs", Some("AWS::SQS::Queue")),
            ("orders-db", Some("AWS::RDS::DBInstance")),
            ("resize", Some("AWS::Lambda::Function")),
            ("shop-alb", None),
        ];
        assert_eq!(kinds, expected);
        let lines: Vec<(&str, EdgeKind)> = edges.iter().map(|e| (e.to.as_str(), e.kind)).collect();
        let expected = [
            ("api.payments.example", EdgeKind::Calls),
            ("jobs", EdgeKind::Async),
            ("orders-db", EdgeKind::Calls),
        ];
        assert_eq!(lines, expected);
    }
}
