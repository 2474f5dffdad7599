//! The way of an alert under load: from the webhook's first byte to the trigger at the `PagerDuty` stand-in.
//!
//! Invariant: alerts are sent when they are due, whether or not the earlier ones have arrived, and the time counts from
//! when one was due: a stall is not hidden. Every alert is a problem of its own.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context;
use domain::Timestamp;
use pipeline::SystemClock;
use pipeline::ports::Clock;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::spread::Spread;
use crate::{inputs, say};

const PER_SECOND: u32 = 100;
const SECONDS: u32 = 20;

/// How long the last alert may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// The beginning of each alert's own model.
const MODEL: &str = "bench-model-";

pub(crate) async fn run() -> anyhow::Result<()> {
    let local = inputs::local().await?;
    let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
    inputs::post(&client, &local, &inputs::alert("warm-up")?).await?;
    local.quiet().await?;
    let url = format!("http://{}/alerts/arize", local.address());
    let (first_due, clock_then) = (Instant::now(), SystemClock.now());
    let mut sent = JoinSet::new();
    for number in 0..PER_SECOND * SECONDS {
        let (client, url) = (client.clone(), url.clone());
        let body = inputs::alert(&format!("{MODEL}{number:06}"))?;
        let due = first_due + Duration::from_secs(1) * number / PER_SECOND;
        tokio::time::sleep_until(due).await;
        sent.spawn(async move { inputs::post_to(&client, &url, &body).await });
    }
    while let Some(done) = sent.join_next().await {
        done??;
    }
    tokio::time::timeout(PATIENCE, local.quiet()).await.context("the queues did not become empty")??;
    let mut taken: HashMap<u32, Timestamp> = HashMap::new();
    let mut doubled = 0;
    for trigger in local.stand_ins().pagerduty.triggers() {
        let Some(number) = number_in(&trigger.body.to_string()) else { continue };
        doubled += u32::from(taken.insert(number, trigger.at).is_some());
    }
    let millis = taken.iter().map(|(number, at)| {
        let due_ms = clock_then.as_millisecond() + i64::from(number * 1000 / PER_SECOND);
        f64::from(i32::try_from(at.as_millisecond() - due_ms).unwrap_or(i32::MAX))
    });
    let spread = Spread::new(millis.collect(), "ms");
    say(format!("webhook to PagerDuty, {PER_SECOND} alerts/s for {SECONDS} s, each confirmed and enriched: {spread}"));
    say(format!("  alerts {}, triggers {}, doubled {doubled}", PER_SECOND * SECONDS, taken.len()));
    Ok(())
}

fn number_in(body: &str) -> Option<u32> {
    let from = body.find(MODEL)? + MODEL.len();
    body.get(from..from + 6)?.parse().ok()
}
