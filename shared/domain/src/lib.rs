//! The words of Tocsin as types, and the decisions made over them.
//!
//! Invariant: nothing here does I/O, awaits or reads a clock. `now` is always a parameter, and every decision comes
//! with a named [`Reason`]. What is absent: HTTP, AWS, templates, configuration files.

mod alert;
mod change;
mod children;
mod confirmation;
mod decide;
mod delivery;
mod enrichment;
mod escalation;
mod fingerprint;
mod flapping;
mod fold;
mod incident;
mod incident_id;
mod interval;
mod looks;
mod matcher;
mod metric_kind;
mod notification;
mod outcome;
mod phase;
mod reason;
mod receiver_kind;
mod series;
mod silence;
mod suspect;
mod timeline;

pub use alert::{Alert, AlertId, Link, METRIC_KIND, Severity, Status};
pub use change::{Change, ChangeKind, Commit, CommitRange};
pub use children::{CHILDREN_PER_WRITE_MAX, Child, ChildState, Children, Fold, Group, decide_grouped};
pub use confirmation::{Band, Confirmation, Evidence, Verdict};
pub use decide::{Action, Decision, Policy, decide};
pub use delivery::{
    Delivery, DeliveryId, DeliveryState, Handle, Lease, MESSAGE_LEASE, MESSAGE_LEASE_SECS, Progress, Told, told,
};
pub use enrichment::{EarlierEpisode, Enrichment, Gap, Runbook};
pub use escalation::EscalationStep;
pub use fingerprint::{Fingerprint, InvalidFingerprint};
pub use flapping::{CHANGES_MAX, Flapping};
pub use fold::runs;
pub use incident::{Incident, SEEN_ALERTS_MAX, State};
pub use incident_id::{IncidentId, InvalidIncidentId};
pub use interval::{Interval, Times};
pub use matcher::{Glob, InvalidMatcher, Matcher, Pattern, Test};
pub use metric_kind::{METRIC_KINDS, metric_kind};
pub use notification::{Notification, Transition};
pub use outcome::Outcome;
pub use phase::Phase;
pub use reason::Reason;
pub use receiver_kind::{Medium, ReceiverKind, UnknownReceiverKind};
pub use series::{Point, Series};
pub use silence::{InvalidSilenceId, Silence, SilenceId};
pub use suspect::{Suspect, rank_suspects};
pub use timeline::{BrokenChain, Entry, Event, TimelineHead, verify};

pub use jiff::Timestamp;
