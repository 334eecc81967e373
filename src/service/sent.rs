//! Changes that services of AWS reported themselves (EventBridge), out of the inbox, beside those that are asked for.
//!
//! Which events tell of a change is the engine's; what is here reads them and hands them over with the others.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tantei_engine::limits::CHANGE_LEAD_S_MAX;
use tantei_engine::model::query::{Query, Source};
use tantei_engine::model::service_event::{ServiceEvent, ServiceEventKind};
use tantei_engine::model::telemetry::{Batch, Change};
use tantei_engine::model::time::TimeSpan;
use tantei_engine::planning::sent::{attributes, change, fresh};

use super::Event;
use crate::aws::change_event;
use crate::ports::{
    BoxFuture, CollectRequest, Collection, Collector, PortError, PortErrorKind, Retry, SentChanges, Sink,
};
use crate::store::Store;

/// Seconds after it happened within which an event is delivered, as a rule.
const LATE_S: i64 = 3_600;

/// Events of one span of time that are looked at, the newest first.
const EVENTS_MAX: i64 = 2_000;

/// The events of one account and Region that were received.
#[derive(Debug)]
pub(super) struct StoredChanges {
    store: Store,
    /// Where: empty where that is not known, and then events of all places are taken.
    account: String,
    region: String,
}

impl StoredChanges {
    pub(super) fn new(store: Store, account: String, region: String) -> Self {
        Self { store, account, region }
    }

    fn is_here(&self, event: &ServiceEvent) -> bool {
        let same = |here: &str, there: &str| here.is_empty() || here == there;
        same(&self.account, &event.account) && same(&self.region, &event.region)
    }
}

impl SentChanges for StoredChanges {
    fn between(&self, span: TimeSpan) -> BoxFuture<'_, Result<Vec<Change>, PortError>> {
        Box::pin(async move {
            let until = span.end.plus_secs(LATE_S);
            let found = self.store.services_between(span.start, until, EVENTS_MAX).await;
            let texts = found.map_err(|e| PortError {
                dependency: "store".to_owned(),
                operation: "services_between".to_owned(),
                kind: PortErrorKind::Unavailable,
                retry: Retry::Never,
                message: e.to_string(),
            })?;
            let event = |text: &String| match serde_json::from_str(text) {
                Ok(Event::Service(event)) => Some(event),
                // Of a newer version: whoever wrote it reads it.
                Ok(Event::Alarm(_) | Event::Start(_) | Event::Command(_)) | Err(_) => None,
            };
            let events = texts.iter().filter_map(event).filter(|e| self.is_here(e));
            let mut changes: Vec<Change> =
                events.filter_map(|e| told(&e)).filter(|c| span.contains(c.at)).collect();
            changes.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.summary.cmp(&b.summary)));
            Ok(changes)
        })
    }
}

fn told(event: &ServiceEvent) -> Option<Change> {
    if event.kind == ServiceEventKind::ApiCall { call(event) } else { change(event) }
}

/// An API call that CloudTrail recorded, read as CloudTrail's own are: put together again as far as that reading needs it.
fn call(event: &ServiceEvent) -> Option<Change> {
    let fact = |name: &str| event.facts.get(name).map(|f| f.raw());
    let own = |(name, value): (&String, &tantei_engine::model::text::Untrusted)| {
        let key = name.strip_prefix("requestParameters.").filter(|key| !key.contains(['.', '[']))?;
        Some((key.to_owned(), Value::from(value.raw())))
    };
    let parameters: Map<String, Value> = event.facts.iter().filter_map(own).collect();
    if fact("readOnly") == Some("true") {
        return None;
    }
    let record = json!({
        "eventName": fact("eventName")?, "eventSource": fact("eventSource"), "eventTime": fact("eventTime"),
        "errorCode": fact("errorCode"), "userIdentity": {"arn": fact("userIdentity.arn")},
        "requestParameters": parameters,
    });
    let named = event.resources.first().map(String::as_str);
    let mut found = change_event::change(&record.to_string(), named, Some(event.at)).ok()??;
    found.attributes.extend(attributes(event));
    Some(found)
}

/// A collector whose changes are joined by those that were sent.
#[derive(Debug)]
pub(super) struct Beside {
    asked: Arc<dyn Collector>,
    sent: Arc<dyn SentChanges>,
}

impl Beside {
    pub(super) fn new(asked: Arc<dyn Collector>, sent: Arc<dyn SentChanges>) -> Self {
        Self { asked, sent }
    }

    async fn changes(&self, request: &CollectRequest, sink: &mut Sink<'_>) -> Result<Collection, PortError> {
        let mut known: Vec<Change> = Vec::new();
        let mut both = |batch: Batch| {
            if let Batch::Changes(changes) = &batch {
                known.extend(changes.iter().cloned());
            }
            sink(batch);
        };
        let outcome = self.asked.collect(request, &mut both).await;
        let window = request.window;
        let span = TimeSpan::new(window.start.plus_secs(-CHANGE_LEAD_S_MAX), window.end);
        let sent = self.sent.between(span).await;
        let mut collection = match (outcome, &sent) {
            (Ok(collection), _) => collection,
            // What was sent is worth having without the rest.
            (Err(e), Ok(_)) => {
                Collection { gaps: vec![e.gap(Source::Changes, window)], ..Collection::default() }
            }
            (Err(e), Err(_)) => return Err(e),
        };
        match sent {
            Ok(found) => {
                let batch = Batch::Changes(fresh(found, &known));
                collection.records += batch.records();
                sink(batch);
            }
            Err(e) => collection.gaps.push(e.gap(Source::Changes, span)),
        }
        Ok(collection)
    }
}

impl Collector for Beside {
    fn collect<'a>(
        &'a self,
        request: &'a CollectRequest,
        sink: &'a mut Sink<'_>,
    ) -> BoxFuture<'a, Result<Collection, PortError>> {
        if request.source == Source::Changes {
            Box::pin(self.changes(request, sink))
        } else {
            self.asked.collect(request, sink)
        }
    }

    fn asked(&self, query: Query) -> Query {
        self.asked.asked(query)
    }
}
