//! Rules that ask other metric sources than Prometheus: one `CloudWatch`, one Datadog, one Arize.

use serde_json::{Value, json};
use stand_ins::prometheus::Shape;
use tocsin_acceptance::{CONFIG, World, firing};

const SECTIONS: &str = r#"
datadog: { api_key: "${TEST_DD_API_KEY}", app_key: "${TEST_DD_APP_KEY}" }
cloudwatch: { region: eu-central-1 }
arize_api: { key: "${TEST_ARIZE_API_KEY}" }
rules:
  - name: sagemaker
    match: { metric: model_latency }
    confirm:
      from: cloudwatch
      query: { namespace: AWS/SageMaker, metric: ModelLatency, stat: p95, dimensions: { EndpointName: "{{endpoint}}", VariantName: AllTraffic } }
      window: 2h
      detectors: [ { robust_z: { z: 4, direction: above } } ]
    pull: { targets: [ { service: support-chatbot, endpoint: chat-prod, model: a } ] }
    receivers: [on-call]
  - name: tokens
    match: { metric: tokens_per_second }
    confirm:
      from: datadog
      query: 'avg:llm.tokens_per_second{model:{{model}}}.rollup(avg, 60)'
      window: 2h
      detectors: [ { robust_z: { z: 4, direction: below } } ]
    receivers: [on-call]
  - name: drift
    match: { metric: embedding_drift }
    confirm:
      from: arize
      query: { space: U3BhY2U6MQ==, model: chatbot, monitor: "{{monitor}}" }
      window: 7d
      step: 1h
      for: 2h
      detectors: [ { robust_z: { z: 4, direction: above } } ]
    receivers: [on-call]
"#;

/// The rules of the other tests ask Prometheus, beside these.
async fn world() -> anyhow::Result<World> {
    World::with_config(&CONFIG.replacen("rules:\n", SECTIONS, 1), None).await
}

/// An alert of another metric.
fn alert(metric: &str, endpoint: &str, model: &str) -> Value {
    let mut body = firing(model);
    body["monitor"]["metric"] = json!(metric);
    body["labels"]["endpoint"] = json!(endpoint);
    body
}

fn jump(level: f64, to: f64) -> Shape {
    Shape::Jump { level, to, since_secs_before_end: 900, noise: level / 50.0 }
}

/// What the detectors said, or why they could not be asked.
fn confirmation(record: &Value) -> (&Value, &Value) {
    let confirmation = &record["timeline"][1]["event"]["confirmation"];
    (&confirmation["verdict"], &confirmation["gap"]["why"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_confirms_from_cloudwatch() -> anyhow::Result<()> {
    let world = world().await?;
    let cloudwatch = &world.stand_ins().cloudwatch;
    let dimensions = |endpoint| [("EndpointName", endpoint), ("VariantName", "AllTraffic")];
    cloudwatch.script("AWS/SageMaker", "ModelLatency", &dimensions("chat-prod"), jump(400_000.0, 2_000_000.0));
    let flat = Shape::Flat { level: 400_000.0, noise: 8000.0 };
    cloudwatch.script("AWS/SageMaker", "ModelLatency", &dimensions("chat-dev"), flat);
    world.post(&alert("model_latency", "chat-prod", "a")).await?;
    world.quiet().await?;
    let record = world.newest().await?;
    assert_eq!(confirmation(&record), (&json!("confirmed"), &json!(null)), "{record}");
    assert_eq!(world.stand_ins().pagerduty.events().len(), 1);
    assert_eq!(world.pull().await?.firing, 1, "a pull reads the same metric");
    world.quiet().await?;
    world.post(&alert("model_latency", "chat-dev", "b")).await?;
    world.quiet().await?;
    assert_eq!(confirmation(&world.newest().await?), (&json!("rejected"), &json!(null)));
    assert_eq!(world.stand_ins().pagerduty.events().len(), 1, "another endpoint's metric is as usual: nobody is told");
    assert_eq!(world.stand_ins().prometheus.requests(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_confirms_from_datadog() -> anyhow::Result<()> {
    let world = world().await?;
    let datadog = &world.stand_ins().datadog;
    datadog.script("model:gpt-4o}", jump(80.0, 10.0));
    datadog.refuse_newer(404);
    world.post(&alert("tokens_per_second", "chat", "gpt-4o")).await?;
    world.quiet().await?;
    assert_eq!(confirmation(&world.newest().await?), (&json!("confirmed"), &json!(null)));
    let asked = datadog.requests();
    assert_eq!(asked, 2, "the newer API, and the older one");
    let unwritable = "gpt-4o} OR {*";
    world.post(&alert("tokens_per_second", "chat", unwritable)).await?;
    world.quiet().await?;
    let record = world.newest().await?;
    assert!(confirmation(&record).1.as_str().is_some_and(|why| why.contains("cannot stand in it")), "{record}");
    assert_eq!(world.stand_ins().pagerduty.events().len(), 2, "what cannot be asked pages as unconfirmed");
    assert_eq!(datadog.requests(), asked, "and is not asked");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_confirms_from_a_monitors_own_history() -> anyhow::Result<()> {
    let world = world().await?;
    let jump = Shape::Jump { level: 0.1, to: 0.9, since_secs_before_end: 3 * 3600, noise: 0.002 };
    world.stand_ins().arize.put_history("U3BhY2U6MQ==", "chatbot", "Chatbot p95", jump);
    world.post(&alert("embedding_drift", "chat", "gpt-4o")).await?;
    world.quiet().await?;
    assert_eq!(confirmation(&world.newest().await?), (&json!("confirmed"), &json!(null)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_that_arize_does_not_have_is_told_of_as_missing() -> anyhow::Result<()> {
    let world = world().await?;
    let gaps = async |model: &str| -> anyhow::Result<Value> {
        world.post(&firing(model)).await?;
        world.quiet().await?;
        Ok(world.newest().await?["timeline"][2]["event"]["enrichment"]["gaps"].clone())
    };
    let missing = json!({ "what": "monitor", "why": "Arize has no monitor with the alert's id" });
    let told = gaps("first").await?;
    assert!(told.as_array().is_some_and(|told| told.contains(&missing)), "{told}");
    world.stand_ins().arize.put(json!({ "id": "mon-1", "name": "Chatbot p95", "status": "triggered" }));
    let told = gaps("second").await?;
    assert!(!told.to_string().contains("monitor"), "{told}");
    Ok(())
}
