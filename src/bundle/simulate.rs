//! A simulated Automation port for demos: a recorded remedy stands for a run of the runbook that fits it.
//!
//! The recording of an incident may have a `recovery/` folder: what was really measured after the fault was really
//! undone. A run of the matching document on the resource that was repaired reveals it. Any other plan "succeeds"
//! and is followed by no recording, so that its effect is judged unknown. Nothing here calls AWS.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use serde::Deserialize;
use tantei_engine::model::alarm::Alarm;
use tantei_engine::model::execution::RunStatus;
use tantei_engine::model::gap::{Gap, GapReason};
use tantei_engine::model::query::Source;
use tantei_engine::model::suggestion::Plan;
use tantei_engine::model::telemetry::Batch;
use tantei_engine::model::time::{TimeSpan, Timestamp};

use super::collectors::BundleCollector;
use crate::clock::ReplayClock;
use crate::ports::{
    Aftermath, Automation, BoxFuture, CollectRequest, Collector, PortError, RunReport, RunStep,
};

/// `recovery/remediation.json`: what was really done, and until when its effect was recorded.
#[derive(Debug, Clone, Deserialize)]
pub struct Remediation {
    /// The resource that was repaired.
    pub resource: String,
    /// The document whose run it stands for.
    pub document: String,
    /// When it was done.
    pub at: Timestamp,
    /// Until when telemetry was recorded afterwards.
    pub recorded_until: Timestamp,
}

/// Replays the recorded remedy of one bundle.
#[derive(Debug)]
pub struct SimulatedAutomation {
    folder: PathBuf,
    alarm: Alarm,
    remediation: Remediation,
    clock: Arc<ReplayClock>,
}

impl SimulatedAutomation {
    /// Reads `recovery/remediation.json` of the bundle.
    ///
    /// # Errors
    /// When the bundle has no recorded remedy, or the file is malformed.
    pub fn open(bundle: &Path, alarm: Alarm, clock: Arc<ReplayClock>) -> Result<Self> {
        let folder = bundle.join("recovery");
        let path = folder.join("remediation.json");
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("`{}` cannot be read: the bundle has no recorded remedy", path.display())
        })?;
        let remediation = serde_json::from_str(&text)
            .with_context(|| format!("`{}` does not describe a remedy", path.display()))?;
        Ok(Self { folder, alarm, remediation, clock })
    }

    fn fits(&self, plan: &Plan) -> bool {
        let facts = plan.facts();
        let acts_on_it = facts.targets.iter().any(|t| t.as_str() == self.remediation.resource);
        acts_on_it && facts.document == self.remediation.document
    }

    /// A run takes from the recorded moment on; of another plan, from now on.
    fn started_at(&self, plan: &Plan) -> Timestamp {
        if self.fits(plan) { self.remediation.at } else { self.alarm.window.end }
    }

    async fn recorded(&self) -> Aftermath {
        let mut aftermath =
            Aftermath { until: Some(self.remediation.recorded_until), ..Aftermath::default() };
        let collector = BundleCollector::new(&self.folder);
        for source in [Source::Metrics, Source::Alarms] {
            let request = CollectRequest {
                source,
                alarm: self.alarm.clone(),
                window: TimeSpan::new(self.remediation.at, self.remediation.recorded_until),
                baseline: Vec::new(),
                onset: self.remediation.at,
                focus: Vec::new(),
            };
            let mut sink = |batch| match batch {
                Batch::Alarms(transitions) => aftermath.alarms.extend(transitions),
                batch @ (Batch::Metrics(_)
                | Batch::Topology { .. }
                | Batch::Logs(_)
                | Batch::Tallies(_)
                | Batch::Traces(_)
                | Batch::Links(_)
                | Batch::Changes(_)
                | Batch::Definitions(_)
                | Batch::Coverage(_)) => aftermath.batches.push(batch),
            };
            if let Ok(collection) = collector.collect(&request, &mut sink).await {
                aftermath.gaps.extend(collection.gaps);
            }
        }
        aftermath
    }
}

impl Automation for SimulatedAutomation {
    fn run<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, Result<RunReport, PortError>> {
        Box::pin(async move {
            let start = self.started_at(plan);
            let step = |name: &str, seconds: i64, status| RunStep {
                name: name.to_owned(),
                action: "simulated".to_owned(),
                status,
                at: start.plus_secs(seconds),
            };
            let steps = vec![
                step("CheckParameters", 0, RunStatus::Success),
                step("ApplyChange", 1, RunStatus::InProgress),
                step("ApplyChange", 3, RunStatus::Success),
                step("WaitUntilStable", 5, RunStatus::Success),
            ];
            let at = start.plus_secs(5);
            self.clock.advance(at);
            let run = format!("simulated-{}", plan.short_digest());
            Ok(RunReport { run, steps, status: RunStatus::Success, at })
        })
    }

    fn watch<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, Result<Aftermath, PortError>> {
        Box::pin(async move {
            if self.fits(plan) {
                self.clock.advance(self.remediation.recorded_until);
                return Ok(self.recorded().await);
            }
            let span = TimeSpan::new(self.alarm.window.end, self.alarm.window.end);
            let gap = Gap {
                resource: plan.facts().targets.first().cloned(),
                ..Gap::new(Source::Metrics, GapReason::Absent, span, "recovery")
            };
            Ok(Aftermath { gaps: vec![gap], ..Aftermath::default() })
        })
    }
}
