//! The duplicate guard: notices that a file is issued a second time without an idempotency key.
//!
//! The first batch that a run issues, with a key or without, is its *opening*. A hash of what its items say is kept with the batch, and found
//! through an index of its own, of one entry a run. It is looked for in the transaction that would issue.

use std::fmt;

use sha2::{Digest, Sha256};

use super::batches::StoredBatch;
use super::issue::Entry;
use super::runs::FoundRun;
use super::store::{Store, Stored};
use super::{Ledger, corrupt, record, statuses};
use crate::clock::UnixTime;
use crate::credential::Status;

/// What becomes of a run that begins as one before did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// It goes on, with a warning.
    #[default]
    Warn,
    /// It ends before anything is issued.
    Refuse,
    /// It goes on.
    Allow,
}

/// A run that began with the same items, of whose first credentials at least one is active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The name of that run.
    pub run: String,
    /// When it issued them.
    pub issued_at: UnixTime,
    /// How many items were compared.
    pub items: u64,
}

impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Duplicate { run, issued_at, items } = self;
        let them = if *items == 1 { "this item was" } else { "these items were" };
        write!(f, "{them} issued before, on {issued_at} by the run {run}, and are still active")
    }
}

/// The hash of what these items say.
pub(super) fn of<'e, 'd: 'e>(entries: impl IntoIterator<Item = &'e Entry<'d>>) -> i64 {
    let mut hash = Sha256::new();
    for entry in entries {
        hash.update(entry.draft.content_hash.0);
        // To renew what was renewed before is no repetition; to renew the same credential twice is one.
        if let Some(former) = &entry.draft.former {
            hash.update(former.id);
        }
    }
    let digest = hash.finalize();
    i64::from_le_bytes(std::array::from_fn(|at| digest[at]))
}

/// The last run that began so and of which something is active at this time.
pub(super) fn find(store: &dyn Store, opening: i64, items: u64, now: UnixTime) -> Stored<Option<Duplicate>> {
    for row in store.batches_of_opening(opening)?.into_iter().rev() {
        let run_number = row.run;
        let batch = StoredBatch::read(row)?;
        let statuses_of_batch = statuses::of_batch(store, batch.number)?;
        let mut issued_at = None;
        for (place, record) in (0..).zip(record::unpack(&batch.records)) {
            let record = record.ok_or_else(corrupt)?;
            let is_active = !statuses_of_batch.get(&place).is_some_and(|now| now.status != Status::Active);
            if is_active && record.expires_at > now {
                issued_at = Some(record.issued_at);
                break;
            }
        }
        if let Some(issued_at) = issued_at {
            let run = FoundRun::read(store.run(run_number)?.ok_or_else(corrupt)?)?.name;
            return Ok(Some(Duplicate { run, issued_at, items }));
        }
    }
    Ok(None)
}

impl Ledger {
    /// What becomes of a run without an idempotency key that begins as one before did.
    pub fn guard_duplicates(&mut self, duplicates: Duplicates) {
        self.duplicates = duplicates;
    }

    /// The run that began as this one did, once: the caller warns of it.
    pub fn take_duplicate(&mut self) -> Option<Duplicate> {
        self.duplicate.take()
    }
}
