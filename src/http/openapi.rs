//! The OpenAPI document: made from the handlers, kept as a golden file by a test.

use axum::Json;
use utoipa::OpenApi;

use super::{alarms, bundle, investigations, silences};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tantei",
        description = "Operational investigations for AWS: alarms in, evidence and causes out.",
        contact(name = "Tantei"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        alarms::sns,
        alarms::eventbridge,
        investigations::list,
        investigations::start,
        investigations::get,
        investigations::feed,
        investigations::report,
        bundle::bundle,
        investigations::end,
        investigations::reopen,
        investigations::merge,
        investigations::split,
        investigations::note,
        investigations::decide,
        silences::add,
        silences::list,
        silences::end,
    )
)]
struct Document;

/// The document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

pub(super) async fn serve() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
