//! What a plan may contain: observed identifiers and stated constants, never free text; and what is not recommended.

use serde_json::{Value, json};

use crate::support::{SmallBundle, tantei_ok};

const ROLE: &str = "automation_role=arn:aws:iam::111122223333:role/automation";

/// A bundle in which `back`, an ECS service, was deployed and became slow.
fn deployed(raw: &Value, dimensions: &Value) -> SmallBundle {
    let bundle = SmallBundle::new();
    bundle.write(
        "topology.json",
        &json!({
            "nodes": [{"id": "front", "kind": "AWS::ECS::Service"}, {"id": "back", "kind": "AWS::ECS::Service"}],
            "edges": [{"from": "front", "to": "back", "kind": "calls"}],
        })
        .to_string(),
    );
    let text = std::fs::read_to_string(bundle.path().join("metrics.jsonl")).unwrap();
    let lines: Vec<String> = text
        .lines()
        .map(|l| {
            let mut series: Value = serde_json::from_str(l).unwrap();
            series["dimensions"] = dimensions.clone();
            series["namespace"] = "AWS/ECS".into();
            series.to_string()
        })
        .collect();
    bundle.write("metrics.jsonl", &lines.join("\n"));
    let change = json!({"t": 1_000_000, "resource": "back", "kind": "deployment", "actor": "ci",
                        "summary": "arn:aws:ecs:x:1:task-definition/evil:1", "raw": raw});
    bundle.write("changes.jsonl", &change.to_string());
    bundle
}

fn rollback(bundle: &SmallBundle) -> Value {
    let path = bundle.path().to_str().unwrap();
    let text = tantei_ok(&["investigate", "--json", "--bundle", path, "--setting", ROLE]);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["ranking"][0]["resource"], "back");
    let suggestions = document["suggestions"].as_array().unwrap();
    suggestions.iter().find(|s| s["playbook"] == "ecs-rollback-deployment").unwrap().clone()
}

fn good_raw() -> Value {
    json!({
        "eventName": "UpdateService",
        "requestParameters": {"taskDefinition": "back:8"},
        "responseElements": {"service": {"deployments": [
            {"status": "PRIMARY", "taskDefinition": "arn:aws:ecs:x:1:task-definition/back:8"},
            {"status": "ACTIVE", "taskDefinition": "arn:aws:ecs:x:1:task-definition/back:7"},
        ]}},
    })
}

#[test]
fn parameters_come_from_observed_identifiers_with_their_origin() {
    let dimensions = json!({"ClusterName": "shop", "ServiceName": "back"});
    let suggestion = rollback(&deployed(&good_raw(), &dimensions));
    assert_eq!(suggestion["action"], "run");
    assert_eq!(suggestion["recommended"], true);
    let parameters = &suggestion["plan"]["parameters"];
    for (name, value, origin) in [
        ("ClusterName", "shop", "dimension"),
        ("ServiceName", "back", "dimension"),
        ("NewTaskDefinitionArn", "arn:aws:ecs:x:1:task-definition/back:7", "change"),
        ("AutomationAssumeRole", "arn:aws:iam::111122223333:role/automation", "setting"),
    ] {
        assert_eq!(parameters[name]["values"], json!([value]));
        assert_eq!(parameters[name]["origin"], origin);
    }
}

#[test]
fn what_is_no_identifier_is_missing_and_not_bound() {
    let dimensions = json!({"ClusterName": "shop; rm -rf /", "ServiceName": "back\nevil"});
    let suggestion = rollback(&deployed(&good_raw(), &dimensions));
    assert_eq!(suggestion["action"], "complete");
    let missing: Vec<&str> =
        suggestion["missing"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert_eq!(missing, ["ClusterName", "ServiceName"]);
    // The summary names a task definition, but free text is no source of parameters.
    let suggestion = rollback(&deployed(&json!({}), &json!({"ClusterName": "shop", "ServiceName": "back"})));
    assert_eq!(suggestion["missing"][0]["name"], "NewTaskDefinitionArn");
}

#[test]
fn the_digest_changes_with_every_field_that_matters() {
    let dimensions = |cluster: &str| json!({"ClusterName": cluster, "ServiceName": "back"});
    let digest = |cluster: &str| {
        rollback(&deployed(&good_raw(), &dimensions(cluster)))["plan"]["digest"].as_str().unwrap().to_owned()
    };
    assert_eq!(digest("shop"), digest("shop"));
    assert_ne!(digest("shop"), digest("other"));
}
