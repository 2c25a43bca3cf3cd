//! Checking ES256 signatures over JWS signing input (RFC 7515 section 5.2).
//!
//! The verifiers of `jsonwebtoken` parse the key for every token, so those of AWS-LC itself are used. Many signatures at
//! once are the job of [`BatchVerifier`], for which AWS-LC judges whatever the batch engine does not accept.

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};

use super::PublicKey;
use super::signing::{SignError, Signature};

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

/// The keys of signatures that are checked in batches, and the tables of those that many signatures were seen of. Threads
/// share it.
#[derive(Debug)]
pub struct BatchKeys {
    keys: p256_batch::Keys,
    ids: Vec<p256_batch::KeyId>,
    engine: p256_batch::Engine,
}

impl BatchKeys {
    /// The keys, which are named by their places.
    pub fn new<'k>(public: impl IntoIterator<Item = &'k PublicKey>) -> BatchKeys {
        let mut keys = p256_batch::Keys::default();
        let ids = public.into_iter().map(|key| keys.add(&key.sec1_uncompressed()));
        let ids = ids.map(|id| id.expect("a public key is a point of P-256")).collect();
        BatchKeys { keys, ids, engine: p256_batch::Engine::fastest() }
    }

    /// The same for verifiers that use no instructions that some processors lack.
    pub fn portable(self) -> BatchKeys {
        BatchKeys { engine: p256_batch::Engine::Portable, ..self }
    }
}

/// A signature that is checked with others.
#[derive(Debug)]
pub struct Signed<'s> {
    /// The place of its key in [`BatchKeys`].
    pub key: usize,
    /// The signing input.
    pub input: &'s [u8],
    /// The signature.
    pub signature: &'s Signature,
}

/// Checks signatures of many keys, several at once. It stays on the thread that made it.
pub struct BatchVerifier<'k> {
    keys: &'k BatchKeys,
    verifier: p256_batch::Verifier<'k>,
}

impl<'k> BatchVerifier<'k> {
    /// A verifier for one worker thread.
    pub fn new(keys: &'k BatchKeys) -> BatchVerifier<'k> {
        let verifier = p256_batch::Verifier::with(&keys.keys, keys.engine);
        BatchVerifier { keys, verifier: verifier.expect("the engine is one that this processor has") }
    }

    /// For each signature, whether it is one of its key. `check` asks AWS-LC about the signature at this place. It has the
    /// last word about each that the batch engine does not accept.
    pub fn verify(&mut self, batch: &[Signed<'_>], check: impl FnMut(usize) -> bool) -> Vec<bool> {
        let digests: Vec<[u8; SHA256_OUTPUT_LEN]> = batch.iter().map(|signed| sha256(signed.input)).collect();
        let batch: Vec<_> = batch
            .iter()
            .zip(&digests)
            .map(|(signed, digest)| (signed.key, digest, signed.signature))
            .collect();
        self.verify_digests(&batch, check)
    }

    /// The same for signatures whose digests are known: the place of the key, the digest, the signature.
    pub(super) fn verify_digests(
        &mut self,
        batch: &[(usize, &[u8; SHA256_OUTPUT_LEN], &Signature)],
        check: impl FnMut(usize) -> bool,
    ) -> Vec<bool> {
        let items: Vec<p256_batch::Signature<'_>> = batch
            .iter()
            .map(|&(key, digest, signature)| p256_batch::Signature {
                key: self.keys.ids[key],
                digest,
                signature,
            })
            .collect();
        self.verifier.verify(&items, check)
    }
}

/// A SHA-256 digest.
pub(super) fn sha256(input: &[u8]) -> [u8; SHA256_OUTPUT_LEN] {
    let mut bytes = [0; SHA256_OUTPUT_LEN];
    bytes.copy_from_slice(digest(&SHA256, input).as_ref());
    bytes
}
