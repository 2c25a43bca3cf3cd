//! What a batch is on its way: read, checked, recorded.

use super::Proposed;
use super::row::Done;
use crate::clock::{Clock, Moment};
use crate::credential::Grant;
use crate::request::Checked;
use crate::source::{Chunk, InputError, Source};
use crate::stop::Stop;

/// A chunk and the time at which its items are issued. The reader sets it, in the order of the
/// input.
pub(super) struct Dated {
    pub(super) chunk: Chunk,
    pub(super) moment: Moment,
}

impl Dated {
    /// The next chunk of a source; none after the last one, and once `stop` is requested.
    pub(super) fn next(source: &mut Source, clock: Clock, stop: &Stop) -> Result<Option<Dated>, InputError> {
        if stop.is_requested() {
            return Ok(None);
        }
        match source.next_chunk() {
            Err(error) if error.is_stopped() => Ok(None),
            chunk => Ok(chunk?.map(|chunk| Dated { chunk, moment: clock.moment() })),
        }
    }
}

/// A chunk whose items were checked.
pub(super) struct CheckedBatch {
    pub(super) items: Vec<CheckedItem>,
    /// The pieces of all drafts.
    pub(super) text: Vec<u8>,
    /// The chunk itself, where failed items are wanted as they came in.
    pub(super) chunk: Option<Chunk>,
    pub(super) bytes_consumed: u64,
}

pub(super) struct CheckedItem {
    pub(super) index: u64,
    pub(super) line: Option<u64>,
    /// The hash of the correlation id, where there is one.
    pub(super) id_hash: Option<u64>,
    pub(super) checked: Checked,
}

impl<'b> Proposed<'b> {
    pub(super) fn of(item: &'b CheckedItem) -> Proposed<'b> {
        Proposed { index: item.index, id: item.checked.id, draft: item.checked.outcome.as_ref().ok() }
    }
}

/// A batch that is in the ledger: a decision for each draft that was not rejected, in order.
pub(super) struct RecordedBatch {
    pub(super) batch: CheckedBatch,
    pub(super) decisions: Vec<Decision>,
    /// Whether no batch before it has a row.
    pub(super) is_first: bool,
}

/// What the registrar says to a draft.
#[derive(Debug)]
pub enum Decision {
    /// It gets this.
    Issue(Grant, Option<Done>),
    /// It would be issued: a dry run.
    WouldIssue {
        /// Whether it was issued before.
        replay: bool,
    },
    /// This would be done for it.
    Planned(Done),
    /// Nothing, and nothing is said about it.
    Skip,
}
