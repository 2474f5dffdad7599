//! The append-only, hash-chained record of an incident.
//!
//! Invariant: each entry's hash covers its number, time, body and the hash before it; a changed, missing or reordered
//! entry breaks the chain, and [`verify`] names the place.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{Alert, Confirmation, Enrichment, Reason, Transition};

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Alerts came in; the newest of them, and how many.
    Received {
        /// The newest.
        alert: Box<Alert>,
        /// How many were folded into it.
        alerts: usize,
    },
    /// The detectors answered.
    Verdict {
        /// Their answer.
        confirmation: Confirmation,
    },
    /// Facts were learned, or not.
    Enriched {
        /// Facts and gaps.
        enrichment: Box<Enrichment>,
    },
    /// Nobody is woken; the metric is looked at again.
    Watching {
        /// Why.
        reason: Reason,
        /// When it is looked at again.
        next_check_at: Timestamp,
    },
    /// The incident changed, and its receivers are told.
    Transitioned {
        /// How.
        transition: Transition,
        /// Why.
        reason: Reason,
        /// Who is told.
        receivers: Vec<String>,
    },
    /// A rule's phase or hours keep some of its receivers from being told.
    Withheld {
        /// Who is not told.
        receivers: Vec<String>,
    },
    /// Alerts were taken and nobody is told.
    Suppressed {
        /// Why.
        reason: Reason,
    },
    /// The episode ended without anyone having been told.
    Dismissed {
        /// Why.
        reason: Reason,
    },
}

/// Digits of a hash that are kept of an entry which a later one of the same write covers.
const HASH_BEGINNING: usize = 8;

/// The newest entry's number and hash: what the next one is chained to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineHead {
    /// Entries so far.
    pub length: u32,
    /// Hash of the newest; empty before the first.
    pub hash: String,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// From 0.
    pub seq: u32,
    /// When it was written.
    pub at: Timestamp,
    /// The event as JSON text: kept as written, since the hash is over these bytes.
    pub body: String,
    /// Hash of the entry before; empty for the first.
    pub previous: String,
    /// SHA-256 over number, time, body and previous hash; 64 hexadecimal digits.
    pub hash: String,
}

/// The chain does not hold.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("the timeline is broken at entry {seq}: {why}")]
pub struct BrokenChain {
    /// The first entry that does not fit.
    pub seq: u32,
    /// How it does not fit.
    pub why: &'static str,
}

impl TimelineHead {
    /// Chains an event to the newest entry and moves on to it.
    ///
    /// # Errors
    /// When the event cannot be written as JSON, which no event built from decoded input causes.
    pub fn append(&mut self, event: &Event, at: Timestamp) -> Result<Entry, serde_json::Error> {
        let body = serde_json::to_string(event)?;
        let hash = hash(self.length, at, &body, &self.hash);
        let entry = Entry { seq: self.length, at, body, previous: std::mem::take(&mut self.hash), hash };
        self.length += 1;
        self.hash.clone_from(&entry.hash);
        Ok(entry)
    }
}

impl Entry {
    /// An entry as it was kept: with its hash, or with the beginning of it, which is made whole where it fits.
    #[must_use]
    pub fn kept(seq: u32, at: Timestamp, body: String, previous: String, hash: String) -> Self {
        let whole = self::hash(seq, at, &body, &previous);
        let hash = if hash.len() >= HASH_BEGINNING && whole.starts_with(&hash) { whole } else { hash };
        Self { seq, at, body, previous, hash }
    }

    /// The beginning of its hash. It suffices for all entries of a write but the last, whose whole hash covers them.
    #[must_use]
    pub fn hash_beginning(&self) -> &str {
        self.hash.get(..HASH_BEGINNING).unwrap_or(&self.hash)
    }

    /// The event.
    ///
    /// # Errors
    /// When the body was not written by this version or an older one.
    pub fn event(&self) -> Result<Event, serde_json::Error> {
        serde_json::from_str(&self.body)
    }
}

/// Checks a whole timeline, first entry first.
///
/// # Errors
/// [`BrokenChain`] names the first entry that does not fit.
pub fn verify(entries: &[Entry]) -> Result<(), BrokenChain> {
    let mut head = TimelineHead::default();
    for entry in entries {
        let broken = |why| Err(BrokenChain { seq: head.length, why });
        if entry.seq != head.length {
            return broken("an entry is missing or out of order");
        }
        if entry.previous != head.hash {
            return broken("it is not chained to the entry before");
        }
        if entry.hash != hash(entry.seq, entry.at, &entry.body, &entry.previous) {
            return broken("its content was changed");
        }
        head = TimelineHead { length: head.length + 1, hash: entry.hash.clone() };
    }
    Ok(())
}

fn hash(seq: u32, at: Timestamp, body: &str, previous: &str) -> String {
    let mut sha = Sha256::new();
    sha.update(seq.to_be_bytes());
    sha.update(at.as_nanosecond().to_be_bytes());
    sha.update((body.len() as u64).to_be_bytes());
    sha.update(body.as_bytes());
    sha.update(previous.as_bytes());
    hex::encode(sha.finalize())
}
