//! Alarms: what is in ALARM, what changed its state near the onset, and how alarms are defined.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_cloudwatch::types::{
    AlarmHistoryItem, AlarmType, CompositeAlarm, Dimension, HistoryItemType, Metric, MetricAlarm, StateValue,
};
use serde::Deserialize;
use tantei_engine::model::alarm::{Alarm, AlarmState, AlarmTransition};
use tantei_engine::model::alarm_health::AlarmDefinition;
use tantei_engine::model::gap::GapReason;
use tantei_engine::model::observation::Provenance;
use tantei_engine::model::resource::ResourceId;
use tantei_engine::model::telemetry::Batch;
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::{TimeSpan, Timestamp};
use tantei_engine::planning::metrics::Watched;
use tantei_engine::planning::{metrics as plan, naming};

use super::alarm_setup;
use super::apis::{DESCRIBE_ALARM_HISTORY, DESCRIBE_ALARMS};
use super::collector::Memo;
use super::reading::{Next, Pages, Reading, date, timestamp};
use crate::ports::PortError;

/// Alarms that one request may name, and that one page holds.
const NAMES_MAX: usize = 100;

/// Pages of alarms in ALARM: a thousand alarms that fire at once say no more than the first hundreds.
const ALARM_PAGES_MAX: usize = 10;

/// Pages of history, for the same reason.
const HISTORY_PAGES_MAX: usize = 20;

/// Seconds before the window whose transitions still belong to the incident.
const LEAD_S: i64 = 3_600;

/// An alarm as it is defined, and its state.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: Option<String>,
    /// The metrics it evaluates: one, several of an expression, none of a composite alarm.
    pub watched: Vec<Watched>,
    /// Threshold, when it is one number.
    pub threshold: Option<f64>,
    /// What it says now.
    pub state: Option<AlarmState>,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Whether it is made of other alarms.
    pub composite: bool,
    /// How it is set up beside that.
    pub setup: AlarmDefinition,
}

impl Definition {
    /// Whether it may be the alarm that an investigation is about: the same metric, and no other resource.
    #[must_use]
    pub fn fits(&self, alarm: &Alarm) -> bool {
        let same_metric = self.watched.iter().any(|w| w.metric.name == alarm.metric);
        same_metric && self.resource().is_none_or(|id| id == alarm.resource)
    }

    /// How it is set up, with what is known of it otherwise.
    fn described(&self) -> AlarmDefinition {
        AlarmDefinition {
            resource: self.resource(),
            metric: self.watched.first().map(|w| w.metric.name.clone()),
            state: self.state,
            ..self.setup.clone()
        }
    }

    /// The resource that it watches, when its dimensions tell.
    #[must_use]
    pub fn resource(&self) -> Option<ResourceId> {
        let first = self.watched.first()?;
        naming::of_metric(&first.metric.namespace, &first.metric.dimensions).map(|(id, _)| id)
    }
}

/// Reads alarms and their history.
pub(super) async fn read(r: &mut Reading<'_, '_>, memo: &Memo) {
    let window = r.request.window;
    let span = TimeSpan::new(window.start.plus_secs(-LEAD_S), window.end.min(r.now));
    let firing = match firing(r).await {
        Ok(found) => Arc::new(found),
        Err(e) => {
            r.failed(window, "alarms in ALARM", &e);
            Arc::default()
        }
    };
    memo.know_alarms(Arc::clone(&firing));
    long_since(r, &firing, span);
    let items = history(r, span).await;
    let mut known: BTreeMap<String, Definition> =
        firing.iter().map(|d| (d.name.clone(), d.clone())).collect();
    let names: BTreeSet<String> =
        items.iter().map(|i| i.name.clone()).filter(|n| !known.contains_key(n)).collect();
    match named(r, &names.into_iter().collect::<Vec<_>>()).await {
        Ok(found) => known.extend(found.into_iter().map(|d| (d.name.clone(), d))),
        Err(e) => r.failed(window, "definitions of alarms that changed", &e),
    }
    let mut transitions: Vec<AlarmTransition> =
        items.iter().map(|item| item.transition(known.get(&item.name))).collect();
    // Alarms that fired before the history that was asked for began.
    let told: BTreeSet<&str> = items.iter().map(|i| i.name.as_str()).collect();
    transitions.extend(firing.iter().filter(|d| !told.contains(d.name.as_str())).filter_map(standing));
    r.give(Batch::Alarms(transitions));
    let mut definitions: Vec<AlarmDefinition> = known.values().map(Definition::described).collect();
    if let Some(own) = own(r, known.values()).cloned() {
        let past = alarm_setup::past(r, &own).await;
        definitions.iter_mut().filter(|d| d.name.raw() == own.name).for_each(|d| d.past = past);
    }
    r.give(Batch::Definitions(definitions));
}

/// The alarm that the investigation is about.
fn own<'a>(r: &Reading<'_, '_>, mut known: impl Iterator<Item = &'a Definition>) -> Option<&'a Definition> {
    let name = r.settings.alarm_name.as_deref();
    known.find(|d| name.map_or_else(|| d.fits(&r.request.alarm), |name| d.name == name))
}

/// An alarm that was in ALARM long before the window says nothing about when this incident began.
fn long_since(r: &mut Reading<'_, '_>, firing: &[Definition], span: TimeSpan) {
    let Some((alarm, since)) = own(r, firing.iter()).and_then(|d| Some((d.name.clone(), d.since?))) else {
        return;
    };
    if since < span.start {
        let detail = format!(
            "{alarm} has been in ALARM since {since} and was not OK since then: when this incident began cannot be told \
             from it; check its threshold and its treatment of missing data"
        );
        let known = TimeSpan::new(since, span.end);
        r.lacks(GapReason::Absent, &DESCRIBE_ALARM_HISTORY, known, &alarm, &detail, 0);
    }
}

/// All alarms in ALARM.
pub(super) async fn firing(r: &mut Reading<'_, '_>) -> Result<Vec<Definition>, PortError> {
    let mut found = Vec::new();
    let mut pages = Pages::default();
    loop {
        let request = r
            .aws
            .cloudwatch
            .describe_alarms()
            .state_value(StateValue::Alarm)
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .set_next_token(pages.token());
        let page = match r.call(&DESCRIBE_ALARMS, 1, request.send()).await {
            Ok(page) => page,
            // What was read before stays.
            Err(e) if !found.is_empty() => {
                r.failed(r.request.window, "further alarms in ALARM", &e);
                return Ok(found);
            }
            Err(e) => return Err(e),
        };
        found.extend(page.metric_alarms().iter().map(of_metric_alarm));
        found.extend(page.composite_alarms().iter().map(of_composite));
        match pages.after(page.next_token(), ALARM_PAGES_MAX) {
            Next::More => {}
            Next::End => return Ok(found),
            Next::Stuck => {
                let detail = format!("the listing did not end; the first {} alarms were read", found.len());
                r.lacks(
                    GapReason::Truncated,
                    &DESCRIBE_ALARMS,
                    r.request.window,
                    "alarms in ALARM",
                    &detail,
                    0,
                );
                return Ok(found);
            }
        }
    }
}

/// The alarms of these names.
pub(super) async fn named(r: &mut Reading<'_, '_>, names: &[String]) -> Result<Vec<Definition>, PortError> {
    let mut found = Vec::new();
    for names in names.chunks(NAMES_MAX) {
        let request = r
            .aws
            .cloudwatch
            .describe_alarms()
            .set_alarm_names(Some(names.to_vec()))
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .max_records(100);
        let page = r.call(&DESCRIBE_ALARMS, 1, request.send()).await?;
        found.extend(page.metric_alarms().iter().map(of_metric_alarm));
        found.extend(page.composite_alarms().iter().map(of_composite));
    }
    Ok(found)
}

/// The metric alarms that a composite alarm is made of.
pub(super) async fn children(r: &mut Reading<'_, '_>, name: &str) -> Result<Vec<Definition>, PortError> {
    let request =
        r.aws.cloudwatch.describe_alarms().children_of_alarm_name(name).alarm_types(AlarmType::MetricAlarm);
    let page = r.call(&DESCRIBE_ALARMS, 1, request.send()).await?;
    let names: Vec<String> =
        page.metric_alarms().iter().filter_map(|a| a.alarm_name().map(ToOwned::to_owned)).collect();
    // With that parameter the service names the children and leaves their definitions out.
    named(r, &names).await
}

fn of_metric_alarm(alarm: &MetricAlarm) -> Definition {
    let period = |s: Option<i32>| s.and_then(|s| u32::try_from(s).ok()).unwrap_or(60);
    let mut watched = Vec::new();
    if let (Some(namespace), Some(name)) = (alarm.namespace(), alarm.metric_name()) {
        let stat =
            alarm.extended_statistic().or_else(|| alarm.statistic().map(|s| s.as_str())).unwrap_or("Average");
        watched.push(Watched {
            metric: plan::Metric {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                dimensions: dimensions(alarm.dimensions()),
            },
            stat: stat.to_owned(),
            period_s: period(alarm.period()),
        });
    }
    for part in alarm.metrics().iter().filter_map(|m| m.metric_stat()) {
        let Some(metric) = part.metric().and_then(of_metric) else { continue };
        let stat = part.stat().unwrap_or("Average").to_owned();
        watched.push(Watched { metric, stat, period_s: period(part.period()) });
    }
    Definition {
        name: alarm.alarm_name().unwrap_or_default().to_owned(),
        arn: alarm.alarm_arn().map(ToOwned::to_owned),
        watched,
        threshold: alarm.threshold(),
        state: alarm.state_value().and_then(|s| state(s.as_str())),
        reason: alarm.state_reason().unwrap_or_default().to_owned(),
        since: alarm
            .state_transitioned_timestamp()
            .or_else(|| alarm.state_updated_timestamp())
            .map(timestamp),
        composite: false,
        setup: alarm_setup::of_metric_alarm(alarm),
    }
}

fn of_composite(alarm: &CompositeAlarm) -> Definition {
    Definition {
        name: alarm.alarm_name().unwrap_or_default().to_owned(),
        arn: alarm.alarm_arn().map(ToOwned::to_owned),
        watched: Vec::new(),
        threshold: None,
        state: alarm.state_value().and_then(|s| state(s.as_str())),
        reason: alarm.state_reason().unwrap_or_default().to_owned(),
        since: alarm
            .state_transitioned_timestamp()
            .or_else(|| alarm.state_updated_timestamp())
            .map(timestamp),
        composite: true,
        setup: alarm_setup::of_composite(alarm),
    }
}

/// A metric as the planner knows it.
pub(super) fn of_metric(metric: &Metric) -> Option<plan::Metric> {
    Some(plan::Metric {
        namespace: metric.namespace()?.to_owned(),
        name: metric.metric_name()?.to_owned(),
        dimensions: dimensions(metric.dimensions()),
    })
}

pub(super) fn dimensions(dimensions: &[Dimension]) -> BTreeMap<String, String> {
    dimensions.iter().filter_map(|d| Some((d.name()?.to_owned(), d.value()?.to_owned()))).collect()
}

pub(super) fn state(text: &str) -> Option<AlarmState> {
    match text {
        "OK" => Some(AlarmState::Ok),
        "ALARM" => Some(AlarmState::Alarm),
        "INSUFFICIENT_DATA" => Some(AlarmState::InsufficientData),
        _ => None,
    }
}

/// The transition into the state in which an alarm stands.
fn standing(alarm: &Definition) -> Option<AlarmTransition> {
    let item = Item {
        name: alarm.name.clone(),
        at: alarm.since?,
        from: None,
        to: alarm.state?,
        reason: alarm.reason.clone(),
    };
    Some(item.transition(Some(alarm)))
}

/// One change of state out of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) at: Timestamp,
    pub(super) from: Option<AlarmState>,
    pub(super) to: AlarmState,
    pub(super) reason: String,
}

impl Item {
    fn transition(&self, alarm: Option<&Definition>) -> AlarmTransition {
        let first = alarm.and_then(|d| d.watched.first());
        AlarmTransition {
            name: Untrusted::new(&self.name),
            arn: alarm.and_then(|d| d.arn.clone()),
            resource: alarm.and_then(Definition::resource),
            from: self.from,
            to: self.to,
            at: self.at,
            metric: first.map(|w| w.metric.name.clone()),
            threshold: alarm.and_then(|d| d.threshold),
            dimensions: first.map(|w| w.metric.dimensions.clone()).unwrap_or_default(),
            reason: Untrusted::new(&self.reason),
            query: None,
            provenance: Provenance::ControlPlane,
        }
    }
}

/// The transitions in a span, newest first. Failures are gaps; what was read before them stays.
async fn history(r: &mut Reading<'_, '_>, span: TimeSpan) -> Vec<Item> {
    let mut items = Vec::new();
    let mut unread = 0;
    let mut pages = Pages::default();
    loop {
        let request = r
            .aws
            .cloudwatch
            .describe_alarm_history()
            .history_item_type(HistoryItemType::StateUpdate)
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .start_date(date(span.start))
            .end_date(date(span.end))
            .max_records(100)
            .set_next_token(pages.token());
        let page = match r.call(&DESCRIBE_ALARM_HISTORY, 1, request.send()).await {
            Ok(page) => page,
            Err(e) => {
                r.failed(span, "changes of state", &e);
                break;
            }
        };
        for item in page.alarm_history_items() {
            match read_item(item) {
                Some(item) => items.push(item),
                None => unread += 1,
            }
        }
        match pages.after(page.next_token(), HISTORY_PAGES_MAX) {
            Next::More => {}
            Next::End => break,
            Next::Stuck => {
                let detail =
                    format!("the listing did not end; the newest {} changes of state were read", items.len());
                r.lacks(GapReason::Truncated, &DESCRIBE_ALARM_HISTORY, span, "changes of state", &detail, 0);
                break;
            }
        }
    }
    if unread > 0 {
        let detail = "entries of the history that name no state were left out";
        r.lacks(GapReason::Malformed, &DESCRIBE_ALARM_HISTORY, span, "changes of state", detail, unread);
    }
    items
}

/// `HistoryData` of a change of state.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HistoryData {
    #[serde(default)]
    old_state: Option<HistoryState>,
    new_state: HistoryState,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HistoryState {
    state_value: AlarmState,
    #[serde(default)]
    state_reason: Option<String>,
}

pub(super) fn read_item(item: &AlarmHistoryItem) -> Option<Item> {
    let name = item.alarm_name()?.to_owned();
    let at = timestamp(item.timestamp()?);
    if let Some(data) = item.history_data().and_then(|d| serde_json::from_str::<HistoryData>(d).ok()) {
        let from = data.old_state.map(|s| s.state_value);
        let reason = data.new_state.state_reason.unwrap_or_default();
        return Some(Item { name, at, from, to: data.new_state.state_value, reason });
    }
    // PromQL and log alarms have no such data; the summary says `Alarm updated from OK to ALARM`.
    let summary = item.history_summary()?;
    let (from, to) = summary.split_once(" from ")?.1.split_once(" to ")?;
    let word = |text: &str| text.split_whitespace().next().and_then(|w| state(w.trim_end_matches('.')));
    Some(Item { name, at, from: word(from), to: word(to)?, reason: summary.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_read_with_and_without_its_data() {
        let build = |data: Option<&str>, summary: &str| {
            AlarmHistoryItem::builder()
                .alarm_name("a")
                .timestamp(date(Timestamp::from_secs(60)))
                .set_history_data(data.map(ToOwned::to_owned))
                .history_summary(summary)
                .build()
        };
        let data = r#"{"version":"1.0","oldState":{"stateValue":"OK"},"newState":{"stateValue":"ALARM","stateReason":"crossed"}}"#;
        let item = read_item(&build(Some(data), "x")).unwrap();
        assert_eq!(
            (item.from, item.to, item.reason.as_str()),
            (Some(AlarmState::Ok), AlarmState::Alarm, "crossed")
        );
        let item = read_item(&build(None, "Alarm updated from ALARM to INSUFFICIENT_DATA.")).unwrap();
        assert_eq!((item.from, item.to), (Some(AlarmState::Alarm), AlarmState::InsufficientData));
        assert_eq!(read_item(&build(Some("{"), "nonsense")), None);
    }
}
