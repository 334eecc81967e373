//! When something began, as people say it: `03:10 JST`, `2026-11-24T03:10Z`, `20 minutes ago`, 「午前3時10分頃から」,「今朝」.
//!
//! A time of day is the last such time before now. Whose clock it is must be said, or follow from the language; it is never
//! guessed.

use crate::model::time::Timestamp;

/// Seconds by which Japan's clocks are ahead of UTC.
const JST_S: i64 = 9 * 3_600;

const DAY_S: i64 = 86_400;

/// An hour and a half.
const HALF_S: i64 = 5_400;

/// Hour at which the morning begins of which people speak.
const MORNING_H: i64 = 6;

/// Hour at which the night begins of which people speak.
const NIGHT_H: i64 = 21;

/// Why a time cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// Whose clock?
    #[error("say whose clock the time is, such as `03:10 JST`, `03:10 UTC` or `03:10 +09:00`")]
    Zone,
    /// It lies ahead.
    #[error("the time lies in the future")]
    Future,
    /// There is no such time.
    #[error("there is no such date or time")]
    Impossible,
}

/// The text as it is compared: full-width letters and digits as ASCII, in lower case.
#[must_use]
pub fn plain(text: &str) -> String {
    let narrow = |c: char| match u32::from(c) {
        0x3000 => ' ',
        wide @ 0xff01..=0xff5e => char::from_u32(wide.saturating_sub(0xfee0)).unwrap_or(c),
        _ => c,
    };
    text.chars().map(narrow).flat_map(char::to_lowercase).collect()
}

/// The first time that the text names; none when it names none.
///
/// # Errors
/// When it names one that cannot be told.
pub fn when(text: &str, now: Timestamp) -> Result<Option<Timestamp>, Unclear> {
    let text = plain(text);
    let chars: Vec<char> = text.chars().collect();
    let mut before = None;
    for start in 0..chars.len() {
        let rest = Cursor { rest: chars.get(start..).unwrap_or_default() };
        // Within a word or a number nothing begins.
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == ':' || c == '-';
        let first = rest.rest.first().copied();
        let begins = !(before.is_some_and(inside) && first.is_some_and(|c| c.is_ascii_alphanumeric()));
        before = first;
        if !begins {
            continue;
        }
        let found = dated(rest).or_else(|| ago(rest)).or_else(|| clock(rest)).or_else(|| word(rest));
        if let Some(said) = found {
            let day = i64::from(chars.get(..start).is_some_and(says_yesterday));
            return said.at(&text, day, now).map(Some);
        }
    }
    Ok(None)
}

fn says_yesterday(before: &[char]) -> bool {
    let before: String = before.iter().collect();
    before.contains("yesterday") || before.contains("昨日")
}

/// A time as it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// So many seconds ago.
    Ago(i64),
    /// A time of day, in seconds; some words mean the day before.
    Clock { seconds: i64, zone: Option<i64>, days_back: i64, rolls: bool },
    /// A date and a time, in seconds of a clock that shows UTC.
    Dated { seconds: i64, zone: Option<i64> },
    /// No date or time.
    Impossible,
}

impl Said {
    fn at(self, text: &str, day: i64, now: Timestamp) -> Result<Timestamp, Unclear> {
        let zone = |own: Option<i64>| own.or_else(|| zone_of(text)).ok_or(Unclear::Zone);
        let at = match self {
            Self::Ago(seconds) => now.plus_secs(seconds.saturating_neg()),
            Self::Clock { seconds, zone: own, days_back, rolls } => {
                let zone = zone(own)?;
                let local = now.secs().saturating_add(zone);
                let midnight = local.saturating_sub(local.rem_euclid(DAY_S));
                let back = day.max(days_back).saturating_mul(DAY_S);
                let at = midnight.saturating_add(seconds).saturating_sub(back).saturating_sub(zone);
                let tomorrow = back == 0 && rolls && at > now.secs();
                Timestamp::from_secs(if tomorrow { at.saturating_sub(DAY_S) } else { at })
            }
            Self::Dated { seconds, zone: own } => Timestamp::from_secs(seconds.saturating_sub(zone(own)?)),
            Self::Impossible => return Err(Unclear::Impossible),
        };
        if at > now { Err(Unclear::Future) } else { Ok(at) }
    }
}

/// The clock of the text as a whole: one that it names, else Japan's when it is written in Japanese.
fn zone_of(text: &str) -> Option<i64> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let named = words.into_iter().find_map(|w| match w {
        "jst" => Some(JST_S),
        "utc" | "gmt" => Some(0),
        _ => None,
    });
    let japanese = text
        .chars()
        .any(|c| ('\u{3040}'..='\u{30ff}').contains(&c) || ('\u{4e00}'..='\u{9fff}').contains(&c));
    named.or(japanese.then_some(JST_S))
}

/// What follows in a text.
#[derive(Debug, Clone, Copy)]
struct Cursor<'a> {
    rest: &'a [char],
}

impl Cursor<'_> {
    fn skip(self, count: usize) -> Self {
        Self { rest: self.rest.get(count..).unwrap_or_default() }
    }

    fn spaces(self) -> Self {
        self.skip(self.rest.iter().take_while(|c| **c == ' ').count())
    }

    fn eat(self, word: &str) -> Option<Self> {
        let same = self.rest.iter().zip(word.chars()).filter(|(a, b)| **a == *b).count();
        let all = word.chars().count();
        (same == all && self.rest.len() >= all).then(|| self.skip(all))
    }

    /// One of the words, which ends where it ends.
    fn eat_word<T: Copy>(self, words: &[(&str, T)]) -> Option<(T, Self)> {
        words.iter().find_map(|(word, value)| {
            let after = self.eat(word)?;
            let goes_on = after.rest.first().is_some_and(char::is_ascii_alphanumeric);
            let ascii = word.chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric());
            (!(goes_on && ascii)).then_some((*value, after))
        })
    }

    /// A number of so many digits.
    fn number(self, digits: std::ops::RangeInclusive<usize>) -> Option<(i64, Self)> {
        let count = self.rest.iter().take_while(|c| c.is_ascii_digit()).count();
        if !digits.contains(&count) {
            return None;
        }
        let text: String = self.rest.iter().take(count).collect();
        Some((text.parse().ok()?, self.skip(count)))
    }

    /// A clock's name or its distance from UTC.
    fn zone(self) -> Option<i64> {
        let here = self.spaces();
        let here = here.eat("(").unwrap_or(here);
        let named = [("jst", JST_S), ("utc", 0), ("gmt", 0), ("z", 0)];
        if let Some((zone, _)) = here.eat_word(&named) {
            return Some(zone);
        }
        let (sign, after) = here.eat("+").map(|c| (1, c)).or_else(|| here.eat("-").map(|c| (-1, c)))?;
        if let Some((both, _)) = after.number(4..=4) {
            return offset(sign, both / 100, both % 100);
        }
        let (hours, after) = after.number(2..=2)?;
        let (minutes, after) = after.eat(":").and_then(|c| c.number(2..=2)).unwrap_or((0, after));
        // `03:10-04:00 JST` is a span of time.
        let named = after.spaces().eat_word(&named).map(|(zone, _)| zone);
        named.or_else(|| offset(sign, hours, minutes))
    }
}

fn offset(sign: i64, hours: i64, minutes: i64) -> Option<i64> {
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// `2026-11-24T03:10:00+09:00`, `2026-11-24 03:10 JST`, `2026/11/24 3:10`.
fn dated(at: Cursor<'_>) -> Option<Said> {
    let (year, at) = at.number(4..=4)?;
    let (between, at) = at.eat("-").map(|c| ("-", c)).or_else(|| at.eat("/").map(|c| ("/", c)))?;
    let (month, at) = at.number(1..=2)?;
    let (day, at) = at.eat(between)?.number(1..=2)?;
    let at = at.eat("t").unwrap_or_else(|| at.spaces());
    let Some((seconds, at)) = digits(at) else { return Some(Said::Impossible) };
    let midnight: Result<Timestamp, _> = format!("{year:04}-{month:02}-{day:02}T00:00:00Z").parse();
    Some(match (midnight, seconds) {
        (Ok(midnight), Some(seconds)) => {
            Said::Dated { seconds: midnight.secs().saturating_add(seconds), zone: at.zone() }
        }
        (Err(_), _) | (_, None) => Said::Impossible,
    })
}

/// `3:10` or `03:10:20`: the seconds of the day, none when there is no such time.
fn digits(at: Cursor<'_>) -> Option<(Option<i64>, Cursor<'_>)> {
    let (hour, at) = at.number(1..=2)?;
    let (minute, at) = at.eat(":")?.number(2..=2)?;
    let (second, at) = at.eat(":").and_then(|c| c.number(2..=2)).unwrap_or((0, at));
    let fraction = at.eat(".").and_then(|c| c.number(1..=9));
    let at = fraction.map_or(at, |(_, at)| at);
    Some((seconds(hour, minute, second), at))
}

fn seconds(hour: i64, minute: i64, second: i64) -> Option<i64> {
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3_600 + minute * 60 + second)
}

/// `20 minutes ago`, 「30分前」.
fn ago(at: Cursor<'_>) -> Option<Said> {
    let (count, at) = at.number(1..=4)?;
    let at = at.spaces();
    let japanese = [("時間半", HALF_S), ("時間", 3_600), ("分", 60), ("日", DAY_S)];
    if let Some((unit, after)) = at.eat_word(&japanese)
        && ["前", "ほど前", "くらい前", "ぐらい前"].iter().any(|w| after.eat(w).is_some())
    {
        // 「2時間半前」 is two hours and a half.
        let half = unit == HALF_S;
        let seconds = count.saturating_mul(if half { 3_600 } else { unit });
        return Some(Said::Ago(seconds.saturating_add(if half { 1_800 } else { 0 })));
    }
    let english = [
        ("minutes", 60),
        ("minute", 60),
        ("mins", 60),
        ("min", 60),
        ("m", 60),
        ("hours", 3_600),
        ("hour", 3_600),
        ("h", 3_600),
        ("days", DAY_S),
        ("day", DAY_S),
        ("d", DAY_S),
    ];
    let (unit, at) = at.eat_word(&english)?;
    at.spaces().eat("ago")?;
    Some(Said::Ago(count.saturating_mul(unit)))
}

/// `03:10 JST`, `3 pm UTC`, 「午前3時10分」,「15時半」.
fn clock(at: Cursor<'_>) -> Option<Said> {
    let (half, at) = at.eat_word(&[("午前", 0), ("午後", 12)]).map_or((None, at), |(h, c)| (Some(h), c));
    if let Some((seconds, after)) = digits(at) {
        let (half, after) =
            after.spaces().eat_word(&[("am", 0), ("pm", 12)]).map_or((half, after), |(h, c)| (Some(h), c));
        return Some(time_of_day(seconds, half, after.zone()));
    }
    let (hour, after) = at.number(1..=2)?;
    if let Some((half, after)) = after.spaces().eat_word(&[("am", 0), ("pm", 12)]) {
        return Some(time_of_day(seconds(hour, 0, 0), Some(half), after.zone()));
    }
    let after = after.spaces().eat("時")?;
    if after.eat("間").is_some() {
        return None;
    }
    let (minute, after) = match after.eat("半") {
        Some(after) => (30, after),
        None => after.number(1..=2).and_then(|(m, c)| Some((m, c.eat("分")?))).unwrap_or((0, after)),
    };
    Some(time_of_day(seconds(hour, minute, 0), half, after.zone()))
}

fn time_of_day(seconds: Option<i64>, half: Option<i64>, zone: Option<i64>) -> Said {
    const NOON: i64 = 12 * 3_600;
    let seconds = match (seconds, half) {
        (None, _) => return Said::Impossible,
        (Some(s), None) => s,
        // 12 at night and at noon are said as 12; what is later than noon already stays.
        (Some(s), Some(0)) => {
            if (NOON..NOON + 3_600).contains(&s) {
                s - NOON
            } else {
                s
            }
        }
        (Some(s), Some(_)) => {
            if s < NOON {
                s + NOON
            } else {
                s
            }
        }
    };
    Said::Clock { seconds, zone, days_back: 0, rolls: true }
}

/// 「今朝」,「昨夜」,「さっき」, `this morning`, `last night`, `just now`.
fn word(at: Cursor<'_>) -> Option<Said> {
    let fixed =
        |hour: i64, days_back| Said::Clock { seconds: hour * 3_600, zone: None, days_back, rolls: false };
    let vague = [
        ("今朝", fixed(MORNING_H, 0)),
        ("this morning", fixed(MORNING_H, 0)),
        ("昨夜", fixed(NIGHT_H, 1)),
        ("昨晩", fixed(NIGHT_H, 1)),
        ("last night", fixed(NIGHT_H, 1)),
        ("さっき", Said::Ago(1_800)),
        ("先ほど", Said::Ago(1_800)),
        ("just now", Said::Ago(0)),
    ];
    let (said, after) = at.eat_word(&vague)?;
    // 「今朝の3時」 says it more precisely.
    let precise = (0..after.rest.len()).any(|skipped| clock(after.skip(skipped)).is_some());
    (!precise).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon in Japan.
    fn at(text: &str) -> Result<Option<String>, Unclear> {
        let now: Timestamp = "2026-11-24T03:00:00Z".parse().unwrap();
        when(text, now).map(|t| t.map(|t| t.to_string()))
    }

    #[test]
    fn times_are_read_as_people_say_them() {
        for (text, time) in [
            ("orders is slow since 03:10 JST", "2026-11-23T18:10:00Z"),
            ("orders is slow since 11:59 jst", "2026-11-24T02:59:00Z"),
            ("since 13:00 JST", "2026-11-23T04:00:00Z"),
            ("since 02:30 UTC, not 01:00", "2026-11-24T02:30:00Z"),
            ("since 03:10 (JST)", "2026-11-23T18:10:00Z"),
            ("03:10-04:00 JST", "2026-11-23T18:10:00Z"),
            ("since 03:10 +09:00", "2026-11-23T18:10:00Z"),
            ("since 21:40 -0500", "2026-11-24T02:40:00Z"),
            ("since 2026-11-24T01:02:03Z", "2026-11-24T01:02:03Z"),
            ("since 2026-11-24T10:02+09:00", "2026-11-24T01:02:00Z"),
            ("since 2026-11-23 09:00 JST", "2026-11-23T00:00:00Z"),
            ("2026/11/23 9:00から", "2026-11-23T00:00:00Z"),
            ("at 3 pm utc", "2026-11-23T15:00:00Z"),
            ("at 12:10 am UTC", "2026-11-24T00:10:00Z"),
            ("20 minutes ago", "2026-11-24T02:40:00Z"),
            ("2h ago", "2026-11-24T01:00:00Z"),
            ("yesterday at 15:00 JST", "2026-11-23T06:00:00Z"),
            ("this morning (JST)", "2026-11-23T21:00:00Z"),
            ("last night, UTC", "2026-11-23T21:00:00Z"),
            ("ordersが午前3時10分頃から遅い", "2026-11-23T18:10:00Z"),
            ("午後１時から", "2026-11-23T04:00:00Z"),
            ("今朝から遅い", "2026-11-23T21:00:00Z"),
            ("今朝8時半ごろから", "2026-11-23T23:30:00Z"),
            ("昨日の15時5分から", "2026-11-23T06:05:00Z"),
            ("昨夜から", "2026-11-23T12:00:00Z"),
            ("３０分前から", "2026-11-24T02:30:00Z"),
            ("2時間半前から", "2026-11-24T00:30:00Z"),
            ("2時間前から", "2026-11-24T01:00:00Z"),
            ("11:30から遅い", "2026-11-24T02:30:00Z"),
            ("さっきから", "2026-11-24T02:30:00Z"),
        ] {
            assert_eq!(at(text), Ok(Some(time.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_unclear_is_said_to_be_and_what_is_no_time_is_none() {
        for (text, unclear) in [
            ("since 03:10", Unclear::Zone),
            ("this morning", Unclear::Zone),
            ("2026-11-24 01:00", Unclear::Zone),
            ("2027-01-01T00:00:00Z", Unclear::Future),
            ("今日の2026-11-24 25:00", Unclear::Impossible),
            ("since 24:61 UTC", Unclear::Impossible),
            ("2026-13-01T00:00Z", Unclear::Impossible),
            ("since 2026-11-24", Unclear::Impossible),
        ] {
            assert_eq!(at(text), Err(unclear), "{text}");
        }
        for text in [
            "orders is slow",
            "p99 of v3.10 is bad",
            "10.0.0.1:8080 is down",
            "注文が遅い",
            "3時間かかる",
            "",
        ] {
            assert_eq!(at(text), Ok(None), "{text}");
        }
    }
}
