//! Traces of Tantei itself over OpenTelemetry's protocol: which request, step and call took how long and how it ended;
//! never what was asked or answered. Off unless an endpoint is set; then nothing of this runs.
//!
//! Sent by the HTTP client that is there already, on the runtime that is there already.

use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context, Result};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

/// The target of spans that are for traces: logs leave them out.
pub const SPANS: &str = "tantei_spans";

/// For one delivery to the collector.
const PATIENCE: Duration = Duration::from_secs(10);

/// For what is not delivered yet when the server stops.
const FLUSH: Duration = Duration::from_secs(2);

/// Bytes of a collector's answer that are read: it says how many spans it took.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Spans on their way. Ended by [`Traces::end`].
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Sends to the collector at this base URL (`/v1/traces` is added).
    ///
    /// # Errors
    /// When the URL or the HTTP client cannot be used.
    pub fn to(endpoint: &str, runtime: Handle) -> Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("the HTTP client cannot be made")?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender { client, runtime })
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .with_timeout(PATIENCE)
            .build()
            .context("telemetry.otlp_endpoint")?;
        let resource = Resource::builder()
            .with_service_name("tantei")
            .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        Ok(Self(provider))
    }

    /// What makes spans of our own into OpenTelemetry's.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'s> LookupSpan<'s>,
    {
        let only_spans = tracing_subscriber::filter::Targets::new().with_target(SPANS, tracing::Level::INFO);
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("tantei"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(only_spans)
    }

    /// Delivers what is left, and stops. Blocks for at most two seconds: not to be called on the runtime.
    pub fn end(self) {
        if let Err(error) = self.0.shutdown_with_timeout(FLUSH) {
            tracing::warn!(%error, "the last traces could not be delivered");
        }
    }
}

/// The batches are made on a thread of their own, which has no runtime: the delivery is spawned on ours.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: Handle,
}

impl HttpClient for Sender {
    fn send_bytes<'s, 'f>(
        &'s self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        let client = self.client.clone();
        let sent = self.runtime.spawn(deliver(client, request));
        Box::pin(async move { sent.await? })
    }
}

async fn deliver(client: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let mut answer = client.execute(request.try_into()?).await?;
    let status = answer.status();
    let headers = std::mem::take(answer.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            break;
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
