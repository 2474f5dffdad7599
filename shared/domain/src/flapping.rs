//! An incident whose state changes too often is held open until it is quiet.
//!
//! Invariant: what is held stays one incident and wakes nobody again, however often it clears and fires. Whether it is
//! over is decided when it was quiet for the window, on its newest alert and its newest clear.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::after_secs;
use crate::{Action, Decision, Incident, Policy, Reason};

/// Changes that are remembered, and so the most that a rule may ask for.
pub const CHANGES_MAX: usize = 20;

/// What a rule calls flapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flapping {
    /// So many changes of state, openings and ends alike; at most [`CHANGES_MAX`].
    pub changes: usize,
    /// Within so many seconds. For as long it must be quiet to be over.
    pub within_secs: u64,
}

/// What a clear means that leaves nothing firing: the end, unless its rule calls that flapping.
pub(crate) fn cleared(incident: &Incident, policy: &Policy, now: Timestamp) -> Decision {
    let of = |action, reason| Decision { action, reason };
    let Some(flapping) = policy.flapping else { return of(Action::Resolve, Reason::Cleared) };
    if let Some(until) = incident.held_until.filter(|_| incident.is_clear()) {
        return of(Action::Absorb, Reason::Flapping { until });
    }
    let is_recent = |at: &Timestamp| after_secs(*at, flapping.within_secs) > now;
    let recent = incident.changes_with(now).iter().filter(|at| is_recent(at)).count();
    if recent < flapping.changes {
        return of(Action::Resolve, Reason::Cleared);
    }
    of(Action::Hold, Reason::Flapping { until: after_secs(now, flapping.within_secs) })
}

/// What the end of a hold means; `None` where none has ended.
pub(crate) fn hold_ended(incident: &Incident, now: Timestamp) -> Option<Decision> {
    incident.held_until.filter(|until| *until <= now)?;
    Some(if incident.is_clear() {
        Decision { action: Action::Resolve, reason: Reason::Quiet }
    } else {
        Decision { action: Action::Update, reason: Reason::FlapsNoMore }
    })
}

impl Incident {
    /// True while it is held open and nothing fires.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        let nothing_fires = if self.children.is_none() {
            self.cleared_received_at.is_some_and(|cleared| self.last_seen <= cleared)
        } else {
            self.children.firing == 0
        };
        self.held_until.is_some() && nothing_fires
    }

    /// The changes of its state, the one of this moment included. One that is held has fired in between: about when its
    /// newest alert came.
    fn changes_with(&self, now: Timestamp) -> Vec<Timestamp> {
        let fired = self.held_until.map(|_| self.last_seen);
        let all: Vec<Timestamp> = self.changes.iter().copied().chain(fired).chain([now]).collect();
        all[all.len().saturating_sub(CHANGES_MAX)..].to_vec()
    }

    /// Remembers that its state changes at this moment.
    pub(crate) fn change(&mut self, policy: &Policy, now: Timestamp) {
        if policy.flapping.is_some() {
            self.changes = self.changes_with(now);
        }
    }
}
