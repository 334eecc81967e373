//! A CloudTrail event as a change: what was changed, by whom, in which way. No calls.

use std::collections::BTreeSet;

use serde_json::Value;
use tantei_engine::model::resource::ResourceId;
use tantei_engine::model::telemetry::Change;
use tantei_engine::model::text::cut;
use tantei_engine::model::time::Timestamp;
use tantei_engine::planning::naming::short;

use crate::bundle::records::attributes;

/// Largest event that is parsed: CloudTrail's own bound is 256 KB.
const EVENT_BYTES_MAX: usize = 256 << 10;

/// Longest value repeated in a summary.
const VALUE_BYTES_MAX: usize = 120;

/// Events that are counted as writes and change nothing that could break: they come by the thousand.
const NOISE: [&str; 12] = [
    "CreateLogStream",
    "UpdateInstanceInformation",
    "PutComplianceItems",
    "PutInventory",
    "CreateGrant",
    "RetireGrant",
    "ConsoleLogin",
    "StartQuery",
    "StopQuery",
    "PutCredentials",
    "OpenDataChannel",
    "CreateControlChannel",
];

/// Events by which new code or a new version takes effect.
const DEPLOYMENTS: [&str; 21] = [
    "UpdateFunctionCode",
    "UpdateAlias",
    "PublishVersion",
    "UpdateService",
    "CreateService",
    "UpdateServicePrimaryTaskSet",
    "CreateTaskSet",
    "CreateDeployment",
    "StartDeployment",
    "StartPipelineExecution",
    "UpdateEnvironment",
    "UpdateStack",
    "CreateStack",
    "ExecuteChangeSet",
    "StartInstanceRefresh",
    "UpdateStage",
    "UpdateStateMachine",
    "UpdateNodegroupVersion",
    "UpdateClusterVersion",
    "PublishFunction",
    "CreateInvalidation",
];

/// Parameters that name what is changed, the more specific ones first. Events spell them in many ways; compared
/// without regard to case.
const NAMING: [&str; 31] = [
    "service",
    "serviceName",
    "functionName",
    "dBInstanceIdentifier",
    "dBClusterIdentifier",
    "tableName",
    "queueUrl",
    "queueName",
    "topicArn",
    "streamName",
    "stateMachineArn",
    "loadBalancerArn",
    "loadBalancerName",
    "targetGroupArn",
    "autoScalingGroupName",
    "cacheClusterId",
    "replicationGroupId",
    "domainName",
    "restApiId",
    "apiId",
    "bucketName",
    "distributionId",
    "volumeId",
    "instanceId",
    "natGatewayId",
    "fileSystemId",
    "applicationName",
    "environmentName",
    "stackName",
    "clusterName",
    "cluster",
];

/// What an operator does not want to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignored {
    /// Services, such as `ssm.amazonaws.com`.
    pub services: BTreeSet<String>,
    /// Events, such as `RegisterTargets`.
    pub events: BTreeSet<String>,
    /// Parts of a principal's ARN, such as a role's name.
    pub principals: BTreeSet<String>,
    /// Names of sessions behind a role, in full.
    pub sessions: BTreeSet<String>,
}

impl Ignored {
    /// Whether the change is to be left out.
    #[must_use]
    pub fn has(&self, change: &Change) -> bool {
        let attribute = |key: &str| change.attributes.get(key).map_or("", String::as_str);
        let session =
            change.actor.contains(":assumed-role/").then(|| change.actor.rsplit('/').next()).flatten();
        self.services.contains(attribute("eventSource"))
            || self.events.contains(attribute("eventName"))
            || self.principals.iter().any(|p| change.actor.contains(p.as_str()))
            || session.is_some_and(|s| self.sessions.contains(s))
    }
}

/// An event that could not be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoEvent;

/// The change that an event tells of; `None` when it changed nothing.
///
/// # Errors
/// When the text is no event.
pub fn change(
    text: &str,
    named: Option<&str>,
    fallback_at: Option<Timestamp>,
) -> Result<Option<Change>, NoEvent> {
    if text.len() > EVENT_BYTES_MAX {
        return Err(NoEvent);
    }
    let event: Value = serde_json::from_str(text).map_err(|_| NoEvent)?;
    let get = |key: &str| event.get(key).and_then(Value::as_str);
    let name = get("eventName").ok_or(NoEvent)?;
    let at = get("eventTime").and_then(|t| t.parse().ok()).or(fallback_at).ok_or(NoEvent)?;
    // A call that was refused changed nothing.
    if NOISE.contains(&name) || event.get("errorCode").is_some_and(|c| !c.is_null()) {
        return Ok(None);
    }
    let source = get("eventSource").unwrap_or_default();
    let identity = event.get("userIdentity");
    let who = |key: &str| identity.and_then(|i| i.get(key)).and_then(Value::as_str);
    let actor = who("arn").or_else(|| who("invokedBy")).or_else(|| who("userName")).unwrap_or_default();
    let (key, resource) = target(&event)
        .or_else(|| named.filter(|n| !n.is_empty()).map(|n| (String::new(), short(n))))
        .unwrap_or_else(|| (String::new(), source.trim_end_matches(".amazonaws.com").to_owned()));
    let kind = if DEPLOYMENTS.iter().any(|d| is_call(name, d)) { "deployment" } else { "configuration" };
    Ok(Some(Change {
        at,
        resource: ResourceId::new(resource),
        kind: kind.to_owned(),
        actor: actor.to_owned(),
        summary: summary(name, &event, &key),
        attributes: attributes(&kept(event)),
    }))
}

/// Lambda's events carry the version of its interface: `UpdateFunctionCode20150331v2`.
fn is_call(event_name: &str, call: &str) -> bool {
    event_name.strip_prefix(call).is_some_and(|rest| rest.is_empty() || rest.starts_with("20"))
}

/// What the parameters name.
fn target(event: &Value) -> Option<(String, String)> {
    let parameters = event.get("requestParameters")?.as_object()?;
    let find = |wanted: &str| parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted));
    NAMING.iter().find_map(|wanted| {
        let (key, value) = find(wanted)?;
        let name = value.as_str().filter(|v| !v.is_empty())?;
        Some((key.clone(), short(name)))
    })
}

/// `UpdateService (cluster shop, taskDefinition orders:42)`: the call and its short parameters.
fn summary(name: &str, event: &Value, but: &str) -> String {
    let parameters = event.get("requestParameters").and_then(Value::as_object);
    let told: Vec<String> = parameters
        .into_iter()
        .flatten()
        .filter(|(key, _)| key.as_str() != but)
        .filter_map(|(key, value)| match value {
            Value::String(s) => Some(format!("{key} {}", cut(s, VALUE_BYTES_MAX))),
            Value::Number(n) => Some(format!("{key} {n}")),
            Value::Bool(b) => Some(format!("{key} {b}")),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        })
        .take(4)
        .collect();
    if told.is_empty() { name.to_owned() } else { format!("{name} ({})", told.join(", ")) }
}

/// The event without what no runbook needs, so that what one does need is within the bound of attributes.
fn kept(mut event: Value) -> Value {
    if let Some(fields) = event.as_object_mut() {
        for noise in [
            "userIdentity",
            "userAgent",
            "sourceIPAddress",
            "tlsDetails",
            "requestID",
            "eventID",
            "eventVersion",
        ] {
            fields.remove(noise);
        }
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(name: &str, source: &str, parameters: Value) -> Value {
        json!({"eventName": name, "eventSource": source, "eventTime": "2026-11-24T06:41:38Z",
               "userIdentity": {"arn": "arn:aws:sts::111122223333:assumed-role/ci/x"}, "requestParameters": parameters})
    }

    #[test]
    fn deployments_and_configuration_are_told_apart_and_name_their_resource() {
        for (name, source, parameters, resource, kind) in [
            (
                "UpdateService",
                "ecs.amazonaws.com",
                json!({"cluster": "shop", "service": "arn:aws:ecs:r:1:service/shop/orders"}),
                "orders",
                "deployment",
            ),
            (
                "UpdateFunctionCode20150331v2",
                "lambda.amazonaws.com",
                json!({"functionName": "arn:aws:lambda:r:1:function:resize"}),
                "resize",
                "deployment",
            ),
            (
                "UpdateFunctionConfiguration20150331v2",
                "lambda.amazonaws.com",
                json!({"functionName": "resize"}),
                "resize",
                "configuration",
            ),
            (
                "ModifyDBInstance",
                "rds.amazonaws.com",
                json!({"dBInstanceIdentifier": "orders-db"}),
                "orders-db",
                "configuration",
            ),
            (
                "SetQueueAttributes",
                "sqs.amazonaws.com",
                json!({"queueUrl": "https://sqs.r.amazonaws.com/1/jobs"}),
                "jobs",
                "configuration",
            ),
            ("PutRolePolicy", "iam.amazonaws.com", json!({"roleName": "r"}), "iam", "configuration"),
        ] {
            let change = change(&event(name, source, parameters).to_string(), None, None).unwrap().unwrap();
            assert_eq!((change.resource.as_str(), change.kind.as_str()), (resource, kind), "{name}");
            assert!(change.summary.starts_with(name));
        }
    }

    #[test]
    fn calls_that_failed_and_noise_are_no_changes() {
        let mut refused = event("UpdateService", "ecs.amazonaws.com", json!({"service": "orders"}));
        refused["errorCode"] = json!("AccessDenied");
        assert_eq!(change(&refused.to_string(), None, None), Ok(None));
        assert_eq!(
            change(&event("CreateLogStream", "logs.amazonaws.com", json!({})).to_string(), None, None),
            Ok(None)
        );
        assert_eq!(change("{", None, None), Err(NoEvent));
    }

    #[test]
    fn facts_for_runbooks_survive() {
        let mut event = event(
            "UpdateService",
            "ecs.amazonaws.com",
            json!({"service": "orders", "taskDefinition": "orders:42"}),
        );
        event["responseElements"] =
            json!({"service": {"deployments": [{"status": "PRIMARY", "taskDefinition": "arn:42"}]}});
        let change = change(&event.to_string(), None, None).unwrap().unwrap();
        assert_eq!(change.attributes["responseElements.service.deployments.0.taskDefinition"], "arn:42");
        assert_eq!(change.attributes["eventName"], "UpdateService");
        assert_eq!(change.summary, "UpdateService (taskDefinition orders:42)");
        let ignored =
            Ignored { principals: BTreeSet::from(["assumed-role/ci".to_owned()]), ..Ignored::default() };
        assert!(ignored.has(&change) && !Ignored::default().has(&change));
        let session = change.actor.rsplit('/').next().unwrap().to_owned();
        let by_session =
            |name: &str| Ignored { sessions: BTreeSet::from([name.to_owned()]), ..Ignored::default() };
        assert!(by_session(&session).has(&change) && !by_session("nobody").has(&change));
    }
}
