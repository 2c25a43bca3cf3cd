//! Checking ES256 signatures over JWS signing input (RFC 7515 section 5.2).
//!
//! The verifiers of `jsonwebtoken` parse the key for every token, so those of AWS-LC itself are used.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};

use super::PublicKey;
use super::signing::SignError;

/// Checks signatures of one public key. It stays on the thread that made it.
pub struct SignatureVerifier {
    inner: Inner,
}

/// Whose arithmetic it is.
enum Inner {
    AwsLc(ParsedPublicKey),
    P256(Box<p256::ecdsa::VerifyingKey>),
}

/// The implementations of ES256 that can check signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Implementation {
    /// AWS-LC, which also signs.
    #[default]
    AwsLc,
    /// The `p256` crate, which has no code in common with it, and takes several times as long.
    P256,
}

impl SignatureVerifier {
    /// A verifier for one worker thread.
    pub fn new(public: &PublicKey) -> Result<Self, SignError> {
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public.sec1_uncompressed())
            .map(|key| Self { inner: Inner::AwsLc(key) })
            .map_err(|error| SignError::new("the crypto library does not accept the public key", error))
    }

    /// A verifier that calculates with this implementation.
    pub fn of(implementation: Implementation, public: &PublicKey) -> Result<Self, SignError> {
        match implementation {
            Implementation::AwsLc => Self::new(public),
            Implementation::P256 => Ok(Self { inner: Inner::P256(Box::new(public.verifying_key())) }),
        }
    }

    /// Is this a signature of `signing_input` by the key? Any length but 64 bytes is a "no", and so is any R or S
    /// outside 1 to n-1. Both S and n-S are accepted, as ES256 has no low-S rule.
    pub fn verify(&self, signing_input: &[u8], signature: &[u8]) -> bool {
        match &self.inner {
            Inner::AwsLc(key) => key.verify_sig(signing_input, signature).is_ok(),
            Inner::P256(key) => p256::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| {
                p256::ecdsa::signature::Verifier::verify(&**key, signing_input, &signature).is_ok()
            }),
        }
    }
}

/// Checks one signature. Whoever checks many by one key keeps a [`SignatureVerifier`].
pub fn verify_es256(public: &PublicKey, signing_input: &[u8], signature: &[u8]) -> bool {
    SignatureVerifier::new(public).is_ok_and(|verifier| verifier.verify(signing_input, signature))
}
