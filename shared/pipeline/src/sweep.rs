//! The sweep: what a crash, a lost message or a dead vendor left is found and sent on.
//!
//! Invariant: a run only sends messages and writes deliveries whose ids follow from what they stand in for, so that runs
//! that overlap, come twice or never do no harm. What is on its way is left alone as far as can be told.

use std::sync::Arc;
use std::time::Duration;

use config::Config;
use domain::{ReceiverKind, Timestamp};
use jiff::SignedDuration;
use serde::Serialize;
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

use crate::DeliveryMessage;
use crate::dispatch::look;
use crate::ports::{Clock, DeadLetterQueue, DeadLetters, IncidentStore, OverdueLook, Queue, QueueError, StoreError};

mod dead_letters;

/// Seconds after which what is due and not finished is taken for lost: longer than a queue hides a message.
const OVERDUE_SECS: i64 = 300;

/// Deliveries of one kind, and looks, that one run sends again.
const RESENT_MAX: u32 = 500;

/// However many messages a queue seems to hold, what stays unfinished is sent again within every sixteen minutes: a count
/// cannot tell whose messages they are.
const RESEND_MINUTES: i64 = 16;

/// Of these, the minutes at whose end it is: more than one, since the schedule's runs may be late or lost.
const RESEND_WINDOW_MINUTES: i64 = 3;

/// Messages for each unfinished delivery in its queue from which on nothing is sent again: while a vendor is away for a
/// day, copies must not pile up.
const COPIES_MAX: u64 = 3;

/// The table or a queue did not answer; what was to be done is found again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue did not answer.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Deliveries sent again.
    pub deliveries: usize,
    /// Looks sent again.
    pub looks: usize,
    /// Messages found among the dead letters.
    pub dead: usize,
    /// Parts of the run that failed; the next run finds the same.
    pub failed: usize,
}

/// Finds what was left.
pub struct Sweep {
    config: Arc<Config>,
    store: Arc<dyn IncidentStore>,
    queue: Arc<dyn Queue>,
    dead_letters: Arc<dyn DeadLetters>,
    clock: Arc<dyn Clock>,
}

impl Sweep {
    /// Over a config, a store, the queues and their dead letters.
    #[must_use]
    pub fn new(
        config: Arc<Config>,
        store: Arc<dyn IncidentStore>,
        queue: Arc<dyn Queue>,
        dead_letters: Arc<dyn DeadLetters>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { config, store, queue, dead_letters, clock }
    }

    /// Sweeps once within `time_left`. One part's failure holds back no other.
    pub async fn sweep(&self, time_left: Duration) -> Swept {
        let until = Instant::now() + time_left;
        let mut swept = Swept::default();
        for kind in ReceiverKind::ALL {
            note(&mut swept.deliveries, &mut swept.failed, timeout_at(until, self.send_overdue(kind)).await);
        }
        note(&mut swept.looks, &mut swept.failed, timeout_at(until, self.look_again()).await);
        for queue in DeadLetterQueue::all() {
            note(&mut swept.dead, &mut swept.failed, timeout_at(until, self.tell_of_dead_letters(queue)).await);
        }
        swept
    }

    /// Sends deliveries again that should have been finished long ago.
    async fn send_overdue(&self, kind: ReceiverKind) -> Result<usize, SweepError> {
        let now = self.clock.now();
        let unsent = self.store.unsent(kind, secs_before(now, OVERDUE_SECS), RESENT_MAX).await?;
        if unsent.overdue.is_empty() {
            return Ok(0);
        }
        let held = self.queue.deliveries_held(kind).await?;
        let are_missing = held < unsent.count;
        let may_be = !are_piled(held, unsent.count);
        let lost = unsent.overdue.into_iter().filter(|(_, due)| are_missing || (may_be && is_the_time(now, *due)));
        let messages: Vec<DeliveryMessage> = lost.map(|(id, _)| DeliveryMessage::of(id)).collect();
        if !messages.is_empty() {
            self.queue.send_deliveries(kind, &messages).await?;
        }
        Ok(messages.len())
    }

    /// Sends looks again that should have been taken: at what was rejected, at what a cooldown held back, or to remind.
    async fn look_again(&self) -> Result<usize, SweepError> {
        let now = self.clock.now();
        let overdue = self.store.overdue_looks(secs_before(now, OVERDUE_SECS), RESENT_MAX).await?;
        let mut sent = 0;
        for OverdueLook { fingerprint, due } in overdue {
            let minutes = minutes_since(due, now);
            if minutes >= 2 * OVERDUE_SECS / 60 && !is_the_time(now, due) {
                continue;
            }
            let Some(incident) = self.store.incident(&fingerprint).await? else { continue };
            let Some(alert) = self.store.newest_alert(&incident.id).await? else { continue };
            let mut overdue: Vec<Timestamp> = incident.looks().filter(|due| *due <= now).collect();
            if overdue.is_empty() {
                // The index was behind, or ahead: a look that comes early waits.
                overdue.extend(incident.looks().min());
            }
            let looks: Vec<_> = overdue.into_iter().map(|due| look(&incident, &alert, due)).collect();
            if !looks.is_empty() {
                self.queue.send_inbox(&looks, 0).await?;
                sent += looks.len();
            }
        }
        Ok(sent)
    }
}

fn note<E>(done: &mut usize, failed: &mut usize, part: Result<Result<usize, SweepError>, E>) {
    match part {
        Ok(Ok(count)) => *done += count,
        Ok(Err(error)) => {
            tracing::error!(%error, "a part of the sweep failed; the next run finds the same");
            *failed += 1;
        }
        Err(_) => {
            tracing::error!("the sweep ran out of time; the next run finds the same");
            *failed += 1;
        }
    }
}

/// True where a queue holds several messages for each of `count` deliveries, and more than strays could be.
fn are_piled(held: u64, count: u64) -> bool {
    held >= count.max(RESENT_MAX.into()).saturating_mul(COPIES_MAX)
}

/// True in the last [`RESEND_WINDOW_MINUTES`] of every [`RESEND_MINUTES`] since something was due.
fn is_the_time(now: Timestamp, due: Timestamp) -> bool {
    minutes_since(due, now) % RESEND_MINUTES >= RESEND_MINUTES - RESEND_WINDOW_MINUTES
}

fn minutes_since(due: Timestamp, now: Timestamp) -> i64 {
    (now.as_second() - due.as_second()).max(0) / 60
}

fn secs_before(now: Timestamp, secs: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_secs(secs)).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_do_not_pile_up_and_strays_are_not_taken_for_them() {
        assert!(!are_piled(10, 1), "ten that nobody can read hide no lost page");
        assert!(!are_piled(1499, 500) && are_piled(1500, 500));
        assert!(!are_piled(2999, 1000) && are_piled(3000, 1000));
    }
}
