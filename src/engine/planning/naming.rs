//! One name for a resource, whatever source speaks of it: dimension values, ARNs, host names, queue URLs, X-Ray nodes.
//!
//! The name is what people call the resource (`orders-db`, `shop-alb`), which all sources can be brought to; the rest of
//! an identifier is kept as attributes.

use std::collections::BTreeMap;

use crate::model::resource::ResourceId;

use super::kinds::{self, SERVICE_DIMENSIONS};

/// The kind of a node outside AWS.
pub const REMOTE: &str = "RemoteService";

/// The resource that a metric belongs to, and its kind when that is known.
#[must_use]
pub fn of_metric(
    namespace: &str,
    dimensions: &BTreeMap<String, String>,
) -> Option<(ResourceId, Option<&'static str>)> {
    let known = kinds::of_namespace(namespace)
        .find_map(|k| dimensions.get(k.dimension).map(|value| (ResourceId::new(short(value)), Some(k.kind))));
    let own = || {
        let name = SERVICE_DIMENSIONS.iter().find_map(|d| dimensions.get(*d))?;
        Some((ResourceId::new(short(name)), None))
    };
    let any = || {
        let with_dimension = |k: &&kinds::Kind| dimensions.contains_key(k.dimension);
        let kind = kinds::ALL.iter().find(with_dimension)?;
        let value = dimensions.get(kind.dimension)?;
        Some((ResourceId::new(short(value)), Some(kind.kind)))
    };
    known.or_else(own).or_else(any)
}

/// The name out of an identifier in any of AWS's forms.
#[must_use]
pub fn short(identifier: &str) -> String {
    let text = identifier.trim();
    if let Some(rest) = text.strip_prefix("arn:") {
        return of_arn(rest).unwrap_or(text).to_owned();
    }
    if let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_queue = host.starts_with("sqs.") || host.contains(".queue.amazonaws.com");
        let queue = path.rsplit('/').next().filter(|last| is_queue && !last.is_empty());
        return queue.map_or_else(|| of_host(host), ToOwned::to_owned);
    }
    // `app/shop-alb/50dc6c495c0c9188`, `net/…`: how CloudWatch writes load balancers.
    if let Some((_, rest)) = text.split_once('/').filter(|(head, _)| ["app", "net", "gwy"].contains(head)) {
        return rest.split('/').next().unwrap_or(rest).to_owned();
    }
    // `database@host`, as X-Ray names what an SQL client talks to.
    match text.split_once('@') {
        Some((_, host)) if host.contains('.') => of_host(host),
        _ => of_host(text),
    }
}

/// The last part of an ARN that names something: versions and identifiers behind the name do not.
fn of_arn(rest: &str) -> Option<&str> {
    let mut fields = rest.splitn(5, ':');
    let (service, resource) = (fields.nth(1)?, fields.nth(2)?);
    let name = match service {
        "lambda" => resource.strip_prefix("function:")?.split(':').next()?,
        "elasticloadbalancing" => resource.split('/').nth_back(1)?,
        "logs" => resource.strip_prefix("log-group:")?.trim_end_matches(":*"),
        "states" => resource.split(':').nth(1)?,
        "ecs" if resource.starts_with("task-definition/") => resource.split('/').nth(1)?.split(':').next()?,
        "dynamodb" => resource.split('/').nth(1)?,
        _ => resource.rsplit(['/', ':']).next()?,
    };
    Some(name).filter(|n| !n.is_empty())
}

/// The resource behind a host name of AWS; any other host is its own name.
fn of_host(host: &str) -> String {
    let host = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let Some(label) = host.split('.').next().filter(|_| host.contains(".amazonaws.com")) else {
        return host.to_owned();
    };
    if host.contains(".elb.") {
        let label = label.strip_prefix("internal-").unwrap_or(label);
        return match label.rsplit_once('-') {
            Some((name, tail)) if is_appended(tail) => name.to_owned(),
            _ => label.to_owned(),
        };
    }
    let named = [".rds.", ".cache.", ".execute-api.", ".s3."].iter().any(|part| host.contains(part));
    if named { label.to_owned() } else { host.to_owned() }
}

/// What AWS appends to a load balancer's name: ten digits, or sixteen hexadecimal ones.
fn is_appended(tail: &str) -> bool {
    tail.len() >= 8 && tail.bytes().all(|b| b.is_ascii_hexdigit()) && tail.bytes().any(|b| b.is_ascii_digit())
}

/// The kind of an X-Ray node's type. `None` for those that are no resource (clients).
#[must_use]
pub fn xray_kind(node_type: &str, name: &str) -> Option<String> {
    let kind = match node_type {
        "client" => return None,
        "remote" => REMOTE,
        "AWS::Lambda" => "AWS::Lambda::Function",
        "AWS::ECS::Container" | "AWS::ECS::Fargate" | "AWS::ECS::EC2" => "AWS::ECS::Service",
        "AWS::SNS" => "AWS::SNS::Topic",
        "AWS::SQS" => "AWS::SQS::Queue",
        "AWS::DynamoDB" => "AWS::DynamoDB::Table",
        "AWS::Kinesis" => "AWS::Kinesis::Stream",
        "Database::SQL" if name.contains(".cluster-") => "AWS::RDS::DBCluster",
        "Database::SQL" if name.contains(".rds.amazonaws.com") => "AWS::RDS::DBInstance",
        other => other,
    };
    Some(kind.to_owned())
}

/// Whether work is handed over to resources of this kind: who sends does not wait for it to be done.
#[must_use]
pub fn takes_work(kind: &str) -> bool {
    ["AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::Kinesis::Stream", "AWS::Events::EventBus"].contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_comes_to_one_name() {
        for (identifier, name) in [
            ("app/shop-alb/50dc6c495c0c9188", "shop-alb"),
            (
                "arn:aws:elasticloadbalancing:ap-northeast-1:111122223333:loadbalancer/app/shop-alb/50dc6c495c0c9188",
                "shop-alb",
            ),
            ("internal-shop-alb-1234567890.ap-northeast-1.elb.amazonaws.com", "shop-alb"),
            ("orders@orders-db.c9akciq32.ap-northeast-1.rds.amazonaws.com", "orders-db"),
            ("orders-db.c9akciq32.ap-northeast-1.rds.amazonaws.com:5432", "orders-db"),
            ("https://sqs.ap-northeast-1.amazonaws.com/111122223333/jobs", "jobs"),
            ("arn:aws:lambda:ap-northeast-1:111122223333:function:resize:7", "resize"),
            ("arn:aws:ecs:ap-northeast-1:111122223333:service/shop/orders", "orders"),
            ("arn:aws:ecs:ap-northeast-1:111122223333:task-definition/orders:42", "orders"),
            ("arn:aws:states:ap-northeast-1:111122223333:stateMachine:fulfil", "fulfil"),
            ("arn:aws:dynamodb:ap-northeast-1:111122223333:table/carts/index/by-user", "carts"),
            ("arn:aws:sns:ap-northeast-1:111122223333:prod-alarms", "prod-alarms"),
            ("shop-search.ap-northeast-1.elb.amazonaws.com", "shop-search"),
            ("api.payments.example", "api.payments.example"),
            ("orders", "orders"),
            ("arn:", "arn:"),
            ("", ""),
        ] {
            assert_eq!(short(identifier), name, "{identifier}");
        }
    }

    #[test]
    fn the_dimensions_name_the_resource_and_its_kind() {
        let dims =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let (id, kind) =
            of_metric("AWS/ECS", &dims(&[("ClusterName", "shop"), ("ServiceName", "orders")])).unwrap();
        assert_eq!((id.as_str(), kind), ("orders", Some("AWS::ECS::Service")));
        let (id, kind) = of_metric("AWS/ECS", &dims(&[("ClusterName", "shop")])).unwrap();
        assert_eq!((id.as_str(), kind), ("shop", Some("AWS::ECS::Cluster")));
        let (id, kind) = of_metric("Shop/Orders", &dims(&[("Service", "orders")])).unwrap();
        assert_eq!((id.as_str(), kind), ("orders", None));
        assert_eq!(of_metric("Own", &dims(&[("Colour", "red")])), None);
    }

    #[test]
    fn clients_are_no_resources() {
        assert_eq!(xray_kind("client", "x"), None);
        assert_eq!(xray_kind("remote", "x").as_deref(), Some(REMOTE));
    }
}
