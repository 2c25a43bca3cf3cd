//! The ledger: the one place with state.
//!
//! # What it promises
//!
//! Under kill -9, power loss, a full disk and several processes at once:
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
//! | `seal` | the last transaction's token, and how many rows other tables have | there is one |
//! | `ledger` | the ledger itself: its id, its secret key for hashes, the file that is its home | there is one |
//! | `closings` | a time at which the open lists were closed | its number |
//! | `schemas` | a JSON Schema that credentials cite by its hash | issuer, type and version |
//! | `scopes` | an idempotency key or a register, within which items are known by ids | kind and name |
//! | `segments` | a part of a scope's index of items | its number; its scope |
//! | `runs` | a run, or all runs under one idempotency key, and what they must have in common | its name |
//! | `lists` | a status list: its URIs, its secret, how many slots are taken | issuer and base URL |
//! | `orders` | a part of a list's secret order, as its secret gives it | list and part |
//! | `batches` | up to 1,000 credentials issued together | run and position; the millisecond in their ids |
//! | `statuses` | a credential that is suspended or revoked | its batch and its place in that |
//! | `events` | something that happened: issued, replayed, adopted, revoked, suspended, reinstated | its number; its batch |
//!
//! All ids of a batch hold the same millisecond (UUID version 7), so a credential is found by its
//! id through that: one index entry a batch.
//!
//! # Several processes
//!
//! Every write happens inside `BEGIN IMMEDIATE`, which one process holds at a time; the others
//! wait ([`WAIT`]). No decision is taken from something read outside the transaction that writes.
//!
//! # What is believed
//!
//! Nothing that is read is believed unchecked, and no file because of its name: `sqlite::trust` says what is
//! proved when a ledger is opened, in each transaction and at each commit, and decides.

mod address;
pub mod allocation;
mod batches;
mod change;
mod check;
mod checksum;
mod closings;
mod copy;
mod credentials;
mod error;
mod events;
mod identity;
mod issue;
mod issued;
mod items;
mod known;
mod lanes;
mod lists;
#[cfg(test)]
mod memory;
mod openings;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
mod register;
mod renewal;
mod retry;
mod rows;
mod runs;
mod schemas;
mod scopes;
mod seal;
mod sqlite;
mod state;
mod statuses;
mod store;
mod terms;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

pub use address::Address;
pub use change::{Change, ChangeOrder, ChangeRefusal, Changed};
pub use check::Examination;
pub use closings::{ClosingReason, Restoration};
pub use credentials::{Credential, Filter, Run};
pub use error::{Difference, Disturbance, LedgerError};
pub use events::{Event, EventHash, EventKind, Trail};
pub use issue::{Answer, Conflict, Entry, grants_without_ledger, is_run_name, new_run_name};
pub use lists::ListState;
pub use openings::{Duplicate, Duplicates};
#[cfg(feature = "postgres")]
pub use postgres::{ServerAddress, UrlError};
pub use record::{Record, RecordPlace};
pub use register::{Changing, Member, RegisterName, RegisterView, Standing, SyncOrder};
pub use schemas::CitedSchema;
pub use sqlite::FORMAT_VERSION;
pub use sqlite::Mark;
pub use state::State;
pub use store::{ServerError, ServerFault, StoreError, Watcher};
pub use terms::{RunDescription, Terms, TypeTerms};

use crate::clock::{UnixTime, system_now};
use crate::files::Way;
use crate::request::{ContentHash, ItemKey};
use checksum::contradiction;
use closings::Closing;
use identity::Identity;
use issue::Indexed;
#[cfg(feature = "postgres")]
use lanes::Grants;
use lanes::{Generation, LaneUse};
use lists::OpenLists;
use runs::RunNumbers;
use store::{Store, Stored, in_one_snapshot};

/// How long a process waits for others to finish their transactions, each of which takes
/// milliseconds. Whoever waits this long waits for a process that hangs.
pub const WAIT: Duration = Duration::from_secs(120);

/// By how many seconds the clock may be before the ledger's last event, unremarked.
const CLOCK_LEEWAY: i64 = 60;

/// The ledger of one issuer's machine, opened by one run.
#[derive(Debug)]
pub struct Ledger {
    address: Address,
    /// The address as messages name it.
    path: PathBuf,
    store: Box<dyn Store>,
    hash_key: [u8; 32],
    /// The rows of the run, once something was recorded.
    runs: Option<RunNumbers>,
    /// Within what the run's items are known by their ids.
    indexed: Option<Indexed>,
    /// Whether the run has begun to issue.
    is_opened: bool,
    /// What becomes of a run that begins as one before did, and that one.
    duplicates: Duplicates,
    duplicate: Option<Duplicate>,
    /// How often the index of the register was changed when it was viewed or last changed by this process.
    register_version: i64,
    /// The ids that a dry run would have issued for so far.
    previewed_ids: HashSet<ItemKey>,
    lists: OpenLists,
    /// What was issued at positions that now hold something else. Where rows were put in or taken
    /// out, it stands at another position, and is not issued there once more.
    displaced: HashMap<ContentHash, Uuid>,
    /// How lanes are used, where the store has any.
    lane_use: LaneUse,
    /// What of the ledger was known belongs to this one; none before anything was written to a store that is shared.
    generation: Option<Generation>,
    /// What a dry run has changed so far.
    previewed: change::Previewed,
    history: History,
    /// What was noticed since it was opened, and not told yet.
    noticed: Option<Restoration>,
    /// Whether the statuses were all seen to be there, which is asked once.
    statuses_are_whole: bool,
    /// The last event, where the clock is before it.
    clock_behind: Option<UnixTime>,
    /// Whether credentials may be issued that have expired by the ledger's last event.
    accepts_expired: bool,
    /// How many credentials were issued that are not seen through it.
    unseen: u64,
    /// Whether it was opened without what was granted and not entered.
    leaves_grants: bool,
}

/// What became of a ledger before it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum History {
    /// Nothing speaks against it.
    Whole,
    /// It may not know everything that was issued from it; its open lists were closed.
    Restored(Restoration),
    /// Another ledger was kept in a file of this name before.
    Replaced,
}

impl Ledger {
    /// Opens the ledger, and creates it where there is no such file.
    ///
    /// # Errors
    /// Where the file cannot be opened or created, is no ledger, is damaged, has a second name, or was
    /// written by another version. It is never replaced.
    pub fn open(at: impl Into<Address>) -> Result<(Ledger, History), LedgerError> {
        match at.into() {
            Address::File(path) => sqlite::to_write(&path),
            #[cfg(feature = "postgres")]
            Address::Server(server) => postgres::to_write(&server, Grants::Enter),
        }
    }

    /// As [`Ledger::open`], for issuing. In a database, what others have issued is entered only when something is to be
    /// recorded or previewed that depends on it.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_to_issue(at: impl Into<Address>) -> Result<(Ledger, History), LedgerError> {
        match at.into() {
            #[cfg(feature = "postgres")]
            Address::Server(server) => {
                let (mut ledger, history) = postgres::to_write(&server, Grants::Leave)?;
                ledger.leaves_grants = true;
                Ok((ledger, history))
            }
            at => Ledger::open(at),
        }
    }

    /// As [`Ledger::open`], but `None` where there is no such file.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_existing(at: impl Into<Address>) -> Result<Option<(Ledger, History)>, LedgerError> {
        match at.into() {
            Address::File(path) if path.exists() => sqlite::to_write(&path).map(Some),
            Address::File(_) => Ok(None),
            #[cfg(feature = "postgres")]
            Address::Server(server) => postgres::to_write_existing(&server),
        }
    }

    /// Opens a ledger to look at it while others may write. `None` where there is none.
    ///
    /// # Errors
    /// As [`Ledger::open`], and where its log is not its own.
    pub fn open_to_look(at: impl Into<Address>) -> Result<Option<Ledger>, LedgerError> {
        match at.into() {
            Address::File(path) => sqlite::to_look(&path, false),
            #[cfg(feature = "postgres")]
            Address::Server(server) => postgres::to_look(&server, false),
        }
    }

    /// Opens a ledger without changing a byte of it, for a dry run. `None` where there is none.
    ///
    /// # Errors
    /// As [`Ledger::open_to_look`].
    pub fn open_read_only(at: impl Into<Address>) -> Result<Option<Ledger>, LedgerError> {
        match at.into() {
            Address::File(path) => sqlite::to_look(&path, true),
            #[cfg(feature = "postgres")]
            Address::Server(server) => postgres::to_look(&server, true),
        }
    }

    fn on(store: Box<dyn Store>, at: impl Into<Address>, identity: Identity) -> Ledger {
        let address = at.into();
        Ledger {
            path: match &address {
                Address::File(path) => path.clone(),
                #[cfg(feature = "postgres")]
                Address::Server(server) => server.to_string().into(),
            },
            address,
            store,
            hash_key: identity.hash_key,
            runs: None,
            indexed: None,
            is_opened: false,
            duplicates: Duplicates::default(),
            duplicate: None,
            register_version: 0,
            previewed_ids: HashSet::new(),
            lists: OpenLists::default(),
            displaced: HashMap::new(),
            lane_use: LaneUse::default(),
            generation: None,
            previewed: change::Previewed::default(),
            history: History::Whole,
            noticed: None,
            statuses_are_whole: false,
            clock_behind: None,
            accepts_expired: false,
            unseen: 0,
            leaves_grants: false,
        }
    }

    /// What became of the ledger before it was opened.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// When the ledger last turned out not to know everything that was issued from it, or its lists were
    /// closed on request: since then, a published list may have revocations that the ledger does not.
    /// `None` where that never happened. Nothing takes it back.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn restored_at(&self) -> Result<Option<UnixTime>, LedgerError> {
        // One that is only looked at cannot note what was found now.
        if !self.store.is_writable() && matches!(self.history, History::Restored(_)) {
            return Ok(Some(system_now()));
        }
        let closings = Closing::all(&*self.store).map_err(|source| self.cannot("read", source))?;
        Ok(closings.iter().rfind(|closing| closing.may_lack_something()).map(|closing| closing.at))
    }

    /// The time of the ledger's last event, where the clock is more than a minute before it.
    pub fn clock_behind(&self) -> Option<UnixTime> {
        self.clock_behind
    }

    /// How many credentials were issued that are not seen through this: a ledger in a database enters what was issued
    /// lately when it is next opened to be looked at, if it may be written.
    pub fn unseen(&self) -> u64 {
        self.unseen
    }

    /// Lets credentials be issued that have expired by the time of the ledger's last event:
    /// somebody has said when they are issued.
    pub fn accept_expired(&mut self) {
        self.accepts_expired = true;
    }

    /// Notes what became of the ledger while this process had it open.
    fn note_restored(&mut self, restored: Option<Restoration>) {
        if let Some(restoration) = restored {
            self.noticed = Some(restoration.clone());
            self.history = History::Restored(restoration);
        }
    }

    /// What became of the ledger since it was opened, once: the caller tells of it.
    pub fn take_noticed(&mut self) -> Option<Restoration> {
        self.noticed.take()
    }

    /// The watch over the ledger's file, for whoever hands results out. `None` for a ledger that is only
    /// looked at.
    pub fn watcher(&self) -> Option<Box<dyn Watcher>> {
        self.store.watcher()
    }

    /// Writes a copy of the ledger as it is at one moment, while others may go on writing. The file
    /// appears whole, for its owner alone (mode 0600). Whoever uses it as a ledger is told, and its open lists are
    /// closed.
    ///
    /// # Errors
    /// Where the ledger cannot be read, the file cannot be written, or is there although it should be new.
    pub fn backup(&self, file: &Path, way: Way) -> Result<(), LedgerError> {
        self.store.back_up(file, way)
    }

    fn note_clock(&mut self) -> Result<(), LedgerError> {
        // The latest of the last ones: an event that was recorded while the clock was wrong does not hide those
        // before it.
        let last = self.store.latest_event_time(1_000).map_err(|source| self.cannot("read", source))?;
        let last = last.and_then(UnixTime::from_seconds);
        self.clock_behind = last.filter(|last| system_now().saturating_add(CLOCK_LEEWAY) < *last);
        Ok(())
    }

    /// The ledger's file, or the URL of its database, as messages name it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is kept.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Whether it was opened to be written.
    pub fn is_writable(&self) -> bool {
        self.store.is_writable()
    }

    /// The key for hashes of requests, subjects' ids and correlation ids.
    pub fn hash_key(&self) -> [u8; 32] {
        self.hash_key
    }

    /// The numbers of all status lists, in the order in which they were opened: all that there are.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn status_lists(&self) -> Result<Vec<i64>, LedgerError> {
        statuses::must_be_whole(&*self.store)
            .and_then(|()| lists::numbers(&*self.store))
            .map_err(|source| self.cannot("read", source))
    }

    /// A status list as it is to be published.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn status_list(&self, number: i64) -> Result<ListState, LedgerError> {
        // One snapshot: a list's forms and its entries must fit together while others write.
        in_one_snapshot(&*self.store, || lists::state(&*self.store, number))
            .map_err(|source| self.cannot("read", source))
    }

    fn cannot(&self, action: &'static str, source: StoreError) -> LedgerError {
        LedgerError::store(action, &self.path, source)
    }
}

/// A store that can be written to.
fn writable<'s>(store: &'s dyn Store, path: &Path) -> Result<&'s dyn Store, LedgerError> {
    match store.is_writable() {
        true => Ok(store),
        false => Err(LedgerError::looked_at_only(path)),
    }
}

/// Every file that is or can be part of the ledger at this path, whether it is there or not.
pub fn files_of(path: &Path) -> Vec<PathBuf> {
    sqlite::files_of(path)
}

/// The number after the last one.
fn next(last: i64) -> Stored<i64> {
    last.checked_add(1).filter(|next| *next > 0).ok_or_else(corrupt)
}

/// What is said of a row whose content cannot be.
fn corrupt() -> StoreError {
    contradiction("a row holds what no ledger writes")
}

fn random<const N: usize>() -> Stored<[u8; N]> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

fn fill(bytes: &mut [u8]) -> Stored<()> {
    getrandom::fill(bytes).map_err(|source| StoreError::Other(source.into()))
}
