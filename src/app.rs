//! Puts a running Tantei together from its settings: store, clock, collectors, service, HTTP.
//!
//! The only place that knows all parts. Decides nothing.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tantei_engine::intake::subject::Subject;
use tantei_engine::limits::Limits;
use tantei_engine::model::feed::{FeedItem, Opened};
use tantei_engine::model::resource::ResourceId;
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::access::{self, Role, Token};
use crate::aws::change_event::Ignored;
use crate::aws::client::{AssumedRole, Place};
use crate::aws::collector;
use crate::aws::evidence::AwsEvidence;
use crate::aws::sqs::SqsQueue;
use crate::aws::states::AwsAlarmStates;
use crate::bundle::collectors::BundleCollector;
use crate::bundle::recording::Recording;
use crate::bundle::write::{About, BundleWriter};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::doctor::{self, Findings, Places, Told};
pub use crate::driver::Settings;
use crate::driver::{Driver, Ports};
use crate::ports::{AlarmStates, Clock, Collector, Evidence, Observer, Queue};
use crate::record::{self, Subject as Recorded};
use crate::redacting::{self, Redacting};
use crate::replay::Investigated;
use crate::service::{Parts, Service, Wish, subject_of};
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
    states: Vec<Arc<dyn AlarmStates>>,
}

async fn world(config: &Config, clock: &Arc<dyn Clock>) -> Result<World> {
    if let Some(folder) = &config.evidence.bundle {
        if !folder.is_dir() {
            bail!("evidence.bundle: {} is no folder", folder.display());
        }
        let evidence = Arc::new(BundleCollector::new(folder));
        return Ok(World { evidence, queue: None, states: Vec::new() });
    }
    let evidence = aws_evidence(config, clock).await;
    let queue = config.sqs.queue_url.as_ref().map(|url| Arc::new(SqsQueue::new(evidence.here(), url)) as _);
    let asked = evidence.all().into_iter().filter(|_| config.aws.reconcile);
    let states = asked.map(|aws| Arc::new(AwsAlarmStates::new(aws)) as _).collect();
    Ok(World { evidence: Arc::new(evidence), queue, states })
}

/// The accounts and Regions that the settings name.
fn places(config: &Config) -> doctor::Places {
    let aws = &config.aws;
    let place = |region: Option<String>, role: Option<AssumedRole>| Place {
        region,
        role,
        endpoint: aws.endpoint.clone(),
    };
    let others = aws.places.iter().map(|p| {
        let role = p.role_arn.clone().map(|arn| AssumedRole { arn, external_id: p.external_id.clone() });
        (p.account.clone(), place(Some(p.region.clone()), role))
    });
    doctor::Places { here: place(aws.region.clone(), None), others: others.collect() }
}

async fn aws_evidence(config: &Config, clock: &Arc<dyn Clock>) -> AwsEvidence {
    let aws = &config.aws;
    let log_groups = aws.log_groups.iter().map(|(r, groups)| (ResourceId::new(r), groups.clone())).collect();
    let settings = collector::Settings {
        log_groups,
        log_bytes_max: aws.log_bytes_max,
        ignored: Ignored {
            services: aws.ignored_changes.services.clone(),
            events: aws.ignored_changes.events.clone(),
            principals: aws.ignored_changes.principals.clone(),
            sessions: aws.ignored_changes.sessions.clone(),
        },
        ..collector::Settings::default()
    };
    let Places { here, others } = places(config);
    AwsEvidence::connect(&here, &others, Arc::clone(clock), settings).await
}

/// Tests everything that these settings need.
pub async fn doctor(config: &Config, told: &mut dyn Told) -> Findings {
    doctor::run(config, &places(config), told).await
}

/// Investigates now what somebody wants of AWS, in this process and without a store. What is read is written as a
/// bundle to `record`.
///
/// # Errors
/// When it is not clear what is wanted, there is no such alarm, CloudWatch cannot be asked for it, or the bundle cannot be
/// written. A failing source of evidence is a gap.
pub async fn investigate(
    config: &Config,
    wish: &Wish,
    settings: Settings,
    observer: &mut dyn Observer,
    record: Option<&Path>,
) -> Result<Investigated> {
    let writer = record.map(BundleWriter::create).transpose()?.map(Arc::new);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let evidence = aws_evidence(config, &clock).await;
    let now = clock.now();
    let (about, origin) = wanted(wish, &AwsAlarmStates::new(evidence.here()), now).await?;
    let library = Arc::clone(&settings.library);
    let collector = evidence.of(&about.alarm, Some(&about.resource));
    let redactor = Arc::new(redacting::redactor(config.redaction.key.as_deref())?);
    let collector: Arc<dyn Collector> = Arc::new(Redacting::new(collector, redactor));
    let ports = Ports {
        collector: match &writer {
            Some(writer) => Arc::new(Recording::new(collector, Arc::clone(writer))),
            None => collector,
        },
        clock: Arc::clone(&clock),
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
    if let (Some(writer), Some(opened)) = (writer, &driver.state().opened) {
        let (id, origin) = (opened.investigation.as_str(), opened.origin.raw());
        writer.finish(&About { id, origin, known: &[], at: clock.now(), feed: driver.feed() })?;
    }
    Ok(Investigated::new(driver, library, origin))
}

/// What the wish is about, and where that comes from.
async fn wanted(wish: &Wish, states: &AwsAlarmStates, now: Timestamp) -> Result<(Subject, String)> {
    let mut known = Vec::new();
    if let Some(name) = wish.alarm_name() {
        let event = states.named(name).await?;
        if wish.at.is_none() {
            return Ok((subject_of(&event, &[], now), event.arn));
        }
        known.push(event);
    } else if wish.text.is_some() {
        known = states.known().await?;
    }
    let start = wish.resolve(&known, now)?;
    Ok((start.subject("by hand", now).1, "by hand".to_owned()))
}

/// The feed of an investigation, straight from the store.
///
/// # Errors
/// When the store cannot be used, or there is no such investigation.
pub async fn feed(config: &Config, id: &str) -> Result<Vec<FeedItem>> {
    let store = open(config).await?;
    let feed = store.feed(id, 0).await?;
    store.close().await;
    if feed.is_empty() {
        bail!("there is no investigation `{id}` in the store that the settings name");
    }
    Ok(feed)
}

/// Reads the telemetry of an investigation again, with the credentials of this process, and writes it as a bundle.
///
/// # Errors
/// When the feed is none, or the bundle cannot be written. A failing source is a gap.
pub async fn record(
    config: &Config,
    feed: Vec<FeedItem>,
    settings: Settings,
    target: &Path,
    observer: &mut dyn Observer,
) -> Result<record::Outcome> {
    let subject = Recorded::of_feed(feed)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let evidence = world(config, &clock).await?.evidence;
    let redactor = Arc::new(redacting::redactor(config.redaction.key.as_deref())?);
    let collector = Arc::new(Redacting::new(subject.collector(evidence.as_ref()), redactor));
    subject.record(collector, settings, clock.as_ref(), target, observer).await
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
