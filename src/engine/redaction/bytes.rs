//! Reading bytes without ever reading past their end: classes of bytes, runs, comparisons that ignore case.
//!
//! Knows nothing of secrets. Positions are byte offsets; what lies outside reads as NUL.

/// A text that is looked at; it need not be valid UTF-8.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a>(pub(super) &'a [u8]);

impl<'a> Text<'a> {
    /// Its length.
    pub(super) fn len(self) -> usize {
        self.0.len()
    }

    /// The byte at `i`.
    #[inline]
    pub(super) fn at(self, i: usize) -> u8 {
        self.0.get(i).copied().unwrap_or(0)
    }

    /// The byte before `i`.
    #[inline]
    pub(super) fn before(self, i: usize) -> u8 {
        i.checked_sub(1).map_or(0, |i| self.at(i))
    }

    /// The bytes from `a` up to `b`.
    pub(super) fn part(self, a: usize, b: usize) -> &'a [u8] {
        self.0.get(a..b.min(self.0.len())).unwrap_or_default()
    }

    /// Where a run of such bytes that begins at `from` ends.
    #[inline]
    pub(super) fn run(self, from: usize, is: impl Fn(u8) -> bool) -> usize {
        let rest = self.0.get(from..).unwrap_or_default();
        from + rest.iter().position(|b| !is(*b)).unwrap_or(rest.len())
    }

    /// The same, at most `max` bytes.
    pub(super) fn run_max(self, from: usize, max: usize, is: impl Fn(u8) -> bool) -> usize {
        let rest = self.part(from, from.saturating_add(max));
        from + rest.iter().position(|b| !is(*b)).unwrap_or(rest.len())
    }

    /// Where a run of such bytes that ends before `to` begins, at most `max` bytes before.
    pub(super) fn run_back(self, to: usize, max: usize, is: impl Fn(u8) -> bool) -> usize {
        let floor = to.saturating_sub(max);
        let part = self.part(floor, to);
        floor + part.iter().rposition(|b| !is(*b)).map_or(0, |p| p + 1)
    }

    /// Whether these bytes stand at `i`.
    #[inline]
    pub(super) fn has(self, i: usize, word: &[u8]) -> bool {
        self.0.get(i..).is_some_and(|rest| rest.starts_with(word))
    }

    /// The same, whatever the case; `word` is lower case.
    pub(super) fn has_fold(self, i: usize, word: &[u8]) -> bool {
        self.part(i, i + word.len()).eq_ignore_ascii_case(word)
    }

    /// Whether a line ends at `i`: a break, or its escaped form.
    #[inline]
    pub(super) fn line_ends(self, i: usize) -> bool {
        self.line_break(i) > 0
    }

    /// How many bytes a line break at `i` has; 0 when there is none. `\n` written as two characters counts.
    #[inline]
    pub(super) fn line_break(self, i: usize) -> usize {
        match self.at(i) {
            b'\n' => 1,
            b'\r' if self.at(i + 1) == b'\n' => 2,
            b'\\' => self.escaped_break(i),
            _ => 0,
        }
    }

    /// The same for `\n` in two characters, or in more where a text was escaped more than once.
    fn escaped_break(self, i: usize) -> usize {
        let letter = self.run_max(i, 8, |b| b == b'\\');
        match self.at(letter) {
            b'n' => letter + 1 - i,
            b'r' if self.at(letter + 1) == b'\\' => match self.escaped_break(letter + 1) {
                0 => 0,
                rest => letter + 1 - i + rest,
            },
            _ => 0,
        }
    }

    /// The last three bytes before `end`, in lower case.
    #[inline]
    pub(super) fn last_three(self, end: usize) -> (u8, u8, u8) {
        (self.at(end.wrapping_sub(3)) | 0x20, self.at(end.wrapping_sub(2)) | 0x20, self.before(end) | 0x20)
    }

    /// Up to `max` bytes before `i`, in the same line.
    pub(super) fn line_before(self, i: usize, max: usize) -> &'a [u8] {
        self.part(self.run_back(i, max, |b| b != b'\n'), i)
    }

    /// Up to `max` bytes from `i` on, in the same line.
    pub(super) fn line_after(self, i: usize, max: usize) -> &'a [u8] {
        self.part(i, self.run_max(i, max, |b| b != b'\n'))
    }
}

/// Letters, digits and the underscore.
#[inline]
pub(super) fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

/// Both alphabets of base64, without padding.
#[inline]
pub(super) fn is_base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_')
}

/// What tokens of services are made of.
#[inline]
pub(super) fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')
}

/// Blanks within a line.
#[inline]
pub(super) fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t')
}

/// A hexadecimal digit in lower case.
pub(super) fn is_hex_lower(b: u8) -> bool {
    b.is_ascii_digit() || matches!(b, b'a'..=b'f')
}

/// Where a word stands within bytes, whatever the case; `word` is lower case.
pub(super) fn find_fold(within: &[u8], word: &[u8]) -> Option<usize> {
    if word.is_empty() {
        return None;
    }
    within.windows(word.len()).position(|w| w.eq_ignore_ascii_case(word))
}

/// Whether one of these words stands within bytes, whatever the case; they are lower case.
pub(super) fn any_fold(within: &[u8], words: &[&str]) -> bool {
    words.iter().any(|w| find_fold(within, w.as_bytes()).is_some())
}

/// The value of a hexadecimal digit.
pub(super) fn hex(b: u8) -> Option<u8> {
    match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        b'A'..=b'F' => Some(b - b'A' + 10),
        _ => None,
    }
}

/// How many bytes of each sort there are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sorts {
    pub(super) digits: usize,
    pub(super) upper: usize,
    pub(super) lower: usize,
    pub(super) other: usize,
    /// Different bytes.
    pub(super) distinct: u32,
    /// Times that neighbours are of different sorts.
    pub(super) changes: usize,
}

/// Counts the sorts of bytes.
pub(super) fn sorts(bytes: &[u8]) -> Sorts {
    let mut s = Sorts::default();
    let mut seen = [0_u64; 4];
    let mut last = 0;
    for b in bytes {
        let sort = match b {
            b'0'..=b'9' => 1,
            b'A'..=b'Z' => 2,
            b'a'..=b'z' => 3,
            _ => 4,
        };
        match sort {
            1 => s.digits += 1,
            2 => s.upper += 1,
            3 => s.lower += 1,
            _ => s.other += 1,
        }
        if last != 0 && last != sort {
            s.changes += 1;
        }
        last = sort;
        if let Some(word) = seen.get_mut(usize::from(b >> 6)) {
            *word |= 1 << (b & 63);
        }
    }
    s.distinct = seen.iter().map(|w| w.count_ones()).sum();
    s
}
