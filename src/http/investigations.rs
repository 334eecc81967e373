//! Investigations: list, read, and what people decide.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tantei_engine::model::feed::DecisionKind;
use tantei_engine::model::id::ItemId;
use tantei_engine::model::time::Timestamp;
use tantei_engine::triage::AlarmKey;

use super::auth::Caller;
use super::problem::Problem;
use crate::access::Role;
use crate::service::{Filter, Service, Wish};

/// Investigations of a page when nobody says how many.
const PAGE: i64 = 50;

/// Investigations of a page at most.
const PAGE_MAX: i64 = 200;

/// Which investigations.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// `open` or `ended`.
    status: Option<String>,
    /// Only those of this resource.
    resource: Option<String>,
    /// At most so many, up to 200.
    limit: Option<i64>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Investigations, newest first.
#[utoipa::path(get, path = "/v1/investigations", params(ListQuery), responses(
    (status = 200, body = Value), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(super) async fn list(
    State(service): State<Service>,
    _caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let open = match query.status.as_deref() {
        None => None,
        Some("open") => Some(true),
        Some("ended") => Some(false),
        Some(_) => return Err(Problem::invalid("`status` is `open` or `ended`")),
    };
    let after = query.after.as_deref().map(cursor).transpose()?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Problem::invalid(format!("`limit` is from 1 to {PAGE_MAX}")));
    }
    let filter = Filter { open, resource: query.resource, after, limit };
    let found = service.investigations(&filter).await?;
    let next = found.last().map(|i| format!("{}~{}", i.opened_at, i.id));
    let full = i64::try_from(found.len()).is_ok_and(|n| n >= limit);
    Ok(Json(json!({ "investigations": found, "next": next.filter(|_| full) })))
}

fn cursor(text: &str) -> Result<(Timestamp, String), Problem> {
    let wrong = || Problem::invalid("`after` is `next` of the page before, unchanged");
    let (at, id) = text.split_once('~').ok_or_else(wrong)?;
    Ok((at.parse().map_err(|_| wrong())?, id.to_owned()))
}

/// What to investigate without waiting for an alarm: `alarm` (a name or an ARN), `metric` (`NAMESPACE/NAME` with
/// `dimensions`, or a name with `resource`), or `text` (free words, English or Japanese); `at` says when, if the words do not.
#[utoipa::path(post, path = "/v1/investigations", request_body = Value, responses(
    (status = 202, body = Value), (status = 400, body = Problem)))]
pub(super) async fn start(
    State(service): State<Service>,
    caller: Caller,
    Json(body): Json<Wish>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    caller.must_be(Role::Operator)?;
    let request = service.start(&body).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "request": request }))))
}

/// One investigation with the alarms that belong to it and why.
#[utoipa::path(get, path = "/v1/investigations/{id}", params(("id" = String, Path)), responses(
    (status = 200, body = Value), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(service): State<Service>,
    _caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let detail = service.investigation(&id).await?.ok_or_else(|| absent(&id))?;
    Ok(Json(json!(detail)))
}

/// From where to read.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct FeedQuery {
    /// Only items after this sequence number.
    #[serde(default)]
    after: u64,
}

/// The feed as JSON.
#[utoipa::path(get, path = "/v1/investigations/{id}/feed", params(("id" = String, Path), FeedQuery), responses(
    (status = 200, body = Value), (status = 404, body = Problem)))]
pub(super) async fn feed(
    State(service): State<Service>,
    _caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<FeedQuery>,
) -> Result<Json<Value>, Problem> {
    service.investigation(&id).await?.ok_or_else(|| absent(&id))?;
    Ok(Json(json!({ "items": service.feed(&id, query.after).await? })))
}

/// The report as facts, and the ranking that it rests on.
#[utoipa::path(get, path = "/v1/investigations/{id}/report", params(("id" = String, Path)), responses(
    (status = 200, body = Value), (status = 404, body = Problem)))]
pub(super) async fn report(
    State(service): State<Service>,
    _caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (report, ranking) = service.report(&id).await?;
    Ok(Json(json!({ "report": report, "ranking": ranking })))
}

/// Ends an investigation.
#[utoipa::path(post, path = "/v1/investigations/{id}/end", params(("id" = String, Path)), responses(
    (status = 204), (status = 404, body = Problem)))]
pub(super) async fn end(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.must_be(Role::Operator)?;
    service.set_ended(&id, true, caller.name()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Opens an ended investigation again.
#[utoipa::path(post, path = "/v1/investigations/{id}/reopen", params(("id" = String, Path)), responses(
    (status = 204), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn reopen(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.must_be(Role::Operator)?;
    service.set_ended(&id, false, caller.name()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Into which.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MergeBody {
    /// The investigation that goes on.
    into: String,
}

/// Two investigations are one incident: this one ends, the other goes on. Done soon.
#[utoipa::path(post, path = "/v1/investigations/{id}/merge", params(("id" = String, Path)),
    request_body = MergeBody, responses((status = 202), (status = 404, body = Problem)))]
pub(super) async fn merge(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<MergeBody>,
) -> Result<StatusCode, Problem> {
    caller.must_be(Role::Operator)?;
    service.merge(&id, &body.into, caller.name()).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Which alarms.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SplitBody {
    /// Their ARNs.
    alarms: Vec<String>,
}

/// Some alarms are another incident: they get an investigation of their own. Done soon.
#[utoipa::path(post, path = "/v1/investigations/{id}/split", params(("id" = String, Path)),
    request_body = SplitBody, responses((status = 202), (status = 404, body = Problem)))]
pub(super) async fn split(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<SplitBody>,
) -> Result<StatusCode, Problem> {
    caller.must_be(Role::Operator)?;
    let alarms = body.alarms.into_iter().map(|arn| AlarmKey { arn, contributor: None }).collect();
    service.split(&id, alarms, caller.name()).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Words.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteBody {
    /// The words; at most 2 KiB of them are kept.
    text: String,
}

/// Writes a note into the feed.
#[utoipa::path(post, path = "/v1/investigations/{id}/notes", params(("id" = String, Path)),
    request_body = NoteBody, responses((status = 201, body = Value), (status = 404, body = Problem)))]
pub(super) async fn note(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<NoteBody>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    caller.must_be(Role::Operator)?;
    let item = service.note(&id, &body.text, &caller.principal()).await?;
    Ok((StatusCode::CREATED, Json(json!(item))))
}

/// Accepts, discards or restores an item: the causes are ranked again.
#[utoipa::path(post, path = "/v1/investigations/{id}/items/{item}/{decision}",
    params(("id" = String, Path), ("item" = String, Path), ("decision" = String, Path)),
    responses((status = 201, body = Value), (status = 404, body = Problem)))]
pub(super) async fn decide(
    State(service): State<Service>,
    caller: Caller,
    Path((id, item, decision)): Path<(String, String, String)>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    caller.must_be(Role::Operator)?;
    let decision = match decision.as_str() {
        "accept" => DecisionKind::Accepted,
        "discard" => DecisionKind::Discarded,
        "restore" => DecisionKind::Restored,
        _ => return Err(Problem::invalid("an item can be accepted, discarded or restored")),
    };
    let item: ItemId = item.parse().map_err(|_| Problem::invalid("an item is named like O-12"))?;
    let item = service.decide(&id, item, decision, &caller.principal()).await?;
    Ok((StatusCode::CREATED, Json(json!(item))))
}

pub(super) fn absent(id: &str) -> Problem {
    Problem::not_found(format!("there is no investigation `{id}`"))
}
