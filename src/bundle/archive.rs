//! A bundle as one file, `.tar.zst`: packed, and unpacked without trusting it. Only names that a bundle may have are
//! taken, whatever path stands before them, and no more bytes than a bundle may have.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use tantei_engine::model::text::plain as plain_text;
use tempfile::TempDir;

use super::lines::ZSTD_WINDOW_LOG_MAX;
use super::staging::Staging;

/// The files of a bundle. A label is none of them: what is passed on says nothing about the cause.
const NAMES: [&str; 19] = [
    "incident.json",
    "recording.json",
    "feed.jsonl",
    "alarm-definitions.jsonl",
    "topology.json",
    "metrics.jsonl",
    "metrics.jsonl.zst",
    "logs.jsonl",
    "logs.jsonl.zst",
    "log-tallies.jsonl",
    "log-tallies.jsonl.zst",
    "links.jsonl",
    "links.jsonl.zst",
    "spans.jsonl",
    "spans.jsonl.zst",
    "changes.jsonl",
    "changes.jsonl.zst",
    "alarms.jsonl",
    "alarms.jsonl.zst",
];

/// Bytes of all files of an archive.
const ARCHIVE_BYTES_MAX: u64 = 4 << 30;

/// Entries of an archive, with the folders and headers that other packers add to every file.
const ENTRIES_MAX: usize = 1_000;

/// The files are compressed already: the archive's own compression is a wrapper.
const LEVEL: i32 = 1;

/// Writes the bundle in `folder` as an archive in which everything lies under `name`.
///
/// # Errors
/// When a file cannot be read, or nothing more can be written.
pub fn pack<W: Write>(folder: &Path, name: &str, out: W) -> Result<W> {
    let mut archive = tar::Builder::new(zstd::Encoder::new(out, LEVEL)?);
    for file in NAMES {
        let path = folder.join(file);
        if !path.is_file() {
            continue;
        }
        let content = File::open(&path).with_context(|| format!("`{}`", path.display()))?;
        let mut header = tar::Header::new_gnu();
        header.set_size(content.metadata()?.len());
        header.set_mode(0o600);
        // Nothing of this machine stands in it, its clock and its users neither.
        header.set_mtime(0);
        archive.append_data(&mut header, Path::new(name).join(file), content)?;
    }
    Ok(archive.into_inner()?.finish()?)
}

/// Unpacks an archive into a folder that does not exist yet.
///
/// # Errors
/// When it is no archive of a bundle, or is larger than one may be.
pub fn unpack(archive: impl Read, target: &Path) -> Result<()> {
    let staging = Staging::begin(target)?;
    unpack_into(archive, staging.path())?;
    staging.commit()
}

/// A bundle that can be read: a folder, or an archive that was unpacked for as long as this lives.
#[derive(Debug)]
pub struct Opened {
    folder: PathBuf,
    _unpacked: Option<TempDir>,
}

impl Opened {
    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Opens a bundle: a folder as it is, a `.tar.zst` unpacked.
///
/// # Errors
/// When an archive cannot be unpacked. Whether a folder is a bundle, its reader says.
pub fn open(path: &Path) -> Result<Opened> {
    let packed = path.is_file() && path.to_string_lossy().ends_with(".tar.zst");
    if !packed {
        return Ok(Opened { folder: path.to_owned(), _unpacked: None });
    }
    let wrong = || format!("`{}` cannot be unpacked", path.display());
    let unpacked = tempfile::tempdir().context("no temporary folder can be made")?;
    unpack_into(File::open(path).with_context(wrong)?, unpacked.path()).with_context(wrong)?;
    Ok(Opened { folder: unpacked.path().to_owned(), _unpacked: Some(unpacked) })
}

fn unpack_into(archive: impl Read, folder: &Path) -> Result<()> {
    let mut decoder = zstd::Decoder::new(archive)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    let mut archive = tar::Archive::new(decoder);
    let mut left = ARCHIVE_BYTES_MAX;
    // Raw: a long name or an extended header is otherwise held in memory, and it says itself how long it is. Names of bundles
    // are short, and what a packer adds about owners and times is skipped.
    for (read, entry) in archive.entries().context("it is no archive")?.raw(true).enumerate() {
        let mut entry = entry.context("it breaks off or is no archive")?;
        if read >= ENTRIES_MAX {
            bail!("it holds more than {ENTRIES_MAX} files, which no bundle does");
        }
        let size = entry.size();
        left = left.checked_sub(size).with_context(|| {
            format!("it holds more than {} GB, which no bundle does", ARCHIVE_BYTES_MAX >> 30)
        })?;
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_local_extensions() || kind.is_pax_global_extensions() {
            continue;
        }
        let path = entry.path().context("it holds a name that cannot be read")?.into_owned();
        let name = allowed(&path, kind)?;
        let mut file = File::create_new(folder.join(name))
            .with_context(|| format!("`{name}` comes twice or cannot be written"))?;
        std::io::copy(&mut entry, &mut file).context("it breaks off")?;
        file.sync_all()?;
    }
    if !folder.join("incident.json").is_file() {
        bail!("it holds no incident.json: it is no bundle");
    }
    Ok(())
}

/// The name of a file that a bundle may have, at most one folder deep.
fn allowed(path: &Path, kind: tar::EntryType) -> Result<&'static str> {
    let plain = path.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    let last = path.file_name().and_then(|n| n.to_str());
    let known = NAMES.into_iter().find(|n| Some(*n) == last);
    match known.filter(|_| plain && kind.is_file() && path.components().count() <= 3) {
        Some(name) => Ok(name),
        None => bail!("it holds `{}`, which no bundle does", plain_text(&path.to_string_lossy())),
    }
}
