//! Rows: what a run says about each item.

use crate::credential::Resource;
use crate::request::Rejection;

/// What a run says about one item, in the item's place.
#[derive(Debug)]
pub struct Row<'r> {
    /// The item's index in the run, from 0.
    pub index: u64,
    /// The item's physical line in its file, from 1; none in JSON.
    pub line: Option<u64>,
    /// The item's `correlation_id` as a JSON string with its quotes, where it could be read.
    pub correlation_id: Option<&'r str>,
    /// What became of it.
    pub outcome: Outcome<'r>,
}

/// What became of an item.
#[derive(Debug)]
pub enum Outcome<'r> {
    /// It was issued, now or before under the same idempotency key.
    Issued(Resource<'r>),
    /// It would be issued: a dry run.
    WouldIssue {
        /// Whether it was issued before under the same idempotency key.
        replay: bool,
    },
    /// It was not, and this is why.
    Rejected(&'r Rejection),
}

/// Writes rows in one of the output forms. The workers call it, so that the writer has only
/// bytes to move.
pub trait Render: Sync {
    /// Appends a row to `out`, and to `notes` what is to be said about it beside the output.
    fn row(&self, row: &Row<'_>, out: &mut Vec<u8>, notes: &mut Vec<String>);
}
