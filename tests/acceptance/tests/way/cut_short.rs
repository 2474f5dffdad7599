//! What a worker left that was cut short between its write and its sends, and batches that are large.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws::{Clients, Endpoints, Queues};
use domain::{Alert, AlertId, Fingerprint, ReceiverKind, Severity};
use pipeline::ports::Clock;
use pipeline::{InboxMessage, Item, QueuedMessage, SystemClock, Triage};
use serde_json::json;
use tocsin::LOCAL_SECRET;
use tocsin_acceptance::Engines;

const CONFIG: &str = r#"
sources:
  arize: { auth: { kind: bearer, secrets: [ "${TEST_SECRET}" ] } }
rules:
  - { name: mild, match: { severity: warning }, receivers: [ai-ops] }
default: { receivers: [ai-ops, on-call] }
receivers:
  ai-ops: { kind: slack, token: "${TEST_SECRET}", channel: C0AIOPS001 }
  on-call: { kind: pagerduty, routing_key: "${TEST_SECRET}" }
"#;

fn triage(engines: &Engines, queues: Queues) -> anyhow::Result<Triage> {
    let secrets: BTreeMap<String, String> = [("TEST_SECRET".to_owned(), LOCAL_SECRET.to_owned())].into();
    let config = config::load(CONFIG, &secrets).map_err(|mistakes| anyhow::anyhow!("{mistakes:?}"))?;
    Ok(Triage::new(Arc::new(config), Arc::new(engines.store.clone()), Arc::new(queues), Arc::new(SystemClock)))
}

/// Queues of which one cannot be reached.
fn without(engines: &Engines, kind: ReceiverKind) -> Queues {
    let clients = Clients::local(&Endpoints::at(engines.embedded.dynamodb_url(), engines.embedded.sqs_url()));
    let mut urls = engines.queues.urls().clone();
    urls.deliveries.remove(&kind);
    Queues::new(clients.sqs, urls)
}

fn message(ids: std::ops::Range<u32>, severity: Severity) -> anyhow::Result<QueuedMessage> {
    let now = SystemClock.now();
    let mut items = Vec::new();
    for id in ids.clone() {
        let alert: Alert = serde_json::from_value(json!({
            "id": AlertId::new(format!("alert-{id:05}")), "source": "arize", "monitor": "p95", "service": "chat",
            "metric": "latency_p95", "status": "firing", "severity": severity, "labels": {}, "observed_at": now,
            "received_at": now,
        }))?;
        items.push(Item { fingerprint: Fingerprint::of(&alert, &["service".to_owned()]), alert });
    }
    let body = serde_json::to_string(&InboxMessage::Alerts { items })?;
    Ok(QueuedMessage::new(format!("message-{}", ids.start), body))
}

const TIME_LEFT: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_written_and_not_sent_is_sent_by_whoever_comes_next() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let (pages, posts) = (engines.deliveries(ReceiverKind::Pagerduty)?, engines.deliveries(ReceiverKind::Slack)?);
    let broken = triage(&engines, without(&engines, ReceiverKind::Pagerduty))?;
    let first = message(0..1, Severity::Error)?;
    assert_eq!(broken.triage(vec![first.clone()], TIME_LEFT).await.len(), 1, "the page could not be sent");
    assert_eq!(engines.queues.held(posts).await?, 1, "one broken queue holds back no other");
    assert_eq!(engines.queues.held(pages).await?, 0);

    // The first comes again together with a new alert of the same problem: they are one run.
    let whole = triage(&engines, engines.queues.clone())?;
    assert!(whole.triage(vec![first, message(1..2, Severity::Error)?], TIME_LEFT).await.is_empty());
    assert_eq!(engines.queues.held(pages).await?, 1);
    let incidents = engines.store.incidents().await?;
    assert_eq!((incidents.len(), incidents[0].occurrences), (1, 2));

    assert!(whole.triage(vec![message(2..3, Severity::Error)?], TIME_LEFT).await.is_empty());
    assert_eq!(engines.queues.held(pages).await?, 1, "what was sent is not sent again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_knows_nothing_counts_a_duplicate_all_the_same() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    for ids in [0..1, 1..2, 2..3] {
        let fresh = triage(&engines, engines.queues.clone())?;
        assert!(fresh.triage(vec![message(ids, Severity::Error)?], TIME_LEFT).await.is_empty());
    }
    let incidents = engines.store.incidents().await?;
    assert_eq!((incidents.len(), incidents[0].occurrences), (1, 3));
    assert_eq!(engines.queues.held(engines.deliveries(ReceiverKind::Pagerduty)?).await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_alerts_of_one_problem_in_one_message_are_one_incident() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let triage = triage(&engines, engines.queues.clone())?;
    for (ids, occurrences) in [(0..300, 300), (300..365, 365), (365..429, 429)] {
        assert!(triage.triage(vec![message(ids, Severity::Error)?], TIME_LEFT).await.is_empty());
        let incidents = engines.store.incidents().await?;
        assert_eq!((incidents.len(), incidents[0].occurrences), (1, occurrences));
    }
    assert_eq!(engines.queues.held(engines.deliveries(ReceiverKind::Pagerduty)?).await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_escalation_reaches_the_people_whom_its_severity_calls() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let pages = engines.deliveries(ReceiverKind::Pagerduty)?;
    let triage = triage(&engines, engines.queues.clone())?;
    assert!(triage.triage(vec![message(0..1, Severity::Warning)?], TIME_LEFT).await.is_empty());
    assert_eq!(engines.queues.held(pages).await?, 0, "a warning pages nobody");
    assert!(triage.triage(vec![message(1..2, Severity::Critical)?], TIME_LEFT).await.is_empty());
    assert_eq!(engines.queues.held(pages).await?, 1);
    Ok(())
}
