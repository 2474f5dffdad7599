//! Why an authentication cannot be set up, and why a webhook is not authenticated.
//!
//! Invariant: no secret and nothing of a body is in an error; a secret is named by its place.

use thiserror::Error;

use crate::Auth;
use crate::auth::{SECRET_BYTES_MIN, SECRETS_MAX};

/// Why an authentication cannot be set up. A secret is named by its place, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidAuth {
    /// No scheme has that name.
    #[error("unknown authentication {word:?}: use one of {known}", word = .0, known = Auth::KINDS.join(", "))]
    UnknownKind(String),
    /// The scheme has no secret, but topics.
    #[error("sns has no secret: list the topics' ARNs under topics")]
    NoTopic,
    /// A topic's ARN is none.
    #[error("topic {place} is no ARN of an SNS topic: write arn:aws:sns:<region>:<account>:<name>")]
    InvalidTopic {
        /// Which, from 1.
        place: usize,
    },
    /// The list is empty.
    #[error("no secret: give one, or two while you rotate")]
    NoSecret,
    /// The list is too long.
    #[error("{found} secrets: give at most {max}, the new and the old one", max = SECRETS_MAX)]
    TooManySecrets {
        /// How many there are.
        found: usize,
    },
    /// The secret is empty, or holds no key after `whsec_`.
    #[error("secret {place} is empty: set it")]
    EmptySecret {
        /// Which.
        place: usize,
    },
    /// The secret could never arrive in a header, or was copied with more than it.
    #[error("secret {place} has white space around it or a control character in it: set it without")]
    UnusableSecret {
        /// Which.
        place: usize,
    },
    /// A Standard Webhooks secret without a base64 key.
    #[error("secret {place} is not base64 after whsec_: copy it as the sender shows it")]
    NotBase64 {
        /// Which.
        place: usize,
    },
    /// The secret could be guessed.
    #[error("secret {place} has fewer than {min} bytes: set a longer one, made at random", min = SECRET_BYTES_MIN)]
    ShortSecret {
        /// Which.
        place: usize,
    },
}

/// Why a webhook is not authenticated. For our log; the sender only learns that it is not.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthError {
    /// A header is absent.
    #[error("the header {header} is missing")]
    Missing {
        /// Its name.
        header: &'static str,
    },
    /// A header is there more than once.
    #[error("the header {header} is given more than once")]
    Repeated {
        /// Its name.
        header: &'static str,
    },
    /// A header cannot be read.
    #[error("the header {header} is not {expected}")]
    Malformed {
        /// Its name.
        header: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The signed time is too far from our clock.
    #[error("the signed time is {skew_secs} s away from our clock, more than {max} s", max = crate::FRESH_SECS)]
    Stale {
        /// Seconds between the two, in either direction.
        skew_secs: u64,
    },
    /// No active secret fits, or not the certificate's key.
    #[error("no active secret fits")]
    Mismatch,
    /// A signed message lacks what its signature needs.
    #[error("the message has no {lacking}")]
    NotSigned {
        /// What.
        lacking: &'static str,
    },
    /// The message is of a topic that config does not list.
    #[error("config lists no such topic")]
    UnknownTopic,
    /// The certificate is not where SNS keeps its own.
    #[error("the signing certificate is not on an SNS host")]
    ForeignCertificate,
    /// The certificate cannot be read.
    #[error("the signing certificate cannot be read")]
    UnreadableCertificate,
    /// The scheme needs a certificate: [`Auth::verify_with`].
    #[error("the signing certificate was not given")]
    NoCertificate,
}

impl AuthError {
    /// A stable name for logs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing_header",
            Self::Repeated { .. } => "repeated_header",
            Self::Malformed { .. } => "malformed_header",
            Self::Stale { .. } => "stale",
            Self::Mismatch => "no_secret_fits",
            Self::NotSigned { .. } => "not_signed",
            Self::UnknownTopic => "unknown_topic",
            Self::ForeignCertificate => "foreign_certificate",
            Self::UnreadableCertificate => "unreadable_certificate",
            Self::NoCertificate => "no_certificate",
        }
    }
}
