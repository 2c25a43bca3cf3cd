//! The seam between what is signed and whatever holds the private key.
//!
//! A [`SigningKey`] is shared by all workers of a run; each worker has a [`Signer`] of its own. A key file behind
//! AWS-LC ([`IssuerKey`](super::IssuerKey)) is one implementation. Others sign elsewhere or calculate in another way,
//! and are fast with many messages at once only, so a signer takes as many as there are.

use std::error::Error;
use std::fmt;

use super::PublicKey;
use super::turns::Turn;
use crate::stop::Stop;

/// The length of an ES256 signature.
pub const SIGNATURE_BYTES: usize = 64;

/// An ES256 signature: R and S, 32 bytes each, big-endian (RFC 7518 section 3.4).
pub type Signature = [u8; SIGNATURE_BYTES];

/// What is signed to see whether a key elsewhere signs at all. No document can be mistaken for it: the text that is
/// signed for a JWS has no spaces.
pub const TEST_MESSAGE: &[u8] = b"beltic tests whether this key signs";

/// A P-256 key that signs for one issuer, wherever its private half is.
pub trait SigningKey: fmt::Debug + Send + Sync {
    /// The public half.
    fn public(&self) -> &PublicKey;

    /// A signer for one worker thread, which it need not be able to leave.
    ///
    /// # Errors
    /// Where the key cannot be used to sign.
    fn signer(&self) -> Result<Box<dyn Signer>, SignError>;

    /// Whether the private half is outside of this process, where signing has a rate and a latency of its own.
    fn is_elsewhere(&self) -> bool {
        false
    }

    /// The key for a run that has more workers than signers, so that others work while some wait for their signatures.
    /// There are at most so many signers. None where each worker had better have its own.
    ///
    /// Once `stop` is requested, no signer tries again what has failed.
    fn shared(&self, _signers: usize, _stop: &Stop) -> Option<Box<dyn SigningKey>> {
        None
    }
}

/// Signs with one key.
pub trait Signer {
    /// Signs each of the messages, and puts its signature into the same place of `signatures`. Both have the same
    /// length. All is done or nothing: after an error no signature counts.
    ///
    /// # Errors
    /// Where the signer refuses or cannot be reached.
    fn sign(&mut self, messages: &[&[u8]], signatures: &mut [Signature]) -> Result<(), SignError>;

    /// Signs in turn, where workers share signers. The turn is over when it has one.
    ///
    /// # Errors
    /// As [`Signer::sign`].
    fn sign_in_turn(
        &mut self,
        messages: &[&[u8]],
        signatures: &mut [Signature],
        _turn: &mut Turn,
    ) -> Result<(), SignError> {
        self.sign(messages, signatures)
    }
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct SignError {
    reason: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SignError {
    /// Says what went wrong in a clause, and gives the error behind it.
    pub fn new(reason: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> SignError {
        SignError { reason: reason.into(), source: Some(source.into()) }
    }

    /// Says what went wrong in a clause.
    pub fn said(reason: impl Into<String>) -> SignError {
        SignError { reason: reason.into(), source: None }
    }
}
