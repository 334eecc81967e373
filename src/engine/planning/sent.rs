//! Events that services of AWS sent, as changes: what was deployed, configured, replaced, or announced by AWS itself.
//!
//! An API call that CloudTrail recorded is not read here: whoever collects changes reads it like any other of CloudTrail's.

use std::collections::BTreeMap;

use crate::model::resource::ResourceId;
use crate::model::service_event::{ServiceEvent, ServiceEventKind};
use crate::model::telemetry::Change;

use super::naming::short;

/// How an event tells of a change.
struct Told {
    source: &'static str,
    /// What its detail-type begins with.
    detail_type: &'static str,
    /// Facts of which the first that is there names the resource; then the first ARN that the event lists.
    named: &'static [&'static str],
    kind: &'static str,
    /// Facts that say what happened.
    says: &'static [&'static str],
}

/// Events that tell of changes, from the reference of each service's events.
const TOLD: &[Told] = &[
    Told {
        source: "aws.ecs",
        detail_type: "ECS Deployment State Change",
        named: &[],
        kind: "deployment",
        says: &["eventName", "deploymentId", "reason"],
    },
    Told {
        source: "aws.ecs",
        detail_type: "ECS Service Action",
        named: &[],
        kind: "event",
        says: &["eventName", "reason"],
    },
    Told {
        source: "aws.codedeploy",
        detail_type: "CodeDeploy Deployment State-change Notification",
        named: &["application"],
        kind: "deployment",
        says: &["state", "deploymentGroup", "deploymentId"],
    },
    Told {
        source: "aws.codepipeline",
        detail_type: "CodePipeline Pipeline Execution State Change",
        named: &["pipeline"],
        kind: "deployment",
        says: &["state", "execution-id"],
    },
    Told {
        source: "aws.cloudformation",
        detail_type: "CloudFormation Stack Status Change",
        named: &["stack-name"],
        kind: "deployment",
        says: &["status-details.status", "status-details.status-reason"],
    },
    Told {
        source: "aws.autoscaling",
        detail_type: "EC2 Auto Scaling Instance Refresh",
        named: &["AutoScalingGroupName"],
        kind: "deployment",
        says: &["InstanceRefreshId"],
    },
    Told {
        source: "aws.autoscaling",
        detail_type: "EC2 Instance",
        named: &["AutoScalingGroupName"],
        kind: "event",
        says: &["EC2InstanceId", "StatusMessage", "Cause"],
    },
    Told {
        source: "aws.ec2",
        detail_type: "EC2 ",
        named: &["instance-id"],
        kind: "event",
        says: &["state", "instance-action"],
    },
    Told {
        source: "aws.rds",
        detail_type: "RDS DB ",
        named: &["SourceIdentifier"],
        kind: "event",
        says: &["EventCategories[0]", "Message"],
    },
    Told {
        source: "aws.ssm",
        detail_type: "EC2 Automation Execution Status-change Notification",
        named: &["Definition"],
        kind: "configuration",
        says: &["Status", "ExecutionId"],
    },
    Told {
        source: "aws.ssm",
        detail_type: "Parameter Store Change",
        named: &["name"],
        kind: "configuration",
        says: &["operation", "type"],
    },
    Told {
        source: "aws.cloudwatch",
        detail_type: "CloudWatch Alarm Configuration Change",
        named: &["alarmName"],
        kind: "configuration",
        says: &["operation"],
    },
    Told {
        source: "aws.health",
        detail_type: "AWS Health Event",
        named: &["affectedEntities[0].entityValue", "service"],
        kind: "health",
        says: &["eventTypeCode", "statusCode", "eventDescription[0].latestDescription"],
    },
];

/// Facts that name who did it.
const ACTORS: [&str; 2] = ["ExecutedBy", "userIdentity.arn"];

/// Seconds within which two records speak of one call.
const SAME_CALL_S: i64 = 5;

/// Seconds within which a service reports that what was asked of it has begun.
const BEGINS_S: i64 = 120;

/// What services say when a deployment begins, which is what the call to begin it said already.
const BEGINNINGS: [&str; 6] = [
    "SERVICE_DEPLOYMENT_IN_PROGRESS",
    "START",
    "STARTED",
    "CREATED",
    "UPDATE_IN_PROGRESS",
    "CREATE_IN_PROGRESS",
];

/// The change that an event tells of; `None` when it tells of none, or is an API call.
#[must_use]
pub fn change(event: &ServiceEvent) -> Option<Change> {
    if event.kind == ServiceEventKind::ApiCall {
        return None;
    }
    let (source, detail_type) = (event.source.raw(), event.detail_type.raw());
    let told = TOLD.iter().find(|t| t.source == source && detail_type.starts_with(t.detail_type))?;
    let fact = |name: &str| event.facts.get(name).map(|f| f.raw()).filter(|f| !f.is_empty());
    let named = told.named.iter().find_map(|name| fact(name));
    let resource = named.or_else(|| event.resources.first().map(String::as_str))?;
    let says: Vec<&str> = told.says.iter().filter_map(|name| fact(name)).collect();
    let actor = ACTORS.iter().find_map(|name| fact(name)).unwrap_or(source);
    Some(Change {
        at: event.at,
        resource: ResourceId::new(short(resource)),
        kind: told.kind.to_owned(),
        actor: actor.to_owned(),
        summary: format!("{detail_type}: {}", says.join(", ")),
        attributes: attributes(event),
    })
}

/// The facts of an event under the paths that changes use for theirs.
#[must_use]
pub fn attributes(event: &ServiceEvent) -> BTreeMap<String, String> {
    let path = |path: &str| path.replace('[', ".").replace(']', "");
    let facts = event.facts.iter().map(|(name, value)| (path(name), value.raw().to_owned()));
    facts.chain([("detailType".to_owned(), event.detail_type.raw().to_owned())]).collect()
}

/// Changes that were sent and are not among those that were asked for, each once.
#[must_use]
pub fn fresh(sent: Vec<Change>, asked: &[Change]) -> Vec<Change> {
    let name = |c: &Change| c.attributes.get("eventName").cloned();
    let near = |a: &Change, b: &Change, s: i64| a.resource == b.resource && a.at.secs_since(b.at).abs() <= s;
    let same_call =
        |a: &Change, b: &Change| name(a).is_some() && name(a) == name(b) && near(a, b, SAME_CALL_S);
    let begins = |c: &Change| c.attributes.values().any(|v| BEGINNINGS.contains(&v.as_str()));
    let begun = |c: &Change| {
        c.kind == "deployment"
            && begins(c)
            && asked.iter().any(|a| a.kind == "deployment" && near(a, c, BEGINS_S))
    };
    let mut found: Vec<Change> = Vec::new();
    for change in sent {
        let known = asked.iter().chain(&found).any(|a| same_call(a, &change) || *a == change);
        if !known && !begun(&change) {
            found.push(change);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::alarm_event::{Delivery, Via};
    use crate::model::text::Untrusted;
    use crate::model::time::Timestamp;

    fn event(source: &str, detail_type: &str, resources: &[&str], facts: &[(&str, &str)]) -> ServiceEvent {
        ServiceEvent {
            delivery: Delivery { via: Via::EventBridge, id: "e".to_owned() },
            kind: ServiceEventKind::Unknown,
            source: Untrusted::new(source),
            detail_type: Untrusted::new(detail_type),
            account: "111122223333".to_owned(),
            region: "ap-northeast-1".to_owned(),
            resources: resources.iter().map(|r| (*r).to_owned()).collect(),
            at: Timestamp::from_secs(1_000),
            facts: facts.iter().map(|(k, v)| ((*k).to_owned(), Untrusted::new(v))).collect(),
        }
    }

    #[test]
    fn deployments_become_changes_of_the_resource_that_people_know() {
        for (source, detail_type, resources, facts, expected) in [
            (
                "aws.ecs",
                "ECS Deployment State Change",
                &["arn:aws:ecs:r:1:service/shop/orders"][..],
                &[("eventName", "SERVICE_DEPLOYMENT_FAILED"), ("reason", "circuit breaker")][..],
                Some(("orders", "deployment")),
            ),
            (
                "aws.codedeploy",
                "CodeDeploy Deployment State-change Notification",
                &[],
                &[("application", "checkout"), ("state", "SUCCESS")],
                Some(("checkout", "deployment")),
            ),
            (
                "aws.codepipeline",
                "CodePipeline Pipeline Execution State Change",
                &[],
                &[("pipeline", "p")],
                Some(("p", "deployment")),
            ),
            (
                "aws.cloudformation",
                "CloudFormation Stack Status Change",
                &["arn:aws:cloudformation:r:1:stack/shop/5f"],
                &[("stack-name", "shop"), ("status-details.status", "UPDATE_COMPLETE")],
                Some(("shop", "deployment")),
            ),
        ] {
            let found = change(&event(source, detail_type, resources, facts));
            let told = found.as_ref().map(|c| (c.resource.as_str(), c.kind.as_str()));
            assert_eq!(told, expected, "{source} {detail_type}");
        }
    }

    #[test]
    fn other_events_become_changes_and_what_changes_nothing_does_not() {
        for (source, detail_type, resources, facts, expected) in [
            (
                "aws.autoscaling",
                "EC2 Instance Terminate Successful",
                &[][..],
                &[("AutoScalingGroupName", "web")][..],
                Some(("web", "event")),
            ),
            (
                "aws.rds",
                "RDS DB Instance Event",
                &[],
                &[("SourceIdentifier", "orders-db"), ("Message", "failover")],
                Some(("orders-db", "event")),
            ),
            (
                "aws.ec2",
                "EC2 Instance State-change Notification",
                &[],
                &[("instance-id", "i-1"), ("state", "stopped")],
                Some(("i-1", "event")),
            ),
            (
                "aws.ssm",
                "Parameter Store Change",
                &[],
                &[("name", "/shop/pool")],
                Some(("/shop/pool", "configuration")),
            ),
            (
                "aws.health",
                "AWS Health Event",
                &[],
                &[("service", "RDS"), ("affectedEntities[0].entityValue", "orders-db")],
                Some(("orders-db", "health")),
            ),
            ("aws.health", "AWS Health Event", &[], &[("service", "RDS")], Some(("RDS", "health"))),
            ("aws.ssm", "EC2 Automation Step Status-change Notification", &[], &[("Definition", "d")], None),
            ("aws.s3", "Object Created", &["arn:aws:s3:::b"], &[], None),
            ("aws.ecs", "ECS Deployment State Change", &[], &[], None),
        ] {
            let found = change(&event(source, detail_type, resources, facts));
            let told = found.as_ref().map(|c| (c.resource.as_str(), c.kind.as_str()));
            assert_eq!(told, expected, "{source} {detail_type}");
        }
    }

    fn call(at: i64, resource: &str, name: &str) -> Change {
        Change {
            at: Timestamp::from_secs(at),
            resource: ResourceId::new(resource),
            kind: "deployment".to_owned(),
            actor: "ci".to_owned(),
            summary: name.to_owned(),
            attributes: BTreeMap::from([("eventName".to_owned(), name.to_owned())]),
        }
    }

    #[test]
    fn what_was_asked_for_is_not_told_twice() {
        let asked = [call(1_000, "orders", "UpdateService")];
        let kept = |sent: Change| fresh(vec![sent.clone(), sent], &asked).len();
        assert_eq!(kept(call(1_002, "orders", "UpdateService")), 0, "the same call");
        assert_eq!(kept(call(1_200, "orders", "UpdateService")), 1, "a later one, once");
        assert_eq!(kept(call(1_002, "cart", "UpdateService")), 1, "another resource");
        assert_eq!(kept(call(1_030, "orders", "SERVICE_DEPLOYMENT_IN_PROGRESS")), 0, "begun by that call");
        assert_eq!(kept(call(1_030, "orders", "SERVICE_DEPLOYMENT_FAILED")), 1);
        assert_eq!(
            kept(call(1_030, "cart", "SERVICE_DEPLOYMENT_IN_PROGRESS")),
            1,
            "nobody asked for that one"
        );
    }
}
