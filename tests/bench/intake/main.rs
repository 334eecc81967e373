//! `cargo bench --bench intake [-- postgres://…]`: alarms a second that are durably acknowledged, signature check
//! included, beside a bare insert-and-commit probe of the same run.
//!
//! Every message is another one, signed beforehand; senders, server and store share this machine's cores. The probe
//! inserts the same bytes into a table of the same kind, one commit each, by as many writers: what a server without any
//! thought for its disk would do. Machines are noisy: read the ratio.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    reason = "a bench is run by a person, prints a table and fails loudly"
)]

#[path = "../../sns/mod.rs"]
mod sns;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tantei::bundle::collectors::BundleCollector;
use tantei::clock::{ReplayClock, Stopwatch};
use tantei::config::Config;
use tantei::driver::Settings;
use tantei::service::{Parts, Service};
use tantei::store::{Delivery, Store};
use tantei_engine::model::time::Timestamp;
use tokio_util::sync::CancellationToken;

/// Senders at once.
const SENDERS: usize = 64;

/// Messages of each sender.
const EACH: usize = 400;

const NOW: &str = "2026-11-25T06:50:00.000Z";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir_in(".").unwrap();
        let sqlite = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
        measure("SQLite", &sqlite("probe.db"), &sqlite("tantei.db")).await;
        let postgres = std::env::args().find(|a| a.starts_with("postgres"));
        if let Some(server) = postgres {
            let url = format!("{server}/postgres");
            measure("PostgreSQL", &url, &url).await;
        }
    });
}

async fn measure(name: &str, probe_url: &str, url: &str) {
    let run = uuid::Uuid::now_v7().simple().to_string();
    let messages = Arc::new(messages(&run));
    let probe = probe(Store::open(probe_url).await.unwrap(), &messages, &run).await;
    let served = serve(Store::open(url).await.unwrap(), &messages).await;
    let count = SENDERS * EACH;
    println!("{name}: {count} messages by {SENDERS} senders");
    println!("  {:<34} {:>9} {:>9} {:>9}", "", "a second", "p50 ms", "p99 ms");
    println!("  {:<34} {:>9.0} {:>9.2} {:>9.2}", "probe, one commit each", probe.rate, probe.p50, probe.p99);
    println!(
        "  {:<34} {:>9.0} {:>9.2} {:>9.2}",
        "signed SNS over HTTP, acknowledged", served.rate, served.p50, served.p99
    );
    println!(
        "  ratio {:>43.2}x {:>8.2}x {:>8.2}x",
        served.rate / probe.rate,
        served.p50 / probe.p50,
        served.p99 / probe.p99
    );
}

fn messages(run: &str) -> Vec<Vec<String>> {
    let signer = sns::Signer::new(&root());
    let message = |sender: usize, k: usize| {
        let at = format!("2026-11-25T06:{:02}:{:02}.{:03}+0000", k % 50, sender % 60, k / 50);
        let alarm = sns::alarm_message(&format!("orders-{sender}"), "ALARM", &at);
        signer.notification(&format!("{run}-{sender}-{k}"), &alarm, NOW)
    };
    (0..SENDERS).map(|sender| (0..EACH).map(|k| message(sender, k)).collect()).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What a run came to.
struct Figures {
    rate: f64,
    p50: f64,
    p99: f64,
}

impl Figures {
    fn of(mut waits: Vec<Duration>, took: Duration) -> Self {
        waits.sort();
        let at = |q: f64| waits[((waits.len() - 1) as f64 * q) as usize].as_secs_f64() * 1_000.0;
        Self { rate: waits.len() as f64 / took.as_secs_f64(), p50: at(0.5), p99: at(0.99) }
    }
}

/// Writers that each insert and commit, one after the other.
async fn probe(store: Store, messages: &Arc<Vec<Vec<String>>>, run: &str) -> Figures {
    let watch = Stopwatch::start();
    let mut writers = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        let (store, messages, run) = (store.clone(), Arc::clone(messages), run.to_owned());
        writers.spawn(async move {
            let mut waits = Vec::with_capacity(EACH);
            for (k, message) in messages[sender].iter().enumerate() {
                let delivery = Delivery {
                    id: format!("probe-{run}-{sender}-{k}"),
                    transition: format!("probe-{run}-{sender}-{k}"),
                    source: "probe".to_owned(),
                    received_at: Timestamp::from_secs(0),
                    event: message.clone(),
                };
                let one = Stopwatch::start();
                store.receive(std::slice::from_ref(&delivery)).await.unwrap();
                waits.push(one.elapsed());
            }
            waits
        });
    }
    let waits = writers.join_all().await.concat();
    Figures::of(waits, watch.elapsed())
}

/// The same messages to a server.
async fn serve(store: Store, messages: &Arc<Vec<Vec<String>>>) -> Figures {
    let mut config = Config::default();
    config.sns.topics = vec![sns::TOPIC.to_owned()];
    // What is measured is how fast it can be, not how fast it lets itself be asked.
    config.http.alarms_per_second = u32::MAX;
    config.sns.certificates.insert(sns::CERTIFICATE_URL.to_owned(), sns::certificate(&root()));
    let parts = Parts {
        config,
        store,
        clock: Arc::new(ReplayClock::new(NOW.parse().unwrap())),
        evidence: Arc::new(BundleCollector::new(&root().join("tests/incidents/001-lock-contention"))),
        queue: None,
        states: Vec::new(),
        settings: Settings::default(),
    };
    let service = Service::new(parts).unwrap();
    let stop = CancellationToken::new();
    let (told, address) = tokio::sync::oneshot::channel();
    tokio::spawn({
        let stop = stop.clone();
        async move {
            let listen = "127.0.0.1:0".parse().unwrap();
            tantei::http::serve(service, listen, stop, |a| told.send(a).unwrap()).await.unwrap();
        }
    });
    let url = format!("http://{}/v1/alarms/sns", address.await.unwrap());
    let watch = Stopwatch::start();
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        let (url, messages) = (url.clone(), Arc::clone(messages));
        senders.spawn(async move {
            let client = reqwest::Client::new();
            let mut waits = Vec::with_capacity(EACH);
            for message in &messages[sender] {
                let one = Stopwatch::start();
                let answer = client.post(&url).body(message.clone()).send().await.unwrap();
                assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
                answer.bytes().await.unwrap();
                waits.push(one.elapsed());
            }
            waits
        });
    }
    let waits = senders.join_all().await.concat();
    let figures = Figures::of(waits, watch.elapsed());
    stop.cancel();
    figures
}
