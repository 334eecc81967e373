//! A span and a count for every request: method, route and status, never what was asked or answered.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use crate::clock::Stopwatch;
use crate::telemetry::SPANS;

/// Around every answer.
pub(super) async fn request(request: Request, next: Next) -> Response {
    // The route, not the address: an address names things, and there would be no end of names.
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    // Whoever invents methods does not invent names of metrics.
    let known = ["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"];
    let method = known.into_iter().find(|m| *m == request.method().as_str()).unwrap_or("other");
    let span = tracing::info_span!(
        target: SPANS,
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        http.request.method = %method,
        http.route = %route,
        http.response.status_code = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
    );
    let watch = Stopwatch::start();
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16().to_string();
    metrics::histogram!("tantei_http_request_seconds", "route" => route.clone()).record(watch.elapsed());
    metrics::counter!("tantei_http_requests_total", "method" => method, "route" => route, "status" => status)
        .increment(1);
    span.record("http.response.status_code", response.status().as_u16());
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    response
}
