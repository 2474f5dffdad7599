//! Webhooks that never came: what a source's own system says of its monitors, against what was heard of them.
//!
//! Invariant: a monitor that fires and was not heard of raises one alert, however often and by how many runs it is
//! found; one whose webhook is late is left to it for the config's `grace`. An alert goes under the fingerprint that
//! the monitor had before, so that a payload with fewer labels than the webhook's is no second problem. A monitor
//! without data, or without an answer, is neither firing nor cleared.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use config::Reconcile;
use domain::{Alert, AlertId, Gap, Status, Timestamp};
use sources::Inbound;
use tokio::time::timeout;

use crate::heard::MISSED;
use crate::inbox::{item, pack};
use crate::ports::{MonitorReader, MonitorRecord, MonitorState, ReadError};
use crate::pull::{Pull, PullError, Pulled};
use crate::{Item, metric};

impl Pull {
    /// Asks once, if the config says so.
    pub(crate) async fn reconcile(&self, now: Timestamp) -> Result<Pulled, PullError> {
        let asked = self.config.arize_api.as_ref().and_then(|api| api.reconcile.as_ref());
        let (Some(reconcile), Some(monitors)) = (asked, self.monitors.as_ref()) else { return Ok(Pulled::default()) };
        let records = self.store.monitors(&reconcile.source).await?;
        let known: BTreeMap<&str, &MonitorRecord> = records.iter().map(|r| (r.id.as_str(), r)).collect();
        let firing = match self.within_deadline(monitors.triggered(&reconcile.webhook, now)).await {
            Ok(firing) => firing,
            Err(gap) => return Ok(unread(&reconcile.source, &gap)),
        };
        let mut pulled = Pulled::default();
        for state in &firing {
            pulled += self.heard_of(reconcile, state, known.get(state.id.as_str()).copied(), now).await?;
        }
        let firing: BTreeSet<&str> = firing.iter().map(|state| state.id.as_str()).collect();
        for record in records.iter().filter(|r| !firing.contains(r.id.as_str())) {
            pulled += self.over(monitors.as_ref(), reconcile, record, now).await?;
        }
        Ok(pulled)
    }

    /// A monitor that fires: heard of, or missed since now, or missed for too long.
    async fn heard_of(
        &self,
        reconcile: &Reconcile,
        state: &MonitorState,
        record: Option<&MonitorRecord>,
        now: Timestamp,
    ) -> Result<Pulled, PullError> {
        if record.is_some_and(|r| r.status == Status::Firing) {
            return Ok(Pulled::default());
        }
        let Some(alert) = self.decode(reconcile, state, now).filter(|alert| alert.status == Status::Firing) else {
            return Ok(unread_one());
        };
        if record.is_some_and(|r| r.fingerprint.is_some() && alert.observed_at <= r.observed_at) {
            // Its clear is newer than what was asked for.
            return Ok(Pulled::default());
        }
        let missed_since = record.and_then(|r| r.missed_since);
        let late_from = metric::before(now, i64::from(reconcile.grace_secs));
        if missed_since.unwrap_or(now) > late_from {
            if missed_since.is_none() {
                self.wait(reconcile, &alert, &state.id, record, now).await?;
            }
            return Ok(Pulled::default());
        }
        let mut labels = alert.labels.clone();
        labels.insert(MISSED.0.to_owned(), MISSED.1.to_owned());
        self.tell(&state.id, Alert { labels, ..alert }, record).await?;
        Ok(Pulled { missed: 1, ..Pulled::default() })
    }

    /// Its webhook may be on its way: from now on it is missed.
    async fn wait(
        &self,
        reconcile: &Reconcile,
        alert: &Alert,
        monitor: &str,
        record: Option<&MonitorRecord>,
        now: Timestamp,
    ) -> Result<(), PullError> {
        let unheard = || MonitorRecord {
            source: reconcile.source.clone(),
            id: monitor.to_owned(),
            status: Status::Cleared,
            fingerprint: None,
            asked: false,
            observed_at: alert.observed_at,
            missed_since: None,
        };
        let waiting = MonitorRecord { missed_since: Some(now), ..record.cloned().unwrap_or_else(unheard) };
        self.store.write_monitor(&waiting, record).await?;
        Ok(())
    }

    /// A monitor that was heard to fire and is not among those that do: its clear may have been missed.
    async fn over(
        &self,
        monitors: &dyn MonitorReader,
        reconcile: &Reconcile,
        record: &MonitorRecord,
        now: Timestamp,
    ) -> Result<Pulled, PullError> {
        if record.status == Status::Cleared {
            if record.missed_since.is_some() {
                let over = MonitorRecord { missed_since: None, ..record.clone() };
                self.store.write_monitor(&over, Some(record)).await?;
            }
            return Ok(Pulled::default());
        }
        let state = match self.within_deadline(monitors.state(&record.id)).await {
            Ok(Some(state)) if state.status == Some(Status::Cleared) => state,
            Ok(Some(_)) => return Ok(Pulled::default()),
            Ok(None) => {
                // Nobody can say any more whether it is over; people can, and it need not be asked again.
                tracing::warn!(source = record.source, monitor = record.id, "a monitor that fired is gone");
                let gone = MonitorRecord { status: Status::Cleared, ..record.clone() };
                self.store.write_monitor(&gone, Some(record)).await?;
                return Ok(Pulled::default());
            }
            Err(gap) => return Ok(unread(&reconcile.source, &gap)),
        };
        let Some(alert) = self.decode(reconcile, &state, now) else { return Ok(unread_one()) };
        if alert.status != Status::Cleared || alert.observed_at <= record.observed_at {
            return Ok(Pulled::default());
        }
        self.tell(&record.id, alert, Some(record)).await?;
        Ok(Pulled { cleared: 1, ..Pulled::default() })
    }

    /// The alert that the webhook would have been.
    fn decode(&self, reconcile: &Reconcile, state: &MonitorState, now: Timestamp) -> Option<Alert> {
        let source = self.config.source(&reconcile.source)?;
        let inbound = Inbound { headers: &[], query: "", body: &state.body, received_at: now };
        match source.decode(&inbound, &mut || AlertId::new(&state.id)) {
            Ok(alerts) => alerts.into_iter().next(),
            Err(error) => {
                tracing::error!(source = source.name, monitor = state.id, %error, "monitor not decoded");
                None
            }
        }
    }

    /// Into the inbox first and on record afterwards: the alert's id is what its system saw, so that a run that died in
    /// between, or one beside this, tells it under the same id.
    async fn tell(&self, monitor: &str, alert: Alert, record: Option<&MonitorRecord>) -> Result<(), PullError> {
        let (status, observed_at) = (alert.status, alert.observed_at);
        let Item { alert, fingerprint: own } = item(&*self.config, alert);
        let known = record.filter(|record| record.fingerprint.is_some());
        let fingerprint = known.and_then(|record| record.fingerprint.clone()).unwrap_or(own);
        let id = format!("{}-{fingerprint}-{}-{}", alert.source, observed_at.as_millisecond(), status.as_str());
        let alert = Alert { id: AlertId::new(id), ..alert };
        let told = MonitorRecord {
            source: alert.source.clone(),
            id: monitor.to_owned(),
            status,
            fingerprint: Some(fingerprint.clone()),
            asked: known.is_none_or(|record| record.asked),
            observed_at,
            missed_since: None,
        };
        tracing::warn!(
            alert.id = %alert.id, alert.fingerprint = %fingerprint, status = status.as_str(), "webhook missed"
        );
        self.queue.send_inbox(&pack(vec![Item { fingerprint, alert }]), 0).await?;
        self.store.write_monitor(&told, record).await?;
        Ok(())
    }

    async fn within_deadline<T>(&self, asked: impl Future<Output = Result<T, ReadError>>) -> Result<T, Gap> {
        let deadline = Duration::from_secs(self.config.deadlines.enrich_secs);
        let late = |_| Gap::new("monitors", format!("no answer within {} s", deadline.as_secs()));
        timeout(deadline, asked).await.map_err(late)?.map_err(|error| Gap::new("monitors", error.why))
    }
}

fn unread(source: &str, gap: &Gap) -> Pulled {
    tracing::error!(source, why = gap.why, "monitors not read");
    unread_one()
}

fn unread_one() -> Pulled {
    Pulled { unread: 1, ..Pulled::default() }
}
