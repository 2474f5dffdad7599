//! Fires the sample alert and prints its way, from what stands in the record.
//!
//! Invariant: every line printed was read from the table or from an HTTP answer; nothing is printed that did not happen.

use std::time::Duration;

use anyhow::Context;
use domain::{Delivery, DeliveryState, Timestamp};
use pipeline::SystemClock;
use pipeline::ports::Clock;
use serde_json::Value;

use super::Local;
use crate::example;
use crate::send::{Posting, post};
use crate::told::told;

/// How long the sample alert may take from webhook to the last receiver.
const WAY_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends the sample alert and prints each step with the time since it was sent.
pub(crate) async fn run_demo(local: &Local, say: &mut impl FnMut(String)) -> anyhow::Result<()> {
    let sent_at = SystemClock.now();
    say("Firing events/arize/latency_p95.json at POST /alerts/arize".to_owned());
    let to = format!("http://{}", local.address());
    let posting = Posting { source: "arize", to: &to, secret: None, config: (example::CONFIG_NAME, example::CONFIG) };
    let (status, answer) = post(&posting, example::ALERT.as_bytes()).await?;
    anyhow::ensure!(status == 202, "the alert was not accepted: {status} {answer}");
    let alert = answer.pointer("/accepted/0/alert_id").and_then(Value::as_str).unwrap_or_default();
    let fingerprint = answer.pointer("/accepted/0/fingerprint").and_then(Value::as_str).unwrap_or_default();
    say(line(sent_at, SystemClock.now(), "accepted", &format!("alert {alert}, fingerprint {fingerprint}")));
    tokio::time::timeout(WAY_TIMEOUT, local.quiet()).await.context("the queues did not become empty in time")??;
    print_way(local, fingerprint, sent_at, say).await
}

async fn print_way(
    local: &Local,
    fingerprint: &str,
    sent_at: Timestamp,
    say: &mut impl FnMut(String),
) -> anyhow::Result<()> {
    let incidents = local.store().incidents().await?;
    let incident = incidents.iter().find(|i| i.fingerprint.as_str() == fingerprint).context("no incident was made")?;
    let record = local.store().record(&incident.id).await?.context("the incident has no record")?;
    for entry in &record.timeline {
        for (step, text) in told(&entry.event()?) {
            say(line(sent_at, entry.at, step, &text));
        }
    }
    say(line(sent_at, incident.opened_at.unwrap_or(sent_at), "incident", incident.id.as_str()));
    let mut deliveries: Vec<&Delivery> = record.deliveries.iter().collect();
    deliveries.sort_by_key(|d| d.delivered_at);
    for delivery in &deliveries {
        let fields: Vec<String> = delivery.progress.handle.fields().map(|(k, v)| format!("{k} {v}")).collect();
        let answer = delivery.answer.as_deref().unwrap_or_default();
        let text = format!("{} {} {}{answer}", delivery.id.receiver, delivery.state.as_str(), fields.join(", "));
        say(line(sent_at, delivery.delivered_at.unwrap_or(delivery.due), delivery.kind.as_str(), &text));
    }
    let undelivered = deliveries.iter().filter(|d| d.state != DeliveryState::Delivered).count();
    anyhow::ensure!(undelivered == 0 && !deliveries.is_empty(), "{undelivered} deliveries did not arrive");
    say(format!("\nIncident: http://{}/incidents/{}", local.address(), incident.id));
    Ok(())
}

fn line(sent_at: Timestamp, at: Timestamp, step: &str, text: &str) -> String {
    let millis = at.as_millisecond() - sent_at.as_millisecond();
    format!("{millis:>6} ms  {step:<10} {text}")
}
