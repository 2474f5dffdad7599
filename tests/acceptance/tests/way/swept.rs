//! What was lost, given up or left open is found by the sweep, and tried again by a person.

use std::time::Duration;

use anyhow::Context;
use aws::Polled;
use domain::{DeliveryId, DeliveryState, Fingerprint, IncidentId, ReceiverKind};
use pipeline::ports::{Clock, DeadLetterQueue, DeadLetters, IncidentStore, Queue};
use pipeline::{InboxMessage, Redrive, Redriven, Swept};
use serde_json::json;
use stand_ins::Fault;
use tocsin_acceptance::{World, cleared, firing};

const TIME_LEFT: Duration = Duration::from_secs(20);

const CONFIG: &str = r#"
sources:
  arize: { auth: { kind: bearer, secrets: [ "${TEST_SECRET}" ] } }
default: { group_by: [service, metric, model], remind: 2h, receivers: [on-call] }
fallback: [ai-ops]
receivers:
  on-call: { kind: pagerduty, routing_key: "${TEST_SECRET}" }
  ai-ops: { kind: slack, token: "${TEST_SECRET}", channel: C0AIOPS001 }
"#;

async fn world() -> anyhow::Result<World> {
    World::with_config(CONFIG, None).await
}

fn redrive(world: &World) -> Redrive {
    let (store, queues) = (world.local.store().clone(), world.local.queues().clone());
    Redrive::new(std::sync::Arc::new(store), queues.clone(), queues, world.clock.clone())
}

/// The newest incident's id and fingerprint.
async fn newest(world: &World) -> anyhow::Result<(IncidentId, Fingerprint)> {
    let record = world.newest().await?;
    Ok((serde_json::from_value(record["id"].clone())?, serde_json::from_value(record["fingerprint"].clone())?))
}

/// The newest incident's delivery to a receiver.
async fn delivery(world: &World, receiver: &str) -> anyhow::Result<DeliveryId> {
    let (incident, _) = newest(world).await?;
    Ok(DeliveryId { incident, receiver: receiver.to_owned(), seq: 0 })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_its_vendor_rejects_is_told_by_the_fallback_once() -> anyhow::Result<()> {
    let world = world().await?;
    let vendors = world.stand_ins();
    vendors.pagerduty.faults().always(Fault::status(400));
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let messages = vendors.slack.messages();
    assert_eq!(messages.len(), 1);
    let text = json!(messages[0].blocks).to_string();
    assert!(text.contains("told by on-call"), "the message says who was not told: {text}");
    let dead = world.local.queues().look(DeadLetterQueue::Deliveries(ReceiverKind::Pagerduty), 0).await?;
    assert_eq!(dead.len(), 1, "it stands where an alarm does");
    for _ in 0..2 {
        let swept = world.local.sweep().sweep(TIME_LEFT).await;
        assert_eq!((swept.failed, swept.deliveries), (0, 0), "{swept:?}");
        world.quiet().await?;
    }
    assert_eq!(vendors.slack.messages().len(), 1, "told once");

    world.post(&cleared("gpt-4o-mini")).await?;
    world.quiet().await?;
    let messages = vendors.slack.messages();
    assert_eq!((messages.len(), messages[0].edits), (2, 1), "whoever was told in its place hears of the end");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_pages_while_the_incident_lasts_and_not_after() -> anyhow::Result<()> {
    let world = world().await?;
    let pagerduty = &world.stand_ins().pagerduty;
    pagerduty.faults().always(Fault::status(400));
    for model in ["one", "other"] {
        world.post(&firing(model)).await?;
        world.quiet().await?;
    }
    let other = delivery(&world, "on-call").await?;
    world.post(&cleared("other")).await?;
    world.quiet().await?;
    pagerduty.faults().clear();
    world.clock.advance(3 * 86_400);

    let newest = DeliveryId { seq: 1, ..other.clone() };
    assert_eq!(world.local.store().dead_deliveries(1).await?, [newest], "of many, those of today are tried");
    let redrive = redrive(&world);
    let (mut done, are_all) = redrive.deliveries().await?;
    assert!(are_all);
    done.sort_by_key(|(_, redriven)| *redriven == Redriven::Over);
    let answers: Vec<Redriven> = done.iter().map(|(_, redriven)| *redriven).collect();
    assert_eq!(answers, [Redriven::Sent, Redriven::Sent, Redriven::Over], "the page, the end of the other, its page");
    assert_eq!(done[2].0, other);
    world.quiet().await?;
    assert_eq!(pagerduty.triggers().len(), 1);
    assert_eq!(redrive.delivery(&done[0].0).await?, Redriven::NotDead, "twice does no harm");
    let letters = redrive.letters().await?;
    assert_eq!((letters.removed, letters.left), (2, 1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_read_pages_by_the_fallback_once() -> anyhow::Result<()> {
    let world = world().await?;
    let queues = world.local.queues();
    let dead = queues.urls().inbox_dead_letters.clone().context("there is no such queue")?;
    world.local.clients().sqs.send_message().queue_url(&dead).message_body("not a message").send().await?;
    for _ in 0..2 {
        let swept = world.local.sweep().sweep(TIME_LEFT).await;
        assert_eq!(swept.failed, 0);
        world.quiet().await?;
    }
    let messages = world.stand_ins().slack.messages();
    assert_eq!(messages.len(), 1);
    let text = json!(messages[0].blocks).to_string();
    assert!(text.contains("dead letters") && text.contains("unreadable message"), "{text}");
    let letters: Vec<Polled> = queues.poll(&dead, 0).await?;
    assert!(letters.is_empty(), "it is hidden from the next runs, and stays");
    assert_eq!(queues.held(&dead).await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_reminded_of_what_stays_open() -> anyhow::Result<()> {
    let world = world().await?;
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    assert_eq!(world.local.sweep().sweep(TIME_LEFT).await, Swept::default(), "nothing is overdue");
    for reminders in 1..=2 {
        // The look's own message is hidden for longer than the clock was moved; the sweep finds it overdue.
        world.clock.advance(2 * 3600 + 301);
        assert_eq!(world.local.sweep().sweep(TIME_LEFT).await.looks, 1);
        world.quiet().await?;
        let record = world.newest().await?;
        let last = record["timeline"].as_array().and_then(|entries| entries.last()).expect("an entry")["event"].clone();
        assert_eq!((&last["transition"], &last["reason"]["reason"]), (&json!("reminded"), &json!("still_open")));
        assert_eq!(world.stand_ins().pagerduty.triggers().len(), 1 + reminders);
        assert_eq!(world.stand_ins().pagerduty.alerts().len(), 1, "PagerDuty takes it into its open alert");
    }
    world.post(&cleared("gpt-4o-mini")).await?;
    world.quiet().await?;
    world.clock.advance(3 * 3600);
    assert_eq!(world.local.sweep().sweep(TIME_LEFT).await.looks, 0, "what is over needs no reminder");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn three_calls_stand_before_the_page_and_a_duplicate_is_one_send_and_one_write() -> anyhow::Result<()> {
    let world = world().await?;
    let before = world.local.aws_calls();
    let since = |world: &World, before: &std::collections::BTreeMap<String, u64>| -> Vec<(String, u64)> {
        let calls = world.local.aws_calls().into_iter();
        let calls = calls.map(|(name, count)| (name.clone(), count - before.get(&name).unwrap_or(&0)));
        calls.filter(|(name, count)| *count > 0 && !OF_THE_QUEUE.contains(&name.as_str())).collect()
    };
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    assert_eq!(world.stand_ins().pagerduty.triggers().len(), 1);
    let named = |calls: &[(&str, u64)]| calls.iter().map(|(n, c)| ((*n).to_owned(), *c)).collect::<Vec<_>>();
    let calls = since(&world, &before);
    // To the inbox and to PagerDuty's queue; the look that reminds is sent beside, and the mark comes after the page.
    assert_eq!(calls, named(&[("SendMessage", 3), ("TransactWriteItems", 1), ("UpdateItem", 1)]));
    let before = world.local.aws_calls();
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    assert_eq!(since(&world, &before), named(&[("SendMessage", 1), ("UpdateItem", 1)]));
    Ok(())
}

/// What Lambda's event source mapping does, and the test itself.
const OF_THE_QUEUE: [&str; 4] = ["ReceiveMessage", "DeleteMessage", "DeleteMessageBatch", "GetQueueAttributes"];

/// A page whose message waits for the second attempt, and is taken away as if it had never been. Its queue.
async fn lose_the_page(world: &World) -> anyhow::Result<String> {
    let queue = world.local.queues().urls().deliveries[&ReceiverKind::Pagerduty].clone();
    world.stand_ins().pagerduty.faults().next(1, Fault::status(500));
    world.post(&firing("gpt-4o-mini")).await?;
    world.until_state("open").await?;
    let id = delivery(world, "on-call").await?;
    while world.local.store().delivery(&id).await?.is_some_and(|d| d.state != DeliveryState::Pending) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.local.clients().sqs.purge_queue().queue_url(&queue).send().await?;
    Ok(queue)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_whose_message_was_lost_is_sent_again() -> anyhow::Result<()> {
    let world = world().await?;
    let queue = lose_the_page(&world).await?;
    assert_eq!(world.local.queues().held(&queue).await?, 0);
    world.clock.advance(400);
    assert_eq!(world.local.sweep().sweep(TIME_LEFT).await.deliveries, 1);
    world.quiet().await?;
    assert_eq!(world.stand_ins().pagerduty.triggers().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_seems_to_hold_enough_hides_no_lost_page_from_a_schedule_that_is_late() -> anyhow::Result<()> {
    let world = world().await?;
    let queue = lose_the_page(&world).await?;
    let sqs = &world.local.clients().sqs;
    // Nobody can do anything with it, and a count cannot tell it from the page's.
    for _ in 0..4 {
        sqs.send_message().queue_url(&queue).message_body("{}").send().await?;
    }
    world.clock.advance(450);
    let mut sent = world.local.sweep().sweep(TIME_LEFT).await.deliveries;
    assert_eq!(sent, 0, "its message may be the one that the queue holds");
    for _ in 0..3 {
        world.clock.advance(180);
        sent += world.local.sweep().sweep(TIME_LEFT).await.deliveries;
    }
    assert_eq!(sent, 1, "within sixteen minutes, whenever the schedule comes");
    while world.stand_ins().pagerduty.triggers().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(world.stand_ins().pagerduty.triggers().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fallback_that_hears_late_of_what_is_over_hears_of_its_end_too() -> anyhow::Result<()> {
    let world = world().await?;
    let vendors = world.stand_ins();
    vendors.pagerduty.faults().always(Fault::status(500));
    world.post(&firing("gpt-4o-mini")).await?;
    world.until_state("open").await?;
    world.post(&cleared("gpt-4o-mini")).await?;
    world.until_state("resolved").await?;
    assert_eq!(vendors.slack.messages().len(), 0, "on-call is still tried");
    vendors.pagerduty.faults().clear();
    vendors.pagerduty.faults().always(Fault::status(400));
    world.quiet().await?;
    let messages = vendors.slack.messages();
    assert_eq!((messages.len(), messages[0].edits), (2, 1), "that it was, and that it is over");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_tells_of_more_dead_letters_than_one_look_shows_and_a_redrive_says_what_it_could_not_see()
-> anyhow::Result<()> {
    let world = world().await?;
    let queues = world.local.queues();
    let dead = queues.urls().inbox_dead_letters.clone().context("there is no such queue")?;
    for number in 0..25 {
        let body = format!("not message {number}");
        world.local.clients().sqs.send_message().queue_url(&dead).message_body(body).send().await?;
    }
    let swept = world.local.sweep().sweep(TIME_LEFT).await;
    assert_eq!((swept.dead, swept.failed), (25, 0));
    world.quiet().await?;
    assert_eq!(world.stand_ins().slack.messages().len(), 25);
    let letters = redrive(&world).letters().await?;
    assert_eq!((letters.inbox, letters.hidden), (0, 25), "none is shown, and none is forgotten");
    world.local.clients().sqs.send_message().queue_url(&dead).message_body("not one either").send().await?;
    let letters = redrive(&world).letters().await?;
    assert_eq!((letters.inbox, letters.left, letters.hidden), (0, 1, 25), "triage could not read it either");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_was_superseded_sends_nothing_on() -> anyhow::Result<()> {
    let world = world().await?;
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let (incident, fingerprint) = newest(&world).await?;
    let alert = world.local.store().newest_alert(&incident).await?.context("an alert")?;
    let stale = InboxMessage::Recheck { fingerprint, incident, due: world.clock.now(), alert: Box::new(alert) };
    let sent = |world: &World| -> u64 {
        let calls = world.local.aws_calls();
        ["SendMessage", "SendMessageBatch"].iter().filter_map(|name| calls.get(*name)).sum()
    };
    let before = sent(&world);
    world.local.queues().send_inbox(&[stale], 0).await?;
    world.quiet().await?;
    assert_eq!(sent(&world) - before, 1, "the reminder's look has its message: this one itself, and no other");
    Ok(())
}
