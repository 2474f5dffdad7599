//! Tocsin beside Alertmanager: the same alerts, the same load, one after the other, over some rounds.
//!
//! Invariant: load and sink are this process, the two are processes of their own; who goes first changes from round to
//! round; each figure is the median of the rounds, and every round's stands beside it.

mod contender;
mod load;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::process::Command;
use tokio::time::Instant;

use self::contender::{Binaries, Contender, Kind};
use crate::options::Options;
use crate::say;
use crate::sink::Sink;
use crate::spread::Spread;

/// Alerts before anything is measured.
const WARM_UP: u32 = 200;

/// Seconds of the closed loop.
const CLOSED_SECS: u64 = 5;

/// The open loop.
const PER_SECOND: u32 = 500;
const OPEN_SECS: u32 = 10;

/// The duplicates: so many alerts, so often.
const ALERTS: u32 = 100;
const TIMES: u32 = 1000;

/// How long the duplicates may take to be counted.
const PATIENCE: Duration = Duration::from_mins(2);

/// What is measured, in the order of [`Figures`].
const NAMES: [&str; 7] = [
    "closed loop, alerts told of per second",
    "500 alerts/s, p50 to the notification, ms",
    "500 alerts/s, p99 to the notification, ms",
    "100 alerts × 1,000 times, seconds",
    "distinct alerts at once, seconds until all are told of",
    "distinct alerts at once, peak memory, MiB",
    "notifications beyond one for each alert",
];

type Figures = [f64; NAMES.len()];

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let alertmanager = options.binary.clone().context("name Alertmanager's binary: --binary PATH")?;
    let tocsin = match &options.tocsin {
        Some(path) => path.clone(),
        None => build().await?,
    };
    let group_interval = options.group_interval.clone();
    let binaries = Binaries { tocsin, alertmanager, group_interval, on_disk: options.on_disk };
    say(format!(
        "Tocsin beside Alertmanager: {} rounds, {} alerts in a request where many come, {} distinct ones",
        options.rounds, options.batch, options.distinct
    ));
    let mut rounds: [Vec<Figures>; 2] = [Vec::new(), Vec::new()];
    for round in 0..options.rounds {
        let mut order = [Kind::Tocsin, Kind::Alertmanager];
        order.rotate_left(round as usize % 2);
        for kind in order {
            let figures = one(kind, &binaries, options).await.with_context(|| format!("{kind:?}"))?;
            say(format!(
                "  round {}, {kind:?}: {}",
                round + 1,
                figures.map(|figure| format!("{figure:.1}")).join(", ")
            ));
            rounds[usize::from(kind == Kind::Alertmanager)].push(figures);
        }
    }
    say("| | Tocsin | Alertmanager |\n|---|---|---|");
    for (index, name) in NAMES.iter().enumerate() {
        let [tocsin, alertmanager] =
            rounds.each_ref().map(|rounds| median(rounds.iter().map(|figures| figures[index]).collect()));
        say(format!("| {name} | {tocsin:.1} | {alertmanager:.1} |"));
    }
    Ok(())
}

async fn one(kind: Kind, binaries: &Binaries, options: &Options) -> anyhow::Result<Figures> {
    let sink = Arc::new(Sink::start().await?);
    let contender = Contender::start(kind, binaries, &sink.url()).await?;
    warm_up(&contender, &sink).await?;
    let closed = load::closed(&contender, &sink, 1_000_000, CLOSED_SECS).await?;
    let open = Spread::new(load::open(&contender, &sink, 2_000_000, PER_SECOND, OPEN_SECS).await?, "ms");
    let doubled = sink.counts().1;
    contender.stop().await?;
    let (duplicates, doubled_there) = duplicates(kind, binaries, options).await?;
    let (distinct, peak, doubled_then) = distinct(kind, binaries, options).await?;
    let doubled = f64::from(u32::try_from(doubled + doubled_there + doubled_then)?);
    Ok([closed, open.quantile(0.5), open.quantile(0.99), duplicates, distinct, peak, doubled])
}

async fn warm_up(contender: &Contender, sink: &Arc<Sink>) -> anyhow::Result<()> {
    let requests = (0..WARM_UP).map(|number| Arc::new(contender.kind.request(std::iter::once(number)))).collect();
    load::flood(contender, sink, requests, WARM_UP as usize).await.map(drop)
}

/// Seconds until the same alerts, sent over and over, were taken and counted; exactly one notification of each.
async fn duplicates(kind: Kind, binaries: &Binaries, options: &Options) -> anyhow::Result<(f64, usize)> {
    let sink = Arc::new(Sink::start().await?);
    let contender = Contender::start(kind, binaries, &sink.url()).await?;
    let batch = options.batch.min(ALERTS);
    let once: Vec<_> = (0..ALERTS)
        .step_by(batch as usize)
        .map(|from| Arc::new(kind.request(from..(from + batch).min(ALERTS))))
        .collect();
    let requests = (0..TIMES).flat_map(|_| once.iter().cloned()).collect();
    let started = Instant::now();
    load::flood(&contender, &sink, requests, ALERTS as usize).await?;
    contender.until_counted(u64::from(ALERTS * TIMES), PATIENCE).await?;
    let secs = started.elapsed().as_secs_f64();
    // A notification too many would come late.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (told, doubled) = sink.counts();
    ensure!(told == ALERTS as usize, "{told} alerts were told of, not {ALERTS}");
    contender.stop().await?;
    Ok((secs, doubled))
}

/// Seconds until many alerts, each a problem of its own, were told of; and the memory that it took.
async fn distinct(kind: Kind, binaries: &Binaries, options: &Options) -> anyhow::Result<(f64, f64, usize)> {
    let sink = Arc::new(Sink::start().await?);
    let contender = Contender::start(kind, binaries, &sink.url()).await?;
    let requests = (0..options.distinct)
        .step_by(options.batch as usize)
        .map(|from| Arc::new(kind.request(from..(from + options.batch).min(options.distinct))))
        .collect();
    let secs = load::flood(&contender, &sink, requests, options.distinct as usize).await?;
    let peak = contender.peak_mib()?;
    contender.stop().await?;
    Ok((secs, peak, sink.counts().1))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Builds the command `tocsin`, so that no old binary is measured, and tells where it is.
async fn build() -> anyhow::Result<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    let built = cargo.args(["build", "--profile", "fast", "--quiet", "-p", "tocsin"]).status().await?;
    ensure!(built.success(), "cargo build --profile fast -p tocsin failed");
    let own = std::env::current_exe()?;
    let target = own.parent().and_then(Path::parent).context("no target directory")?;
    Ok(target.join("fast").join("tocsin"))
}
