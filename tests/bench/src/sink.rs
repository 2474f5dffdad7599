//! Takes notifications as `PagerDuty` and a webhook receiver would, and remembers when each alert's first one came.
//!
//! Invariant: every request is answered as taken, and a second notification of one alert is counted, never forgotten.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use crate::wire::{Connection, find};

/// What stands before an alert's number in one of its labels.
pub(crate) const MARK: &str = "bench-";

/// Digits of an alert's number.
pub(crate) const DIGITS: usize = 8;

#[derive(Default)]
struct Seen {
    first: HashMap<u32, Instant>,
    doubled: usize,
    waiting: HashMap<u32, oneshot::Sender<Instant>>,
}

/// A running sink. It stops when dropped.
pub(crate) struct Sink {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    came: Arc<Notify>,
    accepting: AbortHandle,
}

impl Sink {
    /// On a free loopback port.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (address, seen, came) = (listener.local_addr()?, Arc::default(), Arc::new(Notify::new()));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&seen), came.clone())).abort_handle();
        Ok(Self { address, seen, came, accepting })
    }

    /// Its base address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// When an alert's first notification comes: asked for before the alert is sent.
    pub(crate) fn expect(&self, number: u32) -> oneshot::Receiver<Instant> {
        let (sender, receiver) = oneshot::channel();
        lock(&self.seen).waiting.insert(number, sender);
        receiver
    }

    /// When an alert's first notification came.
    pub(crate) fn first(&self, number: u32) -> Option<Instant> {
        lock(&self.seen).first.get(&number).copied()
    }

    /// Alerts that were told of so far, and notifications beyond the first of each.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let seen = lock(&self.seen);
        (seen.first.len(), seen.doubled)
    }

    /// Returns when that many alerts were told of.
    pub(crate) async fn until(&self, alerts: usize, patience: Duration) -> anyhow::Result<()> {
        let waited = timeout(patience, async {
            while self.counts().0 < alerts {
                self.came.notified().await;
            }
        });
        if waited.await.is_err() {
            bail!("{} of {alerts} alerts were told of within {} s", self.counts().0, patience.as_secs());
        }
        Ok(())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, seen: Arc<Mutex<Seen>>, came: Arc<Notify>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (seen, came) = (seen.clone(), came.clone());
        // A connection that breaks is the sender's to make anew.
        tokio::spawn(async move { serve(stream, &seen, &came).await });
    }
}

async fn serve(stream: TcpStream, seen: &Mutex<Seen>, came: &Notify) -> anyhow::Result<()> {
    let mut connection = Connection::over(stream)?;
    while let Some(message) = connection.read().await? {
        let at = Instant::now();
        let key = text_of(message.body, b"\"dedup_key\":\"").unwrap_or_default();
        let answer = format!(r#"{{"status":"success","message":"Event processed","dedup_key":"{key}"}}"#);
        let number = number_in(message.body).context("a notification without a mark")?;
        let length = answer.len();
        let answer = format!(
            "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{answer}"
        );
        note(seen, number, at);
        came.notify_one();
        connection.write(answer.as_bytes()).await?;
    }
    Ok(())
}

fn note(seen: &Mutex<Seen>, number: u32, at: Instant) {
    let mut seen = lock(seen);
    if seen.first.contains_key(&number) {
        seen.doubled += 1;
        return;
    }
    seen.first.insert(number, at);
    if let Some(waiting) = seen.waiting.remove(&number) {
        // Who waited may have given up.
        let _unused = waiting.send(at);
    }
}

/// The text after `before`, up to the next quotation mark.
fn text_of<'a>(body: &'a [u8], before: &[u8]) -> Option<&'a str> {
    let from = find(body, before)? + before.len();
    let rest = body.get(from..)?;
    str::from_utf8(rest.get(..rest.iter().position(|byte| *byte == b'"')?)?).ok()
}

fn number_in(body: &[u8]) -> Option<u32> {
    let from = find(body, MARK.as_bytes())? + MARK.len();
    str::from_utf8(body.get(from..from + DIGITS)?).ok()?.parse().ok()
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    #[tokio::test]
    async fn the_first_notification_counts_and_the_second_is_told() -> anyhow::Result<()> {
        let sink = Sink::start().await?;
        let expected = sink.expect(7);
        let mut sender = Connection::open(sink.address).await?;
        let request = wire::post("/v2/enqueue", "", r#"{"dedup_key":"k","model":"bench-00000007"}"#);
        let answer = sender.body_of(&request).await?;
        assert!(find(&answer, br#""dedup_key":"k""#).is_some());
        assert_eq!(sender.status_of(&request).await?, 202);
        assert_eq!(Some(expected.await?), sink.first(7));
        assert_eq!(sink.counts(), (1, 1));
        Ok(())
    }
}
