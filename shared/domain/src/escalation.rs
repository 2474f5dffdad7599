//! An incident that nobody acknowledges is told of again, to more people.
//!
//! Invariant: each step of a rule is taken once in an episode, in order, and only while it is open and unacknowledged;
//! what is held open because it flaps waits until it flaps no more, and what is muted until the mute is looked at.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::after_secs;
use crate::{Action, Decision, Incident, Policy, Reason, Severity, State};

/// One step of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationStep {
    /// Seconds after the opening.
    pub after_secs: u64,
    /// What the incident becomes, if it is not worse; `None`: it stays as it is.
    pub severity: Option<Severity>,
    /// Who is told of it beside those who were.
    pub receivers: Vec<String>,
}

/// What is due now, where a step is.
pub(crate) fn step_due(incident: &Incident, policy: &Policy, now: Timestamp) -> Option<Decision> {
    incident.escalate_at.filter(|at| *at <= now)?;
    Some(match incident.next_step(policy) {
        Some(step) => {
            Decision { action: Action::Escalate, reason: Reason::NotAcknowledged { after_secs: step.after_secs } }
        }
        // Somebody took it, or its rule has no such step any more.
        None => Decision { action: Action::Absorb, reason: Reason::NoLongerPending },
    })
}

impl Incident {
    fn next_step<'a>(&self, policy: &'a Policy) -> Option<&'a EscalationStep> {
        let may_escalate = self.state == State::Open && self.held_until.is_none();
        policy.escalate.get(self.escalations).filter(|_| may_escalate)
    }

    /// When its next step is due, as it stands.
    pub(crate) fn step_due_at(&self, policy: &Policy) -> Option<Timestamp> {
        Some(after_secs(self.opened_at?, self.next_step(policy)?.after_secs))
    }

    /// Sets when its next step is due, after a decision. One that is muted, and so not taken, is due when the mute is
    /// looked at again, whatever else is decided until then.
    pub(crate) fn plan_step(&mut self, policy: &Policy, decision: &Decision, now: Timestamp) {
        let taken = matches!(decision.reason, Reason::NotAcknowledged { .. });
        let put_off = self.escalate_at.filter(|at| !taken && *at > now);
        let muted_until = decision.reason.looked_at_again(now).filter(|_| decision.action == Action::Suppress);
        self.escalate_at = match self.step_due_at(policy) {
            Some(due) if due <= now => muted_until.or(put_off).or(Some(due)),
            due => due,
        };
    }

    /// Takes a step, if that is why people are told.
    pub(crate) fn step(&mut self, policy: &Policy, reason: &Reason) {
        if !matches!(reason, Reason::NotAcknowledged { .. }) {
            return;
        }
        if let Some(step) = self.next_step(policy) {
            self.severity = step.severity.map_or(self.severity, |severity| severity.max(self.severity));
        }
        self.escalations += 1;
    }
}

impl Policy {
    /// Who is told beside those who were, where `incident` has just taken a step for that reason.
    #[must_use]
    pub fn called_by_step(&self, incident: &Incident, reason: &Reason) -> Option<&[String]> {
        let step = incident.escalations.checked_sub(1).and_then(|taken| self.escalate.get(taken))?;
        matches!(reason, Reason::NotAcknowledged { .. }).then_some(step.receivers.as_slice())
    }
}

/// `30 min`, `2 h`, `90 s`.
pub(crate) fn lasting(secs: u64) -> String {
    match secs {
        0 => "0 s".to_owned(),
        hours if hours % 3600 == 0 => format!("{} h", hours / 3600),
        minutes if minutes % 60 == 0 => format!("{} min", minutes / 60),
        secs => format!("{secs} s"),
    }
}
