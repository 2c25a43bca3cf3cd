//! Watching the file of a ledger while it is open: is what is committed where the next command
//! looks?

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use super::log::Log;
use super::place::{Paths, links, while_open};
use super::{SqliteStore, schema};
use crate::ledger::error::{Disturbance, LedgerError};
use crate::ledger::seal;
use crate::ledger::state::{SealTokens, State, Token};
use crate::ledger::store::Watcher;

/// How often a file is looked at again that changes while it is looked at.
const LOOKS: usize = 100;
/// How long others get between two looks that found the same.
const PAUSE: Duration = Duration::from_millis(2);

/// Device and inode.
type Id = (u64, u64);

/// The database files that this process looks into beside SQLite. POSIX drops all of a process's locks on a
/// file when it closes any handle of it, so all connections to a file share one handle, which is closed after
/// the last of them.
static OPEN: LazyLock<Mutex<HashMap<Id, Weak<File>>>> = LazyLock::new(Mutex::default);

fn open_files() -> MutexGuard<'static, HashMap<Id, Weak<File>>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A database file's handle, beside SQLite's own.
#[derive(Debug)]
pub(super) struct Handle {
    id: Id,
    file: Option<Arc<File>>,
}

impl Handle {
    pub(super) fn open(path: &Path) -> io::Result<Handle> {
        let mut open = open_files();
        let id = while_open(&fs::metadata(path)?);
        if let Some(file) = open.get(&id).and_then(Weak::upgrade) {
            return Ok(Handle { id, file: Some(file) });
        }
        let file = Arc::new(File::open(path)?);
        let id = while_open(&file.metadata()?);
        if open.get(&id).is_some_and(|known| known.strong_count() > 0) {
            return Err(io::Error::other("it was replaced while it was opened"));
        }
        open.insert(id, Arc::downgrade(&file));
        Ok(Handle { id, file: Some(file) })
    }

    /// The file; there until the handle is dropped.
    pub(super) fn file(&self) -> Option<&File> {
        self.file.as_deref()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Nobody opens the file while its last handle is closed.
        let mut open = open_files();
        self.file = None;
        if open.get(&self.id).is_some_and(|file| file.strong_count() == 0) {
            open.remove(&self.id);
        }
    }
}

/// The watch over an open ledger; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Watch(Arc<Mutex<Watched>>);

#[derive(Debug)]
struct Watched {
    paths: Paths,
    database: Handle,
    /// The log and its index, once they were made.
    log: Option<(Id, Id)>,
    /// How long the file was when it was last looked at.
    file_bytes: u64,
    /// How long the log was when it was last looked at.
    log_bytes: u64,
    /// The tokens that the file had when it was last proved.
    proved: SealTokens,
    /// Once the ledger is closed: the last transaction's token, and how far the ledger had come.
    closed: Option<(Token, State)>,
}

impl Watch {
    /// Begins the watch over a file whose log was found to be its own.
    pub(super) fn over(paths: &Paths, database: Handle, proved: SealTokens) -> Watch {
        Watch(Arc::new(Mutex::new(Watched {
            paths: paths.clone(),
            database,
            log: None,
            file_bytes: 0,
            log_bytes: 0,
            proved,
            closed: None,
        })))
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes which log SQLite has opened, right after it has.
    pub(super) fn note_log(&self) -> Result<(), LedgerError> {
        let mut watched = self.watched();
        watched.log = watched.log_id();
        match watched.log {
            Some(_) => Ok(()),
            None => Err(watched.changed(Disturbance::LogGone)),
        }
    }

    /// Whether the ledger is still where it was, and what it was.
    pub(super) fn check(&self) -> Result<(), LedgerError> {
        self.watched().check(None)
    }

    /// As [`Watch::check`], right after this process has committed the transaction of this token.
    pub(super) fn check_after(&self, committed: Token) -> Result<(), LedgerError> {
        self.watched().check(Some(committed))
    }

    /// The ledger is being closed, which removes its log. What is checked from now on is that the
    /// file is there, and knows what was committed.
    pub(super) fn close(&self, last: Option<(Token, State)>) {
        let mut watched = self.watched();
        watched.log = None;
        watched.closed = Some(last.unwrap_or((watched.proved.token, State::NOTHING)));
    }

    /// That the ledger no longer knows what this process committed.
    pub(super) fn went_back(&self) -> LedgerError {
        self.watched().changed(Disturbance::Overwritten)
    }

    /// The length of the log, in bytes.
    pub(super) fn log_bytes(&self) -> u64 {
        fs::metadata(self.watched().paths.log()).map_or(0, |log| log.len())
    }
}

impl Watcher for Watch {
    fn check(&self) -> Result<(), LedgerError> {
        Watch::check(self)
    }
}

impl Watched {
    fn check(&mut self, committed: Option<Token>) -> Result<(), LedgerError> {
        self.look(committed).map_err(|change| self.changed(change))
    }

    fn changed(&self, change: Disturbance) -> LedgerError {
        LedgerError::Changed { path: self.paths.given.clone(), change, last: None }
    }

    fn look(&mut self, committed: Option<Token>) -> Result<(), Disturbance> {
        let found = fs::symlink_metadata(&self.paths.file).map_err(|_| Disturbance::Gone)?;
        if cfg!(unix) && while_open(&found) != self.database.id {
            return Err(Disturbance::Replaced);
        }
        if links(&found) != 1 {
            return Err(Disturbance::Linked);
        }
        // A ledger gives no page back.
        if found.len() < self.file_bytes {
            return Err(Disturbance::Cut);
        }
        self.file_bytes = found.len();
        // The next command opens what the given path leads to then: a link on the way may have been changed.
        let named = fs::metadata(&self.paths.given).map_err(|_| Disturbance::Gone)?;
        if cfg!(unix) && while_open(&named) != self.database.id {
            return Err(Disturbance::Replaced);
        }
        if self.log.is_some() {
            // SQLite writes a log from its start again, and never cuts it while it is open.
            let bytes = fs::symlink_metadata(self.paths.log()).map_or(0, |log| log.len());
            if self.log_id() != self.log || bytes < self.log_bytes {
                return Err(Disturbance::LogGone);
            }
            self.log_bytes = bytes;
        }
        self.prove(committed)
    }

    /// Whether the file has a token of this ledger's line. It changes when any process writes the
    /// log back, and then it is in the log, or is the one that the log begins with.
    fn prove(&mut self, committed: Option<Token>) -> Result<(), Disturbance> {
        let committed = committed.or(self.closed.map(|(token, _)| token));
        let read = |handle: &Handle| handle.file().and_then(SealTokens::of_file);
        let mut found = read(&self.database);
        for _ in 0..LOOKS {
            if let Some(tokens) = found {
                if tokens == self.proved || committed == Some(tokens.token) {
                    self.proved = tokens;
                    return Ok(());
                }
                if matches!(tokens.judge(&self.paths.log()), Ok(Log::Own)) {
                    self.proved = tokens;
                    return Ok(());
                }
            }
            if let Some((_, state)) = self.closed
                && knows(&self.paths, &state)
            {
                return Ok(());
            }
            // Others may have written back and begun the log anew between the two looks, or may be about to: until
            // the first transaction is in a new log, it names no token.
            let again = read(&self.database);
            if again == found {
                thread::sleep(PAUSE);
            }
            found = again;
        }
        Err(Disturbance::Overwritten)
    }

    fn log_id(&self) -> Option<(Id, Id)> {
        let id = |path| fs::symlink_metadata(path).ok().map(|file| while_open(&file));
        Some((id(self.paths.log())?, id(self.paths.log_index())?))
    }
}

/// Whether the ledger that is there now knows of a state. Others may have gone on with it.
fn knows(paths: &Paths, state: &State) -> bool {
    schema::connect_to_look(paths).is_ok_and(|(connection, _)| {
        let store = SqliteStore::over(connection, &paths.given);
        seal::knows(&store, state).unwrap_or_default()
    })
}
