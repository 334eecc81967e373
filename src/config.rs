//! The operator's settings: one TOML file, then environment variables over it. All that is wrong is told at once.
//!
//! Secrets are never in the file: it names the environment variable that holds them. Knows no defaults of AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::network::Network;

/// The commented example, which a test reads: what it says is what is read.
pub const EXAMPLE: &str = include_str!("../tantei.example.toml");

/// All settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where feeds are kept.
    pub store: StoreConfig,
    /// Where it listens.
    pub http: HttpConfig,
    /// SNS topics.
    pub sns: SnsConfig,
    /// EventBridge.
    pub eventbridge: EventBridgeConfig,
    /// SQS.
    pub sqs: SqsConfig,
    /// AWS.
    pub aws: AwsConfig,
    /// How alarms become investigations.
    pub triage: TriageConfig,
    /// Where evidence comes from.
    pub evidence: EvidenceConfig,
    /// Values that playbooks may take by name.
    pub playbooks: PlaybookConfig,
    /// How long things are kept.
    pub retention: RetentionConfig,
    /// What Tantei tells of itself.
    pub telemetry: TelemetryConfig,
    /// What stands in the place of secrets and personal data.
    pub redaction: RedactionConfig,
}

/// Where feeds are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// `sqlite:FILE` or `postgres://…`.
    pub url: String,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { url: "sqlite:tantei.db".to_owned() }
    }
}

/// Where it listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// Alarms that one address may send each second.
    pub alarms_per_second: u32,
    /// Wrong tokens and API keys that may come from one address each minute.
    pub wrong_tokens_per_minute: u32,
    /// Proxies whose word for whom they speak counts.
    pub trusted_proxies: Vec<Network>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        // Loopback: what is open to others is opened on purpose.
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8_080)),
            alarms_per_second: 5_000,
            wrong_tokens_per_minute: 10,
            trusted_proxies: Vec::new(),
        }
    }
}

/// SNS topics.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SnsConfig {
    /// ARNs of topics whose messages are taken, compared exactly.
    pub topics: Vec<String>,
    /// Whether messages signed with SHA-1 (version 1, SNS's default) are refused.
    pub require_version_2: bool,
    /// Certificates by URL, for nodes that cannot fetch them: URL → PEM file.
    pub certificates: BTreeMap<String, PathBuf>,
}

/// EventBridge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventBridgeConfig {
    /// SHA-256 of the API keys that API destinations send, in hexadecimal.
    pub key_hashes: Vec<String>,
}

/// SQS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SqsConfig {
    /// The queue into which alarms are delivered; none when absent.
    pub queue_url: Option<String>,
}

/// AWS: credentials come from the standard chain only.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AwsConfig {
    /// The Region; that of the standard chain when absent.
    pub region: Option<String>,
    /// Where to send requests instead of AWS: a VPC endpoint, or a fake in tests.
    pub endpoint: Option<String>,
    /// Whether CloudWatch is asked for alarms that were never delivered.
    pub reconcile: bool,
    /// Log groups of resources that no convention finds.
    pub log_groups: BTreeMap<String, Vec<String>>,
    /// Bytes that the log queries of one investigation may scan.
    pub log_bytes_max: u64,
    /// Changes that are nobody's cause.
    pub ignored_changes: IgnoredChanges,
    /// Other accounts and Regions.
    pub places: Vec<PlaceConfig>,
}

impl Default for AwsConfig {
    fn default() -> Self {
        Self {
            region: None,
            endpoint: None,
            reconcile: true,
            log_groups: BTreeMap::new(),
            log_bytes_max: 20_000_000_000,
            ignored_changes: IgnoredChanges::default(),
            places: Vec::new(),
        }
    }
}

/// Changes that are not looked at, such as what a scheduler does every minute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IgnoredChanges {
    /// Event sources, such as `ssm.amazonaws.com`.
    pub services: BTreeSet<String>,
    /// Event names, such as `RegisterTargets`.
    pub events: BTreeSet<String>,
    /// Parts of a principal's ARN, such as a role's name.
    pub principals: BTreeSet<String>,
    /// Names of sessions behind a role.
    pub sessions: BTreeSet<String>,
}

/// Another account or Region.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceConfig {
    /// The account, 12 digits.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The role to assume there; the credentials themselves when absent.
    pub role_arn: Option<String>,
    /// What the account's owner agreed on.
    pub external_id: Option<String>,
}

/// How alarms become investigations.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TriageConfig {
    /// Deep investigations at one time.
    pub deep_max: usize,
    /// Known dependencies, caller → callee, each `account/region/resource`.
    pub edges: Vec<(String, String)>,
}

impl Default for TriageConfig {
    fn default() -> Self {
        Self { deep_max: 5, edges: Vec::new() }
    }
}

/// Where evidence comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvidenceConfig {
    /// A recorded incident instead of AWS: for trials and tests.
    pub bundle: Option<PathBuf>,
}

/// Values that playbooks may take by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlaybookConfig {
    /// A folder of your own playbooks instead of the shipped ones.
    pub folder: Option<PathBuf>,
    /// Settings such as `automation_role`.
    pub settings: BTreeMap<String, String>,
}

/// What stands in the place of secrets and personal data.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedactionConfig {
    /// The file that holds the key of pseudonyms; without one they are other ones after every start.
    pub key_file: Option<PathBuf>,
    /// The key, out of the environment or the file; never in the settings.
    #[serde(skip)]
    pub key: Option<String>,
}

impl fmt::Debug for RedactionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedactionConfig").field("key_file", &self.key_file).finish_non_exhaustive()
    }
}

/// How long things are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// Days for which ended investigations are kept.
    pub days: u32,
    /// Where they are exported before they are deleted; without it nothing is deleted.
    pub export: Option<PathBuf>,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { days: 90, export: None }
    }
}

/// What Tantei tells of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// The OpenTelemetry collector that takes traces over HTTP; none are made when absent.
    pub otlp_endpoint: Option<String>,
}

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<String>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings cannot be used:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

impl std::error::Error for ConfigErrors {}

/// Environment variables that replace a setting.
const VARIABLES: [(&str, Set); 5] = [
    ("TANTEI_STORE_URL", |c, v| {
        v.clone_into(&mut c.store.url);
        Ok(())
    }),
    ("TANTEI_HTTP_LISTEN", |c, v| {
        c.http.listen = v.parse().map_err(|_| "is no address and port such as 127.0.0.1:8080".to_owned())?;
        Ok(())
    }),
    ("TANTEI_REDACTION_KEY", |c, v| {
        c.redaction.key = Some(v.to_owned()).filter(|key| !key.is_empty());
        Ok(())
    }),
    ("TANTEI_SNS_TOPICS", |c, v| {
        c.sns.topics = v.split(',').map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect();
        Ok(())
    }),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", |c, v| {
        c.telemetry.otlp_endpoint = (!v.is_empty()).then(|| v.to_owned());
        Ok(())
    }),
];

type Set = fn(&mut Config, &str) -> Result<(), String>;

impl Config {
    /// Reads the file, when one is named, and the environment over it.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load(
        file: Option<&Path>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigErrors> {
        let mut problems = Vec::new();
        let mut config = match file {
            None => Self::default(),
            Some(path) => match std::fs::read_to_string(path) {
                Err(e) => return Err(ConfigErrors(vec![format!("{} cannot be read: {e}", path.display())])),
                Ok(text) => match toml::from_str(&text) {
                    Ok(config) => config,
                    Err(e) => {
                        problems.push(format!("{}: {}", path.display(), e.to_string().trim_end()));
                        Self::default()
                    }
                },
            },
        };
        for (name, set) in VARIABLES {
            if let Some(Err(problem)) = variable(name).map(|value| set(&mut config, &value)) {
                problems.push(format!("{name} {problem}"));
            }
        }
        if let (None, Some(path)) = (&config.redaction.key, &config.redaction.key_file) {
            match std::fs::read_to_string(path) {
                Ok(key) if key.trim().len() >= 16 => config.redaction.key = Some(key.trim().to_owned()),
                Ok(_) => {
                    problems.push(format!("redaction.key_file: {} holds no 16 characters", path.display()))
                }
                Err(e) => {
                    problems.push(format!("redaction.key_file: {} cannot be read: {e}", path.display()))
                }
            }
        }
        problems.extend(config.problems());
        if problems.is_empty() { Ok(config) } else { Err(ConfigErrors(problems)) }
    }

    /// What is wrong with values that could be read.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let known = ["sqlite:", "postgres://", "postgresql://"];
        if !known.iter().any(|k| self.store.url.starts_with(k)) {
            problems.push("store.url must begin with `sqlite:` or `postgres://`".to_owned());
        }
        if self.aws.ignored_changes.principals.contains("") {
            problems.push("aws.ignored_changes.principals: an empty name would hide every change".to_owned());
        }
        if self.http.alarms_per_second == 0 || self.http.wrong_tokens_per_minute == 0 {
            problems.push(
                "http.alarms_per_second and http.wrong_tokens_per_minute must be at least 1".to_owned(),
            );
        }
        for topic in self.sns.topics.iter().filter(|t| !t.starts_with("arn:")) {
            problems.push(format!("sns.topics: `{topic}` is no ARN of a topic"));
        }
        let hex = |h: &str| h.len() == 64 && h.bytes().all(|b| b.is_ascii_hexdigit());
        for hash in self.eventbridge.key_hashes.iter().filter(|h| !hex(h)) {
            problems
                .push(format!("eventbridge.key_hashes: `{hash}` is no SHA-256 in hexadecimal (64 digits)"));
        }
        for end in self.triage.edges.iter().flat_map(|(a, b)| [a, b]) {
            if end.splitn(3, '/').filter(|p| !p.is_empty()).count() != 3 {
                problems.push(format!("triage.edges: `{end}` is not account/region/resource"));
            }
        }
        if self.triage.deep_max == 0 {
            problems
                .push("triage.deep_max must be at least 1: nothing would ever be investigated".to_owned());
        }
        let http = |e: &&String| !e.starts_with("http://") && !e.starts_with("https://");
        if let Some(endpoint) = self.telemetry.otlp_endpoint.as_ref().filter(http) {
            problems.push(format!("telemetry.otlp_endpoint: `{endpoint}` is no http:// or https:// address"));
        }
        if self.retention.days == 0 {
            problems.push("retention.days must be at least 1".to_owned());
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_what_is_read_and_states_the_defaults() {
        let example: Config = toml::from_str(EXAMPLE).unwrap();
        assert_eq!(example, Config::default());
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tantei.toml");
        let text = "[store]\nurl = \"mysql://x\"\n[sns]\ntopics = [\"alarms\"]\n[triage]\ndeep_max = 0\n\
                    edges = [[\"a/b\", \"1/r/x\"]]\n[http]\nalarms_per_second = 0\n[eventbridge]\nkey_hashes = [\"secret\"]\n[retention]\ndays = 0\n";
        std::fs::write(&file, text).unwrap();
        let variable = |name: &str| (name == "TANTEI_HTTP_LISTEN").then(|| "here".to_owned());
        let errors = Config::load(Some(&file), variable).unwrap_err();
        assert_eq!(errors.0.len(), 8, "{errors}");
        std::fs::write(&file, "[http]\ntrusted_proxies = [\"balancer\"]\n").unwrap();
        let errors = Config::load(Some(&file), |_| None).unwrap_err();
        assert!(errors.to_string().contains("`balancer` is no address"), "{errors}");
        std::fs::write(&file, "[stor]\nurl = 1\n").unwrap();
        let errors = Config::load(Some(&file), |_| None).unwrap_err();
        assert!(errors.to_string().contains("stor"), "{errors}");
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let variable = |name: &str| (name == "TANTEI_STORE_URL").then(|| "sqlite:other.db".to_owned());
        assert_eq!(Config::load(None, variable).unwrap().store.url, "sqlite:other.db");
    }
}
