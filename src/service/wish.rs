//! What somebody wants investigated without an alarm that fires: an alarm by its name, a metric, or free words with a time.
//!
//! Free words are only compared with alarms that are known; what is unclear is asked back, with what it may have been.

use std::collections::BTreeMap;

use serde::Deserialize;
use tantei_engine::intake::wish::time::{Unclear, when};
use tantei_engine::intake::wish::{Found, Named, TEXT_BYTES_MAX, find};
use tantei_engine::model::alarm::{AlarmState, Direction};
use tantei_engine::model::alarm_event::AlarmEvent;
use tantei_engine::model::resource::ResourceId;
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::{TimeSpan, Timestamp};
use tantei_engine::planning::naming;

use super::events::Start;
use super::subject_of;
use crate::aws::evidence::{ACCOUNT, REGION};

/// CloudWatch keeps metrics for so many days; nothing else is kept for longer by default.
const DAYS_BACK_MAX: i64 = 455;

/// Seconds that are looked at or compared with: a week, which has every hour of every day. What is read costs.
const SPAN_S_MAX: i64 = 7 * 86_400;

/// Healthy times to compare with: a few weeks of the same day.
const BASELINES_MAX: usize = 16;

/// Bytes of a name: CloudWatch's own are shorter.
const NAME_BYTES_MAX: usize = 1_024;

/// Dimensions of a metric: CloudWatch's own bound.
const DIMENSIONS_MAX: usize = 30;

/// Names that are listed in an answer are cut off here.
const SHOWN_CHARS_MAX: usize = 100;

/// What somebody wants. One of `alarm`, `metric` and `text`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wish {
    /// An alarm, by its name or ARN.
    pub alarm: Option<String>,
    /// Free words, English or Japanese: `orders is slow since 03:10 JST`.
    pub text: Option<String>,
    /// A metric: `NAMESPACE/NAME` with `dimensions`, or its name alone with `resource`.
    pub metric: Option<String>,
    /// The metric's dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// The metric's resource, when its dimensions do not tell.
    pub resource: Option<ResourceId>,
    /// What it is about, in words; the metric or the alarm when nobody says.
    pub title: Option<Untrusted>,
    /// The metric's statistic; the average when nobody says.
    pub stat: Option<String>,
    /// Which way is bad; above when nobody says.
    pub direction: Option<Direction>,
    /// When it was noticed; when the alarm fired, or now, when nobody says.
    pub at: Option<Timestamp>,
    /// The time to look at.
    pub window: Option<TimeSpan>,
    /// Healthy times to compare with.
    pub baseline: Vec<TimeSpan>,
}

/// Why a wish cannot be fulfilled: what to say instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WishError {
    /// Not one of the ways to say it.
    #[error("say one of `alarm`, `metric` (with `dimensions`, or with `resource`) and `text`")]
    OneOf,
    /// The time in the words cannot be told.
    #[error("the time cannot be told: {0}; or give it as `at`, in RFC 3339")]
    Time(#[from] Unclear),
    /// Nothing known is named.
    #[error(
        "none of the {known} known alarms and their resources is named in it; name one as it is called, or give `alarm`, \
         or `metric` with `dimensions`"
    )]
    Nothing {
        /// How many are known.
        known: usize,
    },
    /// It may be any of several.
    #[error("it may be any of these alarms; name one as it is called: {}", shown(.0))]
    Several(Vec<String>),
    /// There is no such alarm.
    #[error("there is no alarm `{0}` that is known to have fired; names are case-sensitive")]
    NoAlarm(String),
    /// The resource of a metric is not known.
    #[error("the dimensions of `{0}` do not tell whose metric it is: give its `resource`")]
    NoResource(String),
    /// Too much, too far ahead, or nothing.
    #[error("{0}")]
    Wrong(String),
}

fn shown(names: &[String]) -> String {
    let one = |name: &String| {
        let visible = name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
        format!("`{}`", visible.take(SHOWN_CHARS_MAX).collect::<String>())
    };
    names.iter().map(one).collect::<Vec<_>>().join(", ")
}

impl Wish {
    /// The name of the alarm that is wanted, which may be given as its ARN.
    #[must_use]
    pub fn alarm_name(&self) -> Option<&str> {
        let alarm = self.alarm.as_deref()?;
        Some(alarm.split_once(":alarm:").map_or(alarm, |(_, name)| name))
    }

    /// What it comes to, when these alarms are known.
    ///
    /// # Errors
    /// What is unclear, and what to say instead.
    pub fn resolve(&self, known: &[AlarmEvent], now: Timestamp) -> Result<Start, WishError> {
        self.check(now).map_err(|why| WishError::Wrong(why.to_owned()))?;
        let start = self.about_one(known, now)?;
        let oldest = now.plus_secs(-DAYS_BACK_MAX * 86_400);
        if start.at < oldest {
            let why =
                format!("it lies more than {DAYS_BACK_MAX} days back, and CloudWatch keeps nothing of then");
            return Err(WishError::Wrong(why));
        }
        Ok(start)
    }

    /// What is said besides the name: everything has its bound, because what is read costs.
    fn check(&self, now: Timestamp) -> Result<(), &'static str> {
        if self.at.is_some_and(|at| at > now) {
            return Err("`at` lies in the future");
        }
        let oldest = now.plus_secs(-DAYS_BACK_MAX * 86_400);
        for span in self.window.iter().chain(&self.baseline) {
            if span.end <= span.start || span.secs() > SPAN_S_MAX {
                return Err("`window` and each `baseline` end after they begin, and last a week at most");
            }
            if span.start < oldest || span.start > now {
                return Err(
                    "`window` and `baseline` lie in the last 455 days: CloudWatch keeps nothing older",
                );
            }
        }
        if self.baseline.len() > BASELINES_MAX {
            return Err("16 times of `baseline` are enough");
        }
        let resource = self.resource.as_ref().map(ResourceId::as_str);
        let said = [self.alarm.as_deref(), self.metric.as_deref(), self.stat.as_deref(), resource];
        let of_dimensions = self.dimensions.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        if said.into_iter().flatten().chain(of_dimensions).any(|t| t.len() > NAME_BYTES_MAX) {
            return Err("a name has 1,024 bytes at most");
        }
        if self.dimensions.len() > DIMENSIONS_MAX {
            return Err("a metric has 30 dimensions at most");
        }
        Ok(())
    }

    fn about_one(&self, known: &[AlarmEvent], now: Timestamp) -> Result<Start, WishError> {
        match (&self.alarm, &self.metric, &self.text) {
            (Some(alarm), None, None) => {
                let is = |e: &&AlarmEvent| e.arn == *alarm || e.name.raw() == alarm;
                let event = nearest(known.iter().filter(is), self.at.unwrap_or(now));
                let event = event.ok_or_else(|| WishError::NoAlarm(alarm.clone()))?;
                Ok(self.about(event, known, self.at, now))
            }
            (None, Some(metric), None) => self.of_metric(metric, now),
            (None, None, Some(text)) => self.of_text(text, known, now),
            _ => Err(WishError::OneOf),
        }
    }

    fn of_text(&self, text: &str, known: &[AlarmEvent], now: Timestamp) -> Result<Start, WishError> {
        if text.trim().is_empty() || text.len() > TEXT_BYTES_MAX {
            return Err(WishError::Wrong(format!("`text` is 1 to {TEXT_BYTES_MAX} bytes")));
        }
        let at = match self.at {
            Some(at) => Some(at),
            None => when(text, now)?,
        };
        let resources: Vec<String> =
            known.iter().map(|e| subject_of(e, known, now).alarm.resource.as_str().to_owned()).collect();
        let named: Vec<Named<'_>> = known
            .iter()
            .zip(&resources)
            .map(|(e, resource)| Named { alarm: e.name.raw(), resource })
            .collect();
        match find(text, &named) {
            Found::Meant(indices) => {
                let meant = indices.iter().filter_map(|i| known.get(*i));
                let event = nearest(meant, at.unwrap_or(now));
                let event = event.ok_or(WishError::Nothing { known: known.len() })?;
                let mut start = self.about(event, known, at, now);
                start.title = self.title.clone().unwrap_or_else(|| Untrusted::new(text));
                Ok(start)
            }
            Found::Several(names) => Err(WishError::Several(names)),
            Found::Nothing => Err(WishError::Nothing { known: known.len() }),
        }
    }

    /// An investigation of what the alarm watches.
    fn about(
        &self,
        event: &AlarmEvent,
        known: &[AlarmEvent],
        at: Option<Timestamp>,
        now: Timestamp,
    ) -> Start {
        let subject = subject_of(event, known, now);
        let place = [(ACCOUNT, &event.account), (REGION, &event.region)];
        let fires = event.state == AlarmState::Alarm;
        let own = at.is_none() && fires;
        Start {
            title: self.title.clone().unwrap_or_else(|| event.name.clone()),
            resource: subject.alarm.resource,
            metric: subject.alarm.metric,
            stat: subject.alarm.stat,
            direction: subject.alarm.direction,
            at: at.unwrap_or(if fires { event.at } else { now }),
            // The alarm's own window, unless somebody noticed it at another time.
            window: self.window.or_else(|| own.then_some(subject.alarm.window)),
            baseline: if own { subject.alarm.baseline } else { self.baseline.clone() },
            place: place.into_iter().map(|(key, value)| (key.to_owned(), value.clone())).collect(),
        }
    }

    fn of_metric(&self, metric: &str, now: Timestamp) -> Result<Start, WishError> {
        // With its resource a metric is what it is called, slashes and all.
        let whole = self.resource.is_some() && self.dimensions.is_empty();
        let split = metric.rsplit_once('/').filter(|_| !whole);
        let (namespace, name) = split.unwrap_or(("", metric));
        if name.trim().is_empty() {
            return Err(WishError::Wrong(
                "a metric is written as NAMESPACE/NAME, such as AWS/Lambda/Errors".to_owned(),
            ));
        }
        let told = || naming::of_metric(namespace, &self.dimensions).map(|(id, _)| id);
        let resource = self.resource.clone().or_else(told);
        Ok(Start {
            title: self.title.clone().unwrap_or_else(|| Untrusted::new(metric)),
            resource: resource.ok_or_else(|| WishError::NoResource(metric.to_owned()))?,
            metric: name.to_owned(),
            stat: self.stat.clone().unwrap_or_else(|| "Average".to_owned()),
            direction: self.direction.unwrap_or(Direction::Above),
            at: self.at.unwrap_or(now),
            window: self.window,
            baseline: self.baseline.clone(),
            place: BTreeMap::new(),
        })
    }
}

/// The event that is nearest to a time: those that fired before it first, the last of them.
fn nearest<'a>(events: impl Iterator<Item = &'a AlarmEvent>, at: Timestamp) -> Option<&'a AlarmEvent> {
    let far = |e: &&AlarmEvent| {
        (
            e.state != AlarmState::Alarm,
            at.secs_since(e.at).saturating_abs(),
            std::cmp::Reverse(e.at),
            e.arn.clone(),
        )
    };
    events.min_by_key(far)
}

#[cfg(test)]
mod tests {
    use tantei_engine::intake::reconciled;
    use tantei_engine::model::alarm_event::AlarmMetric;

    use super::*;

    const NOW: &str = "2026-11-24T03:00:00Z";

    fn alarm(name: &str, function: &str, at: &str) -> AlarmEvent {
        let arn = format!("arn:aws:cloudwatch:ap-northeast-1:111122223333:alarm:{name}");
        let mut event = reconciled(&arn, name, None, AlarmState::Alarm, at.parse().unwrap()).unwrap();
        event.metrics = vec![AlarmMetric {
            namespace: "AWS/Lambda".to_owned(),
            name: "Errors".to_owned(),
            dimensions: [("FunctionName".to_owned(), function.to_owned())].into(),
            stat: "Sum".to_owned(),
            return_data: true,
            ..AlarmMetric::default()
        }];
        event
    }

    fn resolve(wish: &Wish) -> Result<Start, WishError> {
        let known = [
            alarm("orders-errors", "orders", "2026-11-23T18:12:00Z"),
            alarm("orders-errors", "orders", "2026-11-20T18:12:00Z"),
            alarm("payments-errors", "payments", "2026-11-23T18:12:00Z"),
        ];
        wish.resolve(&known, NOW.parse().unwrap())
    }

    #[test]
    fn words_become_what_the_known_alarm_watches_at_the_time_that_they_say() {
        let text = Some("orders is slow since 03:10 JST".to_owned());
        let start = resolve(&Wish { text, ..Wish::default() }).unwrap();
        assert_eq!(
            (start.resource.as_str(), start.metric.as_str(), start.stat.as_str()),
            ("orders", "Errors", "Sum")
        );
        assert_eq!(start.at.to_string(), "2026-11-23T18:10:00Z");
        assert_eq!(start.place[ACCOUNT], "111122223333");
        let text = Some("注文（orders）が今朝から遅い".to_owned());
        assert_eq!(
            resolve(&Wish { text, ..Wish::default() }).unwrap().at.to_string(),
            "2026-11-23T21:00:00Z"
        );
    }

    #[test]
    fn what_is_unclear_is_asked_back() {
        let said =
            |text: &str| resolve(&Wish { text: Some(text.to_owned()), ..Wish::default() }).unwrap_err();
        assert_eq!(said("errors everywhere since 03:10 JST"), WishError::Nothing { known: 3 });
        let Some(both) =
            said("orders and payments are down").to_string().split_once(": ").map(|(_, b)| b.to_owned())
        else {
            panic!("no list");
        };
        assert_eq!(both, "`orders-errors`, `payments-errors`");
        assert_eq!(said("orders is slow since 03:10"), WishError::Time(Unclear::Zone));
        assert_eq!(resolve(&Wish::default()).unwrap_err(), WishError::OneOf);
    }

    #[test]
    fn what_would_cost_without_end_is_not_begun() {
        let span =
            |start: &str, end: &str| TimeSpan { start: start.parse().unwrap(), end: end.parse().unwrap() };
        let metric = Some("AWS/Lambda/Errors".to_owned());
        let dimensions: BTreeMap<String, String> = [("FunctionName".to_owned(), "orders".to_owned())].into();
        let wish = Wish { metric, dimensions, ..Wish::default() };
        let good = span("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z");
        assert!(resolve(&Wish { window: Some(good), baseline: vec![good], ..wish.clone() }).is_ok());
        for wrong in [
            Wish { at: Some("0001-01-01T00:00:00Z".parse().unwrap()), ..wish.clone() },
            Wish { window: Some(span("0001-01-01T00:00:00Z", "2026-11-24T00:00:00Z")), ..wish.clone() },
            Wish { window: Some(span("2026-11-24T00:00:00Z", "2026-11-23T00:00:00Z")), ..wish.clone() },
            Wish { window: Some(span("2026-12-24T00:00:00Z", "2026-12-25T00:00:00Z")), ..wish.clone() },
            Wish { baseline: vec![span("2001-01-01T00:00:00Z", "2001-01-02T00:00:00Z")], ..wish.clone() },
            Wish { baseline: vec![good; 17], ..wish.clone() },
            Wish { resource: Some(ResourceId::new("r".repeat(2_000))), ..wish.clone() },
            Wish { dimensions: (0..31).map(|k| (k.to_string(), String::new())).collect(), ..wish.clone() },
            Wish { text: Some("orders, 0000-01-01T00:00Z".to_owned()), ..Wish::default() },
        ] {
            assert!(matches!(resolve(&wrong), Err(WishError::Wrong(_))), "{wrong:?}");
        }
    }

    #[test]
    fn an_alarm_is_looked_at_when_it_fired_nearest_and_a_metric_now() {
        let wish = Wish { alarm: Some("orders-errors".to_owned()), ..Wish::default() };
        assert_eq!(resolve(&wish).unwrap().at.to_string(), "2026-11-23T18:12:00Z");
        let at = Some("2026-11-21T00:00:00Z".parse().unwrap());
        let then = resolve(&Wish { at, ..wish.clone() }).unwrap();
        assert_eq!(then.at.to_string(), "2026-11-21T00:00:00Z");
        let nobody = Wish { alarm: Some("nothing".to_owned()), ..Wish::default() };
        assert_eq!(resolve(&nobody).unwrap_err(), WishError::NoAlarm("nothing".to_owned()));
        let mut wish = Wish { metric: Some("AWS/Lambda/Duration".to_owned()), ..Wish::default() };
        assert!(matches!(resolve(&wish), Err(WishError::NoResource(_))));
        wish.dimensions.insert("FunctionName".to_owned(), "orders".to_owned());
        let start = resolve(&wish).unwrap();
        assert_eq!(
            (start.resource.as_str(), start.metric.as_str(), start.at.to_string().as_str()),
            ("orders", "Duration", NOW)
        );
    }
}
