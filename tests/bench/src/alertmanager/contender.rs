//! The two that are compared, each in a process of its own, told to send its notifications to the benchmark's sink.
//!
//! Invariant: both are given the same alerts with the same labels, as many in one request; only what stands around them
//! differs. A process is ended by its own handle.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tocsin::LOCAL_SECRET;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::memory;
use crate::sink::{DIGITS, MARK};
use crate::wire::{self, Connection};

/// How long a process may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it is asked whether it is ready, or done.
const ASKED_EVERY: Duration = Duration::from_millis(50);

const CONFIG: &str = r#"
sources:
  generic:
    auth: { kind: bearer, secrets: [ "${TOCSIN_BENCH_SECRET}" ] }
    mapping: { alerts: /alerts }
rules:
  - name: latency
    match: { metric: latency }
    group_by: [service, metric, model]
    receivers: [on-call]
default: { receivers: [on-call] }
receivers:
  on-call: { kind: pagerduty, routing_key: "${TOCSIN_BENCH_KEY}" }
"#;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Tocsin,
    Alertmanager,
}

impl Kind {
    /// One request with these alerts, ready to be sent.
    pub(crate) fn request(self, alerts: impl Iterator<Item = u32>) -> Vec<u8> {
        let digits = DIGITS;
        match self {
            Self::Tocsin => {
                let alert = |number| {
                    format!(
                        r#"{{"monitor":"High latency","service":"support-chatbot","metric":"latency","model":"{MARK}{number:0digits$}","status":"firing","severity":"critical"}}"#
                    )
                };
                let alerts: Vec<String> = alerts.map(alert).collect();
                let authorization = format!("Authorization: Bearer {LOCAL_SECRET}\r\n");
                wire::post("/alerts/generic", &authorization, &format!(r#"{{"alerts":[{}]}}"#, alerts.join(",")))
            }
            Self::Alertmanager => {
                let alert = |number| {
                    format!(
                        r#"{{"labels":{{"alertname":"High latency","service":"support-chatbot","metric":"latency","model":"{MARK}{number:0digits$}","severity":"critical"}}}}"#
                    )
                };
                let alerts: Vec<String> = alerts.map(alert).collect();
                wire::post("/api/v2/alerts", "", &format!("[{}]", alerts.join(",")))
            }
        }
    }
}

/// Where the two binaries are, and how they are run.
pub(crate) struct Binaries {
    pub(crate) tocsin: PathBuf,
    pub(crate) alertmanager: PathBuf,
    /// `group_interval` of Alertmanager.
    pub(crate) group_interval: String,
    /// Whether Tocsin keeps its table on disk.
    pub(crate) on_disk: bool,
}

/// One of them, running.
pub(crate) struct Contender {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    process: Child,
    _files: TempDir,
}

impl Contender {
    /// Starts it and waits until it answers.
    pub(crate) async fn start(kind: Kind, binaries: &Binaries, sink: &str) -> anyhow::Result<Self> {
        let files = tempfile::tempdir()?;
        let (process, address) = match kind {
            Kind::Tocsin => tocsin(binaries, files.path(), sink).await?,
            Kind::Alertmanager => alertmanager(binaries, files.path(), sink)?,
        };
        let contender = Self { kind, address, process, _files: files };
        timeout(PATIENCE, contender.ready()).await.with_context(|| format!("{kind:?} does not become ready"))?;
        Ok(contender)
    }

    async fn ready(&self) {
        let path = if self.kind == Kind::Tocsin { "/healthz" } else { "/-/ready" };
        loop {
            if let Ok(mut connection) = Connection::open(self.address).await
                && connection.status_of(&wire::get(path)).await.is_ok_and(|status| status == 200)
            {
                return;
            }
            sleep(ASKED_EVERY).await;
        }
    }

    /// Waits until every alert that was accepted is counted in its incident. Alertmanager counts none: it is done when
    /// it has answered.
    pub(crate) async fn until_counted(&self, occurrences: u64, patience: Duration) -> anyhow::Result<()> {
        if self.kind == Kind::Alertmanager {
            return Ok(());
        }
        let (until, mut counted) = (Instant::now() + patience, 0);
        let mut connection = Connection::open(self.address).await?;
        while Instant::now() < until {
            let body: Value = serde_json::from_slice(&connection.body_of(&wire::get("/api/incidents")).await?)?;
            let incidents = body["incidents"].as_array().context("no list of incidents")?;
            counted = incidents.iter().filter_map(|incident| incident["occurrences"].as_u64()).sum();
            if counted >= occurrences {
                ensure!(counted == occurrences, "{counted} occurrences are counted of {occurrences}");
                return Ok(());
            }
            sleep(ASKED_EVERY).await;
        }
        bail!("{counted} of {occurrences} occurrences were counted within {} s", patience.as_secs())
    }

    /// The most memory that it had, in MiB.
    pub(crate) fn peak_mib(&self) -> anyhow::Result<f64> {
        memory::peak_mib(self.process.id().context("the process has ended")?)
    }

    /// Ends it.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }
}

async fn tocsin(binaries: &Binaries, files: &Path, sink: &str) -> anyhow::Result<(Child, SocketAddr)> {
    let config = files.join("tocsin.yaml");
    std::fs::write(&config, CONFIG)?;
    let mut command = Command::new(&binaries.tocsin);
    command.args(["local", "--listen", "127.0.0.1:0", "--config"]).arg(config);
    if binaries.on_disk {
        command.arg("--data").arg(files.join("data"));
    }
    command.env_clear().envs([
        ("TOCSIN_BENCH_SECRET", LOCAL_SECRET),
        ("TOCSIN_BENCH_KEY", LOCAL_SECRET),
        ("TOCSIN_PAGERDUTY_API_URL", sink),
    ]);
    let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let said = process.stdout.take().context("no standard output")?;
    let mut lines = BufReader::new(said).lines();
    let first = timeout(PATIENCE, lines.next_line()).await??.context("tocsin ended at its start")?;
    let address = first.rsplit("http://").next().and_then(|address| address.parse().ok());
    // What it says later is read, so that it never waits for a reader.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((process, address.with_context(|| format!("no address in {first:?}"))?))
}

fn alertmanager(binaries: &Binaries, files: &Path, sink: &str) -> anyhow::Result<(Child, SocketAddr)> {
    let config = files.join("alertmanager.yml");
    let group_interval = &binaries.group_interval;
    let text = format!(
        "route: {{ receiver: sink, group_by: ['...'], group_wait: 0s, group_interval: {group_interval}, repeat_interval: \
         24h }}\nreceivers:\n  - name: sink\n    webhook_configs: [ {{ url: '{sink}/', send_resolved: false }} ]\n"
    );
    std::fs::write(&config, text)?;
    // Bound and closed again: nobody else on this machine takes a port in between but by chance, and then it ends.
    let address = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    let mut command = Command::new(&binaries.alertmanager);
    command
        .args(["--cluster.listen-address=", "--log.level=error"])
        .arg(format!("--web.listen-address={address}"))
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", files.join("data").display()));
    let process = command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).spawn();
    Ok((process.with_context(|| format!("{} does not start", binaries.alertmanager.display()))?, address))
}
