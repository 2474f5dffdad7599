//! The `receive` binary as Lambda starts it, beside the least that a function can be: size, time to the first poll, memory;
//! and the time of one invocation.
//!
//! Invariant: they are the release binaries of this source, built here, with the HTTPS client that they have in the cloud;
//! they are started in turn, so that a busy moment meets all; a process is ended by its own handle.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use aws::{Clients, Endpoints, provision_queues};
use embedded::{Embedded, Storage};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};
use stand_ins::Lambda;
use stand_ins::lambda::Function;
use tocsin::LOCAL_SECRET;
use tokio::process::Command;

use crate::memory::resident_mib;
use crate::spread::Spread;
use crate::{inputs, say};

const STARTS: u32 = 30;
const INVOCATIONS: u32 = 500;
const PATIENCE: Duration = Duration::from_secs(10);

/// One way to start one binary.
struct Started {
    what: &'static str,
    binary: PathBuf,
    settings: Vec<(&'static str, String)>,
    millis: Vec<f64>,
    memory: Vec<f64>,
}

impl Started {
    fn new(what: &'static str, binary: &Path, settings: &[(&'static str, String)]) -> Self {
        Self { what, binary: binary.to_owned(), settings: settings.to_vec(), millis: Vec::new(), memory: Vec::new() }
    }

    async fn once(&mut self) -> anyhow::Result<()> {
        let lambda = Lambda::start().await?;
        let started = Instant::now();
        let process = spawn(&self.binary, &lambda, &self.settings)?;
        let polled = tokio::time::timeout(PATIENCE, lambda.first_poll()).await;
        polled.with_context(|| format!("{} did not ask for an invocation", self.what))?;
        self.millis.push(started.elapsed().as_secs_f64() * 1000.0);
        self.memory.push(resident_mib(process.pid())?);
        Ok(())
    }
}

pub(crate) async fn run() -> anyhow::Result<()> {
    let [receive, bare] = build().await?;
    for (name, binary) in [("receive", &receive), ("bare", &bare)] {
        let bytes = std::fs::read(binary)?;
        let (whole, zipped) = (mib(bytes.len()), mib(deflated(&bytes)?));
        say(format!("the release binary `{name}`: {whole:.2} MiB, {zipped:.2} MiB in a zip"));
    }
    let mut all = [
        Started::new("receive", &receive, &[]),
        Started::new("bare, a client for SQS", &bare, &[("BARE_CLIENTS", "sqs".to_owned())]),
        Started::new("bare, clients for SQS and DynamoDB", &bare, &[]),
    ];
    for round in 0..STARTS as usize {
        for index in 0..all.len() {
            let index = (index + round) % all.len();
            all[index].once().await?;
        }
    }
    for Started { what, millis, memory, .. } in all {
        let (millis, memory) = (Spread::new(millis, "ms"), Spread::new(memory, "MiB"));
        say(format!("  {what}: process start to first poll {millis}"));
        say(format!("  {what}: resident memory at first poll {memory}"));
    }
    invocations(&receive).await
}

/// The size that a zip file holds it in.
fn deflated(bytes: &[u8]) -> anyhow::Result<usize> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

async fn invocations(binary: &Path) -> anyhow::Result<()> {
    let embedded = Embedded::start(Storage::Memory).await?;
    let endpoints = Endpoints::at(embedded.dynamodb_url(), embedded.sqs_url());
    let urls = provision_queues(&Clients::local(&endpoints).sqs, "bench").await?;
    let lambda = Lambda::start().await?;
    let inbox = urls.inbox.context("the inbox was not made")?;
    let settings = [
        ("AWS_ENDPOINT_URL_SQS", embedded.sqs_url().to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", embedded.dynamodb_url().to_owned()),
        ("TOCSIN_INBOX_QUEUE_URL", inbox),
    ];
    let process = spawn(binary, &lambda, &settings)?;
    let mut millis = Vec::new();
    let event = event()?;
    for _ in 0..INVOCATIONS {
        let started = Instant::now();
        let answer = lambda.invoke(event.clone(), PATIENCE).await.context("the Runtime API ended")?;
        let answer = answer.map_err(|error| anyhow::anyhow!("receive failed: {error}"))?;
        ensure!(answer["statusCode"] == 202, "{answer}");
        millis.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    say(format!("  one invocation with SendMessage: {}", Spread::new(millis, "ms")));
    say(format!("  resident memory after {INVOCATIONS} invocations: {:.1} MiB", resident_mib(process.pid())?));
    Ok(())
}

/// Builds them, so that no old binary is measured, and tells where they are.
async fn build() -> anyhow::Result<[PathBuf; 2]> {
    let mut cargo = Command::new(env!("CARGO"));
    let built = cargo.args(["build", "--release", "--quiet", "-p", "receive", "-p", "tocsin-bare"]).status().await?;
    ensure!(built.success(), "cargo build --release -p receive -p tocsin-bare failed");
    let own = std::env::current_exe()?;
    let target = own.parent().and_then(Path::parent).context("no target directory")?;
    Ok(["receive", "tocsin-bare"].map(|name| target.join("release").join(name)))
}

fn spawn(binary: &Path, lambda: &Lambda, settings: &[(&'static str, String)]) -> anyhow::Result<Function> {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/config/tocsin.yaml");
    let inbox = "https://sqs.us-east-1.amazonaws.com/000000000000/inbox";
    let mut all: Vec<(String, String)> = inputs::secrets().into_iter().collect();
    all.push(("TOCSIN_CONFIG".to_owned(), config.to_owned()));
    all.push(("TOCSIN_INBOX_QUEUE_URL".to_owned(), inbox.to_owned()));
    all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    lambda.run(binary, &all, Stdio::null()).with_context(|| format!("{} does not start", binary.display()))
}

/// The sample alert as an HTTP API's payload 2.0.
fn event() -> anyhow::Result<Value> {
    let alert = inputs::alert("gpt-4o-mini")?.to_string();
    Ok(json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/alerts/arize", "rawQueryString": "",
        "headers": { "content-type": "application/json", "authorization": LOCAL_SECRET },
        "requestContext": {
            "accountId": "000000000000", "apiId": "api", "domainName": "tocsin.example", "domainPrefix": "tocsin",
            "http": {
                "method": "POST", "path": "/alerts/arize", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                "userAgent": "bench",
            },
            "requestId": "1", "routeKey": "$default", "stage": "$default", "time": "23/Nov/2026:09:12:00 +0000",
            "timeEpoch": 1_795_000_000_000_i64,
        },
        "body": alert, "isBase64Encoded": false,
    }))
}

#[allow(clippy::cast_precision_loss, reason = "a binary has less than 2^53 bytes")]
fn mib(bytes: usize) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
