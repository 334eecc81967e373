//! The operations that are called: what each needs, how often it may be called, what it costs. Data, no calls.
//!
//! Rates are the defaults of AWS's quota pages as of November 2026, per account and Region; `../shared/reference/aws.md`
//! and `fixtures/apis.json` say where each comes from. Prices are of us-east-1 and only estimate.

/// Whose bill a call is on, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Price {
    /// Nothing.
    Free,
    /// So many millionths of a dollar per thousand units (metrics, requests, traces).
    PerThousand(u64),
    /// So many millionths of a dollar per gigabyte (10^9 bytes) read; known after the call only.
    PerGigabyte(u64),
}

impl Price {
    /// Millionths of a dollar for so many units, rounded up: an estimate that is too low is of no use.
    #[must_use]
    pub fn micro_usd(self, units: u64) -> u64 {
        match self {
            Self::Free => 0,
            Self::PerThousand(price) => units.saturating_mul(price).div_ceil(1_000),
            Self::PerGigabyte(price) => {
                let product = u128::from(units) * u128::from(price);
                u64::try_from(product.div_ceil(1_000_000_000)).unwrap_or(u64::MAX)
            }
        }
    }
}

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Api {
    /// The service as queries and gaps name it.
    pub service: &'static str,
    /// The operation.
    pub operation: &'static str,
    /// The permission it needs.
    pub action: &'static str,
    /// Calls a second that we allow ourselves in one account and Region, all investigations together.
    pub per_second: f64,
    /// What it costs.
    pub price: Price,
}

/// Series. The quota is 500 a second; other programs of the account need some of it, and data points are bounded too.
pub const GET_METRIC_DATA: Api = Api {
    service: "cloudwatch",
    operation: "GetMetricData",
    action: "cloudwatch:GetMetricData",
    per_second: 50.0,
    price: Price::PerThousand(10_000),
};

/// Messages of a queue. Standard queues have no quota that matters.
pub const RECEIVE_MESSAGE: Api = Api {
    service: "sqs",
    operation: "ReceiveMessage",
    action: "sqs:ReceiveMessage",
    per_second: 50.0,
    price: Price::PerThousand(400),
};

/// A message that is done with.
pub const DELETE_MESSAGE: Api = Api {
    service: "sqs",
    operation: "DeleteMessage",
    action: "sqs:DeleteMessage",
    per_second: 500.0,
    price: Price::PerThousand(400),
};

/// Which metrics there are. The quota is 25 a second.
pub const LIST_METRICS: Api = Api {
    service: "cloudwatch",
    operation: "ListMetrics",
    action: "cloudwatch:ListMetrics",
    per_second: 20.0,
    price: Price::PerThousand(10_000),
};

/// Alarms. The quota is 9 a second.
pub const DESCRIBE_ALARMS: Api = Api {
    service: "cloudwatch",
    operation: "DescribeAlarms",
    action: "cloudwatch:DescribeAlarms",
    per_second: 7.0,
    price: Price::PerThousand(10_000),
};

/// What alarms did. The quota is 20 a second.
pub const DESCRIBE_ALARM_HISTORY: Api = Api {
    service: "cloudwatch",
    operation: "DescribeAlarmHistory",
    action: "cloudwatch:DescribeAlarmHistory",
    per_second: 15.0,
    price: Price::PerThousand(10_000),
};

/// Which log groups there are. The quota is 10 a second.
pub const DESCRIBE_LOG_GROUPS: Api = Api {
    service: "logs",
    operation: "DescribeLogGroups",
    action: "logs:DescribeLogGroups",
    per_second: 8.0,
    price: Price::Free,
};

/// Starts a Logs Insights query. The quota is 10 a second; the bill is by bytes scanned.
pub const START_QUERY: Api = Api {
    service: "logs",
    operation: "StartQuery",
    action: "logs:StartQuery",
    per_second: 10.0,
    price: Price::PerGigabyte(5_000),
};

/// Asks for the state and the results of a query. The quota is 10 a second: polling is what uses it up.
pub const GET_QUERY_RESULTS: Api = Api {
    service: "logs",
    operation: "GetQueryResults",
    action: "logs:GetQueryResults",
    per_second: 10.0,
    price: Price::Free,
};

/// Ends a query, so that it scans no further.
pub const STOP_QUERY: Api = Api {
    service: "logs",
    operation: "StopQuery",
    action: "logs:StopQuery",
    per_second: 10.0,
    price: Price::Free,
};

/// Reads events one after the other. The quota is 25, 10 or 5 a second, by Region: the lowest holds everywhere.
pub const FILTER_LOG_EVENTS: Api = Api {
    service: "logs",
    operation: "FilterLogEvents",
    action: "logs:FilterLogEvents",
    per_second: 5.0,
    price: Price::Free,
};

/// Changes. The quota is 2 a second for the whole account and Region, and cannot be raised.
pub const LOOKUP_EVENTS: Api = Api {
    service: "cloudtrail",
    operation: "LookupEvents",
    action: "cloudtrail:LookupEvents",
    per_second: 2.0,
    price: Price::Free,
};

/// Who calls whom. No quota is published; the service answers with throttling, so it is asked politely.
pub const GET_SERVICE_GRAPH: Api = Api {
    service: "xray",
    operation: "GetServiceGraph",
    action: "xray:GetServiceGraph",
    per_second: 5.0,
    price: Price::Free,
};

/// Which traces there are; billed by traces scanned.
pub const GET_TRACE_SUMMARIES: Api = Api {
    service: "xray",
    operation: "GetTraceSummaries",
    action: "xray:GetTraceSummaries",
    per_second: 5.0,
    price: Price::PerThousand(500),
};

/// Whole traces; billed by traces retrieved.
pub const BATCH_GET_TRACES: Api = Api {
    service: "xray",
    operation: "BatchGetTraces",
    action: "xray:BatchGetTraces",
    per_second: 10.0,
    price: Price::PerThousand(500),
};

/// Which instances Systems Manager manages. No quota is published.
pub const DESCRIBE_INSTANCE_INFORMATION: Api = Api {
    service: "ssm",
    operation: "DescribeInstanceInformation",
    action: "ssm:DescribeInstanceInformation",
    per_second: 5.0,
    price: Price::Free,
};

/// Every operation that is called: what `doctor` tests and what the shipped policy allows.
pub const ALL: [&Api; 14] = [
    &GET_METRIC_DATA,
    &LIST_METRICS,
    &DESCRIBE_ALARMS,
    &DESCRIBE_ALARM_HISTORY,
    &DESCRIBE_LOG_GROUPS,
    &START_QUERY,
    &GET_QUERY_RESULTS,
    &STOP_QUERY,
    &FILTER_LOG_EVENTS,
    &LOOKUP_EVENTS,
    &GET_SERVICE_GRAPH,
    &GET_TRACE_SUMMARIES,
    &BATCH_GET_TRACES,
    &DESCRIBE_INSTANCE_INFORMATION,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_only_reads_and_names_its_permission() {
        for api in ALL {
            let (service, operation) = api.action.split_once(':').unwrap();
            assert_eq!((service, operation), (api.service, api.operation));
            let reads = ["Get", "List", "Describe", "Lookup", "Filter", "BatchGet"]
                .iter()
                .any(|p| operation.starts_with(p));
            // A query that was started and stopped changes nothing but the bill.
            assert!(reads || ["StartQuery", "StopQuery"].contains(&operation), "{operation}");
            assert!(api.per_second > 0.0);
        }
    }

    #[test]
    fn prices_are_rounded_up() {
        assert_eq!(GET_METRIC_DATA.price.micro_usd(1), 10);
        assert_eq!(GET_METRIC_DATA.price.micro_usd(500), 5_000);
        assert_eq!(START_QUERY.price.micro_usd(1), 1);
        assert_eq!(START_QUERY.price.micro_usd(1_000_000_000), 5_000);
        assert_eq!(START_QUERY.price.micro_usd(u64::MAX), 92_233_720_368_548);
        assert_eq!(LOOKUP_EVENTS.price.micro_usd(1_000), 0);
    }
}
