//! Step 8: what was written is sent on its way.
//!
//! Invariant: this runs after the write and may run again: a queue message only points at what stands in the table. The
//! incident is marked until all of it was sent, so that whoever comes next sends what a crash left. One queue's failure
//! holds back no other queue's messages.

use domain::{Alert, Delivery, Incident, ReceiverKind, Timestamp};
use futures::future::join_all;

use crate::ports::{QueueError, StateChange};
use crate::{DeliveryMessage, InboxMessage, Triage, TriageError};

/// The longest delay that a queue takes, in seconds.
const DELAY_SECS_MAX: i64 = 900;

impl Triage {
    /// Tells the workers of new deliveries, and sends the incident's next look.
    pub(crate) async fn dispatch(&self, change: &StateChange, subject: &Alert) -> Result<(), TriageError> {
        let incident = &change.incident;
        if !incident.undispatched {
            return Ok(());
        }
        self.send_deliveries(&change.deliveries).await?;
        self.send_recheck(incident, subject).await?;
        Ok(self.store.mark_dispatched(&incident.fingerprint, incident.version).await?)
    }

    /// Sends what an earlier write told of, since whoever wrote it may not have come to that.
    pub(crate) async fn send_what_was_left(&self, incident: &Incident, subject: &Alert) -> Result<(), TriageError> {
        let mut left = self.store.deliveries(&incident.id, None).await?;
        left.retain(|d| !d.state.is_finished());
        self.send_deliveries(&left).await?;
        self.send_recheck(incident, subject).await
    }

    /// Sends the incident's next look, to be seen when it is due.
    pub(crate) async fn send_recheck(&self, incident: &Incident, subject: &Alert) -> Result<(), TriageError> {
        let Some(due) = incident.next_check_at.filter(|_| incident.is_looked_at_again()) else { return Ok(()) };
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
        join_all(sends).await.into_iter().collect()
    }
}

/// Whole seconds until `due`, rounded up, within what a queue takes.
fn delay_secs(now: Timestamp, due: Timestamp) -> u32 {
    let millis = due.as_millisecond().saturating_sub(now.as_millisecond());
    let secs = millis.div_euclid(1000) + i64::from(millis.rem_euclid(1000) > 0);
    u32::try_from(secs.clamp(0, DELAY_SECS_MAX)).unwrap_or(0)
}
