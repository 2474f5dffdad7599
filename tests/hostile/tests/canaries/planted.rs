//! What is planted, and where.
//!
//! Invariant: no canary stands where a source's default mapping looks.

use domain::Status;
use serde_json::{Value, json};
use sources::Kind;
use tocsin_hostile::carrier::Carrier;
use tocsin_hostile::receivers::{names, section};
use tocsin_hostile::target::sources_section;

/// In everything that must not show. A name, an address or a prompt of somebody, as far as this test goes.
pub(crate) const CANARY: &str = "canary-7f3a";

/// Jira's credentials as they travel: `tocsin@acme.example` and the local secret, in Base64.
pub(crate) const BASIC: &str = "dG9jc2luQGFjbWUuZXhhbXBsZTpkRzlqYzJsdUlHeHZZMkZzSUhObFkzSmxkQ0J2Ym14NQ==";

/// Every source, every receiver, and everything asked that can be.
pub(crate) fn config() -> String {
    sources_section() + &include_str!("config.yaml").replace("EVERYONE", &names().join(", ")) + &section()
}

/// What a person wrote or is, at every depth, under keys that no mapping names; and as keys.
fn private() -> Value {
    let leaf = |what: &str| format!("{CANARY}-{what}@example.com");
    json!({
        "prompt": leaf("prompt"), "completion": leaf("completion"), "user": leaf("user"), "user_id": leaf("user-id"),
        "email": leaf("email"), "ip": leaf("ip"), "session": { "id": leaf("session"), "cookie": leaf("cookie") },
        "messages": [{ "role": "user", "content": leaf("content") }, [leaf("nested")]], CANARY: { CANARY: [CANARY] },
        "api_key": leaf("api-key"), "description": leaf("description"), "notes": leaf("notes"), "examples": [leaf("example")],
    })
}

/// An alert with one of [`private`] beside every field that is read.
pub(crate) fn alert(kind: Kind, status: Status) -> Value {
    let mut alert = match kind {
        Kind::Arize => json!({
            "event": word(status), "service": "support-chatbot",
            "monitor": { "id": "mon-1", "name": "Chatbot p95", "metric": "latency_p95", "latest_computed_value": 4.1 },
        }),
        Kind::Generic => json!({
            "monitor": "Chatbot p95", "metric": "latency_p95", "service": "support-chatbot", "status": word(status), "value": 4.1,
        }),
        _ => {
            let carrier = Carrier::of(kind).expect("an event of each kind");
            if status == Status::Firing { carrier.firing } else { carrier.cleared }
        }
    };
    plant(&mut alert, 0);
    alert
}

fn word(status: Status) -> &'static str {
    if status == Status::Firing { "firing" } else { "resolved" }
}

/// Into this object and into every object in it.
fn plant(value: &mut Value, depth: usize) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| plant(field, depth + 1));
            fields.insert("private".to_owned(), private());
            fields.insert(format!("{CANARY}-{depth}"), private());
            if depth == 0 {
                fields.insert(
                    "labels".to_owned(),
                    json!({ "endpoint": "/v1/chat", "user": CANARY, "prompt": private() }),
                );
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| plant(item, depth + 1)),
        _ => {}
    }
}

/// Headers as proxies and browsers add them.
pub(crate) fn headers() -> Vec<(String, String)> {
    let names = [
        "cookie",
        "user-agent",
        "x-user-email",
        "x-forwarded-for",
        "x-api-key",
        "x-amzn-trace-id",
        "referer",
        "traceparent",
        "x-arize-webhook-note",
        "proxy-authorization",
    ];
    names.into_iter().map(|name| (name.to_owned(), format!("{CANARY}-{name}"))).collect()
}

/// Requests of somebody who guesses, or who has the secret and not the rest.
pub(crate) fn unauthenticated() -> Vec<Vec<(String, String)>> {
    let with = |own: &[(&str, &str)]| {
        let own = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        headers().into_iter().chain(own).collect()
    };
    let now = pipeline::ports::Clock::now(&pipeline::SystemClock).as_second().to_string();
    vec![
        with(&[]),
        with(&[("authorization", CANARY)]),
        with(&[("authorization", "Bearer canary-7f3a-token")]),
        with(&[("authorization", "Basic Y2FuYXJ5LTdmM2E6eA== canary-7f3a")]),
        with(&[("authorization", ""), ("x-token", tocsin::LOCAL_SECRET)]),
        with(&[("webhook-id", CANARY), ("webhook-timestamp", CANARY), ("webhook-signature", CANARY)]),
        with(&[("webhook-id", CANARY), ("webhook-timestamp", &now), ("webhook-signature", "v1,canary-7f3a")]),
        with(&[
            ("webhook-id", CANARY),
            ("webhook-timestamp", "1"),
            ("webhook-signature", &format!("v1,{}=", "A".repeat(43))),
        ]),
        with(&[("x-arize-webhook-timestamp", CANARY), ("x-arize-webhook-signature", "v1=canary-7f3a")]),
    ]
}

/// Bodies that are no alert, each with a canary where the reason lies or beside it.
pub(crate) fn undecodable() -> Vec<Vec<u8>> {
    let text = [
        CANARY.to_owned(),
        format!("\"{CANARY}\""),
        format!("[\"{CANARY}\"]"),
        format!("{{\"prompt\":\"{CANARY}\""),
        format!("{{\"prompt\":\"{CANARY}\"}} {CANARY}"),
        format!("{{\"prompt\":\"{CANARY}\n\"}}"),
        format!("{{\"prompt\":{CANARY}}}"),
        format!("{{\"user\":{{\"a\":\"{CANARY}\",\"a\":\"{CANARY}\"}}}}"),
        format!("{{\"prompt\":\"{CANARY}\",\"user\":\"{CANARY}\"}}"),
        format!("{{\"prompt\":{}\"{CANARY}\"{}}}", "[".repeat(80), "]".repeat(80)),
        format!("\u{feff}{{\"prompt\":\"{CANARY}\"}}"),
    ];
    let not_utf8 = [b"{\"prompt\":\"".as_slice(), CANARY.as_bytes(), b"\xff\"}"].concat();
    text.into_iter().map(String::into_bytes).chain([not_utf8]).collect()
}
