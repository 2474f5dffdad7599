//! Who may send: the authentication schemes, one file each.
//!
//! Invariant: an [`Auth`] has one or two usable secrets, none of them short enough to be guessed, and no secret is in an
//! error, a `Debug` or a log. Every secret is tried, without an early exit.

use domain::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use crate::{Inbound, arize_hmac, bearer, standard_webhooks};

/// Secrets active at once: the old and the new one of a rotation.
pub const SECRETS_MAX: usize = 2;

/// Bytes in a secret, at least; of a key in base64 those that it decodes to.
pub const SECRET_BYTES_MIN: usize = 16;

/// How a source proves who it is. Made by [`Auth::new`] only.
#[derive(Debug, Clone)]
pub enum Auth {
    /// A token in `Authorization`.
    #[non_exhaustive]
    Bearer {
        /// The tokens, newest first.
        secrets: Vec<SecretString>,
    },
    /// Arize's `HMAC_SHA256`.
    #[non_exhaustive]
    ArizeHmac {
        /// The secrets, newest first.
        secrets: Vec<SecretString>,
    },
    /// The Standard Webhooks scheme.
    #[non_exhaustive]
    StandardWebhooks {
        /// The secrets, newest first.
        secrets: Vec<SecretString>,
    },
}

/// Why an authentication cannot be set up. A secret is named by its place, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidAuth {
    /// No scheme has that name.
    #[error("unknown authentication {0:?}: use bearer, arize_hmac or standard_webhooks")]
    UnknownKind(String),
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
    /// No active secret fits.
    #[error("no active secret fits")]
    Mismatch,
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
        }
    }
}

impl Auth {
    /// The names of the schemes, as in config.
    pub const KINDS: &'static [&'static str] = &[bearer::KIND, arize_hmac::KIND, standard_webhooks::KIND];

    /// The scheme of that name, as [`Auth::KINDS`] writes it.
    ///
    /// # Errors
    /// [`InvalidAuth::UnknownKind`] names the word and the words there are.
    pub fn parse_kind(word: &str) -> Result<&'static str, InvalidAuth> {
        let known = Self::KINDS.iter().copied().find(|kind| *kind == word);
        known.ok_or_else(|| InvalidAuth::UnknownKind(word.to_owned()))
    }

    /// A scheme with its active secrets, newest first.
    ///
    /// # Errors
    /// [`InvalidAuth`] names what is wrong; no secret is in it.
    pub fn new(kind: &str, secrets: Vec<SecretString>) -> Result<Self, InvalidAuth> {
        let kind = Self::parse_kind(kind)?;
        match secrets.len() {
            0 => return Err(InvalidAuth::NoSecret),
            1..=SECRETS_MAX => {}
            found => return Err(InvalidAuth::TooManySecrets { found }),
        }
        for (secret, place) in secrets.iter().zip(1..) {
            check_secret(kind, secret, place)?;
        }
        match kind {
            bearer::KIND => Ok(Self::Bearer { secrets }),
            arize_hmac::KIND => Ok(Self::ArizeHmac { secrets }),
            standard_webhooks::KIND => Ok(Self::StandardWebhooks { secrets }),
            other => Err(InvalidAuth::UnknownKind(other.to_owned())),
        }
    }

    /// The scheme's name, as in config.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bearer { .. } => bearer::KIND,
            Self::ArizeHmac { .. } => arize_hmac::KIND,
            Self::StandardWebhooks { .. } => standard_webhooks::KIND,
        }
    }

    /// What `WWW-Authenticate` names: `Bearer` (RFC 6750), and our own word for a scheme that has none registered.
    #[must_use]
    pub fn challenge(&self) -> &'static str {
        match self {
            Self::Bearer { .. } => bearer::CHALLENGE,
            Self::ArizeHmac { .. } | Self::StandardWebhooks { .. } => self.kind(),
        }
    }

    /// Checks that a holder of an active secret sent this body; now is [`Inbound::received_at`].
    ///
    /// # Errors
    /// [`AuthError`] names the reason, without any secret.
    pub fn verify(&self, inbound: &Inbound) -> Result<(), AuthError> {
        match self {
            Self::Bearer { secrets } => bearer::verify(secrets, inbound),
            Self::ArizeHmac { secrets } => arize_hmac::verify(secrets, inbound),
            Self::StandardWebhooks { secrets } => standard_webhooks::verify(secrets, inbound),
        }
    }

    /// The headers with which the source would send that body at that time, made with the first secret.
    #[must_use]
    pub fn sign(&self, message_id: &str, at: Timestamp, body: &[u8]) -> Vec<(String, String)> {
        match self {
            Self::Bearer { secrets } => bearer::sign(secrets),
            Self::ArizeHmac { secrets } => arize_hmac::sign(secrets, message_id, at, body),
            Self::StandardWebhooks { secrets } => standard_webhooks::sign(secrets, message_id, at, body),
        }
    }
}

fn check_secret(kind: &str, secret: &SecretString, place: usize) -> Result<(), InvalidAuth> {
    let text = secret.expose_secret();
    if text.trim().is_empty() || (kind != bearer::KIND && text == crate::signed::SECRET_PREFIX) {
        return Err(InvalidAuth::EmptySecret { place });
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(InvalidAuth::UnusableSecret { place });
    }
    let bytes = match kind {
        standard_webhooks::KIND => standard_webhooks::key_bytes(secret).ok_or(InvalidAuth::NotBase64 { place })?,
        arize_hmac::KIND => arize_hmac::key_bytes(secret),
        _ => bearer::token_bytes(secret),
    };
    if bytes < SECRET_BYTES_MIN { Err(InvalidAuth::ShortSecret { place }) } else { Ok(()) }
}
