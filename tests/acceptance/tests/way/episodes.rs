//! From opening to resolution, and what comes after.

use serde_json::json;
use tocsin_acceptance::{World, cleared, events, firing};

#[tokio::test(flavor = "multi_thread")]
async fn a_clear_resolves_everywhere_and_cooldown_holds_the_next_page_back() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    world.post(&cleared("gpt-4o-mini")).await?;
    world.quiet().await?;
    let first = world.newest().await?;
    assert_eq!(first["state"], "resolved");
    let vendors = world.stand_ins();
    let actions: Vec<String> = vendors.pagerduty.events().into_iter().map(|e| e.action).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    let messages = vendors.slack.messages();
    assert_eq!(messages.len(), 2, "the message and the answer in its thread");
    assert_eq!((messages[0].edits, messages[1].thread_ts.as_ref()), (1, Some(&messages[0].ts)));
    assert_eq!(json!(vendors.jira.issues()[0].status), json!("done"), "{:?}", vendors.jira.issues()[0].status);

    world.post(&firing("gpt-4o-mini")).await?;
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let held = world.newest().await?;
    assert_eq!(vendors.pagerduty.triggers().len(), 1, "no page inside the cooldown");
    assert_eq!((&held["state"], &held["suppressed"]), (&json!("resolved"), &json!(2)));
    assert_eq!(held["suppressed_because"]["reason"], "cooling_down");
    assert_eq!(events(&held).last().map(String::as_str), Some("suppressed"));

    world.clock.advance(31 * 60);
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let second = world.newest().await?;
    assert_eq!((&second["state"], &second["episode"]), (&json!("open"), &json!(2)));
    assert_ne!(second["id"], first["id"]);
    let keys: Vec<String> = vendors.pagerduty.alerts().into_iter().map(|a| a.dedup_key).collect();
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1]);
    assert_eq!(vendors.jira.created(), 1, "the ticket is taken up again");
    assert_eq!(
        world.get(&format!("/api/incidents/{}", first["id"].as_str().unwrap_or_default())).await?["state"],
        "resolved"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clear_that_overtakes_its_alert_leaves_nothing_to_page() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut late = firing("gpt-4o-mini");
    late["monitor"]["evaluated_at"] = json!("2026-01-01T10:00:00Z");
    let mut clear = cleared("gpt-4o-mini");
    clear["monitor"]["evaluated_at"] = json!("2026-01-01T10:05:00Z");
    world.post(&clear).await?;
    world.quiet().await?;
    world.post(&late).await?;
    world.quiet().await?;
    assert_eq!(world.stand_ins().pagerduty.events().len(), 0);
    assert_eq!(world.newest().await?["suppressed_because"]["reason"], "stale_firing");
    Ok(())
}
