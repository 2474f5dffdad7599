//! What the sender says when a vendor does not answer as it should.

use std::time::Duration;

use pipeline::ports::{HttpSender, SendError};
use receivers::{Method, Request, Response};
use secrecy::SecretString;
use serde_json::json;
use tocsin_web::{Client, Sender, Timeouts};
use tokio::net::TcpListener;

use crate::wire::{Reply, Wire, client, hasty_client};

const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

fn request(base: &str) -> Request {
    Request {
        method: Method::Post,
        secret_path: false,
        url: format!("{base}/v2/enqueue?key=hunter2"),
        headers: vec![("authorization", SecretString::from("Bearer hunter2"))],
        body: Some(json!({"summary": "canary"})),
    }
}

async fn send(base: &str) -> Result<Response, SendError> {
    send_with(client(), base).await
}

async fn send_with(client: Client, base: &str) -> Result<Response, SendError> {
    let sent = Sender::new(client).send(&request(base)).await;
    if let Err(error) = &sent {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("canary") && !shown.contains("enqueue"), "{shown}");
    }
    sent
}

async fn check_maybe_sent(reply: fn() -> Reply, mention: &str) {
    let client = match reply() {
        Reply::Hang | Reply::Stall(_) => hasty_client(),
        Reply::Bytes(_) | Reply::Close => client(),
    };
    let wire = Wire::start(move |_| reply()).await;
    match send_with(client, &wire.url()).await {
        Err(SendError::MaybeSent { why }) => {
            assert!(why.contains(mention) && why.contains(wire.host()), "{why}");
        }
        other => panic!("{mention}: {other:?}"),
    }
    assert_eq!(wire.requests().len(), 1, "sent once");
}

fn body_of(length: usize) -> Reply {
    Reply::with_headers(200, "", &"x".repeat(length))
}

fn chunked_body_of(length: usize) -> Reply {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    Reply::Bytes(format!("{head}{length:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(length)).into_bytes())
}

#[tokio::test]
async fn an_answer_comes_back_with_its_wait() {
    let wire = Wire::start(|_| Reply::with_headers(429, "retry-after: 30\r\n", "slow down")).await;
    let response = send(&wire.url()).await.unwrap();
    assert_eq!((response.status, response.retry_after_secs), (429, Some(30)));
    assert_eq!(response.body, b"slow down");
    let requests = wire.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v2/enqueue?key=hunter2 HTTP/1.1"), "{head}");
    assert!(head.contains("authorization: Bearer hunter2"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(head.contains(concat!("user-agent: tocsin/", env!("CARGO_PKG_VERSION"))), "{head}");
    assert_eq!(body, r#"{"summary":"canary"}"#);
}

#[tokio::test]
async fn a_content_type_of_the_request_stands_alone() {
    let wire = Wire::start(|_| Reply::with_headers(200, "", "")).await;
    let mut request = request(&wire.url());
    request.headers.push(("content-type", SecretString::from("application/json; charset=utf-8")));
    Sender::new(client()).send(&request).await.unwrap();
    assert_eq!(wire.requests()[0].matches("content-type: ").count(), 1);
    assert!(wire.requests()[0].contains("content-type: application/json; charset=utf-8"));
}

#[tokio::test]
async fn a_get_has_no_body() {
    let wire = Wire::start(|_| Reply::with_headers(200, "", "[]")).await;
    let request = Request { method: Method::Get, url: wire.url(), secret_path: false, headers: Vec::new(), body: None };
    let response = Sender::new(client()).send(&request).await.unwrap();
    assert_eq!((response.status, response.retry_after_secs), (200, None));
    assert!(wire.requests()[0].starts_with("GET / HTTP/1.1"));
    assert!(!wire.requests()[0].contains("content-type"));
}

#[tokio::test]
async fn a_refused_connection_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    match send(&format!("http://{address}")).await {
        Err(SendError::NotSent { why }) => assert!(why.contains(&address.to_string()), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_unknown_host_and_a_failed_handshake_were_not_sent() {
    let plain = Wire::start(|_| Reply::with_headers(200, "", "")).await;
    for base in ["http://no-such-host.invalid".to_owned(), format!("https://{}", plain.host())] {
        let sent = send(&base).await;
        assert!(matches!(sent, Err(SendError::NotSent { .. })), "{base}: {sent:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_built_was_not_sent() {
    let wire = Wire::start(|_| Reply::with_headers(200, "", "")).await;
    for base in ["", "hunter2", "ftp://127.0.0.1", "file:///etc"] {
        let sent = send(base).await;
        assert!(matches!(sent, Err(SendError::NotSent { .. })), "{base}: {sent:?}");
    }
    for header in [("authorization", "hunter2\r\nx: y"), ("bad name", "hunter2")] {
        let mut request = request(&wire.url());
        request.headers = vec![(header.0, SecretString::from(header.1))];
        match Sender::new(client()).send(&request).await {
            Err(SendError::NotSent { why }) => assert!(why.contains(header.0) && !why.contains("hunter2"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(wire.requests().len(), 0);
}

#[tokio::test]
async fn a_lost_or_broken_answer_was_maybe_sent() {
    check_maybe_sent(|| Reply::Close, "no answer").await;
    check_maybe_sent(|| Reply::Hang, "in time").await;
    check_maybe_sent(|| Reply::Bytes(b"HTTP/1.1 20".to_vec()), "no answer").await;
    check_maybe_sent(|| Reply::Bytes(b"not http at all\r\n\r\n".to_vec()), "no answer").await;
    check_maybe_sent(|| Reply::Bytes(b"HTTP/1.1 202 X\r\ncontent-length: 10\r\n\r\nhalf".to_vec()), "answered 202")
        .await;
}

#[tokio::test]
async fn a_body_is_held_up_to_its_limit() {
    for at_limit in [body_of, chunked_body_of] {
        let wire = Wire::start(move |_| at_limit(BODY_BYTES_MAX)).await;
        assert_eq!(send(&wire.url()).await.unwrap().body.len(), BODY_BYTES_MAX);
    }
    check_maybe_sent(|| body_of(BODY_BYTES_MAX + 1), "larger than 4194304 bytes").await;
    check_maybe_sent(|| chunked_body_of(BODY_BYTES_MAX + 1), "larger than 4194304 bytes").await;
    check_maybe_sent(|| chunked_body_of(2 * BODY_BYTES_MAX), "larger than 4194304 bytes").await;
}

#[tokio::test]
async fn a_stalled_body_ends_with_the_time() {
    let begun = tokio::time::Instant::now();
    let half = || Reply::Stall(b"HTTP/1.1 202 X\r\ncontent-length: 10\r\n\r\nhalf".to_vec());
    check_maybe_sent(half, "answered 202, but its body did not come in time").await;
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_stalled_handshake_was_not_sent() {
    let wire = Wire::start(|_| Reply::Hang).await;
    let timeouts = Timeouts { connect: Duration::from_millis(100), total: Duration::from_secs(10) };
    let sender = Sender::new(Client::with_timeouts(timeouts).unwrap());
    let sent = sender.send(&request(&format!("https://{}", wire.host()))).await;
    assert!(matches!(sent, Err(SendError::NotSent { .. })), "{sent:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let private = Wire::start(|_| Reply::with_headers(200, "", "internal")).await;
    let location = format!("location: {}/latest/meta-data\r\n", private.url());
    for status in [301, 302, 303, 307, 308] {
        let headers = location.clone();
        let wire = Wire::start(move |_| Reply::with_headers(status, &headers, "")).await;
        assert_eq!(send(&wire.url()).await.unwrap().status, status);
        assert_eq!(wire.requests().len(), 1);
    }
    assert_eq!(private.requests().len(), 0);
}
