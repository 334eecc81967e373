//! Signs SNS messages as SNS does, with the key of `tests/fixtures`: for tests and benchmarks of the intake.

use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The topic of all messages.
pub(crate) const TOPIC: &str = "arn:aws:sns:ap-northeast-1:111122223333:alarms";

/// Where SNS would say that its certificate is.
pub(crate) const CERTIFICATE_URL: &str =
    "https://sns.ap-northeast-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";

/// The certificate that fits the key.
#[must_use]
pub(crate) fn certificate(root: &Path) -> PathBuf {
    root.join("tests/fixtures/sns_test_cert.pem")
}

/// Signs.
#[derive(Debug)]
pub(crate) struct Signer {
    key: RsaKeyPair,
}

impl Signer {
    /// With the key of the fixtures.
    ///
    /// # Panics
    /// When the key is absent.
    #[must_use]
    pub(crate) fn new(root: &Path) -> Self {
        let key = std::fs::read(root.join("tests/fixtures/sns_test_key.p8")).unwrap();
        Self { key: RsaKeyPair::from_pkcs8(&key).unwrap() }
    }

    /// A notification with this message.
    ///
    /// # Panics
    /// When it cannot be signed.
    #[must_use]
    pub(crate) fn notification(&self, id: &str, message: &Value, at: &str) -> String {
        let message = message.to_string();
        let text = format!(
            "Message\n{message}\nMessageId\n{id}\nTimestamp\n{at}\nTopicArn\n{TOPIC}\nType\nNotification\n"
        );
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        json!({
            "Type": "Notification", "MessageId": id, "TopicArn": TOPIC, "Message": message, "Timestamp": at,
            "SignatureVersion": "2", "Signature": STANDARD.encode(signature), "SigningCertURL": CERTIFICATE_URL,
            "UnsubscribeURL": "https://sns.ap-northeast-1.amazonaws.com/?Action=Unsubscribe",
        })
        .to_string()
    }
}

/// What CloudWatch publishes when an alarm on a Lambda function fires.
#[must_use]
pub(crate) fn alarm_message(alarm: &str, state: &str, at: &str) -> Value {
    json!({
        "AlarmName": alarm, "AlarmDescription": null, "AWSAccountId": "111122223333",
        "AlarmConfigurationUpdatedTimestamp": "2026-11-01T00:00:00.000+0000",
        "NewStateValue": state, "OldStateValue": "OK", "NewStateReason": "Threshold Crossed",
        "StateChangeTime": at, "Region": "Asia Pacific (Tokyo)",
        "AlarmArn": format!("arn:aws:cloudwatch:ap-northeast-1:111122223333:alarm:{alarm}"),
        "OKActions": [], "AlarmActions": [TOPIC], "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": "Errors", "Namespace": "AWS/Lambda", "StatisticType": "Statistic", "Statistic": "SUM",
            "Unit": null, "Dimensions": [{"name": "FunctionName", "value": alarm}], "Period": 60,
            "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 5.0,
            "TreatMissingData": "missing", "EvaluateLowSampleCountPercentile": "",
        },
    })
}
