//! The name of an episode.
//!
//! Invariant: two episodes never have one name, not even where a table was emptied and their numbers begin again.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Fingerprint;

/// Names one episode: fingerprint's head, episode number, first alert's second, joined by `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IncidentId(String);

/// The text is not an incident id.
#[derive(Debug, Error)]
#[error("an incident id is 1 to 64 letters, digits and dashes, not {0:?}")]
pub struct InvalidIncidentId(String);

impl IncidentId {
    /// The id of an episode. The second in it keeps ids apart when a table is emptied and episodes count from 1 again.
    #[must_use]
    pub fn of(fingerprint: &Fingerprint, episode: u64, began_at: Timestamp) -> Self {
        let head: String = fingerprint.as_str().chars().take(10).collect();
        Self(format!("{head}-{episode}-{:x}", began_at.as_second()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IncidentId {
    type Error = InvalidIncidentId;

    fn try_from(text: String) -> Result<Self, InvalidIncidentId> {
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if fits { Ok(Self(text)) } else { Err(InvalidIncidentId(text)) }
    }
}

impl From<IncidentId> for String {
    fn from(id: IncidentId) -> Self {
        id.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
