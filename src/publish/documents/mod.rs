//! The static site that verifiers fetch, as bytes and paths: nothing here signs, stores or writes a file.
//!
//! | file | what it is | for |
//! | --- | --- | --- |
//! | `.well-known/jwks.json` | [`jwks`] | every issuer |
//! | `.well-known/did.json`, or `did.json` at the path of the did:web | [`did_document`] | issuers that are DIDs |
//! | `.well-known/jwt-vc-issuer`, then the issuer's path | [`jwt_vc_issuer`] | issuers that are https URLs |
//! | the path of `credential.context` | [`context`] | issuers that have one |
//! | the paths of the lists, or `status/token/UUID.jwt` and `status/bitstring/UUID.jwt` | [`crate::status_list`], signed by the caller | every list |
//! | `schemas/TYPE/vN` | [`super::credential_schema`] | issuers whose credentials cite one |
//! | `status/aggregation.json` under the base URL | [`aggregation`] | issuers with lists |
//! | `verify/index.html` under the base URL | [`page`] | people who receive credentials |
//! | `_headers`, `server/nginx.conf`, `server/Caddyfile` | [`serving`] | web servers |
//!
//! What goes in is public: an [`Issuer`](crate::issuer::Issuer), [`PublicKey`](crate::keys::PublicKey)s, URLs,
//! and tokens that were signed elsewhere. No function here takes a private key, a subject or a claim, so none can
//! publish one. [`SiteFiles`] collects what is to be written, and refuses two files in one place.

pub mod aggregation;
pub mod context;
pub mod did_document;
mod files;
pub mod jwks;
pub mod jwt_vc_issuer;
mod keys;
pub mod page;
mod paths;
pub mod serving;

use serde::Serialize;

pub use files::{DocumentKind, FileConflict, SiteDocument, SiteFiles};
pub use keys::{KeySet, KeySetError, KeyState};
pub use paths::{Hosts, PlaceError, SitePath};

/// A document as it is published: JSON for people to read as well, with a line end.
pub(super) fn json_text(document: &impl Serialize) -> Vec<u8> {
    let mut text =
        serde_json::to_vec_pretty(document).expect("texts, arrays and objects with text keys serialize");
    text.push(b'\n');
    text
}
