//! An alarm event → what the investigation is about: resource, metric, direction, window, baseline.
//!
//! Concluded from the event alone. Where it does not say (a composite alarm names children, not metrics),
//! [`Subject::describe`] names the alarm whose description would help; ask CloudWatch and call again.

use std::collections::BTreeMap;

use super::resources::{self, Home};
use crate::limits;
use crate::model::alarm::{Alarm, AlarmState, AlarmTransition, Direction};
use crate::model::alarm_event::{AlarmEvent, AlarmKind, AlarmMetric, Child};
use crate::model::observation::Provenance;
use crate::model::query::Query;
use crate::model::resource::{Resource, ResourceId};
use crate::model::time::{TimeSpan, Timestamp};

/// What an alarm event makes an investigation look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The alarm in the investigation's words.
    pub alarm: Alarm,
    /// Its resource, with the CloudFormation type and the identifiers that AWS calls need.
    pub resource: Resource,
    /// ARN of the alarm to describe once, when a composite alarm leads to one of which no event is known, or does not
    /// say which of its children fires (its state was set by hand, or this event left it out).
    pub describe: Option<String>,
}

/// What an investigation of the event is about.
///
/// `known` are events of other alarms, newest last, among which a composite alarm's children are looked for: the
/// earliest one firing is the subject, since what fires first is nearest to the cause. `now` ends the window.
#[must_use]
pub fn subject(event: &AlarmEvent, known: &[AlarmEvent], now: Timestamp) -> Subject {
    let (told, since, unknown) = follow(event, known);
    let watched = told.and_then(watched);
    let found = told.and_then(|of| resource(of, watched.as_ref()?));
    let (resource, describe) = match (unknown, told.unwrap_or(event)) {
        (Some(child), _) => (itself(&child, "AWS::CloudWatch::Alarm"), Some(child)),
        (None, of) if of.kind == AlarmKind::Composite => {
            (itself(&of.arn, "AWS::CloudWatch::CompositeAlarm"), Some(of.arn.clone()))
        }
        (None, of) => (found.unwrap_or_else(|| itself(&of.arn, "AWS::CloudWatch::Alarm")), None),
    };
    let period_s = watched.as_ref().and_then(|w| w.period_s).map_or(limits::PERIOD_S, i64::from);
    let window = window(event.at, since, period_s, now);
    let alarm = Alarm {
        kind: event.kind.name().to_owned(),
        title: event.name.clone(),
        resource: resource.id.clone(),
        metric: watched.as_ref().map(|w| w.name.clone()).unwrap_or_default(),
        stat: watched.map(|w| w.stat).unwrap_or_default(),
        direction: told.map_or(Direction::Above, direction),
        at: event.at,
        window,
        baseline: baseline(window),
    };
    Subject { alarm, resource, describe }
}

/// The change of state in the investigation's words, for its feed.
#[must_use]
pub fn transition(event: &AlarmEvent) -> AlarmTransition {
    let watched = watched(event);
    let around = |seconds: i64| event.at.plus_secs(seconds).to_string();
    AlarmTransition {
        name: event.name.clone(),
        arn: Some(event.arn.clone()),
        resource: watched.as_ref().and_then(|w| resource(event, w)).map(|r| r.id),
        from: event.previous,
        to: event.state,
        at: event.at,
        metric: watched.as_ref().map(|w| w.name.clone()),
        threshold: event.threshold,
        dimensions: watched.map(|w| w.dimensions).unwrap_or_default(),
        reason: event.reason.clone(),
        query: Some(Query::new(
            "cloudwatch",
            "DescribeAlarmHistory",
            [
                ("AlarmName", event.name.raw().to_owned()),
                ("HistoryItemType", "StateUpdate".to_owned()),
                ("StartDate", around(-1)),
                ("EndDate", around(1)),
            ],
        )),
        provenance: Provenance::ControlPlane,
    }
}

/// The event that tells the metric, since when it fires, and the ARN of a child of which no event is known.
fn follow<'a>(
    event: &'a AlarmEvent,
    known: &'a [AlarmEvent],
) -> (Option<&'a AlarmEvent>, Timestamp, Option<String>) {
    let (mut told, mut since) = (event, event.at);
    for _ in 0..limits::COMPOSITE_DEPTH_MAX {
        if told.kind != AlarmKind::Composite {
            break;
        }
        let Some(child) = first_firing(&told.children) else { break };
        since = child.at.unwrap_or(since).min(since);
        let Some(next) = known.iter().rev().find(|e| e.arn == child.arn && e.state == AlarmState::Alarm)
        else {
            return (None, since, Some(child.arn.clone()));
        };
        told = next;
        since = since.min(told.at);
    }
    (Some(told), since, None)
}

/// The child that fires longest; children whose time is not known come last, the ARN decides between equals.
fn first_firing(children: &[Child]) -> Option<&Child> {
    let firing = children.iter().filter(|c| c.state.is_none_or(|s| s == AlarmState::Alarm));
    firing.min_by_key(|c| (c.state.is_none(), c.at.is_none(), c.at, &c.arn))
}

/// The alarm as its own resource, when nothing else is known.
fn itself(arn: &str, kind: &str) -> Resource {
    let attributes = BTreeMap::from([("Arn".to_owned(), arn.to_owned())]);
    Resource { id: ResourceId::new(arn), kind: Some(kind.to_owned()), attributes }
}

/// The resource of a metric. An alarm of a monitoring account watches metrics of others, which own the resource.
fn resource(event: &AlarmEvent, watched: &AlarmMetric) -> Option<Resource> {
    let account = watched.account.as_ref().unwrap_or(&event.account);
    let home = Home { partition: &event.partition, region: &event.region, account };
    resources::of_metric(home, &watched.namespace, &watched.dimensions)
}

/// The direction that is bad: as configured, else the side on which the threshold was left, else above.
fn direction(event: &AlarmEvent) -> Direction {
    let configured = event.comparison.and_then(|c| c.direction());
    configured.or(event.breach).unwrap_or(Direction::Above)
}

/// The metric that the alarm is about.
///
/// Of an expression it is the first metric that it mentions outside a condition: in a ratio that is the numerator,
/// which is what goes wrong, while the denominator is only the traffic.
fn watched(event: &AlarmEvent) -> Option<AlarmMetric> {
    let metrics = &event.metrics;
    let mut current = metrics.iter().find(|m| m.return_data && m.expression.is_some());
    for _ in 0..metrics.len() {
        let Some(metric) = current else { break };
        let Some(expression) = &metric.expression else { break };
        if let Some(selected) = selected(expression.raw(), metric, event) {
            return Some(selected);
        }
        current = mentioned(expression.raw(), metrics);
    }
    let named = |m: &&AlarmMetric| !m.name.is_empty();
    let found = current.filter(named).or_else(|| metrics.iter().find(|m| named(m) && m.return_data));
    found.or_else(|| metrics.iter().find(named)).cloned()
}

/// The first metric that the expression mentions, preferably not in a comparison (`IF(requests > 0, …)`).
fn mentioned<'a>(expression: &str, metrics: &'a [AlarmMetric]) -> Option<&'a AlarmMetric> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut compared = None;
    let mut rest = expression;
    while let Some(start) = rest.find(is_word) {
        let (_, from) = rest.split_at_checked(start)?;
        let (word, after) = from.split_at_checked(from.find(|c| !is_word(c)).unwrap_or(from.len()))?;
        rest = after;
        let Some(metric) = metrics.iter().find(|m| !m.id.is_empty() && m.id == word) else { continue };
        if !after.trim_start().starts_with(['<', '>', '=', '!']) {
            return Some(metric);
        }
        compared = compared.or(Some(metric));
    }
    compared
}

/// The metric of a Metrics Insights query; its dimensions are those of the contributor.
fn selected(query: &str, metric: &AlarmMetric, event: &AlarmEvent) -> Option<AlarmMetric> {
    let (select, rest) = query.trim_start().split_at_checked(7)?;
    if !select.trim_end().eq_ignore_ascii_case("select") {
        return None;
    }
    let (function, rest) = rest.split_once('(')?;
    let (name, rest) = rest.split_once(')')?;
    let from = rest.trim_start();
    let (keyword, from) = from.split_at_checked(5)?;
    if !keyword.trim_end().eq_ignore_ascii_case("from") {
        return None;
    }
    let from = from.trim_start();
    let namespace = match from.split_at_checked(6) {
        Some((schema, rest)) if schema.eq_ignore_ascii_case("schema") => {
            rest.trim_start().strip_prefix('(')?
        }
        Some(_) | None => from,
    };
    let stat = match function.trim().to_ascii_uppercase().as_str() {
        "AVG" => "Average",
        "SUM" => "Sum",
        "MIN" => "Minimum",
        "MAX" => "Maximum",
        "COUNT" => "SampleCount",
        _ => return None,
    };
    Some(AlarmMetric {
        id: metric.id.clone(),
        account: metric.account.clone(),
        namespace: unquoted(namespace).to_owned(),
        name: unquoted(name).to_owned(),
        dimensions: event.contributor.as_ref().map(|c| c.attributes.clone()).unwrap_or_default(),
        stat: stat.to_owned(),
        period_s: metric.period_s,
        expression: metric.expression.clone(),
        return_data: true,
    })
}

/// The first name in a query: quoted, or up to what cannot belong to it.
fn unquoted(text: &str) -> &str {
    let text = text.trim_start();
    match text.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default(),
        None => text.split([' ', ',', ')']).next().unwrap_or_default(),
    }
}

/// From some periods before the first sign up to now.
fn window(at: Timestamp, since: Timestamp, period_s: i64, now: Timestamp) -> TimeSpan {
    let lead_s = period_s
        .saturating_mul(limits::WINDOW_LEAD_PERIODS)
        .clamp(limits::WINDOW_LEAD_S_MIN, limits::WINDOW_LEAD_S_MAX);
    // A child that fires for weeks does not stretch the window over them.
    let start = since.max(at.plus_secs(-limits::WINDOW_LEAD_S_MAX)).min(at).plus_secs(-lead_s);
    // The alarm itself belongs to its window, however clocks differ.
    let end = now.max(at.plus_secs(1)).min(at.plus_secs(limits::WINDOW_TAIL_S_MAX));
    TimeSpan::new(start, end)
}

/// The same time a week and a day before, and the hours just before the window: load has a weekly and a daily shape,
/// and what was deployed or grew since is only in the last hours. In order of time.
fn baseline(window: TimeSpan) -> Vec<TimeSpan> {
    let before = |days: i64| {
        let shift = |t: Timestamp| t.plus_secs(-86_400 * days);
        TimeSpan::new(shift(window.start), shift(window.end))
    };
    let just_before = TimeSpan::new(window.start.plus_secs(-limits::BASELINE_BEFORE_S), window.start);
    vec![before(7), before(1), just_before]
}
