//! Names that announce a number of a person, in English and Japanese, and the number behind them. Numbers that are known
//! without a name are `numbers`'.

use super::bytes::{Text, is_word};
use super::digits;
use super::finding::{Finding, Match};
use super::kind::{self, Kind};
use super::{keyed, numbers, personal};

/// What a name announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Phone,
    MyNumber,
    Licence,
    Passport,
    Account,
    Ssn,
    Card,
    Secret(Kind),
    Address,
}

/// Japanese names, the longer of two that begin alike first.
const JAPANESE: &[(&str, Label)] = &[
    ("パスワード", Label::Secret(kind::PASSWORD)),
    ("パスフレーズ", Label::Secret(kind::PASSWORD)),
    ("パスコード", Label::Secret(kind::PASSWORD)),
    ("暗証番号", Label::Secret(kind::PASSWORD)),
    ("合言葉", Label::Secret(kind::PASSWORD)),
    ("シークレット", Label::Secret(kind::SECRET)),
    ("秘密鍵", Label::Secret(kind::SECRET)),
    ("アクセスキー", Label::Secret(kind::SECRET)),
    ("アクセストークン", Label::Secret(kind::TOKEN)),
    ("トークン", Label::Secret(kind::TOKEN)),
    ("認証キー", Label::Secret(kind::API_KEY)),
    ("認証情報", Label::Secret(kind::CREDENTIALS)),
    ("マイナンバー", Label::MyNumber),
    ("個人番号", Label::MyNumber),
    ("運転免許", Label::Licence),
    ("免許", Label::Licence),
    ("パスポート", Label::Passport),
    ("旅券", Label::Passport),
    ("口座", Label::Account),
    ("普通", Label::Account),
    ("当座", Label::Account),
    ("電話", Label::Phone),
    ("携帯", Label::Phone),
    ("連絡先", Label::Phone),
    ("カード番号", Label::Card),
    ("住所", Label::Address),
    ("所在地", Label::Address),
];

/// English names, lower case without marks, by their ends.
const ENGLISH: &[(&str, Label)] = &[
    ("phone", Label::Phone),
    ("phonenumber", Label::Phone),
    ("phoneno", Label::Phone),
    ("tel", Label::Phone),
    ("fax", Label::Phone),
    ("mobile", Label::Phone),
    ("msisdn", Label::Phone),
    ("mynumber", Label::MyNumber),
    ("individualnumber", Label::MyNumber),
    ("kojinbango", Label::MyNumber),
    ("license", Label::Licence),
    ("licence", Label::Licence),
    ("licensenumber", Label::Licence),
    ("licencenumber", Label::Licence),
    ("licenseno", Label::Licence),
    ("licenceno", Label::Licence),
    ("menkyo", Label::Licence),
    ("passport", Label::Passport),
    ("passportnumber", Label::Passport),
    ("passportno", Label::Passport),
    ("bankaccount", Label::Account),
    ("accountnumber", Label::Account),
    ("accountno", Label::Account),
    ("koza", Label::Account),
    ("kouza", Label::Account),
    ("ssn", Label::Ssn),
    ("socialsecuritynumber", Label::Ssn),
    ("cardnumber", Label::Card),
    ("cardno", Label::Card),
];

/// The name that begins at `i` in Japanese, and where it ends.
#[inline]
pub(super) fn japanese(text: Text<'_>, i: usize) -> Option<(Label, usize)> {
    let (first, second, third) = (text.at(i), text.at(i + 1), text.at(i + 2));
    JAPANESE
        .iter()
        .find(|(name, _)| {
            let name = name.as_bytes();
            name.first() == Some(&first)
                && name.get(1) == Some(&second)
                && name.get(2) == Some(&third)
                && text.has(i, name)
        })
        .map(|(name, label)| (*label, i + name.len()))
}

/// Whether an English name can end before `end`.
#[inline]
pub(super) fn may_end(text: Text<'_>, end: usize) -> bool {
    let last = text.last_three(end);
    matches!(last, (_, b'n', b'o'))
        || matches!(
            last,
            (b'o', b'n', b'e')
                | (b'b', b'e', b'r')
                | (b't', b'e', b'l')
                | (b'f', b'a', b'x')
                | (b'i', b'l', b'e')
                | (b's', b'd', b'n')
                | (b'n', b's', b'e')
                | (b'n', b'c', b'e')
                | (b'k', b'y', b'o')
                | (b'o', b'r', b't')
                | (b'u', b'n', b't')
                | (b'o', b'z', b'a')
                | (b'u', b'z', b'a')
                | (b's', b's', b'n')
                | (b'n', b'g', b'o')
                | (b'n', b'u', b'm')
        )
}

/// The English name that the word from `start` to `end` is or ends.
pub(super) fn english(text: Text<'_>, start: usize, end: usize) -> Option<Label> {
    let start = text.run_back(start, 24, |b| is_word(b) || b == b'-');
    let mut name = [0_u8; 32];
    let mut length = 0;
    for b in text.part(start.max(end.saturating_sub(32)), end).iter().filter(|b| b.is_ascii_alphanumeric()) {
        if let Some(slot) = name.get_mut(length) {
            *slot = b.to_ascii_lowercase();
            length += 1;
        }
    }
    let mut name = name.get(..length).unwrap_or_default();
    // `passport number`, `account no`: two words are one name.
    let mut joined = Vec::new();
    if matches!(name, b"number" | b"no" | b"num") {
        let before = text.run_back(start.saturating_sub(1), 16, |b| is_word(b) || b == b'-');
        joined.extend(
            text.part(before, start).iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase),
        );
        joined.extend_from_slice(name);
        name = &joined;
    }
    ENGLISH
        .iter()
        .find(|(n, _)| name.ends_with(n.as_bytes()) && (n.len() > 3 || name.len() == n.len() || *n == "ssn"))
        .map(|(_, l)| *l)
}

/// The number behind a name that begins at `start` and ends at `end`.
pub(super) fn behind(text: Text<'_>, label: Label, start: usize, end: usize) -> Match {
    if let Label::Secret(kind) = label {
        return keyed::japanese(text, start, end, kind);
    }
    let at = first_of(text, label, end);
    let found = match label {
        Label::Passport => personal::passport(text, at),
        Label::Address | Label::Secret(_) => Match::None,
        Label::Phone | Label::MyNumber | Label::Licence | Label::Account | Label::Ssn | Label::Card => {
            numeric(text, label, at)
        }
    };
    match found {
        Match::Found(found) => Match::Found(found.since(start)),
        other @ (Match::None | Match::Open) => other,
    }
}

/// Where the number behind a name begins: signs, particles and words such as 番号 come before.
fn first_of(text: Text<'_>, label: Label, end: usize) -> usize {
    let letters = label == Label::Passport;
    let mut i = end;
    let limit = end + 40;
    while i < limit {
        let b = text.at(i);
        let begins = digits::digit(text, i).is_some()
            || (letters
                && b.is_ascii_uppercase()
                && text.at(i + 1).is_ascii_uppercase()
                && text.at(i + 2).is_ascii_digit());
        if begins {
            return i;
        }
        if text.has_fold(i, b"number") {
            i += 6;
        } else if text.has_fold(i, b"no") || text.has_fold(i, b"is") {
            i += 2;
        } else if b >= 0x80
            || matches!(
                b,
                b' ' | b'"' | b'\'' | b':' | b'=' | b'.' | b'#' | b'(' | b'\\' | b'+' | b'>' | b'\t'
            )
        {
            i += 1;
        } else {
            break;
        }
    }
    i
}

fn numeric(text: Text<'_>, label: Label, at: usize) -> Match {
    let Some(number) = digits::number(text, at) else { return Match::None };
    let groups = number.groups();
    for count in (1..=groups.len()).rev() {
        let Some(last) = groups.get(count - 1) else { continue };
        let all = number.of(count);
        let fits = match label {
            Label::Phone => {
                matches!(all.len(), 9..=13)
                    && matches!(all.first(), Some(0..=9))
                    && all.len() >= 10
                    && !is_time(all)
            }
            Label::MyNumber => all.len() == 12,
            Label::Licence => all.len() == 12,
            Label::Account => {
                matches!(all.len(), 7) || count > 1 && matches!(all.len(), 10..=14) && last.length == 7
            }
            Label::Ssn => all.len() == 9,
            Label::Card => matches!(all.len(), 13..=19),
            Label::Passport | Label::Secret(_) | Label::Address => false,
        };
        if !fits || is_word(text.at(last.end)) {
            continue;
        }
        let kind = match label {
            Label::Phone => kind::PHONE,
            Label::MyNumber => kind::MY_NUMBER,
            Label::Licence => kind::LICENCE,
            Label::Account => kind::BANK_ACCOUNT,
            Label::Ssn => kind::SSN,
            Label::Card => kind::CARD,
            Label::Passport | Label::Secret(_) | Label::Address => return Match::None,
        };
        return Match::Found(Finding::known_as(at, last.end, kind, numbers::ascii(all)));
    }
    let cut = groups.last().is_some_and(|g| text.line_ends(g.end) || text.line_ends(g.end + 1));
    if cut { Match::Open } else { Match::None }
}

/// Seconds or milliseconds since 1970, in this century's first half.
fn is_time(all: &[u8]) -> bool {
    matches!(all.len(), 10 | 13) && all.first() == Some(&1) && matches!(all.get(1), Some(4..=9))
}
