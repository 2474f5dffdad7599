//! The loads that both are put under.
//!
//! Invariant: every request is answered with a success, or the run fails: nothing is measured of what was refused. An
//! alert's time counts from when it was due, not from when a connection was free for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::contender::Contender;
use crate::sink::Sink;
use crate::wire::Connection;

/// How long a load may take until its last alert is told of.
const PATIENCE: Duration = Duration::from_mins(4);

/// Connections that requests come over.
const CONNECTIONS: u32 = 32;

/// Connections of a flood.
const FLOOD_CONNECTIONS: usize = 8;

/// Each of some workers sends one alert and waits for its notification before the next: alerts per second that were
/// told of.
pub(crate) async fn closed(contender: &Contender, sink: &Arc<Sink>, from: u32, secs: u64) -> anyhow::Result<f64> {
    let next = Arc::new(AtomicU32::new(from));
    let started = Instant::now();
    let until = started + Duration::from_secs(secs);
    let mut workers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(contender.address).await?;
        let (next, sink, kind) = (next.clone(), sink.clone(), contender.kind);
        workers.spawn(async move {
            while Instant::now() < until {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let told = sink.expect(number);
                accepted(&mut connection, &kind.request(std::iter::once(number))).await?;
                timeout(PATIENCE, told).await.context("an alert was not told of")??;
            }
            anyhow::Ok(())
        });
    }
    all(workers).await?;
    Ok(f64::from(next.load(Ordering::Relaxed) - from) / started.elapsed().as_secs_f64())
}

/// Alerts come at a steady rate, whatever became of the earlier ones: milliseconds from when each was due to its
/// notification.
pub(crate) async fn open(
    contender: &Contender,
    sink: &Arc<Sink>,
    from: u32,
    per_second: u32,
    secs: u32,
) -> anyhow::Result<Vec<f64>> {
    let alerts = per_second * secs;
    let due = move |index: u32, first: Instant| first + Duration::from_secs(1) * index / per_second;
    let wanted = sink.counts().0 + alerts as usize;
    let first = Instant::now() + Duration::from_millis(100);
    let mut workers = JoinSet::new();
    for worker in 0..CONNECTIONS {
        let mut connection = Connection::open(contender.address).await?;
        let kind = contender.kind;
        workers.spawn(async move {
            for index in (worker..alerts).step_by(CONNECTIONS as usize) {
                let request = kind.request(std::iter::once(from + index));
                sleep_until(due(index, first)).await;
                accepted(&mut connection, &request).await?;
            }
            anyhow::Ok(())
        });
    }
    all(workers).await?;
    sink.until(wanted, PATIENCE).await?;
    let millis = (0..alerts).map(|index| {
        let told = sink.first(from + index).context("an alert was not told of")?;
        Ok((told - due(index, first)).as_secs_f64() * 1000.0)
    });
    millis.collect()
}

/// Sends every request over a few connections, as fast as they are taken, and waits until so many more alerts were told
/// of; returns the seconds.
pub(crate) async fn flood(
    contender: &Contender,
    sink: &Arc<Sink>,
    requests: Vec<Arc<Vec<u8>>>,
    alerts: usize,
) -> anyhow::Result<f64> {
    let wanted = sink.counts().0 + alerts;
    let started = Instant::now();
    let mut workers = JoinSet::new();
    let requests = Arc::new(requests);
    for worker in 0..FLOOD_CONNECTIONS {
        let mut connection = Connection::open(contender.address).await?;
        let requests = requests.clone();
        workers.spawn(async move {
            for request in requests.iter().skip(worker).step_by(FLOOD_CONNECTIONS) {
                accepted(&mut connection, request).await?;
            }
            anyhow::Ok(())
        });
    }
    all(workers).await?;
    sink.until(wanted, PATIENCE).await?;
    Ok(started.elapsed().as_secs_f64())
}

async fn accepted(connection: &mut Connection, request: &[u8]) -> anyhow::Result<()> {
    let status = connection.status_of(request).await?;
    ensure!((200..300).contains(&status), "a request was answered with {status}");
    Ok(())
}

async fn all(mut workers: JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(done) = workers.join_next().await {
        done??;
    }
    Ok(())
}
