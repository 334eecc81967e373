//! Postal addresses as they are written in Japan: prefecture, city, block numbers, building; or a city with block numbers.

use super::bytes::Text;
use super::digits::digit;
use super::finding::{Finding, Match};
use super::kind;

/// Prefectures without their last character, which is 都, 道, 府 or 県.
const PREFECTURES: &[&str] = &[
    "東京",
    "北海",
    "大阪",
    "京都",
    "青森",
    "岩手",
    "宮城",
    "秋田",
    "山形",
    "福島",
    "茨城",
    "栃木",
    "群馬",
    "埼玉",
    "千葉",
    "神奈川",
    "新潟",
    "富山",
    "石川",
    "福井",
    "山梨",
    "長野",
    "岐阜",
    "静岡",
    "愛知",
    "三重",
    "滋賀",
    "兵庫",
    "奈良",
    "和歌山",
    "鳥取",
    "島根",
    "岡山",
    "広島",
    "山口",
    "徳島",
    "香川",
    "愛媛",
    "高知",
    "福岡",
    "佐賀",
    "長崎",
    "熊本",
    "大分",
    "宮崎",
    "鹿児島",
    "沖縄",
];

/// Longest address in bytes.
const ADDRESS_MAX: usize = 240;

/// The address of which a character that ends a part (都道府県市区) stands at `i`; it may begin at `floor`.
pub(super) fn at(text: Text<'_>, i: usize, floor: usize) -> Match {
    let prefecture = PREFECTURES.iter().find(|p| i >= p.len() && text.has(i - p.len(), p.as_bytes()));
    let is_city =
        matches!((text.at(i), text.at(i + 1), text.at(i + 2)), (0xe5, 0xb8, 0x82) | (0xe5, 0x8c, 0xba));
    let start = match prefecture {
        Some(p) if !is_city => i - p.len(),
        _ if is_city => city(text, i),
        _ => return Match::None,
    };
    if start < floor || start >= i {
        return Match::None;
    }
    let Some(end) = blocks(text, i + 3, prefecture.is_some() && !is_city) else {
        return Match::None;
    };
    let start = postal(text, start, floor);
    let value = text.part(start, end).iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    let found = Finding::known_as(start, end, kind::ADDRESS, value);
    Match::Found(Finding { sure: false, ..found })
}

/// Where the name of a city that ends at `i` begins: Chinese characters and kana of names.
fn city(text: Text<'_>, i: usize) -> usize {
    let mut start = i;
    for _ in 0..8 {
        let Some(before) = start.checked_sub(3) else { break };
        let kanji = matches!(text.at(before), 0xe4..=0xe9)
            && text.at(before + 1) >= 0x80
            && text.at(before + 2) >= 0x80;
        if !kanji {
            break;
        }
        start = before;
    }
    start
}

/// A postal code before an address belongs to it.
fn postal(text: Text<'_>, start: usize, floor: usize) -> usize {
    let end = text.run_back(start, 4, |b| matches!(b, b' ' | b',' | b'\t'));
    let begin = text.run_back(end, 12, |b| b.is_ascii_digit() || b == b'-');
    let digits = text.part(begin, end).iter().filter(|b| b.is_ascii_digit()).count();
    if digits != 7 || begin < floor {
        return start;
    }
    if begin >= 3 && begin - 3 >= floor && text.has(begin - 3, "〒".as_bytes()) { begin - 3 } else { begin }
}

/// A character of Japanese writing at `i` that an address may hold: three bytes.
fn japanese(text: Text<'_>, i: usize) -> bool {
    matches!(text.at(i), 0xe3..=0xe9) && !stops(text, i)
}

/// Punctuation, brackets and particles that end an address.
fn stops(text: Text<'_>, i: usize) -> bool {
    let ends = ["、", "。", "「", "」", "は", "を", "から", "：", "（", "）"];
    ends.iter().any(|e| text.has(i, e.as_bytes()))
}

/// A number of a block at `i`: digits, or the Chinese ones before 丁目.
fn number(text: Text<'_>, i: usize) -> Option<usize> {
    let mut at = i;
    while let Some((_, width)) = digit(text, at) {
        at += width;
    }
    if at > i {
        return Some(at);
    }
    let chinese = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十"];
    while chinese.iter().any(|c| text.has(at, c.as_bytes())) {
        at += 3;
    }
    (at > i && text.has(at, "丁目".as_bytes())).then_some(at)
}

/// Where the address ends whose names of places go on at `i`; without a prefecture it needs more than one number.
fn blocks(text: Text<'_>, i: usize, prefecture: bool) -> Option<usize> {
    let limit = i + ADDRESS_MAX / 2;
    let mut at = i;
    let mut place = !prefecture;
    let begin = loop {
        if number(text, at).is_some() {
            break at;
        }
        if at >= limit {
            return None;
        }
        if japanese(text, at) {
            let part = ["市", "区", "町", "村", "郡"].iter().any(|p| text.has(at, p.as_bytes()));
            place |= part;
            at += 3;
        } else if matches!(text.at(at), b' ') && at > i {
            at += 1;
        } else {
            return None;
        }
    };
    let mut end = begin;
    let mut numbers = 0;
    let mut marked = false;
    let marks = ["丁目", "番地", "番", "号", "の", "－", "ー", "−", "‐", "-", "地割"];
    loop {
        if let Some(next) = number(text, end) {
            numbers += 1;
            end = next;
        } else if let Some(mark) = marks.iter().find(|m| text.has(end, m.as_bytes())) {
            // A hyphen needs a number behind it.
            let after = end + mark.len();
            let joins = matches!(*mark, "の" | "－" | "ー" | "−" | "‐" | "-");
            if joins && number(text, after).is_none() {
                break;
            }
            marked |= !joins;
            end = after;
        } else {
            break;
        }
    }
    let fits = place && numbers >= 1 && (prefecture || numbers >= 2 || marked);
    let date = ["年", "月", "日", "件", "時", "分", "台", "人", "名", "円", "回"]
        .iter()
        .any(|u| text.has(end, u.as_bytes()));
    (fits && !date).then(|| building(text, end))
}

/// The building and flat behind the blocks, when they end in a number.
fn building(text: Text<'_>, end: usize) -> usize {
    let mut at = end + usize::from(text.at(end) == b' ');
    if text.has(at, "\u{3000}".as_bytes()) {
        at += 3;
    }
    let begin = at;
    while at < end + ADDRESS_MAX / 2 && number(text, at).is_none() {
        if japanese(text, at) {
            at += 3;
        } else if text.at(at).is_ascii_alphabetic() || (text.at(at) == b' ' && at > begin) {
            at += 1;
        } else {
            return end;
        }
    }
    let Some(flat) = number(text, at) else { return end };
    let named = at >= begin + 6;
    let unit =
        ["号室", "号", "階", "F", "室"].iter().find(|u| text.has(flat, u.as_bytes())).map_or(0, |u| u.len());
    if named && (unit > 0 || flat - at >= 3) { flat + unit } else { end }
}
