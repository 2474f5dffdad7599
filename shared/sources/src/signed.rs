//! What the signing schemes share: HMAC-SHA256, freshness, comparing.
//!
//! Invariant: every signature is compared with every key's, in constant time and without an early exit.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use domain::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretSlice;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::AuthError;

/// Seconds that a signed time may differ from our clock, either way.
pub const FRESH_SECS: u64 = 300;

/// Signatures looked at in one header; a sender who rotates gives two.
pub const SIGNATURES_MAX: usize = 16;

/// What signing secrets begin with at Arize and in Standard Webhooks.
pub(crate) const SECRET_PREFIX: &str = "whsec_";

/// Bytes in a SHA-256 block.
const BLOCK_BYTES: usize = 64;

/// An HMAC-SHA256.
pub(crate) type Signature = [u8; 32];

/// Keys are handed out with and without padding.
const KEY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// HMAC-SHA256 over the parts joined (RFC 2104: a key longer than a block is hashed, a shorter one padded with zeros).
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Signature {
    let hashed = Sha256::digest(key);
    let short = if key.len() > BLOCK_BYTES { hashed.as_slice() } else { key };
    let mut block = [0; BLOCK_BYTES];
    block.iter_mut().zip(short).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The key that text in base64 holds; `None` when it is not base64 or holds nothing.
pub(crate) fn base64_key(text: &str) -> Option<SecretSlice<u8>> {
    KEY_BASE64.decode(text).ok().filter(|key| !key.is_empty()).map(SecretSlice::from)
}

/// Checks that any given signature is any expected one.
pub(crate) fn any_equal(given: &[Signature], expected: &[Signature]) -> Result<(), AuthError> {
    let mut found = Choice::from(0);
    for signature in given {
        for other in expected {
            found |= signature.as_slice().ct_eq(other.as_slice());
        }
    }
    if bool::from(found) { Ok(()) } else { Err(AuthError::Mismatch) }
}

/// Checks a signed time, in whole unix seconds, against our clock.
pub(crate) fn check_fresh(header: &'static str, text: &str, now: Timestamp) -> Result<(), AuthError> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let signed_at = if digits { text.parse::<i64>().ok() } else { None };
    let signed_at = signed_at.ok_or(AuthError::Malformed { header, expected: "a unix time in seconds" })?;
    let skew_secs = now.as_second().abs_diff(signed_at);
    if skew_secs <= FRESH_SECS { Ok(()) } else { Err(AuthError::Stale { skew_secs }) }
}

#[cfg(test)]
mod tests {
    use super::{base64_key, hmac_sha256};

    #[track_caller]
    fn check_hmac(key: &[u8], parts: &[&[u8]], expected: &str) {
        assert_eq!(hex::encode(hmac_sha256(key, parts)), expected);
    }

    #[test]
    fn rfc_4231_vectors() {
        check_hmac(&[0x0b; 20], &[b"Hi There"], "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        let joined: &[&[u8]] = &[b"what do ya want ", b"for nothing?"];
        check_hmac(b"Jefe", joined, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let long: &[&[u8]] = &[b"Test Using Larger Than Block-Size Key - Hash Key First"];
        check_hmac(&[0xaa; 131], long, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn no_text_holds_an_empty_key() {
        for text in ["", "=", "====", "A", "not base64"] {
            assert!(base64_key(text).is_none(), "{text:?}");
        }
        assert!(base64_key("AA").is_some() && base64_key("AA==").is_some());
    }
}
