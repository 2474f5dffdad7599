//! What alerts say of their monitors, kept where config has a source asked for webhooks that never came.
//!
//! Invariant: a monitor that was heard of is on record, whatever was decided: else it would be found missing, and told
//! again under another fingerprint. A webhook that comes after its monitor was asked for joins that incident.

use std::collections::BTreeMap;

use domain::{Alert, Fingerprint, State, Status};

use crate::Triage;
use crate::inbox::item;
use crate::ports::{MonitorRecord, StoreError};

/// The label on alerts whose webhook never came.
pub(crate) const MISSED: (&str, &str) = ("webhook", "missed");

impl Triage {
    /// What an alert says of its monitor; `None` where nobody will ask.
    pub(crate) fn heard(&self, fingerprint: &Fingerprint, alert: Option<&Alert>) -> Option<MonitorRecord> {
        let (reconcile, alert) = (self.config.arize_api.as_ref()?.reconcile.as_ref()?, alert?);
        if reconcile.source != alert.source {
            return None;
        }
        Some(MonitorRecord {
            source: alert.source.clone(),
            id: alert.monitor_id.clone()?,
            status: alert.status,
            fingerprint: Some(fingerprint.clone()),
            // Under another fingerprint than its own an alert only comes by `joined`.
            asked: alert.labels.get(MISSED.0).is_some_and(|value| value == MISSED.1)
                || item(&*self.config, alert.clone()).fingerprint != *fingerprint,
            observed_at: alert.observed_at,
            missed_since: None,
        })
    }

    /// The fingerprint of the incident that an alert belongs to because its monitor was asked for before its webhook
    /// came; `None` where there is none, and the alert goes under its own.
    pub(crate) async fn joined(&self, own: &Fingerprint, alert: &Alert) -> Result<Option<Fingerprint>, StoreError> {
        let Some(id) = self.heard(own, Some(alert)).map(|record| record.id) else { return Ok(None) };
        let record = self.store.monitor(&alert.source, &id).await?;
        let asked = record.filter(|record| record.asked && record.status == Status::Firing);
        let Some(fingerprint) = asked.and_then(|record| record.fingerprint).filter(|asked| asked != own) else {
            return Ok(None);
        };
        let incident = self.store.incident(&fingerprint).await?;
        Ok(incident.filter(|incident| incident.state != State::Resolved).map(|_| fingerprint))
    }

    /// Puts on record what no state change carried: duplicates, and the other monitors of one problem. The alerts are
    /// settled by now, so that a store that fails is only told of in the log.
    pub(crate) async fn remember(&self, fingerprint: &Fingerprint, alerts: &[Alert], written: Option<&MonitorRecord>) {
        let mut newest: BTreeMap<String, MonitorRecord> = BTreeMap::new();
        for record in alerts.iter().filter_map(|alert| self.heard(fingerprint, Some(alert))) {
            let known = newest.entry(record.id.clone()).or_insert_with(|| record.clone());
            if known.observed_at < record.observed_at {
                *known = record;
            }
        }
        for record in newest.values().filter(|record| written.is_none_or(|written| written.id != record.id)) {
            if let Err(error) = self.store.hear_of_monitor(record).await {
                tracing::warn!(%error, monitor = record.id, "a monitor's news are not on record");
            }
        }
    }
}
