//! The seam between the ledger and whatever keeps its rows.
//!
//! A [`Store`] reads and writes rows, and makes changes durable. It decides nothing: which index is given, what a replay
//! gets, which change of status is lawful, and whether a row is believed, is written once, above it. So every store
//! gives the same guarantees, and one suite of tests runs over all of them (`super::tests`).
//!
//! What a store promises:
//!
//! - Within [`Access::Write`] nobody else writes, and what is read includes what was written. All of it becomes durable
//!   with [`Store::commit`], or none.
//! - Within [`Access::Read`] everything is as it was at one moment, whatever others write.
//! - Rows come in the order that the method names, and exactly as they were written.

use std::any::Any;
use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::path::Path;

use super::LedgerError;
use super::lanes::Lanes;
use super::rows::{
    BatchRow, ClosingRow, EventRow, IndexRow, LedgerRow, ListRow, OrderRow, RunRow, SchemaRow, ScopeRow,
    SealRow, SegmentHead, SegmentRow, StatusRow,
};
use super::state::{State, Token};
use crate::files::Way;

/// What a method of a store comes to.
pub(super) type Stored<T> = Result<T, StoreError>;

/// Takes rows one by one. An error ends the reading.
pub(super) type Each<'e, R> = &'e mut dyn FnMut(R) -> Stored<()>;

/// Why a store cannot do what it is asked.
#[derive(Debug)]
pub enum StoreError {
    /// What it holds cannot be: a row that contradicts itself or another, or pages that are damaged.
    Damaged(Cause),
    /// Others have held it for too long.
    Busy,
    /// There is no space left.
    Full,
    /// It cannot be opened; the cause does not say why.
    CannotOpen(Cause),
    /// What is there is no ledger.
    NotALedger,
    /// A database server refuses, or is away.
    Server(ServerError),
    /// Anything else.
    Other(Cause),
}

/// What a database server says, or what keeps it from saying anything.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {said}", fault.words())]
pub struct ServerError {
    /// What kind of fault it is.
    pub fault: ServerFault,
    /// What was said.
    pub said: String,
    /// The constraint that was violated.
    pub(super) constraint: Option<String>,
}

/// What kind of fault a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerFault {
    /// Nobody answers.
    Unreachable,
    /// Its certificate was not accepted, or TLS failed otherwise.
    Tls,
    /// The connection broke off.
    Lost,
    /// It did not answer in time.
    Waited,
    /// It has no connection to spare.
    TooMany,
    /// The user or the password is not accepted.
    Password,
    /// The user lacks a right.
    NoRights,
    /// There is no such database.
    NoDatabase,
    /// It can only be read: a standby, or a database that is set so.
    ReadOnly,
    /// A commit would return before it is durable.
    Asynchronous,
    /// It does not say who it is, or on which timeline.
    Unguarded,
    /// What was to be written exists.
    Taken,
    /// Others were at work on the same rows.
    Conflict,
    /// No space is left.
    Full,
    /// A pooler stands before it that takes no unnamed statements.
    Pooler,
    /// Its own files are damaged.
    Damaged,
    /// Anything else.
    Other,
}

impl ServerFault {
    /// The fault in words.
    fn words(self) -> &'static str {
        match self {
            ServerFault::Unreachable => "the server cannot be reached",
            ServerFault::Tls => "no trusted connection to the server",
            ServerFault::Lost => "the connection to the server broke off",
            ServerFault::Waited => "the server did not answer in time",
            ServerFault::TooMany => "the server has no connection to spare",
            ServerFault::Password => "the server does not accept the user or the password",
            ServerFault::NoRights => "the database user lacks a right",
            ServerFault::NoDatabase => "the server has no such database",
            ServerFault::ReadOnly => "the server can only be read",
            ServerFault::Asynchronous => "the server would confirm a commit before it is durable",
            ServerFault::Unguarded => "the server does not say on which timeline it is",
            ServerFault::Taken => "the row exists",
            ServerFault::Conflict => "others changed the same rows",
            ServerFault::Full => "the server has no space left",
            ServerFault::Pooler => "the connection pooler does not pass statements on",
            ServerFault::Damaged => "the server's files are damaged",
            ServerFault::Other => "the server refuses",
        }
    }

    /// Whether it may be gone a moment later.
    pub(super) fn may_pass(self) -> bool {
        matches!(
            self,
            ServerFault::Lost | ServerFault::TooMany | ServerFault::Conflict | ServerFault::Unreachable
        )
    }
}

impl StoreError {
    /// The fault of the server, where it is one.
    #[cfg(feature = "postgres")]
    pub(super) fn fault(&self) -> Option<ServerFault> {
        match self {
            StoreError::Server(error) => Some(error.fault),
            _ => None,
        }
    }
}

/// The cause of an error.
type Cause = Box<dyn std::error::Error + Send + Sync>;

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Damaged(cause) | StoreError::CannotOpen(cause) | StoreError::Other(cause) => {
                cause.fmt(f)
            }
            StoreError::Server(error) => error.fmt(f),
            StoreError::Busy => f.write_str("in use by another process"),
            StoreError::Full => f.write_str("no space is left"),
            StoreError::NotALedger => f.write_str("no ledger"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StoreError::Damaged(cause) | StoreError::CannotOpen(cause) | StoreError::Other(cause) => {
                cause.source()
            }
            _ => None,
        }
    }
}

/// What a transaction is begun for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// To read as of one moment.
    Read,
    /// To write. Others wait.
    Write,
}

/// What a store is told of a transaction that is committed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Commit {
    /// How far the ledger had come before it.
    pub(super) reached: State,
    /// How far it has come with it.
    pub(super) writing: State,
    /// Its token.
    pub(super) token: Token,
    /// How many bytes of records it has, more or less.
    pub(super) bytes: u64,
    /// Whether it closes the open lists, so that no older copy of the ledger may give from them any more.
    pub(super) closes_lists: bool,
}

/// Which batches are looked for. Conditions that are not set hold for all.
#[derive(Debug, Clone, Default)]
pub(super) struct BatchQuery {
    /// From the batch of this number on.
    pub(super) from: i64,
    /// Up to this one.
    pub(super) up_to: Option<i64>,
    /// Of runs of this name.
    pub(super) run: Option<String>,
    /// Of runs of this issuer.
    pub(super) issuer: Option<String>,
    /// Of runs with this key.
    pub(super) kid: Option<String>,
    /// Of runs with this `vct`.
    pub(super) vct: Option<String>,
    /// Of runs of this credential type.
    pub(super) credential_type: Option<String>,
    /// That may hold credentials issued in these seconds.
    pub(super) issued: Option<RangeInclusive<i64>>,
    /// That may hold credentials that expire in these seconds.
    pub(super) expiring: Option<RangeInclusive<i64>>,
    /// Of which a credential is not active.
    pub(super) with_statuses: bool,
}

/// The order in which all batches are gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BatchOrder {
    /// By the number of the list and the first slot.
    Slot,
    /// By the time in their ids.
    Millis,
}

/// What sees that a store is where it was and what it was, from whatever thread.
pub trait Watcher: fmt::Debug + Send + Sync {
    /// Whether what was committed is where the next command will look.
    ///
    /// # Errors
    /// Where it is not.
    fn check(&self) -> Result<(), LedgerError>;
}

/// What keeps the rows of a ledger. It is [`Any`] so that the tests of a store can look into it.
pub(super) trait Store: Any + fmt::Debug + Send {
    /// Whether it can be written to.
    fn is_writable(&self) -> bool;
    /// What watches over it while it is written; none where nothing has to be watched.
    fn watcher(&self) -> Option<Box<dyn Watcher>>;
    /// Copies all of it, as of one moment, to a file.
    fn back_up(&self, file: &Path, way: Way) -> Result<(), LedgerError>;
    /// How several machines write to it at once, where they can.
    fn lanes(&self) -> Option<&dyn Lanes> {
        None
    }
    /// What is wrong with how the rows are kept, whatever they say.
    fn integrity_problems(&self) -> Stored<Vec<String>>;

    /// Begins a transaction. There is one at a time.
    fn begin(&self, purpose: Access) -> Stored<()>;
    /// Whether a transaction is open.
    fn is_in_transaction(&self) -> bool;
    /// Makes the open transaction durable.
    fn commit(&self, commit: Commit) -> Result<(), LedgerError>;
    /// Takes back the open transaction, if there is one.
    fn roll_back(&self);

    /// The rows of the runs of this name, in the order of their numbers.
    fn runs_named(&self, name: &str) -> Stored<Vec<RunRow>>;
    /// The run of this number.
    fn run(&self, run: i64) -> Stored<Option<RunRow>>;
    /// All runs, in the order of their numbers, found without an index.
    fn scan_runs(&self, each: Each<'_, RunRow>) -> Stored<()>;
    /// The greatest number of a run; 0 where there is none.
    fn last_run(&self) -> Stored<i64>;
    fn insert_run(&self, row: &RunRow) -> Stored<()>;
    /// Adds to `batches` of a run.
    fn add_to_run(&self, run: i64, batches: i64) -> Stored<()>;

    /// The batch of this number.
    fn batch(&self, batch: i64) -> Stored<Option<BatchRow>>;
    /// The greatest number of a batch; 0 where there is none.
    fn last_batch(&self) -> Stored<i64>;
    fn count_batches(&self) -> Stored<i64>;
    fn insert_batch(&self, row: &BatchRow) -> Stored<()>;
    /// The batches of the runs of this name whose first position is within these.
    fn batches_at(&self, run_name: &str, first: RangeInclusive<i64>, each: Each<'_, BatchRow>) -> Stored<()>;
    /// The batches with which runs began whose first items said this.
    fn batches_of_opening(&self, opening: i64) -> Stored<Vec<BatchRow>>;
    /// The batches whose ids have this time.
    fn batches_of_millis(&self, id_millis: i64) -> Stored<Vec<BatchRow>>;
    /// The batches that a query finds, in the order of their numbers; `each` says whether to go on.
    fn find_batches(&self, query: &BatchQuery, each: &mut dyn FnMut(BatchRow) -> Stored<bool>) -> Stored<()>;
    /// All batches.
    fn scan_batches(&self, order: BatchOrder, each: Each<'_, BatchRow>) -> Stored<()>;
    /// What the index by position shows of a run.
    fn batch_index(&self, run: i64, each: Each<'_, IndexRow>) -> Stored<()>;
    /// The latest time at which a credential expires that was signed with the key of this id.
    fn last_expiry_of_key(&self, kid: &str) -> Stored<Option<i64>>;

    /// The scope of this kind and name.
    fn scope_named(&self, kind: &str, name: &str) -> Stored<Option<ScopeRow>>;
    /// All scopes, in the order of their numbers, found without an index.
    fn scan_scopes(&self, each: Each<'_, ScopeRow>) -> Stored<()>;
    /// The greatest number of a scope; 0 where there is none.
    fn last_scope(&self) -> Stored<i64>;
    fn insert_scope(&self, row: &ScopeRow) -> Stored<()>;
    /// Writes what can change of a scope: its version, and what its index has.
    fn update_scope(&self, row: &ScopeRow) -> Stored<()>;
    /// The segments of a scope's index, in the order of their numbers, but for what is in them.
    fn segments_of(&self, scope: i64) -> Stored<Vec<SegmentHead>>;
    /// The filters of these segments, in their order; empty where there is no such segment.
    fn segment_filters(&self, segments: &[i64]) -> Stored<Vec<Vec<u8>>>;
    /// The entries of these segments, in their order; empty where there is no such segment.
    fn segment_entries(&self, segments: &[i64]) -> Stored<Vec<Vec<u8>>>;
    /// The greatest number of a segment; 0 where there is none.
    fn last_segment(&self) -> Stored<i64>;
    fn insert_segment(&self, row: &SegmentRow) -> Stored<()>;
    fn delete_segment(&self, segment: i64) -> Stored<()>;

    /// The greatest number of a list; 0 where there is none.
    fn last_list(&self) -> Stored<i64>;
    /// The list of this number.
    fn list(&self, list: i64) -> Stored<Option<ListRow>>;
    /// The numbers of all lists, ascending.
    fn list_numbers(&self) -> Stored<Vec<i64>>;
    /// The open list of an issuer and base URL that was opened last and of which fewer slots are taken.
    fn open_list(&self, issuer: &str, base: &str, taken_below: u32) -> Stored<Option<i64>>;
    /// Whether any list is open.
    fn has_open_lists(&self) -> Stored<bool>;
    fn insert_list(&self, row: &ListRow) -> Stored<()>;
    /// Keeps these slots of a list from being given once more, beside what `taken` says. A store in which one process
    /// writes at a time has nothing to add to that.
    fn claim_slots(&self, _list: i64, _slots: Range<u32>) -> Stored<()> {
        Ok(())
    }
    /// Writes what can change of a list: its suspension form, what is taken, and whether it is closed.
    fn update_list(&self, row: &ListRow) -> Stored<()>;
    /// Where the last batch of a list ends; none where it has none.
    fn end_of_batches(&self, list: i64) -> Stored<Option<u32>>;
    /// The batches of a list that have a status.
    fn batches_with_statuses(&self, list: i64) -> Stored<Vec<i64>>;
    /// A part of a list's order.
    fn order_part(&self, list: i64, part: u32) -> Stored<Option<OrderRow>>;
    fn insert_order_part(&self, row: &OrderRow) -> Stored<()>;
    /// All parts of a list's order, ascending.
    fn order_of(&self, list: i64) -> Stored<Vec<OrderRow>>;

    /// The status of a credential that is not active.
    fn status(&self, batch: i64, place: u32) -> Stored<Option<StatusRow>>;
    fn statuses_of(&self, batch: i64) -> Stored<Vec<StatusRow>>;
    /// All statuses, in the order in which they are kept.
    fn scan_statuses(&self, each: Each<'_, StatusRow>) -> Stored<()>;
    fn count_statuses(&self) -> Stored<i64>;
    /// Writes a status in the place of another one.
    fn set_status(&self, row: &StatusRow) -> Stored<()>;
    fn delete_status(&self, batch: i64, place: u32) -> Stored<()>;

    /// The event of the greatest number.
    fn last_event(&self) -> Stored<Option<EventRow>>;
    /// The event of this number.
    fn event(&self, event: i64) -> Stored<Option<EventRow>>;
    fn insert_event(&self, row: &EventRow) -> Stored<()>;
    /// The events after this one, in their order, at most so many.
    fn events_after(&self, event: i64, limit: u64, each: Each<'_, EventRow>) -> Stored<()>;
    /// The events of a batch, in their order.
    fn events_of(&self, batch: i64) -> Stored<Vec<EventRow>>;
    /// The latest time of the last so many events.
    fn latest_event_time(&self, among: u64) -> Stored<Option<i64>>;

    fn seal(&self) -> Stored<SealRow>;
    fn insert_seal(&self, row: &SealRow) -> Stored<()>;
    fn update_seal(&self, row: &SealRow) -> Stored<()>;
    fn ledger(&self) -> Stored<LedgerRow>;
    fn insert_ledger(&self, row: &LedgerRow) -> Stored<()>;
    /// Writes what can change of the ledger's own row: where it is at home, and where it was moved to.
    fn update_ledger(&self, row: &LedgerRow) -> Stored<()>;
    /// All schemas, in the order of their versions.
    fn schemas(&self) -> Stored<Vec<SchemaRow>>;
    fn insert_schema(&self, row: &SchemaRow) -> Stored<()>;

    /// All closings, in their order.
    fn closings(&self) -> Stored<Vec<ClosingRow>>;
    fn insert_closing(&self, row: &ClosingRow) -> Stored<()>;
}

/// A transaction, which is taken back unless it is committed.
#[derive(Debug)]
pub(super) struct Transaction<'s> {
    store: &'s dyn Store,
}

impl<'s> Transaction<'s> {
    pub(super) fn begin(store: &'s dyn Store, purpose: Access) -> Stored<Transaction<'s>> {
        store.begin(purpose)?;
        Ok(Transaction { store })
    }

    /// Makes it durable.
    pub(super) fn commit(self, commit: Commit) -> Result<(), LedgerError> {
        self.store.commit(commit)
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        self.store.roll_back();
    }
}

/// Reads several rows as they are at one moment, so that they fit together while others write: within the transaction
/// that is open, else in one of its own.
pub(super) fn in_one_snapshot<T>(store: &dyn Store, read: impl FnOnce() -> Stored<T>) -> Stored<T> {
    let begin = || Transaction::begin(store, Access::Read);
    let snapshot = (!store.is_in_transaction()).then(begin).transpose()?;
    let outcome = read();
    drop(snapshot);
    outcome
}
