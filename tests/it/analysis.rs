//! Properties of the analysis, on small bundles: what must be seen, what must not be named.

use serde_json::{Value, json};

use crate::support::{SmallBundle, document, tantei_ok};

/// A deterministic stand-in for noise: between -1 and 1, without any period.
fn noise(seed: u64) -> f64 {
    let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xd6e8_feb8_6659_fd93);
    f64::from(u32::try_from(mixed >> 40).unwrap()) / f64::from(1 << 23) - 1.0
}

fn series(resource: &str, name: &str, value: impl Fn(u32) -> f64) -> String {
    let points: Vec<Value> = (0..25).map(|k| json!([k * 60, value(k)])).collect();
    json!({"resource": resource, "name": name, "stat": "Average", "unit": null, "period_s": 60, "points": points})
        .to_string()
}

#[test]
fn noise_names_no_cause() {
    for seed in 0..20 {
        let bundle = SmallBundle::new();
        let mut lines = Vec::new();
        for (r, resource) in (0..).zip(["front", "back"]) {
            for (m, metric) in (0..).zip(["m", "cpu", "n"]) {
                let offset = seed * 10_000 + r * 1_000 + m * 100;
                lines.push(series(resource, metric, |k| 1.0 + 0.1 * noise(offset + u64::from(k))));
            }
        }
        bundle.write("metrics.jsonl", &lines.join("\n"));
        let document = document(bundle.path());
        let abstained = document["investigation"]["abstained"].as_array().unwrap();
        assert!(!abstained.is_empty(), "seed {seed}: {}", document["ranking"][0]);
        assert!(document["hypotheses"].as_array().unwrap().is_empty());
    }
}

#[test]
fn errors_of_a_service_that_logs_nothing_else_are_seen() {
    for usual in [0, 8] {
        let bundle = SmallBundle::new();
        let line = |second: i64| {
            json!({"t": second * 1_000, "resource": "back", "message": "ERROR cannot reach the disk"})
                .to_string()
        };
        let lines: Vec<String> =
            (0..usual).map(|i| line(i * 60)).chain((0..400).map(|i| line(1_090 + i))).collect();
        bundle.write("logs.jsonl", &lines.join("\n"));
        let document = document(bundle.path());
        let pattern = |i: &Value| i["body"]["signal"]["type"] == "log_pattern";
        assert!(document["feed"].as_array().unwrap().iter().any(pattern), "{usual} lines before");
    }
}

#[test]
fn a_series_may_come_in_pieces_in_any_order() {
    let whole = document(SmallBundle::new().path())["ranking"].clone();
    for order in [[0, 1], [1, 0]] {
        let bundle = SmallBundle::new();
        let text = std::fs::read_to_string(bundle.path().join("metrics.jsonl")).unwrap();
        let mut pieces: [Vec<String>; 2] = [Vec::new(), Vec::new()];
        for line in text.lines() {
            let series: Value = serde_json::from_str(line).unwrap();
            let points = series["points"].as_array().unwrap();
            for (piece, part) in [&points[..15], &points[15..]].into_iter().enumerate() {
                let mut copy = series.clone();
                copy["points"] = part.to_vec().into();
                pieces[piece].push(copy.to_string());
            }
        }
        bundle.write("metrics.jsonl", &order.map(|i| pieces[i].join("\n")).join("\n"));
        assert_eq!(document(bundle.path())["ranking"], whole);
    }
}

#[test]
fn without_a_declared_baseline_the_time_before_the_onset_serves() {
    let bundle = SmallBundle::new();
    let mut manifest = bundle.manifest();
    manifest["baseline"] = json!([]);
    manifest["window"]["start"] = "1970-01-01T00:00:00Z".into();
    bundle.write("incident.json", &manifest.to_string());
    assert_eq!(document(bundle.path())["ranking"][0]["resource"], "back");
}

#[test]
fn something_that_runs_out_is_evidence() {
    let bundle = SmallBundle::new();
    let text = std::fs::read_to_string(bundle.path().join("metrics.jsonl")).unwrap();
    let disk = series("disk", "FreeStorageSpace", |k| if k < 17 { 1e10 + f64::from(k) } else { 1e8 });
    bundle.write("metrics.jsonl", &format!("{text}\n{disk}"));
    let document = document(bundle.path());
    let ranked = document["ranking"].as_array().unwrap().iter().any(|c| c["resource"] == "disk");
    assert!(ranked, "{}", document["ranking"]);
}

#[test]
fn long_chains_and_many_links_are_ranked_in_time() {
    // 20,000 resources in a row: quadratic work would take minutes and gigabytes.
    let bundle = SmallBundle::new();
    let nodes: Vec<Value> = (0..20_000).map(|i| json!({"id": format!("n{i}")})).collect();
    let mut edges: Vec<Value> =
        (1..20_000).map(|i| json!({"from": format!("n{}", i - 1), "to": format!("n{i}")})).collect();
    edges.push(json!({"from": "front", "to": "back"}));
    edges.push(json!({"from": "back", "to": "n0"}));
    bundle.write("topology.json", &json!({"nodes": nodes, "edges": edges}).to_string());
    let span = |i: u64, span: &str, parent: Option<&str>, resource: u64, us: u64| {
        json!({"t": 1_100_000_000_u64 + i, "dur_us": us, "trace": format!("t{i}"), "span": span,
               "parent": parent, "resource": format!("n{resource}"), "op": "x"})
        .to_string()
    };
    let spans: Vec<String> =
        (0..20_000).flat_map(|i| [span(i, "a", None, i, 900), span(i, "b", Some("a"), i + 1, 800)]).collect();
    bundle.write("spans.jsonl", &spans.join("\n"));
    assert_eq!(document(bundle.path())["ranking"][0]["resource"], "back");
}

#[test]
fn the_demo_dates_the_deployment_before_what_it_caused() {
    let document: Value = serde_json::from_str(&tantei_ok(&["demo", "--json"])).unwrap();
    let at = |text: &Value| text.as_str().unwrap().parse::<tantei_engine::model::time::Timestamp>().unwrap();
    let onset = at(&document["investigation"]["onset"]);
    let trigger = document["hypotheses"][0]["trigger"].as_str().unwrap();
    let feed = document["feed"].as_array().unwrap();
    let change = &feed.iter().find(|i| i["id"] == trigger).unwrap()["body"];
    let lead = change["signal"]["before_onset_s"].as_i64().unwrap();
    assert!((0..=60).contains(&lead), "{lead}");
    // The onset is known to one period of ten seconds.
    let measured = onset.secs_since(at(&change["since"]));
    assert!((lead - measured).abs() <= 10, "{lead} {measured}");
}

/// A step from second 1020 on, with a little noise.
fn step(before: f64, after: f64) -> impl Fn(u32) -> f64 {
    move |k| (if k >= 17 { after } else { before }) * (1.0 + 0.01 * noise(u64::from(k)))
}

#[test]
fn more_work_than_usual_is_called_a_surge() {
    for (factor, expected) in [(3.0, "surge"), (1.0, "own_latency")] {
        let bundle = SmallBundle::new();
        let lines = [
            series("front", "m", step(1.0, 6.0)),
            series("back", "m", step(0.9, 5.9)),
            series("front", "RequestCount", step(100.0, 100.0 * factor)),
            series("back", "RequestCount", step(100.0, 100.0 * factor)),
        ];
        bundle.write("metrics.jsonl", &lines.join("\n"));
        let document = document(bundle.path());
        assert_eq!(document["ranking"][0]["mechanism"], expected, "{}", document["ranking"][0]);
    }
}

#[test]
fn two_independent_causes_are_both_named() {
    let bundle = SmallBundle::new();
    let topology = json!({
        "nodes": [{"id": "front"}, {"id": "left"}, {"id": "right"}, {"id": "quiet"}],
        "edges": [{"from": "front", "to": "left"}, {"from": "front", "to": "right"}, {"from": "front", "to": "quiet"}],
    });
    bundle.write("topology.json", &topology.to_string().replace(r#""to""#, r#""kind":"calls","to""#));
    let lines = [
        series("front", "m", step(3.0, 9.0)),
        series("left", "m", step(1.0, 4.0)),
        series("right", "m", step(1.0, 4.0)),
        series("quiet", "m", step(1.0, 1.0)),
    ];
    bundle.write("metrics.jsonl", &lines.join("\n"));
    let document = document(bundle.path());
    let named: Vec<&str> =
        document["hypotheses"].as_array().unwrap().iter().map(|h| h["cause"].as_str().unwrap()).collect();
    assert_eq!(named[..2], ["left", "right"]);
}

#[test]
fn a_cause_that_no_known_edge_leads_to_is_named_with_an_inferred_path() {
    let bundle = SmallBundle::new();
    let topology = json!({
        "nodes": [{"id": "front"}, {"id": "back"}, {"id": "apart"}],
        "edges": [{"from": "front", "to": "back", "kind": "calls"}],
    });
    bundle.write("topology.json", &topology.to_string());
    let mut lines = vec![series("front", "m", step(1.0, 1.0)), series("apart", "cpu", step(10.0, 99.0))];
    lines.extend((0..6).map(|i| series(&format!("peer-{i}"), "cpu", step(10.0, 10.0))));
    bundle.write("metrics.jsonl", &lines.join("\n"));
    let document = document(bundle.path());
    assert_eq!(document["ranking"][0]["resource"], "apart");
    assert_eq!(document["ranking"][0]["path"], json!([]));
    let report = tantei_ok(&["investigate", "--bundle", bundle.path().to_str().unwrap()]);
    assert!(report.contains("the dependency is inferred"), "{report}");
}

#[test]
fn a_resource_whose_callees_are_unseen_is_not_named_by_its_own_alarm() {
    let bundle = SmallBundle::new();
    bundle.write("metrics.jsonl", &series("front", "m", step(1.0, 6.0)));
    let document = document(bundle.path());
    assert_eq!(document["ranking"][0]["mechanism"], "unobserved_dependency");
    assert!(!document["investigation"]["abstained"].as_array().unwrap().is_empty());
}

#[test]
fn a_flood_of_one_resource_does_not_hide_what_another_logs() {
    let bundle = SmallBundle::new();
    let line = |resource: &str, second: usize, message: &str| {
        json!({"t": second * 1_000, "resource": resource, "message": message}).to_string()
    };
    let mut lines: Vec<String> = (0..900).map(|i| line("front", i, "all is well")).collect();
    for n in 0..300 {
        for i in 0..40 {
            lines.push(line("front", 1_090 + i, &format!("FATAL a.Store#{n} broke")));
        }
    }
    lines.extend((0..20).map(|i| line("back", 1_090 + i, "ERROR cannot reach the disk")));
    bundle.write("logs.jsonl", &lines.join("\n"));
    let document = document(bundle.path());
    let of_back = |i: &Value| i["body"]["signal"]["type"] == "log_pattern" && i["body"]["resource"] == "back";
    assert!(document["feed"].as_array().unwrap().iter().any(of_back));
}
