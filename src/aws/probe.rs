//! Tries every operation once, in the cheapest way there is: what needs the name of something is asked for what does not
//! exist, so that "there is no such thing" means that it is allowed. Reads nothing of anybody and changes nothing.
//!
//! CloudWatch bills its four reads by the request: together they cost less than a hundredth of a cent. What is billed by
//! what it finds is asked for nothing.

use std::time::Duration;

use aws_sdk_cloudwatch::types::{HistoryItemType, Metric, MetricDataQuery, MetricStat};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_sdk_ssm::types::InstanceInformationStringFilter;
use tantei_engine::model::time::Timestamp;

use super::apis::{self, Api, Price};
use super::client::Aws;
use super::reading::date;
use super::spent::Ledger;
use crate::ports::{PortError, PortErrorKind};

/// What does not exist anywhere: a log group, an alarm, a metric.
const NOTHING: &str = "tantei-doctor/does-not-exist";

/// A query that does not exist.
const NO_QUERY: &str = "00000000-0000-0000-0000-000000000000";

/// A trace that does not exist: of 1970.
const NO_TRACE: &str = "1-00000001-000000000000000000000000";

/// Who the credentials are. Needs no permission.
pub const GET_CALLER_IDENTITY: Api = Api {
    service: "sts",
    operation: "GetCallerIdentity",
    action: "sts:GetCallerIdentity",
    per_second: 10.0,
    price: Price::Free,
};

/// How a queue is set up. Only `doctor` asks.
pub const GET_QUEUE_ATTRIBUTES: Api = Api {
    service: "sqs",
    operation: "GetQueueAttributes",
    action: "sqs:GetQueueAttributes",
    per_second: 10.0,
    price: Price::PerThousand(400),
};

/// Account and ARN of the credentials.
///
/// # Errors
/// When there are none, they do not hold, or the role cannot be assumed.
pub async fn identity(aws: &Aws, ledger: &Ledger) -> Result<(String, String), PortError> {
    let answer = aws.call(ledger, &GET_CALLER_IDENTITY, 1, aws.sts.get_caller_identity().send()).await?;
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    Ok((text(answer.account()), text(answer.arn())))
}

/// Whether an operation is allowed; `None` when there is no harmless way to find out.
///
/// # Errors
/// Why it is not, or why that cannot be said.
pub async fn permission(
    aws: &Aws,
    ledger: &Ledger,
    api: &'static Api,
    now: Timestamp,
) -> Option<Result<(), PortError>> {
    let outcome = match api.service {
        "cloudwatch" => cloudwatch(aws, ledger, api, now).await,
        "logs" => logs(aws, ledger, api, now).await,
        "xray" => xray(aws, ledger, api, now).await,
        _ => others(aws, ledger, api, now).await,
    }?;
    Some(match outcome {
        Err(e) if e.kind == PortErrorKind::NotFound => Ok(()),
        other => other,
    })
}

async fn cloudwatch(
    aws: &Aws,
    ledger: &Ledger,
    api: &'static Api,
    now: Timestamp,
) -> Option<Result<(), PortError>> {
    let client = &aws.cloudwatch;
    Some(match api.operation {
        "GetMetricData" => {
            let metric = Metric::builder().namespace("Tantei").metric_name(NOTHING).build();
            let stat = MetricStat::builder().metric(metric).period(60).stat("Average").build();
            let query = MetricDataQuery::builder().id("m0").metric_stat(stat).build();
            let request = client
                .get_metric_data()
                .metric_data_queries(query)
                .start_time(date(now.plus_secs(-60)))
                .end_time(date(now));
            aws.call(ledger, api, 1, request.send()).await.map(drop)
        }
        "ListMetrics" => {
            let request = client.list_metrics().namespace("Tantei").metric_name(NOTHING);
            aws.call(ledger, api, 1, request.send()).await.map(drop)
        }
        "DescribeAlarms" => {
            let request = client.describe_alarms().alarm_names(NOTHING);
            aws.call(ledger, api, 1, request.send()).await.map(drop)
        }
        "DescribeAlarmHistory" => {
            let request = client
                .describe_alarm_history()
                .alarm_name(NOTHING)
                .history_item_type(HistoryItemType::StateUpdate)
                .start_date(date(now.plus_secs(-60)))
                .end_date(date(now));
            aws.call(ledger, api, 1, request.send()).await.map(drop)
        }
        _ => return None,
    })
}

async fn logs(
    aws: &Aws,
    ledger: &Ledger,
    api: &'static Api,
    now: Timestamp,
) -> Option<Result<(), PortError>> {
    let client = &aws.logs;
    Some(match api.operation {
        "DescribeLogGroups" => {
            let request = client.describe_log_groups().log_group_name_prefix(NOTHING).limit(1);
            aws.call(ledger, api, 1, request.send()).await.map(drop)
        }
        "StartQuery" => {
            let request = client
                .start_query()
                .log_group_name(NOTHING)
                .query_string("fields @timestamp | limit 1")
                .start_time(now.secs() - 1)
                .end_time(now.secs());
            aws.call(ledger, api, 0, request.send()).await.map(drop)
        }
        "GetQueryResults" => {
            let request = client.get_query_results().query_id(NO_QUERY);
            aws.call(ledger, api, 1, request.send()).await.map(drop)
        }
        "StopQuery" => {
            let request = client.stop_query().query_id(NO_QUERY);
            aws.call(ledger, api, 1, request.send()).await.map(drop)
        }
        "FilterLogEvents" => {
            let (start, end) = (now.plus_secs(-1).micros() / 1_000, now.micros() / 1_000);
            let request =
                client.filter_log_events().log_group_name(NOTHING).start_time(start).end_time(end).limit(1);
            aws.call(ledger, api, 1, request.send()).await.map(drop)
        }
        _ => return None,
    })
}

async fn xray(
    aws: &Aws,
    ledger: &Ledger,
    api: &'static Api,
    now: Timestamp,
) -> Option<Result<(), PortError>> {
    let client = &aws.xray;
    let (start, end) = (date(now.plus_secs(-1)), date(now));
    Some(match api.operation {
        "GetServiceGraph" => {
            let request = client.get_service_graph().start_time(start).end_time(end);
            aws.call(ledger, api, 1, request.send()).await.map(drop)
        }
        "GetTraceSummaries" => {
            let filter = format!("service(\"{NOTHING}\")");
            let request =
                client.get_trace_summaries().start_time(start).end_time(end).filter_expression(filter);
            aws.call(ledger, api, 0, request.send()).await.map(drop)
        }
        "BatchGetTraces" => {
            let request = client.batch_get_traces().trace_ids(NO_TRACE);
            aws.call(ledger, api, 0, request.send()).await.map(drop)
        }
        _ => return None,
    })
}

async fn others(
    aws: &Aws,
    ledger: &Ledger,
    api: &'static Api,
    now: Timestamp,
) -> Option<Result<(), PortError>> {
    Some(match api.action {
        "cloudtrail:LookupEvents" => {
            let (start, end) = (date(now.plus_secs(-1)), date(now));
            let request = aws.cloudtrail.lookup_events().max_results(1).start_time(start).end_time(end);
            aws.call(ledger, api, 1, request.send()).await.map(drop)
        }
        "ssm:DescribeInstanceInformation" => {
            let filter = InstanceInformationStringFilter::builder()
                .key("InstanceIds")
                .values("i-00000000000000000")
                .build()
                .ok()?;
            let request = aws.ssm.describe_instance_information().filters(filter);
            aws.call(ledger, api, 1, request.send()).await.map(drop)
        }
        _ => return None,
    })
}

/// How the queue is set up: whether what cannot be taken is put aside, and for how long messages are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueFacts {
    /// A queue for what comes back again and again.
    pub dead_letters: bool,
    /// How long messages are kept.
    pub kept: Duration,
}

/// How a queue is set up. Receives nothing: a message that was received too often is put aside.
///
/// # Errors
/// When it cannot be asked.
pub async fn queue(aws: &Aws, ledger: &Ledger, url: &str) -> Result<QueueFacts, PortError> {
    let request = aws.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
    let answer = aws.call(ledger, &GET_QUEUE_ATTRIBUTES, 1, request.send()).await?;
    let get = |name| answer.attributes().and_then(|a| a.get(&name)).cloned();
    let kept = get(QueueAttributeName::MessageRetentionPeriod).and_then(|s| s.parse().ok());
    Ok(QueueFacts {
        dead_letters: get(QueueAttributeName::RedrivePolicy).is_some(),
        kept: Duration::from_secs(kept.unwrap_or_default()),
    })
}

/// Whether messages of the queue may be deleted: with a receipt that is none.
///
/// # Errors
/// When it is not, or cannot be said.
pub async fn deletion(aws: &Aws, ledger: &Ledger, url: &str) -> Result<(), PortError> {
    let request = aws.sqs.delete_message().queue_url(url).receipt_handle(NOTHING);
    match aws.call(ledger, &apis::DELETE_MESSAGE, 1, request.send()).await {
        // The receipt was looked at: the permission was there.
        Err(e) if [PortErrorKind::NotFound, PortErrorKind::Invalid].contains(&e.kind) => Ok(()),
        other => other.map(drop),
    }
}
