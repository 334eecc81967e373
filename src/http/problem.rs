//! Errors as `application/problem+json` (RFC 9457): what is wrong, in a sentence, and whether to try again.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::service::{DecideError, ReceiveError, StoreError, StoreErrorKind};

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
}

impl Problem {
    pub(super) fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: String) -> Self {
        Self { status: status.as_u16(), kind, title, detail }
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

    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        let title = "Try again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "tantei:unavailable", title, detail.into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.kind == StoreErrorKind::Damaged {
            let title = "What is stored cannot be read";
            return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "tantei:damaged", title, error.to_string());
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
            DecideError::Unavailable(_) => Self::unavailable(detail),
        }
    }
}

impl From<ReceiveError> for Problem {
    fn from(error: ReceiveError) -> Self {
        let detail = error.to_string();
        match error {
            ReceiveError::Refused(_) => Self::invalid(detail),
            ReceiveError::Forbidden(_) => Self::forbidden(detail),
            ReceiveError::Unavailable(_) => Self::unavailable(detail),
        }
    }
}

pub(super) async fn no_route() -> Problem {
    Problem::not_found("no such address; /v1/openapi.json lists them")
}
