//! One problem, one incident.

use std::time::Duration;

use domain::{Alert, AlertId, Fingerprint};
use pipeline::ports::Clock;
use pipeline::{InboxMessage, Item, QueuedMessage};
use serde_json::json;
use tocsin_acceptance::{World, events, firing, post};

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_becomes_one_incident_one_message_and_one_ticket() -> anyhow::Result<()> {
    let world = World::start().await?;
    let fingerprint = world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let record = world.newest().await?;
    assert_eq!(record["fingerprint"], fingerprint);
    assert_eq!((&record["state"], &record["occurrences"]), (&json!("open"), &json!(1)));
    assert_eq!(events(&record), ["received", "verdict", "enriched", "transitioned"]);
    let id = record["id"].as_str().unwrap_or_default();
    let stored = world.local.store().record(&id.to_owned().try_into()?).await?.expect("there is a record");
    domain::verify(&stored.timeline)?;

    let triggers = world.stand_ins().pagerduty.triggers();
    assert_eq!(triggers.len(), 1);
    assert_eq!(triggers[0].dedup_key, format!("tocsin-{id}"));
    let page = triggers[0].body.to_string();
    for fact in ["support-chatbot", "latency_p95", "1a2b3c4", "runbooks.example.com"] {
        assert!(page.contains(fact), "the page lacks {fact}: {page}");
    }
    let messages = world.stand_ins().slack.messages();
    assert_eq!(messages.len(), 1);
    assert!(json!(messages[0].blocks).to_string().contains("1a2b3c4"), "the message names the suspect");
    assert_eq!(world.stand_ins().jira.created(), 1);
    let states: Vec<_> = record["deliveries"].as_array().expect("a list").iter().map(|d| &d["state"]).collect();
    assert_eq!(states, ["delivered", "delivered", "delivered"]);
    let page = world.client().get(world.url("/")).send().await?.text().await?;
    assert!(page.contains(id) && page.contains("OPS-1"), "{page}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_alert_a_thousand_times_is_one_incident() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut connections = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (client, url) = (world.client().clone(), world.url("/alerts/arize"));
        connections.spawn(async move {
            for _ in 0..125 {
                post(&client, &url, &firing("gpt-4o-mini")).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = connections.join_next().await {
        done??;
    }
    world.quiet().await?;
    let incidents = world.incidents().await?;
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0]["occurrences"], 1000);
    let vendors = world.stand_ins();
    assert_eq!(vendors.pagerduty.triggers().len(), 1);
    assert_eq!(vendors.slack.messages().len(), 1);
    assert_eq!(vendors.jira.created(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_racing_on_one_fingerprint_open_one_incident_every_time() -> anyhow::Result<()> {
    const RUNS: usize = 200;
    let world = World::start().await?;
    for run in 0..RUNS {
        let model = format!("model-{run}");
        let (one, other) = (message(&world, &model, "one"), message(&world, &model, "other"));
        let (triage, second) = (world.local.triage().clone(), world.local.triage().clone());
        let (left, right) = tokio::join!(
            tokio::spawn(async move { triage.triage(vec![one], Duration::from_secs(20)).await }),
            tokio::spawn(async move { second.triage(vec![other], Duration::from_secs(20)).await }),
        );
        assert!(left?.is_empty() && right?.is_empty(), "run {run}: a message was not finished");
    }
    world.quiet().await?;
    let incidents = world.incidents().await?;
    assert_eq!(incidents.len(), RUNS);
    for incident in &incidents {
        assert_eq!((&incident["state"], &incident["occurrences"]), (&json!("open"), &json!(2)), "{incident}");
    }
    let vendors = world.stand_ins();
    assert_eq!(vendors.pagerduty.triggers().len(), RUNS);
    assert_eq!(vendors.slack.messages().len(), RUNS);
    assert_eq!(vendors.jira.created(), RUNS);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_twice_counts_once() -> anyhow::Result<()> {
    let world = World::start().await?;
    let message = message(&world, "gpt-4o-mini", "one");
    for _ in 0..3 {
        assert!(world.local.triage().triage(vec![message.clone()], Duration::from_secs(20)).await.is_empty());
    }
    world.quiet().await?;
    let record = world.newest().await?;
    assert_eq!(record["occurrences"], 1);
    assert_eq!(record["timeline"].as_array().map(Vec::len), Some(4));
    assert_eq!(world.stand_ins().slack.messages().len(), 1);
    Ok(())
}

/// An inbox message as `receive` writes it.
fn message(world: &World, model: &str, id: &str) -> QueuedMessage {
    let now = world.clock.now();
    let alert: Alert = serde_json::from_value(json!({
        "id": "x", "source": "arize", "monitor": "Chatbot p95", "service": "support-chatbot", "metric": "latency_p95",
        "status": "firing", "severity": "error", "labels": { "model": model },
        "observed_at": now, "received_at": now,
    }))
    .expect("an alert");
    let alert = Alert { id: AlertId::new(format!("{model}-{id}")), ..alert };
    let group_by = ["service", "metric", "model"].map(str::to_owned);
    let item = Item { fingerprint: Fingerprint::of(&alert, &group_by), alert };
    let body = serde_json::to_string(&InboxMessage::Alerts { items: vec![item] }).expect("a message");
    QueuedMessage::new(format!("message-{id}"), body)
}
