//! The one pass over a text: which places are worth a look, and what a look at each comes to.
//!
//! Most bytes are only asked whether a word begins or ends at them. What is encoded or cut by a line break is looked at
//! again as it reads without (`joined`).

use super::bytes::{Text, is_word};
use super::finding::{Finding, Match};
use super::kind::{self, Kind};
use super::pem::Block;
use super::{
    addresses, encoded, joined, keyed, keys, kubernetes, labels, net, numbers, pem, personal, pseudonym,
    tokens, tools, urls,
};

/// Encodings within encodings.
const DEPTH_MAX: u8 = 4;

/// A text being looked at.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: Text<'a>,
    depth: u8,
    found: Vec<Finding>,
    /// Up to where everything was decided.
    done: usize,
    /// Where something begins that the end of this line may have cut, and whether it is nothing without the rest.
    edge: Option<(usize, bool)>,
    /// Up to where pairs are cookies.
    cookies: usize,
}

/// Everything in a text that has to go, in order and without overlaps.
pub(super) fn findings(text: &[u8]) -> Vec<Finding> {
    within(text, 0)
}

pub(super) fn within(text: &[u8], depth: u8) -> Vec<Finding> {
    if depth > DEPTH_MAX {
        return Vec::new();
    }
    let mut scanner = Scanner { text: Text(text), depth, found: Vec::new(), done: 0, edge: None, cookies: 0 };
    scanner.scan();
    in_order(scanner.found)
}

/// Sorts findings; of those that overlap the one that begins first stays, and reaches as far as all of them.
fn in_order(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by(|a, b| a.start.cmp(&b.start).then(b.end.cmp(&a.end)));
    let mut kept: Vec<Finding> = Vec::with_capacity(found.len());
    for finding in found {
        match kept.last_mut() {
            Some(last) if finding.start < last.end => last.end = last.end.max(finding.end),
            _ => kept.push(finding),
        }
    }
    kept
}

impl Scanner<'_> {
    fn scan(&mut self) {
        let text = self.text;
        let mut i = 0;
        while i < text.len() {
            let b = text.at(i);
            i = if is_word(b) {
                let end = text.run(i + 1, is_word);
                self.word(i, end)
            } else if b == b' ' {
                i + 1
            } else {
                self.symbol(i, b)
            };
        }
    }

    /// Takes what a look came to; where to go on, if anything was found.
    fn take(&mut self, found: Match, from: usize) -> Option<usize> {
        match found {
            Match::None => None,
            Match::Open => {
                self.open(from, true);
                None
            }
            Match::Found(finding) => {
                if self.text.line_ends(finding.end) {
                    self.open(finding.from.min(finding.start), false);
                }
                let end = finding.end;
                self.done = self.done.max(end);
                self.found.push(finding);
                Some(end)
            }
        }
    }

    /// The same for what a name announces: what follows may also be the next sentence.
    fn take_named(&mut self, found: Match, from: usize) -> Option<usize> {
        if matches!(found, Match::Open) {
            let name = self.text.run_back(from, 64, |b| is_word(b) || matches!(b, b'-' | b'.'));
            self.open(name, false);
            return None;
        }
        self.take(found, from)
    }

    fn open(&mut self, from: usize, cut: bool) {
        self.edge = Some(match self.edge {
            Some((edge, certain)) if edge <= from => (edge, certain || cut),
            _ => (from, cut),
        });
    }

    /// Looks at the word from `i` to `end`; where to go on.
    fn word(&mut self, i: usize, end: usize) -> usize {
        let text = self.text;
        // The letter of `\n` is no part of the word behind it.
        let (i, first) = match text.at(i) {
            b'n' | b't' | b'r' if text.before(i) == b'\\' && end > i + 1 => (i + 1, text.at(i + 1)),
            first => (i, first),
        };
        if tokens::may_begin(first, text.at(i + 1))
            && let Some(next) = self.take(tokens::at(text, i), i)
        {
            return next;
        }
        if first.is_ascii_digit() {
            if let Some(next) = self.digits(i, end) {
                return next;
            }
        } else if first.is_ascii_uppercase()
            && text.at(i + 1).is_ascii_uppercase()
            && (text.at(i + 2).is_ascii_digit() || text.line_ends(i + 2))
            && let Some(next) = self.take(personal::document(text, i), i)
        {
            return next;
        }
        if let Some(next) = self.hexadecimal(i, end) {
            return next;
        }
        if let Some(next) = self.name(i, end) {
            return next;
        }
        if end - i >= 4
            && tokens::may_be_aws_secret(text, i)
            && let Some(next) = self.take(tokens::aws_secret(text, i), i)
        {
            return next;
        }
        if encoded::may_begin(text, i)
            && let Some(next) = self.base64(i)
        {
            return next;
        }
        end
    }

    fn digits(&mut self, i: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let length = end - i;
        let next = text.at(end);
        if next == b'.' && length <= 3 {
            let found = net::v4(text, i);
            if let Some(next) = self.take(found, i) {
                return Some(next);
            }
        }
        if next == b':' && length >= 7 {
            let found = tokens::telegram(text, i, end);
            if let Some(next) = self.take(found, i) {
                return Some(next);
            }
        }
        let then = text.at(end + 1);
        let groups = match next {
            // A date: four digits and two. Telephones that begin so begin with a nought.
            b'-' | b'.' if length == 4 && text.at(end + 3) == next => text.at(i) == b'0',
            b'-' | b' ' | b'.' => then.is_ascii_digit() || matches!(then, b'(' | b'-' | b'\n' | b'\r'),
            b'(' | b')' | 0xe2 | 0xe3 | 0xef => true,
            _ => false,
        };
        let worth = length <= 19 && (groups || length >= 11 || text.line_ends(end));
        if worth { self.take(numbers::at(text, i), i) } else { None }
    }

    fn hexadecimal(&mut self, i: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let next = text.at(end);
        match end - i {
            2 if next == b':' || next == b'-' => self.take(net::mac(text, i), i),
            4 if next == b':' && matches!(text.at(i), b'2' | b'3') => self.take(net::v6(text, i), i),
            14 if next == b'.' => self.take(tokens::terraform(text, i, end), i),
            9.. if next == b':' && text.has(i, b"bot") => self.take(tokens::telegram(text, i + 3, end), i),
            6 if text.has(i, b"Secret") => {
                let values = kubernetes::values(text, i, end);
                self.found.extend(values);
                None
            }
            12 if text.has(i, b"SecureString") => {
                self.secure_string(i, end);
                None
            }
            _ => None,
        }
    }

    /// Names that announce something.
    fn name(&mut self, i: usize, end: usize) -> Option<usize> {
        let text = self.text;
        let last = text.before(end);
        if i < self.cookies
            && text.at(end) == b'='
            && let Some(next) = self.take_named(keyed::cookie(text, i, end), i)
        {
            return Some(next);
        }
        if keys::may_end(text, end) {
            if let Some(next) = self.take_named(keyed::behind(text, i, end), i) {
                return Some(next);
            }
            if (last | 0x20) == b'e' && text.at(end) == b':' && text.has_fold(end - 6.min(end), b"cookie") {
                self.cookies = text.run_max(end, 8_192, |b| b != b'\n' && b != b'"');
            }
        }
        if labels::may_end(text, end)
            && !is_word(text.at(end))
            && let Some(label) = labels::english(text, i, end)
            && let Some(next) = self.take(labels::behind(text, label, i, end), i)
        {
            return Some(next);
        }
        if text.at(end) == b' ' && tools::may_be(text.at(i), last, end - i) {
            return self.take_named(tools::given(text, i, end), i);
        }
        None
    }

    /// A parameter that the Parameter Store keeps encrypted, shown with its value.
    fn secure_string(&mut self, start: usize, end: usize) {
        let text = self.text;
        let (from, to) = (start.saturating_sub(600), end + 400);
        let before = text.part(from, start).windows(5).rposition(|w| w == b"Value").map(|p| from + p);
        let behind = text.part(end, to).windows(5).position(|w| w == b"Value").map(|p| end + p);
        // The nearer one is of the same parameter.
        let nearer = match (before, behind) {
            (Some(a), Some(b)) => Some(if start - a < b - end { a } else { b }),
            (a, b) => a.or(b),
        };
        if let Some(at) = nearer
            && let Some(finding) = keyed::of_parameter(text, at + 5)
        {
            self.found.push(finding);
        }
    }

    fn base64(&mut self, i: usize) -> Option<usize> {
        let text = self.text;
        let before = text.before(i);
        if before.is_ascii_alphanumeric() && text.before(i - 1) != b'\\' {
            return None;
        }
        let (end, decoded) = encoded::base64(text, i)?;
        let kind_and_value = known(within(&decoded, self.depth + 1))?;
        let finding = Finding::known_as(i, end, kind_and_value.0, kind_and_value.1);
        self.take(Match::Found(finding), i)
    }

    /// Looks at what is no letter and no digit; where to go on.
    fn symbol(&mut self, i: usize, b: u8) -> usize {
        let text = self.text;
        let found = match b {
            b'\n' | b'\r' | b'\\' => return self.line_break(i),
            b':' if text.has(i, b"://") => {
                let scheme = urls::scheme(text, i);
                let found = urls::at(text, i);
                return self.take(found, scheme).unwrap_or(i + 1);
            }
            b'@' => personal::email(text, i, self.done),
            b'-' if text.at(i + 1) == b'-' => return self.block(i),
            b'<' => match pseudonym::end(text, i) {
                Some(end) => {
                    self.done = end;
                    return end;
                }
                None => Match::None,
            },
            b'+' if text.at(i + 1).is_ascii_digit() => numbers::at(text, i),
            b'(' if text.at(i + 1).is_ascii_digit() => numbers::at(text, i),
            b'~' => tokens::entra(text, i),
            b'%' => return self.percent(i),
            0xe3..=0xef => return self.japanese(i),
            _ => Match::None,
        };
        self.take(found, i).unwrap_or(i + 1)
    }

    fn block(&mut self, i: usize) -> usize {
        match pem::at(self.text, i) {
            Block::None => self.text.run(i, |b| b == b'-'),
            Block::Public(end) => end,
            Block::Private(finding) => self.take(Match::Found(finding), i).unwrap_or(i + 1),
        }
    }

    fn percent(&mut self, i: usize) -> usize {
        let Some(decoded) = encoded::percent(self.text, i, self.done) else { return i + 1 };
        for finding in within(&decoded.bytes, self.depth + 1) {
            let place = |at: usize| decoded.place(at);
            let moved = Finding {
                from: place(finding.from),
                start: place(finding.start),
                end: place(finding.end),
                ..finding
            };
            // What was found before this word was decoded is a part of what is found now.
            self.found.retain(|known| known.start < moved.start || known.end > moved.end);
            self.take(Match::Found(moved), i);
        }
        if self.text.line_ends(decoded.end) {
            self.open(decoded.place(0), false);
        }
        decoded.end.max(i + 1)
    }

    fn japanese(&mut self, i: usize) -> usize {
        let text = self.text;
        if let Some((label, end)) = labels::japanese(text, i) {
            let found = labels::behind(text, label, i, end);
            return self.take(found, i).unwrap_or(end);
        }
        let found = match (text.at(i), text.at(i + 1), text.at(i + 2)) {
            // 都 道 府 県 市 区
            (0xe9, 0x83, 0xbd)
            | (0xe9, 0x81, 0x93)
            | (0xe5, 0xba, 0x9c)
            | (0xe7, 0x9c, 0x8c)
            | (0xe5, 0xb8, 0x82)
            | (0xe5, 0x8c, 0xba) => addresses::at(text, i, self.done),
            (0xef, 0xbc, 0x90..=0x99) if !matches!(text.before(i), 0x90..=0x99) => numbers::at(text, i),
            _ => Match::None,
        };
        self.take(found, i).unwrap_or(i + 1)
    }

    fn line_break(&mut self, i: usize) -> usize {
        let breaks = self.text.line_break(i);
        if breaks == 0 {
            return i + 1;
        }
        let edge = self.edge.take();
        if let Some(finding) = joined::across(self.text, edge, i, breaks, self.depth) {
            let end = finding.end;
            self.found.retain(|known| known.end <= finding.start || known.start >= finding.end);
            self.done = self.done.max(end);
            if self.text.line_ends(end) {
                self.open(finding.from, false);
            }
            self.found.push(finding);
            return end.max(i + breaks);
        }
        i + breaks
    }
}

/// By which a text that holds findings is known: the first secret, or else the first.
fn known(found: Vec<Finding>) -> Option<(Kind, Vec<u8>)> {
    let secret = found.iter().position(|f| f.kind.class() == kind::Class::Secret).unwrap_or(0);
    found.into_iter().nth(secret).map(|f| (f.kind, f.value))
}
