//! Confirmation and pull against a real Prometheus, which scrapes an exporter with vLLM's metric names. Needs its binary:
//! on the path, or named by `TOCSIN_TEST_PROMETHEUS`. Where there is none the test says that it skips.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod exporter;
mod server;

use std::io::Write;
use std::time::Duration;

use tocsin_acceptance::{World, events, firing};

use exporter::Exporter;
use server::Prometheus;

/// What is usual, what is tested and how long a metric must be as usual again: seconds, so that the test takes a minute or so.
const RULES: &str = r#"
rules:
  - name: latency
    match: { metric: latency_p95 }
    group_by: [service, metric, model]
    recheck: { every: 1s, for: 5m }
    confirm:
      query: 'histogram_quantile(0.95, sum by (le) (rate(vllm:e2e_request_latency_seconds_bucket{model_name="{{model}}"}[4s])))'
      window: 1m
      step: 1s
      for: 3s
      min_effect: 0.5
      detectors: [ { robust_z: { z: 6, direction: above } } ]
    pull: { clear_for: 5s, targets: [ { service: support-chatbot, model: pulled } ] }
    receivers: [on-call]
default: { receivers: [on-call] }
receivers:
  on-call: { kind: pagerduty, routing_key: "${TEST_ROUTING_KEY}" }
"#;

fn config(url: &str) -> String {
    format!(
        "sources:\n  arize: {{ auth: {{ kind: bearer, secrets: [ \"${{TEST_ARIZE_SECRET}}\" ] }} }}\n\
         prometheus: {{ url: \"{url}\" }}\n{RULES}"
    )
}

async fn seconds(count: u64) {
    tokio::time::sleep(Duration::from_secs(count)).await;
}

fn triggers(world: &World) -> usize {
    world.stand_ins().pagerduty.triggers().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn detectors_judge_what_a_real_prometheus_scraped() -> anyhow::Result<()> {
    let Some(binary) = server::binary() else {
        // Not by a macro: the test harness would keep the line to itself.
        writeln!(
            std::io::stderr(),
            "SKIPPED: no `prometheus` on the path; install the Debian package prometheus to test against it"
        )?;
        return Ok(());
    };
    let exporter = Exporter::start(&["pulled", "posted"]).await?;
    let prometheus = Prometheus::start(&binary, exporter.address()).await?;
    let world = World::with_config(&config(&prometheus.url()), None).await?;
    seconds(40).await;

    let usual = world.pull().await?;
    assert_eq!((usual.targets, usual.firing, usual.unread), (1, 0, 0), "{usual:?}\n{}", prometheus.log()?);
    world.post(&firing("posted")).await?;
    world.until_state("pending").await?;
    assert_eq!(triggers(&world), 0, "rejected: nobody is woken");

    exporter.slow(true);
    seconds(8).await;
    world.until_state("open").await?;
    let record = world.newest().await?;
    assert!(events(&record).iter().any(|event| event == "verdict"), "{record}");
    assert_eq!(record["labels"]["model"], "posted", "{record}");
    assert_eq!(world.pull().await?.firing, 1);
    world.quiet().await?;
    assert_eq!(triggers(&world), 2, "one each");

    exporter.slow(false);
    let started = tokio::time::Instant::now();
    while world.pull().await?.cleared == 0 {
        anyhow::ensure!(started.elapsed() < Duration::from_secs(40), "not cleared:\n{}", prometheus.log()?);
        seconds(1).await;
    }
    world.quiet().await?;
    let resolved = world.stand_ins().pagerduty.events().into_iter().filter(|event| event.action == "resolve").count();
    assert_eq!(resolved, 1, "what was pulled is cleared by pull, what was posted waits for its clear");
    Ok(())
}
