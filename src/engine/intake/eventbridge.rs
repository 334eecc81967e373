//! EventBridge events: changes of alarms, and other services' events that may explain them.
//!
//! Which events are wanted is decided by the rules that send them; whatever comes is recognised, nothing is dropped.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json::Node;
use super::refused::{Refused, shown};
use super::{alarm_data, arn, reading};
use crate::limits;
use crate::model::alarm_event::{AlarmEvent, Delivery, Via};
use crate::model::service_event::{ServiceEvent, ServiceEventKind};
use crate::model::text::Untrusted;

/// What an event is.
pub(super) enum Event {
    /// An alarm changed its state.
    Alarm(Box<AlarmEvent>),
    /// Anything else.
    Service(Box<ServiceEvent>),
}

/// Whether the document is one.
pub(super) fn is_one(root: &Node<'_>) -> bool {
    root.get("detail-type").is_some() && root.get("source").is_some()
}

/// Reads one; its own `id` is the delivery's.
///
/// # Errors
/// A required field is missing or wrong, or something exceeds AWS's limits.
pub(super) fn read(root: &Node<'_>) -> Result<Event, Refused> {
    let id = root.need_text("id", limits::DELIVERY_ID_BYTES_MAX)?.to_owned();
    let delivery = Delivery { via: Via::EventBridge, id };
    let source = root.need_text("source", limits::DELIVERY_ID_BYTES_MAX)?;
    let detail_type = root.need_text("detail-type", limits::DIMENSION_BYTES_MAX)?;
    match (source, detail_type) {
        ("aws.cloudwatch", "CloudWatch Alarm State Change" | "CloudWatch Alarm Contributor State Change") => {
            alarm(root, delivery).map(|e| Event::Alarm(Box::new(e)))
        }
        _ => service(root, delivery, source, detail_type).map(|e| Event::Service(Box::new(e))),
    }
}

fn alarm(root: &Node<'_>, delivery: Delivery) -> Result<AlarmEvent, Refused> {
    let listed = root.list("resources", limits::EVENT_RESOURCES_MAX)?;
    let first = listed.first().ok_or_else(|| Refused::Missing { path: "resources[0]".to_owned() })?;
    let arn = first.text(limits::ARN_BYTES_MAX)?;
    let event = alarm_data::read(&root.need("detail")?, (arn, &first.path), delivery)?;
    reading::agrees(root, "account", &event.account)?;
    reading::agrees(root, "region", &event.region)?;
    Ok(event)
}

fn service(
    root: &Node<'_>,
    delivery: Delivery,
    source: &str,
    detail_type: &str,
) -> Result<ServiceEvent, Refused> {
    let account = root.need("account")?;
    if !account.value.as_str().is_some_and(arn::is_account) {
        return Err(Refused::WrongType { path: account.path, wanted: "an account of 12 digits" });
    }
    let resources = root.get("resources").and_then(|n| n.value.as_array());
    let mut facts = BTreeMap::new();
    if let Some(detail) = root.get("detail") {
        flatten(detail.value, String::new(), &mut facts);
    }
    Ok(ServiceEvent {
        delivery,
        kind: kind(source, detail_type),
        source: Untrusted::new(source),
        detail_type: Untrusted::new(detail_type),
        account: account.text(limits::DELIVERY_ID_BYTES_MAX)?.to_owned(),
        region: root.need_text("region", limits::DELIVERY_ID_BYTES_MAX)?.to_owned(),
        resources: resources
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|arn| arn.len() <= limits::ARN_BYTES_MAX)
            .take(limits::EVENT_RESOURCES_MAX)
            .map(str::to_owned)
            .collect(),
        at: root.need("time")?.time()?,
        facts,
    })
}

/// The kind of an event. `CloudTrail`'s come under the source of the service that was called.
fn kind(source: &str, detail_type: &str) -> ServiceEventKind {
    match (source, detail_type) {
        ("aws.ecs", "ECS Deployment State Change") => ServiceEventKind::EcsDeployment,
        ("aws.codedeploy", "CodeDeploy Deployment State-change Notification") => ServiceEventKind::CodeDeploy,
        ("aws.ssm", "EC2 Automation Execution Status-change Notification") => {
            ServiceEventKind::AutomationExecution
        }
        ("aws.ssm", "EC2 Automation Step Status-change Notification") => ServiceEventKind::AutomationStep,
        ("aws.health", "AWS Health Event") => ServiceEventKind::Health,
        ("aws.cloudwatch", "CloudWatch Alarm Configuration Change") => ServiceEventKind::AlarmConfiguration,
        (source, "AWS API Call via CloudTrail") if source.starts_with("aws.") => ServiceEventKind::ApiCall,
        _ => ServiceEventKind::Unknown,
    }
}

/// Scalars by their path, shallow and early ones first come, first kept. Depth is bounded by the parser's.
fn flatten(value: &Value, path: String, facts: &mut BTreeMap<String, Untrusted>) {
    if facts.len() >= limits::EVENT_FACTS_MAX || path.len() > limits::DIMENSION_BYTES_MAX {
        return;
    }
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(map) => {
            // An object's own scalars come before what is deeper, so that a large part cannot push them out.
            let (deep, flat): (Vec<_>, Vec<_>) = map.iter().partition(|(_, v)| v.is_object() || v.is_array());
            for (key, v) in flat.into_iter().chain(deep) {
                flatten(v, below(&shown(key)), facts);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate().take(limits::EVENT_FACTS_MAX) {
                flatten(item, format!("{path}[{i}]"), facts);
            }
        }
        Value::String(text) => {
            facts.insert(path, Untrusted::new(text));
        }
        Value::Number(n) => {
            facts.insert(path, Untrusted::new(&n.to_string()));
        }
        Value::Bool(b) => {
            facts.insert(path, Untrusted::new(if *b { "true" } else { "false" }));
        }
        Value::Null => {}
    }
}
