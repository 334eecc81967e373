//! The collector of one investigation: dispatches by source, holds the deadline, remembers what later sources need.
//!
//! A source that fails is a gap; what was read before it failed stays, and the other sources are not affected.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tantei_engine::model::gap::GapReason;
use tantei_engine::model::query::{Query, Source};
use tantei_engine::model::resource::{Edge, Resource, ResourceId};

use super::alarms::Definition;
use super::change_event::Ignored;
use super::client::Aws;
use super::reading::Reading;
use super::spent::{Ledger, Spent};
use super::{alarms, apis, asked, changes, logs, metrics, topology, traces};
use crate::ports::{BoxFuture, Clock, CollectRequest, Collection, Collector, PortError, Sink};

/// Queries that are still running after a deadline are stopped within this long, or left to end by themselves.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// What an operator sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The alarm's name, when the investigation was started by one.
    pub alarm_name: Option<String>,
    /// Log groups of resources that no convention finds.
    pub log_groups: BTreeMap<ResourceId, Vec<String>>,
    /// Bytes that the queries of one investigation may scan: a cent buys two gigabytes.
    pub log_bytes_max: u64,
    /// Lines read of one log group in one span of time.
    pub log_lines_max: usize,
    /// Traces read in one investigation.
    pub traces_max: usize,
    /// Changes that are not looked at.
    pub ignored: Ignored,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            alarm_name: None,
            log_groups: BTreeMap::new(),
            log_bytes_max: 20_000_000_000,
            log_lines_max: 100_000,
            traces_max: 1_000,
            ignored: Ignored::default(),
        }
    }
}

/// Resources, and who uses whom.
pub(super) type Map = (Vec<Resource>, Vec<Edge>);

/// What one source found that another needs.
#[derive(Debug, Default)]
pub(super) struct Memo {
    topology: Mutex<Option<Arc<Map>>>,
    alarms: Mutex<Option<Arc<Vec<Definition>>>>,
    log_groups: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Memo {
    pub(super) fn topology(&self) -> Option<Arc<Map>> {
        self.topology.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn know_topology(&self, known: Arc<Map>) {
        *self.topology.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }

    pub(super) fn alarms(&self) -> Option<Arc<Vec<Definition>>> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The log groups that were found for a resource.
    pub(super) fn log_groups(&self, resource: &str) -> Vec<String> {
        let known = self.log_groups.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(resource).cloned().unwrap_or_default()
    }

    pub(super) fn know_log_groups(&self, groups: impl Iterator<Item = (String, String)>) {
        let mut known = self.log_groups.lock().unwrap_or_else(PoisonError::into_inner);
        known.clear();
        for (resource, group) in groups {
            known.entry(resource).or_default().push(group);
        }
    }

    pub(super) fn know_alarms(&self, known: Arc<Vec<Definition>>) {
        *self.alarms.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }
}

/// Reads every source of one investigation from AWS.
#[derive(Debug)]
pub struct AwsCollector {
    aws: Arc<Aws>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    ledger: Ledger,
    memo: Memo,
}

impl AwsCollector {
    /// A collector for one investigation; `aws` is shared by all of the account and Region.
    #[must_use]
    pub fn new(aws: Arc<Aws>, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        Self { aws, clock, settings, ledger: Ledger::default(), memo: Memo::default() }
    }

    /// What was asked so far and what it costs.
    #[must_use]
    pub fn spent(&self) -> Spent {
        self.ledger.spent()
    }

    async fn read(&self, request: &CollectRequest, sink: &mut Sink<'_>) -> Collection {
        let now = self.clock.now();
        let before = self.ledger.spent();
        let mut reading = Reading::new(&self.aws, &self.settings, &self.ledger, request, now, sink);
        let work = async {
            match request.source {
                Source::Topology => topology::read(&mut reading, &self.memo).await,
                Source::Alarms => alarms::read(&mut reading, &self.memo).await,
                Source::Metrics => metrics::read(&mut reading, &self.memo).await,
                Source::Changes => changes::read(&mut reading).await,
                Source::Traces => traces::read(&mut reading).await,
                Source::Logs => logs::read(&mut reading, &self.memo).await,
            }
        };
        // Boxed: the future of all sources is large, and moves.
        let in_time = tokio::time::timeout(self.aws.timing.source, Box::pin(work)).await;
        if in_time.is_err() {
            let seconds = self.aws.timing.source.as_secs_f32();
            let detail = format!("the deadline of {seconds} s for one source passed; the rest was not read");
            let api = slowest(request.source);
            reading.lacks(GapReason::Unavailable, api, request.window, "", &detail, 0);
        }
        let running = std::mem::take(&mut reading.running);
        let stopping = async {
            for id in &running {
                logs::stop(&mut reading, id).await;
            }
        };
        if tokio::time::timeout(STOP_WITHIN.min(self.aws.timing.call), stopping).await.is_err() {
            tracing::warn!(
                queries = running.len(),
                "queries may go on after the deadline: they could not be stopped"
            );
        }
        reading.out.charges = self.ledger.spent().charges_since(&before);
        reading.out
    }
}

/// The operation that a source spends its time in.
fn slowest(source: Source) -> &'static apis::Api {
    match source {
        Source::Alarms => &apis::DESCRIBE_ALARM_HISTORY,
        Source::Topology => &apis::GET_SERVICE_GRAPH,
        Source::Metrics => &apis::GET_METRIC_DATA,
        Source::Logs => &apis::GET_QUERY_RESULTS,
        Source::Traces => &apis::BATCH_GET_TRACES,
        Source::Changes => &apis::LOOKUP_EVENTS,
    }
}

impl Collector for AwsCollector {
    fn collect<'a>(
        &'a self,
        request: &'a CollectRequest,
        sink: &'a mut Sink<'_>,
    ) -> BoxFuture<'a, Result<Collection, PortError>> {
        Box::pin(async move { Ok(self.read(request, sink).await) })
    }

    fn asked(&self, query: Query) -> Query {
        asked::live(query, |resource| self.memo.log_groups(resource))
    }
}
