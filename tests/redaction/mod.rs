//! Samples for the redactor, made at test time from a seed: values of every listed kind in many contexts, and harmless lines.
//!
//! Nothing here knows how the redactor works. The listed kinds are those of `../shared/security/redaction_kinds.json`.

pub(crate) mod people;
pub(crate) mod random;
pub(crate) mod secrets;

use random::{Random, to_base64, to_percent};

/// Kinds of secrets.
pub(crate) const SECRETS: &[&str] = &[
    "ado_conn",
    "age_secret_key",
    "amqp_url",
    "anthropic",
    "aws_access_key_id",
    "aws_bedrock_api_key",
    "aws_presigned_url_sig",
    "aws_secret_access_key",
    "aws_session_token",
    "azure_ad_secret",
    "azure_storage_key",
    "basic_auth",
    "bearer_opaque",
    "csrf_or_api_query",
    "databricks",
    "datadog_api",
    "db_url_mongo",
    "db_url_mysql",
    "db_url_postgres",
    "db_url_redis",
    "discord_webhook",
    "docker_pat",
    "gcp_api_key",
    "gcp_sa_private_key",
    "generic_secret_kv",
    "github_fine_grained",
    "github_token_gho",
    "github_token_ghp",
    "github_token_ghr",
    "github_token_ghs",
    "github_token_ghu",
    "gitlab_pat",
    "grafana_sa",
    "http_url_creds",
    "huggingface",
    "jdbc_param",
    "jwt",
    "k8s_secret_b64",
    "kubeconfig_key",
    "line_channel_token",
    "mailgun",
    "newrelic",
    "npm_token",
    "openai",
    "pagerduty_routing",
    "password_cli",
    "password_env",
    "password_json",
    "password_msg",
    "password_xml",
    "password_yaml",
    "private_key_ec",
    "private_key_escaped",
    "private_key_openssh",
    "private_key_pgp",
    "private_key_pkcs8",
    "private_key_rsa",
    "private_key_truncated",
    "pypi_token",
    "secretsmanager_dump",
    "sendgrid",
    "sentry_auth",
    "session_cookie",
    "shopify",
    "slack_app",
    "slack_bot",
    "slack_rotating",
    "slack_signing_secret",
    "slack_user",
    "slack_webhook",
    "ssm_securestring_dump",
    "stripe_live",
    "telegram_bot",
    "terraform_cloud",
    "twilio",
    "userinfo_urlencoded",
    "vault_token",
];

/// Kinds of personal data.
pub(crate) const PERSONAL: &[&str] = &[
    "card_amex",
    "card_amex_sep",
    "card_diners",
    "card_diners_sep",
    "card_disc",
    "card_disc_sep",
    "card_jcb",
    "card_jcb_sep",
    "card_mc",
    "card_mc_sep",
    "card_visa",
    "card_visa_sep",
    "email",
    "iban",
    "ipv4_public",
    "ipv6_public",
    "jp_address",
    "jp_bank_account",
    "jp_driver_license",
    "jp_passport",
    "jp_residence_card",
    "mac",
    "mynumber",
    "mynumber_sep",
    "phone_jp_intl",
    "phone_jp_intl_plain",
    "phone_jp_landline",
    "phone_jp_mobile",
    "phone_jp_mobile_plain",
    "phone_uk",
    "phone_us",
    "us_ssn",
];

/// Kinds of harmless lines.
pub(crate) const HARMLESS: &[&str] = &[
    "alb_tg",
    "arn_account",
    "arn_lambda",
    "auth_prose",
    "certificate",
    "cidr",
    "corporate_number",
    "ec2_ids",
    "ecs_task",
    "either",
    "epoch_ms",
    "etag",
    "git_sha",
    "iam_unique_ids",
    "image_digest",
    "jp_date_number",
    "k8s_pod",
    "kms_key",
    "log_stream",
    "masked",
    "metric",
    "order_16",
    "private_dns",
    "private_ip",
    "public_key",
    "request_id",
    "s3_key",
    "sql",
    "ssh_pub",
    "stack_java",
    "traceparent",
    "version_like_ip",
    "xray",
];

/// Contexts in which a value is shown.
pub(crate) const CONTEXTS: &[&str] = &[
    "plain",
    "timestamped",
    "json",
    "json_escaped",
    "logfmt",
    "header",
    "stack",
    "url",
    "japanese",
    "brackets",
    "split",
    "split_indented",
    "base64",
    "percent",
];

/// A value and the text that holds it.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) value: String,
    pub(crate) text: String,
    /// It has lines of its own: contexts of one line would change what it is.
    pub(crate) whole_lines: bool,
    bare: bool,
}

impl Sample {
    /// A value that is known wherever it stands.
    pub(crate) fn bare(value: &str) -> Self {
        Self { value: value.to_owned(), text: value.to_owned(), whole_lines: false, bare: true }
    }

    /// A value within a text that tells what it is.
    pub(crate) fn of(value: &str, text: &str) -> Self {
        let whole_lines = text.contains('\n');
        Self { value: value.to_owned(), text: text.to_owned(), whole_lines, bare: false }
    }
}

/// A text to redact, and what must be gone from it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) text: String,
    pub(crate) gone: Vec<String>,
}

/// A sample of a kind.
pub(crate) fn sample(kind: &str, r: &mut Random) -> Sample {
    secrets::prefixed(kind, r)
        .or_else(|| secrets::named(kind, r))
        .or_else(|| secrets::written(kind, r))
        .or_else(|| people::sample(kind, r))
        .unwrap_or_else(|| panic!("no samples of `{kind}`"))
}

/// The sample in a context; `None` where that context makes no sense for it.
pub(crate) fn shown(sample: &Sample, context: &str, r: &mut Random) -> Option<Shown> {
    let (t, v) = (&sample.text, &sample.value);
    let one_line = |text: String| (!sample.whole_lines).then(|| Shown { text, gone: vec![v.clone()] });
    let escaped = || serde_json::to_string(t).unwrap();
    match context {
        "plain" => Some(Shown { text: t.clone(), gone: vec![v.clone()] }),
        "timestamped" => {
            one_line(format!("2026-11-24T09:12:03.113Z ERROR orders [main] c.e.Orders - {t} (attempt 3)"))
        }
        "json" => {
            let text =
                format!(r#"{{"ts":"2026-11-24T09:12:03Z","level":"error","msg":{},"dur_ms":12}}"#, escaped());
            let inner = serde_json::to_string(v).unwrap();
            Some(Shown { text, gone: vec![inner.trim_matches('"').to_owned()] })
        }
        "json_escaped" => {
            let inner = format!(r#"{{"detail":{}}}"#, escaped());
            let text = format!(r#"{{"message":{}}}"#, serde_json::to_string(&inner).unwrap());
            Some(Shown { text, gone: vec![v.clone()] })
        }
        "logfmt" => {
            one_line(format!("ts=2026-11-24T09:12:03Z level=warn svc=orders msg={} status=500", escaped()))
        }
        "header" => sample.bare.then(|| Shown {
            text: format!("> x-forwarded-value: {t}\r\n> accept: */*"),
            gone: vec![v.clone()],
        }),
        "stack" => one_line(format!(
            "java.lang.IllegalStateException: rejected {t}\n\tat com.example.Orders.run(Orders.java:42)"
        )),
        "url" => {
            let fits = sample.bare
                && v.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
            fits.then(|| Shown {
                text: format!("GET https://api.internal/v1/lookup?q={v}&page=2 200"),
                gone: vec![v.clone()],
            })
        }
        "japanese" => one_line(format!("エラーが発生しました。入力値 {t} を確認してください。")),
        "brackets" => one_line(format!("values=[{t}], next=7")),
        "split" | "split_indented" => split(sample, context, r),
        "base64" => {
            let encoded = to_base64(t.as_bytes());
            let middle = encoded[encoded.len() / 4..encoded.len() * 3 / 4].to_owned();
            Some(Shown { text: format!("payload {encoded} received"), gone: vec![middle] })
        }
        "percent" => one_line(format!("GET /cb?state=ok&data={}&n=1", to_percent(t)))
            .map(|shown| Shown { gone: vec![to_percent(v), v.clone()], ..shown }),
        other => panic!("no context `{other}`"),
    }
}

/// The value broken in two by the end of a line.
fn split(sample: &Sample, context: &str, r: &mut Random) -> Option<Shown> {
    let v = &sample.value;
    if sample.whole_lines || !v.is_ascii() || v.len() < 8 || sample.text.contains('\n') {
        return None;
    }
    let at = r.within(3, v.len() - 3);
    let (a, b) = v.split_at(at);
    if a.ends_with(' ') || b.starts_with(' ') {
        return None;
    }
    let indent = if context == "split" { "" } else { "    " };
    let text = sample.text.replacen(v, &format!("{a}\n{indent}{b}"), 1);
    let gone = [a, b].into_iter().filter(|h| h.len() >= 6).map(ToOwned::to_owned).collect();
    Some(Shown {
        text: format!("2026-11-24 09:12:03 WARN got {text} from client\n2026-11-24 09:12:04 INFO next"),
        gone,
    })
}
