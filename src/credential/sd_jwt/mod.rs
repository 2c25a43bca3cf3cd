//! `sd_jwt_vc`: SD-JWT (RFC 9901) with the claims of the SD-JWT VC draft.
//!
//! What can be disclosed one by one is said by the [`DisclosurePolicy`], which the type metadata document
//! repeats for verifiers. A claim that is hidden stands in the token as a digest; the disclosure
//! that explains it goes to the holder beside the token, who passes on what he chooses.

mod disclose;
mod metadata;
mod payload;
mod policy;

pub(super) use disclose::Hider;
pub(super) use payload::{header, write_payload};

pub use metadata::{MetadataError, TypeMetadata, type_metadata};
pub use policy::{DisclosurePolicy, DisclosureRule, MAX_DECOYS, PolicyError};
