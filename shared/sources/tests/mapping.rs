//! Mappings: what may be configured, and that nothing else of a payload travels.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use domain::{AlertId, Status, Timestamp};
use secrecy::SecretString;
use serde_json::{Value, json};
use tocsin_sources::{Auth, Field, Inbound, Kind, LABELS_MAX, Mapping, Source};

fn pointers(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn kinds_and_fields_are_known_by_their_words() {
    for kind in Kind::ALL {
        assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
        assert!(Auth::KINDS.contains(&kind.default_auth()));
        assert_eq!(kind.default_mapping().check(), Vec::<String>::new());
    }
    assert_eq!(Field::ALL.map(|field| Field::parse(field.as_str())), Field::ALL.map(Some));
    assert_eq!((Kind::parse("Arize"), Field::parse("prompt")), (None, None));
    assert_eq!((Kind::Arize.default_auth(), Kind::Generic.default_auth()), ("bearer", "standard_webhooks"));
}

#[test]
fn a_custom_mapping_replaces_by_key() {
    let custom = Mapping {
        fields: [(Field::Value, pointers(&["/v"]))].into(),
        labels: [("tier".to_owned(), pointers(&["/tier"]))].into(),
        defaults: [(Field::Service, "shop".to_owned())].into(),
        cleared: pointers(&["gone"]),
        ..Mapping::default()
    };
    let before = Kind::Generic.default_mapping();
    let after = before.clone().overlay(custom);
    assert_eq!(after.fields[&Field::Value], ["/v"]);
    assert_eq!(after.fields[&Field::Metric], before.fields[&Field::Metric]);
    assert_eq!(after.labels.len(), before.labels.len() + 1);
    assert_eq!(after.defaults.len(), before.defaults.len() + 1);
    assert_eq!((&after.firing, after.alerts.as_ref()), (&before.firing, None));
    assert_eq!((after.status("GONE"), after.status("cleared")), (Some(Status::Cleared), None));
    assert_eq!(before.clone().overlay(Mapping::default()), before);
}

#[track_caller]
fn check_mistake(mapping: &Mapping, place: &str, mend: &str) {
    let mistakes = mapping.check();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(mistakes[0].starts_with(place) && mistakes[0].contains(mend), "{mistakes:?}");
}

fn field(pointers: Vec<String>) -> Mapping {
    Mapping { fields: [(Field::Value, pointers)].into(), ..Mapping::default() }
}

fn default(field: Field, text: &str) -> Mapping {
    Mapping { defaults: [(field, text.to_owned())].into(), ..Mapping::default() }
}

fn labels(names: impl IntoIterator<Item = String>) -> Mapping {
    let labels: BTreeMap<_, _> = names.into_iter().map(|name| (name, pointers(&["/x"]))).collect();
    Mapping { labels, ..Mapping::default() }
}

#[test]
fn each_mistake_is_named_with_its_place_and_mend() {
    check_mistake(&Mapping { alerts: Some("alerts".to_owned()), ..Mapping::default() }, "alerts:", "\"/alerts\"");
    check_mistake(&field(pointers(&["/a", "value"])), "fields.value:", "write \"/value\"");
    check_mistake(&field(pointers(&["/a~b"])), "fields.value:", "~0");
    check_mistake(&field(pointers(&["/a~"])), "fields.value:", "~0");
    check_mistake(&field(vec!["/a".to_owned(); 33]), "fields.value:", "at most 32");
    check_mistake(&field(vec![format!("/{}", "a".repeat(256))]), "fields.value:", "shorten");
    check_mistake(&labels(["two words".to_owned()]), "labels:", "letters");
    check_mistake(&labels(["service".to_owned()]), "labels.service:", "fields.service");
    check_mistake(&labels((0..=LABELS_MAX).map(|i| format!("l{i}"))), "labels:", "at most 32");
    check_mistake(&default(Field::Severity, "bad"), "defaults.severity:", "critical");
    check_mistake(&default(Field::Status, "bad"), "defaults.status:", "firing");
    check_mistake(&default(Field::Value, "2 s"), "defaults.value:", "number");
    check_mistake(&default(Field::Link, "ftp://x"), "defaults.link:", "https");
    check_mistake(&default(Field::ObservedAt, "now"), "defaults.observed_at:", "leave it out");
    check_mistake(&default(Field::Service, " "), "defaults.service:", "text");
    check_mistake(&Mapping { firing: pointers(&["a", ""]), ..Mapping::default() }, "firing:", "empty");
    let both = Mapping { firing: pointers(&["Bad"]), cleared: pointers(&["bad"]), ..Mapping::default() };
    check_mistake(&both, "cleared:", "firing");
}

#[test]
fn what_is_at_the_bounds_is_no_mistake() {
    assert!(field(vec!["/a".to_owned(); 32]).check().is_empty());
    assert!(field(vec![format!("/{}", "a".repeat(255)), String::new(), "/a~0b~1c".to_owned()]).check().is_empty());
    assert!(labels((0..LABELS_MAX).map(|i| format!("l{i}"))).check().is_empty());
}

fn decode(kind: Kind, mapping: Mapping, body: &Value) -> Value {
    let auth = Auth::new("bearer", vec![SecretString::from("token-of-a-source")]).expect("usable");
    let source = Source { name: "s".to_owned(), kind, auth, mapping };
    let body = body.to_string();
    let inbound = Inbound { headers: &[], query: "", body: body.as_bytes(), received_at: Timestamp::UNIX_EPOCH };
    let alerts = source.decode(&inbound, &mut || AlertId::new("id")).expect("decodes");
    serde_json::to_value(alerts).expect("serialises")
}

#[test]
fn labels_beyond_the_bound_are_left_out() {
    let names: Vec<String> = (0..=LABELS_MAX).map(|i| format!("l{i:02}")).collect();
    let mut mapping = labels(names);
    mapping.fields = [(Field::Monitor, pointers(&["/x"]))].into();
    let alerts = decode(Kind::Generic, mapping, &json!({"x": "y"}));
    assert_eq!(alerts[0]["labels"].as_object().expect("labels").len(), LABELS_MAX);
}

#[test]
fn every_field_falls_back_on_its_default() {
    let texts = [
        (Field::Monitor, "m"),
        (Field::MonitorId, "7"),
        (Field::Service, "shop"),
        (Field::Metric, "q"),
        (Field::Status, "gone"),
        (Field::Severity, "info"),
        (Field::Value, "1.5"),
        (Field::Baseline, "1"),
        (Field::Threshold, "2"),
        (Field::Link, "https://a.example/"),
    ];
    let defaults = texts.into_iter().map(|(field, text)| (field, text.to_owned())).collect();
    let mapping = Mapping { defaults, cleared: pointers(&["gone"]), ..Mapping::default() };
    assert!(mapping.check().is_empty());
    let (epoch, links) = ("1970-01-01T00:00:00Z", json!([{"text": "Monitor in s", "href": "https://a.example/"}]));
    let expected = json!([{"id": "id", "source": "s", "monitor": "m", "monitor_id": "7", "service": "shop", "metric": "q",
        "status": "cleared", "severity": "info", "labels": {}, "value": 1.5, "baseline": 1.0, "threshold": 2.0,
        "observed_at": epoch, "received_at": epoch, "links": links}]);
    assert_eq!(decode(Kind::Generic, mapping, &json!({})), expected);
}

/// Text that may not travel, in every place that people's words, ids and secrets come in.
const CANARY: &str = "canary-5f0e";

fn planted() -> Value {
    let record = json!({"prompt": CANARY, "completion": CANARY, "user_id": CANARY, "messages": [{"content": CANARY}]});
    json!({
        "event": "monitor.triggered", "service": "support-chatbot", "prompt": CANARY, "completion": CANARY, "user_id": CANARY,
        "email": CANARY, "api_key": CANARY, "examples": [record.clone()], "description": CANARY, "comment": CANARY,
        "labels": {"model": "gpt-4o-mini", "user": CANARY, "session_id": CANARY, CANARY: "x"},
        "tags": {"customer": CANARY}, "dimensions": {"input": CANARY}, "headers": {"Authorization": CANARY},
        "value": format!("4.2 {CANARY}"), "timestamp": CANARY, "link": format!("mailto:{CANARY}"), "severity": CANARY,
        "monitor": {"id": "mon-1", "name": "p95", "status": "TRIGGERED", "notes": CANARY, "filters": [{"value": CANARY}],
            "threshold": {"value": 2.5, "note": CANARY}, "model": {"text": CANARY}, "spans": [record]},
    })
}

#[test]
fn nothing_unmapped_travels() {
    let mut flat = planted();
    flat["monitor"] = json!("p95");
    for (kind, body) in [(Kind::Arize, planted()), (Kind::Generic, flat.clone()), (Kind::Arize, flat)] {
        let mut body = body;
        if kind == Kind::Generic {
            body["status"] = json!("firing");
        }
        let alerts = decode(kind, kind.default_mapping(), &body);
        assert_eq!((&alerts[0]["monitor"], &alerts[0]["service"]), (&json!("p95"), &json!("support-chatbot")));
        assert!(!alerts.to_string().contains(CANARY), "{alerts}");
    }
}
