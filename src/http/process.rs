//! The process in its own metrics, by the names that Prometheus gives them everywhere. Linux only; elsewhere they are absent.

use std::path::Path;

/// Ticks of `/proc/self/stat` in a second: the same on every Linux.
const TICKS_PER_S: f64 = 100.0;

/// Sets what the kernel says of this process.
pub(super) fn measure() {
    if let Some(kilobytes) = resident_kb() {
        metrics::gauge!("process_resident_memory_bytes").set(kilobytes * 1_024.0);
    }
    if let Ok(entries) = std::fs::read_dir("/proc/self/fd") {
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 open files")]
        metrics::gauge!("process_open_fds").set(entries.count() as f64);
    }
    if let Some(seconds) = cpu_s() {
        // A counter by nature, but the kernel keeps it.
        metrics::gauge!("process_cpu_seconds_total").set(seconds);
    }
}

fn resident_kb() -> Option<f64> {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn cpu_s() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may hold anything, a bracket too.
    let (_, rest) = stat.rsplit_once(')')?;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Some(ticks.collect::<Result<Vec<f64>, _>>().ok()?.iter().sum::<f64>() / TICKS_PER_S)
}
