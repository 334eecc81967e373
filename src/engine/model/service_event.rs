//! Events of AWS services that are no alarms but explain them: deployments, API calls, runbook runs, Health.
//!
//! Only what was said, flattened and bounded. Which of them count as changes is decided by whoever collects changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::alarm_event::Delivery;
use super::text::Untrusted;
use super::time::Timestamp;

/// What an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceEventKind {
    /// An ECS service deployment began, completed or failed.
    EcsDeployment,
    /// A `CodeDeploy` deployment began, succeeded, failed or stopped.
    CodeDeploy,
    /// An Automation run changed its status.
    AutomationExecution,
    /// A step of an Automation run changed its status.
    AutomationStep,
    /// AWS Health has something to say.
    Health,
    /// An API call that `CloudTrail` recorded.
    ApiCall,
    /// An alarm was created, changed or deleted.
    AlarmConfiguration,
    /// Any other event.
    Unknown,
}

/// One event of an AWS service, as EventBridge delivered it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceEvent {
    /// Identity of the delivery.
    pub delivery: Delivery,
    /// What it tells.
    pub kind: ServiceEventKind,
    /// EventBridge `source` (`aws.ecs`).
    pub source: Untrusted,
    /// EventBridge `detail-type`.
    pub detail_type: Untrusted,
    /// Account, 12 digits.
    pub account: String,
    /// Region code.
    pub region: String,
    /// ARNs of what it is about; cut at `limits::EVENT_RESOURCES_MAX`.
    #[serde(default)]
    pub resources: Vec<String>,
    /// When it happened.
    pub at: Timestamp,
    /// Scalars of `detail` by their path (`requestParameters.dBParameterGroupName`), in order of the path; cut at
    /// `limits::EVENT_FACTS_MAX`.
    #[serde(default)]
    pub facts: BTreeMap<String, Untrusted>,
}
