//! What the fuzz targets share: a time, secrets, receivers and a notification that is filled from the input.
//!
//! Invariant: nothing here depends on time, environment or chance, so that an input that fails once fails always.

use domain::{Handle, Notification, Timestamp, Transition};
use receivers::{Receiver, jira, pagerduty, slack};
use secrecy::SecretString;
use serde_json::{Value, json};

/// Stands for every secret: 32 characters of Base64.
pub const SECRET: &str = "dG9jc2luIGZ1enpzIHdpdGggdGhpcyBv";

/// When everything is received: 2026-11-23.
#[must_use]
pub fn received_at() -> Timestamp {
    Timestamp::from_second(1_795_425_120).expect("in range")
}

/// One receiver of each kind.
#[must_use]
pub fn receivers() -> [Receiver; 3] {
    let token = || SecretString::from(SECRET);
    let jira = jira::Settings {
        base_url: "https://acme.atlassian.net".to_owned(),
        email: "tocsin@acme.example".to_owned(),
        token: token(),
        project: "OPS".to_owned(),
        issue_type: "Task".to_owned(),
        labels: true,
        priorities: std::collections::BTreeMap::new(),
        fields: serde_json::Map::new(),
        reopen_secs: 3600,
        reopen_transition: None,
        resolve_transition: None,
    };
    [
        Receiver::new(
            "on-call",
            pagerduty::Settings { base_url: pagerduty::BASE_URL.to_owned(), routing_key: token() },
        ),
        Receiver::new(
            "ai-ops",
            slack::Settings { base_url: slack::BASE_URL.to_owned(), token: token(), channel: "C0AIOPS001".to_owned() },
        ),
        Receiver::new("tickets", jira),
    ]
}

/// What each receiver gave for the episode's message.
#[must_use]
pub fn known() -> Handle {
    Handle::with("channel", "C0AIOPS001").and("ts", "1764000000.000100").and("thread", "open").and("key", "OPS-1")
}

/// A notification whose texts are the given ones, in turn.
///
/// # Panics
/// When the shape of a notification has changed.
#[must_use]
pub fn notification(transition: Transition, texts: &[&str]) -> Notification {
    let mut next = texts.iter().copied().cycle();
    let mut text = || next.next().unwrap_or("word").to_owned();
    let at = received_at();
    let change = json!({
        "kind": "deployment", "id": text(), "at": at, "title": text(), "environment": text(), "status": text(),
        "author": text(), "url": text(),
    });
    let told: Value = json!({
        "incident": "4f2a9c01d7-3-69282c1e", "fingerprint": "4f2a9c01d7b8e6534f2a9c01d7b8e653",
        "transition": transition, "at": at, "state": "open", "severity": "critical",
        "rule": text(), "source": text(), "monitor": text(), "service": text(), "metric": text(),
        "labels": { "model": text(), text(): text() },
        "value": 4.2, "baseline": 1.3, "threshold": 2.5, "occurrences": 3, "opened_at": at,
        "confirmation": {
            "verdict": "inconclusive", "checked": true, "at": at, "gap": { "what": text(), "why": text() },
            "evidence": [{
                "detector": text(), "verdict": "confirmed", "tested_points": 1, "baseline_points": 2, "because": text(),
            }],
        },
        "enrichment": {
            "changes": [change], "suspects": [{ "change": change, "because": text() }],
            "commits": {
                "base": text(), "head": text(), "total": 2, "url": text(),
                "commits": [{ "sha": text(), "title": text(), "author": text() }],
            },
            "runbook": { "url": text(), "first_steps": [text()] },
            "dashboards": [{ "text": text(), "href": text() }], "earlier": [],
            "gaps": [{ "what": text(), "why": text() }],
        },
        "links": [{ "text": text(), "href": text() }],
    });
    serde_json::from_value(told).expect("the shape of a notification")
}
