//! An alert that comes and goes: one incident that is held open, and over when it was quiet.

use std::time::Duration;

use serde_json::json;
use tocsin_acceptance::{CONFIG, World, cleared, firing};

#[tokio::test(flavor = "multi_thread")]
async fn what_flaps_pages_no_more_and_is_over_when_it_was_quiet() -> anyhow::Result<()> {
    let text = CONFIG.replace("    cooldown: 30m\n", "    cooldown: 0s\n    flapping: { changes: 4, within: 1h }\n");
    let world = World::with_config(&text, None).await?;
    for round in 0..5 {
        world.post(&firing("gpt-4o-mini")).await?;
        world.quiet().await?;
        world.post(&cleared("gpt-4o-mini")).await?;
        world.quiet().await?;
        let state = if round == 0 { "resolved" } else { "open" };
        assert_eq!(world.newest().await?["state"], state, "round {round}");
    }
    let triggers = || world.stand_ins().pagerduty.triggers().len();
    assert_eq!(triggers(), 2, "the second opening is the third change; from the fourth on it is held");
    let record = world.newest().await?;
    let entries = record["timeline"].as_array().cloned().unwrap_or_default();
    let held = entries.iter().filter(|entry| entry["event"]["reason"]["reason"] == "flapping").count();
    assert_eq!(held, 4, "{entries:?}");
    let messages = world.stand_ins().slack.messages();
    let shown = messages.iter().find(|message| message.text.contains("updated")).expect("it is shown");
    assert!(json!(shown.blocks).to_string().contains("*Flapping*"), "{shown:?}");

    // The look's own message is hidden for longer than the clock was moved; the sweep finds it overdue.
    world.clock.advance(3600 + 301);
    assert_eq!(world.local.sweep().sweep(Duration::from_secs(20)).await.looks, 1);
    let record = world.until_state("resolved").await?;
    world.quiet().await?;
    let last = record["timeline"].as_array().and_then(|entries| entries.last()).expect("an entry")["event"].clone();
    assert_eq!((&last["transition"], &last["reason"]["reason"]), (&json!("resolved"), &json!("quiet")));
    assert_eq!(triggers(), 2);
    let told = json!(world.stand_ins().slack.messages()).to_string();
    assert!(told.contains("was quiet and clear since"), "{told}");
    Ok(())
}
