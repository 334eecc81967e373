//! Samples of secrets: a value and the text that it stands in, one function a family, made anew for every seed.

use super::Sample;
use super::random::{Random, to_base64};

fn token(prefix: &str, body: &str) -> Sample {
    Sample::bare(&format!("{prefix}{body}"))
}

/// Tokens that say what they are.
pub(crate) fn prefixed(kind: &str, r: &mut Random) -> Option<Sample> {
    Some(match kind {
        "age_secret_key" => token("AGE-SECRET-KEY-1", &r.upper(58)),
        "anthropic" => token("sk-ant-api03-", &(r.token(93) + "AA")),
        "aws_access_key_id" => token(r.pick(&["AKIA", "ASIA"]), &r.upper(16)),
        "aws_bedrock_api_key" => token("ABSKQmVkcm9ja0FQSUtleS", &r.base64(110)),
        "databricks" => token("dapi", &r.hex(32)),
        "docker_pat" => token("dckr_pat_", &r.token(27)),
        "gcp_api_key" => token("AIza", &("Sy".to_owned() + &r.token(33))),
        "github_fine_grained" => token("github_pat_", &format!("{}_{}", r.alnum(22), r.alnum(59))),
        "github_token_gho" => token("gho_", &r.alnum(36)),
        "github_token_ghp" => token("ghp_", &r.alnum(36)),
        "github_token_ghr" => token("ghr_", &r.alnum(36)),
        "github_token_ghs" => token("ghs_", &r.alnum(36)),
        "github_token_ghu" => token("ghu_", &r.alnum(36)),
        "gitlab_pat" => token("glpat-", &r.token(20)),
        "grafana_sa" => token("glsa_", &format!("{}_{}", r.alnum(32), r.hex(8))),
        "huggingface" => token("hf_", &r.alnum(34)),
        "jwt" => jwt(r),
        "mailgun" => token("key-", &r.hex(32)),
        "newrelic" => token("NRAK-", &r.upper(27)),
        "npm_token" => token("npm_", &r.alnum(36)),
        "openai" => match r.below(2) {
            0 => token("sk-proj-", &format!("{}T3BlbkFJ{}", r.token(74), r.token(74))),
            _ => token("sk-", &format!("{}T3BlbkFJ{}", r.alnum(20), r.alnum(20))),
        },
        "pypi_token" => token("pypi-", &format!("AgEIcHlwaS5vcmc{}", r.token(150))),
        "sendgrid" => token("SG.", &format!("{}.{}", r.token(22), r.token(43))),
        "sentry_auth" => token("sntrys_", &format!("eyJ{}_{}", r.alnum(90), r.alnum(43))),
        "shopify" => token("shpat_", &r.hex(32)),
        "slack_app" => token("xapp-1-", &format!("A{}-{}-{}", r.upper(10), r.digits(13), r.hex(64))),
        "slack_bot" => token("xoxb-", &format!("{}-{}-{}", r.digits(12), r.digits(13), r.alnum(24))),
        "slack_rotating" => token("xoxe.xoxp-1-", &r.alnum(160)),
        "slack_user" => {
            token("xoxp-", &format!("{}-{}-{}-{}", r.digits(12), r.digits(12), r.digits(13), r.hex(32)))
        }
        "stripe_live" => token(r.pick(&["sk_live_", "rk_live_"]), &r.alnum(24)),
        "telegram_bot" => Sample::bare(&format!("{}:AA{}", r.digits(10), r.token(33))),
        "terraform_cloud" => Sample::bare(&format!("{}.atlasv1.{}", r.alnum(14), r.token(67))),
        "twilio" => token("SK", &r.hex(32)),
        "vault_token" => token(r.pick(&["hvs.", "hvb."]), &r.token(90)),
        _ => return None,
    })
}

fn jwt(r: &mut Random) -> Sample {
    let part =
        |json: String| to_base64(json.as_bytes()).trim_end_matches('=').replace('+', "-").replace('/', "_");
    let claims = format!(r#"{{"sub":"{}","iss":"auth","iat":1795500000}}"#, r.alnum(12));
    Sample::bare(&format!(
        "{}.{}.{}",
        part(r#"{"alg":"HS256","typ":"JWT"}"#.to_owned()),
        part(claims),
        r.token(43)
    ))
}

/// Secrets that their name gives away.
#[expect(clippy::too_many_lines, reason = "a table: one arm a kind")]
pub(crate) fn named(kind: &str, r: &mut Random) -> Option<Sample> {
    let key = |r: &mut Random, names: &[&str], value: String| {
        let name = r.pick(names).to_owned();
        Sample::of(&value, &pair(r, &name, &value))
    };
    Some(match kind {
        "aws_secret_access_key" => {
            let v = r.base64(40);
            key(r, &["aws_secret_access_key", "SecretAccessKey", "AWS_SECRET_ACCESS_KEY", "secretKey"], v)
        }
        "aws_session_token" => {
            let v = "IQoJb3JpZ2luX2VjE".to_owned() + &r.base64(300);
            key(r, &["aws_session_token", "SessionToken", "AWS_SESSION_TOKEN"], v)
        }
        "azure_ad_secret" => {
            let v = format!("{}{}Q~{}", r.alnum(3), r.digits(1), r.token(34));
            key(r, &["AZURE_CLIENT_SECRET", "clientSecret", "client_secret"], v)
        }
        "datadog_api" => {
            let v = r.hex(32);
            key(r, &["DD_API_KEY", "DD-API-KEY", "datadog_api_key", "dd_app_key"], v)
        }
        "generic_secret_kv" => {
            let n = r.within(16, 48);
            let v = r.alnum(n) + "4z";
            key(
                r,
                &[
                    "client_secret",
                    "API_SECRET",
                    "app.secret",
                    "secretKey",
                    "encryption_key",
                    "SECRET_KEY_BASE",
                    "api_key",
                ],
                v,
            )
        }
        "line_channel_token" => {
            let v = r.base64(171) + "=";
            key(r, &["LINE_CHANNEL_ACCESS_TOKEN", "channel_access_token", "channelAccessToken"], v)
        }
        "pagerduty_routing" => {
            let v = r.hex(32);
            key(r, &["routing_key", "PD_ROUTING_KEY", "integration_key", "pagerduty_routing_key"], v)
        }
        "slack_signing_secret" => {
            let v = r.hex(32);
            key(r, &["SLACK_SIGNING_SECRET", "signing_secret", "signingSecret"], v)
        }
        "csrf_or_api_query" => {
            let v = r.alnum(32);
            let name = r.pick(&["api_key", "access_token", "csrf_token", "token", "apikey", "_csrf"]);
            Sample::of(&v, &format!("GET /v1/orders?page=2&{name}={v}&sort=asc"))
        }
        "session_cookie" => {
            let v = r.alnum(32);
            let name =
                r.pick(&["sessionid", "JSESSIONID", "PHPSESSID", "connect.sid", "session", "_app_session"]);
            let text = match r.below(2) {
                0 => format!("Set-Cookie: {name}={v}; Path=/; HttpOnly; Secure"),
                _ => format!("Cookie: lang=ja; {name}={v}; theme=dark"),
            };
            Sample::of(&v, &text)
        }
        "aws_presigned_url_sig" => {
            let v = r.hex(64);
            let text = format!(
                "https://b.s3.ap-northeast-1.amazonaws.com/k.zip?X-Amz-Date=20261124T000000Z&X-Amz-Expires=900&X-Amz-Signature={v}"
            );
            Sample::of(&v, &text)
        }
        "azure_storage_key" => {
            let v = r.base64(86) + "==";
            Sample::of(
                &v,
                &format!(
                    "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={v};EndpointSuffix=core.windows.net"
                ),
            )
        }
        _ => return None,
    })
}

/// A name and a value as they are written.
fn pair(r: &mut Random, name: &str, value: &str) -> String {
    match r.below(6) {
        0 => format!("{name}={value}"),
        1 => format!("{name}: {value}"),
        2 => format!("\"{name}\": \"{value}\""),
        3 => format!("{name}=\"{value}\""),
        4 => format!("export {name}='{value}'"),
        _ => format!("{{\"{name}\":\"{value}\",\"n\":1}}"),
    }
}

/// Passwords and credentials, by the writing that holds them.
#[expect(clippy::too_many_lines, reason = "a table: one arm a kind")]
pub(crate) fn written(kind: &str, r: &mut Random) -> Option<Sample> {
    let p = r.password();
    let url_safe = r.alnum(14) + "x3";
    let in_url =
        |scheme: &str, rest: &str| Sample::of(&url_safe, &format!("{scheme}://app:{url_safe}@{rest}"));
    Some(match kind {
        "ado_conn" => {
            Sample::of(&p, &format!("Server=db,1433;Database=shop;User ID=app;Password={p};Encrypt=True"))
        }
        "amqp_url" => in_url(r.pick(&["amqp", "amqps"]), "mq.internal:5672/orders"),
        "db_url_mongo" => in_url("mongodb+srv", "cluster0.abcde.mongodb.net/shop"),
        "db_url_mysql" => in_url("mysql", "db.internal:3306/shop"),
        "db_url_postgres" => {
            in_url(r.pick(&["postgres", "postgresql"]), "db.internal:5432/shop?sslmode=require")
        }
        "db_url_redis" => Sample::of(&url_safe, &format!("redis://:{url_safe}@cache.internal:6379/0")),
        "http_url_creds" => in_url("https", "repo.example.com/pkg.tgz"),
        "userinfo_urlencoded" => {
            let v = format!("{}%40{}%2F{}", r.alnum(5), r.alnum(5), r.alnum(3));
            Sample::of(&v, &format!("postgres://app:{v}@db.internal/shop"))
        }
        "jdbc_param" => Sample::of(
            &url_safe,
            &format!("jdbc:mysql://db:3306/shop?user=app&password={url_safe}&useSSL=true"),
        ),
        "basic_auth" => {
            let v = to_base64(format!("app:{p}").as_bytes());
            Sample::of(&v, &format!("Authorization: Basic {v}"))
        }
        "bearer_opaque" => {
            let n = r.within(24, 64);
            let v = r.alnum(n) + "k8";
            Sample::of(
                &v,
                &format!("{} Bearer {v}", r.pick(&["Authorization:", "auth header", "> authorization:"])),
            )
        }
        "password_cli" => {
            let text = match r.below(5) {
                0 => format!("mysql -u root -p{p} shop"),
                1 => format!("sshpass -p {p} ssh app@10.0.0.4"),
                2 => format!("docker login -u ci --password {p} registry.internal"),
                3 => format!("curl -u app:{p} https://api.internal/v1"),
                _ => format!("java -Ddb.password={p} -jar app.jar"),
            };
            Sample::of(&p, &text)
        }
        "password_env" => Sample::of(
            &p,
            &format!(
                "{}={p}",
                r.pick(&["DB_PASSWORD", "PGPASSWORD", "MYSQL_ROOT_PASSWORD", "REDIS_PASSWD", "ADMIN_PWD"])
            ),
        ),
        "password_json" => Sample::of(
            &p,
            &format!(
                r#"{{"user":"app","{}":"{p}","retries":3}}"#,
                r.pick(&["password", "passwd", "userPassword", "db_password"])
            ),
        ),
        "password_msg" => {
            let text = match r.below(5) {
                0 => format!("login failed for user bob with password '{p}'"),
                1 => format!("the password for bob is {p}"),
                2 => format!("temporary password: {p}"),
                3 => format!("ALTER USER app IDENTIFIED BY '{p}'"),
                _ => format!("パスワードは「{p}」です"),
            };
            Sample::of(&p, &text)
        }
        "password_xml" => {
            Sample::of(&p, &format!("<datasource><user>app</user><password>{p}</password></datasource>"))
        }
        "password_yaml" => Sample::of(&p, &format!("db:\n  user: app\n  password: {p}\n  pool: 10")),
        "k8s_secret_b64" => {
            let v = to_base64(p.as_bytes());
            Sample::of(
                &v,
                &format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  db.conf: {v}\n"),
            )
        }
        "secretsmanager_dump" => Sample::of(
            &p,
            &format!(
                r#"{{"ARN":"arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:db","SecretString":"{{\"username\":\"app\",\"password\":\"{p}\"}}"}}"#
            ),
        ),
        "ssm_securestring_dump" => Sample::of(
            &p,
            &format!(
                r#"{{"Parameter":{{"Name":"/prod/db/main","Type":"SecureString","Value":"{p}","Version":3}}}}"#
            ),
        ),
        "slack_webhook" => {
            let v = format!("T{}/B{}/{}", r.upper(8), r.upper(8), r.alnum(24));
            Sample::of(&v, &format!("https://hooks.slack.com/services/{v}"))
        }
        "discord_webhook" => {
            let v = r.token(68);
            Sample::of(&v, &format!("https://discord.com/api/webhooks/{}/{v}", r.digits(19)))
        }
        _ => return key_block(kind, r),
    })
}

/// Private keys, whole, cut, escaped and within other things.
fn key_block(kind: &str, r: &mut Random) -> Option<Sample> {
    let name = match kind {
        "private_key_ec" => "EC ",
        "private_key_openssh" => "OPENSSH ",
        "private_key_rsa" | "private_key_truncated" => "RSA ",
        "private_key_pkcs8"
        | "private_key_escaped"
        | "gcp_sa_private_key"
        | "kubeconfig_key"
        | "private_key_pgp" => "",
        _ => return None,
    };
    let mut lines: Vec<String> = (0..r.within(4, 20)).map(|_| r.base64(64)).collect();
    lines.push(r.base64(40) + "==");
    let (begin, end) = ("-----BEGIN ", "-----END ");
    let suffix = if kind == "private_key_pgp" { "PGP PRIVATE KEY BLOCK-----" } else { "PRIVATE KEY-----" };
    let head = format!("{begin}{name}{suffix}");
    let tail = format!("{end}{name}{suffix}");
    let middle = lines[lines.len() / 2].clone();
    let text = match kind {
        "private_key_escaped" => format!(r"key={head}\n{}\n{tail}\n", lines.join(r"\n")),
        "gcp_sa_private_key" => format!(
            r#"{{"type":"service_account","private_key":"{head}\n{}\n{tail}\n","client_email":"x"}}"#,
            lines.join(r"\n")
        ),
        "kubeconfig_key" => {
            let whole = to_base64(format!("{head}\n{}\n{tail}\n", lines.join("\n")).as_bytes());
            let middle = whole[100..200].to_owned();
            return Some(Sample::of(
                &middle,
                &format!("users:\n- name: admin\n  user:\n    client-key-data: {whole}\n"),
            ));
        }
        "private_key_truncated" => format!("{head}\n{}", lines[..lines.len() - 1].join("\n")),
        _ => format!("{head}\n{}\n{tail}", lines.join("\n")),
    };
    Some(Sample { whole_lines: true, ..Sample::of(&middle, &text) })
}
