//! What travels through the queues.
//!
//! Invariant: a message names work and carries no secret. What a message of an older version lacked still reads.

use domain::{Alert, DeliveryId, Fingerprint, IncidentId, Timestamp};
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
        /// The alert that began it.
        alert: Box<Alert>,
    },
}

/// A delivery to be made: the delivery itself stands in the table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DeliveryMessage {
    /// Which.
    pub delivery: DeliveryId,
}

/// A message as a queue hands it out.
#[derive(Debug, Clone)]
pub struct QueuedMessage {
    /// The queue's id for it.
    pub id: String,
    /// Its body.
    pub body: String,
}

/// A message that is to come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The queue's id for it.
    pub id: String,
    /// Seconds after which it should; the queue's own pace otherwise.
    pub after_secs: Option<u32>,
}
