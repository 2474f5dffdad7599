//! Every text in every field of a notification, to every receiver, at every transition, over HTTP to the vendors.
//!
//! Invariant: the vendor takes every request; no text pings, links, formats (Jira, Linear), adds to a webhook's JSON or is
//! run as a template.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use anyhow::{Context as _, bail, ensure};
use domain::{DeliveryId, Handle, Notification, Outcome, Progress, Transition};
use pipeline::ports::HttpSender;
use receivers::{Context, Receiver, Step, Templates, webhook};
use serde_json::{Value, json};
use stand_ins::StandIns;
use web::{Client, Sender};

use crate::receivers::{CHANNEL, at, loaded};
use crate::shown::{beginning, check_document, check_markdown, check_slack, shown_markdown, texts, unescaped};

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
    let receivers = at(&vendors)?;
    let opened = with("/monitor", "ordinary", Transition::Opened)?;
    let mut known: BTreeMap<&str, Handle> = BTreeMap::new();
    // Each message is a delivery of its own: a vendor that heeds an id must not take two for one.
    let mut seq = 0;
    let mut next = || {
        seq += 1;
        seq
    };
    for receiver in &receivers {
        let handle = deliver(&sender, receiver, &opened, &Handle::default(), next()).await?;
        known.insert(&receiver.name, handle);
    }
    let ordinary = check_vendors(&vendors)?;
    let outlines = outlines(&vendors);
    let mut sent = 0;
    for field in FIELDS {
        for transition in Transition::ALL {
            let told = with(field, text, transition)?;
            for receiver in receivers.iter().filter(|receiver| is_told(receiver, transition)) {
                let what = || format!("{field}, {}, {}", transition.as_str(), receiver.name);
                let known = known.get(receiver.name.as_str()).filter(|_| transition != Transition::Opened);
                let known = known.cloned().unwrap_or_default();
                deliver(&sender, receiver, &told, &known, next()).await.with_context(what)?;
                sent += 1;
            }
        }
    }
    let marks = check_vendors(&vendors)?;
    // No text brings a link or a bold word with it.
    for (vendor, marks) in marks {
        let most = ordinary.get(vendor).into_iter().flatten().max().copied().unwrap_or_default();
        ensure!(marks.iter().all(|count| *count <= most), "{vendor} has more marks than an ordinary one: {marks:?}");
    }
    ensure!(self::outlines(&vendors) == outlines, "a webhook's body has other fields than an ordinary one: {text:?}");
    check_seen(&vendors, text)?;
    Ok(sent)
}

/// The messages that [`run`] sends of one text.
///
/// # Errors
/// When the receivers have a mistake.
pub fn deliveries() -> anyhow::Result<usize> {
    let receivers = loaded()?;
    let told = receivers.iter().map(|r| Transition::ALL.into_iter().filter(|of| is_told(r, *of)).count());
    Ok(FIELDS.len() * told.sum::<usize>())
}

/// A webhook's other bodies say less than the first, and the same at each transition.
fn is_told(receiver: &Receiver, transition: Transition) -> bool {
    let Some(own) = receiver.settings::<webhook::Settings>() else { return true };
    own.template == webhook::TEMPLATES[0].1 || transition == Transition::Opened
}

/// The marks of every ticket's description by vendor, after every message was looked at.
///
/// # Errors
/// The first message that pings, links elsewhere, or has what none of ours has.
pub fn check_vendors(vendors: &StandIns) -> anyhow::Result<BTreeMap<&'static str, Vec<usize>>> {
    let mentions = vendors.slack.mentions();
    ensure!(mentions.is_empty(), "somebody was pinged: {mentions:?}");
    for message in vendors.slack.messages() {
        check_slack(&message.text, &message.blocks)?;
    }
    let mut marks: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for issue in vendors.jira.issues() {
        let count = check_document(issue.fields.get("description").context("a description")?)?;
        marks.entry("Jira").or_default().push(count);
        for comment in &issue.comments {
            check_document(&comment.body)?;
        }
    }
    for issue in vendors.linear.issues() {
        marks.entry("Linear").or_default().push(check_markdown(&issue.description)?);
    }
    for comment in vendors.linear.comments() {
        check_markdown(&comment.body)?;
    }
    Ok(marks)
}

/// The fields of every body that a webhook took, by its receiver.
fn outlines(vendors: &StandIns) -> BTreeMap<String, BTreeSet<Vec<String>>> {
    let keys = |body: &Value| body.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>());
    let mut outlines: BTreeMap<String, BTreeSet<Vec<String>>> = BTreeMap::new();
    for taken in vendors.webhook.taken() {
        let mut body = &taken.body;
        let mut outline = Vec::new();
        // An envelope of one field, and a list of one row, are looked into.
        while let Some(fields) = keys(body) {
            let only = body.as_object().and_then(|object| object.values().next()).filter(|_| fields.len() == 1);
            outline.extend(fields);
            let Some(inner) = only else { break };
            body = inner.get(0).unwrap_or(inner);
        }
        let name = taken.path.split('/').nth(1).unwrap_or_default().to_owned();
        outlines.entry(name).or_default().insert(outline);
    }
    outlines
}

/// The text can be read where it stood: in the first messages after the ordinary one, which are of monitor, service, metric.
fn check_seen(vendors: &StandIns, text: &str) -> anyhow::Result<()> {
    let expected = beginning(text);
    let posted = vendors.slack.messages();
    let of = |is_ours: bool| {
        let posted = posted.iter().filter(move |m| m.thread_ts.is_none() && (m.channel == CHANNEL) == is_ours);
        posted.map(|m| unescaped(&texts(&json!(m.blocks)))).collect::<Vec<String>>()
    };
    let tickets: Vec<String> = vendors.jira.issues().iter().map(|issue| texts(&json!(issue.fields))).collect();
    let issues: Vec<String> = vendors.linear.issues().iter().map(|i| shown_markdown(&i.description)).collect();
    for seen in [&of(true), &tickets, &issues] {
        let first = seen.get(1..4).context("a message is missing")?;
        for seen in first.iter().map(|seen| seen.replace('\n', " ")) {
            ensure!(seen.contains(&expected), "{expected:?} is not in {seen:?}");
        }
    }
    let announced = of(false);
    ensure!(announced.iter().any(|seen| seen.replace('\n', " ").contains(&expected)), "{expected:?} is not announced");
    let taken = vendors.webhook.taken();
    let sent =
        |field: &str| taken.iter().any(|taken| beginning(taken.body[field].as_str().unwrap_or_default()) == expected);
    for field in ["monitor", "service", "metric"] {
        ensure!(sent(field), "{expected:?} is no webhook's {field}");
    }
    let pages = vendors.pagerduty.triggers();
    let mut components = pages.iter().filter_map(|page| page.body["payload"]["component"].as_str());
    ensure!(components.any(|component| component.starts_with(&expected)), "{expected:?} is no page's component");
    Ok(())
}

async fn deliver(
    sender: &Sender,
    receiver: &Receiver,
    told: &Notification,
    known: &Handle,
    seq: u32,
) -> anyhow::Result<Handle> {
    let delivery = DeliveryId { incident: told.incident.clone(), receiver: receiver.name.clone(), seq };
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
