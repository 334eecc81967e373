//! Groups of digits with what stands between them, in ASCII or full width. What a number means is decided elsewhere.

use super::bytes::Text;

/// Groups of one number.
const GROUPS_MAX: usize = 8;

/// Digits of one number.
const DIGITS_MAX: usize = 24;

/// One group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// How many digits.
    pub(super) length: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// What separates it from the group before: a hyphen, a blank, a dot, a bracket; 0 for the first.
    pub(super) mark: u8,
}

/// A number in groups.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Digits {
    groups: [Group; GROUPS_MAX],
    count: usize,
    digits: [u8; DIGITS_MAX],
    total: usize,
}

impl Digits {
    /// The groups.
    pub(super) fn groups(&self) -> &[Group] {
        self.groups.get(..self.count).unwrap_or_default()
    }

    /// The digits of the first `groups` groups, from 0 to 9.
    pub(super) fn of(&self, groups: usize) -> &[u8] {
        let total: usize = self.groups().iter().take(groups).map(|g| g.length).sum();
        self.digits.get(..total.min(self.total)).unwrap_or_default()
    }

    fn push(&mut self, digit: u8) -> bool {
        let slot = self.digits.get_mut(self.total);
        let room = slot.is_some();
        if let Some(slot) = slot {
            *slot = digit;
            self.total += 1;
        }
        room
    }
}

/// The digit at `i` and how many bytes it has.
#[inline]
pub(super) fn digit(text: Text<'_>, i: usize) -> Option<(u8, usize)> {
    match text.at(i) {
        b @ b'0'..=b'9' => Some((b - b'0', 1)),
        0xef if text.at(i + 1) == 0xbc && matches!(text.at(i + 2), 0x90..=0x99) => {
            Some((text.at(i + 2) - 0x90, 3))
        }
        _ => None,
    }
}

/// What separates groups at `i`: its sort and how many bytes it has.
fn mark(text: Text<'_>, i: usize) -> Option<(u8, usize)> {
    match text.at(i) {
        b @ (b'-' | b'.') => Some((b, 1)),
        b' ' => match (text.at(i + 1), text.at(i + 2)) {
            (b'(', _) => Some((b'(', 2)),
            (b'-', b' ') => Some((b'-', 3)),
            _ => Some((b' ', 1)),
        },
        b'(' => Some((b'(', 1)),
        b')' if matches!(text.at(i + 1), b' ' | b'-') => Some((b')', 2)),
        b')' => Some((b')', 1)),
        0xe2 if text.at(i + 1) == 0x80 && matches!(text.at(i + 2), 0x90..=0x95) => Some((b'-', 3)),
        0xe2 if text.at(i + 1) == 0x88 && text.at(i + 2) == 0x92 => Some((b'-', 3)),
        0xe3 if text.has(i, "ー".as_bytes()) => Some((b'-', 3)),
        0xe3 if text.has(i, "\u{3000}".as_bytes()) => Some((b' ', 3)),
        0xef if text.has(i, "－".as_bytes()) => Some((b'-', 3)),
        0xef if text.has(i, "（".as_bytes()) => Some((b'(', 3)),
        0xef if text.has(i, "）".as_bytes()) => Some((b')', 3)),
        _ => None,
    }
}

/// The number that begins at `i`; `None` when there are too many digits for one.
pub(super) fn number(text: Text<'_>, i: usize) -> Option<Digits> {
    let mut found = Digits::default();
    let mut at = i;
    let mut sign = 0;
    while found.count < GROUPS_MAX {
        let begin = found.total;
        while let Some((digit, width)) = digit(text, at) {
            if !found.push(digit) {
                return (found.count > 0).then_some(found);
            }
            at += width;
        }
        let length = found.total - begin;
        if length == 0 {
            break;
        }
        if let Some(slot) = found.groups.get_mut(found.count) {
            *slot = Group { length, end: at, mark: sign };
        }
        found.count += 1;
        let Some((next, width)) = mark(text, at) else { break };
        if digit(text, at + width).is_none() {
            break;
        }
        sign = next;
        at += width;
    }
    Some(found)
}
