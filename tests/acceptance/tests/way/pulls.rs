//! What no webhook told: a schedule finds it, and finds when it is over.

use pipeline::ports::Clock;
use serde_json::json;
use stand_ins::prometheus::Shape;
use tocsin_acceptance::{CONFIG, World, cleared, events, firing};

const MINUTE_SECS: i64 = 60;

/// The rule of the other tests, with one target.
fn config() -> String {
    let targets =
        "    pull: { clear_for: 10m, targets: [ { service: support-chatbot, model: gpt-4o-mini } ] }\n    runbook:";
    CONFIG.replacen("    runbook:", targets, 1)
}

/// A day of latencies around 1 s, slower by day, a minute a sample; between the two minutes from now it is 4 s.
fn day(now_secs: i64, from: i64, to: i64) -> Shape {
    let start = now_secs - now_secs.rem_euclid(MINUTE_SECS);
    let sample = |minute: i64| {
        let by_day = 0.02 * (f64::from(u32::try_from(minute.rem_euclid(1440)).unwrap_or(0)) / 229.2).sin();
        let noise = 0.02 * f64::from(u32::try_from((minute * 7919).rem_euclid(101)).unwrap_or(0)) / 101.0;
        let level = if (from..to).contains(&minute) { 4.0 } else { 1.0 };
        (start + minute * MINUTE_SECS, level + by_day + noise)
    };
    Shape::Points((-1440..240).map(sample).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anomaly_is_found_paged_once_and_cleared_by_pull_alone() -> anyhow::Result<()> {
    let world = World::with_config(&config(), None).await?;
    // Minutes are the samples': a run of the first one may come at its end.
    let start = world.clock.now().as_second().div_euclid(MINUTE_SECS) * MINUTE_SECS;
    world.metric(day(start, 10, 40));
    let (mut opened, mut resolved) = (None, None);
    for run in 0..70 {
        // The clock is moved and goes on by itself: on a busy machine a run is more than a minute after the one before.
        let minute = (world.clock.now().as_second() - start) / MINUTE_SECS;
        // A run that never came, and two at once.
        if run % 9 != 4 {
            tokio::try_join!(world.pull(), world.pull())?;
        }
        world.quiet().await?;
        let actions: Vec<String> = world.stand_ins().pagerduty.events().into_iter().map(|e| e.action).collect();
        match actions.as_slice() {
            [] => {}
            [trigger] if trigger == "trigger" => opened = opened.or(Some(minute)),
            [trigger, resolve] if trigger == "trigger" && resolve == "resolve" => resolved = resolved.or(Some(minute)),
            other => anyhow::bail!("minute {minute}: {other:?}"),
        }
        world.clock.advance(MINUTE_SECS);
    }
    // Five slots are tested; the run that would see the last of them may be the one that never came.
    let opened = opened.expect("it was paged");
    assert!((14..=16).contains(&opened), "paged by the first run that sees the rule's `for:` filled, not at {opened}");
    let resolved = resolved.expect("it was cleared");
    assert!((49..=53).contains(&resolved), "ten minutes as usual, found at {resolved}");
    let record = world.newest().await?;
    assert_eq!((&record["state"], &record["episode"]), (&json!("resolved"), &json!(1)));
    assert_eq!(record["monitor"], "latency");
    assert_eq!(world.stand_ins().slack.messages().len(), 2, "the message and the answer in its thread");
    assert_eq!(world.stand_ins().jira.issues().len(), 1);
    assert_eq!(events(&record).iter().filter(|event| *event == "transitioned").count(), 2, "opened, resolved");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_joins_the_incident_of_the_webhook_and_ends_it_where_no_clear_comes() -> anyhow::Result<()> {
    let world = World::with_config(&config(), None).await?;
    world.metric(day(world.clock.now().as_second(), -10, 20));
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let fired = world.pull().await?;
    assert_eq!((fired.targets, fired.firing, fired.cleared, fired.unread), (1, 1, 0, 0));
    world.quiet().await?;
    assert_eq!(world.newest().await?["occurrences"], 2);
    world.clock.advance(MINUTE_SECS);
    tokio::try_join!(world.pull(), world.pull())?;
    world.quiet().await?;
    assert_eq!(world.newest().await?["occurrences"], 3, "one more slot, found twice");
    world.clock.advance(30 * MINUTE_SECS);
    assert_eq!(world.pull().await?.cleared, 1);
    world.quiet().await?;
    assert_eq!(world.newest().await?["state"], "resolved");
    assert_eq!(world.pull().await?.cleared, 0, "there is nothing left to clear");
    world.post(&cleared("gpt-4o-mini")).await?;
    world.quiet().await?;
    let actions: Vec<String> = world.stand_ins().pagerduty.events().into_iter().map(|e| e.action).collect();
    assert_eq!(actions, ["trigger", "resolve"], "the webhook's late clear changes nothing");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_anomaly_is_not_cleared_for_being_usual_by_now() -> anyhow::Result<()> {
    let world = World::with_config(&config(), None).await?;
    world.metric(day(world.clock.now().as_second(), -10, 200));
    assert_eq!(world.pull().await?.firing, 1);
    world.quiet().await?;
    world.clock.advance(190 * MINUTE_SECS);
    let pulled = world.pull().await?;
    assert_eq!((pulled.firing, pulled.cleared), (0, 0), "three hours of two are the baseline itself");
    world.clock.advance(21 * MINUTE_SECS);
    assert_eq!(world.pull().await?.cleared, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_told_unconfirmed_is_not_told_at_once_that_it_is_over() -> anyhow::Result<()> {
    let world = World::with_config(&config(), None).await?;
    world.metric(Shape::Empty);
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    world.metric(day(world.clock.now().as_second(), 1000, 1000));
    assert_eq!(world.pull().await?.cleared, 0);
    world.clock.advance(12 * MINUTE_SECS);
    assert_eq!(world.pull().await?.cleared, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_neither_firing_nor_cleared() -> anyhow::Result<()> {
    let world = World::with_config(&config(), None).await?;
    world.metric(day(world.clock.now().as_second(), -10, 20));
    assert_eq!(world.pull().await?.firing, 1);
    world.quiet().await?;
    world.clock.advance(60 * MINUTE_SECS);
    world.stand_ins().prometheus.warn("test_latency_seconds", "no store matched");
    let pulled = world.pull().await?;
    assert_eq!((pulled.firing, pulled.cleared, pulled.unread), (0, 0, 1));
    world.metric(Shape::Empty);
    assert_eq!(world.newest().await?["state"], "open");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_data_is_no_recovery() -> anyhow::Result<()> {
    let world = World::with_config(&config(), None).await?;
    world.metric(day(world.clock.now().as_second(), -10, 20));
    assert_eq!(world.pull().await?.firing, 1);
    world.quiet().await?;
    world.clock.advance(60 * MINUTE_SECS);
    world.metric(Shape::Empty);
    assert_eq!(world.pull().await?.cleared, 0);
    Ok(())
}
