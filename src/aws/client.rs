//! The clients of one account and Region, and the one way through which every call passes: queue, deadline, account
//! book, and one kind of error.
//!
//! Retries with jitter are the SDK's. What to call is decided elsewhere.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudwatch::config::SharedCredentialsProvider;
use aws_sdk_cloudwatch::error::{ProvideErrorMetadata, SdkError};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use super::apis::{Api, Price};
use super::changes::ChangeCache;
use super::errors;
use super::limiter::Limiter;
use super::spent::Ledger;
use crate::clock::Stopwatch;
use crate::ports::{PortError, PortErrorKind};
use crate::telemetry::SPANS;

/// Logs Insights queries that run at once: AWS allows 100 in an account, and people run some as well.
const LOG_QUERIES_MAX: usize = 30;

/// What the session of an assumed role is called: it appears in the account's CloudTrail.
const SESSION_NAME: &str = "tantei";

/// A role that is assumed to read another account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedRole {
    /// Its ARN.
    pub arn: String,
    /// What the account's owner agreed on, against confused deputies.
    pub external_id: Option<String>,
}

/// Which account and Region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The Region; that of the standard chain when absent.
    pub region: Option<String>,
    /// The role of another account; the credentials' own account when absent.
    pub role: Option<AssumedRole>,
    /// Where to send requests instead of AWS: a VPC endpoint, or a fake in tests.
    pub endpoint: Option<String>,
}

/// How long to wait and how often to try.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// Until a connection stands.
    pub connect: Duration,
    /// For one attempt.
    pub attempt: Duration,
    /// For one call with all its attempts, and time spent in the queue.
    pub call: Duration,
    /// Attempts of one call.
    pub attempts: u32,
    /// The first pause between attempts; it doubles, with jitter.
    pub backoff: Duration,
    /// For one source of one investigation.
    pub source: Duration,
    /// Between two looks at a query that still runs.
    pub poll: Duration,
    /// Rates are multiplied by this; 1 outside tests.
    pub speed: f64,
}

impl Default for Timing {
    /// A person waits for the answer: a source that has not answered within two minutes is a gap.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            attempt: Duration::from_secs(15),
            call: Duration::from_secs(45),
            attempts: 4,
            backoff: Duration::from_millis(300),
            source: Duration::from_secs(120),
            poll: Duration::from_millis(500),
            speed: 1.0,
        }
    }
}

/// Clients of one account and Region. One for all investigations: they share its quotas.
pub struct Aws {
    pub(super) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(super) logs: aws_sdk_cloudwatchlogs::Client,
    pub(super) cloudtrail: aws_sdk_cloudtrail::Client,
    pub(super) xray: aws_sdk_xray::Client,
    pub(super) sqs: aws_sdk_sqs::Client,
    pub(super) ssm: aws_sdk_ssm::Client,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) credentials: Option<SharedCredentialsProvider>,
    pub(super) endpoint: Option<String>,
    pub(super) timing: Timing,
    pub(super) change_cache: ChangeCache,
    pub(super) log_queries: Semaphore,
    limiter: Limiter,
    region: String,
    /// Of an assumed role; that of the credentials is not known without asking.
    account: String,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("region", &self.region)
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}

impl Aws {
    /// Clients with credentials of the standard chain. Calls nothing yet.
    pub async fn connect(place: &Place, timing: Timing) -> Self {
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(region) = &place.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(endpoint) = &place.endpoint {
            loader = loader.endpoint_url(endpoint.clone());
        }
        let mut config = loader.load().await;
        if let Some(role) = &place.role {
            let mut provider =
                AssumeRoleProvider::builder(&role.arn).session_name(SESSION_NAME).configure(&config);
            if let Some(id) = &role.external_id {
                provider = provider.external_id(id);
            }
            let provider = SharedCredentialsProvider::new(provider.build().await);
            config = config.into_builder().credentials_provider(provider).build();
        }
        let account = place.role.as_ref().and_then(|r| r.arn.split(':').nth(4)).unwrap_or_default();
        Self { account: account.to_owned(), ..Self::new(config, timing) }
    }

    /// Clients with this configuration; its timeouts and retries are replaced.
    #[must_use]
    pub fn new(config: SdkConfig, timing: Timing) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(timing.connect)
            .operation_attempt_timeout(timing.attempt)
            .operation_timeout(timing.call)
            .build();
        let retries =
            RetryConfig::standard().with_max_attempts(timing.attempts).with_initial_backoff(timing.backoff);
        let config = config.into_builder().timeout_config(timeouts).retry_config(retries).build();
        Self {
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            cloudtrail: aws_sdk_cloudtrail::Client::new(&config),
            xray: aws_sdk_xray::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            ssm: aws_sdk_ssm::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
            credentials: config.credentials_provider(),
            endpoint: config.endpoint_url().map(ToOwned::to_owned),
            timing,
            change_cache: ChangeCache::default(),
            log_queries: Semaphore::new(LOG_QUERIES_MAX),
            limiter: Limiter::new(timing.speed),
            region: config.region().map_or_else(String::new, ToString::to_string),
            account: String::new(),
        }
    }

    /// The Region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Makes a call that uses about so many chargeable units. Everything passes here.
    ///
    /// # Errors
    /// Whatever went wrong, as a sentence that names the permission where access was refused.
    pub async fn call<T, E, F>(
        &self,
        ledger: &Ledger,
        api: &'static Api,
        units: u64,
        request: F,
    ) -> Result<T, PortError>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let wait = self.limiter.reserve(api, self.timing.call).ok_or_else(|| errors::queue_too_long(api))?;
        tokio::time::sleep(wait).await;
        ledger.expect(api, units);
        let span = tracing::info_span!(
            target: SPANS,
            "aws call",
            otel.name = %format_args!("{}.{}", api.service, api.operation),
            otel.kind = "client",
            rpc.system = "aws-api",
            rpc.service = api.service,
            rpc.method = api.operation,
            cloud.region = self.region,
            cloud.account.id = self.account,
            otel.status_code = tracing::field::Empty,
            error.r#type = tracing::field::Empty,
        );
        let asked = tokio::time::timeout(self.timing.call, request).instrument(span.clone());
        let watch = Stopwatch::start();
        let outcome = match asked.await {
            Ok(outcome) => outcome.map_err(|e| errors::port_error(api, &e)),
            Err(_) => Err(errors::timeout(api)),
        };
        if let Err(e) = &outcome {
            span.record("otel.status_code", "ERROR").record("error.type", e.kind.name());
        }
        let ended = outcome.as_ref().map_or_else(|e| e.kind.name(), |_| "ok");
        let (service, operation) = (api.service, api.operation);
        metrics::counter!("tantei_aws_calls_total", "service" => service, "operation" => operation, "outcome" => ended)
            .increment(1);
        metrics::histogram!("tantei_aws_call_seconds", "service" => service, "operation" => operation)
            .record(watch.elapsed());
        match &outcome {
            // What is billed by the gigabyte is known from later answers only.
            Ok(_) if matches!(api.price, Price::PerGigabyte(_)) => {}
            Ok(_) => ledger.charge(api, units),
            Err(e) => {
                ledger.failed(api);
                if e.kind == PortErrorKind::Throttled {
                    self.limiter.throttled(api);
                }
            }
        }
        outcome
    }
}
