//! Who is not told for a while, because a person said so.
//!
//! Invariant: a silence has an end, and mutes nothing before its beginning or from its end on.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Alert, Matcher};

/// Names a silence: 1 to 64 letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SilenceId(String);

/// The text is not a silence's id.
#[derive(Debug, Error)]
#[error("a silence's id is 1 to 64 letters, digits, - and _, not {0:?}")]
pub struct InvalidSilenceId(String);

impl SilenceId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SilenceId {
    type Error = InvalidSilenceId;

    fn try_from(text: String) -> Result<Self, InvalidSilenceId> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(fits);
        if fits { Ok(Self(text)) } else { Err(InvalidSilenceId(text)) }
    }
}

impl From<SilenceId> for String {
    fn from(id: SilenceId) -> Self {
        id.0
    }
}

impl fmt::Display for SilenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Alerts that all matchers take are told to nobody until it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its name.
    pub id: SilenceId,
    /// At least one.
    pub matchers: Vec<Matcher>,
    /// From then on.
    pub from: Timestamp,
    /// Until then.
    pub until: Timestamp,
    /// Why, for people.
    pub because: String,
    /// Who said so.
    #[serde(default)]
    pub by: String,
}

impl Silence {
    /// Whether it is in force.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }

    /// Whether an alert is told to nobody now because of it.
    #[must_use]
    pub fn mutes(&self, alert: &Alert, now: Timestamp) -> bool {
        self.is_active(now) && !self.matchers.is_empty() && self.matchers.iter().all(|m| m.takes(alert.label(&m.label)))
    }
}
