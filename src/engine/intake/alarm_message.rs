//! The alarm message: the JSON that CloudWatch publishes to SNS, alone in a queue with raw delivery.
//!
//! Its `Region` is a display name ("Asia Pacific (Tokyo)") and is not read: Region and account come from the ARN.

use super::json::Node;
use super::reading::{self, MESSAGE};
use super::refused::Refused;
use crate::limits;
use crate::model::alarm_event::{
    AlarmActions, AlarmEvent, AlarmMetric, Child, Comparison, Contributor, Delivery,
};
use crate::model::text::Untrusted;

/// Whether the document is one.
pub(super) fn is_one(root: &Node<'_>) -> bool {
    root.get("AlarmName").is_some() && root.get("NewStateValue").is_some()
}

/// Reads one.
///
/// # Errors
/// A required field is missing or wrong, or something exceeds AWS's limits.
pub(super) fn read(root: &Node<'_>, delivery: Delivery) -> Result<AlarmEvent, Refused> {
    let name = root.need_text("AlarmName", limits::ALARM_NAME_BYTES_MAX)?;
    let arn = root.need_text("AlarmArn", limits::ARN_BYTES_MAX)?;
    let state = reading::state(root, "NewStateValue")?;
    let at = root.need("StateChangeTime")?.time()?;
    let mut event = reading::event(delivery, (arn, "AlarmArn"), name, (state, at))?;
    reading::agrees(root, "AWSAccountId", &event.account)?;
    event.description = Untrusted::new(root.opt_text("AlarmDescription").unwrap_or_default());
    event.previous = root.opt_text("OldStateValue").and_then(reading::state_of);
    event.reason = Untrusted::new(root.opt_text("NewStateReason").unwrap_or_default());
    event.breach = reading::breach(root.opt_text("NewStateReason").unwrap_or_default());
    event.rule = root.opt_text("AlarmRule").map(Untrusted::new);
    event.children = children(root)?;
    if let Some(id) = root.text_within("AlarmContributorId", limits::DELIVERY_ID_BYTES_MAX)? {
        let attributes = reading::dimensions(root, "AlarmContributorAttributes")?;
        event.contributor = Some(Contributor { id: id.to_owned(), attributes });
    }
    event.actions = AlarmActions {
        ok: reading::actions(root, "OKActions")?,
        alarm: reading::actions(root, "AlarmActions")?,
        insufficient_data: reading::actions(root, "InsufficientDataActions")?,
    };
    event.dedupe = reading::dedupe(&event.actions);
    let trigger = root.get("Trigger");
    if let Some(trigger) = &trigger {
        event.metrics = watched(trigger)?;
        event.threshold = reading::number(trigger, "Threshold");
        event.comparison = trigger.opt_text("ComparisonOperator").and_then(Comparison::from_name);
        event.treat_missing = trigger.opt_text("TreatMissingData").and_then(treat_missing);
    }
    event.kind = reading::kind(&event, &[Some(root.clone()), trigger])
        .ok_or_else(|| Refused::Missing { path: "Trigger".to_owned() })?;
    Ok(event)
}

/// What the trigger watches: one metric written out, or a list.
fn watched(trigger: &Node<'_>) -> Result<Vec<AlarmMetric>, Refused> {
    let mut metrics = reading::metrics(trigger, "Metrics", &MESSAGE)?;
    let max = limits::DIMENSION_BYTES_MAX;
    if let Some(name) = trigger.text_within(MESSAGE.name, max)? {
        let stat = match trigger.text_within("ExtendedStatistic", max)? {
            Some(extended) => Some(extended),
            None => trigger.text_within("Statistic", max)?,
        };
        metrics.push(AlarmMetric {
            id: String::new(),
            account: None,
            namespace: trigger.text_within(MESSAGE.namespace, max)?.unwrap_or_default().to_owned(),
            name: name.to_owned(),
            dimensions: reading::dimensions(trigger, MESSAGE.dimensions)?,
            stat: reading::statistic(stat.unwrap_or_default()),
            period_s: reading::seconds(trigger, MESSAGE.period),
            expression: None,
            return_data: true,
        });
    }
    Ok(metrics)
}

/// Public messages carry `- TreatMissingData:                    missing`: a line of YAML that slipped in.
fn treat_missing(text: &str) -> Option<Untrusted> {
    let text = text.trim().strip_prefix("- TreatMissingData:").unwrap_or(text).trim();
    (!text.is_empty()).then(|| Untrusted::new(text))
}

/// Children as objects with ARN and state, or as bare ARNs: AWS's schema says strings, messages have objects.
fn children(root: &Node<'_>) -> Result<Vec<Child>, Refused> {
    let mut found = Vec::new();
    for child in root.list("TriggeringChildren", limits::ALARM_CHILDREN_MAX)? {
        if child.value.is_string() {
            let arn = child.text(limits::ARN_BYTES_MAX)?.to_owned();
            found.push(Child { arn, state: None, at: None });
        } else if let Some(arn) = child.text_within("Arn", limits::ARN_BYTES_MAX)? {
            let state = child.get("State");
            found.push(Child {
                arn: arn.to_owned(),
                state: state.as_ref().and_then(|s| s.opt_text("Value")).and_then(reading::state_of),
                at: state.as_ref().and_then(|s| s.opt_text("Timestamp")).and_then(|t| t.parse().ok()),
            });
        }
    }
    Ok(found)
}
