//! Requests: what an item asks for, and whether it may have it.
//!
//! [`crate::types`] says what an item looks like, once. [`Checker`] reads an item against that and gives
//! either a [`Draft`], which can be signed without a further question, or a [`Rejection`] with
//! every violation in it. [`schema`] prints the same tables as JSON Schema.

mod beyond_tables;
mod check;
mod content;
mod draft;
mod findings;
mod issued;
mod rejection;
mod relations;
mod renewal;
pub mod rules;
pub mod schema;
mod warning;
mod words;

pub use check::{Checked, Checker, Rules};
pub use content::{ContentHash, IdRule, Identity, ItemId, ItemKey};
pub use draft::{Draft, DraftText, Lookup, LookupHash, Piece};
pub use issued::issued_problem;
#[cfg(feature = "cli")]
pub(crate) use rejection::place;
pub use rejection::{Detail, DetailCode, ErrorCode, FeedingColumn, Rejection};
pub use renewal::{Former, Reading};
pub use warning::{Doubt, Warning};

/// The most items that are taken together, from the file to the ledger: as many as the hosted API takes in one call.
/// The ledger's replays rely on it: they look for a batch's records no further back than this.
pub const BATCH_ITEMS: u64 = 1_000;
