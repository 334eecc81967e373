//! A server in the test's own process, and how tests speak with it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tantei::access::{self, Role, Token};
use tantei::bundle::collectors::BundleCollector;
use tantei::clock::ReplayClock;
use tantei::config::Config;
use tantei::driver::Settings;
use tantei::ports::{AlarmStates, Evidence, Queue};
use tantei::service::{Parts, Service};
use tantei::store::Store;
use tantei_engine::model::time::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::support::lab_incident;

pub(crate) const KEY: &str = "a-key-for-tests";

/// A running server.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
    pub(crate) store: Store,
    pub(crate) service: Service,
    pub(crate) stop: CancellationToken,
    pub(crate) clock: Arc<ReplayClock>,
}

/// What a server asks of the world.
pub(crate) struct World {
    pub(crate) clock: Arc<ReplayClock>,
    pub(crate) evidence: Arc<dyn Evidence>,
    pub(crate) queue: Option<Arc<dyn Queue>>,
    pub(crate) states: Vec<Arc<dyn AlarmStates>>,
}

impl World {
    /// The time stands still, evidence is the recorded incident of the project, and alarms come over HTTP only.
    pub(crate) fn at(now: &str) -> Self {
        let clock = Arc::new(ReplayClock::new(now.parse().unwrap()));
        let evidence = Arc::new(BundleCollector::new(&lab_incident()));
        Self { clock, evidence, queue: None, states: Vec::new() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Server {
    /// The first node of a store: it makes the tokens as well.
    pub(crate) async fn start(store: Store, config: Config, now: &str) -> Self {
        Self::start_in(store, config, World::at(now)).await
    }

    /// The same in a world of its own.
    pub(crate) async fn start_in(store: Store, config: Config, world: World) -> Self {
        for role in [Role::Viewer, Role::Operator] {
            let created_at = Timestamp::from_secs(0);
            let token = Token { name: role.name().to_owned(), role, created_at, expires_at: None };
            store.add_token(&access::hash(role.name()), &token).await.unwrap();
        }
        Self::join(store, config, world).await
    }

    /// A further node.
    pub(crate) async fn join(store: Store, config: Config, world: World) -> Self {
        let World { clock, evidence, queue, states } = world;
        let library = Arc::new(tantei::playbooks::shipped().unwrap());
        let settings = Settings { library, ..Settings::default() };
        let parts =
            Parts { config, store: store.clone(), clock: clock.clone(), evidence, queue, states, settings };
        let service = Service::new(parts).unwrap();
        let kept = service.clone();
        let stop = CancellationToken::new();
        tokio::spawn({
            let (service, stop) = (service.clone(), stop.clone());
            async move { service.run(stop).await }
        });
        let (told, address) = tokio::sync::oneshot::channel();
        let listen = "127.0.0.1:0".parse().unwrap();
        tokio::spawn({
            let stop = stop.clone();
            async move {
                tantei::http::serve(service, listen, stop, |a| told.send(a).unwrap()).await.unwrap();
            }
        });
        let url = format!("http://{}", address.await.unwrap());
        Self { url, client: reqwest::Client::new(), service: kept, store, stop, clock }
    }

    pub(crate) async fn event(&self, event: &Value, key: &str) -> (StatusCode, Value) {
        let request = self.client.post(format!("{}/v1/alarms/eventbridge", self.url));
        let answer = request.header("x-api-key", key).body(event.to_string()).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth("viewer");
        let answer = request.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(token).json(body);
        let answer = request.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap_or_default())
    }

    /// Asks until the answer is as wanted; says what it was when it never is.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..600 {
            last = self.get(path).await.1;
            if wanted(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{path} never became what was waited for: {last}");
    }
}

/// Settings under which [`KEY`] is an API key.
pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.eventbridge.key_hashes = vec![access::hash(KEY)];
    config
}

/// What EventBridge tells when an alarm on a Lambda function changes its state.
pub(crate) fn event(id: &str, alarm: &str, state: &str, at: &str) -> Value {
    json!({
        "version": "0", "id": id, "detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch",
        "account": "111122223333", "time": at, "region": "ap-northeast-1",
        "resources": [format!("arn:aws:cloudwatch:ap-northeast-1:111122223333:alarm:{alarm}")],
        "detail": {
            "alarmName": alarm,
            "state": {"value": state, "timestamp": at, "reason": "Threshold Crossed"},
            "previousState": {"value": "OK", "timestamp": at},
            "configuration": {"metrics": [{"id": "m1", "returnData": true, "metricStat": {
                "metric": {"namespace": "AWS/Lambda", "name": "Errors", "dimensions": {"FunctionName": alarm}},
                "period": 60, "stat": "Sum"}}]},
        },
    })
}

/// The incident of the bundle that the server's collector replays, as somebody would start it by hand.
pub(crate) fn start() -> Value {
    let text = std::fs::read_to_string(lab_incident().join("incident.json")).unwrap();
    let manifest: Value = serde_json::from_str(&text).unwrap();
    let trigger = &manifest["trigger"];
    json!({
        "title": "shop is slow", "resource": trigger["resource"], "metric": trigger["metric"],
        "stat": trigger["stat"], "direction": trigger["direction"], "at": trigger["at"],
        "window": manifest["window"], "baseline": manifest["baseline"],
    })
}
