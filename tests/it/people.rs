//! What people say of investigations and of what is to come, over HTTP; on either store.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tantei::store::Store;

use crate::server::{KEY, Server, World, config, event};

fn of_orders(id: &str, alarm: &str, at: &str) -> Value {
    let mut event = event(id, alarm, "ALARM", at);
    let metric = "/detail/configuration/metrics/0/metricStat/metric/dimensions/FunctionName";
    *event.pointer_mut(metric).unwrap() = json!("orders");
    event
}

async fn another_node_splits_and_what_fires_is_not_hidden_in_what_was_ended(store: Store) {
    let first = Server::start(store.clone(), config(), "2026-11-24T06:50:00Z").await;
    for (id, alarm) in [("e-1", "errors"), ("e-2", "slow")] {
        let at = "2026-11-24T06:42:12.149+0000";
        assert_eq!(first.event(&of_orders(id, alarm, at), KEY).await.0, StatusCode::OK);
    }
    let path = "/v1/investigations/inv_00000001";
    first.until(path, |d| d["alarms"].as_array().is_some_and(|a| a.len() == 2)).await;
    first.stop.cancel();
    // It knows of the alarms from the record alone.
    let second = Server::join(store, config(), World::at("2026-11-24T06:50:00Z")).await;
    let slow = "arn:aws:cloudwatch:ap-northeast-1:111122223333:alarm:slow";
    let split = second.post(&format!("{path}/split"), "operator", &json!({"alarms": [slow]})).await;
    assert_eq!(split.0, StatusCode::ACCEPTED, "{}", split.1);
    let two = |l: &Value| l["investigations"].as_array().is_some_and(|l| l.len() == 2);
    second.until("/v1/investigations", two).await;
    assert_eq!(second.post(&format!("{path}/end"), "operator", &json!({})).await.0, StatusCode::NO_CONTENT);
    for (id, alarm) in [("e-3", "throttles"), ("e-4", "errors")] {
        let at = "2026-11-24T06:44:12.149+0000";
        assert_eq!(second.event(&of_orders(id, alarm, at), KEY).await.0, StatusCode::OK);
    }
    let open = |l: &Value| {
        let all = l["investigations"].as_array().unwrap();
        all.len() == 3 && all.iter().all(|i| i["open"] == true)
    };
    second.until("/v1/investigations", open).await;
    let again = second.until(path, |d| d["recurrence"] == 1).await;
    assert_eq!(again["alarms"].as_array().unwrap().len(), 1, "another alarm is news of its own: {again}");
    let into = json!({"into": "inv_00000002"});
    assert_eq!(second.post(&format!("{path}/merge"), "operator", &into).await.0, StatusCode::ACCEPTED);
    second.until(path, |d| d["merged_into"] == "inv_00000002").await;
    let (status, problem) = second.post(&format!("{path}/reopen"), "operator", &json!({})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    let other = "/v1/investigations/inv_00000003";
    for (said, is_open) in [("end", false), ("reopen", true)] {
        let done = second.post(&format!("{other}/{said}"), "operator", &json!({})).await;
        assert_eq!(done.0, StatusCode::NO_CONTENT, "{}", done.1);
        assert_eq!(second.get(other).await.1["open"], is_open);
    }
}

crate::store::on_both_stores!(another_node_splits_and_what_fires_is_not_hidden_in_what_was_ended);
