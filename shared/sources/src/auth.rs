//! Who may send: the authentication schemes, one file each.
//!
//! Invariant: an [`Auth`] has one or two usable secrets, none of them short enough to be guessed, or topics whose messages
//! AWS signs. No secret is in an error, a `Debug` or a log; every secret is tried, without an early exit.

use domain::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    AuthError, Inbound, InvalidAuth, Subscription, arize_hmac, bearer, grafana_hmac, sns, standard_webhooks, url_token,
};

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
    /// Grafana's HMAC over time and body.
    #[non_exhaustive]
    GrafanaHmac {
        /// The secrets, newest first.
        secrets: Vec<SecretString>,
    },
    /// A token in the URL.
    #[non_exhaustive]
    UrlToken {
        /// The tokens, newest first.
        secrets: Vec<SecretString>,
    },
    /// Amazon SNS's signature; there is no secret.
    #[non_exhaustive]
    Sns {
        /// ARNs of the topics that are listened to.
        topics: Vec<String>,
    },
}

impl Auth {
    /// The names of the schemes, as in config.
    pub const KINDS: &'static [&'static str] =
        &[bearer::KIND, arize_hmac::KIND, grafana_hmac::KIND, standard_webhooks::KIND, url_token::KIND, sns::KIND];

    /// The scheme that has topics in place of secrets.
    pub const SNS: &'static str = sns::KIND;

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
        if kind == sns::KIND {
            return Err(InvalidAuth::NoTopic);
        }
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
            grafana_hmac::KIND => Ok(Self::GrafanaHmac { secrets }),
            standard_webhooks::KIND => Ok(Self::StandardWebhooks { secrets }),
            url_token::KIND => Ok(Self::UrlToken { secrets }),
            other => Err(InvalidAuth::UnknownKind(other.to_owned())),
        }
    }

    /// SNS's signatures, for messages of these topics.
    ///
    /// # Errors
    /// [`InvalidAuth`] names the topic that is none, or says that there is none.
    pub fn sns(topics: Vec<String>) -> Result<Self, InvalidAuth> {
        if topics.is_empty() {
            return Err(InvalidAuth::NoTopic);
        }
        match (1..).zip(&topics).find(|(_, topic)| !sns::is_topic(topic)) {
            Some((place, _)) => Err(InvalidAuth::InvalidTopic { place }),
            None => Ok(Self::Sns { topics }),
        }
    }

    /// The scheme's name, as in config.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bearer { .. } => bearer::KIND,
            Self::ArizeHmac { .. } => arize_hmac::KIND,
            Self::GrafanaHmac { .. } => grafana_hmac::KIND,
            Self::StandardWebhooks { .. } => standard_webhooks::KIND,
            Self::UrlToken { .. } => url_token::KIND,
            Self::Sns { .. } => sns::KIND,
        }
    }

    /// What `WWW-Authenticate` names: `Bearer` (RFC 6750), and our own word for a scheme that has none registered.
    #[must_use]
    pub fn challenge(&self) -> &'static str {
        match self {
            Self::Bearer { .. } => bearer::CHALLENGE,
            _ => self.kind(),
        }
    }

    /// Checks that a holder of an active secret sent this body; now is [`Inbound::received_at`].
    ///
    /// # Errors
    /// [`AuthError`] names the reason, without any secret. [`AuthError::NoCertificate`] where
    /// [`Auth::certificate_url`] names a certificate.
    pub fn verify(&self, inbound: &Inbound) -> Result<(), AuthError> {
        match self {
            Self::Bearer { secrets } => bearer::verify(secrets, inbound),
            Self::ArizeHmac { secrets } => arize_hmac::verify(secrets, inbound),
            Self::GrafanaHmac { secrets } => grafana_hmac::verify(secrets, inbound),
            Self::StandardWebhooks { secrets } => standard_webhooks::verify(secrets, inbound),
            Self::UrlToken { secrets } => url_token::verify(secrets, inbound),
            Self::Sns { .. } => Err(AuthError::NoCertificate),
        }
    }

    /// Where the certificate is that this body says it was signed with, on a host of SNS; `None` for schemes that need
    /// none.
    ///
    /// # Errors
    /// [`AuthError`] where the body is not worth the asking.
    pub fn certificate_url(&self, inbound: &Inbound) -> Result<Option<String>, AuthError> {
        match self {
            Self::Sns { topics } => sns::certificate_url(topics, inbound).map(Some),
            _ => Ok(None),
        }
    }

    /// As [`Auth::verify`], with the certificate (PEM) at [`Auth::certificate_url`].
    ///
    /// # Errors
    /// [`AuthError`] names the reason.
    pub fn verify_with(&self, inbound: &Inbound, certificate: &[u8]) -> Result<(), AuthError> {
        match self {
            Self::Sns { topics } => sns::verify(topics, inbound, certificate),
            other => other.verify(inbound),
        }
    }

    /// The subscription that this body asks to confirm, if it does. Only for a body that [`Auth::verify_with`] let pass.
    #[must_use]
    pub fn subscription(&self, inbound: &Inbound) -> Option<Subscription> {
        match self {
            Self::Sns { topics } => sns::subscription(topics, inbound),
            _ => None,
        }
    }

    /// What stands after `?` in the URL that the source would send to.
    #[must_use]
    pub fn query(&self) -> Option<String> {
        match self {
            Self::UrlToken { secrets } => url_token::query(secrets),
            _ => None,
        }
    }

    /// The headers with which the source would send that body at that time, made with the first secret. None for SNS,
    /// whose key is AWS's alone.
    #[must_use]
    pub fn sign(&self, message_id: &str, at: Timestamp, body: &[u8]) -> Vec<(String, String)> {
        match self {
            Self::Bearer { secrets } => bearer::sign(secrets),
            Self::ArizeHmac { secrets } => arize_hmac::sign(secrets, message_id, at, body),
            Self::GrafanaHmac { secrets } => grafana_hmac::sign(secrets, at, body),
            Self::StandardWebhooks { secrets } => standard_webhooks::sign(secrets, message_id, at, body),
            Self::UrlToken { .. } | Self::Sns { .. } => Vec::new(),
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
