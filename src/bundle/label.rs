//! `label.json`: what the cause really was. Only evaluation calls this; an investigation never does.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// The truth about a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The resource at fault.
    pub resource: String,
    /// The kind of fault, where it was noted.
    pub kind: Option<String>,
}

#[derive(Deserialize)]
struct Raw {
    root_cause: RawCause,
}

#[derive(Deserialize)]
struct RawCause {
    resource: String,
    #[serde(default)]
    kind: Option<String>,
}

/// Reads the label; `None` when the bundle has none.
///
/// # Errors
/// When the file is there but is no label.
pub fn read(folder: &Path) -> Result<Option<Label>> {
    let path = folder.join("label.json");
    if !path.is_file() {
        return Ok(None);
    }
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let raw: Raw =
        serde_json::from_str(&text).with_context(|| format!("`{}` is no label", path.display()))?;
    Ok(Some(Label { resource: raw.root_cause.resource, kind: raw.root_cause.kind }))
}
