//! What travels through the queues.
//!
//! Invariant: a message names work and carries no secret. What a message of an older version lacked still reads.

use domain::{Alert, Delivery, DeliveryId, Fingerprint, IncidentId, Notification, Timestamp};
use serde::{Deserialize, Serialize};

/// One alert with its fingerprint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// As `receive` answered it.
    pub fingerprint: Fingerprint,
    /// The alert.
    pub alert: Alert,
}

/// What waits for triage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InboxMessage {
    /// Alerts of one webhook.
    Alerts {
        /// In the order of the body.
        items: Vec<Item>,
    },
    /// A later look at a pending incident.
    Recheck {
        /// The fingerprint.
        fingerprint: Fingerprint,
        /// The episode that was rejected.
        incident: IncidentId,
        /// The look that this message is: another time in the incident means that it was superseded.
        due: Timestamp,
        /// The alert that it is about: the one that began it, or the worst that was held back.
        alert: Box<Alert>,
    },
}

/// A notification this large, in bytes of JSON, is read from the table instead of travelling with its message. SQS counts
/// a request for each 64 KiB.
const CARRIED_BYTES_MAX: usize = 24 * 1024;

/// A delivery to be made. What stands in the table travels along where it saves reading it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryMessage {
    /// Which.
    pub delivery: DeliveryId,
    /// What it says, as it stands in the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification: Option<Box<Notification>>,
    /// The delivery, where it is leased to this message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leased: Option<Box<Delivery>>,
}

impl DeliveryMessage {
    /// A message that only points at a delivery.
    #[must_use]
    pub fn of(delivery: DeliveryId) -> Self {
        Self { delivery, notification: None, leased: None }
    }

    /// The first message of a delivery that was just written.
    #[must_use]
    pub fn first(delivery: &Delivery, notification: &Notification) -> Self {
        let bytes = serde_json::to_string(notification).map_or(usize::MAX, |text| text.len());
        Self {
            delivery: delivery.id.clone(),
            notification: (bytes <= CARRIED_BYTES_MAX).then(|| Box::new(notification.clone())),
            leased: delivery.lease.as_ref().map(|_| Box::new(delivery.clone())),
        }
    }
}

/// A message as a queue hands it out.
#[derive(Debug, Clone)]
pub struct QueuedMessage {
    /// The queue's id for it.
    pub id: String,
    /// Its body.
    pub body: String,
    /// Times that it was handed out, this one included; from 1.
    pub receives: u32,
}

impl QueuedMessage {
    /// A message that is handed out for the first time.
    #[must_use]
    pub fn new(id: impl Into<String>, body: impl Into<String>) -> Self {
        Self { id: id.into(), body: body.into(), receives: 1 }
    }
}

/// A message that is to come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The queue's id for it.
    pub id: String,
    /// Seconds after which it should; the queue's own pace otherwise.
    pub after_secs: Option<u32>,
}
