//! What the detectors said about an alert's metric, and with what evidence.
//!
//! Invariant: only `Rejected` keeps people asleep. No data, no detector, no answer: all of them page, and say so.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Gap;

/// A detector's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The metric is anomalous.
    Confirmed,
    /// The metric is as usual.
    Rejected,
    /// The data do not suffice to say.
    Inconclusive,
}

impl Verdict {
    /// The word used in records and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// The band in which a detector expected the value, in the metric's unit. An absent side is unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Lowest usual value.
    pub low: Option<f64>,
    /// Highest usual value.
    pub high: Option<f64>,
}

/// One detector's vote and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The detector's name, as in config.
    pub detector: String,
    /// Its vote.
    pub verdict: Verdict,
    /// How unusual; 1.0 is where it confirms. `None` when it could not be computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The tested value, in the metric's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Where the value was expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Band>,
    /// Points in the tested window.
    pub tested_points: usize,
    /// Points in the baseline.
    pub baseline_points: usize,
    /// Since when the metric has been anomalous without a break.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// One sentence for people.
    pub because: String,
}

/// The combined answer for one alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The combined vote; `Inconclusive` where nothing could be read.
    pub verdict: Verdict,
    /// False where the rule names no detector: then nothing was checked, on purpose.
    pub checked: bool,
    /// The votes.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// Why the metric could not be read, if it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
    /// When it was decided.
    pub at: Timestamp,
}

impl Confirmation {
    /// For a rule that names no detector.
    #[must_use]
    pub fn not_configured(at: Timestamp) -> Self {
        Self { verdict: Verdict::Inconclusive, checked: false, evidence: Vec::new(), gap: None, at }
    }

    /// For a metric that could not be read.
    #[must_use]
    pub fn unavailable(gap: Gap, at: Timestamp) -> Self {
        Self { verdict: Verdict::Inconclusive, checked: true, evidence: Vec::new(), gap: Some(gap), at }
    }

    /// True where a check was asked for and did not confirm: such a page says "unconfirmed".
    #[must_use]
    pub fn is_unconfirmed(&self) -> bool {
        self.checked && self.verdict != Verdict::Confirmed
    }
}
