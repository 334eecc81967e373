//! Errors as `application/problem+json` (RFC 9457): what is wrong, in a sentence, and whether to try again.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::service::{DecideError, ReceiveError, StoreError, StoreErrorKind};

const PROBLEM_JSON: &str = "application/problem+json";

/// Seconds after which what was unavailable may be asked again.
const UNAVAILABLE_S: u64 = 5;

/// An error.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Problem {
    /// The HTTP status.
    status: u16,
    /// What went wrong, for programs.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What went wrong, for people.
    title: &'static str,
    /// What exactly, and what to do.
    detail: String,
    /// Seconds after which to try again.
    #[serde(skip)]
    retry_after_s: Option<u64>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: String) -> Self {
        Self { status: status.as_u16(), kind, title, detail, retry_after_s: None }
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "tantei:invalid",
            "The request cannot be understood",
            detail.into(),
        )
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "tantei:not-found", "There is no such thing", detail.into())
    }

    pub(super) fn unauthorized(detail: impl Into<String>) -> Self {
        let title = "A token is needed";
        Self::new(StatusCode::UNAUTHORIZED, "tantei:unauthorized", title, detail.into())
    }

    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "tantei:forbidden", "This is not allowed", detail.into())
    }

    fn damaged(detail: String) -> Self {
        let title = "What is stored cannot be read";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "tantei:damaged", title, detail)
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        let title = "Try again later";
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "tantei:unavailable", title, detail.into());
        Self { retry_after_s: Some(UNAVAILABLE_S), ..problem }
    }

    /// Too many of them came; after so many seconds there may be another.
    pub(super) fn too_many(detail: impl Into<String>, retry_after_s: u64) -> Self {
        let title = "Too many requests";
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "tantei:too-many", title, detail.into());
        Self { retry_after_s: Some(retry_after_s), ..problem }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after_s = self.retry_after_s;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.kind == StoreErrorKind::Damaged {
            return Self::damaged(error.to_string());
        }
        Self::unavailable(error.to_string())
    }
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        let detail = error.to_string();
        match error {
            DecideError::NotFound(_) => Self::not_found(detail),
            DecideError::Invalid(_) => Self::invalid(detail),
            DecideError::Damaged(_) => Self::damaged(detail),
            DecideError::Unavailable(_) => Self::unavailable(detail),
        }
    }
}

impl From<ReceiveError> for Problem {
    fn from(error: ReceiveError) -> Self {
        let detail = error.to_string();
        match error {
            ReceiveError::Refused(_) => Self::invalid(detail),
            ReceiveError::Forbidden(_) | ReceiveError::UnknownKey => Self::forbidden(detail),
            ReceiveError::Unavailable(_) => Self::unavailable(detail),
        }
    }
}

pub(super) async fn no_route() -> Problem {
    Problem::not_found("no such address; /v1/openapi.json lists them")
}

/// Refuses bodies that would have to be unpacked first: nobody who sends alarms packs them, and a few bytes may become
/// gigabytes.
pub(super) async fn plain_only(request: Request) -> Result<Request, Problem> {
    match request.headers().get(header::CONTENT_ENCODING) {
        Some(coding) if !coding.as_bytes().eq_ignore_ascii_case(b"identity") => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "tantei:invalid",
            "The request cannot be understood",
            "packed bodies are not taken: send it without `Content-Encoding`".to_owned(),
        )),
        Some(_) | None => Ok(request),
    }
}

/// What the framework says about a request that it could not read; longer sentences are cut off.
const SENTENCE_BYTES_MAX: usize = 4_096;

/// Makes a problem of an error that the framework told in its own way.
pub(super) async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let told = response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t == PROBLEM_JSON);
    if told || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = to_bytes(body, SENTENCE_BYTES_MAX).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let detail = if text.is_empty() { status.to_string() } else { text.into_owned() };
    let (kind, title) = if status.is_server_error() {
        ("tantei:unavailable", "Try again later")
    } else {
        ("tantei:invalid", "The request cannot be understood")
    };
    let problem = Problem::new(status, kind, title, detail).into_response();
    // What else was said, such as `Allow`, stays.
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(problem.headers().clone());
    Response::from_parts(parts, problem.into_body())
}
