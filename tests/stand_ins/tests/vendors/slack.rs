//! Slack: posting, changing and looking up messages.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tocsin_stand_ins::Slack;

use crate::wire::{Answer, address, client, send, with_form};

pub(crate) async fn call(vendor: &Slack, method: &str, arguments: &Value) -> Answer {
    let url = format!("{}/api/{method}", vendor.url());
    send(client().post(url).bearer_auth("xoxb-stand-in").json(arguments)).await
}

pub(crate) async fn post(vendor: &Slack, arguments: &Value) -> Answer {
    call(vendor, "chat.postMessage", arguments).await
}

async fn posted_ts(vendor: &Slack, arguments: &Value) -> String {
    let answer = post(vendor, arguments).await;
    assert_eq!(answer.body["ok"], true, "{}", answer.body);
    answer.body["ts"].as_str().unwrap().to_owned()
}

fn texts(answer: &Answer) -> Vec<&str> {
    answer.body["messages"].as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap()).collect()
}

async fn check_error(vendor: &Slack, method: &str, arguments: Value, error: &str) {
    let answer = call(vendor, method, &arguments).await;
    assert_eq!((answer.status, &answer.body), (200, &json!({ "ok": false, "error": error })), "{method} {arguments}");
}

#[tokio::test]
async fn every_message_has_a_ts_of_its_own() {
    let vendor = Slack::start().await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..20 {
        seen.push(posted_ts(&vendor, &json!({ "channel": "C1", "text": "x" })).await);
    }
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 20);
    assert!(seen.is_sorted(), "{seen:?}");
    assert!(seen.iter().all(|ts| ts.split_once('.').is_some_and(|(_, micros)| micros.len() == 6)), "{seen:?}");
}

#[tokio::test]
async fn a_post_is_kept_with_all_it_said() {
    let vendor = Slack::start().await.unwrap();
    let block = json!({ "type": "divider" });
    let metadata = json!({ "event_type": "tocsin_delivery", "event_payload": { "delivery": "d1" } });
    let ts =
        posted_ts(&vendor, &json!({ "channel": "C1", "text": "a", "blocks": [block], "metadata": metadata })).await;
    let reply = posted_ts(&vendor, &json!({ "channel": "C1", "text": "b", "thread_ts": ts })).await;
    let [first, second] = vendor.messages().try_into().unwrap();
    assert_eq!((first.channel.as_str(), &first.ts, first.text.as_str()), ("C1", &ts, "a"));
    assert_eq!((first.blocks, first.metadata, first.thread_ts, first.edits), (vec![block], Some(metadata), None, 0));
    assert_eq!((second.ts, second.thread_ts), (reply, Some(ts)));
}

#[tokio::test]
async fn a_form_says_the_same_as_json() {
    let vendor = Slack::start().await.unwrap();
    let fields = [
        ("channel", "C1"),
        ("text", "from a form"),
        ("blocks", r#"[{"type":"divider"}]"#),
        ("metadata", r#"{"event_type":"t","event_payload":{"n":1}}"#),
    ];
    let request = client().post(format!("{}/api/chat.postMessage", vendor.url())).bearer_auth("xoxb");
    assert_eq!(send(with_form(request, &fields)).await.body["ok"], true);
    let [message] = vendor.messages().try_into().unwrap();
    assert_eq!(message.blocks, [json!({ "type": "divider" })]);
    assert_eq!(message.metadata.unwrap()["event_payload"]["n"], 1);
}

#[tokio::test]
async fn a_token_is_needed() {
    let vendor = Slack::start().await.unwrap();
    let url = format!("{}/api/chat.postMessage", vendor.url());
    let body = json!({ "channel": "C1", "text": "x" });
    for (header, error) in
        [(None, "not_authed"), (Some("Bearer "), "invalid_auth"), (Some("Basic abc"), "invalid_auth")]
    {
        let request = client().post(&url).json(&body);
        let request = header.into_iter().fold(request, |request, value| request.header("authorization", value));
        assert_eq!(send(request).await.body, json!({ "ok": false, "error": error }));
    }
    assert!(vendor.messages().is_empty());
}

#[tokio::test]
async fn what_cannot_be_posted_is_refused_by_name() {
    let vendor = Slack::start().await.unwrap();
    vendor.only_channels(&["C1"]);
    let cases = [
        (json!({ "channel": "C2", "text": "x" }), "channel_not_found"),
        (json!({ "text": "x" }), "channel_not_found"),
        (json!({ "channel": "C1" }), "no_text"),
        (json!({ "channel": "C1", "text": " ", "blocks": [] }), "no_text"),
        (json!({ "channel": "C1", "text": "x", "thread_ts": "1.000001" }), "thread_not_found"),
        (json!({ "channel": "C1", "text": "x", "blocks": "[{" }), "invalid_blocks_format"),
        (json!({ "channel": "C1", "text": "x", "blocks": {} }), "invalid_blocks_format"),
        (json!({ "channel": "C1", "text": "x", "metadata": { "event_type": "t" } }), "invalid_metadata_format"),
        (json!({ "channel": "C1", "text": "ü".repeat(40_001) }), "msg_too_long"),
        (json!([]), "json_not_object"),
    ];
    for (arguments, error) in cases {
        check_error(&vendor, "chat.postMessage", arguments, error).await;
    }
    check_error(&vendor, "chat.update", json!({ "channel": "C1", "ts": "1.000001", "text": "x" }), "message_not_found")
        .await;
    check_error(&vendor, "chat.delete", json!({}), "unknown_method").await;
    assert!(vendor.messages().is_empty());
    assert_eq!(post(&vendor, &json!({ "channel": "C1", "text": "ü".repeat(40_000) })).await.body["ok"], true);
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_keeps_the_rest() {
    let vendor = Slack::start().await.unwrap();
    let metadata = json!({ "event_type": "t", "event_payload": {} });
    let blocks = json!([{ "type": "divider" }]);
    let ts = posted_ts(&vendor, &json!({ "channel": "C1", "text": "a", "blocks": blocks, "metadata": metadata })).await;
    let answer = call(&vendor, "chat.update", &json!({ "channel": "C1", "ts": ts, "text": "b" })).await;
    assert_eq!((&answer.body["ok"], &answer.body["ts"], &answer.body["text"]), (&json!(true), &json!(ts), &json!("b")));
    let [message] = vendor.messages().try_into().unwrap();
    assert_eq!((message.text.as_str(), message.edits, message.blocks.len()), ("b", 1, 1));
    assert_eq!(message.metadata, Some(metadata));
    call(&vendor, "chat.update", &json!({ "channel": "C1", "ts": ts, "text": "c", "blocks": [] })).await;
    let [message] = vendor.messages().try_into().unwrap();
    assert_eq!((message.edits, message.blocks.len()), (2, 0));
}

#[tokio::test]
async fn history_is_newest_first_without_replies_in_pages() {
    let vendor = Slack::start().await.unwrap();
    let metadata = json!({ "event_type": "t", "event_payload": { "delivery": "d1" } });
    let first = posted_ts(&vendor, &json!({ "channel": "C1", "text": "one", "metadata": metadata })).await;
    posted_ts(&vendor, &json!({ "channel": "C1", "text": "reply", "thread_ts": first })).await;
    posted_ts(&vendor, &json!({ "channel": "C2", "text": "elsewhere" })).await;
    let second = posted_ts(&vendor, &json!({ "channel": "C1", "text": "two" })).await;
    posted_ts(&vendor, &json!({ "channel": "C1", "text": "three" })).await;

    let page = call(&vendor, "conversations.history", &json!({ "channel": "C1", "limit": 2 })).await;
    assert_eq!((texts(&page), &page.body["has_more"]), (vec!["three", "two"], &json!(true)));
    let cursor = page.body["response_metadata"]["next_cursor"].as_str().unwrap();
    // A message that comes between two pages shifts neither.
    posted_ts(&vendor, &json!({ "channel": "C1", "text": "four" })).await;
    let query = [("channel", "C1"), ("limit", "2"), ("cursor", cursor), ("include_all_metadata", "true")];
    let url = address(&vendor.url(), "/api/conversations.history", &query);
    let page = send(client().get(url).bearer_auth("xoxb")).await;
    assert_eq!((texts(&page), &page.body["has_more"]), (vec!["one"], &json!(false)));
    assert_eq!(page.body["messages"][0]["metadata"], metadata);
    assert_eq!(page.body["messages"][0]["reply_count"], 1);

    let plain =
        call(&vendor, "conversations.history", &json!({ "channel": "C1", "oldest": first, "latest": second })).await;
    assert!(texts(&plain).is_empty());
    let arguments = json!({ "channel": "C1", "oldest": first, "latest": second, "inclusive": true });
    let window = call(&vendor, "conversations.history", &arguments).await;
    assert_eq!(texts(&window), ["two", "one"]);
    assert!(window.body["messages"][1].get("metadata").is_none());
    check_error(&vendor, "conversations.history", json!({ "channel": "C1", "cursor": "x" }), "invalid_cursor").await;
}

#[tokio::test]
async fn replies_are_the_parent_and_then_the_oldest() {
    let vendor = Slack::start().await.unwrap();
    let parent = posted_ts(&vendor, &json!({ "channel": "C1", "text": "parent" })).await;
    let metadata = json!({ "event_type": "t", "event_payload": { "delivery": "d2" } });
    let reply = json!({ "channel": "C1", "text": "r1", "thread_ts": parent, "metadata": metadata });
    posted_ts(&vendor, &reply).await;
    posted_ts(&vendor, &json!({ "channel": "C1", "text": "r2", "thread_ts": parent })).await;
    let arguments = json!({ "channel": "C1", "ts": parent, "include_all_metadata": true });
    let answer = call(&vendor, "conversations.replies", &arguments).await;
    assert_eq!(texts(&answer), ["parent", "r1", "r2"]);
    assert_eq!(answer.body["messages"][1]["metadata"], metadata);
    check_error(&vendor, "conversations.replies", json!({ "channel": "C1", "ts": "1.0" }), "thread_not_found").await;
    check_error(&vendor, "conversations.replies", json!({ "channel": "", "ts": parent }), "channel_not_found").await;
}

#[tokio::test]
async fn the_rate_is_limited_per_channel() {
    let vendor = Slack::start().await.unwrap();
    vendor.limit_per_channel(Some(Duration::from_secs(30)));
    posted_ts(&vendor, &json!({ "channel": "C1", "text": "one" })).await;
    let limited = post(&vendor, &json!({ "channel": "C1", "text": "two" })).await;
    assert_eq!((limited.status, &limited.body), (429, &json!({ "ok": false, "error": "ratelimited" })));
    assert_eq!(limited.header("retry-after"), "30");
    posted_ts(&vendor, &json!({ "channel": "C2", "text": "other" })).await;
    vendor.limit_per_channel(None);
    posted_ts(&vendor, &json!({ "channel": "C1", "text": "three" })).await;
    assert_eq!(vendor.messages().len(), 3);
}

#[tokio::test]
async fn pings_are_recorded_and_escaped_ones_are_none() {
    let vendor = Slack::start().await.unwrap();
    posted_ts(&vendor, &json!({ "channel": "C1", "text": "&lt;!channel&gt; &lt;@U1&gt;" })).await;
    assert!(vendor.mentions().is_empty());
    let ts = posted_ts(&vendor, &json!({ "channel": "C1", "text": "<!channel> <@U1>" })).await;
    let pinged: Vec<(String, String)> = vendor.mentions().into_iter().map(|m| (m.ts, m.mention)).collect();
    assert_eq!(pinged, [(ts.clone(), "<!channel>".to_owned()), (ts, "<@U1>".to_owned())]);
}
