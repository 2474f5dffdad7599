//! Another way in: a schedule asks the rules' detectors, without waiting for a webhook.
//!
//! Invariant: nothing is remembered between two runs. A bounded window is read anew each time, so that a run twice, two
//! at once or one that never came do no harm: an alert's id is its slot, and whether a clear is due stands in the
//! incident. A metric that cannot be read is neither firing nor cleared.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;

use config::{Config, Confirm, PULL, PULL_SEVERITY, Pull as Pulls, Rule, Target};
use domain::{Alert, AlertId, Fingerprint, Gap, Incident, Series, State, Status, Timestamp, Verdict};
use futures::{StreamExt, stream};
use thiserror::Error;
use tokio::time::{Instant, timeout, timeout_at};

use crate::inbox::{item, pack};
use crate::metric::{self, Span};
use crate::ports::{Clock, IncidentStore, MetricReader, MonitorReader, Queue, QueueError, StoreError};

/// Targets read at one time: a metric source has other users.
const CONCURRENT_MAX: usize = 8;

/// Why a run has to be run again. What it had found is found again, under the same ids.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PullError {
    /// The inbox did not take an alert.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The store did not say whether a clear is due.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The run's time was over before this many targets or sources were looked at.
    #[error(
        "the time was over before {0} targets or sources were looked at: pull fewer, or give the function more time"
    )]
    OutOfTime(usize),
}

/// What a run found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Targets that were looked at.
    pub targets: usize,
    /// Alerts raised.
    pub firing: usize,
    /// Clears raised.
    pub cleared: usize,
    /// Monitors that fired and whose webhook never came.
    pub missed: usize,
    /// What could not be read: a target's metric, or the monitors.
    pub unread: usize,
}

impl AddAssign for Pulled {
    fn add_assign(&mut self, more: Self) {
        self.targets += more.targets;
        self.firing += more.firing;
        self.cleared += more.cleared;
        self.missed += more.missed;
        self.unread += more.unread;
    }
}

/// Looks at metrics on a schedule.
pub struct Pull {
    pub(crate) config: Arc<Config>,
    pub(crate) store: Arc<dyn IncidentStore>,
    pub(crate) queue: Arc<dyn Queue>,
    metrics: Option<Arc<dyn MetricReader>>,
    pub(crate) monitors: Option<Arc<dyn MonitorReader>>,
    clock: Arc<dyn Clock>,
}

/// One target with what its rule says of it.
#[derive(Clone, Copy)]
struct Look<'c> {
    rule: &'c Rule,
    confirm: &'c Confirm,
    pulls: &'c Pulls,
    target: &'c Target,
}

/// What one look comes to.
enum Seen {
    Nothing,
    Raised(Status),
    Unread,
}

impl Pull {
    /// Over a config, a store and a queue. Without a metric source every target is unread.
    #[must_use]
    pub fn new(
        config: Arc<Config>,
        store: Arc<dyn IncidentStore>,
        queue: Arc<dyn Queue>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { config, store, queue, metrics: None, monitors: None, clock }
    }

    /// Reads metrics there.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Option<Arc<dyn MetricReader>>) -> Self {
        self.metrics = metrics;
        self
    }

    /// Asks there for monitors whose webhook never came.
    #[must_use]
    pub fn with_monitors(mut self, monitors: Option<Arc<dyn MonitorReader>>) -> Self {
        self.monitors = monitors;
        self
    }

    /// Looks at every target once, and for webhooks that never came, within `time_left`.
    ///
    /// # Errors
    /// [`PullError`], the first of them, after everything was tried: run it again.
    pub async fn pull(&self, time_left: Duration) -> Result<Pulled, PullError> {
        let (now, until) = (self.clock.now(), Instant::now() + time_left);
        let reconciling = timeout_at(until, self.reconcile(now));
        let (looked, reconciled) = tokio::join!(self.look_at_targets(now, until), reconciling);
        let mut pulled = looked?;
        pulled += reconciled.unwrap_or(Err(PullError::OutOfTime(1)))?;
        Ok(pulled)
    }

    async fn look_at_targets(&self, now: Timestamp, until: Instant) -> Result<Pulled, PullError> {
        let looks = self.looks();
        let looking: Vec<_> = looks.iter().map(|look| timeout_at(until, self.look(*look, now))).collect();
        let seen: Vec<_> = stream::iter(looking).buffer_unordered(CONCURRENT_MAX).collect().await;
        let mut pulled = Pulled { targets: looks.len(), ..Pulled::default() };
        let missed = seen.iter().filter(|seen| seen.is_err()).count();
        for seen in seen.into_iter().flatten() {
            match seen? {
                Seen::Nothing => {}
                Seen::Raised(Status::Firing) => pulled.firing += 1,
                Seen::Raised(Status::Cleared) => pulled.cleared += 1,
                Seen::Unread => pulled.unread += 1,
            }
        }
        if missed > 0 { Err(PullError::OutOfTime(missed)) } else { Ok(pulled) }
    }

    fn looks(&self) -> Vec<Look<'_>> {
        let mut looks = Vec::new();
        for rule in &self.config.rules {
            if let (Some(confirm), Some(pulls)) = (&rule.confirm, &rule.pull) {
                looks.extend(pulls.targets.iter().map(|target| Look { rule, confirm, pulls, target }));
            }
        }
        looks
    }

    async fn look(&self, look: Look<'_>, now: Timestamp) -> Result<Seen, PullError> {
        let alert = look.alert(now);
        let series = match self.read(&alert, look.confirm, metric::span(look.confirm, now)).await {
            Ok(series) => series,
            Err(gap) => return Ok(unread(look, &gap)),
        };
        let (verdict, evidence) = look.confirm.panel.confirm(&series);
        if verdict == Verdict::Confirmed {
            let value = evidence.iter().find(|e| e.verdict == Verdict::Confirmed).and_then(|e| e.value);
            return self.raise(Alert { value, ..alert }, Status::Firing).await;
        }
        let fingerprint = item(&*self.config, alert.clone()).fingerprint;
        let Some(incident) = self.open(&fingerprint).await? else { return Ok(Seen::Nothing) };
        match self.has_recovered(look, &alert, &incident, now).await {
            Ok(true) => self.raise(alert, Status::Cleared).await,
            Ok(false) => Ok(Seen::Nothing),
            Err(gap) => Ok(unread(look, &gap)),
        }
    }

    /// The incident, while people are told of it.
    async fn open(&self, fingerprint: &Fingerprint) -> Result<Option<Incident>, StoreError> {
        let incident = self.store.incident(fingerprint).await?;
        Ok(incident.filter(|incident| matches!(incident.state, State::Open | State::Acknowledged)))
    }

    /// Whether the metric was as usual for the rule's `clear_for`, measured by what was usual before the incident.
    async fn has_recovered(
        &self,
        look: Look<'_>,
        alert: &Alert,
        incident: &Incident,
        now: Timestamp,
    ) -> Result<bool, Gap> {
        let confirm = look.confirm;
        let (step_secs, test_secs) = (i64::from(confirm.step_secs), i64::from(confirm.panel.window.test_secs));
        let clear_secs = i64::from(look.pulls.clear_for_secs).max(step_secs);
        let end = metric::whole_step(confirm, now);
        if incident.last_seen.as_second() > end.as_second() - clear_secs {
            return Ok(false);
        }
        let recent = Span::up_to(end, clear_secs - step_secs);
        // What was tested when the incident began is no part of what is usual, nor is what led up to it.
        let usual_end = metric::before(metric::whole_step(confirm, incident.first_seen), 2 * test_secs);
        let usual = Span::up_to(usual_end, i64::from(confirm.window_secs));
        let (recent, usual) = tokio::try_join!(self.read(alert, confirm, recent), self.read(alert, confirm, usual))?;
        Ok(confirm.panel.has_recovered(&usual, &recent))
    }

    async fn read(&self, alert: &Alert, confirm: &Confirm, span: Span) -> Result<Series, Gap> {
        let reader = self.metrics.as_ref().ok_or_else(|| Gap::new("metric", "no metric source is configured"))?;
        let query = metric::query(alert, confirm, span)?;
        let deadline = Duration::from_secs(self.config.deadlines.confirm_secs);
        let read = timeout(deadline, reader.read(&query)).await;
        let missed = |_| Gap::new("metric", format!("no answer within {} s", deadline.as_secs()));
        read.map_err(missed)?.map_err(|error| Gap::new("metric", error.why))
    }

    async fn raise(&self, alert: Alert, status: Status) -> Result<Seen, PullError> {
        let fired = item(&*self.config, Alert { status, ..alert });
        let (fingerprint, observed_at) = (&fired.fingerprint, fired.alert.observed_at.as_second());
        let id = AlertId::new(format!("{PULL}-{fingerprint}-{observed_at}-{}", status.as_str()));
        tracing::info!(alert.id = %id, alert.fingerprint = %fingerprint, status = status.as_str(), "alert pulled");
        let fired = crate::Item { alert: Alert { id, ..fired.alert }, fingerprint: fired.fingerprint };
        self.queue.send_inbox(&pack(vec![fired]), 0).await?;
        Ok(Seen::Raised(status))
    }
}

fn unread(look: Look<'_>, gap: &Gap) -> Seen {
    tracing::error!(rule = look.rule.name, labels = ?look.target.labels, why = gap.why, "metric not read");
    Seen::Unread
}

impl Look<'_> {
    /// The target's alert, observed at the newest whole step.
    fn alert(&self, now: Timestamp) -> Alert {
        let labels: BTreeMap<String, String> = self.target.labels.clone();
        Alert {
            id: AlertId::new(PULL),
            source: PULL.to_owned(),
            monitor: self.rule.name.clone(),
            monitor_id: None,
            service: self.target.service.clone(),
            metric: self.target.metric.clone(),
            status: Status::Firing,
            severity: PULL_SEVERITY,
            labels,
            value: None,
            baseline: None,
            threshold: None,
            observed_at: metric::whole_step(self.confirm, now),
            received_at: now,
            links: Vec::new(),
            rule: None,
            also: Vec::new(),
        }
    }
}
