//! Replays a bundle through the whole pipeline: the one way in for `investigate`, `evaluate` and `demo`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tantei_engine::investigation::State;
use tantei_engine::limits::Limits;
use tantei_engine::model::feed::{FeedItem, Opened, canonical_digest};
use tantei_engine::model::query::Source;
use tantei_engine::model::time::{TimeSpan, Timestamp};
use tantei_engine::playbook::matching::Library;
use tantei_engine::redaction::Redactor;

use crate::bundle::archive;
use crate::bundle::collectors::BundleCollector;
use crate::bundle::manifest::{self, Manifest};
use crate::bundle::simulate::SimulatedAutomation;
use crate::clock::ReplayClock;
use crate::driver::{Driver, Ports, Settings};
use crate::playbooks;
use crate::ports::{Approver, Automation, Clock, Observer};
use crate::redacting::Redacting;

/// How to replay.
#[derive(Debug, Default)]
pub struct Options {
    /// Playbooks; the shipped ones when absent.
    pub library: Option<Arc<Library>>,
    /// Values that playbooks may take by name.
    pub values: BTreeMap<String, String>,
    /// Replay what was known at these times, one round each, in order; all of the window when empty.
    pub at: Vec<Timestamp>,
    /// Who approves; nobody when absent.
    pub approver: Option<Arc<dyn Approver>>,
    /// Whether approved plans are run by the simulation.
    pub simulate: bool,
}

/// An observer that tells nobody.
#[derive(Debug)]
pub struct Silent;

impl Observer for Silent {
    fn appended(&mut self, _: &FeedItem, _: &State) {}

    fn progress(&mut self, _: Source, _: u64) {}
}

/// A finished investigation, replayed or live.
#[derive(Debug)]
pub struct Investigated {
    driver: Driver,
    library: Arc<Library>,
    id: String,
}

impl Investigated {
    pub(crate) fn new(driver: Driver, library: Arc<Library>, id: String) -> Self {
        Self { driver, library, id }
    }

    /// The state at its end.
    #[must_use]
    pub fn state(&self) -> &State {
        self.driver.state()
    }

    /// The feed.
    #[must_use]
    pub fn feed(&self) -> &[FeedItem] {
        self.driver.feed()
    }

    /// The playbooks that were in force.
    #[must_use]
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// The bundle's own identifier, or the alarm's ARN.
    #[must_use]
    pub fn id(&self) -> String {
        self.id.clone()
    }
}

/// Replays the bundle in `folder`, which may be an archive of one.
///
/// # Errors
/// When the manifest is unusable, `at` lies outside the window, or a shipped playbook is broken. Broken data files are
/// gaps in the feed, not errors.
pub fn replay(folder: &Path, options: &Options, observer: &mut dyn Observer) -> Result<Investigated> {
    let bundle = archive::open(folder)?;
    let folder = bundle.folder();
    let whole = manifest::read(folder)?;
    let mut times = options.at.clone();
    times.sort_unstable();
    times.dedup();
    let mut rounds =
        times.iter().map(|at| as_known_at(whole.clone(), *at)).collect::<Result<Vec<_>>>()?.into_iter();
    let manifest = rounds.next().unwrap_or(whole);
    let library = match &options.library {
        Some(library) => Arc::clone(library),
        None => Arc::new(playbooks::shipped()?),
    };
    let clock = Arc::new(ReplayClock::new(manifest.alarm.window.end));
    let automation: Option<Arc<dyn Automation>> = if options.simulate {
        let alarm = manifest.alarm.clone();
        Some(Arc::new(SimulatedAutomation::open(folder, alarm, Arc::clone(&clock))?))
    } else {
        None
    };
    // The recording's own name is the key: a replay gives the same feed every time, and who has the feed has the recording.
    let redactor = Arc::new(Redactor::new(manifest.id.as_bytes()));
    let ports = Ports {
        collector: Arc::new(Redacting::new(Arc::new(BundleCollector::new(folder)), redactor)),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        journal: None,
        approver: options.approver.clone(),
        automation,
    };
    let settings =
        Settings { limits: Limits::default(), library: Arc::clone(&library), values: options.values.clone() };
    let opened = Opened {
        investigation: investigation_id(&manifest),
        alarm: manifest.alarm.clone(),
        origin: manifest.origin.clone(),
        tantei: env!("CARGO_PKG_VERSION").to_owned(),
        playbooks: playbooks::digest(&library),
    };
    let mut driver = Driver::new(ports, settings);
    // Local files need no threads; one keeps the order of everything fixed.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .context("the asynchronous runtime cannot start")?;
    runtime.block_on(async {
        driver.run(opened, observer).await?;
        for round in rounds {
            clock.advance(round.alarm.window.end);
            driver.look_again(round.alarm.window, round.alarm.baseline, observer).await?;
        }
        anyhow::Ok(())
    })?;
    Ok(Investigated::new(driver, library, manifest.id))
}

/// The same bundle always gives the same identifier, so that replays are identical.
fn investigation_id(manifest: &Manifest) -> String {
    let digest = canonical_digest(&(&manifest.id, &manifest.alarm));
    format!("inv_{}", digest.get(..16).unwrap_or(&digest))
}

/// The manifest as it would have been at `at`: nothing later than that is looked at.
fn as_known_at(mut manifest: Manifest, at: Timestamp) -> Result<Manifest> {
    let alarm = &mut manifest.alarm;
    if at < alarm.at || at > alarm.window.end {
        bail!(
            "--at {at} lies outside the incident: the alarm fired at {} and the recording ends at {}",
            alarm.at,
            alarm.window.end
        );
    }
    alarm.window = TimeSpan::new(alarm.window.start, at);
    alarm.baseline = alarm
        .baseline
        .iter()
        .map(|b| TimeSpan::new(b.start, b.end.min(at)))
        .filter(|b| b.secs() > 0)
        .collect();
    Ok(manifest)
}
