//! What a transaction has read and written under the ledger's lock, so that it is not read again: nobody else can
//! change it meanwhile.

use std::collections::HashMap;

use crate::ledger::rows::{BatchRow, EventRow, LedgerRow, ListRow, RunRow, SealRow};

/// The greatest numbers of rows that there are; 0 where there are none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LastNumbers {
    pub(super) run: i64,
    pub(super) scope: i64,
    pub(super) segment: i64,
    pub(super) list: i64,
    pub(super) batch: i64,
}

/// What is kept of the open transaction, and of the connection.
#[derive(Debug, Default)]
pub(super) struct Cache {
    pub(super) seal: Option<SealRow>,
    pub(super) ledger: Option<LedgerRow>,
    pub(super) last_event: Option<Option<EventRow>>,
    pub(super) last: Option<LastNumbers>,
    /// The batch that was inserted last.
    pub(super) batch: Option<BatchRow>,
    pub(super) runs: HashMap<i64, RunRow>,
    pub(super) lists: HashMap<i64, ListRow>,
    is_beginning: bool,
    was_connected: bool,
}

impl Cache {
    /// A transaction has begun, or is over: nothing is known.
    pub(super) fn forget(&mut self, is_beginning: bool) {
        *self = Cache { is_beginning, was_connected: self.was_connected, ..Cache::default() };
    }

    /// A row of this number was added, which is the last one.
    pub(super) fn note_last(&mut self, number: i64, of: impl FnOnce(&mut LastNumbers) -> &mut i64) {
        if let Some(last) = &mut self.last {
            *of(last) = number;
        }
    }

    /// Whether a transaction was begun that has sent nothing yet.
    pub(super) fn is_beginning(&self) -> bool {
        self.is_beginning
    }

    pub(super) fn note_begun(&mut self) {
        self.is_beginning = false;
    }

    pub(super) fn was_never_connected(&self) -> bool {
        !self.was_connected
    }

    pub(super) fn note_connected(&mut self) {
        self.was_connected = true;
    }
}
