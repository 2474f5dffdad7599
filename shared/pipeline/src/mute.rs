//! Step 4: before anyone is asked or told, whether people want to hear of it now.
//!
//! Invariant: silences are at most [`SILENCES_FRESH_SECS`] old when they mute or do not. A table that does not answer
//! mutes nothing: people are told. What is muted is looked at again when that ends.

use std::time::Duration;

use config::Inhibition;
use domain::{Alert, Fingerprint, Incident, Reason, Silence, Timestamp};
use jiff::SignedDuration;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::Triage;
use crate::ports::{IncidentStore, StoreError};

/// How long silences that were read are good for, in seconds.
const SILENCES_FRESH_SECS: i64 = 30;

/// How long a page waits for them.
const SILENCES_TIMEOUT: Duration = Duration::from_secs(2);

/// When an alert that an open incident explains is looked at again, in seconds.
const INHIBITED_LOOK_SECS: i64 = 120;

/// Alerts that an incident explains while it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inhibits {
    /// What they have in common.
    pub group: String,
    /// False once the incident is over.
    pub is_open: bool,
}

/// The silences that stand in the table, as they were read last.
#[derive(Debug, Default)]
pub(crate) struct Silences(Mutex<Option<(Timestamp, Vec<Silence>)>>);

impl Silences {
    async fn read(&self, store: &dyn IncidentStore, now: Timestamp) -> Vec<Silence> {
        let mut kept = self.0.lock().await;
        if let Some((at, silences)) = kept.as_ref() {
            let age = now.as_second().saturating_sub(at.as_second());
            if (0..SILENCES_FRESH_SECS).contains(&age) {
                return silences.clone();
            }
        }
        let why = match timeout(SILENCES_TIMEOUT, store.silences(now)).await {
            Ok(Ok(silences)) => {
                *kept = Some((now, silences.clone()));
                return silences;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the table took too long to answer".to_owned(),
        };
        tracing::warn!(why, "silences cannot be read; nothing is muted by them");
        Vec::new()
    }
}

impl Triage {
    /// Reads what the first alert would have to wait for. A failure is none: it is tried again when it is needed.
    pub async fn prepare(&self) {
        self.silences.read(self.store.as_ref(), self.clock.now()).await;
    }

    /// Why people are not told of an alert now, if so. `current` is its own incident.
    pub(crate) async fn muted(&self, subject: &Alert, current: Option<&Incident>, now: Timestamp) -> Option<Reason> {
        let silences = self.silences.read(self.store.as_ref(), now).await;
        if let Some(reason) = self.config.muted(subject, &silences, now) {
            return Some(reason);
        }
        match self.inhibited(subject, current, now).await {
            Ok(reason) => reason,
            Err(error) => {
                tracing::warn!(%error, "whether an incident explains the alert cannot be read; it is told");
                None
            }
        }
    }

    async fn inhibited(
        &self,
        subject: &Alert,
        current: Option<&Incident>,
        now: Timestamp,
    ) -> Result<Option<Reason>, StoreError> {
        for inhibition in self.config.inhibitions.iter().filter(|inhibition| inhibition.has_target(subject)) {
            let open = self.store.inhibiting(&group(inhibition, subject)).await?;
            let other = open.into_iter().find(|incident| current.is_none_or(|own| own.id != *incident));
            if let Some(incident) = other {
                let until = now.checked_add(SignedDuration::from_secs(INHIBITED_LOOK_SECS)).unwrap_or(now);
                return Ok(Some(Reason::Inhibited { incident: incident.to_string(), until }));
            }
        }
        Ok(None)
    }

    /// The groups of alerts that an incident explains while it is open: none where nobody is told of it.
    pub(crate) fn inhibits(&self, subject: &Alert, now: Timestamp) -> Vec<String> {
        if self.config.recipients(subject, now).told.is_empty() {
            return Vec::new();
        }
        let inhibitions = self.config.inhibitions.iter().filter(|inhibition| inhibition.has_source(subject));
        inhibitions.map(|inhibition| group(inhibition, subject)).collect()
    }
}

/// What a source and its targets have in common: the inhibition, and the labels that it wants alike.
fn group(inhibition: &Inhibition, alert: &Alert) -> String {
    let text =
        |matchers: &[domain::Matcher]| matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let rule = format!("{} > {}", text(&inhibition.source), text(&inhibition.target));
    let alike = inhibition.equal.iter().map(|label| (label.clone(), alert.label(label).unwrap_or_default().to_owned()));
    Fingerprint::over([("inhibition".to_owned(), rule)].into_iter().chain(alike)).to_string()
}
