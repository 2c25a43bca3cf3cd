//! Signing with a key in memory, by AWS-LC.
//!
//! `jsonwebtoken::encode` parses the key for every token, which costs as much as the signature. Here a key is parsed
//! once for each worker.

use jsonwebtoken::crypto::JwtSigner;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, EncodingKey};

use super::signing::{SignError, Signature, Signer, SigningKey};
use super::{IssuerKey, PublicKey};

impl SigningKey for IssuerKey {
    fn public(&self) -> &PublicKey {
        self.public()
    }

    fn signer(&self) -> Result<Box<dyn Signer>, SignError> {
        let key = EncodingKey::from_ec_der(self.to_pkcs8_der().as_bytes());
        let inner = (DEFAULT_PROVIDER.signer_factory)(&Algorithm::ES256, &key)
            .map_err(|error| SignError::new("the crypto library does not accept the key", error))?;
        Ok(Box::new(SoftwareSigner { inner }))
    }
}

/// Signs one message after the other.
///
/// Nonces are random, hedged with the key and the message by AWS-LC: two signatures of one message differ.
struct SoftwareSigner {
    inner: Box<dyn JwtSigner>,
}

impl Signer for SoftwareSigner {
    fn sign(&mut self, messages: &[&[u8]], signatures: &mut [Signature]) -> Result<(), SignError> {
        debug_assert_eq!(messages.len(), signatures.len());
        for (message, signature) in messages.iter().zip(signatures) {
            let made = self
                .inner
                .try_sign(message)
                .map_err(|error| SignError::new("the crypto library made no signature", error))?;
            *signature = made.try_into().map_err(|_| {
                SignError::said("the crypto library made a signature that is not 64 bytes long")
            })?;
        }
        Ok(())
    }
}
