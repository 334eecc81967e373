//! `cargo bench --bench metrics`: how well and how fast series are judged, on labelled public series.
//!
//! The series are not part of the project: `../shared/data/metrics`, or the folder in `TANTEI_METRICS`. Everything is
//! computed in the same run, ours and the simple methods it is compared with. `tests/it/metrics.rs` keeps the figures.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench is run by a person, prints a table and fails loudly"
)]

mod data;
mod nab;
mod peers;

use std::path::{Path, PathBuf};

use data::{Case, File, Points, Protocol, Random};
use tantei::clock::Stopwatch;
use tantei_engine::analysis::{online, window};
use tantei_engine::model::time::{TimeSpan, Timestamp};

/// Seeds of the quiet times: what is said does not hang on one draw.
const SEEDS: [u64; 3] = [1, 2, 3];

const HOUR_S: i64 = 3_600;

/// All are reported, because the answer depends on the proportions. The first is the primary one: three days are what
/// an investigation asks for, and no simple method reaches 1 there, which nothing could be above.
const PROTOCOLS: [Protocol; 4] = [
    Protocol { name: "label after 3 days (primary)", window_s: 0, baseline_s: 72 * HOUR_S },
    Protocol { name: "label after 7 days", window_s: 0, baseline_s: 168 * HOUR_S },
    Protocol { name: "label after everything", window_s: 0, baseline_s: 0 },
    Protocol { name: "3 h after 3 days", window_s: 3 * HOUR_S, baseline_s: 72 * HOUR_S },
];

fn main() {
    let folder = std::env::var("TANTEI_METRICS").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("shared/data/metrics"),
        PathBuf::from,
    );
    if folder.join("windows.json").is_file() {
        let files = data::read(&folder);
        in_window(&files);
        continuous(&files);
    } else {
        eprintln!("NOT TESTED: `{}` is absent; only speed is measured", folder.display());
    }
    speed();
}

fn folders(files: &[File]) -> Vec<&str> {
    let mut names: Vec<&str> = files.iter().map(|f| f.folder.as_str()).collect();
    names.dedup();
    names
}

fn in_window(files: &[File]) {
    let ours = |c: &Case| window::in_window(&c.baseline, &c.window, c.span).score;
    for protocol in PROTOCOLS {
        let cases: Vec<Case> = SEEDS.iter().flat_map(|s| data::cases(files, protocol, *s)).collect();
        println!(
            "\nIn-window, {}: AUROC of labelled windows against quiet times, {} seeds",
            protocol.name,
            SEEDS.len()
        );
        let labelled: Vec<&str> = folders(files)
            .into_iter()
            .filter(|f| cases.iter().any(|c| c.folder == *f && c.labelled))
            .collect();
        for folder in folders(files).iter().filter(|f| !labelled.contains(f)) {
            println!("  {folder}: no labelled window, cannot be scored");
        }
        let cell = |f: &&str| format!("{:>22}", f);
        println!("  {:<14}{} {:>8}", "", labelled.iter().map(cell).collect::<String>(), "mean");
        let rows: Vec<(&str, Vec<f64>)> = peers::IN_WINDOW
            .iter()
            .map(|(name, f)| (*name, row(&cases, &labelled, &|c| f(&c.baseline, &c.window))))
            .chain([("ours", row(&cases, &labelled, &ours))])
            .collect();
        for (name, scores) in &rows {
            println!("  {name:<14}{}", scores.iter().map(|s| format!("{s:>22.3}")).collect::<String>());
        }
        let (own, others) = rows.split_last().unwrap();
        let best = |k: usize| others.iter().map(|(_, s)| s[k]).fold(0.0, f64::max);
        let above = (0..labelled.len()).filter(|k| own.1[*k] > best(*k)).count();
        let mean = own.1[labelled.len()] - best(labelled.len());
        println!("  ours is best on {above} of {} folders; on the mean by {mean:+.3}", labelled.len());
        let scaled = |c: &Case| {
            let by =
                |p: &Points| p.iter().map(|(t, v)| (t.plus_secs(98_765), v * 1_000.0)).collect::<Points>();
            let span = TimeSpan::new(c.span.start.plus_secs(98_765), c.span.end.plus_secs(98_765));
            window::in_window(&by(&c.baseline), &by(&c.window), span).score
        };
        let off = cases.iter().map(|c| (scaled(c) - ours(c)).abs()).fold(0.0, f64::max);
        println!(
            "  largest change of a score when values are multiplied by 1,000 and times shifted: {off:.1e}"
        );
    }
}

/// AUROC of each folder, and their mean.
fn row(cases: &[Case], folders: &[&str], score: &dyn Fn(&Case) -> f64) -> Vec<f64> {
    let mut scores: Vec<f64> = folders
        .iter()
        .map(|f| {
            let of: Vec<(f64, bool)> =
                cases.iter().filter(|c| c.folder == *f).map(|c| (score(c), c.labelled)).collect();
            data::auroc(&of).unwrap_or_default()
        })
        .collect();
    scores.push(scores.iter().sum::<f64>() / peers::real(scores.len()));
    scores
}

fn continuous(files: &[File]) {
    println!(
        "\nContinuous: NAB's score, standard profile, one optimised threshold, 15 % probation; {} series",
        files.len()
    );
    println!(
        "  the threshold and the score of the whole, then each folder at that threshold (a folder without windows: its cost)"
    );
    let ours = |p: &Points| online::score(p).iter().map(|s| s.score).collect::<Vec<f64>>();
    nab_row(files, "ours", &ours);
    for (name, f) in peers::CONTINUOUS {
        nab_row(files, name, &|p| f(p));
        nab_row(files, &format!("{name}, held off"), &|p| peers::held_off(&f(p)));
    }
    let scaled = |p: &Points| ours(&p.iter().map(|(t, v)| (t.plus_secs(98_765), v * 1_000.0)).collect());
    nab_row(files, "ours, values x 1,000, times shifted", &scaled);
    println!("  ours at the threshold that is best on the other folders:");
    let judged: Vec<nab::Judged> = files.iter().map(|f| nab::judge(f, &ours(&f.points))).collect();
    for left_out in folders(files) {
        let (of, others): (Vec<_>, Vec<_>) =
            files.iter().zip(&judged).partition(|(f, _)| f.folder == left_out);
        let others: Vec<&nab::Judged> = others.into_iter().map(|(_, j)| j).collect();
        let of: Vec<&nab::Judged> = of.into_iter().map(|(_, j)| j).collect();
        let (threshold, _) = nab::optimise(&others);
        println!("    {left_out:<24} {:>7.2} at {threshold:.3}", nab::normalised(&of, threshold));
    }
}

fn nab_row(files: &[File], name: &str, score: &dyn Fn(&Points) -> Vec<f64>) {
    let judged: Vec<nab::Judged> = files.iter().map(|f| nab::judge(f, &score(&f.points))).collect();
    let (threshold, total) = nab::optimise(&judged.iter().collect::<Vec<_>>());
    let each: String = folders(files)
        .iter()
        .map(|folder| {
            let of: Vec<&nab::Judged> =
                files.iter().zip(&judged).filter(|(f, _)| f.folder == *folder).map(|(_, j)| j).collect();
            format!("{:>8.1}", nab::normalised(&of, threshold))
        })
        .collect();
    println!("  {name:<38} {total:>6.2} at {threshold:<9.3} {each}");
}

fn speed() {
    const SERIES: usize = 10_000;
    const POINTS: u32 = 1_440;
    let mut random = Random(7);
    let series: Vec<Points> = (0..100)
        .map(|_| {
            let value = |i: u32, r: &mut Random| 50.0 + 20.0 * (f64::from(i) / 229.2).sin() + r.unit();
            (0..POINTS).map(|i| (Timestamp::from_secs(i64::from(i) * 60), value(i, &mut random))).collect()
        })
        .collect();
    let watch = Stopwatch::start();
    let mut sum = 0.0;
    for p in series.iter().cycle().take(SERIES) {
        let (before, after) = p.split_at(p.len() - 120);
        let span = TimeSpan::new(after[0].0, after[after.len() - 1].0.plus_secs(60));
        sum += window::in_window(before, after, span).score;
    }
    println!(
        "\nSpeed, one core: in-window {SERIES} series x {POINTS} points in {:.2} s",
        watch.elapsed().as_secs_f64()
    );
    let watch = Stopwatch::start();
    for p in series.iter().cycle().take(SERIES) {
        sum += online::score(p).last().map_or(0.0, |s| s.score);
    }
    println!(
        "  online {SERIES} series x {POINTS} points in {:.2} s (checksum {sum:.3})",
        watch.elapsed().as_secs_f64()
    );
}
