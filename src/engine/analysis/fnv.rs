//! FNV-1a, 64 bits: groups and samples in memory what identifiers tell apart. Never an identity that is kept, and no guard
//! against who chooses identifiers.

/// The hash of some bytes.
#[must_use]
pub fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let step = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3);
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, step)
}
