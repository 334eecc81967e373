//! One place, several spellings: a token that is a variable in some lines and contains one in others.
//!
//! The property it rests on: a place in a message that takes an address also takes `LOCAL(0)` or `[::1]:80`, and
//! punctuation inside such a token is the value's, not the message's.

use std::collections::BTreeMap;

use super::bytes::hash;
use super::kind::{Kind, is_variable};

/// Joins templates whose tokens between blanks differ in one place that holds a variable everywhere, bare somewhere.
pub(super) fn join_spellings(templates: &mut [Vec<u8>]) {
    let mut distinct: Vec<Vec<u8>> = templates.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let mut by_context: BTreeMap<(u64, usize), Vec<usize>> = BTreeMap::new();
    for (n, template) in distinct.iter().enumerate() {
        for (place, token) in template.split(|b| *b == b' ').enumerate() {
            if token.iter().any(|b| is_variable(*b)) {
                let context = with(template, place, b"\0");
                by_context.entry((hash(&context), place)).or_default().push(n);
            }
        }
    }
    let mut to: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for ((_, place), members) in by_context.into_iter().filter(|(_, m)| m.len() > 1) {
        let tokens: Vec<&[u8]> =
            members.iter().filter_map(|n| distinct.get(*n)).filter_map(|t| token(t, place)).collect();
        let Some(bare) = tokens.iter().find(|t| is_bare(t)) else { continue };
        let tail = tail(bare);
        if !tokens.iter().all(|t| self::tail(t) == tail) {
            continue;
        }
        let mut value = vec![Kind::Any.byte()];
        value.extend_from_slice(tail);
        for template in members.iter().filter_map(|n| distinct.get(*n)) {
            to.entry(template.clone()).or_insert_with(|| with(template, place, &value));
        }
    }
    for template in templates {
        if let Some(joined) = to.get(template) {
            template.clone_from(joined);
        }
    }
}

fn token(template: &[u8], place: usize) -> Option<&[u8]> {
    template.split(|b| *b == b' ').nth(place)
}

/// A template with another token in one place.
fn with(template: &[u8], place: usize, token: &[u8]) -> Vec<u8> {
    let parts: Vec<&[u8]> =
        template.split(|b| *b == b' ').enumerate().map(|(n, t)| if n == place { token } else { t }).collect();
    parts.join(&b' ')
}

/// Punctuation behind a token.
fn tail(token: &[u8]) -> &[u8] {
    let n = token.iter().rev().take_while(|b| b",;:.".contains(b)).count();
    token.get(token.len() - n..).unwrap_or_default()
}

fn is_bare(token: &[u8]) -> bool {
    let core = token.len() - tail(token).len();
    core == 1 && token.first().is_some_and(|b| is_variable(*b))
}
