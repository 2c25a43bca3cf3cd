//! Copying and moving a ledger, from any kind of store to any other.
//!
//! A copy has every row of the ledger as of one moment, with the same numbers, so that its audit trail is the same. Before
//! it counts, all of it is looked at in its new place: each row and its checksum, each list's slots and order, the index
//! of items, and the audit trail. So a damaged ledger is not copied. The seal has tokens of its own, so that no log of
//! the source fits the copy.
//!
//! # Moving
//!
//! There is never a moment at which two ledgers can be issued from:
//!
//! | step | durable when it is done | in use |
//! | --- | --- | --- |
//! | 1 | the target, whole but *arriving*: nothing can be written to it | the source |
//! | 2 | the source is *moved*: its lists are closed, it names the target, and nothing can be written to it | none |
//! | 3 | the target is no longer arriving | the target |
//!
//! One transaction of the source goes from before step 1 to step 2. It first closes the open lists, in the copy too, so
//! that nobody gives anything from them while the copy is made, with or without the ledger's lock. Who dies before step 2
//! leaves the source as it was, in use, beside nothing or a target that is not in use: the same command makes the target
//! anew. Who dies between 2 and 3 leaves neither in use, and the same command takes the last step.
//!
//! A target that is a file is made under another name first, and appears whole.

use super::batches::StoredBatch;
use super::check::Examination;
use super::checksum::contradiction;
use super::closings::{self, ClosingReason};
use super::identity::{FileId, Identity};
use super::rows::SegmentRow;
use super::seal::{self, Counts, Done, Seal, Writing};
use super::state::State;
use super::store::{Access, BatchOrder, Store, Stored, Transaction};
use super::{Address, Ledger, LedgerError, lanes, lists, sqlite};

/// So many segments of an index are copied at once.
const SEGMENTS_COPIED: usize = 16;

/// What a copy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be put back if need be: it has no home, and whoever uses it is told.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "a file is backed up page by page"))]
    Backup,
    /// To take the ledger's place, here.
    Move(FileId),
}

/// Copies all rows from one store to another one that has none, within a transaction of each. How far the ledger has
/// come. A damaged source is refused: then the transaction of the target is to be taken back.
///
/// Rows go one by one: whatever the ledger's size, memory holds one of them, and a few numbers for each batch while the
/// trail is gone through.
pub(super) fn all(from: &dyn Store, to: &dyn Store, purpose: Purpose) -> Stored<(Identity, State)> {
    Seal::insert_with(to, Seal::read(from)?.counts)?;
    let mut identity = Identity::read(from)?;
    (identity.home, identity.moved_to) = match purpose {
        Purpose::Backup => (FileId::default(), identity.moved_to),
        Purpose::Move(home) => (home, Some(String::new())),
    };
    identity.insert(to)?;
    from.closings()?.iter().try_for_each(|row| to.insert_closing(row))?;
    from.schemas()?.iter().try_for_each(|row| to.insert_schema(row))?;
    copy_scopes(from, to)?;
    from.scan_runs(&mut |row| to.insert_run(&row))?;
    for number in lists::numbers(from)? {
        to.insert_list(&lists::of(from, number)?)?;
        from.order_of(number)?.iter().try_for_each(|part| to.insert_order_part(part))?;
    }
    from.scan_batches(BatchOrder::Slot, &mut |row| {
        to.insert_batch(&row)?;
        StoredBatch::read(row).map(drop)
    })?;
    from.scan_statuses(&mut |row| to.set_status(&row))?;
    from.events_after(0, u64::MAX, &mut |row| to.insert_event(&row))?;
    must_be_as(from, to)?;
    Ok((identity, seal::state(to)?))
}

/// Refuses a copy that is not all of the source, or in which anything contradicts anything. It is looked at as it
/// is in the target, so that what was lost or changed on the way is noticed, too.
fn must_be_as(from: &dyn Store, to: &dyn Store) -> Stored<()> {
    if seal::state(from)? != seal::state(to)? {
        return Err(contradiction("the copy has other events than the ledger"));
    }
    match Examination::problems_of_copy(to)?.first() {
        None => Ok(()),
        Some(problem) => Err(contradiction(problem.clone())),
    }
}

fn copy_scopes(from: &dyn Store, to: &dyn Store) -> Stored<()> {
    from.scan_scopes(&mut |row| {
        let scope = row.scope;
        to.insert_scope(&row)?;
        for heads in from.segments_of(scope)?.chunks(SEGMENTS_COPIED) {
            let numbers: Vec<i64> = heads.iter().map(|head| head.segment).collect();
            let parts = from.segment_filters(&numbers)?.into_iter().zip(from.segment_entries(&numbers)?);
            for (head, (filter, entries)) in heads.iter().zip(parts) {
                to.insert_segment(&SegmentRow { head: *head, scope, filter, entries })?;
            }
        }
        Ok(())
    })
}

impl Ledger {
    /// Moves this ledger to a place where there is none: see the module `copy`.
    ///
    /// # Errors
    /// Where either cannot be written, there is another ledger at the target, or this one was moved elsewhere.
    pub fn move_to(self, target: &Address) -> Result<(), LedgerError> {
        let name = target.full_name();
        match self.moved_to()? {
            Some(to) if to == name => return self.take_last_step(target),
            Some(to) => return Err(LedgerError::Moved { path: self.path, to }),
            None => {}
        }
        let fail = |source| LedgerError::store("move", &self.path, source);
        let mut writing = Writing::begin(&*self.store, &self.path, fail)?;
        // Under the source's lock: nobody else is about to make a target of it.
        remove_arriving(target, self.id()?)?;
        writing.done.bytes += close_for_good(writing.store).map_err(fail)?;
        writing.done.closes_lists = true;
        create_at(target, writing.store).map_err(|error| self.of_source(error))?;
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

    /// Refuses a ledger that was moved, or is still arriving: before anything is begun that could not be recorded.
    ///
    /// # Errors
    /// Then, and where the ledger cannot be read.
    pub fn must_be_in_use(&self) -> Result<(), LedgerError> {
        match self.moved_to()? {
            None => Ok(()),
            Some(to) => Err(LedgerError::Moved { path: self.path.clone(), to }),
        }
    }

    /// The ledger's random id.
    fn id(&self) -> Result<[u8; 16], LedgerError> {
        Identity::read(&*self.store).map(|found| found.id).map_err(|source| self.cannot("read", source))
    }

    /// Says of this ledger what was found while it was copied.
    fn of_source(&self, error: LedgerError) -> LedgerError {
        match error {
            LedgerError::Damaged { source, .. } => LedgerError::Damaged { path: self.path.clone(), source },
            other => other,
        }
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
        match identity.moved_to {
            None => return Ok(()),
            Some(to) if !to.is_empty() => return Err(LedgerError::Moved { path: arrived.path.clone(), to }),
            Some(_) => {}
        }
        identity.moved_to = None;
        identity.update(store).map_err(fail)?;
        seal::commit(store, transaction, Done::adding(reached, Counts::default()), fail)
    }
}

/// Closes the open lists, and takes in what was given from them without the ledger's lock. How many bytes of records that
/// was. Nothing more can be given until the transaction ends, so that the copy lacks nothing.
fn close_for_good(store: &dyn Store) -> Stored<u64> {
    closings::close_lists(store, vec![ClosingReason::Moved])?;
    let bytes = lanes::enter_the_rest(store)?;
    Seal::count(store, Counts { closings: 1, ..Counts::default() })?;
    Ok(bytes)
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
        Address::Server(server) => super::postgres::remove(server, id),
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use tempfile::TempDir;

    use super::super::memory::{Memory, MemoryStore};
    use super::super::store::{Commit, in_one_snapshot};
    use super::super::tests::{Home, draft, issued, order, run};
    use super::super::{Change, CitedSchema, Entry, RunDescription};
    use super::*;
    use crate::request::{Draft, IdRule, ItemId};

    /// A ledger to which everything has happened that can.
    fn filled(home: &Home) -> Ledger {
        let mut ledger = home.open();
        let ids = issued(&mut ledger, &run("a"), 2_300);
        ledger.change(order(Change::Suspend), &ids[..5]).unwrap();
        ledger.change(order(Change::Revoke), &ids[3..40]).unwrap();
        ledger.change(order(Change::Reinstate), &ids[..1]).unwrap();
        ledger.close_lists().unwrap();
        drop(ledger);
        // A ledger is opened by one run.
        let mut ledger = home.open();
        let under_key = RunDescription { repeatable: true, rule: IdRule::CorrelationId, ..run("b") };
        let drafts: Vec<_> = (0..200u8)
            .map(|item| Draft { id: ItemId::Key([item; 16]), correlation_hash: [1; 8], ..draft(item) })
            .collect();
        for _ in 0..2 {
            let entries = (0..).zip(&drafts).map(|(position, draft)| Entry { position, draft });
            ledger.record(&under_key, &entries.collect::<Vec<_>>()).unwrap();
        }
        let [issuer, credential_type, vct] =
            ["did:web:issuer.example", "business", "urn:x:1"].map(str::to_owned);
        let schema = CitedSchema {
            issuer,
            credential_type,
            vct,
            source: Vec::new(),
            version: 1,
            document: b"{}".into(),
        };
        ledger.keep_schemas(vec![schema]).unwrap();
        ledger
    }

    /// Copies a ledger into memory.
    fn into_memory(from: &Ledger, purpose: Purpose) -> Stored<Ledger> {
        let memory = Arc::<Memory>::default();
        let store = MemoryStore::over(&memory);
        store.begin(Access::Write)?;
        let (_, state) = in_one_snapshot(&*from.store, || all(&*from.store, &store, purpose))?;
        let commit = Commit { reached: state, writing: state, token: [0; 16], bytes: 0, closes_lists: false };
        store.commit(commit).unwrap();
        drop(store);
        Ok(Home::Memory(memory).open())
    }

    /// Copies a ledger into a file, and looks at that.
    fn into_file(from: &Ledger, path: &Path) -> Result<Ledger, LedgerError> {
        sqlite::create_copy(path, &*from.store)?;
        Ok(Ledger::open_to_look(path)?.unwrap())
    }

    /// All that a ledger says.
    fn said(ledger: &Ledger) -> String {
        let examination = ledger.examine().unwrap();
        assert_eq!(examination.problems, Vec::<String>::new());
        let lists = ledger.status_lists().unwrap();
        let mut lists: Vec<_> = lists.into_iter().map(|list| ledger.status_list(list).unwrap()).collect();
        lists.iter_mut().for_each(|list| list.entries.sort_by_key(|entry| entry.0));
        let schemas = ledger.schemas_of("did:web:issuer.example").unwrap();
        let closed = ledger.restored_at().unwrap();
        format!(
            "{:?} {lists:?} {schemas:?} {closed:?} {:?} {:?}",
            ledger.events(0, 10_000).unwrap(),
            ledger.hash_key(),
            examination.credentials
        )
    }

    #[test]
    fn a_copy_in_any_store_says_what_the_ledger_says() {
        let folder = TempDir::new().unwrap();
        for (name, home) in [("a.db", Home::in_file()), ("b.db", Home::in_memory())] {
            let ledger = filled(&home);
            let copy = into_memory(&ledger, Purpose::Move(FileId::default())).unwrap();
            assert_eq!(said(&copy), said(&ledger));
            assert_eq!(copy.moved_to().unwrap().as_deref(), Some(""), "it is arriving");
            assert!(copy.must_be_in_use().is_err());
            let copy = into_file(&copy, &folder.path().join(name)).unwrap();
            assert_eq!(said(&copy), said(&ledger));
            let backup = into_memory(&ledger, Purpose::Backup).unwrap();
            assert_eq!(said(&backup), said(&ledger));
            backup.must_be_in_use().unwrap();
            assert_eq!(Identity::read(&*backup.store).unwrap().home, FileId::default());
        }
    }

    #[test]
    fn a_ledger_that_moved_takes_no_change_and_its_target_does() {
        for home in [Home::in_file(), Home::in_memory()] {
            let folder = TempDir::new().unwrap();
            let target = Address::File(folder.path().join("new.db"));
            let before = said(&filled(&home));
            home.open().move_to(&target).unwrap();
            let mut source = home.open();
            let refused = source.change(order(Change::Revoke), &[]).unwrap_err();
            assert!(
                refused.to_string().ends_with(&format!("was moved to {}", target.full_name())),
                "{refused}"
            );
            assert!(matches!(source.close_lists(), Err(LedgerError::Moved { .. })));
            let (mut moved, history) = Ledger::open(&target).unwrap();
            assert_eq!(history, super::super::History::Whole);
            assert_eq!(said(&moved).split(" [ListState").next(), before.split(" [ListState").next());
            assert!(!moved.store.has_open_lists().unwrap() && !source.store.has_open_lists().unwrap());
            issued(&mut moved, &run("c"), 10);
            home.open().move_to(&target).unwrap();
        }
    }

    #[test]
    fn a_damaged_ledger_is_not_copied() {
        type Damage = fn(&dyn Store) -> Stored<()>;
        let damages: [(&str, Damage); 8] = [
            ("a sum of a run", |store| store.add_to_run(1, 1)),
            ("a list", |store| {
                let mut list = store.list(1)?.unwrap();
                list.taken -= 1;
                store.update_list(&list)
            }),
            ("a counter", |store| {
                let mut list = store.list(1)?.unwrap();
                list.taken += 1;
                store.update_list(&list.sealed())
            }),
            ("a status that is gone", |store| store.delete_status(1, 4)),
            ("another reason", |store| {
                let mut status = store.status(1, 4)?.unwrap();
                status.reason = None;
                store.set_status(&status)
            }),
            ("a segment", |store| store.delete_segment(store.last_segment()?)),
            ("an order", |store| {
                let mut part = store.order_part(1, 2)?.unwrap();
                part.indices.reverse();
                store.insert_order_part(&part)
            }),
            ("the seal", |store| Seal::count(store, Counts { scopes: 1, ..Counts::default() })),
        ];
        let folder = TempDir::new().unwrap();
        for (name, damage) in damages {
            let home = Home::in_memory();
            let ledger = filled(&home);
            ledger.store.begin(Access::Write).unwrap();
            damage(&*ledger.store).unwrap();
            let state = seal::state(&*ledger.store).unwrap();
            let commit =
                Commit { reached: state, writing: state, token: [0; 16], bytes: 0, closes_lists: false };
            ledger.store.commit(commit).unwrap();
            let refused = into_file(&ledger, &folder.path().join("new.db"));
            assert!(matches!(refused, Err(LedgerError::Damaged { .. })), "{name}: {refused:?}");
            assert_eq!(folder.path().read_dir().unwrap().count(), 0, "{name}: something is left");
        }
    }
}
