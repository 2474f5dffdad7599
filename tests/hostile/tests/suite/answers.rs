//! What vendors answer leads nowhere but to themselves.

use domain::{DeliveryId, Handle, Notification, Outcome, Progress, Transition};
use receivers::{Context, Receiver, Response, Step, Templates, jira, pagerduty, slack};
use serde_json::{Value, json};

const NAMES: [&str; 14] = [
    "http://127.0.0.1:9/",
    "//evil.example/",
    "..",
    "../../../admin",
    "%2e%2e%2fadmin",
    "OPS-1/../../x",
    "OPS-1?x=y",
    "OPS-1#x",
    "@evil.example",
    ":80@evil.example/",
    "\\\\evil.example\\x",
    "OPS-1\r\nhost: evil.example",
    "é世🔥",
    "OPS-1",
];

fn receivers() -> [(Receiver, &'static str); 3] {
    let jira = jira::Settings {
        base_url: "https://acme.atlassian.net".to_owned(),
        email: "tocsin@acme.example".to_owned(),
        token: "api-token".into(),
        project: "OPS".to_owned(),
        issue_type: "Task".to_owned(),
        labels: true,
        priorities: std::collections::BTreeMap::new(),
        fields: serde_json::Map::new(),
        reopen_secs: 3600,
        reopen_transition: None,
        resolve_transition: None,
    };
    let pagerduty =
        pagerduty::Settings { base_url: pagerduty::BASE_URL.to_owned(), routing_key: "k".repeat(32).into() };
    let slack =
        slack::Settings { base_url: slack::BASE_URL.to_owned(), token: "xoxb-1".into(), channel: "C0".to_owned() };
    [
        (Receiver::new("on-call", pagerduty), "events.pagerduty.com"),
        (Receiver::new("ai-ops", slack), "slack.com"),
        (Receiver::new("tickets", jira), "acme.atlassian.net"),
    ]
}

fn told() -> Notification {
    let at = "2026-11-23T09:12:30Z";
    serde_json::from_value(json!({
        "incident": "4f2a9c01d7-3-69282c1e", "fingerprint": "4f2a9c01d7b8e6534f2a9c01d7b8e653",
        "transition": Transition::Resolved, "at": at, "state": "resolved", "severity": "critical", "rule": "latency",
        "source": "arize", "monitor": "m", "service": "s", "metric": "x", "occurrences": 1, "opened_at": at,
    }))
    .expect("a notification")
}

/// An answer that gives a name wherever a vendor can.
fn answer(name: &str) -> Value {
    let done = json!({ "status": { "statusCategory": { "key": "done" } } });
    json!({
        "ok": true, "channel": name, "ts": name, "dedup_key": name, "key": name, "id": name, "self": name, "fields": done,
        "issues": [{ "key": name }], "location": name, "url": name, "next": name,
        "transitions": [{ "id": name, "name": "Done", "to": { "name": "Done", "statusCategory": { "key": "done" } } }],
        "response_metadata": { "next_cursor": name },
    })
}

#[test]
fn whatever_name_a_vendor_gives_the_next_request_goes_to_its_own_address() {
    let (told, templates) = (told(), Templates::bundled());
    let steps =
        ["trigger", "post", "update", "reply", "create", "comment", "earlier_ticket", "transitions", "transition"];
    let mut asked = 0;
    for (receiver, host) in receivers() {
        let delivery = DeliveryId { incident: told.incident.clone(), receiver: receiver.name.clone(), seq: 1 };
        for (name, step) in NAMES.iter().flat_map(|name| steps.map(|step| (*name, step))) {
            let body = answer(name).to_string().into_bytes();
            let response = Response { status: 200, retry_after_secs: None, body };
            let mut progress = Progress::default();
            let mut known = Handle::with("key", "OPS-7").and("channel", "C0").and("ts", "1.2");
            if let Outcome::Delivered(handle) = receiver.interpret(step, &response) {
                progress.complete(step, &handle);
                known.absorb(&handle);
            }
            for uncertain in [None, Some("reply"), Some("comment"), Some("create"), Some("transition")] {
                progress.uncertain = uncertain.map(str::to_owned);
                let context = Context {
                    notification: &told,
                    delivery: &delivery,
                    known: &known,
                    earlier: None,
                    progress: &progress,
                    templates: &templates,
                    now: told.at,
                };
                let (Step::Send { request, .. } | Step::LookUp { request, .. }) = receiver.next(&context) else {
                    continue;
                };
                let url = reqwest::Url::parse(&request.url).expect("an address");
                assert_eq!((url.scheme(), url.host_str(), url.port()), ("https", Some(host), None), "{name}, {step}");
                assert!(url.username().is_empty() && !url.path().contains("admin"), "{name}, {step}: {url}");
                let written = request.url.split(['?', '#']).next().unwrap_or_default();
                assert!(written.ends_with(url.path()), "{name}, {step}: {written} is read as {url}");
                asked += 1;
            }
        }
    }
    assert!(asked > 500, "{asked} requests");
}
