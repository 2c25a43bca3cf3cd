//! The lock of those who open a ledger (`ledger.db.lock`).
//!
//! Whoever has a ledger open for writing holds it shared. Who opens it tries to hold it alone first: then
//! nobody else has the ledger open, and a log or journal that lies beside it was left by a process
//! that died, or by somebody's copying. Only then is anything moved out of the way. A lock file that
//! somebody removes loses that order, and nothing else: what a log belongs to is proved by tokens, and
//! SQLite has locks of its own.

use std::fs::{File, TryLockError};
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::place::{Paths, open_no_link};
use crate::ledger::{LedgerError, WAIT};

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    is_alone: bool,
}

impl Lock {
    /// Locks a ledger that is opened for writing: alone where nobody else has it open, else
    /// shared with them.
    pub(super) fn take(paths: &Paths) -> Result<Lock, LedgerError> {
        let fail = |source| LedgerError::file("lock", &paths.lock(), source);
        let file = open_no_link(&paths.lock(), true, true).map_err(fail)?;
        let mut lock = Lock { file, is_alone: true };
        match lock.file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => lock.share(paths)?,
            Err(TryLockError::Error(source)) => return Err(fail(source)),
        }
        Ok(lock)
    }

    /// Locks a ledger that is only looked at, if it has a lock.
    pub(super) fn to_look(paths: &Paths) -> Result<Option<Lock>, LedgerError> {
        let Ok(file) = open_no_link(&paths.lock(), false, false) else { return Ok(None) };
        let mut lock = Lock { file, is_alone: false };
        lock.share(paths)?;
        Ok(Some(lock))
    }

    pub(super) fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// Lets others open the ledger.
    pub(super) fn share(&mut self, paths: &Paths) -> Result<(), LedgerError> {
        self.is_alone = false;
        self.wait(paths, File::try_lock_shared)
    }

    /// Waits until nobody else has the ledger open: those whose ledger was taken away stop.
    pub(super) fn wait_to_be_alone(&mut self, paths: &Paths) -> Result<(), LedgerError> {
        if !self.is_alone {
            self.wait(paths, File::try_lock)?;
            self.is_alone = true;
        }
        Ok(())
    }

    fn wait(
        &self,
        paths: &Paths,
        lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<(), LedgerError> {
        let begun = Instant::now();
        loop {
            match lock(&self.file) {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) if begun.elapsed() < WAIT => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(LedgerError::Busy { path: paths.given.clone() });
                }
                Err(TryLockError::Error(source)) => {
                    let source: io::Error = source;
                    return Err(LedgerError::file("lock", &paths.lock(), source));
                }
            }
        }
    }
}
