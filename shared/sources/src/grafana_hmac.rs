//! Grafana's webhook signature (12.0 and newer): `X-Grafana-Alerting-Signature: <hex HMAC-SHA256("<timestamp>:<raw body>")>`
//! with the time in unix seconds in the header that the contact point names. Source: *HMAC signature* in
//! <https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/>.
//!
//! Invariant: without a signed time a body could be sent again for ever, so the contact point must name the header
//! `X-Grafana-Alerting-Timestamp`: a signature over the body alone fits nothing.

use domain::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::signed::{Signature, any_equal, check_fresh, hmac_sha256};
use crate::{AuthError, Inbound};

/// The word in config.
pub(crate) const KIND: &str = "grafana_hmac";

const SIGNATURE: &str = "x-grafana-alerting-signature";
const TIMESTAMP: &str = "x-grafana-alerting-timestamp";

/// Checks freshness, then the signature.
pub(crate) fn verify(secrets: &[SecretString], inbound: &Inbound) -> Result<(), AuthError> {
    let mut given = Signature::default();
    let digits = inbound.sole_header(SIGNATURE)?.trim();
    hex::decode_to_slice(digits, &mut given)
        .map_err(|_| AuthError::Malformed { header: SIGNATURE, expected: "64 hexadecimal digits" })?;
    let timestamp = inbound.sole_header(TIMESTAMP)?;
    check_fresh(TIMESTAMP, timestamp, inbound.received_at)?;
    let expected: Vec<Signature> = secrets.iter().map(|secret| signature(secret, timestamp, inbound.body)).collect();
    any_equal(&[given], &expected)
}

/// The headers as Grafana sends them.
pub(crate) fn sign(secrets: &[SecretString], at: Timestamp, body: &[u8]) -> Vec<(String, String)> {
    let timestamp = at.as_second().to_string();
    let signature = secrets.first().map(|secret| hex::encode(signature(secret, &timestamp, body)));
    let mut headers = vec![(TIMESTAMP.to_owned(), timestamp)];
    headers.extend(signature.map(|signature| (SIGNATURE.to_owned(), signature)));
    headers
}

fn signature(secret: &SecretString, timestamp: &str, body: &[u8]) -> Signature {
    hmac_sha256(secret.expose_secret().as_bytes(), &[timestamp.as_bytes(), b":", body])
}
