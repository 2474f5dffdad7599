//! Every text in every field of a notification, to every receiver, at every transition, over HTTP to the vendors.
//!
//! Invariant: the vendor takes every request; no text pings, links, formats (Jira) or is run as a template.

use std::sync::LazyLock;

use anyhow::{Context as _, bail, ensure};
use domain::{DeliveryId, Handle, Notification, Outcome, Progress, Transition};
use pipeline::ports::HttpSender;
use receivers::{Context, Receiver, Step, Templates, jira, pagerduty, slack};
use serde_json::{Value, json};
use stand_ins::StandIns;
use tocsin::LOCAL_SECRET;
use web::{Client, Sender};

use crate::shown::{beginning, check_document, check_slack, texts, unescaped};

/// Parsed once.
static BUNDLED: LazyLock<Templates> = LazyLock::new(Templates::bundled);

/// Requests that one delivery may take.
const STEPS_MAX: usize = 12;

/// Where a text of others can stand: in the alert, in what was learned from vendors, in what a detector says.
pub const FIELDS: [&str; 25] = [
    "/monitor",
    "/service",
    "/metric",
    "/source",
    "/rule",
    "/labels/model",
    LABEL_NAME,
    "/links/0/text",
    "/links/0/href",
    "/confirmation/evidence/0/because",
    "/confirmation/gap/why",
    "/enrichment/suspects/0/because",
    "/enrichment/suspects/0/change/title",
    "/enrichment/suspects/0/change/author",
    "/enrichment/suspects/0/change/environment",
    "/enrichment/suspects/0/change/url",
    "/enrichment/commits/commits/0/title",
    "/enrichment/commits/commits/0/author",
    "/enrichment/commits/url",
    "/enrichment/gaps/0/what",
    "/enrichment/gaps/0/why",
    "/enrichment/runbook/url",
    "/enrichment/runbook/first_steps/0",
    "/enrichment/dashboards/0/text",
    "/enrichment/dashboards/0/href",
];

/// Stands for the name of a label, which is a key and no value.
const LABEL_NAME: &str = "/labels/(name)";

/// Sends one text everywhere; vendors of its own are started for it. The messages sent.
///
/// # Errors
/// The first request that a vendor refuses, and the first message that does more than show the text.
pub async fn run(text: &str) -> anyhow::Result<usize> {
    let vendors = StandIns::start().await?;
    let sender = Sender::new(Client::new()?);
    let receivers = receivers(&vendors);
    let opened = with("/monitor", "ordinary", Transition::Opened)?;
    let mut known = Handle::default();
    for receiver in &receivers {
        known.absorb(&deliver(&sender, receiver, &opened, &Handle::default()).await?);
    }
    let ordinary = check_all(&vendors)?;
    let mut sent = 0;
    for field in FIELDS {
        for transition in Transition::ALL {
            let told = with(field, text, transition)?;
            let known = if transition == Transition::Opened { Handle::default() } else { known.clone() };
            for receiver in &receivers {
                let what = || format!("{field}, {}, {}", transition.as_str(), receiver.name);
                deliver(&sender, receiver, &told, &known).await.with_context(what)?;
                sent += 1;
            }
        }
    }
    let marks = check_all(&vendors)?;
    // No text brings a link or a bold word with it.
    let most = ordinary.into_iter().max().unwrap_or_default();
    ensure!(marks.iter().all(|count| *count <= most), "a ticket has more marks than an ordinary one: {marks:?}");
    check_seen(&vendors, text)?;
    Ok(sent)
}

/// The marks of every ticket's description, after every message was looked at.
fn check_all(vendors: &StandIns) -> anyhow::Result<Vec<usize>> {
    let mentions = vendors.slack.mentions();
    ensure!(mentions.is_empty(), "somebody was pinged: {mentions:?}");
    for message in vendors.slack.messages() {
        check_slack(&message.text, &message.blocks)?;
    }
    let mut marks = Vec::new();
    for issue in vendors.jira.issues() {
        marks.push(check_document(issue.fields.get("description").context("a description")?)?);
        for comment in &issue.comments {
            check_document(&comment.body)?;
        }
    }
    Ok(marks)
}

/// The text can be read where it stood: in the first messages after the ordinary one, which are of monitor, service, metric.
fn check_seen(vendors: &StandIns, text: &str) -> anyhow::Result<()> {
    let expected = beginning(text);
    let messages = vendors.slack.messages();
    let messages = messages.iter().filter(|message| message.thread_ts.is_none());
    let messages: Vec<String> = messages.map(|message| unescaped(&texts(&json!(message.blocks)))).collect();
    let tickets: Vec<String> = vendors.jira.issues().iter().map(|issue| texts(&json!(issue.fields))).collect();
    for seen in [&messages, &tickets] {
        let first = seen.get(1..4).context("a message is missing")?;
        for seen in first.iter().map(|seen| seen.replace('\n', " ")) {
            ensure!(seen.contains(&expected), "{expected:?} is not in {seen:?}");
        }
    }
    let pages = vendors.pagerduty.triggers();
    let mut components = pages.iter().filter_map(|page| page.body["payload"]["component"].as_str());
    ensure!(components.any(|component| component.starts_with(&expected)), "{expected:?} is no page's component");
    Ok(())
}

async fn deliver(sender: &Sender, receiver: &Receiver, told: &Notification, known: &Handle) -> anyhow::Result<Handle> {
    let delivery = DeliveryId { incident: told.incident.clone(), receiver: receiver.name.clone(), seq: 0 };
    let mut progress = Progress::default();
    for _ in 0..STEPS_MAX {
        let context = Context {
            notification: told,
            delivery: &delivery,
            known,
            earlier: None,
            progress: &progress,
            templates: &BUNDLED,
            now: told.at,
        };
        match receiver.next(&context) {
            Step::Finished => return Ok(progress.handle),
            Step::LookUp { of, .. } => bail!("{of} is looked up"),
            Step::Send { name, request } => {
                let response = sender.send(&request).await?;
                match receiver.interpret(name, &response) {
                    Outcome::Delivered(handle) => progress.complete(name, &handle),
                    refused => bail!("{name}: {refused:?}: {}", request.shown()),
                }
            }
        }
    }
    bail!("no end after {STEPS_MAX} requests")
}

/// The notification with every fact, and the text in one field.
fn with(field: &str, text: &str, transition: Transition) -> anyhow::Result<Notification> {
    let mut told = everything(transition);
    if field == LABEL_NAME {
        told["labels"][text] = "value".into();
    } else {
        *told.pointer_mut(field).with_context(|| field.to_owned())? = text.into();
    }
    Ok(serde_json::from_value(told)?)
}

fn everything(transition: Transition) -> Value {
    let at = "2026-11-23T09:12:30Z";
    let change = json!({
        "kind": "deployment", "id": "77", "at": at, "title": "main@3f9c2d1", "environment": "production",
        "status": "success", "author": "mira", "url": "https://ci.example/run/77",
    });
    json!({
        "incident": "4f2a9c01d7-3-69282c1e", "fingerprint": "4f2a9c01d7b8e6534f2a9c01d7b8e653",
        "transition": transition, "at": at, "state": "open", "severity": "critical", "rule": "latency",
        "source": "arize", "monitor": "ordinary", "service": "support-chatbot", "metric": "latency_p95",
        "labels": { "model": "gpt-4o-mini" }, "value": 4.2, "baseline": 1.3, "threshold": 2.5,
        "occurrences": 3, "opened_at": at,
        "confirmation": {
            "verdict": "inconclusive", "checked": true, "at": at, "gap": { "what": "metric", "why": "it is late" },
            "evidence": [{
                "detector": "robust_z", "verdict": "confirmed", "tested_points": 5, "baseline_points": 300,
                "because": "4.2 is above",
            }],
        },
        "enrichment": {
            "changes": [change], "suspects": [{ "change": change, "because": "went live before" }],
            "commits": {
                "base": "11aa22b", "head": "3f9c2d1", "total": 4, "url": "https://git.example/compare",
                "commits": [{ "sha": "3f9c2d1e5a7b", "title": "raise the limit", "author": "mira" }],
            },
            "runbook": { "url": "https://runbooks.example/latency", "first_steps": ["Look at the queue."] },
            "dashboards": [{ "text": "Latency", "href": "https://grafana.example/d/1" }], "earlier": [],
            "gaps": [{ "what": "monitor", "why": "arize did not answer" }],
        },
        "links": [{ "text": "Monitor", "href": "https://app.arize.com/monitors/1" }],
    })
}

fn receivers(vendors: &StandIns) -> [Receiver; 3] {
    let token = || LOCAL_SECRET.into();
    let pagerduty = pagerduty::Settings { base_url: vendors.pagerduty.url(), routing_key: token() };
    let slack = slack::Settings {
        base_url: format!("{}/api", vendors.slack.url()),
        token: token(),
        channel: "C0AIOPS001".to_owned(),
    };
    let jira = jira::Settings {
        base_url: vendors.jira.url(),
        email: "tocsin@acme.example".to_owned(),
        token: token(),
        project: "OPS".to_owned(),
        issue_type: "Task".to_owned(),
        labels: true,
        priorities: std::collections::BTreeMap::new(),
        fields: serde_json::Map::new(),
        reopen_secs: 0,
        reopen_transition: None,
        resolve_transition: None,
    };
    [Receiver::new("on-call", pagerduty), Receiver::new("ai-ops", slack), Receiver::new("tickets", jira)]
}
