//! Step 6: what the receivers are told.
//!
//! Invariant: a notification is a snapshot of the moment of its transition; later facts do not change it.

use domain::{Alert, Confirmation, Incident, Notification, Timestamp, Transition};

use crate::enrich::Learned;

/// What is told when an episode opens.
pub(crate) fn opened(
    incident: &Incident,
    alert: &Alert,
    confirmation: Option<&Confirmation>,
    learned: &Learned,
    at: Timestamp,
) -> Notification {
    let mut told = notification(incident, alert, Transition::Opened, at);
    told.value = alert.value.or(learned.monitor.value);
    told.threshold = alert.threshold.or(learned.monitor.threshold);
    if let Some(link) = learned.monitor.link.as_ref().filter(|link| !told.links.contains(link)) {
        told.links.push(link.clone());
    }
    told.confirmation = confirmation.cloned();
    told.enrichment = learned.enrichment.clone();
    told
}

/// What is told later in an episode: what was told when it opened, brought up to date.
pub(crate) fn updated(
    opened: &Notification,
    incident: &Incident,
    transition: Transition,
    at: Timestamp,
) -> Notification {
    Notification {
        transition,
        at,
        state: incident.state,
        severity: incident.severity,
        occurrences: incident.occurrences,
        children: incident.children,
        held_until: incident.held_until,
        because: None,
        resolved_at: incident.resolved_at,
        ..opened.clone()
    }
}

/// The bare facts of an alert and its incident, without anything learned.
#[must_use]
pub fn notification(incident: &Incident, alert: &Alert, transition: Transition, at: Timestamp) -> Notification {
    Notification {
        incident: incident.id.clone(),
        fingerprint: incident.fingerprint.clone(),
        transition,
        at,
        state: incident.state,
        severity: incident.severity,
        rule: incident.rule.clone(),
        source: alert.source.clone(),
        monitor: alert.monitor.clone(),
        service: alert.service.clone(),
        metric: alert.metric.clone(),
        labels: alert.labels.clone(),
        value: alert.value,
        baseline: alert.baseline,
        threshold: alert.threshold,
        occurrences: incident.occurrences,
        children: incident.children,
        held_until: incident.held_until,
        because: None,
        received_at: Some(alert.received_at),
        opened_at: incident.opened_at.unwrap_or(at),
        resolved_at: incident.resolved_at,
        confirmation: None,
        enrichment: domain::Enrichment::default(),
        links: alert.links.clone(),
    }
}
