//! The binary as Lambda runs it: requests over the Runtime API, messages in the embedded SQS.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::process::Command;

use acceptance::Engines;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_receive");

const CONFIG: &str = r#"
sources:
  arize: { auth: { kind: bearer, secrets: [ "${TEST_SECRET}" ] } }
default: { receivers: [ai-ops] }
receivers:
  ai-ops: { kind: slack, token: "${TEST_SECRET}", channel: C0AIOPS001 }
"#;

const SECRET: &str = tocsin::LOCAL_SECRET;

const ALERT: &str =
    r#"{"monitor":{"id":"m","name":"p95","status":"TRIGGERED","metric":"latency_p95"},"service":"chat"}"#;

/// The payload 2.0 of an HTTP API or a function URL.
fn event(method: &str, path: &str, secret: &str, body: &str, base64: bool) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": { "content-type": "application/json", "authorization": secret },
        "requestContext": {
            "accountId": "000000000000", "apiId": "api", "domainName": "tocsin.example", "domainPrefix": "tocsin",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "x" },
            "requestId": "1", "routeKey": "$default", "stage": "$default", "time": "23/Nov/2026:09:12:00 +0000",
            "timeEpoch": 1_795_000_000_000_i64,
        },
        "body": body, "isBase64Encoded": base64,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_accepted_once_the_queue_has_it() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let sandbox = engines.run(BINARY, CONFIG, &[]).await?;
    let answer = sandbox.invoke(event("POST", "/alerts/arize", SECRET, ALERT, false)).await?;
    assert_eq!(answer["statusCode"], 202, "{answer}");
    assert_eq!(engines.inbox().await?, 1);
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default())?;
    assert!(body["accepted"][0]["fingerprint"].as_str().is_some_and(|f| !f.is_empty()), "{body}");

    assert_eq!(sandbox.log()?.matches(r#""Accepted":1.0"#).count(), 1, "it is counted once");

    let health = sandbox.invoke(event("GET", "/healthz", "", "", false)).await?;
    assert_eq!(health["statusCode"], 200, "{health}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_the_gateway_encoded_is_the_body_that_was_sent() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let sandbox = engines.run(BINARY, CONFIG, &[]).await?;
    // The alert as Base64.
    let encoded = "eyJtb25pdG9yIjp7ImlkIjoibSIsIm5hbWUiOiJwOTUiLCJzdGF0dXMiOiJUUklHR0VSRUQiLCJtZXRyaWMiOiJsYXRlbmN5X3\
                   A5NSJ9LCJzZXJ2aWNlIjoiY2hhdCJ9";
    let answer = sandbox.invoke(event("POST", "/alerts/arize", SECRET, encoded, true)).await?;
    assert_eq!(answer["statusCode"], 202, "{answer}");
    assert_eq!(engines.inbox().await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_stage_is_no_part_of_the_path() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let sandbox = engines.run(BINARY, CONFIG, &[]).await?;
    for (path, status) in [
        ("/prod/alerts/arize", 202),
        ("/alerts/arize", 202),
        ("/prod/prod/alerts/arize", 404),
        ("/prod", 404),
        ("/production/alerts/arize", 404),
    ] {
        let mut event = event("POST", path, SECRET, ALERT, false);
        event["requestContext"]["stage"] = json!("prod");
        let answer = sandbox.invoke(event).await?;
        assert_eq!(answer["statusCode"], status, "{path}: {answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_authenticated_costs_no_call() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let sandbox = engines.run(BINARY, CONFIG, &[]).await?;
    let before = engines.embedded.calls();
    let answer = sandbox.invoke(event("POST", "/alerts/arize", "wrong", ALERT, false)).await?;
    assert_eq!(answer["statusCode"], 401, "{answer}");
    assert_eq!(answer["headers"]["content-type"], "application/problem+json", "{answer}");
    assert_eq!(answer["headers"]["www-authenticate"], "Bearer", "{answer}");
    assert_eq!(engines.embedded.calls(), before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_refusal_names_its_reason_and_quotes_nothing() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let sandbox = engines.run(BINARY, CONFIG, &[]).await?;
    let duplicate = r#"{"monitor":{"canary":1,"canary":2}}"#;
    let bad_status = r#"{"monitor":{"name":"p95","status":"canary"}}"#;
    for (path, secret, body, status) in [
        ("/alerts/arize", SECRET, duplicate, 400),
        ("/alerts/arize", SECRET, bad_status, 400),
        ("/alerts/arize", SECRET, "{\"canary\":", 400),
        ("/alerts/arize", "canary", ALERT, 401),
        ("/alerts/canary", SECRET, ALERT, 404),
    ] {
        let answer = sandbox.invoke(event("POST", path, secret, body, false)).await?;
        assert_eq!(answer["statusCode"], status, "{path} {body}: {answer}");
    }
    let log = sandbox.log()?;
    for reason in ["duplicate_key", "bad_status", "not_json", "no_secret_fits", "unknown_source"] {
        assert_eq!(log.matches(&format!("\"reason\":\"{reason}\"")).count(), 1, "{reason}: {log}");
    }
    assert!(!log.contains("canary") && !log.contains(SECRET), "{log}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_aws_brings_are_alarms_and_posted_ones_are_not() -> anyhow::Result<()> {
    let engines = Engines::start().await?;
    let topics =
        "  cloudwatch: { auth: { kind: sns, topics: [ \"arn:aws:sns:eu-central-1:123456789012:alarms\" ] } }\n";
    let sandbox = engines.run(BINARY, &CONFIG.replace("default:", &format!("{topics}default:")), &[]).await?;
    let read =
        |name: &str| std::fs::read_to_string(format!("{}/../../events/cloudwatch/{name}", env!("CARGO_MANIFEST_DIR")));
    let alarm: Value = serde_json::from_str(&read("event_bridge_alarm.json")?)?;
    let answer = sandbox.invoke(alarm.clone()).await?;
    assert_eq!(answer["accepted"].as_array().map(Vec::len), Some(1), "{answer}");
    let posted: Value = serde_json::from_str(&read("sns_alarm.json")?)?;
    let record = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": posted }] });
    let answer = sandbox.invoke(record).await?;
    assert_eq!(answer["accepted"].as_array().map(Vec::len), Some(1), "{answer}");
    assert_eq!(engines.inbox().await?, 2);

    // The path that the runtime gives such events is open to nobody else.
    let answer = sandbox.invoke(event("POST", "/events", SECRET, &alarm.to_string(), false)).await?;
    assert_eq!(answer["statusCode"], 404, "{answer}");
    let answer = sandbox.invoke(event("POST", "/alerts/cloudwatch", SECRET, &alarm.to_string(), false)).await?;
    assert_eq!(answer["statusCode"], 401, "{answer}");
    // Lambda brings it again, and keeps it in the end.
    let failed = sandbox.invoke(json!({ "hello": "world" })).await.expect_err("it is no alarm");
    assert!(failed.to_string().contains("missing_field"), "{failed}");
    assert_eq!(engines.inbox().await?, 2);
    Ok(())
}

/// What the function says when it starts with this config and without AWS's own variables, which it asks for afterwards.
fn start(config: &str) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("tocsin.yaml");
    std::fs::write(&path, config)?;
    let output = Command::new(BINARY).env_clear().env("TOCSIN_CONFIG", &path).env("TEST_SECRET", SECRET).output()?;
    anyhow::ensure!(!output.status.success(), "it started");
    Ok(String::from_utf8(output.stderr)?)
}

#[test]
fn a_mistake_in_what_it_reads_of_the_config_ends_the_start_and_is_named() -> anyhow::Result<()> {
    let said = start(&CONFIG.replace("bearer", "barer"))?;
    assert!(said.contains("tocsin.yaml:3") && said.contains("barer") && said.contains("bearer"), "{said}");
    // What is wrong with a receiver keeps no alert out of the inbox.
    let said = start(&CONFIG.replace("[ai-ops]", "[ai-opps]"))?;
    assert!(said.contains("AWS_") && !said.contains("tocsin.yaml"), "{said}");
    Ok(())
}
