//! The engines and the functions, each a process of its own; only the functions are killed.
//!
//! Invariant: both run the command `tocsin` as a user would, from this program's own file; a kill is SIGKILL, and what is
//! ended is ended by its own handle.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use stand_ins::StandIns;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// As the first argument: be the command `tocsin` with the rest.
pub(crate) const AS_TOCSIN: &str = "as-tocsin";

/// How long a process may take to answer.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How often it is asked.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// A free port of 127.0.0.1: the functions listen on the same one after each kill, as a deployed address stays.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// `tocsin engines`.
pub(crate) struct EnginesProcess {
    pub(crate) url: String,
    _child: Child,
}

impl EnginesProcess {
    /// Starts it and waits until it listens.
    pub(crate) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        let log = File::create(folder.join("engines.log"))?;
        let arguments = ["engines", "--listen", &address.to_string()];
        let mut child = command(&arguments, log)?.spawn().context("the engines do not start")?;
        let until = Instant::now() + START_TIMEOUT;
        while tokio::net::TcpStream::connect(address).await.is_err() {
            if let Some(status) = child.try_wait()? {
                bail!("the engines ended: {status}");
            }
            anyhow::ensure!(Instant::now() < until, "the engines do not listen on {address}");
            tokio::time::sleep(ASK_EVERY).await;
        }
        Ok(Self { url: format!("http://{address}"), _child: child })
    }
}

/// `tocsin local` on those engines, telling vendors that live here.
pub(crate) struct FunctionsProcess {
    address: SocketAddr,
    arguments: Vec<String>,
    settings: Vec<(&'static str, String)>,
    log: File,
    child: Child,
    client: reqwest::Client,
}

impl FunctionsProcess {
    /// Starts it and waits until it answers.
    pub(crate) async fn start(folder: &Path, engines: &EnginesProcess, vendors: &StandIns) -> anyhow::Result<Self> {
        let address = free_address()?;
        let config = folder.join("storm.yaml").display().to_string();
        let listen = address.to_string();
        let arguments = ["local", "--listen", &listen, "--config", &config].map(str::to_owned).to_vec();
        let settings = vec![
            ("AWS_ENDPOINT_URL", engines.url.clone()),
            ("TOCSIN_PAGERDUTY_API_URL", vendors.pagerduty.url()),
            ("TOCSIN_SLACK_API_URL", format!("{}/api", vendors.slack.url())),
            ("TOCSIN_JIRA_API_URL", vendors.jira.url()),
        ];
        let log = File::create(folder.join("functions.log"))?;
        let child = spawn(&arguments, &settings, &log)?;
        let client = reqwest::Client::builder().timeout(Duration::from_secs(1)).build()?;
        let mut started = Self { address, arguments, settings, log, child, client };
        started.answers().await?;
        Ok(started)
    }

    /// Where alerts go.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends it in whatever it is doing, and starts it again.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("the functions cannot be killed")?;
        self.child = spawn(&self.arguments, &self.settings, &self.log)?;
        self.answers().await
    }

    async fn answers(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + START_TIMEOUT;
        let url = format!("{}/healthz", self.url());
        while !self.client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
            if let Some(status) = self.child.try_wait()? {
                bail!("the functions ended by themselves: {status}; see functions.log");
            }
            anyhow::ensure!(Instant::now() < until, "the functions do not answer at {url}");
            tokio::time::sleep(ASK_EVERY).await;
        }
        Ok(())
    }
}

fn spawn(arguments: &[String], settings: &[(&'static str, String)], log: &File) -> anyhow::Result<Child> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = command(&arguments, log.try_clone()?)?;
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    command.spawn().context("the functions do not start")
}

/// Nothing of this process's own settings reaches it: a vendor's real token must not.
fn command(arguments: &[&str], log: File) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(AS_TOCSIN).args(arguments).env_clear().env("RUST_LOG", "error").kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    Ok(command)
}
