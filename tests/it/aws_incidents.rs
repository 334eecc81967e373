//! Whole incidents through the fake AWS: the same cause as offline.

use std::path::Path;
use std::sync::Arc;

use tantei::aws::collector::{AwsCollector, Settings};
use tantei::bundle::manifest;
use tantei::clock::ReplayClock;
use tantei::driver::{self, Driver, Ports};
use tantei::playbooks;
use tantei::ports::Collector;
use tantei::replay::{Options, Silent, replay};
use tantei_engine::investigation::{State, ranking};
use tantei_engine::model::feed::Opened;
use tantei_engine::model::time::TimeSpan;
use tantei_engine::planning::naming::short;

use crate::aws::timing;
use crate::fake_aws::{Data, Fake};
use crate::support::{bundles, lab_incident, root, shared};

/// Investigates a bundle that the fake serves.
async fn live(bundle: &Path) -> Driver {
    live_through(bundle, |_| {}, |collector| collector).await
}

/// The same with a fake that fails as it is told, and something around the collector.
pub(crate) async fn live_through(
    bundle: &Path,
    fail: impl FnOnce(&Fake),
    around: impl FnOnce(Arc<dyn Collector>) -> Arc<dyn Collector>,
) -> Driver {
    let mut manifest = manifest::read(bundle).unwrap();
    let mut data = Data::read(bundle);
    let window = manifest.alarm.window;
    // A baseline that was recorded months later is moved to the time before: CloudWatch keeps five-minute points for
    // two months only, and knows no future.
    for span in &mut manifest.alarm.baseline {
        if span.start > window.end {
            let by_s = window.start.secs_since(span.end).div_euclid(3_600) * 3_600;
            data.move_metrics(*span, by_s);
            *span = TimeSpan::new(span.start.plus_secs(by_s), span.end.plus_secs(by_s));
        }
    }
    let fake = Fake::serve_data(data).await;
    fail(&fake);
    // Ten minutes later everything is published.
    let clock = Arc::new(ReplayClock::new(window.end.plus_secs(600)));
    let settings = Settings { traces_max: 100_000, ..Settings::default() };
    let collector = AwsCollector::new(fake.clients(timing()), Arc::clone(&clock) as _, settings);
    let ports = Ports {
        collector: around(Arc::new(collector)),
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
    // Every observation says how AWS is asked for its data again.
    for observation in state.observations.values() {
        assert_ne!(observation.query.service, "bundle", "{:?}", observation.query);
    }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incidents_of_petshop_have_the_same_cause_live_as_offline() {
    let Some(shared) = shared() else { return };
    let all = bundles(&shared.join("incidents/petshop"));
    let mut same = 0;
    let every = 6;
    let chosen: Vec<_> = all.into_iter().step_by(every).collect();
    for bundle in &chosen {
        let driver = live(bundle).await;
        let path = bundle.clone();
        let offline =
            tokio::task::spawn_blocking(move || replay(&path, &Options::default(), &mut Silent).unwrap());
        let offline = offline.await.unwrap();
        let (live, offline) = (causes(driver.state()), causes(offline.state()));
        // Offline the names are those of the recording.
        let offline: Vec<String> = offline.iter().map(|name| short(name)).collect();
        if live.first() == offline.first() {
            same += 1;
        } else {
            eprintln!("{}: live {live:?} offline {offline:?}", bundle.display());
            for gap in driver.state().gaps.values() {
                eprintln!("   {:?} {} {}", gap.reason, gap.place, gap.detail.plain());
            }
        }
    }
    assert_eq!(same, chosen.len());
}
