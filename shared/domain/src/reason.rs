//! Why a decision was made.
//!
//! Invariant: every reason has a name that records keep, and a clause for people.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::escalation::lasting;
use crate::incident::after_secs;

/// An alert that a silence mutes is looked at this often at least.
const SILENCED_LOOK_SECS_MAX: u64 = 15 * 60;

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
