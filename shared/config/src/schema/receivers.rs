//! The forms of `receivers:`, one for each kind.
//!
//! Invariant: a receiver's kind decides which fields there are.

use domain::{ReceiverKind, Severity, Transition};
use receivers::webhook::TEMPLATES;
use serde_json::{Value, json};

use super::types::{address, boolean, duration, object, one_of, one_or_more, required, secret, text, whole, words};

/// Of any kind.
pub(super) fn receiver() -> Value {
    one_of(&[pagerduty(), slack(), slack_incoming(), jira(), linear(), webhook()])
}

fn kind(kind: ReceiverKind) -> (&'static str, Value, &'static str) {
    ("kind", json!({ "const": kind.as_str() }), "Which kind of receiver this is.")
}

fn by_severity(form: &Value) -> Value {
    let severities = [Severity::Info, Severity::Warning, Severity::Error, Severity::Critical];
    object(&severities.map(|severity| (severity.as_str(), form.clone(), "")))
}

fn pagerduty() -> Value {
    let mut receiver = object(&[
        kind(ReceiverKind::Pagerduty),
        ("base_url", address(), "The Events API's address, where it is another."),
        ("routing_key", secret(), "An Events API v2 integration's key."),
    ]);
    required(&mut receiver, &["kind", "routing_key"]);
    receiver
}

fn slack() -> Value {
    let mut receiver = object(&[
        kind(ReceiverKind::Slack),
        ("base_url", address(), "The Web API's address, where it is another."),
        ("token", secret(), "A bot token with chat:write and channels:history."),
        ("channel", text(), "The channel's id, or \"#name\"."),
    ]);
    required(&mut receiver, &["kind", "token", "channel"]);
    receiver
}

fn slack_incoming() -> Value {
    let mut receiver = object(&[
        kind(ReceiverKind::Slack),
        ("webhook_url", secret(), "An incoming webhook's address: no threads, each transition is a message."),
    ]);
    required(&mut receiver, &["kind", "webhook_url"]);
    receiver
}

fn jira() -> Value {
    let mut receiver = object(&[
        kind(ReceiverKind::Jira),
        ("base_url", address(), "https://<site>.atlassian.net"),
        ("email", text(), "The account."),
        ("token", secret(), "Its API token."),
        ("project", text(), "The project's key."),
        ("issue_type", text(), "Task, where it is left out."),
        ("labels", boolean(), "false where the project refuses labels."),
        ("priorities", by_severity(&text()), "The priority's name by severity."),
        ("fields", json!({ "type": "object" }), "More fields, as Jira wants them."),
        ("reopen_within", duration(), "A recurrence in this time reopens the ticket."),
        ("reopen_transition", text(), "The transition that reopens."),
        ("resolve_transition", text(), "The transition that closes."),
    ]);
    required(&mut receiver, &["kind", "base_url", "email", "token", "project"]);
    receiver
}

fn linear() -> Value {
    let mut receiver = object(&[
        kind(ReceiverKind::Linear),
        ("base_url", address(), "The API's address, where it is another."),
        ("api_key", secret(), "May create issues and comments."),
        ("team", text(), "The team's UUID."),
        ("project", text(), "The project's UUID."),
        ("labels", one_or_more(text()), "UUIDs of labels."),
        ("priorities", by_severity(&whole(0, 4)), "1 is urgent, 4 low, 0 none."),
        ("resolved_state", text(), "UUID of the state that an issue ends in."),
    ]);
    required(&mut receiver, &["kind", "api_key", "team"]);
    receiver
}

fn webhook() -> Value {
    let templates: Vec<&str> = TEMPLATES.iter().map(|(name, _)| *name).collect();
    let mut receiver = object(&[
        kind(ReceiverKind::Webhook),
        ("url", text(), "The address, or ${NAME}; {incident} in it becomes the incident's id."),
        ("method", words(&["post", "put", "patch"]), "post, where it is left out."),
        ("template", words(&templates), "Which body is sent."),
        ("secret", secret(), "Signs each request (Standard Webhooks)."),
        ("authorization", secret(), "The whole value of Authorization."),
        ("transitions", one_or_more(words(&Transition::ALL.map(Transition::as_str))), "Those that are told."),
    ]);
    required(&mut receiver, &["kind", "url"]);
    receiver
}
