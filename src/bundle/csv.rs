//! A time series as people have it: lines of `timestamp,value`. Reads text, keeps what can be read, names the rest.
//!
//! Not a CSV library: two columns, no quoting beyond surrounding quotes. More columns are refused by line, so that
//! nobody's third column is silently ignored.

use tantei_engine::model::time::Timestamp;

/// Bad lines that are named one by one; the rest is counted.
pub const BAD_LINES_NAMED_MAX: usize = 5;

/// From this magnitude on a number counts milliseconds (as seconds it would be after the year 5000), then
/// microseconds, then nanoseconds.
const MILLIS_FROM: f64 = 1e11;

/// A line that is no point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it and what to do.
    pub reason: String,
}

/// What a text held.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeriesText {
    /// Points in time order; `NaN` where the value is empty or says that there is none.
    pub points: Vec<(Timestamp, f64)>,
    /// The first lines that could not be read.
    pub bad: Vec<BadLine>,
    /// All lines that could not be read.
    pub bad_lines: usize,
}

/// Reads a text. The first line may be a header: it is one when its first field is no time.
#[must_use]
pub fn parse(text: &str) -> SeriesText {
    let mut read = SeriesText::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut first = true;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match point(line) {
            Ok(point) => read.points.push(point),
            Err(_) if first && is_header(line) => {}
            Err(reason) => {
                read.bad_lines += 1;
                if read.bad.len() < BAD_LINES_NAMED_MAX {
                    read.bad.push(BadLine { line: number, reason });
                }
            }
        }
        first = false;
    }
    read.points.sort_by_key(|(t, _)| *t);
    read
}

fn is_header(line: &str) -> bool {
    line.split([',', ';', '\t'])
        .all(|f| time(f).is_err() && f.trim().trim_matches('"').parse::<f64>().is_err())
}

fn point(line: &str) -> Result<(Timestamp, f64), String> {
    let mut fields = line.split([',', ';', '\t']).map(|f| f.trim().trim_matches('"').trim());
    let (Some(at), Some(value)) = (fields.next(), fields.next()) else {
        return Err("one field only; write `timestamp,value`".to_owned());
    };
    if fields.next().is_some_and(|f| !f.is_empty()) {
        return Err("more than two fields; keep `timestamp,value` only".to_owned());
    }
    Ok((time(at)?, number(value)?))
}

fn number(text: &str) -> Result<f64, String> {
    let none = ["", "nan", "null", "none", "na", "n/a", "-"];
    if none.contains(&text.to_ascii_lowercase().as_str()) {
        return Ok(f64::NAN);
    }
    match text.parse::<f64>() {
        Ok(v) if v.is_finite() => Ok(v),
        Ok(_) => {
            Err(format!("the value `{}` is not finite; leave it empty where there is none", short(text)))
        }
        Err(_) => Err(format!("`{}` is not a number; write it like `12.5`", short(text))),
    }
}

/// An instant in any of the usual ways: RFC 3339, date and time (UTC), Unix seconds or milliseconds.
///
/// # Errors
/// The text is none of them; the error says what would be.
pub fn time(text: &str) -> Result<Timestamp, String> {
    let text = text.trim().trim_matches('"');
    if let Ok(unix) = text.parse::<f64>()
        && unix.is_finite()
    {
        let mut seconds = unix;
        while seconds.abs() >= MILLIS_FROM {
            seconds /= 1_000.0;
        }
        return Ok(from_seconds(seconds));
    }
    if let Ok(t) = text.parse::<Timestamp>() {
        return Ok(t);
    }
    let civil = text.parse::<jiff::civil::DateTime>();
    let utc = civil.ok().and_then(|c| jiff::tz::TimeZone::UTC.to_timestamp(c).ok());
    utc.map(|t| Timestamp::from_micros(t.as_microsecond())).ok_or_else(|| {
        let shown = short(text);
        format!(
            "`{shown}` is not a time; write `2026-10-14T03:21:00Z`, `2026-10-14 03:21:00` or Unix seconds"
        )
    })
}

fn from_seconds(seconds: f64) -> Timestamp {
    let micros = (seconds * 1e6).round();
    #[expect(clippy::cast_possible_truncation, reason = "below 1e17, and a float cast saturates")]
    Timestamp::from_micros(micros as i64)
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_way_to_write_a_time_is_the_same_instant() {
        let expected: Timestamp = "2026-10-14T03:21:00Z".parse().unwrap();
        for text in [
            "2026-10-14T03:21:00Z",
            "2026-10-14T12:21:00+09:00",
            "2026-10-14 03:21:00",
            "2026-10-14 03:21:00.000000",
            "\"2026-10-14T03:21:00\"",
            "1791948060",
            "1791948060.0",
            "1791948060000",
        ] {
            assert_eq!(time(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn headers_blank_lines_and_missing_values_are_no_errors() {
        let read = parse("\u{feff}timestamp,value\r\n120,2\r\n\r\n60,\r\n");
        assert_eq!(read.bad_lines, 0);
        assert_eq!(read.points.len(), 2);
        assert!(read.points[0].1.is_nan() && read.points[1] == (Timestamp::from_secs(120), 2.0));
    }

    #[test]
    fn bad_lines_are_named_counted_and_left_out() {
        let read = parse("60,1\nyesterday,2\n120,abc\n180,inf\n240\n300,1,2\n360,x\n420,7\n");
        assert_eq!(read.points.len(), 2);
        assert_eq!((read.bad_lines, read.bad.len()), (6, BAD_LINES_NAMED_MAX));
        assert_eq!(read.bad[0].line, 2);
        assert!(read.bad[0].reason.contains("2026-10-14"));
    }

    #[test]
    fn a_broken_first_line_is_no_header() {
        assert_eq!(parse("60,abc\n120,1\n").bad_lines, 1);
        assert_eq!(parse("2026-13-45,1\n120,1\n").bad_lines, 1);
    }
}
