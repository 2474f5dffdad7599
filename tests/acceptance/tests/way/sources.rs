//! Alerts of other vendors: a mixed batch of Alertmanager, and alarms that SNS signs.

use std::collections::BTreeMap;
use std::sync::Arc;

use pipeline::ports::Clock;
use pipeline::{Accepted, Receive, Refusal, SystemClock};
use serde_json::{Value, json};
use stand_ins::{Fault, Sns, sns};
use tocsin::LOCAL_SECRET;
use tocsin_acceptance::{Engines, World, post};

const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:alarms";

const CONFIG: &str = r#"
sources:
  alertmanager: { auth: { kind: bearer, secrets: [ "${TEST_SECRET}" ] } }
  links: { kind: alertmanager, auth: { kind: url_token, secrets: [ "${TEST_SECRET}" ] } }
  cloudwatch: { auth: { kind: sns, topics: [ "arn:aws:sns:eu-central-1:123456789012:alarms" ] } }
rules:
  - { name: latency, match: { metric: latency_p95 }, group_by: [service, metric, model], receivers: [on-call] }
default: { receivers: [on-call] }
receivers:
  on-call: { kind: pagerduty, routing_key: "${TEST_ROUTING_KEY}" }
"#;

/// A group of alerts by model and status, as Alertmanager posts it; what fires began then.
fn group(alerts: &[(&str, &str)], began: &str) -> Value {
    let one = |(model, status): &(&str, &str)| {
        let ended = if *status == "resolved" { "2026-11-23T09:40:00Z" } else { "0001-01-01T00:00:00Z" };
        json!({
            "status": status, "fingerprint": format!("fp-{model}"),
            "labels": { "alertname": "Slow", "service": "chat", "metric": "latency_p95", "model": model },
            "annotations": { "runbook_url": "https://runbooks.example.com/slow" },
            "startsAt": began, "endsAt": ended,
        })
    };
    json!({
        "version": "4", "status": "firing", "receiver": "tocsin", "groupKey": "{}:{}", "truncatedAlerts": 0,
        "alerts": alerts.iter().map(one).collect::<Vec<_>>(),
    })
}

/// The state of each model's incident.
async fn states(world: &World) -> anyhow::Result<BTreeMap<String, String>> {
    let mut states = BTreeMap::new();
    for incident in world.incidents().await? {
        let record = world.get(&format!("/api/incidents/{}", incident["id"].as_str().unwrap_or_default())).await?;
        let model = record["labels"]["model"].as_str().unwrap_or_default().to_owned();
        // The newest comes first; a clear that came before any alert has left a record behind it.
        states.entry(model).or_insert_with(|| record["state"].as_str().unwrap_or_default().to_owned());
    }
    Ok(states)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_fires_and_resolves_does_both() -> anyhow::Result<()> {
    let world = World::with_config(CONFIG, None).await?;
    let url = world.url("/alerts/alertmanager");
    post(world.client(), &url, &group(&[("a", "firing"), ("b", "resolved"), ("c", "firing")], "2026-11-23T09:12:00Z"))
        .await?;
    world.quiet().await?;
    let first = states(&world).await?;
    assert_eq!((first["a"].as_str(), first["c"].as_str()), ("open", "open"));
    assert_ne!(first.get("b").map(String::as_str), Some("open"));
    let pages = world.stand_ins().pagerduty.triggers();
    assert_eq!(pages.len(), 2, "what is resolved and never fired wakes nobody");

    // The same group again, with one more and one less.
    post(world.client(), &url, &group(&[("a", "resolved"), ("b", "firing"), ("c", "firing")], "2026-11-23T10:00:00Z"))
        .await?;
    world.quiet().await?;
    let expected = [("a", "resolved"), ("b", "open"), ("c", "open")].map(|(m, s)| (m.to_owned(), s.to_owned()));
    assert_eq!(states(&world).await?, BTreeMap::from(expected));
    let actions: Vec<String> = world.stand_ins().pagerduty.events().into_iter().map(|e| e.action).collect();
    assert_eq!(actions.iter().filter(|action| *action == "trigger").count(), 3, "{actions:?}");
    assert_eq!(actions.iter().filter(|action| *action == "resolve").count(), 1, "{actions:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_alerts_that_come_together_the_worst_says_whom_they_call() -> anyhow::Result<()> {
    let critical = "rules:\n  - { name: critical, match: { metric: latency_p95, severity: critical }, \
                    group_by: [service, metric, model], receivers: [on-call] }\n";
    let config = CONFIG.replace("receivers: [on-call]", "receivers: [ai-ops]").replace("rules:\n", critical);
    let config =
        format!("{config}  ai-ops: {{ kind: slack, token: \"${{TEST_SLACK_TOKEN}}\", channel: C0AIOPS001 }}\n");
    for severities in [["critical", "warning"], ["warning", "critical"]] {
        let world = World::with_config(&config, None).await?;
        let mut body = group(&[("a", "firing"), ("a", "firing")], "2026-11-23T09:12:00Z");
        for (number, severity) in severities.into_iter().enumerate() {
            body["alerts"][number]["labels"]["severity"] = json!(severity);
            body["alerts"][number]["fingerprint"] = json!(severity);
        }
        post(world.client(), &world.url("/alerts/alertmanager"), &body).await?;
        world.quiet().await?;
        assert_eq!(world.incidents().await?.len(), 1);
        assert_eq!(world.stand_ins().pagerduty.triggers().len(), 1, "{severities:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_url_lets_in_and_nothing_else_does() -> anyhow::Result<()> {
    let world = World::with_config(CONFIG, None).await?;
    let body = group(&[("a", "firing")], "2026-11-23T09:12:00Z");
    for (query, status) in
        [(format!("?token={LOCAL_SECRET}"), 202), (String::new(), 401), ("?token=wrong".to_owned(), 401)]
    {
        let url = world.url(&format!("/alerts/links{query}"));
        // Without the header that another source takes.
        let request = world.client().post(&url).header("content-type", "application/json");
        assert_eq!(request.body(body.to_string()).send().await?.status(), status, "{query}");
    }
    Ok(())
}

fn alarm() -> Value {
    json!({
        "AlarmName": "slow", "AlarmDescription": null, "NewStateValue": "ALARM", "NewStateReason": "",
        "AlarmArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:slow",
        "Trigger": { "MetricName": "latency_p95", "Namespace": "AWS/SageMaker", "Dimensions": [] },
    })
}

/// The function `receive` before the embedded SQS, with SNS's stand-in behind it.
struct Behind {
    engines: Engines,
    sns: Sns,
    receive: Receive,
}

impl Behind {
    async fn start() -> anyhow::Result<Self> {
        let secrets = [("TEST_SECRET", LOCAL_SECRET), ("TEST_ROUTING_KEY", LOCAL_SECRET)];
        let environment: BTreeMap<String, String> = secrets.map(|(n, s)| (n.to_owned(), s.to_owned())).into();
        let intake = config::load_intake(CONFIG, &environment).map_err(|mistakes| anyhow::anyhow!("{mistakes:?}"))?;
        let (engines, sns) = (Engines::start().await?, Sns::start().await?);
        let queues = Arc::new(engines.queues.clone());
        let receive = Receive::new(intake, queues, Arc::new(SystemClock));
        let receive = receive.with_sns(Arc::new(web::Sns::at(&sns.url())));
        Ok(Self { engines, sns, receive })
    }

    async fn post(&self, message: &Value) -> Result<Vec<Accepted>, Refusal> {
        let headers = [("content-type".to_owned(), "text/plain; charset=UTF-8".to_owned())];
        self.receive.accept("cloudwatch", &headers, "", message.to_string().as_bytes()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sns_signs_is_taken_and_its_certificate_fetched_once() -> anyhow::Result<()> {
    let behind = Behind::start().await?;
    let now = SystemClock.now().to_string();
    let message = sns::notification(TOPIC, &alarm(), &now)?;
    for _ in 0..3 {
        assert_eq!(behind.post(&message).await?.len(), 1);
    }
    assert_eq!((behind.sns.requests(), behind.engines.inbox().await?), (1, 3));

    let before = behind.engines.embedded.calls();
    let mut forged = message.clone();
    forged["Message"] = json!(alarm().to_string().replace("slow", "forged"));
    assert!(matches!(behind.post(&forged).await, Err(Refusal::NotAuthenticated { .. })));
    let foreign = sns::notification("arn:aws:sns:eu-central-1:999999999999:alarms", &alarm(), &now)?;
    assert!(matches!(behind.post(&foreign).await, Err(Refusal::NotAuthenticated { .. })));
    let mut elsewhere = message;
    elsewhere["SigningCertURL"] = json!("https://evil.example/SimpleNotificationService-0.pem");
    assert!(matches!(behind.post(&elsewhere).await, Err(Refusal::NotAuthenticated { .. })));
    assert_eq!((behind.sns.requests(), behind.engines.embedded.calls()), (1, before), "nothing was asked for these");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_subscribed_to_once_its_signature_held() -> anyhow::Result<()> {
    let behind = Behind::start().await?;
    let asked = sns::confirmation(TOPIC, &SystemClock.now().to_string())?;
    let mut forged = asked.clone();
    forged["Token"] = json!("other");
    assert!(matches!(behind.post(&forged).await, Err(Refusal::NotAuthenticated { .. })));
    assert!(behind.sns.confirmed().is_empty());
    assert!(behind.post(&asked).await?.is_empty());
    assert_eq!(behind.sns.confirmed(), [TOPIC]);
    assert_eq!(behind.engines.inbox().await?, 0, "a subscription is no alert");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_certificate_cannot_be_fetched_sns_is_told_to_come_again() -> anyhow::Result<()> {
    let behind = Behind::start().await?;
    let message = sns::notification(TOPIC, &alarm(), &SystemClock.now().to_string())?;
    behind.sns.faults().next(1, Fault::Status { status: 503, retry_after_secs: None, body: String::new() });
    assert!(matches!(behind.post(&message).await, Err(Refusal::Unverifiable(_))));
    assert_eq!(behind.post(&message).await?.len(), 1);
    Ok(())
}
