//! The dedup key: which alerts are the same problem.
//!
//! Invariant: it depends on the labels that the rule groups by and on nothing else; never on a time, a value, or the
//! order in which labels were written. A missing label and an empty one differ.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::Alert;

/// Hexadecimal digits in a fingerprint: 128 bits, so that collisions do not happen by chance.
const DIGITS: usize = 32;

/// 32 lower-case hexadecimal digits over the grouped labels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

/// The text is not a fingerprint.
#[derive(Debug, Error)]
#[error("a fingerprint is 32 lower-case hexadecimal digits, not {0:?}")]
pub struct InvalidFingerprint(String);

impl Fingerprint {
    /// The fingerprint of an alert under a rule's `group_by`.
    #[must_use]
    pub fn of(alert: &Alert, group_by: &[String]) -> Self {
        let mut names: Vec<&String> = group_by.iter().collect();
        names.sort_unstable();
        names.dedup();
        let mut hash = Sha256::new();
        for name in names {
            frame(&mut hash, name);
            match alert.label(name) {
                Some(value) => {
                    hash.update([1]);
                    frame(&mut hash, value);
                }
                None => hash.update([0]),
            }
        }
        let mut digits = hex::encode(hash.finalize());
        digits.truncate(DIGITS);
        Self(digits)
    }

    /// A key over names and values that are no alert's.
    #[must_use]
    pub fn over(parts: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut hash = Sha256::new();
        for (name, value) in parts {
            frame(&mut hash, &name);
            frame(&mut hash, &value);
        }
        let mut digits = hex::encode(hash.finalize());
        digits.truncate(DIGITS);
        Self(digits)
    }

    /// The 32 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Length before text, so that `ab`+`c` and `a`+`bc` differ.
fn frame(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text.as_bytes());
}

impl TryFrom<String> for Fingerprint {
    type Error = InvalidFingerprint;

    fn try_from(text: String) -> Result<Self, InvalidFingerprint> {
        let digits = text.len() == DIGITS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if digits { Ok(Self(text)) } else { Err(InvalidFingerprint(text)) }
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
