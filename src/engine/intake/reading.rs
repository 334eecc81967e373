//! What alarm messages and events have in common: metrics, dimensions, states, actions, words of a reason.
//!
//! Required fields are strict. Optional ones that are of another type count as absent: an alarm must not be lost
//! because a field changed that nobody needs. What exceeds AWS's own limits is refused everywhere.

use std::collections::BTreeMap;

use serde_json::Value;

use super::arn;
use super::json::Node;
use super::refused::{Refused, shown};
use crate::limits;
use crate::model::alarm::{AlarmState, Direction};
use crate::model::alarm_event::{AlarmActions, AlarmEvent, AlarmKind, AlarmMetric, Delivery};
use crate::model::text::Untrusted;
use crate::model::time::Timestamp;

/// How a shape spells the parts of a metric.
pub(super) struct Spelling {
    id: &'static str,
    expression: &'static str,
    metric_stat: &'static str,
    metric: &'static str,
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    pub(super) dimensions: &'static str,
    pub(super) period: &'static str,
    stat: &'static str,
    return_data: &'static str,
    account: &'static str,
}

/// As alarm messages of SNS spell it.
pub(super) const MESSAGE: Spelling = Spelling {
    id: "Id",
    expression: "Expression",
    metric_stat: "MetricStat",
    metric: "Metric",
    namespace: "Namespace",
    name: "MetricName",
    dimensions: "Dimensions",
    period: "Period",
    stat: "Stat",
    return_data: "ReturnData",
    account: "AccountId",
};

/// As EventBridge and Lambda spell it.
pub(super) const EVENT: Spelling = Spelling {
    id: "id",
    expression: "expression",
    metric_stat: "metricStat",
    metric: "metric",
    namespace: "namespace",
    name: "name",
    dimensions: "dimensions",
    period: "period",
    stat: "stat",
    return_data: "returnData",
    account: "accountId",
};

/// An event with what every shape must say; the rest is absent.
///
/// # Errors
/// `BadArn` naming `path`, when the ARN is none of an alarm.
pub(super) fn event(
    delivery: Delivery,
    (arn_text, path): (&str, &str),
    name: &str,
    (state, at): (AlarmState, Timestamp),
) -> Result<AlarmEvent, Refused> {
    let arn = arn::of_alarm(arn_text, path)?;
    Ok(AlarmEvent {
        delivery,
        arn: arn_text.to_owned(),
        partition: arn.partition.to_owned(),
        region: arn.region.to_owned(),
        account: arn.account.to_owned(),
        name: Untrusted::new(name),
        description: Untrusted::default(),
        kind: AlarmKind::Metric,
        previous: None,
        state,
        at,
        reason: Untrusted::default(),
        evaluation: None,
        metrics: Vec::new(),
        threshold: None,
        comparison: None,
        breach: None,
        treat_missing: None,
        rule: None,
        children: Vec::new(),
        contributor: None,
        suppressed: Vec::new(),
        actions: AlarmActions::default(),
        dedupe: None,
        actions_enabled: None,
    })
}

/// The field must be what the ARN says, where it is given.
pub(super) fn agrees(node: &Node<'_>, key: &str, arn: &str) -> Result<(), Refused> {
    match node.get(key) {
        Some(field) if field.value.as_str() != Some(arn) => Err(Refused::Contradiction {
            said: shown(&field.value.as_str().map_or_else(|| field.value.to_string(), str::to_owned)),
            path: field.path,
            arn: arn.to_owned(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// A required state.
pub(super) fn state(node: &Node<'_>, key: &str) -> Result<AlarmState, Refused> {
    let field = node.need(key)?;
    let text = field.text(limits::DIMENSION_BYTES_MAX)?;
    state_of(text).ok_or_else(|| Refused::UnknownState { path: field.path.clone(), text: shown(text) })
}

/// The state of that name.
pub(super) fn state_of(text: &str) -> Option<AlarmState> {
    match text {
        "OK" => Some(AlarmState::Ok),
        "ALARM" => Some(AlarmState::Alarm),
        "INSUFFICIENT_DATA" => Some(AlarmState::InsufficientData),
        _ => None,
    }
}

/// Metrics and expressions under `key`.
pub(super) fn metrics(node: &Node<'_>, key: &str, spelled: &Spelling) -> Result<Vec<AlarmMetric>, Refused> {
    node.list(key, limits::ALARM_METRICS_MAX)?.iter().map(|n| metric(n, spelled)).collect()
}

fn metric(node: &Node<'_>, spelled: &Spelling) -> Result<AlarmMetric, Refused> {
    let max = limits::DIMENSION_BYTES_MAX;
    let text = |n: Option<&Node<'_>>, key: &str| -> Result<String, Refused> {
        Ok(n.map(|n| n.text_within(key, max)).transpose()?.flatten().unwrap_or_default().to_owned())
    };
    let with_stat = node.get(spelled.metric_stat);
    let of = with_stat.as_ref().and_then(|n| n.get(spelled.metric));
    let period = with_stat.as_ref().and_then(|n| seconds(n, spelled.period));
    Ok(AlarmMetric {
        id: text(Some(node), spelled.id)?,
        account: node.opt_text(spelled.account).filter(|a| arn::is_account(a)).map(str::to_owned),
        namespace: text(of.as_ref(), spelled.namespace)?,
        name: text(of.as_ref(), spelled.name)?,
        dimensions: of.as_ref().map(|n| dimensions(n, spelled.dimensions)).transpose()?.unwrap_or_default(),
        stat: statistic(&text(with_stat.as_ref(), spelled.stat)?),
        period_s: period.or_else(|| seconds(node, spelled.period)),
        expression: node.opt_text(spelled.expression).map(Untrusted::new),
        // CloudWatch's default.
        return_data: node.get(spelled.return_data).and_then(|n| n.value.as_bool()).unwrap_or(true),
    })
}

/// A period in seconds; nonsense counts as absent.
pub(super) fn seconds(node: &Node<'_>, key: &str) -> Option<u32> {
    let period = node.get(key)?.value.as_u64().and_then(|s| u32::try_from(s).ok())?;
    (1..=PERIOD_S_MAX).contains(&period).then_some(period)
}

/// Longest period that an alarm may have: a week.
const PERIOD_S_MAX: u32 = 604_800;

/// A finite number.
pub(super) fn number(node: &Node<'_>, key: &str) -> Option<f64> {
    node.get(key)?.value.as_f64().filter(|n| n.is_finite())
}

/// Dimensions, which come as a map or as a list of names and values.
pub(super) fn dimensions(node: &Node<'_>, key: &str) -> Result<BTreeMap<String, String>, Refused> {
    let (max, bytes) = (limits::ALARM_DIMENSIONS_MAX, limits::DIMENSION_BYTES_MAX);
    let mut found = BTreeMap::new();
    if let Some((field, map)) = node.get(key).and_then(|n| n.value.as_object().map(|m| (n.clone(), m))) {
        if map.len() > max {
            return Err(Refused::TooMany { path: field.path, count: map.len(), max });
        }
        for (name, value) in map {
            let path = format!("{}.{}", field.path, shown(name));
            if name.len() > bytes {
                return Err(Refused::TooLong { path, bytes: name.len(), max: bytes });
            }
            if value.is_string() {
                found.insert(name.clone(), Node { value, path }.text(bytes)?.to_owned());
            }
        }
        return Ok(found);
    }
    for entry in node.list(key, max)? {
        let part = |small: &str, large: &str| -> Result<Option<&str>, Refused> {
            Ok(entry.text_within(small, bytes)?.or(entry.text_within(large, bytes)?))
        };
        if let (Some(name), Some(value)) = (part("name", "Name")?, part("value", "Value")?) {
            found.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    Ok(found)
}

/// The statistic as `GetMetricData` spells it: alarm messages shout (`AVERAGE`).
pub(super) fn statistic(text: &str) -> String {
    match text {
        "AVERAGE" => "Average",
        "SUM" => "Sum",
        "MINIMUM" => "Minimum",
        "MAXIMUM" => "Maximum",
        "SAMPLECOUNT" | "SAMPLE_COUNT" => "SampleCount",
        other => other,
    }
    .to_owned()
}

/// ARNs of actions under `key`.
pub(super) fn actions(node: &Node<'_>, key: &str) -> Result<Vec<String>, Refused> {
    let listed = node.list(key, limits::ALARM_ACTIONS_MAX)?;
    let texts = listed.iter().filter(|n| n.value.is_string());
    texts.map(|n| n.text(limits::ARN_BYTES_MAX).map(str::to_owned)).collect()
}

/// The value of `#DEDUPE_STRING=` in an investigation-group action on `ALARM`.
pub(super) fn dedupe(actions: &AlarmActions) -> Option<Untrusted> {
    let group = |arn: &&String| arn.starts_with("arn:") && arn.contains(":investigation-group/");
    let values = actions.alarm.iter().filter(group).filter_map(|arn| arn.split_once("#DEDUPE_STRING="));
    values.map(|(_, value)| Untrusted::new(value)).find(|v| !v.is_empty())
}

/// What the alarm watches; none when nothing says it.
///
/// `places` are the objects that describe the alarm. Names of `PromQL` and log alarms' fields follow CloudFormation's
/// (`EvaluationCriteria.PromQLCriteria`, `ScheduledQuery…`), because AWS shows no sample of such a delivery.
pub(super) fn kind(event: &AlarmEvent, places: &[Option<Node<'_>>]) -> Option<AlarmKind> {
    let expressions = || event.metrics.iter().filter_map(|m| m.expression.as_ref());
    let says = |words: &[&str]| places.iter().flatten().any(|n| has_key(n.value, words, 1));
    if event.rule.is_some() {
        Some(AlarmKind::Composite)
    } else if event.contributor.is_some() {
        Some(AlarmKind::Contributor)
    } else if says(&["promql"]) {
        Some(AlarmKind::PromQl)
    } else if says(&["scheduledquery", "aggregationexpression", "queryresultsto"]) {
        Some(AlarmKind::Log)
    } else if expressions().any(|e| e.raw().trim_start().starts_with("ANOMALY_DETECTION_BAND"))
        || says(&["thresholdmetricid"])
    {
        Some(AlarmKind::AnomalyDetection)
    } else if expressions().next().is_some() {
        Some(AlarmKind::Math)
    } else if event.metrics.is_empty() {
        None
    } else {
        Some(AlarmKind::Metric)
    }
}

/// Whether a key begins with one of the words, in this object or `deeper` levels below. Lists are left out: the
/// metrics in them have dimensions whose names are people's.
fn has_key(value: &Value, words: &[&str], deeper: usize) -> bool {
    let begins = |key: &str| {
        let key = key.to_ascii_lowercase();
        words.iter().any(|w| key.starts_with(w))
    };
    value.as_object().is_some_and(|map| {
        map.iter()
            .any(|(key, v)| (begins(key) && !v.is_null()) || (deeper > 0 && has_key(v, words, deeper - 1)))
    })
}

/// On which side the threshold or band was left, as CloudWatch's reason words it. Free words of a tester say nothing.
pub(super) fn breach(reason: &str) -> Option<Direction> {
    if !reason.contains("hreshold") {
        return None;
    }
    match (reason.contains("greater than"), reason.contains("less than")) {
        (true, false) => Some(Direction::Above),
        (false, true) => Some(Direction::Below),
        (true, true) => {
            let after = |mark: &str| reason.split_once(mark).and_then(|(_, rest)| leading_number(rest));
            beyond(after("["), after("lower thresholds ["), after("upper thresholds ["))
        }
        (false, false) => None,
    }
}

/// The side of a band on which a value lies.
pub(super) fn beyond(value: Option<f64>, lower: Option<f64>, upper: Option<f64>) -> Option<Direction> {
    let value = value?;
    if upper.is_some_and(|u| value > u) {
        return Some(Direction::Above);
    }
    lower.is_some_and(|l| value < l).then_some(Direction::Below)
}

fn leading_number(text: &str) -> Option<f64> {
    let end =
        text.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+' | 'e' | 'E')).unwrap_or(text.len());
    text.get(..end)?.parse().ok().filter(|n: &f64| n.is_finite())
}
