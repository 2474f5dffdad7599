//! A server that says what it is told to say, to the byte, one request a connection.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tocsin_web::{Client, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of a request.
pub(crate) enum Reply {
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// The end of the connection without a byte.
    Close,
    /// Nothing, for longer than any test waits.
    Hang,
    /// These bytes, then nothing for longer than any test waits.
    Stall(Vec<u8>),
}

impl Reply {
    /// A complete JSON answer.
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::with_headers(status, "content-type: application/json\r\n", &body.to_string())
    }

    /// A complete answer with more header lines, each ended by CRLF.
    pub(crate) fn with_headers(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::Bytes(format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes())
    }
}

/// The server. It stops when dropped.
pub(crate) struct Wire {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Wire {
    /// Answers each request by its text.
    pub(crate) async fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut stream = stream;
                    let request = read(&mut stream).await;
                    let reply = answer(&request);
                    seen.lock().unwrap().push(request);
                    write(stream, reply).await;
                });
            }
        });
        Self { address, requests, accepting }
    }

    /// `http://127.0.0.1:port`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `127.0.0.1:port`.
    pub(crate) fn host(&self) -> &str {
        &self.address
    }

    /// The requests so far, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The client as it is deployed.
pub(crate) fn client() -> Client {
    Client::new().unwrap()
}

/// A client that waits 300 ms at most, for servers that never answer.
pub(crate) fn hasty_client() -> Client {
    let wait = Duration::from_millis(300);
    Client::with_timeouts(Timeouts { connect: wait, total: wait }).unwrap()
}

async fn read(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let length = stream.read(&mut chunk).await.unwrap_or(0);
        request.extend_from_slice(&chunk[..length]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let body_due = text.split_once("\r\n\r\n").is_some_and(|(head, body)| body.len() >= content_length(head));
        // A TLS client begins with a record of type 22 and sends no HTTP before it is answered.
        if length == 0 || body_due || request.first() == Some(&22) {
            return text;
        }
    }
}

fn content_length(head: &str) -> usize {
    let lower = head.to_ascii_lowercase();
    let line = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
    line.map_or(0, |length| length.trim().parse().unwrap())
}

async fn write(mut stream: TcpStream, reply: Reply) {
    match reply {
        Reply::Bytes(bytes) => {
            // The client may hang up first: that is what some tests are about.
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Reply::Close => {}
        Reply::Hang => tokio::time::sleep(Duration::from_mins(1)).await,
        Reply::Stall(bytes) => {
            stream.write_all(&bytes).await.unwrap();
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
    }
}
