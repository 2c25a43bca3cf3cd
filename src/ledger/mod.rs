//! The ledger: the one place with state.
//!
//! # What it promises
//!
//! Under kill -9, power loss, a full disk and several processes at once (contract section 5):
//!
//! 1. A status-list index is never given to two credentials. Each list hands out *slots*, a
//!    counter that only grows, in the transaction that also writes the records; a slot's index is
//!    its place in the list's own secret order ([`allocation`]), which is a permutation, so two
//!    slots never share an index.
//! 2. A credential's record is durable before its result leaves the process. The record is all of
//!    the credential but its signature, so it is committed *before* the credential is signed.
//! 3. A run under an idempotency key that is repeated gives each item the same id, index and
//!    dates, never a second credential. Whether an item was issued before is asked in the
//!    transaction that would issue it, so that two processes under one key cannot both issue it.
//! 4. No personal data: ids, indices, dates, status, and keyed hashes of requests, of subjects'
//!    ids and of correlation ids.
//!
//! # Form
//!
//! One SQLite file in WAL mode with full sync: a transaction is on the disk when its commit
//! returns. A batch of up to 1,000 credentials is one transaction and one row; its records are
//! packed one after the other in that row (`record`). Row and index are a thousandth of what a
//! row for each credential would be, which is why the ledger neither slows the signers nor
//! slows down as it grows.
//!
//! | table | a row is | found by |
//! | --- | --- | --- |
//! | `ledger` | the ledger itself: its secret key for hashes | there is one |
//! | `runs` | a run, or all runs under one idempotency key, and what they must have in common | its name |
//! | `lists` | a status list: its URIs, its secret, how many slots are taken | issuer and base URL |
//! | `orders` | a part of a list's secret order, as its secret gives it | list and part |
//! | `batches` | up to 1,000 credentials issued together | run and position; the millisecond in their ids |
//! | `statuses` | a credential that is suspended or revoked | its batch and its place in that |
//! | `events` | something that happened: issued, replayed, revoked, suspended, reinstated | its number; its batch |
//!
//! All ids of a batch hold the same millisecond (UUID version 7), so a credential is found by its
//! id through that: one index entry a batch.
//!
//! # Several processes
//!
//! Every write happens inside `BEGIN IMMEDIATE`, which one process holds at a time; the others
//! wait ([`WAIT`]). No decision is taken from something read outside the transaction that writes.

//! # A ledger that went back in time
//!
//! A ledger restored from a backup has forgotten the slots given since, and would give them again.
//! Each commit leaves the number of the last event in a file beside the ledger (`mark`). A ledger
//! with fewer events than its mark went back: the user is warned, and its lists are closed, so
//! that nothing is given from a list of which the ledger may not know everything. A backup that
//! restores the mark as well cannot be told from the present.

pub mod allocation;
mod check;
mod credentials;
mod error;
mod events;
mod issue;
mod lists;
mod mark;
mod record;
mod schema;
mod status;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use uuid::Uuid;

pub use check::Examination;
pub use credentials::{Credential, Filter, Run};
pub use error::{Difference, LedgerError};
pub use events::{Event, EventHash, EventKind, Trail};
pub use issue::{
    Answer, Conflict, Entry, Grant, RunDescription, Terms, grants_without_ledger, is_run_name, new_run_name,
};
pub use lists::{ListState, ListUris};
pub use record::Record;
pub use status::{Change, Changed, Order, Place, Refusal, Standing, Status};

use crate::request::ContentHash;
use lists::OpenLists;
use mark::Mark;

/// How long a process waits for others to finish their transactions, each of which takes
/// milliseconds. Whoever waits this long waits for a process that hangs.
pub const WAIT: Duration = Duration::from_secs(120);

/// The most items of a batch. Replays rely on it: they look for a batch's records no further back
/// than this.
pub const BATCH_ITEMS: u64 = 1_000;

/// The ledger of one issuer's machine, opened by one run.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    connection: Connection,
    hash_key: [u8; 32],
    run: Option<i64>,
    lists: OpenLists,
    last_event: i64,
    /// What was issued at positions that now hold something else. Where rows were put in or taken
    /// out, it stands at another position, and is not issued there once more.
    displaced: HashMap<ContentHash, Uuid>,
    /// What a dry run has changed so far.
    foreseen: status::Foreseen,
}

/// Whether a ledger went back in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// Nothing speaks against it.
    Whole,
    /// The ledger has fewer events than it once had; its lists were closed.
    WentBack,
    /// Another ledger was kept in a file of this name before.
    Replaced,
}

impl Ledger {
    /// Opens the ledger, and creates it where there is no such file.
    ///
    /// # Errors
    /// Where the file cannot be opened or created, is no ledger, is damaged, or was written by a
    /// newer version. It is never replaced.
    pub fn open(path: &Path) -> Result<(Ledger, History), LedgerError> {
        schema::create_missing(path)?;
        // The mark is read first: it may rise at any time, and the ledger is always ahead of it.
        let marked = mark::read(path);
        let mut ledger = Ledger::on(schema::connect(path)?, path)?;
        let history = ledger.compare_with(marked)?;
        Ok((ledger, history))
    }

    /// As [`Ledger::open`], but `None` where there is no such file.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_existing(path: &Path) -> Result<Option<(Ledger, History)>, LedgerError> {
        match path.exists() {
            true => Ledger::open(path).map(Some),
            false => Ok(None),
        }
    }

    /// Opens a ledger to look at it while others may write. `None` where there is none.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_to_look(path: &Path) -> Result<Option<Ledger>, LedgerError> {
        match path.exists() {
            true => Ok(Some(Ledger::on(schema::connect_to_look(path)?, path)?)),
            false => Ok(None),
        }
    }

    /// Opens a ledger without changing a byte of it, for a dry run. `None` where there is none.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_read_only(path: &Path) -> Result<Option<Ledger>, LedgerError> {
        match path.exists() {
            true => Ok(Some(Ledger::on(schema::connect_read_only(path)?, path)?)),
            false => Ok(None),
        }
    }

    fn on(connection: Connection, path: &Path) -> Result<Ledger, LedgerError> {
        let fail = |source| LedgerError::sqlite("read", path, source);
        let hash_key =
            connection.query_row("SELECT hash_key FROM ledger", [], |row| row.get(0)).map_err(fail)?;
        let last_event = status::last_event(&connection).map_err(fail)?;
        Ok(Ledger {
            path: path.to_owned(),
            connection,
            hash_key,
            run: None,
            lists: OpenLists::default(),
            last_event,
            displaced: HashMap::new(),
            foreseen: status::Foreseen::default(),
        })
    }

    fn compare_with(&mut self, marked: Option<Mark>) -> Result<History, LedgerError> {
        match marked {
            Some(mark) if mark.is_beyond(&self.hash_key, self.last_event) => {}
            Some(mark) if mark.is_of_another(&self.hash_key) => {
                mark::set(&self.path, &self.hash_key, self.last_event);
                return Ok(History::Replaced);
            }
            _ => return Ok(History::Whole),
        }
        self.connection
            .execute("UPDATE lists SET closed = 1", [])
            .map_err(|source| LedgerError::sqlite("write", &self.path, source))?;
        mark::set(&self.path, &self.hash_key, self.last_event);
        Ok(History::WentBack)
    }

    /// The ledger's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key for hashes of requests, subjects' ids and correlation ids.
    pub fn hash_key(&self) -> [u8; 32] {
        self.hash_key
    }

    /// The numbers of all status lists, in the order in which they were opened.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn status_lists(&self) -> Result<Vec<i64>, LedgerError> {
        lists::numbers(&self.connection).map_err(|source| self.cannot("read", source))
    }

    /// A status list as it is to be published.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn status_list(&self, number: i64) -> Result<ListState, LedgerError> {
        // One snapshot: a list's forms and its entries must fit together while others write.
        let snapshot = Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred);
        snapshot
            .and_then(|snapshot| lists::state(&snapshot, number))
            .map_err(|source| self.cannot("read", source))
    }

    /// Notes how far the ledger has come. The mark rises with each commit, not only at the end: a
    /// run that is killed is a reason for restoring a backup.
    fn came_to(&mut self, last_event: i64) {
        self.last_event = last_event;
        mark::raise(&self.path, &self.hash_key, last_event);
    }

    fn cannot(&self, action: &'static str, source: rusqlite::Error) -> LedgerError {
        LedgerError::sqlite(action, &self.path, source)
    }
}

/// What SQLite says of a file whose content cannot be.
fn corrupt() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), None)
}

fn random<const N: usize>() -> rusqlite::Result<[u8; N]> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

fn fill(bytes: &mut [u8]) -> rusqlite::Result<()> {
    getrandom::fill(bytes).map_err(|source| rusqlite::Error::ToSqlConversionFailure(Box::new(source)))
}
