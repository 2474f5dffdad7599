//! The UUIDs under which issues and comments are made.
//!
//! Invariant: the same delivery always gives the same UUID, other deliveries others; it has the form of version 4, the
//! one that Linear takes.

use domain::DeliveryId;
use sha2::{Digest, Sha256};

/// Bytes of a UUID.
const BYTES: usize = 16;

/// Where a UUID's text has hyphens: before these bytes.
const HYPHENS: [usize; 4] = [4, 6, 8, 10];

/// The UUID of what `step` makes for a delivery.
#[must_use]
pub fn client_id(step: &str, delivery: &DeliveryId) -> String {
    let digest = Sha256::digest(format!("tocsin linear {step} {delivery}"));
    let mut text = String::new();
    for (at, byte) in digest.iter().take(BYTES).enumerate() {
        if HYPHENS.contains(&at) {
            text.push('-');
        }
        let byte = match at {
            6 => (byte & 0x0f) | 0x40,
            8 => (byte & 0x3f) | 0x80,
            _ => *byte,
        };
        text = format!("{text}{byte:02x}");
    }
    text
}
