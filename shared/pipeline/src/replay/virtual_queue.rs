//! The queues of a replay: what is sent waits here until its time.
//!
//! Invariant: of two messages that are due at once the one that was sent first comes first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::{ReceiverKind, Timestamp};
use jiff::SignedDuration;

use super::VirtualClock;
use crate::ports::{Clock, Queue, QueueError};
use crate::{DeliveryMessage, InboxMessage};

/// When a message is due, and its number among all.
type Place = (Timestamp, u64);

#[derive(Debug, Default)]
struct Waiting {
    inbox: BTreeMap<Place, InboxMessage>,
    deliveries: VecDeque<DeliveryMessage>,
    sent: u64,
}

#[derive(Debug)]
pub(super) struct VirtualQueue {
    clock: Arc<VirtualClock>,
    waiting: Mutex<Waiting>,
}

impl VirtualQueue {
    pub(super) fn new(clock: Arc<VirtualClock>) -> Self {
        Self { clock, waiting: Mutex::default() }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next inbox message that is due until then.
    pub(super) fn next_due(&self, until: Timestamp) -> Option<(Timestamp, InboxMessage)> {
        let mut waiting = self.waiting();
        let first = waiting.inbox.first_entry().filter(|first| first.key().0 <= until)?;
        let ((due, _), message) = first.remove_entry();
        Some((due, message))
    }

    /// Takes the delivery that was sent first.
    pub(super) fn next_delivery(&self) -> Option<DeliveryMessage> {
        self.waiting().deliveries.pop_front()
    }
}

#[async_trait]
impl Queue for VirtualQueue {
    async fn send_inbox(&self, messages: &[InboxMessage], delay_secs: u32) -> Result<(), QueueError> {
        let now = self.clock.now();
        let due = now.checked_add(SignedDuration::from_secs(i64::from(delay_secs))).unwrap_or(Timestamp::MAX);
        let mut waiting = self.waiting();
        for message in messages {
            waiting.sent += 1;
            let place = (due, waiting.sent);
            waiting.inbox.insert(place, message.clone());
        }
        Ok(())
    }

    async fn send_deliveries(&self, _kind: ReceiverKind, messages: &[DeliveryMessage]) -> Result<(), QueueError> {
        self.waiting().deliveries.extend(messages.iter().cloned());
        Ok(())
    }

    async fn deliveries_held(&self, _kind: ReceiverKind) -> Result<u64, QueueError> {
        Ok(self.waiting().deliveries.len() as u64)
    }

    async fn resend_inbox(&self, body: &str) -> Result<(), QueueError> {
        let unread = |error: serde_json::Error| QueueError { queue: "inbox".to_owned(), why: error.to_string() };
        let message = serde_json::from_str(body).map_err(unread)?;
        self.send_inbox(&[message], 0).await
    }

    async fn bury(&self, _kind: ReceiverKind, _message: &DeliveryMessage) -> Result<(), QueueError> {
        Ok(())
    }
}
