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

async fn what_is_silenced_is_shown_and_starts_when_the_silence_ends(store: Store) {
    let server = Server::start(store, config(), "2026-11-24T06:50:00Z").await;
    let silence = |until: &str| json!({"alarm": "ord*", "region": "ap-northeast-1", "until": until, "reason": "upgrade"});
    let (end, all) = ("2026-11-24T08:00:00Z", "/v1/silences");
    assert_eq!(server.post(all, "viewer", &silence(end)).await.0, StatusCode::FORBIDDEN);
    for wrong in [
        silence("2026-11-24T06:00:00Z"),
        json!({"until": end, "reason": "everything"}),
        json!({"alarm": "*", "until": end, "reason": "everything"}),
        json!({"alarm": "x", "until": end, "reason": " "}),
        json!({"service": "payments", "until": end, "reason": "no alarm says its service"}),
        json!({"alarm": "x", "until": "2036-11-24T06:00:00Z", "reason": "for ever"}),
    ] {
        let (status, problem) = server.post(all, "operator", &wrong).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong} {problem}");
    }
    let mut ids = Vec::new();
    for until in [end, "2026-11-24T09:00:00Z"] {
        let (status, answer) = server.post(all, "operator", &silence(until)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        ids.push(answer["silence"].as_str().unwrap().to_owned());
    }
    let one =
        |id: &str, alarm: &str, at: &str| event(id, alarm, "ALARM", &format!("2026-11-24T{at}.000+0000"));
    assert_eq!(server.event(&one("e-1", "orders", "06:42:12"), KEY).await.0, StatusCode::OK);
    assert_eq!(server.event(&one("e-2", "payments", "06:42:13"), KEY).await.0, StatusCode::OK);
    let list = server.until("/v1/investigations", |l| l["investigations"][0].is_object()).await;
    assert_eq!(list["investigations"][0]["title"], "payments", "{list}");
    let states = |l: &Value| -> Vec<String> {
        l["silences"].as_array().unwrap().iter().map(|s| s["state"].as_str().unwrap().to_owned()).collect()
    };
    let listed = server.until(all, |l| states(l) == ["active", "active"]).await;
    assert_eq!(listed["silences"][0]["set_by"], "operator", "{listed}");
    // One is ended by hand, the other by time; only then the alarm, which still fires, starts.
    let delete = |id: &str| {
        let request = server.client.delete(format!("{}{all}/{id}", server.url)).bearer_auth("operator");
        async move { request.send().await.unwrap().status() }
    };
    assert_eq!(delete(&ids[1]).await, StatusCode::ACCEPTED);
    let listed = server.until(all, |l| states(l) == ["active", "past"]).await;
    assert_eq!(listed["silences"][1]["ended_by"], "operator");
    assert_eq!(delete(&ids[1]).await, StatusCode::NOT_FOUND);
    assert_eq!(server.get("/v1/investigations").await.1["investigations"].as_array().unwrap().len(), 1);
    server.clock.advance("2026-11-24T08:00:01Z".parse().unwrap());
    let two = |l: &Value| l["investigations"].as_array().is_some_and(|l| l.len() == 2);
    server.until("/v1/investigations", two).await;
    assert_eq!(states(&server.get(&format!("{all}?state=past")).await.1).len(), 2);
}

async fn free_words_start_what_they_name_and_what_is_unclear_is_asked_back(store: Store) {
    let server = Server::start(store, config(), "2026-11-24T06:50:00Z").await;
    for (id, alarm) in [("e-1", "orders"), ("e-2", "payments")] {
        let fired = event(id, alarm, "ALARM", "2026-11-24T06:42:12.149+0000");
        assert_eq!(server.event(&fired, KEY).await.0, StatusCode::OK);
    }
    let all = "/v1/investigations";
    let count = |n: usize| move |l: &Value| l["investigations"].as_array().is_some_and(|l| l.len() == n);
    server.until(all, count(2)).await;
    for (wish, told) in [
        (json!({"text": "orders and payments are slow since 15:40 JST"}), "`orders`, `payments`"),
        (json!({"text": "the queue is slow since 15:40 JST"}), "none of the 2 known alarms"),
        (json!({"text": "orders is slow since 15:40"}), "whose clock"),
        (json!({"text": "orders", "at": "2026-11-25T00:00:00Z"}), "future"),
        (json!({"alarm": "nothing"}), "`nothing`"),
        (json!({"metric": "AWS/Lambda/Errors"}), "resource"),
        (json!({"metric": "AWS/Lambda/Errors", "text": "orders"}), "one of"),
        (json!({}), "one of"),
    ] {
        let (status, problem) = server.post(all, "operator", &wish).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wish}");
        assert!(problem["detail"].as_str().unwrap().contains(told), "{wish}: {problem}");
    }
    for (n, wish) in [
        (3, json!({"text": "ordersが15時30分頃から遅い"})),
        (4, json!({"alarm": "arn:aws:cloudwatch:ap-northeast-1:111122223333:alarm:payments"})),
        (5, json!({"metric": "AWS/Lambda/Errors", "dimensions": {"FunctionName": "mail"}, "stat": "Sum"})),
    ] {
        let (status, answer) = server.post(all, "operator", &wish).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{wish}: {answer}");
        server.until(all, count(n)).await;
    }
    let opened = |feed: &Value| feed["items"][0]["body"].clone();
    let by_words = opened(&server.get("/v1/investigations/inv_00000003/feed").await.1);
    assert_eq!(by_words["alarm"]["at"], "2026-11-24T06:30:00Z", "{by_words}");
    assert_eq!(by_words["alarm"]["metric"], "Errors");
    let by_metric = opened(&server.get("/v1/investigations/inv_00000005/feed").await.1);
    assert_eq!(by_metric["alarm"]["resource"], "mail", "{by_metric}");
}

crate::store::on_both_stores!(
    free_words_start_what_they_name_and_what_is_unclear_is_asked_back,
    another_node_splits_and_what_fires_is_not_hidden_in_what_was_ended,
    what_is_silenced_is_shown_and_starts_when_the_silence_ends,
);
