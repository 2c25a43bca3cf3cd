//! What leaves the process: a batch's rows, and what is to be said beside them.

use uuid::Uuid;

use super::failed::FailedItems;
use super::row::{Action, Done, Outcome};
use crate::credential::Grant;
use crate::request::{Rejection, Warning};

/// An item that failed, for those who sum up.
#[derive(Debug)]
pub struct FailedItem {
    /// Its index in the run.
    pub index: u64,
    /// Its line, where its file has lines.
    pub line: Option<u64>,
    /// Its `correlation_id`, where it could be read.
    pub correlation_id: Option<String>,
    /// Why.
    pub rejection: Rejection,
}

/// A credential by itself, for those who keep each in a place of its own.
#[derive(Debug)]
pub struct IssuedToken {
    /// The item's index in the run.
    pub index: u64,
    /// The credential's id.
    pub id: Uuid,
    /// The item's `correlation_id`.
    pub correlation_id: Option<String>,
    /// The id of its subject.
    pub subject_id: Option<String>,
    /// The signed credential, with its disclosures.
    pub token: Vec<u8>,
}

/// A batch whose results can leave the process.
#[derive(Debug, Default)]
pub struct Delivery {
    /// The rows, rendered.
    pub bytes: Vec<u8>,
    /// Each item's index, and where its row ends in the bytes.
    pub row_ends: Vec<(u64, usize)>,
    /// The failed items as they came in, where they are wanted.
    pub failed: Option<FailedItems>,
    /// The failed items and why, in their order.
    pub failures: Vec<FailedItem>,
    /// The credentials one by one, where they are wanted.
    pub tokens: Vec<IssuedToken>,
    /// What is to be said beside the output: rejected items, where the form has no place for them.
    pub notes: Vec<String>,
    /// Warnings, with the item and the line that each is about.
    pub warnings: Vec<(u64, Option<u64>, Warning)>,
    /// How many items each action was done for, in the order of [`Action::ALL`].
    pub done: [u64; Action::ALL.len()],
    /// How many items were issued, now or before.
    pub issued: u64,
    /// How many of them were issued before.
    pub replayed: u64,
    /// How many items were rejected.
    pub rejected: u64,
    /// The status lists that the issued ones stand in.
    pub status_lists: Vec<String>,
    /// How far into the stored input the batch reaches, in bytes.
    pub bytes_consumed: u64,
}

impl Delivery {
    pub(super) fn count(&mut self, outcome: &Outcome<'_>, done: Option<Done>) {
        if let Some(done) = done {
            self.done[done.action as usize] += 1;
        }
        let (issued, replayed) = match outcome {
            Outcome::Rejected(_) => (0, 0),
            Outcome::Planned => (1, 0),
            Outcome::Issued(resource) => (1, u64::from(resource.grant.replayed)),
            Outcome::WouldIssue { replay } => (1, u64::from(*replay)),
        };
        self.issued += issued;
        self.replayed += replayed;
        self.rejected += 1 - issued;
    }

    /// Notes the list that a credential stands in.
    pub(super) fn note_list(&mut self, grant: &Grant) {
        if let Some((uris, _)) = &grant.status
            && self.status_lists.last() != Some(&uris.token)
        {
            self.status_lists.push(uris.token.clone());
        }
    }
}
