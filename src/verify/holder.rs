//! Holder binding: whether whoever presents an SD-JWT has the key that it was issued to.
//!
//! A key binding JWT stands behind the last `~` (RFC 9901 section 4.3). Whether it is asked for is the verifier's
//! decision and never that of the presentation (section 7.3): by default it is parsed off and not looked at, and a
//! verdict says that the holder was not checked. Where it is asked for, a presentation without one is refused.

use super::check_period;
use super::header::media_type;
use super::policy::Policy;
use super::times::numeric_date;
use super::verdict::{Reason, Refusal, Step};
use crate::clock::UnixTime;
use crate::json::{Parser, Value};
use crate::keys::{PublicKey, verify_es256};
use crate::request::rules::CalendarDuration;
use crate::token::{Compact, Part, TokenError, decode, decode_text, holder_key, parse_object, sd_hash};

/// What a key binding JWT has to say.
#[derive(Debug, Clone)]
pub struct KeyBinding {
    /// The verifier's own name, as in `aud`.
    pub audience: String,
    /// The nonce that the verifier gave out, where all presentations have the same one. One beside a presentation
    /// counts only without it: whoever wrote the file may be the holder.
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
    let key = key_of_holder(payload)?;
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
    let beside = nonce.filter(|nonce| !nonce.is_empty());
    let Some(nonce) = wanted.nonce.as_deref().or(beside) else {
        return Err(refuse(
            "no nonce was given to compare with; pass `--nonce`, or put a `nonce` beside the presentation",
        ));
    };
    expect(claims, "nonce", nonce)?;
    let signed = &presentation[..presentation.len() - text.len()];
    expect(claims, "sd_hash", &sd_hash(signed))
}

/// Whether there is a holder whose key could be asked for.
pub(super) fn has_holder(payload: Value<'_>) -> bool {
    payload.member("cnf").is_some()
}

fn key_of_holder(payload: Value<'_>) -> Result<PublicKey, Refusal> {
    let key = holder_key(payload).ok_or_else(|| refuse("the credential has no holder's key in `cnf.jwk`"))?;
    key.map_err(|_| {
        refuse("the holder's key in `cnf.jwk` is not a public P-256 key, so ES256 cannot be checked")
    })
}

fn check_header(header: Value<'_>) -> Result<(), Refusal> {
    let text = |name| header.member(name).and_then(Value::as_str);
    if text("alg").as_deref() != Some("ES256") {
        return Err(refuse("its `alg` is not \"ES256\""));
    }
    if media_type(&text("typ").unwrap_or_default()) != "kb+jwt" {
        return Err(refuse("its `typ` is not \"kb+jwt\""));
    }
    match header.member("crit") {
        Some(_) => Err(refuse("its header has `crit`; no extension is understood here")),
        None => Ok(()),
    }
}

/// It was made within the last `max_age`; its dates hold as those of any JWT.
fn check_time(claims: Value<'_>, wanted: &KeyBinding, policy: &Policy, now: UnixTime) -> Result<(), Refusal> {
    let time = |name| claims.member(name).map(|value| numeric_date(name, value)).transpose();
    let [made, start, end] = ["iat", "nbf", "exp"].map(time);
    let unreadable = |refusal: Refusal| refuse(refusal.message);
    let (made, start, end) =
        (made.map_err(unreadable)?, start.map_err(unreadable)?, end.map_err(unreadable)?);
    let made = made.ok_or_else(|| refuse("it has no `iat`"))?;
    check_period([made].iter().chain(&start), end.iter(), policy, now).map_err(|(_, why)| refuse(why))?;
    let latest = UnixTime::from_seconds(made.seconds).and_then(|made| wanted.max_age.after(made).ok());
    match latest.is_some_and(|latest| now.seconds() <= latest.seconds() + policy.leeway()) {
        true => Ok(()),
        false => Err(refuse("its `iat` is longer ago than `--kb-max-age`")),
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
