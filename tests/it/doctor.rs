//! `tantei doctor` against a fake AWS over the wire: it names what is missing, exactly that, and how to mend it.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::Value;
use tantei::aws::apis;

use crate::aws::small;
use crate::fake_aws::query::TOPIC;
use crate::fake_aws::{Fake, Fault};

struct Bench {
    fake: Arc<Fake>,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let bundle = small();
        Self { fake: Fake::serve(bundle.path()).await, folder: tempfile::tempdir().unwrap() }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("tantei.db")
    }

    fn settings(&self, more: &str) -> String {
        format!(
            "[store]\nurl = \"sqlite:{}\"\n[aws]\nregion = \"ap-northeast-1\"\nendpoint = \"{}\"\n{more}",
            self.store().display(),
            self.fake.url()
        )
    }

    async fn run(&self, settings: &str) -> (i32, Value) {
        let output = self.output(settings, &["--json"], true).await;
        let document = serde_json::from_slice(&output.stdout);
        let document = document.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code().unwrap(), document)
    }

    async fn output(&self, settings: &str, args: &[&str], credentials: bool) -> Output {
        let file = self.folder.path().join("tantei.toml");
        std::fs::write(&file, settings).unwrap();
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let run = move || {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tantei"));
            command.arg("doctor").args(args).arg("--config").arg(file);
            command.env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", "/nonexistent");
            if credentials {
                command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "example");
            }
            command.output().unwrap()
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }
}

fn checks(document: &Value) -> &Vec<Value> {
    document["findings"]["checks"].as_array().unwrap()
}

fn problems(document: &Value) -> Vec<&Value> {
    checks(document).iter().filter(|c| c["status"] == "problem").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_everything_is_granted_it_says_so_and_leaves_nothing_behind() {
    let bench = Bench::new().await;
    let more = format!(
        "[sns]\ntopics = [\"{TOPIC}\"]\n[sqs]\nqueue_url = \"{}/111122223333/alarms\"\n",
        bench.fake.url()
    );
    let (code, document) = bench.run(&bench.settings(&more)).await;
    assert_eq!((code, problems(&document)), (0, vec![]), "{document}");
    assert_eq!((&document["ok"], &document["policy"]), (&Value::Bool(true), &Value::Null));
    let tested =
        |topic: &str| checks(&document).iter().filter(|c| c["topic"] == topic && c["status"] == "ok").count();
    assert_eq!(tested("permission"), apis::ALL.len() + 1, "every operation has a harmless call: {document}");
    assert_eq!((tested("clock"), tested("store"), tested("delivery")), (2, 3, 2), "{document}");
    assert!(!bench.store().exists(), "the store is not made");
    assert!(document["findings"]["micro_usd"].as_u64().unwrap() < 100, "{document}");
    // Nothing real was asked for.
    for query in bench.fake.asked("StartQuery") {
        assert_eq!(query["logGroupName"], "tantei-doctor/does-not-exist");
    }
    assert!(bench.fake.asked("ReceiveMessage").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_denied_operation_is_named_and_no_other() {
    let bench = Bench::new().await;
    for api in apis::ALL {
        bench.fake.fail(api.operation, Fault::AccessDenied);
        let (code, document) = bench.run(&bench.settings("")).await;
        let found = problems(&document);
        let missing: Vec<&str> = found.iter().filter_map(|c| c["missing"].as_str()).collect();
        assert_eq!((code, found.len()), (1, 1), "{}: {document}", api.action);
        // The fake names the action as AWS does; it calls every service `svc`.
        assert_eq!(missing, [format!("svc:{}", api.operation)]);
        assert_eq!(document["policy"]["Statement"][0]["Action"][0], missing[0]);
        bench.fake.mend(api.operation);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_roles_and_topics_that_do_not_work_are_told() {
    let bench = Bench::new().await;
    let place = "[[aws.places]]\naccount = \"222233334444\"\nregion = \"us-east-1\"\n\
                 role_arn = \"arn:aws:iam::222233334444:role/reader\"\nexternal_id = \"x\"\n";
    let keys = |document: &Value| -> Vec<String> {
        problems(document).iter().map(|c| c["says"].as_str().unwrap().to_owned()).collect()
    };
    // The fake is of one account whoever asks.
    let (_, document) = bench.run(&bench.settings(place)).await;
    assert_eq!(keys(&document), ["doctor-other-account"]);
    bench.fake.fail("AssumeRole", Fault::AccessDenied);
    let (_, document) = bench.run(&bench.settings(place)).await;
    assert_eq!(keys(&document), ["doctor-role-failed"], "{document}");
    let (_, document) =
        bench.run(&bench.settings("[sns]\ntopics = [\"arn:aws:sns:ap-northeast-1:1:other\"]\n")).await;
    assert_eq!(keys(&document), ["doctor-topic-missing"]);
    bench.fake.fail("GetCallerIdentity", Fault::ExpiredToken);
    let (code, document) = bench.run(&bench.settings("")).await;
    assert_eq!((code, keys(&document)), (1, vec!["doctor-credentials-failed".to_owned()]));
    assert!(document.to_string().contains("expired"), "{document}");
    assert!(bench.fake.asked("ListMetrics").len() <= 3, "what cannot work is not tried");
    // Without any credentials, in both languages, for people.
    for (lang, expected) in [("en", "no usable AWS credentials"), ("ja", "問題")] {
        let output = bench.output(&bench.settings(""), &["--lang", lang], false).await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.code() == Some(1) && text.contains(expected), "{text}");
        assert!(!text.contains("[doctor-") && !text.contains("{ $"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_stores_and_settings_are_tested() {
    let bench = Bench::new().await;
    bench.fake.skew_s.store(-600, Ordering::Relaxed);
    let (code, document) = bench.run(&bench.settings("")).await;
    let found = problems(&document);
    assert_eq!((code, &found[0]["says"]), (1, &Value::from("doctor-clock-off")), "{document}");
    let ahead: i64 = found[0]["with"][0][1].as_str().unwrap().parse().unwrap();
    assert!((599..=602).contains(&ahead), "{ahead}");
    bench.fake.skew_s.store(0, Ordering::Relaxed);
    // A store that can only be read.
    let file = bench.folder.path().join("old.db");
    drop(tantei::store::Store::open(&format!("sqlite:{}", file.display())).await.unwrap());
    let read_only = format!("sqlite:{}?mode=ro", file.display());
    let settings = bench.settings("").replace(&format!("sqlite:{}", bench.store().display()), &read_only);
    let (code, document) = bench.run(&settings).await;
    assert_eq!(code, 1);
    assert!(problems(&document).iter().all(|c| c["topic"] == "store"), "{document}");
    assert!(document.to_string().contains("readonly"), "{document}");
    // A store that no server has used yet is looked at and left as it is.
    std::fs::write(bench.store(), "").unwrap();
    let (code, document) = bench.run(&bench.settings("")).await;
    assert_eq!(code, 0, "{document}");
    assert!(document.to_string().contains("doctor-store-behind"), "{document}");
    let store = tantei::store::Store::connect(&format!("sqlite:{}", bench.store().display())).await.unwrap();
    assert!(matches!(store.tables().await.unwrap(), tantei::store::check::Tables::Behind(_)));
    std::fs::remove_file(bench.store()).unwrap();
    // A folder that is not there.
    let nowhere = bench.settings("").replace("tantei.db", "no/such/tantei.db");
    assert_eq!(bench.run(&nowhere).await.0, 1);
    // All that is wrong with the settings at once, and nothing is tried with them.
    let asked = bench.fake.asked("GetCallerIdentity").len();
    let (code, document) = bench.run("[triage]\ndeep_max = 0\n[retention]\ndays = 0\n").await;
    assert_eq!((code, problems(&document).len()), (1, 2), "{document}");
    assert_eq!(bench.fake.asked("GetCallerIdentity").len(), asked);
    assert!(Path::new(&file).exists());
}
