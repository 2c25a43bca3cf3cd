//! Why the ledger cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use super::checksum::contradiction;
use super::openings::Duplicate;
use super::store::{ServerFault, StoreError};
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
        /// What the store said.
        source: StoreError,
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
        /// What the store said.
        source: StoreError,
    },
    /// The file is empty, which no ledger ever is.
    #[error("the ledger {} is empty: it was truncated", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It was moved, or is still arriving.
    #[error("{}", moved(path, to))]
    Moved {
        /// The ledger's file, or the URL of its database.
        path: PathBuf,
        /// Where it was moved to; empty where it is still arriving.
        to: String,
    },
    /// A ledger is to be made or moved to where there is one.
    #[error("{} exists already", path.display())]
    Exists {
        /// The ledger's file, or the URL of its database.
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
    /// A register is kept for another issuer, or by another field.
    #[error("the scope {name:?} was synced before with {}", list(differences))]
    OtherRegister {
        /// The scope.
        name: String,
        /// What changed.
        differences: Vec<Difference>,
    },
    /// Another process has changed a register while this one was at work on it.
    #[error("another process has changed the scope {name:?} meanwhile; nothing more was done to it")]
    RegisterChanged {
        /// The scope.
        name: String,
    },
    /// The same items were issued before.
    #[error("{0}")]
    Duplicate(Duplicate),
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

/// What was done to a ledger while it was open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disturbance {
    /// Its path leads nowhere.
    Gone,
    /// Its path leads to another file.
    Replaced,
    /// It has a second name.
    Linked,
    /// Something was written over it.
    Overwritten,
    /// It is shorter than it was.
    Cut,
    /// Its write-ahead log is gone or is another.
    LogGone,
}

impl Disturbance {
    /// In words, as the end of "the ledger …".
    pub fn words(self) -> &'static str {
        match self {
            Disturbance::Gone => "was moved or removed while it was in use",
            Disturbance::Replaced => "was replaced by another file while it was in use",
            Disturbance::Linked => "was given a second name (hard link) while it was in use",
            Disturbance::Overwritten => "was overwritten while it was in use",
            Disturbance::Cut => "was cut short while it was in use",
            Disturbance::LogGone => "lost its write-ahead log while it was in use",
        }
    }
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

impl Difference {
    pub(super) fn new(name: &'static str, was: &str, is: &str) -> Difference {
        Difference { name, was: was.to_owned(), is: is.to_owned() }
    }
}

fn list(differences: &[Difference]) -> String {
    let said = |difference: &Difference| {
        let Difference { name, was, is } = difference;
        let show = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
        format!("another {name} ({}, now {})", show(was), show(is))
    };
    differences.iter().map(said).collect::<Vec<_>>().join(" and ")
}

fn moved(path: &Path, to: &str) -> String {
    match to {
        "" => format!("the ledger {} is being moved here, and is not whole yet", path.display()),
        to => format!("the ledger {} was moved to {to}", path.display()),
    }
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

    /// A ledger that was opened for reading, and is to be written.
    pub(super) fn looked_at_only(path: &Path) -> LedgerError {
        LedgerError::file("write", path, io::Error::other("it was opened for reading"))
    }

    /// The error that fits what the store said.
    pub(super) fn store(action: &'static str, path: &Path, source: StoreError) -> LedgerError {
        let path = path.to_owned();
        match source {
            StoreError::Damaged(_) => LedgerError::Damaged { path, source },
            StoreError::Busy => LedgerError::Busy { path },
            StoreError::Full => LedgerError::Full { path },
            StoreError::NotALedger => LedgerError::NotALedger { path },
            StoreError::CannotOpen(_) => match why_not_opened(&path) {
                Some(source) => LedgerError::File { action, path, source },
                None => LedgerError::Database { action, path, source },
            },
            StoreError::Server(ref error) if error.fault == ServerFault::Full => LedgerError::Full { path },
            StoreError::Server(ref error) if error.fault == ServerFault::Damaged => {
                LedgerError::Damaged { path, source }
            }
            StoreError::Server(_) | StoreError::Other(_) => LedgerError::Database { action, path, source },
        }
    }
}

/// What the system says where a store says only that it cannot open a file. The ledger's own file must not
/// be opened here (see `sqlite::watch`); the folder can be tried.
fn why_not_opened(path: &Path) -> Option<io::Error> {
    let file = match path.metadata() {
        Ok(file) => file,
        Err(error) => return Some(error),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match crate::files::temporary_in(folder) {
        Err(error) => {
            let reason = crate::files::reason(&error);
            Some(io::Error::new(error.kind(), format!("its folder cannot be written: {reason}")))
        }
        Ok(_) if file.permissions().readonly() => Some(io::ErrorKind::PermissionDenied.into()),
        Ok(_) => None,
    }
}
