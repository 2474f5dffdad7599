//! Which secrets can be set, and that none of them shows.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use domain::Timestamp;
use secrecy::SecretString;
use tocsin_sources::{Auth, Inbound, InvalidAuth};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The shortest secret there may be.
const SIXTEEN: &str = "0123456789abcdef";

#[test]
fn what_no_sender_could_use_is_no_auth() {
    let cases: &[(&str, &[&str], InvalidAuth)] = &[
        ("basic", &["a"], InvalidAuth::UnknownKind("basic".to_owned())),
        ("Bearer", &["a"], InvalidAuth::UnknownKind("Bearer".to_owned())),
        ("sns", &[SECRET], InvalidAuth::NoTopic),
        ("url_token", &["0123456789abcde"], InvalidAuth::ShortSecret { place: 1 }),
        ("grafana_hmac", &["0123456789abcde"], InvalidAuth::ShortSecret { place: 1 }),
        ("bearer", &[], InvalidAuth::NoSecret),
        ("bearer", &["a", "b", "c"], InvalidAuth::TooManySecrets { found: 3 }),
        ("bearer", &[""], InvalidAuth::EmptySecret { place: 1 }),
        ("bearer", &[SECRET, "  "], InvalidAuth::EmptySecret { place: 2 }),
        ("bearer", &["a\n"], InvalidAuth::UnusableSecret { place: 1 }),
        ("arize_hmac", &["a\u{0}b"], InvalidAuth::UnusableSecret { place: 1 }),
        ("arize_hmac", &["whsec_"], InvalidAuth::EmptySecret { place: 1 }),
        ("standard_webhooks", &["whsec_"], InvalidAuth::EmptySecret { place: 1 }),
        ("standard_webhooks", &[SECRET, "whsec_not base64"], InvalidAuth::NotBase64 { place: 2 }),
        ("standard_webhooks", &["whsec_===="], InvalidAuth::NotBase64 { place: 1 }),
        ("bearer", &["a"], InvalidAuth::ShortSecret { place: 1 }),
        ("bearer", &[SIXTEEN, "0123456789abcde"], InvalidAuth::ShortSecret { place: 2 }),
        ("bearer", &["Bearer 0123456789abcde"], InvalidAuth::ShortSecret { place: 1 }),
        ("arize_hmac", &["0123456789abcde"], InvalidAuth::ShortSecret { place: 1 }),
        ("arize_hmac", &["whsec_0123456789ab"], InvalidAuth::ShortSecret { place: 1 }),
        ("arize_hmac", &["whsec_not base64 once"], InvalidAuth::ShortSecret { place: 1 }),
        ("standard_webhooks", &["AA=="], InvalidAuth::ShortSecret { place: 1 }),
        ("standard_webhooks", &["whsec_MDEyMzQ1Njc4OWFiY2Rl"], InvalidAuth::ShortSecret { place: 1 }),
    ];
    for (kind, secrets, expected) in cases {
        let secrets = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
        assert_eq!(Auth::new(kind, secrets).expect_err("must be refused"), *expected);
    }
}

#[test]
fn sixteen_bytes_are_enough() {
    for (kind, secret) in [
        ("bearer", SIXTEEN),
        ("bearer", "Bearer 0123456789abcdef"),
        ("arize_hmac", SIXTEEN),
        ("arize_hmac", "whsec_MDEyMzQ1Njc4OWFiY2RlZg"),
        ("standard_webhooks", "MDEyMzQ1Njc4OWFiY2RlZg=="),
        ("url_token", SIXTEEN),
        ("grafana_hmac", SIXTEEN),
    ] {
        assert!(Auth::new(kind, vec![SecretString::from(secret)]).is_ok(), "{kind} {secret}");
    }
}

#[test]
fn no_secret_shows() {
    for kind in Auth::KINDS.iter().filter(|kind| **kind != Auth::SNS) {
        let auth = Auth::new(kind, vec![SecretString::from(SECRET)]).expect("usable");
        let headers = [("authorization".to_owned(), "x".to_owned())];
        let inbound = Inbound { headers: &headers, query: "", body: b"{}", received_at: Timestamp::UNIX_EPOCH };
        let error = auth.verify(&inbound).expect_err("not signed");
        assert_eq!(auth.kind(), *kind);
        for shown in [format!("{auth:?}"), format!("{error:?} {error}")] {
            assert!(!shown.contains("MfKQ9r8G"), "{shown}");
        }
    }
}
