//! Requests to any system: signed, repeatable, and JSON whatever is told.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::{Handle, Notification, Outcome, Transition};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tocsin_receivers::webhook::{Settings, TEMPLATES, signing_key};
use tocsin_receivers::{Method, Templates};

use crate::delivering::{Delivering, delivered, edited, header, response};
use crate::fixtures::{INCIDENT, notification, unconfirmed, webhook, webhook_settings, webhook_with};

/// The key in the fixture's secret.
fn expected_signature(id: &str, timestamp: &str, body: &str) -> String {
    let key = signing_key(&"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()).expect("a key");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length");
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

fn written(template: &'static str, told: Notification) -> Value {
    let settings = Settings { template, ..webhook_settings() };
    Delivering::telling(webhook_with(settings), told).body("send")
}

#[test]
fn a_request_is_signed_over_its_very_bytes() {
    let mut delivering = Delivering::of(webhook(), Transition::Opened);
    let request = delivering.request("send");
    let url = format!("https://crm.example/hooks/token-5f0e?incident={INCIDENT}");
    assert_eq!((request.method, request.url.as_str()), (Method::Post, url.as_str()));
    let id = format!("{INCIDENT}/on-call/0");
    // The fixture's time of sending.
    let timestamp = notification(Transition::Opened).at.as_second().to_string();
    let text = request.body.as_ref().expect("a body").to_string();
    let expected = [
        ("webhook-id", id.clone()),
        ("idempotency-key", id.clone()),
        ("webhook-timestamp", timestamp.clone()),
        ("webhook-signature", expected_signature(&id, &timestamp, &text)),
    ];
    for (name, value) in expected {
        assert_eq!(header(&request, name).as_deref(), Some(value.as_str()), "{name}");
    }
    assert_eq!(header(&request, "authorization"), None);
    let shown = format!("{request:?} {}", request.shown());
    assert!(shown.contains("https://crm.example/[hidden]") && !shown.contains("token-5f0e"), "{shown}");
    assert_eq!(delivering.answered("send", 204, ""), delivered(&[("status", "204")]));
    delivering.check_finished();
}

/// The vector that the Standard Webhooks reference libraries are tested with.
#[test]
fn the_specifications_vector() {
    let signed = expected_signature("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
    assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn sending_again_changes_no_id() {
    let first = Delivering::of(webhook(), Transition::Opened).request("send");
    let again = Delivering::of(webhook(), Transition::Opened).unsure_of("send").request("send");
    for name in ["webhook-id", "idempotency-key"] {
        assert_eq!(header(&first, name), header(&again, name));
    }
    assert_eq!(first.body, again.body);
}

#[test]
fn without_a_secret_nothing_is_signed() {
    let settings = Settings { secret: None, authorization: Some("Bearer x".into()), ..webhook_settings() };
    let settings = Settings { method: Method::Patch, ..settings };
    let request = Delivering::of(webhook_with(settings), Transition::Opened).request("send");
    assert_eq!((request.method.as_str(), header(&request, "webhook-signature")), ("PATCH", None));
    assert_eq!(header(&request, "authorization").as_deref(), Some("Bearer x"));
}

#[test]
fn transitions_that_are_not_wanted_are_passed_over() {
    let only = Settings { transitions: vec![Transition::Opened], ..webhook_settings() };
    Delivering::of(webhook_with(only.clone()), Transition::Opened).request("send");
    let told = || Handle::with("status", "204");
    for transition in Transition::ALL.into_iter().filter(|transition| *transition != Transition::Opened) {
        Delivering::of(webhook_with(only.clone()), transition).knowing(told()).check_finished();
    }
    // Who is called for the first time by a later one hears of it, and of no end of what they never heard of.
    for transition in [Transition::Escalated, Transition::Reminded, Transition::Reopened] {
        Delivering::of(webhook_with(only.clone()), transition).request("send");
    }
    for transition in [Transition::Updated, Transition::Acknowledged, Transition::Resolved] {
        Delivering::of(webhook_with(only.clone()), transition).check_finished();
    }
}

#[test]
fn answers() {
    for status in [200, 201, 202, 204] {
        let outcome = webhook().interpret("send", &response(status, "whatever"));
        assert_eq!(outcome, delivered(&[("status", &status.to_string())]));
    }
    let mut limited = response(429, "");
    limited.retry_after_secs = Some(7);
    let why = "the webhook answered 429".to_owned();
    assert_eq!(webhook().interpret("send", &limited), Outcome::Retry { after_secs: Some(7), why });
    for status in [408, 500, 502, 503, 504] {
        let outcome = webhook().interpret("send", &response(status, ""));
        assert!(matches!(outcome, Outcome::Retry { .. }), "{status}: a repeat is harmless");
    }
    for status in [301, 307, 400, 401, 403, 404, 410, 413, 422] {
        let outcome = webhook().interpret("send", &response(status, ""));
        assert!(matches!(outcome, Outcome::Rejected { .. }), "{status}");
    }
}

#[test]
fn the_whole_incident_is_told_by_default() {
    let body = written(TEMPLATES[0].1, notification(Transition::Opened));
    let expected = [
        ("incident", json!(INCIDENT)),
        ("transition", json!("opened")),
        ("severity", json!("critical")),
        ("service", json!("support-chatbot")),
        ("value", json!(8.213)),
        ("threshold", json!(2.5)),
        ("occurrences", json!(7)),
        ("resolved_at", Value::Null),
        ("unconfirmed", json!(false)),
        ("runbook", json!("https://runbooks.example/latency")),
    ];
    for (field, value) in expected {
        assert_eq!(body[field], value, "{field}");
    }
    assert_eq!(body["labels"]["model"], "gpt-4o-mini");
    assert_eq!(body["gaps"][0], json!({"what": "monitor", "why": "arize did not answer within 2 s"}));
}

#[test]
fn the_templates_for_vendors_have_their_shapes() {
    let told = || unconfirmed(Transition::Opened);
    let ticket = written("webhook/zendesk.hbs", told())["ticket"].clone();
    assert_eq!((&ticket["external_id"], &ticket["priority"]), (&json!(INCIDENT), &json!("urgent")));
    assert!(ticket["subject"].as_str().is_some_and(|text| text.starts_with("UNCONFIRMED: CRITICAL")), "{ticket}");
    assert!(ticket["comment"]["body"].as_str().is_some_and(|text| text.contains("\nNot known: monitor (")), "{ticket}");

    let case = written("webhook/salesforce.hbs", told());
    assert_eq!((&case["Status"], &case["Priority"]), (&json!("New"), &json!("High")));
    assert_eq!(written("webhook/salesforce.hbs", notification(Transition::Resolved))["Status"], "Closed");

    let row = written("webhook/power_bi.hbs", told())["rows"][0].clone();
    assert_eq!(
        (&row["value"], &row["model"], &row["unconfirmed"]),
        (&json!(8.213), &json!("gpt-4o-mini"), &json!(true))
    );

    let mut run = told();
    assert_eq!(written("webhook/wandb.hbs", run.clone())["run"], Value::Null);
    for (name, value) in [("wandb_team", "acme"), ("wandb_project", "chat bot"), ("wandb_run", "3/x")] {
        run.labels.insert(name.to_owned(), value.to_owned());
    }
    assert_eq!(written("webhook/wandb.hbs", run)["run"], "https://wandb.ai/acme/chat%20bot/runs/3%2Fx");
}

#[test]
fn every_template_is_json_with_and_without_facts() {
    let mut bare = notification(Transition::Opened);
    bare.enrichment = domain::Enrichment::default();
    (bare.confirmation, bare.value, bare.baseline, bare.threshold) = (None, None, None, None);
    bare.labels.clear();
    let mut hostile = notification(Transition::Opened);
    for field in [&mut hostile.service, &mut hostile.metric, &mut hostile.monitor] {
        "\"},{\\\"x\": \n\u{2028}{{service}}".clone_into(field);
    }
    hostile.value = Some(f64::NAN);
    for (_, template) in TEMPLATES {
        for transition in Transition::ALL {
            for mut told in [notification(transition), unconfirmed(transition), bare.clone(), hostile.clone()] {
                told.transition = transition;
                let body = written(template, told);
                assert!(body.is_object() && body.get("error").is_none(), "{template}: {body}");
            }
        }
    }
}

#[test]
fn a_template_that_is_no_json_is_refused_and_one_that_fails_later_gives_way() {
    for text in ["{{headline}}", "{ \"a\": {{headline}} }", "{ \"a\": }", "", "{ \"a\": \"{{headline}}\" } x"] {
        let refused = Templates::from_files([("webhook/body.hbs".to_owned(), text.to_owned())]);
        let mistakes = refused.err().unwrap_or_default();
        assert!(mistakes.iter().any(|m| m.why.contains("not JSON")), "{text}: {mistakes:?}");
    }
    // Only over the sample's facts it is JSON.
    let text = "{ \"a\": {{#if labels.team}}{{labels.team}}{{else}}1{{/if}} }";
    let templates = edited("webhook/body.hbs", text);
    let body = Delivering::of(webhook(), Transition::Opened).with_templates(templates).body("send");
    assert_eq!((&body["incident"], &body["severity"]), (&json!(INCIDENT), &json!("critical")));
    assert!(body["error"].as_str().is_some_and(|text| text.contains("webhook/body.hbs")), "{body}");
    assert!(body["text"].as_str().is_some_and(|text| text.contains("latency_p95")), "{body}");
}
