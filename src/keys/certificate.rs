//! What a certificate says (RFC 5280): for whom it is, for how long, and what its key may do.
//!
//! Nothing here is believed. Whether a certificate can be relied on is the business of
//! [`TrustAnchors`](super::TrustAnchors).

use rustls_pki_types::pem::{PemObject, SectionKind};
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, NameConstraints, SubjectAltName};

use super::PublicKey;
use super::host_constraints::HostConstraints;

/// The longest certificate, in bytes.
const MAX_CERTIFICATE_BYTES: usize = 64 * 1024;

/// The extensions that may be critical, because webpki or [`TrustAnchors`](super::TrustAnchors) does what they ask for:
/// key usage, subject alternative names, basic constraints, name constraints and extended key usage.
const UNDERSTOOD: [&str; 5] = ["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.37"];

/// The names of a certificate's subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateNames {
    /// The URIs of the subject alternative names.
    pub uris: Vec<String>,
    /// The DNS names of the subject alternative names, those with a wildcard among them.
    pub dns_names: Vec<String>,
    /// The subject (RFC 4514).
    pub subject: String,
}

/// A certificate, read.
#[derive(Debug, Clone)]
pub struct CertificateInfo {
    /// Whose certificate it is.
    pub names: CertificateNames,
    /// Who issued it (RFC 4514).
    pub issuer: String,
    /// The first second at which it is valid, since 1970.
    pub valid_from: i64,
    /// The last second at which it is valid.
    pub valid_until: i64,
    /// Whether it may issue certificates.
    pub is_ca: bool,
    /// How many certificates of other authorities may follow it, where that is limited.
    pub path_length: Option<u8>,
    /// What its key may do; anything where it does not say.
    pub usage: Option<KeyUsage>,
    /// Its key if that is of P-256, or what is wrong with it.
    pub key: Result<PublicKey, String>,
    /// The hosts that it may issue certificates for.
    pub(super) hosts: HostConstraints,
    /// Whether it has a critical extension that is not understood here.
    pub(super) is_beyond_us: bool,
    /// The DER that was read.
    pub(super) der: Vec<u8>,
    subject_der: Vec<u8>,
    issuer_der: Vec<u8>,
}

impl CertificateInfo {
    /// Reads a certificate; none where it is not one, is very long, or holds an extension that cannot be read.
    pub fn of_der(der: &[u8]) -> Option<CertificateInfo> {
        let der = Some(der).filter(|der| der.len() <= MAX_CERTIFICATE_BYTES)?;
        Self::of(&Certificate::from_der(der).ok()?)
    }

    /// Reads PEM certificates, one after the other, and passes over text between them; none where something else is
    /// among them, or there is only text.
    pub fn of_pem(pem: &[u8]) -> Option<Vec<CertificateInfo>> {
        let blocks = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem);
        let read = |block: Result<(SectionKind, Vec<u8>), _>| match block {
            Ok((SectionKind::Certificate, der)) => Self::of_der(&der),
            _ => None,
        };
        let certificates: Vec<CertificateInfo> = blocks.map(read).collect::<Option<_>>()?;
        (!certificates.is_empty() || pem.trim_ascii().is_empty()).then_some(certificates)
    }

    fn of(certificate: &Certificate) -> Option<CertificateInfo> {
        let tbs = certificate.tbs_certificate();
        let constraints: Option<(bool, BasicConstraints)> = tbs.get_extension().ok()?;
        let usage: Option<(bool, KeyUsage)> = tbs.get_extension().ok()?;
        let names: Option<(bool, SubjectAltName)> = tbs.get_extension().ok()?;
        let hosts: Option<(bool, NameConstraints)> = tbs.get_extension().ok()?;
        let is_beyond_us = |extension: &Extension| {
            extension.critical && !UNDERSTOOD.contains(&extension.extn_id.to_string().as_str())
        };
        let names = names.map(|(_, names)| names.0).unwrap_or_default();
        let uri = |name: &GeneralName| match name {
            GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str().to_owned()),
            _ => None,
        };
        let dns_name = |name: &GeneralName| match name {
            GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
            _ => None,
        };
        let constraints = constraints.map(|(_, constraints)| constraints);
        let seconds = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).ok();
        Some(CertificateInfo {
            names: CertificateNames {
                uris: names.iter().filter_map(uri).collect(),
                dns_names: names.iter().filter_map(dns_name).collect(),
                subject: tbs.subject().to_string(),
            },
            issuer: tbs.issuer().to_string(),
            valid_from: seconds(tbs.validity().not_before)?,
            valid_until: seconds(tbs.validity().not_after)?,
            is_ca: constraints.as_ref().is_some_and(|constraints| constraints.ca),
            path_length: constraints.and_then(|constraints| constraints.path_len_constraint),
            usage: usage.map(|(_, usage)| usage),
            key: PublicKey::from_spki_der(&tbs.subject_public_key_info().to_der().ok()?)
                .map_err(|error| error.to_string()),
            hosts: hosts.map(|(_, hosts)| HostConstraints::of(&hosts)).unwrap_or_default(),
            is_beyond_us: tbs.extensions().is_some_and(|extensions| extensions.iter().any(is_beyond_us)),
            der: certificate.to_der().ok()?,
            subject_der: tbs.subject().to_der().ok()?,
            issuer_der: tbs.issuer().to_der().ok()?,
        })
    }

    /// The SHA-256 fingerprint, as other tools show it: 64 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        Sha256::digest(&self.der).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether it says that it was issued by the subject of this one.
    pub(super) fn names_issuer(&self, issuer: &CertificateInfo) -> bool {
        self.issuer_der == issuer.subject_der
    }

    /// Whether it says that it was issued by its own subject.
    pub fn is_self_issued(&self) -> bool {
        self.issuer_der == self.subject_der
    }

    /// Whether its key may check signatures of tokens.
    pub(super) fn may_sign(&self) -> bool {
        self.usage.is_none_or(|usage| usage.digital_signature())
    }

    /// Whether its key may check signatures of certificates.
    pub(super) fn may_certify(&self) -> bool {
        self.usage.is_none_or(|usage| usage.key_cert_sign())
    }

    /// What its key may do, by the names of RFC 5280 section 4.2.1.3; none where it does not say.
    pub fn usage_names(&self) -> Option<Vec<&'static str>> {
        let usage = self.usage?;
        let all = [
            (usage.digital_signature(), "digitalSignature"),
            (usage.non_repudiation(), "nonRepudiation"),
            (usage.key_encipherment(), "keyEncipherment"),
            (usage.data_encipherment(), "dataEncipherment"),
            (usage.key_agreement(), "keyAgreement"),
            (usage.key_cert_sign(), "keyCertSign"),
            (usage.crl_sign(), "cRLSign"),
            (usage.encipher_only(), "encipherOnly"),
            (usage.decipher_only(), "decipherOnly"),
        ];
        Some(all.into_iter().filter_map(|(is_set, name)| is_set.then_some(name)).collect())
    }
}

/// The place of the first certificate, from 1, that was not issued by the one after it, by their names.
pub(super) fn out_of_order(chain: &[CertificateInfo]) -> Option<usize> {
    chain.windows(2).position(|pair| !pair[0].names_issuer(&pair[1])).map(|place| place + 1)
}
