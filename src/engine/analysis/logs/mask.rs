//! A line's text with its variables replaced by their kind: one pass over the bytes, no allocation but the output.
//!
//! A pure function of the line. Each rule rests on a property of logs in general, stated beside it.

use super::bytes::{at, hash, is_blank, sub, token_end, token_start};
use super::kind::{Kind, is_variable};
use super::values::{self, Value, Values, key};
use super::word;
use crate::limits::LOG_TOKENS_MAX;

/// Marks that part a token. They are kept.
#[inline]
fn is_mark(b: u8) -> bool {
    matches!(
        b,
        b'=' | b':'
            | b','
            | b';'
            | b'('
            | b')'
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'"'
            | b'\''
            | b'|'
            | b'<'
            | b'>'
            | b'@'
            | b'?'
            | b'!'
            | b'&'
            | b'*'
    )
}

/// Words that announce a code which tells kinds of outcome apart.
const ANNOUNCE: [&[u8]; 4] = [b"status", b"code", b"http", b"statuscode"];

/// Masks lines into a buffer that is used again.
#[derive(Debug, Default)]
pub(super) struct Masker {
    /// The masked line.
    pub(super) out: Vec<u8>,
    /// Quantities that the line carries.
    pub(super) values: Values,
    /// Shape of the previous token when it was a numbered name, and where that token begins in the output.
    numbered: Option<(u64, usize)>,
    /// Whether the last number was counted before its unit was read.
    counted: bool,
}

impl Masker {
    /// Masks a text, keeping what was masked before it.
    pub(super) fn add(&mut self, text: &[u8]) {
        self.numbered = None;
        let mut i = token_start(text, 0);
        let mut tokens = 0;
        while i < text.len() {
            if tokens == LOG_TOKENS_MAX {
                self.space();
                self.out.push(Kind::Any.byte());
                return;
            }
            // A list is one variable, however long.
            if self.out.last() != Some(&Kind::List.byte()) {
                tokens += 1;
            }
            let end = token_end(text, i);
            self.space();
            i = token_start(text, self.token(text, i, end).max(end));
        }
    }

    /// Begins a new line.
    pub(super) fn clear(&mut self) {
        self.out.clear();
        self.values.clear();
        self.numbered = None;
    }

    fn space(&mut self) {
        if !self.out.is_empty() {
            self.out.push(b' ');
        }
    }

    /// Masks a token and says where to go on (later than its end where following tokens belong to it).
    fn token(&mut self, text: &[u8], start: usize, end: usize) -> usize {
        let token = sub(text, start, end);
        let mut plain = true;
        let mut digit = false;
        for b in token {
            digit |= b.is_ascii_digit();
            plain &= b.is_ascii_alphabetic() || matches!(b, b'.' | b',' | b'_' | b'-' | b':');
        }
        if plain {
            if token.len() == 3
                && let Some(to) = self.spoken_date(text, start, end)
            {
                return to;
            }
            self.numbered = None;
            self.out.extend_from_slice(token);
            return end;
        }
        self.counted = false;
        let begin = self.out.len();
        if digit && self.listed(token, begin) {
            return end;
        }
        let open = token.iter().take_while(|b| b"([{\"'<".contains(b)).count();
        let close = token.iter().rev().take_while(|b| b")]}\"'>,;:.!?".contains(b)).count();
        if open + close >= token.len() {
            self.marks_only(token);
            return end;
        }
        let core = sub(token, open, token.len() - close);
        self.out.extend_from_slice(sub(token, 0, open));
        match word::whole(core) {
            Some(Kind::Time) => self.time(),
            Some(kind) => self.push(kind),
            None => self.parts(core),
        }
        let to = self.after(text, core, end - close, end);
        if to > end {
            return to;
        }
        self.out.extend_from_slice(sub(token, token.len() - close, token.len()));
        end
    }

    /// Empty brackets stand where a value is absent.
    fn marks_only(&mut self, token: &[u8]) {
        match token {
            b"()" | b"[]" | b"{}" | b"\"\"" | b"''" | b"<>" => {
                self.out.push(at(token, 0));
                self.push(Kind::Any);
                self.out.push(at(token, 1));
            }
            _ => self.out.extend_from_slice(token),
        }
    }

    /// Names that differ only in their digits, one after the other, are a list whose length is data.
    fn listed(&mut self, token: &[u8], begin: usize) -> bool {
        if !token.iter().all(u8::is_ascii_alphanumeric) || !token.first().is_some_and(u8::is_ascii_alphabetic)
        {
            self.numbered = None;
            return false;
        }
        let shape = skeleton(token);
        match self.numbered {
            Some((previous, at)) if previous == shape => {
                self.out.truncate(at);
                self.push(Kind::List);
                true
            }
            _ => {
                self.numbered = Some((shape, begin));
                false
            }
        }
    }

    /// `Jun 17 07:07:00`, with a weekday before and a zone and a year behind: how people's calendars write.
    fn spoken_date(&mut self, text: &[u8], start: usize, end: usize) -> Option<usize> {
        let to = super::time::spoken(text, start, end)?;
        let kept = self.out.len();
        if let Some(before) = kept.checked_sub(4)
            && (before == 0 || at(&self.out, before - 1) == b' ')
            && super::time::is_weekday(sub(&self.out, before, kept - 1))
        {
            self.out.truncate(before);
        }
        self.time();
        Some(to)
    }

    /// A date and a time of day are one variable.
    fn time(&mut self) {
        let n = self.out.len();
        if n >= 2 && at(&self.out, n - 1) == b' ' && at(&self.out, n - 2) == Kind::Time.byte() {
            self.out.truncate(n - 1);
            return;
        }
        self.push(Kind::Time);
    }

    /// What belongs to the token although blanks part it: units, their repetition in brackets, a request's version.
    fn after(&mut self, text: &[u8], core: &[u8], core_end: usize, end: usize) -> usize {
        let n = self.out.len();
        let last = at(&self.out, n.wrapping_sub(1));
        if core_end != end {
            return end;
        }
        if last == Kind::Num.byte() {
            return self.unit(text, core, end);
        }
        if last == Kind::Path.byte() || last == Kind::Url.byte() {
            let next = token_start(text, end);
            let to = token_end(text, next);
            let token = sub(text, next, to);
            if token.starts_with(b"HTTP/") {
                let tail = token.iter().rev().take_while(|b| b"\"',;".contains(b)).count();
                self.out.extend_from_slice(sub(token, token.len() - tail, token.len()));
                return to;
            }
        }
        end
    }

    fn unit(&mut self, text: &[u8], core: &[u8], end: usize) -> usize {
        let next = token_start(text, end);
        let to = token_end(text, next);
        let token = sub(text, next, to);
        let close = token.iter().rev().take_while(|b| b"),;.]".contains(b)).count();
        let unit = sub(token, 0, token.len() - close);
        if word::is_time_unit(unit) {
            self.measure(core, unit);
            // `<1 sec`: an estimate stands where a measured time would stand.
            let n = self.out.len();
            if n >= 2 && at(&self.out, n - 2) == b'<' {
                self.out.truncate(n - 2);
                self.push(Kind::Duration);
                self.out.extend_from_slice(sub(token, token.len() - close, token.len()));
                return to;
            }
            return end;
        }
        if !word::is_size_unit(unit) {
            return end;
        }
        self.measure(core, unit);
        self.out.pop();
        self.push(Kind::Size);
        if close == 0
            && let Some(to) = paraphrase(text, to)
        {
            let tail = token_end(text, to);
            self.out.extend_from_slice(sub(text, to, tail));
            return tail.max(to);
        }
        self.out.extend_from_slice(sub(token, token.len() - close, token.len()));
        to
    }

    /// Counts a number, whose kind was just added, in the unit that follows it.
    #[inline(never)]
    fn measure(&mut self, core: &[u8], unit: &[u8]) {
        if self.counted {
            self.values.forget();
        }
        let end = self.out.len().saturating_sub(1);
        self.values.quantity(key(&self.out, end), core, values::unit(unit));
    }

    /// Marks part a token; each part is masked on its own.
    fn parts(&mut self, token: &[u8]) {
        let mut i = 0;
        while i < token.len() {
            let b = at(token, i);
            if is_mark(b) {
                self.out.push(b);
                i += 1;
                continue;
            }
            let ascii = b.is_ascii();
            let rest = sub(token, i, token.len());
            let n = rest.iter().position(|c| is_mark(*c) || c.is_ascii() != ascii).unwrap_or(rest.len());
            let part = sub(rest, 0, n);
            if ascii {
                self.word(part, at(token, i + n) == b'=')
            } else {
                self.foreign(part)
            }
            i += n;
        }
    }

    /// Text beyond ASCII stays, but for digits of full width.
    fn foreign(&mut self, part: &[u8]) {
        let mut rest = part;
        while let Some(first) = rest.first() {
            if rest.starts_with(&[0xef, 0xbc]) && (0x90..=0x99).contains(&at(rest, 2)) {
                if self.out.last() != Some(&Kind::Num.byte()) {
                    self.push(Kind::Num);
                }
                rest = sub(rest, 3, rest.len());
            } else {
                self.out.push(*first);
                rest = sub(rest, 1, rest.len());
            }
        }
    }

    fn word(&mut self, w: &[u8], is_key: bool) {
        if is_key || !w.iter().any(u8::is_ascii_digit) {
            if is_key && w.iter().filter(|b| b.is_ascii_digit()).count() > 3 {
                self.push(Kind::Id);
                return;
            }
            self.out.extend_from_slice(w);
            return;
        }
        // `HTTP/1.1` names a protocol; `Class#115` a place in the code.
        if w.starts_with(b"HTTP/") || is_code_place(w) {
            self.out.extend_from_slice(w);
            return;
        }
        if let Some(n) = w.iter().position(|b| matches!(b, b'/' | b'#' | b'\\' | b'+' | b'$' | b'%'))
            && n > 0
            && n + 1 < w.len()
        {
            self.word(sub(w, 0, n), false);
            self.out.push(at(w, n));
            self.word(sub(w, n + 1, w.len()), false);
            return;
        }
        let w = if at(w, 0) == b'#' {
            self.out.push(b'#');
            sub(w, 1, w.len())
        } else {
            w
        };
        if self.is_status(w) {
            self.values.status(key(&self.out, self.out.len()), w);
            self.out.extend_from_slice(w);
            return;
        }
        match word::with_digits(w) {
            Some(kind @ (Kind::Id | Kind::Num)) => self.numbered_word(w, kind),
            Some(kind) => {
                if matches!(kind, Kind::Duration | Kind::Size | Kind::Percent) {
                    self.values.quantity(key(&self.out, self.out.len()), w, None);
                }
                self.push(kind);
            }
            None => self.numbered_word(w, Kind::Any),
        }
    }

    /// Three digits after a word that announces an outcome tell kinds of event apart.
    fn is_status(&self, w: &[u8]) -> bool {
        if !is_code(w) {
            return false;
        }
        let end = self.out.iter().rposition(u8::is_ascii_alphanumeric).map_or(0, |n| n + 1);
        if self.out.len() - end > 3 {
            return false;
        }
        let begin = self.out.get(..end).unwrap_or_default();
        let begin = begin.iter().rposition(|b| !b.is_ascii_alphabetic()).map_or(0, |n| n + 1);
        let before = sub(&self.out, begin, end);
        ANNOUNCE.iter().any(|a| before.eq_ignore_ascii_case(a))
    }

    /// A name with digits: a host, a number behind a prefix, an identifier, or a word.
    fn numbered_word(&mut self, w: &[u8], kind: Kind) {
        if kind == Kind::Num {
            self.number(w);
            self.push(Kind::Num);
            return;
        }
        if w.iter().filter(|b| **b == b'.').count() >= 2 && word::is_domain(w) {
            self.push(Kind::Host);
            return;
        }
        // `node-96`, `core.2275`, `exception.......0`: a number behind a name and a joint counts things of that name.
        if let Some(n) = w.iter().rposition(|b| matches!(b, b'-' | b'.'))
            && n > 0
            && !sub(w, 0, n).iter().any(u8::is_ascii_digit)
            && !sub(w, 0, n).ends_with(b"_")
            && w.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'.' || *b == b'-')
        {
            self.out.extend_from_slice(sub(w, 0, n + 1));
            self.word(sub(w, n + 1, w.len()), false);
            return;
        }
        // Several groups with digits, or a number behind an underscore: made by a machine.
        let groups = w.split(|b| matches!(b, b'-' | b'.' | b'_'));
        let counted = groups.clone().filter(|g| g.iter().any(u8::is_ascii_digit)).count();
        let joined = groups.skip(1).any(|g| !g.is_empty() && g.iter().all(u8::is_ascii_digit));
        if kind == Kind::Id || counted >= 2 || joined {
            self.push(Kind::Id);
            return;
        }
        self.out.extend_from_slice(w);
    }

    /// Counts a number that measures: one with a fraction, or behind a key that says so. Three digits behind a quoted
    /// request are its outcome, as in every log of a web server.
    #[inline(never)]
    fn number(&mut self, w: &[u8]) {
        let fraction = w.iter().filter(|b| **b == b'.').count() == 1;
        self.counted = fraction;
        let n = self.out.len();
        let (last, before) = (at(&self.out, n.wrapping_sub(1)), at(&self.out, n.wrapping_sub(2)));
        if matches!(last, b'=' | b':') || matches!((before, last), (b'=' | b':', b' ' | b'"')) {
            let key = key(&self.out, n);
            if fraction || values::measured(key).is_some() {
                self.counted = true;
                self.values.quantity(key, w, None);
            }
        } else if fraction {
            self.values.quantity(&[], w, None);
        } else if before == b'"' && last == b' ' && is_code(w) {
            let what = at(&self.out, n.wrapping_sub(3));
            if what == Kind::Path.byte() || what == Kind::Url.byte() {
                self.values.status(&[], w);
            }
        }
    }

    /// Adds a variable. Variables joined without a blank are one.
    fn push(&mut self, kind: Kind) {
        let n = self.out.len();
        // Names that machines made, one after the other, are a list.
        if kind == Kind::Id
            && n >= 2
            && at(&self.out, n - 1) == b' '
            && (at(&self.out, n - 2) == Kind::Id.byte() || at(&self.out, n - 2) == Kind::List.byte())
            && (n == 2 || at(&self.out, n - 3) == b' ')
        {
            self.out.truncate(n - 2);
            self.out.push(Kind::List.byte());
            return;
        }
        if n >= 2 && b":./@-+_#\\".contains(&at(&self.out, n - 1)) && is_variable(at(&self.out, n - 2)) {
            self.out.truncate(n - 2);
            self.out.push(Kind::Id.byte());
            return;
        }
        self.out.push(kind.byte());
    }

    /// What the line counts.
    #[must_use]
    pub(super) fn values(&self) -> &[Value] {
        self.values.all()
    }
}

/// Three digits that may tell how a request ended.
fn is_code(w: &[u8]) -> bool {
    w.len() == 3 && w.iter().all(u8::is_ascii_digit) && (b'1'..=b'5').contains(&at(w, 0))
}

/// `(1.26 KB)` behind a quantity says the same once more.
fn paraphrase(text: &[u8], end: usize) -> Option<usize> {
    let open = token_start(text, end);
    let number_end = token_end(text, open);
    let number = sub(text, open, number_end).strip_prefix(b"(")?;
    let unit_start = token_start(text, number_end);
    let close =
        unit_start + sub(text, unit_start, text.len()).iter().position(|b| *b == b')' || is_blank(*b))?;
    let fits = number.iter().all(|b| b.is_ascii_digit() || *b == b'.' || *b == b',')
        && at(text, close) == b')'
        && word::is_size_unit(sub(text, unit_start, close));
    fits.then_some(close + 1)
}

/// `Class#115`: a name with capital and small letters, then the number of a line.
fn is_code_place(w: &[u8]) -> bool {
    let Some(n) = w.iter().position(|b| *b == b'#') else { return false };
    let (name, line) = (sub(w, 0, n), sub(w, n + 1, w.len()));
    !line.is_empty()
        && line.iter().all(u8::is_ascii_digit)
        && name.iter().any(u8::is_ascii_lowercase)
        && name.iter().any(u8::is_ascii_uppercase)
}

/// A word with every run of digits replaced: what numbered names have in common.
pub(super) fn skeleton(w: &[u8]) -> u64 {
    let mut short = [0_u8; 64];
    let mut n = 0;
    let mut in_number = false;
    for b in w {
        let digit = b.is_ascii_digit();
        if (!digit || !in_number)
            && let Some(slot) = short.get_mut(n)
        {
            *slot = if digit { b'0' } else { *b };
            n += 1;
        }
        in_number = digit;
    }
    hash(sub(&short, 0, n))
}
