//! Masked lines with their counts, bounded whatever comes in, and the same whatever the order is.
//!
//! Lines are kept apart until there are too many. Then places that hold many different words become variables, by
//! rules that only ever coarsen and depend on the set of lines seen, never on their order: places remember up to a
//! number of different words, and all thresholds fall as the number of different lines grows. So tables of several
//! nodes can be merged in any order.

use std::collections::{BTreeMap, BTreeSet};

use super::bytes::{hash, mix};
use super::kind::{Kind, is_variable};
use super::leaf::Leaf;

/// Masked lines of all buckets together.
const LINES_MAX: usize = 12_000;

/// Different lines of a bucket before its places are looked at: falls until all fit.
const BUDGETS: [usize; 7] = [1_000, 300, 100, 30, 10, 3, 1];

/// Different words that a place remembers.
const WORDS_MAX: usize = 32;

/// Places further back hold a variable in crowded buckets.
const PLACES_MAX: usize = 24;

/// Lines of as many tokens whose first word is the same.
#[derive(Debug, Clone, Default)]
struct Bucket {
    leaves: Vec<u32>,
    /// Different words in each place, once the bucket is crowded.
    places: Option<Vec<BTreeSet<u64>>>,
    hot: Vec<bool>,
}

/// All masked lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    by_hash: BTreeMap<u64, u32>,
    leaves: Vec<Option<Leaf>>,
    /// Where a leaf went that is no more.
    moved: Vec<u32>,
    buckets: BTreeMap<(usize, u64), Bucket>,
    budget: usize,
    /// Whether buckets ignore the first word.
    flat: bool,
    charged: usize,
}

impl Table {
    /// The leaf of a masked line, and whether it is new.
    pub(super) fn leaf(&mut self, masked: &[u8], hash: u64) -> (u32, bool) {
        if let Some(n) = self.by_hash.get(&hash) {
            return (*n, false);
        }
        let key = self.key(masked);
        let crowded = self.buckets.get(&key).is_some_and(|b| b.places.is_some());
        if crowded {
            return self.crowded(key, masked);
        }
        let n = self.add(masked, hash);
        let bucket = self.buckets.entry(key).or_default();
        bucket.leaves.push(n);
        self.charged += 1;
        if bucket.leaves.len() > BUDGETS.get(self.budget).copied().unwrap_or(1) {
            self.crowd(key);
        }
        while self.charged > LINES_MAX && self.tighten() {}
        (self.at(n), true)
    }

    /// Where a leaf is now.
    pub(super) fn at(&self, mut n: u32) -> u32 {
        while let Some(to) = slot(&self.moved, n)
            && *to != n
        {
            n = *to;
        }
        n
    }

    pub(super) fn get_mut(&mut self, n: u32) -> Option<&mut Leaf> {
        usize::try_from(n).ok().and_then(|i| self.leaves.get_mut(i)).and_then(Option::as_mut)
    }

    pub(super) fn get(&self, n: u32) -> Option<&Leaf> {
        slot(&self.leaves, n).and_then(Option::as_ref)
    }

    /// All leaves by number.
    pub(super) fn leaves(&self) -> impl Iterator<Item = (u32, &Leaf)> {
        (0..).zip(&self.leaves).filter_map(|(n, leaf)| leaf.as_ref().map(|leaf| (n, leaf)))
    }

    /// How many numbers were given out.
    pub(super) fn numbers(&self) -> u32 {
        u32::try_from(self.leaves.len()).unwrap_or(u32::MAX)
    }

    /// Takes another table's lines. Returns where each of its leaves is now.
    pub(super) fn merge(&mut self, other: &Self) -> Vec<u32> {
        while self.budget < other.budget || (other.flat && !self.flat) {
            if !self.tighten() {
                break;
            }
        }
        let mut to = BTreeMap::new();
        for (key, bucket) in &other.buckets {
            for n in &bucket.leaves {
                let Some(leaf) = other.get(*n) else { continue };
                let (here, _) = self.leaf(&leaf.masked, hash(&leaf.masked));
                if let Some(mine) = self.get_mut(here) {
                    mine.merge(leaf);
                }
                to.insert(*n, here);
            }
            if let Some(places) = &bucket.places {
                let key = if self.flat { (key.0, 0) } else { *key };
                self.crowd(key);
                self.learn(key, places);
                while self.charged > LINES_MAX && self.tighten() {}
            }
        }
        (0..other.numbers()).map(|n| to.get(&other.at(n)).map_or(0, |here| self.at(*here))).collect()
    }

    /// Lowers the thresholds by one step. False when nothing is left to lower.
    pub(super) fn tighten(&mut self) -> bool {
        if self.budget + 1 < BUDGETS.len() {
            self.budget += 1;
            let keys: Vec<_> = self.buckets.keys().copied().collect();
            let budget = BUDGETS.get(self.budget).copied().unwrap_or(1);
            for key in keys {
                let Some(bucket) = self.buckets.get(&key) else { continue };
                if bucket.places.is_some() {
                    self.heat(key);
                } else if bucket.leaves.len() > budget {
                    self.crowd(key);
                }
            }
        } else if self.flat {
            return false;
        } else {
            self.flatten();
        }
        self.charge();
        true
    }

    fn flatten(&mut self) {
        self.flat = true;
        let old = std::mem::take(&mut self.buckets);
        for ((length, _), bucket) in old {
            let all = self.buckets.entry((length, 0)).or_default();
            all.leaves.extend(bucket.leaves);
            let Some(places) = bucket.places else { continue };
            let known = all.places.get_or_insert_with(|| vec![BTreeSet::new(); places.len()]);
            for (a, b) in known.iter_mut().zip(places) {
                unite(a, b);
            }
        }
        let keys: Vec<_> = self.buckets.keys().copied().collect();
        for key in keys {
            let Some(bucket) = self.buckets.get_mut(&key) else { continue };
            if bucket.places.is_none() && bucket.leaves.len() <= 1 {
                continue;
            }
            let known = bucket.places.take();
            self.crowd(key);
            if let Some(known) = known {
                self.learn(key, &known);
            }
        }
    }

    fn charge(&mut self) {
        let budget = BUDGETS.get(self.budget).copied().unwrap_or(1);
        let of = |b: &Bucket| if b.places.is_some() { budget } else { b.leaves.len() };
        self.charged = self.buckets.values().map(of).sum();
    }

    fn key(&self, masked: &[u8]) -> (usize, u64) {
        let length = masked.split(|b| *b == b' ').count();
        let first = masked.split(|b| *b == b' ').next().unwrap_or_default();
        let fixed = !self.flat && !first.iter().any(|b| is_variable(*b));
        (length, if fixed { hash(first) } else { 0 })
    }

    fn add(&mut self, masked: &[u8], hash: u64) -> u32 {
        let n = self.numbers();
        self.leaves.push(Some(Leaf::new(masked)));
        self.moved.push(n);
        self.by_hash.insert(hash, n);
        n
    }

    /// A line of a crowded bucket: its words are learned, then it is coarsened.
    fn crowded(&mut self, key: (usize, u64), masked: &[u8]) -> (u32, bool) {
        if let Some(places) = self.buckets.get_mut(&key).and_then(|b| b.places.as_mut()) {
            add_words(places, masked);
        }
        self.heat(key);
        let Some(bucket) = self.buckets.get(&key) else { return (0, false) };
        let coarse = coarsen(masked, &bucket.hot);
        let h = hash(&coarse);
        if let Some(n) = self.by_hash.get(&h) {
            return (*n, false);
        }
        let n = self.add(&coarse, h);
        if let Some(bucket) = self.buckets.get_mut(&key) {
            bucket.leaves.push(n);
        }
        (n, true)
    }

    /// Begins to look at a bucket's places.
    fn crowd(&mut self, key: (usize, u64)) {
        let bucket = self.buckets.entry(key).or_default();
        if bucket.places.is_some() {
            return;
        }
        let mut places = vec![BTreeSet::new(); key.0.min(PLACES_MAX)];
        for n in &bucket.leaves {
            if let Some(leaf) = slot(&self.leaves, *n).and_then(Option::as_ref) {
                add_words(&mut places, &leaf.masked);
            }
        }
        bucket.places = Some(places);
        bucket.hot = Vec::new();
        self.heat(key);
        self.charge();
    }

    fn learn(&mut self, key: (usize, u64), more: &[BTreeSet<u64>]) {
        if let Some(places) = self.buckets.get_mut(&key).and_then(|b| b.places.as_mut()) {
            for (mine, theirs) in places.iter_mut().zip(more) {
                unite(mine, theirs.clone());
            }
        }
        self.heat(key);
    }

    /// Decides which places hold variables: the more places vary, the fewer different words each may keep, so that
    /// what is left apart always fits the budget. Coarsens the bucket's lines when that changed.
    fn heat(&mut self, key: (usize, u64)) {
        let budget = BUDGETS.get(self.budget).copied().unwrap_or(1);
        let Some(bucket) = self.buckets.get_mut(&key) else { return };
        let Some(places) = &bucket.places else { return };
        let varying = places.iter().filter(|p| p.len() > 1).count();
        let words = words_kept(budget, varying);
        let mut hot: Vec<bool> = places.iter().map(|p| p.len() >= words).collect();
        hot.resize(key.0, true);
        if hot == bucket.hot {
            return;
        }
        let leaves = std::mem::take(&mut bucket.leaves);
        bucket.hot.clone_from(&hot);
        let mut kept = Vec::new();
        for n in leaves {
            let Some(leaf) =
                usize::try_from(n).ok().and_then(|i| self.leaves.get_mut(i)).and_then(Option::take)
            else {
                continue;
            };
            kept.extend(self.settle(n, leaf, &hot));
        }
        if let Some(bucket) = self.buckets.get_mut(&key) {
            bucket.leaves = kept;
        }
    }

    /// Puts a leaf back in its coarser form; `None` when an equal one is there already.
    fn settle(&mut self, n: u32, mut leaf: Leaf, hot: &[bool]) -> Option<u32> {
        self.by_hash.remove(&hash(&leaf.masked));
        let coarse = coarsen(&leaf.masked, hot);
        let h = hash(&coarse);
        leaf.masked = coarse;
        if let Some(there) = self.by_hash.get(&h).copied() {
            if let Some(other) = self.get_mut(there) {
                other.merge(&leaf);
            }
            if let Some(moved) = usize::try_from(n).ok().and_then(|i| self.moved.get_mut(i)) {
                *moved = there;
            }
            return None;
        }
        self.by_hash.insert(h, n);
        if let Some(place) = usize::try_from(n).ok().and_then(|i| self.leaves.get_mut(i)) {
            *place = Some(leaf);
        }
        Some(n)
    }
}

fn slot<T>(list: &[T], n: u32) -> Option<&T> {
    usize::try_from(n).ok().and_then(|i| list.get(i))
}

/// The greatest number of different words with which all combinations of the places fit the budget.
fn words_kept(budget: usize, varying: usize) -> usize {
    let exponent = u32::try_from(varying.max(1)).unwrap_or(u32::MAX);
    let fits = |n: usize| n.checked_pow(exponent).is_some_and(|all| all <= budget);
    (2..=WORDS_MAX).rev().find(|n| fits(*n)).unwrap_or(2)
}

/// Keeps a set's smallest words only: which those are does not depend on the order in which they came.
fn unite(set: &mut BTreeSet<u64>, more: BTreeSet<u64>) {
    set.extend(more);
    while set.len() > WORDS_MAX {
        set.pop_last();
    }
}

fn add_words(places: &mut [BTreeSet<u64>], masked: &[u8]) {
    for (place, word) in places.iter_mut().zip(masked.split(|b| *b == b' ')) {
        // A place that is a variable already says nothing about words.
        if place.len() < WORDS_MAX && word != [Kind::Any.byte()] {
            place.insert(mix(hash(word)));
        }
    }
}

fn coarsen(masked: &[u8], hot: &[bool]) -> Box<[u8]> {
    let mut out = Vec::with_capacity(masked.len());
    for (n, word) in masked.split(|b| *b == b' ').enumerate() {
        if n > 0 {
            out.push(b' ');
        }
        if hot.get(n).copied().unwrap_or(true) {
            out.push(Kind::Any.byte())
        } else {
            out.extend_from_slice(word)
        }
    }
    out.into_boxed_slice()
}
