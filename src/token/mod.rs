//! Tokens, read without being judged: compact JWS (RFC 7515) and SD-JWT (RFC 9901).
//!
//! [`Compact`] cuts a token into its parts, [`decode_text`] and [`parse_object`] read one part,
//! [`process`] puts disclosures where they belong. All of them are as strict as the standards let a
//! verifier be, because the verifier stands on them. Nothing that reads looks at a signature;
//! [`sign_compact`] makes one, and [`bind`] a holder's.

mod compact;
mod disclosures;
mod error;
mod key_binding;
mod limits;
mod present;
mod sign;

pub use compact::{Compact, decode, decode_text, parse_object, unverified_id};
pub use disclosures::{Disclosed, Processed, process};
pub use error::{DisclosureError, DisclosureProblem, Part, TokenError};
pub use key_binding::{BindError, bind, holder_key, sd_hash};
pub use limits::{MAX_DISCLOSURES, MAX_TOKEN_BYTES};
pub use present::{PresentError, present};
#[cfg(feature = "cli")]
pub(crate) use present::{chosen_where_there, names};
pub use sign::sign_compact;
