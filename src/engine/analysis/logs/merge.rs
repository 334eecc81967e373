//! Masked lines that differ in one place only are one pattern, if that place holds what varies.
//!
//! A pure function of the set of lines: no order, no history. The properties it rests on: code writes the same words
//! around a variable; names that differ only in their digits number things of one kind; a place that once holds a
//! variable always does; what stands behind one name in several messages are values
//! of one kind; and many different words in one place are values, while a few are different events. The
//! first word of a line names the event.

use std::collections::BTreeMap;

use super::bytes::{hash, mix, sub};
use super::kind::{Kind, is_variable};
use super::mask::skeleton;
use super::spell::join_spellings;

/// Different words in one place that make it a variable.
const WORDS_MIN: usize = 6;

/// The same behind a mark that announces a value (`key=`, a bracket, a quote).
const ANNOUNCED_MIN: usize = 4;

/// Different words in one place when the word before it names values elsewhere, too…
const NAMED_MIN: usize = 3;

/// …and different words that stand behind that name in all lines together.
const POOL_MIN: usize = 5;

/// The same for the first word of a line.
const FIRST_MIN: usize = 48;

/// Rounds: each can find one more variable in a line.
const ROUNDS_MAX: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    /// A word whose digits number it.
    Numbered,
    Variable,
    Mark,
}

#[derive(Debug, Clone, Copy)]
struct Token {
    class: Class,
    from: usize,
    to: usize,
    /// What equal tokens share.
    hash: u64,
}

#[derive(Debug)]
struct Line {
    text: Vec<u8>,
    tokens: Vec<Token>,
}

/// For each masked line the one that stands for it.
pub(super) fn merge(lines: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut of: Vec<usize> = Vec::with_capacity(lines.len());
    let mut groups: Vec<Line> = Vec::new();
    let mut known: BTreeMap<u64, usize> = BTreeMap::new();
    for text in lines {
        let line = Line { tokens: tokens(text), text: text.to_vec() };
        let n = *known.entry(signature(&line)).or_insert_with(|| {
            groups.push(Line { text: line.text.clone(), tokens: line.tokens.clone() });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(n) {
            join(group, &line);
        }
        of.push(n);
    }
    let mut to: Vec<usize> = (0..groups.len()).collect();
    for _ in 0..ROUNDS_MAX {
        if !round(&mut groups, &mut to) {
            break;
        }
    }
    let mut out: Vec<Vec<u8>> =
        of.iter().map(|n| groups.get(resolve(&to, *n)).map(|g| g.text.clone()).unwrap_or_default()).collect();
    join_spellings(&mut out);
    out
}

fn resolve(to: &[usize], mut n: usize) -> usize {
    while let Some(next) = to.get(n)
        && *next != n
    {
        n = *next;
    }
    n
}

/// Equal for lines that differ only in the kinds of their variables and in the digits of numbered names.
fn signature(line: &Line) -> u64 {
    line.tokens.iter().fold(1, |h, t| mix(h ^ t.hash))
}

fn tokens(text: &[u8]) -> Vec<Token> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < text.len() {
        let n = sub(text, i, text.len()).iter().take_while(|b| in_word(**b)).count();
        let to = i + n.max(1);
        let part = sub(text, i, to);
        let class = class(part, n > 0);
        let hash = match class {
            Class::Variable => 7,
            Class::Numbered => skeleton(part),
            Class::Word | Class::Mark => hash(part),
        };
        out.push(Token { class, from: i, to, hash: mix(hash) });
        i = to;
    }
    out
}

fn in_word(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || !b.is_ascii()
        || matches!(b, b'-' | b'_' | b'.' | b'/' | b'#' | b'$' | b'%' | b'+' | b'\\' | b'~')
}

fn class(part: &[u8], word: bool) -> Class {
    if !word {
        return if part.first().is_some_and(|b| is_variable(*b)) { Class::Variable } else { Class::Mark };
    }
    let digits = part.iter().any(u8::is_ascii_digit);
    // A number that stayed is an outcome, a version of a protocol or a place in the code.
    let kept = part.contains(&b'#') || part.contains(&b'/') || !part.iter().any(u8::is_ascii_alphabetic);
    if digits && !kept { Class::Numbered } else { Class::Word }
}

/// Writes into a line what two lines of the same signature share.
fn join(group: &mut Line, line: &Line) {
    let mut text = Vec::with_capacity(group.text.len());
    for (a, b) in group.tokens.iter_mut().zip(&line.tokens) {
        let (x, y) = (sub(&group.text, a.from, a.to), sub(&line.text, b.from, b.to));
        let from = text.len();
        if x == y {
            text.extend_from_slice(x);
        } else {
            let (x, y) = (kind(a.class, x), kind(b.class, y));
            a.class = Class::Variable;
            text.push(if x == y { x } else { Kind::Any.byte() });
        }
        (a.from, a.to) = (from, text.len());
    }
    group.text = text;
}

/// The kind that a token has, or would have as a variable.
fn kind(class: Class, text: &[u8]) -> u8 {
    match class {
        Class::Variable => text.first().copied().unwrap_or_default(),
        Class::Numbered => Kind::Id.byte(),
        Class::Word | Class::Mark => Kind::Word.byte(),
    }
}

/// One place of one line, without which lines are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Hole {
    context: u64,
    line: usize,
    place: usize,
}

/// Joins lines that differ in one place. False when none do.
fn round(groups: &mut [Line], to: &mut [usize]) -> bool {
    let alive: Vec<usize> = (0..groups.len()).filter(|n| to.get(*n) == Some(n)).collect();
    let mut holes: Vec<Hole> = Vec::new();
    for n in alive {
        if let Some(line) = groups.get(n) {
            holes_of(line, n, &mut holes);
        }
    }
    holes.sort_unstable();
    let mut runs: Vec<&[Hole]> =
        holes.chunk_by(|a, b| a.context == b.context).filter(|r| r.len() > 1).collect();
    let pool = pool(groups, &runs);
    runs.retain(|run| varies(groups, run, &pool));
    // The place that varies most first; ties by the context itself, which is a property of the text.
    runs.sort_by_key(|run| (std::cmp::Reverse(run.len()), run.first().map(|h| h.context)));
    let mut used = vec![false; groups.len()];
    let mut any = false;
    for run in runs {
        let free = |h: &&Hole| used.get(h.line) == Some(&false);
        let members: Vec<Hole> = run.iter().filter(free).copied().collect();
        if members.len() < 2 || (members.len() < run.len() && !varies(groups, &members, &pool)) {
            continue;
        }
        unite(groups, to, &members, &mut used);
        any = true;
    }
    any
}

fn holes_of(line: &Line, n: usize, holes: &mut Vec<Hole>) {
    // A sum over places lets one place be left out without reading the others again.
    let term = |i: usize, h: u64| mix(h ^ mix(u64::try_from(i).unwrap_or_default()));
    let all = line.tokens.iter().enumerate().fold(0_u64, |s, (i, t)| s.wrapping_add(term(i, t.hash)));
    let length = u64::try_from(line.tokens.len()).unwrap_or_default();
    for (place, t) in line.tokens.iter().enumerate().filter(|(_, t)| t.class != Class::Mark) {
        let rest = all.wrapping_sub(term(place, t.hash));
        let context = mix(rest ^ mix(length << 16 ^ u64::try_from(place).unwrap_or_default()));
        holes.push(Hole { context, line: n, place });
    }
}

/// Whether what differs between lines is a variable.
fn varies(groups: &[Line], run: &[Hole], pool: &BTreeMap<u64, usize>) -> bool {
    let Some(first) = run.first() else { return false };
    let Some(line) = groups.get(first.line) else { return false };
    let words_around = line
        .tokens
        .iter()
        .enumerate()
        .any(|(i, t)| i != first.place && t.class == Class::Word && spoken(line, t));
    if !words_around {
        return false;
    }
    let class = |h: &Hole| groups.get(h.line).and_then(|l| l.tokens.get(h.place)).map(|t| t.class);
    let word =
        |h: &Hole| groups.get(h.line).and_then(|l| l.tokens.get(h.place).map(|t| sub(&l.text, t.from, t.to)));
    // Outcomes tell kinds of event apart, however many there are; so do places in the code.
    let outcome = |w: &[u8]| !w.iter().any(u8::is_ascii_alphabetic) || w.contains(&b'#');
    if run.iter().filter(|h| class(h) == Some(Class::Word)).filter_map(word).any(outcome) {
        return false;
    }
    if run.iter().any(|h| class(h) == Some(Class::Variable)) {
        return true;
    }
    let before = first.place.checked_sub(1).and_then(|i| line.tokens.get(i));
    let mark = before.map_or(b' ', |t| sub(&line.text, t.from, t.to).first().copied().unwrap_or(b' '));
    let is_first =
        !line.tokens.iter().take(first.place).any(|t| matches!(t.class, Class::Word | Class::Numbered));
    let needed = match mark {
        b'=' | b'[' | b'(' | b'"' | b'\'' | b'<' => ANNOUNCED_MIN,
        _ if is_first => FIRST_MIN,
        _ => WORDS_MIN,
    };
    let named =
        !is_first && named(line, first.place).and_then(|n| pool.get(&n)).is_some_and(|n| *n >= POOL_MIN);
    run.len() >= if named { NAMED_MIN.min(needed) } else { needed }
}

/// The word right before a place (`user=`, `user `): it names what stands there.
fn named(line: &Line, place: usize) -> Option<u64> {
    let before = line.tokens.get(place.checked_sub(2)?)?;
    let mark = line.tokens.get(place - 1)?;
    (before.class == Class::Word && mark.class == Class::Mark).then_some(before.hash)
}

/// How many different words stand behind each name, over all lines that differ behind it.
fn pool(groups: &[Line], runs: &[&[Hole]]) -> BTreeMap<u64, usize> {
    let mut words: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for run in runs {
        let Some(line) = run.first().and_then(|h| groups.get(h.line).map(|l| (l, h.place))) else { continue };
        let Some(name) = named(line.0, line.1) else { continue };
        let hashes = run.iter().filter_map(|h| groups.get(h.line)?.tokens.get(h.place)).map(|t| t.hash);
        words.entry(name).or_default().extend(hashes);
    }
    let count = |mut all: Vec<u64>| {
        all.sort_unstable();
        all.dedup();
        all.len()
    };
    words.into_iter().map(|(name, all)| (name, count(all))).collect()
}

fn spoken(line: &Line, t: &Token) -> bool {
    sub(&line.text, t.from, t.to).iter().any(|b| b.is_ascii_alphabetic() || !b.is_ascii())
}

/// Makes one line of several that differ in one place.
fn unite(groups: &mut [Line], to: &mut [usize], members: &[Hole], used: &mut [bool]) {
    let smallest = members.iter().min_by_key(|h| groups.get(h.line).map(|g| g.text.clone()));
    let Some(keep) = smallest.copied() else { return };
    for h in members {
        if let Some(flag) = used.get_mut(h.line) {
            *flag = true;
        }
        if h.line != keep.line
            && let Some(target) = to.get_mut(h.line)
        {
            *target = keep.line;
        }
    }
    let rest: Vec<Line> = members
        .iter()
        .filter(|h| h.line != keep.line)
        .filter_map(|h| groups.get(h.line).map(|g| Line { text: g.text.clone(), tokens: g.tokens.clone() }))
        .collect();
    let Some(group) = groups.get_mut(keep.line) else { return };
    for line in &rest {
        join(group, line);
    }
    if let Some(token) = group.tokens.get_mut(keep.place) {
        token.class = Class::Variable;
        token.hash = mix(7);
    }
}
