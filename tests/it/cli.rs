//! The command line as people and scripts meet it.

use crate::support::{SmallBundle, lab_incident, tantei, tantei_ok};

#[test]
fn help_teaches_and_names_the_exit_codes() {
    let help = tantei_ok(&["--help"]);
    for word in [
        "investigate",
        "evaluate",
        "logs",
        "metrics",
        "playbooks",
        "audit",
        "demo",
        "completions",
        "Exit codes",
    ] {
        assert!(help.contains(word), "{word}");
    }
    for command in ["investigate", "evaluate", "logs", "metrics", "playbooks", "audit", "demo", "completions"]
    {
        assert!(!tantei_ok(&[command, "--help"]).is_empty());
    }
}

#[test]
fn completions_are_made_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(tantei_ok(&["completions", shell]).contains("tantei"), "{shell}");
    }
}

#[test]
fn wrong_arguments_exit_with_two() {
    for args in [
        &["investigate"][..],
        &["no-such-command"],
        &["evaluate"],
        &["evaluate", "/nowhere"],
        &["audit", "verify", "/nowhere"],
        &["metrics", "/nowhere"],
    ] {
        assert_eq!(tantei(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_tantei"))
        .args(["investigate", "--json", "--bundle", lab_incident().to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_earlier_moment_sees_less_and_never_more() {
    let bundle = SmallBundle::new();
    let path = bundle.path().to_str().unwrap();
    let early = tantei_ok(&["investigate", "--json", "--bundle", path, "--at", "1970-01-01T00:19:00Z"]);
    let early: serde_json::Value = serde_json::from_str(&early).unwrap();
    for item in early["feed"].as_array().unwrap() {
        for point in item["body"]["signal"]["points"].as_array().into_iter().flatten() {
            assert!(point[0].as_str().unwrap() < "1970-01-01T00:19:00Z");
        }
    }
}
