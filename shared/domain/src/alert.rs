//! One normalised event, whatever system raised it.
//!
//! Invariant: an alert holds only fields that a source mapped on purpose; nothing of a payload travels by default.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::metric_kind;

/// The label that says what a metric is about.
pub const METRIC_KIND: &str = "metric_kind";

/// Names one reception of one alert; unique, made where the alert was received.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertId(String);

impl AlertId {
    /// Wraps an id made by the receiving side.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether the monitor says that the problem is there or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The monitor is triggered.
    Firing,
    /// The monitor has recovered.
    Cleared,
}

impl Status {
    /// The word used in config, records and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Cleared => "cleared",
        }
    }
}

/// How bad, in `PagerDuty`'s four words; ordered from least to most severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nice to know.
    Info,
    /// Someone should look in working hours.
    Warning,
    /// Users notice.
    Error,
    /// Users are down.
    Critical,
}

impl Severity {
    /// The word used in config, records and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// Reads the words vendors use; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "info" | "low" | "p4" | "p5" => Some(Self::Info),
            "warning" | "warn" | "medium" | "p3" => Some(Self::Warning),
            "error" | "high" | "p2" => Some(Self::Error),
            "critical" | "fatal" | "urgent" | "p1" => Some(Self::Critical),
            _ => None,
        }
    }

    /// 0 (info) to 3 (critical): the order as a number, for stores that compare numbers.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Self::Info => 0,
            Self::Warning => 1,
            Self::Error => 2,
            Self::Critical => 3,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A link that is shown to people. It is never fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What the link says.
    pub text: String,
    /// An `https://` or `http://` address.
    pub href: String,
}

/// One event of one monitor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// This reception.
    pub id: AlertId,
    /// The source that raised it, as config names it (`arize`, `generic`).
    pub source: String,
    /// The monitor's name for people.
    pub monitor: String,
    /// The monitor's id at its source, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor_id: Option<String>,
    /// The service that the monitor watches.
    pub service: String,
    /// The metric that the monitor watches.
    pub metric: String,
    /// Firing or cleared.
    pub status: Status,
    /// How bad.
    pub severity: Severity,
    /// Model, endpoint, region, team, environment, segment … as the source's mapping allows.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The metric's value, in the metric's own unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What the monitor calls normal, in the metric's own unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// What the monitor compares with, in the metric's own unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// When the source saw it; when it was received, if the source says nothing.
    pub observed_at: Timestamp,
    /// When `receive` took it, by our clock. Orders alerts: a vendor's clock does not.
    pub received_at: Timestamp,
    /// Shown, never fetched.
    #[serde(default)]
    pub links: Vec<Link>,
    /// The rule that matched when it was received. A rule may change the severity that it matched by, so it is found
    /// once and goes with the alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Rules that matched after it, since it lets others follow: their receivers are told as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

impl Alert {
    /// A label by name. `source`, `monitor`, `service`, `metric` and `severity` answer from the alert's own fields, and
    /// `metric_kind` from its metric where no label gives it, so that rules match and group by them as by any label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        match name {
            "source" => Some(&self.source),
            "monitor" => Some(&self.monitor),
            "service" => Some(&self.service),
            "metric" => Some(&self.metric),
            "severity" => Some(self.severity.as_str()),
            METRIC_KIND => Some(self.labels.get(METRIC_KIND).map_or_else(|| metric_kind(&self.metric), String::as_str)),
            other => self.labels.get(other).map(String::as_str),
        }
    }
}
