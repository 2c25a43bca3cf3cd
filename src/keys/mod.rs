//! Keys: the issuer's own, read from and written to files, and the public half that verifiers need.
//!
//! Only P-256, the curve of ES256 (RFC 7518 section 3.4). Private numbers live in types that wipe them when they
//! are dropped, and so do the buffers that they pass through. No error and no `Debug` form shows any of them.
//!
//! What signs is a [`SigningKey`]: a key file in memory ([`IssuerKey`]), a program of the user's own ([`ProgramKey`]), or
//! a PKCS#11 module (`pkcs11`, with the feature of that name).

mod anchors;
mod certificate;
mod chain;
mod der;
mod error;
mod holder;
mod host_constraints;
mod jwk;
mod made_elsewhere;
mod pem;
#[cfg(feature = "pkcs11")]
pub mod pkcs11;
pub mod program;
mod public;
mod signing;
mod software;
mod turns;
mod verifier;

use std::fmt;
use std::path::Path;

use aws_lc_rs::agreement;
use p256::elliptic_curve::Generate;
use pkcs8::{LineEnding, SecretDocument};
use zeroize::Zeroizing;

pub use anchors::{AnchorError, CertifiedKey, PathError, TrustAnchors};
pub use certificate::{CertificateInfo, CertificateNames};
pub use chain::{CertificateChain, ChainError};
pub use error::{EncryptionProblem, JwkProblem, KeyError, KeyForm, KeyKind, LoadError, PemContent};
pub use holder::{DidJwkProblem, HolderKey, HolderKeyProblem};
pub use program::{Program, ProgramKey};
pub use public::{PublicJwk, PublicKey};
pub use signing::{SIGNATURE_BYTES, SignError, Signature, Signer, SigningKey, TEST_MESSAGE};
pub use turns::{Turn, Turns};
pub use verifier::{BatchKeys, BatchVerifier, Implementation, SignatureVerifier, Signed, verify_es256};

use crate::files;

/// The largest key file that is read. The largest that makes sense is a hundredth of it.
pub const MAX_KEY_FILE_BYTES: usize = 64 * 1024;

/// The most certificates of a chain.
pub const MAX_CERTIFICATES: usize = 10;

/// Gives the passphrase of an encrypted key file. Called at most once, and only if the file is encrypted.
///
/// Where there is none to give, it returns [`KeyError::NoPassphrase`]; where reading it fails,
/// [`KeyError::PassphraseUnreadable`].
pub type Passphrase<'a> = &'a mut dyn FnMut() -> Result<Zeroizing<String>, KeyError>;

/// An ES256 private key that signs for one issuer.
///
/// A key file is parsed once. The key can be shared between threads; each worker takes its own [`Signer`] from it.
///
/// `Debug` prints the thumbprint and never the private number, which is wiped when the key is dropped.
pub struct IssuerKey {
    secret: Box<p256::SecretKey>,
    public: PublicKey,
}

/// A key that was loaded from a file, and what the user should know about that file.
#[derive(Debug)]
pub struct Loaded {
    /// The key.
    pub key: IssuerKey,
    /// Others than its owner may read the file (Unix permissions). Worth a warning, not a refusal.
    pub readable_by_others: bool,
}

impl IssuerKey {
    /// Makes a new key from the operating system's random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        let secret = p256::SecretKey::try_generate().map(Box::new).map_err(|_| KeyError::NoRandomness)?;
        Ok(Self::new(secret))
    }

    /// Reads a key file of at most [`MAX_KEY_FILE_BYTES`].
    pub fn load(path: &Path, passphrase: Passphrase<'_>) -> Result<Loaded, LoadError> {
        let bytes = files::read_limited(path, MAX_KEY_FILE_BYTES)?;
        let key = Self::parse(&bytes, passphrase)
            .map_err(|source| LoadError::Key { path: path.to_owned(), source })?;
        let readable_by_others = files::is_readable_by_others(path)?;
        Ok(Loaded { key, readable_by_others })
    }

    /// Reads a private key in any of the forms PKCS#8 PEM, encrypted PKCS#8 PEM (PBES2), SEC1 PEM, private JWK.
    pub fn parse(bytes: &[u8], passphrase: Passphrase<'_>) -> Result<Self, KeyError> {
        let text = text_of(bytes)?;
        match form_of(text)? {
            TextForm::Pem => from_pem(text, passphrase),
            TextForm::Json => jwk::private_key(text),
        }
    }

    fn new(secret: Box<p256::SecretKey>) -> Self {
        let public = PublicKey::new(public_half(&secret));
        Self { secret, public }
    }

    /// Compares the public half with one that a key file states.
    fn check_public_part(&self, stated: &p256::PublicKey) -> Result<(), KeyError> {
        if self.public.is_point(stated) { Ok(()) } else { Err(KeyError::PublicPartMismatch) }
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The key as an unencrypted PKCS#8 PEM file, as `keygen` writes it.
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        self.to_pkcs8_der()
            .to_pem("PRIVATE KEY", LineEnding::LF)
            .expect("PEM encoding of a short document cannot fail")
    }

    /// The key as an encrypted PKCS#8 PEM file: PBES2 with AES-256-CBC, by a key that scrypt derives from the passphrase
    /// (RFC 8018, RFC 7914; N = 2^14, which OpenSSL reads, too).
    ///
    /// # Errors
    /// Where the passphrase is empty, or the operating system gives no random numbers.
    pub fn to_encrypted_pem(&self, passphrase: &str) -> Result<Zeroizing<String>, KeyError> {
        if passphrase.is_empty() {
            return Err(KeyError::EmptyPassphrase);
        }
        der::encrypted(&self.to_pkcs8_der(), passphrase)?
            .to_pem(pem::ENCRYPTED_PRIVATE_KEY, LineEnding::LF)
            .map_err(|_| KeyError::NoRandomness)
    }

    /// The key as PKCS#8 DER, in memory that is wiped.
    pub(crate) fn to_pkcs8_der(&self) -> SecretDocument {
        let scalar = Zeroizing::new(self.secret.to_bytes());
        der::to_pkcs8(&scalar, &self.public.sec1_uncompressed()).expect("a P-256 key always fits into PKCS#8")
    }
}

impl fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerKey").field("thumbprint", &self.public.thumbprint()).finish_non_exhaustive()
    }
}

/// The public half of a key, by AWS-LC: `p256` would first make a table of 25 KB, which takes ten times as long.
fn public_half(secret: &p256::SecretKey) -> p256::PublicKey {
    let scalar = Zeroizing::new(secret.to_bytes());
    let point = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, scalar.as_slice())
        .ok()
        .and_then(|key| key.compute_public_key().ok())
        .and_then(|point| p256::PublicKey::from_sec1_bytes(point.as_ref()).ok());
    point.expect("every number that is a private key has a point on the curve")
}

/// Whether a text is a private key by the look of it, whole or not. Where something else is expected, it must not be
/// shown.
pub fn is_private_key_text(text: &str) -> bool {
    let is_jwk = text.trim_start().starts_with('{') && text.contains("\"kty\"") && text.contains("\"d\"");
    text.contains("PRIVATE KEY-----") || is_jwk || is_encoded_key(text)
}

/// Whether a text is base64 of a key file, or of the DER in one: secret stores like keys on one line.
fn is_encoded_key(text: &str) -> bool {
    let plain = |byte: u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    };
    let digits = text.trim_end_matches(|end: char| end == '=' || end.is_ascii_whitespace());
    let digits: Zeroizing<Vec<u8>> =
        Zeroizing::new(digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(plain).collect());
    let decoded = base64_simd::STANDARD_NO_PAD.decode_to_vec(&*digits).map(Zeroizing::new);
    decoded.is_ok_and(|bytes| match &**bytes {
        [b'-', b'-', b'-', b'-', b'-', ..] => true,
        [b'{', ..] => bytes.trim_ascii_end().ends_with(b"}"),
        // A SEQUENCE that ends where it says.
        [0x30, length @ 32..=0x7F, rest @ ..] => rest.len() == usize::from(*length),
        [0x30, 0x81, length, rest @ ..] => rest.len() == usize::from(*length),
        [0x30, 0x82, high, low, rest @ ..] => rest.len() == usize::from(u16::from_be_bytes([*high, *low])),
        _ => false,
    })
}

fn from_pem(text: &str, passphrase: Passphrase<'_>) -> Result<IssuerKey, KeyError> {
    let (key, parameters) = pem::private_key(text)?;
    match key.label {
        pem::EC_PRIVATE_KEY => der::sec1_key(&key.der, parameters.as_ref().map(|block| block.der.as_slice())),
        pem::ENCRYPTED_PRIVATE_KEY => der::encrypted_pkcs8_key(&key.der, passphrase),
        _ => der::pkcs8_key(&key.der),
    }
}

/// The two kinds of text that a key can be.
enum TextForm {
    Pem,
    Json,
}

fn form_of(text: &str) -> Result<TextForm, KeyError> {
    let start = text.trim_start();
    if start.is_empty() {
        Err(KeyError::Empty)
    } else if start.starts_with('{') {
        Ok(TextForm::Json)
    } else if pem::looks_like_pem(text) {
        Ok(TextForm::Pem)
    } else if is_encoded_key(start) {
        Err(KeyError::Base64)
    } else {
        Err(KeyError::NotAKey)
    }
}

/// The text of a key file, without a byte order mark.
fn text_of(bytes: &[u8]) -> Result<&str, KeyError> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(KeyError::Utf16);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| not_text(bytes))?;
    if text.contains('\0') { Err(not_text(bytes)) } else { Ok(text.strip_prefix('\u{FEFF}').unwrap_or(text)) }
}

/// Every DER structure that holds a key is a SEQUENCE, whose tag is 0x30. A PKCS#12 store begins with its version, 3
/// (RFC 7292 section 4), which no key structure has; its length may be indefinite.
fn not_text(bytes: &[u8]) -> KeyError {
    let content = match bytes {
        [0x30, 0x81, _, content @ ..] | [0x30, 0x82, _, _, content @ ..] => content,
        [0x30, 0x83, _, _, _, content @ ..] | [0x30, _, content @ ..] => content,
        _ => return KeyError::NotAKey,
    };
    if content.starts_with(&[0x02, 0x01, 0x03]) { KeyError::Pkcs12 } else { KeyError::Binary }
}
