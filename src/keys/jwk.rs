//! JSON Web Keys (RFC 7517) of type EC (RFC 7518 section 6.2), read without a copy of the private member.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use zeroize::Zeroizing;

use super::IssuerKey;
use super::der;
use super::error::{JwkProblem, KeyError, KeyForm, KeyKind};

/// The private key of a JWK, once its public members are known to belong to it.
pub(super) fn private_key(json: &str) -> Result<IssuerKey, KeyError> {
    let members = JwkMembers::parse(json)?;
    members.check_kind()?;
    let Some(scalar) = members.d else {
        let public = members.x.is_some() && members.y.is_some();
        return Err(if public {
            KeyError::PublicKey { form: KeyForm::Jwk }
        } else {
            KeyError::JwkMember { member: "d", problem: JwkProblem::Missing }
        });
    };
    members.check_use()?;
    members.check_operations("sign")?;
    let scalar = thirty_two_bytes("d", Some(scalar))?;
    let key = der::issuer_key(scalar.as_slice())?;
    key.check_public_part(&members.point()?)?;
    Ok(key)
}

/// The public key of a JWK without private members.
pub(super) fn public_key(json: &str) -> Result<p256::PublicKey, KeyError> {
    let members = JwkMembers::parse(json)?;
    members.check_kind()?;
    if members.d.is_some() {
        return Err(KeyError::PrivateKey { form: KeyForm::Jwk });
    }
    members.check_use()?;
    members.check_operations("verify")?;
    members.point()
}

/// Base64url without padding of exactly 32 bytes, leading zeros kept (RFC 7518 section 6.2.1.2).
fn thirty_two_bytes(member: &'static str, text: Option<&str>) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let problem = |problem| KeyError::JwkMember { member, problem };
    let text = text.ok_or(problem(JwkProblem::Missing))?;
    base64url_32(text).ok_or(problem(JwkProblem::NotThirtyTwoBytes))
}

/// Decodes into a buffer of the right size, so that there is one copy, and that one is wiped.
pub(super) fn base64url_32(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    use base64_simd::AsOut;

    let mut bytes = Zeroizing::new([0u8; 32]);
    if base64_simd::URL_SAFE_NO_PAD.decoded_length(text.as_bytes()).ok()? != bytes.len() {
        return None;
    }
    base64_simd::URL_SAFE_NO_PAD.decode(text.as_bytes(), bytes.as_mut_slice().as_out()).ok()?;
    Some(bytes)
}

/// The point with these affine coordinates, if it is on the curve.
pub(super) fn point(x: &[u8; 32], y: &[u8; 32]) -> Option<p256::PublicKey> {
    let mut sec1 = [4u8; 65];
    sec1[1..33].copy_from_slice(x);
    sec1[33..].copy_from_slice(y);
    p256::PublicKey::from_sec1_bytes(&sec1).ok()
}

/// The members that matter here. `d` borrows from the file's buffer, which is wiped; a `d` with JSON escapes
/// would be unescaped into memory that is not, and base64url needs none.
#[derive(Default)]
struct JwkMembers<'a> {
    kty: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    r#use: Option<String>,
    alg: Option<String>,
    key_ops: Option<serde_json::Value>,
    d: Option<&'a str>,
    has_keys: bool,
}

impl<'a> JwkMembers<'a> {
    fn parse(json: &'a str) -> Result<Self, KeyError> {
        let mut reading = Reading::default();
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let result = reading.deserialize_from(&mut deserializer).and_then(|()| deserializer.end());
        match result {
            Ok(()) if reading.duplicate => Err(KeyError::DuplicateMember),
            Ok(()) => Ok(reading.members),
            Err(error) => Err(reading.failure(error.classify())),
        }
    }

    fn check_kind(&self) -> Result<(), KeyError> {
        if self.has_keys && self.kty.is_none() {
            return Err(KeyError::JwkSet);
        }
        let kty = self.kty.as_deref().ok_or(missing("kty"))?;
        let found = match (kty, self.crv.as_deref()) {
            ("EC", Some("P-256")) => return Ok(()),
            ("EC" | "OKP", None) => return Err(missing("crv")),
            ("EC" | "OKP", Some(curve)) => curve_name(curve).map_or(KeyKind::Unknown, KeyKind::Named),
            ("RSA", _) => KeyKind::Named("RSA"),
            ("oct", _) => KeyKind::Named("symmetric"),
            _ => KeyKind::Unknown,
        };
        Err(KeyError::WrongKind { found })
    }

    /// RFC 7517 sections 4.2 and 4.4: where a key says what it is for, it is for that alone.
    fn check_use(&self) -> Result<(), KeyError> {
        let other_use = |member| KeyError::JwkMember { member, problem: JwkProblem::OtherUse };
        if self.r#use.as_deref().is_some_and(|text| text != "sig") {
            return Err(other_use("use"));
        }
        if self.alg.as_deref().is_some_and(|text| text != "ES256") {
            return Err(other_use("alg"));
        }
        Ok(())
    }

    /// `key_ops`: an array of texts, none of them twice, among them the one that is wanted, "sign" of a private key and
    /// "verify" of a public one (RFC 7517 section 4.3).
    fn check_operations(&self, wanted: &str) -> Result<(), KeyError> {
        let Some(operations) = &self.key_ops else { return Ok(()) };
        let names: Option<Vec<&str>> = operations
            .as_array()
            .and_then(|operations| operations.iter().map(serde_json::Value::as_str).collect());
        let sound = names.is_some_and(|names| {
            names.contains(&wanted) && names.iter().collect::<BTreeSet<_>>().len() == names.len()
        });
        match sound {
            true => Ok(()),
            false => Err(KeyError::JwkMember { member: "key_ops", problem: JwkProblem::OtherUse }),
        }
    }

    fn point(&self) -> Result<p256::PublicKey, KeyError> {
        let x = thirty_two_bytes("x", self.x.as_deref())?;
        let y = thirty_two_bytes("y", self.y.as_deref())?;
        point(&x, &y).ok_or(KeyError::NotOnCurve)
    }
}

fn missing(member: &'static str) -> KeyError {
    KeyError::JwkMember { member, problem: JwkProblem::Missing }
}

/// The names of curves other than P-256 (IANA "JSON Web Key Elliptic Curve").
fn curve_name(crv: &str) -> Option<&'static str> {
    ["P-384", "P-521", "secp256k1", "Ed25519", "Ed448", "X25519", "X448"]
        .into_iter()
        .find(|name| *name == crv)
}

/// The members read so far, and the one that is being read.
#[derive(Default)]
struct Reading<'a> {
    members: JwkMembers<'a>,
    current: Option<&'static str>,
    is_object: bool,
    duplicate: bool,
}

impl<'a> Reading<'a> {
    fn deserialize_from<D: Deserializer<'a>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        DeserializeSeed::deserialize(self, deserializer)
    }

    /// What a JSON error means for a key. The parser's own text is dropped: it can quote the file.
    fn failure(&self, category: Category) -> KeyError {
        match (category, self.current) {
            (Category::Eof, _) => KeyError::Truncated,
            (Category::Data, Some(member)) => KeyError::JwkMember { member, problem: JwkProblem::NotAString },
            _ if self.is_object => KeyError::Malformed { form: KeyForm::Jwk },
            _ => KeyError::NotAKey,
        }
    }
}

impl<'a> DeserializeSeed<'a> for &mut Reading<'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for &mut Reading<'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON Web Key")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        self.is_object = true;
        let mut names = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            self.current = None;
            match name.as_str() {
                "kty" => self.members.kty = self.text("kty", &mut map)?,
                "crv" => self.members.crv = self.text("crv", &mut map)?,
                "x" => self.members.x = self.text("x", &mut map)?,
                "y" => self.members.y = self.text("y", &mut map)?,
                "use" => self.members.r#use = self.text("use", &mut map)?,
                "alg" => self.members.alg = self.text("alg", &mut map)?,
                "key_ops" => self.members.key_ops = Some(map.next_value()?),
                "d" => {
                    self.current = Some("d");
                    self.members.d = Some(map.next_value()?);
                }
                other => {
                    self.members.has_keys |= other == "keys";
                    map.next_value::<IgnoredAny>()?;
                }
            }
            self.duplicate |= !names.insert(name);
        }
        self.current = None;
        Ok(())
    }
}

impl<'a> Reading<'a> {
    fn text<A: MapAccess<'a>>(
        &mut self,
        name: &'static str,
        map: &mut A,
    ) -> Result<Option<String>, A::Error> {
        self.current = Some(name);
        map.next_value().map(Some)
    }
}
