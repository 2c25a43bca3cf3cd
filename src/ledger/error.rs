//! Why the ledger cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use super::checksum::{Contradiction, contradiction};
use super::watch::Disturbance;
use crate::clock::UnixTime;
use crate::files::PathError;

/// Why the ledger cannot be opened or written. Whatever happens, nothing is half recorded.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file or its folder cannot be created.
    #[error("cannot {action} the ledger {}", path.display())]
    File {
        /// What was attempted.
        action: &'static str,
        /// The ledger's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path leads to a folder.
    #[error("the ledger {} is a folder; expected a file", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// The file has several names, and by each of them it would have another write-ahead log.
    #[error("the ledger {} has {names} names (hard links); expected one", path.display())]
    Linked {
        /// The ledger's file.
        path: PathBuf,
        /// How many names it has.
        names: u64,
    },
    /// A log or a journal lies beside the ledger that is not its own.
    #[error("{} does not belong to the ledger {}", log.display(), path.display())]
    ForeignLog {
        /// The ledger's file.
        path: PathBuf,
        /// The log.
        log: PathBuf,
    },
    /// The ledger is not where it was, or not what it was, while it is in use.
    #[error("the ledger {} {}{}", path.display(), change.words(), in_doubt(last))]
    Changed {
        /// The ledger's file.
        path: PathBuf,
        /// What was done to it.
        change: Disturbance,
        /// The first and the last item of the batch that was delivered last, where one was.
        last: Option<(u64, u64)>,
    },
    /// A credential would have expired by the ledger's last event, although the clock says otherwise.
    #[error("item {index} would expire on {expires_at}, before the last event of the ledger {} ({last_event})", path.display())]
    Expired {
        /// The ledger's file.
        path: PathBuf,
        /// The item.
        index: u64,
        /// When its credential would expire.
        expires_at: UnixTime,
        /// The last event's time.
        last_event: UnixTime,
    },
    /// A backup cannot be written.
    #[error(transparent)]
    Backup {
        /// Why.
        source: PathError,
    },
    /// The database refuses.
    #[error("cannot {action} the ledger {}", path.display())]
    Database {
        /// What was attempted.
        action: &'static str,
        /// The ledger's file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Another process has held the ledger for longer than [`super::WAIT`].
    #[error("the ledger {} has been in use by another process for two minutes", path.display())]
    Busy {
        /// The ledger's file.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("no space is left for the ledger {}", path.display())]
    Full {
        /// The ledger's file.
        path: PathBuf,
    },
    /// The file is not a ledger.
    #[error("{} is not a beltic ledger", path.display())]
    NotALedger {
        /// The file.
        path: PathBuf,
    },
    /// The file is a ledger that cannot be trusted any more.
    #[error("the ledger {} is damaged", path.display())]
    Damaged {
        /// The ledger's file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file is empty, which no ledger ever is.
    #[error("the ledger {} is empty: it was cut to nothing", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A run is repeated under other terms.
    #[error("the idempotency key {name:?} was used before with {}", list(differences))]
    OtherTerms {
        /// The idempotency key.
        name: String,
        /// What changed.
        differences: Vec<Difference>,
    },
    /// A ledger of another version of the tables.
    #[error("the ledger {} has format {found}; this version of beltic reads and writes format {known}", path.display())]
    Version {
        /// The ledger's file.
        path: PathBuf,
        /// The version found.
        found: i64,
        /// The version that this program writes.
        known: i64,
    },
}

/// A term of a run that changed between two uses of its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is called.
    pub name: &'static str,
    /// What it was when the key was first used.
    pub was: String,
    /// What it is now.
    pub is: String,
}

fn list(differences: &[Difference]) -> String {
    let said = |difference: &Difference| {
        let Difference { name, was, is } = difference;
        let show = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
        format!("another {name} ({}, now {})", show(was), show(is))
    };
    differences.iter().map(said).collect::<Vec<_>>().join(" and ")
}

/// Which items may be unknown to the ledger that is found by the path now.
fn in_doubt(last: &Option<(u64, u64)>) -> String {
    match last {
        Some((first, last)) => format!(
            "; items {first} to {last} were delivered last, and may be missing from the ledger that is there now"
        ),
        None => "; no result was delivered".to_owned(),
    }
}

impl LedgerError {
    pub(super) fn file(action: &'static str, path: &Path, source: io::Error) -> LedgerError {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                LedgerError::Full { path: path.to_owned() }
            }
            _ => LedgerError::File { action, path: path.to_owned(), source },
        }
    }

    /// A ledger that contradicts itself.
    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> LedgerError {
        LedgerError::Damaged { path: path.to_owned(), source: contradiction(what) }
    }

    /// Whether SQLite could not make the files that it needs beside the ledger, as on a medium that is read-only or
    /// full.
    pub(super) fn leaves_no_room(&self) -> bool {
        use rusqlite::ErrorCode::{CannotOpen, PermissionDenied, ReadOnly};
        use rusqlite::ffi::{SQLITE_IOERR_SHMOPEN, SQLITE_IOERR_WRITE};
        match self {
            LedgerError::File { .. } | LedgerError::Full { .. } => true,
            LedgerError::Database { source, .. } => {
                let extended = source.sqlite_error().map(|error| error.extended_code);
                matches!(extended, Some(SQLITE_IOERR_SHMOPEN | SQLITE_IOERR_WRITE))
                    || matches!(source.sqlite_error_code(), Some(CannotOpen | PermissionDenied | ReadOnly))
            }
            _ => false,
        }
    }

    /// The error that fits what SQLite said.
    pub(super) fn sqlite(action: &'static str, path: &Path, source: rusqlite::Error) -> LedgerError {
        use rusqlite::ErrorCode::*;
        let path = path.to_owned();
        // The file that processes share does not grow on a full disk, and has a code of its own.
        if source
            .sqlite_error()
            .is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
        {
            return LedgerError::Full { path };
        }
        let is_contradiction = match &source {
            rusqlite::Error::ToSqlConversionFailure(source) => source.is::<Contradiction>(),
            // Values that the tables do not allow.
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::QueryReturnedNoRows
            | rusqlite::Error::Utf8Error(..) => true,
            _ => false,
        };
        if is_contradiction {
            return LedgerError::Damaged { path, source };
        }
        match source.sqlite_error_code() {
            Some(CannotOpen) => match why_not_opened(&path) {
                Some(source) => LedgerError::File { action, path, source },
                None => LedgerError::Database { action, path, source },
            },
            Some(DatabaseBusy | DatabaseLocked) => LedgerError::Busy { path },
            Some(DiskFull) => LedgerError::Full { path },
            Some(NotADatabase) => LedgerError::NotALedger { path },
            Some(DatabaseCorrupt) => LedgerError::Damaged { path, source },
            _ => LedgerError::Database { action, path, source },
        }
    }
}

/// What the system says where SQLite says only that it cannot open a file. The ledger's own file must not
/// be opened here (see [`super::watch`]); the folder can be tried.
fn why_not_opened(path: &Path) -> Option<io::Error> {
    let file = match path.metadata() {
        Ok(file) => file,
        Err(error) => return Some(error),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match crate::files::temporary_in(folder) {
        Err(error) => Some(io::Error::new(error.kind(), format!("its folder cannot be written: {error}"))),
        Ok(_) if file.permissions().readonly() => Some(io::ErrorKind::PermissionDenied.into()),
        Ok(_) => None,
    }
}
