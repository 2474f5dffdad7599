//! A token in the URL, `?token=…`: for senders that can set neither a header nor a signature. URLs are written into the
//! logs of whatever stands between; any other scheme is better.
//!
//! Invariant: SHA-256 digests are compared, never the tokens; a token given twice is refused.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::signed::{Signature, any_equal};
use crate::{AuthError, Inbound};

/// The word in config.
pub(crate) const KIND: &str = "url_token";

/// The parameter's name, and what errors call it.
const PARAMETER: &str = "token";
const PLACE: &str = "?token";

/// Checks the token, percent-encoded or as it is.
pub(crate) fn verify(secrets: &[SecretString], inbound: &Inbound) -> Result<(), AuthError> {
    let mut tokens = inbound.query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(n, _)| *n == PARAMETER);
    let (_, token) = tokens.next().ok_or(AuthError::Missing { header: PLACE })?;
    if tokens.next().is_some() {
        return Err(AuthError::Repeated { header: PLACE });
    }
    let decoded = percent_decoded(token);
    if decoded.is_empty() {
        return Err(AuthError::Malformed { header: PLACE, expected: "a token" });
    }
    let expected: Vec<Signature> = secrets.iter().map(|s| digest(s.expose_secret().as_bytes())).collect();
    any_equal(&[digest(&decoded)], &expected)
}

/// What stands after `?` in the sender's URL.
pub(crate) fn query(secrets: &[SecretString]) -> Option<String> {
    let token = secrets.first()?.expose_secret().bytes();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let token: String = token.map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect();
    Some(format!("{PARAMETER}={token}"))
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| str::from_utf8(digits).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            decoded.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            decoded.push(*first);
            rest = after;
        }
    }
    decoded
}

fn digest(bytes: &[u8]) -> Signature {
    Sha256::digest(bytes).into()
}
