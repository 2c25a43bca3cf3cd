//! The DER structures inside PEM armour: PKCS#8 (RFC 5958), encrypted PKCS#8 (RFC 8018), SEC1 (RFC 5915) and
//! SubjectPublicKeyInfo (RFC 5480).

use pkcs8::der::asn1::{AnyRef, BitStringRef, ContextSpecific, ObjectIdentifier, OctetStringRef};
use pkcs8::der::{self, Decode, Tag, TagNumber, Tagged};
use pkcs8::pkcs5::pbes2::{Kdf, PBES2_OID, Parameters, Pbkdf2Prf};
use pkcs8::pkcs5::scrypt;
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{PrivateKeyInfoRef, SecretDocument, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

use super::error::{EncryptionProblem, KeyError, KeyForm, KeyKind};
use super::{IssuerKey, Passphrase};

/// The private key of a PKCS#8 structure.
pub(super) fn pkcs8_key(der: &[u8]) -> Result<IssuerKey, KeyError> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| KeyError::Malformed { form: KeyForm::Pkcs8 })?;
    check_algorithm(&info.algorithm)?;
    let inner = EcPrivateKey::from_der(info.private_key.as_bytes())
        .map_err(|_| KeyError::Malformed { form: KeyForm::Pkcs8 })?;
    if let Some(parameters) = inner.parameters {
        check_curve(parameters)?;
    }
    let key = issuer_key(inner.scalar)?;
    check_public_part(&key, inner.public)?;
    check_public_part(&key, info.public_key.as_ref().map(BitStringRef::raw_bytes))?;
    Ok(key)
}

/// A PKCS#8 structure of a private scalar and its point, uncompressed. (What `p256` offers calculates the point anew.)
pub(super) fn to_pkcs8(scalar: &[u8], point: &[u8]) -> der::Result<SecretDocument> {
    let key = sec1::EcPrivateKey { private_key: scalar, parameters: None, public_key: Some(point) };
    let key = SecretDocument::encode_msg(&key)?;
    let algorithm = AlgorithmIdentifierRef { oid: EC_PUBLIC_KEY, parameters: Some((&P256).into()) };
    SecretDocument::encode_msg(&PrivateKeyInfoRef::new(algorithm, OctetStringRef::new(key.as_bytes())?))
}

/// The private key of an encrypted PKCS#8 structure. The passphrase is asked for once everything else is known
/// to be in order.
pub(super) fn encrypted_pkcs8_key(der: &[u8], passphrase: Passphrase<'_>) -> Result<IssuerKey, KeyError> {
    let (algorithm, ciphertext) =
        encrypted_parts(der).map_err(|_| KeyError::Malformed { form: KeyForm::Pkcs8 })?;
    let parameters =
        supported_encryption(&algorithm).map_err(|scheme| KeyError::UnsupportedEncryption { scheme })?;
    let passphrase = passphrase()?;

    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let plain = parameters
        .decrypt_in_place(passphrase.as_bytes(), &mut buffer)
        .map_err(|_| KeyError::WrongPassphrase)?;
    // The padding of one wrong passphrase in 256 looks right. What comes out of it is not PKCS#8.
    PrivateKeyInfoRef::from_der(plain).map_err(|_| KeyError::WrongPassphrase)?;
    pkcs8_key(plain)
}

/// A PKCS#8 document, encrypted.
pub(super) fn encrypted(plain: &SecretDocument, passphrase: &str) -> Result<SecretDocument, KeyError> {
    let mut salt_and_iv = [0; SALT_BYTES + AES_BLOCK_BYTES];
    getrandom::fill(&mut salt_and_iv).map_err(|_| KeyError::NoRandomness)?;
    let (salt, iv) = salt_and_iv.split_at(SALT_BYTES);
    let iv = iv.try_into().map_err(|_| KeyError::NoRandomness)?;
    let parameters = scrypt::Params::new(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P)
        .ok()
        .and_then(|params| Parameters::generate_scrypt_aes256cbc(params, salt, iv).ok())
        .expect("the parameters are constants");
    let info = PrivateKeyInfoRef::from_der(plain.as_bytes()).expect("what was encoded can be decoded");
    Ok(info.encrypt_with_params(parameters, passphrase).expect("a short document can be encrypted"))
}

/// As `openssl pkcs8 -topk8 -scrypt` has them: 16 MB and some tens of milliseconds a try.
const SCRYPT_LOG_N: u8 = 14;
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 1;
const SALT_BYTES: usize = 16;
const AES_BLOCK_BYTES: usize = 16;

/// The private key of a SEC1 structure, with the parameters of an `EC PARAMETERS` block where one stood before it.
pub(super) fn sec1_key(der: &[u8], outer_parameters: Option<&[u8]>) -> Result<IssuerKey, KeyError> {
    let damaged = |_| KeyError::Malformed { form: KeyForm::Sec1 };
    let inner = EcPrivateKey::from_der(der).map_err(damaged)?;
    let outer = outer_parameters.map(AnyRef::from_der).transpose().map_err(damaged)?;
    for parameters in [outer, inner.parameters].into_iter().flatten() {
        check_curve(parameters)?;
    }
    let named = outer.is_some() || inner.parameters.is_some();
    // A key that names no curve is P-256 if its public part, computed on P-256, says so.
    if !named && inner.public.is_none() {
        return Err(KeyError::UnnamedCurve);
    }
    let unnamed = |error| if named { error } else { KeyError::UnnamedCurve };
    let key = issuer_key(inner.scalar).map_err(unnamed)?;
    check_public_part(&key, inner.public).map_err(unnamed)?;
    Ok(key)
}

/// The public key of a SubjectPublicKeyInfo structure.
pub(super) fn spki_key(der: &[u8]) -> Result<p256::PublicKey, KeyError> {
    let damaged = KeyError::Malformed { form: KeyForm::Spki };
    let Ok(info) = SubjectPublicKeyInfoRef::from_der(der) else { return Err(damaged) };
    check_algorithm(&info.algorithm)?;
    let point = info.subject_public_key.as_bytes().ok_or(damaged)?;
    p256::PublicKey::from_sec1_bytes(point).map_err(|_| KeyError::NotOnCurve)
}

/// A private scalar, left-padded: some writers drop leading zero bytes, against RFC 5915 section 3.
///
/// In a box, because each move of the number itself would leave a copy on the stack that nobody wipes.
pub(super) fn issuer_key(scalar: &[u8]) -> Result<IssuerKey, KeyError> {
    let mut padded = Zeroizing::new([0u8; 32]);
    let start = padded.len().checked_sub(scalar.len()).ok_or(KeyError::ScalarOutOfRange)?;
    padded[start..].copy_from_slice(scalar);
    let secret = p256::SecretKey::from_slice(padded.as_slice()).map(Box::new);
    secret.map(IssuerKey::new).map_err(|_| KeyError::ScalarOutOfRange)
}

/// `ECPrivateKey` of RFC 5915 section 3, with parameters of any form.
struct EcPrivateKey<'a> {
    scalar: &'a [u8],
    parameters: Option<AnyRef<'a>>,
    public: Option<&'a [u8]>,
}

impl<'a> EcPrivateKey<'a> {
    fn from_der(der: &'a [u8]) -> der::Result<Self> {
        AnyRef::from_der(der)?.sequence(|fields| {
            if u8::decode(fields)? != 1 {
                return Err(Tag::Integer.value_error().into());
            }
            let scalar = <&OctetStringRef>::decode(fields)?.as_bytes();
            let parameters = ContextSpecific::<AnyRef<'a>>::decode_explicit(fields, TagNumber(0))?;
            let public = ContextSpecific::<BitStringRef<'a>>::decode_explicit(fields, TagNumber(1))?;
            Ok(Self {
                scalar,
                parameters: parameters.map(|field| field.value),
                public: public.map(|field| field.value.raw_bytes()),
            })
        })
    }
}

fn check_public_part(key: &IssuerKey, stated: Option<&[u8]>) -> Result<(), KeyError> {
    let Some(stated) = stated else { return Ok(()) };
    key.check_public_part(&p256::PublicKey::from_sec1_bytes(stated).map_err(|_| KeyError::NotOnCurve)?)
}

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// Algorithms and curves with a name that their owners would recognise.
const NAMES: &[(&str, &str)] = &[
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.2.840.10045.3.1.1", "P-192"),
    ("1.3.132.0.33", "P-224"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("1.2.840.113549.1.1.1", "RSA"),
    ("1.2.840.113549.1.1.10", "RSA-PSS"),
    ("1.2.840.10040.4.1", "DSA"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
];

fn check_algorithm(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<(), KeyError> {
    if algorithm.oid != EC_PUBLIC_KEY {
        return Err(KeyError::WrongKind { found: kind_of(algorithm.oid) });
    }
    check_curve(algorithm.parameters.ok_or(KeyError::UnnamedCurve)?)
}

/// Are these the parameters of P-256, given by name (RFC 5480 section 2.1.1)?
fn check_curve(parameters: AnyRef<'_>) -> Result<(), KeyError> {
    match parameters.tag() {
        Tag::ObjectIdentifier => {}
        Tag::Sequence => return Err(KeyError::ExplicitCurve),
        _ => return Err(KeyError::UnnamedCurve),
    }
    match parameters.decode_as::<ObjectIdentifier>() {
        Ok(P256) => Ok(()),
        Ok(oid) => Err(KeyError::WrongKind { found: kind_of(oid) }),
        Err(_) => Err(KeyError::UnnamedCurve),
    }
}

fn kind_of(oid: ObjectIdentifier) -> KeyKind {
    let text = oid.to_string();
    match NAMES.iter().find(|(known, _)| *known == text) {
        Some((_, name)) => KeyKind::Named(name),
        None => KeyKind::Oid(text),
    }
}

/// `EncryptedPrivateKeyInfo` of RFC 5958 section 3, with any algorithm.
fn encrypted_parts(der: &[u8]) -> der::Result<(AlgorithmIdentifierRef<'_>, &[u8])> {
    AnyRef::from_der(der)?.sequence(|fields| {
        let algorithm = AlgorithmIdentifierRef::decode(fields)?;
        let ciphertext = <&OctetStringRef>::decode(fields)?.as_bytes();
        Ok((algorithm, ciphertext))
    })
}

/// Ten times what OWASP asks of PBKDF2 with HMAC-SHA-256, and a few seconds' work.
const MAX_PBKDF2_ITERATIONS: u32 = 10_000_000;

/// scrypt works on `128 * N * r` bytes (RFC 7914 section 2), here at most one GiB, `p` times over.
const MAX_SCRYPT_BYTES: u64 = 1 << 30;
const MAX_SCRYPT_PASSES: u16 = 16;

fn supported_encryption(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Parameters, EncryptionProblem> {
    if algorithm.oid != PBES2_OID {
        return Err(EncryptionProblem::NotPbes2);
    }
    let parameters = algorithm.parameters.ok_or(EncryptionProblem::OtherPbes2)?;
    let parameters = Parameters::try_from(parameters).map_err(|_| EncryptionProblem::OtherPbes2)?;
    check_key_derivation(&parameters.kdf)?;
    Ok(parameters)
}

fn check_key_derivation(kdf: &Kdf) -> Result<(), EncryptionProblem> {
    match kdf {
        Kdf::Pbkdf2(pbkdf2) if pbkdf2.prf == Pbkdf2Prf::HmacWithSha1 => Err(EncryptionProblem::Sha1),
        Kdf::Pbkdf2(pbkdf2) if pbkdf2.iteration_count > MAX_PBKDF2_ITERATIONS => {
            Err(EncryptionProblem::TooCostly)
        }
        Kdf::Pbkdf2(_) => Ok(()),
        Kdf::Scrypt(scrypt) => {
            let cost = scrypt.cost_parameter;
            // N is a power of two greater than 1. The scrypt crate divides by less than that.
            if !cost.is_power_of_two() || cost < 2 || scrypt.block_size == 0 || scrypt.parallelization == 0 {
                return Err(EncryptionProblem::OtherPbes2);
            }
            let bytes = cost.saturating_mul(128).saturating_mul(u64::from(scrypt.block_size));
            if bytes > MAX_SCRYPT_BYTES || scrypt.parallelization > MAX_SCRYPT_PASSES {
                return Err(EncryptionProblem::TooCostly);
            }
            Ok(())
        }
        _ => Err(EncryptionProblem::OtherPbes2),
    }
}
