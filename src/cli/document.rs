//! The one JSON document of an investigation that scripts read. Its fields are a promise; `README.md` lists them.

use serde::Serialize;
use serde_json::{Value, json};
use tantei_engine::investigation::ranking;
use tantei_engine::model::cause::Candidate;
use tantei_engine::model::feed::FeedItem;
use tantei_engine::model::id::ItemId;

use crate::replay::Investigated;

#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    investigation: Value,
    feed: &'a [FeedItem],
    ranking: Vec<Value>,
    hypotheses: Vec<Value>,
    suggestions: Vec<Value>,
    gaps: Vec<Value>,
}

/// The document of a replayed investigation.
pub(super) fn document(replayed: &Investigated) -> Document<'_> {
    let state = replayed.state();
    let opened = state.opened.as_ref();
    let ranking = ranking(state);
    Document {
        investigation: json!({
            "id": opened.map(|o| &o.investigation),
            "bundle": replayed.id(),
            "origin": opened.map(|o| &o.origin),
            "alarm": state.alarm(),
            "onset": state.scope().map(|s| s.onset),
            "concluded": state.concluded,
            "abstained": ranking.abstained,
            "tantei": opened.map(|o| &o.tantei),
            "feed_items": replayed.feed().len(),
            "last_hash": replayed.feed().last().map(|i| &i.hash),
        }),
        feed: replayed.feed(),
        ranking: ranking.candidates.iter().map(candidate).collect(),
        hypotheses: state.standing().map(|(id, h)| identified(id, h)).collect(),
        suggestions: state.proposed().map(|(id, s)| identified(id, s)).collect(),
        gaps: state.open_gaps().map(|(id, g)| identified(id, g)).collect(),
    }
}

fn candidate(c: &Candidate) -> Value {
    json!({
        "resource": c.resource,
        "score": c.score,
        "band": c.band,
        "mechanism": c.mechanism,
        "since": c.since,
        "path": c.path,
        "account": c.account,
    })
}

/// An item's content with its identifier beside it.
fn identified<T: Serialize>(id: ItemId, item: &T) -> Value {
    let mut value = serde_json::to_value(item).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("id".to_owned(), Value::String(id.to_string()));
    }
    value
}
