//! What was learned for an incident, and what was not.
//!
//! Invariant: a fact that could not be learned is a gap with its reason, shown to people; never a silent absence.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Change, CommitRange, IncidentId, Link, Suspect};

/// What could not be learned in time, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// What was asked for (`deployments`, `commits`, `metric`, `monitor`).
    pub what: String,
    /// Why there is no answer, for people; never a body or a secret.
    pub why: String,
}

impl Gap {
    /// A gap with its reason.
    pub fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into() }
    }
}

/// Where to read what to do, and what to do first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runbook {
    /// The page.
    pub url: String,
    /// First steps, in order.
    #[serde(default)]
    pub first_steps: Vec<String>,
}

/// An earlier episode of the same fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierEpisode {
    /// That episode's incident.
    pub incident: IncidentId,
    /// When people were told of it.
    pub opened_at: Timestamp,
    /// When it ended.
    pub resolved_at: Timestamp,
}

/// Everything learned for one incident.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Enrichment {
    /// Newest first.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// Commits between the last two deployments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commits: Option<CommitRange>,
    /// Likely causes, most likely first. Empty means that none is known.
    #[serde(default)]
    pub suspects: Vec<Suspect>,
    /// By rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<Runbook>,
    /// By rule.
    #[serde(default)]
    pub dashboards: Vec<Link>,
    /// Newest first.
    #[serde(default)]
    pub earlier: Vec<EarlierEpisode>,
    /// What is missing, and why.
    #[serde(default)]
    pub gaps: Vec<Gap>,
}
