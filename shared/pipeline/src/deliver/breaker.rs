//! A receiver whose vendor is down, or asked us to wait, is left alone for a while: a dead vendor costs little.
//!
//! Invariant: this only delays, by at most [`REST_SECS_MAX`] at a time; it never gives a delivery up, and one delivery
//! always tries again when a rest ends. Each process learns by itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::Timestamp;

use super::secs_after;

/// Failures in a row after which a receiver is left alone.
const FAILURES_MAX: u32 = 5;

/// Seconds of a rest after failures. A page waits behind it, so it is short.
const REST_SECS: u64 = 20;

/// The longest rest, in seconds, however long the vendor asks for: its delivery waits as long as was asked for, but
/// others may be let through again.
const REST_SECS_MAX: u64 = 300;

/// What an attempt says of the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strain {
    /// It gave an answer that ends the delivery.
    Answers,
    /// It asked to wait.
    AsksToWait {
        /// For so many seconds.
        secs: u64,
    },
    /// It failed, or did not answer.
    Fails,
}

/// How the receivers' vendors are, by receiver.
#[derive(Debug, Default)]
pub(super) struct Breakers(Mutex<HashMap<String, Breaker>>);

#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    rests_until: Option<Timestamp>,
}

impl Breakers {
    /// Seconds for which this receiver is to be left alone; `None` where it may be tried. When a rest after failures ends,
    /// one delivery may try it and the others wait for what becomes of that.
    pub(super) fn rest_secs(&self, receiver: &str, now: Timestamp) -> Option<u32> {
        let mut breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let breaker = breakers.get_mut(receiver)?;
        let rest = breaker.rests_until?.as_second() - now.as_second();
        // A clock that was set back must not hold pages back.
        if (1..=REST_SECS_MAX.cast_signed()).contains(&rest) {
            return u32::try_from(rest).ok();
        }
        breaker.rests_until = (breaker.failures >= FAILURES_MAX).then(|| secs_after(now, REST_SECS));
        None
    }

    /// Learns from an attempt.
    pub(super) fn note(&self, receiver: &str, strain: Strain, now: Timestamp) {
        let mut breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if strain == Strain::Answers {
            breakers.remove(receiver);
            return;
        }
        let breaker = breakers.entry(receiver.to_owned()).or_default();
        breaker.failures = breaker.failures.saturating_add(1);
        let rest = match strain {
            Strain::AsksToWait { secs } => Some(secs.min(REST_SECS_MAX)),
            Strain::Fails if breaker.failures >= FAILURES_MAX => Some(REST_SECS),
            Strain::Fails | Strain::Answers => None,
        };
        if let Some(secs) = rest {
            breaker.rests_until = breaker.rests_until.max(Some(secs_after(now, secs)));
            tracing::warn!(receiver, failures = breaker.failures, secs, "the receiver is left alone for a while");
        }
    }
}

/// Seconds for which a message waits that is not done for others' reasons. A queue hands it out a limited number of times,
/// so that one that has come often waits for longer.
pub(super) fn wait_secs(rest_secs: u32, receives: u32) -> u32 {
    let longest = u32::try_from(REST_SECS_MAX).unwrap_or(u32::MAX);
    rest_secs.max(receives.min(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_outlives_a_vendor_that_is_away_for_two_days() {
        // As often as its queue hands it out.
        let waited: u32 = (1..1000).map(|receives| wait_secs(1, receives)).sum();
        assert!(waited > 2 * 86_400, "{waited} s");
        let at_once: u32 = (1..30).map(|receives| wait_secs(20, receives)).sum();
        assert_eq!((wait_secs(20, 30), at_once > 10 * 60), (30, true), "ten minutes of it cost half a minute");
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn a_vendor_that_fails_is_left_alone_and_then_tried_by_one() {
        let breakers = Breakers::default();
        for _ in 1..FAILURES_MAX {
            breakers.note("on-call", Strain::Fails, at(0));
            assert_eq!(breakers.rest_secs("on-call", at(0)), None);
        }
        breakers.note("on-call", Strain::Fails, at(0));
        assert_eq!(breakers.rest_secs("on-call", at(5)), Some(15));
        assert_eq!(breakers.rest_secs("ai-ops", at(5)), None, "others are not held back");
        assert_eq!(breakers.rest_secs("on-call", at(20)), None, "one tries");
        assert_eq!(breakers.rest_secs("on-call", at(20)), Some(20), "the next waits for what becomes of it");
        breakers.note("on-call", Strain::Answers, at(21));
        assert_eq!(breakers.rest_secs("on-call", at(21)), None);
    }

    #[test]
    fn a_vendor_that_asks_to_wait_is_heard_within_reason() {
        let breakers = Breakers::default();
        breakers.note("ai-ops", Strain::AsksToWait { secs: 30 }, at(0));
        assert_eq!(breakers.rest_secs("ai-ops", at(10)), Some(20));
        assert_eq!(breakers.rest_secs("ai-ops", at(30)), None);
        breakers.note("ai-ops", Strain::AsksToWait { secs: u64::MAX }, at(30));
        assert_eq!(breakers.rest_secs("ai-ops", at(30)), u32::try_from(REST_SECS_MAX).ok());
    }

    #[test]
    fn a_clock_set_back_holds_nothing_back() {
        let breakers = Breakers::default();
        breakers.note("on-call", Strain::AsksToWait { secs: 60 }, at(0));
        assert_eq!(breakers.rest_secs("on-call", at(-600)), None);
    }
}
