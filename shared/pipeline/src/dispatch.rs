//! Step 8: what was written is sent on its way.
//!
//! Invariant: this runs after the write and may run again: the table knows what is not finished, so that whoever takes
//! the alert again, or the sweep, sends what a crash left. One queue's failure holds back no other queue's messages.

use domain::{Alert, Delivery, Incident, ReceiverKind, Timestamp};
use futures::future::join_all;

use crate::ports::{Queue, QueueError, StateChange};
use crate::{DeliveryMessage, InboxMessage, Triage, TriageError};

/// The longest delay that a queue takes, in seconds.
const DELAY_SECS_MAX: i64 = 900;

impl Triage {
    /// Tells the workers of new deliveries, and sends the looks at the incident that are new.
    pub(crate) async fn dispatch(&self, change: &StateChange, subject: &Alert) -> Result<(), TriageError> {
        if let Some(notification) = &change.notification {
            let first = |delivery: &Delivery| DeliveryMessage::first(delivery, notification);
            send_deliveries(self.queue.as_ref(), &change.deliveries, first).await?;
        }
        for due in &change.looks {
            self.send_look(&change.incident, subject, *due).await?;
        }
        Ok(())
    }

    /// Sends what an earlier write told of, since whoever wrote it may not have come to that.
    pub(crate) async fn send_what_was_left(&self, incident: &Incident, subject: &Alert) -> Result<(), TriageError> {
        let mut left = self.store.deliveries(&incident.id, None).await?;
        left.retain(|d| !d.state.is_finished());
        send_deliveries(self.queue.as_ref(), &left, |delivery| DeliveryMessage::of(delivery.id.clone())).await?;
        for due in incident.looks() {
            self.send_look(incident, subject, due).await?;
        }
        Ok(())
    }

    /// Sends a look at the incident, to be seen when it is due.
    pub(crate) async fn send_look(
        &self,
        incident: &Incident,
        subject: &Alert,
        due: Timestamp,
    ) -> Result<(), TriageError> {
        let message = look(incident, subject, due);
        Ok(self.queue.send_inbox(&[message], delay_secs(self.clock.now(), due)).await?)
    }
}

/// The message of a look at an incident.
pub(crate) fn look(incident: &Incident, subject: &Alert, due: Timestamp) -> InboxMessage {
    InboxMessage::Recheck {
        fingerprint: incident.fingerprint.clone(),
        incident: incident.id.clone(),
        due,
        alert: Box::new(subject.clone()),
    }
}

/// Sends a message for each delivery to its kind's queue.
pub(crate) async fn send_deliveries(
    queue: &dyn Queue,
    deliveries: &[Delivery],
    message: impl Fn(&Delivery) -> DeliveryMessage,
) -> Result<(), QueueError> {
    let sends = ReceiverKind::ALL.into_iter().filter_map(|kind| {
        let messages: Vec<DeliveryMessage> = deliveries.iter().filter(|d| d.kind == kind).map(&message).collect();
        (!messages.is_empty()).then_some(async move { queue.send_deliveries(kind, &messages).await })
    });
    join_all(sends).await.into_iter().collect()
}

/// Whole seconds until `due`, rounded up, within what a queue takes.
fn delay_secs(now: Timestamp, due: Timestamp) -> u32 {
    let millis = due.as_millisecond().saturating_sub(now.as_millisecond());
    let secs = millis.div_euclid(1000) + i64::from(millis.rem_euclid(1000) > 0);
    u32::try_from(secs.clamp(0, DELAY_SECS_MAX)).unwrap_or(0)
}
