//! When an incident is looked at again: to remind, when a mute or a cooldown ends, to show counts, to take a step.
//!
//! Invariant: each look has a time of its own in the incident and a message of its own in the inbox; a time that no longer
//! stands was superseded. A look carries its alert, so that no lesser alert's look is taken for a worse one's.

use jiff::{SignedDuration, Timestamp};

use crate::incident::after_secs;
use crate::{Alert, Incident, Policy, Reason, State, Status};

impl Incident {
    /// When it is looked at again: each of these has a message of its own.
    pub fn looks(&self) -> impl Iterator<Item = Timestamp> {
        [self.next_check_at, self.count_at, self.held_until, self.escalate_at].into_iter().flatten()
    }

    /// As it is kept once the next episode has begun: nobody looks at it again.
    #[must_use]
    pub fn left_behind(&self) -> Self {
        Self {
            next_check_at: None,
            held_back_severity: None,
            count_at: None,
            held_until: None,
            escalate_at: None,
            ..self.clone()
        }
    }

    /// True for a look that was not superseded.
    #[must_use]
    pub fn expects_look(&self, due: Timestamp) -> bool {
        self.looks().any(|at| at == due)
    }

    /// True where nothing but new counts is to be told at this time.
    pub(crate) fn is_to_be_counted(&self, now: Timestamp) -> bool {
        let is_told = matches!(self.state, State::Open | State::Acknowledged);
        is_told && self.count_at.is_some_and(|at| at <= now) && self.next_check_at.is_none_or(|at| now < at)
    }

    /// Nobody is reminded while it flaps.
    pub(crate) fn remind_later(&mut self, policy: &Policy, now: Timestamp) {
        let secs = policy.remind_every_secs.filter(|_| self.held_until.is_none());
        self.look_next(secs.map(|secs| after_secs(now, secs)), now);
    }

    /// Looks at it then, unless a look is to come that carries what is worse than anyone was told.
    pub(crate) fn look_next(&mut self, at: Option<Timestamp>, now: Timestamp) {
        let is_worse = self.held_back_severity.is_some_and(|held_back| held_back > self.severity);
        if !is_worse || self.next_check_at.is_none_or(|held_back| held_back <= now) {
            self.held_back_severity = None;
            self.next_check_at = at;
        }
    }

    /// A firing alert that came while the fingerprint cooled down, or was muted, is looked at when that ends: its source
    /// may never send it again. A look carries its alert, so that a worse one has a look of its own, in place of that.
    pub(crate) fn hold_back(&mut self, alerts: &[Alert], reason: &Reason, now: Timestamp) {
        let Some(until) = reason.looked_at_again(now) else { return };
        self.held_back_at = self.held_back_at.max(alerts.iter().map(|a| a.received_at).max());
        let severity = alerts.iter().filter(|alert| alert.status == Status::Firing).map(|alert| alert.severity).max();
        // A step that is muted has a look of its own.
        let is_step = alerts.is_empty() && self.escalate_at.is_some_and(|at| at <= now);
        let told = (self.state != State::Resolved).then_some(self.severity);
        let look_at = match self.next_check_at {
            None if is_step => return,
            None => until,
            // It is on its way.
            Some(at) if at <= now && severity < self.held_back_severity => return,
            Some(at) if at <= now => until,
            Some(at) if severity > self.held_back_severity.max(told) => {
                // Never a time that a lesser one's look had, which would be taken for it.
                let had_it = at == until || (at > until && self.held_back_severity.is_some());
                if had_it { after_millis(at, 1) } else { until }
            }
            Some(_) => return,
        };
        self.next_check_at = Some(look_at);
        self.held_back_severity = severity;
    }
}

fn after_millis(at: Timestamp, millis: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_millis(millis)).unwrap_or(Timestamp::MAX)
}
