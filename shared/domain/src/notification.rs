//! What one receiver is told of one transition: a snapshot, so that a message sent late still says what was true.
//!
//! Invariant: everything a message needs is in here; rendering reads nothing else.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Children, Confirmation, Enrichment, Fingerprint, IncidentId, Link, Severity, State};

/// A change of an incident that people hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// An episode began.
    Opened,
    /// It became more severe.
    Escalated,
    /// It is still there.
    Reminded,
    /// What is shown of it changed; nobody is told anew.
    Updated,
    /// Someone took it.
    Acknowledged,
    /// It is over.
    Resolved,
    /// People took it up again at a receiver.
    Reopened,
}

impl Transition {
    /// Every transition, in the order of an episode's life.
    pub const ALL: [Self; 7] = [
        Self::Opened,
        Self::Escalated,
        Self::Reminded,
        Self::Updated,
        Self::Acknowledged,
        Self::Resolved,
        Self::Reopened,
    ];

    /// The word used in config, records and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Escalated => "escalated",
            Self::Reminded => "reminded",
            Self::Updated => "updated",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
        }
    }

    /// The transition of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.as_str() == word)
    }
}

/// One transition of one incident, as a receiver is told of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// The incident.
    pub incident: IncidentId,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// What happened.
    pub transition: Transition,
    /// When it happened.
    pub at: Timestamp,
    /// The incident's state after it.
    pub state: State,
    /// The incident's severity after it.
    pub severity: Severity,
    /// The rule that matched.
    pub rule: String,
    /// The source that raised the alert.
    pub source: String,
    /// The monitor's name.
    pub monitor: String,
    /// The service.
    pub service: String,
    /// The metric.
    pub metric: String,
    /// The alert's labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Value, baseline and threshold as the alert told them, in the metric's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// See `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// See `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Alerts folded into the episode so far.
    pub occurrences: u64,
    /// The incident's children, where its rule tells them apart.
    #[serde(default, skip_serializing_if = "Children::is_none")]
    pub children: Children,
    /// Until when it is held open, because its state changed too often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// Why, where that has to be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// When the alert that opened it was received; what an older version wrote has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Timestamp>,
    /// When the episode opened.
    pub opened_at: Timestamp,
    /// When it ended, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// What the detectors said when it opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// What was learned when it opened.
    #[serde(default)]
    pub enrichment: Enrichment,
    /// The alert's own links.
    #[serde(default)]
    pub links: Vec<Link>,
}

impl Notification {
    /// Seconds from opening to the end, or to this transition while it lasts.
    #[must_use]
    pub fn duration_secs(&self) -> i64 {
        (self.resolved_at.unwrap_or(self.at).as_second() - self.opened_at.as_second()).max(0)
    }
}
