//! Messages as SNS signs them: which are let in, and which address is handed out to be fetched.
//!
//! The signatures were made with Python's `cryptography`, with the key of the stand-in's certificate.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;

use domain::Timestamp;
use serde_json::{Value, json};
use tocsin_sources::{Auth, AuthError, Inbound, InvalidAuth, SNS_AGE_SECS_MAX, Subscription};

const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:alarms";
const CERTIFICATE: &[u8] = include_bytes!("../../../tests/stand_ins/src/sns/certificate.pem");
const CERTIFICATE_URL: &str =
    "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";

fn event(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/cloudwatch").join(name);
    let text = std::fs::read_to_string(path).expect("the event is there");
    serde_json::from_str(&text).expect("JSON")
}

fn auth() -> Auth {
    Auth::sns(vec!["arn:aws:sns:eu-central-1:123456789012:other".to_owned(), TOPIC.to_owned()]).expect("usable")
}

/// As it is checked `after_secs` after it was signed.
fn verify_after(message: &Value, certificate: &[u8], after_secs: i64) -> Result<(), AuthError> {
    let signed_at: Timestamp =
        message["Timestamp"].as_str().unwrap_or_default().parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let received_at = Timestamp::from_second(signed_at.as_second() + after_secs).expect("in range");
    let body = message.to_string();
    let inbound = Inbound { headers: &[], query: "", body: body.as_bytes(), received_at };
    auth().certificate_url(&inbound)?;
    auth().verify_with(&inbound, certificate)
}

fn verify(message: &Value) -> Result<(), AuthError> {
    verify_after(message, CERTIFICATE, 1)
}

/// The signed alarm with another value, or without one.
fn alarm_with(name: &str, value: Option<Value>) -> Value {
    let mut message = event("sns_alarm.json");
    let fields = message.as_object_mut().expect("an object");
    match value {
        Some(value) => drop(fields.insert(name.to_owned(), value)),
        None => drop(fields.remove(name)),
    }
    message
}

#[test]
fn both_versions_of_a_signature_hold() {
    for name in ["sns_alarm.json", "sns_ok_version_1.json", "sns_no_data.json", "sns_subscription.json"] {
        assert_eq!(verify(&event(name)), Ok(()), "{name}");
    }
}

#[test]
fn fields_that_are_not_signed_may_be_new() {
    assert_eq!(verify(&alarm_with("MessageAttributes", Some(json!({"a": {"Type": "String", "Value": "b"}})))), Ok(()));
    assert_eq!(verify(&alarm_with("UnsubscribeURL", None)), Ok(()));
}

#[test]
fn what_is_signed_cannot_be_changed() {
    for (name, value) in [
        ("Message", json!("{}")),
        ("MessageId", json!("other")),
        ("Subject", json!("OK")),
        ("Timestamp", json!("2026-11-23T09:20:00.979Z")),
        ("TopicArn", json!("arn:aws:sns:eu-central-1:123456789012:other")),
        ("Type", json!("UnsubscribeConfirmation")),
        ("SignatureVersion", json!("1")),
        ("Signature", json!("AAAA")),
    ] {
        assert_eq!(verify(&alarm_with(name, Some(value))), Err(AuthError::Mismatch), "{name}");
    }
    assert_eq!(verify(&alarm_with("Subject", None)), Err(AuthError::Mismatch));
}

#[test]
fn what_the_signature_needs_must_be_there() {
    for name in
        ["Message", "MessageId", "Timestamp", "TopicArn", "Type", "Signature", "SignatureVersion", "SigningCertURL"]
    {
        let answer = verify(&alarm_with(name, None));
        assert!(matches!(answer, Err(AuthError::NotSigned { .. })), "{name}: {answer:?}");
    }
    for (name, value) in [
        ("SignatureVersion", json!("3")),
        ("Signature", json!("not base64")),
        ("Timestamp", json!("soon")),
        ("Message", json!(7)),
    ] {
        let answer = verify(&alarm_with(name, Some(value)));
        assert!(matches!(answer, Err(AuthError::NotSigned { .. })), "{name}: {answer:?}");
    }
    let inbound = Inbound { headers: &[], query: "", body: b"not JSON", received_at: Timestamp::UNIX_EPOCH };
    assert_eq!(auth().certificate_url(&inbound), Err(AuthError::NotSigned { lacking: "JSON" }));
    assert_eq!(auth().verify(&inbound), Err(AuthError::NoCertificate));
}

#[test]
fn only_listed_topics_are_heard() {
    let answer = verify(&alarm_with("TopicArn", Some(json!("arn:aws:sns:eu-central-1:999999999999:alarms"))));
    assert_eq!(answer, Err(AuthError::UnknownTopic));
}

#[test]
fn only_a_certificate_on_a_host_of_sns_is_asked_for() {
    for url in [
        "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-0.pem",
        "https://evil.example/SimpleNotificationService-0.pem",
        "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.eu-central-1.amazonaws.com/other.pem",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-.pem",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-../../x.pem",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0.pem?x=y",
        "https://169.254.169.254/SimpleNotificationService-0.pem",
    ] {
        assert_eq!(
            verify(&alarm_with("SigningCertURL", Some(json!(url)))),
            Err(AuthError::ForeignCertificate),
            "{url}"
        );
    }
    let body = event("sns_alarm.json").to_string();
    let inbound = Inbound { headers: &[], query: "", body: body.as_bytes(), received_at: Timestamp::UNIX_EPOCH };
    assert_eq!(auth().certificate_url(&inbound), Ok(Some(CERTIFICATE_URL.to_owned())));
}

#[test]
fn a_message_is_fresh_as_long_as_sns_sends_it_again() {
    let max = SNS_AGE_SECS_MAX.cast_signed();
    let message = event("sns_alarm.json");
    assert_eq!(verify_after(&message, CERTIFICATE, max), Ok(()));
    assert!(matches!(verify_after(&message, CERTIFICATE, max + 1), Err(AuthError::Stale { .. })));
    assert_eq!(verify_after(&message, CERTIFICATE, -299), Ok(()));
    assert!(matches!(verify_after(&message, CERTIFICATE, -302), Err(AuthError::Stale { .. })));
}

#[test]
fn a_certificate_that_is_none_lets_nothing_in() {
    let message = event("sns_alarm.json");
    for pem in [&b""[..], b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert_eq!(verify_after(&message, pem, 1), Err(AuthError::UnreadableCertificate));
    }
}

#[test]
fn only_a_message_that_asks_is_a_subscription() {
    let subscription = |message: &Value| {
        let body = message.to_string();
        auth().subscription(&Inbound {
            headers: &[],
            query: "",
            body: body.as_bytes(),
            received_at: Timestamp::UNIX_EPOCH,
        })
    };
    let asked = event("sns_subscription.json");
    let subscribe_url = asked["SubscribeURL"].as_str().expect("an address").to_owned();
    assert_eq!(subscription(&asked), Some(Subscription { topic: TOPIC.to_owned(), subscribe_url }));
    assert_eq!(subscription(&event("sns_alarm.json")), None);
    for url in [
        "https://evil.example/?Action=ConfirmSubscription&Token=x",
        "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=x",
        "http://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=x",
    ] {
        let mut message = asked.clone();
        message["SubscribeURL"] = json!(url);
        assert_eq!(subscription(&message), None, "{url}");
    }
}

#[test]
fn topics_are_arns() {
    assert_eq!(Auth::sns(Vec::new()).expect_err("refused"), InvalidAuth::NoTopic);
    let wrong = vec![TOPIC.to_owned(), "alarms".to_owned()];
    assert_eq!(Auth::sns(wrong).expect_err("refused"), InvalidAuth::InvalidTopic { place: 2 });
}
