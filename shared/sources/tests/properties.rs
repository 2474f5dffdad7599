//! What holds for every input: decoding never panics and keeps its bounds, what is signed is let in.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use domain::{Alert, AlertId, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::Value;
use tocsin_sources::{
    AHEAD_SECS_MAX, ALERTS_MAX, Auth, AuthError, DecodeError, FRESH_SECS, Inbound, Kind, LABELS_MAX, LINKS_MAX,
    Mapping, Source, TEXT_CHARS_MAX,
};

/// Keys that the default mappings point at, and some that they do not.
const KEYS: [&str; 30] = [
    "monitor",
    "metric",
    "name",
    "id",
    "status",
    "event",
    "value",
    "threshold",
    "timestamp",
    "evaluated_at",
    "link",
    "uri",
    "labels",
    "model",
    "alerts",
    "~/",
    "annotations",
    "values",
    "valueString",
    "startsAt",
    "tags",
    "scope",
    "Records",
    "Sns",
    "Type",
    "Message",
    "AlarmName",
    "Trigger",
    "detail-type",
    "detail",
];

fn auth(kind: &str, secret: &str) -> Auth {
    Auth::new(kind, vec![SecretString::from(secret)]).expect("usable")
}

fn decode(kind: Kind, alerts: Option<&str>, body: &[u8]) -> Result<Vec<Alert>, DecodeError> {
    let custom = Mapping { alerts: alerts.map(str::to_owned), ..Mapping::default() };
    let mapping = kind.default_mapping().overlay(custom);
    let source = Source { name: "s".to_owned(), kind, auth: auth("bearer", "token-of-a-source"), mapping };
    let received_at = Timestamp::from_second(1_795_425_120).expect("in range");
    source.decode(&Inbound { headers: &[], query: "", body, received_at }, &mut || AlertId::new("id"))
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,300}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "(TRIGGERED|cleared|Notification|ALARM|CloudWatch Alarm State Change|[a-z]{1,3}:[a-z,:]{1,9}|https://a.example/.{0,9}|[0-9]{0,20})".prop_map(Value::from),
    ]
}

fn json() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 64, 8, |inner| {
        let key = prop_oneof![4 => proptest::sample::select(&KEYS[..]).prop_map(str::to_owned), 1 => any::<String>()];
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::from),
            vec((key, inner), 0..8).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn check_bounds(alert: &Alert) -> Result<(), TestCaseError> {
    let own = [&alert.monitor, &alert.metric, &alert.service];
    for text in own.into_iter().chain(&alert.monitor_id).chain(alert.labels.values()) {
        prop_assert!((1..=TEXT_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control));
    }
    for number in [alert.value, alert.baseline, alert.threshold].into_iter().flatten() {
        prop_assert!(number.is_finite());
    }
    prop_assert!(alert.labels.len() <= LABELS_MAX && alert.links.len() <= LINKS_MAX);
    prop_assert!(alert.observed_at.as_second() - alert.received_at.as_second() <= AHEAD_SECS_MAX);
    Ok(())
}

proptest! {
    #[test]
    fn bytes_never_panic(body in vec(any::<u8>(), 0..200)) {
        for kind in Kind::ALL {
            prop_assert!(decode(*kind, None, &body).is_err() || str::from_utf8(&body).is_ok());
        }
    }

    #[test]
    fn json_never_panics_and_keeps_the_bounds(body in json()) {
        for kind in Kind::ALL {
            for alerts in [None, Some(""), Some("/alerts")] {
                if let Ok(alerts) = decode(*kind, alerts, body.to_string().as_bytes()) {
                    for alert in &alerts {
                        check_bounds(alert)?;
                    }
                }
            }
        }
    }

    #[test]
    fn a_named_alert_comes_out_whatever_else_is_in_it(body in json()) {
        let alert = serde_json::json!({"monitor": {"name": "m", "status": "TRIGGERED"}, "metric": "q", "labels": body});
        let alerts = decode(Kind::Arize, None, alert.to_string().as_bytes()).expect("decodes");
        prop_assert_eq!((alerts.len(), alerts[0].monitor.as_str(), alerts[0].metric.as_str()), (1, "m", "q"));
        check_bounds(&alerts[0])?;
    }

    #[test]
    fn what_is_signed_is_let_in(
        secret in "[!-~]{16,80}",
        key in vec(any::<u8>(), 16..70),
        body in vec(any::<u8>(), 0..300),
        id in "[a-zA-Z0-9_]{1,40}",
        at in 0_i64..10_000_000_000,
        skew in -310_i64..310,
    ) {
        let base64 = format!("whsec_{}", base64::Engine::encode(&base64::prelude::BASE64_STANDARD, key));
        let schemes = [("bearer", &secret), ("grafana_hmac", &secret), ("arize_hmac", &secret), ("arize_hmac", &base64), ("standard_webhooks", &base64)];
        for (kind, secret) in schemes {
            let auth = auth(kind, secret);
            let signed_at = Timestamp::from_second(at).expect("in range");
            let received_at = Timestamp::from_second(at + skew).expect("in range");
            let headers = auth.sign(&id, signed_at, &body);
            let answer = auth.verify(&Inbound { headers: &headers, query: "", body: &body, received_at });
            let fresh = kind == "bearer" || skew.unsigned_abs() <= FRESH_SECS;
            let expected = if fresh { Ok(()) } else { Err(AuthError::Stale { skew_secs: skew.unsigned_abs() }) };
            prop_assert_eq!(answer, expected);
            if kind != "bearer" && fresh {
                let longer = [body.as_slice(), b" "].concat();
                let answer = auth.verify(&Inbound { headers: &headers, query: "", body: &longer, received_at });
                prop_assert_eq!(answer, Err(AuthError::Mismatch));
            }
        }
    }

    #[test]
    fn each_alert_of_a_batch_stands_for_itself(firing in vec(any::<bool>(), 0..40)) {
        for (kind, word) in [(Kind::Alertmanager, "resolved"), (Kind::Grafana, "resolved")] {
            let one = |firing: &bool| serde_json::json!({
                "status": if *firing { "firing" } else { word },
                "labels": {"alertname": "a", "model": if *firing { "m" } else { "n" }},
            });
            let body = serde_json::json!({"status": "firing", "alerts": firing.iter().map(one).collect::<Vec<_>>()});
            let alerts = decode(kind, None, body.to_string().as_bytes()).expect("decodes");
            let read: Vec<bool> = alerts.iter().map(|alert| alert.status == domain::Status::Firing).collect();
            prop_assert_eq!(&read, &firing);
            prop_assert!(alerts.len() <= ALERTS_MAX);
        }
    }

    #[test]
    fn url_tokens_are_let_in_however_they_are_written(secret in "[ -~]{16,60}", other in "[ -~]{16,60}") {
        prop_assume!(secret.trim() == secret && other.trim() == other);
        let url_token = auth("url_token", &secret);
        let query = format!("a=b&{}&c", url_token.query().expect("a token"));
        let inbound = |query| Inbound { headers: &[], query, body: b"{}", received_at: Timestamp::UNIX_EPOCH };
        prop_assert_eq!(url_token.verify(&inbound(&query)), Ok(()));
        let answer = auth("url_token", &other).verify(&inbound(&query));
        prop_assert_eq!(answer.is_ok(), secret == other);
    }

    #[test]
    fn headers_never_panic(values in vec((0..6_usize, any::<String>()), 0..6), body in vec(any::<u8>(), 0..20)) {
        let names = ["authorization", "x-arize-webhook-signature", "x-arize-webhook-timestamp", "webhook-id",
            "webhook-timestamp", "webhook-signature"];
        let headers: Vec<_> = values.into_iter().map(|(name, value)| (names[name].to_owned(), value)).collect();
        for kind in Auth::KINDS.iter().filter(|kind| **kind != Auth::SNS) {
            let inbound = Inbound { headers: &headers, query: "", body: &body, received_at: Timestamp::UNIX_EPOCH };
            prop_assert!(auth(kind, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").verify(&inbound).is_err());
        }
    }
}
