//! `cargo bench --bench pipeline`: how time and memory grow with the size of the system under investigation.
//!
//! Generated incidents with 100, 1,000 and 10,000 resources, always the same: a layered call graph, one root that becomes
//! slow, its callers with it, everything else noisy. Each stage is timed alone in this process (the best of three);
//! end to end is the command itself, with the most memory it ever held. `-- --readme` also puts the table into README.md.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench is run by a person, prints a table and fails loudly"
)]

mod incident;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use incident::Incident;
use tantei::clock::Stopwatch;
use tantei_engine::analysis::logs::{Form, Miner};
use tantei_engine::analysis::metrics::MetricDigest;
use tantei_engine::analysis::ranking::{Evidence, rank};
use tantei_engine::limits::Limits;
use tantei_engine::model::id::{ItemId, ItemKind};

const SIZES: [u32; 3] = [100, 1_000, 10_000];

/// The best of so many runs: noise of the machine only ever adds.
const RUNS: usize = 3;

/// What one size costs.
struct Cost {
    resources: u32,
    deviation_s: f64,
    ranking_s: f64,
    miner_s: f64,
    whole_s: f64,
    peak_kib: u64,
}

fn main() {
    let costs: Vec<Cost> = SIZES.iter().map(|n| cost(&Incident::new(*n))).collect();
    let table = table(&costs);
    print!("{table}");
    if std::env::args().any(|a| a == "--readme") {
        readme(&table);
    }
}

fn best(mut run: impl FnMut() -> f64) -> f64 {
    (0..RUNS).map(|_| run()).fold(f64::INFINITY, f64::min)
}

fn cost(incident: &Incident) -> Cost {
    // All deviations are kept, so that the ranking has as much to rank as there is.
    let limits = Limits { metric_observations_max: usize::MAX, ..Limits::default() };
    let scope = incident.scope();
    let mut observations = Vec::new();
    let deviation_s = best(|| {
        let watch = Stopwatch::start();
        let mut digest = MetricDigest::new(&scope);
        incident.series().for_each(|s| digest.push(s));
        observations = digest.finish(&limits).observations;
        watch.elapsed().as_secs_f64()
    });
    let ranking_s = best(|| {
        let numbered = (1..).map(|n| ItemId::new(ItemKind::Observation, n));
        let evidence = Evidence {
            scope: &scope,
            observations: numbered.zip(&observations).collect(),
            no_baseline: false,
            target_seen: true,
        };
        let watch = Stopwatch::start();
        let ranking = rank(&evidence);
        let elapsed = watch.elapsed().as_secs_f64();
        assert_eq!(ranking.candidates[0].resource, incident.root(), "the root is ranked first");
        elapsed
    });
    let miner_s = best(|| {
        let watch = Stopwatch::start();
        let mut miner = Miner::new(Form::Raw);
        for line in incident.lines() {
            miner.push_event(&line);
        }
        assert!(!miner.patterns().patterns.is_empty());
        watch.elapsed().as_secs_f64()
    });
    let folder = tempfile::tempdir().unwrap();
    incident.write(folder.path());
    let mut peak_kib = 0;
    let whole_s = best(|| {
        let (seconds, peak) = investigate(folder.path());
        peak_kib = peak_kib.max(peak);
        seconds
    });
    Cost { resources: incident.size(), deviation_s, ranking_s, miner_s, whole_s, peak_kib }
}

/// Runs the command on a bundle: seconds, and the most KiB that it held.
fn investigate(bundle: &Path) -> (f64, u64) {
    let watch = Stopwatch::start();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tantei"))
        .args(["investigate", "--json", "--bundle", bundle.to_str().unwrap()])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = 0;
    // The kernel keeps the high-water mark as long as the process lives.
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let mark = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        peak = peak.max(mark.and_then(|m| m.split_whitespace().next()?.parse().ok()).unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert!(child.wait().unwrap().success());
    (watch.elapsed().as_secs_f64(), peak)
}

fn table(costs: &[Cost]) -> String {
    let mut out = String::new();
    out.push_str(
        "| resources | deviation | ranking | miner | end to end | peak memory |\n|---|---|---|---|---|---|\n",
    );
    let mut last: Option<&Cost> = None;
    for cost in costs {
        // Time per resource against that of the size before: 1.0 is linear.
        let growth = |f: fn(&Cost) -> f64| {
            let ratio = last.map(|l| f(cost) / f(l) * f64::from(l.resources) / f64::from(cost.resources));
            ratio.map_or_else(String::new, |r| format!(" ({r:.2}×)"))
        };
        let ms = |f: fn(&Cost) -> f64| format!("{:.1} ms{}", f(cost) * 1_000.0, growth(f));
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} MiB |",
            cost.resources,
            ms(|c| c.deviation_s),
            ms(|c| c.ranking_s),
            ms(|c| c.miner_s),
            ms(|c| c.whole_s),
            cost.peak_kib / 1_024
        )
        .unwrap();
        last = Some(cost);
    }
    out
}

/// Puts the table between its two marks.
fn readme(table: &str) {
    const BEGIN: &str = "<!-- made by: cargo bench --bench pipeline -- --readme -->\n";
    const END: &str = "<!-- end -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    std::fs::write(path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
}
