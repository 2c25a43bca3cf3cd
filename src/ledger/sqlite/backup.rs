//! Backups.

use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::SqliteStore;
use crate::files::{PathError, Scratch, Way};
use crate::ledger::error::LedgerError;
use crate::ledger::identity::Identity;
use crate::ledger::seal::{Counts, Seal};
use crate::ledger::store::{Access, Store, StoreError, Stored};
#[cfg(feature = "postgres")]
use crate::ledger::{copy, store::in_one_snapshot};

/// Writes the backup of a ledger that is kept in another kind of store, as of one moment.
#[cfg(feature = "postgres")]
pub(in crate::ledger) fn back_up(
    from: &dyn Store,
    given: &Path,
    file: &Path,
    way: Way,
) -> Result<(), LedgerError> {
    let cannot_write =
        |source| LedgerError::Backup { source: PathError::new("write the backup", file, source) };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let copy = Scratch::in_folder(folder).map_err(cannot_write)?;
    let copied =
        in_one_snapshot(from, || super::schema::copy_tables(copy.path(), from, copy::Purpose::Backup));
    copied.map_err(|source| LedgerError::store("back up", given, source))?;
    copy.commit(file, way).map_err(cannot_write)
}

impl SqliteStore {
    /// Writes a copy as of one moment, while others may go on writing. The file appears whole, for its owner alone
    /// (mode 0600). It has no home and no mark, so that whoever uses it as a ledger is told, and its open lists are
    /// closed.
    pub(super) fn copy_to(&self, file: &Path, way: Way) -> Result<(), LedgerError> {
        let cannot_write =
            |source| LedgerError::Backup { source: PathError::new("write the backup", file, source) };
        let copy = Scratch::in_folder(self.backup_folder(file, way)).map_err(cannot_write)?;
        self.copy_into(copy.path()).map_err(|source| match source {
            StoreError::Full => cannot_write(std::io::ErrorKind::StorageFull.into()),
            source => LedgerError::store("back up", &self.given, source),
        })?;
        copy.commit(file, way).map_err(cannot_write)
    }

    /// Where the copy is made: beside what it will become, or, where that is written through to, beside the ledger.
    fn backup_folder<'p>(&'p self, file: &'p Path, way: Way) -> &'p Path {
        let beside = if way == Way::WriteThrough { &self.given } else { file };
        beside.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn copy_into(&self, file: &Path) -> Stored<()> {
        let mut copy = Connection::open(file)?;
        // Nobody reads the copy before it is whole and on the disk.
        copy.pragma_update(None, "synchronous", "off")?;
        // All pages in one step, and so as they are at one moment.
        let backup = Backup::new(&self.connection, &mut copy)?;
        while backup.step(-1)? != StepResult::Done {
            thread::sleep(Duration::from_millis(5));
        }
        drop(backup);
        let copy = SqliteStore::over(copy, file);
        copy.begin(Access::Write)?;
        Identity::read(&copy)?.move_to(&copy, None)?;
        Seal::renew(&copy, Counts::default())?;
        copy.close()
    }
}
