//! What stands in the place of a value: its kind and a keyed digest, so that equal values stay equal and nobody without
//! the key can try values out. Decides nothing about what is replaced.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::bytes::{Text, is_hex_lower};
use super::kind::Kind;

/// Hexadecimal digits of the digest: 48 bits keep a million values apart and are short enough to read.
const DIGITS: usize = 12;

/// Longest name of a kind.
const NAME_MAX: usize = 24;

/// HMAC-SHA256 with the key taken in.
#[derive(Clone)]
pub(super) struct Pseudonyms {
    inner: Sha256,
    outer: Sha256,
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The states are as good as the key.
        f.write_str("Pseudonyms")
    }
}

impl Pseudonyms {
    pub(super) fn new(key: &[u8]) -> Self {
        let mut block = [0_u8; 64];
        let hashed;
        let key = if key.len() > block.len() {
            hashed = Sha256::digest(key);
            hashed.as_slice()
        } else {
            key
        };
        block.iter_mut().zip(key).for_each(|(b, k)| *b = *k);
        let state = |pad: u8| Sha256::new().chain_update(block.map(|b| b ^ pad));
        Self { inner: state(0x36), outer: state(0x5c) }
    }

    /// Writes the pseudonym of a value. The kind is not part of the digest: one value seen as two kinds stays one.
    pub(super) fn write(&self, kind: Kind, value: &[u8], out: &mut Vec<u8>) {
        let inner = self.inner.clone().chain_update(value).finalize();
        let digest = self.outer.clone().chain_update(inner).finalize();
        out.push(b'<');
        out.extend_from_slice(kind.name().as_bytes());
        out.push(b':');
        let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
        let digits = digest.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]);
        out.extend(digits.take(DIGITS).filter_map(|c| u8::try_from(c).ok()));
        out.push(b'>');
    }
}

/// Where a pseudonym that begins at `i` ends.
pub(super) fn end(text: Text<'_>, i: usize) -> Option<usize> {
    if text.at(i) != b'<' {
        return None;
    }
    let name = text.run_max(i + 1, NAME_MAX, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if name == i + 1 || text.at(name) != b':' {
        return None;
    }
    let digits = text.run_max(name + 1, DIGITS, is_hex_lower);
    (digits == name + 1 + DIGITS && text.at(digits) == b'>').then_some(digits + 1)
}

#[cfg(test)]
mod tests {
    use super::super::kind;
    use super::*;

    #[test]
    fn it_is_the_hmac_of_rfc_4231() {
        let mut out = Vec::new();
        Pseudonyms::new(b"Jefe").write(kind::PASSWORD, b"what do ya want for nothing?", &mut out);
        assert_eq!(out, b"<password:5bdcc146bf60>");
        assert_eq!(end(Text(&out), 0), Some(out.len()));
        let mut out = Vec::new();
        let value = b"Test Using Larger Than Block-Size Key - Hash Key First";
        Pseudonyms::new(&[0xaa; 131]).write(kind::PASSWORD, value, &mut out);
        assert_eq!(out, b"<password:60e431591ee0>");
    }
}
