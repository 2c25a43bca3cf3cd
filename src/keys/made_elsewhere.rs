//! The check of signatures that something else made: none is used that does not verify by the public key.

use std::sync::Arc;

use super::signing::{SignError, Signature};
use super::{BatchKeys, BatchVerifier, PublicKey, SignatureVerifier};

/// Checks signatures of one key, for one worker.
pub(super) struct SignatureCheck {
    keys: Arc<BatchKeys>,
    verifier: SignatureVerifier,
}

impl SignatureCheck {
    /// `keys` has the public key alone. Workers share it, and the tables in it.
    pub(super) fn new(public: &PublicKey, keys: &Arc<BatchKeys>) -> Result<SignatureCheck, SignError> {
        Ok(SignatureCheck { keys: Arc::clone(keys), verifier: SignatureVerifier::new(public)? })
    }

    /// The place of the first signature that is not one of its message, whose digest is known.
    pub(super) fn first_bad(
        &self,
        messages: &[&[u8]],
        digests: &[[u8; 32]],
        signatures: &[Signature],
    ) -> Option<usize> {
        let batch: Vec<_> =
            digests.iter().zip(signatures).map(|(digest, signature)| (0, digest, signature)).collect();
        let by_aws_lc = |place: usize| self.verifier.verify(messages[place], &signatures[place]);
        let verdicts = BatchVerifier::new(&self.keys).verify_digests(&batch, by_aws_lc);
        verdicts.iter().position(|verdict| !verdict)
    }
}
