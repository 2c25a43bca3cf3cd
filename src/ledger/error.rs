//! Why the ledger cannot be used.

use std::io;
use std::path::{Path, PathBuf};

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
    #[error("the ledger {} has version {found}, and this beltic knows version {known}", path.display())]
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

impl LedgerError {
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
        match source.sqlite_error_code() {
            Some(DatabaseBusy | DatabaseLocked) => LedgerError::Busy { path },
            Some(DiskFull) => LedgerError::Full { path },
            Some(NotADatabase) => LedgerError::NotALedger { path },
            Some(DatabaseCorrupt) => LedgerError::Damaged { path, source },
            _ => LedgerError::Database { action, path, source },
        }
    }
}
