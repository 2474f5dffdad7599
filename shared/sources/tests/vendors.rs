//! Sample payloads of Alertmanager, Grafana, Datadog and `CloudWatch`, each with what must come out of it.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use domain::{Alert, AlertId, Fingerprint, Link, Severity, Status, Timestamp};
use secrecy::SecretString;
use serde_json::{Value, json};
use tocsin_sources::{Auth, DecodeError, Inbound, Kind, Source};

const RECEIVED_AT: &str = "2026-11-23T12:30:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn read(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(path)).expect("the event is there")
}

fn decode_bytes(kind: Kind, body: &[u8]) -> Result<Vec<Alert>, DecodeError> {
    let auth = Auth::new("bearer", vec![SecretString::from("token-of-a-source")]).expect("usable");
    let source = Source { name: kind.as_str().to_owned(), kind, auth, mapping: kind.default_mapping() };
    let inbound = Inbound { headers: &[], query: "", body, received_at: time(RECEIVED_AT) };
    let mut count = 0;
    source.decode(&inbound, &mut || {
        count += 1;
        AlertId::new(format!("id-{count}"))
    })
}

/// The folder names the source.
fn decode(path: &str) -> Vec<Alert> {
    let kind = Kind::parse(path.split('/').next().unwrap_or_default()).expect("a source's folder");
    decode_bytes(kind, &read(path)).expect("decodes")
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn links(pairs: &[(&str, &str)]) -> Vec<Link> {
    pairs.iter().map(|(text, href)| Link { text: (*text).to_owned(), href: (*href).to_owned() }).collect()
}

fn alertmanager() -> Alert {
    Alert {
        id: AlertId::new("id-1"),
        source: "alertmanager".to_owned(),
        monitor: "ChatbotLatencyP95".to_owned(),
        monitor_id: Some("cd40b4ad1b2ea8ae".to_owned()),
        service: "support-chatbot".to_owned(),
        metric: "latency_p95".to_owned(),
        status: Status::Firing,
        severity: Severity::Critical,
        labels: labels(&[
            ("endpoint", "/v1/chat"),
            ("environment", "production"),
            ("job", "gateway"),
            ("model", "gpt-4o-mini"),
            ("team", "ai-platform"),
        ]),
        value: Some(4.2),
        baseline: None,
        threshold: Some(2.5),
        observed_at: time("2026-11-23T09:12:00.061Z"),
        received_at: time(RECEIVED_AT),
        links: links(&[
            (
                "Monitor in alertmanager",
                "https://prometheus.example.com/graph?g0.expr=chat_latency_p95+%3E+2.5&g0.tab=1",
            ),
            ("Runbook", "https://runbooks.example.com/chatbot/latency"),
        ]),
        rule: None,
        also: Vec::new(),
    }
}

#[test]
fn alertmanager_groups_mix_what_fires_and_what_is_resolved() {
    let mut resolved = Alert {
        id: AlertId::new("id-2"),
        monitor_id: Some("77f1a1f93c0ffee1".to_owned()),
        status: Status::Cleared,
        value: Some(1.4),
        threshold: None,
        observed_at: time("2026-11-23T09:10:00.061Z"),
        ..alertmanager()
    };
    resolved.labels.insert("model".to_owned(), "claude-sonnet".to_owned());
    // No name, a severity that is none, and an end that lies ahead of us.
    let nameless = Alert {
        id: AlertId::new("id-3"),
        monitor: "Alertmanager alert".to_owned(),
        monitor_id: Some("0d0c0b0a09080706".to_owned()),
        service: "gateway".to_owned(),
        metric: "Alertmanager alert".to_owned(),
        severity: Severity::Error,
        labels: labels(&[("job", "gateway")]),
        value: None,
        threshold: None,
        observed_at: time("2026-11-23T09:12:05Z"),
        links: Vec::new(),
        ..alertmanager()
    };
    assert_eq!(decode("alertmanager/mixed_batch.json"), [alertmanager(), resolved, nameless]);
}

#[test]
fn an_empty_group_is_no_alert_and_a_group_without_alerts_is_refused() {
    assert_eq!(decode_bytes(Kind::Alertmanager, br#"{"version":"4","alerts":[]}"#), Ok(Vec::new()));
    let refused = decode_bytes(Kind::Alertmanager, br#"{"version":"4","status":"firing"}"#);
    assert_eq!(refused, Err(DecodeError::NoAlerts { pointer: "/alerts".to_owned() }));
}

#[test]
fn grafana_alerts_have_values_and_links() {
    let firing = Alert {
        source: "grafana".to_owned(),
        monitor: "Chatbot error rate".to_owned(),
        monitor_id: Some("c6eadffa33fcdf37".to_owned()),
        metric: "error_rate".to_owned(),
        labels: labels(&[("grafana_folder", "LLM"), ("model", "gpt-4o-mini")]),
        value: Some(0.083),
        threshold: None,
        observed_at: time("2026-11-23T09:12:00.157076Z"),
        links: links(&[
            ("Monitor in grafana", "https://grafana.example.com/alerting/grafana/1afz29v7z/view?orgId=1"),
            ("Runbook", "https://runbooks.example.com/chatbot/errors"),
            ("Dashboard", "https://grafana.example.com/d/chatbot?orgId=1"),
            ("Panel", "https://grafana.example.com/d/chatbot?orgId=1&viewPanel=4"),
            (
                "Silence it",
                "https://grafana.example.com/alerting/silence/new?alertmanager=grafana&matcher=alertname%3DChatbot+error+rate",
            ),
            ("Image", "https://grafana.example.com/public/img/attachments/abc.png"),
        ]),
        ..alertmanager()
    };
    let resolved = Alert {
        id: AlertId::new("id-2"),
        monitor_id: Some("bc97ff14869b13e3".to_owned()),
        status: Status::Cleared,
        labels: labels(&[("grafana_folder", "LLM"), ("model", "claude-sonnet")]),
        // Only `valueString` tells it.
        value: Some(0.004),
        observed_at: time("2026-11-23T09:10:00Z"),
        links: links(&[("Monitor in grafana", "https://grafana.example.com/alerting/grafana/1afz29v7z/view?orgId=1")]),
        ..firing.clone()
    };
    assert_eq!(decode("grafana/firing_and_resolved.json"), [firing, resolved]);
}

fn datadog() -> Alert {
    Alert {
        source: "datadog".to_owned(),
        monitor: "Chatbot p95 latency".to_owned(),
        monitor_id: Some("4217".to_owned()),
        // The scope's own service, not the monitor's.
        service: "support-chatbot".to_owned(),
        metric: "trace.llm.request.p95".to_owned(),
        labels: labels(&[
            ("environment", "production"),
            ("model", "gpt-4o-mini"),
            ("scope", "model:gpt-4o-mini,service:support-chatbot"),
            ("team", "ai-platform"),
        ]),
        value: None,
        threshold: None,
        observed_at: time("2026-11-23T09:12:00Z"),
        links: links(&[
            (
                "Monitor in datadog",
                "https://app.datadoghq.eu/monitors/4217?from_ts=1795424220000&to_ts=1795425420000&group=model%3Agpt-4o-mini",
            ),
            ("Snapshot", "https://p.datadoghq.eu/snapshot/view/dd-snapshots-prod/org_1/2026-11-23/abc.png"),
        ]),
        ..alertmanager()
    }
}

#[test]
fn datadog_transitions() {
    assert_eq!(decode("datadog/triggered.json"), [datadog()]);
    let link = vec![datadog().links[0].clone()];
    let observed_at = time("2026-11-23T09:22:00Z");
    let recovered = Alert { status: Status::Cleared, observed_at, links: link.clone(), ..datadog() };
    assert_eq!(decode("datadog/recovered.json"), [recovered]);
    let observed_at = time("2026-11-23T09:11:00Z");
    let warn = Alert { severity: Severity::Warning, observed_at, links: link.clone(), ..datadog() };
    assert_eq!(decode("datadog/warn.json"), [warn]);
    // Variables without a value: "", and "null" where Datadog has none.
    let no_data = Alert {
        service: "unknown".to_owned(),
        metric: "Chatbot p95 latency".to_owned(),
        severity: Severity::Error,
        labels: labels(&[("scope", "*")]),
        observed_at: time(RECEIVED_AT),
        links: link,
        ..datadog()
    };
    assert_eq!(decode("datadog/no_data.json"), [no_data]);
}

#[test]
fn every_word_of_datadog_is_known() {
    for (word, status) in [
        ("Triggered", Status::Firing),
        ("Re-Triggered", Status::Firing),
        ("Warn", Status::Firing),
        ("Re-Warn", Status::Firing),
        ("No Data", Status::Firing),
        ("Re-No Data", Status::Firing),
        ("Renotify", Status::Firing),
        ("Recovered", Status::Cleared),
        ("null", Status::Firing),
        ("", Status::Firing),
    ] {
        let body = json!({"monitor": "m", "alert_transition": word}).to_string();
        assert_eq!(decode_bytes(Kind::Datadog, body.as_bytes()).expect("decodes")[0].status, status, "{word}");
    }
    let unknown = decode_bytes(Kind::Datadog, br#"{"monitor":"m","alert_transition":"Perhaps"}"#);
    assert!(matches!(unknown, Err(DecodeError::BadStatus { .. })), "{unknown:?}");
}

fn queue() -> Alert {
    Alert {
        source: "cloudwatch".to_owned(),
        monitor: "chat queue is deep".to_owned(),
        monitor_id: Some("arn:aws:cloudwatch:eu-central-1:123456789012:alarm:chat queue is deep".to_owned()),
        service: "AWS/SQS".to_owned(),
        metric: "ApproximateNumberOfMessagesVisible".to_owned(),
        severity: Severity::Error,
        labels: labels(&[
            ("account", "123456789012"),
            ("namespace", "AWS/SQS"),
            ("queue", "chat-requests"),
            ("region", "eu-central-1"),
        ]),
        value: Some(340.0),
        threshold: Some(200.0),
        observed_at: time("2026-11-23T09:20:00.927Z"),
        links: links(&[(
            "Monitor in cloudwatch",
            "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#alarmsV2:alarm/chat%20queue%20is%20deep",
        )]),
        ..alertmanager()
    }
}

#[test]
fn cloudwatch_alarms_over_sns() {
    // Its description and unit are null.
    assert_eq!(decode("cloudwatch/sns_alarm.json"), [queue()]);
    let cleared =
        Alert { status: Status::Cleared, value: Some(18.0), observed_at: time("2026-11-23T09:50:00.927Z"), ..queue() };
    assert_eq!(decode("cloudwatch/sns_ok_version_1.json"), [cleared]);
    let alerts = decode("cloudwatch/sns_no_data.json");
    let [no_data] = &alerts[..] else { panic!("{alerts:?}") };
    assert_eq!((no_data.status, no_data.severity, no_data.value), (Status::Firing, Severity::Warning, None));
    assert_eq!((no_data.metric.as_str(), no_data.threshold), ("error_rate", Some(0.02)));
    assert_eq!(decode("cloudwatch/sns_subscription.json"), Vec::<Alert>::new());
}

#[test]
fn cloudwatch_alarms_over_event_bridge() {
    let alerts = decode("cloudwatch/event_bridge_alarm.json");
    let [alarm] = &alerts[..] else { panic!("{alerts:?}") };
    assert_eq!((alarm.monitor.as_str(), alarm.metric.as_str()), ("chatbot model latency", "ModelLatency"));
    assert_eq!((alarm.service.as_str(), alarm.severity), ("support-chatbot", Severity::Critical));
    assert_eq!((alarm.value, alarm.threshold), (Some(4_200_000.0), Some(2_500_000.0)));
    assert_eq!(alarm.observed_at, time("2026-11-23T09:12:40.989Z"));
    let expected = labels(&[
        ("account", "123456789012"),
        ("endpoint", "chat-prod"),
        ("namespace", "AWS/SageMaker"),
        ("region", "eu-central-1"),
        ("team", "ai-platform"),
        ("variant", "AllTraffic"),
    ]);
    assert_eq!(alarm.labels, expected);
    // One that was only just made has no state yet.
    assert_eq!(decode("cloudwatch/event_bridge_created.json"), Vec::<Alert>::new());
}

#[test]
fn the_way_that_an_alarm_took_changes_nothing() {
    let posted: Value = serde_json::from_slice(&read("cloudwatch/sns_alarm.json")).expect("JSON");
    let message = posted["Message"].as_str().expect("text");
    assert_eq!(decode_bytes(Kind::Cloudwatch, message.as_bytes()), Ok(vec![queue()]));
    let record = json!({"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": message}});
    let lambda = json!({"Records": [record, record]}).to_string();
    let second = Alert { id: AlertId::new("id-2"), ..queue() };
    assert_eq!(decode_bytes(Kind::Cloudwatch, lambda.as_bytes()), Ok(vec![queue(), second]));

    let event: Value = serde_json::from_slice(&read("cloudwatch/event_bridge_alarm.json")).expect("JSON");
    let over_sns = json!({"Type": "Notification", "Message": event.to_string()}).to_string();
    let expected = decode("cloudwatch/event_bridge_alarm.json");
    assert_eq!(decode_bytes(Kind::Cloudwatch, over_sns.as_bytes()), Ok(expected));
}

#[test]
fn what_is_no_alarm_is_refused_with_its_place() {
    let text = json!({"Type": "Notification", "Message": "the pipeline is done"}).to_string();
    let pointer = "/Message".to_owned();
    assert_eq!(decode_bytes(Kind::Cloudwatch, text.as_bytes()), Err(DecodeError::NotAnObject { pointer }));
    let mut nested = json!({"AlarmName": "a", "NewStateValue": "ALARM"});
    for _ in 0..5 {
        nested = json!({"Type": "Notification", "Message": nested.to_string()});
    }
    let refused = decode_bytes(Kind::Cloudwatch, nested.to_string().as_bytes());
    assert!(matches!(refused, Err(DecodeError::TooDeep { .. })), "{refused:?}");
    let other = decode_bytes(Kind::Cloudwatch, br#"{"hello":"world"}"#);
    assert!(matches!(other, Err(DecodeError::Missing { .. })), "{other:?}");
    let bare = decode_bytes(Kind::Cloudwatch, br#"{"AlarmName":"a","NewStateValue":"ALARM","Trigger":null}"#);
    assert_eq!(bare.expect("decodes")[0].metric, "a");
}

/// What a rule may group by; never a time or a value.
#[track_caller]
fn check_same_problem(firing: &Alert, cleared: &Alert) {
    let names =
        ["source", "monitor", "service", "metric", "model", "scope", "queue", "region", "endpoint", "environment"];
    let group_by = names.map(str::to_owned);
    assert_ne!((firing.status, firing.observed_at), (cleared.status, cleared.observed_at));
    assert_eq!(Fingerprint::of(firing, &group_by), Fingerprint::of(cleared, &group_by));
}

#[test]
fn a_clear_has_the_fingerprint_of_what_it_clears() {
    check_same_problem(&decode("datadog/triggered.json")[0], &decode("datadog/recovered.json")[0]);
    check_same_problem(&decode("cloudwatch/sns_alarm.json")[0], &decode("cloudwatch/sns_ok_version_1.json")[0]);
    for name in ["alertmanager/mixed_batch.json", "grafana/firing_and_resolved.json"] {
        let mut cleared = decode(name).swap_remove(1);
        cleared.labels.insert("model".to_owned(), "gpt-4o-mini".to_owned());
        check_same_problem(&decode(name)[0], &cleared);
    }
}

#[test]
fn what_people_wrote_and_the_rest_does_not_travel() {
    for path in ["alertmanager/mixed_batch.json", "datadog/triggered.json", "grafana/firing_and_resolved.json"] {
        let shown = serde_json::to_string(&decode(path)).expect("can be written");
        assert!(
            !shown.contains("carry") && !shown.contains("slowest request") && !shown.contains("summary"),
            "{shown}"
        );
    }
}
