//! Records an investigation as a bundle: its telemetry is read again, over the time of its last round, and written while
//! it is analysed. Tantei stores no telemetry, so what the source no longer keeps is missing, and the bundle says so.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tantei_engine::investigation::{State, ranking};
use tantei_engine::model::alarm::Alarm;
use tantei_engine::model::feed::{Body, FeedItem, Opened};
use tantei_engine::model::resource::Resource;
use tantei_engine::model::text::Untrusted;

use crate::bundle::recording::Recording;
use crate::bundle::write::{About, BundleWriter};
use crate::clock::ReplayClock;
use crate::driver::{Driver, Ports, Settings};
use crate::playbooks;
use crate::ports::{Clock, Collector, Evidence, Observer};
use crate::replay::Investigated;

/// An investigation that is to be recorded.
#[derive(Debug)]
pub struct Subject {
    id: String,
    origin: Untrusted,
    alarm: Alarm,
    resource: Option<Resource>,
    state: State,
    feed: Vec<FeedItem>,
}

/// What was recorded.
#[derive(Debug)]
pub struct Outcome {
    /// The investigation of what was read now.
    pub investigated: Investigated,
    /// Whether it names the same first cause as the investigation did; `None` where there was none before.
    pub same_cause: Option<bool>,
}

impl Subject {
    /// The investigation that this feed is.
    ///
    /// # Errors
    /// When it is no feed, or nothing of it could be collected.
    pub fn of_feed(feed: Vec<FeedItem>) -> Result<Self> {
        let mut state = State::default();
        for item in &feed {
            state.apply(item).with_context(|| format!("item `{}` does not follow", item.id))?;
        }
        let opened = state.opened.clone().context("the feed does not begin with an opening")?;
        // The alarm as the last round looked at it.
        let alarm = state.scope().context("nothing is investigated yet")?.alarm;
        if alarm.resource.as_str().is_empty() {
            bail!("the investigation names no resource: a bundle of it could not be replayed");
        }
        let first = feed.iter().find_map(|i| if let Body::Topology(t) = &i.body { Some(t) } else { None });
        let resource = first.and_then(|t| t.resources.first()).cloned();
        Ok(Self { id: opened.investigation, origin: opened.origin, alarm, resource, state, feed })
    }

    /// The collector that reads what the investigation read.
    #[must_use]
    pub fn collector(&self, evidence: &dyn Evidence) -> Arc<dyn Collector> {
        evidence.of(&self.alarm, self.resource.as_ref())
    }

    /// Reads its telemetry again and writes the bundle at `target`.
    ///
    /// # Errors
    /// When the bundle cannot be written. A failing source is a gap, in the bundle as well.
    pub async fn record(
        self,
        collector: Arc<dyn Collector>,
        settings: Settings,
        clock: &dyn Clock,
        target: &Path,
        observer: &mut dyn Observer,
    ) -> Result<Outcome> {
        let writer = Arc::new(BundleWriter::create(target)?);
        let library = Arc::clone(&settings.library);
        let ports = Ports {
            collector: Arc::new(Recording::new(collector, Arc::clone(&writer))),
            // The end of the last round: no further one is due, whatever the time is now.
            clock: Arc::new(ReplayClock::new(self.alarm.window.end)),
            journal: None,
            approver: None,
            automation: None,
        };
        let opened = Opened {
            investigation: self.id.clone(),
            alarm: self.alarm.clone(),
            origin: self.origin.clone(),
            tantei: env!("CARGO_PKG_VERSION").to_owned(),
            playbooks: playbooks::digest(&library),
        };
        let mut driver = Driver::new(ports, settings);
        driver.run(opened, observer).await?;
        let known: Vec<Resource> = self.resource.into_iter().collect();
        let (id, origin) = (self.id.as_str(), self.origin.raw());
        let about = About { id, origin, known: &known, at: clock.now(), feed: &self.feed };
        writer.finish(&about)?;
        let lead = |state: &State| ranking(state).candidates.first().map(|c| c.resource.clone());
        let same_cause = self.state.concluded.is_some().then(|| lead(&self.state) == lead(driver.state()));
        Ok(Outcome { investigated: Investigated::new(driver, library, self.id), same_cause })
    }
}
