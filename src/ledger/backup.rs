//! Backups, and closing the open lists on request.

use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::identity::{Closing, Identity};
use super::opening;
use super::seal::{self, Counts, Seal};
use super::trust::Reason;
use super::{Ledger, LedgerError, Restoration};
use crate::files::{PathError, Scratch, Way};

impl Ledger {
    /// Writes a copy of the ledger as it is at one moment, while others may go on writing. The file
    /// appears whole, for its owner alone (mode 0600). It has no home and no mark, so that whoever
    /// uses it as a ledger is told, and its open lists are closed.
    ///
    /// # Errors
    /// Where the ledger cannot be read, the file cannot be written, or is there although it should be new.
    pub fn backup(&self, file: &Path, way: Way) -> Result<(), LedgerError> {
        let cannot_write =
            |source| LedgerError::Backup { source: PathError::new("write the backup", file, source) };
        let copy = Scratch::in_folder(self.backup_folder(file, way)).map_err(cannot_write)?;
        self.copy_into(copy.path()).map_err(|source| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => cannot_write(std::io::ErrorKind::StorageFull.into()),
            _ => self.cannot("back up", source),
        })?;
        copy.commit(file, way).map_err(cannot_write)
    }

    /// Where the copy is made: beside what it will become, or, where that is written through to, beside the ledger.
    fn backup_folder<'p>(&'p self, file: &'p Path, way: Way) -> &'p Path {
        let beside = if way == Way::WriteThrough { &self.path } else { file };
        beside.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn copy_into(&self, file: &Path) -> rusqlite::Result<()> {
        let mut copy = Connection::open(file)?;
        // Nobody reads the copy before it is whole and on the disk.
        copy.pragma_update(None, "synchronous", "off")?;
        // All pages in one step, and so as they are at one moment.
        let backup = Backup::new(&self.connection, &mut copy)?;
        while backup.step(-1)? != StepResult::Done {
            thread::sleep(Duration::from_millis(5));
        }
        drop(backup);
        let transaction = copy.transaction_with_behavior(TransactionBehavior::Immediate)?;
        Identity::read(&transaction)?.move_to(&transaction, None)?;
        Seal::renew(&transaction, Counts::default())?;
        transaction.commit()?;
        copy.close().map_err(|(_, error)| error)
    }

    /// Closes the open lists, as after a restore that no file can notice. `None` where that was done
    /// before, and no list has been opened since.
    ///
    /// # Errors
    /// Where the ledger cannot be written.
    pub fn close_lists(&mut self) -> Result<Option<Restoration>, LedgerError> {
        let path = self.path.clone();
        let fail = |source| LedgerError::sqlite("write", &path, source);
        let looked_at_only = self.looked_at_only();
        let keeper = self.keeper.as_mut().ok_or(looked_at_only)?;
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate).map_err(fail)?;
        let open: bool = transaction
            .query_row("SELECT EXISTS (SELECT 1 FROM lists WHERE NOT closed)", [], |row| row.get(0))
            .map_err(fail)?;
        if !open && !Closing::all(&transaction).map_err(fail)?.is_empty() {
            return Ok(None);
        }
        let reached = seal::state(&transaction).map_err(fail)?;
        let restoration = opening::close_lists(&transaction, vec![Reason::Asked]).map_err(fail)?;
        keeper.commit_closing(&self.connection, transaction, reached)?;
        Ok(Some(restoration))
    }
}
