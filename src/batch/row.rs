//! Rows: what a run says about each item.

use uuid::Uuid;

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
    /// Whether no row of the run comes before it.
    pub is_first: bool,
    /// What was done, in a run that keeps a register up to date.
    pub done: Option<Done>,
    /// What became of it.
    pub outcome: Outcome<'r>,
}

/// What a run that keeps a register up to date does for an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// What.
    pub action: Action,
    /// The credential in whose place the new one is.
    pub former: Option<Uuid>,
}

/// See [`Done`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It gets a credential.
    Issued,
    /// It gets another credential, because it has changed, and the former one is revoked.
    Replaced,
    /// It gets another credential before the former one expires.
    Renewed,
    /// It has its credential.
    Unchanged,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 4] = [Action::Issued, Action::Replaced, Action::Renewed, Action::Unchanged];

    /// The word in results for a credential that is revoked because its item is gone.
    pub const REVOKED: &'static str = "revoked";

    /// The word in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Issued => "issued",
            Action::Replaced => "replaced",
            Action::Renewed => "renewed",
            Action::Unchanged => "unchanged",
        }
    }
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
    /// What is planned for it: nothing was done.
    Planned,
    /// It was not, and this is why.
    Rejected(&'r Rejection),
}

/// Writes rows in one of the output forms. The workers call it, so that the writer has only
/// bytes to move.
pub trait Render: Sync {
    /// Appends a row to `out`, and to `notes` what is to be said about it beside the output.
    fn row(&self, row: &Row<'_>, out: &mut Vec<u8>, notes: &mut Vec<String>);
}
