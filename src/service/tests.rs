//! What only somebody inside can break: loops, workers and triage of one node.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::bundle::collectors::BundleCollector;
use crate::clock::SystemClock;
use crate::store::Lease;

async fn service() -> Service {
    let parts = Parts {
        config: Config::default(),
        store: Store::open("sqlite::memory:").await.unwrap(),
        clock: Arc::new(SystemClock),
        evidence: Arc::new(BundleCollector::new(std::path::Path::new("."))),
        queue: None,
        states: Vec::new(),
        settings: Settings::default(),
    };
    Service::new(parts).unwrap()
}

#[tokio::test]
async fn a_loop_that_breaks_begins_again_and_one_that_ends_does_not() {
    let begun = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&begun);
    let begin = move |_: Service| {
        let count = counted.fetch_add(1, Ordering::SeqCst);
        async move { assert!(count > 0, "a fault") }
    };
    kept_up("test", service().await, begin).await;
    assert_eq!(begun.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn work_that_fails_five_times_gives_its_place_to_others() {
    let service = service().await;
    let lease = Lease { what: "inv_00000007".to_owned(), owner: "w".to_owned(), fence: 1 };
    let mut waits = Vec::new();
    for failures in 1..=6 {
        let now = service.inner.store.now().await.unwrap();
        waits.push(service.failed(&lease).await.secs_since(now));
        let told = service.inner.store.waiting(10).await.unwrap();
        assert_eq!(told.len(), usize::from(failures >= 5), "after {failures}: told once");
        assert!(told.iter().all(|w| w.delivery.event.contains("finish")), "{told:?}");
    }
    assert!(waits.windows(2).all(|w| w[1] > w[0]), "each try waits longer: {waits:?}");
}

#[test]
fn what_breaks_the_engine_is_an_error_of_that_delivery() {
    let broke: Result<()> = triage::caught(|| panic!("a fault"));
    assert!(broke.unwrap_err().to_string().contains("a fault of Tantei"));
    assert_eq!(triage::caught(|| Ok(7)).unwrap(), 7);
}
