//! Which step of the story a request is, read off the request itself.
//!
//! Invariant: nothing in production marks a request for us; a request that is not known is a write or a read like any.

use domain::ReceiverKind;
use receivers::{Method, Request};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;

use crate::fault::Point;

/// The point of an AWS request, and what it is about.
pub(crate) fn classify(target: &str, body: &str) -> (Point, String) {
    let operation = target.rsplit('.').next().unwrap_or_default();
    match operation {
        "SendMessage" | "SendMessageBatch" => sent(body),
        "ReceiveMessage" => (Point::Receive, queue(body)),
        "DeleteMessage" | "DeleteMessageBatch" => (Point::Delete, queue(body)),
        "ChangeMessageVisibility" => (Point::Hide, queue(body)),
        "TransactWriteItems" => (Point::Commit, String::new()),
        "UpdateItem" if body.contains("ADD attempts") => (Point::Claim, key(body)),
        "UpdateItem" if body.contains("lease_token = :token") => (Point::Mark, key(body)),
        "UpdateItem" if body.contains("ADD occurrences") => (Point::Absorb, key(body)),
        "UpdateItem" | "PutItem" | "DeleteItem" | "BatchWriteItem" => (Point::Write, key(body)),
        _ => (Point::Read, key(body)),
    }
}

fn sent(body: &str) -> (Point, String) {
    let queue = queue(body);
    let point = match queue.rsplit('-').next() {
        Some("inbox") => Point::InboxSend,
        Some("dead") => Point::Bury,
        _ => Point::DeliverySend,
    };
    (point, queue)
}

/// The messages in a request that sends one or a batch of them.
pub(crate) fn bodies(request: &str) -> Vec<String> {
    let request: Value = serde_json::from_str(request).unwrap_or_default();
    let entries = request.get("Entries").and_then(Value::as_array).cloned().unwrap_or_default();
    let sent = entries.iter().chain(std::iter::once(&request));
    sent.filter_map(|one| Some(one.get("MessageBody")?.as_str()?.to_owned())).collect()
}

/// What a request names; the rest of it is skipped, since every call is looked at.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    #[serde(rename = "QueueUrl")]
    queue_url: String,
    #[serde(rename = "Key")]
    key: Key,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Key {
    #[serde(rename = "PK")]
    partition: Text,
    #[serde(rename = "SK")]
    sort: Text,
}

#[derive(Default, Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

fn queue(body: &str) -> String {
    let named: Named = serde_json::from_str(body).unwrap_or_default();
    queue_name(&named.queue_url).to_owned()
}

/// The queue's name, which its address ends with.
pub(crate) fn queue_name(url: &str) -> &str {
    url.rsplit_once('/').map_or(url, |(_, name)| name)
}

fn key(body: &str) -> String {
    let Named { key, .. } = serde_json::from_str(body).unwrap_or_default();
    format!("{} {}", key.partition.text, key.sort.text)
}

/// The point of a request to a vendor, and the delivery or the incident that it is about.
pub(crate) fn classify_vendor(kind: ReceiverKind, request: &Request) -> (Point, String) {
    let body = request.body.as_ref();
    let at = |pointer: &str| body.and_then(|b| b.pointer(pointer)).and_then(Value::as_str);
    // GraphQL asks by POST, too.
    if request.method == Method::Get || at("/query").is_some_and(|query| query.starts_with("query")) {
        return (Point::Ask(kind), String::new());
    }
    let header = |wanted: &str| request.headers.iter().find(|(name, _)| *name == wanted);
    let subject = match kind {
        ReceiverKind::Pagerduty => at("/dedup_key"),
        ReceiverKind::Slack => at("/metadata/event_payload/delivery"),
        ReceiverKind::Linear => at("/variables/input/id"),
        ReceiverKind::Jira => at("/properties/0/value/incident"),
        _ => header("webhook-id").map(|(_, id)| id.expose_secret()),
    };
    (Point::Tell(kind), subject.unwrap_or_default().to_owned())
}
