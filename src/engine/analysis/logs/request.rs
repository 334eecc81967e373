//! Which request a line belongs to, and the masked lines of each request.
//!
//! The general property: whoever wants lines of one request to be found together writes one identifier made by a
//! machine into all of them. Either a key says so, whose last word names a trace, a request, a correlation, a
//! transaction, a session or a span; or the identifier has 128 bits, which by chance come only once, so that lines
//! that share it speak of one thing. Anything shorter without such a key may count, name or measure something.

use std::collections::{BTreeMap, BTreeSet};

use super::bytes::{at, hash, mix, sub};

/// Requests that are remembered of each masked line: those with the smallest hashes, a fair choice that needs no order.
/// Each line has its own, so that a flood of requests of one kind hides no other kind.
const REQUESTS_MAX: usize = 1_024;

/// Masked lines that are remembered, those with the smallest hashes: programs have fewer places that log.
const LINES_MAX: usize = 2_048;

/// Bytes of an identifier behind a key that says it is one.
const NAMED_MIN: usize = 6;

/// Bytes of an identifier behind a key that names a request without saying that it is an identifier.
const BARE_MIN: usize = 16;

/// Bytes of a name or an identifier that are looked at.
const BYTES_MAX: usize = 64;

/// Bytes between a name and its value: quotes (escaped ones, too), a colon or an equals sign, a bracket, a blank.
const JOINT_MAX: usize = 6;

/// What keys name, widest first: of several keys the one that joins most lines counts.
const NOUNS: [(&[u8], u8); 12] = [
    (b"trace", 0),
    (b"traceparent", 0),
    (b"root", 0),
    (b"operation", 0),
    (b"correlation", 1),
    (b"request", 2),
    (b"req", 2),
    (b"invocation", 2),
    (b"transaction", 3),
    (b"txn", 3),
    (b"session", 4),
    (b"span", 5),
];

/// The rank of an identifier of 128 bits without a key.
const UNNAMED: u8 = 6;

/// A hash of the identifier of the request that a line belongs to.
pub(super) fn request(line: &[u8]) -> Option<u64> {
    let mut best: Option<(u8, u64)> = None;
    // Two words before the one that is looked at.
    let (mut name, mut before) = ((0, 0), (0, 0));
    let mut i = 0;
    while i < line.len() {
        let n = sub(line, i, line.len()).iter().take_while(|b| in_word(**b)).count();
        if n == 0 {
            i += 1;
            continue;
        }
        let word = sub(line, i, i + n);
        let close = word.iter().rev().take_while(|b| b".-_".contains(b)).count();
        let word = sub(word, 0, n - close);
        if word.len() >= NAMED_MIN && word.iter().any(u8::is_ascii_digit) {
            let rank = rank(line, before, name, (i, word));
            if let Some(rank) = rank.filter(|r| best.is_none_or(|(known, _)| *r < known)) {
                best = identity(word).map(|id| (rank, id)).or(best);
            }
        }
        before = name;
        name = (i, i + n);
        i += n;
    }
    best.map(|(_, id)| id)
}

fn in_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')
}

/// How well a word is known to be the identifier of a request; `None` when it is none.
fn rank(line: &[u8], before: (usize, usize), name: (usize, usize), word: (usize, &[u8])) -> Option<u8> {
    let (start, value) = word;
    if value.contains(&b'.') {
        return None;
    }
    // `req-7d444840-…`: the name is joined to the value.
    if let Some(n) = value.iter().position(|b| matches!(b, b'-' | b'_'))
        && let Some(rank) = noun(sub(value, 0, n))
        && value.len() - n > NAMED_MIN
        && is_opaque(sub(value, n + 1, value.len()))
    {
        return Some(rank);
    }
    let joint = sub(line, name.1, start);
    let joined = joint.len() <= JOINT_MAX && joint.iter().all(|b| b" \"'\\:=[(".contains(b));
    if joined && name.1 > name.0 {
        let marked = joint.iter().any(|b| matches!(b, b':' | b'='));
        let mut key = Name::default();
        let last = sub(line, name.0, name.1);
        if last.eq_ignore_ascii_case(b"id") && name.0.saturating_sub(before.1) == 1 {
            key.add(sub(line, before.0, before.1));
        }
        key.add(last);
        match key.rank() {
            Some((rank, true)) => return Some(rank),
            Some((rank, false)) if marked && value.len() >= BARE_MIN && is_opaque(value) => {
                return Some(rank);
            }
            Some((_, false)) | None => {}
        }
    }
    is_wide(value).then_some(UNNAMED)
}

/// A name in small letters, without what joins its words.
#[derive(Default)]
struct Name {
    bytes: Vec<u8>,
}

impl Name {
    fn add(&mut self, part: &[u8]) {
        let letters = part.iter().filter(|b| b.is_ascii_alphanumeric()).take(BYTES_MAX);
        self.bytes.extend(letters.map(u8::to_ascii_lowercase));
    }

    /// Which noun the name ends with, and whether `id` follows. The identifier of a parent is that of another thing.
    fn rank(&self) -> Option<(u8, bool)> {
        if self.bytes.starts_with(b"parent") {
            return None;
        }
        let Some(noun) = self.bytes.strip_suffix(b"id") else {
            return noun(&self.bytes).map(|rank| (rank, false));
        };
        let ends = NOUNS.iter().filter(|(n, _)| noun.ends_with(n)).map(|(_, rank)| *rank).min();
        ends.map(|rank| (rank, true))
    }
}

fn noun(word: &[u8]) -> Option<u8> {
    NOUNS.iter().find(|(n, _)| word.eq_ignore_ascii_case(n)).map(|(_, rank)| *rank)
}

/// Digits and letters up to `f`, in groups.
fn is_opaque(value: &[u8]) -> bool {
    value.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-')
}

/// 128 bits: a UUID, 32 hexadecimal digits, or the three groups of X-Ray.
fn is_wide(value: &[u8]) -> bool {
    let dashes = |places: &[usize]| {
        value.iter().enumerate().all(
            |(i, b)| {
                if places.contains(&i) { *b == b'-' } else { b.is_ascii_hexdigit() }
            },
        )
    };
    match value.len() {
        32 => dashes(&[]),
        35 => at(value, 0) == b'1' && dashes(&[1, 10]),
        36 => dashes(&[8, 13, 18, 23]),
        55 => dashes(&[2, 35, 52]),
        _ => false,
    }
}

/// Equal for all spellings of an identifier; `None` for one that is all zeros, which stands where there is none.
fn identity(value: &[u8]) -> Option<u64> {
    let value = match value.len() {
        35 if is_wide(value) => sub(value, 2, 35),
        // Version, trace, span and flags of W3C.
        55 if is_wide(value) => sub(value, 3, 35),
        _ => value,
    };
    let joint = |b: &u8| matches!(b, b'-' | b'_');
    let value = match value.iter().position(joint) {
        Some(n) if noun(sub(value, 0, n)).is_some() => sub(value, n + 1, value.len()),
        Some(_) | None => value,
    };
    let mut short = [0_u8; BYTES_MAX];
    let mut n = 0;
    for b in value.iter().filter(|b| !joint(b)) {
        let Some(slot) = short.get_mut(n) else { break };
        *slot = b.to_ascii_lowercase();
        n += 1;
    }
    let short = sub(&short, 0, n);
    short.iter().any(|b| *b != b'0').then(|| mix(hash(short)))
}

/// Requests that hold a masked line: all with a hash up to a limit, which falls when there are too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    /// In the order of hashes.
    requests: Vec<u64>,
    until: u64,
}

impl Default for Sample {
    fn default() -> Self {
        Self { requests: Vec::new(), until: u64::MAX }
    }
}

impl Sample {
    fn push(&mut self, request: u64) {
        if request > self.until {
            return;
        }
        if let Err(place) = self.requests.binary_search(&request) {
            self.requests.insert(place, request);
            if self.requests.len() > REQUESTS_MAX {
                self.requests.truncate(REQUESTS_MAX);
                self.until = self.requests.last().copied().unwrap_or_default();
            }
        }
    }

    /// Takes another sample of the same thing.
    pub(super) fn merge(&mut self, other: &Self) {
        self.until = self.until.min(other.until);
        self.requests.truncate(self.up_to(self.until));
        other.requests.iter().for_each(|request| self.push(*request));
    }

    /// Hashes of the requests, in order.
    pub(super) fn requests(&self) -> &[u64] {
        &self.requests
    }

    /// Every request with a hash up to this one is known.
    pub(super) fn until(&self) -> u64 {
        self.until
    }

    /// How many requests have a hash up to this one.
    pub(super) fn up_to(&self, until: u64) -> usize {
        self.requests.partition_point(|request| *request <= until)
    }
}

/// The requests of each masked line: a function of the set of lines, and bounded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Requests {
    /// By the hash of a masked line, with its leaf.
    of: BTreeMap<u64, (u32, Sample)>,
    /// Leaves that lack lines, because there were too many of them.
    cut: BTreeSet<u32>,
}

impl Requests {
    /// Takes a masked line of a request.
    pub(super) fn push(&mut self, request: u64, masked: u64, leaf: u32) {
        if let Some((_, sample)) = self.of.get_mut(&masked) {
            return sample.push(request);
        }
        let mut sample = Sample::default();
        sample.push(request);
        self.insert(masked, leaf, sample);
    }

    fn insert(&mut self, masked: u64, leaf: u32, sample: Sample) {
        if self.of.len() >= LINES_MAX && self.of.last_key_value().is_some_and(|(last, _)| *last < masked) {
            self.cut.insert(leaf);
            return;
        }
        self.of.insert(masked, (leaf, sample));
        if self.of.len() > LINES_MAX
            && let Some((_, (leaf, _))) = self.of.pop_last()
        {
            self.cut.insert(leaf);
        }
    }

    /// Takes what another node has seen; its leaves are numbered anew.
    pub(super) fn merge(&mut self, other: &Self, number: impl Fn(u32) -> Option<u32>) {
        self.cut.extend(other.cut.iter().filter_map(|leaf| number(*leaf)));
        for (masked, (leaf, sample)) in &other.of {
            if let Some((_, mine)) = self.of.get_mut(masked) {
                mine.merge(sample);
            } else if let Some(leaf) = number(*leaf) {
                self.insert(*masked, leaf, sample.clone());
            }
        }
    }

    /// The requests of every remembered line, by leaf.
    pub(super) fn each(&self) -> impl Iterator<Item = (u32, &Sample)> {
        self.of.values().map(|(leaf, sample)| (*leaf, sample))
    }

    /// Leaves of which not all lines are remembered.
    pub(super) fn cut(&self) -> impl Iterator<Item = u32> {
        self.cut.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_one_identifier_name_one_request() {
        let known = request(b"trace_id=5759e988bd862e3fe1be46a994272793").unwrap();
        for line in [
            "INFO [shop,5759e988bd862e3fe1be46a994272793,48bd6f1e2a0c9d37] order placed",
            r#"{"msg":"x","span_id":"48bd6f1e2a0c9d37","trace_id":"5759E988BD862E3FE1BE46A994272793"}"#,
            r#"{"dd":{"trace.id": "5759e988bd862e3fe1be46a994272793"}}"#,
            "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
            "traceparent: 00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
            "request id 5759e988-bd86-2e3f-e1be-46a994272793 is done.",
            "user 7 order 9 (TraceID: 5759e988bd862e3fe1be46a994272793) placed",
        ] {
            assert_eq!(request(line.as_bytes()), Some(known), "{line}");
        }
        let short = request(b"reqId=ab12cd34 placed").unwrap();
        assert_eq!(request(b"[req-ab12cd34] placed"), Some(short));
        assert_eq!(request(b"START RequestId: ab12cd34 Version: $LATEST"), Some(short));
    }

    #[test]
    fn what_counts_names_or_measures_something_else_is_no_request() {
        for line in [
            "request took 123456 ms",
            "request: 2026-10-14T03:21:09 done",
            "Received block blk_-1608999687919862906 of size 91178 from /10.250.10.6",
            "order 1234567890 for customer_id=99887766",
            "trace_id=00000000000000000000000000000000",
            "timespan=12345678 parent_span_id=48bd6f1e2a0c9d37",
            "commit 48bd6f1e2a0c9d37",
            "session opened for user u123456",
        ] {
            assert_eq!(request(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn the_sample_is_bounded_and_depends_neither_on_order_nor_on_parts() {
        let lines: Vec<(u64, u64)> = (0..6_000).flat_map(|r| [(mix(r), mix(1)), (mix(r), mix(r))]).collect();
        let take = |lines: &mut dyn Iterator<Item = &(u64, u64)>| {
            let mut all = Requests::default();
            lines.for_each(|(request, masked)| all.push(*request, *masked, u32::from(*masked != mix(1))));
            all
        };
        let whole = take(&mut lines.iter());
        assert_eq!(whole.of.len(), LINES_MAX);
        assert_eq!(whole.cut().collect::<Vec<_>>(), [1], "a leaf that lacks lines is known");
        let of_one = |all: &Requests| all.of.get(&mix(1)).map(|(_, s)| s.requests.len());
        assert!(of_one(&whole).is_none_or(|n| n == REQUESTS_MAX));
        assert_eq!(take(&mut lines.iter().rev()), whole);
        let (left, right) = lines.split_at(7_001);
        let mut merged = take(&mut right.iter());
        merged.merge(&take(&mut left.iter()), Some);
        assert_eq!(merged, whole);
    }

    #[test]
    fn a_flood_of_one_kind_of_request_leaves_the_others_whole() {
        let mut all = Requests::default();
        (0..50).for_each(|r| all.push(mix(r), 1, 0));
        (50..90_000).for_each(|r| all.push(mix(r), 2, 1));
        let kept: Vec<usize> = all.each().map(|(_, s)| s.requests().len()).collect();
        assert_eq!(kept, [50, REQUESTS_MAX]);
    }
}
