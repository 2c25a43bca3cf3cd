//! What a signed list says of itself, in either form.

use std::borrow::Cow;

use crate::json::{Kind, Parser, Value};
use crate::keys::CertificateNames;
use crate::status_list::bitstring::StatusPurpose;
use crate::token::{Compact, Part, decode_text, parse_object};
use crate::verify::claims::{CREDENTIALS_V2, LIST_TYPE, check_context};
use crate::verify::header::Typ;
use crate::verify::open::split;
use crate::verify::status::ListKind;
use crate::verify::times::{ClaimedTime, date_time, numeric_date};
use crate::verify::verdict::{Reason, Refusal, Step};

/// The longest signed list, in bytes.
pub const MAX_LIST_TOKEN_BYTES: usize = 8 * 1024 * 1024;

/// What a signed list says of itself, before it is known whether it can be relied on.
pub(super) struct ListName {
    pub(super) kinds: Vec<ListKind>,
    pub(super) uri: String,
    pub(super) issuer: Option<String>,
    pub(super) certificate: Option<CertificateNames>,
    pub(super) claimed: Option<String>,
    pub(super) issued_at: i64,
}

/// What a list says about itself.
pub(super) struct ListClaims<'d> {
    /// One kind; of a Bitstring list, one for each purpose.
    pub(super) kinds: Vec<ListKind>,
    pub(super) uri: String,
    pub(super) issuer: Option<String>,
    pub(super) starts: [Option<ClaimedTime>; 3],
    pub(super) ends: [Option<ClaimedTime>; 2],
    /// For how many seconds a copy may be kept.
    pub(super) ttl: Option<i64>,
    pub(super) bits: u64,
    pub(super) encoded: Cow<'d, str>,
}

impl ListClaims<'_> {
    pub(super) fn issued_at(&self) -> Option<i64> {
        self.starts.iter().flatten().map(|start| start.seconds).max()
    }

    /// When a list that names no end ends: it may be kept for its `ttl`, and without one for
    /// [`MAX_ENDLESS_SECONDS`]. The standards only recommend `exp` and `ttl` (Token Status List section 5.1),
    /// but a copy in a file would else be believed for ever. A `ttl` beside an end is advice for caches.
    pub(super) fn end(&self) -> Result<ClaimedTime, Refusal> {
        if let Some(end) = self.ends.iter().flatten().min_by_key(|end| end.seconds) {
            return Ok(*end);
        }
        let (claim, seconds) = match self.ttl {
            Some(seconds) => ("issued + ttl", seconds),
            None => ("issued + seven days", MAX_ENDLESS_SECONDS),
        };
        match self.issued_at() {
            Some(issued_at) => Ok(ClaimedTime { claim, seconds: issued_at.saturating_add(seconds) }),
            None => Err(wrong("it has neither a start date nor an end date")),
        }
    }
}

/// How long a list is relied on that says nothing of its end: as long as those that are published here.
const MAX_ENDLESS_SECONDS: i64 = 7 * 86_400;

/// The name of a list of which nothing else makes sense. It counts from when it says that it was issued, or, where that
/// makes no sense either, as the last word: its issuer signed it, and nobody knows what was meant.
pub(super) fn unsound(
    payload: Value<'_>,
    typ: &Typ,
    (issuer, certificate): (Option<String>, Option<CertificateNames>),
) -> Option<ListName> {
    let (kinds, name) = match typ {
        Typ::StatusList => (vec![ListKind::Token], "sub"),
        _ => ([StatusPurpose::Revocation, StatusPurpose::Suspension].map(ListKind::Bitstring).to_vec(), "id"),
    };
    let uri = text(name, payload.member(name)).ok()?.into_owned();
    let issued = payload.member("iat").and_then(|iat| numeric_date("iat", iat).ok());
    let valid_from = || payload.member("validFrom").and_then(|from| date_time("validFrom", from).ok());
    let issued_at = issued.or_else(valid_from).map_or(i64::MAX, |moment| moment.seconds);
    Some(ListName { kinds, uri, issuer, certificate, claimed: None, issued_at })
}

/// The name that a list gives itself whose signature is not good, or was not looked at. Nothing is decided by it.
pub(super) fn name_of_unsigned(token: &str) -> Option<String> {
    let compact = split(token, MAX_LIST_TOKEN_BYTES).ok()?;
    let (mut buffer, mut parser) = (Vec::new(), Parser::default());
    let payload = decode_text(compact.payload, Part::Payload, &mut buffer).ok()?;
    let document = parse_object(payload, Part::Payload, &mut parser).ok()?;
    let root = document.root();
    let name = if root.member("status_list").is_some() { "sub" } else { "id" };
    text(name, root.member(name)).ok().map(Cow::into_owned)
}

/// A list's header: of a type that lists have, and of a JWS alone.
pub(super) fn accept(typ: &Typ, compact: &Compact<'_>) -> Result<(), Refusal> {
    match typ {
        Typ::StatusList | Typ::Credential if compact.is_sd_jwt => {
            Err(Refusal::new(Reason::Malformed, Step::Header, "a `~` follows the signature"))
        }
        Typ::StatusList | Typ::Credential => Ok(()),
        _ => {
            let message = "`typ` is not that of a status list: \"statuslist+jwt\" or \"vc+jwt\"";
            Err(Refusal::new(Reason::UnsupportedType, Step::Header, message))
        }
    }
}

/// Token Status List section 5.1. `iss` is not defined there; where it is, it must be the issuer.
pub(super) fn of_token_list(payload: Value<'_>) -> Result<ListClaims<'_>, Refusal> {
    let list = payload.member("status_list").ok_or_else(|| wrong("`status_list` is missing"))?;
    let bits = list.member("bits").filter(|bits| bits.kind() == Kind::Number);
    let bits = bits.and_then(|bits| bits.text().parse().ok());
    let iat = payload.member("iat").ok_or_else(|| wrong("`iat` is missing"))?;
    let issuer = payload.member("iss").map(|iss| text("iss", Some(iss))).transpose()?;
    Ok(ListClaims {
        kinds: vec![ListKind::Token],
        uri: text("sub", payload.member("sub"))?.into_owned(),
        issuer: issuer.map(Cow::into_owned),
        starts: [Some(numeric_date("iat", iat)?), number("nbf", payload)?, None],
        ends: [number("exp", payload)?, None],
        ttl: payload.member("ttl").map(|ttl| lasting("ttl", ttl, 1.0)).transpose()?,
        bits: bits.ok_or_else(|| wrong("`status_list.bits` is not a whole number"))?,
        encoded: text("status_list.lst", list.member("lst"))?,
    })
}

/// Bitstring Status List section 2.2: a credential whose subject is a list.
pub(super) fn of_bitstring(payload: Value<'_>) -> Result<ListClaims<'_>, Refusal> {
    check_list_type(payload)?;
    check_context(payload.member("@context"), CREDENTIALS_V2)?;
    if payload.member("vc").is_some() {
        return Err(wrong("`vc` is not allowed: the payload itself is the credential"));
    }
    let subject =
        payload.member("credentialSubject").ok_or_else(|| wrong("`credentialSubject` is missing"))?;
    if subject.member("type").and_then(Value::as_str).as_deref() != Some("BitstringStatusList") {
        return Err(wrong("`credentialSubject.type` is not BitstringStatusList"));
    }
    if subject.member("statusSize").is_some_and(|size| size.text() != "1") {
        return Err(wrong("`credentialSubject.statusSize` is not 1"));
    }
    let issuer = payload.member("issuer").ok_or_else(|| wrong("`issuer` is missing"))?;
    let issuer = text("issuer", issuer.member("id").or(Some(issuer)))?;
    if let Some(iss) = payload.member("iss")
        && text("iss", Some(iss))? != issuer
    {
        return Err(wrong("`iss` and `issuer` contradict each other"));
    }
    let Some(id) = payload.member("id") else {
        // It is optional, but a file does not say from which URL it came.
        return Err(wrong("`id` is missing, so the list cannot be identified"));
    };
    let ttl = subject.member("ttl").map(|ttl| lasting("credentialSubject.ttl", ttl, 1000.0));
    let time = |name: &'static str| payload.member(name).map(|value| date_time(name, value)).transpose();
    Ok(ListClaims {
        kinds: purposes(subject.member("statusPurpose"))?,
        uri: text("id", Some(id))?.into_owned(),
        issuer: Some(issuer.into_owned()),
        starts: [number("iat", payload)?, number("nbf", payload)?, time("validFrom")?],
        ends: [number("exp", payload)?, time("validUntil")?],
        ttl: ttl.transpose()?,
        bits: 1,
        encoded: text("credentialSubject.encodedList", subject.member("encodedList"))?,
    })
}

fn check_list_type(payload: Value<'_>) -> Result<(), Refusal> {
    let has = |expected: &str| {
        let mut types = payload.member("type").into_iter().flat_map(Value::elements);
        types.any(|name| name.as_str().as_deref() == Some(expected))
    };
    if !has(LIST_TYPE) {
        let message = format!("it is a credential, not a {LIST_TYPE}");
        return Err(Refusal::new(Reason::UnsupportedType, Step::Claims, message));
    }
    if has("VerifiableCredential") {
        Ok(())
    } else {
        Err(wrong("`type` does not include VerifiableCredential"))
    }
}

/// `statusPurpose`: one, or an array of them. Those that say nothing about validity are skipped.
fn purposes(purposes: Option<Value<'_>>) -> Result<Vec<ListKind>, Refusal> {
    let single = purposes.filter(|purposes| purposes.kind() == Kind::String);
    let mut kinds = Vec::new();
    for name in single.into_iter().chain(purposes.into_iter().flat_map(Value::elements)) {
        let name = text("credentialSubject.statusPurpose", Some(name))?;
        let kind = StatusPurpose::of_name(&name).map(ListKind::Bitstring);
        kinds.extend(kind.filter(|kind| !kinds.contains(kind)));
    }
    match kinds.is_empty() {
        true => Err(wrong("`credentialSubject.statusPurpose` is neither revocation nor suspension")),
        false => Ok(kinds),
    }
}

/// A length of time: a number above 0, of which so many make a second. In seconds, a fraction rounded up.
fn lasting(name: &str, value: Value<'_>, a_second: f64) -> Result<i64, Refusal> {
    let number = Some(value).filter(|value| value.kind() == Kind::Number);
    match number.and_then(|number| number.text().parse::<f64>().ok()) {
        // A conversion of what is too great for a time saturates.
        Some(number) if number > 0.0 => Ok((number / a_second).ceil() as i64),
        _ => Err(wrong(format!("`{name}` is not a number above 0"))),
    }
}

fn number(name: &'static str, payload: Value<'_>) -> Result<Option<ClaimedTime>, Refusal> {
    payload.member(name).map(|value| numeric_date(name, value)).transpose()
}

fn text<'d>(name: &str, value: Option<Value<'d>>) -> Result<Cow<'d, str>, Refusal> {
    value
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| wrong(format!("`{name}` is missing, or is not text")))
}

pub(super) fn wrong(message: impl Into<String>) -> Refusal {
    Refusal::new(Reason::SchemaInvalid, Step::Claims, message)
}
