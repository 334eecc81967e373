//! Which metrics to read for an alarm: its own, those of its resource, then those of its neighbours, nearest first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::model::resource::{Edge, Resource, ResourceId};
use crate::model::telemetry::SeriesId;

use super::kinds::{self, SERVICE_DIMENSIONS};
use super::naming;

/// Series of one investigation: 1,000 metrics cost a cent, and a service map of forty resources needs as many.
pub const SERIES_MAX: usize = 1_500;

/// Series of one metric of one resource that differ in dimensions only (operations, targets).
const SPLITS_MAX: usize = 8;

/// Metrics of one namespace of an application's own, for one resource.
const OWN_METRICS_MAX: usize = 40;

/// Resources whose metrics are read.
pub const RESOURCES_MAX: usize = 40;

/// A metric that exists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Dimensions.
    pub dimensions: BTreeMap<String, String>,
}

/// How to find metrics of a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lookup {
    /// In this namespace only.
    pub namespace: Option<String>,
    /// With this dimension.
    pub dimension: String,
    /// Of this value; any when the resource's name is only part of the value.
    pub value: Option<String>,
}

/// The alarm's own metric, as the alarm's definition gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// The metric.
    pub metric: Metric,
    /// The statistic.
    pub stat: String,
    /// The period over which the alarm evaluates.
    pub period_s: u32,
}

/// A kind-aware list of what is near: the alarmed resource first, then by distance, in either direction.
#[must_use]
pub fn nearest(target: &ResourceId, resources: &[Resource], edges: &[Edge]) -> Vec<Resource> {
    let mut neighbours: BTreeMap<&ResourceId, BTreeSet<&ResourceId>> = BTreeMap::new();
    for edge in edges {
        neighbours.entry(&edge.from).or_default().insert(&edge.to);
        neighbours.entry(&edge.to).or_default().insert(&edge.from);
    }
    let described: BTreeMap<&ResourceId, &Resource> = resources.iter().map(|r| (&r.id, r)).collect();
    let mut seen = BTreeSet::from([target]);
    let mut queue = VecDeque::from([target]);
    let mut found = Vec::new();
    while let Some(id) = queue.pop_front() {
        let bare = || Resource { id: id.clone(), kind: None, attributes: BTreeMap::new() };
        found.push(described.get(id).map_or_else(bare, |r| (*r).clone()));
        if found.len() >= RESOURCES_MAX {
            break;
        }
        for next in neighbours.get(id).into_iter().flatten().copied() {
            if seen.insert(next) {
                queue.push_back(next);
            }
        }
    }
    found
}

/// What is read: the alarmed resource, then where people pointed, then what is near.
#[must_use]
pub fn wanted(
    target: &ResourceId,
    focus: &[ResourceId],
    resources: &[Resource],
    edges: &[Edge],
) -> Vec<Resource> {
    let near = nearest(target, resources, edges);
    let pointed = focus.iter().map(|id| {
        let known = resources.iter().find(|r| &r.id == id).cloned();
        known.unwrap_or_else(|| Resource { id: id.clone(), kind: None, attributes: BTreeMap::new() })
    });
    let mut seen = BTreeSet::new();
    let own = near.first().cloned();
    let mut found: Vec<Resource> =
        own.into_iter().chain(pointed).chain(near).filter(|r| seen.insert(r.id.clone())).collect();
    found.truncate(RESOURCES_MAX);
    found
}

/// How to find the metrics of a resource.
#[must_use]
pub fn lookups(resource: &Resource) -> BTreeSet<Lookup> {
    let name = resource.id.as_str();
    let kind = resource.kind.as_deref().unwrap_or_default();
    let exact = |dimension: &str| Lookup {
        namespace: None,
        dimension: dimension.to_owned(),
        value: Some(name.to_owned()),
    };
    let mut found: BTreeSet<Lookup> = kinds::of_kind(kind)
        .map(|k| match k.dimension {
            // The value holds more than the name: `app/NAME/ID`, an ARN.
            "LoadBalancer" | "StateMachineArn" => Lookup {
                namespace: Some(k.namespace.to_owned()),
                dimension: k.dimension.to_owned(),
                value: None,
            },
            dimension => exact(dimension),
        })
        .collect();
    let runs_code = ["", "AWS::ECS::Service", "AWS::Lambda::Function", "AWS::EC2::Instance"].contains(&kind)
        || kind.starts_with("AWS::EKS")
        || kind.starts_with("AWS::ApplicationSignals");
    if runs_code {
        found.insert(exact("Service"));
    }
    if kind.is_empty() {
        found.insert(exact("ServiceName"));
    }
    found
}

/// Dimensions that name a resource alone: its metrics can be asked for without having been listed.
const SUFFICIENT: [&str; 14] = [
    "FunctionName",
    "DBInstanceIdentifier",
    "DBClusterIdentifier",
    "TableName",
    "QueueName",
    "TopicName",
    "StreamName",
    "VolumeId",
    "InstanceId",
    "AutoScalingGroupName",
    "NatGatewayId",
    "FileSystemId",
    "ApiName",
    "ApiId",
];

/// What was found of a resource, and the key metrics that were not. A metric is listed up to fifteen minutes after its
/// first point, and some have points only while something is wrong (`HTTPCode_ELB_5XX_Count`): just those matter now.
fn completed(resource: &Resource, found: &BTreeSet<Metric>) -> BTreeSet<Metric> {
    let own: BTreeSet<Metric> = found.iter().filter(|m| is_of(resource, m)).cloned().collect();
    let mut all = own.clone();
    for kind in kinds::ALL {
        let names = |d: &BTreeMap<String, String>| {
            d.get(kind.dimension).is_some_and(|value| naming::short(value) == resource.id.as_str())
        };
        let listed = own.iter().filter(|m| m.namespace == kind.namespace && names(&m.dimensions));
        let least = listed.map(|m| &m.dimensions).min_by_key(|d| d.len()).cloned();
        let named = resource.kind.as_deref() == Some(kind.kind) && SUFFICIENT.contains(&kind.dimension);
        let alone = || BTreeMap::from([(kind.dimension.to_owned(), resource.id.as_str().to_owned())]);
        let Some(dimensions) = least.or_else(|| named.then(alone)) else { continue };
        for (name, _) in kind.metrics {
            if !own.iter().any(|m| m.namespace == kind.namespace && m.name == *name) {
                let (namespace, name) = (kind.namespace.to_owned(), (*name).to_owned());
                all.insert(Metric { namespace, name, dimensions: dimensions.clone() });
            }
        }
    }
    all
}

/// The series to read of what was found for one resource.
#[must_use]
pub fn choose(resource: &Resource, found: &BTreeSet<Metric>) -> Vec<SeriesId> {
    let all = completed(resource, found);
    let mut by_name: BTreeMap<(&str, &str), Vec<&Metric>> = BTreeMap::new();
    for metric in &all {
        by_name.entry((&metric.namespace, &metric.name)).or_default().push(metric);
    }
    let mut own: BTreeMap<&str, usize> = BTreeMap::new();
    let mut series = Vec::new();
    for ((namespace, name), metrics) in by_name {
        let stats = stats(namespace, name, metrics.first().map(|m| &m.dimensions));
        let known = kinds::of_namespace(namespace).next().is_some();
        if stats.is_empty() {
            continue;
        }
        if !known {
            let count = own.entry(namespace).or_default();
            *count += 1;
            if *count > OWN_METRICS_MAX {
                continue;
            }
        }
        // The series with the fewest dimensions is the whole; the others are parts of it.
        let least = metrics.iter().map(|m| m.dimensions.len()).min().unwrap_or_default();
        for metric in metrics.into_iter().filter(|m| m.dimensions.len() == least).take(SPLITS_MAX) {
            series.extend(stats.iter().map(|stat| series_of(&resource.id, metric, stat)));
        }
    }
    series
}

/// The series of a metric.
#[must_use]
pub fn series_of(resource: &ResourceId, metric: &Metric, stat: &str) -> SeriesId {
    SeriesId {
        resource: resource.clone(),
        namespace: Some(metric.namespace.clone()),
        name: metric.name.clone(),
        stat: stat.to_owned(),
        unit: None,
        dimensions: metric.dimensions.clone(),
    }
}

fn is_of(resource: &Resource, metric: &Metric) -> bool {
    naming::of_metric(&metric.namespace, &metric.dimensions).is_some_and(|(id, _)| id == resource.id)
}

/// The statistics that tell most: of known metrics as documented, of an application's own by what the name says.
fn stats(
    namespace: &str,
    name: &str,
    dimensions: Option<&BTreeMap<String, String>>,
) -> &'static [&'static str] {
    let has = |dimension: &str| dimensions.is_some_and(|d| d.contains_key(dimension));
    let mut entries = kinds::of_namespace(namespace).peekable();
    if entries.peek().is_some() {
        let key = entries.filter(|k| has(k.dimension)).flat_map(|k| k.metrics).find(|(key, _)| *key == name);
        return key.map(|(_, stats)| *stats).unwrap_or_default();
    }
    if namespace.starts_with("AWS/") {
        return &[];
    }
    if !SERVICE_DIMENSIONS.iter().any(|d| has(d)) && !kinds::ALL.iter().any(|k| has(k.dimension)) {
        return &[];
    }
    by_words(name)
}

/// Words of a name that say it counts events, which only sums show.
const COUNTED: [&str; 17] = [
    "count",
    "errors",
    "error",
    "faults",
    "failures",
    "failed",
    "timeouts",
    "retries",
    "requests",
    "invocations",
    "throttles",
    "exceptions",
    "rejected",
    "dropped",
    "evictions",
    "restarts",
    "hits",
];

/// Words of a name that say it measures a duration, of which the tail matters.
const TIMED: [&str; 8] = ["latency", "duration", "time", "delay", "lag", "age", "elapsed", "wait"];

fn by_words(name: &str) -> &'static [&'static str] {
    let words = words(name);
    let ends_with = |list: &[&str]| words.last().is_some_and(|w| list.contains(&w.as_str()));
    if ends_with(&COUNTED) {
        &["Sum"]
    } else if ends_with(&TIMED) {
        &["Average", "p99"]
    } else {
        &["Average", "Maximum"]
    }
}

/// `DBPoolWaitTime`, `db_pool_wait_time`, `db.pool.wait-time` → `db`, `pool`, `wait`, `time`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut lower_before = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && lower_before) {
            words.push(String::new());
        }
        if let Some(last) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            last.extend(c.to_lowercase());
        }
        lower_before = c.is_lowercase();
    }
    words.retain(|w| !w.is_empty());
    words
}

/// The plan: the alarm's own series first, then the resources' in their order, each once, bounded. The second value
/// says how many were left out.
#[must_use]
pub fn plan(own: Vec<SeriesId>, by_resource: Vec<Vec<SeriesId>>) -> (Vec<SeriesId>, usize) {
    let mut seen = BTreeSet::new();
    let mut series: Vec<SeriesId> =
        own.into_iter().chain(by_resource.into_iter().flatten()).filter(|s| seen.insert(s.clone())).collect();
    let left_out = series.len().saturating_sub(SERIES_MAX);
    series.truncate(SERIES_MAX);
    (series, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::{EdgeKind, EdgeOrigin};

    fn resource(id: &str, kind: &str) -> Resource {
        let kind = (!kind.is_empty()).then(|| kind.to_owned());
        Resource { id: ResourceId::new(id), kind, attributes: BTreeMap::new() }
    }

    fn metric(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Metric {
        let dimensions = dimensions.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Metric { namespace: namespace.to_owned(), name: name.to_owned(), dimensions }
    }

    fn edge(from: &str, to: &str) -> Edge {
        let (from, to) = (ResourceId::new(from), ResourceId::new(to));
        Edge { from, to, kind: EdgeKind::Calls, origin: EdgeOrigin::Observed }
    }

    #[test]
    fn the_alarmed_resource_comes_first_and_the_unconnected_never() {
        let resources = [resource("a", "AWS::ECS::Service"), resource("b", ""), resource("far", "")];
        let edges = [edge("a", "b"), edge("b", "c"), edge("far", "farther")];
        let near = nearest(&ResourceId::new("b"), &resources, &edges);
        let ids: Vec<&str> = near.iter().map(|r| r.id.as_str()).collect();
        assert_eq!(ids, ["b", "a", "c"]);
        assert_eq!(near[1].kind.as_deref(), Some("AWS::ECS::Service"));
    }

    #[test]
    fn key_metrics_are_read_whole_and_others_of_aws_are_not() {
        let orders = resource("orders", "AWS::ECS::Service");
        let service = [("ClusterName", "shop"), ("ServiceName", "orders")];
        let found = BTreeSet::from([
            metric("AWS/ECS", "CPUUtilization", &service),
            metric("AWS/ECS", "Obscure", &service),
            metric("AWS/ECS", "CPUUtilization", &[("ClusterName", "shop"), ("ServiceName", "orders-db")]),
            metric("ApplicationSignals", "Latency", &[("Service", "orders"), ("Environment", "e")]),
            metric(
                "ApplicationSignals",
                "Latency",
                &[("Service", "orders"), ("Environment", "e"), ("Operation", "o")],
            ),
            metric("Shop/Orders", "DBPoolTimeouts", &[("Service", "orders")]),
            metric("Shop/Orders", "DBPoolWaitTime", &[("Service", "orders")]),
            metric("Shop/Orders", "DBPoolConnectionsInUse", &[("Service", "orders")]),
        ]);
        let mut chosen: Vec<(String, String)> =
            choose(&orders, &found).into_iter().map(|s| (s.name, s.stat)).collect();
        chosen.sort();
        // Memory, faults, errors and requests were not listed: they are asked for all the same.
        let expected = [
            ("CPUUtilization", "Average"),
            ("CPUUtilization", "Maximum"),
            ("DBPoolConnectionsInUse", "Average"),
            ("DBPoolConnectionsInUse", "Maximum"),
            ("DBPoolTimeouts", "Sum"),
            ("DBPoolWaitTime", "Average"),
            ("DBPoolWaitTime", "p99"),
            ("Error", "Sum"),
            ("Fault", "Sum"),
            ("Latency", "Average"),
            ("Latency", "p99"),
            ("MemoryUtilization", "Average"),
            ("MemoryUtilization", "Maximum"),
            ("RequestCount", "Sum"),
        ];
        assert_eq!(chosen, expected.map(|(n, s)| (n.to_owned(), s.to_owned())));
    }

    #[test]
    fn without_a_listing_key_metrics_are_asked_for_by_name_where_the_name_suffices() {
        let chosen = |id: &str, kind: &str| choose(&resource(id, kind), &BTreeSet::new());
        let errors =
            chosen("resize", "AWS::Lambda::Function").into_iter().find(|s| s.name == "Errors").unwrap();
        assert_eq!(errors.dimensions, BTreeMap::from([("FunctionName".to_owned(), "resize".to_owned())]));
        assert!(chosen("orders", "AWS::ECS::Service").is_empty(), "its cluster is not known");
    }

    #[test]
    fn load_balancers_are_looked_up_by_dimension_alone() {
        let found = lookups(&resource("shop-alb", "AWS::ElasticLoadBalancingV2::LoadBalancer"));
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|l| l.value.is_none() && l.namespace.is_some()));
        let plain = lookups(&resource("x", ""));
        assert!(plain.iter().all(|l| l.value.as_deref() == Some("x")));
    }

    #[test]
    fn the_plan_is_bounded_and_keeps_what_matters_most() {
        let series = |i: usize| {
            let m = metric("n", &format!("m{i}"), &[]);
            series_of(&ResourceId::new("r"), &m, "Sum")
        };
        let (planned, left_out) = plan(vec![series(0)], vec![(0..SERIES_MAX + 5).map(series).collect()]);
        assert_eq!((planned.len(), left_out), (SERIES_MAX, 5));
        assert_eq!(planned[0], series(0));
    }

    #[test]
    fn names_are_split_into_words() {
        assert_eq!(words("DBPoolWaitTime"), ["dbpool", "wait", "time"]);
        assert_eq!(words("db_pool.wait-time"), ["db", "pool", "wait", "time"]);
    }
}
