//! What an alert means for its incident.
//!
//! Invariant: [`decide`] is a pure function with a named reason for every answer. Alerts are ordered by when we received
//! them; a vendor's clock only decides what a clear has overtaken. Nothing reopens after its resolve, and a cooldown
//! counts from when people were told, so that an episode that reached nobody silences nothing. What a cooldown holds
//! back is looked at when it ends.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::escalation::step_due;
use crate::flapping::{cleared, hold_ended};
use crate::incident::after_secs;
use crate::{
    Alert, Children, Confirmation, EscalationStep, Flapping, Incident, Reason, Severity, State, Status, Told, Verdict,
};

/// An open incident is told of again when an alert comes after at least this long a silence: its source may have sent no
/// clear, and the people may have closed what they were told of.
const REMIND_AFTER_SECS_MIN: u64 = 3600;

/// What a rule allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Seconds after people were last told in which a resolved fingerprint opens no new episode.
    pub cooldown_secs: u64,
    /// Seconds between two looks at a rejected anomaly.
    pub recheck_every_secs: u64,
    /// Seconds for which a rejected anomaly is looked at; 0: once only.
    pub recheck_for_secs: u64,
    /// Seconds after which people are reminded of an open incident, again and again; `None`: never.
    pub remind_every_secs: Option<u64>,
    /// When an incident is held open through its clears; `None`: never.
    pub flapping: Option<Flapping>,
    /// What follows where nobody acknowledges, in order.
    pub escalate: Vec<EscalationStep>,
}

impl Policy {
    /// Seconds of silence after which an alert of an open incident is told of again: the cooldown, and at least an hour.
    #[must_use]
    pub fn remind_after_secs(&self) -> u64 {
        self.cooldown_secs.max(REMIND_AFTER_SECS_MIN)
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Ask the detectors, then decide again.
    Confirm,
    /// Begin an episode and tell its receivers.
    Open,
    /// Tell the receivers that it is worse.
    Escalate,
    /// Tell the receivers that it is still there.
    Remind,
    /// Show those who were told what has changed, without telling them anew.
    Update,
    /// Keep it open through its clear, and show that.
    Hold,
    /// End the episode and tell the receivers.
    Resolve,
    /// Count it.
    Absorb,
    /// Wake nobody, look again later.
    Watch,
    /// End an episode of which nobody was told.
    Dismiss,
    /// Take it, tell nobody, record why.
    Suppress,
}

/// What is to be done, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What.
    pub action: Action,
    /// Why.
    pub reason: Reason,
}

impl Decision {
    fn new(action: Action, reason: Reason) -> Self {
        Self { action, reason }
    }

    /// Whether people would be told, or would be once the detectors agree.
    #[must_use]
    pub fn calls_people(&self) -> bool {
        matches!(self.action, Action::Confirm | Action::Open | Action::Escalate | Action::Remind)
    }

    /// The decision where something mutes the alert: it is taken, and people are told that it is over, but of nothing else.
    #[must_use]
    pub fn muted(self, because: Option<Reason>) -> Self {
        match because {
            Some(reason) if self.calls_people() => Self::new(Action::Suppress, reason),
            _ => self,
        }
    }

    /// True where the decision starts a new episode on a fingerprint whose current one stands at `state`.
    pub(crate) fn begins_episode(&self, state: State) -> bool {
        state == State::Resolved && matches!(self.action, Action::Open | Action::Watch | Action::Dismiss)
    }
}

/// Decides over one run of alerts of one status, or, without alerts, over a later look at a pending or open incident.
///
/// `confirmation` is the detectors' answer if they were asked; without it an alert that would open an episode is
/// answered with [`Action::Confirm`].
#[must_use]
pub fn decide(
    incident: Option<&Incident>,
    alerts: &[Alert],
    confirmation: Option<&Confirmation>,
    policy: &Policy,
    now: Timestamp,
) -> Decision {
    match alerts.first().map(|a| a.status) {
        None => decide_recheck(incident, confirmation, policy, now),
        Some(Status::Firing) => decide_firing(incident, alerts, confirmation, policy, now),
        Some(Status::Cleared) => decide_cleared(incident, alerts, policy, now),
    }
}

fn decide_firing(
    incident: Option<&Incident>,
    alerts: &[Alert],
    confirmation: Option<&Confirmation>,
    policy: &Policy,
    now: Timestamp,
) -> Decision {
    let worst = alerts.iter().map(|a| a.severity).max().unwrap_or(Severity::Info);
    match incident {
        None => judge(None, confirmation, policy, now),
        Some(incident) => match incident.state {
            State::Open | State::Acknowledged if worst > incident.severity => {
                Decision::new(Action::Escalate, Reason::SeverityRaised)
            }
            State::Open | State::Acknowledged
                if incident.held_until.is_none() && was_silent(incident, alerts, policy) =>
            {
                Decision::new(Action::Remind, Reason::FiringAgain)
            }
            State::Open | State::Acknowledged => Decision::new(Action::Absorb, Reason::Duplicate),
            State::Pending if incident.next_check_at.is_some_and(|at| now < at) && worst <= incident.severity => {
                Decision::new(Action::Absorb, Reason::Duplicate)
            }
            State::Pending => judge(Some(incident), confirmation, policy, now),
            State::Resolved => match held_back(incident, alerts, policy, now) {
                Some(reason) => Decision::new(Action::Suppress, reason),
                None => judge(None, confirmation, policy, now),
            },
        },
    }
}

/// True where the newest alert came long after the one before. One that is older than those that are known did not.
fn was_silent(open: &Incident, alerts: &[Alert], policy: &Policy) -> bool {
    let newest = alerts.iter().map(|a| a.received_at).max();
    newest.is_some_and(|at| at >= after_secs(open.last_seen, policy.remind_after_secs()))
}

/// Why a firing run opens nothing after its fingerprint's last episode ended, if so.
fn held_back(resolved: &Incident, alerts: &[Alert], policy: &Policy, now: Timestamp) -> Option<Reason> {
    let received_before_clear = |a: &Alert| resolved.cleared_received_at.is_some_and(|cleared| a.received_at < cleared);
    if alerts.iter().all(received_before_clear) {
        return Some(Reason::StaleFiring);
    }
    let told_at = match resolved.told {
        Told::At(told_at) => Some(told_at),
        Told::UnderWay => Some(now),
        Told::Nobody => None,
    };
    if let Some(told_at) = told_at {
        let until = after_secs(told_at, policy.cooldown_secs);
        return (now < until).then_some(Reason::CoolingDown { until });
    }
    let overtaken = |a: &Alert| resolved.cleared_observed_at.is_some_and(|cleared| a.observed_at < cleared);
    let recent = resolved.cleared_received_at.is_some_and(|at| now < after_secs(at, policy.cooldown_secs));
    (recent && alerts.iter().all(overtaken)).then_some(Reason::StaleFiring)
}

/// Whether the detectors' answer opens an episode. `pending` is the episode that they had rejected before.
fn judge(pending: Option<&Incident>, confirmation: Option<&Confirmation>, policy: &Policy, now: Timestamp) -> Decision {
    let Some(confirmation) = confirmation else {
        return Decision::new(Action::Confirm, Reason::NotYetConfirmed);
    };
    match confirmation.verdict {
        _ if !confirmation.checked => Decision::new(Action::Open, Reason::NotChecked),
        Verdict::Confirmed => Decision::new(Action::Open, Reason::Confirmed),
        Verdict::Inconclusive => Decision::new(Action::Open, Reason::Unconfirmed),
        Verdict::Rejected if policy.recheck_for_secs == 0 => Decision::new(Action::Dismiss, Reason::Rejected),
        Verdict::Rejected => match pending.and_then(|p| p.check_until) {
            Some(until) if now >= until => Decision::new(Action::Dismiss, Reason::RejectedThroughout),
            _ => Decision::new(Action::Watch, Reason::Rejected),
        },
    }
}

fn decide_recheck(
    incident: Option<&Incident>,
    confirmation: Option<&Confirmation>,
    policy: &Policy,
    now: Timestamp,
) -> Decision {
    let due = |incident| hold_ended(incident, now).or_else(|| step_due(incident, policy, now));
    if let Some(decision) = incident.and_then(due) {
        return decision;
    }
    match incident {
        Some(pending) if pending.state == State::Pending => judge(Some(pending), confirmation, policy, now),
        Some(told) if told.is_to_be_counted(now) => {
            let Children { total, firing } = told.children;
            Decision::new(Action::Update, Reason::Counted { total, firing })
        }
        Some(open) if open.state == State::Open => Decision::new(Action::Remind, Reason::StillOpen),
        _ => Decision::new(Action::Suppress, Reason::NoLongerPending),
    }
}

fn decide_cleared(incident: Option<&Incident>, alerts: &[Alert], policy: &Policy, now: Timestamp) -> Decision {
    let Some(incident) = incident else {
        return Decision::new(Action::Suppress, Reason::ClearedUnopened);
    };
    let stale = alerts.iter().all(|a| a.received_at < incident.last_seen);
    match incident.state {
        State::Resolved => Decision::new(Action::Suppress, Reason::AlreadyResolved),
        _ if stale => Decision::new(Action::Suppress, Reason::StaleClear),
        State::Pending => Decision::new(Action::Dismiss, Reason::ClearedWhilePending),
        State::Open | State::Acknowledged => cleared(incident, policy, now),
    }
}
