//! Committing: what is checked and written around each of a ledger's commits.

use rusqlite::{Connection, Transaction};

use super::LedgerError;
use super::log::Token;
use super::mark::{Mark, MarkFile, State};
use super::seal::{self, Counts, Seal};
use super::watch::Watch;

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

    /// Commits a transaction that began in the state `reached`, added rows as `added` says, and
    /// so many bytes of records. When this returns, what it wrote is on the disk, in the file that the
    /// next command will open, and the mark says so.
    ///
    /// # Errors
    /// Where the ledger or its mark cannot be written, or is not where it was. Then nothing that depends
    /// on the transaction may leave the process.
    pub(super) fn commit(
        &mut self,
        connection: &Connection,
        transaction: Transaction<'_>,
        reached: State,
        added: Counts,
        bytes: u64,
    ) -> Result<(), LedgerError> {
        self.commit_with(connection, transaction, reached, added, false)?;
        self.pages += PAGES_PER_COMMIT + bytes / super::log::PAGE_BYTES as u64;
        if self.pages >= LOG_PAGES || self.watch.log_bytes() >= LOG_BYTES {
            self.pages = 0;
            // Where it fails, the log goes on growing, and the next time may do.
            let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            self.watch.check_after(self.last.map_or([0; 16], |(token, _)| token))?;
        }
        Ok(())
    }

    /// Commits a transaction that closed the open lists: its mark is on the disk before it.
    pub(super) fn commit_closing(
        &mut self,
        connection: &Connection,
        transaction: Transaction<'_>,
        reached: State,
    ) -> Result<(), LedgerError> {
        self.commit_with(connection, transaction, reached, Counts { closings: 1, ..Counts::default() }, true)
    }

    fn commit_with(
        &mut self,
        connection: &Connection,
        transaction: Transaction<'_>,
        reached: State,
        added: Counts,
        durable_mark: bool,
    ) -> Result<(), LedgerError> {
        let path = self.watch.given();
        let fail = |source| LedgerError::sqlite("write", &path, source);
        let mark_path = self.mark.path().to_owned();
        let cannot_mark = |source| LedgerError::file("write the mark of", &mark_path, source);
        // A log that was put back by a copy in place, index and all, has forgotten what this process committed.
        if let Some((_, last)) = &self.last
            && !seal::knows(connection, last).map_err(fail)?
        {
            return Err(self.watch.went_back());
        }
        let token = Seal::renew(&transaction, added).map_err(fail)?;
        let writing = seal::state(connection).map_err(fail)?;
        let mark = Mark { ledger: self.ledger, reached, writing };
        self.watch.check()?;
        self.mark.write(&mark).map_err(cannot_mark)?;
        if durable_mark {
            self.mark.sync().map_err(cannot_mark)?;
        }
        transaction.commit().map_err(fail)?;
        self.last = Some((token, writing));
        self.watch.check_after(token)?;
        self.mark.settle(&mark).map_err(cannot_mark)
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
