//! Patterns that Logs Insights counted, as lines of which one is known: nothing of the time is left out, however many lines
//! there are. No calls.

use std::collections::BTreeMap;

use aws_sdk_cloudwatchlogs::types::ResultField;
use serde::Deserialize;
use tantei_engine::model::resource::ResourceId;
use tantei_engine::model::telemetry::{LogEvent, LogTally};
use tantei_engine::model::time::{TimeSpan, Timestamp};

/// Rows of one answer: the service's own bound of one page, and more patterns than the miner keeps.
pub(super) const PATTERNS_MAX: i32 = 10_000;

/// The query. Patterns come most frequent first.
pub(super) const QUERY: &str = "fields @timestamp, @message | pattern @message";

/// How often and how each pattern of a group was seen so far.
///
/// The same pattern keeps the same line in every span of time: which line is shown of it is the service's choice, and two
/// lines of one pattern could be two to the miner.
#[derive(Debug, Default)]
pub(super) struct Shown(BTreeMap<(String, String), String>);

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    pattern: String,
    times: u64,
    sample: Option<Sample>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Sample {
    #[serde(default)]
    timestamp: Option<i64>,
    message: String,
}

/// What an answer came to.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) tallies: Vec<LogTally>,
    /// Lines that the patterns stand for.
    pub(super) lines: u64,
    /// Rows that are no pattern.
    pub(super) bad: usize,
}

impl Shown {
    /// The rows as lines of a resource within a span.
    pub(super) fn count(
        &mut self,
        group: &str,
        resource: &ResourceId,
        span: TimeSpan,
        rows: &[Vec<ResultField>],
    ) -> Counted {
        let mut counted = Counted::default();
        for fields in rows {
            let Some(row) = row(fields) else {
                counted.bad += 1;
                continue;
            };
            let at = row.sample.as_ref().and_then(|s| s.timestamp).map(Timestamp::from_millis);
            let own = row.sample.map_or_else(|| row.pattern.clone(), |s| s.message);
            let message = self.0.entry((group.to_owned(), row.pattern)).or_insert(own);
            let event = LogEvent {
                at: at.filter(|at| span.contains(*at)).unwrap_or(span.start),
                resource: resource.clone(),
                message: message.trim_end().to_owned(),
                trace: None,
                span: None,
            };
            counted.lines = counted.lines.saturating_add(row.times);
            counted.tallies.push(LogTally { event, times: row.times });
        }
        counted
    }
}

fn row(fields: &[ResultField]) -> Option<Row> {
    let field = |name: &str| fields.iter().find(|f| f.field() == Some(name)).and_then(|f| f.value());
    let samples = |text: &str| serde_json::from_str::<Vec<Sample>>(text).ok();
    Some(Row {
        pattern: field("@pattern")?.to_owned(),
        times: field("@sampleCount")?.parse().ok()?,
        // The earliest: of what is new, when it began.
        sample: field("@logSamples")
            .and_then(samples)
            .and_then(|all| all.into_iter().min_by_key(|s| s.timestamp.unwrap_or(i64::MAX))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<ResultField> {
        pairs.iter().map(|(k, v)| ResultField::builder().field(*k).value(*v).build()).collect()
    }

    #[test]
    fn a_pattern_keeps_its_line_and_its_count() {
        let at = Timestamp::from_secs;
        let rows = |count: &str, sample: &str| {
            let samples = format!(r#"[{{"timestamp":1500,"message":"{sample}"}}]"#);
            vec![fields(&[
                ("@pattern", "login of <Token-1>"),
                ("@sampleCount", count),
                ("@logSamples", &samples),
            ])]
        };
        let mut shown = Shown::default();
        let resource = ResourceId::new("front");
        let before = shown.count("g", &resource, TimeSpan::new(at(0), at(10)), &rows("412", "login of a"));
        let after = shown.count("g", &resource, TimeSpan::new(at(10), at(20)), &rows("7", "login of b"));
        let told = |c: &Counted| {
            let tally = &c.tallies[0];
            (tally.event.message.clone(), tally.times, tally.event.at.micros() / 1_000, c.lines)
        };
        assert_eq!(told(&before), ("login of a".to_owned(), 412, 1_500, 412));
        assert_eq!(
            told(&after),
            ("login of a".to_owned(), 7, 10_000, 7),
            "a time outside the span is not believed"
        );
    }

    #[test]
    fn a_row_without_samples_is_its_pattern_and_one_without_count_is_none() {
        let span = TimeSpan::new(Timestamp::from_secs(0), Timestamp::from_secs(10));
        let rows =
            [fields(&[("@pattern", "x <Token-1>"), ("@sampleCount", "2")]), fields(&[("@pattern", "y")])];
        let counted = Shown::default().count("g", &ResourceId::new("r"), span, &rows);
        assert_eq!((counted.tallies[0].event.message.as_str(), counted.bad), ("x <Token-1>", 1));
    }
}
