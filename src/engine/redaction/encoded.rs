//! Base64 and percent-encoding, undone where what comes out is text. What that text holds is for others to judge.

use super::bytes::{Text, hex, is_base64};

/// Shortest run of base64 that is undone: eight bytes and more.
const BASE64_MIN: usize = 12;

/// Longest run of base64 that is undone.
const BASE64_MAX: usize = 32_768;

/// Lines into which base64 may be wrapped.
const LINES_MAX: usize = 400;

/// Longest word that is percent-decoded at once.
const WORD_MAX: usize = 8_192;

fn sextet(b: u8) -> Option<u8> {
    match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// What base64 says, when it is text: padding may be missing, both alphabets are taken.
pub(super) fn printable(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(encoded.len() / 4 * 3 + 3);
    let body = encoded.iter().rposition(|b| *b != b'=').and_then(|last| encoded.get(..=last))?;
    if body.len() % 4 == 1 || encoded.len() - body.len() > 2 {
        return None;
    }
    for quad in body.chunks(4) {
        let mut bits = 0_u32;
        for b in quad {
            bits = bits << 6 | u32::from(sextet(*b)?);
        }
        bits <<= 6 * (4 - quad.len());
        let [_, a, b, c] = bits.to_be_bytes();
        for (byte, _) in [a, b, c].iter().zip(quad.iter().skip(1)) {
            if (*byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t')) || *byte == 0x7f {
                return None;
            }
            out.push(*byte);
        }
    }
    std::str::from_utf8(&out).ok()?;
    Some(out)
}

/// Whether base64 of a text may begin at `i`: the first bits of its first bytes say so.
#[inline]
pub(super) fn may_begin(text: Text<'_>, i: usize) -> bool {
    let ascii = |b: u8| matches!(b, b'A'..=b'Z' | b'a'..=b'f');
    let first = text.at(i);
    // Every fourth character begins a byte; ASCII begins with a zero bit, Japanese with 0xE3 to 0xEF.
    if !ascii(first) && !matches!(first, b'4'..=b'7') {
        return false;
    }
    let fits = |b: u8| ascii(b) || matches!(b, b'g'..=b'z' | b'0'..=b'7');
    fits(text.at(i + 4)) && fits(text.at(i + 8)) && is_base64(text.at(i + 10))
}

/// The base64 that begins at `i` and the text it says; it may be wrapped into lines.
pub(super) fn base64(text: Text<'_>, i: usize) -> Option<(usize, Vec<u8>)> {
    let mut end = text.run_max(i, BASE64_MAX, is_base64);
    let first = padded(text, end);
    if first - i < BASE64_MIN {
        return None;
    }
    // Most words that look like base64 fail within their first bytes.
    let head = 8.min((end - i) / 4) * 4;
    if !text.part(i, i + head).chunks(4).all(probable) {
        return None;
    }
    let mut joined = text.part(i, first).to_vec();
    let mut last = first;
    for _ in 0..LINES_MAX {
        let breaks = text.line_break(last);
        if breaks == 0 || last != end || joined.len() > BASE64_MAX {
            break;
        }
        let next = text.run_max(last + breaks, 40, |b| matches!(b, b' ' | b'\t' | b'|'));
        end = text.run_max(next, BASE64_MAX, is_base64);
        if end == next {
            break;
        }
        last = padded(text, end);
        joined.extend_from_slice(text.part(next, last));
    }
    if last != first
        && let Some(decoded) = printable(&joined)
    {
        return Some((last, decoded));
    }
    printable(text.part(i, first)).map(|decoded| (first, decoded))
}

fn padded(text: Text<'_>, end: usize) -> usize {
    text.run_max(end, 2, |b| b == b'=')
}

/// Whether four characters of base64 can be text: no control codes.
fn probable(quad: &[u8]) -> bool {
    let mut bits = 0_u32;
    for b in quad {
        let Some(value) = sextet(*b) else { return false };
        bits = bits << 6 | u32::from(value);
    }
    let [_, a, b, c] = bits.to_be_bytes();
    [a, b, c].iter().all(|b| (*b >= 0x20 && *b != 0x7f) || matches!(b, b'\n' | b'\r' | b'\t'))
}

/// A word without its percent-encoding, and where each byte of it stood.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) bytes: Vec<u8>,
    places: Vec<usize>,
    /// Where the word ends.
    pub(super) end: usize,
}

impl Decoded {
    /// Where the byte `i` stood.
    pub(super) fn place(&self, i: usize) -> usize {
        self.places.get(i).copied().unwrap_or(self.end)
    }
}

/// Undoes the percent-encoding of the word around `i`, which may begin at `floor`.
pub(super) fn percent(text: Text<'_>, i: usize, floor: usize) -> Option<Decoded> {
    hex(text.at(i + 1))?;
    hex(text.at(i + 2))?;
    let of_word = |b: u8| !matches!(b, 0..=b' ' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\');
    let start = text.run_back(i, WORD_MAX / 4, of_word).max(floor);
    let end = text.run_max(i, WORD_MAX, of_word);
    let mut decoded = Decoded { bytes: Vec::new(), places: Vec::new(), end };
    let mut at = start;
    while at < end {
        let b = text.at(at);
        decoded.places.push(at);
        if b == b'%'
            && let (Some(high), Some(low)) = (hex(text.at(at + 1)), hex(text.at(at + 2)))
        {
            decoded.bytes.push(high << 4 | low);
            at += 3;
        } else {
            decoded.bytes.push(b);
            at += 1;
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_text_is_undone_and_other_is_not() {
        assert_eq!(printable(b"aGVsbG8gd29ybGQ=").as_deref(), Some(b"hello world".as_slice()));
        assert_eq!(printable(b"aGVsbG8gd29ybGQ").as_deref(), Some(b"hello world".as_slice()));
        assert_eq!(printable("5pel5pys6Kqe".as_bytes()).as_deref(), Some("日本語".as_bytes()));
        for other in ["messages", "deadbeefcafe", "AAAAB3NzaC1yc2E", "a", "===="] {
            assert_eq!(printable(other.as_bytes()), None, "{other}");
        }
        let wrapped = Text(b"aGVsbG8gd29y\n  bGQgYWdhaW4= x");
        assert_eq!(base64(wrapped, 0).map(|(end, d)| (end, d.len())), Some((27, 17)));
    }
}
