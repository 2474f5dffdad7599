//! Receivers beside the first three: any webhook, Linear, and Slack's incoming webhooks.

use serde_json::json;
use stand_ins::{Fault, linear};
use tocsin::LOCAL_SECRET;
use tocsin_acceptance::{World, cleared, firing};

const CONFIG: &str = r#"
sources:
  arize: { auth: { kind: bearer, secrets: [ "${TEST_SECRET}" ] } }
rules:
  - { name: latency, match: { metric: latency_p95 }, group_by: [service, metric, model], receivers: [crm, issues, announce] }
default: { receivers: [crm] }
receivers:
  crm: { kind: webhook, url: "https://crm.example.com/{incident}", secret: "${TEST_WEBHOOK_SECRET}" }
  issues: { kind: linear, api_key: "${TEST_LINEAR_KEY}", team: 9cfb482a-81e3-4154-b5b9-2c805e70a02d }
  announce: { kind: slack, webhook_url: "${TEST_SLACK_WEBHOOK_URL}" }
"#;

/// A world whose webhook takes only what is signed.
async fn start() -> anyhow::Result<World> {
    let world = World::with_config(CONFIG, None).await?;
    let key = receivers::webhook::signing_key(&LOCAL_SECRET.into()).expect("a key");
    world.stand_ins().webhook.demand_signature(&key);
    Ok(world)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_episode_is_told_to_each_from_beginning_to_end() -> anyhow::Result<()> {
    let world = start().await?;
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let record = world.newest().await?;
    let id = record["id"].as_str().unwrap_or_default().to_owned();
    world.post(&cleared("gpt-4o-mini")).await?;
    world.quiet().await?;

    let vendors = world.stand_ins();
    let taken = vendors.webhook.taken();
    let told: Vec<_> = taken.iter().map(|t| (t.path.as_str(), &t.body["transition"], &t.body["incident"])).collect();
    let path = format!("/{id}");
    let (incident, opened, resolved) = (json!(id), json!("opened"), json!("resolved"));
    assert_eq!(told, [(path.as_str(), &opened, &incident), (path.as_str(), &resolved, &incident)]);
    assert_eq!(taken[0].body["labels"]["model"], "gpt-4o-mini");

    let issues = vendors.linear.issues();
    assert_eq!(issues.len(), 1);
    assert_eq!((issues[0].state.as_str(), vendors.linear.comments().len()), (linear::DONE, 1));

    let messages = vendors.slack.messages();
    assert_eq!(messages.len(), 2, "each transition is a message of its own");
    assert!(messages.iter().all(|m| m.thread_ts.is_none() && m.edits == 0), "{messages:?}");
    let record = world.newest().await?;
    let deliveries = record["deliveries"].as_array().expect("a list");
    assert_eq!(deliveries.len(), 6);
    assert!(deliveries.iter().all(|delivery| delivery["state"] == "delivered"), "{deliveries:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_leaves_one_of_each() -> anyhow::Result<()> {
    let world = start().await?;
    let vendors = world.stand_ins();
    vendors.webhook.faults().next(1, Fault::Reset);
    vendors.linear.faults().next(1, Fault::Reset);
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    assert_eq!((vendors.webhook.taken().len(), vendors.webhook.repeated()), (1, 1), "it heeds our id");
    assert_eq!(vendors.linear.issues().len(), 1, "a lost answer is looked up before it is sent again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_asked_too_often_is_asked_again_after_the_wait() -> anyhow::Result<()> {
    let world = start().await?;
    let vendors = world.stand_ins();
    let limited = |body: &str| Fault::Status { status: 429, retry_after_secs: Some(1), body: body.to_owned() };
    vendors.webhook.faults().next(1, limited(""));
    vendors.slack.faults().next(1, limited("rate_limited"));
    vendors.linear.faults().next(1, limited(r#"{"errors":[{"message":"x","extensions":{"code":"RATELIMITED"}}]}"#));
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let held = (vendors.webhook.taken().len(), vendors.slack.messages().len(), vendors.linear.issues().len());
    assert_eq!(held, (1, 1, 1));
    let record = world.newest().await?;
    for delivery in record["deliveries"].as_array().expect("a list") {
        assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("delivered"), &json!(2)), "{delivery}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_not_signed_right_is_rejected_and_seen() -> anyhow::Result<()> {
    let world = start().await?;
    world.stand_ins().webhook.demand_signature(b"another key of 16 bytes or more");
    world.post(&firing("gpt-4o-mini")).await?;
    world.quiet().await?;
    let record = world.newest().await?;
    let told = record["deliveries"].as_array().and_then(|d| d.iter().find(|d| d["kind"] == "webhook")).cloned();
    let told = told.expect("a delivery");
    assert_eq!((&told["state"], &told["answer"]), (&json!("rejected"), &json!("the webhook answered 401")));
    assert_eq!(world.stand_ins().linear.issues().len(), 1, "one system's refusal holds back no other");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_much_to_say_waits_for_nobody() -> anyhow::Result<()> {
    let names: Vec<String> = (0..23).map(|n| format!("l{n}")).collect();
    let mapped: Vec<String> = names.iter().map(|name| format!("{name}: /labels/{name}")).collect();
    let config = format!(
        r#"
sources:
  arize: {{ auth: {{ kind: bearer, secrets: [ "${{TEST_SECRET}}" ] }}, mapping: {{ labels: {{ {} }} }} }}
default: {{ receivers: [on-call] }}
receivers:
  on-call: {{ kind: pagerduty, routing_key: "${{TEST_SECRET}}" }}
"#,
        mapped.join(", ")
    );
    let world = World::with_config(&config, None).await?;
    let mut body = firing("gpt-4o-mini");
    let own = ["region", "team", "segment", "provider", "version"].map(str::to_owned);
    for name in names.iter().chain(&own) {
        body["labels"][name] = "💥".repeat(256).into();
    }
    world.post(&body).await?;
    world.quiet().await?;
    assert_eq!(world.stand_ins().pagerduty.triggers().len(), 1);
    let record = world.newest().await?;
    let told = &record["timeline"][0]["event"]["alert"]["labels"];
    assert!(told.to_string().len() > 24 * 1024, "it is too large for its message: {} bytes", told.to_string().len());
    assert_eq!(record["deliveries"][0]["attempts"], 1, "its lease is its message's, and no other waits it out");
    Ok(())
}
