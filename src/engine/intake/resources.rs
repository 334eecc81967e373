//! Namespace and dimensions of a metric → the resource that it is about, and its CloudFormation type.
//!
//! The identity must be the same whichever alarm, trace or inventory names the resource, so it is the ARN where one
//! can be built from account and Region. Elsewhere it is `namespace:dimension=value,…`, one spelling each.
//! Only namespaces that AWS alone can write (`AWS/…`) and its own agents' are mapped: a custom metric that calls a
//! dimension `FunctionName` proves nothing.

use std::collections::BTreeMap;

use super::arn::Arn;
use crate::model::resource::{Resource, ResourceId};

/// Where an alarm lives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home<'a> {
    pub(super) partition: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
}

/// One way to name a resource. In `id`, `{p}`, `{r}`, `{a}` stand for partition, Region and account, `{Name}` for the
/// dimension of that name, `{=Name}` for one whose value is an ARN itself. A rule applies when all are there.
struct Rule {
    namespaces: &'static [&'static str],
    kind: &'static str,
    id: &'static str,
}

const fn rule(namespaces: &'static [&'static str], kind: &'static str, id: &'static str) -> Rule {
    Rule { namespaces, kind, id }
}

const ECS: &[&str] = &["AWS/ECS", "ECS/ContainerInsights"];
const EC2: &[&str] = &["AWS/EC2", "CWAgent"];
const ELB: &[&str] = &["AWS/ApplicationELB", "AWS/NetworkELB", "AWS/GatewayELB"];
const RDS: &[&str] = &["AWS/RDS", "AWS/DocDB", "AWS/Neptune"];

/// The first rule that applies counts: more special ones stand first.
const RULES: &[Rule] = &[
    rule(
        ELB,
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "arn:{p}:elasticloadbalancing:{r}:{a}:loadbalancer/{LoadBalancer}",
    ),
    rule(
        ELB,
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "arn:{p}:elasticloadbalancing:{r}:{a}:{TargetGroup}",
    ),
    rule(
        &["AWS/ELB"],
        "AWS::ElasticLoadBalancing::LoadBalancer",
        "arn:{p}:elasticloadbalancing:{r}:{a}:loadbalancer/{LoadBalancerName}",
    ),
    rule(&["AWS/Lambda"], "AWS::Lambda::Function", "arn:{p}:lambda:{r}:{a}:function:{FunctionName}"),
    rule(ECS, "AWS::ECS::Service", "arn:{p}:ecs:{r}:{a}:service/{ClusterName}/{ServiceName}"),
    rule(ECS, "AWS::ECS::Cluster", "arn:{p}:ecs:{r}:{a}:cluster/{ClusterName}"),
    rule(&["ContainerInsights"], "AWS::EKS::Cluster", "arn:{p}:eks:{r}:{a}:cluster/{ClusterName}"),
    rule(RDS, "AWS::RDS::DBInstance", "arn:{p}:rds:{r}:{a}:db:{DBInstanceIdentifier}"),
    rule(RDS, "AWS::RDS::DBCluster", "arn:{p}:rds:{r}:{a}:cluster:{DBClusterIdentifier}"),
    rule(&["AWS/SQS"], "AWS::SQS::Queue", "arn:{p}:sqs:{r}:{a}:{QueueName}"),
    rule(&["AWS/SNS"], "AWS::SNS::Topic", "arn:{p}:sns:{r}:{a}:{TopicName}"),
    rule(&["AWS/DynamoDB"], "AWS::DynamoDB::Table", "arn:{p}:dynamodb:{r}:{a}:table/{TableName}"),
    rule(EC2, "AWS::EC2::Instance", "arn:{p}:ec2:{r}:{a}:instance/{InstanceId}"),
    rule(
        &["AWS/EC2", "AWS/AutoScaling", "CWAgent"],
        "AWS::AutoScaling::AutoScalingGroup",
        "AWS/AutoScaling:AutoScalingGroupName={AutoScalingGroupName}",
    ),
    rule(&["AWS/EBS"], "AWS::EC2::Volume", "arn:{p}:ec2:{r}:{a}:volume/{VolumeId}"),
    rule(
        &["AWS/EFS"],
        "AWS::EFS::FileSystem",
        "arn:{p}:elasticfilesystem:{r}:{a}:file-system/{FileSystemId}",
    ),
    rule(&["AWS/NATGateway"], "AWS::EC2::NatGateway", "arn:{p}:ec2:{r}:{a}:natgateway/{NatGatewayId}"),
    rule(
        &["AWS/ApiGateway"],
        "AWS::ApiGatewayV2::Stage",
        "arn:{p}:apigateway:{r}::/apis/{ApiId}/stages/{Stage}",
    ),
    rule(&["AWS/ApiGateway"], "AWS::ApiGatewayV2::Api", "arn:{p}:apigateway:{r}::/apis/{ApiId}"),
    rule(&["AWS/ApiGateway"], "AWS::ApiGateway::Stage", "AWS/ApiGateway:ApiName={ApiName},Stage={Stage}"),
    rule(&["AWS/ApiGateway"], "AWS::ApiGateway::RestApi", "AWS/ApiGateway:ApiName={ApiName}"),
    rule(&["AWS/Kinesis"], "AWS::Kinesis::Stream", "arn:{p}:kinesis:{r}:{a}:stream/{StreamName}"),
    rule(
        &["AWS/Firehose"],
        "AWS::KinesisFirehose::DeliveryStream",
        "arn:{p}:firehose:{r}:{a}:deliverystream/{DeliveryStreamName}",
    ),
    rule(
        &["AWS/ElastiCache"],
        "AWS::ElastiCache::CacheCluster",
        "arn:{p}:elasticache:{r}:{a}:cluster:{CacheClusterId}",
    ),
    rule(
        &["AWS/ElastiCache"],
        "AWS::ElastiCache::ReplicationGroup",
        "arn:{p}:elasticache:{r}:{a}:replicationgroup:{ReplicationGroupId}",
    ),
    rule(&["AWS/ES"], "AWS::OpenSearchService::Domain", "arn:{p}:es:{r}:{ClientId}:domain/{DomainName}"),
    rule(&["AWS/ES"], "AWS::OpenSearchService::Domain", "arn:{p}:es:{r}:{a}:domain/{DomainName}"),
    rule(&["AWS/States"], "AWS::StepFunctions::StateMachine", "{=StateMachineArn}"),
    rule(&["AWS/S3"], "AWS::S3::Bucket", "arn:{p}:s3:::{BucketName}"),
    rule(
        &["AWS/CloudFront"],
        "AWS::CloudFront::Distribution",
        "arn:{p}:cloudfront::{a}:distribution/{DistributionId}",
    ),
    rule(&["AWS/Route53"], "AWS::Route53::HealthCheck", "arn:{p}:route53:::healthcheck/{HealthCheckId}"),
    rule(&["AWS/Events"], "AWS::Events::Rule", "arn:{p}:events:{r}:{a}:rule/{RuleName}"),
    rule(&["AWS/Logs"], "AWS::Logs::LogGroup", "arn:{p}:logs:{r}:{a}:log-group:{LogGroupName}"),
    rule(
        &["CloudWatchSynthetics"],
        "AWS::Synthetics::Canary",
        "arn:{p}:synthetics:{r}:{a}:canary:{CanaryName}",
    ),
];

/// The resource that a metric is about; none without dimensions, as an account-wide metric is about none.
pub(super) fn of_metric(
    home: Home<'_>,
    namespace: &str,
    dimensions: &BTreeMap<String, String>,
) -> Option<Resource> {
    if dimensions.is_empty() {
        return None;
    }
    let ruled = RULES
        .iter()
        .filter(|r| r.namespaces.contains(&namespace))
        .find_map(|r| filled(r.id, home, dimensions).map(|id| (id, Some(r.kind.to_owned()))));
    let (id, kind) = ruled.unwrap_or_else(|| (spelled_out(namespace, dimensions), None));
    Some(Resource { id: ResourceId::new(id), kind, attributes: dimensions.clone() })
}

/// The template with everything filled in; none when a dimension is absent or unfit for an ARN.
fn filled(template: &str, home: Home<'_>, dimensions: &BTreeMap<String, String>) -> Option<String> {
    let mut parts = template.split('{');
    let mut id = parts.next()?.to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}')?;
        let value = match (name, name.strip_prefix('=')) {
            ("p", _) => home.partition,
            ("r", _) => home.region,
            ("a", _) => home.account,
            (_, Some(name)) => dimensions.get(name).filter(|v| Arn::parse(v).is_some())?,
            (name, None) => dimensions.get(name).filter(|v| is_plain(v))?,
        };
        id.push_str(value);
        id.push_str(rest);
    }
    Some(id)
}

/// Letters, digits and what names in ARNs have besides: nothing that ends one part and begins another.
fn is_plain(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'))
}

/// `namespace:name=value,…` in order of the names; separators inside are escaped, so that two sets never look alike.
fn spelled_out(namespace: &str, dimensions: &BTreeMap<String, String>) -> String {
    let escaped = |text: &str| {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if matches!(c, '\\' | ',' | '=') {
                out.push('\\');
            }
            out.push(c);
        }
        out
    };
    let pairs: Vec<String> =
        dimensions.iter().map(|(k, v)| format!("{}={}", escaped(k), escaped(v))).collect();
    format!("{}:{}", escaped(namespace), pairs.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Dimensions<'a> = &'a [(&'a str, &'a str)];

    fn named(namespace: &str, dimensions: Dimensions<'_>) -> (String, String) {
        let home = Home { partition: "aws", region: "eu-west-1", account: "123456789012" };
        let dimensions = dimensions.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let found = of_metric(home, namespace, &dimensions).unwrap();
        (found.id.as_str().to_owned(), found.kind.unwrap_or_default())
    }

    #[test]
    fn the_arn_is_built_where_it_can_be() {
        let arn = |rest: &str| format!("arn:aws:{rest}");
        let cases: [(&str, Dimensions<'_>, String, &str); 10] = [
            (
                "AWS/ApplicationELB",
                &[("LoadBalancer", "app/web/0a1b"), ("TargetGroup", "targetgroup/x/2c")],
                arn("elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/0a1b"),
                "AWS::ElasticLoadBalancingV2::LoadBalancer",
            ),
            (
                "AWS/ECS",
                &[("ClusterName", "c"), ("ServiceName", "s")],
                arn("ecs:eu-west-1:123456789012:service/c/s"),
                "AWS::ECS::Service",
            ),
            (
                "AWS/ECS",
                &[("ClusterName", "c")],
                arn("ecs:eu-west-1:123456789012:cluster/c"),
                "AWS::ECS::Cluster",
            ),
            (
                "AWS/RDS",
                &[("DBClusterIdentifier", "c"), ("Role", "WRITER")],
                arn("rds:eu-west-1:123456789012:cluster:c"),
                "AWS::RDS::DBCluster",
            ),
            (
                "AWS/SQS",
                &[("QueueName", "q.fifo")],
                arn("sqs:eu-west-1:123456789012:q.fifo"),
                "AWS::SQS::Queue",
            ),
            ("AWS/S3", &[("BucketName", "b")], arn("s3:::b"), "AWS::S3::Bucket"),
            (
                "AWS/ES",
                &[("ClientId", "210987654321"), ("DomainName", "d")],
                arn("es:eu-west-1:210987654321:domain/d"),
                "AWS::OpenSearchService::Domain",
            ),
            (
                "AWS/States",
                &[("StateMachineArn", "arn:aws:states:eu-west-1:123456789012:stateMachine:m")],
                arn("states:eu-west-1:123456789012:stateMachine:m"),
                "AWS::StepFunctions::StateMachine",
            ),
            (
                "AWS/ApiGateway",
                &[("ApiId", "a1"), ("Stage", "v1")],
                arn("apigateway:eu-west-1::/apis/a1/stages/v1"),
                "AWS::ApiGatewayV2::Stage",
            ),
            (
                "AWS/ApiGateway",
                &[("ApiName", "shop"), ("Stage", "v1")],
                "AWS/ApiGateway:ApiName=shop,Stage=v1".to_owned(),
                "AWS::ApiGateway::Stage",
            ),
        ];
        for (namespace, dimensions, id, kind) in cases {
            assert_eq!(named(namespace, dimensions), (id, kind.to_owned()), "{namespace}");
        }
    }

    #[test]
    fn one_group_has_one_name_in_both_namespaces() {
        let group = [("AutoScalingGroupName", "web")];
        assert_eq!(named("AWS/EC2", &group), named("AWS/AutoScaling", &group));
    }

    #[test]
    fn what_proves_nothing_is_spelled_out() {
        assert_eq!(
            named("Shop", &[("FunctionName", "f")]),
            ("Shop:FunctionName=f".to_owned(), String::new())
        );
        let odd = named("AWS/Lambda", &[("FunctionName", "f:x,y=z")]);
        assert_eq!(odd, ("AWS/Lambda:FunctionName=f:x\\,y\\=z".to_owned(), String::new()));
        assert_ne!(named("N", &[("a", "1,b=2")]), named("N", &[("a", "1"), ("b", "2")]));
    }
}
