//! The sample payloads under `events/`, each with what must come out of it.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use domain::{Alert, AlertId, Fingerprint, Link, Severity, Status, Timestamp};
use secrecy::SecretString;
use tocsin_sources::{Auth, DecodeError, Inbound, Kind, Mapping, Source};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const RECEIVED_AT: &str = "2026-11-23T12:30:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn source(kind: Kind, mapping: Mapping) -> Source {
    let auth = Auth::new(kind.default_auth(), vec![SecretString::from(SECRET)]).expect("usable");
    Source { name: kind.as_str().to_owned(), kind, auth, mapping: kind.default_mapping().overlay(mapping) }
}

/// Signs the file as its vendor would, then takes the way of a webhook: verify, decode.
fn decode(path: &str, mapping: Mapping) -> Result<Vec<Alert>, DecodeError> {
    let kind = if path.starts_with("events/arize/") { Kind::Arize } else { Kind::Generic };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let body = std::fs::read(root.join(path)).expect("the event is there");
    let source = source(kind, mapping);
    let headers = source.auth.sign("msg_1", time(RECEIVED_AT), &body);
    let inbound = Inbound { headers: &headers, query: "", body: &body, received_at: time(RECEIVED_AT) };
    source.auth.verify(&inbound).expect("authentic");
    let mut count = 0;
    source.decode(&inbound, &mut || {
        count += 1;
        AlertId::new(format!("id-{count}"))
    })
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The alert that the Arize samples have in common: the latency monitor's.
fn latency() -> Alert {
    Alert {
        id: AlertId::new("id-1"),
        source: "arize".to_owned(),
        monitor: "Support chatbot p95 latency".to_owned(),
        monitor_id: Some("mon-4217".to_owned()),
        service: "support-chatbot".to_owned(),
        metric: "latency_p95".to_owned(),
        status: Status::Firing,
        severity: Severity::Error,
        labels: labels(&[
            ("model", "gpt-4o-mini"),
            ("endpoint", "/v1/chat"),
            ("region", "us-east-1"),
            ("environment", "production"),
            ("team", "ai-platform"),
            ("project", "support-chatbot"),
        ]),
        value: Some(4.2),
        baseline: Some(1.3),
        threshold: Some(2.5),
        observed_at: time("2026-11-23T09:12:00Z"),
        received_at: time(RECEIVED_AT),
        links: vec![Link {
            text: "Monitor in arize".to_owned(),
            href: "https://app.arize.com/organizations/acme/spaces/production/monitors/mon-4217".to_owned(),
        }],
        rule: None,
        also: Vec::new(),
    }
}

/// The same for another monitor: id and name, metric, value with baseline and threshold, time, labels that differ.
fn arize(
    (id, name, metric): (&str, &str, &str),
    numbers: [f64; 3],
    at: &str,
    differing: &[(&str, &str)],
) -> Vec<Alert> {
    let like = latency();
    let [value, baseline, threshold] = numbers.map(Some);
    let mut labels = like.labels;
    labels.extend(self::labels(differing));
    let href = format!("https://app.arize.com/organizations/acme/spaces/production/monitors/{id}");
    let links = vec![Link { text: "Monitor in arize".to_owned(), href }];
    let (monitor, monitor_id, metric) = (name.to_owned(), Some(id.to_owned()), metric.to_owned());
    vec![Alert {
        monitor,
        monitor_id,
        metric,
        value,
        baseline,
        threshold,
        observed_at: time(at),
        labels,
        links,
        ..like
    }]
}

#[track_caller]
fn check_decode(path: &str, expected: &[Alert]) {
    assert_eq!(decode(path, Mapping::default()).expect("decodes"), expected);
}

#[track_caller]
fn check_refused(path: &str, expected: &DecodeError) {
    assert_eq!(decode(path, Mapping::default()).expect_err("must be refused"), *expected);
}

#[test]
fn arize_monitors() {
    check_decode("events/arize/latency_p95.json", &[latency()]);
    let monitor = ("mon-4218", "Support chatbot error rate", "error_rate");
    let expected = arize(monitor, [0.083, 0.006, 0.02], "2026-11-23T09:15:00Z", &[]);
    check_decode("events/arize/error_rate.json", &expected);
    let monitor = ("mon-4219", "Support chatbot cost per request (USD)", "cost_per_request");
    let differing = [("model", "claude-sonnet"), ("provider", "anthropic")];
    let expected = arize(monitor, [0.041, 0.012, 0.03], "2026-11-23T10:00:00Z", &differing);
    check_decode("events/arize/cost_per_request.json", &expected);
}

#[test]
fn arize_quality_monitors() {
    let monitor = ("mon-4220", "Support chatbot thumbs-down rate", "thumbs_down_rate");
    let expected = arize(monitor, [0.19, 0.05, 0.1], "2026-11-23T11:00:00Z", &[("segment", "billing")]);
    check_decode("events/arize/thumbs_down_rate.json", &expected);
    let monitor = ("mon-4221", "Support chatbot hallucination rate", "hallucination_rate");
    let expected = arize(monitor, [0.117, 0.021, 0.06], "2026-11-23T11:30:00.25Z", &[("version", "prompt-v42")]);
    check_decode("events/arize/hallucination_rate.json", &expected);
    let monitor = ("mon-4222", "Support chatbot prompt embedding drift", "embedding_drift");
    let expected = arize(monitor, [0.43, 0.08, 0.25], "2026-11-23T06:00:00Z", &[("segment", "enterprise")]);
    check_decode("events/arize/embedding_drift.json", &expected);
    let monitor = ("mon-4223", "Support chatbot retrieval relevance", "retrieval_relevance");
    let expected = arize(monitor, [0.52, 0.81, 0.7], "2026-11-23T12:05:00Z", &[("endpoint", "/v1/search")]);
    check_decode("events/arize/retrieval_relevance.json", &expected);
}

#[test]
fn a_clear_has_the_fingerprint_of_what_it_clears() {
    let observed_at = time("2026-11-23T09:42:00Z");
    let cleared = Alert { status: Status::Cleared, value: Some(1.4), observed_at, ..latency() };
    let names = ["source", "monitor", "service", "metric", "model", "endpoint", "region", "environment", "team"];
    let group_by = names.map(str::to_owned);
    assert_eq!(Fingerprint::of(&cleared, &group_by), Fingerprint::of(&latency(), &group_by));
    check_decode("events/arize/cleared.json", &[cleared]);
}

#[test]
fn arize_flat_fields() {
    let mut labels = latency().labels;
    labels.retain(|name, _| !["team", "project"].contains(&name.as_str()));
    let (monitor, monitor_id) = ("latency_p95".to_owned(), None);
    let expected = Alert { monitor, monitor_id, severity: Severity::Critical, labels, ..latency() };
    check_decode("events/arize/flat_fields.json", &[expected]);
}

#[test]
fn arize_bodies_that_are_refused() {
    let why = "it ends too early";
    check_refused("events/arize/malformed.json", &DecodeError::Json { line: 13, column: 26, why });
    let pointer = "/monitor/latest_computed_value".to_owned();
    check_refused("events/arize/duplicate_key.json", &DecodeError::DuplicateKey { pointer });
}

/// The queue monitor of the generic samples.
fn queue() -> Alert {
    let mut labels = latency().labels;
    labels.remove("project");
    let href = "https://grafana.example.com/d/chat-queue?orgId=1".to_owned();
    Alert {
        source: "generic".to_owned(),
        monitor: "Chat queue depth".to_owned(),
        monitor_id: None,
        metric: "queue_depth".to_owned(),
        severity: Severity::Warning,
        labels,
        value: Some(340.0),
        baseline: Some(25.0),
        threshold: Some(200.0),
        observed_at: time("2026-11-23T09:20:00Z"),
        links: vec![Link { text: "Monitor in generic".to_owned(), href }],
        ..latency()
    }
}

#[test]
fn generic_alerts() {
    check_decode("events/generic/firing.json", &[queue()]);
    let observed_at = time("2026-11-23T09:50:00Z");
    let cleared = Alert { status: Status::Cleared, value: Some(18.0), observed_at, ..queue() };
    check_decode("events/generic/cleared.json", &[cleared]);
}

#[test]
fn a_batch_takes_a_mapping_of_its_own() {
    let path = "events/generic/batch.json";
    assert!(matches!(decode(path, Mapping::default()), Err(DecodeError::Missing { .. })));
    let custom = Mapping { alerts: Some("/alerts".to_owned()), ..Mapping::default() };
    let alerts = decode(path, custom).expect("decodes");
    let place = [("endpoint", "/v1/chat"), ("environment", "production")];
    let in_europe = labels(&[&place[..], &[("model", "claude-sonnet"), ("region", "eu-west-1")]].concat());
    let in_america = labels(&[&place[..], &[("model", "gpt-4o-mini"), ("region", "us-east-1")]].concat());
    let slow = Alert {
        monitor: "Gateway p95 latency".to_owned(),
        metric: "latency_p95".to_owned(),
        severity: Severity::Critical,
        labels: in_europe.clone(),
        value: Some(5.1),
        baseline: Some(1.2),
        threshold: Some(2.5),
        links: Vec::new(),
        ..queue()
    };
    let (id, severity, status) = (AlertId::new("id-2"), Severity::Error, Status::Cleared);
    let fast = Alert { id, severity, status, labels: in_america, value: Some(1.1), ..slow.clone() };
    let failing = Alert {
        id: AlertId::new("id-3"),
        monitor: "Gateway error rate".to_owned(),
        metric: "error_rate".to_owned(),
        severity: Severity::Error,
        value: None,
        baseline: None,
        threshold: Some(0.02),
        ..slow.clone()
    };
    assert_eq!(alerts, [slow, fast, failing]);
}
