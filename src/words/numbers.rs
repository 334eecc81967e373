//! How numbers, times and durations are written: the same digits in every language.
//!
//! Nothing else: units come from the source, and only those that we know are shown.

use tantei_engine::model::num::index;
use tantei_engine::model::time::Timestamp;

use super::{Lang, Words};

/// Seconds in a day.
const DAY_S: i64 = 86_400;

impl Words {
    /// A day and a time, in UTC: `2026-11-24 06:12:32Z`.
    #[must_use]
    pub fn time(&self, t: Timestamp) -> String {
        let whole = Timestamp::from_secs(t.secs()).to_string();
        whole.replace('T', " ")
    }

    /// The time of day in UTC: `06:12:32`.
    #[must_use]
    pub fn clock(&self, t: Timestamp) -> String {
        let s = t.secs().rem_euclid(DAY_S);
        format!("{:02}:{:02}:{:02}", s / 3600, s % 3600 / 60, s % 60)
    }

    /// A length of time: `2 min 10 s`, `2分10秒`. Two units at most.
    #[must_use]
    pub fn duration(&self, seconds: i64) -> String {
        let seconds = seconds.max(0);
        let (d, h, m, s) = (seconds / DAY_S, seconds % DAY_S / 3600, seconds % 3600 / 60, seconds % 60);
        let (en, ja): ([&str; 4], [&str; 4]) = (["d", "h", "min", "s"], ["日", "時間", "分", "秒"]);
        let parts = [d, h, m, s];
        let first = parts.iter().position(|n| *n > 0).unwrap_or(3);
        let shown = parts.iter().enumerate().skip(first).take(2).filter(|(_, n)| **n > 0 || seconds == 0);
        let one = |(i, n): (usize, &i64)| match self.lang() {
            Lang::En => format!("{n} {}", en.get(i).unwrap_or(&"")),
            Lang::Ja => format!("{n}{}", ja.get(i).unwrap_or(&"")),
        };
        let written: Vec<String> = shown.map(one).collect();
        written.join(if self.lang() == Lang::En { " " } else { "" })
    }

    /// A measured number: three significant digits, and its unit where we know it.
    #[must_use]
    pub fn number(&self, value: f64, unit: Option<&str>) -> String {
        match unit.unwrap_or_default() {
            "Seconds" => self.milliseconds(value * 1000.0),
            "Milliseconds" => self.milliseconds(value),
            "Microseconds" => self.milliseconds(value / 1000.0),
            "Percent" => format!("{} %", digits(value)),
            "Bytes" => scaled(value, "B"),
            "Kilobytes" => scaled(value * 1e3, "B"),
            "Megabytes" => scaled(value * 1e6, "B"),
            "Gigabytes" => scaled(value * 1e9, "B"),
            "Bytes/Second" => scaled(value, "B/s"),
            "USD" => dollars(value),
            "Count/Second" => format!("{}/s", short(value)),
            _ => short(value),
        }
    }

    /// A measured time: `35 ms`, `1.9 s`.
    #[must_use]
    pub fn milliseconds(&self, ms: f64) -> String {
        let size = ms.abs();
        if size >= 1_000.0 {
            format!("{} s", digits(ms / 1_000.0))
        } else if size >= 1.0 || size == 0.0 {
            format!("{} ms", digits(ms))
        } else {
            format!("{} µs", digits(ms * 1_000.0))
        }
    }

    /// How many times as much: `20×`, `20倍`.
    #[must_use]
    pub fn factor(&self, factor: f64) -> String {
        let mark = if self.lang() == Lang::En { "×" } else { "倍" };
        if factor >= 1_000.0 {
            return format!(">1000{mark}");
        }
        let places = usize::from(factor < 10.0);
        let places = if factor < 0.1 { 2 } else { places };
        format!("{factor:.places$}{mark}")
    }

    /// A part of a whole: `83 %`.
    #[must_use]
    pub fn share(&self, share: f64) -> String {
        let percent = share * 100.0;
        if percent > 0.0 && percent < 0.1 {
            return "<0.1 %".to_owned();
        }
        let places = usize::from(percent > 0.0 && percent < 10.0);
        format!("{percent:.places$} %")
    }
}

/// Three significant digits, no exponent, no trailing zeros behind a point.
fn digits(value: f64) -> String {
    if !value.is_finite() {
        return "?".to_owned();
    }
    // No negative zero.
    let value = if value == 0.0 { 0.0 } else { value };
    let magnitude = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    if value != 0.0 && !(-6.0..15.0).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    let places = index(2.0 - magnitude);
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Money: cents matter, what is below a hundredth of one does not.
fn dollars(value: f64) -> String {
    let places = if value < 1.0 { 4 } else { 2 };
    if value > 0.0 && value < 0.000_1 { "<$0.0001".to_owned() } else { format!("${value:.places$}") }
}

/// A number without a unit: large ones by thousands.
fn short(value: f64) -> String {
    if value.abs() < 10_000.0 { digits(value) } else { scaled(value, "").trim_end().to_owned() }
}

/// With an SI prefix.
fn scaled(value: f64, unit: &str) -> String {
    let prefixes = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    match prefixes.iter().find(|(size, _)| value.abs() >= *size) {
        Some((size, prefix)) => format!("{} {prefix}{unit}", digits(value / size)),
        None => format!("{} {unit}", digits(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_known_units() {
        let w = Words::new(Lang::En);
        for (value, unit, text) in [
            (0.1234, Some("Seconds"), "123 ms"),
            (2.41, Some("Seconds"), "2.41 s"),
            (0.0, Some("Seconds"), "0 ms"),
            (-0.0, None, "0"),
            (12.0, Some("Percent"), "12 %"),
            (1_234_567.0, Some("Bytes"), "1.23 MB"),
            (1_745.0, Some("Count"), "1745"),
            (23_456.0, None, "23.5 k"),
            (0.012_3, Some("USD"), "$0.0123"),
            (3.0, Some("USD"), "$3.00"),
            (0.000_001, Some("USD"), "<$0.0001"),
            (0.001_234, None, "0.00123"),
            (f64::NAN, None, "?"),
            (5.0, Some("<img>"), "5"),
        ] {
            assert_eq!(w.number(value, unit), text, "{value} {unit:?}");
        }
        assert_eq!(w.factor(19.96), "20×");
        assert_eq!(w.share(0.829), "83 %");
    }

    #[test]
    fn times_and_durations() {
        let t: Timestamp = "2026-11-24T06:12:32.054Z".parse().unwrap();
        let (en, ja) = (Words::new(Lang::En), Words::new(Lang::Ja));
        assert_eq!(en.time(t), "2026-11-24 06:12:32Z");
        assert_eq!(ja.clock(t), "06:12:32");
        assert_eq!((en.duration(130), ja.duration(130)), ("2 min 10 s".to_owned(), "2分10秒".to_owned()));
        assert_eq!((en.duration(0), ja.duration(7_200)), ("0 s".to_owned(), "2時間".to_owned()));
    }
}
