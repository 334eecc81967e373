//! Tests what Tantei needs before an alarm does: settings, credentials, permissions, subscriptions, store, clock.
//!
//! Changes nothing anywhere. Says facts by key: the words for them are in `words/`.

mod access;
mod deliveries;
mod local;

use serde::Serialize;
use tantei_engine::model::time::Timestamp;

use crate::aws::client::Place;
use crate::clock::SystemClock;
use crate::config::{Config, ConfigErrors};
use crate::ports::Clock as _;

pub use access::policy;

/// What is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// The settings.
    Settings,
    /// Where feeds are kept.
    Store,
    /// This machine's time.
    Clock,
    /// Who we are for AWS, in each account and Region.
    Credentials,
    /// What we may do there.
    Permission,
    /// Where alarms come from.
    Delivery,
    /// The language model.
    Model,
}

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Works, but should be looked at.
    Warning,
    /// Must be mended.
    Problem,
    /// Could not be, or need not be, tested.
    Skipped,
}

/// One thing that was tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Of which kind.
    pub topic: Topic,
    /// What exactly: a file, an account and Region, an operation.
    pub subject: String,
    /// How it is.
    pub status: Status,
    /// The sentence that says so, and what to do.
    pub says: &'static str,
    /// What the sentence names.
    pub with: Vec<(&'static str, String)>,
    /// The permission that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

impl Check {
    fn new(topic: Topic, subject: impl Into<String>, status: Status, says: &'static str) -> Self {
        Self { topic, subject: subject.into(), status, says, with: Vec::new(), missing: None }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.with.push((name, value.into()));
        self
    }
}

/// Everything that was found, and what finding it out cost.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    /// In the order in which it was tested.
    pub checks: Vec<Check>,
    /// Millionths of a dollar, at list price.
    pub micro_usd: u64,
}

impl Findings {
    /// Whether something must be mended.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.checks.iter().any(|c| c.status == Status::Problem)
    }
}

/// Where to look.
#[derive(Debug)]
pub struct Places {
    /// The credentials' own account and Region.
    pub here: Place,
    /// Others: account and place.
    pub others: Vec<(String, Place)>,
}

/// Hears of every check as it ends, and of what is under way.
pub trait Told {
    /// Something is being tested, and may take seconds.
    fn begins(&mut self, what: &str);

    /// Something was tested.
    fn checked(&mut self, check: &Check);
}

struct Collected<'a> {
    findings: Findings,
    told: &'a mut dyn Told,
}

impl Collected<'_> {
    fn begins(&mut self, what: &str) {
        self.told.begins(what);
    }

    fn add(&mut self, check: Check) {
        self.told.checked(&check);
        self.findings.checks.push(check);
    }
}

/// What is wrong with settings that cannot be used; nothing else can be tested then.
#[must_use]
pub fn unusable(errors: &ConfigErrors, told: &mut dyn Told) -> Findings {
    let mut found = Collected { findings: Findings::default(), told };
    for problem in &errors.0 {
        let check = Check::new(Topic::Settings, "settings", Status::Problem, "doctor-settings-wrong");
        found.add(check.with("what", problem.clone()));
    }
    found.add(Check::new(Topic::Settings, "settings", Status::Skipped, "doctor-rest-skipped"));
    found.findings
}

/// Tests everything that these settings need.
pub async fn run(config: &Config, places: &Places, told: &mut dyn Told) -> Findings {
    let mut found = Collected { findings: Findings::default(), told };
    found.add(Check::new(Topic::Settings, "settings", Status::Ok, "doctor-settings-fine"));
    local::store(config, &mut found).await;
    if config.evidence.bundle.is_some() {
        found.add(Check::new(Topic::Credentials, "evidence.bundle", Status::Skipped, "doctor-no-aws"));
    } else {
        access::aws(config, places, &mut found).await;
    }
    found.add(Check::new(Topic::Model, "bedrock", Status::Skipped, "doctor-model-skipped"));
    found.findings
}

fn now() -> Timestamp {
    SystemClock.now()
}
