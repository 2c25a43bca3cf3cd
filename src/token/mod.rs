//! Tokens, read without being judged: compact JWS (RFC 7515) and SD-JWT (RFC 9901).
//!
//! [`Compact`] cuts a token into its parts, [`decode_text`] and [`parse_object`] read one part,
//! [`process`] puts disclosures where they belong. All of them are as strict as the standards let a
//! verifier be, because the verifier stands on them. Nothing here looks at a signature.

mod compact;
mod disclosures;
mod error;
mod present;

pub use compact::{Compact, MAX_TOKEN_BYTES, decode, decode_text, parse_object, unverified_id};
pub use disclosures::{Disclosed, MAX_DISCLOSURES, Processed, process};
pub use error::{DisclosureError, DisclosureProblem, Part, TokenError};
pub use present::{PresentError, present};
