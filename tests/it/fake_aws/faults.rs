//! The ways in which a call goes wrong.

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::{Answer, Protocol, encode, write};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Throttle,
    Status500,
    Status503,
    Hang,
    ResetMidBody,
    BadBody,
    AccessDenied,
    ExpiredToken,
    ClockSkew,
    /// The first page is fine, the second fails.
    PartialPage,
    /// Every page offers the same token.
    RepeatedToken,
    /// The call succeeds and says that the query failed.
    QueryFailed,
    /// The query never ends.
    NeverEnds,
    /// The call succeeds, and the last of its queries was refused.
    OneForbidden,
}

impl Fault {
    pub(crate) const ALL: [Self; 12] = [
        Self::Throttle,
        Self::Status500,
        Self::Status503,
        Self::Hang,
        Self::ResetMidBody,
        Self::BadBody,
        Self::AccessDenied,
        Self::ExpiredToken,
        Self::ClockSkew,
        Self::PartialPage,
        Self::RepeatedToken,
        Self::QueryFailed,
    ];

    /// Whether the operation can fail so.
    pub(crate) fn fits(self, operation: &str) -> bool {
        match self {
            Self::PartialPage | Self::RepeatedToken => operation != "StartQuery",
            Self::QueryFailed => ["GetQueryResults", "GetMetricData"].contains(&operation),
            _ => true,
        }
    }
}

pub(crate) async fn respond(
    fault: Fault,
    protocol: Protocol,
    operation: &str,
    parameters: &Value,
    answer: impl Fn() -> Answer,
) -> Response {
    let failed = |status: u16, code: &str, message: &str| {
        let status = StatusCode::from_u16(status).unwrap();
        let mut response = write(protocol, (status, json!({"__type": code, "message": message})));
        response.headers_mut().insert("x-amzn-errortype", code.parse().unwrap());
        response
    };
    let token = token_name(protocol, operation);
    match fault {
        Fault::Throttle if protocol == Protocol::Rest => failed(429, "ThrottledException", "Rate exceeded"),
        Fault::Throttle => failed(400, "ThrottlingException", "Rate exceeded"),
        Fault::Status500 => failed(500, "InternalFailure", "oops"),
        Fault::Status503 => failed(503, "ServiceUnavailable", "later"),
        Fault::Hang => std::future::pending().await,
        Fault::ResetMidBody => half(protocol, &answer().1),
        Fault::BadBody => {
            let mut response = Response::new(Body::from("<html>It works!</html>"));
            response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor".parse().unwrap());
            response
        }
        Fault::AccessDenied => failed(400, "AccessDeniedException", &denied(operation)),
        Fault::ExpiredToken => {
            failed(400, "ExpiredTokenException", "The security token included in the request is expired")
        }
        Fault::ClockSkew => failed(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        Fault::PartialPage if parameters.get(token).is_some() => failed(500, "InternalFailure", "oops"),
        Fault::PartialPage | Fault::RepeatedToken => {
            let (status, mut value) = answer();
            if value.get("status").is_none_or(|s| s == "Complete") {
                value[token] = "the-same-token".into();
            }
            write(protocol, (status, value))
        }
        Fault::QueryFailed => {
            let (status, mut value) = answer();
            if let Some(results) = value.get_mut("MetricDataResults").and_then(Value::as_array_mut) {
                results.iter_mut().for_each(|r| r["StatusCode"] = "InternalError".into());
            } else {
                value["status"] = "Failed".into();
                value["results"] = json!([]);
            }
            write(protocol, (status, value))
        }
        Fault::OneForbidden => {
            let (status, mut value) = answer();
            let last = value["MetricDataResults"].as_array_mut().unwrap().last_mut().unwrap();
            *last = json!({"Id": last["Id"], "StatusCode": "Forbidden", "Timestamps": [], "Values": [],
                           "Messages": [{"Code": "Forbidden", "Value": "Access denied to account 444455556666"}]});
            write(protocol, (status, value))
        }
        Fault::NeverEnds => {
            let (status, mut value) = answer();
            value["status"] = "Running".into();
            value["results"] = json!([]);
            write(protocol, (status, value))
        }
    }
}

/// Half of the answer, and then the connection breaks.
fn half(protocol: Protocol, answer: &Value) -> Response {
    let (kind, body) = encode(protocol, answer);
    let half = Bytes::from(body[..body.len() / 2].to_vec());
    let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let stream = tokio_stream::iter([Ok(half), Err(reset)]);
    let mut response = Response::new(Body::from_stream(stream));
    response.headers_mut().insert("content-type", kind.parse().unwrap());
    response.headers_mut().insert("content-length", body.len().into());
    response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor".parse().unwrap());
    response
}

/// How the operation spells its token.
fn token_name(protocol: Protocol, operation: &str) -> &'static str {
    let capital = ["LookupEvents", "DescribeInstanceInformation"].contains(&operation);
    if protocol == Protocol::Json && !capital { "nextToken" } else { "NextToken" }
}

fn denied(operation: &str) -> String {
    format!(
        "User: arn:aws:sts::111122223333:assumed-role/investigator/x is not authorized to perform: svc:{operation} on \
         resource: arn:aws:svc:ap-northeast-1:111122223333:thing because no identity-based policy allows the \
         svc:{operation} action"
    )
}
