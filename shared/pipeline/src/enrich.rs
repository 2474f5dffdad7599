//! Step 5: what may have caused it, and what to do.
//!
//! Invariant: everything is asked at once under one deadline, and whatever is not there by then is a gap in the message.
//! Enrichment never holds back a page for longer than that deadline.

use std::future::Future;
use std::time::Duration;

use config::Repository;
use domain::{Alert, Change, CommitRange, Enrichment, Gap, Incident, Timestamp, rank_suspects};
use sources::Kind;
use tokio::time::Instant;

use crate::Triage;
use crate::patience::Patience;
use crate::ports::{ChangeHistory, MonitorFacts, ReadError};

/// Changes shown in a message.
const CHANGES_MAX: usize = 3;

/// What was learned of an alert before its people are told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learned {
    pub(crate) enrichment: Enrichment,
    pub(crate) monitor: MonitorFacts,
}

/// The time of one alert's enrichment: its deadline, and when that ends.
struct Asking<'a> {
    patience: &'a Patience,
    deadline: Duration,
    until: Instant,
}

impl Asking<'_> {
    async fn for_it<T>(&self, what: &'static str, asked: impl Future<Output = Result<T, ReadError>>) -> Result<T, Gap> {
        let left = self.until.saturating_duration_since(Instant::now());
        self.patience.wait_for(what, what, self.deadline, left, asked).await
    }
}

impl Triage {
    /// Everything there is to know of an alert. `began_at` is when the metric first looked unusual. Half of the time that
    /// is left is kept for the write.
    pub(crate) async fn enrich(
        &self,
        alert: &Alert,
        began_at: Timestamp,
        incident: &Incident,
        patience: &Patience,
    ) -> Learned {
        let rule = self.config.rule_of(alert);
        let deadline = Duration::from_secs(self.config.deadlines.enrich_secs);
        let wait = deadline.min(patience.left() / 2);
        let asking = Asking { patience, deadline, until: Instant::now() + wait };
        let service = self.config.service(&alert.service);
        let repository = service.and_then(|s| s.repository.as_ref());
        let environment = service.and_then(|s| s.environment.as_deref()).or_else(|| alert.label("environment"));
        let mut gaps = Vec::new();
        let (history, monitor) =
            tokio::join!(self.read_history(repository, environment, &asking), self.read_monitor(alert, &asking));
        let (changes, commits) = history.unwrap_or_else(|missing| {
            gaps.push(missing);
            (Vec::new(), Ok(None))
        });
        let commits = commits.unwrap_or_else(|missing| {
            gaps.push(missing);
            None
        });
        let monitor = monitor.unwrap_or_else(|missing| {
            gaps.push(missing);
            MonitorFacts::default()
        });
        let dashboards = rule.dashboards.iter().chain(service.iter().flat_map(|s| &s.dashboards)).cloned().collect();
        let suspects = rank_suspects(&changes, began_at);
        let enrichment = Enrichment {
            suspects,
            changes: changes.into_iter().take(CHANGES_MAX).collect(),
            commits,
            runbook: rule.runbook.clone(),
            dashboards,
            earlier: incident.earlier.clone(),
            gaps,
        };
        Learned { enrichment, monitor }
    }

    /// Deployments, then the commits between the last two of them; the second may be missing without the first.
    async fn read_history(
        &self,
        repository: Option<&Repository>,
        environment: Option<&str>,
        asking: &Asking<'_>,
    ) -> Result<(Vec<Change>, Result<Option<CommitRange>, Gap>), Gap> {
        let repository =
            repository.ok_or_else(|| Gap::new("deployments", "the service has no repository in config"))?;
        let history =
            self.changes.as_ref().ok_or_else(|| Gap::new("deployments", "no change history is configured"))?;
        let asked = history.deployments(&repository.owner, &repository.name, environment);
        let changes = asking.for_it("deployments", asked).await?;
        let asked = commits_between_last_two(history.as_ref(), repository, &changes);
        let commits = asking.for_it("commits", asked).await;
        Ok((changes, commits))
    }

    async fn read_monitor(&self, alert: &Alert, asking: &Asking<'_>) -> Result<MonitorFacts, Gap> {
        let is_arize = self.config.source(&alert.source).is_some_and(|source| source.kind == Kind::Arize);
        match (&self.monitors, &alert.monitor_id) {
            (Some(monitors), Some(id)) if is_arize => {
                let found = asking.for_it("monitor", monitors.monitor(id)).await?;
                found.ok_or_else(|| Gap::new("monitor", "Arize has no monitor with the alert's id"))
            }
            _ => Ok(MonitorFacts::default()),
        }
    }
}

async fn commits_between_last_two(
    history: &dyn ChangeHistory,
    repository: &Repository,
    changes: &[Change],
) -> Result<Option<CommitRange>, ReadError> {
    let mut hashes = changes.iter().filter_map(|c| c.commit.as_deref());
    match (hashes.next(), hashes.next()) {
        (Some(head), Some(base)) if head != base => {
            history.commits(&repository.owner, &repository.name, base, head).await.map(Some)
        }
        _ => Ok(None),
    }
}
