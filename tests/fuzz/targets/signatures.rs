//! Any headers and body at every authentication scheme. The input is a head of `name: value` lines, an empty line, a body.
//!
//! Invariant: a body that its own scheme signed passes; with any header of the scheme again, with another body, or as it
//! was guessed, it does not.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;
use sources::{Auth, Inbound};
use tocsin_fuzz::{SECRET, received_at};

/// The schemes whose proof stands in headers and whose secret is shared.
const BY_HEADERS: [&str; 4] = ["bearer", "arize_hmac", "grafana_hmac", "standard_webhooks"];

type Headers = Vec<(String, String)>;

fn schemes() -> &'static [Auth] {
    static SCHEMES: OnceLock<Vec<Auth>> = OnceLock::new();
    SCHEMES.get_or_init(|| {
        let scheme = |kind: &&str| Auth::new(kind, vec![SecretString::from(SECRET)]).expect("a scheme");
        BY_HEADERS.iter().map(scheme).collect()
    })
}

fn passes(auth: &Auth, headers: &Headers, body: &[u8]) -> bool {
    auth.verify(&Inbound { headers, query: "", body, received_at: received_at() }).is_ok()
}

fuzz_target!(|input: &[u8]| {
    let (head, body) = match input.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&input[..at], &input[at + 2..]),
        None => (input, &b""[..]),
    };
    let head = String::from_utf8_lossy(head);
    let lines = head.lines().take(64).filter_map(|line| line.split_once(": "));
    let headers: Headers = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for auth in schemes() {
        if passes(auth, &headers, body) {
            let knows_the_secret = headers.iter().any(|(_, value)| value.contains(SECRET));
            assert!(knows_the_secret, "{} was guessed", auth.kind());
        }
        let id = headers.first().map_or("msg_1", |(_, value)| value.as_str());
        let id = if id.trim().is_empty() { "msg_1" } else { id };
        let signed = auth.sign(id, received_at(), body);
        assert!(passes(auth, &signed, body), "{} refuses what it signed", auth.kind());
        let needed = |name: &str| name != "x-arize-webhook-id";
        for (name, value) in &headers {
            let own = signed.iter().any(|(signed, _)| signed.eq_ignore_ascii_case(name) && needed(signed));
            let mut more = signed.clone();
            more.push((name.clone(), value.clone()));
            assert_ne!(passes(auth, &more, body), own, "{}: {name}", auth.kind());
        }
        if auth.kind() != "bearer" {
            let mut other = body.to_vec();
            other.push(b' ');
            assert!(!passes(auth, &signed, &other), "{} passes another body", auth.kind());
        }
    }
});
