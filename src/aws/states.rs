//! Changes of alarms, asked of CloudWatch: for the reconciler, because deliveries get lost.
//!
//! One listing of all alarms: each tells its state and since when. What happened between two looks and is over again is
//! not told, and nobody would act on it.

use std::sync::Arc;

use aws_sdk_cloudwatch::types::{AlarmType, CompositeAlarm, MetricAlarm};
use tantei_engine::intake::reconciled;
use tantei_engine::model::alarm::AlarmState;
use tantei_engine::model::alarm_event::{AlarmEvent, AlarmKind, AlarmMetric, Comparison};
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::Timestamp;

use super::alarms::{dimensions, state};
use super::apis::DESCRIBE_ALARMS;
use super::client::Aws;
use super::reading::{Next, Pages, timestamp};
use super::spent::Ledger;
use crate::ports::{AlarmStates, BoxFuture, PortError, PortErrorKind, Retry};

/// Pages of 100 alarms: 20,000 alarms, four times CloudWatch's usual quota of one Region.
const PAGES_MAX: usize = 200;

/// Alarms of a page: CloudWatch's own limit.
const PAGE: i32 = 100;

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

    /// The alarm of this name, as if its last change had been delivered.
    ///
    /// # Errors
    /// When there is none, it never changed its state, or CloudWatch cannot be asked.
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
        found.or_else(|| page.composite_alarms().iter().find_map(composite)).ok_or_else(|| PortError {
            dependency: DESCRIBE_ALARMS.service.to_owned(),
            operation: DESCRIBE_ALARMS.operation.to_owned(),
            kind: PortErrorKind::NotFound,
            retry: Retry::Never,
            message: format!(
                "there is no alarm `{name}` in {} that ever changed its state; names are case-sensitive",
                self.aws.region()
            ),
        })
    }

    async fn listed(&self, since: Timestamp) -> Result<Vec<AlarmEvent>, PortError> {
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
                Next::End => break,
                Next::Stuck => {
                    tracing::warn!(
                        alarms = events.len(),
                        "the listing of alarms did not end; the rest is not reconciled"
                    );
                    break;
                }
            }
        }
        events.retain(|e| e.state == AlarmState::Alarm || e.at >= since);
        events.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.arn.cmp(&b.arn)));
        Ok(events)
    }
}

impl AlarmStates for AwsAlarmStates {
    fn changes<'a>(&'a self, since: Timestamp) -> BoxFuture<'a, Result<Vec<AlarmEvent>, PortError>> {
        Box::pin(self.listed(since))
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
    event.actions.ok = alarm.ok_actions().to_vec();
    event.actions.alarm = alarm.alarm_actions().to_vec();
    event.actions.insufficient_data = alarm.insufficient_data_actions().to_vec();
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
    event.kind = AlarmKind::Composite;
    Some(event)
}
