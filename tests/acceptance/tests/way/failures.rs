//! What is missing is said, and nothing is lost.

use std::time::Duration;

use serde_json::json;
use stand_ins::Fault;
use stand_ins::prometheus::Shape;
use tocsin_acceptance::{World, cleared, events, firing};

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_anomaly_wakes_nobody_until_the_metric_really_moves() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.metric(Shape::Flat { level: 1.0, noise: 0.02 });
    world.post(&firing("gpt-4o-mini")).await?;
    let record = world.until_state("pending").await?;
    assert_eq!(events(&record)[..3], ["received", "verdict", "watching"]);
    let verdict = &record["timeline"][1]["event"]["confirmation"];
    assert_eq!(verdict["verdict"], "rejected");
    assert!(verdict["evidence"][0]["because"].as_str().is_some_and(|text| text.contains("baseline")), "{verdict}");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let vendors = world.stand_ins();
    assert!(
        vendors.pagerduty.events().is_empty() && vendors.slack.messages().is_empty() && vendors.jira.created() == 0
    );

    world.metric(Shape::Jump { level: 1.0, to: 4.0, since_secs_before_end: 900, noise: 0.02 });
    world.until_state("open").await?;
    world.quiet().await?;
    assert_eq!(vendors.pagerduty.triggers().len(), 1, "a later look confirmed it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_prometheus_the_page_goes_out_unconfirmed_and_says_why() -> anyhow::Result<()> {
    let world = World::start().await?;
    let body = r#"{"status":"error","errorType":"unavailable","error":"canary"}"#.to_owned();
    world.stand_ins().prometheus.faults().always(Fault::Status { status: 503, retry_after_secs: None, body });
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let record = world.newest().await?;
    assert_eq!(record["timeline"][1]["event"]["confirmation"]["gap"]["what"], "metric");
    let page = world.stand_ins().pagerduty.triggers()[0].body.to_string();
    assert!(page.to_uppercase().contains("UNCONFIRMED") && page.contains("unavailable: it is starting"), "{page}");
    let message = json!(world.stand_ins().slack.messages()[0].blocks).to_string();
    assert!(
        message.to_uppercase().contains("UNCONFIRMED") && message.contains("unavailable: it is starting"),
        "{message}"
    );
    assert!(!page.contains("canary") && !message.contains("canary"), "what Prometheus says is not repeated");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn part_of_the_data_rejects_no_anomaly() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.metric(Shape::Flat { level: 1.0, noise: 0.02 });
    world.stand_ins().prometheus.warn("test_latency_seconds", "no store matched");
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let pages = world.stand_ins().pagerduty.triggers();
    assert!(pages.len() == 1 && pages[0].body.to_string().to_uppercase().contains("UNCONFIRMED"), "{pages:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_github_the_page_goes_out_with_a_gap() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.stand_ins().github.faults().always(Fault::Status { status: 500, retry_after_secs: None, body: "{}".into() });
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let record = world.newest().await?;
    assert_eq!(record["timeline"][2]["event"]["enrichment"]["gaps"][0]["what"], "deployments");
    assert!(world.stand_ins().pagerduty.triggers()[0].body.to_string().contains("deployments"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_answer_was_lost_is_found_behind_many_others() -> anyhow::Result<()> {
    let world = World::start().await?;
    let slack = &world.stand_ins().slack;
    slack.faults().next(1, Fault::Reset);
    world.post(&firing("gpt-4o-mini")).await?;
    while slack.messages().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // More than we read of one answer, and more than one page.
    let (client, channel) = (reqwest::Client::new(), slack.messages()[0].channel.clone());
    let other = json!({ "channel": channel, "text": "somebody else's words ".repeat(400) });
    for _ in 0..240 {
        let sent = client.post(format!("{}/api/chat.postMessage", slack.url())).bearer_auth("xoxb").json(&other);
        assert_eq!(sent.send().await?.json::<serde_json::Value>().await?["ok"], true);
    }
    world.quiet().await?;
    let ours = slack.messages().iter().filter(|message| !message.blocks.is_empty()).count();
    assert_eq!(ours, 1, "it is not sent again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_fails_is_tried_again_and_told_once() -> anyhow::Result<()> {
    let world = World::start().await?;
    let vendors = world.stand_ins();
    vendors.pagerduty.faults().next(1, Fault::Status { status: 429, retry_after_secs: Some(1), body: "{}".into() });
    vendors.slack.faults().next(1, Fault::Reset);
    vendors.jira.faults().next(1, Fault::Reset);
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    assert_eq!(vendors.pagerduty.triggers().len(), 1);
    assert_eq!(vendors.slack.messages().len(), 1, "a lost answer is looked up before it is sent again");
    assert_eq!(vendors.jira.created(), 1, "a lost answer is looked up before it is sent again");
    let record = world.newest().await?;
    for delivery in record["deliveries"].as_array().expect("a list") {
        assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("delivered"), &json!(2)), "{delivery}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resolve_waits_for_its_trigger() -> anyhow::Result<()> {
    let world = World::start().await?;
    let vendors = world.stand_ins();
    vendors.pagerduty.faults().next(2, Fault::Status { status: 500, retry_after_secs: None, body: "{}".into() });
    world.post(&firing("gpt-4o-mini")).await?;
    world.until_state("open").await?;
    world.post(&cleared("gpt-4o-mini")).await?;
    world.quiet().await?;
    let actions: Vec<String> = vendors.pagerduty.events().into_iter().map(|e| e.action).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_delivery_is_buried_and_shown_as_rejected() -> anyhow::Result<()> {
    let world = World::start().await?;
    let vendors = world.stand_ins();
    vendors.pagerduty.faults().always(Fault::Status { status: 400, retry_after_secs: None, body: "{}".into() });
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let record = world.newest().await?;
    let page = record["deliveries"].as_array().and_then(|d| d.iter().find(|d| d["kind"] == "pagerduty")).cloned();
    assert_eq!(page.expect("a page")["state"], "rejected");
    let queues = world.local.queues();
    assert_eq!(queues.held(&queues.urls().dead_letters[&domain::ReceiverKind::Pagerduty]).await?, 1);
    assert_eq!(vendors.slack.messages().len(), 1, "one vendor's refusal holds back no other");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_template_shows_in_the_next_message() -> anyhow::Result<()> {
    let templates = tempfile::tempdir()?;
    std::fs::create_dir(templates.path().join("slack"))?;
    let file = templates.path().join("slack/message.hbs");
    std::fs::write(&file, "first wording of {{service}}\n")?;
    let world = World::with_templates(Some(templates.path())).await?;
    world.post(&firing("model-a")).await?;
    world.quiet().await?;
    std::fs::write(&file, "second and longer wording of {{service}}\n")?;
    world.post(&firing("model-b")).await?;
    world.quiet().await?;
    std::fs::write(&file, "a broken one {{#if\n")?;
    world.post(&firing("model-c")).await?;
    world.quiet().await?;
    let blocks: Vec<String> = world.stand_ins().slack.messages().iter().map(|m| json!(m.blocks).to_string()).collect();
    assert!(blocks[0].contains("first wording of support-chatbot"), "{}", blocks[0]);
    assert!(blocks[1].contains("second and longer wording"), "{}", blocks[1]);
    assert!(blocks[2].contains("second and longer wording"), "a broken edit keeps the last good one: {}", blocks[2]);
    Ok(())
}
