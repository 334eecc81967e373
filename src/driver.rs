//! The dull loop: asks the engine what to do, does it through a port, appends what came out.
//!
//! Decides nothing. What a port is missing for stays undone: an investigation without an approver waits.

mod measured;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tantei_engine::investigation::{
    Action, Digest, Reading, Revised, State, authorise, further_round, propose, revise, step,
};
use tantei_engine::limits::Limits;
use tantei_engine::model::alarm::AlarmTransition;
use tantei_engine::model::execution::{Approval, Execution, Refusal, RunEvent};
use tantei_engine::model::feed::{
    Body, Collected, FeedItem, Matched, NewItem, Opened, Principal, RoundReason, Usage,
};
use tantei_engine::model::id::ItemId;
use tantei_engine::model::observation::{Observation, Signal};
use tantei_engine::model::query::Source;
use tantei_engine::model::suggestion::Plan;
use tantei_engine::model::telemetry::{Batch, Series};
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::{TimeSpan, Timestamp};
use tantei_engine::playbook::matching::{Case, Library, suggest};
use tantei_engine::recovery;
use tracing::Instrument as _;

use crate::clock::Stopwatch;
use crate::ports::{
    Aftermath, Approver, Automation, Clock, CollectRequest, Collection, Collector, Journal, JournalError,
    Observer,
};

/// Others that may append first while an item is appended: people click, they do not click a hundred times.
const CONFLICTS_MAX: usize = 100;

/// Everything the loop needs of the world.
#[derive(Debug, Clone)]
pub struct Ports {
    /// Reads telemetry.
    pub collector: Arc<dyn Collector>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Keeps the feed; without it the feed lives as long as the driver.
    pub journal: Option<Arc<dyn Journal>>,
    /// Asks people; without it plans wait.
    pub approver: Option<Arc<dyn Approver>>,
    /// Runs plans; without it nothing is executed.
    pub automation: Option<Arc<dyn Automation>>,
}

/// What an operator sets.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Bounds.
    pub limits: Limits,
    /// Playbooks in force.
    pub library: Arc<Library>,
    /// Values that playbooks may take by name, such as the role that Automation assumes.
    pub values: BTreeMap<String, String>,
}

/// One investigation being driven.
#[derive(Debug)]
pub struct Driver {
    ports: Ports,
    settings: Settings,
    state: State,
    feed: Vec<FeedItem>,
}

impl Driver {
    /// A driver with an empty feed.
    #[must_use]
    pub fn new(ports: Ports, settings: Settings) -> Self {
        Self { ports, settings, state: State::default(), feed: Vec::new() }
    }

    /// The state so far.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The feed so far.
    #[must_use]
    pub fn feed(&self) -> &[FeedItem] {
        &self.feed
    }

    /// A driver that goes on with a kept feed.
    ///
    /// # Errors
    /// When an item does not follow the one before.
    pub fn resume(ports: Ports, settings: Settings, feed: Vec<FeedItem>) -> Result<Self> {
        let mut driver = Self::new(ports, settings);
        driver.adopt(feed)?;
        Ok(driver)
    }

    /// Takes over items that are kept already.
    fn adopt(&mut self, items: Vec<FeedItem>) -> Result<()> {
        for item in items {
            self.state.apply(&item).with_context(|| format!("item `{}` does not follow", item.id))?;
            self.feed.push(item);
        }
        Ok(())
    }

    /// Opens the investigation and goes on until there is nothing to do but wait.
    ///
    /// # Errors
    /// When an item cannot be appended. A failing source is a gap, not an error.
    pub async fn run(&mut self, opened: Opened, observer: &mut dyn Observer) -> Result<()> {
        let at = opened.alarm.at;
        self.append(at, Principal::tantei("intake"), Vec::new(), Body::Opened(opened), observer).await?;
        self.go_on(observer).await
    }

    /// Reads every source again over this time and goes on from there.
    ///
    /// # Errors
    /// When an item cannot be appended.
    pub async fn look_again(
        &mut self,
        window: TimeSpan,
        baseline: Vec<TimeSpan>,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let now = self.ports.clock.now();
        let round = further_round(&self.state, now, window, baseline, RoundReason::Asked);
        self.append_item(round, observer).await?;
        self.go_on(observer).await
    }

    /// Does what is to be done, until there is nothing to do but wait.
    ///
    /// # Errors
    /// When an item cannot be appended.
    pub async fn go_on(&mut self, observer: &mut dyn Observer) -> Result<()> {
        loop {
            self.catch_up(observer).await?;
            let actions = step(&self.state, self.ports.clock.now(), &self.settings.limits);
            let before = self.feed.len();
            for action in actions {
                let span = measured::span(&action);
                self.perform(action, observer).instrument(span).await?;
            }
            // Nothing could be done: a port is missing, or nobody answered.
            if self.feed.len() == before {
                return Ok(());
            }
        }
    }

    async fn perform(&mut self, action: Action, observer: &mut dyn Observer) -> Result<()> {
        match action {
            Action::Record(items) => self.append_all(items, observer).await,
            Action::Collect(source) => self.collect(source, observer).await,
            Action::Suggest => self.suggest(observer).await,
            Action::AskApproval(suggestion) => self.ask(suggestion, observer).await,
            Action::Execute(suggestion) => self.execute(suggestion, observer).await,
            Action::JudgeRecovery(suggestion) => self.judge(suggestion, observer).await,
        }
    }

    async fn collect(&mut self, source: Source, observer: &mut dyn Observer) -> Result<()> {
        let scope = self.state.scope().context("nothing is investigated yet")?;
        let request = CollectRequest {
            source,
            alarm: scope.alarm.clone(),
            window: scope.alarm.window,
            baseline: scope.alarm.baseline.clone(),
            onset: scope.onset,
            focus: self.state.round.as_ref().map(|round| round.focus.clone()).unwrap_or_default(),
        };
        let collector = Arc::clone(&self.ports.collector);
        let mut digest = Digest::new(source, &scope, &self.settings.limits);
        let outcome = {
            let mut records = 0;
            let mut sink = |batch: Batch| {
                records += batch.records();
                observer.progress(source, records);
                digest.push(batch);
            };
            let watch = Stopwatch::start();
            let outcome = collector.collect(&request, &mut sink).await;
            metrics::histogram!("tantei_collect_seconds", "source" => source.name()).record(watch.elapsed());
            outcome
        };
        let (collection, failure, reading) = match outcome {
            Ok(collection) => (collection, None, Reading::Whole),
            Err(e) => (Collection::default(), Some(e.gap(source, request.window)), Reading::Broken),
        };
        let now = self.ports.clock.now();
        let by = Principal::Collector { source };
        let own = |body| NewItem { happened_at: now, by: by.clone(), because: Vec::new(), body };
        let gaps = collection.gaps.iter().cloned().chain(failure).map(Body::Gap).map(own);
        let found = digest.finish().into_iter().map(|item| restated(item, self.ports.collector.as_ref()));
        let Revised { items, outdated } = revise(&self.state, source, found.chain(gaps).collect(), reading);
        metrics::counter!("tantei_collected_records_total", "source" => source.name())
            .increment(collection.records);
        let Collection { requests, bytes, charges, .. } = collection;
        let usage = Usage { source, requests, bytes, charges };
        let collected = Collected { source, records: collection.records, outdated };
        let last = [Body::Usage(usage), Body::Collected(collected)].map(own);
        self.append_all(items.into_iter().chain(last).collect(), observer).await
    }

    async fn suggest(&mut self, observer: &mut dyn Observer) -> Result<()> {
        let scope = self.state.scope().context("nothing is investigated yet")?;
        let case = Case {
            alarm: &scope.alarm,
            onset: scope.onset,
            hypotheses: self.state.standing().collect(),
            observations: self.state.evidence().collect(),
            resources: &self.state.resources,
            settings: &self.settings.values,
        };
        let suggestions = suggest(&case, &self.settings.library, self.settings.limits.suggestions_max);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let found = count(suggestions.len());
        let (fresh, outdated) = propose(&self.state, suggestions);
        let considered = count(self.settings.library.len());
        let matched = Matched { considered, suggested: found, outdated };
        let now = self.ports.clock.now();
        let by = Principal::tantei("playbooks");
        let item = |because, body| NewItem { happened_at: now, by: by.clone(), because, body };
        let suggested = fresh.into_iter().map(|s| item(vec![s.hypothesis], Body::Suggestion(Box::new(s))));
        let items = suggested.chain([item(Vec::new(), Body::Matched(matched))]).collect();
        self.append_all(items, observer).await
    }

    async fn ask(&mut self, suggestion: ItemId, observer: &mut dyn Observer) -> Result<()> {
        let Some(approver) = self.ports.approver.clone() else { return Ok(()) };
        let plan =
            self.state.plan(suggestion).cloned().context("a suggestion without a plan was asked for")?;
        let Some(answer) = approver.ask(&self.state, suggestion, &plan).await else { return Ok(()) };
        let now = self.ports.clock.now();
        let approval = Approval {
            suggestion,
            digest: answer.digest,
            approved: answer.approved,
            expires_at: now.plus_secs(i64::from(plan.facts().expires_after_s)),
        };
        let by = Principal::Person { name: answer.person, surface: answer.surface };
        self.append(now, by, vec![suggestion], Body::Approval(approval), observer).await
    }

    async fn execute(&mut self, suggestion: ItemId, observer: &mut dyn Observer) -> Result<()> {
        let Some(automation) = self.ports.automation.clone() else { return Ok(()) };
        let now = self.ports.clock.now();
        // The last look, immediately before the call: step looked too, but time has passed since.
        let plan = match authorise(&self.state, suggestion, now) {
            Ok(plan) => plan.clone(),
            Err(refusal) => {
                let event = RunEvent::Refused(refusal);
                return self.append_run(suggestion, None, now, event, observer).await;
            }
        };
        self.append_run(suggestion, None, now, RunEvent::Intended, observer).await?;
        match automation.run(&plan).await {
            Ok(report) => {
                let run = Some(report.run.clone());
                for s in report.steps {
                    let event = RunEvent::Step { name: s.name, action: s.action, status: s.status };
                    self.append_run(suggestion, run.clone(), s.at, event, observer).await?;
                }
                let event = RunEvent::Ended { status: report.status };
                self.append_run(suggestion, run, report.at, event, observer).await
            }
            Err(e) => {
                let event =
                    RunEvent::Refused(Refusal::Automation { message: Untrusted::new(&e.to_string()) });
                self.append_run(suggestion, None, self.ports.clock.now(), event, observer).await
            }
        }
    }

    async fn append_run(
        &mut self,
        suggestion: ItemId,
        run: Option<String>,
        at: Timestamp,
        event: RunEvent,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let digest = self.state.plan(suggestion).map_or_else(String::new, |p| p.digest().to_owned());
        let body = Body::Execution(Execution { suggestion, digest, run, event });
        self.append(at, Principal::Automation, vec![suggestion], body, observer).await
    }

    async fn judge(&mut self, suggestion: ItemId, observer: &mut dyn Observer) -> Result<()> {
        let Some(automation) = self.ports.automation.clone() else { return Ok(()) };
        let plan: Plan = self.state.plan(suggestion).cloned().context("a run without a plan ended")?;
        let (_, since) = self.state.run_end(suggestion).context("a run that has not ended was judged")?;
        let aftermath = match automation.watch(&plan).await {
            Ok(aftermath) => aftermath,
            // What happened after the run could not be seen.
            Err(e) => {
                let span = TimeSpan::new(since, self.ports.clock.now());
                Aftermath { gaps: vec![e.gap(Source::Metrics, span)], ..Aftermath::default() }
            }
        };
        for transition in &aftermath.alarms {
            let by = Principal::Collector { source: Source::Alarms };
            let own = self.alarm_name() == Some(transition.name.raw());
            let target = self.state.opened.as_ref().filter(|_| own).map(|o| o.alarm.resource.clone());
            let resource = transition.resource.clone().or(target);
            let body = Body::AlarmTransition(AlarmTransition { resource, ..transition.clone() });
            self.append(transition.at, by, Vec::new(), body, observer).await?;
        }
        for gap in &aftermath.gaps {
            let by = Principal::Collector { source: gap.source };
            self.append(gap.span.start, by, Vec::new(), Body::Gap(gap.clone()), observer).await?;
        }
        let until = aftermath.until.unwrap_or_else(|| self.ports.clock.now());
        let series: Vec<Series> = aftermath.batches.into_iter().flat_map(series_of).collect();
        let judgement = recovery::judge(&recovery::Aftermath {
            suggestion,
            began: self.run_began(suggestion).unwrap_or(since),
            since,
            until,
            rule: self.rule_of(suggestion),
            deviations: self.deviations_of(suggestion),
            series: &series,
            alarms: &aftermath.alarms,
            alarm: self.alarm_name(),
        });
        let because: Vec<ItemId> =
            std::iter::once(suggestion).chain(judgement.measures.iter().map(|m| m.item)).collect();
        self.append(until, Principal::tantei("recovery"), because, Body::Recovery(judgement), observer).await
    }

    /// When the first step of the run was reported.
    fn run_began(&self, suggestion: ItemId) -> Option<Timestamp> {
        let steps = self
            .state
            .executions
            .iter()
            .filter(|(_, e, _)| e.suggestion == suggestion && matches!(e.event, RunEvent::Step { .. }));
        steps.map(|(_, _, at)| *at).min()
    }

    /// How the playbook of the suggestion judges recovery.
    fn rule_of(&self, suggestion: ItemId) -> recovery::Rule {
        let playbook = self.state.suggestions.get(&suggestion).map(|s| &s.playbook);
        let rule = playbook.and_then(|p| self.settings.library.get(p)).and_then(|p| p.recovery.as_ref());
        rule.map_or_else(recovery::Rule::default, |r| recovery::Rule {
            within_s: i64::from(r.within_s),
            hold_s: i64::from(r.hold_s),
        })
    }

    /// The metric deviations that must end: the alarm's own, and those that carry the hypothesis.
    fn deviations_of(&self, suggestion: ItemId) -> Vec<(ItemId, &Observation)> {
        let target = self.state.opened.as_ref().map(|o| &o.alarm.resource);
        let supporting: Vec<ItemId> = self
            .state
            .suggestions
            .get(&suggestion)
            .and_then(|s| self.state.hypotheses.get(&s.hypothesis))
            .map(|h| h.facts().supporting.clone())
            .unwrap_or_default();
        self.state
            .evidence()
            .filter(|(id, o)| match &o.signal {
                Signal::MetricDeviation(m) => {
                    supporting.contains(id) || (Some(&o.resource) == target && m.impact.is_some())
                }
                Signal::LogPattern(_) | Signal::TraceLink(_) | Signal::Change(_) => false,
            })
            .collect()
    }

    /// The name of the alarm that fired, when a transition of it was seen.
    fn alarm_name(&self) -> Option<&str> {
        let opened = self.state.opened.as_ref()?;
        let fired = |t: &&AlarmTransition| {
            t.resource.as_ref() == Some(&opened.alarm.resource) && t.at <= opened.alarm.window.end
        };
        self.state.alarms.values().find(fired).map(|t| t.name.raw())
    }

    async fn append(
        &mut self,
        happened_at: Timestamp,
        by: Principal,
        because: Vec<ItemId>,
        body: Body,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        self.append_item(NewItem { happened_at, by, because, body }, observer).await
    }

    /// Appends items all or none. When somebody appended meanwhile, theirs come first.
    async fn append_all(&mut self, items: Vec<NewItem>, observer: &mut dyn Observer) -> Result<()> {
        for _ in 0..CONFLICTS_MAX {
            let sealed = match self.seal_all(&items) {
                Ok(sealed) => sealed,
                Err(e) => {
                    self.rewind()?;
                    return Err(e);
                }
            };
            let kept = match &self.ports.journal {
                Some(journal) => journal.append(&sealed).await,
                None => Ok(()),
            };
            match kept {
                Ok(()) => {
                    for item in sealed {
                        measured::appended(&item);
                        observer.appended(&item, &self.state);
                        self.feed.push(item);
                    }
                    return Ok(());
                }
                Err(JournalError::Conflict) => {
                    self.rewind()?;
                    self.catch_up(observer).await?;
                }
                Err(e) => {
                    self.rewind()?;
                    return Err(e).context("the feed cannot be kept");
                }
            }
        }
        bail!("others appended {CONFLICTS_MAX} times in a row while this was to be appended")
    }

    /// Gives the items their places, one after the other, and applies them.
    fn seal_all(&mut self, items: &[NewItem]) -> Result<Vec<FeedItem>> {
        let now = self.ports.clock.now();
        let seal = |item: &NewItem| {
            let sealed = self.state.seal(item.clone(), now);
            self.state.apply(&sealed).with_context(|| format!("item `{}` cannot be appended", sealed.id))?;
            Ok(sealed)
        };
        items.iter().map(seal).collect()
    }

    /// Back to what is kept.
    fn rewind(&mut self) -> Result<()> {
        self.state = State::default();
        let feed = std::mem::take(&mut self.feed);
        self.adopt(feed)
    }

    /// Takes over what others appended meanwhile: words of people, above all.
    async fn catch_up(&mut self, observer: &mut dyn Observer) -> Result<()> {
        let Some(journal) = self.ports.journal.clone() else { return Ok(()) };
        let seq = self.feed.last().map_or(0, |i| i.seq);
        let before = self.feed.len();
        self.adopt(journal.after(seq).await.context("the feed cannot be read")?)?;
        for item in self.feed.iter().skip(before) {
            observer.appended(item, &self.state);
        }
        Ok(())
    }

    async fn append_item(&mut self, item: NewItem, observer: &mut dyn Observer) -> Result<()> {
        self.append_all(vec![item], observer).await
    }
}

fn series_of(batch: Batch) -> Vec<Series> {
    match batch {
        Batch::Metrics(series) => series,
        Batch::Topology { .. }
        | Batch::Logs(_)
        | Batch::Tallies(_)
        | Batch::Traces(_)
        | Batch::Links(_)
        | Batch::Changes(_)
        | Batch::Alarms(_)
        | Batch::Definitions(_)
        | Batch::Coverage(_) => Vec::new(),
    }
}

/// The item with its query in the words of the collector: the analysis speaks of recordings.
fn restated(mut item: NewItem, collector: &dyn Collector) -> NewItem {
    if let Body::Observation(observation) = &mut item.body {
        observation.query = collector.asked(observation.query.clone());
    } else if let Body::AlarmTransition(transition) = &mut item.body {
        transition.query = transition.query.take().map(|query| collector.asked(query));
    }
    item
}
