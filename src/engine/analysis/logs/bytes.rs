//! Reading bytes without the chance of a panic: what lies outside is zero or empty.

/// The byte at a place, zero outside.
#[inline]
pub(super) fn at(bytes: &[u8], i: usize) -> u8 {
    bytes.get(i).copied().unwrap_or(0)
}

/// The bytes between two places, empty where they make no sense.
#[inline]
pub(super) fn sub(bytes: &[u8], from: usize, to: usize) -> &[u8] {
    bytes.get(from..to.min(bytes.len())).unwrap_or_default()
}

/// Control characters and blanks part tokens.
#[inline]
pub(super) fn is_blank(b: u8) -> bool {
    b <= b' ' || b == 0x7f
}

/// The end of the token that begins at `i`, looked for in eight bytes at a time.
#[inline]
pub(super) fn token_end(bytes: &[u8], i: usize) -> usize {
    let rest = bytes.get(i..).unwrap_or_default();
    let (chunks, tail) = rest.as_chunks::<8>();
    for (n, chunk) in chunks.iter().enumerate() {
        let blanks = blanks(u64::from_le_bytes(*chunk));
        if blanks != 0 {
            return i + n * 8 + usize::try_from(blanks.trailing_zeros() / 8).unwrap_or_default();
        }
    }
    let end = tail.iter().position(|b| is_blank(*b)).unwrap_or(tail.len());
    (i + chunks.len() * 8 + end).min(bytes.len())
}

/// The highest bit of the first blank of eight bytes is set, and no lower one: a subtraction borrows from higher bytes
/// only where a lower one was found.
#[inline]
fn blanks(x: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let below = |x: u64, n: u64| x.wrapping_sub(ONES * n) & !x & (ONES * 0x80);
    below(x, 0x21) | below(x ^ (ONES * 0x7f), 1)
}

/// The beginning of the next token at or after `i`.
#[inline]
pub(super) fn token_start(bytes: &[u8], i: usize) -> usize {
    let rest = bytes.get(i..).unwrap_or_default();
    rest.iter().position(|b| !is_blank(*b)).map_or(bytes.len(), |n| i + n)
}

/// A hash of bytes that is the same everywhere: eight at a time, multiplied and folded.
#[inline]
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let h = chunks.iter().fold(0x9e37_79b9_7f4a_7c15 ^ length, |h, c| mix(h ^ u64::from_le_bytes(*c)));
    let tail = rest.iter().fold(0_u64, |t, b| (t << 8) | u64::from(*b));
    mix(mix(h ^ tail))
}

/// Spreads the bits of a number.
#[inline]
pub(super) fn mix(x: u64) -> u64 {
    let wide = u128::from(x ^ 0xa076_1d64_78bd_642f) * 0xe703_7ed1_a0b4_28db_u128;
    let low = u64::try_from(wide & u128::from(u64::MAX)).unwrap_or_default();
    let high = u64::try_from(wide >> 64).unwrap_or_default();
    low ^ high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_end_where_the_first_blank_is_whatever_surrounds_it() {
        for blank in [b' ', b'\t', 0, 0x7f, 0x1f] {
            for other in [b'a', b'!', 0x80, 0xff, 0x7e, 0xa0] {
                for place in 0..20 {
                    let mut bytes = [other; 20];
                    bytes[place] = blank;
                    assert_eq!(token_end(&bytes, 0), place);
                    assert_eq!(token_end(&bytes, place), place);
                    assert_eq!(token_end(&bytes, place + 1), 20);
                }
            }
        }
    }
}
