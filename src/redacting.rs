//! The boundary at which text is redacted: everything that collectors hand over, what is delivered, what people write, and
//! our own log.
//!
//! One wrapper around the collector's port, so that no source can forget it. Identifiers stay as they are, because they are
//! keys: resources, metrics, dimensions, accounts. What counts as a secret is the engine's.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use tantei_engine::model::alarm::{Alarm, AlarmTransition};
use tantei_engine::model::alarm_event::AlarmEvent;
use tantei_engine::model::alarm_health::AlarmDefinition;
use tantei_engine::model::gap::Gap;
use tantei_engine::model::query::Query;
use tantei_engine::model::resource::{Resource, ResourceId};
use tantei_engine::model::service_event::ServiceEvent;
use tantei_engine::model::telemetry::{Batch, Change, LogEvent, LogTally, Span};
use tantei_engine::model::text::Untrusted;
use tantei_engine::redaction::Redactor;

use crate::access;
use crate::ports::{BoxFuture, CollectRequest, Collection, Collector, Evidence, PortError, Sink};

/// The environment variable that holds the key of pseudonyms.
pub const KEY_VARIABLE: &str = "TANTEI_REDACTION_KEY";

/// A redactor with this key, or with a random one of its own.
///
/// # Errors
/// When the system gives no random numbers.
pub fn redactor(key: Option<&str>) -> anyhow::Result<Redactor> {
    match key {
        Some(key) => Ok(Redactor::new(key.as_bytes())),
        None => Ok(Redactor::new(access::generate()?.as_bytes())),
    }
}

/// A collector of which nothing comes unredacted.
#[derive(Debug)]
pub struct Redacting {
    inner: Arc<dyn Collector>,
    redactor: Arc<Redactor>,
}

impl Redacting {
    /// Wraps a collector.
    #[must_use]
    pub fn new(inner: Arc<dyn Collector>, redactor: Arc<Redactor>) -> Self {
        Self { inner, redactor }
    }
}

impl Collector for Redacting {
    fn collect<'a>(
        &'a self,
        request: &'a CollectRequest,
        sink: &'a mut Sink<'_>,
    ) -> BoxFuture<'a, Result<Collection, PortError>> {
        Box::pin(async move {
            let mut clean = |batch| sink(cleaned(&self.redactor, batch));
            let result = self.inner.collect(request, &mut clean).await;
            match result {
                Ok(collection) => {
                    let gaps = collection.gaps.into_iter().map(|gap| gap_of(&self.redactor, gap)).collect();
                    Ok(Collection { gaps, ..collection })
                }
                Err(e) => Err(PortError { message: self.redactor.text(&e.message).into_owned(), ..e }),
            }
        })
    }

    fn asked(&self, query: Query) -> Query {
        self.inner.asked(query)
    }
}

/// Evidence whose collectors are all wrapped.
#[derive(Debug)]
pub struct RedactingEvidence {
    inner: Arc<dyn Evidence>,
    redactor: Arc<Redactor>,
}

impl RedactingEvidence {
    /// Wraps evidence.
    #[must_use]
    pub fn new(inner: Arc<dyn Evidence>, redactor: Arc<Redactor>) -> Self {
        Self { inner, redactor }
    }
}

impl Evidence for RedactingEvidence {
    fn of(&self, alarm: &Alarm, resource: Option<&Resource>) -> Arc<dyn Collector> {
        Arc::new(Redacting::new(self.inner.of(alarm, resource), Arc::clone(&self.redactor)))
    }
}

/// A batch without secrets and personal data.
fn cleaned(redactor: &Redactor, batch: Batch) -> Batch {
    match batch {
        Batch::Logs(events) => Batch::Logs(logs(redactor, events)),
        Batch::Tallies(tallies) => {
            let (events, times): (Vec<_>, Vec<_>) = tallies.into_iter().map(|t| (t.event, t.times)).unzip();
            let clean = logs(redactor, events).into_iter().zip(times);
            Batch::Tallies(clean.map(|(event, times)| LogTally { event, times }).collect())
        }
        Batch::Traces(spans) => {
            let clean = |s: Span| Span { operation: redactor.text(&s.operation).into_owned(), ..s };
            Batch::Traces(spans.into_iter().map(clean).collect())
        }
        Batch::Changes(changes) => Batch::Changes(changes.into_iter().map(|c| change(redactor, c)).collect()),
        Batch::Alarms(all) => {
            let clean = |t: AlarmTransition| AlarmTransition {
                name: text(redactor, &t.name),
                reason: text(redactor, &t.reason),
                ..t
            };
            Batch::Alarms(all.into_iter().map(clean).collect())
        }
        // The name of an alarm is its key: transitions have the same pseudonym for the same secret.
        Batch::Definitions(all) => {
            let clean = |d: AlarmDefinition| AlarmDefinition { name: text(redactor, &d.name), ..d };
            Batch::Definitions(all.into_iter().map(clean).collect())
        }
        keys @ (Batch::Topology { .. } | Batch::Metrics(_) | Batch::Links(_) | Batch::Coverage(_)) => keys,
    }
}

/// The lines of one resource are read together: a value may be cut over two events.
fn logs(redactor: &Redactor, mut events: Vec<LogEvent>) -> Vec<LogEvent> {
    let mut of: BTreeMap<&ResourceId, Vec<usize>> = BTreeMap::new();
    for (n, event) in events.iter().enumerate() {
        of.entry(&event.resource).or_default().push(n);
    }
    let mut clean: Vec<(usize, String)> = Vec::with_capacity(events.len());
    for numbers in of.values() {
        let lines: Vec<&str> =
            numbers.iter().filter_map(|n| events.get(*n)).map(|e| e.message.as_str()).collect();
        clean.extend(numbers.iter().copied().zip(redactor.lines(&lines)));
    }
    for (n, message) in clean {
        if let Some(event) = events.get_mut(n) {
            event.message = message;
        }
    }
    events
}

fn change(redactor: &Redactor, change: Change) -> Change {
    let attributes = change.attributes.into_iter().map(|(k, v)| {
        let value = redactor.value(&k, &v);
        (k, value)
    });
    Change {
        actor: redactor.text(&change.actor).into_owned(),
        summary: redactor.text(&change.summary).into_owned(),
        attributes: attributes.collect(),
        ..change
    }
}

fn gap_of(redactor: &Redactor, gap: Gap) -> Gap {
    Gap { detail: text(redactor, &gap.detail), ..gap }
}

/// Text of others without secrets and personal data.
#[must_use]
pub fn text(redactor: &Redactor, untrusted: &Untrusted) -> Untrusted {
    Untrusted::new(&redactor.text(untrusted.raw()))
}

/// An alarm as it was delivered: what people wrote about it is redacted, what identifies it stays.
#[must_use]
pub fn alarm(redactor: &Redactor, mut event: AlarmEvent) -> AlarmEvent {
    event.description = text(redactor, &event.description);
    event.reason = text(redactor, &event.reason);
    for suppression in &mut event.suppressed {
        suppression.reason = text(redactor, &suppression.reason);
    }
    event
}

/// Another event as it was delivered.
#[must_use]
pub fn service(redactor: &Redactor, mut event: ServiceEvent) -> ServiceEvent {
    for (name, fact) in &mut event.facts {
        *fact = Untrusted::new(&redactor.value(name, fact.raw()));
    }
    event
}

/// Redacts what is written, a line of our own log at a time.
#[derive(Debug)]
pub struct RedactingWriter<W> {
    inner: W,
    redactor: Arc<Redactor>,
}

impl<W> RedactingWriter<W> {
    /// Wraps a writer.
    pub fn new(inner: W, redactor: Arc<Redactor>) -> Self {
        Self { inner, redactor }
    }
}

impl<W: Write> Write for RedactingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write_all(&self.redactor.bytes(bytes).text)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
