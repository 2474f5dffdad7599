//! One attempt at one delivery: step by step, each written down before the next.
//!
//! Invariant: between two requests that change something at the vendor, the first one's answer stands in the table. A
//! worker whose lease was taken over writes nothing more.

use domain::{Delivery, DeliveryState, Handle, Notification, Outcome, Timestamp};
use jiff::SignedDuration;
use receivers::{Context, EarlierHandle, Method, Receiver, Request, Step};

use super::breaker::Strain;
use super::{ATTEMPTS_MAX, Deliver, Later};
use crate::DeliveryMessage;
use crate::fallback::tell_others;
use crate::ports::{Marked, SendError};
use crate::retry::wait_secs;

/// Requests that one attempt may take.
const STEPS_MAX: usize = 12;

/// Pages of a look-up's answer that are read.
const PAGES_MAX: usize = 30;

/// What an attempt comes to.
enum End {
    Delivered,
    Rejected(String),
    Retry { after_secs: Option<u64>, why: String, strain: Strain },
}

impl End {
    /// What it says of how the vendor is.
    fn strain(&self) -> Strain {
        match self {
            Self::Delivered | Self::Rejected(_) => Strain::Answers,
            Self::Retry { strain, .. } => *strain,
        }
    }

    /// To be tried again, after what the vendor asked for.
    fn retry(after_secs: Option<u64>, why: String) -> Self {
        let strain = after_secs.map_or(Strain::Fails, |secs| Strain::AsksToWait { secs });
        Self::Retry { after_secs, why, strain }
    }
}

impl Deliver {
    pub(super) async fn attempt(
        &self,
        mut delivery: Delivery,
        message: &DeliveryMessage,
        known: &Handle,
        taken_over: bool,
    ) -> Result<Handle, Later> {
        let told = match message.notification.as_deref() {
            Some(carried) => Some(carried.clone()),
            None => self.store.notification(&delivery.id.incident, delivery.id.seq).await?,
        };
        let Some(told) = told else {
            tracing::error!(delivery.id = %delivery.id, "the table does not have what this delivery says");
            return Err(Later(None));
        };
        let earlier = self.earlier_handle(&delivery, &told).await?;
        let worded = delivery.worded(told.clone());
        let end = match self.config.receiver(&delivery.id.receiver) {
            Some(receiver) => self.walk(receiver, &mut delivery, &worded, known, earlier.as_ref(), taken_over).await?,
            // A worker may still have the config before the one that names it, or already the one after.
            None => End::Retry {
                after_secs: None,
                why: "this worker's config names no such receiver".to_owned(),
                strain: Strain::Answers,
            },
        };
        self.finish(delivery, &told, end).await
    }

    /// Asks the receiver for step after step until it has none.
    async fn walk(
        &self,
        receiver: &Receiver,
        delivery: &mut Delivery,
        notification: &Notification,
        known: &Handle,
        earlier: Option<&EarlierHandle>,
        taken_over: bool,
    ) -> Result<End, Later> {
        let current = self.templates.current();
        for mistake in current.mistakes.iter() {
            tracing::warn!(%mistake, "template");
        }
        let templates = &current.templates;
        let mut unsure = taken_over;
        let mut unwritten = false;
        for _ in 0..STEPS_MAX {
            let (id, progress) = (&delivery.id, &delivery.progress);
            let now = self.clock.now();
            let context = Context { notification, delivery: id, known, earlier, progress, templates, now };
            match receiver.next(&context) {
                Step::Finished => return Ok(End::Delivered),
                Step::Send { name, request } if unsure && request.method != Method::Get => {
                    unsure = false;
                    delivery.progress.uncertain = Some(name.to_owned());
                }
                Step::Send { name, request } => {
                    let changes_something = request.method != Method::Get;
                    if unwritten && changes_something {
                        self.write_down(delivery).await?;
                        unwritten = false;
                    }
                    match self.send(receiver, name, &request).await {
                        Outcome::Delivered(handle) => delivery.progress.complete(name, &handle),
                        Outcome::Rejected { why } => return Ok(End::Rejected(why)),
                        Outcome::Retry { after_secs, why } => {
                            delivery.progress.uncertain = None;
                            return Ok(End::retry(after_secs, why));
                        }
                        Outcome::Unknown { why } => {
                            delivery.progress.uncertain = Some(name.to_owned());
                            let after_secs = Some(receiver.lookup_delay_secs());
                            return Ok(End::Retry { after_secs, why, strain: Strain::Fails });
                        }
                    }
                    unwritten |= changes_something;
                }
                Step::LookUp { of, request } => {
                    unsure = false;
                    match self.look_up(receiver, of, &request, &context).await {
                        Outcome::Delivered(found) if found.is_empty() => delivery.progress.uncertain = None,
                        Outcome::Delivered(found) => delivery.progress.complete(of, &found),
                        Outcome::Retry { after_secs, why } => return Ok(End::retry(after_secs, why)),
                        Outcome::Unknown { why } => return Ok(End::retry(None, why)),
                        // A vendor that lets us write and not read cannot tell us; told twice beats told never.
                        Outcome::Rejected { why } => {
                            tracing::warn!(delivery.id = %delivery.id, why, "cannot be looked up; sent again");
                            delivery.progress.uncertain = None;
                        }
                    }
                }
            }
        }
        Ok(End::Rejected(format!("it did not come to an end within {STEPS_MAX} requests")))
    }

    async fn send(&self, receiver: &Receiver, step: &str, request: &Request) -> Outcome {
        match self.sender.send(request).await {
            Ok(response) => receiver.interpret(step, &response),
            Err(SendError::NotSent { why }) => Outcome::Retry { after_secs: None, why },
            Err(SendError::MaybeSent { why }) if request.method == Method::Get => {
                Outcome::Retry { after_secs: None, why }
            }
            Err(SendError::MaybeSent { why }) => Outcome::Unknown { why },
        }
    }

    async fn look_up(&self, receiver: &Receiver, of: &str, request: &Request, context: &Context<'_>) -> Outcome {
        let mut page = request.clone();
        for _ in 0..PAGES_MAX {
            let response = match self.sender.send(&page).await {
                Ok(response) => response,
                Err(error) => return Outcome::Retry { after_secs: None, why: error.to_string() },
            };
            let outcome = receiver.interpret_lookup(of, context, &response);
            if !matches!(&outcome, Outcome::Delivered(found) if found.is_empty()) {
                return outcome;
            }
            match receiver.look_up_further(of, context, &response) {
                Some(further) => page = further,
                None => return outcome,
            }
        }
        Outcome::Rejected { why: format!("it stands in none of the first {PAGES_MAX} pages, and there are more") }
    }

    /// Keeps the progress between two steps, under the lease.
    async fn write_down(&self, delivery: &Delivery) -> Result<(), Later> {
        let token = delivery.lease.as_ref().map_or("", |lease| lease.token.as_str());
        match self.store.mark_delivery(delivery, token).await? {
            Marked::Done => Ok(()),
            Marked::TakenOver => Err(Later(None)),
        }
    }

    async fn finish(&self, mut delivery: Delivery, told: &Notification, end: End) -> Result<Handle, Later> {
        let now = self.clock.now();
        let token = delivery.lease.take().map_or_else(String::new, |lease| lease.token);
        let mut later = None;
        self.breakers.note(&delivery.id.receiver, end.strain(), now);
        match end {
            End::Delivered => {
                delivery.state = DeliveryState::Delivered;
                delivery.delivered_at = Some(now);
                delivery.answer = None;
            }
            End::Rejected(why) => {
                delivery.state = DeliveryState::Rejected;
                delivery.answer = Some(why);
            }
            End::Retry { why, .. } if delivery.attempts >= ATTEMPTS_MAX => {
                delivery.state = DeliveryState::Dead;
                delivery.answer = Some(format!("given up after {} attempts; the last: {why}", delivery.attempts));
            }
            End::Retry { after_secs, why, .. } => {
                let wait = wait_secs(&delivery.id, delivery.attempts, after_secs);
                delivery.state = DeliveryState::Pending;
                delivery.due = after(now, wait);
                delivery.answer = Some(why);
                later = Some(Later(Some(wait)));
            }
        }
        log(&delivery, told, now);
        if delivery.is_dead() {
            // Before the mark: a finished delivery is never looked at again, and an alarm must not be missed.
            tell_others(&self.config, self.store.as_ref(), self.queue.as_ref(), &delivery, told, now).await?;
            self.queue.bury(delivery.kind, &DeliveryMessage::of(delivery.id.clone())).await?;
        }
        match (self.store.mark_delivery(&delivery, &token).await?, later) {
            (Marked::TakenOver, _) => Err(Later(None)),
            (Marked::Done, Some(later)) => Err(later),
            (Marked::Done, None) => Ok(delivery.progress.handle),
        }
    }
}

fn after(now: Timestamp, secs: u32) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(i64::from(secs))).unwrap_or(Timestamp::MAX)
}

/// Metrics are made of this line, too: `aws/metrics.rs` knows it by its words.
fn log(delivery: &Delivery, told: &Notification, now: Timestamp) {
    let (id, state, attempts) = (&delivery.id, delivery.state.as_str(), delivery.attempts);
    let (kind, transition) = (delivery.kind.as_str(), delivery.transition.as_str());
    let answer = delivery.answer.as_deref().unwrap_or_default();
    if delivery.state == DeliveryState::Delivered {
        let since_received_ms = told.received_at.map(|at| now.as_millisecond() - at.as_millisecond());
        tracing::info!(delivery.id = %id, kind, transition, state, attempts, since_received_ms, "delivery");
    } else {
        tracing::warn!(delivery.id = %id, kind, transition, state, attempts, answer, "delivery");
    }
}
