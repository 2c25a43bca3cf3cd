//! Trust anchors, and the way from a token's certificates to one of them (RFC 5280 section 6).
//!
//! A chain is what `x5c` holds: the certificate of the key first, each issued by the one after it (RFC 7515 section
//! 4.1.6). Nothing else is searched: a chain in another order is refused, and so is one with a gap. The path goes up to the first
//! certificate that an anchor issued; what stands behind that (the anchor itself, mostly) is not needed.
//!
//! Signatures, dates, basic constraints, path lengths and name constraints are checked by webpki, which fails where it
//! does not understand a constraint. What it leaves out is checked here: key usage, the dates, constraints and critical
//! extensions of the anchor, and that URIs keep to the hosts that constraints on DNS names allow. Revocation of certificates is not checked: nothing is fetched. Extended key usage is not, either: none is registered for
//! credentials.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime as PkiTime};
use thiserror::Error;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter};

use super::certificate::{CertificateInfo, CertificateNames, out_of_order};
use super::{MAX_CERTIFICATES, PublicKey};
use crate::clock::UnixTime;

/// The most anchors.
const MAX_ANCHORS: usize = 10_000;

/// The authorities that a verifier trusts.
#[derive(Debug, Clone, Default)]
pub struct TrustAnchors {
    anchors: Vec<Anchor>,
}

#[derive(Debug, Clone)]
struct Anchor {
    trust: TrustAnchor<'static>,
    certificate: CertificateInfo,
}

impl Anchor {
    /// The certificate at this place of a file as an anchor.
    fn of(place: usize, certificate: CertificateInfo) -> Result<Anchor, AnchorError> {
        if !certificate.is_ca {
            return Err(AnchorError::NotAnAuthority(place));
        }
        let der = CertificateDer::from(certificate.der.as_slice());
        let trust = webpki::anchor_from_trusted_cert(&der).map_err(|_| AnchorError::Malformed)?.to_owned();
        Ok(Anchor { trust, certificate })
    }
}

/// What is wrong with a file of trust anchors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AnchorError {
    /// There is no certificate in the file.
    #[error("it holds no certificate; expected PEM certificates")]
    Empty,
    /// Something in the file is no certificate.
    #[error("it contains something other than X.509 certificates in PEM form")]
    Malformed,
    /// More than anybody has.
    #[error("there are more than {MAX_ANCHORS} certificates")]
    TooMany,
    /// A certificate that may not issue others.
    #[error(
        "certificate {0} is not that of a certificate authority; pass the key of a single issuer with `--key`"
    )]
    NotAnAuthority(usize),
}

/// The certificate of a key, which an anchor vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertifiedKey {
    /// The key.
    pub public: PublicKey,
    /// Whose it is.
    pub names: CertificateNames,
}

/// Why a chain does not certify a key. Certificates count from 1.
#[derive(Debug, Error)]
pub enum PathError {
    /// No certificates.
    #[error("it is empty")]
    Empty,
    /// More certificates than any chain has.
    #[error("it holds more than {MAX_CERTIFICATES} certificates")]
    TooLong,
    /// Something that is no certificate.
    #[error("certificate {0} is not an X.509 certificate")]
    Malformed(usize),
    /// A certificate was not issued by the one after it.
    #[error("certificate {0} was not issued by the one after it")]
    Order(usize),
    /// The first certificate is its own issuer.
    #[error("certificate 1 is self-signed")]
    SelfSigned,
    /// The first certificate is for no key that signs tokens here.
    #[error("certificate 1 cannot be used: {0}")]
    Key(String),
    /// The first certificate is for another purpose.
    #[error("the key usage of certificate 1 does not include digitalSignature")]
    NotForSigning,
    /// An authority's certificate is for another purpose.
    #[error("the key usage of certificate {0} does not include keyCertSign")]
    NotForCertifying(usize),
    /// The chain ends before it reaches an anchor.
    #[error(
        "the issuer of certificate {place}, {issuer:?}, is not a trust anchor, and its certificate is not there"
    )]
    NoAnchor {
        /// The last certificate.
        place: usize,
        /// Who issued it.
        issuer: String,
    },
    /// The anchor is too old, or too new.
    #[error("the trust anchor {0:?} is not valid at this time")]
    AnchorOutOfTime(String),
    /// The anchor is for another purpose.
    #[error("the key usage of the trust anchor {0:?} does not include keyCertSign")]
    AnchorNotForCertifying(String),
    /// The anchor allows fewer authorities below it.
    #[error("the trust anchor {0:?} does not allow so many certificates below it")]
    AnchorPathLength(String),
    /// The anchor has an extension that must be understood.
    #[error("the trust anchor {0:?} has a critical extension that is not supported")]
    AnchorExtension(String),
    /// A certificate has expired.
    #[error("certificate {place} expired at {end}")]
    Expired {
        /// Which one.
        place: usize,
        /// Its last second.
        end: String,
    },
    /// A certificate is not valid yet.
    #[error("certificate {place} is not valid before {start}")]
    NotYetValid {
        /// Which one.
        place: usize,
        /// Its first second.
        start: String,
    },
    /// Anything else.
    #[error("{0}")]
    Path(&'static str),
}

impl TrustAnchors {
    /// Adds the certificates of a PEM file.
    ///
    /// # Errors
    /// Where it holds none, something else, or one that is not that of an authority.
    pub fn add_pem(&mut self, pem: &[u8]) -> Result<(), AnchorError> {
        let certificates = CertificateInfo::of_pem(pem).ok_or(AnchorError::Malformed)?;
        if certificates.is_empty() {
            return Err(AnchorError::Empty);
        }
        if self.anchors.len() + certificates.len() > MAX_ANCHORS {
            return Err(AnchorError::TooMany);
        }
        let anchors = (1..).zip(certificates).map(|(place, certificate)| Anchor::of(place, certificate));
        // All of them or none: a file that is refused leaves no trust behind.
        self.anchors.extend(anchors.collect::<Result<Vec<_>, _>>()?);
        Ok(())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The key that a chain of certificates (DER) certifies at a time.
    ///
    /// # Errors
    /// Why it certifies none.
    pub fn certified(&self, chain: &[Vec<u8>], now: UnixTime) -> Result<CertifiedKey, PathError> {
        if chain.len() > MAX_CERTIFICATES {
            return Err(PathError::TooLong);
        }
        let read =
            |(place, der): (usize, &Vec<u8>)| CertificateInfo::of_der(der).ok_or(PathError::Malformed(place));
        let chain: Vec<CertificateInfo> = (1..).zip(chain).map(read).collect::<Result<_, _>>()?;
        let own = chain.first().ok_or(PathError::Empty)?;
        if let Some(place) = out_of_order(&chain) {
            return Err(PathError::Order(place));
        }
        if own.is_self_issued() {
            return Err(PathError::SelfSigned);
        }
        let public = own.key.as_ref().map_err(|error| PathError::Key(error.clone()))?;
        if !own.may_sign() {
            return Err(PathError::NotForSigning);
        }
        self.lead_to_anchor(&chain, now)?;
        Ok(CertifiedKey { public: public.clone(), names: own.names.clone() })
    }

    /// Whether one of the anchors issued the chain. Where several have the name of its issuer, one is enough.
    fn lead_to_anchor(&self, chain: &[CertificateInfo], now: UnixTime) -> Result<(), PathError> {
        let mut problem = None;
        for anchor in &self.anchors {
            let issued = |certificate: &CertificateInfo| certificate.names_issuer(&anchor.certificate);
            let Some(last) = chain.iter().position(issued) else { continue };
            match check_path(&chain[..=last], anchor, now) {
                Ok(()) => return Ok(()),
                Err(found) => problem = Some(found),
            }
        }
        Err(problem.unwrap_or_else(|| PathError::NoAnchor {
            place: chain.len(),
            issuer: chain.last().map_or_else(String::new, |last| last.issuer.clone()),
        }))
    }
}

/// Checks the path from the last of these certificates, which names the anchor as its issuer, to the first.
fn check_path(path: &[CertificateInfo], anchor: &Anchor, now: UnixTime) -> Result<(), PathError> {
    check_anchor(&anchor.certificate, &path[1..], now)?;
    if let Some(place) = path[1..].iter().position(|authority| !authority.may_certify()) {
        return Err(PathError::NotForCertifying(place + 2));
    }
    let ders: Vec<CertificateDer<'_>> =
        path.iter().map(|certificate| CertificateDer::from(certificate.der.as_slice())).collect();
    let time = PkiTime::since_unix_epoch(Duration::from_secs(now.seconds().try_into().unwrap_or(0)));
    let own = EndEntityCert::try_from(&ders[0]).map_err(|error| in_words(&error, path))?;
    let anchors = std::slice::from_ref(&anchor.trust);
    own.verify_for_usage(ALL_VERIFICATION_ALGS, anchors, &ders[1..], time, AnyPurpose, None, None)
        .map_err(|error| in_words(&error, path))?;
    check_hosts(path, &anchor.certificate)
}

/// No URI of the first certificate may be on a host that one above it does not allow.
fn check_hosts(path: &[CertificateInfo], anchor: &CertificateInfo) -> Result<(), PathError> {
    let mut above = path[1..].iter().chain([anchor]);
    match above.all(|authority| path[0].names.uris.iter().all(|uri| authority.hosts.allow(uri))) {
        true => Ok(()),
        false => Err(in_words(&webpki::Error::NameConstraintViolation, path)),
    }
}

/// What an anchor's own certificate says of it, which a verifier may ignore, and does not here (RFC 5280 section 6.2).
fn check_anchor(
    anchor: &CertificateInfo,
    authorities: &[CertificateInfo],
    now: UnixTime,
) -> Result<(), PathError> {
    let subject = || anchor.names.subject.clone();
    if !(anchor.valid_from..=anchor.valid_until).contains(&now.seconds()) {
        return Err(PathError::AnchorOutOfTime(subject()));
    }
    if anchor.is_beyond_us {
        return Err(PathError::AnchorExtension(subject()));
    }
    if !anchor.may_certify() {
        return Err(PathError::AnchorNotForCertifying(subject()));
    }
    // Certificates of an authority for itself do not count (RFC 5280 section 4.2.1.9).
    let below = authorities.iter().filter(|authority| !authority.is_self_issued()).count();
    match anchor.path_length {
        Some(most) if below > usize::from(most) => Err(PathError::AnchorPathLength(subject())),
        _ => Ok(()),
    }
}

/// Any extended key usage.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

/// What webpki found, in words, with the certificate that it is about where that is known.
fn in_words(error: &webpki::Error, path: &[CertificateInfo]) -> PathError {
    let place_of = |is_meant: &dyn Fn(&CertificateInfo) -> bool| {
        path.iter().position(is_meant).map_or(0, |place| place + 1)
    };
    let shown = |seconds: i64| {
        UnixTime::from_seconds(seconds).map_or_else(|| "another time".to_owned(), |time| time.to_string())
    };
    let seconds = |time: &PkiTime| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match error {
        webpki::Error::CertExpired { not_after, .. } => {
            let end = seconds(not_after);
            PathError::Expired { place: place_of(&|found| found.valid_until == end), end: shown(end) }
        }
        webpki::Error::CertNotValidYet { not_before, .. } => {
            let start = seconds(not_before);
            PathError::NotYetValid {
                place: place_of(&|found| found.valid_from == start),
                start: shown(start),
            }
        }
        other => PathError::Path(match other {
            webpki::Error::CaUsedAsEndEntity => "certificate 1 is that of a certificate authority",
            webpki::Error::EndEntityUsedAsCa => {
                "a certificate was issued by one that is not that of a certificate authority"
            }
            webpki::Error::PathLenConstraintViolated => "it is longer than one of its certificates allows",
            webpki::Error::NameConstraintViolation => {
                "a certificate has a name that one above it does not allow"
            }
            webpki::Error::InvalidSignatureForPublicKey => {
                "the signature of a certificate does not match its issuer's key"
            }
            webpki::Error::UnsupportedCriticalExtension => {
                "a certificate has a critical extension that is not supported"
            }
            webpki::Error::UnsupportedCertVersion => "a certificate is not of version 3",
            webpki::Error::UnsupportedSignatureAlgorithmContext(_)
            | webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
                "a certificate is signed with an unsupported algorithm"
            }
            _ => "its certificates do not lead to a trust anchor",
        }),
    }
}
