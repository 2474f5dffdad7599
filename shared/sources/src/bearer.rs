//! A token in `Authorization`: Arize's default, which sends the stored token verbatim.
//!
//! Invariant: SHA-256 digests are compared, never the tokens, so that neither content nor length shows in the time taken.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::signed::{Signature, any_equal};
use crate::{AuthError, Inbound};

/// The word in config.
pub(crate) const KIND: &str = "bearer";

/// The scheme's registered name.
pub(crate) const CHALLENGE: &str = "Bearer";

const AUTHORIZATION: &str = "authorization";
const PREFIX: &str = "Bearer ";

/// Bytes of the token itself; it may be stored with `Bearer ` before it.
pub(crate) fn token_bytes(secret: &SecretString) -> usize {
    without_prefix(secret.expose_secret()).len()
}

/// Checks the token, as it is or after `Bearer `.
pub(crate) fn verify(secrets: &[SecretString], inbound: &Inbound) -> Result<(), AuthError> {
    let value = inbound.sole_header(AUTHORIZATION)?;
    let token = without_prefix(value);
    if token.trim().is_empty() {
        return Err(AuthError::Malformed { header: AUTHORIZATION, expected: "a token" });
    }
    let expected: Vec<Signature> = secrets.iter().map(|secret| digest(secret.expose_secret())).collect();
    any_equal(&[digest(value), digest(token)], &expected)
}

/// The token verbatim, as Arize sends it.
pub(crate) fn sign(secrets: &[SecretString]) -> Vec<(String, String)> {
    let token = secrets.first().map(|secret| secret.expose_secret().to_owned());
    token.into_iter().map(|token| (AUTHORIZATION.to_owned(), token)).collect()
}

/// The scheme's name is read in any case (RFC 9110, 11.1).
fn without_prefix(value: &str) -> &str {
    match value.split_at_checked(PREFIX.len()) {
        Some((prefix, token)) if prefix.eq_ignore_ascii_case(PREFIX) => token.trim_start(),
        _ => value,
    }
}

fn digest(text: &str) -> Signature {
    Sha256::digest(text.as_bytes()).into()
}
