//! `tocsin local`: the whole orchestrator in one process.
//!
//! Invariant: what has no credentials goes to a stand-in and is named; what has them goes to the vendor. Nothing listens
//! beyond loopback with a secret that everybody knows.

pub(crate) mod api;
mod demo;
mod engines;
mod environment;
mod http;
mod inboxes;
mod outside;
mod page;
mod poll;
mod silences;
mod wiring;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws::{Clients, Queues, Store};
use embedded::InProcess;
use pipeline::ports::{Clock, QueueError};
use pipeline::{Pull, Sweep, Triage};
use stand_ins::StandIns;
use thiserror::Error;
use tokio::task::JoinSet;

pub(crate) use demo::run_demo;
pub use environment::LOCAL_SECRET;
pub(crate) use environment::LocalEnvironment;

/// How often the queues are asked whether they are empty.
const QUIET_POLL: Duration = Duration::from_millis(20);

/// What to run.
pub struct LocalOptions {
    /// Where to listen; port 0 for any.
    pub listen: SocketAddr,
    /// The config's name in messages.
    pub config_name: String,
    /// The config.
    pub config_text: String,
    /// Templates on disk; the bundled ones without.
    pub templates: Option<PathBuf>,
    /// Where incidents are kept; in memory without.
    pub data: Option<PathBuf>,
    /// Where webhooks are kept for a replay; nowhere without.
    pub record: Option<PathBuf>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// The orchestrator could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The config has mistakes.
    #[error("{0}")]
    Config(String),
    /// A public address with the local secret.
    #[error("{0} is not loopback, and {1} is not set: set it, or listen on 127.0.0.1")]
    PublicWithoutSecret(SocketAddr, String),
    /// A part did not start.
    #[error("{part} did not start: {why}")]
    Part {
        /// Which.
        part: &'static str,
        /// Why.
        why: String,
    },
}

pub(crate) fn part<E: std::fmt::Display>(part: &'static str) -> impl FnOnce(E) -> LocalError {
    move |error| LocalError::Part { part, why: error.to_string() }
}

/// A running orchestrator; it stops when dropped.
pub struct Local {
    address: SocketAddr,
    stand_ins: StandIns,
    embedded: Option<Arc<InProcess>>,
    clients: Clients,
    store: Arc<Store>,
    queues: Arc<Queues>,
    triage: Arc<Triage>,
    pull: Arc<Pull>,
    sweep: Arc<Sweep>,
    notes: Vec<String>,
    tasks: JoinSet<()>,
}

impl Local {
    /// Starts engines, stand-ins, functions and pages.
    ///
    /// # Errors
    /// [`LocalError`] names the part and the mend.
    pub async fn start(options: LocalOptions) -> Result<Self, LocalError> {
        wiring::start(options).await
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The vendors that it tells where there are no credentials.
    #[must_use]
    pub fn stand_ins(&self) -> &StandIns {
        &self.stand_ins
    }

    /// What asks the engines, as anyone with their credentials could.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// The incident table.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The queues.
    #[must_use]
    pub fn queues(&self) -> &Arc<Queues> {
        &self.queues
    }

    /// The function `triage`'s pipeline.
    #[must_use]
    pub fn triage(&self) -> &Arc<Triage> {
        &self.triage
    }

    /// The function `pull`'s pipeline.
    #[must_use]
    pub fn pull(&self) -> &Arc<Pull> {
        &self.pull
    }

    /// The function `sweep`'s pipeline.
    #[must_use]
    pub fn sweep(&self) -> &Arc<Sweep> {
        &self.sweep
    }

    /// AWS calls so far by operation, where the engines are embedded.
    #[must_use]
    pub fn aws_calls(&self) -> BTreeMap<String, u64> {
        self.embedded.as_ref().map(|embedded| embedded.calls()).unwrap_or_default()
    }

    /// What a user should know of this run: what goes to a stand-in, and why.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Returns when nothing waits and nothing is worked on. A later look that is not due is not waited for.
    ///
    /// # Errors
    /// When a queue does not answer.
    pub async fn quiet(&self) -> Result<(), QueueError> {
        let urls = self.queues.urls();
        loop {
            let mut held = 0;
            for url in urls.inbox.iter().chain(urls.deliveries.values()) {
                held += self.queues.held(url).await?;
            }
            if held == 0 {
                return Ok(());
            }
            tokio::time::sleep(QUIET_POLL).await;
        }
    }

    /// Runs until a task of it ends, which none does by itself.
    pub async fn run(&mut self) {
        self.tasks.join_next().await;
    }
}
