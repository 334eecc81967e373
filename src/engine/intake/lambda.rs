//! The payload of a Lambda alarm action, for those who forward it.

use super::alarm_data;
use super::json::Node;
use super::reading;
use super::refused::Refused;
use crate::limits;
use crate::model::alarm_event::{AlarmEvent, Delivery};

/// Whether the document is one.
pub(super) fn is_one(root: &Node<'_>) -> bool {
    root.get("alarmArn").is_some() && root.get("alarmData").is_some()
}

/// Reads one. It has no identifier of its own, so the carrier's is the delivery's.
///
/// # Errors
/// A required field is missing or wrong, or something exceeds AWS's limits.
pub(super) fn read(root: &Node<'_>, delivery: Delivery) -> Result<AlarmEvent, Refused> {
    let arn = root.need_text("alarmArn", limits::ARN_BYTES_MAX)?;
    let event = alarm_data::read(&root.need("alarmData")?, (arn, "alarmArn"), delivery)?;
    reading::agrees(root, "accountId", &event.account)?;
    reading::agrees(root, "region", &event.region)?;
    Ok(event)
}
