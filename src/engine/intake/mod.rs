//! Bytes that somebody delivered → a typed event, or the precise reason why not.
//!
//! Pure: no network, no clock, no store. Signatures are checked by the shell, which gets from here what to check and
//! from where ([`sns`]). Whether an event opens an investigation, joins one or is only recorded is decided elsewhere.
//!
//! One thing in, one out: [`recognise`] for queues and events, [`sns::Envelope::parse`] for addresses that take
//! signed SNS envelopes only, [`subject::subject`] from an event to what an investigation is about.

mod alarm_data;
mod alarm_message;
mod arn;
mod eventbridge;
#[cfg(test)]
mod hostile_tests;
mod json;
mod lambda;
mod reading;
mod refused;
mod resources;
mod signing_url;
pub mod sns;
pub mod subject;
#[cfg(test)]
mod subject_tests;
#[cfg(test)]
mod tests;
pub mod wish;

use json::Node;
use refused::shown;
pub use refused::{Refused, UrlFault};

use crate::model::alarm::AlarmState;
use crate::model::alarm_event::{AlarmActions, AlarmEvent, Contributor, Delivery, Via};
use crate::model::service_event::ServiceEvent;
use crate::model::text::Untrusted;
use crate::model::time::Timestamp;

/// What was delivered.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// An SNS envelope, still closed: judge it, check its signature, open it.
    Envelope(Box<sns::Envelope>),
    /// An alarm changed its state.
    Alarm(Box<AlarmEvent>),
    /// Another event, which may be a change.
    Service(Box<ServiceEvent>),
    /// Plain text that somebody published to a topic. No alarm.
    Text(Untrusted),
}

/// Tells by its keys what a body is, and reads it.
///
/// `carrier` names the delivery of what has no identifier of its own (a bare alarm message, a Lambda payload): the
/// SQS message's, for instance. Envelopes and events have their own.
///
/// # Errors
/// Not JSON within the bounds, of no known shape, or a shape whose required fields are wrong.
pub fn recognise(body: &[u8], carrier: &Delivery) -> Result<Shape, Refused> {
    let document = json::parse(body)?;
    let root = Node::root(&document);
    if sns::is_one(&root) {
        return sns::Envelope::read(&root).map(|e| Shape::Envelope(Box::new(e)));
    }
    if eventbridge::is_one(&root) {
        return Ok(match eventbridge::read(&root)? {
            eventbridge::Event::Alarm(e) => Shape::Alarm(e),
            eventbridge::Event::Service(e) => Shape::Service(e),
        });
    }
    if lambda::is_one(&root) {
        return lambda::read(&root, carrier.clone()).map(|e| Shape::Alarm(Box::new(e)));
    }
    if alarm_message::is_one(&root) {
        return alarm_message::read(&root, carrier.clone()).map(|e| Shape::Alarm(Box::new(e)));
    }
    Err(Refused::UnknownShape { keys: keys(&root) })
}

/// The skeleton of a change that was not delivered but found by asking CloudWatch: identity and state are filled in, the
/// rest is the caller's. `at` is `StateTransitionedTimestamp`. Finding it again gives the same delivery.
///
/// # Errors
/// `BadArn`, when the ARN is none of an alarm.
pub fn reconciled(
    arn: &str,
    name: &str,
    contributor: Option<Contributor>,
    state: AlarmState,
    at: Timestamp,
) -> Result<AlarmEvent, Refused> {
    let delivery = Delivery { via: Via::Reconciler, id: String::new() };
    let mut event = reading::event(delivery, (arn, "AlarmArn"), name, (state, at))?;
    event.contributor = contributor;
    event.delivery.id = event.key().digest();
    Ok(event)
}

/// Gives an event the actions of its alarm, and what they say about alarms that belong together.
pub fn take_actions(event: &mut AlarmEvent, actions: AlarmActions) {
    event.dedupe = reading::dedupe(&actions);
    event.actions = actions;
}

/// The first keys of an object, or what it is instead.
fn keys(root: &Node<'_>) -> String {
    match root.value.as_object() {
        Some(map) if map.is_empty() => "none".to_owned(),
        Some(map) => map.keys().take(6).map(|k| shown(k)).collect::<Vec<_>>().join(", "),
        None => "none, it is not an object".to_owned(),
    }
}
