//! The miner: lines in, numbers out at once; patterns at the end. Bounded, mergeable, independent of order.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::bytes::{at, hash, sub, token_start};
use super::header::{self, Header};
use super::kind::{Kind, render};
use super::leaf::Leaf;
use super::mask::Masker;
use super::merge::merge;
use super::request::{Requests, request};
use super::structured;
use super::table::Table;
use super::time::Stamp;
use super::values::{Counts, Values};
use crate::limits::{LOG_LINE_BYTES_MAX, LOG_PATTERNS_MAX};
use crate::model::feed::hex;
use crate::model::observation::Severity;

/// Bytes of a masked line that are kept: what follows belongs to it.
const MASKED_BYTES_MAX: usize = 1_024;

/// Masked lines whose leaf is remembered by their hash.
const CACHE: usize = 4_096;

/// What lines carry before their text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// A header of time, level, host, process …
    #[default]
    Raw,
    /// Nothing.
    Content,
}

/// Reads lines.
#[derive(Debug)]
pub struct Miner {
    form: Form,
    masker: Masker,
    table: Table,
    cache: Vec<(u64, u32)>,
    /// The leaf of the last line that was not a continuation, and whether it had a header.
    head: Option<(u32, bool)>,
    /// Lines by request, when they are wanted: only a comparison asks for them.
    requests: Option<Requests>,
}

/// A pattern with what was seen of it.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// Identity: the same for the same template in every run and on every node.
    pub id: String,
    /// Words, and variables by kind.
    pub template: String,
    /// Lines.
    pub count: u64,
    /// Earliest time that its lines say, when they say one.
    pub first: Option<Stamp>,
    /// Latest time.
    pub last: Option<Stamp>,
    /// The worst that its lines say.
    pub severity: Severity,
    /// A few lines.
    pub samples: Vec<String>,
    /// Values that the lines carry.
    pub values: Counts,
}

/// All patterns, most frequent first.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    /// The patterns.
    pub patterns: Vec<Pattern>,
    of: Vec<u32>,
}

impl Patterns {
    /// The pattern of a line, by the number that the miner gave it.
    #[must_use]
    pub fn of(&self, line: u32) -> Option<&Pattern> {
        self.index(line).and_then(|i| self.patterns.get(i))
    }

    /// The same as a place in `patterns`.
    #[must_use]
    pub fn index(&self, line: u32) -> Option<usize> {
        let n = usize::try_from(line).ok().and_then(|i| self.of.get(i))?;
        usize::try_from(*n).ok()
    }
}

/// Identity of a template: the same on every node and in every run.
#[must_use]
pub fn identity(template: &str) -> String {
    let digest = hex(&Sha256::digest(template.as_bytes()));
    digest.get(..12).unwrap_or(&digest).to_owned()
}

impl Miner {
    /// An empty miner.
    #[must_use]
    pub fn new(form: Form) -> Self {
        Self {
            form,
            masker: Masker::default(),
            table: Table::default(),
            cache: vec![(0, 0); CACHE],
            head: None,
            requests: None,
        }
    }

    /// An empty miner that also remembers which lines came in one request, for [`super::compare::compare`].
    #[must_use]
    pub fn comparing(form: Form) -> Self {
        Self { requests: Some(Requests::default()), ..Self::new(form) }
    }

    /// Takes a line (bytes of any kind, of any length) and says its number.
    pub fn push(&mut self, line: &[u8]) -> u32 {
        self.add(line, false, 1)
    }

    /// Takes a whole event: its first line counts, what follows belongs to it.
    pub fn push_event(&mut self, message: &str) -> u32 {
        self.push_events(message, 1)
    }

    /// Takes so many whole events of one pattern, of which one is known.
    pub fn push_events(&mut self, message: &str, times: u64) -> u32 {
        let cut = message.as_bytes().get(..LOG_LINE_BYTES_MAX).unwrap_or(message.as_bytes());
        let first = if at(cut, token_start(cut, 0)) == b'{' {
            cut
        } else {
            cut.split(|b| *b == b'\n').find(|l| token_start(l, 0) < l.len()).unwrap_or_default()
        };
        self.add(first, true, times)
    }

    fn add(&mut self, line: &[u8], whole: bool, times: u64) -> u32 {
        let line = line.get(..LOG_LINE_BYTES_MAX).unwrap_or(line);
        let header = if self.form == Form::Raw { header::header(line) } else { Header::default() };
        if !whole
            && let Some((head, dated)) = self.head
            && continues(line, dated && header.stamp.is_none())
        {
            return head;
        }
        let (stamp, severity) = self.mask(line, header);
        if self.masker.out.len() > MASKED_BYTES_MAX {
            self.masker.out.truncate(MASKED_BYTES_MAX);
            self.masker.out.push(Kind::Any.byte());
        }
        let masked = hash(&self.masker.out);
        let n = self.leaf(masked);
        if let Some(requests) = &mut self.requests
            && let Some(request) = request(line)
        {
            requests.push(request, masked, n);
        }
        let sample = hash(line);
        if let Some(leaf) = self.table.get_mut(n) {
            leaf.count += times;
            leaf.seen(stamp);
            leaf.severity = leaf.severity.max(severity.unwrap_or(Severity::Debug));
            if leaf.wants(sample) {
                leaf.sample(sample, line);
            }
            for value in self.masker.values() {
                leaf.values.add(*value, 1);
            }
        }
        self.head = Some((n, header.stamp.is_some()));
        n
    }

    fn mask(&mut self, line: &[u8], header: Header) -> (Option<Stamp>, Option<Severity>) {
        self.masker.clear();
        let text = sub(line, header.end, line.len());
        let first = at(text, token_start(text, 0));
        if first == b'{'
            && let Ok(text) = std::str::from_utf8(text)
            && let Some(fields) = structured::object(text.trim())
        {
            self.masker.add(fields.text.lines().next().unwrap_or_default().as_bytes());
            self.masker.out.push(b' ');
            self.masker.out.extend(fields.names.bytes().filter(|b| *b > b' '));
            fields.count(&mut self.masker.values);
            return (fields.stamp.or(header.stamp), fields.severity.or(header.severity));
        }
        if sub(text, 0, 40).iter().fold(false, |found, b| found | (*b == b'='))
            && let Ok(text) = std::str::from_utf8(text)
            && let Some(fields) = structured::pairs(text.trim())
        {
            self.masker.add(fields.text.as_bytes());
            return (fields.stamp.or(header.stamp), fields.severity.or(header.severity));
        }
        self.masker.add(text);
        (header.stamp, header.severity)
    }

    fn leaf(&mut self, h: u64) -> u32 {
        let place = usize::try_from(h % 4_096).unwrap_or_default();
        if let Some((known, n)) = self.cache.get(place)
            && *known == h
        {
            return self.table.at(*n);
        }
        let (n, new) = self.table.leaf(&self.masker.out, h);
        if let Some(slot) = self.cache.get_mut(place) {
            *slot = (h, n);
        }
        if new && let Some(leaf) = self.table.get_mut(n) {
            leaf.severity = header::severity(&self.masker.out);
        }
        n
    }

    /// Takes what another miner (of another node, or of another part of the input) has seen. Says the number here
    /// of each of its numbers.
    pub fn merge(&mut self, other: &Self) -> Vec<u32> {
        self.cache.fill((0, 0));
        self.head = None;
        self.masker.values.merge(&other.masker.values);
        let numbers = self.table.merge(&other.table);
        if let (Some(mine), Some(theirs)) = (&mut self.requests, &other.requests) {
            mine.merge(theirs, |n| usize::try_from(n).ok().and_then(|i| numbers.get(i)).copied());
        }
        numbers
    }

    /// Takes the lines by request out.
    pub(super) fn take_requests(&mut self) -> Requests {
        self.requests.take().unwrap_or_default()
    }

    /// Lines by request.
    pub(super) fn requests(&self) -> Option<&Requests> {
        self.requests.as_ref()
    }

    /// The names of what is counted.
    pub(super) fn fields(&self) -> &Values {
        &self.masker.values
    }

    /// Everything that is counted apart, by number.
    pub(super) fn leaves(&self) -> Vec<(u32, Leaf)> {
        self.table.leaves().map(|(n, leaf)| (n, leaf.clone())).collect()
    }

    /// Number, lines and values of everything that is counted apart.
    pub(super) fn tally(&self) -> Vec<(u32, u64, Counts)> {
        self.table.leaves().map(|(n, leaf)| (n, leaf.count, leaf.values.clone())).collect()
    }

    /// The patterns so far.
    #[must_use]
    pub fn patterns(&self) -> Patterns {
        let first = Self::conclude(&self.table);
        if first.patterns.len() <= LOG_PATTERNS_MAX {
            return first;
        }
        let mut table = self.table.clone();
        let mut out = first;
        while out.patterns.len() > LOG_PATTERNS_MAX && table.tighten() {
            out = Self::conclude(&table);
        }
        out
    }

    fn conclude(table: &Table) -> Patterns {
        let mut leaves: Vec<(u32, &Leaf)> = table.leaves().collect();
        // The merge reads lines in the order of their text, not of their coming.
        leaves.sort_by(|a, b| a.1.masked.cmp(&b.1.masked));
        let texts: Vec<&[u8]> = leaves.iter().map(|(_, l)| &*l.masked).collect();
        let mut all: BTreeMap<Vec<u8>, (Leaf, Vec<u32>)> = BTreeMap::new();
        for (template, (n, leaf)) in merge(&texts).into_iter().zip(leaves) {
            let (sum, members) = all.entry(template).or_insert_with_key(|t| (Leaf::new(t), Vec::new()));
            sum.merge(leaf);
            members.push(n);
        }
        let mut found: Vec<(Pattern, Vec<u32>)> = all.into_values().map(|(l, m)| (pattern(&l), m)).collect();
        found.sort_by(|(a, _), (b, _)| b.count.cmp(&a.count).then_with(|| a.template.cmp(&b.template)));
        let mut of = vec![u32::MAX; usize::try_from(table.numbers()).unwrap_or_default()];
        let mut patterns = Vec::with_capacity(found.len());
        for (n, (pattern, members)) in (0..).zip(found) {
            for m in members {
                if let Some(slot) = usize::try_from(m).ok().and_then(|i| of.get_mut(i)) {
                    *slot = n;
                }
            }
            patterns.push(pattern);
        }
        let of = (0..table.numbers())
            .map(|n| usize::try_from(table.at(n)).ok().and_then(|i| of.get(i)).copied().unwrap_or(u32::MAX))
            .collect();
        Patterns { patterns, of }
    }
}

fn pattern(leaf: &Leaf) -> Pattern {
    let template = render(&leaf.masked);
    Pattern {
        id: identity(&template),
        template,
        count: leaf.count,
        first: leaf.first,
        last: leaf.last,
        severity: leaf.severity,
        samples: leaf.samples.iter().map(|(_, s)| s.to_string()).collect(),
        values: leaf.values.clone(),
    }
}

/// Whether a line belongs to the one before it: frames of a stack and causes. Where lines carry times, one without
/// that names an exception does, too.
fn continues(line: &[u8], undated: bool) -> bool {
    let start = token_start(line, 0);
    let text = sub(line, start, line.len());
    if text.starts_with(b"Caused by: ") {
        return true;
    }
    let first = text.split(|b| *b == b' ').next().unwrap_or_default();
    if start > 0
        && (matches!(first, b"at" | b"File" | b"..." | b"^") || (undated && at(line, 0) == b'\t'))
        && !matches!(at(text, first.len() + 1), 0)
    {
        return true;
    }
    if !undated {
        return false;
    }
    let name = first.strip_suffix(b":").unwrap_or(first);
    let exception = name.ends_with(b"Exception") || name.ends_with(b"Error");
    start >= 2
        || text.starts_with(b"Traceback (")
        || (exception && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$')))
}
