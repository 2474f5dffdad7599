//! `PagerDuty`: deduplication, and what an event must hold.

use serde_json::{Value, json};
use tocsin_stand_ins::Pagerduty;
use tocsin_stand_ins::pagerduty::{AlertState, Effect};

use crate::wire::{Answer, client, send};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";

fn event(action: &str, dedup_key: &str) -> Value {
    json!({
        "routing_key": KEY,
        "event_action": action,
        "dedup_key": dedup_key,
        "payload": { "summary": "latency is up", "source": "chat", "severity": "critical" },
    })
}

/// A trigger with one value replaced.
fn with(pointer: &str, value: Value) -> Value {
    let mut event = event("trigger", "k");
    match pointer.rsplit_once('/') {
        Some((parent, field)) => event.pointer_mut(parent).unwrap()[field] = value,
        None => panic!("no pointer: {pointer}"),
    }
    event
}

async fn post(vendor: &Pagerduty, path: &str, body: String) -> Answer {
    send(client().post(format!("{}{path}", vendor.url())).header("content-type", "application/json").body(body)).await
}

async fn enqueue(vendor: &Pagerduty, event: &Value) -> Answer {
    post(vendor, "/v2/enqueue", event.to_string()).await
}

#[tokio::test]
async fn an_alert_lives_from_trigger_to_resolve() {
    let vendor = Pagerduty::start().await.unwrap();
    for action in ["trigger", "trigger", "acknowledge", "trigger", "resolve", "trigger"] {
        let answer = enqueue(&vendor, &event(action, "k")).await;
        let expected = json!({ "status": "success", "message": "Event processed", "dedup_key": "k" });
        assert_eq!((answer.status, answer.body), (202, expected));
    }
    let effects: Vec<Effect> = vendor.events().into_iter().map(|event| event.effect).collect();
    let expected = [
        Effect::Opened,
        Effect::Deduplicated,
        Effect::Acknowledged,
        Effect::Deduplicated,
        Effect::Resolved,
        Effect::Opened,
    ];
    assert_eq!(effects, expected);
    assert_eq!(vendor.triggers().len(), 4);
    let alerts: Vec<(AlertState, usize)> = vendor.alerts().into_iter().map(|a| (a.state, a.triggers)).collect();
    assert_eq!(alerts, [(AlertState::Resolved, 3), (AlertState::Open, 1)]);
}

#[tokio::test]
async fn acknowledge_and_resolve_of_nothing_are_dropped_with_202() {
    let vendor = Pagerduty::start().await.unwrap();
    for action in ["acknowledge", "resolve"] {
        assert_eq!(enqueue(&vendor, &event(action, "k")).await.status, 202);
    }
    assert!(vendor.events().iter().all(|event| event.effect == Effect::Dropped));
    assert!(vendor.alerts().is_empty());
}

#[tokio::test]
async fn a_dedup_key_belongs_to_its_routing_key() {
    let vendor = Pagerduty::start().await.unwrap();
    enqueue(&vendor, &event("trigger", "k")).await;
    enqueue(&vendor, &with("/routing_key", json!(OTHER_KEY))).await;
    enqueue(&vendor, &event("resolve", "k")).await;
    let alerts: Vec<(String, AlertState)> = vendor.alerts().into_iter().map(|a| (a.routing_key, a.state)).collect();
    assert_eq!(alerts, [(KEY.to_owned(), AlertState::Resolved), (OTHER_KEY.to_owned(), AlertState::Open)]);
}

#[tokio::test]
async fn a_trigger_without_a_key_is_given_a_new_one() {
    let vendor = Pagerduty::start().await.unwrap();
    let keyless = with("/dedup_key", Value::Null);
    let first = enqueue(&vendor, &keyless).await.body["dedup_key"].clone();
    let second = enqueue(&vendor, &keyless).await.body["dedup_key"].clone();
    assert_eq!(first.as_str().map(str::len), Some(32));
    assert_ne!(first, second);
    assert_eq!(vendor.alerts().len(), 2);
}

#[tokio::test]
async fn each_limit_holds_to_the_character() {
    let vendor = Pagerduty::start().await.unwrap();
    // Multibyte characters: the limits count characters.
    let cases = [
        ("/payload/summary", "ü".repeat(1024), "ü".repeat(1025), "'payload.summary' is too long"),
        ("/dedup_key", "ü".repeat(255), "ü".repeat(256), "Length of 'dedup_key' is incorrect"),
        ("/routing_key", "a".repeat(32), "a".repeat(33), "Length of 'routing_key' is incorrect"),
        ("/routing_key", "b".repeat(32), "b".repeat(31), "Length of 'routing_key' is incorrect"),
    ];
    for (pointer, at_limit, beyond, error) in cases {
        assert_eq!(enqueue(&vendor, &with(pointer, json!(at_limit))).await.status, 202, "{pointer}");
        check_refused(&vendor, &with(pointer, json!(beyond)), error).await;
    }
    assert_eq!(vendor.events().len(), 4);
}

#[tokio::test]
async fn a_body_holds_512_kilobytes() {
    let vendor = Pagerduty::start().await.unwrap();
    let padded = |bytes: usize| {
        let empty = with("/payload/custom_details", json!({ "pad": "" })).to_string().len();
        with("/payload/custom_details", json!({ "pad": "x".repeat(bytes - empty) })).to_string()
    };
    let (at_limit, beyond) = (padded(512 * 1024), padded(512 * 1024 + 1));
    assert_eq!((at_limit.len(), beyond.len()), (524_288, 524_289));
    assert_eq!(post(&vendor, "/v2/enqueue", at_limit).await.status, 202);
    assert_eq!(post(&vendor, "/v2/enqueue", beyond).await.status, 400);
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_named() {
    let vendor = Pagerduty::start().await.unwrap();
    let cases = [
        (with("/routing_key", Value::Null), "'routing_key' is missing or blank"),
        (with("/event_action", json!("page")), "'event_action' is invalid"),
        (with("/event_action", Value::Null), "'event_action' is missing or blank"),
        (with("/payload", Value::Null), "'payload' is missing or blank"),
        (with("/payload/summary", json!("")), "'payload.summary' is missing or blank"),
        (with("/payload/source", Value::Null), "'payload.source' is missing or blank"),
        (with("/payload/severity", json!("fatal")), "'payload.severity' is invalid"),
        (with("/payload/severity", Value::Null), "'payload.severity' is missing or blank"),
        (with("/dedup_key", json!(7)), "'dedup_key' must be a string"),
        (with("/links", json!([{ "text": "x" }])), "'links[0].href' is missing or blank"),
        (with("/images", json!([{ "src": "http://e.org/x.png" }])), "'images[0].src' must be an HTTPS address"),
        (event("resolve", ""), "'dedup_key' is missing or blank"),
        (json!([]), "Event must be a JSON object"),
    ];
    for (event, error) in &cases {
        check_refused(&vendor, event, error).await;
    }
    let answer = post(&vendor, "/v2/enqueue", "{".to_owned()).await;
    assert_eq!((answer.status, &answer.body["errors"]), (400, &json!(["JSON cannot be parsed"])));
    assert!(vendor.events().is_empty());
}

#[tokio::test]
async fn change_events_open_nothing() {
    let vendor = Pagerduty::start().await.unwrap();
    let change =
        |key: &str, summary: &str| json!({ "routing_key": key, "payload": { "summary": summary } }).to_string();
    let answer = post(&vendor, "/v2/change/enqueue", change(KEY, "deployed 1a2b3c4")).await;
    assert_eq!((answer.status, &answer.body["message"]), (202, &json!("Change event processed")));
    let global = format!("R{}", &KEY[1..]);
    assert_eq!(post(&vendor, "/v2/change/enqueue", change(&global, "x")).await.status, 400);
    assert_eq!(post(&vendor, "/v2/change/enqueue", change(KEY, &"x".repeat(1025))).await.status, 400);
    let summaries: Vec<String> = vendor.changes().into_iter().map(|change| change.summary).collect();
    assert_eq!(summaries, ["deployed 1a2b3c4"]);
    assert!(vendor.alerts().is_empty());
}

#[tokio::test]
async fn the_rate_is_limited_per_routing_key() {
    let vendor = Pagerduty::start().await.unwrap();
    vendor.limit_per_min(Some(2));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(enqueue(&vendor, &event("trigger", "k")).await.status);
    }
    statuses.push(enqueue(&vendor, &with("/routing_key", json!(OTHER_KEY))).await.status);
    assert_eq!(statuses, [202, 202, 429, 202]);
    vendor.limit_per_min(None);
    assert_eq!(enqueue(&vendor, &event("trigger", "k")).await.status, 202);
    assert_eq!(vendor.events().len(), 4);
}

async fn check_refused(vendor: &Pagerduty, event: &Value, error: &str) {
    let answer = enqueue(vendor, event).await;
    assert_eq!(answer.status, 400, "{error}");
    assert_eq!(
        (&answer.body["status"], &answer.body["message"]),
        (&json!("invalid event"), &json!("Event object is invalid"))
    );
    let errors = answer.body["errors"].as_array().unwrap();
    assert!(errors.iter().any(|found| found.as_str().unwrap().starts_with(error)), "{error}: {errors:?}");
}
