//! `cargo bench --bench redaction [-- FILE…]`: how fast and how completely text is redacted.
//!
//! Speed over the given files, or over harmless lines made from a seed, on one core; recall of every listed kind and
//! context on samples made from a seed. Machines are noisy: each speed is the best of five.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench is run by a person, prints a table and fails loudly"
)]

#[path = "../../redaction/mod.rs"]
mod redaction;

use std::collections::BTreeMap;

use redaction::random::Random;
use redaction::{CONTEXTS, HARMLESS, PERSONAL, SECRETS, people, sample, shown};
use tantei::clock::Stopwatch;
use tantei_engine::redaction::Redactor;

/// Samples of a kind in a context.
const SEEDS: usize = 50;

fn main() {
    let redactor = Redactor::new(b"bench");
    let files: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    if files.is_empty() {
        speed("harmless lines", &redactor, harmless_lines().as_bytes());
    }
    for file in files {
        speed(&file, &redactor, &std::fs::read(&file).unwrap());
    }
    for (class, kinds) in [("secrets", SECRETS), ("personal data", PERSONAL)] {
        recall(class, kinds, &redactor);
    }
    let (mut all, mut touched) = (0, 0);
    for (kind, seed) in HARMLESS.iter().flat_map(|k| (0..SEEDS * 5).map(move |s| (k, s))) {
        let line = people::harmless(kind, &mut Random::new(&format!("bench/{kind}/{seed}"))).unwrap();
        all += 1;
        touched += usize::from(redactor.text(&line) != line);
    }
    println!("\nharmless: {touched} of {all} touched, {:.2} %", share(touched, all));
}

fn share(part: usize, of: usize) -> f64 {
    100.0 * part as f64 / of.max(1) as f64
}

fn harmless_lines() -> String {
    let mut text = String::new();
    for seed in 0..40_000 {
        let kind = HARMLESS[seed % HARMLESS.len()];
        let line = people::harmless(kind, &mut Random::new(&format!("speed/{seed}"))).unwrap();
        text +=
            &format!("2026-11-24T09:12:03.113Z INFO orders [main] c.e.Orders - {line} status=200 dur=12ms\n");
    }
    text
}

fn speed(name: &str, redactor: &Redactor, text: &[u8]) {
    let mut best = f64::INFINITY;
    let mut spots = 0;
    for _ in 0..5 {
        let watch = Stopwatch::start();
        spots = text.chunks(1 << 20).map(|part| redactor.bytes(part).spots.len()).sum();
        best = best.min(watch.elapsed().as_secs_f64());
    }
    println!(
        "{name}: {:.0} MB/s, {} MB, {spots} values",
        text.len() as f64 / 1e6 / best,
        text.len() / 1_000_000
    );
}

fn recall(class: &str, kinds: &[&str], redactor: &Redactor) {
    println!("\n{class:<24}   gone     of       %");
    let (mut all, mut gone) = (0, 0);
    let mut contexts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for kind in kinds {
        let (mut of_kind, mut gone_of_kind) = (0, 0);
        for (context, seed) in CONTEXTS.iter().flat_map(|c| (0..SEEDS).map(move |s| (c, s))) {
            let mut r = Random::new(&format!("bench/{kind}/{context}/{seed}"));
            let made = sample(kind, &mut r);
            let Some(text) = shown(&made, context, &mut r) else { continue };
            let out = redactor.text(&text.text);
            let is_gone = usize::from(text.gone.iter().all(|g| !out.contains(g.as_str())));
            of_kind += 1;
            gone_of_kind += is_gone;
            let of_context = contexts.entry(context).or_default();
            of_context.0 += 1;
            of_context.1 += is_gone;
        }
        println!("{kind:<24} {gone_of_kind:>6} {of_kind:>6} {:>7.2}", share(gone_of_kind, of_kind));
        all += of_kind;
        gone += gone_of_kind;
    }
    println!("{:<24} {gone:>6} {all:>6} {:>7.2}", "all", share(gone, all));
    for (context, (of_context, gone_of_context)) in contexts {
        println!(
            "  in {context:<19} {gone_of_context:>6} {of_context:>6} {:>7.2}",
            share(gone_of_context, of_context)
        );
    }
}
