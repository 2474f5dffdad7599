//! AWS calls of one alert, counted at the wire of the embedded engines.
//!
//! Invariant: polling is left out, since Lambda's event source mapping does it; so is the deletion of finished messages,
//! which is told beside.

use std::collections::BTreeMap;

use tocsin::Local;

use crate::{inputs, say};

/// What the event source mapping and this benchmark do, and no function.
const NOT_OURS: [&str; 3] = ["ReceiveMessage", "GetQueueAttributes", "DeleteMessage"];

/// Duplicates sent at once.
const FLOOD: u32 = 1000;

/// Connections that they come over.
const CONNECTIONS: u32 = 8;

pub(crate) async fn run() -> anyhow::Result<()> {
    say("AWS calls, one alert with three receivers (PagerDuty, Slack, Jira)");
    let local = inputs::local().await?;
    let client = reqwest::Client::new();
    // The first delivery of each kind is on the way as the second; nothing is counted of it.
    inputs::post(&client, &local, &inputs::alert("warm-up")?).await?;
    local.quiet().await?;
    let mut before = ours(&local);
    for (what, model) in [("a unique alert", "gpt-4o"), ("a duplicate", "gpt-4o"), ("another duplicate", "gpt-4o")] {
        inputs::post(&client, &local, &inputs::alert(model)?).await?;
        local.quiet().await?;
        let after = ours(&local);
        tell(what, &before, &after, 1.0);
        before = after;
    }
    let mut connections = tokio::task::JoinSet::new();
    let url = format!("http://{}/alerts/arize", local.address());
    for _ in 0..CONNECTIONS {
        let (client, url, body) = (reqwest::Client::new(), url.clone(), inputs::alert("gpt-4o")?);
        connections.spawn(async move {
            for _ in 0..FLOOD / CONNECTIONS {
                inputs::post_to(&client, &url, &body).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = connections.join_next().await {
        done??;
    }
    local.quiet().await?;
    tell(
        &format!("each of {FLOOD} duplicates over {CONNECTIONS} connections"),
        &before,
        &ours(&local),
        f64::from(FLOOD),
    );
    Ok(())
}

fn ours(local: &Local) -> BTreeMap<String, u64> {
    local.aws_calls().into_iter().filter(|(name, _)| !NOT_OURS.contains(&name.as_str())).collect()
}

#[allow(clippy::cast_precision_loss, reason = "a few thousand calls")]
fn tell(what: &str, before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>, alerts: f64) {
    let calls = after.iter().map(|(name, count)| (name, count - before.get(name).unwrap_or(&0)));
    let calls: Vec<_> = calls.filter(|(_, count)| *count > 0).collect();
    let total: u64 = calls.iter().map(|(_, count)| count).sum();
    let list: Vec<String> = calls.iter().map(|(name, count)| format!("{name} {}", *count as f64 / alerts)).collect();
    say(format!("  {what}: {} ({})", total as f64 / alerts, list.join(", ")));
}
