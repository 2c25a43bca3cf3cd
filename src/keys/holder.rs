//! The check of a holder's key, which arrives as `cnf.jwk` in a request and leaves in the credential (RFC 7800).

use serde_json::{Map, Value};
use thiserror::Error;

use super::jwk;
use crate::json::Parser;

/// Why a holder's JWK cannot go into a credential. No message quotes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HolderKeyProblem {
    /// A private or symmetric member: the key would be published with the credential.
    #[error("holds the private member `{member}`; expected a public key")]
    PrivateMember {
        /// The name of the member.
        member: &'static str,
    },
    /// A symmetric key.
    #[error("is a symmetric key; expected a public key")]
    Symmetric,
    /// A required member is missing.
    #[error("has no member `{member}`")]
    Missing {
        /// The name of the member.
        member: &'static str,
    },
    /// A member that is not a JSON string.
    #[error("member `{member}` is not a string")]
    NotAString {
        /// The name of the member.
        member: &'static str,
    },
    /// A key type other than EC, OKP and RSA.
    #[error("has an unknown key type `kty`; expected EC, OKP or RSA")]
    UnknownType,
    /// A curve that is not known for this key type.
    #[error("has an unknown curve `crv`; expected {expected}")]
    UnknownCurve {
        /// The curves of this key type.
        expected: &'static str,
    },
    /// Not base64url without padding.
    #[error("member `{member}` is not base64url without padding")]
    NotBase64Url {
        /// The name of the member.
        member: &'static str,
    },
    /// A coordinate or key of the wrong length (RFC 7518 section 6.2.1.2, RFC 8037 section 2).
    #[error("member `{member}` does not have {expected} bytes, as its curve requires")]
    WrongLength {
        /// The name of the member.
        member: &'static str,
        /// The length that the curve prescribes.
        expected: usize,
    },
    /// Coordinates that are not those of a point on P-256.
    #[error("is not a point on P-256")]
    NotOnCurve,
    /// An RSA modulus below 2048 bits (RFC 7518 section 3.3).
    #[error("has an RSA modulus of less than 2048 bits")]
    ShortModulus,
    /// An RSA exponent that is even or less than 3.
    #[error("has an RSA exponent that cannot be one")]
    BadExponent,
    /// A modulus or exponent with leading zero bytes (RFC 7518 section 6.3.1.1).
    #[error("member `{member}` starts with a zero byte")]
    LeadingZero {
        /// The name of the member.
        member: &'static str,
    },
}

/// A holder's public key: EC, OKP or RSA, without private members. Two are equal if they are one key: if their
/// thumbprints (RFC 7638) are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderKey {
    required_members: String,
}

/// Why a text is no did:jwk of a key that a holder can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DidJwkProblem {
    /// It does not begin like one.
    #[error("expected a did:jwk of a public key")]
    Method,
    /// It holds no JSON object, as base64url without padding.
    #[error("is not a did:jwk: expected a JWK as base64url without padding")]
    Form,
    /// It holds one that is no public key.
    #[error("the key in the did:jwk {0}")]
    Key(HolderKeyProblem),
}

const DID_JWK: &str = "did:jwk:";

impl HolderKey {
    /// The key of a public JWK. Members with no meaning here are left alone.
    ///
    /// # Errors
    /// Where the members are not those of a sound public key.
    pub fn of_jwk(members: &Map<String, Value>) -> Result<HolderKey, HolderKeyProblem> {
        check_no_secret(members)?;
        let names: &[_] = match text(members, "kty")? {
            "EC" => check_ec(members).map(|()| &["crv", "kty", "x", "y"])?,
            "OKP" => check_okp(members).map(|()| &["crv", "kty", "x"])?,
            "RSA" => check_rsa(members).map(|()| &["e", "kty", "n"])?,
            "oct" => return Err(HolderKeyProblem::Symmetric),
            _ => return Err(HolderKeyProblem::UnknownType),
        };
        // What was checked needs no escapes: names of types and curves, and base64url.
        let member = |name: &&'static str| Ok(format!("\"{name}\":\"{}\"", text(members, name)?));
        let required: Vec<String> = names.iter().map(member).collect::<Result<_, _>>()?;
        Ok(HolderKey { required_members: format!("{{{}}}", required.join(",")) })
    }

    /// The key inside a did:jwk.
    ///
    /// # Errors
    /// Where the text is none, or its key is not sound or not public.
    pub fn of_did(did: &str) -> Result<HolderKey, DidJwkProblem> {
        let encoded = did.strip_prefix(DID_JWK).ok_or(DidJwkProblem::Method)?;
        let json = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(encoded).map_err(|_| DidJwkProblem::Form)?;
        let json = String::from_utf8(json).map_err(|_| DidJwkProblem::Form)?;
        if let Some(is_sound) = is_p256_point(&json) {
            return match is_sound {
                true => Ok(HolderKey { required_members: json }),
                false => Err(DidJwkProblem::Key(HolderKeyProblem::NotOnCurve)),
            };
        }
        let json = json.as_str();
        // A member that is there twice makes two keys, of which readers take one or the other.
        if !Parser::default().parse(json).is_ok_and(|document| document.faults().is_empty()) {
            return Err(DidJwkProblem::Form);
        }
        let members: Map<String, Value> = serde_json::from_str(json).map_err(|_| DidJwkProblem::Form)?;
        HolderKey::of_jwk(&members).map_err(DidJwkProblem::Key)
    }

    /// The required members in lexicographic order, without white space (RFC 7638 section 3): the JWK that is the key
    /// and nothing else.
    pub fn jwk(&self) -> &str {
        &self.required_members
    }

    /// The did:jwk of this JWK.
    pub fn did(&self) -> String {
        DID_JWK.to_owned() + &base64_simd::URL_SAFE_NO_PAD.encode_to_string(&self.required_members)
    }
}

/// Whether a P-256 key in the spelling of RFC 7638 is a point on the curve; `None` for anything else. Nearly every
/// did:jwk of an agent has this spelling, and need not be parsed: that saves a third of its check.
fn is_p256_point(json: &str) -> Option<bool> {
    let rest = json.strip_prefix(r#"{"crv":"P-256","kty":"EC","x":""#)?;
    let (x, rest) = rest.split_at_checked(COORDINATE_CHARS)?;
    let (y, end) = rest.strip_prefix(r#"","y":""#)?.split_at_checked(COORDINATE_CHARS)?;
    let (x, y) = (jwk::base64url_32(x)?, jwk::base64url_32(y)?);
    (end == "\"}").then(|| jwk::point(&x, &y).is_some())
}

/// A coordinate of P-256 in base64url.
const COORDINATE_CHARS: usize = 43;

/// RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 8037 section 2.
const SECRET_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

fn check_no_secret(members: &Map<String, Value>) -> Result<(), HolderKeyProblem> {
    match SECRET_MEMBERS.into_iter().find(|name| members.contains_key(*name)) {
        Some(member) => Err(HolderKeyProblem::PrivateMember { member }),
        None => Ok(()),
    }
}

fn check_ec(members: &Map<String, Value>) -> Result<(), HolderKeyProblem> {
    let length = match text(members, "crv")? {
        "P-256" | "secp256k1" => 32,
        "P-384" => 48,
        "P-521" => 66,
        _ => return Err(HolderKeyProblem::UnknownCurve { expected: "P-256, P-384, P-521 or secp256k1" }),
    };
    let x = fixed(members, "x", length)?;
    let y = fixed(members, "y", length)?;
    if text(members, "crv")? == "P-256" { check_p256_point(&x, &y) } else { Ok(()) }
}

fn check_p256_point(x: &[u8], y: &[u8]) -> Result<(), HolderKeyProblem> {
    let point = x.try_into().ok().zip(y.try_into().ok()).and_then(|(x, y)| jwk::point(x, y));
    point.map(|_| ()).ok_or(HolderKeyProblem::NotOnCurve)
}

fn check_okp(members: &Map<String, Value>) -> Result<(), HolderKeyProblem> {
    let length = match text(members, "crv")? {
        "Ed25519" | "X25519" => 32,
        "Ed448" => 57,
        "X448" => 56,
        _ => return Err(HolderKeyProblem::UnknownCurve { expected: "Ed25519, Ed448, X25519 or X448" }),
    };
    fixed(members, "x", length).map(|_| ())
}

fn check_rsa(members: &Map<String, Value>) -> Result<(), HolderKeyProblem> {
    let modulus = positive_integer(members, "n")?;
    let exponent = positive_integer(members, "e")?;
    // Without leading zeros, 256 bytes with the top bit set are 2048 bits.
    let bits = modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    if bits < 2048 {
        return Err(HolderKeyProblem::ShortModulus);
    }
    let odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
    if !odd || exponent == [1] { Err(HolderKeyProblem::BadExponent) } else { Ok(()) }
}

/// A Base64urlUInt (RFC 7518 section 2): as few bytes as the number needs.
fn positive_integer(members: &Map<String, Value>, member: &'static str) -> Result<Vec<u8>, HolderKeyProblem> {
    let bytes = base64url(members, member)?;
    if bytes.first() == Some(&0) { Err(HolderKeyProblem::LeadingZero { member }) } else { Ok(bytes) }
}

fn fixed(
    members: &Map<String, Value>,
    member: &'static str,
    expected: usize,
) -> Result<Vec<u8>, HolderKeyProblem> {
    let bytes = base64url(members, member)?;
    if bytes.len() == expected { Ok(bytes) } else { Err(HolderKeyProblem::WrongLength { member, expected }) }
}

fn base64url(members: &Map<String, Value>, member: &'static str) -> Result<Vec<u8>, HolderKeyProblem> {
    base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(text(members, member)?)
        .map_err(|_| HolderKeyProblem::NotBase64Url { member })
}

fn text<'a>(members: &'a Map<String, Value>, member: &'static str) -> Result<&'a str, HolderKeyProblem> {
    match members.get(member) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(HolderKeyProblem::NotAString { member }),
        None => Err(HolderKeyProblem::Missing { member }),
    }
}
