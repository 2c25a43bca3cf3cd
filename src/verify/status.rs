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
    Valid {
        /// Whether a suspension would show in this list.
        shows_suspension: bool,
    },
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
    /// A list of this name was given, by somebody else.
    #[error("the list {uri} was not given; one of that name is of {found}")]
    OfAnother {
        /// Its name.
        uri: String,
        /// Whose it is.
        found: String,
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

/// Looks the credential's status up in every list that it names, and wants an answer to everything that it
/// says of its status.
///
/// A revocation that one list shows counts, whatever is wrong with the others. Where a list was not given, it
/// may be another form of one that was ([`LookedUp::stands_in_for`]); one form is enough. A list that was given and
/// cannot be relied on is not made good by another.
pub(super) fn check(
    claims: &Claims<'_>,
    issuer: Option<&str>,
    source: &mut dyn StatusSource,
) -> Result<(), Refusal> {
    let token = claims.token_status.map(|status| of_token_list(status, issuer)).transpose()?;
    let entries = claims.bitstring_status.map(|entries| of_bitstrings(entries, issuer)).transpose()?;
    let said = token.into_iter().chain(entries.unwrap_or_default());
    let looked_up: Vec<LookedUp<'_>> = said.map(|said| LookedUp::of(said, source)).collect();
    for (value, reason, message) in [
        (StatusValue::Revoked, Reason::Revoked, "it was revoked"),
        (StatusValue::Suspended, Reason::Suspended, "it is suspended"),
    ] {
        if looked_up.iter().any(|found| found.answer == Ok(value)) {
            return Err(refuse(reason, message));
        }
    }
    match looked_up.iter().find_map(|found| found.problem(&looked_up)) {
        Some(problem) => Err(unknown(problem)),
        None => Ok(()),
    }
}

/// Something that a credential says of its status.
enum Said<'c> {
    Place(StatusClaim<'c>),
    /// It is of a kind that nobody here can look up, which is no reason to take it for valid.
    Unanswerable(String),
}

/// A place and the answer.
struct LookedUp<'c> {
    claim: Option<StatusClaim<'c>>,
    answer: Result<StatusValue, NoAnswer>,
}

/// Why there is no answer, and whether another form of the list may give it.
#[derive(Debug, PartialEq, Eq)]
struct NoAnswer {
    problem: String,
    not_given: bool,
}

impl<'c> LookedUp<'c> {
    fn of(said: Said<'c>, source: &mut dyn StatusSource) -> LookedUp<'c> {
        match said {
            Said::Unanswerable(problem) => {
                LookedUp { claim: None, answer: Err(NoAnswer { problem, not_given: false }) }
            }
            Said::Place(claim) => {
                let answer = source.status(&claim).map_err(|problem| NoAnswer {
                    problem: problem.to_string(),
                    not_given: !matches!(problem, StatusProblem::Unusable { .. }),
                });
                LookedUp { claim: Some(claim), answer }
            }
        }
    }

    /// Why nobody knows what is to be found here, if nobody does.
    fn problem(&self, all: &[LookedUp<'_>]) -> Option<String> {
        let no_answer = self.answer.as_ref().err()?;
        let stands_in =
            |claim| no_answer.not_given && all.iter().any(|other| other.stands_in_for(claim, all));
        match self.claim.as_ref().is_some_and(stands_in) {
            true => None,
            false => Some(no_answer.problem.clone()),
        }
    }

    /// Whether the answer found here says what the list that was not given would: they are two forms of one
    /// list. That can only be so where the credential has the same place in both, and no second list of the
    /// Bitstring list's purpose.
    ///
    /// A token list stands in for a list of suspensions only where it can say "suspended", which one bit cannot.
    /// A Bitstring list stands in for the token list only where it is one of revocations. It need not be joined
    /// by one of suspensions: credentials that were issued before their list knew suspensions name none. That
    /// such a credential was suspended later shows in the token list alone.
    fn stands_in_for(&self, missing: &StatusClaim<'_>, all: &[LookedUp<'_>]) -> bool {
        let (Some(claim), Ok(StatusValue::Valid { shows_suspension })) = (&self.claim, &self.answer) else {
            return false;
        };
        let bitstring = match (claim.kind, missing.kind) {
            (ListKind::Token, purpose @ ListKind::Bitstring(Purpose::Revocation)) => purpose,
            (ListKind::Token, purpose @ ListKind::Bitstring(Purpose::Suspension)) if *shows_suspension => {
                purpose
            }
            (purpose @ ListKind::Bitstring(Purpose::Revocation), ListKind::Token) => purpose,
            _ => return false,
        };
        let kinds = all.iter().filter_map(|found| found.claim.as_ref().map(|claim| claim.kind));
        claim.index == missing.index && kinds.filter(|kind| *kind == bitstring).count() == 1
    }
}

/// `status.status_list` (Token Status List section 6.2). What else `status` holds says the same in other ways
/// and is passed over; with nothing else, nobody can look it up.
fn of_token_list<'c>(status: Value<'c>, issuer: Option<&'c str>) -> Result<Said<'c>, Refusal> {
    if status.kind() != Kind::Object {
        return Err(wrong("`status` is no object"));
    }
    let Some(list) = status.member("status_list") else {
        return Ok(Said::Unanswerable("its status is of no kind that is known here".to_owned()));
    };
    let index =
        list.member("idx").filter(|idx| idx.kind() == Kind::Number).and_then(|idx| decimal(idx.text()));
    let index = index.ok_or_else(|| wrong("`status.status_list.idx` is no whole number from 0 on"))?;
    let uri = list.member("uri").and_then(Value::as_str).filter(|uri| !uri.is_empty());
    let uri = uri.ok_or_else(|| wrong("`status.status_list.uri` is no text"))?;
    Ok(Said::Place(StatusClaim { issuer, uri, index, kind: ListKind::Token }))
}

/// `credentialStatus` (Bitstring Status List section 2.1): one entry, or one for each purpose.
fn of_bitstrings<'c>(entries: Value<'c>, issuer: Option<&'c str>) -> Result<Vec<Said<'c>>, Refusal> {
    let single = (entries.kind() == Kind::Object).then_some(entries);
    let entries = single.into_iter().chain(entries.elements());
    entries.filter_map(|entry| of_entry(entry, issuer).transpose()).collect()
}

/// One entry; nothing where it says nothing about whether the credential holds.
fn of_entry<'c>(entry: Value<'c>, issuer: Option<&'c str>) -> Result<Option<Said<'c>>, Refusal> {
    let unanswerable = |problem: &str| Ok(Some(Said::Unanswerable(problem.to_owned())));
    let text = |name: &str| entry.member(name).and_then(Value::as_str);
    let entry_type = entry.member("type").into_iter();
    let mut types = entry_type.clone().chain(entry_type.flat_map(Value::elements));
    if !types.any(|name| name.as_str().as_deref() == Some("BitstringStatusListEntry")) {
        return unanswerable("`credentialStatus` has an entry of a type that is not known here");
    }
    let purpose = match text("statusPurpose").as_deref() {
        None => return Err(wrong("`credentialStatus.statusPurpose` is no text")),
        // Refreshing and messages say nothing about whether it holds.
        Some("refresh" | "message") => return Ok(None),
        Some(name) => match Purpose::of_name(name) {
            Some(purpose) => purpose,
            None => return unanswerable("`credentialStatus` has a purpose that is not known here"),
        },
    };
    if entry.member("statusSize").is_some_and(|size| size.text() != "1") {
        return unanswerable("`credentialStatus` has entries of more than one bit");
    }
    let index = text("statusListIndex").and_then(|index| decimal(&index));
    let index = index.ok_or_else(|| wrong("`credentialStatus.statusListIndex` is no text of digits"))?;
    let uri = text("statusListCredential").filter(|uri| !uri.is_empty());
    let uri = uri.ok_or_else(|| wrong("`credentialStatus.statusListCredential` is no text"))?;
    if entry.member("id").is_some_and(|id| id.as_str().is_none_or(|id| id == uri)) {
        // "MUST NOT be the URL for the status list" (section 2.1).
        return Err(wrong("`credentialStatus.id` is no text, or the URL of the list"));
    }
    Ok(Some(Said::Place(StatusClaim { issuer, uri, index, kind: ListKind::Bitstring(purpose) })))
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
