//! What vendors answer leads nowhere but to themselves.

use domain::{DeliveryId, Handle, Notification, Outcome, Progress, ReceiverKind, Transition};
use receivers::{Context, Receiver, Response, Step, Templates, slack};
use serde_json::{Value, json};

/// Bytes that are kept of what a vendor gives, and later sent back to it.
const NAME_BYTES_MAX: usize = 2048;

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

/// Every receiver there is, and the host that it may ask.
fn receivers() -> Vec<(Receiver, &'static str)> {
    let host = |receiver: &Receiver| match receiver.kind() {
        ReceiverKind::Pagerduty => "events.pagerduty.com",
        ReceiverKind::Slack if receiver.settings::<slack::Settings>().is_some() => "slack.com",
        ReceiverKind::Jira => "acme.atlassian.net",
        ReceiverKind::Linear => "api.linear.app",
        _ => "hooks.example",
    };
    let receivers = tocsin_hostile::receivers::loaded().expect("receivers without a mistake");
    receivers.into_iter().map(|receiver| (receiver.clone(), host(&receiver))).collect()
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
        "data": {
            "issueCreate": { "success": true, "issue": { "id": name, "identifier": name, "url": name } },
            "commentCreate": { "success": true, "comment": { "id": name } },
            "issueUpdate": { "success": true, "issue": { "id": name } },
            "issues": { "nodes": [{ "id": name, "identifier": name, "url": name }] },
            "comments": { "nodes": [{ "id": name }] },
            "team": { "states": { "nodes": [{ "id": name, "type": "completed", "position": 0 }] } },
        },
    })
}

#[test]
fn whatever_name_a_vendor_gives_the_next_request_goes_to_its_own_address() {
    let (told, templates) = (told(), Templates::bundled());
    let steps = [
        "trigger",
        "post",
        "update",
        "reply",
        "create",
        "comment",
        "earlier_ticket",
        "transitions",
        "transition",
        "states",
        "move",
        "send",
    ];
    let mut asked = 0;
    for (receiver, host) in receivers() {
        let delivery = DeliveryId { incident: told.incident.clone(), receiver: receiver.name.clone(), seq: 1 };
        let long = "x".repeat(100_000);
        let names = NAMES.into_iter().chain([long.as_str()]);
        for (name, step) in names.flat_map(|name| steps.map(|step| (name, step))) {
            let body = answer(name).to_string().into_bytes();
            let response = Response { status: 200, retry_after_secs: None, body };
            let mut progress = Progress::default();
            let mut known = Handle::with("key", "OPS-7").and("channel", "C0").and("ts", "1.2").and("issue", "i-1");
            if let Outcome::Delivered(handle) = receiver.interpret(step, &response) {
                let longest = handle.fields().map(|(_, value)| value.len()).max().unwrap_or_default();
                assert!(longest <= NAME_BYTES_MAX, "{name}, {step}: {longest} bytes are kept of a name");
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
