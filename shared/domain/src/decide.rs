//! What an alert means for its incident.
//!
//! Invariant: [`decide`] is a pure function with a named reason for every answer. Alerts are ordered by when we received
//! them; a vendor's clock only decides what a clear has overtaken. Nothing reopens after its resolve, and a cooldown
//! counts from when people were told, so that an episode that reached nobody silences nothing. What a cooldown holds
//! back is looked at when it ends.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::escalation::{lasting, step_due};
use crate::flapping::{cleared, hold_ended};
use crate::incident::after_secs;
use crate::{
    Alert, Children, Confirmation, EscalationStep, Flapping, Incident, Severity, State, Status, Told, Verdict,
};

/// An open incident is told of again when an alert comes after at least this long a silence: its source may have sent no
/// clear, and the people may have closed what they were told of.
const REMIND_AFTER_SECS_MIN: u64 = 3600;

/// An alert that a silence mutes is looked at this often at least.
const SILENCED_LOOK_SECS_MAX: u64 = 15 * 60;

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

/// Why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// A detector has to be asked first.
    NotYetConfirmed,
    /// The detectors confirmed it.
    Confirmed,
    /// The detectors could not say, or the metric could not be read: people decide.
    Unconfirmed,
    /// The rule names no detector.
    NotChecked,
    /// The detectors rejected it.
    Rejected,
    /// The detectors rejected it at every look.
    RejectedThroughout,
    /// The incident is open and this is the same problem.
    Duplicate,
    /// The incident is open, and this is a child that it did not have.
    Joined,
    /// The number of its children changed.
    Counted {
        /// That fired in the episode.
        total: u64,
        /// That fire now.
        firing: u64,
    },
    /// An alert of the same problem is more severe than any before.
    SeverityRaised,
    /// An alert came after a long silence, and no clear before it.
    FiringAgain,
    /// It is still open, and the rule wants people reminded.
    StillOpen,
    /// It is open, and nobody has acknowledged it for so long.
    NotAcknowledged {
        /// Seconds since it opened.
        after_secs: u64,
    },
    /// The source says that it is over.
    Cleared,
    /// Its state changed too often within its rule's window.
    Flapping {
        /// It is over when it is quiet until then.
        until: Timestamp,
    },
    /// It was held open, and was quiet and clear for the window.
    Quiet,
    /// It was held open, and fires.
    FlapsNoMore,
    /// A child has cleared, and others fire.
    OthersFiring,
    /// The clear of a child that was not known to fire.
    ChildNotFiring,
    /// It was over before anyone was told.
    ClearedWhilePending,
    /// A clear without an incident.
    ClearedUnopened,
    /// A clear that is older than the newest alert.
    StaleClear,
    /// The episode had ended already.
    AlreadyResolved,
    /// People were told a short while ago.
    CoolingDown {
        /// Until when.
        until: Timestamp,
    },
    /// A silence mutes it.
    Silenced {
        /// Which.
        silence: String,
        /// Until when.
        until: Timestamp,
    },
    /// It is under maintenance.
    Maintenance {
        /// Which window.
        window: String,
        /// Until when.
        until: Timestamp,
    },
    /// Its rule tells nobody in this time interval.
    MutedTime {
        /// Which.
        interval: String,
        /// Until when.
        until: Timestamp,
    },
    /// Its rule tells people in other time intervals only.
    OutsideActiveTime {
        /// Until when.
        until: Timestamp,
    },
    /// An open incident explains it.
    Inhibited {
        /// Which.
        incident: String,
        /// When it is looked at again.
        until: Timestamp,
    },
    /// An alert that is older than the clear that ended its episode.
    StaleFiring,
    /// A later look at an episode that is no longer pending.
    NoLongerPending,
}

impl Reason {
    /// True where people who are told have to know why.
    #[must_use]
    pub fn is_told(&self) -> bool {
        matches!(self, Self::Quiet | Self::NotAcknowledged { .. })
    }

    /// When an alert that is held back is looked at again; `None` where it is held back for good. A silence may be ended
    /// before its time.
    #[must_use]
    pub fn looked_at_again(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.held_back_until()?;
        let soon = after_secs(now, SILENCED_LOOK_SECS_MAX);
        Some(if matches!(self, Self::Silenced { .. }) { until.min(soon) } else { until })
    }

    /// Until when an alert is held back, where it is not for good.
    #[must_use]
    pub fn held_back_until(&self) -> Option<Timestamp> {
        match self {
            Self::CoolingDown { until }
            | Self::Silenced { until, .. }
            | Self::Maintenance { until, .. }
            | Self::MutedTime { until, .. }
            | Self::OutsideActiveTime { until }
            | Self::Inhibited { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// Whether it says the same as another, though it may be until another time.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Inhibited { incident, .. }, Self::Inhibited { incident: other, .. }) => incident == other,
            _ => self == other,
        }
    }

    /// One clause for people.
    #[must_use]
    pub fn explain(&self) -> String {
        let text = match self {
            Self::NotYetConfirmed => "the metric has to be looked at first",
            Self::Confirmed => "the detectors confirmed it",
            Self::Unconfirmed => "the detectors could not confirm it, so people decide",
            Self::NotChecked => "the rule names no detector",
            Self::Rejected => "the detectors found the metric as usual",
            Self::RejectedThroughout => "the detectors found the metric as usual at every look",
            Self::Duplicate => "the incident is already known",
            Self::Joined => "the incident has one more child",
            Self::Counted { total, firing } => return format!("it has {total} children, of which {firing} fire"),
            Self::SeverityRaised => "it became more severe",
            Self::FiringAgain => "it fires again after a long silence, and no clear came",
            Self::StillOpen => "it is still open, and the rule asks for a reminder",
            Self::NotAcknowledged { after_secs } => {
                return format!("nobody has acknowledged it for {}", lasting(*after_secs));
            }
            Self::Cleared => "the source says that it is over",
            Self::Flapping { until } => {
                return format!("its state changes too often; kept open until it is quiet, {until} at the earliest");
            }
            Self::Quiet => "it flapped, and was quiet and clear since",
            Self::FlapsNoMore => "it flaps no more: it fires",
            Self::OthersFiring => "a child has cleared, and others still fire",
            Self::ChildNotFiring => "no child of these labels was firing",
            Self::ClearedWhilePending => "it was over before anyone was told",
            Self::ClearedUnopened => "no incident was open",
            Self::StaleClear => "a newer alert came after this clear",
            Self::AlreadyResolved => "the episode had ended already",
            Self::CoolingDown { until } => {
                return format!("people were told a short while ago; cooling down until {until}");
            }
            Self::Silenced { silence, until } => return format!("silence {silence} mutes it until {until}"),
            Self::Maintenance { window, until } => {
                return format!("maintenance window {window} mutes it until {until}");
            }
            Self::MutedTime { interval, until } => {
                return format!("its rule tells nobody during {interval}, until {until}");
            }
            Self::OutsideActiveTime { until } => {
                return format!("its rule tells people at other times only, from {until}");
            }
            Self::Inhibited { incident, .. } => return format!("incident {incident} is open and explains it"),
            Self::StaleFiring => "the alert is older than the clear that ended its episode",
            Self::NoLongerPending => "the episode is no longer pending",
        };
        text.to_owned()
    }
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
