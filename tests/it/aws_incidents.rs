//! Whole incidents through the fake AWS: the same cause as offline.

use std::path::Path;
use std::sync::Arc;

use tantei::aws::collector::{AwsCollector, Settings};
use tantei::bundle::manifest;
use tantei::clock::ReplayClock;
use tantei::driver::{self, Driver, Ports};
use tantei::playbooks;
use tantei::replay::{Options, Silent, replay};
use tantei_engine::investigation::{State, ranking};
use tantei_engine::model::feed::Opened;

use crate::aws::timing;
use crate::fake_aws::Fake;
use crate::support::{bundles, lab_incident, root};

/// Investigates a bundle that the fake serves.
async fn live(bundle: &Path) -> Driver {
    let manifest = manifest::read(bundle).unwrap();
    let fake = Fake::serve(bundle).await;
    // Three minutes later everything is published.
    let clock = Arc::new(ReplayClock::new(manifest.alarm.window.end.plus_secs(180)));
    let settings = Settings { traces_max: 100_000, ..Settings::default() };
    let collector = AwsCollector::new(fake.clients(timing()), Arc::clone(&clock) as _, settings);
    let ports = Ports {
        collector: Arc::new(collector),
        clock: Arc::clone(&clock) as _,
        journal: None,
        approver: None,
        automation: None,
    };
    let library = Arc::new(playbooks::shipped().unwrap());
    let opened = Opened {
        investigation: "inv_live".to_owned(),
        alarm: manifest.alarm.clone(),
        origin: manifest.origin.clone(),
        tantei: env!("CARGO_PKG_VERSION").to_owned(),
        playbooks: playbooks::digest(&library),
    };
    let mut driver = Driver::new(ports, driver::Settings { library, ..driver::Settings::default() });
    driver.run(opened, &mut Silent).await.unwrap();
    driver
}

/// The causes with their mechanisms' names, best first.
fn causes(state: &State) -> Vec<String> {
    ranking(state).candidates.iter().map(|c| c.resource.as_str().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lab_incident_has_the_same_cause_live_as_offline() {
    let bundle = lab_incident();
    let driver = live(&bundle).await;
    let state = driver.state();
    let gaps: Vec<String> =
        state.gaps.values().map(|g| format!("{} {}", g.place, g.detail.plain())).collect();
    assert!(gaps.is_empty(), "{gaps:#?}");
    let offline =
        tokio::task::spawn_blocking(move || replay(&bundle, &Options::default(), &mut Silent).unwrap());
    let offline = offline.await.unwrap();
    assert_eq!(causes(state).first(), causes(offline.state()).first());
    let (_, hypothesis) = state.standing().next().unwrap();
    assert_eq!(hypothesis.cause.as_str(), "orders");
    assert!(hypothesis.trigger.is_some(), "the deployment is named as the trigger");
    let suggestion = state.suggestions.values().next().unwrap();
    assert_eq!(suggestion.playbook, "ecs-rollback-deployment");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_lab_incident_has_the_same_cause_live_as_offline() {
    for bundle in bundles(&root().join("tests/incidents")) {
        let driver = live(&bundle).await;
        let name = bundle.display().to_string();
        let offline =
            tokio::task::spawn_blocking(move || replay(&bundle, &Options::default(), &mut Silent).unwrap());
        let offline = offline.await.unwrap();
        assert_eq!(causes(driver.state()).first(), causes(offline.state()).first(), "{name}");
    }
}
