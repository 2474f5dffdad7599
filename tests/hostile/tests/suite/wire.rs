//! Bytes on the socket that no client library would send: framing that two readers could take differently, headers that
//! are none, requests that never end.
//!
//! Invariant: none of them is an alert, whatever else it is; the server answers with 4xx or closes, and serves on.

use std::time::Duration;

use tocsin::LOCAL_SECRET;
use tocsin_hostile::target::Target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer is waited for.
const WAIT: Duration = Duration::from_secs(5);

/// How long a connection may stay open that has said nothing more.
const SILENCE: Duration = Duration::from_millis(300);

const ALERT: &str = r#"{"monitor":{"name":"m"},"labels":{"endpoint":"wire"}}"#;

/// A head that would be accepted, with more lines, each ended by CRLF.
fn head(more: &str) -> String {
    format!(
        "POST /alerts/arize HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         authorization: {LOCAL_SECRET}\r\n{more}\r\n"
    )
}

/// The alert under a head with these lines and its right length.
fn whole(more: &str) -> Vec<u8> {
    format!("{}{ALERT}", head(&format!("{more}content-length: {}\r\n", ALERT.len()))).into_bytes()
}

fn chunked(chunks: &str) -> Vec<u8> {
    format!("{}{chunks}", head("transfer-encoding: chunked\r\n")).into_bytes()
}

/// Everything that comes back until the connection ends or falls silent.
async fn speak(target: &Target, bytes: &[u8]) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(target.local.address()).await?;
    // A server that has refused may close before it has read everything.
    let _broken = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut chunk = vec![0; 16 * 1024];
    let mut wait = WAIT;
    while let Ok(Ok(length)) = timeout(wait, stream.read(&mut chunk)).await {
        answer.extend_from_slice(&chunk[..length]);
        if length == 0 {
            break;
        }
        wait = SILENCE;
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn statuses(answer: &str) -> Vec<u16> {
    let after = answer.split("HTTP/1.1 ").skip(1);
    after.filter_map(|text| text.get(..3)?.parse().ok()).filter(|status| *status != 100).collect()
}

fn framing() -> Vec<(&'static str, Vec<u8>)> {
    let length = ALERT.len();
    let with_length = |line: &str| format!("{}{ALERT}", head(line)).into_bytes();
    vec![
        ("two lengths", with_length(&format!("content-length: 1\r\ncontent-length: {length}\r\n"))),
        ("two lengths in one", with_length(&format!("content-length: {length}, 1\r\n"))),
        ("a length with a sign", with_length(&format!("content-length: +{length}\r\n"))),
        ("a negative length", with_length("content-length: -1\r\n")),
        ("a hexadecimal length", with_length("content-length: 0x10\r\n")),
        ("a length beyond 64 bits", with_length("content-length: 99999999999999999999999\r\n")),
        ("an empty length", with_length("content-length: \r\n")),
        ("an unknown transfer coding", with_length("transfer-encoding: xchunked\r\n")),
        ("a coding after chunked", with_length("transfer-encoding: chunked, identity\r\n")),
        ("a compressed transfer", with_length("transfer-encoding: gzip\r\n")),
        ("a coding in disguise", with_length("transfer-encoding: \u{b}chunked\r\n")),
        ("no length", format!("{}{ALERT}", head("")).into_bytes()),
        ("a chunk size beyond 64 bits", chunked(&format!("fffffffffffffffff\r\n{ALERT}\r\n0\r\n\r\n"))),
        ("a chunk size that is none", chunked(&format!("xyz\r\n{ALERT}\r\n0\r\n\r\n"))),
        ("a negative chunk size", chunked(&format!("-1\r\n{ALERT}\r\n0\r\n\r\n"))),
        ("a chunk that is longer than said", chunked(&format!("1\r\n{ALERT}\r\n0\r\n\r\n"))),
        ("an endless chunk extension", chunked(&format!("1;{}\r\n", "x".repeat(200_000)))),
        ("chunks that end too early", chunked(&format!("{length:x}\r\n{ALERT}\r\n0"))),
    ]
}

fn heads() -> Vec<(&'static str, Vec<u8>)> {
    let version = |version: &str| String::from_utf8_lossy(&whole("")).replacen("HTTP/1.1", version, 1).into_bytes();
    let open = head("");
    let open = open.strip_suffix("\r\n").expect("an empty line ends it");
    let raw = |bytes: &[u8]| [open.as_bytes(), bytes, b"\r\n"].concat();
    let first = |line: &str| format!("{line}\r\nhost: x\r\nauthorization: {LOCAL_SECRET}\r\n\r\n").into_bytes();
    vec![
        ("a space before the colon", whole("x-a : b\r\n")),
        ("a header without a colon", whole("x-a\r\n")),
        ("a header without a name", whole(": b\r\n")),
        ("a folded header", whole("x-a: b\r\n c: d\r\n")),
        ("NUL in a value", raw(b"x-a: b\0c\r\n")),
        ("a bare CR in a value", raw(b"x-a: b\rc: d\r\n")),
        ("not ASCII in a name", raw("x-\u{e9}: b\r\n".as_bytes())),
        ("a header of a megabyte", whole(&format!("x-a: {}\r\n", "b".repeat(1 << 20)))),
        ("a thousand headers", whole(&"x-a: b\r\n".repeat(1000))),
        ("version 0.9", b"GET /\r\n\r\n".to_vec()),
        ("version 3", version("HTTP/3.0")),
        ("no version", version("")),
        ("another protocol", version("ICAP/1.0")),
        ("a preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("a TLS hello", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00".to_vec()),
        ("a break in the path", first("POST /alerts/arize\r HTTP/1.1")),
        ("a break in disguise", first("POST /alerts/arize%0d%0ax:%20y HTTP/1.1")),
        ("a path that climbs", first("POST /alerts/../alerts/arize HTTP/1.1")),
        ("an empty segment", first("POST //alerts/arize HTTP/1.1")),
        ("a path of a megabyte", first(&format!("POST /{} HTTP/1.1", "a".repeat(1 << 20)))),
        ("a tunnel", first("CONNECT 127.0.0.1:22 HTTP/1.1")),
        ("a trace", first("TRACE /alerts/arize HTTP/1.1")),
        ("a method of nobody", first("FIRE /alerts/arize HTTP/1.1")),
        ("a method that is none", first("P<ST /alerts/arize HTTP/1.1")),
        ("nothing but breaks", b"\r\n\r\n\r\n\r\n".to_vec()),
        ("bytes", (0..=255).collect()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_no_alert() -> anyhow::Result<()> {
    let target = Target::start().await?;
    let before = target.writes();
    let cases: Vec<_> = framing().into_iter().chain(heads()).collect();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    for (name, bytes) in cases {
        let answer = speak(&target, &bytes).await?;
        let statuses = statuses(&answer);
        assert!(statuses.iter().all(|status| (400..500).contains(status)), "{name}: {answer}");
        assert_eq!(target.writes(), before, "{name} was taken for an alert: {answer}");
        assert!(!answer.contains(LOCAL_SECRET), "{name}: the secret is in the answer");
    }
    // It serves on, and the head of these cases is a good one.
    let answer = speak(&target, &whole("connection: close\r\n")).await?;
    assert_eq!(statuses(&answer), [202], "{answer}");
    let good = format!("{:x}\r\n{ALERT}\r\n0\r\n\r\n", ALERT.len());
    assert_eq!(statuses(&speak(&target, &chunked(&good)).await?), [202]);
    Ok(())
}

/// A length and chunks at once: a proxy that goes by the length sees one request where the chunks say that another follows.
#[tokio::test(flavor = "multi_thread")]
async fn no_second_request_hides_in_the_body_of_the_first() -> anyhow::Result<()> {
    let target = Target::start().await?;
    let before = target.writes();
    let hidden = String::from_utf8(whole(""))?;
    for (length_first, coding) in [(true, "chunked"), (false, "chunked"), (true, "Chunked"), (false, " chunked")] {
        let body = format!("0\r\n\r\n{hidden}");
        let (length, coding) =
            (format!("content-length: {}\r\n", body.len()), format!("transfer-encoding: {coding}\r\n"));
        let lines = if length_first { format!("{length}{coding}") } else { format!("{coding}{length}") };
        let answer = speak(&target, format!("{}{body}", head(&lines)).as_bytes()).await?;
        let statuses = statuses(&answer);
        assert!(statuses.len() <= 1 && statuses.iter().all(|status| *status == 400), "{lines}{answer}");
        assert_eq!(target.writes(), before, "the hidden request was taken: {answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_end_is_bounded() -> anyhow::Result<()> {
    let target = Target::start().await?;
    let before = target.writes();
    let chunk = format!("{:x}\r\n{}\r\n", 64 * 1024, "x".repeat(64 * 1024));
    let oversize = chunked(&format!("{}0\r\n\r\n", chunk.repeat(65)));
    assert_eq!(statuses(&speak(&target, &oversize).await?), [413]);
    let endless = chunked(&chunk.repeat(320));
    let answer = speak(&target, &endless).await?;
    assert!(statuses(&answer).iter().all(|status| *status == 413), "{answer}");
    let cut = [&head(&format!("content-length: {}\r\n", ALERT.len() + 1)).into_bytes()[..], ALERT.as_bytes()].concat();
    let mut stream = TcpStream::connect(target.local.address()).await?;
    stream.write_all(&cut).await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    let _closed = timeout(WAIT, stream.read_to_string(&mut answer)).await?;
    assert!(statuses(&answer).iter().all(|status| (400..500).contains(status)), "{answer}");
    let unsure =
        head(&format!("content-length: {}\r\nexpect: 100-continue\r\n", ALERT.len())).replace(LOCAL_SECRET, "no");
    assert_eq!(statuses(&speak(&target, format!("{unsure}{ALERT}").as_bytes()).await?), [401]);
    assert_eq!(target.writes(), before, "half an alert was taken");
    Ok(())
}
