//! Whether it lives, whether it can take alarms, and its own metrics for Prometheus.

use std::sync::OnceLock;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::problem::Problem;
use crate::clock::SystemClock;
use crate::ports::Clock as _;
use crate::service::{Pulse, Service};

static PROMETHEUS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Begins to count. Called once at start; a second call changes nothing.
pub fn count() {
    PROMETHEUS.get_or_init(|| {
        let installed = PrometheusBuilder::new().install_recorder();
        let installed = installed.inspect_err(|e| tracing::warn!(error = %e, "metrics are not counted")).ok();
        metrics::gauge!("tantei_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
        metrics::gauge!("process_start_time_seconds").set(SystemClock.now().secs() as f64);
        describe();
        installed
    });
}

/// What each one means, told with it. `docs/metrics.md` lists them; a test compares.
fn describe() {
    for (name, help) in GAUGES {
        metrics::describe_gauge!(name, help);
    }
    for (name, help) in COUNTERS {
        metrics::describe_counter!(name, help);
    }
    for (name, help) in HISTOGRAMS {
        metrics::describe_histogram!(name, help);
    }
}

/// What there is.
pub const GAUGES: [(&str, &str); 11] = [
    ("tantei_build_info", "The version that runs; always 1."),
    ("tantei_store_up", "Whether the store answered just now."),
    ("tantei_inbox_waiting", "Deliveries that wait for triage, on all nodes."),
    ("tantei_inbox_lag_seconds", "How long the oldest of them has waited."),
    ("tantei_investigations", "Investigations that are kept, by status."),
    ("tantei_work_due", "Investigations with work that nobody has claimed."),
    ("tantei_leases", "Investigations and roles that some node holds."),
    ("process_start_time_seconds", "When this process started."),
    ("process_resident_memory_bytes", "Memory that it holds."),
    ("process_open_fds", "Files and connections that it has open."),
    ("process_cpu_seconds_total", "Processor time that it used."),
];

/// What happened on this node since it started.
pub const COUNTERS: [(&str, &str); 9] = [
    ("tantei_deliveries_total", "Alarms that were delivered over HTTP, by source and outcome."),
    ("tantei_http_requests_total", "Answers, by method, route and status."),
    (
        "tantei_aws_calls_total",
        "Calls of AWS, by operation and outcome; the SDK's own retries are not counted.",
    ),
    (
        "tantei_aws_charged_units_total",
        "Units that AWS bills (metrics, requests, traces, bytes), by operation.",
    ),
    ("tantei_aws_charged_micro_usd_total", "Their list price in millionths of a dollar."),
    ("tantei_collected_records_total", "Records of telemetry that were read, by source."),
    ("tantei_gaps_total", "What could not be seen, by source and reason."),
    ("tantei_feed_items_total", "Items that were appended to feeds, by kind."),
    ("tantei_work_failures_total", "Times that work on an investigation was given up for now."),
];

/// How long things took on this node.
pub const HISTOGRAMS: [(&str, &str); 3] = [
    ("tantei_http_request_seconds", "Time until an answer began, by route."),
    ("tantei_aws_call_seconds", "Time of a call of AWS with its retries, by operation."),
    ("tantei_collect_seconds", "Time for reading one source of one investigation."),
];

/// It runs.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// Alarms can be acknowledged: the store answers.
pub(super) async fn ready(State(service): State<Service>) -> Result<&'static str, Problem> {
    service.ready().await?;
    Ok("ready\n")
}

/// Its own metrics. What lies in the store is the same on every node; the rest is this node's.
pub(super) async fn metrics(State(service): State<Service>) -> impl IntoResponse {
    let up = match service.pulse().await {
        Ok(pulse) => {
            set(&pulse);
            1.0
        }
        Err(_) => 0.0,
    };
    metrics::gauge!("tantei_store_up").set(up);
    super::process::measure();
    let text = PROMETHEUS.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

fn set(pulse: &Pulse) {
    #[expect(clippy::cast_precision_loss, reason = "counts and microseconds of waiting stay below 2^53")]
    let value = |n: i64| n as f64;
    metrics::gauge!("tantei_inbox_waiting").set(value(pulse.waiting));
    metrics::gauge!("tantei_inbox_lag_seconds").set(value(pulse.lag_us) / 1e6);
    metrics::gauge!("tantei_investigations", "status" => "open").set(value(pulse.open));
    metrics::gauge!("tantei_investigations", "status" => "ended").set(value(pulse.ended));
    metrics::gauge!("tantei_work_due").set(value(pulse.due));
    metrics::gauge!("tantei_leases", "kind" => "investigation").set(value(pulse.leased));
    metrics::gauge!("tantei_leases", "kind" => "role").set(value(pulse.roles));
}
