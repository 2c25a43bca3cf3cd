//! Status lists that were given, checked and decoded once.
//!
//! What is known of a list is one of three things, and only the first answers for a credential:
//!
//! | state | a credential that names it |
//! | --- | --- |
//! | good: every check passed | gets the list's answer |
//! | signed by a key of the ring, and not good (expired, another issuer, damaged …) | has no known status |
//! | not signed by a key of the ring, or unreadable | has no known status, unless a good list of that name was given, too |
//!
//! A signed list that is not good takes the place of an older good one: its issuer has said something newer, and
//! nobody here knows what. A file that anybody could have made takes nobody's place; the name in it is kept for
//! messages alone.

mod claims;

use std::collections::HashMap;

pub use self::claims::MAX_LIST_TOKEN_BYTES;
use self::claims::{
    ListClaims, ListName, accept, name_of_unsigned, of_bitstring, of_token_list, unsound, wrong,
};
use super::check_period;
use super::header::Typ;
use super::open::{Opener, at, split};
use super::owner::check_issuer;
use super::policy::Policy;
use super::ring::KeyRing;
use super::status::{ListKind, StatusClaim, StatusProblem, StatusSource, StatusValue};
use super::verdict::{Reason, Refusal, Step};
use crate::clock::UnixTime;
use crate::issuer::certified::is_named;
use crate::json::Parser;
use crate::keys::{CertificateNames, Implementation};
use crate::status_list::bitstring::{self, Bitstring, StatusPurpose};
use crate::status_list::{StatusArray, StatusType, token_list};
use crate::token::{Part, decode_text, parse_object};

/// What is wrong with two lists of one name and one time.
const SIGNED_AT_ONCE: &str = "another list of this name was signed in the same second, with other entries";
/// The most bytes of one list when decompressed.
const MAX_LIST_BYTES: usize = 16 * 1024 * 1024;
/// The most bytes of all lists when decompressed.
const MAX_ALL_BYTES: usize = 256 * 1024 * 1024;

/// Why a list cannot be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListProblem {
    /// The name that the list gives itself, where it could be read. Nobody vouches for it: the signature may be the
    /// problem.
    pub uri: Option<String>,
    /// What is wrong with it.
    pub problem: Refusal,
}

/// Status lists. Workers share them.
#[derive(Debug, Default)]
pub struct Lists {
    /// By name and kind, one of each issuer: nobody's list takes the place of another's.
    lists: HashMap<String, HashMap<ListKind, Vec<KnownList>>>,
    /// The names that lists without a good signature give themselves, and what is wrong with the first of each.
    unsigned: HashMap<String, String>,
    bytes: usize,
}

/// The list of one name and one issuer that was signed last.
#[derive(Debug)]
struct KnownList {
    /// Whose key signed it; none where nobody said.
    issuer: Option<String>,
    /// The names of the certificate of that key, if it came with one.
    certificate: Option<CertificateNames>,
    /// Who issued it by its own word, if it says so.
    claimed: Option<String>,
    issued_at: i64,
    /// Its entries, or why it cannot be relied on.
    entries: Result<Entries, String>,
}

impl KnownList {
    fn bytes(&self) -> usize {
        self.entries.as_ref().map_or(0, Entries::bytes)
    }

    /// Whether it is known to be a list of this issuer. A list that does not say whose it is, is one of everybody whom its
    /// certificate names.
    fn is_of(&self, issuer: &str) -> bool {
        let names = |names: &CertificateNames| self.claimed.is_none() && is_named(issuer, names);
        self.issuer.as_deref() == Some(issuer) || self.certificate.as_ref().is_some_and(names)
    }

    /// Whether both are lists of one issuer, as far as anybody knows.
    fn is_of_same_issuer(&self, other: &KnownList) -> bool {
        self.issuer == other.issuer && (self.issuer.is_some() || self.claimed == other.claimed)
    }

    /// Whether it may be a list of this issuer, of whom nobody knows whether he issued the credential.
    fn may_be_of(&self, claimed_issuer: &str) -> bool {
        self.issuer.as_ref().or(self.claimed.as_ref()).is_none_or(|owner| owner == claimed_issuer)
    }
}

#[derive(Debug, Clone, PartialEq)]
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
    /// keeps it. Of two lists of one name and one issuer the one that was signed last counts.
    ///
    /// # Errors
    /// Where the list cannot be relied on. Credentials that name it will then have no known status, unless a
    /// later one of that name can be relied on.
    pub fn add(&mut self, token: &str, ring: &KeyRing, policy: &Policy) -> Result<(), Box<ListProblem>> {
        let mut name = None;
        let read = self.read(token, ring, policy, &mut name);
        let uri = match &name {
            Some(name) => Some(name.uri.clone()),
            None => name_of_unsigned(token),
        };
        match (name, read) {
            (Some(name), Ok(entries)) => {
                self.keep(name, Ok(entries));
                Ok(())
            }
            (name, Err(problem)) => {
                if let Some(mut name) = name {
                    if problem.reason == Reason::NotYetValid {
                        // It will count one day; until then whatever else is there does.
                        name.issued_at = i64::MIN;
                    }
                    self.keep(name, Err(problem.to_string()));
                } else if let Some(uri) = &uri {
                    self.unsigned.entry(uri.clone()).or_insert_with(|| problem.to_string());
                }
                Err(Box::new(ListProblem { uri, problem }))
            }
            (None, Ok(_)) => Ok(()),
        }
    }

    /// How many lists can be relied on.
    pub fn usable(&self) -> usize {
        self.lists.values().flat_map(HashMap::values).flatten().filter(|known| known.entries.is_ok()).count()
    }

    /// Keeps the list under each of its purposes. Of two that were signed in the same second, one that cannot
    /// be relied on counts, and of two that differ neither: nobody knows which of them is the last word.
    fn keep(&mut self, name: ListName, entries: Result<Entries, String>) {
        let ListName { kinds, uri, issuer, certificate, claimed, issued_at } = name;
        let of_that_name = self.lists.entry(uri).or_default();
        for kind in kinds {
            let (issuer, certificate, claimed) = (issuer.clone(), certificate.clone(), claimed.clone());
            let new = KnownList { issuer, certificate, claimed, issued_at, entries: entries.clone() };
            let all = of_that_name.entry(kind).or_default();
            let place = all.iter_mut().find(|known| known.is_of_same_issuer(&new));
            match place {
                Some(known)
                    if known.issued_at == issued_at && known.entries.is_ok() && new.entries.is_ok() =>
                {
                    if known.entries != new.entries {
                        self.bytes -= known.bytes();
                        known.entries = Err(SIGNED_AT_ONCE.to_owned());
                    }
                }
                Some(known)
                    if (known.issued_at, known.entries.is_err()) >= (issued_at, new.entries.is_err()) => {}
                Some(known) => {
                    self.bytes = self.bytes - known.bytes() + new.bytes();
                    *known = new;
                }
                None => {
                    self.bytes += new.bytes();
                    all.push(new);
                }
            }
        }
    }

    fn read(
        &self,
        token: &str,
        ring: &KeyRing,
        policy: &Policy,
        name: &mut Option<ListName>,
    ) -> Result<Entries, Refusal> {
        let compact = split(token, MAX_LIST_TOKEN_BYTES)?;
        let mut opener = Opener::new(ring, Implementation::default());
        let opened = opener.header(&compact, policy, |typ| accept(typ, &compact))?;
        let signature = opener.signature(&compact)?;
        opener.check(&compact, &opened, &signature)?;
        let (mut buffer, mut parser) = (Vec::new(), Parser::default());
        let text = decode_text(compact.payload, Part::Payload, &mut buffer).map_err(at(Step::Payload))?;
        let document = parse_object(text, Part::Payload, &mut parser).map_err(at(Step::Payload))?;
        let owner = opener.owner(&opened);
        let issuer = owner.name(None).map(str::to_owned).or_else(|| policy.issuer.clone());
        let certificate = owner.certificate().cloned();
        let claims = match opened.typ {
            Typ::StatusList => of_token_list(document.root()),
            _ => of_bitstring(document.root()),
        };
        let claims = claims.inspect_err(|_| {
            let issuer = (issuer.clone(), certificate.clone());
            *name = unsound(document.root(), &opened.typ, issuer);
        })?;
        *name = Some(ListName {
            kinds: claims.kinds.clone(),
            uri: claims.uri.clone(),
            issuer: owner.name(claims.issuer.as_deref()).map(str::to_owned).or(issuer),
            certificate,
            claimed: claims.issuer.clone(),
            issued_at: claims.issued_at().unwrap_or(i64::MIN),
        });
        if claims.issuer.is_some() || owner.certificate().is_some() {
            check_issuer(claims.issuer.as_deref(), owner, policy)?;
        }
        let ends = [claims.end()?];
        check_period(
            claims.starts.iter().flatten(),
            claims.ends.iter().flatten().chain(&ends),
            policy,
            policy.now,
        )
        .map_err(|(reason, message)| Refusal::new(reason, Step::Times, message))?;
        self.decode(&claims)
    }

    /// Decompresses a list, in what is left of the memory for all of them.
    fn decode(&self, claims: &ListClaims<'_>) -> Result<Entries, Refusal> {
        let limit = MAX_LIST_BYTES.min(MAX_ALL_BYTES - self.bytes.min(MAX_ALL_BYTES));
        let decoded = match claims.kinds[..] {
            [ListKind::Token] => token_list::decode(claims.bits, &claims.encoded, limit).map(Entries::Token),
            _ => bitstring::decode(&claims.encoded, limit).map(Entries::Bitstring),
        };
        decoded.map_err(|error| wrong(error.to_string()))
    }

    /// The answer of the issuer's own list, and when that was signed. Where nobody knows whose credential it is, every list
    /// of that name that may be its issuer's is asked, and the worst answer counts.
    fn look_up(&self, claim: &StatusClaim<'_>) -> Result<(StatusValue, i64), StatusProblem> {
        let of_that_name = self.lists.get(&*claim.uri);
        let all = of_that_name.and_then(|kinds| kinds.get(&claim.kind)).map_or(&[][..], Vec::as_slice);
        let found = match claim.issuer {
            Some(issuer) => {
                let own = all.iter().find(|known| known.is_of(issuer));
                own.map(|known| known.look_up(claim))
            }
            None => {
                let possible = all.iter().filter(|known| known.may_be_of(claim.claimed_issuer));
                possible.map(|known| known.look_up(claim)).max_by_key(severity)
            }
        };
        found.unwrap_or_else(|| Err(self.why_not(claim, all)))
    }

    /// Why there is no list for this claim among those of its name and kind.
    fn why_not(&self, claim: &StatusClaim<'_>, all: &[KnownList]) -> StatusProblem {
        let uri = claim.uri.clone().into_owned();
        let owner = all.iter().find_map(|known| known.issuer.clone().or(known.claimed.clone()));
        if let Some(found) = owner.filter(|owner| owner != claim.claimed_issuer) {
            return StatusProblem::OfAnother { uri, found };
        }
        if !all.is_empty() {
            return StatusProblem::Unusable { uri, problem: "nobody said whose list it is".to_owned() };
        }
        if let Some(problem) = self.unsigned.get(&uri) {
            return StatusProblem::Unusable { uri, problem: problem.clone() };
        }
        match self.lists.contains_key(&uri) {
            true => StatusProblem::OfAnotherKind { uri, expected: claim.kind.in_words() },
            false => StatusProblem::NotGiven { uri },
        }
    }
}

/// How bad an answer is for the credential.
fn severity(answer: &Result<(StatusValue, i64), StatusProblem>) -> u8 {
    match answer {
        Ok((StatusValue::Valid, _)) => 0,
        Err(_) => 1,
        Ok((StatusValue::Suspended, _)) => 2,
        Ok((StatusValue::Revoked, _)) => 3,
    }
}

impl KnownList {
    fn look_up(&self, claim: &StatusClaim<'_>) -> Result<(StatusValue, i64), StatusProblem> {
        let unusable =
            |problem: String| StatusProblem::Unusable { uri: claim.uri.clone().into_owned(), problem };
        let out_of_range = || unusable(format!("index {} is outside the list", claim.index));
        let value = match self.entries.as_ref().map_err(|problem| unusable(problem.clone()))? {
            Entries::Token(array) => match array.get(claim.index).map(StatusType::of_value) {
                None => return Err(out_of_range()),
                Some(None) => return Err(unusable("its value is reserved".to_owned())),
                Some(Some(StatusType::Valid)) => StatusValue::Valid,
                Some(Some(StatusType::Invalid)) => StatusValue::Revoked,
                Some(Some(StatusType::Suspended)) => StatusValue::Suspended,
            },
            Entries::Bitstring(list) => {
                let suspends = claim.kind == ListKind::Bitstring(StatusPurpose::Suspension);
                match list.get(claim.index).ok_or_else(out_of_range)? {
                    false => StatusValue::Valid,
                    true if suspends => StatusValue::Suspended,
                    true => StatusValue::Revoked,
                }
            }
        };
        Ok((value, self.issued_at))
    }
}

impl StatusSource for &Lists {
    fn status(&mut self, claim: &StatusClaim<'_>) -> Result<StatusValue, StatusProblem> {
        self.look_up(claim).map(|(value, _)| value)
    }

    fn signed_at(&mut self, claim: &StatusClaim<'_>) -> Option<UnixTime> {
        self.look_up(claim).ok().and_then(|(_, signed_at)| UnixTime::from_seconds(signed_at))
    }
}
