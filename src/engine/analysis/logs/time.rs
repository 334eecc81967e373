//! Times at the beginning of lines, as machines write them; several forms, one value that can be compared.

use super::bytes::{at, sub, token_end, token_start};

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// When a line says that it was written: comparable within one form. The year is zero where the form has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Stamp {
    /// Year, month, day, hour, minute, second, millisecond.
    parts: (u16, u8, u8, u8, u8, u8, u16),
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day, hour, minute, second, ms) = self.parts;
        if year > 0 {
            write!(f, "{year:04}-")?;
        }
        if month > 0 {
            write!(f, "{month:02}-{day:02}T")?;
        }
        write!(f, "{hour:02}:{minute:02}:{second:02}.{ms:03}")
    }
}

impl Stamp {
    /// Milliseconds since 1970 as such a stamp.
    #[must_use]
    pub fn from_millis(ms: i64) -> Option<Self> {
        let zoned = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from_millisecond(ms).ok()?);
        let small = |n: i8| u8::try_from(n).ok();
        Some(Self {
            parts: (
                u16::try_from(zoned.year()).ok()?,
                small(zoned.month())?,
                small(zoned.day())?,
                small(zoned.hour())?,
                small(zoned.minute())?,
                small(zoned.second())?,
                u16::try_from(zoned.millisecond()).ok()?,
            ),
        })
    }
}

/// A time found in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) stamp: Stamp,
    /// Where the text goes on.
    pub(super) end: usize,
    /// `Nov 24 03:21:09`, the form of syslog: a host and a process follow.
    pub(super) syslog: bool,
}

/// A time that begins at `i`, with a date before or behind it where there is one.
pub(super) fn found(t: &[u8], i: usize) -> Option<Found> {
    let open = usize::from(matches!(at(t, i), b'[' | b'(' | b'"'));
    let i = i + open;
    let b = at(t, i);
    let found = if b.is_ascii_digit() {
        numeric(t, i)
    } else if b.is_ascii_uppercase() {
        named(t, i)
    } else {
        None
    }?;
    let close = open > 0 && matches!(at(t, found.end), b']' | b')' | b'"');
    Some(Found { end: found.end + usize::from(close), ..found })
}

fn numeric(t: &[u8], i: usize) -> Option<Found> {
    let year = digits(t, i, 4);
    let separator = at(t, i + 4);
    if let (Some(year), b'-' | b'/' | b'.') = (year, separator)
        && at(t, i + 7) == separator
        && (1970..2100).contains(&year)
    {
        let (month, day) = (digits(t, i + 5, 2)?, digits(t, i + 8, 2)?);
        return Some(with_clock(t, i + 10, (year, month, day)));
    }
    let (first, second) = (digits(t, i, 2), digits(t, i + 3, 2));
    if let (Some(first), Some(second)) = (first, second) {
        match (at(t, i + 2), at(t, i + 5)) {
            (b'/', b'/') => {
                let third = digits(t, i + 6, 2)?;
                let (date, end) = match digits(t, i + 6, 4) {
                    Some(year) => ((year, first, second), i + 10),
                    None => ((2_000 + first, second, third), i + 8),
                };
                return clock(t, end + 1).is_some().then(|| with_clock(t, end, date));
            }
            (b'.' | b'-' | b'/', b' ') if clock(t, i + 6).is_some() => {
                return Some(with_clock(t, i + 5, (0, first, second)));
            }
            (b':', b':') => return Some(with_clock(t, i.wrapping_sub(1), (0, 0, 0))),
            _ => {}
        }
    }
    if at(t, i + 2) == b'/' && at(t, i + 6) == b'/' {
        let month = month(sub(t, i + 3, i + 6))?;
        return Some(with_clock(t, i + 11, (digits(t, i + 7, 4)?, month, first?)));
    }
    compact(t, i).or_else(|| epoch(t, i))
}

/// `081109 203615`: date and time of day as six digits each.
fn compact(t: &[u8], i: usize) -> Option<Found> {
    if at(t, i + 6) != b' ' || at(t, i + 13) != b' ' {
        return None;
    }
    let p = |n: usize| digits(t, i + n, 2);
    let (year, month, day) = (2_000 + p(0)?, p(2)?, p(4)?);
    let (hour, minute, second) = (p(7)?, p(9)?, p(11)?);
    if month > 12 || day > 31 || hour > 23 || minute > 59 {
        return None;
    }
    Some(Found { stamp: stamp((year, month, day), (hour, minute, second, 0)), end: i + 13, syslog: false })
}

/// `1124 10:12:13.123456`: month and day without a separator, then the time of day. Says where it ends.
pub(super) fn joined(t: &[u8], i: usize) -> Option<(Stamp, usize)> {
    let (month, day) = (digits(t, i, 2)?, digits(t, i + 2, 2)?);
    if at(t, i + 4) != b' ' || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (time, end) = clock(t, i + 5)?;
    Some((stamp((0, month, day), time), end))
}

/// Seconds or milliseconds since 1970, standing alone.
fn epoch(t: &[u8], i: usize) -> Option<Found> {
    let end = token_end(t, i);
    let token = sub(t, i, end);
    let whole = token.split(|b| *b == b'.').next().unwrap_or_default();
    if !matches!(whole.len(), 10 | 13)
        || at(whole, 0) != b'1'
        || !token.iter().all(|b| b.is_ascii_digit() || *b == b'.')
    {
        return None;
    }
    let n = whole.iter().fold(0_i64, |n, b| n * 10 + i64::from(b & 15));
    let ms = if whole.len() == 10 { n * 1_000 } else { n };
    Some(Found { stamp: Stamp::from_millis(ms)?, end, syslog: false })
}

/// `Jun 14 15:16:01` and `Fri Jun 17 07:07:00 2005`.
fn named(t: &[u8], i: usize) -> Option<Found> {
    let i = if is_weekday(sub(t, i, i + 3)) { token_start(t, token_end(t, i)) } else { i };
    let month = month(sub(t, i, i + 3))?;
    let day_at = token_start(t, i + 3);
    if day_at == i + 3 {
        return None;
    }
    let two = digits(t, day_at, 2);
    let (day, n) = two.map(|d| (d, 2)).or_else(|| digits(t, day_at, 1).map(|d| (d, 1)))?;
    let clock_at = token_start(t, day_at + n);
    clock(t, clock_at)?;
    let mut found = with_clock(t, clock_at.wrapping_sub(1), (0, month, day));
    found.syslog = true;
    if let (b' ', Some(year), true) = (at(t, found.end), digits(t, found.end + 1, 4), ends(t, found.end + 5))
    {
        found.stamp.parts.0 = year;
        found.end += 5;
        found.syslog = false;
    }
    Some(found)
}

fn ends(t: &[u8], i: usize) -> bool {
    matches!(at(t, i), 0 | b' ' | b']' | b')')
}

/// Adds the time of day that follows a date behind one separator, its fraction and its zone.
fn with_clock(t: &[u8], i: usize, date: (u16, u16, u16)) -> Found {
    let Some((time, end)) = clock(t, i.wrapping_add(1)) else {
        return Found { stamp: stamp(date, (0, 0, 0, 0)), end: i, syslog: false };
    };
    Found { stamp: stamp(date, time), end, syslog: false }
}

type Clock = (u16, u16, u16, u16);

fn clock(t: &[u8], i: usize) -> Option<(Clock, usize)> {
    let separator = at(t, i + 2);
    let spaced = |n: usize| at(t, i + n) == separator && matches!(separator, b':' | b'.');
    let (hour, minute) = (digits(t, i, 2)?, spaced(2).then(|| digits(t, i + 3, 2)).flatten()?);
    let second = spaced(5).then(|| digits(t, i + 6, 2)).flatten();
    let mut end = if second.is_some() { i + 8 } else { i + 5 };
    let mut ms = 0;
    if matches!(at(t, end), b'.' | b',' | b':') && at(t, end + 1).is_ascii_digit() {
        ms = digits(t, end + 1, 3).unwrap_or_default();
        let fraction = sub(t, end + 1, t.len()).iter().take_while(|b| b.is_ascii_digit()).count();
        end += 1 + fraction;
    }
    if at(t, end) == b'Z' {
        end += 1;
    } else if matches!(at(t, end), b'+' | b'-') && digits(t, end + 1, 2).is_some() {
        end += if at(t, end + 3) == b':' { 6 } else { 5 };
    } else if at(t, end) == b' ' && matches!(at(t, end + 1), b'+' | b'-') && digits(t, end + 2, 4).is_some() {
        end += 6;
    }
    Some(((hour, minute, second.unwrap_or_default(), ms), end.min(t.len())))
}

fn stamp(date: (u16, u16, u16), time: Clock) -> Stamp {
    let small = |n: u16| u8::try_from(n).unwrap_or_default();
    Stamp {
        parts: (date.0, small(date.1), small(date.2), small(time.0), small(time.1), small(time.2), time.3),
    }
}

fn digits(t: &[u8], i: usize, n: usize) -> Option<u16> {
    let part = t.get(i..i.checked_add(n)?)?;
    part.iter().try_fold(0_u16, |x, b| b.is_ascii_digit().then(|| x * 10 + u16::from(b - b'0')))
}

fn month(t: &[u8]) -> Option<u16> {
    MONTHS.iter().position(|m| *m == t).and_then(|n| u16::try_from(n + 1).ok())
}

/// Whether three letters are a day of the week.
pub(super) fn is_weekday(t: &[u8]) -> bool {
    matches!(t, b"Mon" | b"Tue" | b"Wed" | b"Thu" | b"Fri" | b"Sat" | b"Sun")
}

/// The end of a date that begins with the name of a month, with zone and year: `Jul 01 08:16:53 PDT 2005`.
pub(super) fn spoken(t: &[u8], start: usize, end: usize) -> Option<usize> {
    month(sub(t, start, end))?;
    let day = token_start(t, end);
    let day_end = token_end(t, day);
    if !(1..=2).contains(&(day_end - day)) || !sub(t, day, day_end).iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (_, mut to) = clock(t, token_start(t, day_end))?;
    let zone = token_start(t, to);
    let zone_end = token_end(t, zone);
    if (3..=4).contains(&(zone_end - zone)) && sub(t, zone, zone_end).iter().all(u8::is_ascii_uppercase) {
        to = zone_end;
    }
    let year = token_start(t, to);
    if digits(t, year, 4).is_some() && !at(t, year + 4).is_ascii_digit() {
        to = year + 4;
    }
    Some(to)
}
