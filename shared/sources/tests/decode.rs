//! What a payload may look like, at each bound and one over.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use domain::{Alert, AlertId, Severity, Status, Timestamp};
use secrecy::SecretString;
use serde_json::{Value, json};
use tocsin_sources::{
    ALERTS_MAX, Auth, BODY_BYTES_MAX, DecodeError, Field, Inbound, Kind, LINK_CHARS_MAX, LINKS_MAX, Mapping, Source,
    TEXT_CHARS_MAX,
};

/// 2026-11-23T09:12:00Z.
const NOW: i64 = 1_795_425_120;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("in range")
}

fn decode_bytes(kind: Kind, mapping: Mapping, body: &[u8]) -> Result<Vec<Alert>, DecodeError> {
    let auth = Auth::new("bearer", vec![SecretString::from("token-of-a-source")]).expect("usable");
    let mapping = kind.default_mapping().overlay(mapping);
    let source = Source { name: "s".to_owned(), kind, auth, mapping };
    source.decode(&Inbound { headers: &[], query: "", body, received_at: now() }, &mut || AlertId::new("id"))
}

fn decode(kind: Kind, body: &Value) -> Result<Alert, DecodeError> {
    let alerts = decode_bytes(kind, Mapping::default(), body.to_string().as_bytes())?;
    alerts.into_iter().next().ok_or(DecodeError::NoAlerts { pointer: String::new() })
}

fn alert(kind: Kind, body: &Value) -> Alert {
    decode(kind, body).expect("decodes")
}

/// A flat alert with one more key.
fn with(name: &str, value: &Value) -> Alert {
    alert(Kind::Generic, &json!({"monitor": "m", "metric": "q", name: value}))
}

#[test]
fn numbers() {
    let cases = [
        (json!(3.9), Some(3.9)),
        (json!(0), Some(0.0)),
        (json!(-2), Some(-2.0)),
        (json!(u64::MAX), Some(18_446_744_073_709_551_615.0)),
        (json!("3.9"), Some(3.9)),
        (json!(" 1e-3 "), Some(0.001)),
        (json!("3.9 s"), None),
        (json!("3,9"), None),
        (json!("NaN"), None),
        (json!("-inf"), None),
        (json!("1e999"), None),
        (json!(""), None),
        (json!(null), None),
        (json!(true), None),
        (json!([3.9]), None),
        (json!({"value": 3.9}), None),
    ];
    for (value, expected) in cases {
        for name in ["value", "baseline", "threshold"] {
            let alert = with(name, &value);
            let got = [("value", alert.value), ("baseline", alert.baseline), ("threshold", alert.threshold)];
            assert_eq!(got.map(|(n, v)| (n, v.filter(|_| n == name))), got, "only {name} is set");
            assert_eq!(got.into_iter().find_map(|(_, v)| v), expected, "{name} {value}");
        }
    }
}

#[test]
fn numbers_that_are_not_finite_lose_no_alert() {
    for text in ["NaN", "Infinity", "-Infinity", "1e999"] {
        let body = format!(r#"{{"monitor":"m","value":{text},"threshold":2}}"#);
        let alerts = decode_bytes(Kind::Generic, Mapping::default(), body.as_bytes()).expect("decodes");
        assert_eq!((alerts[0].value, alerts[0].threshold), (None, Some(2.0)), "{text}");
    }
}

#[test]
fn times() {
    let at = |second: i64| Timestamp::from_second(second).expect("in range");
    let milli = Timestamp::from_millisecond(NOW * 1000 - 877).expect("in range");
    let cases = [
        (json!("2026-11-23T09:11:59Z"), at(NOW - 1)),
        (json!("2026-11-23T10:11:59+01:00"), at(NOW - 1)),
        (json!(NOW - 1), at(NOW - 1)),
        (json!((NOW - 1).to_string()), at(NOW - 1)),
        (json!((NOW - 1) * 1000), at(NOW - 1)),
        (json!(((NOW - 1) * 1000).to_string()), at(NOW - 1)),
        (json!(1_795_425_119.123_f64), milli),
        (json!(1_795_425_119_123.0_f64), milli),
        (json!(NOW + 300), at(NOW + 300)),
        (json!(NOW + 301), now()),
        (json!("2026-11-23T09:11:59"), now()),
        (json!("yesterday"), now()),
        (json!("-5"), now()),
        (json!(""), now()),
        (json!(0), now()),
        (json!(-5), now()),
        (json!(1e300), now()),
        (json!(u64::MAX), now()),
        (json!("99999999999999999999"), now()),
        (json!(null), now()),
        (json!({"at": NOW}), now()),
    ];
    for (value, expected) in cases {
        assert_eq!(with("timestamp", &value).observed_at, expected, "{value}");
    }
}

#[test]
fn statuses() {
    use Status::{Cleared, Firing};
    let monitor = |status: Value| json!({"monitor": {"name": "m", "status": status}});
    let both = |status: &str, event: &str| json!({"event": event, "monitor": {"name": "m", "status": status}});
    let cases = [
        (monitor(json!("TRIGGERED")), Firing),
        (monitor(json!("CLEARED")), Cleared),
        (monitor(json!("NO_DATA")), Firing),
        (monitor(json!(" Resolved ")), Cleared),
        (monitor(json!(null)), Firing),
        (monitor(json!("")), Firing),
        (monitor(json!({"a": 1})), Firing),
        (json!({"monitor": {"name": "m"}}), Firing),
        (json!({"event": "monitor.cleared", "monitor": {"name": "m"}}), Cleared),
        (json!({"event": "monitor.triggered", "metric": "q"}), Firing),
        (both("CLEARED", "monitor.triggered"), Cleared),
        (both("SNOOZED", "monitor.cleared"), Cleared),
        (both("TRIGGERED", "monitor.renamed"), Firing),
    ];
    for (body, expected) in cases {
        assert_eq!(alert(Kind::Arize, &body).status, expected, "{body}");
    }
}

#[test]
fn a_status_that_nobody_knows_is_refused_with_the_words_there_are() {
    for word in [json!("paused"), json!(7), json!(true)] {
        let error = decode(Kind::Generic, &json!({"monitor": "m", "status": word})).expect_err("unknown");
        let text = error.to_string();
        assert!(matches!(error, DecodeError::BadStatus { pointer, .. } if pointer == "/status"));
        assert!(text.contains("firing, triggered") && text.contains("mapping.cleared"), "{text}");
    }
    let long = decode(Kind::Generic, &json!({"monitor": "m", "status": "x".repeat(9000)})).expect_err("unknown");
    assert!(matches!(long, DecodeError::BadStatus { word, .. } if word.chars().count() == TEXT_CHARS_MAX));
}

#[test]
fn severities() {
    let cases =
        [(json!("P1"), Severity::Critical), (json!("warn"), Severity::Warning), (json!("???"), Severity::Error)];
    for (value, expected) in cases {
        assert_eq!(with("severity", &value).severity, expected);
    }
    assert_eq!(with("other", &json!(null)).severity, Severity::Error);
}

#[test]
fn names_stand_in_for_one_another() {
    let cases = [
        (json!({"monitor": {"name": "n", "id": "i"}, "metric": "q"}), ["n", "q", "unknown"]),
        (json!({"monitor": {"name": "n"}}), ["n", "n", "unknown"]),
        (json!({"monitor": {"id": 42}, "metric": "q"}), ["42", "q", "unknown"]),
        (json!({"metric": {"name": "q"}, "model": {"name": "chat"}}), ["q", "q", "chat"]),
        (json!({"metric": "q", "model_id": "chat", "project": {"name": "bot"}}), ["q", "q", "bot"]),
        (json!({"metric": "q", "model": "chat", "service": "shop", "project": "bot"}), ["q", "q", "shop"]),
        (json!({"monitor": {"name": "n", "metric": "q", "project": {"id": "p7"}}}), ["n", "q", "p7"]),
        (json!({"monitor_name": "n", "metric_name": "q", "tags": {"service": "shop"}}), ["n", "q", "shop"]),
    ];
    for (body, expected) in cases {
        let alert = alert(Kind::Arize, &body);
        assert_eq!([&alert.monitor, &alert.metric, &alert.service].map(String::as_str), expected, "{body}");
    }
}

#[test]
fn a_default_service_goes_before_project_and_model() {
    let custom = Mapping { defaults: [(Field::Service, "shop".to_owned())].into(), ..Mapping::default() };
    let alerts = decode_bytes(Kind::Arize, custom, br#"{"metric":"q","model":"chat"}"#).expect("decodes");
    assert_eq!(alerts[0].service, "shop");
}

#[test]
fn a_body_about_nothing_names_what_was_looked_at() {
    for body in [json!({}), json!({"monitor": null, "metric": ""}), json!({"monitor": {"name": " \n "}, "value": 1})] {
        let error = decode(Kind::Arize, &body).expect_err("about nothing");
        let text = error.to_string();
        assert!(matches!(error, DecodeError::Missing { field: Field::Monitor, .. }));
        assert!(text.contains("/monitor/name, ") && text.contains("mapping.fields.monitor"), "{text}");
    }
}

#[test]
fn text_is_cut_and_cleaned() {
    let cases = [
        ("é".repeat(TEXT_CHARS_MAX), "é".repeat(TEXT_CHARS_MAX)),
        ("é".repeat(TEXT_CHARS_MAX + 1), format!("{}…", "é".repeat(TEXT_CHARS_MAX - 1))),
        ("  a\r\nb\u{0}c\u{202e}d\u{2066}e\u{2028}f\u{200f}g\u{7f} ".to_owned(), "a  b c d e f g".to_owned()),
    ];
    for (raw, expected) in cases {
        assert_eq!(with("service", &json!(raw)).service, expected);
        assert_eq!(with("labels", &json!({"team": raw})).labels["team"], expected);
    }
}

#[test]
fn labels_take_scalars_from_their_own_places_only() {
    let body = json!({"metric": "q", "endpoint": "/flat", "labels": {"endpoint": "/nested", "region": 7, "team": true},
        "tags": {"segment": "s"}, "dimensions": {"provider": "p"}, "monitor": {"version": "v"}, "environment": ["x"]});
    let alert = alert(Kind::Arize, &body);
    let got: Vec<_> = alert.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(got, ["endpoint=/flat", "provider=p", "region=7", "segment=s", "team=true", "version=v"]);
}

#[test]
fn links() {
    let fits = format!("https://a.example/{}", "x".repeat(LINK_CHARS_MAX - 18));
    let cases = [
        ("https://a.example/m?x=1#y", Some("https://a.example/m?x=1#y")),
        ("HTTP://a.example", Some("HTTP://a.example")),
        ("https://a.example/<b>|c", Some("https://a.example/%3Cb%3E%7Cc")),
        (fits.as_str(), Some(fits.as_str())),
        (&format!("{fits}x"), None),
        ("javascript:alert(1)", None),
        ("data://text", None),
        ("//a.example", None),
        ("/organizations/1", None),
        ("https://", None),
        ("https:///path", None),
        ("https://a.example@b.example/", None),
        ("https://b.example\\@a.example/", None),
        ("https://a.example/a b", None),
        ("https://a.example/\u{202e}gnp", None),
    ];
    for (text, expected) in cases {
        let hrefs: Vec<String> = with("link", &json!(text)).links.into_iter().map(|link| link.href).collect();
        assert_eq!(hrefs.first().map(String::as_str), expected, "{text}");
    }
}

#[test]
fn links_are_counted() {
    let many = |count: usize| (0..count).map(|i| format!("https://a.example/{i}")).collect::<Vec<_>>();
    for (count, expected) in [(1, 1), (LINKS_MAX, LINKS_MAX), (LINKS_MAX + 1, LINKS_MAX)] {
        assert_eq!(with("links", &json!(many(count))).links.len(), expected);
    }
    let twice = with("link", &json!(["https://a.example/1", "https://a.example/1", "https://a.example/2"]));
    let texts: Vec<_> = twice.links.iter().map(|link| link.text.as_str()).collect();
    assert_eq!(texts, ["Monitor in s", "Monitor in s (2)"]);
}

fn decode_list(count: usize) -> Result<Vec<Alert>, DecodeError> {
    let custom = Mapping { alerts: Some(String::new()), ..Mapping::default() };
    let body = Value::Array(vec![json!({"monitor": "m"}); count]);
    decode_bytes(Kind::Generic, custom, body.to_string().as_bytes())
}

#[test]
fn alerts_in_one_body_are_bounded() {
    assert_eq!(decode_list(0).expect("none").len(), 0);
    assert_eq!(decode_list(ALERTS_MAX).expect("fits").len(), ALERTS_MAX);
    assert_eq!(decode_list(ALERTS_MAX + 1), Err(DecodeError::TooManyAlerts { found: ALERTS_MAX + 1 }));
}

#[test]
fn bytes_in_one_body_are_bounded() {
    let alert = r#"{"monitor":"m"}"#;
    let body = |bytes: usize| format!("{alert}{}", " ".repeat(bytes - alert.len()));
    let decode = |body: String| decode_bytes(Kind::Generic, Mapping::default(), body.as_bytes());
    assert!(decode(body(BODY_BYTES_MAX)).is_ok());
    assert_eq!(decode(body(BODY_BYTES_MAX + 1)), Err(DecodeError::TooLarge { bytes: BODY_BYTES_MAX + 1 }));
}

#[test]
fn one_bad_alert_refuses_its_body_and_is_named() {
    let custom = || Mapping { alerts: Some("/a/b".to_owned()), ..Mapping::default() };
    let decode = |body: &str| decode_bytes(Kind::Generic, custom(), body.as_bytes()).expect_err("must be refused");
    let pointer = |pointer: &str| pointer.to_owned();
    assert_eq!(decode(r#"{"a":{"b":[{"monitor":"m"},7]}}"#), DecodeError::NotAnObject { pointer: pointer("/a/b/1") });
    assert_eq!(decode(r#"{"a":{"b":{}}}"#), DecodeError::NoAlerts { pointer: pointer("/a/b") });
    assert_eq!(decode("[]"), DecodeError::NoAlerts { pointer: pointer("/a/b") });
    let tried = ["/a/b/0/monitor", "/a/b/0/monitor_id", "/a/b/0/metric"].map(str::to_owned).to_vec();
    assert_eq!(decode(r#"{"a":{"b":[{}]}}"#), DecodeError::Missing { field: Field::Monitor, tried });
    for body in ["[]", "null", "7", "\"text\""] {
        let refused = decode_bytes(Kind::Arize, Mapping::default(), body.as_bytes());
        assert_eq!(refused, Err(DecodeError::NotAnObject { pointer: String::new() }), "{body}");
    }
}
