//! `receivers:` who is told, one file for each kind.
//!
//! Invariant: a receiver's name fits a queue message and a table key; its secrets come from the environment.

mod jira;
mod linear;
mod pagerduty;
mod slack;
mod webhook;

use ::receivers::{Receiver, Settings};
use domain::ReceiverKind;

use super::shared::check_name;
use crate::mistake::{choose, nearest};
use crate::reader::{Value, all};

/// Fields that tell a receiver's kind.
const TELLING: [(&str, ReceiverKind); 6] = [
    ("routing_key", ReceiverKind::Pagerduty),
    ("webhook_url", ReceiverKind::Slack),
    ("channel", ReceiverKind::Slack),
    ("email", ReceiverKind::Jira),
    ("api_key", ReceiverKind::Linear),
    ("url", ReceiverKind::Webhook),
];

pub(crate) fn read(value: &Value<'_>) -> Option<Vec<Receiver>> {
    let entries = value.entries()?;
    if entries.is_empty() {
        return value.fail("there is no receiver", "add one, for instance a pagerduty receiver");
    }
    all(entries.iter().map(|(name, value)| {
        let named = check_name(value, name);
        let settings = settings(value)?;
        named?;
        Some(Receiver { name: name.clone(), settings })
    }))
}

fn settings(value: &Value<'_>) -> Option<Settings> {
    let Some(kind) = kind(value) else {
        // What is wrong beside its kind is told as well.
        if let Some(meant) = meant(value) {
            of(meant, value);
        }
        return None;
    };
    of(kind, value)
}

fn of(kind: ReceiverKind, value: &Value<'_>) -> Option<Settings> {
    match kind {
        ReceiverKind::Pagerduty => pagerduty::read(value).map(Settings::Pagerduty),
        ReceiverKind::Slack if value.find("webhook_url").is_some() => {
            slack::read_incoming(value).map(Settings::SlackIncoming)
        }
        ReceiverKind::Slack => slack::read(value).map(Settings::Slack),
        ReceiverKind::Jira => jira::read(value).map(Box::new).map(Settings::Jira),
        ReceiverKind::Linear => linear::read(value).map(Box::new).map(Settings::Linear),
        ReceiverKind::Webhook => webhook::read(value).map(Box::new).map(Settings::Webhook),
    }
}

/// The kind that a receiver without a good one is meant to have: by its word, else by a field that one kind alone has.
fn meant(value: &Value<'_>) -> Option<ReceiverKind> {
    let word = value.find("kind").and_then(|kind| kind.scalar_text());
    let near = word.and_then(|word| nearest(word, ReceiverKind::ALL.map(ReceiverKind::as_str)));
    let told = TELLING.iter().find(|(field, _)| value.find(field).is_some()).map(|(_, kind)| *kind);
    near.and_then(|word| ReceiverKind::parse(word).ok()).or(told)
}

/// Read first: it decides which fields there are.
fn kind(value: &Value<'_>) -> Option<ReceiverKind> {
    let names = ReceiverKind::ALL.map(ReceiverKind::as_str);
    value.entries()?;
    let Some(kind) = value.find("kind") else {
        return value.fail_at("kind", "it is missing", format!("add `kind:`, one of {}", names.join(", ")));
    };
    let word = kind.text()?;
    let known = ReceiverKind::parse(&word).ok();
    known.or_else(|| kind.fail(format!("there is no kind `{word}`"), choose(&word, &names)))
}
