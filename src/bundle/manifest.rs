//! `incident.json`: what fired, when, and what to compare with. The one file that a bundle cannot do without.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tantei_engine::model::alarm::{Alarm, Direction};
use tantei_engine::model::resource::ResourceId;
use tantei_engine::model::text::{Untrusted, plain};
use tantei_engine::model::time::{TimeSpan, Timestamp};

/// The only format that is known.
pub(super) const FORMAT: &str = "incident-bundle/1";

/// Largest manifest that is read: a real one is under a kilobyte.
const MANIFEST_BYTES_MAX: u64 = 1 << 20;

/// Healthy spans of one incident: two months of days.
const BASELINES_MAX: usize = 64;

/// A bundle that can be replayed.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Its folder.
    pub folder: PathBuf,
    /// Identifier of the incident.
    pub id: String,
    /// Where the data came from, in its own words.
    pub origin: Untrusted,
    /// What fired.
    pub alarm: Alarm,
}

#[derive(Deserialize)]
struct Raw {
    format: String,
    id: String,
    title: String,
    trigger: RawTrigger,
    window: RawSpan,
    #[serde(default)]
    baseline: Vec<RawSpan>,
    #[serde(default)]
    source: Option<RawSource>,
}

#[derive(Deserialize)]
struct RawTrigger {
    kind: String,
    resource: String,
    metric: String,
    stat: String,
    direction: Direction,
    at: Timestamp,
}

#[derive(Deserialize)]
struct RawSpan {
    start: Timestamp,
    end: Timestamp,
}

#[derive(Deserialize)]
struct RawSource {
    name: String,
}

/// Reads the manifest of the bundle in `folder`.
///
/// # Errors
/// When the folder or file is missing, is no JSON, lacks a field, or its times contradict each other. The error names
/// the file, the line, the field and what to do.
pub fn read(folder: &Path) -> Result<Manifest> {
    if !folder.is_dir() {
        bail!("`{}` is not a folder: --bundle takes the folder that holds incident.json", folder.display());
    }
    let path = folder.join("incident.json");
    if !path.is_file() {
        bail!("`{}` is no file: a bundle is a folder with an incident.json", path.display());
    }
    let text = read_bounded(&path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let raw = parse(&text).with_context(|| format!("`{}` is no incident manifest", path.display()))?;
    resolve(raw, folder).with_context(|| format!("`{}` contradicts itself", path.display()))
}

fn read_bounded(path: &Path) -> Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(MANIFEST_BYTES_MAX + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > MANIFEST_BYTES_MAX {
        bail!("it is longer than {MANIFEST_BYTES_MAX} bytes, which no manifest is");
    }
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn parse(text: &str) -> Result<Raw> {
    let mut json = serde_json::Deserializer::from_str(text);
    let raw: Raw = serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let (path, inner) = (e.path().to_string(), e.into_inner());
        anyhow::anyhow!(
            "line {}, field `{path}`: {inner}; compare with the bundle format in README.md",
            inner.line()
        )
    })?;
    json.end().context("there is something after the JSON object")?;
    Ok(raw)
}

fn resolve(raw: Raw, folder: &Path) -> Result<Manifest> {
    if raw.format != FORMAT {
        bail!("field `format` is `{}`: this version reads `{FORMAT}`", plain(&raw.format));
    }
    if raw.window.end <= raw.window.start {
        bail!("field `window`: it ends at {} before it starts at {}", raw.window.end, raw.window.start);
    }
    if raw.trigger.at < raw.window.start || raw.trigger.at > raw.window.end {
        bail!(
            "field `trigger.at`: {} lies outside the window {} to {}",
            raw.trigger.at,
            raw.window.start,
            raw.window.end
        );
    }
    if let Some(span) = raw.baseline.iter().find(|s| s.end <= s.start) {
        bail!("field `baseline`: a span ends at {} before it starts at {}", span.end, span.start);
    }
    if raw.baseline.len() > BASELINES_MAX {
        bail!("field `baseline` has {} spans: at most {BASELINES_MAX} are used", raw.baseline.len());
    }
    if raw.trigger.resource.is_empty() {
        bail!("field `trigger.resource` is empty: name the resource that the alarm watches");
    }
    let span = |s: RawSpan| TimeSpan::new(s.start, s.end);
    Ok(Manifest {
        folder: folder.to_owned(),
        id: plain(&raw.id),
        origin: Untrusted::new(raw.source.as_ref().map_or("", |s| s.name.as_str())),
        alarm: Alarm {
            kind: plain(&raw.trigger.kind),
            title: Untrusted::new(&raw.title),
            resource: ResourceId::new(raw.trigger.resource),
            metric: raw.trigger.metric,
            stat: raw.trigger.stat,
            direction: raw.trigger.direction,
            at: raw.trigger.at,
            window: span(raw.window),
            baseline: raw.baseline.into_iter().map(span).collect(),
        },
    })
}
