//! A fake AWS for tests: speaks the wire protocols of CloudWatch (RPC v2 CBOR), Logs and CloudTrail (JSON 1.1) and X-Ray
//! (REST-JSON) to the real SDK clients, and serves what any incident bundle recorded. Fails on demand.

mod cloudwatch;
mod data;
mod faults;
mod json;
pub(crate) mod query;
mod xray;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_cloudwatch::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tantei::aws::client::{Aws, Timing};

pub(crate) use data::Data;
pub(crate) use faults::Fault;

/// What a request asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) operation: String,
    pub(crate) parameters: Value,
}

/// The state of the server.
#[derive(Debug)]
pub(crate) struct Fake {
    pub(crate) data: Data,
    asked: Mutex<Vec<Asked>>,
    faults: Mutex<BTreeMap<String, Fault>>,
    queries: Mutex<Vec<Value>>,
    /// Seconds by which its clock is off.
    pub(crate) skew_s: AtomicI64,
    url: String,
}

/// An answer before it is written: status and body, in JSON whatever the protocol.
pub(crate) type Answer = (StatusCode, Value);

impl Fake {
    /// A server of that bundle.
    pub(crate) async fn serve(bundle: &Path) -> Arc<Self> {
        Self::serve_data(Data::read(bundle)).await
    }

    pub(crate) async fn serve_data(data: Data) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fake = Arc::new(Self {
            data,
            asked: Mutex::default(),
            faults: Mutex::default(),
            queries: Mutex::default(),
            skew_s: AtomicI64::new(0),
            url,
        });
        let app = axum::Router::new().fallback(handle).with_state(Arc::clone(&fake));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        fake
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// From now on calls of that operation fail.
    pub(crate) fn fail(&self, operation: &str, fault: Fault) {
        self.faults.lock().unwrap().insert(operation.to_owned(), fault);
    }

    /// Calls of that operation succeed again.
    pub(crate) fn mend(&self, operation: &str) {
        self.faults.lock().unwrap().remove(operation);
    }

    /// What was asked so far.
    pub(crate) fn asked(&self, operation: &str) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|a| a.operation == operation).map(|a| a.parameters.clone()).collect()
    }

    /// Clients of this server.
    pub(crate) fn clients(&self, timing: Timing) -> Arc<Aws> {
        Arc::new(clients(&self.url, timing))
    }

    /// An answer with the fake's time.
    fn dated(&self) -> Response {
        use tantei::ports::Clock as _;
        let skew_s = self.skew_s.load(Ordering::Relaxed);
        let now = tantei::clock::SystemClock.now().plus_secs(skew_s);
        let now = jiff::Timestamp::from_second(now.secs()).unwrap();
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap();
        (StatusCode::OK, [("date", date)]).into_response()
    }

    fn answer(&self, operation: &str, parameters: &Value) -> Answer {
        let page = page(parameters);
        let nothing = |name: &str| {
            let asked = parameters.get(name).and_then(Value::as_str).unwrap_or_default();
            asked.starts_with("tantei-doctor") || asked.starts_with("00000000-")
        };
        if ["logGroupName", "queryId"].into_iter().any(nothing) {
            return not_found("ResourceNotFoundException");
        }
        let value = match operation {
            "ListMetrics" => cloudwatch::list_metrics(&self.data, parameters),
            "GetMetricData" => cloudwatch::get_metric_data(&self.data, parameters),
            "DescribeAlarms" => cloudwatch::describe_alarms(&self.data, parameters),
            "DescribeAlarmHistory" => cloudwatch::describe_alarm_history(&self.data, parameters),
            "DescribeLogGroups" => json::describe_log_groups(&self.data, parameters),
            "FilterLogEvents" => json::filter_log_events(&self.data, parameters, page),
            "StartQuery" => {
                if let Some(refused) = json::start_query(&self.data, parameters) {
                    return (StatusCode::BAD_REQUEST, refused);
                }
                let mut queries = self.queries.lock().unwrap();
                queries.push(parameters.clone());
                serde_json::json!({"queryId": format!("query-{}", queries.len() - 1)})
            }
            "GetQueryResults" => {
                let id = parameters["queryId"].as_str().unwrap().trim_start_matches("query-");
                let index: usize = id.parse().unwrap();
                let mut queries = self.queries.lock().unwrap();
                let looks = queries[index]["looks"].as_u64().unwrap_or(0);
                queries[index]["looks"] = (looks + 1).into();
                json::get_query_results(&self.data, &queries[index], looks, page)
            }
            "GetQueueAttributes" => {
                serde_json::json!({"Attributes": {"MessageRetentionPeriod": "345600", "RedrivePolicy": "{}"}})
            }
            "DeleteMessage" => return not_found("ReceiptHandleIsInvalid"),
            "StopQuery" => serde_json::json!({"success": true}),
            "LookupEvents" => json::lookup_events(&self.data, parameters, page),
            "DescribeInstanceInformation" => json::describe_instance_information(&self.data, parameters),
            "GetServiceGraph" => xray::service_graph(&self.data, parameters),
            "GetTraceSummaries" => xray::trace_summaries(&self.data, parameters, page),
            "BatchGetTraces" => xray::traces(&self.data, parameters),
            other => panic!("the fake does not know {other}"),
        };
        (StatusCode::OK, value)
    }
}

fn not_found(code: &str) -> Answer {
    (StatusCode::BAD_REQUEST, serde_json::json!({"__type": code, "message": "no such thing"}))
}

/// Clients of a server at this address.
pub(crate) fn clients(url: &str, timing: Timing) -> Aws {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let config = aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("ap-northeast-1"))
        .endpoint_url(url)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    Aws::new(config, timing)
}

/// The page that a token of ours asks for: `page-2`.
fn page(parameters: &Value) -> usize {
    let token = parameters.get("NextToken").or_else(|| parameters.get("nextToken")).and_then(Value::as_str);
    token.and_then(|t| t.strip_prefix("page-")).and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// One page of a list, and the token of the next.
fn paged(items: &[Value], page: usize, size: usize) -> (Vec<Value>, Option<String>) {
    let rest = items.len() > (page + 1) * size;
    let these = items.iter().skip(page * size).take(size).cloned().collect();
    (these, rest.then(|| format!("page-{}", page + 1)))
}

/// How an operation is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Cbor,
    Json,
    Rest,
}

async fn handle(State(fake): State<Arc<Fake>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
    if parts.method == "HEAD" {
        return fake.dated();
    }
    assert!(parts.headers.contains_key("authorization"), "requests are signed");
    let form = parts.headers.get("content-type").is_some_and(|t| t.as_bytes().ends_with(b"urlencoded"));
    if form {
        return query::answer(&fake, std::str::from_utf8(&body).unwrap());
    }
    let target = parts.headers.get("x-amz-target").map(|t| t.to_str().unwrap().to_owned());
    let path = parts.uri.path();
    let (protocol, operation) = match (path.rsplit_once("/operation/"), &target) {
        (Some((_, operation)), _) => {
            assert_eq!(parts.headers["smithy-protocol"], "rpc-v2-cbor");
            (Protocol::Cbor, operation.to_owned())
        }
        (None, Some(target)) => (Protocol::Json, target.rsplit('.').next().unwrap().to_owned()),
        (None, None) => {
            let operation = match path {
                "/ServiceGraph" => "GetServiceGraph",
                "/TraceSummaries" => "GetTraceSummaries",
                "/Traces" => "BatchGetTraces",
                other => panic!("nothing is at {other}"),
            };
            (Protocol::Rest, operation.to_owned())
        }
    };
    let parameters = match protocol {
        Protocol::Cbor => cloudwatch::decode(&body),
        Protocol::Json | Protocol::Rest => serde_json::from_slice(&body).unwrap(),
    };
    let asked = Asked { operation: operation.clone(), parameters: parameters.clone() };
    fake.asked.lock().unwrap().push(asked);
    let fault = fake.faults.lock().unwrap().get(&operation).copied();
    match fault {
        Some(fault) => {
            let answer = || fake.answer(&operation, &parameters);
            faults::respond(fault, protocol, &operation, &parameters, answer).await
        }
        None => write(protocol, fake.answer(&operation, &parameters)),
    }
}

/// The answer on the wire.
pub(crate) fn write(protocol: Protocol, (status, value): Answer) -> Response {
    let (kind, body) = encode(protocol, &value);
    let mut response = (status, body).into_response();
    response.headers_mut().insert("content-type", kind.parse().unwrap());
    if protocol == Protocol::Cbor {
        response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor".parse().unwrap());
    }
    response
}

pub(crate) fn encode(protocol: Protocol, value: &Value) -> (&'static str, Vec<u8>) {
    match protocol {
        Protocol::Cbor => ("application/cbor", cloudwatch::encode(value)),
        Protocol::Json => ("application/x-amz-json-1.1", value.to_string().into_bytes()),
        Protocol::Rest => ("application/json", value.to_string().into_bytes()),
    }
}
