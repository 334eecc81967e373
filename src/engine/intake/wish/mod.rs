//! What somebody says in free words → which known alarm or resource they mean, and when it began. English and Japanese.
//!
//! The words are only compared with what is known already; nothing of them becomes a name, a query or an address. What is
//! said of several is answered with all of them, never with a guess.

pub mod time;

use std::collections::{BTreeMap, BTreeSet};

/// Text that is looked at; people say less.
pub const TEXT_BYTES_MAX: usize = 2_048;

/// Shortest part of a name that means it: shorter ones are parts of everything.
const PART_CHARS_MIN: usize = 3;

/// Candidates that are listed.
pub const CANDIDATES_MAX: usize = 20;

/// Parts of names that people also say when they mean nothing by it.
const COMMON: [&str; 34] = [
    "alarm",
    "alarms",
    "alert",
    "and",
    "are",
    "cpu",
    "error",
    "errors",
    "fail",
    "failed",
    "failing",
    "for",
    "from",
    "has",
    "high",
    "latency",
    "low",
    "our",
    "prod",
    "production",
    "service",
    "since",
    "slow",
    "test",
    "the",
    "too",
    "traffic",
    "was",
    "web",
    "with",
    "app",
    "api",
    "load",
    "new",
];

/// Something that is known by a name: an alarm, with the resource that it watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'a> {
    /// The alarm's name.
    pub alarm: &'a str,
    /// Its resource.
    pub resource: &'a str,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// One thing is meant: these of the known ones are about it (one alarm, or the alarms of one resource).
    Meant(Vec<usize>),
    /// It may be any of these; at most [`CANDIDATES_MAX`] are listed.
    Several(Vec<String>),
    /// Nothing known is named.
    Nothing,
}

/// What of the known is named in the text: whole names first, the longer before those within it; else what shares most parts
/// with it.
#[must_use]
pub fn find(text: &str, known: &[Named<'_>]) -> Found {
    let text = time::plain(text);
    let mut names: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (index, named) in known.iter().enumerate() {
        for name in [named.alarm, named.resource].into_iter().filter(|n| !n.is_empty()) {
            names.entry(time::plain(name)).or_default().insert(index);
        }
    }
    let whole: Vec<&String> = names.keys().filter(|name| says(&text, name)).collect();
    let longest = whole.iter().filter(|name| {
        // A name within a longer one that is said is not said itself, unless it stands elsewhere, too.
        let longer = whole.iter().filter(|other| other.len() > name.len() && other.contains(name.as_str()));
        let rest = longer.fold(text.clone(), |rest, other| rest.replace(other.as_str(), "\n"));
        says(&rest, name)
    });
    let said: Vec<&String> = longest.copied().collect();
    if !said.is_empty() {
        return of_names(&said, &names, known);
    }
    let words: BTreeSet<String> = parts(&text).filter(|w| !COMMON.contains(&w.as_str())).collect();
    let shared = |name: &String| parts(name).collect::<BTreeSet<_>>().intersection(&words).count();
    let most = names.keys().map(shared).max().unwrap_or(0);
    if most == 0 {
        return Found::Nothing;
    }
    let best: Vec<&String> = names.keys().filter(|n| shared(n) == most).collect();
    of_names(&best, &names, known)
}

/// One name is meant, or several that are all about one resource.
fn of_names(said: &[&String], names: &BTreeMap<String, BTreeSet<usize>>, known: &[Named<'_>]) -> Found {
    let of = |name: &String| names.get(name).cloned().unwrap_or_default();
    let about: BTreeSet<usize> = said.iter().flat_map(|name| of(name)).collect();
    let resources: BTreeSet<&str> = about.iter().filter_map(|i| known.get(*i)).map(|n| n.resource).collect();
    if let [one] = said
        && (resources.len() == 1 || of(one).len() == 1)
    {
        return Found::Meant(about.into_iter().collect());
    }
    // An alarm and its own resource are said together: the alarm is the more precise of the two.
    let both = said.iter().map(|name| of(name)).reduce(|a, b| a.intersection(&b).copied().collect());
    if let Some(both) = both.filter(|both| both.len() == 1) {
        return Found::Meant(both.into_iter().collect());
    }
    if resources.len() == 1 {
        return Found::Meant(about.into_iter().collect());
    }
    let candidates: BTreeSet<&str> = about.iter().filter_map(|i| known.get(*i)).map(|n| n.alarm).collect();
    Found::Several(candidates.into_iter().take(CANDIDATES_MAX).map(str::to_owned).collect())
}

/// Whether a name stands in the text by itself, not as a part of a longer word.
fn says(text: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at.saturating_add(name.len())..).and_then(|t| t.chars().next());
        let ends = |edge: Option<char>, own: Option<char>| {
            !edge.is_some_and(is_word) || !own.is_some_and(|c| c.is_ascii())
        };
        ends(before, name.chars().next()) && ends(after, name.chars().next_back())
    })
}

/// The words of a text or a name: letters and digits in a row, of one kind of script.
fn parts(text: &str) -> impl Iterator<Item = String> + '_ {
    let cut = text.split(|c: char| !c.is_alphanumeric());
    let by_script = cut.flat_map(|word| {
        let mut runs: Vec<String> = Vec::new();
        let mut ascii = None;
        for c in word.chars() {
            if ascii != Some(c.is_ascii()) {
                ascii = Some(c.is_ascii());
                runs.push(String::new());
            }
            if let Some(run) = runs.last_mut() {
                run.push(c);
            }
        }
        runs
    });
    by_script.filter(|w| w.is_ascii() && w.chars().count() >= PART_CHARS_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Named<'static>; 6] = [
        Named { alarm: "orders-p99", resource: "orders" },
        Named { alarm: "orders-5xx", resource: "orders" },
        Named { alarm: "orders-db-connections", resource: "orders-db" },
        Named { alarm: "payments: high latency", resource: "payments" },
        Named { alarm: "checkout-queue-age", resource: "checkout-queue" },
        Named { alarm: "注文サービス遅延", resource: "shop-alb" },
    ];

    fn meant(indices: &[usize]) -> Found {
        Found::Meant(indices.to_vec())
    }

    #[test]
    fn what_is_named_is_found_in_either_language() {
        for (text, found) in [
            ("orders is slow since 03:10 JST", meant(&[0, 1])),
            ("ordersが午前3時10分頃から遅い", meant(&[0, 1])),
            ("Orders-DB refuses connections", meant(&[2])),
            ("orders-p99 fired on orders", meant(&[0])),
            ("payments: high latency again", meant(&[3])),
            ("注文サービス遅延が鳴っている", meant(&[5])),
            ("the checkout is stuck", meant(&[4])),
            ("ｏｒｄｅｒｓ が遅い", meant(&[0, 1])),
            ("everything is slow", Found::Nothing),
            ("reorders are slow", Found::Nothing),
            ("", Found::Nothing),
        ] {
            assert_eq!(find(text, &KNOWN), found, "{text}");
        }
    }

    #[test]
    fn what_may_be_several_is_told_and_not_guessed() {
        let Found::Several(names) = find("orders and payments are slow", &KNOWN) else { panic!("a guess") };
        assert_eq!(names, ["orders-5xx", "orders-p99", "payments: high latency"]);
        let known = [
            Named { alarm: "shop-front-slow", resource: "shop-front" },
            Named { alarm: "shop-back-slow", resource: "shop-back" },
        ];
        assert!(matches!(find("the shop is slow", &known), Found::Several(names) if names.len() == 2));
        assert_eq!(find("the shop's front is slow", &known), meant(&[0]));
    }

    #[test]
    fn what_looks_like_a_command_is_only_compared() {
        for text in ["$(reboot)", "'; DROP TABLE delivery; --", "http://169.254.169.254/latest", "*", "\0"] {
            assert_eq!(find(text, &KNOWN), Found::Nothing, "{text}");
        }
    }
}
