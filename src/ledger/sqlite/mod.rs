//! A ledger in a file: SQLite's tables, and what proves that the file is the one that it was.
//!
//! [`rows`] is the store itself. The rest is about the file, which can be copied, restored, replaced and cut short
//! behind the back of whoever uses it: see [`trust`].

mod backup;
#[cfg(test)]
mod damage;
mod keeper;
mod lock;
mod log;
mod mark;
mod opening;
mod place;
mod read;
mod rows;
mod schema;
#[cfg(test)]
mod tests;
mod trust;
mod watch;

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

#[cfg(feature = "postgres")]
pub(super) use self::backup::back_up;
use self::keeper::Keeper;
use self::lock::Lock;
pub use self::mark::Mark;
pub(super) use self::opening::{to_look, to_write};
use self::place::Paths;
pub use self::schema::VERSION as FORMAT_VERSION;
use self::watch::Handle;
use super::LedgerError;
use super::store::{Store, StoreError, Stored};

/// Every file that is or can be part of the ledger at this path, whether it is there or not.
pub(super) fn files_of(path: &Path) -> Vec<PathBuf> {
    Paths::of(path).map_or_else(|_| vec![path.to_owned()], |paths| paths.files().to_vec())
}

/// The path of a ledger's file behind all links.
pub(super) fn real_path(path: &Path) -> PathBuf {
    Paths::of(path).map_or_else(|_| path.to_owned(), |paths| paths.file)
}

/// Makes a file with a copy of a ledger that is to take its place.
pub(super) fn create_copy(path: &Path, from: &dyn Store) -> Result<(), LedgerError> {
    let paths = Paths::of(path).map_err(|source| LedgerError::file("create", path, source))?;
    schema::create_copy(&paths, from)
}

/// Removes a copy that was never in use, with all that belongs to it.
pub(super) fn remove(path: &Path) -> Result<(), LedgerError> {
    for file in files_of(path) {
        match std::fs::remove_file(&file) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(LedgerError::file("remove the unfinished copy", path, source));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A ledger's file, open.
#[derive(Debug)]
pub(super) struct SqliteStore {
    connection: Connection,
    /// The path that was given, for messages.
    given: PathBuf,
    /// What is checked and written around each commit; none where the file is only looked at.
    keeper: RefCell<Option<Keeper>>,
    // These are closed after the connection, in this order.
    looking: Option<(Handle, Option<TempDir>)>,
    lock: Option<Lock>,
}

impl SqliteStore {
    /// The store of a database that is open, without anything that watches over it.
    fn over(connection: Connection, given: &Path) -> SqliteStore {
        let given = given.to_owned();
        SqliteStore { connection, given, keeper: RefCell::new(None), looking: None, lock: None }
    }

    /// Commits what is open, and closes a file that nobody else knows of.
    fn close(self) -> Stored<()> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("COMMIT")?;
        }
        Ok(())
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if let Some(keeper) = &*self.keeper.borrow()
            && !keeper.close()
        {
            // The last one to close a database writes its log back and removes it, by its name: here that would
            // be another ledger's. What is in the log stays there.
            let setting = rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            let _ = self.connection.set_db_config(setting, true);
        }
    }
}

impl LedgerError {
    /// The error that fits what SQLite said.
    fn sqlite(action: &'static str, path: &Path, source: rusqlite::Error) -> LedgerError {
        LedgerError::store(action, path, source.into())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(source: rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode::*;
        // The file that processes share does not grow on a full disk, and has a code of its own.
        if source
            .sqlite_error()
            .is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
        {
            return StoreError::Full;
        }
        // Values that the tables do not allow.
        let is_contradiction = matches!(
            &source,
            rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::QueryReturnedNoRows
                | rusqlite::Error::Utf8Error(..)
        );
        match source.sqlite_error_code() {
            _ if is_contradiction => StoreError::Damaged(source.into()),
            Some(CannotOpen) => StoreError::CannotOpen(source.into()),
            Some(DatabaseBusy | DatabaseLocked) => StoreError::Busy,
            Some(DiskFull) => StoreError::Full,
            Some(NotADatabase) => StoreError::NotALedger,
            Some(DatabaseCorrupt) => StoreError::Damaged(source.into()),
            _ => StoreError::Other(source.into()),
        }
    }
}

/// Whether SQLite could not make the files that it needs beside the ledger, as on a medium that is read-only or full.
fn leaves_no_room(error: &LedgerError) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, PermissionDenied, ReadOnly};
    use rusqlite::ffi::{SQLITE_IOERR_SHMOPEN, SQLITE_IOERR_WRITE};
    match error {
        LedgerError::File { .. } | LedgerError::Full { .. } => true,
        LedgerError::Database {
            source: StoreError::CannotOpen(cause) | StoreError::Other(cause), ..
        } => {
            let Some(cause) = cause.downcast_ref::<rusqlite::Error>() else { return false };
            let extended = cause.sqlite_error().map(|error| error.extended_code);
            matches!(extended, Some(SQLITE_IOERR_SHMOPEN | SQLITE_IOERR_WRITE))
                || matches!(cause.sqlite_error_code(), Some(CannotOpen | PermissionDenied | ReadOnly))
        }
        _ => false,
    }
}
