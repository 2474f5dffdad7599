//! Step 2: a batch of inbox messages is folded by fingerprint, and each fingerprint is settled by itself.
//!
//! Invariant: a message is finished only when everything that it brought is written down and sent on; one fingerprint's
//! failure fails the messages that brought it and no others.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use config::Config;
use domain::{Alert, Fingerprint, Severity};
use futures::{StreamExt, stream};
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

use crate::known::Known;
use crate::known_children::KnownChildren;
use crate::mute::Silences;
use crate::patience::Patience;
use crate::ports::{ChangeHistory, Clock, IncidentStore, MetricReader, MonitorReader, Queue, QueueError, StoreError};
use crate::settle::Recheck;
use crate::{InboxMessage, QueuedMessage, Unfinished};

/// Fingerprints settled at one time: mostly they wait for the outside.
const CONCURRENT_MAX: usize = 32;

/// Why a fingerprint could not be settled; its messages come again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TriageError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue did not answer.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Others were faster, every time.
    #[error("others changed the incident {0} times in a row")]
    Contended(u32),
    /// A timeline event could not be written as JSON.
    #[error("a timeline event cannot be written: {0}")]
    Unwritable(#[from] serde_json::Error),
    /// The time given to this batch ran out.
    #[error("the batch ran out of time")]
    OutOfTime,
}

/// What triage reads and writes.
pub struct Triage {
    pub(crate) config: Arc<Config>,
    pub(crate) store: Arc<dyn IncidentStore>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) metrics: Option<Arc<dyn MetricReader>>,
    pub(crate) changes: Option<Arc<dyn ChangeHistory>>,
    pub(crate) monitors: Option<Arc<dyn MonitorReader>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) known: Known,
    pub(crate) known_children: KnownChildren,
    pub(crate) silences: Silences,
}

/// The work that one batch brought for one fingerprint.
#[derive(Default)]
struct Work {
    alerts: Vec<Alert>,
    rechecks: Vec<Recheck>,
    messages: Vec<String>,
}

impl Work {
    fn worst(&self) -> Option<Severity> {
        let looked_at = self.rechecks.iter().map(|recheck| &recheck.alert);
        self.alerts.iter().chain(looked_at).map(|alert| alert.severity).max()
    }
}

impl Triage {
    /// Over a config, a store and a queue, without any metric, change or monitor reader.
    #[must_use]
    pub fn new(
        config: Arc<Config>,
        store: Arc<dyn IncidentStore>,
        queue: Arc<dyn Queue>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (known, known_children, silences) = (Known::default(), KnownChildren::default(), Silences::default());
        Self {
            config,
            store,
            queue,
            metrics: None,
            changes: None,
            monitors: None,
            clock,
            known,
            known_children,
            silences,
        }
    }

    /// With a place to read metrics.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Option<Arc<dyn MetricReader>>) -> Self {
        self.metrics = metrics;
        self
    }

    /// With a place to learn of deployments.
    #[must_use]
    pub fn with_changes(mut self, changes: Option<Arc<dyn ChangeHistory>>) -> Self {
        self.changes = changes;
        self
    }

    /// With a place to ask for monitors.
    #[must_use]
    pub fn with_monitors(mut self, monitors: Option<Arc<dyn MonitorReader>>) -> Self {
        self.monitors = monitors;
        self
    }

    /// Settles a batch within `time_left` and names the messages that must come again.
    pub async fn triage(&self, batch: Vec<QueuedMessage>, time_left: Duration) -> Vec<Unfinished> {
        let until = Instant::now() + time_left;
        let (work, mut unfinished) = fold(batch);
        // Where the time does not suffice for all, it does for the worst.
        let mut work: Vec<(Fingerprint, Work)> = work.into_iter().collect();
        work.sort_by_key(|(_, work)| Reverse(work.worst()));
        let patience = Patience::new(until, work.len(), CONCURRENT_MAX);
        let patience = &patience;
        let failed: Vec<String> = stream::iter(work)
            .map(|(fingerprint, work)| async move {
                patience.turn();
                let settled = timeout_at(until, self.settle_all(&fingerprint, &work, patience)).await;
                match settled.unwrap_or(Err(TriageError::OutOfTime)) {
                    Ok(()) => Vec::new(),
                    Err(error) => {
                        tracing::error!(alert.fingerprint = %fingerprint, %error, "not settled; comes again");
                        work.messages
                    }
                }
            })
            .buffer_unordered(CONCURRENT_MAX)
            .concat()
            .await;
        unfinished.extend(failed);
        unfinished.sort_unstable();
        unfinished.dedup();
        unfinished.into_iter().map(|id| Unfinished { id, after_secs: None }).collect()
    }

    async fn settle_all(&self, fingerprint: &Fingerprint, work: &Work, patience: &Patience) -> Result<(), TriageError> {
        for run in domain::runs(work.alerts.clone()) {
            for part in self.parts(run) {
                self.settle_run(fingerprint, part, patience).await?;
            }
        }
        for recheck in &work.rechecks {
            self.settle_recheck(fingerprint, recheck, patience).await?;
        }
        Ok(())
    }
}

/// The batch by fingerprint, and the messages that could not be read: they go to the dead letters after their tries.
fn fold(batch: Vec<QueuedMessage>) -> (BTreeMap<Fingerprint, Work>, Vec<String>) {
    let mut folded: BTreeMap<Fingerprint, Work> = BTreeMap::new();
    let mut unreadable = Vec::new();
    for QueuedMessage { id, body, receives } in batch {
        match serde_json::from_str(&body) {
            Ok(InboxMessage::Alerts { items }) => {
                for item in items {
                    let work = folded.entry(item.fingerprint).or_default();
                    work.alerts.push(item.alert);
                    work.messages.push(id.clone());
                }
            }
            Ok(InboxMessage::Recheck { fingerprint, incident, due, alert }) => {
                let work = folded.entry(fingerprint).or_default();
                work.rechecks.push(Recheck { incident, due, alert: *alert, comes_again: receives > 1 });
                work.messages.push(id);
            }
            Err(error) => {
                tracing::error!(message.id = id, line = error.line(), column = error.column(), "not an inbox message");
                unreadable.push(id);
            }
        }
    }
    (folded, unreadable)
}
