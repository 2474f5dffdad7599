//! One provider fails, and ten thousand things with it: one page, one message, every child on record.

use std::time::Duration;

use domain::{ChildState, IncidentId};
use serde_json::{Value, json};
use tocsin_acceptance::{CONFIG, World, cleared, firing, post};

/// One incident a provider; its children are services and models.
async fn world() -> anyhow::Result<World> {
    let grouped = "rules:\n  - name: provider\n    match: { provider: [acme-llm] }\n    group_by: [provider]\n    \
                   children: [service, model]\n    cooldown: 10m\n    receivers: [on-call, ai-ops]\n";
    World::with_config(&CONFIG.replace("rules:\n", grouped), None).await
}

fn of_provider(mut body: Value, model: &str) -> Value {
    body["labels"]["provider"] = json!("acme-llm");
    body["labels"]["model"] = json!(model);
    body
}

fn fires(model: &str) -> Value {
    of_provider(firing(model), model)
}

fn clears(model: &str) -> Value {
    of_provider(cleared(model), model)
}

/// Waits until Slack's message shows these counts, five minutes at most.
async fn counted(world: &World, total: u64, firing: u64) -> anyhow::Result<Value> {
    let shown = format!("*Children* {total}, of which {firing} fire");
    for _ in 0..1500 {
        let messages = world.stand_ins().slack.messages();
        if messages.first().is_some_and(|message| json!(message.blocks).to_string().contains(&shown)) {
            return world.newest().await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    anyhow::bail!("{total} children, {firing} firing, are never shown: {:?}", world.stand_ins().slack.messages())
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_fingerprints_of_a_provider_are_one_page_and_one_message() -> anyhow::Result<()> {
    const CHILDREN: usize = 10_000;
    const CONNECTIONS: usize = 8;
    let world = world().await?;
    let mut connections = tokio::task::JoinSet::new();
    for connection in 0..CONNECTIONS {
        let (client, url) = (world.client().clone(), world.url("/alerts/arize"));
        connections.spawn(async move {
            for child in (connection..CHILDREN).step_by(CONNECTIONS) {
                post(&client, &url, &fires(&format!("model-{child}"))).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = connections.join_next().await {
        done??;
    }
    let record = counted(&world, CHILDREN as u64, CHILDREN as u64).await?;
    assert_eq!(world.incidents().await?.len(), 1);
    assert_eq!(record["children"], json!({ "total": CHILDREN, "firing": CHILDREN }));
    assert_eq!(record["occurrences"], CHILDREN);
    let vendors = world.stand_ins();
    assert_eq!(vendors.pagerduty.events().len(), 1, "PagerDuty is told once");
    let messages = vendors.slack.messages();
    assert_eq!(messages.len(), 1);
    let edited: Vec<_> = messages[0].edited_at.windows(2).map(|pair| pair[1].duration_since(pair[0])).collect();
    assert!(edited.iter().all(|apart| apart.as_millis() >= 1000), "{edited:?}");
    let id: IncidentId = record["id"].as_str().unwrap_or_default().to_owned().try_into()?;
    let children = world.local.store().children_of(&id).await?;
    assert_eq!(children.len(), CHILDREN);
    assert!(children.iter().all(|child| child.state == ChildState::Firing && child.labels.len() == 2));
    let listed = world.get(&format!("/api/incidents/{id}/children")).await?;
    assert_eq!(listed["children"].as_array().map(Vec::len), Some(CHILDREN));
    let updates = record["timeline"].as_array().map_or(0, Vec::len);
    println!(
        "{CHILDREN} children: {} edits, {updates} timeline entries, AWS calls {:?}",
        edited.len() + 1,
        world.local.aws_calls()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_child_that_clears_ends_the_incident() -> anyhow::Result<()> {
    let world = world().await?;
    for model in ["a", "b", "c"] {
        world.post(&fires(model)).await?;
    }
    counted(&world, 3, 3).await?;
    world.post(&clears("a")).await?;
    world.post(&clears("unknown")).await?;
    let record = counted(&world, 3, 2).await?;
    assert_eq!(record["state"], "open");
    assert_eq!(world.stand_ins().pagerduty.events().len(), 1, "counts wake nobody");
    for model in ["b", "c"] {
        world.post(&clears(model)).await?;
    }
    let record = world.until_state("resolved").await?;
    world.quiet().await?;
    assert_eq!(record["children"], json!({ "total": 3, "firing": 0 }));
    let events = world.stand_ins().pagerduty.events();
    assert_eq!(events.iter().map(|e| e.action.as_str()).collect::<Vec<_>>(), ["trigger", "resolve"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clear_from_before_the_incident_ends_the_child_that_it_overtook() -> anyhow::Result<()> {
    let world = world().await?;
    world.post(&clears("b")).await?;
    world.quiet().await?;
    world.post(&fires("a")).await?;
    counted(&world, 1, 1).await?;
    let mut overtaken = fires("b");
    overtaken["monitor"]["evaluated_at"] = json!("2026-01-01T00:00:00Z");
    world.post(&overtaken).await?;
    world.quiet().await?;
    assert_eq!(world.newest().await?["children"], json!({ "total": 1, "firing": 1 }));
    world.post(&clears("a")).await?;
    world.until_state("resolved").await?;
    world.quiet().await?;
    let events = world.stand_ins().pagerduty.events();
    assert_eq!(events.iter().map(|e| e.action.as_str()).collect::<Vec<_>>(), ["trigger", "resolve"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_of_a_child_is_two_updates_and_tells_nobody() -> anyhow::Result<()> {
    let world = world().await?;
    world.post(&fires("a")).await?;
    world.quiet().await?;
    let before = world.local.aws_calls();
    world.post(&fires("a")).await?;
    world.quiet().await?;
    let count = |name: &str| world.local.aws_calls().get(name).unwrap_or(&0) - before.get(name).unwrap_or(&0);
    let calls = ["UpdateItem", "SendMessage", "GetItem", "Query", "TransactWriteItems"].map(count);
    assert_eq!(calls, [2, 1, 0, 0, 0]);
    assert_eq!(world.newest().await?["occurrences"], 2);
    assert_eq!(world.stand_ins().slack.messages()[0].edits, 0);
    Ok(())
}
