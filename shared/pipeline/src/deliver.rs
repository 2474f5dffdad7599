//! Step 9: deliveries reach their receivers, in order within an incident and receiver.
//!
//! Invariant: a delivery is sent under a lease and marked delivered only after the vendor said yes; whatever a crash or
//! a silent vendor leaves uncertain is looked up before it is sent again. A vendor that will never take it, and an
//! attempt too many, end among the dead letters, and people are told by the config's `fallback`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use config::{Config, TemplateDirectory};
use domain::{
    Delivery, DeliveryState, Handle, IncidentId, Lease, MESSAGE_LEASE_SECS, Notification, Timestamp, Transition,
};
use futures::{StreamExt, stream};
use jiff::SignedDuration;
use receivers::EarlierHandle;
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use crate::ports::{Claim, Clock, HttpSender, IncidentStore, Queue, QueueError, StoreError};
use crate::{DeliveryMessage, QueuedMessage, SweepError, Unfinished};

mod attempt;
mod breaker;
mod updates;

use breaker::{Breakers, wait_secs};

/// Seconds for which a worker holds a delivery; longer than any attempt may take.
pub const LEASE_SECS: u64 = 60;

/// Attempts before a delivery is given up: with waits of two and a half to five minutes, at least half a day of outage.
pub const ATTEMPTS_MAX: u32 = 300;

/// Seconds that one batch may take: an attempt is cut off before its lease ends.
const ATTEMPT_SECS_MAX: u64 = LEASE_SECS - 15;

/// What an attempt may take that nobody else can see; so much must be left of the message's lease when it begins.
const MESSAGE_ATTEMPT: Duration = Duration::from_millis(MESSAGE_ATTEMPT_MILLIS.unsigned_abs());
const MESSAGE_ATTEMPT_MILLIS: i64 = 7000;

/// A worker that finds a delivery held looks again after this many seconds: the holder is mostly done by then.
const HELD_SECS_MAX: i32 = 5;

/// Deliveries made at one time.
const CONCURRENT_MAX: usize = 10;

/// Seconds after which a message comes again where the table or a queue did not answer.
const UNANSWERED_SECS: u32 = 5;

/// What delivery reads and writes.
pub struct Deliver {
    config: Arc<Config>,
    store: Arc<dyn IncidentStore>,
    queue: Arc<dyn Queue>,
    sender: Arc<dyn HttpSender>,
    templates: Arc<TemplateDirectory>,
    clock: Arc<dyn Clock>,
    breakers: Breakers,
}

/// It is not done; come again after this many seconds, or, where the table or a queue did not answer, soon.
#[derive(Debug)]
struct Later(Option<u32>);

impl From<StoreError> for Later {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "delivery not done; comes again");
        Self(None)
    }
}

impl From<QueueError> for Later {
    fn from(error: QueueError) -> Self {
        Self::from(SweepError::from(error))
    }
}

impl From<SweepError> for Later {
    fn from(error: SweepError) -> Self {
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
        Self { config, store, queue, sender, templates, clock, breakers: Breakers::default() }
    }

    /// Delivers a batch within `time_left` and names the messages that must come again.
    pub async fn deliver(&self, batch: Vec<QueuedMessage>, time_left: Duration) -> Vec<Unfinished> {
        let until = Instant::now() + time_left.min(Duration::from_secs(ATTEMPT_SECS_MAX));
        let (work, mut unfinished) = by_receiver(batch);
        let later = stream::iter(work)
            .map(|((incident, receiver), work)| async move {
                let brought = timeout_at(until, self.bring_up_to(&incident, &receiver, &work)).await;
                match brought.unwrap_or(Err(Later(Some(u32::try_from(LEASE_SECS).unwrap_or(u32::MAX))))) {
                    Ok(()) => Vec::new(),
                    Err(Later(after_secs)) => {
                        let after_secs = after_secs.or(Some(wait_secs(UNANSWERED_SECS, work.receives)));
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

    /// Brings every unfinished delivery of an incident to a receiver up to the newest of `work`, in order.
    async fn bring_up_to(&self, incident: &IncidentId, receiver: &str, work: &Work) -> Result<(), Later> {
        let now = self.clock.now();
        if let Some(secs) = self.breakers.rest_secs(receiver, now) {
            // Nothing is claimed, so that waiting for a vendor that is down uses up no attempt.
            return Err(Later(Some(wait_secs(secs, work.receives))));
        }
        let Some((&seq, newest)) = work.told.last_key_value() else { return Ok(()) };
        let mut known = Handle::default();
        if seq > 0 {
            let all = self.store.deliveries(incident, Some(receiver)).await?;
            let mut brought: Option<&Delivery> = None;
            for before in &all {
                if let Some(until) = before.message_until.filter(|until| now < *until && before.id.seq < seq) {
                    return Err(Later(u32::try_from(until.as_second() - now.as_second() + 1).ok()));
                }
                if before.state.is_finished() {
                    known.absorb(&before.progress.handle);
                } else if updates::is_superseded(before.id.seq, &all) {
                    self.pass_over(before).await?;
                } else if before.id.seq < seq {
                    updates::keep_apart(before.id.seq, &all, brought, now)?;
                    let of = DeliveryMessage::of(before.id.clone());
                    known.absorb(&self.bring(work.told.get(&before.id.seq).unwrap_or(&of), &known).await?);
                    brought = Some(before);
                }
            }
            if updates::is_superseded(seq, &all) {
                return Ok(());
            }
            updates::keep_apart(seq, &all, brought, now)?;
        }
        self.bring(newest, &known).await.map(drop)
    }

    /// Brings one delivery, and returns what the vendor gave for it.
    async fn bring(&self, message: &DeliveryMessage, known: &Handle) -> Result<Handle, Later> {
        let (id, now) = (&message.delivery, self.clock.now());
        if let Some(delivery) = message.leased.as_deref().filter(|delivery| may_begin(delivery, now)) {
            let attempt = self.attempt(delivery.clone(), message, known, false);
            // If it is cut off, the lease ends soon and the delivery is claimed.
            return timeout(MESSAGE_ATTEMPT, attempt).await.unwrap_or(Err(Later(Some(HELD_SECS_MAX.unsigned_abs()))));
        }
        let lease = Lease { token: Uuid::now_v7().to_string(), until: secs_after(now, LEASE_SECS) };
        match self.store.claim_delivery(id, &lease, now, message.leased.is_some()).await? {
            Claim::Granted(mut delivery) => {
                let taken_over = delivery.state == DeliveryState::Leased;
                delivery.state = DeliveryState::Leased;
                delivery.attempts += 1;
                delivery.lease = Some(lease);
                self.attempt(*delivery, message, known, taken_over).await
            }
            Claim::Held { until } => {
                let secs = (until.as_second() - now.as_second()).clamp(1, HELD_SECS_MAX.into());
                Err(Later(u32::try_from(secs).ok()))
            }
            Claim::NotDue { until } => {
                let secs = (until.as_second() - now.as_second() + 1).max(1);
                Err(Later(Some(u32::try_from(secs).unwrap_or(u32::MAX))))
            }
            // By another worker, since its state was read: what comes after it needs what its vendor gave.
            Claim::Finished(delivery) => Ok(delivery.progress.handle),
            Claim::Missing => {
                tracing::error!(delivery.id = %id, "a queue message names a delivery that the table does not have");
                Err(Later(None))
            }
        }
    }

    /// What the receiver has of the episode before: a ticket that may be reopened.
    async fn earlier_handle(
        &self,
        delivery: &Delivery,
        told: &Notification,
    ) -> Result<Option<EarlierHandle>, StoreError> {
        let receiver = self.config.receiver(&delivery.id.receiver);
        let wanted = delivery.transition == Transition::Opened && receiver.is_some_and(|one| one.takes_up_earlier());
        let Some(before) = told.enrichment.earlier.first().filter(|_| wanted) else {
            return Ok(None);
        };
        let mut handle = Handle::default();
        for told in self.store.deliveries(&before.incident, Some(&delivery.id.receiver)).await? {
            handle.absorb(&told.progress.handle);
        }
        Ok((!handle.is_empty()).then_some(EarlierHandle { handle, resolved_at: before.resolved_at }))
    }
}

/// True while a delivery that is leased to its message may be begun by whoever holds that message: an attempt ends before
/// the lease does.
fn may_begin(delivery: &Delivery, now: Timestamp) -> bool {
    let left = |lease: &Lease| lease.until.as_millisecond() - now.as_millisecond();
    let begin = MESSAGE_ATTEMPT_MILLIS..=(MESSAGE_LEASE_SECS.cast_signed() + 1) * 1000;
    delivery.lease.as_ref().is_some_and(|lease| begin.contains(&left(lease)))
}

fn secs_after(now: Timestamp, secs: u64) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(secs.cast_signed())).unwrap_or(Timestamp::MAX)
}

/// The messages of one incident and receiver.
#[derive(Default)]
struct Work {
    /// What the messages say, by the delivery's number.
    told: BTreeMap<u32, DeliveryMessage>,
    messages: Vec<String>,
    /// The most times that one of them was handed out.
    receives: u32,
}

type ByReceiver = BTreeMap<(IncidentId, String), Work>;

/// The batch by incident and receiver, and the messages that could not be read.
fn by_receiver(batch: Vec<QueuedMessage>) -> (ByReceiver, Vec<Unfinished>) {
    let mut work = ByReceiver::new();
    let mut unreadable = Vec::new();
    for QueuedMessage { id, body, receives } in batch {
        match serde_json::from_str::<DeliveryMessage>(&body) {
            Ok(mut message) => {
                if receives > 1 {
                    // Who held it before may have begun: from here on it is claimed.
                    message.leased.as_mut().map(|delivery| delivery.lease.take());
                }
                let of = &message.delivery;
                let entry = work.entry((of.incident.clone(), of.receiver.clone())).or_default();
                entry.messages.push(id);
                entry.receives = entry.receives.max(receives);
                let told = entry.told.entry(of.seq).or_insert_with(|| message.clone());
                if told.leased.is_none() {
                    *told = message;
                }
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
