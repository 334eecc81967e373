//! `recording.json`: what Tantei adds to a bundle that it recorded itself: what each source could not show, so that a
//! replay shows the same gaps. Bundles of other recorders have none.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tantei_engine::model::gap::Gap;
use tantei_engine::model::query::Source;
use tantei_engine::model::time::Timestamp;

/// The file.
pub(super) const FILE: &str = "recording.json";

/// The only form that is known.
pub(super) const FORMAT: &str = "tantei-recording/1";

/// Largest file that is read: gaps are few.
const BYTES_MAX: u64 = 16 << 20;

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The form.
    pub format: String,
    /// Version of Tantei.
    pub tantei: String,
    /// The investigation.
    pub investigation: String,
    /// When its telemetry was read.
    pub recorded_at: Timestamp,
    /// Each source that was read.
    pub sources: BTreeMap<Source, RecordedSource>,
}

/// What was recorded of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedSource {
    /// Records written.
    pub records: u64,
    /// Requests made for them.
    pub requests: u64,
    /// Whether times had to be compared with the alarm's clock: they come from another recording.
    #[serde(default)]
    pub foreign_clock: bool,
    /// What could not be seen.
    #[serde(default)]
    pub gaps: Vec<Gap>,
}

/// Reads it; `None` when the bundle has none.
///
/// # Errors
/// Why it cannot be read.
pub fn read(folder: &Path) -> Result<Option<Recorded>, String> {
    let path = folder.join(FILE);
    if !path.is_file() {
        return Ok(None);
    }
    let mut text = String::new();
    std::fs::File::open(&path)
        .and_then(|f| f.take(BYTES_MAX).read_to_string(&mut text))
        .map_err(|e| format!("cannot be read: {e}"))?;
    let mut json = serde_json::Deserializer::from_str(&text);
    let recorded: Recorded = serde_path_to_error::deserialize(&mut json)
        .map_err(|e| format!("field `{}`: {}", e.path(), e.inner()))?;
    if recorded.format != FORMAT {
        return Err(format!("field `format`: this version reads `{FORMAT}`"));
    }
    Ok(Some(recorded))
}
