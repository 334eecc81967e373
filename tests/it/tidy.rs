//! The rules that a compiler does not check: who may import whom, how long files are, what is never called.
//!
//! Each rule names the invariant of ARCHITECTURE.md that it keeps. The exception lists may only shrink.

use std::path::{Path, PathBuf};

use crate::support::root;

/// Longest file without its tests.
const LINES_MAX: usize = 500;

/// Rust files of the product with their paths from the root.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&root().join("src"), &mut found);
    found.sort();
    assert!(found.len() > 30);
    found
}

fn collect(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            found.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The part of a file before its inline tests, without comments.
fn code(text: &str) -> String {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    product.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_file_says_what_it_is_and_stays_short() {
    for (name, text) in sources() {
        assert!(text.starts_with("//! "), "{name} has no `//!` that says what it is");
        let lines = text.split("#[cfg(test)]").next().unwrap().lines().count();
        assert!(lines <= LINES_MAX, "{name} has {lines} lines: split it");
    }
}

/// Invariant 1: the engine does no I/O, reads no clock, and its order never depends on a hash map.
#[test]
fn the_engine_is_pure() {
    for (name, text) in sources().into_iter().filter(|(n, _)| n.starts_with("src/engine/")) {
        let code = code(&text);
        for word in [
            "std::fs",
            "std::net",
            "std::env",
            "std::process",
            "std::io",
            "std::thread",
            "SystemTime",
            "Instant::now",
            "HashMap",
            "HashSet",
            "tokio",
            "reqwest",
            "aws_sdk",
            "sqlx",
            "println!",
            "eprintln!",
            "Timestamp::now",
            "Zoned::now",
            "rand::",
            "thread_rng",
        ] {
            assert!(!code.contains(word), "{name} uses `{word}`");
        }
    }
    let manifest = std::fs::read_to_string(root().join("src/engine/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split('[').next().unwrap();
    let names: Vec<&str> = dependencies
        .lines()
        .filter_map(|l| l.split(['.', ' ', '=']).next())
        .filter(|n| !n.is_empty())
        .collect();
    assert_eq!(names, ["jiff", "petgraph", "serde", "serde_json", "sha2", "thiserror"]);
}

/// Invariant 2: features of the engine do not import one another; only `investigation` composes them, and what
/// stands above it (the folds `evaluation` and `report`).
#[test]
fn features_do_not_know_one_another() {
    let features =
        ["analysis", "planning", "reasoning", "playbook", "recovery", "intake", "triage", "redaction"];
    for (name, text) in sources().into_iter().filter(|(n, _)| n.starts_with("src/engine/")) {
        let inside = name.trim_start_matches("src/engine/");
        let code = code(&text);
        let own =
            features.iter().find(|f| inside.starts_with(&format!("{f}/")) || inside == format!("{f}.rs"));
        let forbidden: Vec<&str> = if inside.starts_with("model/") || inside == "limits.rs" {
            [&features[..], &["investigation", "evaluation", "report"]].concat()
        } else if let Some(own) = own {
            let others = features.iter().filter(|f| *f != own).copied();
            others.chain(["investigation", "evaluation", "report"]).collect()
        } else {
            Vec::new()
        };
        for feature in forbidden {
            assert!(!code.contains(&format!("crate::{feature}")), "{name} imports `{feature}`");
        }
    }
}

/// Invariant 3: AWS only under `src/aws`, SQL only under `src/store`, and the surfaces import neither.
#[test]
fn the_world_stays_behind_its_ports() {
    for (name, text) in sources() {
        let code = code(&text);
        if !name.starts_with("src/aws/") {
            assert!(!code.contains("aws_sdk_") && !code.contains("aws_config"), "{name} names the AWS SDK");
        }
        if !name.starts_with("src/store/") {
            assert!(!code.contains("sqlx::") && !code.contains("SELECT "), "{name} speaks SQL");
        }
        for surface in ["src/http/", "src/web/", "src/cli/"] {
            if name.starts_with(surface) {
                for lower in ["crate::aws", "crate::store", "crate::driver"] {
                    assert!(!code.contains(lower), "{name} reaches past the ports to `{lower}`");
                }
            }
        }
    }
}

/// Floors of the shell: each file imports only what stands below it.
#[test]
fn floors_are_not_climbed() {
    let floors: [&[&str]; 7] = [
        &["ports", "words", "access", "config", "network", "telemetry"],
        &["clock", "render", "playbooks", "bundle", "aws", "store", "chat", "redacting"],
        &["driver"],
        &["replay", "record", "doctor", "service"],
        &["http", "web"],
        &["app"],
        &["cli"],
    ];
    let floor_of = |module: &str| floors.iter().position(|f| f.contains(&module));
    for (name, text) in sources().into_iter().filter(|(n, _)| !n.starts_with("src/engine/")) {
        let module = name.trim_start_matches("src/").split(['/', '.']).next().unwrap().to_owned();
        let Some(own) = floor_of(&module) else { continue };
        for imported in imports(&code(&text)) {
            let imported = imported.as_str();
            if let Some(other) = floor_of(imported) {
                assert!(other <= own, "{name} (floor {own}) imports `{imported}` (floor {other})");
            }
        }
    }
}

/// The first segments after every `crate::`, braces opened.
fn imports(code: &str) -> Vec<String> {
    let word =
        |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group.split('}').next().unwrap().split(',').map(word)),
            None => found.push(word(rest)),
        }
    }
    found
}

#[test]
fn imports_in_braces_are_seen() {
    let code = "use crate::{driver, ports::Clock}; use crate::words::Lang; x(crate::aws::y)";
    assert_eq!(imports(code), ["driver", "ports", "words", "aws"]);
}

/// Invariant 9: broken data becomes a gap. A `label.json` is opened by the evaluation's reader alone.
#[test]
fn only_the_evaluation_reads_labels() {
    for (name, text) in sources() {
        let mentions = code(&text).contains("label.json");
        // The demo names it to leave it out of the binary, the command line to say that it is not read.
        let allowed = ["bundle/label.rs", "cli/evaluate.rs", "cli/investigate.rs", "cli/demo.rs"]
            .iter()
            .any(|file| name == format!("src/{file}"));
        assert!(!mentions || allowed, "{name} mentions label.json");
        if code(&text).contains("label::read") {
            assert_eq!(name, "src/cli/evaluate.rs");
        }
    }
}

/// Canonical JSON needs maps sorted by key: the feature that keeps the order of insertion must stay off.
#[test]
fn json_maps_are_sorted() {
    let value: serde_json::Value = serde_json::from_str(r#"{"b":1,"a":2}"#).unwrap();
    assert_eq!(value.to_string(), r#"{"a":2,"b":1}"#);
}

#[test]
fn documents_are_there_and_short() {
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "LICENSE",
        "prompts/README.md",
        "playbooks/README.md",
        "tests/README.md",
    ] {
        assert!(root().join(name).is_file(), "{name} is missing");
    }
    let architecture = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(architecture.lines().count() <= 200);
}
