//! Who is let in: a table a scheme, each row one webhook.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use domain::Timestamp;
use secrecy::SecretString;
use tocsin_sources::{Auth, AuthError, Inbound, SIGNATURES_MAX};

const NOW: i64 = 1_795_425_120;
const BODY: &[u8] = br#"{"event":"monitor.triggered"}"#;
/// The secret of the Standard Webhooks specification's example.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// Arize's signature over `NOW` and `BODY`, keyed with the text of `SECRET` and with its base64 payload; made with
/// Python's `hmac`.
const LITERAL: &str = "v1=964d0a6a9fe6088120fcc636e120b7b6d4260d9d08b2a186aca266999bb08eb0";
const PAYLOAD: &str = "v1=ec286078ff71f731f740dfdfc530cadc015370365b5acca889b9f7e1f010475e";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn auth(kind: &str, secrets: &[&str]) -> Auth {
    let secrets = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
    Auth::new(kind, secrets).expect("usable")
}

fn verify(auth: &Auth, headers: &[(&str, &str)], body: &[u8], now: i64) -> Result<(), AuthError> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    auth.verify(&Inbound { headers: &headers, query: "", body, received_at: at(now) })
}

/// A header's name and value.
type Header = (&'static str, &'static str);

/// What a row expects, without the words around it.
#[derive(Debug, PartialEq)]
enum Answer {
    In,
    Missing(&'static str),
    Repeated(&'static str),
    Malformed(&'static str),
    Stale(u64),
    Mismatch,
}

use Answer::{In, Malformed, Mismatch, Missing, Repeated, Stale};

fn answer(result: Result<(), AuthError>) -> Answer {
    match result {
        Ok(()) => In,
        Err(AuthError::Missing { header }) => Missing(header),
        Err(AuthError::Repeated { header }) => Repeated(header),
        Err(AuthError::Malformed { header, .. }) => Malformed(header),
        Err(AuthError::Stale { skew_secs }) => Stale(skew_secs),
        Err(AuthError::Mismatch) => Mismatch,
        Err(other) => panic!("a new reason: {other}"),
    }
}

const TOKEN: &str = "arz-7d1c9e02f5a84b36";

#[test]
fn bearer() {
    let name = "authorization";
    let rotating: &[&str] = &["new-token-31c0f9", "old-token-8ae2d7"];
    let cases: &[(&[&str], &[&str], Answer)] = &[
        (&[TOKEN], &["arz-7d1c9e02f5a84b36"], In),
        (&[TOKEN], &["Bearer arz-7d1c9e02f5a84b36"], In),
        (&[TOKEN], &["bearer arz-7d1c9e02f5a84b36"], In),
        (&[TOKEN], &["Bearer  arz-7d1c9e02f5a84b36"], In),
        (&["Bearer stored-with-its-word"], &["Bearer stored-with-its-word"], In),
        (rotating, &["Bearer new-token-31c0f9"], In),
        (rotating, &["Bearer old-token-8ae2d7"], In),
        (rotating, &["Bearer older-token-8ae2d7"], Mismatch),
        (rotating, &["Bearer new-token-31c0f9,old-token-8ae2d7"], Mismatch),
        (&["schlüssel-鍵-31c0"], &["schlüssel-鍵-31c0"], In),
        (&["schlüssel-鍵-31c0"], &["schlussel-鍵-31c0"], Mismatch),
        (&[TOKEN], &[], Missing(name)),
        (&[TOKEN], &[""], Malformed(name)),
        (&[TOKEN], &["Bearer "], Malformed(name)),
        (&[TOKEN], &["   "], Malformed(name)),
        (&[TOKEN], &["arz-7d1c9e02f"], Mismatch),
        (&[TOKEN], &["rz-7d1c9e02f5a84b36"], Mismatch),
        (&[TOKEN], &["arz-7d1c9e02f5a84b365"], Mismatch),
        (&[TOKEN], &["ARZ-7D1C9E02F5A84B36"], Mismatch),
        (&[TOKEN], &["Basic arz-7d1c9e02f5a84b36"], Mismatch),
        (&[TOKEN], &["Bearer Bearer arz-7d1c9e02f5a84b36"], Mismatch),
        (&[TOKEN], &["Bearer wrong"], Mismatch),
        (&[TOKEN], &["Béarer"], Mismatch),
        (&[TOKEN], &[TOKEN, TOKEN], Repeated(name)),
        (&[TOKEN], &["wrong", TOKEN], Repeated(name)),
    ];
    for (secrets, values, expected) in cases {
        let headers: Vec<_> = values.iter().map(|value| ("Authorization", *value)).collect();
        assert_eq!(answer(verify(&auth("bearer", secrets), &headers, BODY, NOW)), *expected, "{values:?}");
    }
}

const SIGNATURE: &str = "x-arize-webhook-signature";
const TIMESTAMP: &str = "x-arize-webhook-timestamp";

#[test]
fn arize_signatures() {
    let upper = format!("v1={}", LITERAL.trim_start_matches("v1=").to_uppercase());
    let both = format!("v1={}, {LITERAL}", "0".repeat(64));
    let foreign = format!("v2=abc,{PAYLOAD}");
    let most = format!("{}{LITERAL}", "v1=00,".repeat(SIGNATURES_MAX - 1));
    let over = format!("{}{LITERAL}", "v1=00,".repeat(SIGNATURES_MAX));
    let (start, end) = LITERAL.split_at(20);
    let flipped = format!("{start}{}{}", if end.starts_with('0') { '1' } else { '0' }, &end[1..]);
    let prefix = &SECRET[..SECRET.len() - 1];
    let suffix = &SECRET[1..];
    let cases: &[(&[&str], &str, Answer)] = &[
        (&[SECRET], LITERAL, In),
        (&[SECRET], PAYLOAD, In),
        (&[OTHER, SECRET], LITERAL, In),
        (&[OTHER, SECRET], PAYLOAD, In),
        (&[SECRET, OTHER], PAYLOAD, In),
        (&[SECRET], &upper, In),
        (&[SECRET], &both, In),
        (&[SECRET], &foreign, In),
        (&[SECRET], &most, In),
        (&[SECRET], &over, Malformed(SIGNATURE)),
        (&[OTHER], LITERAL, Mismatch),
        (&[OTHER], PAYLOAD, Mismatch),
        (&[prefix], LITERAL, Mismatch),
        (&[suffix], LITERAL, Mismatch),
        (&[BARE], PAYLOAD, Mismatch),
        (&["geheim-鍵-31c0f9"], LITERAL, Mismatch),
        (&[SECRET], &flipped, Mismatch),
        (&[SECRET], "", Malformed(SIGNATURE)),
        (&[SECRET], "v1=", Malformed(SIGNATURE)),
        (&[SECRET], "v1=zz", Malformed(SIGNATURE)),
        (&[SECRET], LITERAL.trim_start_matches("v1="), Malformed(SIGNATURE)),
        (&[SECRET], &LITERAL[..LITERAL.len() - 2], Malformed(SIGNATURE)),
        (&[SECRET], &format!("{LITERAL}00"), Malformed(SIGNATURE)),
    ];
    for (secrets, signature, expected) in cases {
        let headers = [("X-Arize-Webhook-Signature", *signature), ("X-Arize-Webhook-Timestamp", "1795425120")];
        assert_eq!(answer(verify(&auth("arize_hmac", secrets), &headers, BODY, NOW)), *expected, "{signature}");
    }
}

#[test]
fn arize_headers_and_body() {
    let (signed, time) = ((SIGNATURE, LITERAL), (TIMESTAMP, "1795425120"));
    let changed = br#"{"event":"monitor.triggereD"}"#;
    let longer = br#"{"event":"monitor.triggered"} "#;
    let cases: &[(&[Header], &[u8], Answer)] = &[
        (&[signed, time], BODY, In),
        (&[signed, time], changed, Mismatch),
        (&[signed, time], longer, Mismatch),
        (&[signed, time], b"", Mismatch),
        (&[signed, (TIMESTAMP, "1795425121")], BODY, Mismatch),
        (&[signed], BODY, Missing(TIMESTAMP)),
        (&[time], BODY, Missing(SIGNATURE)),
        (&[], BODY, Missing(SIGNATURE)),
        (&[signed, signed, time], BODY, Repeated(SIGNATURE)),
        (&[signed, time, time], BODY, Repeated(TIMESTAMP)),
        (&[signed, time, ("X-ARIZE-WEBHOOK-TIMESTAMP", "1")], BODY, Repeated(TIMESTAMP)),
        (&[signed, (TIMESTAMP, "")], BODY, Malformed(TIMESTAMP)),
        (&[signed, (TIMESTAMP, "soon")], BODY, Malformed(TIMESTAMP)),
        (&[signed, (TIMESTAMP, "-1795425120")], BODY, Malformed(TIMESTAMP)),
        (&[signed, (TIMESTAMP, "+1795425120")], BODY, Malformed(TIMESTAMP)),
        (&[signed, (TIMESTAMP, "1795425120.0")], BODY, Malformed(TIMESTAMP)),
        (&[signed, (TIMESTAMP, "99999999999999999999999999")], BODY, Malformed(TIMESTAMP)),
        (&[signed, (TIMESTAMP, "9223372036854775807")], BODY, Stale(9_223_372_035_059_350_687)),
        (&[signed, (TIMESTAMP, "0")], BODY, Stale(1_795_425_120)),
    ];
    for (headers, body, expected) in cases {
        assert_eq!(answer(verify(&auth("arize_hmac", &[SECRET]), headers, body, NOW)), *expected, "{headers:?}");
    }
}

#[test]
fn a_signed_time_is_fresh_for_five_minutes_either_way() {
    let cases = [(0, In), (299, In), (300, In), (301, Stale(301)), (-299, In), (-300, In), (-301, Stale(301))];
    for kind in ["arize_hmac", "standard_webhooks"] {
        for (skew, expected) in &cases {
            let auth = auth(kind, &[SECRET]);
            let headers = auth.sign("msg_1", at(NOW), BODY);
            let inbound = Inbound { headers: &headers, query: "", body: BODY, received_at: at(NOW + skew) };
            assert_eq!(answer(auth.verify(&inbound)), *expected, "{kind} {skew}");
        }
    }
}

const ID: &str = "webhook-id";
const SW_TIMESTAMP: &str = "webhook-timestamp";
const SW_SIGNATURE: &str = "webhook-signature";

/// The vector that the Standard Webhooks reference libraries are tested with.
const VECTOR: [Header; 3] = [
    (ID, "msg_p5jXN8AQM9LWM0D4loKWxJek"),
    (SW_TIMESTAMP, "1614265330"),
    (SW_SIGNATURE, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
];
const VECTOR_BODY: &[u8] = br#"{"test": 2432232314}"#;
const BARE: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const UNPADDED: &str = "whsec_c2VjcmV0LWtleS0zMWMwZg";

/// Secrets, headers, body, and what they come to.
type Row = (&'static [&'static str], Vec<Header>, &'static [u8], Answer);

fn vector_with(name: &'static str, value: &'static str) -> Vec<Header> {
    VECTOR.into_iter().map(|(n, v)| if n == name { (n, value) } else { (n, v) }).collect()
}

fn vector_without(name: &str) -> Vec<Header> {
    VECTOR.into_iter().filter(|(n, _)| *n != name).collect()
}

#[test]
fn standard_webhooks() {
    let good = VECTOR.to_vec();
    let twice = |header: Header| [VECTOR.to_vec(), vec![header]].concat();
    let several = "v1a,aaaa v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    let cases: Vec<Row> = vec![
        (&[SECRET], good.clone(), VECTOR_BODY, In),
        (&[BARE], good.clone(), VECTOR_BODY, In),
        (&[OTHER, SECRET], good.clone(), VECTOR_BODY, In),
        (&[SECRET, OTHER], good.clone(), VECTOR_BODY, In),
        (&[OTHER], good.clone(), VECTOR_BODY, Mismatch),
        (&[UNPADDED], good.clone(), VECTOR_BODY, Mismatch),
        (&[SECRET], good.clone(), br#"{"test": 2432232315}"#, Mismatch),
        (&[SECRET], good, b"", Mismatch),
        (&[SECRET], vector_with(SW_SIGNATURE, several), VECTOR_BODY, In),
        (&[SECRET], vector_with(ID, "msg_other"), VECTOR_BODY, Mismatch),
        (&[SECRET], vector_with(ID, ""), VECTOR_BODY, Malformed(ID)),
        (&[SECRET], vector_with(SW_TIMESTAMP, "1614265331"), VECTOR_BODY, Mismatch),
        (&[SECRET], vector_with(SW_TIMESTAMP, "1614265030"), VECTOR_BODY, Mismatch),
        (&[SECRET], vector_with(SW_TIMESTAMP, "1614265029"), VECTOR_BODY, Stale(301)),
        (&[SECRET], vector_with(SW_TIMESTAMP, "-1"), VECTOR_BODY, Malformed(SW_TIMESTAMP)),
        (&[SECRET], vector_with(SW_SIGNATURE, ""), VECTOR_BODY, Malformed(SW_SIGNATURE)),
        (&[SECRET], vector_with(SW_SIGNATURE, "v1,AAAA"), VECTOR_BODY, Malformed(SW_SIGNATURE)),
        (&[SECRET], vector_with(SW_SIGNATURE, "v2,g0hM9SsE"), VECTOR_BODY, Malformed(SW_SIGNATURE)),
        (&[SECRET], vector_without(ID), VECTOR_BODY, Missing(ID)),
        (&[SECRET], vector_without(SW_TIMESTAMP), VECTOR_BODY, Missing(SW_TIMESTAMP)),
        (&[SECRET], vector_without(SW_SIGNATURE), VECTOR_BODY, Missing(SW_SIGNATURE)),
        (&[SECRET], twice(VECTOR[0]), VECTOR_BODY, Repeated(ID)),
        (&[SECRET], twice(VECTOR[1]), VECTOR_BODY, Repeated(SW_TIMESTAMP)),
        (&[SECRET], twice(VECTOR[2]), VECTOR_BODY, Repeated(SW_SIGNATURE)),
    ];
    for (secrets, headers, body, expected) in cases {
        let auth = auth("standard_webhooks", secrets);
        assert_eq!(answer(verify(&auth, &headers, body, 1_614_265_330)), expected, "{headers:?}");
    }
}

#[test]
fn signatures_in_one_header_are_bounded() {
    let header = |count: usize| format!("{}{}", "v1,AAAA ".repeat(count - 1), VECTOR[2].1);
    for (count, expected) in [(SIGNATURES_MAX, In), (SIGNATURES_MAX + 1, Malformed(SW_SIGNATURE))] {
        let value = header(count);
        let headers = [VECTOR[0], VECTOR[1], (SW_SIGNATURE, value.as_str())];
        let auth = auth("standard_webhooks", &[SECRET]);
        assert_eq!(answer(verify(&auth, &headers, VECTOR_BODY, 1_614_265_330)), expected);
    }
}

#[test]
fn signs_as_the_vendor_does() {
    let own = |headers: &[(&str, &str)]| -> Vec<(String, String)> {
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let arize = auth("arize_hmac", &[SECRET, OTHER]).sign("whd_1", at(NOW), BODY);
    let expected = [("x-arize-webhook-id", "whd_1"), (TIMESTAMP, "1795425120"), (SIGNATURE, LITERAL)];
    assert_eq!(arize, own(&expected));
    let standard = auth("standard_webhooks", &[SECRET]).sign(VECTOR[0].1, at(1_614_265_330), VECTOR_BODY);
    assert_eq!(standard, own(&VECTOR));
    assert_eq!(auth("bearer", &[TOKEN, "old-token-8ae2d7"]).sign("", at(NOW), BODY), own(&[("authorization", TOKEN)]));
}
