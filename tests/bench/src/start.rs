//! The `receive` binary as Lambda starts it: time to its first poll, memory, and time of one invocation.
//!
//! Invariant: it is the release binary of this source, built here, with the HTTPS client that it has in the cloud; its
//! process is ended by its own handle.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use aws::{Clients, Endpoints, provision_queues};
use embedded::{Embedded, Storage};
use serde_json::{Value, json};
use stand_ins::Lambda;
use stand_ins::lambda::Function;
use tocsin::LOCAL_SECRET;
use tokio::process::Command;

use crate::spread::Spread;
use crate::{inputs, say};

const STARTS: u32 = 20;
const INVOCATIONS: u32 = 500;
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn run() -> anyhow::Result<()> {
    let binary = build().await?;
    let size_mib = mib(std::fs::metadata(&binary)?.len() / 1024);
    say(format!("the release binary `receive`, {size_mib:.1} MiB"));
    let (mut millis, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let lambda = Lambda::start().await?;
        let started = Instant::now();
        let process = spawn(&binary, &lambda, &[])?;
        tokio::time::timeout(PATIENCE, lambda.first_poll()).await.context("receive did not ask for an invocation")?;
        millis.push(started.elapsed().as_secs_f64() * 1000.0);
        memory.push(rss_mib(&process)?);
    }
    say(format!("  process start to first poll: {}", Spread::new(millis, "ms")));
    say(format!("  resident memory at first poll: {}", Spread::new(memory, "MiB")));
    invocations(&binary).await
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
    say(format!("  resident memory after {INVOCATIONS} invocations: {:.1} MiB", rss_mib(&process)?));
    Ok(())
}

/// Builds it, so that no old binary is measured, and tells where it is.
async fn build() -> anyhow::Result<PathBuf> {
    let built = Command::new(env!("CARGO")).args(["build", "--release", "--quiet", "-p", "receive"]).status().await?;
    ensure!(built.success(), "cargo build --release -p receive failed");
    let profile = std::env::current_exe()?.parent().context("no directory")?.to_owned();
    Ok(profile.with_file_name("release").join("receive"))
}

fn spawn(binary: &Path, lambda: &Lambda, settings: &[(&str, String)]) -> anyhow::Result<Function> {
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

fn rss_mib(process: &Function) -> anyhow::Result<f64> {
    let pid = process.pid();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("memory is read on Linux only")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(mib(kib))
}

#[allow(clippy::cast_precision_loss, reason = "a process has less than 2^53 KiB")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
