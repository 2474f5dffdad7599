//! Webhooks that never came: Arize is asked, and says what they would have said.

use pipeline::Pulled;
use pipeline::ports::Clock;
use serde_json::{Value, json};
use stand_ins::Fault;
use tocsin_acceptance::{CONFIG, World, cleared, firing};

const MINUTE_SECS: i64 = 60;

/// As Arize's monitors have it.
const WEBHOOK: &str = "https://alerts.acme.example/alerts/arize";

fn config() -> String {
    let api =
        format!("arize_api: {{ key: \"${{TEST_ARIZE_KEY}}\", reconcile: {{ webhook: \"{WEBHOOK}\" }} }}\nservices:");
    CONFIG.replacen("services:", &api, 1)
}

/// The monitor of [`firing`], as its REST object: with the name and the metric, and without the labels that only the
/// webhook has.
fn monitor(world: &World, status: &str) -> Value {
    json!({
        "id": "mon-1", "name": "Chatbot p95", "type": "TRACING", "status": status, "metric": "latency_p95",
        "service": "support-chatbot", "latest_computed_value": 4.1, "threshold": { "value": 2.5 },
        "evaluated_at": world.clock.now().to_string(), "notifications_enabled": true,
        "uri": "https://app.arize.com/monitors/mon-1",
        "notification_configs": [
            { "type": "EMAIL", "address": "ai-ops@acme.example" },
            { "type": "WEBHOOK", "id": "V2ViaG9vazox", "url": WEBHOOK },
        ],
    })
}

fn put(world: &World, status: &str) {
    world.stand_ins().arize.put(monitor(world, status));
}

fn paged(world: &World) -> Vec<String> {
    world.stand_ins().pagerduty.events().into_iter().map(|event| event.action).collect()
}

/// One run a minute.
async fn minutes(world: &World, count: usize, status: &str) -> anyhow::Result<Pulled> {
    let mut all = Pulled::default();
    for _ in 0..count {
        put(world, status);
        all += world.pull().await?;
        world.quiet().await?;
        world.clock.advance(MINUTE_SECS);
    }
    Ok(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_webhook_is_found_paged_once_and_cleared_by_asking() -> anyhow::Result<()> {
    let world = World::with_config(&config(), None).await?;
    let waiting = minutes(&world, 2, "TRIGGERED").await?;
    assert_eq!((waiting.missed, paged(&world).len()), (0, 0), "its webhook may be on its way");
    put(&world, "TRIGGERED");
    let (one, other) = tokio::try_join!(world.pull(), world.pull())?;
    assert!((1..=2).contains(&(one.missed + other.missed)), "two runs at once");
    world.quiet().await?;
    assert_eq!(paged(&world), ["trigger"]);
    let record = world.newest().await?;
    assert_eq!(record["occurrences"], 1, "found twice, counted once");
    let told = record.to_string();
    assert!(told.contains(r#""webhook":"missed""#), "{told}");
    assert!(
        world.stand_ins().slack.messages()[0].blocks.iter().any(|b| b.to_string().contains("missed")),
        "people see why it is late"
    );

    assert_eq!(minutes(&world, 5, "TRIGGERED").await?, Pulled::default(), "it is known now");
    assert_eq!(minutes(&world, 3, "CLEARED").await?.cleared, 1);
    assert_eq!(paged(&world), ["trigger", "resolve"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_whose_webhook_came_is_not_raised_again_and_its_missed_clear_is_found() -> anyhow::Result<()> {
    let world = World::with_config(&config(), None).await?;
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    world.clock.advance(MINUTE_SECS);
    assert_eq!(minutes(&world, 6, "TRIGGERED").await?, Pulled::default());
    assert_eq!(world.newest().await?["occurrences"], 1);
    // Its REST object has no model: under a fingerprint of its own, the clear would end nothing.
    assert_eq!(minutes(&world, 2, "CLEARED").await?.cleared, 1);
    assert_eq!(world.newest().await?["state"], "resolved");
    assert_eq!(world.incidents().await?.len(), 1);
    assert_eq!(paged(&world), ["trigger", "resolve"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_problem_of_a_known_monitor_goes_under_its_fingerprint() -> anyhow::Result<()> {
    let world = World::with_config(&config(), None).await?;
    let fingerprint = world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    world.post(&cleared("gpt-4o-mini")).await?;
    world.quiet().await?;
    world.clock.advance(60 * MINUTE_SECS);
    assert_eq!(minutes(&world, 4, "TRIGGERED").await?.missed, 1);
    let incidents = world.incidents().await?;
    assert!(incidents.iter().all(|incident| incident["fingerprint"] == fingerprint.as_str()), "{incidents:?}");
    assert_eq!(paged(&world).iter().filter(|action| *action == "trigger").count(), 2, "an episode each");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_comes_after_all_joins_the_incident_that_was_asked_for_and_so_does_its_clear()
-> anyhow::Result<()> {
    let world = World::with_config(&config(), None).await?;
    assert_eq!(minutes(&world, 3, "TRIGGERED").await?.missed, 1);
    // With a model, which the REST object lacks: another fingerprint.
    let own = world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let record = world.newest().await?;
    assert_ne!(record["fingerprint"], own.as_str());
    assert_eq!((&record["occurrences"], paged(&world).len()), (&json!(3), 1));
    assert_eq!(minutes(&world, 3, "TRIGGERED").await?, Pulled::default());
    world.post(&cleared("gpt-4o-mini")).await?;
    world.quiet().await?;
    assert_eq!(paged(&world), ["trigger", "resolve"]);
    assert_eq!(world.incidents().await?.len(), 1);
    // What comes next is its own again.
    world.clock.advance(60 * MINUTE_SECS);
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    assert_eq!(world.newest().await?["fingerprint"], own.as_str());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_monitors_of_one_problem_are_both_heard_of() -> anyhow::Result<()> {
    let world = World::with_config(&config(), None).await?;
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let mut other = firing("gpt-4o-mini");
    other["monitor"]["id"] = json!("mon-2");
    world.post(&other).await?;
    world.quiet().await?;
    let mut of_rest = monitor(&world, "TRIGGERED");
    of_rest["id"] = json!("mon-2");
    world.stand_ins().arize.put(of_rest);
    assert_eq!(minutes(&world, 5, "TRIGGERED").await?, Pulled::default());
    assert_eq!((world.incidents().await?.len(), paged(&world).len()), (1, 1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_only_late_is_the_one_that_counts() -> anyhow::Result<()> {
    let world = World::with_config(&config(), None).await?;
    assert_eq!(minutes(&world, 1, "TRIGGERED").await?.missed, 0);
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    assert_eq!(minutes(&world, 5, "TRIGGERED").await?.missed, 0);
    assert_eq!((world.incidents().await?.len(), paged(&world).len()), (1, 1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blip_that_ended_within_the_grace_is_not_told() -> anyhow::Result<()> {
    let world = World::with_config(&config(), None).await?;
    minutes(&world, 1, "TRIGGERED").await?;
    minutes(&world, 1, "CLEARED").await?;
    assert_eq!(minutes(&world, 2, "TRIGGERED").await?.missed, 0, "the grace begins anew");
    assert_eq!(minutes(&world, 1, "TRIGGERED").await?.missed, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn monitors_that_notify_someone_else_nobody_or_not_now_are_none_of_ours() -> anyhow::Result<()> {
    let world = World::with_config(&config(), None).await?;
    let now = world.clock.now();
    let started = now.as_second() - 86_400 + MINUTE_SECS;
    let started = domain::Timestamp::from_second(started - 20 * MINUTE_SECS)?.to_string();
    let others = [
        json!({ "notification_configs": [ { "type": "WEBHOOK", "id": "1", "url": "https://other.example/alerts/arize" } ] }),
        json!({ "notification_configs": [ { "type": "EMAIL", "address": "a@acme.example" } ] }),
        json!({ "notification_configs": null }),
        json!({ "notifications_enabled": false }),
        json!({ "downtime": { "start": started, "duration_seconds": 3600, "frequency_days": 1 } }),
        json!({ "status": "NO_DATA" }),
    ];
    for (number, other) in others.iter().enumerate() {
        let mut monitor = monitor(&world, "TRIGGERED");
        monitor["id"] = json!(format!("other-{number}"));
        for (field, value) in other.as_object().into_iter().flatten() {
            monitor[field] = value.clone();
        }
        world.stand_ins().arize.put(monitor);
    }
    for _ in 0..5 {
        assert_eq!(world.pull().await?, Pulled::default());
        world.clock.advance(MINUTE_SECS);
    }
    // The daily downtime is over by then.
    for _ in 0..4 {
        world.clock.advance(20 * MINUTE_SECS);
        world.pull().await?;
    }
    world.quiet().await?;
    assert_eq!(world.incidents().await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_on_a_later_page_is_found_and_an_api_that_is_down_changes_nothing() -> anyhow::Result<()> {
    let world = World::with_config(&config(), None).await?;
    put(&world, "TRIGGERED");
    for number in 0..230 {
        let mut other = monitor(&world, "TRIGGERED");
        other["id"] = json!(format!("other-{number}"));
        other["notification_configs"] = json!([]);
        world.stand_ins().arize.put(other);
    }
    assert_eq!(world.pull().await?, Pulled::default());
    world.clock.advance(3 * MINUTE_SECS);
    world.stand_ins().arize.faults().next(1, Fault::status(503));
    assert_eq!(world.pull().await?, Pulled { unread: 1, ..Pulled::default() });
    assert_eq!(world.pull().await?.missed, 1);
    world.quiet().await?;
    world.clock.advance(MINUTE_SECS);
    world.stand_ins().arize.delete("mon-1");
    assert_eq!(world.pull().await?, Pulled::default());
    assert_eq!(world.newest().await?["state"], "open", "nobody can say that it is over");
    Ok(())
}
