//! Sends alerts as webhook senders do: what was not answered with a 2xx is sent again, until it is.
//!
//! Invariant: an alert counts as accepted only by a 202 that was read whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, anyhow};
use domain::Timestamp;
use futures::future::try_join_all;
use pipeline::SystemClock;
use pipeline::ports::Clock;
use serde_json::{Value, json};
use sources::Auth;

use crate::plan::{Plan, Planned};

/// Connections that send at the same time.
const CONNECTIONS: usize = 16;

/// The source's name in the storm's config.
pub(crate) const SOURCE: &str = "storm";

/// How long one answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a sender waits before it sends again.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Times that one body is sent before the storm is given up.
const TRIES_MAX: u32 = 200;

/// An alert that was answered with 202.
#[derive(Debug, Clone)]
pub(crate) struct Accepted {
    /// As it was answered.
    pub(crate) alert: String,
    /// As it was answered.
    pub(crate) fingerprint: String,
}

/// What sending came to.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// Every alert that was accepted.
    pub(crate) accepted: Vec<Accepted>,
    /// Alerts in requests that were sent again because no 2xx came.
    pub(crate) sent_again: usize,
}

/// Where a storm goes.
#[derive(Clone)]
pub(crate) struct Sender {
    pub(crate) url: String,
    pub(crate) auth: Auth,
    /// Alerts accepted so far, for whoever kills by progress.
    pub(crate) progress: Arc<AtomicUsize>,
}

impl Sender {
    /// Sends all of it and returns when every body was accepted.
    pub(crate) async fn send(self, plan: Arc<Plan>) -> anyhow::Result<Sent> {
        let next = Arc::new(AtomicUsize::new(0));
        let connections = (0..CONNECTIONS).map(|connection| {
            let (sender, plan, next) = (self.clone(), plan.clone(), next.clone());
            tokio::spawn(async move { sender.connection(connection, &plan, &next).await })
        });
        let mut all = Sent::default();
        for sent in try_join_all(connections).await? {
            let sent = sent?;
            all.accepted.extend(sent.accepted);
            all.sent_again += sent.sent_again;
        }
        Ok(all)
    }

    async fn connection(&self, number: usize, plan: &Plan, next: &AtomicUsize) -> anyhow::Result<Sent> {
        let client = reqwest::Client::builder().timeout(ANSWER_TIMEOUT).pool_max_idle_per_host(1).build()?;
        let mut sent = Sent::default();
        loop {
            let at = next.fetch_add(1, Ordering::SeqCst);
            let Some(body) = plan.bodies.get(at) else { return Ok(sent) };
            let text = body_text(body, SystemClock.now());
            let mut tries = 0;
            let accepted = loop {
                let message = format!("storm-{number}-{at}");
                match self.post(&client, &message, &text).await {
                    Ok(accepted) => break accepted,
                    Err(error) if tries >= TRIES_MAX => return Err(error.context("given up")),
                    Err(_) => {
                        tries += 1;
                        sent.sent_again += body.len();
                        tokio::time::sleep(AGAIN_AFTER).await;
                    }
                }
            };
            anyhow::ensure!(accepted.len() == body.len(), "{} of {} alerts accepted", accepted.len(), body.len());
            self.progress.fetch_add(accepted.len(), Ordering::SeqCst);
            sent.accepted.extend(accepted);
        }
    }

    async fn post(&self, client: &reqwest::Client, message: &str, body: &str) -> anyhow::Result<Vec<Accepted>> {
        let mut request = client.post(format!("{}/alerts/{SOURCE}", self.url)).body(body.to_owned());
        request = request.header("content-type", "application/json");
        for (name, value) in self.auth.sign(message, SystemClock.now(), body.as_bytes()) {
            request = request.header(name, value);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let told: Value = answer.json().await.context("the answer did not arrive whole")?;
        if status != 202 {
            return Err(anyhow!("{status}: {told}"));
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let accepted = told["accepted"].as_array().context("202 without a list")?.iter();
        let read = |one: &Value| Accepted { alert: text(&one["alert_id"]), fingerprint: text(&one["fingerprint"]) };
        Ok(accepted.map(read).collect())
    }
}

fn body_text(alerts: &[Planned], at: Timestamp) -> String {
    let alerts: Vec<Value> = alerts
        .iter()
        .map(|planned| {
            json!({
                "monitor": format!("Problem {}", planned.problem),
                "service": "storm",
                "metric": "error_rate",
                "status": if planned.firing { "firing" } else { "cleared" },
                "severity": if planned.critical { "critical" } else { "error" },
                "value": 0.25,
                "threshold": 0.02,
                "timestamp": at.to_string(),
                "labels": { "model": format!("problem-{:06}", planned.problem) },
            })
        })
        .collect();
    json!({ "alerts": alerts }).to_string()
}
