//! What must not matter does not: names, order of lines and columns, units and scales, which ancestor raised the alarm.
//! And what is not there is not named: healthy windows, a root that nobody observes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{bundles, document, shared};
use crate::variant::Variant;

/// The resource that a document ranks first, if it names one.
fn first(document: &Value) -> Option<String> {
    document["ranking"][0]["resource"].as_str().map(str::to_owned)
}

fn named(document: &Value) -> bool {
    first(document).is_some() && document["investigation"]["abstained"].as_array().unwrap().is_empty()
}

/// Renames resources and the alarm's metric, rescales its values, drops units.
fn disguise(variant: &mut Variant) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    variant.rename(|name| {
        // Other names in another order.
        let new = format!("r{}", name.bytes().rev().map(|b| format!("{:02x}", !b)).collect::<String>());
        names.insert(new.clone(), name.to_owned());
        new
    });
    let alarmed = variant.incident["trigger"]["metric"].take();
    variant.incident["trigger"]["metric"] = "q1".into();
    for series in variant.records.get_mut("metrics.jsonl").unwrap() {
        series["unit"] = Value::Null;
        if series["name"] != alarmed {
            continue;
        }
        series["name"] = "q1".into();
        for point in series["points"].as_array_mut().unwrap() {
            if let Some(v) = point[1].as_f64() {
                point[1] = (v * 1000.0).into();
            }
        }
    }
    names
}

#[test]
fn renamed_reversed_and_rescaled_incidents_have_the_same_first_cause() {
    let Some(shared) = shared() else { return };
    for source in ["petshop", "trainticket"] {
        for bundle in bundles(&shared.join("incidents").join(source)) {
            let mut variant = Variant::of(&bundle);
            let names = disguise(&mut variant);
            variant.reverse();
            let expected = first(&document(&bundle)).unwrap();
            let found = first(&document(variant.write().path())).unwrap();
            assert_eq!(names[&found], expected, "{}", bundle.display());
        }
    }
}

/// All metrics lose their names, so that no role can be read from them.
#[test]
fn call_graph_incidents_need_no_telling_metric_names() {
    let Some(shared) = shared() else { return };
    for bundle in bundles(&shared.join("incidents/petshop")) {
        let mut variant = Variant::of(&bundle);
        let names = disguise(&mut variant);
        let mut numbers = BTreeMap::from([("q1".to_owned(), 1)]);
        for series in variant.records.get_mut("metrics.jsonl").unwrap() {
            let next = numbers.len() + 1;
            let number = numbers.entry(series["name"].as_str().unwrap().to_owned()).or_insert(next);
            series["name"] = format!("q{number}").into();
        }
        let expected = first(&document(&bundle)).unwrap();
        let found = first(&document(variant.write().path())).unwrap();
        assert_eq!(names[&found], expected, "{}", bundle.display());
    }
}

#[test]
fn the_same_root_is_found_from_any_deviating_ancestor() {
    let Some(shared) = shared() else { return };
    let (mut moved, mut same) = (0.0, 0.0);
    for bundle in bundles(&shared.join("incidents/petshop")) {
        let variant = Variant::of(&bundle);
        let expected = document(&bundle);
        let root = first(&expected).unwrap();
        for ancestor in deviating(&expected) {
            let reaches = variant.reach(&ancestor).contains(&root);
            if !reaches || ancestor == root || variant.incident["trigger"]["resource"] == ancestor.as_str() {
                continue;
            }
            let mut variant = Variant::of(&bundle);
            variant.incident["trigger"]["resource"] = ancestor.into();
            moved += 1.0;
            same += f64::from(u8::from(first(&document(variant.write().path())).as_ref() == Some(&root)));
        }
    }
    assert!(moved >= 30.0, "{moved} moved alarms are too few to judge by");
    assert!(same >= 0.95 * moved, "{same} of {moved}");
}

/// Resources whose own metric deviates clearly.
fn deviating(document: &Value) -> BTreeSet<String> {
    let observations = document["feed"].as_array().unwrap().iter().map(|item| &item["body"]);
    observations
        .filter(|o| o["signal"]["impact"]["z"].as_f64().is_some_and(|z| z >= 3.0))
        .map(|o| o["resource"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_unobserved_root_is_charged_to_its_direct_caller() {
    let Some(shared) = shared() else { return };
    let (mut hidden, mut right) = (0.0, 0.0);
    for bundle in bundles(&shared.join("incidents/petshop")) {
        let root = first(&document(&bundle)).unwrap();
        let mut variant = Variant::of(&bundle);
        let callers = variant.callers(&root);
        if variant.incident["trigger"]["resource"] == root.as_str() {
            continue;
        }
        variant.hide(&root);
        hidden += 1.0;
        let found = first(&document(variant.write().path()));
        right += f64::from(u8::from(found.is_some_and(|f| callers.contains(&f))));
    }
    assert!(hidden >= 30.0 && right >= 0.9 * hidden, "{right} of {hidden}");
}

/// Three windows of each baseline, spread evenly over all of them, judged by the time before them.
#[test]
fn at_most_a_tenth_of_healthy_windows_is_named() {
    let Some(shared) = shared() else { return };
    let (mut windows, mut wrong, mut place) = (0.0, 0.0, 0);
    for bundle in bundles(&shared.join("incidents/petshop")) {
        let original = Variant::of(&bundle);
        let time = |v: &Value| v.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
        let iso = |s: i64| json!(jiff::Timestamp::from_second(s).unwrap().to_string());
        let window = &original.incident["window"];
        let (start, end) = (time(&window["start"]), time(&window["end"]));
        let lead = time(&original.incident["trigger"]["at"]) - start;
        for baseline in original.incident["baseline"].as_array().unwrap() {
            let (from, to) = (time(&baseline["start"]), time(&baseline["end"]));
            for _ in 0..3 {
                // The golden section spreads any number of windows evenly over 30 % to 95 %.
                place = (place + 618) % 1000;
                let start_of = (from + (to - from) * (300 + place * 650 / 1000) / 1000) / 60 * 60;
                let end_of = start_of + (end - start);
                if end_of > to {
                    continue;
                }
                let mut variant = Variant::of(&bundle);
                variant.incident["window"] = json!({"start": iso(start_of), "end": iso(end_of)});
                variant.incident["trigger"]["at"] = iso(start_of + lead);
                variant.incident["baseline"] = json!([{"start": iso(from), "end": iso(start_of)}]);
                variant.cut(end_of);
                windows += 1.0;
                wrong += f64::from(u8::from(named(&document(variant.write().path()))));
            }
        }
    }
    assert!(windows >= 90.0 && wrong <= 0.1 * windows, "{wrong} of {windows}");
}
