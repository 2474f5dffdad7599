//! Dead letters: people hear of each by the config's `fallback`, once.
//!
//! Invariant: a letter stays where it is, so that the queue's own alarm and `tocsin redrive` find it. What it is told as
//! has an id that follows from the letter: found again, it is not told again.

use std::collections::BTreeMap;

use domain::{
    Alert, AlertId, Children, Delivery, DeliveryId, Enrichment, Fingerprint, Gap, IncidentId, Notification, Severity,
    State, Status, Timestamp, Transition,
};

use super::Sweep;
use crate::dispatch::send_deliveries;
use crate::fallback::tell_others;
use crate::ports::{DeadLetter, DeadLetterQueue};
use crate::{DeliveryMessage, InboxMessage, SweepError};

/// Seconds for which a letter that was looked at is not shown to the next run.
const HIDDEN_SECS: u32 = 15 * 60;

/// Looks at one queue in one run, of ten letters each: the last of many must be seen before the first are shown again.
const LOOKS_MAX: usize = 20;

impl Sweep {
    /// Tells people of what was given up in one queue.
    pub(super) async fn tell_of_dead_letters(&self, queue: DeadLetterQueue) -> Result<usize, SweepError> {
        let mut found = 0;
        for _ in 0..LOOKS_MAX {
            let letters = self.dead_letters.look(queue, HIDDEN_SECS).await?;
            if letters.is_empty() {
                break;
            }
            for letter in &letters {
                tracing::error!(message.id = letter.id, queue = ?queue, "a message was given up");
                match queue {
                    DeadLetterQueue::Deliveries(_) => self.tell_of_delivery(letter).await?,
                    DeadLetterQueue::Inbox => self.tell_of_inbox(letter).await?,
                }
            }
            found += letters.len();
        }
        Ok(found)
    }

    /// A delivery that ended by itself was told of when it ended; one whose messages were handed out too often was not.
    async fn tell_of_delivery(&self, letter: &DeadLetter) -> Result<(), SweepError> {
        let Ok(message) = serde_json::from_str::<DeliveryMessage>(&letter.body) else {
            return self.tell(letter, Vec::new()).await;
        };
        let id = &message.delivery;
        let Some(delivery) = self.store.delivery(id).await? else { return Ok(()) };
        let Some(told) = self.store.notification(&id.incident, id.seq).await? else { return Ok(()) };
        if delivery.state.is_finished() && !delivery.is_dead() {
            return Ok(());
        }
        let (config, store, queue) = (&self.config, self.store.as_ref(), self.queue.as_ref());
        tell_others(config, store, queue, &delivery, &told, self.clock.now()).await
    }

    /// Alerts that never became an incident are told as they are.
    async fn tell_of_inbox(&self, letter: &DeadLetter) -> Result<(), SweepError> {
        let alerts = match serde_json::from_str(&letter.body) {
            Ok(InboxMessage::Alerts { items }) => items.into_iter().map(|item| item.alert).collect(),
            Ok(InboxMessage::Recheck { alert, .. }) => vec![*alert],
            Err(_) => Vec::new(),
        };
        self.tell(letter, alerts).await
    }

    /// Tells every fallback of a letter, under an incident that stands for it.
    async fn tell(&self, letter: &DeadLetter, alerts: Vec<Alert>) -> Result<(), SweepError> {
        let now = self.clock.now();
        let Some(told) = notification(letter, alerts, now) else { return Ok(()) };
        for receiver in self.config.fallback.iter().filter_map(|name| self.config.receiver(name)) {
            let id = DeliveryId { incident: told.incident.clone(), receiver: receiver.name.clone(), seq: 0 };
            let delivery = Delivery::pending(id, receiver.kind(), Transition::Opened, now);
            self.store.add_delivery(&delivery, &told).await?;
            let message = |delivery: &Delivery| DeliveryMessage::of(delivery.id.clone());
            send_deliveries(self.queue.as_ref(), &[delivery], message).await?;
        }
        Ok(())
    }
}

/// What people are told of a letter: its worst alert, or that not even an alert can be read.
fn notification(letter: &DeadLetter, alerts: Vec<Alert>, now: Timestamp) -> Option<Notification> {
    let more = alerts.len().saturating_sub(1);
    let alert = alerts.into_iter().max_by_key(|alert| alert.severity).unwrap_or_else(|| unreadable(letter, now));
    // The same whenever the letter is found.
    let fingerprint = Fingerprint::of(&unreadable(letter, now), &["monitor".to_owned()]);
    let incident = IncidentId::try_from(format!("dead-{}", fingerprint.as_str())).ok()?;
    let others = if more == 0 { String::new() } else { format!(", with {more} more alerts") };
    let why = format!("it was given up and stands among the dead letters{others}; `tocsin redrive` tries it again");
    Some(Notification {
        incident,
        fingerprint,
        transition: Transition::Opened,
        at: now,
        state: State::Open,
        severity: alert.severity,
        rule: alert.rule.unwrap_or_default(),
        source: alert.source,
        monitor: alert.monitor,
        service: alert.service,
        metric: alert.metric,
        labels: alert.labels,
        value: alert.value,
        baseline: alert.baseline,
        threshold: alert.threshold,
        occurrences: 1 + more as u64,
        children: Children::default(),
        held_until: None,
        because: None,
        received_at: Some(alert.received_at),
        opened_at: now,
        resolved_at: None,
        confirmation: None,
        enrichment: Enrichment { gaps: vec![Gap::new("incident", why)], ..Enrichment::default() },
        links: alert.links,
    })
}

/// What is told where not even the alert can be read.
fn unreadable(letter: &DeadLetter, now: Timestamp) -> Alert {
    Alert {
        id: AlertId::new(letter.id.clone()),
        source: "tocsin".to_owned(),
        monitor: format!("unreadable message {}", letter.id),
        monitor_id: None,
        service: "tocsin".to_owned(),
        metric: "dead_letters".to_owned(),
        status: Status::Firing,
        severity: Severity::Error,
        labels: BTreeMap::new(),
        value: None,
        baseline: None,
        threshold: None,
        observed_at: now,
        received_at: now,
        links: Vec::new(),
        rule: None,
        also: Vec::new(),
    }
}
