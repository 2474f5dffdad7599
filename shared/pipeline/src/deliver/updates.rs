//! What is shown in place: only the newest of it, and at most once a second.
//!
//! Invariant: an update that a later delivery says anew is passed over, so that a vendor which was away is not told what
//! is over; between an update and what stands before or after it lies a second. The last one is always sent.

use domain::{Delivery, DeliveryState, Lease, Timestamp, Transition};
use uuid::Uuid;

use super::{Deliver, LEASE_SECS, Later, secs_after};
use crate::ports::{Claim, Marked};

/// Milliseconds between an update and the message before or after it.
const APART_MILLIS: i64 = 1000;

/// True for an update after which the receiver is told of newer facts in the same place.
pub(super) fn is_superseded(seq: u32, all: &[Delivery]) -> bool {
    let is_update = all.iter().any(|d| d.id.seq == seq && d.transition == Transition::Updated);
    let says_it = |d: &Delivery| matches!(d.transition, Transition::Updated | Transition::Resolved);
    is_update && all.iter().any(|d| d.id.seq > seq && says_it(d))
}

/// Not before a second has passed since what was sent before. `brought` was sent just now.
pub(super) fn keep_apart(seq: u32, all: &[Delivery], brought: Option<&Delivery>, now: Timestamp) -> Result<(), Later> {
    let Some(of) = all.iter().find(|d| d.id.seq == seq) else { return Ok(()) };
    let sent = all.iter().filter(|d| d.id.seq < seq && d.delivered_at.is_some());
    let Some(before) = brought.or_else(|| sent.max_by_key(|d| d.delivered_at)) else { return Ok(()) };
    let is_update = |d: &Delivery| d.transition == Transition::Updated;
    let since_millis = before.delivered_at.map_or(0, |at| now.as_millisecond() - at.as_millisecond());
    // A clock that was set back holds nothing back.
    let is_too_soon = (0..APART_MILLIS).contains(&since_millis) || brought.is_some();
    if (is_update(of) || is_update(before)) && is_too_soon { Err(Later(Some(1))) } else { Ok(()) }
}

impl Deliver {
    /// Ends an update that a later delivery says anew.
    pub(super) async fn pass_over(&self, update: &Delivery) -> Result<(), Later> {
        let now = self.clock.now();
        let lease = Lease { token: Uuid::now_v7().to_string(), until: secs_after(now, LEASE_SECS) };
        let mut delivery = match self.store.claim_delivery(&update.id, &lease, now, false).await? {
            Claim::Granted(delivery) => *delivery,
            Claim::Finished(_) => return Ok(()),
            Claim::Held { until } | Claim::NotDue { until } => {
                return Err(Later(u32::try_from((until.as_second() - now.as_second() + 1).max(1)).ok()));
            }
            Claim::Missing => return Err(Later(None)),
        };
        delivery.state = DeliveryState::Delivered;
        delivery.lease = None;
        delivery.answer = Some("a later one says it anew".to_owned());
        tracing::info!(delivery.id = %delivery.id, "an update is passed over");
        match self.store.mark_delivery(&delivery, &lease.token).await? {
            Marked::Done => Ok(()),
            Marked::TakenOver => Err(Later(None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{DeliveryId, IncidentId, ReceiverKind};

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + millis).unwrap()
    }

    fn delivery(seq: u32, transition: Transition, delivered: Option<i64>) -> Delivery {
        let incident = IncidentId::try_from("a-1".to_owned()).unwrap();
        let id = DeliveryId { incident, receiver: "ai-ops".to_owned(), seq };
        let pending = Delivery::pending(id, ReceiverKind::Slack, transition, at(0));
        Delivery { delivered_at: delivered.map(at), ..pending }
    }

    #[test]
    fn an_update_gives_way_to_a_later_one_and_to_the_end_alone() {
        let later = |transition| [delivery(1, Transition::Updated, None), delivery(2, transition, None)];
        assert!(is_superseded(1, &later(Transition::Updated)));
        assert!(is_superseded(1, &later(Transition::Resolved)));
        assert!(!is_superseded(1, &later(Transition::Reminded)), "a reminder does not show it");
        assert!(!is_superseded(2, &later(Transition::Updated)), "the last one is sent");
        assert!(!is_superseded(0, &[delivery(0, Transition::Opened, None), delivery(1, Transition::Updated, None)]));
    }

    #[test]
    fn a_second_lies_between_an_update_and_what_stands_beside_it() {
        let opened = delivery(0, Transition::Opened, Some(0));
        let all = |transition| [opened.clone(), delivery(1, transition, None)];
        let is_held = |transition, millis| keep_apart(1, &all(transition), None, at(millis)).is_err();
        assert!(is_held(Transition::Updated, 999) && !is_held(Transition::Updated, 1000));
        assert!(!is_held(Transition::Escalated, 1), "only updates are held back");
        assert!(!is_held(Transition::Updated, -5000), "a clock that was set back holds nothing back");
        let brought = keep_apart(1, &all(Transition::Updated), Some(&opened), at(5000));
        assert!(brought.is_err(), "what was sent just now");
        let end = [delivery(1, Transition::Updated, Some(0)), delivery(2, Transition::Resolved, None)];
        assert!(keep_apart(2, &end, None, at(10)).is_err());
    }
}
