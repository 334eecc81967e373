//! Kinds of resources, how CloudWatch names them, and which of their metrics tell how they are. Data from the metric
//! tables of AWS's documentation; which matter is what the services' own operational guides alarm on.

/// A metric and the statistics of it that are read.
pub type Key = (&'static str, &'static [&'static str]);

/// A kind of resource in one namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// CloudFormation type.
    pub kind: &'static str,
    /// CloudWatch namespace.
    pub namespace: &'static str,
    /// The dimension whose value names the resource.
    pub dimension: &'static str,
    /// Its key metrics.
    pub metrics: &'static [Key],
}

const SUM: &[&str] = &["Sum"];
const AVG: &[&str] = &["Average"];
const MAX: &[&str] = &["Maximum"];
const MIN: &[&str] = &["Minimum"];
const AVG_MAX: &[&str] = &["Average", "Maximum"];
const AVG_P99: &[&str] = &["Average", "p99"];

/// All kinds that are known. Where a namespace has several, the more specific dimension comes first.
pub const ALL: &[Kind] = &[
    Kind {
        kind: "AWS::Lambda::Function",
        namespace: "AWS/Lambda",
        dimension: "FunctionName",
        metrics: &[
            ("Invocations", SUM),
            ("Errors", SUM),
            ("Throttles", SUM),
            ("Duration", AVG_P99),
            ("ConcurrentExecutions", MAX),
            ("IteratorAge", MAX),
            ("DeadLetterErrors", SUM),
            ("AsyncEventAge", MAX),
            ("AsyncEventsDropped", SUM),
            ("ProvisionedConcurrencySpilloverInvocations", SUM),
        ],
    },
    Kind {
        kind: "AWS::ECS::Service",
        namespace: "AWS/ECS",
        dimension: "ServiceName",
        metrics: &[("CPUUtilization", AVG_MAX), ("MemoryUtilization", AVG_MAX)],
    },
    Kind {
        kind: "AWS::ECS::Service",
        namespace: "ECS/ContainerInsights",
        dimension: "ServiceName",
        metrics: &[
            ("RunningTaskCount", AVG),
            ("PendingTaskCount", AVG),
            ("DesiredTaskCount", AVG),
            ("DeploymentCount", MAX),
            ("RestartCount", SUM),
            ("NetworkRxBytes", AVG),
            ("NetworkTxBytes", AVG),
        ],
    },
    Kind {
        kind: "AWS::ECS::Cluster",
        namespace: "AWS/ECS",
        dimension: "ClusterName",
        metrics: &[("CPUReservation", AVG), ("MemoryReservation", AVG)],
    },
    Kind {
        kind: "AWS::EC2::Instance",
        namespace: "AWS/EC2",
        dimension: "InstanceId",
        metrics: &[
            ("CPUUtilization", AVG_MAX),
            ("StatusCheckFailed_System", MAX),
            ("StatusCheckFailed_Instance", MAX),
            ("StatusCheckFailed_AttachedEBS", MAX),
            ("NetworkIn", AVG),
            ("NetworkOut", AVG),
            ("CPUCreditBalance", MIN),
            ("EBSIOBalance%", MIN),
            ("EBSByteBalance%", MIN),
        ],
    },
    Kind {
        kind: "AWS::AutoScaling::AutoScalingGroup",
        namespace: "AWS/AutoScaling",
        dimension: "AutoScalingGroupName",
        metrics: &[
            ("GroupInServiceInstances", AVG),
            ("GroupDesiredCapacity", AVG),
            ("GroupPendingInstances", MAX),
        ],
    },
    Kind {
        kind: "AWS::EC2::Volume",
        namespace: "AWS/EBS",
        dimension: "VolumeId",
        metrics: &[
            ("VolumeReadOps", SUM),
            ("VolumeWriteOps", SUM),
            ("VolumeQueueLength", AVG_MAX),
            ("VolumeTotalReadTime", AVG),
            ("VolumeTotalWriteTime", AVG),
            ("VolumeIdleTime", AVG),
            ("BurstBalance", MIN),
            ("VolumeStalledIOCheck", MAX),
            ("VolumeIOPSExceededCheck", MAX),
            ("VolumeThroughputExceededCheck", MAX),
        ],
    },
    Kind {
        kind: "AWS::RDS::DBInstance",
        namespace: "AWS/RDS",
        dimension: "DBInstanceIdentifier",
        metrics: &[
            ("CPUUtilization", AVG_MAX),
            ("DatabaseConnections", AVG_MAX),
            ("FreeableMemory", MIN),
            ("FreeStorageSpace", MIN),
            ("FreeLocalStorage", MIN),
            ("SwapUsage", MAX),
            ("ReadLatency", AVG_P99),
            ("WriteLatency", AVG_P99),
            ("CommitLatency", AVG),
            ("SelectLatency", AVG),
            ("DMLLatency", AVG),
            ("ReadIOPS", AVG),
            ("WriteIOPS", AVG),
            ("DiskQueueDepth", AVG),
            ("BurstBalance", MIN),
            ("ReplicaLag", MAX),
            ("AuroraReplicaLag", MAX),
            ("Deadlocks", AVG),
            ("BlockedTransactions", AVG),
            ("DBLoad", AVG_MAX),
            ("DBLoadCPU", AVG),
            ("DBLoadNonCPU", AVG),
        ],
    },
    Kind {
        kind: "AWS::RDS::DBCluster",
        namespace: "AWS/RDS",
        dimension: "DBClusterIdentifier",
        metrics: &[
            ("ServerlessDatabaseCapacity", AVG),
            ("ACUUtilization", AVG_MAX),
            ("VolumeReadIOPs", SUM),
            ("VolumeWriteIOPs", SUM),
            ("AuroraReplicaLagMaximum", MAX),
        ],
    },
    Kind {
        kind: "AWS::DynamoDB::Table",
        namespace: "AWS/DynamoDB",
        dimension: "TableName",
        metrics: &[
            ("ConsumedReadCapacityUnits", SUM),
            ("ConsumedWriteCapacityUnits", SUM),
            ("ProvisionedReadCapacityUnits", AVG),
            ("ProvisionedWriteCapacityUnits", AVG),
            ("ReadThrottleEvents", SUM),
            ("WriteThrottleEvents", SUM),
            ("ThrottledRequests", SUM),
            ("SuccessfulRequestLatency", AVG_P99),
            ("SystemErrors", SUM),
            ("UserErrors", SUM),
            ("ConditionalCheckFailedRequests", SUM),
            ("TransactionConflict", SUM),
        ],
    },
    Kind {
        kind: "AWS::SQS::Queue",
        namespace: "AWS/SQS",
        dimension: "QueueName",
        metrics: &[
            ("ApproximateNumberOfMessagesVisible", AVG_MAX),
            ("ApproximateNumberOfMessagesNotVisible", AVG),
            ("ApproximateNumberOfMessagesDelayed", AVG),
            ("ApproximateAgeOfOldestMessage", MAX),
            ("NumberOfMessagesSent", SUM),
            ("NumberOfMessagesReceived", SUM),
            ("NumberOfMessagesDeleted", SUM),
            ("NumberOfEmptyReceives", SUM),
        ],
    },
    Kind {
        kind: "AWS::SNS::Topic",
        namespace: "AWS/SNS",
        dimension: "TopicName",
        metrics: &[
            ("NumberOfMessagesPublished", SUM),
            ("NumberOfNotificationsDelivered", SUM),
            ("NumberOfNotificationsFailed", SUM),
            ("NumberOfNotificationsRedrivenToDlq", SUM),
            ("NumberOfNotificationsFailedToRedriveToDlq", SUM),
        ],
    },
    Kind {
        kind: "AWS::Kinesis::Stream",
        namespace: "AWS/Kinesis",
        dimension: "StreamName",
        metrics: &[
            ("IncomingRecords", SUM),
            ("IncomingBytes", SUM),
            ("GetRecords.IteratorAgeMilliseconds", MAX),
            ("GetRecords.Latency", AVG),
            ("PutRecord.Success", AVG),
            ("PutRecords.ThrottledRecords", SUM),
            ("ReadProvisionedThroughputExceeded", SUM),
            ("WriteProvisionedThroughputExceeded", SUM),
        ],
    },
    Kind {
        kind: "AWS::ApiGateway::RestApi",
        namespace: "AWS/ApiGateway",
        dimension: "ApiName",
        metrics: &[
            ("Count", SUM),
            ("4XXError", SUM),
            ("5XXError", SUM),
            ("Latency", AVG_P99),
            ("IntegrationLatency", AVG_P99),
        ],
    },
    Kind {
        kind: "AWS::ApiGatewayV2::Api",
        namespace: "AWS/ApiGateway",
        dimension: "ApiId",
        metrics: &[
            ("Count", SUM),
            ("4xx", SUM),
            ("5xx", SUM),
            ("Latency", AVG_P99),
            ("IntegrationLatency", AVG_P99),
            ("IntegrationError", SUM),
        ],
    },
    Kind {
        kind: "AWS::ElasticLoadBalancingV2::LoadBalancer",
        namespace: "AWS/ApplicationELB",
        dimension: "LoadBalancer",
        metrics: &[
            ("RequestCount", SUM),
            ("TargetResponseTime", AVG_P99),
            ("HTTPCode_Target_2XX_Count", SUM),
            ("HTTPCode_Target_4XX_Count", SUM),
            ("HTTPCode_Target_5XX_Count", SUM),
            ("HTTPCode_ELB_5XX_Count", SUM),
            ("HTTPCode_ELB_502_Count", SUM),
            ("HTTPCode_ELB_503_Count", SUM),
            ("HTTPCode_ELB_504_Count", SUM),
            ("TargetConnectionErrorCount", SUM),
            ("RejectedConnectionCount", SUM),
            ("ActiveConnectionCount", SUM),
            ("HealthyHostCount", MIN),
            ("UnHealthyHostCount", MAX),
        ],
    },
    Kind {
        kind: "AWS::ElasticLoadBalancingV2::LoadBalancer",
        namespace: "AWS/NetworkELB",
        dimension: "LoadBalancer",
        metrics: &[
            ("NewFlowCount", SUM),
            ("ActiveFlowCount", AVG),
            ("ProcessedBytes", SUM),
            ("TCP_Client_Reset_Count", SUM),
            ("TCP_Target_Reset_Count", SUM),
            ("TCP_ELB_Reset_Count", SUM),
            ("PortAllocationErrorCount", SUM),
            ("HealthyHostCount", MIN),
            ("UnHealthyHostCount", MAX),
        ],
    },
    Kind {
        kind: "AWS::ElastiCache::CacheCluster",
        namespace: "AWS/ElastiCache",
        dimension: "CacheClusterId",
        metrics: &[
            ("CPUUtilization", AVG_MAX),
            ("EngineCPUUtilization", AVG_MAX),
            ("DatabaseMemoryUsagePercentage", MAX),
            ("FreeableMemory", MIN),
            ("SwapUsage", MAX),
            ("Evictions", SUM),
            ("CurrConnections", AVG_MAX),
            ("NewConnections", SUM),
            ("CacheHits", SUM),
            ("CacheMisses", SUM),
            ("ReplicationLag", MAX),
            ("SuccessfulReadRequestLatency", AVG),
            ("SuccessfulWriteRequestLatency", AVG),
        ],
    },
    Kind {
        kind: "AWS::OpenSearchService::Domain",
        namespace: "AWS/ES",
        dimension: "DomainName",
        metrics: &[
            ("ClusterStatus.red", MAX),
            ("ClusterStatus.yellow", MAX),
            ("ClusterIndexWritesBlocked", MAX),
            ("CPUUtilization", AVG_MAX),
            ("JVMMemoryPressure", MAX),
            ("FreeStorageSpace", MIN),
            ("SearchLatency", AVG),
            ("IndexingLatency", AVG),
            ("SearchRate", AVG),
            ("ThreadpoolSearchRejected", SUM),
            ("ThreadpoolWriteRejected", SUM),
            ("5xx", SUM),
            ("Nodes", MIN),
        ],
    },
    Kind {
        kind: "AWS::StepFunctions::StateMachine",
        namespace: "AWS/States",
        dimension: "StateMachineArn",
        metrics: &[
            ("ExecutionsStarted", SUM),
            ("ExecutionsSucceeded", SUM),
            ("ExecutionsFailed", SUM),
            ("ExecutionsTimedOut", SUM),
            ("ExecutionsAborted", SUM),
            ("ExecutionThrottled", SUM),
            ("ExecutionTime", AVG_P99),
        ],
    },
    Kind {
        kind: "AWS::S3::Bucket",
        namespace: "AWS/S3",
        dimension: "BucketName",
        metrics: &[
            ("AllRequests", SUM),
            ("4xxErrors", SUM),
            ("5xxErrors", SUM),
            ("FirstByteLatency", AVG_P99),
            ("TotalRequestLatency", AVG_P99),
        ],
    },
    Kind {
        kind: "AWS::CloudFront::Distribution",
        namespace: "AWS/CloudFront",
        dimension: "DistributionId",
        metrics: &[
            ("Requests", SUM),
            ("4xxErrorRate", AVG),
            ("5xxErrorRate", AVG),
            ("TotalErrorRate", AVG),
            ("OriginLatency", AVG_P99),
            ("CacheHitRate", AVG),
        ],
    },
    Kind {
        kind: "AWS::EC2::NatGateway",
        namespace: "AWS/NATGateway",
        dimension: "NatGatewayId",
        metrics: &[
            ("ErrorPortAllocation", SUM),
            ("PacketsDropCount", SUM),
            ("ConnectionAttemptCount", SUM),
            ("ConnectionEstablishedCount", SUM),
            ("ActiveConnectionCount", MAX),
            ("BytesOutToDestination", SUM),
            ("IdleTimeoutCount", SUM),
        ],
    },
    Kind {
        kind: "AWS::EFS::FileSystem",
        namespace: "AWS/EFS",
        dimension: "FileSystemId",
        metrics: &[
            ("PercentIOLimit", MAX),
            ("BurstCreditBalance", MIN),
            ("ClientConnections", SUM),
            ("TotalIOBytes", SUM),
        ],
    },
    Kind {
        kind: "AWS::ApplicationSignals::Service",
        namespace: "ApplicationSignals",
        dimension: "Service",
        metrics: &[("Latency", AVG_P99), ("Fault", SUM), ("Error", SUM), ("RequestCount", SUM)],
    },
];

/// Dimensions by which applications and agents name the service that a metric of their own namespace belongs to.
pub const SERVICE_DIMENSIONS: [&str; 5] =
    ["Service", "ServiceName", "FunctionName", "service.name", "service"];

/// The entries of a namespace.
pub fn of_namespace(namespace: &str) -> impl Iterator<Item = &'static Kind> {
    ALL.iter().filter(move |k| k.namespace == namespace)
}

/// The entries of a CloudFormation type.
pub fn of_kind(kind: &str) -> impl Iterator<Item = &'static Kind> {
    ALL.iter().filter(move |k| k.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_namespace_that_was_promised_is_there_and_no_metric_twice() {
        for namespace in [
            "AWS/Lambda",
            "AWS/ECS",
            "AWS/EC2",
            "AWS/EBS",
            "AWS/RDS",
            "AWS/DynamoDB",
            "AWS/SQS",
            "AWS/SNS",
            "AWS/Kinesis",
            "AWS/ApiGateway",
            "AWS/ApplicationELB",
            "AWS/NetworkELB",
            "AWS/ElastiCache",
            "AWS/ES",
            "AWS/States",
            "AWS/S3",
            "AWS/CloudFront",
            "AWS/NATGateway",
        ] {
            assert!(of_namespace(namespace).next().is_some(), "{namespace}");
        }
        for kind in ALL {
            let names: BTreeSet<_> = kind.metrics.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), kind.metrics.len(), "{} {}", kind.namespace, kind.dimension);
            assert!(kind.metrics.iter().all(|(_, stats)| !stats.is_empty()));
        }
    }
}
