//! RSA signatures of SNS: version 1 over SHA-1, version 2 over SHA-256, both PKCS#1 v1.5.
//!
//! Invariant: the key is the one in the certificate and nothing else decides. That the certificate is AWS's, whoever
//! fetched it over HTTPS from AWS's host vouches for; it comes without the chain that would prove it.

use ring::signature::{RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use webpki::EndEntityCert;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;

use crate::AuthError;

/// `sha1WithRSAEncryption` (RFC 3279), as DER.
const SHA1_WITH_RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00];

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    /// Signature version 1.
    Sha1,
    /// Signature version 2.
    Sha256,
}

/// RSA over SHA-1, which webpki leaves out on purpose: AWS's default for topics is still version 1.
#[derive(Debug)]
struct RsaSha1;

impl SignatureVerificationAlgorithm for RsaSha1 {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, public_key);
        key.verify(message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::from_slice(SHA1_WITH_RSA)
    }
}

/// Checks a signature with the first certificate in the PEM text.
pub(crate) fn check_signature(pem: &[u8], hash: Hash, text: &[u8], signature: &[u8]) -> Result<(), AuthError> {
    let der = CertificateDer::from_pem_slice(pem).map_err(|_| AuthError::UnreadableCertificate)?;
    let certificate = EndEntityCert::try_from(&der).map_err(|_| AuthError::UnreadableCertificate)?;
    let algorithm: &dyn SignatureVerificationAlgorithm = match hash {
        Hash::Sha1 => &RsaSha1,
        Hash::Sha256 => RSA_PKCS1_2048_8192_SHA256,
    };
    certificate.verify_signature(algorithm, text, signature).map_err(|_| AuthError::Mismatch)
}
