//! The binary as Lambda runs it: SQS batches over the Runtime API, the incident in the embedded DynamoDB.

use acceptance::{Engines, batch};
use domain::{Alert, Fingerprint, ReceiverKind};
use pipeline::{InboxMessage, Item, SystemClock, ports::Clock};
use serde_json::json;

const CONFIG: &str = r#"
sources:
  arize: { auth: { kind: bearer, secrets: [ "${TEST_SECRET}" ] } }
default: { receivers: [on-call] }
receivers:
  on-call: { kind: pagerduty, routing_key: "${TEST_SECRET}" }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_opens_an_incident_and_names_the_message_that_cannot_be_read() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let sandbox = engines.run(env!("CARGO_BIN_EXE_triage"), CONFIG, &[]).await?;
    let (fingerprint, message) = message()?;
    let inbox = engines.queues.urls().inbox.clone().unwrap_or_default();
    let answer = sandbox.invoke(batch(&inbox, &[("good", &message), ("bad", "{")])).await?;
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "bad" }] }));
    let incidents = engines.store.incidents().await?;
    assert_eq!(incidents.len(), 1);
    assert_eq!((&incidents[0].fingerprint, incidents[0].occurrences), (&fingerprint, 1));
    assert_eq!(engines.queues.held(engines.deliveries(ReceiverKind::Pagerduty)?).await?, 1);
    Ok(())
}

fn message() -> anyhow::Result<(Fingerprint, String)> {
    let now = SystemClock.now();
    let alert: Alert = serde_json::from_value(json!({
        "id": "one", "source": "arize", "monitor": "p95", "service": "chat", "metric": "latency_p95",
        "status": "firing", "severity": "error", "labels": {}, "observed_at": now, "received_at": now,
    }))?;
    let fingerprint = Fingerprint::of(&alert, &["service".to_owned()]);
    let item = Item { fingerprint: fingerprint.clone(), alert };
    Ok((fingerprint, serde_json::to_string(&InboxMessage::Alerts { items: vec![item] })?))
}
