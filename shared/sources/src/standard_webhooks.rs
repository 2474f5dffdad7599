//! Standard Webhooks: `webhook-signature: v1,<base64>` over `<webhook-id>.<webhook-timestamp>.<raw body>`; the key is
//! base64 behind `whsec_`. Several signatures may stand there, parted by spaces.
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.
//!
//! Invariant: a secret that is not base64 fits nothing.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::Timestamp;
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::signed::{SECRET_PREFIX, SIGNATURES_MAX, Signature, any_equal, base64_key, check_fresh, hmac_sha256};
use crate::{AuthError, Inbound};

/// The word in config.
pub(crate) const KIND: &str = "standard_webhooks";

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// Bytes of the key; `None` when the secret is not base64.
pub(crate) fn key_bytes(secret: &SecretString) -> Option<usize> {
    key(secret).map(|key| key.expose_secret().len())
}

/// The key that a secret holds, with `whsec_` before it or without.
fn key(secret: &SecretString) -> Option<SecretSlice<u8>> {
    let text = secret.expose_secret();
    base64_key(text.strip_prefix(SECRET_PREFIX).unwrap_or(text))
}

/// Checks freshness, then the signatures.
pub(crate) fn verify(secrets: &[SecretString], inbound: &Inbound) -> Result<(), AuthError> {
    let id = inbound.sole_header(ID)?;
    if id.is_empty() {
        return Err(AuthError::Malformed { header: ID, expected: "a message id" });
    }
    let timestamp = inbound.sole_header(TIMESTAMP)?;
    let given = signatures(inbound.sole_header(SIGNATURE)?)?;
    check_fresh(TIMESTAMP, timestamp, inbound.received_at)?;
    let keys = secrets.iter().filter_map(key);
    let expected: Vec<Signature> = keys.map(|key| signature(&key, id, timestamp, inbound.body)).collect();
    any_equal(&given, &expected)
}

/// The headers as a sender of this scheme sends them.
pub(crate) fn sign(secrets: &[SecretString], message_id: &str, at: Timestamp, body: &[u8]) -> Vec<(String, String)> {
    let timestamp = at.as_second().to_string();
    let keyed = secrets.first().and_then(key).map(|key| signature(&key, message_id, &timestamp, body));
    let mut headers = vec![(ID.to_owned(), message_id.to_owned()), (TIMESTAMP.to_owned(), timestamp)];
    headers.extend(keyed.map(|mac| (SIGNATURE.to_owned(), format!("v1,{}", BASE64_STANDARD.encode(mac)))));
    headers
}

fn signature(key: &SecretSlice<u8>, id: &str, timestamp: &str, body: &[u8]) -> Signature {
    hmac_sha256(key.expose_secret(), &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body])
}

/// The `v1` signatures; other versions (`v1a` is asymmetric) are for other readers.
fn signatures(value: &str) -> Result<Vec<Signature>, AuthError> {
    let malformed = AuthError::Malformed { header: SIGNATURE, expected: "v1, and 32 bytes in base64" };
    let parts: Vec<&str> = value.split_whitespace().take(SIGNATURES_MAX + 1).collect();
    let found: Vec<Signature> = parts.iter().filter_map(|part| read(part)).collect();
    if found.is_empty() || parts.len() > SIGNATURES_MAX { Err(malformed) } else { Ok(found) }
}

fn read(part: &str) -> Option<Signature> {
    BASE64_STANDARD.decode(part.strip_prefix("v1,")?).ok()?.try_into().ok()
}
