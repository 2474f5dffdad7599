//! The binary as Lambda runs it: SQS batches over the Runtime API, the page at the `PagerDuty` stand-in.

use std::sync::Arc;
use std::time::Duration;

use acceptance::{Engines, batch};
use domain::{Alert, DeliveryId, DeliveryState, Fingerprint, ReceiverKind};
use pipeline::ports::{Clock, Queue};
use pipeline::{DeliveryMessage, InboxMessage, Item, QueuedMessage, SystemClock, Triage};
use serde_json::{Value, json};
use stand_ins::{Fault, Pagerduty};
use tocsin::LOCAL_SECRET;

const CONFIG: &str = r#"
sources:
  arize: { auth: { kind: bearer, secrets: [ "${TEST_SECRET}" ] } }
default: { receivers: [on-call] }
receivers:
  on-call: { kind: pagerduty, routing_key: "${TEST_SECRET}" }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_pagerduty_refuses_at_first_comes_again_and_pages_once() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let pagerduty = Pagerduty::start().await?;
    pagerduty.faults().next(1, Fault::Status { status: 503, retry_after_secs: Some(1), body: String::new() });
    let address = [("TOCSIN_PAGERDUTY_API_URL", pagerduty.url())];
    let sandbox = engines.run(env!("CARGO_BIN_EXE_deliver"), CONFIG, &address).await?;
    open_incident(&engines).await?;
    let queue = engines.deliveries(ReceiverKind::Pagerduty)?;
    let waiting = engines.queues.poll(queue, 1).await?;
    let mut event = batch(queue, &[("page", &waiting[0].body), ("bad", "{")]);

    let refused = sandbox.invoke(event.clone()).await?;
    let mut named: Vec<_> = refused["batchItemFailures"].as_array().into_iter().flatten().collect();
    named.sort_by_key(|failure| failure["itemIdentifier"].to_string());
    assert_eq!(named, [&json!({ "itemIdentifier": "bad" }), &json!({ "itemIdentifier": "page" })]);
    assert_eq!(pagerduty.triggers().len(), 0);

    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = json!("2");
    let done = json!({ "batchItemFailures": [{ "itemIdentifier": "bad" }] });
    let mut tries = 0;
    while sandbox.invoke(event.clone()).await? != done {
        tries += 1;
        assert!(tries < 50, "the delivery never became due");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(sandbox.invoke(event).await?, done);
    assert_eq!(pagerduty.triggers().len(), 1);
    let incidents = engines.store.incidents().await?;
    let record = engines.store.record(&incidents[0].id).await?.expect("the incident has a record");
    assert_eq!((record.deliveries[0].state, record.deliveries[0].attempts), (DeliveryState::Delivered, 2));
    let log = sandbox.log()?;
    assert_eq!(log.matches(r#""Delivered":1.0,"Receiver":"pagerduty""#).count(), 1, "{log}");
    let page = log.lines().find(|line| line.contains("SecondsToPage")).expect("a page has its time");
    let page: Value = serde_json::from_str(page)?;
    // The first try was refused with a second to wait.
    assert!(page["SecondsToPage"].as_f64().is_some_and(|secs| (1.0..60.0).contains(&secs)), "{page}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_table_does_not_show_is_asked_for_again_in_seconds() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let pagerduty = Pagerduty::start().await?;
    let address = [("TOCSIN_PAGERDUTY_API_URL", pagerduty.url())];
    let sandbox = engines.run(env!("CARGO_BIN_EXE_deliver"), CONFIG, &address).await?;
    open_incident(&engines).await?;
    let queue = engines.deliveries(ReceiverKind::Pagerduty)?;
    engines.queues.poll(queue, 1).await?;
    let incident = engines.store.incidents().await?[0].id.clone();
    let unknown = DeliveryMessage::of(DeliveryId { incident, receiver: "nobody".to_owned(), seq: 0 });
    engines.queues.send_deliveries(ReceiverKind::Pagerduty, &[unknown]).await?;
    let waiting = engines.queues.poll(queue, 1).await?;
    let mut event = batch(queue, &[("unknown", &waiting[0].body)]);
    event["Records"][0]["receiptHandle"] = json!(waiting[0].receipt);
    let named = json!({ "batchItemFailures": [{ "itemIdentifier": "unknown" }] });
    assert_eq!(sandbox.invoke(event).await?, named);
    let begun = std::time::Instant::now();
    while engines.queues.poll(queue, 5).await?.is_empty() {
        assert!(begun.elapsed() < Duration::from_mins(1), "it waits for the queue's own three minutes");
    }
    Ok(())
}

/// What `triage` does before.
async fn open_incident(engines: &Engines) -> anyhow::Result<()> {
    let secrets =
        [("TEST_SECRET".to_owned(), LOCAL_SECRET.to_owned())].into_iter().collect::<std::collections::BTreeMap<_, _>>();
    let config = config::load(CONFIG, &secrets).map_err(|mistakes| anyhow::anyhow!("{mistakes:?}"))?;
    let (store, queues) = (Arc::new(engines.store.clone()), Arc::new(engines.queues.clone()));
    let triage = Triage::new(Arc::new(config), store, queues, Arc::new(SystemClock));
    let now = SystemClock.now();
    let alert: Alert = serde_json::from_value(json!({
        "id": "one", "source": "arize", "monitor": "p95", "service": "chat", "metric": "latency_p95",
        "status": "firing", "severity": "error", "labels": {}, "observed_at": now, "received_at": now,
    }))?;
    let item = Item { fingerprint: Fingerprint::of(&alert, &["service".to_owned()]), alert };
    let body = serde_json::to_string(&InboxMessage::Alerts { items: vec![item] })?;
    let unfinished = triage.triage(vec![QueuedMessage::new("m", body)], Duration::from_secs(10)).await;
    assert!(unfinished.is_empty(), "{unfinished:?}");
    Ok(())
}
