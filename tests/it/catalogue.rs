//! The shipped playbooks and the catalogue that they are checked against.

use std::collections::BTreeSet;

use serde_json::Value;
use tantei::playbooks;

use crate::support::{root, shared, tantei, tantei_ok};

#[test]
fn every_shipped_playbook_is_good_and_there_are_enough_for_the_common_services() {
    let library = playbooks::shipped().unwrap();
    assert!(library.len() >= 20, "{}", library.len());
    let kinds: BTreeSet<&str> =
        library.values().flat_map(|p| p.when.resource_kinds.iter().map(String::as_str)).collect();
    for kind in [
        "AWS::Lambda::Function",
        "AWS::ECS::Service",
        "AWS::EC2::Instance",
        "AWS::RDS::DBInstance",
        "AWS::RDS::DBCluster",
        "AWS::DynamoDB::Table",
        "AWS::SQS::Queue",
        "AWS::ApiGateway::Stage",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::SSM::ManagedInstance",
    ] {
        assert!(kinds.contains(kind), "no playbook for {kind}");
    }
}

#[test]
fn the_embedded_catalogue_says_what_the_reference_says() {
    let Some(shared) = shared() else { return };
    let text = std::fs::read_to_string(shared.join("fixtures/runbooks.json")).unwrap();
    let reference: Value = serde_json::from_str(&text).unwrap();
    let catalogue = playbooks::catalogue().unwrap();
    let denied: BTreeSet<String> = reference["fault_injection_deny_list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(catalogue.denied, denied);
    for playbook in playbooks::shipped().unwrap().values() {
        let Some(run) = &playbook.run else { continue };
        let runbooks = reference["runbooks"].as_array().unwrap();
        let known = runbooks.iter().find(|r| r["name"] == run.document.as_str()).unwrap();
        assert_eq!(known["document_type"], "Automation", "{}", run.document);
        assert_eq!(known["effect"], serde_json::to_value(playbook.effect).unwrap(), "{}", run.document);
        let parameters = known["parameters"].as_array().unwrap();
        for parameter in parameters.iter().filter(|p| p["required"] == true) {
            let name = parameter["name"].as_str().unwrap();
            assert!(run.parameters.contains_key(name), "{}: {name}", playbook.playbook);
        }
        for name in run.parameters.keys() {
            assert!(parameters.iter().any(|p| p["name"] == name.as_str()), "{}: {name}", playbook.playbook);
        }
    }
}

/// A good playbook to break in one place.
fn good() -> String {
    std::fs::read_to_string(root().join("playbooks/rds-reboot-instance.yaml")).unwrap()
}

fn problem(text: &str) -> String {
    match playbooks::parse(text.as_bytes()) {
        Ok(playbook) => {
            let catalogue = playbooks::catalogue().unwrap();
            tantei_engine::playbook::catalogue::check(&playbook, &catalogue).join("; ")
        }
        Err(what) => what,
    }
}

#[test]
fn a_broken_playbook_is_refused_with_a_place_and_a_remedy() {
    assert_eq!(problem(&good()), "");
    let unknown = problem(&format!("{}\napprovel: none\n", good()));
    assert!(unknown.contains("approvel") && unknown.contains("line"), "{unknown}");
    let twice = problem(&format!("{}\neffect: read_only\n", good()));
    assert!(twice.contains("duplicate") && twice.contains("line"), "{twice}");
    let anchor = problem(&good().replace("effect: ", "effect: &a "));
    assert!(anchor.contains("anchors") && anchor.contains("line"), "{anchor}");
    let huge = problem(&format!("{}{}", good(), "#".repeat(70_000)));
    assert!(huge.contains("65536"), "{huge}");
    let lying = problem(&good().replace("effect: mutating_disruptive", "effect: read_only"));
    assert!(lying.contains("mutating_disruptive"), "{lying}");
    let fault = problem(&good().replace("AWS-RebootRdsInstance", "AWSFIS-Run-CPU-Stress"));
    assert!(fault.contains("injects faults"), "{fault}");
    let nowhere = problem(&good().replace("AWS-RebootRdsInstance", "AWS-NoSuchThing"));
    assert!(nowhere.contains("catalogue"), "{nowhere}");
}

#[test]
fn yaml_bombs_are_refused_quickly() {
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (this, last) in ('b'..='j').zip('a'..) {
        let refs = vec![format!("*{last}"); 9].join(",");
        bomb.push_str(&format!("{this}: &{this} [{refs}]\n"));
    }
    assert!(!problem(&bomb).is_empty());
    let hidden = good().replace("resource_kinds: [", "resource_kinds: [\"\\\"\", &a ");
    assert!(problem(&hidden).contains("anchors"), "{}", problem(&hidden));
    assert!(!problem(&"[".repeat(60_000)).is_empty());
    assert!(!problem(&"{a: ".repeat(10_000)).is_empty());
    assert!(!problem("").is_empty());
    assert!(!problem("--- a\n--- b\n").is_empty());
}

#[test]
fn the_commands_list_show_and_check() {
    let list: Value = serde_json::from_str(&tantei_ok(&["playbooks", "list", "--json"])).unwrap();
    assert!(list["playbooks"].as_array().unwrap().len() >= 20);
    let shown = tantei_ok(&["playbooks", "show", "ecs-rollback-deployment"]);
    assert!(shown.contains("AWSResilienceHub-ScaleECSServiceSOP_2020-04-01"));
    assert_eq!(tantei(&["playbooks", "show", "no-such-playbook"]).status.code(), Some(2));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.yaml"), "playbook: bad\ntitel: x\n").unwrap();
    std::fs::write(folder.path().join("rds-reboot-instance.yaml"), good()).unwrap();
    let checked = tantei(&["playbooks", "check", folder.path().to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(1));
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(text.contains("bad.yaml") && text.contains("titel") && text.contains("1 good, 1 bad"), "{text}");
}
