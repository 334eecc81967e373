//! A folder that appears at once or not at all: written beside its place, then renamed.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// A folder being written. What is not committed vanishes.
#[derive(Debug)]
pub(super) struct Staging {
    dir: TempDir,
    target: PathBuf,
}

impl Staging {
    /// Begins a folder that will stand at `target`.
    pub(super) fn begin(target: &Path) -> Result<Self> {
        refuse_existing(target)?;
        let parent = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let dir = tempfile::Builder::new()
            .prefix(".tantei-recording-")
            .tempdir_in(parent)
            .with_context(|| format!("nothing can be written in `{}`", parent.display()))?;
        Ok(Self { dir, target: target.to_owned() })
    }

    /// Where it is written.
    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Puts it in its place.
    pub(super) fn commit(self) -> Result<()> {
        refuse_existing(&self.target)?;
        std::fs::rename(self.dir.path(), &self.target)
            .with_context(|| format!("`{}` cannot be made", self.target.display()))?;
        // Renamed: nothing is left to remove.
        drop(self.dir.keep());
        if let Some(parent) = self.target.parent().filter(|p| !p.as_os_str().is_empty()) {
            // The name survives a power cut where the file system can do that; nothing depends on it.
            drop(File::open(parent).and_then(|f| f.sync_all()));
        }
        Ok(())
    }
}

fn refuse_existing(target: &Path) -> Result<()> {
    if target.symlink_metadata().is_ok() {
        bail!("`{}` exists already: name a folder that does not", target.display());
    }
    Ok(())
}
