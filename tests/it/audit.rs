//! `audit verify` finds any edit, deletion, reorder or insertion in an exported feed.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use tantei_engine::model::feed::verify;

use crate::support::{document, investigate, lab_incident, tantei};

fn feed() -> Vec<Value> {
    document(&lab_incident())["feed"].as_array().unwrap().clone()
}

#[test]
fn an_untouched_export_is_intact_through_the_command() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), investigate(&lab_incident())).unwrap();
    let output = tantei(&["audit", "verify", file.path().to_str().unwrap()]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("intact: "));
}

#[test]
fn a_changed_digit_is_found_through_the_command() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut items = feed();
    items[5]["happened_at"] = Value::String("2026-01-01T00:00:00Z".to_owned());
    let lines: Vec<String> = items.iter().map(ToString::to_string).collect();
    std::fs::write(file.path(), lines.join("\n")).unwrap();
    let output = tantei(&["audit", "verify", file.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("item 6"));
}

#[test]
fn two_equal_keys_and_a_cut_off_end_are_found_through_the_command() {
    let text = investigate(&lab_incident());
    let twice = text.replacen("\"seq\":3", "\"seq\":999,\"seq\":3", 1);
    assert_ne!(twice, text);
    let mut cut: Value = serde_json::from_str(&text).unwrap();
    cut["feed"].as_array_mut().unwrap().pop();
    for altered in [twice, cut.to_string()] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), altered).unwrap();
        let output = tantei(&["audit", "verify", file.path().to_str().unwrap()]);
        assert!(!output.status.success());
    }
}

/// One way to tamper with a feed.
#[derive(Debug, Clone)]
enum Tampering {
    Edit(prop::sample::Index, prop::sample::Index),
    Delete(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Insert(prop::sample::Index, prop::sample::Index),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        (index(), index()).prop_map(|(a, b)| Tampering::Edit(a, b)),
        index().prop_map(Tampering::Delete),
        (index(), index()).prop_map(|(a, b)| Tampering::Swap(a, b)),
        (index(), index()).prop_map(|(a, b)| Tampering::Insert(a, b)),
    ]
}

#[test]
fn a_thousand_random_tamperings_are_found() {
    let original = feed();
    assert!(verify(&original).is_ok());
    let mut runner = TestRunner::new(Config { cases: 1_000, failure_persistence: None, ..Config::default() });
    runner
        .run(&tampering(), |how| {
            let mut items = original.clone();
            tamper(&mut items, &how);
            // What changed nothing is no tampering; a cut-off end cannot be noticed from the file alone.
            prop_assume!(items != original && !original.starts_with(&items));
            prop_assert!(verify(&items).is_err(), "{how:?}");
            Ok(())
        })
        .unwrap();
}

fn tamper(items: &mut Vec<Value>, how: &Tampering) {
    let n = items.len();
    match how {
        Tampering::Edit(item, leaf) => {
            let item = &mut items[item.index(n)];
            let leaves = count_leaves(item);
            edit_leaf(item, &mut leaf.index(leaves));
        }
        Tampering::Delete(item) => drop(items.remove(item.index(n))),
        Tampering::Swap(a, b) => items.swap(a.index(n), b.index(n)),
        Tampering::Insert(at, what) => {
            let copy = items[what.index(n)].clone();
            items.insert(at.index(n + 1), copy);
        }
    }
}

fn count_leaves(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(count_leaves).sum::<usize>().max(1),
        Value::Object(fields) => fields.values().map(count_leaves).sum::<usize>().max(1),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

fn edit_leaf(value: &mut Value, left: &mut usize) -> bool {
    match value {
        Value::Array(items) if !items.is_empty() => items.iter_mut().any(|v| edit_leaf(v, left)),
        Value::Object(fields) if !fields.is_empty() => fields.values_mut().any(|v| edit_leaf(v, left)),
        leaf @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_)) => {
            if *left > 0 {
                *left -= 1;
                return false;
            }
            *leaf = match leaf {
                Value::Bool(b) => Value::Bool(!*b),
                Value::Number(n) => Value::from(n.as_f64().unwrap() + 1.0),
                Value::String(s) => Value::String(format!("{s}x")),
                Value::Null | Value::Array(_) | Value::Object(_) => Value::from(1),
            };
            true
        }
    }
}
