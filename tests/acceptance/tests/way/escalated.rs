//! Nobody acknowledges: the incident becomes worse, and more people are told.

use std::time::Duration;

use domain::Timestamp;
use pipeline::ports::Clock;
use serde_json::json;
use tocsin_acceptance::{CONFIG, World, cleared, firing};

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_acknowledges_is_told_to_more_people_once() -> anyhow::Result<()> {
    let escalating =
        "    escalate: [ { after: 30m, severity: critical, receivers: [on-call] } ]\n    receivers: [ai-ops]\n";
    let text = CONFIG.replace("    receivers: [on-call, ai-ops, tickets]\n", escalating);
    let text = text.replace("default: { receivers: [ai-ops] }", "default: { receivers: [ai-ops, tickets] }");
    let world = World::with_config(&text, None).await?;
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    assert_eq!(world.stand_ins().pagerduty.triggers().len(), 0);

    // The look's own message is hidden for longer than the clock was moved; the sweep finds it overdue.
    world.clock.advance(1800 + 301);
    assert_eq!(world.local.sweep().sweep(Duration::from_secs(20)).await.looks, 1);
    world.quiet().await?;
    let record = world.newest().await?;
    assert_eq!((&record["severity"], &record["escalations"]), (&json!("critical"), &json!(1)));
    let last = record["timeline"].as_array().and_then(|entries| entries.last()).expect("an entry")["event"].clone();
    assert_eq!((&last["transition"], &last["reason"]["reason"]), (&json!("escalated"), &json!("not_acknowledged")));
    assert_eq!(last["receivers"], json!(["ai-ops", "on-call"]));
    let triggers = world.stand_ins().pagerduty.triggers();
    assert_eq!(triggers.len(), 1);
    assert_eq!(triggers[0].body["payload"]["severity"], "critical");
    let reply = json!(world.stand_ins().slack.messages().last().map(|message| message.blocks.clone())).to_string();
    assert!(reply.contains("nobody has acknowledged it for 30 min"), "{reply}");

    world.clock.advance(86_400);
    assert_eq!(world.local.sweep().sweep(Duration::from_secs(20)).await.looks, 0, "there is no other step");
    world.post(&cleared("gpt-4o-mini")).await?;
    world.until_state("resolved").await?;
    world.quiet().await?;
    let told = world.stand_ins().pagerduty.events();
    assert_eq!(told.iter().map(|event| event.action.as_str()).collect::<Vec<_>>(), ["trigger", "resolve"]);
    Ok(())
}

/// A night is quiet: the step waits for its end, and the sweep has nothing to send until then.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_muted_waits_for_the_end_of_the_mute() -> anyhow::Result<()> {
    let escalating = "    escalate: [ { after: 30m, receivers: [on-call] } ]\n    receivers: [ai-ops]\n";
    let text = CONFIG.replace("    receivers: [on-call, ai-ops, tickets]\n", escalating);
    let text = text.replace("default: { receivers: [ai-ops] }", "default: { receivers: [ai-ops, tickets] }");
    let world = World::with_config(&text, None).await?;
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let until = Timestamp::from_second(world.clock.now().as_second() + 2801)?;
    let matchers = json!([{ "label": "model", "test": { "glob": "*" } }]);
    let silence =
        json!({ "id": "night", "matchers": matchers, "from": Timestamp::MIN, "until": until, "because": "a test" });
    let answer = world.client().post(world.url("/api/silences")).json(&silence).send().await?;
    assert_eq!(answer.status(), 200);
    world.clock.advance(1800 + 301);
    assert_eq!(world.local.sweep().sweep(Duration::from_secs(20)).await.looks, 1);
    world.quiet().await?;
    let record = world.newest().await?;
    assert_eq!((&record["escalations"], &record["suppressed_because"]["reason"]), (&json!(0), &json!("silenced")));
    for _ in 0..5 {
        world.clock.advance(60);
        assert_eq!(world.local.sweep().sweep(Duration::from_secs(20)).await.looks, 0, "{}", world.newest().await?);
        world.quiet().await?;
    }
    world.clock.advance(701);
    assert_eq!(world.local.sweep().sweep(Duration::from_secs(20)).await.looks, 1);
    world.quiet().await?;
    assert_eq!(world.newest().await?["escalations"], 1);
    assert_eq!(world.stand_ins().pagerduty.triggers().len(), 1);
    Ok(())
}
