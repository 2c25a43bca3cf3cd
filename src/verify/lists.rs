//! Status lists that were given, checked and decoded once.

use std::collections::HashMap;

use super::claims::LIST_TYPE;
use super::header::Typ;
use super::open::{Opener, at, split};
use super::policy::Policy;
use super::ring::KeyRing;
use super::status::{ListKind, StatusClaim, StatusProblem, StatusSource, StatusValue};
use super::times::{Moment, date_time, numeric_date};
use super::verdict::{Reason, Refusal, Step};
use super::{check_issuer, check_period};
use crate::json::{Kind, Parser, Value};
use crate::jws::Implementation;
use crate::status::bitstring::{self, Bitstring, Purpose};
use crate::status::{Status, StatusArray, token_list};
use crate::token::{Part, decode_text, parse_object};

/// The longest signed list, in bytes.
pub const MAX_LIST_TOKEN_BYTES: usize = 8 * 1024 * 1024;
/// The most bytes of one list when decompressed.
const MAX_LIST_BYTES: usize = 16 * 1024 * 1024;
/// The most bytes of all lists when decompressed.
const MAX_ALL_BYTES: usize = 256 * 1024 * 1024;

/// Why a list cannot be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListProblem {
    /// The list's name, where it could be read; the signature may be the problem.
    pub uri: Option<String>,
    /// What is wrong with it.
    pub problem: Refusal,
}

/// Status lists. Workers share them.
#[derive(Debug, Default)]
pub struct Lists {
    lists: HashMap<(ListKind, String), Result<List, String>>,
    bytes: usize,
}

#[derive(Debug)]
struct List {
    entries: Entries,
    /// Whose key signed it, or whom it names; none where neither is known.
    issuer: Option<String>,
    issued_at: i64,
}

#[derive(Debug)]
enum Entries {
    Token(StatusArray),
    Bitstring(Bitstring),
}

impl Entries {
    fn bytes(&self) -> usize {
        match self {
            Entries::Token(array) => array.as_bytes().len(),
            Entries::Bitstring(list) => list.as_bytes().len(),
        }
    }
}

impl Lists {
    /// Checks a signed list in either form, by the keys and the time that credentials are checked by, and
    /// keeps it. Of two lists of one name the one that was signed last counts.
    ///
    /// # Errors
    /// Where the list cannot be relied on. Credentials that name it will then have no known status, whatever
    /// other lists of that name say.
    pub fn add(&mut self, token: &str, ring: &KeyRing, policy: &Policy) -> Result<(), Box<ListProblem>> {
        let mut name = None;
        match self.read(token, ring, policy, &mut name) {
            Ok((key, list)) => {
                self.keep(key, list);
                Ok(())
            }
            Err(problem) => {
                if let Some(key) = name.clone() {
                    self.lists.insert(key, Err(problem.to_string()));
                }
                Err(Box::new(ListProblem { uri: name.map(|(_, uri)| uri), problem }))
            }
        }
    }

    /// How many lists can be relied on.
    pub fn usable(&self) -> usize {
        self.lists.values().filter(|list| list.is_ok()).count()
    }

    fn keep(&mut self, key: (ListKind, String), list: List) {
        match self.lists.get(&key) {
            Some(Err(_)) => {}
            Some(Ok(known)) if known.issued_at >= list.issued_at => {}
            _ => {
                self.bytes += list.entries.bytes();
                self.lists.insert(key, Ok(list));
            }
        }
    }

    fn read(
        &self,
        token: &str,
        ring: &KeyRing,
        policy: &Policy,
        name: &mut Option<(ListKind, String)>,
    ) -> Result<((ListKind, String), List), Refusal> {
        let compact = split(token, MAX_LIST_TOKEN_BYTES)?;
        let mut opener = Opener::new(ring, Implementation::default());
        let opened = opener.header(&compact, policy, accept)?;
        if compact.is_sd_jwt {
            return Err(Refusal::new(Reason::Malformed, Step::Header, "a `~` follows the signature"));
        }
        opener.signature(&compact, &opened)?;
        let (mut buffer, mut parser) = (Vec::new(), Parser::default());
        let text = decode_text(compact.payload, Part::Payload, &mut buffer).map_err(at(Step::Payload))?;
        let document = parse_object(text, Part::Payload, &mut parser).map_err(at(Step::Payload))?;
        let claims = match opened.typ {
            Typ::StatusList => of_token_list(document.root())?,
            _ => of_bitstring(document.root())?,
        };
        *name = Some((claims.kind, claims.uri.clone()));
        let key = opener.key(&opened);
        let issuer = match &claims.issuer {
            Some(issuer) => check_issuer(issuer, key, policy)?.then(|| issuer.clone()),
            None => key.issuer.clone().or_else(|| policy.issuer.clone()),
        };
        check_period(claims.starts.iter().flatten(), claims.ends.iter().flatten(), policy, policy.now)
            .map_err(|(reason, message)| Refusal::new(reason, Step::Times, message))?;
        let entries = self.decode(&claims)?;
        let issued_at = claims.starts.iter().flatten().map(|start| start.seconds).max().unwrap_or_default();
        Ok(((claims.kind, claims.uri), List { entries, issuer, issued_at }))
    }

    /// Decompresses a list, in what is left of the memory for all of them.
    fn decode(&self, claims: &ListClaims<'_>) -> Result<Entries, Refusal> {
        let limit = MAX_LIST_BYTES.min(MAX_ALL_BYTES - self.bytes.min(MAX_ALL_BYTES));
        let decoded = match claims.kind {
            ListKind::Token => token_list::decode(claims.bits, &claims.encoded, limit).map(Entries::Token),
            ListKind::Bitstring(_) => bitstring::decode(&claims.encoded, limit).map(Entries::Bitstring),
        };
        decoded.map_err(|error| wrong(error.to_string()))
    }

    fn look_up(&self, claim: &StatusClaim<'_>) -> Result<StatusValue, StatusProblem> {
        let uri = claim.uri.clone().into_owned();
        let unusable = |problem: String| StatusProblem::Unusable { uri: uri.clone(), problem };
        let list = match self.lists.get(&(claim.kind, uri.clone())) {
            None => return Err(StatusProblem::NotGiven { uri }),
            Some(Err(problem)) => return Err(unusable(problem.clone())),
            Some(Ok(list)) => list,
        };
        if let (Some(expected), Some(found)) = (claim.issuer, &list.issuer)
            && expected != found
        {
            return Err(unusable(format!("it is one of {found}")));
        }
        if claim.issuer.is_some() && list.issuer.is_none() {
            return Err(unusable("nobody said whose it is".to_owned()));
        }
        let out_of_range = || unusable(format!("it ends before place {}", claim.index));
        match (&list.entries, claim.kind) {
            (Entries::Token(array), _) => match array.get(claim.index).map(Status::of_value) {
                None => Err(out_of_range()),
                Some(None) => Err(unusable("its value is reserved".to_owned())),
                Some(Some(Status::Valid)) => Ok(StatusValue::Valid),
                Some(Some(Status::Invalid)) => Ok(StatusValue::Revoked),
                Some(Some(Status::Suspended)) => Ok(StatusValue::Suspended),
            },
            (Entries::Bitstring(list), kind) => match (list.get(claim.index), kind) {
                (None, _) => Err(out_of_range()),
                (Some(false), _) => Ok(StatusValue::Valid),
                (Some(true), ListKind::Bitstring(Purpose::Suspension)) => Ok(StatusValue::Suspended),
                (Some(true), _) => Ok(StatusValue::Revoked),
            },
        }
    }
}

impl StatusSource for &Lists {
    fn status(&mut self, claim: &StatusClaim<'_>) -> Result<StatusValue, StatusProblem> {
        self.look_up(claim)
    }
}

/// What a list says about itself.
struct ListClaims<'d> {
    kind: ListKind,
    uri: String,
    issuer: Option<String>,
    starts: [Option<Moment>; 2],
    ends: [Option<Moment>; 2],
    bits: u64,
    encoded: std::borrow::Cow<'d, str>,
}

fn accept(typ: &Typ) -> Result<(), Refusal> {
    match typ {
        Typ::StatusList | Typ::Credential => Ok(()),
        _ => {
            let message = "`typ` is not that of a status list: \"statuslist+jwt\" or \"vc+jwt\"";
            Err(Refusal::new(Reason::UnsupportedType, Step::Header, message))
        }
    }
}

/// Token Status List section 5.1. `iss` is not defined there; where it is, it must be the issuer.
fn of_token_list(payload: Value<'_>) -> Result<ListClaims<'_>, Refusal> {
    let list = payload.member("status_list").ok_or_else(|| wrong("`status_list` is missing"))?;
    let bits = list.member("bits").filter(|bits| bits.kind() == Kind::Number);
    let bits = bits.and_then(|bits| bits.text().parse().ok());
    let iat = payload.member("iat").ok_or_else(|| wrong("`iat` is missing"))?;
    Ok(ListClaims {
        kind: ListKind::Token,
        uri: text("sub", payload.member("sub"))?.into_owned(),
        issuer: payload
            .member("iss")
            .map(|iss| text("iss", Some(iss)))
            .transpose()?
            .map(|iss| iss.into_owned()),
        starts: [Some(numeric_date("iat", iat)?), number("nbf", payload)?],
        ends: [number("exp", payload)?, None],
        bits: bits.ok_or_else(|| wrong("`status_list.bits` is no whole number"))?,
        encoded: text("status_list.lst", list.member("lst"))?,
    })
}

/// Bitstring Status List section 2.2: a credential whose subject is a list.
fn of_bitstring(payload: Value<'_>) -> Result<ListClaims<'_>, Refusal> {
    let types = payload.member("type").into_iter().flat_map(Value::elements);
    if !types.into_iter().any(|name| name.as_str().as_deref() == Some(LIST_TYPE)) {
        let message = format!("it is a credential, and no {LIST_TYPE}");
        return Err(Refusal::new(Reason::UnsupportedType, Step::Claims, message));
    }
    if payload.member("vc").is_some() {
        return Err(wrong("`vc` stands in a credential that is the payload itself"));
    }
    let subject =
        payload.member("credentialSubject").ok_or_else(|| wrong("`credentialSubject` is missing"))?;
    if subject.member("type").and_then(Value::as_str).as_deref() != Some("BitstringStatusList") {
        return Err(wrong("`credentialSubject.type` is not BitstringStatusList"));
    }
    if subject.member("statusSize").is_some_and(|size| size.text() != "1") {
        return Err(wrong("`credentialSubject.statusSize` is not 1"));
    }
    let purpose = text("credentialSubject.statusPurpose", subject.member("statusPurpose"))?;
    let purpose = Purpose::of_name(&purpose)
        .ok_or_else(|| wrong("`credentialSubject.statusPurpose` is neither revocation nor suspension"))?;
    let issuer = payload.member("issuer").ok_or_else(|| wrong("`issuer` is missing"))?;
    let issuer = text("issuer", issuer.member("id").or(Some(issuer)))?;
    if let Some(iss) = payload.member("iss")
        && text("iss", Some(iss))? != issuer
    {
        return Err(wrong("`iss` and `issuer` contradict each other"));
    }
    let time = |name: &'static str| payload.member(name).map(|value| date_time(name, value)).transpose();
    Ok(ListClaims {
        kind: ListKind::Bitstring(purpose),
        uri: text("id", payload.member("id"))?.into_owned(),
        issuer: Some(issuer.into_owned()),
        starts: [number("iat", payload)?, time("validFrom")?],
        ends: [number("exp", payload)?, time("validUntil")?],
        bits: 1,
        encoded: text("credentialSubject.encodedList", subject.member("encodedList"))?,
    })
}

fn number(name: &'static str, payload: Value<'_>) -> Result<Option<Moment>, Refusal> {
    payload.member(name).map(|value| numeric_date(name, value)).transpose()
}

fn text<'d>(name: &str, value: Option<Value<'d>>) -> Result<std::borrow::Cow<'d, str>, Refusal> {
    value
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| wrong(format!("`{name}` is missing, or no text")))
}

fn wrong(message: impl Into<String>) -> Refusal {
    Refusal::new(Reason::SchemaInvalid, Step::Claims, message)
}
