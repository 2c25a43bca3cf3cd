//! Committing: what is checked and written around each of a ledger's commits.

use super::SqliteStore;
use super::mark::{Mark, MarkFile};
use super::watch::Watch;
use crate::ledger::error::LedgerError;
use crate::ledger::seal;
use crate::ledger::state::{State, Token};
use crate::ledger::store::{Commit, StoreError};

/// So many pages in the log are written back into the file, as SQLite does by itself.
const LOG_PAGES: u64 = 1_000;
/// A log of so many bytes is written back whoever filled it.
const LOG_BYTES: u64 = 64 << 20;
/// Pages that a transaction takes beside its records.
const PAGES_PER_COMMIT: u64 = 10;

/// What a ledger that is open for writing has beside its connection.
#[derive(Debug)]
pub(super) struct Keeper {
    ledger: [u8; 16],
    pub(super) watch: Watch,
    mark: MarkFile,
    /// The last transaction of this process, and how far the ledger had come with it.
    last: Option<(Token, State)>,
    /// How many pages this process has put into the log since it last wrote it back.
    pages: u64,
}

impl Keeper {
    pub(super) fn new(ledger: [u8; 16], watch: Watch, mark: MarkFile) -> Keeper {
        Keeper { ledger, watch, mark, last: None, pages: 0 }
    }

    /// Commits the transaction that is open. When this returns, what it wrote is on the disk, in the file that the
    /// next command will open, and the mark says so. Where lists are closed, the mark is on the disk before it.
    ///
    /// # Errors
    /// Where the ledger or its mark cannot be written, or is not where it was. Then nothing that depends
    /// on the transaction may leave the process.
    pub(super) fn commit(&mut self, store: &SqliteStore, commit: Commit) -> Result<(), LedgerError> {
        let fail = |source| LedgerError::store("write", &store.given, source);
        let mark_path = self.mark.path().to_owned();
        let cannot_mark = |source| LedgerError::file("write the mark of", &mark_path, source);
        // A log that was put back by a copy in place, index and all, has forgotten what this process committed.
        if let Some((_, last)) = &self.last
            && !seal::knows(store, last).map_err(fail)?
        {
            return Err(self.watch.went_back());
        }
        let Commit { reached, writing, token, bytes, closes_lists } = commit;
        let mark = Mark { ledger: self.ledger, reached, writing };
        self.watch.check()?;
        self.mark.write(&mark).map_err(cannot_mark)?;
        if closes_lists {
            self.mark.sync().map_err(cannot_mark)?;
        }
        store.connection.execute_batch("COMMIT").map_err(StoreError::from).map_err(fail)?;
        self.last = Some((token, writing));
        self.watch.check_after(token)?;
        self.mark.settle(&mark).map_err(cannot_mark)?;
        self.write_back(store, bytes)
    }

    /// Writes the log back into the file, once there is enough of it.
    fn write_back(&mut self, store: &SqliteStore, bytes: u64) -> Result<(), LedgerError> {
        self.pages += PAGES_PER_COMMIT + bytes / super::log::PAGE_BYTES as u64;
        if self.pages >= LOG_PAGES || self.watch.log_bytes() >= LOG_BYTES {
            self.pages = 0;
            // Where it fails, the log goes on growing, and the next time may do.
            let _ = store.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            self.watch.check_after(self.last.map_or([0; 16], |(token, _)| token))?;
        }
        Ok(())
    }

    /// Says to the watch that the ledger is being closed; `false` where SQLite must not touch the files, because
    /// they are others now.
    pub(super) fn close(&self) -> bool {
        let is_whole = match self.last {
            Some((token, _)) => self.watch.check_after(token).is_ok(),
            None => self.watch.check().is_ok(),
        };
        self.watch.close(self.last);
        is_whole
    }
}
