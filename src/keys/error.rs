//! What can be wrong with a key, each said as what was found and what was expected.
//!
//! No variant holds a byte of the file: a message built from these errors may be logged.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use crate::files::PathError;

/// A key file could not be loaded. Says which file, as its path was given.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The file itself could not be read.
    #[error(transparent)]
    Read(#[from] PathError),
    /// The file was read and is not a key that can be used.
    #[error("cannot use {} as the key", path.display())]
    Key {
        /// The path, as it was given.
        path: PathBuf,
        /// What is wrong with it.
        source: KeyError,
    },
}

/// Why something is not the key that was asked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Nothing, or only white space.
    #[error("it is empty; expected a P-256 key in PEM or JWK form")]
    Empty,
    /// Neither PEM nor JSON.
    #[error("it is not a key; expected a P-256 key in PEM or JWK form")]
    NotAKey,
    /// UTF-16 text, which is what `>` writes in Windows PowerShell.
    #[error("it is UTF-16 text, as Windows PowerShell writes it; save it as UTF-8")]
    Utf16,
    /// Binary DER (or PKCS#12), which has no line that says what it is.
    #[error(
        "it is binary, not text; if it is a DER key, \
         `openssl pkey -inform DER -in FILE -out KEY.pem` makes a PEM file of it"
    )]
    Binary,
    /// A PKCS#12 store (`.p12`, `.pfx`), which holds certificates beside the key.
    #[error(
        "it is a PKCS#12 store; expected a P-256 key in PEM or JWK form; \
         `openssl pkcs12 -in FILE -nodes -nocerts -out KEY.pem` takes the key out of it"
    )]
    Pkcs12,
    /// A key file in base64 once more, as secret stores keep it.
    #[error("it is base64 of a key file; expected the file itself; `base64 -d FILE > KEY.pem` decodes it")]
    Base64,
    /// The two characters `\` and `n` where lines should end.
    #[error(
        r#"it holds a literal \n (two characters) where lines should end, as secrets stored in an environment variable often do; expected real line breaks; `printf '%b\n' "$(cat FILE)" > KEY.pem` makes them"#
    )]
    EscapedLineBreaks,
    /// A whole PEM file on one line.
    #[error(
        r"its line breaks are lost: the whole key is on one line; `sed -E 's/-----(BEGIN|END)[A-Z ]+-----/\n&\n/g' FILE > KEY.pem` restores them"
    )]
    LostLineBreaks,
    /// A BEGIN line without its END line, or JSON that stops in the middle.
    #[error("it is truncated: it ends before the key does")]
    Truncated,
    /// Something else in PEM armour.
    #[error("it holds {found}; expected a P-256 key{}", .found.conversion())]
    OtherPem {
        /// What the label of the PEM block says it is.
        found: PemContent,
    },
    /// More than one key where one was expected.
    #[error("it holds {count} keys; expected exactly one")]
    SeveralKeys {
        /// How many key blocks there are.
        count: usize,
    },
    /// A public key where the private one is needed.
    #[error("it holds a public key ({form}); signing needs the private key")]
    PublicKey {
        /// The form that was found.
        form: KeyForm,
    },
    /// A private key where only a public one belongs.
    #[error("it holds a private key ({form}); expected the public one")]
    PrivateKey {
        /// The form that was found.
        form: KeyForm,
    },
    /// A set of keys where a single one is needed.
    #[error("it holds a JWK Set; expected a single JWK")]
    JwkSet,
    /// A sound key of another kind.
    #[error("it holds {found}; expected a P-256 key, because credentials are signed with ES256")]
    WrongKind {
        /// The kind that was found.
        found: KeyKind,
    },
    /// Curve parameters in full, where RFC 5480 section 2.1.1 wants the name of the curve.
    #[error(
        "it spells out its curve instead of naming it; \
         `openssl ec -in FILE -param_enc named_curve -out KEY.pem` converts it if the curve is P-256"
    )]
    ExplicitCurve,
    /// A SEC1 key that could belong to several curves (RFC 5915 section 3 wants the name).
    #[error("it does not say which curve it belongs to; expected a P-256 key")]
    UnnamedCurve,
    /// The armour is there, the content is not what the label promises.
    #[error("its content is damaged: it is not a readable {form} key")]
    Malformed {
        /// The form that the outside promises.
        form: KeyForm,
    },
    /// A member of a JWK that is missing or unusable.
    #[error("JWK member `{member}` {problem}")]
    JwkMember {
        /// The name of the member.
        member: &'static str,
        /// What is wrong with it.
        problem: JwkProblem,
    },
    /// A member name that occurs twice (RFC 7517 section 4 leaves it to us to refuse).
    #[error("the JWK has two members of the same name")]
    DuplicateMember,
    /// A private scalar of zero, or one not below the order of the curve.
    #[error("its private number is out of range for P-256")]
    ScalarOutOfRange,
    /// Public and private part do not belong together.
    #[error("its public part does not belong to its private part")]
    PublicPartMismatch,
    /// Coordinates that are not those of a P-256 point.
    #[error("its public part is not a point on P-256")]
    NotOnCurve,
    /// The passphrase does not open the file.
    #[error("the passphrase does not open it (or the file is damaged)")]
    WrongPassphrase,
    /// The file is encrypted, and no passphrase could be had.
    #[error("it is encrypted, and no passphrase was given")]
    NoPassphrase,
    /// The passphrase could not be read from where it should come from.
    #[error("it is encrypted, and its passphrase cannot be read")]
    PassphraseUnreadable(#[source] Box<dyn StdError + Send + Sync>),
    /// Encryption that is not PBES2 with AES.
    #[error(
        "it is encrypted with {scheme}; \
         `openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out KEY.pem` converts it to a form that is supported"
    )]
    UnsupportedEncryption {
        /// What was found.
        scheme: EncryptionProblem,
    },
    /// A passphrase that protects nothing.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// The operating system gave no random numbers.
    #[error("the operating system provided no random numbers")]
    NoRandomness,
}

/// The form in which a key was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// PEM armour around PKCS#8 (RFC 5208, RFC 5958).
    Pkcs8,
    /// PEM armour around a SEC1 private key (RFC 5915).
    Sec1,
    /// PEM armour around a public key (RFC 5280, SubjectPublicKeyInfo).
    Spki,
    /// A JSON Web Key (RFC 7517).
    Jwk,
}

impl fmt::Display for KeyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pkcs8 => "PKCS#8 PEM",
            Self::Sec1 => "SEC1 PEM",
            Self::Spki => "PEM",
            Self::Jwk => "JWK",
        })
    }
}

/// A kind of key that is not P-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// A key whose name is known: `P-384`, `secp256k1`, `RSA`.
    Named(&'static str),
    /// A key on a curve, or of an algorithm, known only by its object identifier.
    Oid(String),
    /// A JWK of a type or curve that has no name here.
    Unknown,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => {
                // As the names are spoken: an RSA key, an Ed25519 key, an ML-DSA-44 key, a P-384 key.
                let article = if name.starts_with(['E', 'M', 'R', 'X']) { "an" } else { "a" };
                write!(f, "{article} {name} key")
            }
            Self::Oid(oid) => write!(f, "a key of another kind (object identifier {oid})"),
            Self::Unknown => f.write_str("a key of another kind"),
        }
    }
}

/// What a PEM block that is not a key holds, by its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PemContent {
    /// An X.509 certificate.
    Certificate,
    /// A request for one.
    CertificateRequest,
    /// A key in OpenSSH's own form.
    OpenSsh,
    /// A PGP key.
    Pgp,
    /// Curve or group parameters without a key.
    Parameters,
    /// A label that has no name here.
    Unknown,
}

impl PemContent {
    /// The command that makes a usable key of it, where there is one.
    fn conversion(self) -> &'static str {
        match self {
            Self::OpenSsh => {
                " in PKCS#8 form; `ssh-keygen -p -m PKCS8 -f FILE` converts it in place (copy the file first)"
            }
            _ => "",
        }
    }
}

impl fmt::Display for PemContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "a certificate",
            Self::CertificateRequest => "a certificate request",
            Self::OpenSsh => "a key in OpenSSH form",
            Self::Pgp => "a PGP key",
            Self::Parameters => "curve parameters without a key",
            Self::Unknown => "a PEM block of another kind",
        })
    }
}

/// What is wrong with a member of a JWK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwkProblem {
    /// It is not there.
    Missing,
    /// It is not a JSON string.
    NotAString,
    /// It is not base64url without padding of exactly 32 bytes (RFC 7518 sections 6.2.1.2 and 6.2.2.1).
    NotThirtyTwoBytes,
    /// It ties the key to another use than ES256 signatures.
    OtherUse,
}

impl fmt::Display for JwkProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "is missing",
            Self::NotAString => "is not a plain string",
            Self::NotThirtyTwoBytes => "is not base64url of 32 bytes",
            Self::OtherUse => "says that the key is not for ES256 signatures",
        })
    }
}

/// Why the encryption of a key file is not supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncryptionProblem {
    /// OpenSSL's own form, `Proc-Type: 4,ENCRYPTED`.
    Traditional,
    /// PBES1 or a PKCS#12 scheme.
    NotPbes2,
    /// PBES2 with a cipher or key derivation outside AES, PBKDF2 and scrypt.
    OtherPbes2,
    /// PBKDF2 with HMAC-SHA-1.
    Sha1,
    /// A key derivation that would take minutes or gigabytes.
    TooCostly,
}

impl fmt::Display for EncryptionProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Traditional => "OpenSSL's traditional PEM encryption",
            Self::NotPbes2 => "a scheme older than PBES2",
            Self::OtherPbes2 => "a cipher or key derivation that is not supported",
            Self::Sha1 => "a key derived by HMAC-SHA-1",
            Self::TooCostly => "a key derivation that asks for too much time or memory",
        })
    }
}
