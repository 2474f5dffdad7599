//! The binary as Lambda runs it: a schedule's tick over the Runtime API, what was left in the embedded engines.

use acceptance::Engines;
use domain::{DeliveryId, IncidentId, ReceiverKind};
use pipeline::DeliveryMessage;
use pipeline::ports::Queue;
use serde_json::json;

const CONFIG: &str = r#"
sources:
  arize: { auth: { kind: bearer, secrets: [ "${TEST_SECRET}" ] } }
default: { receivers: [on-call] }
fallback: [ai-ops]
receivers:
  on-call: { kind: pagerduty, routing_key: "${TEST_SECRET}" }
  ai-ops: { kind: slack, token: "${TEST_SECRET}", channel: C0AIOPS001 }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_counts_what_was_given_up_and_looks_at_each_once() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let sandbox = engines.run(env!("CARGO_BIN_EXE_sweep"), CONFIG, &[]).await?;
    let nothing = json!({ "deliveries": 0, "looks": 0, "dead": 0, "failed": 0 });
    assert_eq!(sandbox.invoke(json!({ "time": "2026-11-23T09:12:00Z" })).await?, nothing);

    let incident = IncidentId::try_from("abc-1-2".to_owned())?;
    let id = DeliveryId { incident, receiver: "on-call".to_owned(), seq: 0 };
    engines.queues.bury(ReceiverKind::Pagerduty, &DeliveryMessage::of(id)).await?;
    let swept = sandbox.invoke(json!({})).await?;
    assert_eq!((&swept["dead"], &swept["failed"]), (&json!(1), &json!(0)));
    assert_eq!(sandbox.invoke(json!({})).await?, nothing, "it is hidden from the next runs");
    let dead = &engines.queues.urls().dead_letters[&ReceiverKind::Pagerduty];
    assert_eq!(engines.queues.held(dead).await?, 1, "it stays for a redrive");
    Ok(())
}
