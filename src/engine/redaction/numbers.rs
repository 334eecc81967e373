//! Numbers that belong to people: cards, My Numbers, telephones, social security. Known by length, grouping, check
//! digits and, where these say little, by what stands before.

use super::bytes::{Text, any_fold, is_word};
use super::digits::{self, Digits, Group};
use super::finding::{Finding, Match};
use super::kind::{self, Kind};

/// Names before a number that say it is another thing.
const OTHER_THINGS: &[&str] = &[
    "arn",
    "account",
    "order",
    "trace",
    "span",
    "request",
    "req",
    "sequence",
    "seq",
    "invoice",
    "transaction",
    "txn",
    "job",
    "build",
    "block",
    "blk",
    "offset",
    "time",
    "epoch",
    "size",
    "bytes",
    "pid",
    "uid",
    "version",
    "task",
    "注文",
    "伝票",
    "アカウント",
    "法人番号",
    "請求",
];

/// Words before twelve digits that say they are a person's.
const PERSONS: &[&str] =
    &["mynumber", "my number", "my_number", "my-number", "individual", "マイナンバー", "個人番号"];

/// The number that begins at `i`, where a word begins, or at a plus sign or bracket.
#[inline]
pub(super) fn at(text: Text<'_>, i: usize) -> Match {
    let before = text.before(i);
    if is_word(before)
        || before == b'.'
        || before == b'-' && text.at(i.wrapping_sub(2)).is_ascii_alphanumeric() && !tel(text, i)
    {
        return Match::None;
    }
    let plus = text.at(i) == b'+';
    let open = text.at(i) == b'(';
    let Some(number) = digits::number(text, i + usize::from(plus || open)) else { return Match::None };
    let groups = number.groups();
    let total: usize = groups.iter().map(|g| g.length).sum();
    let end = groups.last().map_or(i, |g| g.end);
    let cut =
        text.line_ends(end) && total >= 2 || text.line_ends(end + 1) && matches!(text.at(end), b'-' | b' ');
    if total < 9 {
        return if cut && (plus || open || total >= 3 || groups.len() > 1 || text.at(end) == b'-') {
            Match::Open
        } else {
            Match::None
        };
    }
    for count in (1..=groups.len().min(6)).rev() {
        let part = groups.get(..count).unwrap_or_default();
        let end = part.last().map_or(i, |g| g.end);
        if goes_on(text, end) {
            continue;
        }
        // Columns of numbers: more of them stand before or behind with the same mark.
        let mark = part.get(1).map_or(0, |g| g.mark);
        let column = mark == b' '
            && !plus
            && (groups.get(count).is_some_and(|g| g.mark == mark)
                || before == b' ' && text.at(i.wrapping_sub(2)).is_ascii_digit());
        if column {
            continue;
        }
        let found = if plus {
            international(&number, part).map(|value| (kind::PHONE, value))
        } else if open {
            bracketed(&number, part).map(|value| (kind::PHONE, value))
        } else {
            of_groups(text, i, &number, part).map(|kind| (kind, ascii(number.of(count))))
        };
        if let Some((kind, value)) = found {
            return Match::Found(Finding::known_as(i, end, kind, value));
        }
    }
    if cut { Match::Open } else { Match::None }
}

/// `tel-090…`: a hyphen that introduces a number rather than joining it to another.
fn tel(text: Text<'_>, i: usize) -> bool {
    any_fold(text.part(i.saturating_sub(4), i), &["tel-", "fax-"])
}

/// Whether more of the same follows, so that this is no end.
fn goes_on(text: Text<'_>, end: usize) -> bool {
    let (next, then) = (text.at(end), text.at(end + 1));
    is_word(next)
        || (matches!(next, b'-' | b'.' | b'/' | b':')
            && then.is_ascii_alphanumeric()
            && (!matches!(next, b':' | b'/') || then.is_ascii_digit()))
}

/// How long the groups of a number are, without memory of their own.
struct Lengths([usize; 8], usize);

impl Lengths {
    fn of(groups: &[Group]) -> Self {
        let mut lengths = [0; 8];
        lengths.iter_mut().zip(groups).for_each(|(slot, group)| *slot = group.length);
        Self(lengths, groups.len().min(8))
    }

    fn get(&self) -> &[usize] {
        self.0.get(..self.1).unwrap_or_default()
    }
}

fn of_groups(text: Text<'_>, i: usize, number: &Digits, groups: &[Group]) -> Option<Kind> {
    let all = number.of(groups.len());
    let lengths = Lengths::of(groups);
    let lengths = lengths.get();
    let uniform = groups.iter().skip(1).map(|g| g.mark).all(|m| Some(m) == groups.get(1).map(|g| g.mark));
    let mark = groups.get(1).map_or(0, |g| g.mark);
    if is_card(all, lengths, uniform && mark != b'.') {
        let usual = matches!(all.len(), 14..=16);
        let whose = usual && (lengths.len() > 1 || !names_other(text, i))
            || named(text, i, &["card", "カード", " pan", "クレジット"]);
        return whose.then_some(kind::CARD);
    }
    if all.len() == 12 {
        return twelve(text, i, all, lengths, uniform).then_some(kind::MY_NUMBER);
    }
    if lengths == [3, 2, 4] && mark == b'-' && uniform && is_ssn(all) {
        return Some(kind::SSN);
    }
    if is_domestic(all, lengths, groups)
        || is_british(all, lengths, groups)
        || is_american(all, lengths, groups, uniform)
    {
        let bare = lengths.len() == 1;
        return (!bare || !names_other(text, i)).then_some(kind::PHONE);
    }
    None
}

/// Twelve digits: a My Number by its check digit, unless something says that they are another thing.
fn twelve(text: Text<'_>, i: usize, all: &[u8], lengths: &[usize], uniform: bool) -> bool {
    if !my_number_checks(all) {
        return false;
    }
    if named(text, i, PERSONS) {
        return true;
    }
    if lengths == [4, 4, 4] && uniform {
        return !names_other(text, i);
    }
    lengths == [12]
        && !is_minute(all)
        && !names_other(text, i)
        && !is_keyed(text, i)
        && !matches!(text.before(i), b':' | b'/' | b'-')
}

/// Whether a name and a sign stand directly before.
fn is_keyed(text: Text<'_>, i: usize) -> bool {
    let before = text.line_before(i, 8);
    before
        .iter()
        .rev()
        .find(|b| !matches!(b, b' ' | b'"' | b'\''))
        .is_some_and(|b| matches!(b, b'=' | b':' | b'#'))
}

/// Whether the word before says that a number is another thing.
fn names_other(text: Text<'_>, i: usize) -> bool {
    let end = text.run_back(i, 6, |b| matches!(b, b' ' | b'"' | b'\'' | b'=' | b':' | b'#' | b'\\'));
    let start = text.run_back(end, 24, |b| is_word(b) || matches!(b, b'-' | b'.') || b >= 0x80);
    any_fold(text.part(start, end), OTHER_THINGS)
}

fn named(text: Text<'_>, i: usize, words: &[&str]) -> bool {
    any_fold(text.line_before(i, 48), words)
}

/// Luhn's check with an issuer's first digits and one of its groupings.
fn is_card(all: &[u8], lengths: &[usize], uniform: bool) -> bool {
    let grouped = match lengths {
        [_] => true,
        [4, 4, 4, 4 | 3 | 1] | [4, 6, 5 | 4] | [4, 4, 4, 4, 3] => uniform,
        _ => false,
    };
    let first = |n: usize| all.iter().take(n).fold(0_u32, |sum, d| sum * 10 + u32::from(*d));
    let issued = match all.len() {
        13 | 19 => first(1) == 4,
        14 => matches!(first(3), 300..=305 | 309) || matches!(first(2), 36 | 38 | 39),
        15 => matches!(first(2), 34 | 37),
        16 => {
            first(1) == 4
                || matches!(first(2), 51..=55)
                || matches!(first(4), 2221..=2720 | 3528..=3589 | 6011)
                || matches!(first(2), 65)
                || matches!(first(3), 644..=649)
                || matches!(first(3), 300..=305)
                || matches!(first(2), 36 | 38 | 39)
        }
        _ => false,
    };
    grouped && issued && luhn(all) && all.iter().skip(1).any(|d| all.first() != Some(d))
}

fn luhn(all: &[u8]) -> bool {
    let sum: u32 = all
        .iter()
        .rev()
        .enumerate()
        .map(|(n, d)| {
            let d = u32::from(*d);
            let twice = if n % 2 == 1 { d * 2 } else { d };
            if twice > 9 { twice - 9 } else { twice }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The check digit of a My Number: weights 2 to 7 twice over, modulo 11.
pub(super) fn my_number_checks(all: &[u8]) -> bool {
    let Some((check, rest)) = all.split_last() else { return false };
    let weights = [2_u32, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6];
    let sum: u32 = rest.iter().rev().zip(weights).map(|(d, w)| u32::from(*d) * w).sum();
    let expected = if sum % 11 <= 1 { 0 } else { 11 - sum % 11 };
    all.len() == 12 && u32::from(*check) == expected && all.iter().any(|d| d != check)
}

/// `202611241605`: a minute, written as digits alone.
fn is_minute(all: &[u8]) -> bool {
    let two = |at: usize| all.iter().skip(at).take(2).fold(0_u8, |n, d| n * 10 + d);
    matches!(two(0), 19 | 20) && matches!(two(4), 1..=12) && matches!(two(6), 1..=31) && two(8) < 24
}

fn is_ssn(all: &[u8]) -> bool {
    let number =
        |from: usize, n: usize| all.iter().skip(from).take(n).fold(0_u32, |n, d| n * 10 + u32::from(*d));
    let area = number(0, 3);
    area != 0 && area != 666 && area < 900 && number(3, 2) != 0 && number(5, 4) != 0
}

/// A Japanese number as it is dialled at home.
fn is_domestic(all: &[u8], lengths: &[usize], groups: &[Group]) -> bool {
    let marks = groups.iter().skip(1).all(|g| matches!(g.mark, b'-' | b' ' | b'(' | b')'));
    let dotted = groups.iter().skip(1).all(|g| g.mark == b'.');
    if all.first() != Some(&0) || all.get(1) == Some(&0) || !(marks || dotted) {
        return false;
    }
    let mobile = matches!((all.get(1), all.get(2)), (Some(5..=9), Some(0))) && all.len() == 11;
    match lengths {
        [11] => mobile && all.get(1) != Some(&6),
        [3, 4, 4] => mobile,
        [3, 8] => mobile && !dotted,
        // Long-distance, local, line: ten digits of which the last four are the line.
        [a @ 2..=5, b @ 1..=4, 4] => a + b == 6 && !dotted && !is_free(all),
        _ => false,
    }
}

/// Numbers of companies that cost nothing belong to nobody.
fn is_free(all: &[u8]) -> bool {
    all.starts_with(&[0, 1, 2, 0]) || all.starts_with(&[0, 5, 7, 0])
}

fn is_british(all: &[u8], lengths: &[usize], groups: &[Group]) -> bool {
    let marks = groups.iter().skip(1).all(|g| matches!(g.mark, b' ' | b'-'));
    let grouped = matches!(lengths, [11] | [5, 6] | [5, 3, 3] | [3, 4, 4] | [4, 3, 4] | [3, 8] | [4, 7]);
    let leads = match (all.get(1), all.get(2)) {
        (Some(7), Some(1..=9)) => true,
        (Some(1 | 2), _) => lengths.len() > 1,
        _ => false,
    };
    all.first() == Some(&0) && all.len() == 11 && marks && grouped && leads
}

fn is_american(all: &[u8], lengths: &[usize], groups: &[Group], uniform: bool) -> bool {
    let national = match (lengths, all.first()) {
        ([1, 3, 3, 4], Some(1)) => all.get(1..).unwrap_or_default(),
        ([3, 3, 4], _) => all,
        _ => return false,
    };
    let marks = groups.iter().skip(1).all(|g| matches!(g.mark, b'-' | b'.' | b' ' | b'(' | b')'));
    // With blanks alone, three columns of numbers look the same.
    let columns = groups.iter().skip(1).all(|g| g.mark == b' ');
    marks
        && (uniform || groups.iter().any(|g| g.mark == b'(' || g.mark == b')'))
        && !columns
        && is_nanp(national)
}

fn is_nanp(national: &[u8]) -> bool {
    national.len() == 10 && matches!(national.first(), Some(2..=9)) && matches!(national.get(3), Some(2..=9))
}

/// A number behind a plus sign; as it is dialled at home, so that both writings are one value.
fn international(number: &Digits, groups: &[Group]) -> Option<Vec<u8>> {
    let all = number.of(groups.len());
    if !groups.iter().skip(1).all(|g| matches!(g.mark, b'-' | b' ' | b'.' | b'(' | b')')) {
        return None;
    }
    let home = |rest: &[u8]| {
        let rest = rest.strip_prefix(&[0]).unwrap_or(rest);
        let mut value = vec![b'0'];
        value.extend(ascii(rest));
        value
    };
    match all {
        [8, 1, rest @ ..] if matches!(rest.len(), 9..=11) => Some(home(rest)),
        [4, 4, rest @ ..] if matches!(rest.len(), 9..=11) => Some(home(rest)),
        [1, rest @ ..] if rest.len() == 10 => is_nanp(rest).then(|| ascii(rest)),
        [2..=9, ..] if matches!(all.len(), 10..=14) && groups.len() <= 5 => Some(ascii(all)),
        _ => None,
    }
}

/// `(03) 1234-5678`, `(415) 555-0100`.
fn bracketed(number: &Digits, groups: &[Group]) -> Option<Vec<u8>> {
    let all = number.of(groups.len());
    let closes = groups.get(1).is_some_and(|g| g.mark == b')');
    let lengths = Lengths::of(groups);
    let lengths = lengths.get();
    let fits = is_domestic(all, lengths, groups)
        || is_british(all, lengths, &[])
        || (lengths == [3, 3, 4] && is_nanp(all));
    (closes && fits).then(|| ascii(all))
}

/// Digits as characters.
pub(super) fn ascii(digits: &[u8]) -> Vec<u8> {
    digits.iter().map(|d| d + b'0').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(text: &str) -> Option<&'static str> {
        let bytes = text.as_bytes();
        let first = bytes.iter().position(|b| b.is_ascii_digit() || matches!(b, b'+' | b'(')).unwrap();
        match at(Text(bytes), first) {
            Match::Found(found) => Some(found.kind.name()),
            Match::None | Match::Open => None,
        }
    }

    #[test]
    fn telephones_are_known_by_grouping() {
        for phone in [
            "03-1234-5678",
            "090-1234-5678",
            "09012345678",
            "+81-90-1234-5678",
            "+819012345678",
            "+81 3 1234 5678",
            "0467-12-3456",
            "03(1234)5678",
            "(03)1234-5678",
            "+1 415 555 0132",
            "(415) 555-0132",
            "415-555-0132",
            "+44 7700 900123",
            "07700 900123",
            "020 7946 0958",
            "+44 20 7946 0958",
            "+81 (0)90-1234-5678",
        ] {
            assert_eq!(kind_of(phone), Some("phone"), "{phone}");
        }
        for other in
            ["2026-11-24", "2026-11-24 16:05:00", "1763971200000", "10-20-30", "200 300 4000", "0.1234567890"]
        {
            assert_eq!(kind_of(other), None, "{other}");
        }
    }
}
