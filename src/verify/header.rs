//! The protected header: what it may say, and which key it names.

use base64_simd::STANDARD;

use super::verdict::{Reason, Refusal, Step};
use crate::json::{Kind, Value};
use crate::keys::MAX_CERTIFICATES;

/// What a token says that it is, by its `typ`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Typ {
    /// `vc+jwt`
    Credential,
    /// `dc+sd-jwt`
    SdJwt,
    /// `vc+sd-jwt`, as `dc+sd-jwt` was called before draft 6 of SD-JWT VC.
    OldSdJwt,
    /// `statuslist+jwt`
    StatusList,
    /// `JWT`, or nothing.
    Jwt,
    /// Anything else.
    Other(String),
}

/// What counts of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) typ: Typ,
    /// The name of the key, where it has one.
    pub(super) kid: Option<String>,
}

impl Header {
    /// Reads a header, whose type must be one that `accepts` does not refuse. Parameters without a meaning here are
    /// ignored, keys in them (`jwk`) and places of keys (`jku`, `x5u`) among them (RFC 7515 section 4). For `x5c` see
    /// [`certificates`].
    pub(super) fn read(
        header: Value<'_>,
        accepts: impl FnOnce(&Typ) -> Result<(), Refusal>,
    ) -> Result<Header, Refusal> {
        check_alg(header.member("alg"))?;
        let typ = typ(header.member("typ"))?;
        accepts(&typ)?;
        check_content_type(&typ, header.member("cty"))?;
        check_extensions(header)?;
        let kid = match header.member("kid") {
            None => None,
            Some(kid) => {
                Some(kid.as_str().ok_or_else(|| refuse(Reason::Malformed, "`kid` is not a string"))?)
            }
        };
        Ok(Header { typ, kid: kid.map(|kid| kid.into_owned()) })
    }
}

/// The certificates of a header, DER, if it has any (RFC 7515 section 4.1.6). They are only asked for where there are
/// trust anchors.
pub(super) fn certificates(header: Value<'_>) -> Result<Option<Vec<Vec<u8>>>, Refusal> {
    let Some(x5c) = header.member("x5c") else { return Ok(None) };
    let refuse = |message: String| Err(Refusal::new(Reason::CertificateInvalid, Step::Key, message));
    if x5c.kind() != Kind::Array {
        return refuse("`x5c` is not an array".to_owned());
    }
    let mut certificates = Vec::new();
    for (place, text) in (1..).zip(x5c.elements().take(MAX_CERTIFICATES + 1)) {
        let Some(der) = text.as_str().and_then(|text| STANDARD.decode_to_vec(&*text).ok()) else {
            return refuse(format!("certificate {place} in `x5c` is not base64 (with `+`, `/` and padding)"));
        };
        certificates.push(der);
    }
    Ok(Some(certificates))
}

/// No extension is understood, so whatever `crit` names is not, and an empty or ill-formed one is refused anyway
/// (RFC 7515 section 4.1.11). `b64` may say what holds without it, and must not be false in a JWT (RFC 7797
/// section 7).
fn check_extensions(header: Value<'_>) -> Result<(), Refusal> {
    if header.member("crit").is_some() {
        let message = "the header has `crit`; no extension is understood here";
        return Err(refuse(Reason::UnsupportedCritical, message));
    }
    match header.member("b64") {
        Some(b64) if b64.text() != "true" => {
            Err(refuse(Reason::UnsupportedCritical, "the header has a `b64` that is not true"))
        }
        _ => Ok(()),
    }
}

/// VC-JOSE-COSE only says that the `cty` of a `vc+jwt` should be `vc`. Whoever writes another says that the payload
/// is something else, a presentation or a nested JWT, and kinds of tokens must not stand in for each other (RFC 8725
/// section 3.12).
fn check_content_type(typ: &Typ, cty: Option<Value<'_>>) -> Result<(), Refusal> {
    let (Typ::Credential, Some(cty)) = (typ, cty) else { return Ok(()) };
    let Some(name) = cty.as_str() else {
        return Err(refuse(Reason::Malformed, "`cty` is not a string"));
    };
    match media_type(&name).as_str() {
        "vc" => Ok(()),
        _ => Err(refuse(
            Reason::UnsupportedType,
            "`cty` says that the payload is not a credential; expected \"vc\"",
        )),
    }
}

fn check_alg(alg: Option<Value<'_>>) -> Result<(), Refusal> {
    match alg.map(Value::as_str) {
        Some(Some(alg)) if alg == "ES256" => Ok(()),
        Some(Some(alg)) => {
            let shown: String = alg.chars().take(20).collect();
            Err(refuse(Reason::UnsupportedAlg, format!("`alg` is {shown:?}; expected \"ES256\"")))
        }
        Some(None) => Err(refuse(Reason::UnsupportedAlg, "`alg` is not a string; expected \"ES256\"")),
        None => Err(refuse(Reason::UnsupportedAlg, "the header has no `alg`; expected \"ES256\"")),
    }
}

/// A media type as it is compared: without regard to case, and without `application/`, which may be left out (RFC 7515
/// section 4.1.9).
pub(crate) fn media_type(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    name.strip_prefix("application/").map(str::to_owned).unwrap_or(name)
}

fn typ(typ: Option<Value<'_>>) -> Result<Typ, Refusal> {
    let Some(typ) = typ else { return Ok(Typ::Jwt) };
    if typ.kind() != Kind::String {
        return Err(refuse(Reason::Malformed, "`typ` is not a string"));
    }
    let name = media_type(&typ.as_str().unwrap_or_default());
    Ok(match name.as_str() {
        "vc+jwt" => Typ::Credential,
        "dc+sd-jwt" => Typ::SdJwt,
        "vc+sd-jwt" => Typ::OldSdJwt,
        "statuslist+jwt" => Typ::StatusList,
        "jwt" => Typ::Jwt,
        other => Typ::Other(other.chars().take(40).collect()),
    })
}

fn refuse(reason: Reason, message: impl Into<String>) -> Refusal {
    Refusal::new(reason, Step::Header, message)
}
