//! ES256 signatures over JWS signing input (RFC 7515 section 5), made and checked by AWS-LC.
//!
//! `jsonwebtoken::encode` parses the key for every token, which costs as much as the signature. Here a key is
//! parsed once per worker, by [`IssuerKey::signer`] or [`Verifier::new`]. Its verifiers parse the key for every
//! token too, so those of AWS-LC itself are used.

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::JwtSigner;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, EncodingKey};
use thiserror::Error;

use crate::keys::{IssuerKey, PublicKey};

/// The length of an ES256 signature: R and S, 32 bytes each, big-endian (RFC 7518 section 3.4).
pub const SIGNATURE_BYTES: usize = 64;

/// The crypto library refused to sign. Not expected with a key that was read by [`crate::keys`].
#[derive(Debug, Error)]
pub enum SignError {
    /// It did not take the key.
    #[error("the crypto library does not accept the key")]
    Key(#[source] jsonwebtoken::errors::Error),
    /// It did not take the public key.
    #[error("the crypto library does not accept the public key")]
    PublicKey(#[source] KeyRejected),
    /// It did not make a signature, for want of random numbers.
    #[error("the crypto library made no signature")]
    Signature(#[source] jsonwebtoken::signature::Error),
    /// It made one that is not 64 bytes long.
    #[error("the crypto library made a signature that is not 64 bytes long")]
    Length,
}

/// Signs with one issuer's key.
///
/// A signer can be neither sent to nor shared with another thread: each worker makes its own from a shared
/// [`IssuerKey`].
pub struct Signer {
    inner: Box<dyn JwtSigner>,
}

impl IssuerKey {
    /// A signer for one worker thread.
    pub fn signer(&self) -> Result<Signer, SignError> {
        let key = EncodingKey::from_ec_der(self.to_pkcs8_der().as_bytes());
        let inner = (DEFAULT_PROVIDER.signer_factory)(&Algorithm::ES256, &key).map_err(SignError::Key)?;
        Ok(Signer { inner })
    }
}

impl Signer {
    /// Signs `BASE64URL(header) "." BASE64URL(payload)`.
    ///
    /// Nonces are random, hedged with the key and the message by AWS-LC: two signatures of one input differ.
    pub fn sign(&self, signing_input: &[u8]) -> Result<[u8; SIGNATURE_BYTES], SignError> {
        let signature = self.inner.try_sign(signing_input).map_err(SignError::Signature)?;
        signature.try_into().map_err(|_| SignError::Length)
    }
}

/// A compact JWS (RFC 7515 section 7.1) of this header and this payload, both JSON texts.
pub fn sign_compact(signer: &Signer, header: &str, payload: &str) -> Result<String, SignError> {
    let mut token = URL_SAFE_NO_PAD.encode_to_string(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_append(payload, &mut token);
    let signature = signer.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_append(signature, &mut token);
    Ok(token)
}

/// Checks signatures of one public key. Like [`Signer`], it stays on the thread that made it.
pub struct Verifier {
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

impl Verifier {
    /// A verifier for one worker thread.
    pub fn new(public: &PublicKey) -> Result<Self, SignError> {
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public.sec1_uncompressed())
            .map(|key| Self { inner: Inner::AwsLc(key) })
            .map_err(SignError::PublicKey)
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

/// Checks one signature. Whoever checks many by one key keeps a [`Verifier`].
pub fn verify_es256(public: &PublicKey, signing_input: &[u8], signature: &[u8]) -> bool {
    Verifier::new(public).is_ok_and(|verifier| verifier.verify(signing_input, signature))
}
