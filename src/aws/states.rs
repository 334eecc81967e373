//! Changes of alarms, asked of CloudWatch: for the reconciler, because deliveries get lost.
//!
//! One listing of all alarms tells each one's state and since when; the history tells what fired between two looks and is
//! over again.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_cloudwatch::operation::describe_alarm_history::builders::DescribeAlarmHistoryFluentBuilder;
use aws_sdk_cloudwatch::types::{
    AlarmHistoryItem, AlarmType, CompositeAlarm, HistoryItemType, MetricAlarm, ScanBy,
};
use serde::Deserialize;
use tantei_engine::intake::{reconciled, take_actions};
use tantei_engine::model::alarm::AlarmState;
use tantei_engine::model::alarm_event::{AlarmActions, AlarmEvent, AlarmKind, AlarmMetric, Comparison};
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::Timestamp;

use super::alarms::{dimensions, state};
use super::apis::{DESCRIBE_ALARM_HISTORY, DESCRIBE_ALARMS};
use super::client::Aws;
use super::reading::{Next, Pages, date, timestamp};
use super::spent::Ledger;
use crate::ports::{AlarmStates, BoxFuture, PortError, PortErrorKind, Retry};

/// Pages of 100 alarms: 20,000 alarms, four times CloudWatch's usual quota of one Region.
const PAGES_MAX: usize = 200;

/// Alarms of a page: CloudWatch's own limit.
const PAGE: i32 = 100;

/// Pages of history: twenty thousand changes. One alarm that flaps every minute has fewer in a week.
const HISTORY_PAGES_MAX: usize = 200;

/// Seconds by which the listing and the history may differ about one change.
const SAME_S: i64 = 2;

/// The states of the alarms of one account and Region.
#[derive(Debug)]
pub struct AwsAlarmStates {
    aws: Arc<Aws>,
    ledger: Ledger,
}

impl AwsAlarmStates {
    /// Asks through these clients.
    #[must_use]
    pub fn new(aws: Arc<Aws>) -> Self {
        Self { aws, ledger: Ledger::default() }
    }

    /// The alarm of this name, as if the change that made it fire last had been delivered.
    ///
    /// # Errors
    /// When there is none, it did not fire within its history, or CloudWatch cannot be asked.
    pub async fn named(&self, name: &str) -> Result<AlarmEvent, PortError> {
        let request = self
            .aws
            .cloudwatch
            .describe_alarms()
            .alarm_names(name)
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm);
        let page = self.aws.call(&self.ledger, &DESCRIBE_ALARMS, 1, request.send()).await?;
        let found = page.metric_alarms().iter().find_map(metric);
        let found = found.or_else(|| page.composite_alarms().iter().find_map(composite));
        let mut event = found.ok_or_else(|| {
            let region = self.aws.region();
            absent(format!(
                "there is no alarm `{name}` in {region} that ever changed its state; names are case-sensitive"
            ))
        })?;
        if event.state != AlarmState::Alarm {
            let (at, reason) = self.last_firing(name).await?;
            (event.state, event.at, event.reason) = (AlarmState::Alarm, at, Untrusted::new(&reason));
            event.delivery.id = event.key().digest();
        }
        Ok(event)
    }

    /// When an alarm that does not fire now fired last.
    async fn last_firing(&self, name: &str) -> Result<(Timestamp, String), PortError> {
        let mut pages = Pages::default();
        loop {
            let request = self.history_request(&pages).alarm_name(name).scan_by(ScanBy::TimestampDescending);
            let page = self.aws.call(&self.ledger, &DESCRIBE_ALARM_HISTORY, 1, request.send()).await?;
            // Whatever the order: the latest of a page is later than all of the next.
            if let Some(last) = page.alarm_history_items().iter().filter_map(fired).max() {
                return Ok(last);
            }
            if !matches!(pages.after(page.next_token(), HISTORY_PAGES_MAX), Next::More) {
                return Err(absent(format!(
                    "the alarm `{name}` does not fire, and did not within the 30 days that CloudWatch remembers; \
                     name a metric and a time instead"
                )));
            }
        }
    }

    /// The next page of what changed its state, of whichever alarm, in whichever order.
    fn history_request(&self, pages: &Pages) -> DescribeAlarmHistoryFluentBuilder {
        self.aws
            .cloudwatch
            .describe_alarm_history()
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .history_item_type(HistoryItemType::StateUpdate)
            .max_records(PAGE)
            .set_next_token(pages.token())
    }

    /// All alarms, each as its last change.
    async fn listed(&self) -> Result<Vec<AlarmEvent>, PortError> {
        let mut events = Vec::new();
        let mut pages = Pages::default();
        loop {
            let request = self
                .aws
                .cloudwatch
                .describe_alarms()
                .alarm_types(AlarmType::MetricAlarm)
                .alarm_types(AlarmType::CompositeAlarm)
                .max_records(PAGE)
                .set_next_token(pages.token());
            let page = self.aws.call(&self.ledger, &DESCRIBE_ALARMS, 1, request.send()).await?;
            events.extend(page.metric_alarms().iter().filter_map(metric));
            events.extend(page.composite_alarms().iter().filter_map(composite));
            match pages.after(page.next_token(), PAGES_MAX) {
                Next::More => {}
                Next::End => return Ok(events),
                Next::Stuck => {
                    let alarms = events.len();
                    tracing::warn!(alarms, "the listing of alarms did not end; the rest is not known");
                    return Ok(events);
                }
            }
        }
    }

    /// What changed since, the oldest first, of alarms that are still there: name, when, to which state, why.
    async fn history(
        &self,
        since: Timestamp,
    ) -> Result<Vec<(String, Timestamp, AlarmState, String)>, PortError> {
        let mut changes = Vec::new();
        let mut pages = Pages::default();
        loop {
            let request =
                self.history_request(&pages).start_date(date(since)).scan_by(ScanBy::TimestampAscending);
            let page = self.aws.call(&self.ledger, &DESCRIBE_ALARM_HISTORY, 1, request.send()).await?;
            changes.extend(page.alarm_history_items().iter().filter_map(|item| {
                let (at, state, reason) = changed(item)?;
                Some((item.alarm_name()?.to_owned(), at, state, reason))
            }));
            match pages.after(page.next_token(), HISTORY_PAGES_MAX) {
                Next::More => {}
                Next::End => return Ok(changes),
                Next::Stuck => {
                    let changes_read = changes.len();
                    tracing::warn!(
                        changes_read,
                        "the history of alarms did not end; later changes are not known"
                    );
                    return Ok(changes);
                }
            }
        }
    }

    async fn since(&self, since: Timestamp) -> Result<Vec<AlarmEvent>, PortError> {
        let alarms = self.listed().await?;
        let history = self.history(since).await?;
        let by_name: BTreeMap<&str, &AlarmEvent> = alarms.iter().map(|e| (e.name.raw(), e)).collect();
        let mut events = Vec::new();
        for (name, at, state, reason) in history {
            let Some(now) = by_name.get(name.as_str()) else { continue };
            let told = now.state == state && now.at.secs_since(at).abs() <= SAME_S;
            if !told && at >= since {
                let reason = Untrusted::new(&reason);
                let mut event = AlarmEvent { state, at, reason, ..(*now).clone() };
                event.delivery.id = event.key().digest();
                events.push(event);
            }
        }
        events.extend(alarms.into_iter().filter(|e| e.state == AlarmState::Alarm || e.at >= since));
        events.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.arn.cmp(&b.arn)));
        Ok(events)
    }
}

impl AlarmStates for AwsAlarmStates {
    fn changes<'a>(&'a self, since: Timestamp) -> BoxFuture<'a, Result<Vec<AlarmEvent>, PortError>> {
        Box::pin(self.since(since))
    }

    fn known(&self) -> BoxFuture<'_, Result<Vec<AlarmEvent>, PortError>> {
        Box::pin(self.listed())
    }

    fn named<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<AlarmEvent>, PortError>> {
        Box::pin(async move {
            match Self::named(self, name).await {
                Ok(event) => Ok(Some(event)),
                Err(error) if error.kind == PortErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        })
    }
}

fn absent(message: String) -> PortError {
    PortError {
        dependency: DESCRIBE_ALARMS.service.to_owned(),
        operation: DESCRIBE_ALARMS.operation.to_owned(),
        kind: PortErrorKind::NotFound,
        retry: Retry::Never,
        message,
    }
}

/// A metric alarm as if its last change had been delivered; nothing when it never changed.
fn metric(alarm: &MetricAlarm) -> Option<AlarmEvent> {
    let at = timestamp(alarm.state_transitioned_timestamp()?);
    let state = state(alarm.state_value()?.as_str())?;
    let mut event = reconciled(alarm.alarm_arn()?, alarm.alarm_name()?, None, state, at).ok()?;
    event.description = Untrusted::new(alarm.alarm_description().unwrap_or_default());
    event.reason = Untrusted::new(alarm.state_reason().unwrap_or_default());
    event.threshold = alarm.threshold();
    event.comparison = alarm.comparison_operator().and_then(|c| Comparison::from_name(c.as_str()));
    event.treat_missing = alarm.treat_missing_data().map(Untrusted::new);
    event.actions_enabled = alarm.actions_enabled();
    let actions = AlarmActions {
        ok: alarm.ok_actions().to_vec(),
        alarm: alarm.alarm_actions().to_vec(),
        insufficient_data: alarm.insufficient_data_actions().to_vec(),
    };
    take_actions(&mut event, actions);
    event.metrics = watched(alarm);
    event.kind = match (alarm.metric_name(), alarm.threshold_metric_id()) {
        (Some(_), _) => AlarmKind::Metric,
        (None, Some(_)) => AlarmKind::AnomalyDetection,
        (None, None) => AlarmKind::Math,
    };
    Some(event)
}

fn watched(alarm: &MetricAlarm) -> Vec<AlarmMetric> {
    let seconds = |period: Option<i32>| period.and_then(|p| u32::try_from(p).ok());
    if let Some(name) = alarm.metric_name() {
        let stat = alarm.extended_statistic().or_else(|| alarm.statistic().map(|s| s.as_str()));
        return vec![AlarmMetric {
            namespace: alarm.namespace().unwrap_or_default().to_owned(),
            name: name.to_owned(),
            dimensions: dimensions(alarm.dimensions()),
            stat: stat.unwrap_or_default().to_owned(),
            period_s: seconds(alarm.period()),
            return_data: true,
            ..AlarmMetric::default()
        }];
    }
    let query = |q: &aws_sdk_cloudwatch::types::MetricDataQuery| {
        let stat = q.metric_stat();
        let metric = stat.and_then(|s| s.metric());
        AlarmMetric {
            id: q.id().unwrap_or_default().to_owned(),
            namespace: metric.and_then(|m| m.namespace()).unwrap_or_default().to_owned(),
            name: metric.and_then(|m| m.metric_name()).unwrap_or_default().to_owned(),
            dimensions: metric.map(|m| dimensions(m.dimensions())).unwrap_or_default(),
            stat: stat.and_then(|s| s.stat()).unwrap_or_default().to_owned(),
            period_s: seconds(stat.and_then(|s| s.period()).or(q.period())),
            expression: q.expression().map(Untrusted::new),
            return_data: q.return_data().unwrap_or(true),
            ..AlarmMetric::default()
        }
    };
    alarm.metrics().iter().map(query).collect()
}

/// A composite alarm as if its last change had been delivered; nothing when it never changed.
fn composite(alarm: &CompositeAlarm) -> Option<AlarmEvent> {
    let at = timestamp(alarm.state_transitioned_timestamp()?);
    let state = state(alarm.state_value()?.as_str())?;
    let mut event = reconciled(alarm.alarm_arn()?, alarm.alarm_name()?, None, state, at).ok()?;
    event.description = Untrusted::new(alarm.alarm_description().unwrap_or_default());
    event.reason = Untrusted::new(alarm.state_reason().unwrap_or_default());
    event.rule = alarm.alarm_rule().map(Untrusted::new);
    event.actions_enabled = alarm.actions_enabled();
    let actions = AlarmActions {
        ok: alarm.ok_actions().to_vec(),
        alarm: alarm.alarm_actions().to_vec(),
        insufficient_data: alarm.insufficient_data_actions().to_vec(),
    };
    take_actions(&mut event, actions);
    event.kind = AlarmKind::Composite;
    Some(event)
}

/// `HistoryData` of a change of state, as far as it is needed here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    new_state: NewState,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewState {
    state_value: String,
    #[serde(default)]
    state_reason: String,
}

/// What an entry of the history says: when the alarm changed, to which state, and why.
fn changed(item: &AlarmHistoryItem) -> Option<(Timestamp, AlarmState, String)> {
    let at = timestamp(item.timestamp()?);
    if let Some(changed) = item.history_data().and_then(|d| serde_json::from_str::<Changed>(d).ok()) {
        let NewState { state_value, state_reason } = changed.new_state;
        return Some((at, state(&state_value)?, state_reason));
    }
    // PromQL and log alarms have no such data; the summary says `Alarm updated from OK to ALARM`.
    let summary = item.history_summary()?;
    let (_, new) = summary.trim_end_matches('.').rsplit_once(" to ")?;
    Some((at, state(new)?, summary.to_owned()))
}

/// When an entry of the history says that the alarm began to fire, and why.
fn fired(item: &AlarmHistoryItem) -> Option<(Timestamp, String)> {
    let (at, state, reason) = changed(item)?;
    (state == AlarmState::Alarm).then_some((at, reason))
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::types::StateValue;

    use super::*;

    const GROUP: &str = "arn:aws:aiops:eu-west-1:123456789012:investigation-group/g#DEDUPE_STRING=checkout";

    #[test]
    fn what_people_stated_in_the_actions_of_an_alarm_is_read() {
        let at = aws_sdk_cloudwatch::primitives::DateTime::from_secs(60);
        let arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:slow";
        let alarm = MetricAlarm::builder()
            .alarm_arn(arn)
            .alarm_name("slow")
            .state_value(StateValue::Alarm)
            .state_transitioned_timestamp(at)
            .alarm_actions(GROUP);
        let event = metric(&alarm.build()).unwrap();
        assert_eq!(event.dedupe.unwrap().raw(), "checkout");
        let alarm = CompositeAlarm::builder()
            .alarm_arn(arn)
            .alarm_name("slow")
            .state_value(StateValue::Alarm)
            .state_transitioned_timestamp(at)
            .alarm_actions(GROUP);
        assert_eq!(composite(&alarm.build()).unwrap().dedupe.unwrap().raw(), "checkout");
    }

    #[test]
    fn the_history_tells_when_it_fired_with_and_without_its_data() {
        let item = |data: Option<&str>, summary: &str| {
            let at = aws_sdk_cloudwatch::primitives::DateTime::from_secs(60);
            AlarmHistoryItem::builder()
                .timestamp(at)
                .set_history_data(data.map(ToOwned::to_owned))
                .history_summary(summary)
                .build()
        };
        let data = r#"{"newState": {"stateValue": "ALARM", "stateReason": "why"}}"#;
        assert_eq!(fired(&item(Some(data), "")), Some((Timestamp::from_secs(60), "why".to_owned())));
        let data = r#"{"newState": {"stateValue": "OK"}}"#;
        assert_eq!(fired(&item(Some(data), "")), None);
        assert!(fired(&item(None, "Alarm updated from OK to ALARM")).is_some());
        assert_eq!(fired(&item(None, "Alarm updated from ALARM to OK")), None);
    }
}
