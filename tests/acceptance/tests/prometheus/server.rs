//! A real Prometheus on loopback. Invariant: it ends with the test, and so does its data.

use std::ffi::OsString;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::ensure;
use tempfile::TempDir;

/// How long it may take to start.
const START: Duration = Duration::from_secs(30);

/// A running server.
pub(crate) struct Prometheus {
    url: String,
    process: Child,
    folder: TempDir,
}

/// The binary, where there is one.
pub(crate) fn binary() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TOCSIN_TEST_PROMETHEUS").filter(|name: &OsString| !name.is_empty()) {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("prometheus")).find(|file| file.is_file())
}

impl Prometheus {
    /// Scrapes one target, four times a second.
    pub(crate) async fn start(binary: &PathBuf, target: SocketAddr) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("prometheus.yml");
        std::fs::write(
            &config,
            format!(
                "global: {{ scrape_interval: 250ms, scrape_timeout: 250ms }}\n\
                 scrape_configs: [ {{ job_name: vllm, static_configs: [ {{ targets: [ '{target}' ] }} ] }} ]\n"
            ),
        )?;
        // It takes no port of its own choice; between this and its start somebody else could take the port.
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let process = Command::new(binary)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log"))?)
            .spawn()?;
        let server = Self { url: format!("http://{address}"), process, folder };
        server.ready().await?;
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// What it logged.
    pub(crate) fn log(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join("log"))?)
    }

    async fn ready(&self) -> anyhow::Result<()> {
        web::install_crypto();
        let client = reqwest::Client::new();
        let started = tokio::time::Instant::now();
        loop {
            let answer = client.get(format!("{}/-/ready", self.url)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            ensure!(started.elapsed() < START, "Prometheus did not start:\n{}", self.log()?);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to end.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}
