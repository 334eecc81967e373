//! Reads playbooks: the shipped ones, embedded, or a folder of the user's. Refuses what YAML can do and playbooks
//! need not: anchors, aliases, tags, more than one document, more than 64 KiB.

use std::path::Path;

use anyhow::{Context, Result, bail};
use rust_embed::RustEmbed;
use tantei_engine::limits::PLAYBOOK_BYTES_MAX;
use tantei_engine::model::feed::canonical_digest;
use tantei_engine::playbook::catalogue::{Catalogue, check};
use tantei_engine::playbook::matching::Library;
use tantei_engine::playbook::schema::Playbook;

#[derive(RustEmbed)]
#[folder = "playbooks"]
#[include = "*.yaml"]
#[include = "catalogue.json"]
struct Shipped;

/// A file that is no playbook, and everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// What is wrong, as sentences.
    pub what: Vec<String>,
}

/// What a folder of playbooks came to.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Good playbooks.
    pub library: Library,
    /// Bad files.
    pub problems: Vec<Problem>,
}

/// The catalogue of Automation documents that playbooks may name.
///
/// # Errors
/// When the embedded file is broken, which the tests rule out.
pub fn catalogue() -> Result<Catalogue> {
    let file = Shipped::get("catalogue.json").context("the runbook catalogue is not embedded")?;
    serde_json::from_slice(&file.data).context("the embedded runbook catalogue is broken")
}

/// The shipped playbooks.
///
/// # Errors
/// When one of them is broken, which the tests rule out.
pub fn shipped() -> Result<Library> {
    let catalogue = catalogue()?;
    let mut loaded = Loaded::default();
    for name in Shipped::iter().filter(|n| n.ends_with(".yaml")) {
        let file = Shipped::get(&name).with_context(|| format!("`{name}` is not embedded"))?;
        loaded.take(&name, &file.data, &catalogue);
    }
    if let Some(problem) = loaded.problems.first() {
        bail!("shipped playbook `{}`: {}", problem.file, problem.what.join("; "));
    }
    Ok(loaded.library)
}

/// All `*.yaml` and `*.yml` files of a folder, in order of their names.
///
/// # Errors
/// When the folder cannot be read. Bad files are problems, not errors.
pub fn folder(path: &Path) -> Result<Loaded> {
    let catalogue = catalogue()?;
    let entries =
        std::fs::read_dir(path).with_context(|| format!("`{}` is no folder of playbooks", path.display()))?;
    let mut files: Vec<_> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "yaml" || e == "yml"));
    files.sort();
    let mut loaded = Loaded::default();
    for file in files {
        let name = file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        match read_bounded(&file) {
            Ok(data) => loaded.take(&name, &data, &catalogue),
            Err(e) => {
                loaded.problems.push(Problem { file: name, what: vec![format!("cannot be read: {e}")] })
            }
        }
    }
    Ok(loaded)
}

/// The playbooks in force: those of a folder, or the shipped ones.
///
/// # Errors
/// When one of them cannot be used: a playbook that is silently missing is worse than none.
pub fn in_force(own: Option<&Path>) -> Result<Library> {
    let Some(path) = own else { return shipped() };
    let loaded = folder(path)?;
    if let Some(problem) = loaded.problems.first() {
        let more = match loaded.problems.len() - 1 {
            0 => String::new(),
            n => format!("; and {n} more bad files: see `tantei playbooks check`"),
        };
        bail!("playbook `{}`: {}{more}", problem.file, problem.what.join("; "));
    }
    Ok(loaded.library)
}

/// Digest of the playbooks in force.
#[must_use]
pub fn digest(library: &Library) -> String {
    canonical_digest(library)
}

/// Reads one byte more than allowed at most, so that a huge file costs nothing.
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut data = Vec::new();
    let limit = u64::try_from(PLAYBOOK_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path)?.take(limit).read_to_end(&mut data)?;
    Ok(data)
}

impl Loaded {
    fn take(&mut self, name: &str, data: &[u8], catalogue: &Catalogue) {
        let problem = |what| Problem { file: name.to_owned(), what };
        match parse(data) {
            Ok(playbook) => {
                let mut what = check(&playbook, catalogue);
                let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
                if playbook.playbook != stem {
                    what.push(format!("`playbook: {}`: the file's name says `{stem}`", playbook.playbook));
                }
                if self.library.contains_key(&playbook.playbook) {
                    what.push(format!("`playbook: {}`: another file has it already", playbook.playbook));
                }
                if what.is_empty() {
                    self.library.insert(playbook.playbook.clone(), playbook);
                } else {
                    self.problems.push(problem(what));
                }
            }
            Err(what) => self.problems.push(problem(vec![what])),
        }
    }
}

/// Parses one playbook.
///
/// # Errors
/// A sentence with line and column.
pub fn parse(data: &[u8]) -> Result<Playbook, String> {
    if data.len() > PLAYBOOK_BYTES_MAX {
        return Err(format!("larger than {PLAYBOOK_BYTES_MAX} bytes: split it"));
    }
    let text =
        std::str::from_utf8(data).map_err(|e| format!("not UTF-8 from byte {} on", e.valid_up_to()))?;
    serde_saphyr::from_str_with_options(text, options()).map_err(|e| one_line(&e.to_string()))
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        // Anchors and aliases make small files huge, and no playbook needs them.
        budget: serde_saphyr::budget! { max_anchors: 0, max_aliases: 0, max_merge_keys: 0, max_documents: 1, max_depth: 32 },
    }
}

fn one_line(text: &str) -> String {
    tantei_engine::model::text::plain(text)
}
