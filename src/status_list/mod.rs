//! StatusType lists: one state of a list, in the two forms in which verifiers fetch it.
//!
//! | | [`token_list`]: IETF Token Status List | [`bitstring`]: W3C Bitstring Status List 1.0 |
//! | --- | --- | --- |
//! | an entry | a value of 1, 2, 4 or 8 bits | one bit, and a list for each purpose |
//! | first entry of a byte | the lowest bits | the highest bit |
//! | compression | zlib | gzip |
//! | text | base64url | `u` and base64url |
//! | at least | nothing | 131,072 entries |
//! | `ttl` | seconds | milliseconds |
//! | signed as | `statuslist+jwt` | `vc+jwt` |
//!
//! Nothing here signs or stores. Encoding is a function of the list alone, so a list that did not
//! change gives the same bytes. Decoding takes text from strangers: the caller says how large a
//! list may become, and memory stays within about twice that, whatever the text claims.

mod array;
pub mod bitstring;
mod inflate;
pub mod token_list;

use crate::clock::UnixTime;

pub use array::{EntryError, StatusArray, Width};

/// What a list says of a credential (Token Status List section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusType {
    /// Nothing was taken back.
    Valid = 0,
    /// Revoked, which is final.
    Invalid = 1,
    /// Suspended, until it is reinstated or revoked.
    Suspended = 2,
}

impl StatusType {
    /// The value of an entry.
    pub fn value(self) -> u8 {
        self as u8
    }

    /// What an entry's value says.
    ///
    /// `None` for the values that are reserved or left to applications. We never write one, and
    /// whoever meets one cannot know what it means: the status is then unknown, which is not
    /// "valid".
    pub fn of_value(value: u8) -> Option<StatusType> {
        match value {
            0 => Some(StatusType::Valid),
            1 => Some(StatusType::Invalid),
            2 => Some(StatusType::Suspended),
            _ => None,
        }
    }
}

/// From when to when a signed list holds, and how long a verifier may keep it before it asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// When the list was signed.
    pub issued_at: UnixTime,
    /// When it lapses.
    pub expires_at: UnixTime,
    /// How long it may be kept; 0 for no statement, as both forms want a positive number.
    pub ttl_seconds: u32,
}

/// Why a published list cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// An entry width that the Token Status List does not have.
    #[error("a status list with {found} bits an entry; expected 1, 2, 4 or 8")]
    Bits {
        /// The width as given.
        found: u64,
    },
    /// The first character does not say that base64url follows.
    #[error("the list does not begin with \"u\", the multibase prefix of base64url")]
    Multibase,
    /// Padding, white space, or a character of another alphabet.
    #[error("the list is not base64url without padding")]
    Base64,
    /// Another compression, or none.
    #[error("the list is not compressed as {expected}")]
    Framing {
        /// The one compression that this form of list has.
        expected: &'static str,
    },
    /// It ends too early, or its checksum does not fit.
    #[error("the compressed list is damaged")]
    Damaged,
    /// Something follows the compressed list, where another reader may find another list.
    #[error("more bytes follow the compressed list")]
    TrailingData,
    /// It would grow beyond the caller's limit.
    #[error("the list is larger than {max_bytes} bytes when decompressed")]
    TooLarge {
        /// The limit.
        max_bytes: usize,
    },
    /// Fewer entries than the Bitstring Status List demands.
    #[error("the list has {entries} entries; expected at least {}", bitstring::MIN_ENTRIES)]
    TooShort {
        /// How many there are.
        entries: u64,
    },
}

/// The text of base64url without padding (RFC 7515 section 2), strictly.
fn base64url(text: &str) -> Result<Vec<u8>, DecodeError> {
    base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).map_err(|_| DecodeError::Base64)
}
