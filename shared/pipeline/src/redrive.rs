//! What was given up is tried again, because a person says so.
//!
//! Invariant: nobody is paged of an incident that is over. A delivery that was revived has all its attempts again; one
//! that is not dead is left as it is, so that doing this twice does no harm.

use std::sync::Arc;

use domain::{DeliveryId, State, Transition};
use serde::Serialize;

use crate::ports::{Clock, DeadLetter, DeadLetterQueue, DeadLetters, IncidentStore, Marked, Queue};
use crate::{DeliveryMessage, InboxMessage, SweepError};

/// Dead deliveries that one call looks at, the newest first: those whose incident is over stay dead, and may be many.
const DELIVERIES_MAX: u32 = 5000;

/// Rounds over one dead-letter queue, of ten letters each.
const ROUNDS_MAX: usize = 1000;

/// Seconds for which a letter is not shown again while a redrive goes over its queue.
const HIDDEN_SECS: u32 = 120;

/// What became of a delivery that was to be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Redriven {
    /// It is on its way.
    Sent,
    /// Its incident is over, so that it would call people for nothing.
    Over,
    /// It is not dead: delivered, or still being tried.
    NotDead,
    /// There is no such delivery.
    Missing,
}

/// What became of dead letters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RedrivenLetters {
    /// Taken out and put back into the inbox.
    pub inbox: usize,
    /// Taken out, since what they point at is no longer dead.
    pub removed: usize,
    /// Left where they are.
    pub left: usize,
    /// Not seen, since the sweep has just looked at them: they are shown again within a quarter of an hour.
    pub hidden: u64,
}

/// Tries again what was given up.
pub struct Redrive {
    store: Arc<dyn IncidentStore>,
    queue: Arc<dyn Queue>,
    dead_letters: Arc<dyn DeadLetters>,
    clock: Arc<dyn Clock>,
}

impl Redrive {
    /// Over a store, the queues and their dead letters.
    #[must_use]
    pub fn new(
        store: Arc<dyn IncidentStore>,
        queue: Arc<dyn Queue>,
        dead_letters: Arc<dyn DeadLetters>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, queue, dead_letters, clock }
    }

    /// Tries one delivery again.
    ///
    /// # Errors
    /// When the table or a queue does not answer; it may be called again.
    pub async fn delivery(&self, id: &DeliveryId) -> Result<Redriven, SweepError> {
        let Some(delivery) = self.store.delivery(id).await? else { return Ok(Redriven::Missing) };
        if !delivery.is_dead() {
            return Ok(Redriven::NotDead);
        }
        if delivery.transition != Transition::Resolved && self.is_over(id).await? {
            return Ok(Redriven::Over);
        }
        match self.store.revive_delivery(&delivery, self.clock.now()).await? {
            Marked::TakenOver => Ok(Redriven::NotDead),
            Marked::Done => {
                // If this is lost, the sweep finds a delivery that is due.
                self.queue.send_deliveries(delivery.kind, &[DeliveryMessage::of(id.clone())]).await?;
                Ok(Redriven::Sent)
            }
        }
    }

    /// Tries every dead delivery again, and says whether it has seen them all.
    ///
    /// # Errors
    /// As [`Self::delivery`].
    pub async fn deliveries(&self) -> Result<(Vec<(DeliveryId, Redriven)>, bool), SweepError> {
        let mut done = Vec::new();
        let dead = self.store.dead_deliveries(DELIVERIES_MAX).await?;
        let are_all = u32::try_from(dead.len()).is_ok_and(|count| count < DELIVERIES_MAX);
        // In their order: what was told first is told first again.
        for id in dead.into_iter().rev() {
            let redriven = self.delivery(&id).await?;
            done.push((id, redriven));
        }
        Ok((done, are_all))
    }

    /// Goes over the dead-letter queues: alerts go back to the inbox, and what points at a delivery that is dead no more
    /// is taken out.
    ///
    /// # Errors
    /// When the table or a queue does not answer; it may be called again.
    pub async fn letters(&self) -> Result<RedrivenLetters, SweepError> {
        let mut done = RedrivenLetters::default();
        for queue in DeadLetterQueue::all() {
            // Before any of them is hidden by this.
            done.hidden += self.dead_letters.hidden(queue).await?;
            for _ in 0..ROUNDS_MAX {
                let letters = self.dead_letters.look(queue, HIDDEN_SECS).await?;
                if letters.is_empty() {
                    break;
                }
                for letter in letters {
                    self.letter(queue, &letter, &mut done).await?;
                }
            }
        }
        Ok(done)
    }

    async fn letter(
        &self,
        queue: DeadLetterQueue,
        letter: &DeadLetter,
        done: &mut RedrivenLetters,
    ) -> Result<(), SweepError> {
        match queue {
            // Triage could not read it either.
            DeadLetterQueue::Inbox if serde_json::from_str::<InboxMessage>(&letter.body).is_err() => done.left += 1,
            DeadLetterQueue::Inbox => {
                // Sent before it is removed: a crash in between leaves it twice, and its alerts are known by their ids.
                self.queue.resend_inbox(&letter.body).await?;
                self.dead_letters.remove(queue, letter).await?;
                done.inbox += 1;
            }
            DeadLetterQueue::Deliveries(_) => {
                let message = serde_json::from_str::<DeliveryMessage>(&letter.body);
                let delivery = match &message {
                    Ok(message) => self.store.delivery(&message.delivery).await?,
                    Err(_) => None,
                };
                if delivery.is_some_and(|delivery| !delivery.is_dead()) {
                    self.dead_letters.remove(queue, letter).await?;
                    done.removed += 1;
                } else {
                    done.left += 1;
                }
            }
        }
        Ok(())
    }

    /// True when the episode that a delivery belongs to has ended.
    async fn is_over(&self, id: &DeliveryId) -> Result<bool, SweepError> {
        let Some(told) = self.store.notification(&id.incident, id.seq).await? else { return Ok(true) };
        let current = self.store.incident(&told.fingerprint).await?;
        Ok(current.is_some_and(|incident| incident.id != id.incident || incident.state == State::Resolved))
    }
}
