//! Turns what a collector hands over into feed items: one digest per source, fed batch by batch.

use std::collections::BTreeMap;

use crate::analysis::log_digest::LogDigest;
use crate::analysis::metrics::MetricDigest;
use crate::analysis::scope::Scope;
use crate::analysis::trace_digest::TraceDigest;
use crate::analysis::{alarm_health, alarms, changes, skew};
use crate::limits::Limits;
use crate::model::alarm::AlarmTransition;
use crate::model::alarm_health::{AlarmDefinition, AlarmHealth};
use crate::model::feed::{Body, NewItem, Principal, Topology};
use crate::model::gap::{Gap, GapReason};
use crate::model::observation::Observation;
use crate::model::query::Source;
use crate::model::resource::{Edge, EdgeKind, EdgeOrigin, Resource, ResourceId};
use crate::model::telemetry::{Batch, Change};
use crate::model::text::Untrusted;

/// A source that is being read.
#[derive(Debug)]
pub struct Digest<'a> {
    source: Source,
    scope: &'a Scope,
    limits: &'a Limits,
    offset_s: i64,
    resources: Vec<Resource>,
    edges: Vec<Edge>,
    alarms: Vec<AlarmTransition>,
    definitions: Vec<AlarmDefinition>,
    changes: Vec<Change>,
    metrics: MetricDigest<'a>,
    traces: TraceDigest<'a>,
    logs: LogDigest<'a>,
}

impl<'a> Digest<'a> {
    /// An empty digest of a source.
    #[must_use]
    pub fn new(source: Source, scope: &'a Scope, limits: &'a Limits) -> Self {
        Self {
            source,
            scope,
            limits,
            offset_s: 0,
            resources: Vec::new(),
            edges: Vec::new(),
            alarms: Vec::new(),
            definitions: Vec::new(),
            changes: Vec::new(),
            metrics: MetricDigest::new(scope),
            traces: TraceDigest::new(scope, limits),
            logs: LogDigest::new(scope),
        }
    }

    /// Takes a batch.
    pub fn push(&mut self, batch: Batch) {
        match batch {
            Batch::Topology { resources, edges } => {
                self.resources.extend(resources);
                self.edges.extend(edges);
            }
            Batch::Metrics(series) => series.into_iter().for_each(|s| self.metrics.push(s)),
            Batch::Logs(events) => events.iter().for_each(|e| self.logs.push(e)),
            Batch::Tallies(tallies) => tallies.iter().for_each(|t| self.logs.push_tally(t)),
            Batch::Traces(spans) => spans.iter().for_each(|s| self.traces.push(s)),
            Batch::Links(sums) => sums.iter().for_each(|s| self.traces.push_sum(s)),
            Batch::Changes(changes) => self.changes.extend(changes),
            Batch::Alarms(transitions) => self.alarms.extend(transitions),
            Batch::Definitions(definitions) => self.definitions.extend(definitions),
            Batch::Coverage(coverage) => {
                let offset_s = skew::offset_s(&coverage, &self.scope.recorded());
                self.offset_s = offset_s;
                self.traces.align(offset_s);
                self.logs.align(offset_s);
            }
        }
    }

    /// What the source shows, as items in the order in which they are appended.
    #[must_use]
    pub fn finish(self) -> Vec<NewItem> {
        let Self { source, scope, limits, .. } = self;
        let made = Made { source, scope };
        let mut items = Vec::new();
        if !self.resources.is_empty() || !self.edges.is_empty() {
            items.push(made.topology(self.resources, self.edges));
        }
        let healths = alarm_health::judge(scope, self.definitions, &self.alarms);
        items.extend(alarms::select(scope, self.alarms, limits).into_iter().map(|t| made.alarm(t)));
        items.extend(healths.into_iter().map(|h| made.health(h)));
        items.extend(changes::observe(scope, &self.changes, limits).into_iter().map(|o| made.observation(o)));
        let metrics = self.metrics.finish(limits);
        let traces = self.traces.finish(limits);
        let logs = self.logs.finish(limits);
        items.extend(made.links(traces.links));
        let observations =
            metrics.observations.into_iter().chain(traces.observations).chain(logs.observations);
        items.extend(observations.map(|o| made.observation(o)));
        let gaps = metrics.gaps.into_iter().chain(traces.gaps).chain(logs.gaps);
        items.extend(gaps.map(|g| made.gap(g)));
        items.extend((self.offset_s != 0).then(|| made.gap(made.skew(self.offset_s))));
        items
    }
}

/// Makes items of one source.
struct Made<'a> {
    source: Source,
    scope: &'a Scope,
}

impl Made<'_> {
    fn item(&self, happened_at: crate::model::time::Timestamp, body: Body) -> NewItem {
        NewItem { happened_at, by: Principal::Collector { source: self.source }, because: Vec::new(), body }
    }

    fn topology(&self, resources: Vec<Resource>, mut edges: Vec<Edge>) -> NewItem {
        let by_id: BTreeMap<ResourceId, Resource> =
            resources.into_iter().map(|r| (r.id.clone(), r)).collect();
        edges.sort();
        edges.dedup();
        let topology = Topology { resources: by_id.into_values().collect(), edges };
        self.item(self.scope.alarm.at, Body::Topology(topology))
    }

    /// Calls that traces showed and the topology lacks.
    fn links(&self, links: Vec<(ResourceId, ResourceId)>) -> Option<NewItem> {
        let known = |from: &ResourceId, to: &ResourceId| self.scope.graph.callees(from).contains(&to);
        let edges: Vec<Edge> = links
            .into_iter()
            .filter(|(from, to)| from != to && !known(from, to))
            .map(|(from, to)| Edge { from, to, kind: EdgeKind::Calls, origin: EdgeOrigin::Observed })
            .collect();
        (!edges.is_empty()).then(|| self.topology(Vec::new(), edges))
    }

    fn alarm(&self, transition: AlarmTransition) -> NewItem {
        self.item(transition.at, Body::AlarmTransition(transition))
    }

    fn health(&self, health: AlarmHealth) -> NewItem {
        self.item(self.scope.alarm.at, Body::AlarmHealth(health))
    }

    fn observation(&self, observation: Observation) -> NewItem {
        self.item(observation.since, Body::Observation(Box::new(observation)))
    }

    fn skew(&self, offset_s: i64) -> Gap {
        let detail = Untrusted::new(&format!("{offset_s} s"));
        let window = self.scope.alarm.window;
        Gap { detail, ..Gap::new(self.source, GapReason::ClockSkew, window, self.source.name()) }
    }

    fn gap(&self, gap: Gap) -> NewItem {
        self.item(gap.span.start, Body::Gap(gap))
    }
}
