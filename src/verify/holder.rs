//! Holder binding: whether whoever presents an SD-JWT has the key that it was issued to.
//!
//! A key binding JWT stands behind the last `~` (RFC 9901 section 4.3). Whether it is asked for is the verifier's
//! decision and never that of the presentation (section 7.3): by default it is parsed off and not looked at, and a
//! verdict says that the holder was not checked. Where it is asked for, a presentation without one is refused.

use base64_simd::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::policy::Policy;
use super::verdict::{Reason, Refusal, Step};
use crate::clock::UnixTime;
use crate::json::{Kind, Parser, Value};
use crate::keys::{PublicKey, verify_es256};
use crate::request::rules::CalendarDuration;
use crate::token::{Compact, Part, TokenError, decode, decode_text, parse_object};

/// What a key binding JWT has to say.
#[derive(Debug, Clone)]
pub struct KeyBinding {
    /// The verifier's own name, as in `aud`.
    pub audience: String,
    /// The nonce that the verifier gave out, where all presentations have the same one.
    pub nonce: Option<String>,
    /// How long ago it may have been made.
    pub max_age: CalendarDuration,
}

/// Checks the key binding JWT of a presentation whose disclosures are in their places in `payload`. `nonce` is the one
/// that was given out for this presentation, where that is known.
pub(super) fn check(
    presentation: &str,
    compact: &Compact<'_>,
    payload: Value<'_>,
    (wanted, nonce): (&KeyBinding, Option<&str>),
    (policy, now): (&Policy, UnixTime),
) -> Result<(), Refusal> {
    let Some(text) = compact.key_binding else {
        return Err(Refusal::new(
            Reason::KeyBindingMissing,
            Step::Holder,
            "no key binding JWT follows the last `~`, and `--key-binding required` asks for one",
        ));
    };
    let key = holder_key(payload)?;
    let jwt = Compact::split(text).map_err(unreadable)?;
    let (mut buffer, mut parser) = (Vec::new(), Parser::for_tokens());
    let header = decode_text(jwt.header, Part::Header, &mut buffer).map_err(unreadable)?;
    check_header(parse_object(header, Part::Header, &mut parser).map_err(unreadable)?.root())?;
    let signature = decode(jwt.signature, Part::Signature, &mut buffer).map_err(unreadable)?;
    if !verify_es256(&key, jwt.signing_input(), signature) {
        return Err(refuse("its signature does not match the holder's key in `cnf`"));
    }
    let claims = decode_text(jwt.payload, Part::Payload, &mut buffer).map_err(unreadable)?;
    let claims = parse_object(claims, Part::Payload, &mut parser).map_err(unreadable)?;
    let claims = claims.root();
    check_time(claims, wanted, policy, now)?;
    expect(claims, "aud", &wanted.audience)?;
    let Some(nonce) = nonce.or(wanted.nonce.as_deref()) else {
        return Err(refuse(
            "there is no nonce to compare it with; `--nonce`, or a `nonce` beside the presentation",
        ));
    };
    expect(claims, "nonce", nonce)?;
    // Over everything up to and with the last `~` (section 4.3.1).
    let signed = &presentation[..presentation.len() - text.len()];
    expect(claims, "sd_hash", &URL_SAFE_NO_PAD.encode_to_string(Sha256::digest(signed)))
}

/// Whether there is a holder whose key could be asked for.
pub(super) fn has_holder(payload: Value<'_>) -> bool {
    payload.member("cnf").is_some()
}

/// The key in `cnf` (RFC 7800 section 3.2).
fn holder_key(payload: Value<'_>) -> Result<PublicKey, Refusal> {
    let jwk = payload.member("cnf").and_then(|cnf| cnf.member("jwk"));
    let jwk = jwk.ok_or_else(|| refuse("the credential has no holder's key in `cnf.jwk`"))?;
    PublicKey::from_jwk_json(jwk.text()).map_err(|_| {
        refuse("the holder's key in `cnf.jwk` is not a public P-256 key, so ES256 cannot be checked")
    })
}

fn check_header(header: Value<'_>) -> Result<(), Refusal> {
    let text = |name| header.member(name).and_then(Value::as_str);
    if text("alg").as_deref() != Some("ES256") {
        return Err(refuse("its `alg` is not \"ES256\""));
    }
    let typ = text("typ").unwrap_or_default().to_ascii_lowercase();
    if typ.strip_prefix("application/").unwrap_or(&typ) != "kb+jwt" {
        return Err(refuse("its `typ` is not \"kb+jwt\""));
    }
    match header.member("crit") {
        Some(_) => Err(refuse("its header has `crit`; no extension is understood here")),
        None => Ok(()),
    }
}

/// It was made within the last `max_age`, by clocks that differ by the leeway at most; `exp` and `nbf`, where it has
/// them, hold as in any JWT.
fn check_time(claims: Value<'_>, wanted: &KeyBinding, policy: &Policy, now: UnixTime) -> Result<(), Refusal> {
    let (leeway, now) = (i64::from(policy.leeway), now.seconds());
    let time = |name: &str| {
        let Some(value) = claims.member(name) else { return Ok(None) };
        let seconds = (value.kind() == Kind::Number).then(|| value.text().parse::<f64>().ok()).flatten();
        seconds
            .map(|seconds| Some(seconds as i64))
            .ok_or_else(|| refuse(format!("its `{name}` is not a Unix timestamp")))
    };
    let made = time("iat")?.ok_or_else(|| refuse("it has no `iat`"))?;
    if made > now + leeway {
        return Err(refuse("its `iat` is in the future"));
    }
    let latest = UnixTime::from_seconds(made).and_then(|made| wanted.max_age.after(made).ok());
    if latest.is_none_or(|latest| latest.seconds() + leeway < now) {
        return Err(refuse("its `iat` is longer ago than `--kb-max-age`"));
    }
    if time("exp")?.is_some_and(|end| now >= end.saturating_add(leeway)) {
        return Err(refuse("it has expired"));
    }
    match time("nbf")?.is_some_and(|start| now < start.saturating_sub(leeway)) {
        true => Err(refuse("it is not valid yet")),
        false => Ok(()),
    }
}

fn expect(claims: Value<'_>, name: &str, expected: &str) -> Result<(), Refusal> {
    match claims.member(name).map(Value::as_str) {
        None => Err(refuse(format!("it has no `{name}`"))),
        Some(Some(found)) if found == expected => Ok(()),
        Some(_) if name == "sd_hash" => {
            Err(refuse("it was made for another presentation: `sd_hash` is different"))
        }
        Some(_) => Err(refuse(format!("its `{name}` is not the one expected"))),
    }
}

fn unreadable(error: TokenError) -> Refusal {
    refuse(error.to_string())
}

fn refuse(message: impl std::fmt::Display) -> Refusal {
    Refusal::new(
        Reason::KeyBindingInvalid,
        Step::Holder,
        format!("the key binding JWT is not valid: {message}"),
    )
}
