//! Who is let in by a token in the URL, by Grafana's signature, and by basic authentication.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use domain::Timestamp;
use secrecy::SecretString;
use tocsin_sources::{Auth, AuthError, Inbound};

const NOW: i64 = 1_795_425_120;
const SECRET: &str = "graf-7d1c9e02f5a84b36";
const BODY: &[u8] = br#"{"status":"firing","alerts":[]}"#;

/// Over `1795425120:` and the body, keyed with `SECRET`; made with Python's `hmac`.
const SIGNATURE: &str = "9ee2a6e7bd5eda4164112d74164b1c327448b3029c6a8016843d8ec1f2725ca5";
/// Over the body alone, as Grafana signs without a timestamp header.
const BODY_ALONE: &str = "ca7904ffd84e587d65481a905c10c111080fdb2ebaeb4335924d56c40c08adbf";

fn auth(kind: &str, secrets: &[&str]) -> Auth {
    Auth::new(kind, secrets.iter().map(|secret| SecretString::from(*secret)).collect()).expect("usable")
}

fn verify(auth: &Auth, headers: &[(&str, &str)], query: &str, body: &[u8]) -> Result<(), AuthError> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let received_at = Timestamp::from_second(NOW).expect("in range");
    auth.verify(&Inbound { headers: &headers, query, body, received_at })
}

#[test]
fn a_token_in_the_url() {
    let (header, place) = ("?token", &["url-token-of-16-b"][..]);
    let missing = || Err(AuthError::Missing { header });
    let cases = [
        (place, "token=url-token-of-16-b", Ok(())),
        (place, "a=1&token=url-token-of-16-b&b", Ok(())),
        (place, "token=url%2Dtoken%2dof-16-b", Ok(())),
        (&["new-token-of-16-b", "url-token-of-16-b"][..], "token=url-token-of-16-b", Ok(())),
        (&["p%ss word&of=16-b"][..], "token=p%25ss%20word%26of%3D16-b", Ok(())),
        (&["100%zz-token-16-b"][..], "token=100%zz-token-16-b", Ok(())),
        (place, "", missing()),
        (place, "token", missing()),
        (place, "TOKEN=url-token-of-16-b", missing()),
        (place, "token=", Err(AuthError::Malformed { header, expected: "a token" })),
        (place, "token=url-token-of-16", Err(AuthError::Mismatch)),
        (place, "token=url-token-of-16-bb", Err(AuthError::Mismatch)),
        (place, "token=url+token+of+16-b", Err(AuthError::Mismatch)),
        (place, "token=%ff%fe", Err(AuthError::Mismatch)),
        (place, "token=url-token-of-16-b&token=x", Err(AuthError::Repeated { header })),
        (place, "token=x&token=url-token-of-16-b", Err(AuthError::Repeated { header })),
    ];
    for (secrets, query, expected) in cases {
        assert_eq!(verify(&auth("url_token", secrets), &[], query, BODY), expected, "{query}");
    }
    let sender = auth("url_token", &["p%ss word&of=16-b", "old-token-of-16-b"]);
    assert_eq!(sender.query().as_deref(), Some("token=p%25ss%20word%26of%3D16-b"));
    assert!(sender.sign("", Timestamp::UNIX_EPOCH, BODY).is_empty());
    assert_eq!(auth("bearer", &[SECRET]).query(), None);
}

#[test]
fn grafana_signs_the_time_and_the_body() {
    let (signature, timestamp) = ("x-grafana-alerting-signature", "x-grafana-alerting-timestamp");
    let upper = SIGNATURE.to_uppercase();
    let expected = "64 hexadecimal digits";
    let malformed = || Err(AuthError::Malformed { header: signature, expected });
    let at = (timestamp, "1795425120");
    let cases = [
        (vec![(signature, SIGNATURE), at], Ok(())),
        (vec![(signature, upper.as_str()), at], Ok(())),
        (vec![(signature, BODY_ALONE), at], Err(AuthError::Mismatch)),
        (vec![(signature, BODY_ALONE)], Err(AuthError::Missing { header: timestamp })),
        (vec![(signature, SIGNATURE), (timestamp, "1795425121")], Err(AuthError::Mismatch)),
        (vec![(signature, SIGNATURE), (timestamp, "1795424819")], Err(AuthError::Stale { skew_secs: 301 })),
        (vec![(signature, &SIGNATURE[2..]), at], malformed()),
        (vec![(signature, "sha256=00"), at], malformed()),
        (vec![(signature, ""), at], malformed()),
        (vec![at], Err(AuthError::Missing { header: signature })),
        (vec![(signature, SIGNATURE), (signature, SIGNATURE), at], Err(AuthError::Repeated { header: signature })),
    ];
    for (headers, expected) in cases {
        assert_eq!(
            verify(&auth("grafana_hmac", &["other-secret-31c0", SECRET]), &headers, "", BODY),
            expected,
            "{headers:?}"
        );
    }
    let changed = verify(&auth("grafana_hmac", &[SECRET]), &[(signature, SIGNATURE), at], "", b"{}");
    assert_eq!(changed, Err(AuthError::Mismatch));
    let signed = auth("grafana_hmac", &[SECRET]).sign("", Timestamp::from_second(NOW).expect("in range"), BODY);
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(signed, [own(timestamp, "1795425120"), own(signature, SIGNATURE)]);
}

#[test]
fn basic_authentication_is_a_token_with_its_word() {
    let basic = auth("bearer", &["Basic dG9jc2luOmEtbG9uZy1wYXNzd29yZA=="]);
    let header = |value| verify(&basic, &[("authorization", value)], "", BODY);
    assert_eq!(header("Basic dG9jc2luOmEtbG9uZy1wYXNzd29yZA=="), Ok(()));
    assert_eq!(header("dG9jc2luOmEtbG9uZy1wYXNzd29yZA=="), Err(AuthError::Mismatch));
    assert_eq!(header("Basic dG9jc2luOmEtbG9uZy1wYXNzd29yZg=="), Err(AuthError::Mismatch));
}
