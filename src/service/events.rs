//! What waits in the inbox: alarms as they were delivered, other events, and what people ask of triage.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tantei_engine::intake::subject::{Subject, subject};
use tantei_engine::limits::{BASELINE_BEFORE_S, WINDOW_LEAD_S_MIN, WINDOW_TAIL_S_MAX};
use tantei_engine::model::alarm::{Alarm, AlarmState, Direction};
use tantei_engine::model::alarm_event::AlarmEvent;
use tantei_engine::model::resource::{Resource, ResourceId};
use tantei_engine::model::service_event::ServiceEvent;
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::{TimeSpan, Timestamp};
use tantei_engine::planning::naming;
use tantei_engine::triage::{AlarmKey, Command, Incoming, Scope, Severity, Suppression};

use crate::aws::evidence::{ACCOUNT, REGION};

/// Something that was received.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An alarm changed its state.
    Alarm(Box<AlarmEvent>),
    /// Another event: a deployment, a health event.
    Service(Box<ServiceEvent>),
    /// Somebody wants an investigation.
    Start(Box<Start>),
    /// Somebody, or the work itself, asks triage for something.
    Command(Command),
}

/// What somebody wants investigated: a metric of a resource that went the wrong way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// What it is about, in words.
    pub title: Untrusted,
    /// The resource that suffers.
    pub resource: ResourceId,
    /// Its metric.
    pub metric: String,
    /// Its statistic.
    pub stat: String,
    /// Which way is bad.
    pub direction: Direction,
    /// When it was noticed.
    pub at: Timestamp,
    /// The time to look at; from half an hour before to an hour after, when nobody says.
    #[serde(default)]
    pub window: Option<TimeSpan>,
    /// Healthy times to compare with; what came before the window, when nobody says.
    #[serde(default)]
    pub baseline: Vec<TimeSpan>,
    /// Account and Region, when they are known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub place: BTreeMap<String, String>,
}

impl Start {
    /// What the investigation is about, and what triage is given.
    pub(crate) fn subject(&self, delivery: &str, now: Timestamp) -> (Incoming, Subject) {
        let end = now.min(self.at.plus_secs(WINDOW_TAIL_S_MAX)).max(self.at);
        let around = || TimeSpan::new(self.at.plus_secs(-WINDOW_LEAD_S_MIN), end);
        let window = self.window.unwrap_or_else(around);
        let before = || vec![TimeSpan::new(window.start.plus_secs(-BASELINE_BEFORE_S), window.start)];
        let alarm = Alarm {
            kind: "manual".to_owned(),
            title: self.title.clone(),
            resource: self.resource.clone(),
            metric: self.metric.clone(),
            stat: self.stat.clone(),
            direction: self.direction,
            at: self.at,
            window,
            baseline: if self.baseline.is_empty() { before() } else { self.baseline.clone() },
        };
        let attributes = self.place.clone();
        let resource = Resource { id: self.resource.clone(), kind: None, attributes };
        let incoming = Incoming {
            delivery: delivery.to_owned(),
            alarm: AlarmKey { arn: format!("manual:{delivery}"), contributor: None },
            name: self.title.clone(),
            // Somebody asked for this one: it is never taken for a part of another incident.
            scope: Scope { account: "manual".to_owned(), region: delivery.to_owned() },
            resource: Some(self.resource.clone()),
            service: None,
            state: AlarmState::Alarm,
            at: self.at,
            severity: Severity::High,
            dedupe: None,
            children: Vec::new(),
            suppressed: None,
        };
        (incoming, Subject { alarm, resource, describe: None })
    }
}

/// The subject under the name by which collectors know it, and with where it lives.
fn named(event: &AlarmEvent, mut about: Subject) -> Subject {
    let watched = event.metrics.iter().find(|m| m.return_data && !m.name.is_empty());
    let watched = watched.filter(|_| about.describe.is_none());
    if let Some((id, _)) = watched.and_then(|m| naming::of_metric(&m.namespace, &m.dimensions)) {
        about.alarm.resource = id.clone();
        about.resource.id = id;
    }
    for (name, value) in [(ACCOUNT, &event.account), (REGION, &event.region)] {
        about.resource.attributes.insert(name.to_owned(), value.clone());
    }
    about
}

/// What an investigation of the event is about, under the names by which collectors know it.
#[must_use]
pub fn subject_of(event: &AlarmEvent, known: &[AlarmEvent], now: Timestamp) -> Subject {
    named(event, subject(event, known, now))
}

/// What triage is given of an alarm event. Events of children that are known help to find what a composite is about.
pub(super) fn incoming(event: &AlarmEvent, known: &[AlarmEvent], now: Timestamp) -> (Incoming, Subject) {
    let about = subject_of(event, known, now);
    let suppressed = event
        .suppressed
        .first()
        .map(|s| Suppression { reason: s.reason.clone(), until: s.window.map(|w| w.end) });
    let incoming = Incoming {
        delivery: event.delivery.id.clone(),
        alarm: AlarmKey {
            arn: event.arn.clone(),
            contributor: event.contributor.as_ref().map(|c| c.id.clone()),
        },
        name: event.name.clone(),
        scope: Scope { account: event.account.clone(), region: event.region.clone() },
        resource: about.describe.is_none().then(|| about.alarm.resource.clone()),
        service: None,
        state: event.state,
        at: event.at,
        severity: Severity::default(),
        dedupe: event.dedupe.as_ref().map(|d| d.raw().to_owned()),
        children: event.children.iter().map(|c| c.arn.clone()).collect(),
        suppressed,
    };
    (incoming, about)
}
