//! Rows of earlier results among items.
//!
//! A row of a results file can be an item: what it holds is issued anew. [`Checker::read`] tells such rows from other
//! items, at no cost for these: a row is looked for only where there is neither a `request` nor a member of one. What
//! the row's credential says is for [`crate::batch`] to find out, which hands it back as an item
//! ([`Checker::check_renewed`]), to be held to the same rules as any other.

use uuid::Uuid;

use super::check::Checked;
use super::rejection::Rejection;
use crate::json::Value;

#[cfg(doc)]
use super::Checker;

/// An item, as far as it was read.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every item is of the large one, and a box for each would cost more"
)]
pub enum Reading {
    /// It was checked.
    Checked(Checked),
    /// It is a row of earlier results that shows a credential: an object without faults, of which nothing was written.
    Row,
}

/// The credential that is issued anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Former {
    /// Its id.
    pub id: Uuid,
    /// Whether its row says that it was suspended, which counts where no ledger knows better.
    pub was_suspended: bool,
}

/// How long a credential is valid.
#[derive(Debug, Clone, Copy)]
pub(super) enum Life {
    /// As its item says, else its type, else the run.
    OfItem,
    /// So many seconds, like the one that it renews.
    Seconds(i64),
}

/// The member of a row that holds a credential.
const CREDENTIAL: &str = "credential";

/// Whether an item that has no request shows a credential.
pub(super) fn is_row(item: Value<'_>) -> bool {
    item.member(CREDENTIAL).is_some()
}

/// What an item that has no request is instead, where it is something else that `beltic` writes.
pub(super) fn other_row(item: Value<'_>) -> Option<Rejection> {
    let has = |name| item.member(name).is_some();
    let what = if has("signed_payload") {
        "a credential without the row around it; to renew it, use its whole row from the results of `batch-issue`"
    } else if has(CREDENTIAL) {
        "a row of results with fields of an item beside `credential`; what is renewed says what its credential does"
    } else if has("subject") || has("claims") {
        return None; // an item, whatever else it has
    } else if has("valid") {
        "a verdict of `verify`, not an item"
    } else if has("dry_run") {
        "a result of a dry run, which issued nothing"
    } else if has("index") && has("error") {
        "the result of a failed item, which has no credential; fix the item and issue it"
    } else if has("action") || has("id") && has("status") {
        "a row about a credential, without the credential; to renew it, use its row from the results of `batch-issue`"
    } else {
        return None;
    };
    Some(Rejection::malformed(format!("found {what}")))
}
