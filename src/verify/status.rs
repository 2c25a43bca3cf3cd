//! The status of a credential: what it claims, and who answers.

use std::borrow::Cow;

use thiserror::Error;

use super::claims::Claims;
use super::verdict::{Reason, Refusal, Step};
use crate::json::{Kind, Value};
use crate::status::bitstring::Purpose;

/// A place in a status list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusClaim<'c> {
    /// Who issued the credential, and so must have issued the list; none where nobody is known to.
    pub issuer: Option<&'c str>,
    /// The list's name, byte for byte.
    pub uri: Cow<'c, str>,
    /// The place.
    pub index: u64,
    /// Which kind of list it is.
    pub kind: ListKind,
}

/// The kinds of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// IETF Token Status List.
    Token,
    /// W3C Bitstring Status List of one purpose.
    Bitstring(Purpose),
}

/// What a list says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusValue {
    /// Nothing was taken back.
    Valid,
    /// Revoked.
    Revoked,
    /// Suspended.
    Suspended,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StatusProblem {
    /// No list of this name was given.
    #[error("the list {uri} was not given")]
    NotGiven {
        /// Its name.
        uri: String,
    },
    /// The list says nothing that could be relied on.
    #[error("the list {uri} cannot be relied on: {problem}")]
    Unusable {
        /// Its name.
        uri: String,
        /// Why.
        problem: String,
    },
}

/// Who says what the status of a credential is.
pub trait StatusSource {
    /// Looks a place up. Whatever keeps the answer from being certain is a problem, never "valid".
    fn status(&mut self, claim: &StatusClaim<'_>) -> Result<StatusValue, StatusProblem>;
}

/// No lists at all.
#[derive(Debug, Clone, Copy)]
pub struct NoLists;

impl StatusSource for NoLists {
    fn status(&mut self, claim: &StatusClaim<'_>) -> Result<StatusValue, StatusProblem> {
        Err(StatusProblem::NotGiven { uri: claim.uri.clone().into_owned() })
    }
}

/// Whether the credential has a status.
pub(super) fn has_status(claims: &Claims<'_>) -> bool {
    claims.token_status.is_some() || claims.bitstring_status.is_some()
}

/// Looks the credential's status up in every list that it names.
///
/// A Token Status List and Bitstring Status Lists say the same in two ways, and one of them is enough. But a
/// list that was given and cannot be relied on is not made good by another.
pub(super) fn check(
    claims: &Claims<'_>,
    issuer: Option<&str>,
    source: &mut dyn StatusSource,
) -> Result<(), Refusal> {
    let token = claims.token_status.map(|status| of_token_list(status, issuer)).transpose()?;
    let bitstring = claims.bitstring_status.map(|entries| of_bitstrings(entries, issuer)).transpose()?;
    let mut missing = None;
    let mut answered = false;
    for group in [token.unwrap_or_default(), bitstring.unwrap_or_default()] {
        let mut complete = !group.is_empty();
        for claim in &group {
            match source.status(claim) {
                Ok(StatusValue::Valid) => {}
                Ok(StatusValue::Revoked) => return Err(refuse(Reason::Revoked, "it was revoked")),
                Ok(StatusValue::Suspended) => return Err(refuse(Reason::Suspended, "it is suspended")),
                Err(problem @ StatusProblem::NotGiven { .. }) => {
                    complete = false;
                    missing = missing.or(Some(problem));
                }
                Err(problem) => return Err(unknown(problem.to_string())),
            }
        }
        answered |= complete;
    }
    match (answered, missing) {
        (true, _) => Ok(()),
        (false, Some(problem)) => Err(unknown(problem.to_string())),
        (false, None) => Err(unknown("its status is of no kind that is known here".to_owned())),
    }
}

/// `status.status_list` (Token Status List section 6.2). A `status` of other kinds has no place here.
fn of_token_list<'c>(status: Value<'c>, issuer: Option<&'c str>) -> Result<Vec<StatusClaim<'c>>, Refusal> {
    if status.kind() != Kind::Object {
        return Err(wrong("`status` is no object"));
    }
    let Some(list) = status.member("status_list") else { return Ok(Vec::new()) };
    let index =
        list.member("idx").filter(|idx| idx.kind() == Kind::Number).and_then(|idx| decimal(idx.text()));
    let index = index.ok_or_else(|| wrong("`status.status_list.idx` is no whole number from 0 on"))?;
    let uri = list.member("uri").and_then(Value::as_str).filter(|uri| !uri.is_empty());
    let uri = uri.ok_or_else(|| wrong("`status.status_list.uri` is no text"))?;
    Ok(vec![StatusClaim { issuer, uri, index, kind: ListKind::Token }])
}

/// `credentialStatus` (Bitstring Status List section 2.1): one entry, or one for each purpose.
fn of_bitstrings<'c>(entries: Value<'c>, issuer: Option<&'c str>) -> Result<Vec<StatusClaim<'c>>, Refusal> {
    let single = (entries.kind() == Kind::Object).then_some(entries);
    let mut claims = Vec::new();
    for entry in single.into_iter().chain(entries.elements()) {
        let text = |name: &str| entry.member(name).and_then(Value::as_str);
        let entry_type = entry.member("type").into_iter();
        let mut types = entry_type.clone().chain(entry_type.flat_map(Value::elements));
        if !types.any(|name| name.as_str().as_deref() == Some("BitstringStatusListEntry")) {
            continue;
        }
        let purpose = match text("statusPurpose").as_deref() {
            None => return Err(wrong("`credentialStatus.statusPurpose` is no text")),
            // Refreshing and messages say nothing about whether it holds.
            Some("refresh" | "message") => continue,
            Some(name) => Purpose::of_name(name).ok_or_else(|| {
                unknown("`credentialStatus` has a purpose that is not known here".to_owned())
            })?,
        };
        if entry.member("statusSize").is_some_and(|size| size.text() != "1") {
            return Err(unknown("`credentialStatus` has entries of more than one bit".to_owned()));
        }
        let index = text("statusListIndex").and_then(|index| decimal(&index));
        let index = index.ok_or_else(|| wrong("`credentialStatus.statusListIndex` is no text of digits"))?;
        let uri = text("statusListCredential").filter(|uri| !uri.is_empty());
        let uri = uri.ok_or_else(|| wrong("`credentialStatus.statusListCredential` is no text"))?;
        claims.push(StatusClaim { issuer, uri, index, kind: ListKind::Bitstring(purpose) });
    }
    Ok(claims)
}

/// A whole number in digits alone. One beyond 64 bits is none: it must not wrap round to a small one.
fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits && (text.len() == 1 || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

fn wrong(message: &str) -> Refusal {
    Refusal::new(Reason::SchemaInvalid, Step::Status, message)
}

fn unknown(message: String) -> Refusal {
    refuse(Reason::StatusUnknown, message)
}

fn refuse(reason: Reason, message: impl Into<String>) -> Refusal {
    Refusal::new(reason, Step::Status, message)
}
