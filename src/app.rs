//! Puts a running Tantei together from its settings: store, clock, collectors, service, HTTP.
//!
//! The only place that knows all parts. Decides nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tantei_engine::limits::Limits;
use tantei_engine::model::feed::Opened;
use tantei_engine::model::resource::ResourceId;
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::access::{self, Role, Token};
use crate::aws::client::{AssumedRole, Place};
use crate::aws::collector;
use crate::aws::evidence::AwsEvidence;
use crate::aws::sqs::SqsQueue;
use crate::aws::states::AwsAlarmStates;
use crate::bundle::collectors::BundleCollector;
use crate::clock::SystemClock;
use crate::config::Config;
pub use crate::driver::Settings;
use crate::driver::{Driver, Ports};
use crate::ports::{AlarmStates, Clock, Evidence, Observer, Queue};
use crate::redacting::{self, Redacting};
use crate::replay::Investigated;
use crate::service::{Parts, Service, subject_of};
use crate::store::Store;
use crate::{http, playbooks};

/// Work that is under way when the server is told to stop is given back by then.
const GRACE: Duration = Duration::from_secs(9);

/// Serves until it is told to stop. `listening` hears the address once alarms can come.
///
/// # Errors
/// When the store, the playbooks, a certificate or the address cannot be used.
pub async fn serve(
    config: Config,
    stop: CancellationToken,
    listening: impl FnOnce(SocketAddr),
) -> Result<()> {
    http::count();
    let store = open(&config).await?;
    let library = playbooks::in_force(config.playbooks.folder.as_deref())?;
    let settings = Settings {
        limits: Limits::default(),
        library: Arc::new(library),
        values: config.playbooks.settings.clone(),
    };
    let listen = config.http.listen;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let World { evidence, queue, states } = world(&config, &clock).await?;
    let service =
        Service::new(Parts { config, store: store.clone(), clock, evidence, queue, states, settings })?;
    let work = tokio::spawn({
        let (service, stop) = (service.clone(), stop.clone());
        async move { service.run(stop).await }
    });
    let served = http::serve(service, listen, stop.clone(), listening).await;
    stop.cancel();
    if tokio::time::timeout(GRACE, work).await.is_err() {
        tracing::warn!("work did not end in time; its leases end by themselves");
    }
    store.close().await;
    served
}

async fn open(config: &Config) -> Result<Store> {
    Store::open(&config.store.url).await.context("store.url")
}

/// What a running Tantei asks of the world.
struct World {
    evidence: Arc<dyn Evidence>,
    queue: Option<Arc<dyn Queue>>,
    states: Option<Arc<dyn AlarmStates>>,
}

async fn world(config: &Config, clock: &Arc<dyn Clock>) -> Result<World> {
    if let Some(folder) = &config.evidence.bundle {
        if !folder.is_dir() {
            bail!("evidence.bundle: {} is no folder", folder.display());
        }
        let evidence = Arc::new(BundleCollector::new(folder));
        return Ok(World { evidence, queue: None, states: None });
    }
    let evidence = aws_evidence(config, clock).await;
    let queue = config.sqs.queue_url.as_ref().map(|url| Arc::new(SqsQueue::new(evidence.here(), url)) as _);
    let states = config.aws.reconcile.then(|| Arc::new(AwsAlarmStates::new(evidence.here())) as _);
    Ok(World { evidence: Arc::new(evidence), queue, states })
}

async fn aws_evidence(config: &Config, clock: &Arc<dyn Clock>) -> AwsEvidence {
    let aws = &config.aws;
    let place = |region: Option<String>, role: Option<AssumedRole>| Place {
        region,
        role,
        endpoint: aws.endpoint.clone(),
    };
    let others: Vec<(String, Place)> = aws
        .places
        .iter()
        .map(|p| {
            let role = p.role_arn.clone().map(|arn| AssumedRole { arn, external_id: p.external_id.clone() });
            (p.account.clone(), place(Some(p.region.clone()), role))
        })
        .collect();
    let log_groups = aws.log_groups.iter().map(|(r, groups)| (ResourceId::new(r), groups.clone())).collect();
    let settings = collector::Settings {
        log_groups,
        log_bytes_max: aws.log_bytes_max,
        ..collector::Settings::default()
    };
    let here = place(aws.region.clone(), None);
    AwsEvidence::connect(&here, &others, Arc::clone(clock), settings).await
}

/// Investigates one alarm of AWS now, in this process and without a store. `alarm` is its name or ARN.
///
/// # Errors
/// When there is no such alarm, or CloudWatch cannot be asked for it. A failing source of evidence is a gap.
pub async fn investigate(
    config: &Config,
    alarm: &str,
    settings: Settings,
    observer: &mut dyn Observer,
) -> Result<Investigated> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let evidence = aws_evidence(config, &clock).await;
    let name = alarm.split_once(":alarm:").map_or(alarm, |(_, name)| name);
    let event = AwsAlarmStates::new(evidence.here()).named(name).await?;
    let now = clock.now();
    let about = subject_of(&event, &[], now);
    let library = Arc::clone(&settings.library);
    let collector = evidence.of(&about.alarm, Some(&about.resource));
    let redactor = Arc::new(redacting::redactor(config.redaction.key.as_deref())?);
    let ports = Ports {
        collector: Arc::new(Redacting::new(collector, redactor)),
        clock,
        journal: None,
        approver: None,
        automation: None,
    };
    let opened = Opened {
        investigation: format!("inv_{}", uuid::Uuid::now_v7().simple()),
        alarm: about.alarm,
        origin: Untrusted::new("CloudWatch"),
        tantei: env!("CARGO_PKG_VERSION").to_owned(),
        playbooks: playbooks::digest(&library),
    };
    let mut driver = Driver::new(ports, settings);
    driver.run(opened, observer).await?;
    Ok(Investigated::new(driver, library, event.arn))
}

/// Makes a token and stores its hash; the token itself is returned once.
///
/// # Errors
/// When the store cannot be used.
pub async fn make_token(
    config: &Config,
    name: &str,
    role: Role,
    days: Option<u32>,
) -> Result<(String, Token)> {
    let store = open(config).await?;
    let token = access::generate().context("the system gives no random numbers")?;
    let created_at = SystemClock.now();
    let expires_at: Option<Timestamp> = days.map(|d| created_at.plus_secs(i64::from(d) * 86_400));
    let known = Token { name: name.to_owned(), role, created_at, expires_at };
    store.add_token(&access::hash(&token), &known).await?;
    store.close().await;
    Ok((token, known))
}

/// Tokens that were not revoked.
///
/// # Errors
/// When the store cannot be used.
pub async fn tokens(config: &Config) -> Result<Vec<Token>> {
    let store = open(config).await?;
    let tokens = store.tokens().await?;
    store.close().await;
    Ok(tokens)
}

/// Revokes all tokens of a name; how many.
///
/// # Errors
/// When the store cannot be used.
pub async fn revoke_tokens(config: &Config, name: &str) -> Result<u64> {
    let store = open(config).await?;
    let revoked = store.revoke_tokens(name).await?;
    store.close().await;
    Ok(revoked)
}
