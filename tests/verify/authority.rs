//! Certificate authorities, good ones and bad ones, and the certificates that they issue.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData, SanType, date_time_ymd,
};

use crate::readers::sign::Hand;

/// Who issues certificates, and the authority's own, DER.
pub(crate) struct Authority {
    params: CertificateParams,
    key: KeyPair,
    pub(crate) certificate: Vec<u8>,
}

impl Authority {
    /// A root, good until something is changed.
    pub(crate) fn root(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Authority {
        let (params, key) = (of_authority(name, change), KeyPair::generate().unwrap());
        let certificate = params.self_signed(&key).unwrap().der().to_vec();
        Authority { params, key, certificate }
    }

    /// An authority that this one issued.
    pub(crate) fn below(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Authority {
        let (params, key) = (of_authority(name, change), KeyPair::generate().unwrap());
        let certificate = self.sign(&params, &key);
        Authority { params, key, certificate }
    }

    /// The certificate of an issuer's key, good for the issuer `https://issuer.example` until something is changed.
    pub(crate) fn issue(&self, hand: &Hand, change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        self.issue_for(&KeyPair::from_pem(&hand.to_pem()).unwrap(), change)
    }

    /// The same for any kind of key.
    pub(crate) fn issue_for(
        &self,
        key: &impl PublicKeyData,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Vec<u8> {
        self.sign(&of_issuer(change), key)
    }

    fn sign(&self, params: &CertificateParams, key: &impl PublicKeyData) -> Vec<u8> {
        let issuer = Issuer::from_params(&self.params, &self.key);
        params.signed_by(key, &issuer).unwrap().der().to_vec()
    }
}

/// The certificate of an issuer's key that vouches for itself.
pub(crate) fn self_signed(hand: &Hand, change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let key = KeyPair::from_pem(&hand.to_pem()).unwrap();
    of_issuer(change).self_signed(&key).unwrap().der().to_vec()
}

fn of_authority(name: &str, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    change(&mut params);
    params
}

fn of_issuer(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = named("Plover Registry");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.subject_alt_names = vec![uri("https://issuer.example")];
    change(&mut params);
    params
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2028, 1, 1));
    params
}

/// A URI among the subject alternative names.
pub(crate) fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

/// A DNS name among the subject alternative names.
pub(crate) fn dns(text: &str) -> SanType {
    SanType::DnsName(text.try_into().unwrap())
}

/// A certificate as PEM.
pub(crate) fn pem(der: &[u8]) -> String {
    let base64 = data_encoding::BASE64.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}
