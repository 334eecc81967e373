//! Silences: set, list, end.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tantei_engine::model::time::Timestamp;
use tantei_engine::triage::Field;

use super::auth::Caller;
use super::problem::Problem;
use crate::access::Role;
use crate::service::{Service, Standing, Wanted};

/// What is silenced, from when, until when and why. In texts `*` stands for any text; all that are given must fit.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SilenceBody {
    /// The account.
    account: Option<String>,
    /// The Region.
    region: Option<String>,
    /// The service's tag.
    service: Option<String>,
    /// The resource.
    resource: Option<String>,
    /// The alarm's name.
    alarm: Option<String>,
    /// The alarm's ARN.
    arn: Option<String>,
    /// From when, RFC 3339; from now on when absent.
    #[schema(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Until when, RFC 3339.
    #[schema(value_type = String)]
    until: Timestamp,
    /// Why.
    reason: String,
}

/// Sets a silence: what it covers is recorded and not investigated; what still fires when it ends starts then.
#[utoipa::path(post, path = "/v1/silences", request_body = SilenceBody, responses(
    (status = 202, body = Value), (status = 400, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn add(
    State(service): State<Service>,
    caller: Caller,
    Json(body): Json<SilenceBody>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    caller.must_be(Role::Operator)?;
    let fields = [
        (Field::Account, body.account),
        (Field::Region, body.region),
        (Field::Service, body.service),
        (Field::Resource, body.resource),
        (Field::Name, body.alarm),
        (Field::Arn, body.arn),
    ];
    let matchers = fields.into_iter().filter_map(|(field, value)| Some((field, value?))).collect();
    let wanted = Wanted { matchers, from: body.from, until: Some(body.until), reason: body.reason };
    let id = service.silence(wanted, caller.name()).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "silence": id }))))
}

/// Which silences.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct SilencesQuery {
    /// `pending`, `active` or `past`.
    state: Option<String>,
}

/// Silences: those that last and those to come, then those that are over.
#[utoipa::path(get, path = "/v1/silences", params(SilencesQuery), responses(
    (status = 200, body = Value), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(super) async fn list(
    State(service): State<Service>,
    _caller: Caller,
    Query(query): Query<SilencesQuery>,
) -> Result<Json<Value>, Problem> {
    let wanted = match query.state.as_deref() {
        None => None,
        Some("pending") => Some(Standing::Pending),
        Some("active") => Some(Standing::Active),
        Some("past") => Some(Standing::Past),
        Some(_) => return Err(Problem::invalid("`state` is `pending`, `active` or `past`")),
    };
    let mut silences = service.silences().await;
    silences.retain(|s| wanted.is_none_or(|w| s.state == w));
    Ok(Json(json!({ "silences": silences })))
}

/// Ends a silence before its time. Done soon.
#[utoipa::path(delete, path = "/v1/silences/{id}", params(("id" = String, Path)), responses(
    (status = 202), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn end(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.must_be(Role::Operator)?;
    service.end_silence(&id, caller.name()).await?;
    Ok(StatusCode::ACCEPTED)
}
