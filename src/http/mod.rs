//! The HTTP interface under `/v1`: thin over [`crate::service`]. Parses, asks, answers; decides nothing.

mod alarms;
mod auth;
mod bundle;
mod connection;
mod health;
mod investigations;
mod openapi;
mod problem;
mod process;
mod rates;
mod silences;
mod stream;
mod traced;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state, map_request, map_response};
use axum::routing::{delete, get, post};
use tantei_engine::limits::INTAKE_BODY_BYTES_MAX;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

use crate::service::Service;

pub use health::{COUNTERS, GAUGES, HISTOGRAMS, count};
pub use openapi::document;

/// An answer takes at most this long: SNS gives up after 15 seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(12);

/// What is under way when the server is told to stop may take this long.
const GRACE: Duration = Duration::from_secs(8);

/// All routes.
pub fn router(service: Service) -> Router {
    let rates = Arc::new(rates::Rates::new(service.http_config()));
    let alarms = Router::new()
        .route("/v1/alarms/sns", post(alarms::sns))
        .route("/v1/alarms/eventbridge", post(alarms::eventbridge))
        .route_layer(from_fn_with_state(Arc::clone(&rates), rates::alarms));
    let answered = alarms
        .route("/v1/investigations", get(investigations::list).post(investigations::start))
        .route("/v1/investigations/{id}", get(investigations::get))
        .route("/v1/investigations/{id}/feed", get(investigations::feed))
        .route("/v1/investigations/{id}/report", get(investigations::report))
        .route("/v1/investigations/{id}/end", post(investigations::end))
        .route("/v1/investigations/{id}/reopen", post(investigations::reopen))
        .route("/v1/investigations/{id}/merge", post(investigations::merge))
        .route("/v1/investigations/{id}/split", post(investigations::split))
        .route("/v1/investigations/{id}/notes", post(investigations::note))
        .route("/v1/investigations/{id}/items/{item}/{decision}", post(investigations::decide))
        .route("/v1/silences", get(silences::list).post(silences::add))
        .route("/v1/silences/{id}", delete(silences::end))
        .route("/v1/openapi.json", get(openapi::serve))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, ANSWER_TIMEOUT));
    answered
        // A stream has no end: it is not under the time limit of answers.
        .route("/v1/investigations/{id}/feed/stream", get(stream::feed))
        // Reading takes minutes, and the answer begins before.
        .route("/v1/investigations/{id}/bundle", get(bundle::bundle))
        .layer(DefaultBodyLimit::max(INTAKE_BODY_BYTES_MAX))
        .fallback(problem::no_route)
        .layer(map_request(problem::plain_only))
        .layer(map_response(problem::as_problem))
        .layer(from_fn_with_state(rates, rates::who))
        .layer(from_fn(traced::request))
        .with_state(service)
}

/// Listens and answers until it is told to stop, then lets what is under way end.
///
/// # Errors
/// When the address cannot be listened at.
pub async fn serve(
    service: Service,
    listen: SocketAddr,
    stop: CancellationToken,
    listening: impl FnOnce(SocketAddr),
) -> Result<()> {
    let socket = tokio::net::TcpListener::bind(listen)
        .await
        .with_context(|| format!("http.listen: {listen} cannot be listened at"))?;
    listening(socket.local_addr()?);
    let stopping = stop.clone();
    let app = router(service).into_make_service_with_connect_info::<connection::Peer>();
    let server = axum::serve(connection::Patient::new(socket), app)
        .with_graceful_shutdown(async move { stopping.cancelled().await });
    let forced = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = server => served.context("the server has ended"),
        () = forced => Ok(()),
    }
}
