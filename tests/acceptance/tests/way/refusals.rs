//! What is not an authenticated alert: the right status, problem+json, and no AWS call.

use std::collections::BTreeMap;

use pipeline::ports::Clock;
use reqwest::Method;
use serde_json::{Value, json};
use sources::Auth;
use tocsin::LOCAL_SECRET;
use tocsin_acceptance::{World, firing};

/// One request and the status that it must have.
struct Case {
    name: String,
    method: Method,
    path: &'static str,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    status: u16,
}

fn case(name: &str, status: u16) -> Case {
    Case {
        name: name.to_owned(),
        method: Method::POST,
        path: "/alerts/arize",
        headers: vec![("content-type".into(), b"application/json".to_vec()), bearer(LOCAL_SECRET)],
        body: firing("gpt-4o-mini").to_string().into_bytes(),
        status,
    }
}

fn bearer(token: &str) -> (String, Vec<u8>) {
    ("authorization".to_owned(), token.as_bytes().to_vec())
}

impl Case {
    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn to(mut self, path: &'static str) -> Self {
        self.path = path;
        self
    }

    fn by(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Signed for the path's source, then changed by `change`.
    fn signed(self, world: &World, offset_secs: i64, change: impl Fn(&str, String) -> String) -> Self {
        let kind = if self.path.ends_with("generic") { "standard_webhooks" } else { "arize_hmac" };
        let auth = Auth::new(kind, vec![LOCAL_SECRET.into()]).expect("a scheme");
        let now = world.clock.now();
        let at = domain::Timestamp::from_second(now.as_second() + offset_secs).expect("in range");
        let headers = auth.sign("msg_1", at, &self.body);
        let mut signed = self.without("authorization");
        for (name, value) in headers {
            let value = change(&name.to_ascii_lowercase(), value);
            signed.headers.push((name, value.into_bytes()));
        }
        signed
    }
}

fn unauthenticated() -> Vec<Case> {
    let mut cases = vec![
        case("no token", 401).without("authorization"),
        case("unknown source", 404).to("/alerts/nobody"),
        case("source in capitals", 404).to("/alerts/ARIZE"),
        case("no source", 404).to("/alerts"),
        case("a path that is not served", 404).to("/alert/arize"),
        case("a path below a source", 404).to("/alerts/arize/more"),
        case("a path that climbs", 404).to("/alerts/..%2Farize"),
        case("not a post", 405).by(Method::GET),
        case("a put", 405).by(Method::PUT),
        case("a delete", 405).by(Method::DELETE),
        case("too large", 413).body(vec![b' '; 4 * 1024 * 1024 + 1]),
        case("far too large", 413).body(vec![b' '; 6 * 1024 * 1024]),
        case("compressed", 415).header("content-encoding", "gzip"),
        case("compressed behind a comma", 415).header("content-encoding", "identity, gzip"),
        case("compressed twice", 415).header("content-encoding", "gzip, br"),
        case("a form", 415).header("content-type", "application/x-www-form-urlencoded"),
        case("text", 415).header("content-type", "text/plain; charset=utf-8"),
        case("xml", 415).header("content-type", "application/xml"),
        case("multipart", 415).header("content-type", "multipart/form-data; boundary=x"),
        case("nonsense as media type", 415).header("content-type", "json"),
        case("unauthenticated and not JSON", 401).header("authorization", "wrong").body("not json"),
        case("unauthenticated and empty", 401).header("authorization", "wrong").body(""),
    ];
    let longer = format!("{LOCAL_SECRET}x");
    let wrong = [
        ("empty token", String::new()),
        ("wrong token", "wrong".to_owned()),
        ("the token's head", LOCAL_SECRET[..16].to_owned()),
        ("the token and more", longer),
        ("the token in capitals", LOCAL_SECRET.to_uppercase()),
        ("basic instead of bearer", format!("Basic {LOCAL_SECRET}")),
        ("bearer without a token", "Bearer ".to_owned()),
        ("bearer twice", format!("Bearer Bearer {LOCAL_SECRET}")),
        ("the token twice", format!("{LOCAL_SECRET} {LOCAL_SECRET}")),
        ("two tokens in one header", format!("{LOCAL_SECRET}, other")),
        ("the variable's name", "${TEST_ARIZE_SECRET}".to_owned()),
        ("a very long token", "x".repeat(8000)),
    ];
    cases.extend(wrong.into_iter().map(|(name, token)| case(name, 401).header("authorization", &token)));
    let mut repeated = case("two authorization headers", 401);
    repeated.headers.push(bearer("other"));
    cases.push(repeated);
    let mut binary = case("a token that is no text", 401).without("authorization");
    binary.headers.push(("authorization".into(), vec![0xff, 0xfe]));
    cases.push(binary);
    cases
}

/// A signature scheme's requests that must not pass.
fn unsigned(world: &World) -> Vec<Case> {
    let mut cases = Vec::new();
    for path in ["/alerts/signed", "/alerts/generic"] {
        let kept = |_: &str, value: String| value;
        let to = |name: &str| case(&format!("{path}: {name}"), 401).to(path);
        cases.extend([
            to("bearer where a signature is due"),
            to("stale").signed(world, -301, kept),
            to("far in the past").signed(world, -86_400, kept),
            to("from the future").signed(world, 302, kept),
            to("another body").signed(world, 0, kept).body(firing("other").to_string()),
            to("no signature").signed(
                world,
                0,
                |name, value| if name.ends_with("signature") { String::new() } else { value },
            ),
            to("a cut signature").signed(world, 0, |name, value| {
                if name.ends_with("signature") { value[..value.len() - 2].to_owned() } else { value }
            }),
            to("another version").signed(world, 0, |name, value| {
                if name.ends_with("signature") { value.replacen("v1", "v9", 1) } else { value }
            }),
            to("a time that is none")
                .signed(world, 0, |name, value| if name.ends_with("timestamp") { "soon".to_owned() } else { value }),
            to("a huge time").signed(
                world,
                0,
                |name, value| {
                    if name.ends_with("timestamp") { "9".repeat(40) } else { value }
                },
            ),
            to("another time").signed(world, 0, |name, value| {
                if name.ends_with("timestamp") { (value.parse::<i64>().unwrap_or(0) + 1).to_string() } else { value }
            }),
        ]);
    }
    cases
}

fn undecodable() -> Vec<Case> {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("truncated", br#"{"monitor":{"name":"x""#.to_vec()),
        ("not JSON", b"hello".to_vec()),
        ("two documents", b"{} {}".to_vec()),
        ("an array", b"[]".to_vec()),
        ("a number", b"7".to_vec()),
        ("null", b"null".to_vec()),
        ("a duplicate key", br#"{"monitor":{"name":"a","name":"b"}}"#.to_vec()),
        ("not UTF-8", b"{\"monitor\":{\"name\":\"\xff\xfe\"}}".to_vec()),
        ("a byte order mark", b"\xef\xbb\xbf{\"monitor\":{\"name\":\"a\"}}".to_vec()),
        ("a duplicate key in disguise", br#"{"monitor":"a","\u006donitor":"b"}"#.to_vec()),
        ("overlong UTF-8", b"{\"monitor\":\"\xc0\xaf\"}".to_vec()),
        ("a surrogate in UTF-8", b"{\"monitor\":\"\xed\xa0\x80\"}".to_vec()),
        ("half a pair of surrogates", br#"{"monitor":"\ud83d"}"#.to_vec()),
        ("the halves of a pair the wrong way round", br#"{"monitor":"\ude00\ud83d"}"#.to_vec()),
        ("UTF-16", "{\"monitor\":\"a\"}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("a control character in a text", b"{\"monitor\":\"a\x07\"}".to_vec()),
        ("NUL behind the end", b"{\"monitor\":\"a\"}\0".to_vec()),
        ("a comma at the end", br#"{"monitor":"a",}"#.to_vec()),
        ("a comment", b"{\"monitor\":\"a\"} // b".to_vec()),
        ("a number with a zero before it", br#"{"monitor":"a","value":007}"#.to_vec()),
        ("objects too deep", format!("{}1{}", "{\"a\":".repeat(65), "}".repeat(65)).into_bytes()),
        ("a bomb", "[".repeat(250_000).into_bytes()),
        ("too deep", deep.into_bytes()),
        ("nothing that names a monitor", br#"{"hello":"world"}"#.to_vec()),
        ("a status that nobody knows", br#"{"monitor":{"name":"a","status":"perhaps"}}"#.to_vec()),
    ];
    bodies.into_iter().map(|(name, body)| case(name, 400).body(body)).collect()
}

async fn send(world: &World, case: &Case) -> anyhow::Result<(u16, String, Value)> {
    let mut request = world.client().request(case.method.clone(), world.url(case.path)).body(case.body.clone());
    for (name, value) in &case.headers {
        request = request.header(name, reqwest::header::HeaderValue::from_bytes(value)?);
    }
    let response = request.send().await?;
    let media_type =
        response.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    Ok((response.status().as_u16(), media_type, response.json().await.unwrap_or(Value::Null)))
}

/// Calls that write; polling goes on all the while.
fn writes(world: &World) -> BTreeMap<String, u64> {
    let mut calls = world.local.aws_calls();
    calls.retain(|operation, _| !matches!(operation.as_str(), "ReceiveMessage" | "GetQueueAttributes"));
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_status_and_calls_nothing() -> anyhow::Result<()> {
    let world = World::start().await?;
    let before = writes(&world);
    let cases: Vec<Case> = unauthenticated().into_iter().chain(unsigned(&world)).chain(undecodable()).collect();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    for case in &cases {
        let (status, media_type, body) = send(&world, case).await?;
        assert_eq!(status, case.status, "{}: {body}", case.name);
        assert_eq!(media_type, "application/problem+json", "{}", case.name);
        assert_eq!(body["status"], json!(case.status), "{}", case.name);
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{}", case.name);
        assert!(!body.to_string().contains(LOCAL_SECRET), "{}: the secret is in the answer", case.name);
    }
    assert_eq!(writes(&world), before, "a refused request called AWS");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scheme_takes_what_is_signed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let kept = |_: &str, value: String| value;
    let cases = [
        case("bearer", 202),
        case("bearer with its word", 202).header("authorization", &format!("Bearer {LOCAL_SECRET}")),
        case("JSON with a charset", 202).header("content-type", "application/json; charset=utf-8"),
        case("a JSON dialect", 202).header("content-type", "application/vnd.arize+json"),
        case("no media type", 202).without("content-type"),
        case("Arize HMAC", 202).to("/alerts/signed").signed(&world, 0, kept),
        case("Arize HMAC, just fresh", 202).to("/alerts/signed").signed(&world, -290, kept),
        case("Standard Webhooks", 202)
            .to("/alerts/generic")
            .body(json!({"monitor": "m"}).to_string())
            .signed(&world, 0, kept),
    ];
    for case in &cases {
        let (status, _, body) = send(&world, case).await?;
        assert_eq!(status, case.status, "{}: {body}", case.name);
    }
    assert_eq!(world.client().get(world.url("/healthz")).send().await?.status(), 200);
    Ok(())
}
