//! Where alarms come in. Each address has its own proof of who sent them: a signature, or a key.

use std::sync::Arc;

use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;

use super::problem::Problem;
use super::rates::{Client, Rates};
use crate::service::{ReceiveError, Received, Service, SnsHeaders};

/// What became of a delivery.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Answer {
    received: Received,
}

/// Takes an SNS message. 4xx is final for SNS, 5xx is tried again.
#[utoipa::path(post, path = "/v1/alarms/sns", request_body = String, responses(
    (status = 200, body = Answer), (status = 400, body = Problem), (status = 403, body = Problem),
    (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn sns(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Answer>, Problem> {
    let text = |name: &str| headers.get(name).and_then(|h| h.to_str().ok()).map(str::to_owned);
    let sns = SnsHeaders {
        message_type: text("x-amz-sns-message-type"),
        topic_arn: text("x-amz-sns-topic-arn"),
        message_id: text("x-amz-sns-message-id"),
        raw: text("x-amz-sns-rawdelivery").is_some_and(|v| v.eq_ignore_ascii_case("true")),
    };
    answer("sns", service.receive_sns(&body, &sns).await)
}

/// Takes an event of an EventBridge API destination.
#[utoipa::path(post, path = "/v1/alarms/eventbridge", request_body = String, responses(
    (status = 200, body = Answer), (status = 400, body = Problem), (status = 403, body = Problem),
    (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn eventbridge(
    State(service): State<Service>,
    Extension(rates): Extension<Arc<Rates>>,
    client: Option<Extension<Client>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Answer>, Problem> {
    let key = headers.get("x-api-key").and_then(|h| h.to_str().ok());
    let received = service.receive_eventbridge(&body, key).await;
    if let (Err(ReceiveError::UnknownKey), Some(Extension(Client(address)))) = (&received, client) {
        rates.wrong(address)?;
    }
    answer("eventbridge", received)
}

fn answer(source: &'static str, received: Result<Received, ReceiveError>) -> Result<Json<Answer>, Problem> {
    let outcome = match &received {
        Ok(_) => "taken",
        Err(ReceiveError::Unavailable(_)) => "unavailable",
        Err(_) => "refused",
    };
    metrics::counter!("tantei_deliveries_total", "source" => source, "outcome" => outcome).increment(1);
    match received {
        Ok(received) => Ok(Json(Answer { received })),
        Err(error) => {
            // As a value: it may quote what was sent, which must not begin a line of its own.
            tracing::warn!(source, error = error.to_string(), "a delivery was not taken");
            Err(error.into())
        }
    }
}
