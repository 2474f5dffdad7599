//! The binary as Lambda runs it: a schedule's tick over the Runtime API, alerts in the embedded SQS.

use acceptance::Engines;
use serde_json::json;
use stand_ins::prometheus::Shape;
use stand_ins::{Cloudwatch, Prometheus};

const CONFIG: &str = r#"
sources:
  arize: { auth: { kind: bearer, secrets: [ "${TEST_SECRET}" ] } }
prometheus: { url: "https://prometheus.example.com" }
rules:
  - name: latency
    match: { service: chat, metric: latency_p95 }
    group_by: [service, metric, model]
    confirm: { query: 'latency{model="{{model}}"}', window: 2h, detectors: [ { robust_z: { z: 4 } } ] }
    pull: { targets: [ { model: slow }, { model: usual }, { model: unknown } ] }
    receivers: [on-call]
default: { receivers: [on-call] }
receivers:
  on-call: { kind: pagerduty, routing_key: "${TEST_SECRET}" }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_raises_an_alert_for_what_is_anomalous() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let prometheus = Prometheus::start().await?;
    let jump = Shape::Jump { level: 1.0, to: 4.0, since_secs_before_end: 900, noise: 0.02 };
    prometheus.script("slow", jump);
    prometheus.script("usual", Shape::Flat { level: 1.0, noise: 0.02 });
    let address = [("TOCSIN_PROMETHEUS_URL", prometheus.url())];
    let sandbox = engines.run(env!("CARGO_BIN_EXE_pull"), CONFIG, &address).await?;
    let answer = sandbox.invoke(json!({ "time": "2026-11-23T09:12:00Z" })).await?;
    assert_eq!(answer, json!({ "targets": 3, "firing": 1, "cleared": 0, "missed": 0, "unread": 0 }));
    assert_eq!(engines.inbox().await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_source_that_is_down_raises_nothing_and_is_counted() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let address = [("TOCSIN_PROMETHEUS_URL", "http://127.0.0.1:9".to_owned())];
    let sandbox = engines.run(env!("CARGO_BIN_EXE_pull"), CONFIG, &address).await?;
    let answer = sandbox.invoke(json!({})).await?;
    assert_eq!(answer, json!({ "targets": 3, "firing": 0, "cleared": 0, "missed": 0, "unread": 3 }));
    assert_eq!(engines.inbox().await?, 0);
    assert_eq!(sandbox.log()?.matches("metric not read").count(), 3);
    Ok(())
}

/// `CONFIG` with its metric in `CloudWatch`.
fn in_cloudwatch() -> String {
    let query = "query: { namespace: N, metric: latency, stat: p95, dimensions: { Model: \"{{model}}\" } }";
    let query_of_prometheus = "query: 'latency{model=\"{{model}}\"}'";
    assert!(CONFIG.contains(query_of_prometheus));
    let config = CONFIG.replace(query_of_prometheus, query);
    config.replace("prometheus: { url: \"https://prometheus.example.com\" }", "cloudwatch: {}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_reads_cloudwatch_as_the_sdk_finds_it() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let cloudwatch = Cloudwatch::start().await?;
    let jump = Shape::Jump { level: 1.0, to: 4.0, since_secs_before_end: 900, noise: 0.02 };
    cloudwatch.script("N", "latency", &[("Model", "slow")], jump);
    cloudwatch.script("N", "latency", &[("Model", "usual")], Shape::Flat { level: 1.0, noise: 0.02 });
    let address = [("AWS_ENDPOINT_URL_CLOUDWATCH", cloudwatch.url())];
    let sandbox = engines.run(env!("CARGO_BIN_EXE_pull"), &in_cloudwatch(), &address).await?;
    let answer = sandbox.invoke(json!({})).await?;
    assert_eq!(answer, json!({ "targets": 3, "firing": 1, "cleared": 0, "missed": 0, "unread": 0 }));
    assert_eq!(cloudwatch.requests(), 3);
    Ok(())
}
