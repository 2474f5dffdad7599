//! The children of a grouped incident: read before a decision, written with it, shown at most once a second.
//!
//! Invariant: a child is written in the transaction of its incident, on what was read of it. An alert of a child that
//! fires notes its time in the child before it is counted in the incident, so that a clear which it has overtaken ends
//! nothing. New counts are told of by a look of their own: the last one always comes.

use std::collections::BTreeMap;

use domain::{
    Alert, CHILDREN_PER_WRITE_MAX, Decision, Fingerprint, Fold, Group, Incident, IncidentId, Notification, Timestamp,
    Transition,
};
use futures::future::try_join_all;

use crate::ports::StoreError;
use crate::{Triage, TriageError, notify};

impl Triage {
    /// The labels by which the alert's rule tells children apart; none where it does not.
    pub(crate) fn child_labels(&self, alert: &Alert) -> &[String] {
        &self.config.rule_of(alert).children
    }

    /// A run in parts that one write takes.
    pub(crate) fn parts(&self, run: Vec<Alert>) -> Vec<Vec<Alert>> {
        match run.first() {
            Some(alert) if !self.child_labels(alert).is_empty() => {
                run.chunks(CHILDREN_PER_WRITE_MAX).map(<[Alert]>::to_vec).collect()
            }
            _ => vec![run],
        }
    }

    /// The children of alerts as they stand; `None` where their rule tells none apart.
    pub(crate) async fn group(
        &self,
        current: Option<&Incident>,
        alerts: &[Alert],
        subject: &Alert,
        is_look: bool,
    ) -> Result<Option<Group>, StoreError> {
        let labels = self.child_labels(subject);
        if labels.is_empty() {
            return Ok(None);
        }
        let keys: Vec<Fingerprint> = newest_by_child(alerts, labels).into_keys().collect();
        let known = match current.filter(|_| !keys.is_empty()) {
            Some(current) => self.store.children(&current.id, &keys).await?,
            None => Vec::new(),
        };
        let group = Group::new(labels, known, is_look, &self.config.rule_of(subject).policy);
        let unknown = group.unknown(&keys);
        Ok(Some(match current.and_then(|current| current.previous.as_ref()).filter(|_| !unknown.is_empty()) {
            Some(previous) => group.after(self.store.children(previous, &unknown).await?),
            None => group,
        }))
    }

    /// Notes that children which are known to fire were seen again. Their incident, where all of them were.
    pub(crate) async fn see_again(
        &self,
        fingerprint: &Fingerprint,
        alerts: &[Alert],
        labels: &[String],
    ) -> Result<Option<IncidentId>, StoreError> {
        let newest = newest_by_child(alerts, labels);
        let keys: Vec<Fingerprint> = newest.keys().cloned().collect();
        let Some(incident) = self.known_children.incident_of(fingerprint, &keys) else { return Ok(None) };
        let seen = newest.iter().map(|(key, alert)| self.store.see_child(&incident, key, alert.received_at));
        let all = try_join_all(seen).await?.into_iter().all(|seen| seen);
        Ok(all.then_some(incident))
    }

    /// What a decision, which left `after`, writes of the children.
    pub(crate) async fn settle_children(
        &self,
        group: Option<&Group>,
        current: Option<&Incident>,
        after: &Incident,
        alerts: &[Alert],
        decision: &Decision,
    ) -> Result<Fold, StoreError> {
        let Some(group) = group else { return Ok(Fold { counts: after.children, ..Fold::default() }) };
        let held_back = match current.filter(|current| current.id != after.id && current.children.firing > 0) {
            Some(over) => self.store.held_back_children(&over.id, CHILDREN_PER_WRITE_MAX).await?,
            None => Vec::new(),
        };
        Ok(group.settled(current, after, alerts, decision, held_back))
    }

    /// What those are shown who see changes in place, and their names: nobody is told anew.
    pub(crate) async fn shown(
        &self,
        incident: &Incident,
        subject: &Alert,
        now: Timestamp,
    ) -> Result<Option<(Notification, Vec<String>)>, TriageError> {
        // Those who were told of the opening: a phase or hours may have kept others from it.
        let told = self.config.recipients(subject, incident.opened_at.unwrap_or(now)).told.into_iter();
        let receivers: Vec<String> = told.filter(|one| one.shows_updates()).map(|one| one.name.clone()).collect();
        if receivers.is_empty() {
            return Ok(None);
        }
        // The first transition of an episode is its opening.
        let first = self.store.notification(&incident.id, 0).await?;
        Ok(first.map(|first| (notify::updated(&first, incident, Transition::Updated, now), receivers)))
    }
}

fn newest_by_child<'a>(alerts: &'a [Alert], labels: &[String]) -> BTreeMap<Fingerprint, &'a Alert> {
    let mut newest: BTreeMap<Fingerprint, &Alert> = BTreeMap::new();
    for alert in alerts {
        let known = newest.entry(Fingerprint::of(alert, labels)).or_insert(alert);
        if known.received_at < alert.received_at {
            *known = alert;
        }
    }
    newest
}
