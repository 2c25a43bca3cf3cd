//! The public half of an issuer's key, and the names that it has in JOSE and in DIDs.

use std::fmt;

use p256::elliptic_curve::sec1::ToSec1Point;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::KeyError;
use super::{jwk, pem};

/// The multicodec `p256-pub`, 0x1200, as a varint.
const P256_MULTICODEC: [u8; 2] = [0x80, 0x24];
/// More than base58btc takes for 35 bytes; decoding it takes time that grows with the square of its length.
const MAX_MULTIKEY_CHARS: usize = 64;

/// A P-256 public key, with its RFC 7638 thumbprint computed once.
#[derive(Clone)]
pub struct PublicKey {
    point: p256::PublicKey,
    x: String,
    y: String,
    thumbprint: String,
}

/// A public key as a JWK (RFC 7517), its members in the order in which they are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicJwk {
    kty: &'static str,
    crv: &'static str,
    x: String,
    y: String,
    kid: String,
    alg: &'static str,
    r#use: &'static str,
}

impl PublicKey {
    /// Reads a public key in either form, PEM or JWK. A private key is refused, as
    /// [`KeyError::PrivateKey`].
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        let text = super::text_of(bytes)?;
        match super::form_of(text)? {
            super::TextForm::Pem => Self::from_pem(text),
            super::TextForm::Json => Self::from_jwk_json(text),
        }
    }

    /// Reads a public JWK. A member named twice, a private member, and a `use` or `alg` other than ES256
    /// signatures are refused; members without a meaning here are ignored.
    pub fn from_jwk_json(json: &str) -> Result<Self, KeyError> {
        jwk::public_key(json).map(Self::new)
    }

    /// Reads a `PUBLIC KEY` PEM block (SubjectPublicKeyInfo).
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        super::der::spki_key(&pem::public_key(text)?.der).map(Self::new)
    }

    /// Reads a SubjectPublicKeyInfo, as certificates hold it.
    pub(super) fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        super::der::spki_key(der).map(Self::new)
    }

    /// The key inside a did:key or did:jwk. `None` for other DIDs, for keys of other kinds, and for a
    /// did:key that is not spelt as [`PublicKey::did_key`] would.
    pub fn from_did(did: &str) -> Option<Self> {
        if let Some(encoded) = did.strip_prefix("did:jwk:") {
            let json = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(encoded).ok()?;
            return Self::from_jwk_json(std::str::from_utf8(&json).ok()?).ok();
        }
        let encoded = did.strip_prefix("did:key:z").filter(|encoded| encoded.len() <= MAX_MULTIKEY_CHARS)?;
        let multikey = bs58::decode(encoded).into_vec().ok()?;
        let point = multikey.strip_prefix(&P256_MULTICODEC)?;
        let key = p256::PublicKey::from_sec1_bytes(point).ok().map(Self::new)?;
        (key.did_key() == did).then_some(key)
    }

    /// The key of a point (SEC 1 section 2.3.3); none where the bytes are not one of the curve.
    #[cfg(feature = "pkcs11")]
    pub(super) fn from_sec1(point: &[u8]) -> Option<Self> {
        p256::PublicKey::from_sec1_bytes(point).ok().map(Self::new)
    }

    pub(super) fn new(point: p256::PublicKey) -> Self {
        let sec1 = point.to_sec1_point(false);
        let (x, y) = sec1.as_bytes()[1..].split_at(32);
        let (x, y) = (base64url(x), base64url(y));
        let thumbprint = base64url(&Sha256::digest(required_members(&x, &y)));
        Self { point, x, y, thumbprint }
    }

    /// The RFC 7638 thumbprint with SHA-256: 43 characters of base64url.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The x coordinate: base64url of 32 bytes.
    pub fn x(&self) -> &str {
        &self.x
    }

    /// The y coordinate: base64url of 32 bytes.
    pub fn y(&self) -> &str {
        &self.y
    }

    /// The key as a JWK that carries this `kid`.
    pub fn to_jwk(&self, kid: &str) -> PublicJwk {
        PublicJwk {
            kty: "EC",
            crv: "P-256",
            x: self.x.clone(),
            y: self.y.clone(),
            kid: kid.to_owned(),
            alg: "ES256",
            r#use: "sig",
        }
    }

    /// The key's `did:key`: multibase base58btc of the multicodec `p256-pub` (0x1200, as a varint) and the
    /// compressed point.
    pub fn did_key(&self) -> String {
        let mut multikey = P256_MULTICODEC.to_vec();
        multikey.extend_from_slice(self.point.to_sec1_point(true).as_bytes());
        format!("did:key:z{}", bs58::encode(multikey).into_string())
    }

    /// The key's `did:jwk`, made from the JWK with the required members alone, in the order of RFC 7638.
    pub fn did_jwk(&self) -> String {
        format!("did:jwk:{}", base64url(required_members(&self.x, &self.y).as_bytes()))
    }

    /// The point, uncompressed: 0x04, then both coordinates (SEC 1 section 2.3.3).
    pub fn sec1_uncompressed(&self) -> [u8; 65] {
        let mut bytes = [0; 65];
        bytes.copy_from_slice(self.point.to_sec1_point(false).as_bytes());
        bytes
    }

    /// Whether this is the key's point.
    pub(super) fn is_point(&self, point: &p256::PublicKey) -> bool {
        self.point == *point
    }

    /// The key for the `p256` crate's ECDSA.
    pub fn verifying_key(&self) -> p256::ecdsa::VerifyingKey {
        p256::ecdsa::VerifyingKey::from(self.point)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.point == other.point
    }
}

impl Eq for PublicKey {}

/// Prints the thumbprint, by which a key is known everywhere else.
impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

/// The required members in lexicographic order, without white space (RFC 7638 section 3).
fn required_members(x: &str, y: &str) -> String {
    format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
}

fn base64url(bytes: &[u8]) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}
