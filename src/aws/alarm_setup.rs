//! How alarms are set up, and the past of the one that is investigated. Judges nothing.

use aws_sdk_cloudwatch::types::{CompositeAlarm, HistoryItemType, MetricAlarm, ScanBy};
use tantei_engine::analysis::alarm_health::says_missing;
use tantei_engine::model::alarm::AlarmState;
use tantei_engine::model::alarm_health::{AlarmDefinition, Evaluation, MissingData, Past, Told};
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::TimeSpan;

use super::alarms::{Definition, Item, read_item};
use super::apis::DESCRIBE_ALARM_HISTORY;
use super::reading::Reading;

/// What the definition of a metric alarm says beside its metric.
pub(super) fn of_metric_alarm(alarm: &MetricAlarm) -> AlarmDefinition {
    let number = |n: Option<i32>| n.and_then(|n| u32::try_from(n).ok());
    AlarmDefinition {
        below: alarm.comparison_operator().is_some_and(|c| c.as_str().starts_with("LessThan")),
        datapoints: number(alarm.datapoints_to_alarm()),
        periods: number(alarm.evaluation_periods()),
        missing: alarm.treat_missing_data().and_then(MissingData::from_name),
        told: Some(Told {
            enabled: alarm.actions_enabled().unwrap_or(true),
            alarm: count(alarm.alarm_actions().len()),
            ok: count(alarm.ok_actions().len()),
            suppressed: false,
        }),
        evaluation: alarm.evaluation_state().and_then(|e| evaluation(e.as_str())),
        ..bare(alarm.alarm_name())
    }
}

/// What the definition of a composite alarm says beside its rule.
pub(super) fn of_composite(alarm: &CompositeAlarm) -> AlarmDefinition {
    let told = Told {
        enabled: alarm.actions_enabled().unwrap_or(true),
        alarm: count(alarm.alarm_actions().len()),
        ok: count(alarm.ok_actions().len()),
        suppressed: alarm.actions_suppressed_by().is_some(),
    };
    AlarmDefinition { told: Some(told), ..bare(alarm.alarm_name()) }
}

fn bare(name: Option<&str>) -> AlarmDefinition {
    AlarmDefinition {
        name: Untrusted::new(name.unwrap_or_default()),
        resource: None,
        metric: None,
        state: None,
        below: false,
        datapoints: None,
        periods: None,
        missing: None,
        told: None,
        evaluation: None,
        past: None,
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn evaluation(word: &str) -> Option<Evaluation> {
    match word {
        "PARTIAL_DATA" => Some(Evaluation::PartialData),
        "EVALUATION_ERROR" => Some(Evaluation::EvaluationError),
        "EVALUATION_FAILURE" => Some(Evaluation::EvaluationFailure),
        _ => None,
    }
}

/// What CloudWatch still knows of an alarm's changes: the newest hundred of those that it keeps.
pub(super) async fn past(r: &mut Reading<'_, '_>, alarm: &Definition) -> Option<Past> {
    let request = r
        .aws
        .cloudwatch
        .describe_alarm_history()
        .alarm_name(&alarm.name)
        .history_item_type(HistoryItemType::StateUpdate)
        .scan_by(ScanBy::TimestampDescending)
        .max_records(100);
    let page = match r.call(&DESCRIBE_ALARM_HISTORY, 1, request.send()).await {
        Ok(page) => page,
        Err(e) => {
            let span = TimeSpan::new(alarm.since.unwrap_or(r.request.window.start), r.request.window.end);
            r.failed(span, &alarm.name, &e);
            return None;
        }
    };
    let own = page.alarm_history_items().iter().filter_map(read_item).filter(|i| i.name == alarm.name);
    let items: Vec<Item> = own.collect();
    let since = items.iter().map(|i| i.at).chain(alarm.since).min()?;
    let fired: Vec<&Item> = items.iter().filter(|i| i.to == AlarmState::Alarm).collect();
    Some(Past {
        since,
        was_ok: items.iter().any(|i| i.to == AlarmState::Ok || i.from == Some(AlarmState::Ok)),
        fired: count(fired.len()),
        fired_on_missing: count(fired.iter().filter(|i| says_missing(&i.reason)).count()),
    })
}
