//! What waits in the inbox: alarms as they were delivered, other events, and what people ask of triage.

use serde::{Deserialize, Serialize};
use tantei_engine::intake::subject::{Subject, subject};
use tantei_engine::model::alarm_event::AlarmEvent;
use tantei_engine::model::service_event::ServiceEvent;
use tantei_engine::model::time::Timestamp;
use tantei_engine::triage::{AlarmKey, Command, Incoming, Scope, Severity, Suppression};

/// Something that was received.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An alarm changed its state.
    Alarm(Box<AlarmEvent>),
    /// Another event: a deployment, a health event.
    Service(Box<ServiceEvent>),
    /// Somebody, or the work itself, asks triage for something.
    Command(Command),
}

/// What triage is given of an alarm event. Events of children that are known help to find what a composite is about.
pub(super) fn incoming(event: &AlarmEvent, known: &[AlarmEvent], now: Timestamp) -> (Incoming, Subject) {
    let about = subject(event, known, now);
    let suppressed = event.suppressed.first().map(|s| Suppression {
        reason: s.reason.clone(),
        until: s.window.map(|w| w.end),
    });
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
