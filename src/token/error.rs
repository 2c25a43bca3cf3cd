//! Why a text is not a token that can be read.

use std::fmt;

use thiserror::Error;

use super::limits::MAX_DISCLOSURES;
use crate::json::{self, FaultKind, SyntaxError};

/// A part of a token, as messages name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The protected header, the first part.
    Header,
    /// The payload, the second part.
    Payload,
    /// The signature, the third part.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Header => "the header",
            Part::Payload => "the payload",
            Part::Signature => "the signature",
        })
    }
}

/// Why a text is not a token that can be read. Claims are never quoted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TokenError {
    /// There is nothing.
    #[error("it is empty; expected a token")]
    Empty,
    /// Longer than any credential.
    #[error("it has {bytes} bytes; expected at most {max_bytes}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// The JSON serialization of RFC 7515 section 7.2, which is no JWT.
    #[error("it is JSON; expected a token in compact form")]
    Json,
    /// A character that stands in no token.
    #[error("character {character:?} at byte {at}; expected only A-Z, a-z, 0-9, '-', '_', '.' and '~'")]
    Character {
        /// The first such character.
        character: char,
        /// Where it stands, from 0.
        at: usize,
    },
    /// Not the three parts of a JWS.
    #[error("{found} parts between dots; expected three: header, payload, signature")]
    Parts {
        /// How many there are.
        found: usize,
    },
    /// After the last `~` stands neither nothing nor a key binding JWT.
    #[error(
        "the text after the last `~` is not a key binding JWT; every disclosure, including the last, must end with `~`"
    )]
    Unended,
    /// Nothing between two tildes.
    #[error("an empty disclosure, the {at}. of the token")]
    EmptyDisclosure {
        /// Which one, from 1.
        at: usize,
    },
    /// More disclosures than a credential has.
    #[error("{found} disclosures; expected at most {MAX_DISCLOSURES}")]
    TooManyDisclosures {
        /// How many there are.
        found: usize,
    },
    /// Not base64url without padding (RFC 7515 section 2), or with stray bits at the end.
    #[error("{part} is not base64url without padding")]
    Base64 {
        /// Where.
        part: Part,
    },
    /// Not UTF-8.
    #[error("{part} is not UTF-8 text")]
    Utf8 {
        /// Where.
        part: Part,
    },
    /// Not JSON.
    #[error("{part} is not JSON: {source}")]
    Syntax {
        /// Where.
        part: Part,
        /// What is wrong.
        source: SyntaxError,
    },
    /// JSON, and not an object.
    #[error("{part} is {found}; expected a JSON object")]
    NotAnObject {
        /// Where.
        part: Part,
        /// What it is.
        found: json::Kind,
    },
    /// JSON that two readers may read in two ways.
    #[error("{part} has a fault: {kind}")]
    Fault {
        /// Where.
        part: Part,
        /// The place, a JSON Pointer. It may name a person, so messages leave it out.
        pointer: String,
        /// What is wrong.
        kind: FaultKind,
    },
}

/// Why a token's disclosures are refused (RFC 9901 section 7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisclosureError {
    /// Which disclosure, counted from 1 in the order of the token; none where the payload itself
    /// is at fault.
    pub at: Option<usize>,
    /// What is wrong.
    pub problem: DisclosureProblem,
}

impl fmt::Display for DisclosureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "disclosure {at} {}", self.problem),
            None => write!(f, "the payload {}", self.problem),
        }
    }
}

impl std::error::Error for DisclosureError {}

/// What is wrong with a disclosure, or with the digests in a payload.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DisclosureProblem {
    /// Not base64url without padding.
    #[error("is not base64url without padding")]
    Base64,
    /// Not UTF-8.
    #[error("is not UTF-8 text")]
    Utf8,
    /// Not JSON.
    #[error("is not JSON: {0}")]
    Syntax(SyntaxError),
    /// JSON that two readers may read in two ways.
    #[error("has a fault: {0}")]
    Fault(FaultKind),
    /// Neither `[salt, name, value]` nor `[salt, value]`.
    #[error("is not an array of two or three elements")]
    NotAnArray,
    /// A salt that is no string.
    #[error("has a salt that is not a string")]
    Salt,
    /// A claim name that is no string.
    #[error("has a name that is not a string")]
    Name,
    /// A name with a meaning of its own in SD-JWT.
    #[error("has the name {0:?}, which is reserved")]
    ForbiddenName(String),
    /// The same disclosure, or one of the same digest, stands earlier in the token.
    #[error("appears twice in the token")]
    Repeated,
    /// `[salt, value]` where a member is due.
    #[error("has no name, but its digest is among those of an object's members")]
    ElementAsMember,
    /// `[salt, name, value]` where an element is due.
    #[error("has a name, but its digest is in an array")]
    MemberAsElement,
    /// The object has such a member already.
    #[error("has the name {0:?}, which already exists")]
    NameTaken(String),
    /// No digest refers to it.
    #[error("is not referred to by any digest")]
    Unreferenced,
    /// Another hash function than SHA-256.
    #[error("names a hash function in `_sd_alg` that is not \"sha-256\"")]
    UnknownHash,
    /// `_sd_alg` inside the payload.
    #[error("has `_sd_alg` elsewhere than at its top level")]
    MisplacedHash,
    /// `_sd` that is not an array of strings.
    #[error("has an `_sd` that is not an array of strings")]
    Digests,
    /// `...` that is not the one member, a string, of an array's element.
    #[error("has a `...` that is not the only member of an array's element, with a string")]
    Dots,
    /// A digest that stands in the payload or the disclosures twice.
    #[error("has the same digest twice")]
    RepeatedDigest,
    /// Disclosures inside disclosures, beyond the depth that any JSON may have here.
    #[error("is nested deeper than {} levels", json::MAX_DEPTH)]
    TooDeep,
    /// Names that add up to more than a credential has.
    #[error("has claim names too long to be listed")]
    LongNames,
}
