//! How a topic delivers: asked of SNS with signed requests of the query protocol, for a whole client would cost more to
//! build than it does. Only `doctor` asks. And AWS's clock, which every answer tells.

use std::time::{Duration, SystemTime};

use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use tantei_engine::model::time::Timestamp;

use super::client::Aws;

/// For one request.
const PATIENCE: Duration = Duration::from_secs(8);

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// How a topic delivers to us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicFacts {
    /// `1` or `2`.
    pub signature_version: String,
    /// Subscriptions over HTTPS that were confirmed.
    pub https: usize,
    /// Subscriptions of queues.
    pub queues: usize,
    /// Subscriptions that wait for being confirmed.
    pub pending: usize,
}

/// Why SNS did not answer as it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// A permission is missing.
    #[error("needs {0}")]
    Denied(&'static str),
    /// There is no such topic.
    #[error("there is no such topic")]
    NotFound,
    /// Something else.
    #[error("{0}")]
    Failed(String),
}

/// How a topic delivers. The first hundred subscriptions are looked at.
///
/// # Errors
/// When SNS cannot be asked.
pub async fn topic(aws: &Aws, arn: &str, now: Timestamp) -> Result<TopicFacts, TopicError> {
    let attributes = ask(aws, "GetTopicAttributes", "sns:GetTopicAttributes", arn, now).await?;
    let version = after(&attributes, "<key>SignatureVersion</key>").and_then(|rest| within(rest, "value"));
    let list = ask(aws, "ListSubscriptionsByTopic", "sns:ListSubscriptionsByTopic", arn, now).await?;
    Ok(facts(version.unwrap_or("1"), &list))
}

fn facts(version: &str, list: &str) -> TopicFacts {
    let mut facts = TopicFacts { signature_version: version.to_owned(), ..TopicFacts::default() };
    for member in list.split("<member>").skip(1) {
        let confirmed = within(member, "SubscriptionArn").is_some_and(|arn| arn.starts_with("arn:"));
        match within(member, "Protocol") {
            Some("https") if confirmed => facts.https += 1,
            Some("sqs") if confirmed => facts.queues += 1,
            Some("https" | "sqs") => facts.pending += 1,
            Some(_) | None => {}
        }
    }
    facts
}

/// The text after another one.
fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.split_once(mark).map(|(_, rest)| rest)
}

/// The content of the first element of that name. The answers hold no nested ones of one name.
fn within<'a>(text: &'a str, element: &str) -> Option<&'a str> {
    let rest = after(text, &format!("<{element}>"))?;
    rest.split_once(&format!("</{element}>")).map(|(content, _)| content)
}

async fn ask(
    aws: &Aws,
    operation: &'static str,
    action: &'static str,
    arn: &str,
    now: Timestamp,
) -> Result<String, TopicError> {
    let failed = |e: &dyn std::fmt::Display| TopicError::Failed(e.to_string());
    let region = arn.split(':').nth(3).unwrap_or_default();
    let url = aws.endpoint.clone().unwrap_or_else(|| format!("https://sns.{region}.amazonaws.com"));
    let url = format!("{}/", url.trim_end_matches('/'));
    // An ARN has no character that a form would have to escape but the colon.
    let body = format!("Action={operation}&Version=2010-03-31&TopicArn={}", arn.replace(':', "%3A"));
    let kind = "application/x-www-form-urlencoded";
    let provider = aws.credentials.as_ref().ok_or_else(|| failed(&"there are no AWS credentials"))?;
    let identity = provider.provide_credentials().await.map_err(|e| failed(&e))?.into();
    let micros = u64::try_from(now.micros()).unwrap_or_default();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("sns")
        .time(SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
        .settings(SigningSettings::default())
        .build()
        .map_err(|e| failed(&e))?
        .into();
    let headers = [("content-type", kind)];
    let request =
        SignableRequest::new("POST", url.as_str(), headers.into_iter(), SignableBody::Bytes(body.as_bytes()))
            .map_err(|e| failed(&e))?;
    let (signed, _) = sign(request, &parameters).map_err(|e| failed(&e))?.into_parts();
    let mut request = client().map_err(|e| failed(&e))?.post(url).header("content-type", kind).body(body);
    for (name, value) in signed.headers() {
        request = request.header(name, value);
    }
    let answer = request.send().await.map_err(|e| failed(&e.without_url()))?;
    let fine = answer.status().is_success();
    let text = bounded(answer).await.map_err(|e| failed(&e.without_url()))?;
    if fine {
        return Ok(text);
    }
    Err(match within(&text, "Code").unwrap_or_default() {
        "AuthorizationError" | "AccessDenied" | "AccessDeniedException" => TopicError::Denied(action),
        "NotFound" => TopicError::NotFound,
        code => TopicError::Failed(format!("{code} {}", within(&text, "Message").unwrap_or_default())),
    })
}

async fn bounded(mut answer: reqwest::Response) -> reqwest::Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > ANSWER_BYTES_MAX {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build()
}

/// AWS's clock, as any answer of it tells, even one to a request without credentials. To the second.
///
/// # Errors
/// When no answer comes, or it tells no time.
pub async fn clock(aws: &Aws) -> Result<Timestamp, String> {
    let url = aws.endpoint.clone().unwrap_or_else(|| format!("https://sts.{}.amazonaws.com", aws.region()));
    let request = client().map_err(|e| e.to_string())?.head(url);
    let answer = request.send().await.map_err(|e| e.without_url().to_string())?;
    let date =
        answer.headers().get("date").and_then(|d| d.to_str().ok()).ok_or("the answer tells no time")?;
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).map_err(|e| e.to_string())?;
    Ok(Timestamp::from_secs(date.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_are_counted_by_what_they_deliver_to() {
        let member = |protocol: &str, arn: &str| {
            format!(
                "<member><TopicArn>arn:t</TopicArn><Protocol>{protocol}</Protocol>\
                 <SubscriptionArn>{arn}</SubscriptionArn><Endpoint>https://x</Endpoint></member>"
            )
        };
        let list = [
            member("https", "arn:aws:sns:r:1:t:a"),
            member("https", "PendingConfirmation"),
            member("sqs", "arn:aws:sns:r:1:t:b"),
            member("email", "arn:aws:sns:r:1:t:c"),
        ];
        let expected = TopicFacts { signature_version: "2".to_owned(), https: 1, queues: 1, pending: 1 };
        assert_eq!(facts("2", &list.concat()), expected);
    }

    #[test]
    fn the_date_of_an_answer_is_read() {
        let parser = jiff::fmt::rfc2822::DateTimeParser::new();
        let date = parser.parse_timestamp("Tue, 24 Nov 2026 16:00:00 GMT").unwrap();
        assert_eq!(date.to_string(), "2026-11-24T16:00:00Z");
    }
}
