//! The status of a credential: what it claims, and who answers.
//!
//! A credential can name several lists: a Token Status List in `status`, and a Bitstring Status List for each
//! purpose in `credentialStatus`. Each entry is answered by the one list that it names, and by no other: not by
//! another form of the same list, and not by a list of the same name and another kind. That list must have been
//! given and be good: signature, key, `alg`, `typ`, issuer, name, purpose, dates, size, and an index inside it.
//! A list that was given and is not good is no better than none.
//!
//! The answers combine to one verdict, the first that applies:
//!
//! | the entries | verdict |
//! | --- | --- |
//! | a good list says "revoked" | `revoked` |
//! | a good list says "suspended" | `suspended` |
//! | an entry has no answer | `status_unknown` |
//! | every entry is answered "valid" | valid |
//!
//! So what one good list has taken back stays taken back, whatever happened to the others, and nothing is valid
//! before all of them say so. An entry of a type, purpose or size that is not known here has no answer. Entries for
//! the purposes `refresh` and `message` do not say whether the credential is valid, and are not looked up.

use std::borrow::Cow;

use thiserror::Error;

use super::claims::Claims;
use super::open::shown;
use super::verdict::{Reason, Refusal, Step};
use crate::clock::UnixTime;
use crate::json::{Kind, Value};
use crate::status_list::bitstring::StatusPurpose;

/// A place in a status list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusClaim<'c> {
    /// Who issued the credential, and so must have issued the list; none where nobody is known to.
    pub issuer: Option<&'c str>,
    /// Who issued the credential by its own word. A list that says that it is somebody else's does not count.
    pub claimed_issuer: &'c str,
    /// The list's name, byte for byte.
    pub uri: Cow<'c, str>,
    /// The place.
    pub index: u64,
    /// Which kind of list it is.
    pub kind: ListKind,
}

impl ListKind {
    /// The kind in words, with its article.
    pub(super) fn in_words(self) -> &'static str {
        match self {
            ListKind::Token => "a Token Status List",
            ListKind::Bitstring(StatusPurpose::Revocation) => "a Bitstring Status List for revocation",
            ListKind::Bitstring(StatusPurpose::Suspension) => "a Bitstring Status List for suspension",
        }
    }
}

/// The kinds of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// IETF Token Status List.
    Token,
    /// W3C Bitstring Status List of one purpose.
    Bitstring(StatusPurpose),
}

/// What a list says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatusValue {
    /// Neither revoked nor suspended, as far as this list can tell.
    Valid,
    /// Suspended.
    Suspended,
    /// Revoked.
    Revoked,
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
    /// A list of this name was given, but it belongs to another issuer.
    #[error("the list {uri} was not given; the one of that name belongs to {found}")]
    OfAnother {
        /// Its name.
        uri: String,
        /// Whose it is.
        found: String,
    },
    /// A list of this name was given, but it is of another form or for another purpose.
    #[error("the list {uri} is not {expected}")]
    OfAnotherKind {
        /// Its name.
        uri: String,
        /// What the credential says that it is.
        expected: &'static str,
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

    /// When the list was signed that answers for a place. What it says has been so since then at the latest; lists have
    /// no dates of single changes.
    fn signed_at(&mut self, _: &StatusClaim<'_>) -> Option<UnixTime> {
        None
    }
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

/// Looks the credential's status up in every list that it names: see the module's table.
pub(super) fn check(
    claims: &Claims<'_>,
    issuer: Option<&str>,
    source: &mut dyn StatusSource,
) -> Result<(), Refusal> {
    let claimed = claims.issuer.as_deref().or(issuer).unwrap_or_default();
    let issuer = CredentialIssuer { known: issuer, claimed };
    let token = claims.token_status.map(|status| of_token_list(status, issuer)).transpose()?;
    let entries = claims.bitstring_status.map(|entries| of_bitstrings(entries, issuer)).transpose()?;
    let mut worst = (StatusValue::Valid, None);
    let mut problem = None;
    for said in token.into_iter().chain(entries.unwrap_or_default()) {
        match said.answer(source) {
            Ok(answer) if answer.0 > worst.0 => worst = answer,
            Ok(_) => {}
            Err(found) => problem = problem.or(Some(found)),
        }
    }
    let taken_back = |reason, word: &str| {
        let when = worst.1.map(|time| format!(", on {} at the latest", &time.to_string()[..10]));
        Err(refuse(reason, format!("the issuer {word} this credential{}", when.unwrap_or_default())))
    };
    match (worst.0, problem) {
        (StatusValue::Revoked, _) => taken_back(Reason::Revoked, "revoked"),
        (StatusValue::Suspended, _) => taken_back(Reason::Suspended, "suspended"),
        (StatusValue::Valid, Some(problem)) => Err(refuse(Reason::StatusUnknown, problem)),
        (StatusValue::Valid, None) => Ok(()),
    }
}

/// Who issued the credential.
#[derive(Clone, Copy)]
struct CredentialIssuer<'c> {
    known: Option<&'c str>,
    claimed: &'c str,
}

impl<'c> CredentialIssuer<'c> {
    fn claim(self, uri: Cow<'c, str>, index: u64, kind: ListKind) -> StatusClaim<'c> {
        StatusClaim { issuer: self.known, claimed_issuer: self.claimed, uri, index, kind }
    }
}

/// Something that a credential says of its status.
enum StatusSaid<'c> {
    Place(StatusClaim<'c>),
    /// It is of a kind that nobody here can look up, which is no reason to take it for valid.
    Unanswerable(String),
}

impl StatusSaid<'_> {
    /// What the list says, and when it was signed that takes the credential back; or why nobody knows.
    fn answer(self, source: &mut dyn StatusSource) -> Result<(StatusValue, Option<UnixTime>), String> {
        match self {
            StatusSaid::Unanswerable(problem) => Err(problem),
            StatusSaid::Place(claim) => {
                let value = source.status(&claim).map_err(|problem| problem.to_string())?;
                let time = (value != StatusValue::Valid).then(|| source.signed_at(&claim));
                Ok((value, time.flatten()))
            }
        }
    }
}

/// `status.status_list` (Token Status List section 6.2). What else `status` holds says the same in other ways
/// and is skipped; with nothing else, nobody can look it up.
fn of_token_list<'c>(status: Value<'c>, issuer: CredentialIssuer<'c>) -> Result<StatusSaid<'c>, Refusal> {
    if status.kind() != Kind::Object {
        return Err(wrong("`status` is not an object"));
    }
    let Some(list) = status.member("status_list") else {
        return Ok(StatusSaid::Unanswerable(
            "its `status` has no `status_list`; nothing else is supported".to_owned(),
        ));
    };
    let index =
        list.member("idx").filter(|idx| idx.kind() == Kind::Number).and_then(|idx| decimal(idx.text()));
    let index = index.ok_or_else(|| wrong("`status.status_list.idx` is not a whole number"))?;
    let uri = list.member("uri").and_then(Value::as_str).filter(|uri| !uri.is_empty());
    let uri = uri.ok_or_else(|| wrong("`status.status_list.uri` is not text"))?;
    Ok(StatusSaid::Place(issuer.claim(uri, index, ListKind::Token)))
}

/// `credentialStatus` (Bitstring Status List section 2.1): one entry, or one for each purpose.
fn of_bitstrings<'c>(
    entries: Value<'c>,
    issuer: CredentialIssuer<'c>,
) -> Result<Vec<StatusSaid<'c>>, Refusal> {
    let single = (entries.kind() == Kind::Object).then_some(entries);
    let entries = single.into_iter().chain(entries.elements());
    entries.filter_map(|entry| of_entry(entry, issuer).transpose()).collect()
}

/// One entry; nothing where it says nothing about whether the credential holds.
fn of_entry<'c>(entry: Value<'c>, issuer: CredentialIssuer<'c>) -> Result<Option<StatusSaid<'c>>, Refusal> {
    let unanswerable = |problem: &str| Ok(Some(StatusSaid::Unanswerable(problem.to_owned())));
    let text = |name: &str| entry.member(name).and_then(Value::as_str);
    let entry_type = entry.member("type");
    let single = entry_type.filter(|name| name.kind() == Kind::String);
    let types: Vec<_> = single
        .into_iter()
        .chain(entry_type.into_iter().flat_map(Value::elements))
        .map(Value::as_str)
        .collect();
    let is_named = types.iter().any(|name| name.as_deref() == Some("BitstringStatusListEntry"));
    // VC Data Model 2.0 section 4.5: types are text.
    if !is_named || types.iter().any(Option::is_none) {
        let found = types.into_iter().flatten().next();
        let found = found.map_or("unsupported type".to_owned(), |name| {
            format!("type {}, which is not supported; expected \"BitstringStatusListEntry\"", shown(&name))
        });
        return unanswerable(&format!("`credentialStatus` has an entry of the {found}"));
    }
    let purpose = match text("statusPurpose").as_deref() {
        None => return Err(wrong("`credentialStatus.statusPurpose` is not text")),
        // Refreshing and messages say nothing about whether it holds.
        Some("refresh" | "message") => return Ok(None),
        Some(name) => match StatusPurpose::of_name(name) {
            Some(purpose) => purpose,
            None => return unanswerable("`credentialStatus` has an entry with an unsupported purpose"),
        },
    };
    if entry.member("statusSize").is_some_and(|size| size.text() != "1") {
        return unanswerable("`credentialStatus` has an entry of more than one bit, which is not supported");
    }
    let index = text("statusListIndex").and_then(|index| decimal(&index));
    let index = index.ok_or_else(|| wrong("`credentialStatus.statusListIndex` is not a string of digits"))?;
    let uri = text("statusListCredential").filter(|uri| !uri.is_empty());
    let uri = uri.ok_or_else(|| wrong("`credentialStatus.statusListCredential` is not text"))?;
    if entry.member("id").is_some_and(|id| id.as_str().is_none_or(|id| id == uri)) {
        // "MUST NOT be the URL for the status list" (section 2.1).
        return Err(wrong("`credentialStatus.id` is not text, or is the URL of the list"));
    }
    Ok(Some(StatusSaid::Place(issuer.claim(uri, index, ListKind::Bitstring(purpose)))))
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

fn refuse(reason: Reason, message: impl Into<String>) -> Refusal {
    Refusal::new(reason, Step::Status, message)
}
