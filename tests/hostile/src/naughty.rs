//! Naughty strings the whole way: from the body of a webhook to the messages of an opening, an escalation, a reminder and
//! an end, to the record and to the console.
//!
//! Invariant: every string becomes one incident, whatever it is; every delivery is taken; no page shows it as HTML.

use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use sources::Kind;

use crate::messages::check_vendors;
use crate::receivers::names;
use crate::shown::beginning;
use crate::target::{Target, check_refused};

/// Seconds after which an open incident is told of again.
pub(crate) const REMIND_AFTER_SECS: i64 = 2 * 3600;

/// Strings that share one orchestrator: a page of the console lists as many incidents.
const TOGETHER_MAX: usize = 100;

/// What a run has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Webhooks accepted.
    pub accepted: usize,
    /// Words refused as a status.
    pub refused: usize,
    /// Deliveries that their vendor took.
    pub delivered: usize,
}

/// The strings of a file: a JSON array of them.
///
/// # Errors
/// When it cannot be read as one.
pub fn read(file: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    serde_json::from_str(&text).with_context(|| format!("{} is no array of strings", file.display()))
}

/// Sends every string in every field of an alert at once, four times: opened, escalated, reminded, resolved.
///
/// # Errors
/// The first answer, message, record or page that is not as it must be.
pub async fn run(strings: &[String]) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    for strings in strings.chunks(TOGETHER_MAX) {
        together(strings, &mut seen).await?;
    }
    Ok(seen)
}

async fn together(strings: &[String], seen: &mut Seen) -> anyhow::Result<()> {
    let target = Target::start().await?;
    for (severity, status) in [("warning", "firing"), ("critical", "firing"), ("critical", "firing"), ("", "ok")] {
        for (number, text) in strings.iter().enumerate() {
            let body = alert(number, text, severity, status).to_string();
            let reply = target.post_signed(Kind::Arize, body.as_bytes()).await?;
            ensure!(reply.status == 202, "{text:?}, {status}: {}: {}", reply.status, reply.body);
            seen.accepted += 1;
        }
        target.quiet().await?;
        if severity == "critical" {
            target.advance(REMIND_AFTER_SECS);
        }
    }
    for text in strings {
        seen.refused += usize::from(status_is_refused(&target, text).await?);
    }
    seen.delivered += check_records(&target, strings).await?;
    check_vendors(target.local.stand_ins())?;
    Ok(())
}

/// The string wherever a text may stand; the endpoint names the string by its number and is grouped by.
fn alert(number: usize, text: &str, severity: &str, status: &str) -> Value {
    let severity = if severity.is_empty() { text } else { severity };
    json!({
        "event": status,
        "monitor": { "id": format!("monitor-{number}"), "name": text, "metric": text, "uri": text, "notes": text },
        "service": text, "severity": severity, "value": text, "baseline": text, "threshold": text, "timestamp": text,
        "labels": {
            "endpoint": endpoint(number), "model": text, "region": text, "environment": text, "team": text,
            "segment": text, "provider": text, "version": text, "project": text, text: text,
        },
        "links": [text], text: text,
    })
}

fn endpoint(number: usize) -> String {
    format!("case-{number}")
}

/// As a status a string is refused, unless it is a word that is known.
async fn status_is_refused(target: &Target, text: &str) -> anyhow::Result<bool> {
    let body = json!({ "monitor": { "name": "m" }, "event": text, "labels": { "endpoint": "status" } });
    let reply = target.post_signed(Kind::Arize, body.to_string().as_bytes()).await?;
    if reply.status != 202 {
        check_refused(&format!("{text:?} as status"), 400, &reply)?;
    }
    Ok(reply.status == 400)
}

/// One ended incident each, told of by every receiver, and pages that show it as text. The deliveries.
async fn check_records(target: &Target, strings: &[String]) -> anyhow::Result<usize> {
    let listed = target.get("/api/incidents").await?;
    let incidents = listed["incidents"].as_array().cloned().unwrap_or_default();
    let mut delivered = 0;
    for (number, text) in strings.iter().enumerate() {
        let mut of = incidents.iter().filter(|incident| incident["labels"]["endpoint"] == endpoint(number).as_str());
        let incident = of.next().with_context(|| format!("{text:?} made no incident"))?;
        ensure!(of.next().is_none(), "{text:?} made two incidents");
        ensure!(incident["state"] == "resolved", "{text:?}: {incident}");
        let id = incident["id"].as_str().unwrap_or_default();
        let record = target.get(&format!("/api/incidents/{id}")).await?;
        let deliveries = record["deliveries"].as_array().cloned().unwrap_or_default();
        let taken = deliveries.iter().filter(|delivery| delivery["state"] == "delivered").count();
        ensure!(taken == deliveries.len() && taken >= 3 * names().len(), "{text:?}: {deliveries:?}");
        delivered += taken;
        let expected = beginning(text);
        let monitor = beginning(record["monitor"].as_str().unwrap_or_default());
        ensure!(expected.is_empty() || monitor == expected, "{text:?} is recorded as {monitor:?}");
        check_page(&target.page(&format!("/incidents/{id}")).await?, text)?;
    }
    let page = target.page("/").await?;
    strings.iter().try_for_each(|text| check_page(&page, text))?;
    Ok(delivered)
}

/// No tag of a string is a tag of the page.
pub(crate) fn check_page(page: &str, text: &str) -> anyhow::Result<()> {
    for tag in text.match_indices('<').filter_map(|(at, _)| text.get(at..)) {
        let tag: String = tag.chars().take_while(|c| !c.is_control()).take(24).collect();
        // Shorter ones are the page's own, too.
        ensure!(tag.chars().count() < 8 || !page.contains(&tag), "{tag:?} stands in a page as HTML");
    }
    Ok(())
}
