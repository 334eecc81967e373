//! Whether it lives, whether it can take alarms, and its own metrics for Prometheus.

use std::sync::OnceLock;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::problem::Problem;
use crate::service::Service;

static PROMETHEUS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Begins to count. Called once at start; a second call changes nothing.
pub fn count() {
    PROMETHEUS.get_or_init(|| {
        let installed = PrometheusBuilder::new().install_recorder();
        installed.inspect_err(|e| tracing::warn!(error = %e, "metrics are not counted")).ok()
    });
}

/// It runs.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// Alarms can be acknowledged: the store answers.
pub(super) async fn ready(State(service): State<Service>) -> Result<&'static str, Problem> {
    service.ready().await?;
    Ok("ready\n")
}

/// Its own metrics.
pub(super) async fn metrics() -> impl IntoResponse {
    let text = PROMETHEUS.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
