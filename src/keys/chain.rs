//! Certificate chains, for the `x5c` of a header (RFC 7515 section 4.1.6).

use base64_simd::STANDARD;
use thiserror::Error;

use super::certificate::{CertificateInfo, CertificateNames, out_of_order};
use super::{MAX_CERTIFICATES, PublicKey};
use crate::clock::UnixTime;

/// A chain that fits a key: the key's own certificate first, the trust anchor left out.
#[derive(Debug, Clone)]
pub struct CertificateChain {
    /// DER in base64 (RFC 7515 section 4.1.6: not base64url).
    certificates: Vec<String>,
    names: CertificateNames,
    valid_from: i64,
    valid_until: i64,
}

/// What is wrong with a certificate chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ChainError {
    /// There is no certificate in the file.
    #[error("it holds no certificate; expected PEM certificates, the key's own first")]
    Empty,
    /// Something in the file is no certificate.
    #[error("it contains something other than X.509 certificates in PEM form")]
    Malformed,
    /// More certificates than any chain has.
    #[error("it holds more than {MAX_CERTIFICATES} certificates")]
    TooLong,
    /// The first certificate is for another key.
    #[error("its first certificate is not that of the issuer's key")]
    OtherKey,
    /// A certificate was not issued by the one after it.
    #[error(
        "certificate {0} was not issued by the one after it; expected the key's own first, then its issuers"
    )]
    Order(usize),
    /// The only certificate is self-signed, which nobody else vouches for.
    #[error("its only certificate is self-signed; expected one that an authority issued for the key")]
    SelfSigned,
}

impl CertificateChain {
    /// Reads a chain of PEM certificates for this key.
    ///
    /// # Errors
    /// Where the file is no chain, or does not begin with the key's own certificate.
    pub fn read(pem: &[u8], key: &PublicKey) -> Result<CertificateChain, ChainError> {
        let mut chain = CertificateInfo::of_pem(pem).ok_or(ChainError::Malformed)?;
        if chain.len() > MAX_CERTIFICATES {
            return Err(ChainError::TooLong);
        }
        let own = chain.first().ok_or(ChainError::Empty)?;
        if !own.key.as_ref().is_ok_and(|public| public == key) {
            return Err(ChainError::OtherKey);
        }
        let (names, valid_from, valid_until) = (own.names.clone(), own.valid_from, own.valid_until);
        if let Some(place) = out_of_order(&chain) {
            return Err(ChainError::Order(place));
        }
        // The anchor is known to the verifier, and SD-JWT VC's stricter profiles forbid it here, however often.
        while chain.last().is_some_and(CertificateInfo::is_self_issued) {
            chain.pop();
        }
        if chain.is_empty() {
            return Err(ChainError::SelfSigned);
        }
        let certificates = chain.iter().map(|certificate| STANDARD.encode_to_string(&certificate.der));
        Ok(CertificateChain { certificates: certificates.collect(), names, valid_from, valid_until })
    }

    /// Whether the key's own certificate is valid at this time (RFC 5280 section 4.1.2.5).
    pub fn is_valid_at(&self, time: UnixTime) -> bool {
        (self.valid_from..=self.valid_until).contains(&time.seconds())
    }

    /// Whose certificate the key's own is.
    pub fn names(&self) -> &CertificateNames {
        &self.names
    }

    /// The chain as the value of `x5c`.
    pub fn to_json(&self) -> String {
        // Base64 holds nothing that JSON escapes.
        format!("[\"{}\"]", self.certificates.join("\",\""))
    }
}
