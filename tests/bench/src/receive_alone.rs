//! `receive` alone: authenticate, decode, redact, fingerprint and enqueue, on one thread.
//!
//! Invariant: the first figure ends at a queue that takes everything at once, so it is our own work; the second has the
//! SDK's call to the embedded SQS, whose threads are its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws::{Clients, Endpoints, Queues, provision_queues};
use config::Intake;
use domain::ReceiverKind;
use embedded::{Embedded, Storage};
use lambda_http::http::{Method, Request as HttpRequest};
use lambda_http::{Body, Request};
use pipeline::ports::{Queue, QueueError};
use pipeline::{DeliveryMessage, InboxMessage, Receive, SystemClock};
use tocsin::LOCAL_SECRET;

use crate::inputs;
use crate::say;

/// How long each figure is measured.
const MEASURED: Duration = Duration::from_secs(5);

/// Requests before the clock starts.
const WARM_UP: u32 = 200;

/// Takes everything at once.
#[derive(Default)]
struct Sink(AtomicU64);

#[async_trait]
impl Queue for Sink {
    async fn send_inbox(&self, messages: &[InboxMessage], _delay_secs: u32) -> Result<(), QueueError> {
        self.0.fetch_add(messages.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    async fn send_deliveries(&self, _kind: ReceiverKind, _messages: &[DeliveryMessage]) -> Result<(), QueueError> {
        Ok(())
    }

    async fn deliveries_held(&self, _kind: ReceiverKind) -> Result<u64, QueueError> {
        Ok(0)
    }

    async fn resend_inbox(&self, _body: &str) -> Result<(), QueueError> {
        Ok(())
    }

    async fn bury(&self, _kind: ReceiverKind, _message: &DeliveryMessage) -> Result<(), QueueError> {
        Ok(())
    }
}

pub(crate) fn run() -> anyhow::Result<()> {
    say("receive alone, one thread, one request after another");
    let own = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    own.block_on(measure("our own work", Arc::new(Sink::default())))?;
    // The engine runs on threads of its own; the requests stay on one.
    let engine = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let embedded = engine.block_on(Embedded::start(Storage::Memory))?;
    let endpoints = Endpoints::at(embedded.dynamodb_url(), embedded.sqs_url());
    own.block_on(async {
        let clients = Clients::local(&endpoints);
        let urls = provision_queues(&clients.sqs, "bench").await?;
        measure("with SendMessage to the embedded SQS", Arc::new(Queues::new(clients.sqs, urls))).await
    })
}

async fn measure(what: &str, queue: Arc<dyn Queue>) -> anyhow::Result<()> {
    let receive = Receive::new(Intake::from(&inputs::config()?), queue, Arc::new(SystemClock));
    let body = inputs::alert("gpt-4o-mini")?.to_string();
    for _ in 0..WARM_UP {
        one(&receive, &body).await?;
    }
    let started = Instant::now();
    let mut requests = 0_u32;
    while started.elapsed() < MEASURED {
        one(&receive, &body).await?;
        requests += 1;
    }
    let per_second = f64::from(requests) / started.elapsed().as_secs_f64();
    say(format!("  {what}: {per_second:.0} requests/s, {:.1} µs each", 1e6 / per_second));
    Ok(())
}

async fn one(receive: &Receive, body: &str) -> anyhow::Result<()> {
    let response = receive::handle(receive, request(body)?).await;
    anyhow::ensure!(response.status() == 202, "{}: {:?}", response.status(), response.body());
    Ok(())
}

fn request(body: &str) -> anyhow::Result<Request> {
    let request = HttpRequest::builder().method(Method::POST).uri("https://tocsin.example/alerts/arize");
    let request = request.header("content-type", "application/json").header("authorization", LOCAL_SECRET);
    Ok(request.body(Body::Text(body.to_owned()))?)
}
