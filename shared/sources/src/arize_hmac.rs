//! Arize's `HMAC_SHA256`: `X-Arize-Webhook-Signature: v1=<hex HMAC-SHA256("<timestamp>.<raw body>")>` with
//! `X-Arize-Webhook-Timestamp` in unix seconds. Several signatures may stand there, joined by commas.
//!
//! Invariant: whether the key is the secret as text or the base64 behind `whsec_` is not published, so both are tried.
//! An empty key never is.

use domain::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::signed::{SECRET_PREFIX, SIGNATURES_MAX, Signature, any_equal, base64_key, check_fresh, hmac_sha256};
use crate::{AuthError, Inbound};

/// The word in config.
pub(crate) const KIND: &str = "arize_hmac";

const SIGNATURE: &str = "x-arize-webhook-signature";
const TIMESTAMP: &str = "x-arize-webhook-timestamp";
const ID: &str = "x-arize-webhook-id";

/// Bytes of the shorter of the two keys that a secret may mean; `whsec_` is known to everybody and counts for nothing.
pub(crate) fn key_bytes(secret: &SecretString) -> usize {
    let text = secret.expose_secret();
    let Some(payload) = text.strip_prefix(SECRET_PREFIX) else { return text.len() };
    base64_key(payload).map_or(payload.len(), |key| key.expose_secret().len())
}

/// Checks freshness, then the signatures.
pub(crate) fn verify(secrets: &[SecretString], inbound: &Inbound) -> Result<(), AuthError> {
    let given = signatures(inbound.sole_header(SIGNATURE)?)?;
    let timestamp = inbound.sole_header(TIMESTAMP)?;
    check_fresh(TIMESTAMP, timestamp, inbound.received_at)?;
    let expected: Vec<Signature> = secrets.iter().flat_map(|s| expected(s, timestamp, inbound.body)).collect();
    any_equal(&given, &expected)
}

/// The headers as Arize would send them, keyed with the secret as text.
pub(crate) fn sign(secrets: &[SecretString], message_id: &str, at: Timestamp, body: &[u8]) -> Vec<(String, String)> {
    let timestamp = at.as_second().to_string();
    let keyed = secrets.first().map(|secret| signature(secret.expose_secret().as_bytes(), &timestamp, body));
    let mut headers = vec![(ID.to_owned(), message_id.to_owned()), (TIMESTAMP.to_owned(), timestamp)];
    headers.extend(keyed.map(|mac| (SIGNATURE.to_owned(), format!("v1={}", hex::encode(mac)))));
    headers
}

fn expected(secret: &SecretString, timestamp: &str, body: &[u8]) -> Vec<Signature> {
    let text = secret.expose_secret();
    let payload = text.strip_prefix(SECRET_PREFIX).and_then(base64_key);
    let mut signatures = vec![signature(text.as_bytes(), timestamp, body)];
    signatures.extend(payload.map(|key| signature(key.expose_secret(), timestamp, body)));
    signatures
}

fn signature(key: &[u8], timestamp: &str, body: &[u8]) -> Signature {
    hmac_sha256(key, &[timestamp.as_bytes(), b".", body])
}

/// The `v1` signatures; other versions are for other readers.
fn signatures(value: &str) -> Result<Vec<Signature>, AuthError> {
    let malformed = AuthError::Malformed { header: SIGNATURE, expected: "v1= and 64 hexadecimal digits" };
    let parts: Vec<&str> = value.split(',').take(SIGNATURES_MAX + 1).collect();
    let found: Vec<Signature> = parts.iter().filter_map(|part| read(part.trim())).collect();
    if found.is_empty() || parts.len() > SIGNATURES_MAX { Err(malformed) } else { Ok(found) }
}

fn read(part: &str) -> Option<Signature> {
    let mut signature = Signature::default();
    hex::decode_to_slice(part.strip_prefix("v1=")?, &mut signature).ok()?;
    Some(signature)
}
