//! Redacts a stream of any length with bounded memory: bytes come in as they arrive, whole lines go out.
//!
//! The last stretch is held back until what follows is known, because a value may go on there. Reads and writes nothing.

use super::bytes::Text;
use super::finding::Finding;
use super::kind::Kind;
use super::{Redactor, scan};

/// Bytes that are looked at together.
const CHUNK: usize = 1 << 20;

/// Bytes held back: longer than any value that is followed.
const HELD: usize = 64 << 10;

/// Bytes kept before them: a name may stand there.
const CONTEXT: usize = 4 << 10;

/// A stream being redacted.
#[derive(Debug)]
pub struct Stream<'r> {
    redactor: &'r Redactor,
    bytes: Vec<u8>,
    /// Bytes at the beginning that went out already.
    out: usize,
}

/// Takes a redacted line, without its end, whether it had one, and the kinds that were taken out of it.
pub type Line<'a> = dyn FnMut(&[u8], bool, &[Kind]) + 'a;

impl<'r> Stream<'r> {
    /// A stream for this redactor.
    #[must_use]
    pub fn new(redactor: &'r Redactor) -> Self {
        Self { redactor, bytes: Vec::new(), out: 0 }
    }

    /// Takes bytes; lines whose neighbourhood is known go to `line`.
    pub fn push(&mut self, bytes: &[u8], line: &mut Line<'_>) {
        for part in bytes.chunks(CHUNK) {
            self.bytes.extend_from_slice(part);
            if self.bytes.len() >= CHUNK + HELD {
                self.give(self.bytes.len() - HELD, line);
            }
        }
    }

    /// Gives what is left.
    pub fn finish(mut self, line: &mut Line<'_>) {
        self.give(self.bytes.len(), line);
    }

    /// Gives everything up to the last line that ends before `limit`; up to `limit` where a line is longer than memory.
    fn give(&mut self, limit: usize, line: &mut Line<'_>) {
        let text = Text(&self.bytes);
        let found = scan::findings(&self.bytes);
        let mut cut = limit;
        if limit < text.len() {
            let begin = text.run_back(limit, limit - self.out, |b| b != b'\n');
            cut = if begin > self.out { begin } else { limit };
            // Not within a value: what it begins on goes out with it, later.
            if let Some(inside) = found.iter().find(|f| f.start < cut && f.end > cut) {
                let begin =
                    text.run_back(inside.start, inside.start - self.out.min(inside.start), |b| b != b'\n');
                cut = if begin > self.out { begin } else { inside.end };
            }
        }
        let due: Vec<Finding> = found.into_iter().filter(|f| f.start >= self.out && f.end <= cut).collect();
        lines(self.redactor, text.part(self.out, cut), self.out, &due, line);
        let keep = cut.saturating_sub(CONTEXT);
        self.bytes.drain(..keep);
        self.out = cut - keep;
    }
}

/// Replaces and gives the lines of `text`, which stood at `offset`.
fn lines(redactor: &Redactor, text: &[u8], offset: usize, due: &[Finding], line: &mut Line<'_>) {
    let moved: Vec<Finding> =
        due.iter().map(|f| Finding { start: f.start - offset, end: f.end - offset, ..f.clone() }).collect();
    let redacted = redactor.settled(text, &moved);
    let mut begin = 0;
    let mut rest = moved.iter().peekable();
    let mut goes_on: Option<&Finding> = None;
    let count = redacted.split_inclusive(|b| *b == b'\n');
    let mut written = text.split_inclusive(|b| *b == b'\n');
    for part in count {
        let end = begin + written.next().map_or(0, <[u8]>::len);
        let mut kinds: Vec<Kind> = goes_on.filter(|f| f.end > begin).map(|f| f.kind).into_iter().collect();
        while let Some(finding) = rest.next_if(|f| f.start < end) {
            kinds.push(finding.kind);
            goes_on = Some(finding);
        }
        kinds.sort_unstable();
        kinds.dedup();
        let whole = part.strip_suffix(b"\n");
        line(whole.unwrap_or(part), whole.is_some(), &kinds);
        begin = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value of a kind that needs no name, made from parts.
    fn value(n: usize) -> String {
        format!("gh{}_{:036}", "p", n * 7_919 + 123_456_789)
    }

    #[test]
    fn lines_stay_lines_and_values_over_chunks_are_found() {
        let redactor = Redactor::new(b"key");
        let mut text = String::new();
        let mut n = 0;
        while text.len() < 3 * CHUNK {
            n += 1;
            text += &format!("line {n} of a request that took {n} ms and used {}\n", value(n % 7));
        }
        let mut stream = Stream::new(&redactor);
        let (mut count, mut touched) = (0, 0);
        let mut line = |part: &[u8], ended: bool, kinds: &[Kind]| {
            count += 1;
            touched += usize::from(kinds.len() == 1);
            assert!(ended && part.starts_with(b"line ") && part.ends_with(b">"));
        };
        for part in text.as_bytes().chunks(100_003) {
            stream.push(part, &mut line);
        }
        stream.finish(&mut line);
        assert_eq!((count, touched), (n, n));
    }

    #[test]
    fn a_line_longer_than_memory_goes_out_in_pieces() {
        let redactor = Redactor::new(b"key");
        let text = format!("{} {}", "word ".repeat(900_000), value(1));
        let mut out = Vec::new();
        let mut stream = Stream::new(&redactor);
        let mut line = |part: &[u8], _: bool, _: &[Kind]| out.extend_from_slice(part);
        stream.push(text.as_bytes(), &mut line);
        assert!(stream.bytes.len() < 2 * CHUNK);
        stream.finish(&mut line);
        assert!(out.starts_with(b"word word") && out.ends_with(b">") && out.len() < text.len());
    }
}
