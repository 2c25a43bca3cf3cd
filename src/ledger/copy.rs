//! Copying and moving a ledger, from any kind of store to any other.
//!
//! A copy has every row of the ledger as of one moment, with the same numbers, so that its audit trail is the same. Each
//! row that has a checksum is compared with that on its way, and the copy's trail is gone through before it counts.
//!
//! # Moving
//!
//! There is never a moment at which two ledgers can be issued from:
//!
//! | step | durable when it is done | the ledger is |
//! | --- | --- | --- |
//! | 1 | the source's open lists are closed: its indices are never given by another ledger | the source |
//! | 2 | the target, whole but *arriving*: nothing can be written to it | the source |
//! | 3 | the source is *moved*: it names the target, and nothing can be written to it | none |
//! | 4 | the target is no longer arriving | the target |
//!
//! The source is locked from 2 to 3, so that nothing is issued that the copy lacks. Who dies in between leaves a source
//! that is in use beside a target that is not, or, between 3 and 4, neither in use: the same command makes the target
//! anew, or takes the last step.

use super::batches::StoredBatch;
use super::checksum::contradiction;
use super::closings::Closing;
use super::identity::{FileId, Identity};
use super::rows::SegmentRow;
use super::runs::FoundRun;
use super::schemas::CitedSchema;
use super::scopes::Scope;
use super::seal::{self, Counts, Done, Seal, Writing};
use super::state::State;
use super::store::{Access, BatchOrder, Store, Stored, Transaction};
use super::{Address, Ledger, LedgerError, events, lists, sqlite, statuses};

/// What a copy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be put back if need be: it has no home, and whoever uses it is told.
    Backup,
    /// To take the ledger's place, here.
    Move(FileId),
}

/// Copies all rows from one store to another one that has none, within a transaction of each. How far the ledger has
/// come.
pub(super) fn all(from: &dyn Store, to: &dyn Store, purpose: Purpose) -> Stored<(Identity, State)> {
    Seal::read(from)?;
    to.insert_seal(&from.seal()?)?;
    let mut identity = Identity::read(from)?;
    (identity.home, identity.moved_to) = match purpose {
        Purpose::Backup => (FileId::default(), identity.moved_to),
        Purpose::Move(home) => (home, Some(String::new())),
    };
    identity.insert(to)?;
    Closing::all(from)?;
    from.closings()?.iter().try_for_each(|row| to.insert_closing(row))?;
    CitedSchema::all(from)?;
    from.schemas()?.iter().try_for_each(|row| to.insert_schema(row))?;
    copy_scopes(from, to)?;
    from.scan_runs(&mut |row| {
        FoundRun::read(row.clone())?;
        to.insert_run(&row)
    })?;
    for number in lists::numbers(from)? {
        to.insert_list(&lists::of(from, number)?)?;
        from.order_of(number)?.iter().try_for_each(|part| to.insert_order_part(part))?;
    }
    from.scan_batches(BatchOrder::Slot, &mut |row| {
        to.insert_batch(&row)?;
        StoredBatch::read(row).map(drop)
    })?;
    statuses::must_be_whole(from)?;
    from.scan_statuses(&mut |row| to.set_status(&row))?;
    from.events_after(0, u64::MAX, &mut |row| to.insert_event(&row))?;
    let trail = events::verify(to, from.last_event()?.map(|last| last.hash))?;
    match trail.problems.first() {
        None => Ok((identity, seal::state(to)?)),
        Some(problem) => Err(contradiction(problem.clone())),
    }
}

fn copy_scopes(from: &dyn Store, to: &dyn Store) -> Stored<()> {
    Scope::all(from)?;
    from.scan_scopes(&mut |row| {
        let scope = row.scope;
        to.insert_scope(&row)?;
        for head in from.segments_of(scope)? {
            let filter = from.segment_filter(head.segment)?;
            let entries = from.segment_entries(head.segment)?;
            to.insert_segment(&SegmentRow { head, scope, filter, entries })?;
        }
        Ok(())
    })
}

impl Ledger {
    /// Moves this ledger to a place where there is none: see [`super::copy`].
    ///
    /// # Errors
    /// Where either cannot be written, there is another ledger at the target, or this one was moved elsewhere.
    pub fn move_to(mut self, target: &Address) -> Result<(), LedgerError> {
        let name = target.full_name();
        match self.moved_to()? {
            Some(to) if to == name => return self.take_last_step(target),
            Some(to) => return Err(LedgerError::Moved { path: self.path, to }),
            None => {}
        }
        remove_arriving(target, self.id()?)?;
        // Until nobody has opened one in between.
        let writing = loop {
            self.close_lists()?;
            let fail = |source| LedgerError::store("move", &self.path, source);
            let writing = Writing::begin(&*self.store, &self.path, fail)?;
            if !writing.store.has_open_lists().map_err(fail)? {
                break writing;
            }
        };
        let fail = |source| LedgerError::store("move", &self.path, source);
        create_at(target, &*self.store)?;
        let mut identity = Identity::read(writing.store).map_err(fail)?;
        identity.moved_to = Some(name);
        identity.update(writing.store).map_err(fail)?;
        writing.commit(fail)?;
        self.take_last_step(target)
    }

    /// Where the ledger was moved to; `None` for one that is in use.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn moved_to(&self) -> Result<Option<String>, LedgerError> {
        let identity = Identity::read(&*self.store).map_err(|source| self.cannot("read", source))?;
        Ok(identity.moved_to)
    }

    /// The ledger's random id.
    fn id(&self) -> Result<[u8; 16], LedgerError> {
        Identity::read(&*self.store).map(|found| found.id).map_err(|source| self.cannot("read", source))
    }

    /// Lets the target be used, now that this ledger cannot be.
    fn take_last_step(&self, target: &Address) -> Result<(), LedgerError> {
        let Some((arrived, _)) = Ledger::open_existing(target)? else {
            return Err(LedgerError::NotALedger { path: self.path.clone() });
        };
        let fail = |source| LedgerError::store("write", &arrived.path, source);
        let store = &*arrived.store;
        let transaction = Transaction::begin(store, Access::Write).map_err(fail)?;
        let reached = seal::state(store).map_err(fail)?;
        let mut identity = Identity::read(store).map_err(fail)?;
        if identity.id != self.id()? {
            return Err(LedgerError::Exists { path: arrived.path.clone() });
        }
        if identity.moved_to.is_none() {
            return Ok(());
        }
        identity.moved_to = None;
        identity.update(store).map_err(fail)?;
        seal::commit(store, transaction, Done::adding(reached, Counts::default()), fail)
    }
}

/// Clears the target of a copy of this ledger that was never in use. Refuses where there is anything else.
fn remove_arriving(target: &Address, id: [u8; 16]) -> Result<(), LedgerError> {
    let Some(found) = Ledger::open_to_look(target)? else { return Ok(()) };
    let is_arriving = found.moved_to()?.is_some_and(|to| to.is_empty()) && found.id()? == id;
    if !is_arriving {
        return Err(LedgerError::Exists { path: found.path.clone() });
    }
    drop(found);
    match target {
        Address::File(path) => sqlite::remove(path),
        #[cfg(feature = "postgres")]
        Address::Server(server) => super::postgres::remove(server),
    }
}

/// Makes the target, as an arriving copy of this store, which is locked.
fn create_at(target: &Address, from: &dyn Store) -> Result<(), LedgerError> {
    match target {
        Address::File(path) => sqlite::create_copy(path, from),
        #[cfg(feature = "postgres")]
        Address::Server(server) => super::postgres::create_copy(server, from),
    }
}
