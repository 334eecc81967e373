//! The part that EventBridge events and Lambda payloads share: name, state, previous state, configuration.
//!
//! Neither carries threshold or comparison, except inside `reasonData`, which is JSON in a text.

use serde_json::Value;

use super::json::{self, Node};
use super::reading::{self, EVENT};
use super::refused::Refused;
use crate::limits;
use crate::model::alarm_event::{
    AlarmActions, AlarmEvent, Child, Comparison, Contributor, Delivery, SuppressedBy, Suppression,
};
use crate::model::text::Untrusted;
use crate::model::time::TimeSpan;

/// Reads `detail` of an event or `alarmData` of a payload, given the alarm's ARN and where it stood.
///
/// # Errors
/// A required field is missing or wrong, or something exceeds AWS's limits.
pub(super) fn read(data: &Node<'_>, arn: (&str, &str), delivery: Delivery) -> Result<AlarmEvent, Refused> {
    let name = data.need_text("alarmName", limits::ALARM_NAME_BYTES_MAX)?;
    let state = data.need("state")?;
    let value = reading::state(&state, "value")?;
    let at = state.need("timestamp")?.time()?;
    let mut event = reading::event(delivery, arn, name, (value, at))?;
    event.reason = Untrusted::new(state.opt_text("reason").unwrap_or_default());
    event.breach = reading::breach(state.opt_text("reason").unwrap_or_default());
    event.evaluation = state.opt_text("evaluationState").map(Untrusted::new);
    event.previous = data.get("previousState").and_then(|p| p.opt_text("value").and_then(reading::state_of));
    if let Some(contributor) = data.get("alarmContributor") {
        event.contributor = Some(Contributor {
            id: contributor.need_text("id", limits::DELIVERY_ID_BYTES_MAX)?.to_owned(),
            attributes: reading::dimensions(&contributor, "attributes")?,
        });
    }
    // A `reasonData` that cannot be read is a loss of numbers, never of the alarm.
    if let Some(document) = state.opt_text("reasonData").and_then(|t| json::parse(t.as_bytes()).ok()) {
        told_by_reason_data(&mut event, &Node::root(&document))?;
    }
    let configuration = data.get("configuration");
    if let Some(configuration) = &configuration {
        configured(&mut event, configuration)?;
    }
    suppressions(&mut event, data, &state, configuration.as_ref());
    let path = || format!("{}.configuration.metrics", data.path);
    event.kind = reading::kind(&event, &[configuration]).ok_or_else(|| Refused::Missing { path: path() })?;
    Ok(event)
}

fn configured(event: &mut AlarmEvent, configuration: &Node<'_>) -> Result<(), Refused> {
    event.description = Untrusted::new(configuration.opt_text("description").unwrap_or_default());
    event.metrics = reading::metrics(configuration, "metrics", &EVENT)?;
    event.rule = configuration.opt_text("alarmRule").map(Untrusted::new);
    event.threshold = event.threshold.or_else(|| reading::number(configuration, "threshold"));
    event.comparison = configuration.opt_text("comparisonOperator").and_then(Comparison::from_name);
    event.treat_missing = configuration.opt_text("treatMissingData").map(Untrusted::new);
    event.actions = AlarmActions {
        ok: reading::actions(configuration, "okActions")?,
        alarm: reading::actions(configuration, "alarmActions")?,
        insufficient_data: reading::actions(configuration, "insufficientDataActions")?,
    };
    event.dedupe = reading::dedupe(&event.actions);
    event.actions_enabled = configuration.get("actionsEnabled").and_then(|n| n.value.as_bool());
    Ok(())
}

/// Threshold, side of the band, children.
fn told_by_reason_data(event: &mut AlarmEvent, reason: &Node<'_>) -> Result<(), Refused> {
    event.threshold = reading::number(reason, "threshold");
    let last = |key: &str| reason.value.get(key).and_then(Value::as_array)?.last().and_then(Value::as_f64);
    let (lower, upper) = (last("recentLowerThresholds"), last("recentUpperThresholds"));
    event.breach = reading::beyond(last("recentDatapoints"), lower, upper).or(event.breach);
    for child in reason.list("triggeringAlarms", limits::ALARM_CHILDREN_MAX)? {
        if let Some(arn) = child.text_within("arn", limits::ARN_BYTES_MAX)? {
            let state = child.get("state");
            event.children.push(Child {
                arn: arn.to_owned(),
                state: state.as_ref().and_then(|s| s.opt_text("value")).and_then(reading::state_of),
                at: state.as_ref().and_then(|s| s.opt_text("timestamp")).and_then(|t| t.parse().ok()),
            });
        }
    }
    Ok(())
}

/// Suppressor, wait and extension periods stand in the state; a mute rule beside it.
fn suppressions(event: &mut AlarmEvent, data: &Node<'_>, state: &Node<'_>, configuration: Option<&Node<'_>>) {
    if let Some(by) = state.opt_text("actionsSuppressedBy") {
        event.suppressed.push(Suppression {
            by: match by {
                "Alarm" | "AlarmSuppressor" => SuppressedBy::Alarm,
                "WaitPeriod" => SuppressedBy::WaitPeriod,
                "ExtensionPeriod" => SuppressedBy::ExtensionPeriod,
                _ => SuppressedBy::Unknown,
            },
            reason: Untrusted::new(state.opt_text("actionsSuppressedReason").unwrap_or_default()),
            source: configuration.and_then(|c| c.opt_text("actionsSuppressor")).map(Untrusted::new),
            window: None,
        });
    }
    // AWS's samples show it beside the state and, of contributors, beside it or in the configuration.
    let mute = data.get("muteDetail").or_else(|| configuration.and_then(|c| c.get("muteDetail")));
    if let Some(mute) = mute {
        let time = |key: &str| mute.opt_text(key).and_then(|t| t.parse().ok());
        let window = time("muteWindowStart").zip(time("muteWindowEnd"));
        event.suppressed.push(Suppression {
            by: SuppressedBy::MuteRule,
            reason: Untrusted::default(),
            source: mute.opt_text("mutedByArn").map(Untrusted::new),
            window: window.map(|(start, end)| TimeSpan::new(start, end)),
        });
    }
}
