//! Step 9: deliveries reach their receivers, in order within an incident and receiver.
//!
//! Invariant: a delivery is sent under a lease and marked delivered only after the vendor said yes; whatever a crash or
//! a silent vendor leaves uncertain is looked up before it is sent again. A vendor that will never take it, and an
//! attempt too many, end among the dead letters.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use config::{Config, TemplateDirectory};
use domain::{Delivery, DeliveryId, DeliveryState, Handle, IncidentId, Lease, ReceiverKind, Timestamp, Transition};
use futures::{StreamExt, stream};
use jiff::SignedDuration;
use receivers::EarlierHandle;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::ports::{Claim, Clock, HttpSender, IncidentStore, Queue, StoreError};
use crate::{DeliveryMessage, QueuedMessage, Unfinished};

mod attempt;

/// Seconds for which a worker holds a delivery; longer than any attempt may take.
pub const LEASE_SECS: u64 = 60;

/// Attempts before a delivery is given up: with waits of two and a half to five minutes, at least half a day of outage.
pub const ATTEMPTS_MAX: u32 = 300;

/// Seconds that one batch may take: an attempt is cut off before its lease ends.
const ATTEMPT_SECS_MAX: u64 = LEASE_SECS - 15;

/// A worker that finds a delivery held looks again after this many seconds: the holder is mostly done by then.
const HELD_SECS_MAX: i64 = 5;

/// Deliveries made at one time.
const CONCURRENT_MAX: usize = 10;

/// What delivery reads and writes.
pub struct Deliver {
    config: Arc<Config>,
    store: Arc<dyn IncidentStore>,
    queue: Arc<dyn Queue>,
    sender: Arc<dyn HttpSender>,
    templates: Arc<TemplateDirectory>,
    clock: Arc<dyn Clock>,
}

/// It is not done; come again after this many seconds, or at the queue's own pace.
#[derive(Debug)]
struct Later(Option<u32>);

impl From<StoreError> for Later {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "delivery not done; comes again");
        Self(None)
    }
}

impl Deliver {
    /// Over a config, a store, the queues, the way to the vendors and the templates.
    #[must_use]
    pub fn new(
        config: Arc<Config>,
        store: Arc<dyn IncidentStore>,
        queue: Arc<dyn Queue>,
        sender: Arc<dyn HttpSender>,
        templates: Arc<TemplateDirectory>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { config, store, queue, sender, templates, clock }
    }

    /// Delivers a batch within `time_left` and names the messages that must come again.
    pub async fn deliver(&self, batch: Vec<QueuedMessage>, time_left: Duration) -> Vec<Unfinished> {
        let until = Instant::now() + time_left.min(Duration::from_secs(ATTEMPT_SECS_MAX));
        let (work, mut unfinished) = by_receiver(batch);
        let later = stream::iter(work)
            .map(|((incident, receiver), work)| async move {
                let brought = timeout_at(until, self.bring_up_to(&incident, &receiver, work.seq)).await;
                match brought.unwrap_or(Err(Later(Some(u32::try_from(LEASE_SECS).unwrap_or(u32::MAX))))) {
                    Ok(()) => Vec::new(),
                    Err(Later(after_secs)) => {
                        work.messages.into_iter().map(|id| Unfinished { id, after_secs }).collect::<Vec<_>>()
                    }
                }
            })
            .buffer_unordered(CONCURRENT_MAX)
            .concat()
            .await;
        unfinished.extend(later);
        unfinished
    }

    /// Brings every unfinished delivery of an incident to a receiver up to `seq`, in order.
    async fn bring_up_to(&self, incident: &IncidentId, receiver: &str, seq: u32) -> Result<(), Later> {
        let mut known = Handle::default();
        if seq > 0 {
            for before in self.store.deliveries(incident, Some(receiver)).await? {
                if before.state.is_finished() {
                    known.absorb(&before.progress.handle);
                } else if before.id.seq < seq {
                    known.absorb(&self.bring(&before.id, &known).await?);
                }
            }
        }
        let id = DeliveryId { incident: incident.clone(), receiver: receiver.to_owned(), seq };
        self.bring(&id, &known).await.map(drop)
    }

    /// Brings one delivery, and returns what the vendor gave for it.
    async fn bring(&self, id: &DeliveryId, known: &Handle) -> Result<Handle, Later> {
        let now = self.clock.now();
        let until = now.checked_add(SignedDuration::from_secs(LEASE_SECS.cast_signed())).unwrap_or(Timestamp::MAX);
        let lease = Lease { token: Uuid::now_v7().to_string(), until };
        match self.store.claim_delivery(id, &lease, now).await? {
            Claim::Granted(mut delivery) => {
                let taken_over = delivery.state == DeliveryState::Leased;
                delivery.state = DeliveryState::Leased;
                delivery.attempts += 1;
                let earlier = self.earlier_handle(&delivery).await?;
                self.attempt(*delivery, lease, known, earlier.as_ref(), taken_over).await
            }
            Claim::Held { until } => {
                let secs = (until.as_second() - now.as_second()).clamp(1, HELD_SECS_MAX);
                Err(Later(u32::try_from(secs).ok()))
            }
            Claim::NotDue { until } => {
                let secs = (until.as_second() - now.as_second() + 1).max(1);
                Err(Later(Some(u32::try_from(secs).unwrap_or(u32::MAX))))
            }
            Claim::Finished => Ok(Handle::default()),
            Claim::Missing => {
                tracing::error!(delivery.id = %id, "a queue message names a delivery that the table does not have");
                Err(Later(None))
            }
        }
    }

    /// What the receiver has of the episode before: a ticket that may be reopened.
    async fn earlier_handle(&self, delivery: &Delivery) -> Result<Option<EarlierHandle>, StoreError> {
        let wanted = delivery.kind == ReceiverKind::Jira && delivery.transition() == Transition::Opened;
        let Some(before) = delivery.notification.enrichment.earlier.first().filter(|_| wanted) else {
            return Ok(None);
        };
        let mut handle = Handle::default();
        for told in self.store.deliveries(&before.incident, Some(&delivery.id.receiver)).await? {
            handle.absorb(&told.progress.handle);
        }
        Ok((!handle.is_empty()).then_some(EarlierHandle { handle, resolved_at: before.resolved_at }))
    }
}

/// The messages of one incident and receiver.
#[derive(Default)]
struct Work {
    seq: u32,
    messages: Vec<String>,
}

type ByReceiver = BTreeMap<(IncidentId, String), Work>;

/// The batch by incident and receiver, and the messages that could not be read.
fn by_receiver(batch: Vec<QueuedMessage>) -> (ByReceiver, Vec<Unfinished>) {
    let mut work = ByReceiver::new();
    let mut unreadable = Vec::new();
    for QueuedMessage { id, body } in batch {
        match serde_json::from_str::<DeliveryMessage>(&body) {
            Ok(DeliveryMessage { delivery }) => {
                let entry = work.entry((delivery.incident, delivery.receiver)).or_default();
                entry.seq = entry.seq.max(delivery.seq);
                entry.messages.push(id);
            }
            Err(error) => {
                tracing::error!(
                    message.id = id,
                    line = error.line(),
                    column = error.column(),
                    "not a delivery message"
                );
                unreadable.push(Unfinished { id, after_secs: None });
            }
        }
    }
    (work, unreadable)
}
