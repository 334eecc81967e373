//! Every failure of an AWS call as one error: what kind, whether to try again, and in a sentence what to do.

use std::time::Duration;

use aws_sdk_cloudwatch::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use tantei_engine::model::text::{cut, plain};

use super::apis::Api;
use crate::ports::{PortError, PortErrorKind, Retry};

/// Longest part of a service's own message that is repeated.
const MESSAGE_BYTES_MAX: usize = 600;

/// When to try again after throttling: quotas are per second, and others use them as well.
const AFTER_THROTTLING: Duration = Duration::from_secs(5);

/// When to try again after an outage or a timeout.
const AFTER_OUTAGE: Duration = Duration::from_secs(30);

/// What there is to say about an answer that cannot be read.
const BROKEN: &str = "the answer broke off or makes no sense";

/// Codes of refused access.
const DENIED: [&str; 8] = [
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "NotAuthorized",
    "UnauthorizedException",
    "OperationNotPermittedException",
    "OptInRequired",
    "SubscriptionRequiredException",
];

/// Codes of credentials that no longer, or do not, hold.
const CREDENTIALS: [&str; 8] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "MissingAuthenticationToken",
    "IncompleteSignature",
];

/// Codes of a clock that differs from AWS's, or of a signature that does for any reason.
const SKEWED: [&str; 3] = ["RequestTimeTooSkewed", "InvalidSignatureException", "SignatureDoesNotMatch"];

/// Codes of too many requests.
const THROTTLED: [&str; 8] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "LimitExceededException",
    "LimitExceededFault",
];

/// Codes of something that is not there.
const NOT_FOUND: [&str; 3] = ["ResourceNotFoundException", "ResourceNotFound", "NotFoundException"];

/// The error of a call.
#[must_use]
pub fn port_error<E>(api: &Api, error: &SdkError<E>) -> PortError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error {
        SdkError::TimeoutError(_) => timeout(api),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => timeout(api),
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            if status < 400 {
                let chain = DisplayErrorContext(answer.err()).to_string();
                return make(api, PortErrorKind::Invalid, Retry::After(AFTER_OUTAGE), BROKEN, &chain);
            }
            let metadata = answer.err().meta();
            said(api, status, metadata.code().unwrap_or_default(), metadata.message().unwrap_or_default())
        }
        SdkError::DispatchFailure(_) => {
            let chain = DisplayErrorContext(error).to_string();
            if chain.to_ascii_lowercase().contains("credentials") {
                let hint = "no usable AWS credentials: set up the standard chain (environment, profile, instance role) and run `tantei doctor`";
                return make(api, PortErrorKind::Denied, Retry::Never, hint, &chain);
            }
            let hint = "the service could not be reached: check the network, the endpoint and the Region";
            make(api, PortErrorKind::Unavailable, Retry::After(AFTER_OUTAGE), hint, &chain)
        }
        SdkError::ResponseError(_) => {
            let chain = DisplayErrorContext(error).to_string();
            make(api, PortErrorKind::Invalid, Retry::After(AFTER_OUTAGE), BROKEN, &chain)
        }
        // The SDK may add kinds of failure.
        SdkError::ConstructionFailure(_) | _ => {
            let chain = DisplayErrorContext(error).to_string();
            make(api, PortErrorKind::Invalid, Retry::Never, "the request could not be made", &chain)
        }
    }
}

/// The action that is missing, where access was refused for want of one.
#[must_use]
pub fn needed_action(error: &PortError) -> Option<&str> {
    let rest = (error.kind == PortErrorKind::Denied).then_some(error.message.strip_prefix("needs "))??;
    rest.split_whitespace().next().map(|action| action.trim_end_matches('.'))
}

/// No answer in time, all attempts together.
#[must_use]
pub fn timeout(api: &Api) -> PortError {
    let hint = "no answer in time: the service is slow or cannot be reached";
    make(api, PortErrorKind::Timeout, Retry::After(AFTER_OUTAGE), hint, "")
}

/// The queue for this operation's quota is longer than the deadline.
#[must_use]
pub fn queue_too_long(api: &Api) -> PortError {
    let hint = format!(
        "so many investigations wait for its {} calls a second that this one would miss its deadline",
        api.per_second
    );
    make(api, PortErrorKind::Throttled, Retry::After(AFTER_OUTAGE), &hint, "")
}

/// The answer is well-formed but cannot be used.
#[must_use]
pub fn unusable(api: &Api, hint: &str, said: &str) -> PortError {
    make(api, PortErrorKind::Invalid, Retry::Never, hint, said)
}

/// What the service itself said.
fn said(api: &Api, status: u16, code: &str, message: &str) -> PortError {
    let told = if code.is_empty() {
        format!("HTTP status {status}. {message}")
    } else {
        format!("{code} (HTTP status {status}). {message}")
    };
    if DENIED.contains(&code) {
        let action = denied_action(message).unwrap_or_else(|| api.action.to_owned());
        let on = denied_resource(message).map_or_else(String::new, |r| format!(" on {r}"));
        let hint = format!("needs {action}{on}{}", denied_by(message));
        return make(api, PortErrorKind::Denied, Retry::Never, &hint, &told);
    }
    if CREDENTIALS.contains(&code) {
        let hint = "the AWS credentials have expired or are not valid: renew them";
        return make(api, PortErrorKind::Denied, Retry::Never, hint, &told);
    }
    if SKEWED.contains(&code) {
        let hint = "the signature was refused: this machine's clock differs from AWS's, or the secret key is wrong; check NTP first";
        return make(api, PortErrorKind::Denied, Retry::Never, hint, &told);
    }
    if THROTTLED.contains(&code) || status == 429 {
        let hint = "throttled: the quota of this account and Region is used up";
        return make(api, PortErrorKind::Throttled, Retry::After(AFTER_THROTTLING), hint, &told);
    }
    if NOT_FOUND.contains(&code) {
        return make(api, PortErrorKind::NotFound, Retry::Never, "there is no such thing", &told);
    }
    if status >= 500 {
        let hint = "the service failed";
        return make(api, PortErrorKind::Unavailable, Retry::After(AFTER_OUTAGE), hint, &told);
    }
    make(api, PortErrorKind::Invalid, Retry::Never, "the service refused the request", &told)
}

fn make(api: &Api, kind: PortErrorKind, retry: Retry, hint: &str, told: &str) -> PortError {
    let told = plain(cut(told, MESSAGE_BYTES_MAX));
    let message = if told.is_empty() { format!("{hint}.") } else { format!("{hint}. It said: {told}") };
    PortError {
        dependency: api.service.to_owned(),
        operation: api.operation.to_owned(),
        kind,
        retry,
        message,
    }
}

/// `… is not authorized to perform: logs:StartQuery on resource: …` names the action that is really missing: it may be
/// another one, such as `kms:Decrypt`.
fn denied_action(message: &str) -> Option<String> {
    let action = message.split("not authorized to perform: ").nth(1)?.split_whitespace().next()?;
    let well_formed =
        action.contains(':') && action.chars().all(|c| c.is_ascii_alphanumeric() || ":-*".contains(c));
    well_formed.then(|| action.to_owned())
}

fn denied_resource(message: &str) -> Option<String> {
    let resource = message.split("on resource: ").nth(1)?.split_whitespace().next()?;
    Some(plain(resource.trim_end_matches([',', '.'])))
}

/// Which kind of policy refused, where the message says it: identity policies are the account's own affair, the others
/// somebody else must change.
fn denied_by(message: &str) -> String {
    const POLICIES: [&str; 7] = [
        "resource control policy",
        "service control policy",
        "VPC endpoint policy",
        "permissions boundary",
        "session policy",
        "resource-based policy",
        "identity-based policy",
    ];
    let Some(policy) = POLICIES.into_iter().find(|p| message.contains(p)) else { return String::new() };
    if message.contains("explicit deny") {
        format!(" (a {policy} denies it)")
    } else {
        format!(" (no {policy} allows it)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::apis::{GET_METRIC_DATA, START_QUERY};

    #[test]
    fn denied_access_names_the_permission_and_the_kind_of_policy() {
        let message = "User: arn:aws:sts::111122223333:assumed-role/investigator/x is not authorized to perform: \
                       kms:Decrypt on resource: arn:aws:kms:ap-northeast-1:111122223333:key/k with an explicit deny in a \
                       service control policy";
        let error = said(&START_QUERY, 400, "AccessDeniedException", message);
        assert_eq!(error.kind, PortErrorKind::Denied);
        let expected = "needs kms:Decrypt on arn:aws:kms:ap-northeast-1:111122223333:key/k (a service control policy denies it)";
        assert!(error.message.starts_with(expected), "{}", error.message);
        let bare = said(&GET_METRIC_DATA, 403, "AccessDenied", "no");
        assert!(bare.message.starts_with("needs cloudwatch:GetMetricData."), "{}", bare.message);
    }

    #[test]
    fn codes_decide_the_kind_and_whether_to_try_again() {
        for (status, code, kind, again) in [
            (400, "ThrottlingException", PortErrorKind::Throttled, true),
            (429, "", PortErrorKind::Throttled, true),
            (400, "LimitExceededException", PortErrorKind::Throttled, true),
            (500, "InternalServiceFault", PortErrorKind::Unavailable, true),
            (503, "ServiceUnavailableException", PortErrorKind::Unavailable, true),
            (400, "ExpiredTokenException", PortErrorKind::Denied, false),
            (403, "RequestTimeTooSkewed", PortErrorKind::Denied, false),
            (400, "ResourceNotFoundException", PortErrorKind::NotFound, false),
            (400, "MalformedQueryException", PortErrorKind::Invalid, false),
        ] {
            let error = said(&START_QUERY, status, code, "m");
            assert_eq!(error.kind, kind, "{code}");
            assert_eq!(matches!(error.retry, Retry::After(_)), again, "{code}");
            assert!(error.to_string().starts_with("logs StartQuery: "), "{error}");
        }
    }

    #[test]
    fn a_hostile_message_stays_one_line() {
        let error = said(&START_QUERY, 400, "X", "a\u{1b}[31m\nb");
        assert!(!error.message.contains('\n') && !error.message.contains('\u{1b}'));
    }
}
