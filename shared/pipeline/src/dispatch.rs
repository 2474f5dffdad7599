//! Step 8: what was written is sent on its way.
//!
//! Invariant: this runs after the write and may run again: a queue message only points at what stands in the table.

use domain::{Alert, Delivery, Incident, State};
use domain::{ReceiverKind, Timestamp};
use futures::future::try_join_all;

use crate::ports::{QueueError, StateChange};
use crate::{DeliveryMessage, InboxMessage, Triage, TriageError};

/// The longest delay that a queue takes, in seconds.
const DELAY_SECS_MAX: i64 = 900;

impl Triage {
    /// Tells the workers of new deliveries, and sends the next look of a pending incident.
    pub(crate) async fn dispatch(&self, change: &StateChange, subject: &Alert) -> Result<(), TriageError> {
        self.send_deliveries(&change.deliveries).await?;
        self.send_recheck(&change.incident, subject).await
    }

    /// An alert that was taken before comes again when its first taking was cut short: what that one wrote is sent on.
    pub(crate) async fn finish_what_was_left(&self, incident: &Incident, subject: &Alert) -> Result<(), TriageError> {
        let mut left = self.store.deliveries(&incident.id, None).await?;
        left.retain(|d| !d.state.is_finished());
        self.send_deliveries(&left).await?;
        self.send_recheck(incident, subject).await
    }

    /// Sends a pending incident's next look, to be seen when it is due.
    pub(crate) async fn send_recheck(&self, incident: &Incident, subject: &Alert) -> Result<(), TriageError> {
        let Some(due) = incident.next_check_at.filter(|_| incident.state == State::Pending) else { return Ok(()) };
        let message = InboxMessage::Recheck {
            fingerprint: incident.fingerprint.clone(),
            incident: incident.id.clone(),
            due,
            alert: Box::new(subject.clone()),
        };
        Ok(self.queue.send_inbox(&[message], delay_secs(self.clock.now(), due)).await?)
    }

    async fn send_deliveries(&self, deliveries: &[Delivery]) -> Result<(), QueueError> {
        let sends = ReceiverKind::ALL.into_iter().filter_map(|kind| {
            let messages: Vec<DeliveryMessage> = deliveries
                .iter()
                .filter(|d| d.kind == kind)
                .map(|d| DeliveryMessage { delivery: d.id.clone() })
                .collect();
            (!messages.is_empty()).then_some(async move { self.queue.send_deliveries(kind, &messages).await })
        });
        try_join_all(sends).await.map(drop)
    }
}

/// Whole seconds until `due`, rounded up, within what a queue takes.
fn delay_secs(now: Timestamp, due: Timestamp) -> u32 {
    let millis = due.as_millisecond().saturating_sub(now.as_millisecond());
    let secs = millis.div_euclid(1000) + i64::from(millis.rem_euclid(1000) > 0);
    u32::try_from(secs.clamp(0, DELAY_SECS_MAX)).unwrap_or(0)
}
