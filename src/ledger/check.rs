//! Looking a ledger over, on demand.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

use super::allocation::LIST_ENTRIES;
use super::batches::{self, StoredBatch};
use super::checksum::contradiction;
use super::closings::Closing;
use super::events::{self, EventHash, Trail};
use super::identity::Identity;
use super::items::{IndexEntry, ItemIndex};
use super::record::RecordPlace;
use super::rows::BatchRow;
use super::schemas::CitedSchema;
use super::scopes::Scope;
use super::seal::Seal;
use super::store::{BatchOrder, Store, Stored, in_one_snapshot};
use super::{Ledger, LedgerError, lists, record, runs, statuses};
use crate::request::IdRule;

/// What was found in a ledger.
#[derive(Debug, Default)]
pub struct Examination {
    /// How many credentials it knows.
    pub credentials: u64,
    /// How many status lists.
    pub lists: u64,
    /// How many runs.
    pub runs: u64,
    /// What is wrong; nothing in a valid ledger.
    pub problems: Vec<String>,
}

impl Ledger {
    /// Looks the ledger over, as [`Examination::of`].
    ///
    /// # Errors
    /// Where the ledger cannot be read at all.
    pub fn examine(&self) -> Result<Examination, LedgerError> {
        Examination::of_store(&*self.store, true).map_err(|source| self.cannot("read", source))
    }

    /// Goes through the audit trail, and the orders of the lists that it tells of.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn verify_events(&self, noted: Option<EventHash>) -> Result<Trail, LedgerError> {
        trail_and_orders(&*self.store, noted).map_err(|source| self.cannot("read", source))
    }
}

fn trail_and_orders(store: &dyn Store, noted: Option<EventHash>) -> Stored<Trail> {
    let mut trail = events::verify(store, noted)?;
    let say = |list| format!("the order of list {list} is not the one that its secret gives");
    trail.problems.extend(lists::with_other_order(store)?.into_iter().map(say));
    Ok(trail)
}

impl Examination {
    /// Looks a ledger over: SQLite's own integrity check, and the invariants of this module.
    /// Nothing is changed, and others may write meanwhile.
    ///
    /// # Errors
    /// Where the ledger cannot be read at all.
    pub fn of(path: &Path) -> Result<Examination, LedgerError> {
        let missing = || LedgerError::file("read", path, io::ErrorKind::NotFound.into());
        Ledger::open_to_look(path)?.ok_or_else(missing)?.examine()
    }

    /// As [`Examination::of`]. Whether the orders are those that the lists' secrets give takes longest, and
    /// their checksums say nearly as much: it is asked only of a thorough examination.
    pub(super) fn of_store(store: &dyn Store, thorough: bool) -> Stored<Examination> {
        in_one_snapshot(store, || Examination::of_snapshot(store, thorough))
    }

    fn of_snapshot(store: &dyn Store, thorough: bool) -> Stored<Examination> {
        let mut examination = Examination { problems: store.integrity_problems()?, ..Examination::default() };
        if !examination.problems.is_empty() {
            return Ok(examination);
        }
        let trail = if thorough { Examination::trail_and_orders } else { Examination::trail };
        for step in [Examination::rows, Examination::slots, Examination::ids, Examination::items, trail] {
            if let Err(error) = step(&mut examination, store) {
                examination.problems.push(error.to_string());
            }
        }
        Ok(examination)
    }

    /// What is wrong with a copy: all of the invariants but those whose proof takes memory for each credential.
    pub(super) fn problems_of_copy(store: &dyn Store) -> Stored<Vec<String>> {
        let mut examination = Examination::default();
        for step in [Examination::rows, Examination::slots, Examination::trail_and_orders] {
            step(&mut examination, store)?;
        }
        for scope in Scope::all(store)? {
            ItemIndex::open(store, &scope)?.examine(store, &mut |_| Ok(()))?;
        }
        Ok(examination.problems)
    }

    /// The audit trail holds.
    fn trail(&mut self, store: &dyn Store) -> Stored<()> {
        self.problems.extend(events::verify(store, None)?.problems);
        Ok(())
    }

    fn trail_and_orders(&mut self, store: &dyn Store) -> Stored<()> {
        self.problems.extend(trail_and_orders(store, None)?.problems);
        Ok(())
    }

    /// Every row is what was written, and none is missing.
    fn rows(&mut self, store: &dyn Store) -> Stored<()> {
        let mut note = |outcome: Stored<()>| {
            outcome.unwrap_or_else(|error| self.problems.push(error.to_string()));
        };
        note(Seal::read(store).map(drop));
        note(Identity::read(store).map(drop));
        note(Closing::all(store).map(drop));
        note(CitedSchema::all(store).map(drop));
        note(runs::must_be_whole(store));
        note(statuses::must_be_whole(store));
        store.scan_runs(&mut |run| {
            note(batches::must_be_found(store, run.run, run.batches));
            Ok(())
        })?;
        store.scan_batches(BatchOrder::Slot, &mut |row| {
            note(StoredBatch::read(row).map(drop));
            Ok(())
        })?;
        lists::verify(store, |problem| note(Err(contradiction(problem))))
    }

    /// No slot is given twice, and none beyond what its list says is taken.
    fn slots(&mut self, store: &dyn Store) -> Stored<()> {
        let mut taken = HashMap::new();
        for list in store.list_numbers()? {
            taken.extend(store.list(list)?.map(|row| (list, row.taken)));
        }
        let mut names = HashSet::new();
        store.scan_runs(&mut |run| {
            names.insert(run.name);
            Ok(())
        })?;
        (self.lists, self.runs) = (taken.len() as u64, names.len() as u64);
        let mut end_before = (0, 0);
        store.scan_batches(BatchOrder::Slot, &mut |row| {
            let BatchRow { list, first_slot: first, count, .. } = row;
            let taken = taken.get(&list).copied().unwrap_or_default();
            let free_from = if end_before.0 == list { end_before.1 } else { 0 };
            if first < free_from {
                self.problems.push(format!("slots from {first} on of list {list} are given twice"));
            }
            if u64::from(first) + u64::from(count) > u64::from(taken.min(LIST_ENTRIES)) {
                self.problems
                    .push(format!("list {list} gave slots beyond the {taken} that it says are taken"));
            }
            end_before = (list, first.saturating_add(count));
            self.credentials += u64::from(count);
            Ok(())
        })
    }

    /// Each credential whose item is known by an id is found by that: once, and in its own scope.
    fn items(&mut self, store: &dyn Store) -> Stored<()> {
        let scopes = Scope::all(store)?;
        let mut seen: HashMap<(i64, RecordPlace), u32> = HashMap::new();
        for scope in &scopes {
            let note = &mut |entry: IndexEntry| {
                *seen.entry((scope.number, entry.place())).or_default() += 1;
                Ok(())
            };
            let examined = ItemIndex::open(store, scope).and_then(|index| index.examine(store, note));
            examined.unwrap_or_else(|error| self.problems.push(error.to_string()));
        }
        let mut of_runs = HashMap::new();
        store.scan_runs(&mut |run| {
            let scope = run.scope.and_then(|number| scopes.iter().find(|scope| scope.number == number));
            of_runs.insert(run.run, scope);
            Ok(())
        })?;
        let mut places = HashSet::new();
        store.scan_batches(BatchOrder::Slot, &mut |row| {
            let scope = of_runs.get(&row.run).copied().flatten();
            for (place, record) in (0..).zip(record::unpack(&row.records)) {
                let place = RecordPlace { batch: row.batch, place };
                places.insert(place);
                let Some((scope, record)) = scope.zip(record) else { continue };
                let has_id = scope.rule != IdRule::CorrelationIdOrPosition || record.has_correlation_id();
                let found = seen.get(&(scope.number, place)).copied().unwrap_or(0);
                if found != u32::from(has_id) {
                    let id = record.id(row.id_millis as u64);
                    self.problems.push(format!("{id} is found {found} times by what its item is known by"));
                }
            }
            Ok(())
        })?;
        if seen.keys().any(|(_, place)| !places.contains(place)) {
            self.problems.push("an item is said to have a credential that does not exist".to_owned());
        }
        Ok(())
    }

    /// No id is given twice, and no position of a run.
    fn ids(&mut self, store: &dyn Store) -> Stored<()> {
        let mut with_ids = HashSet::new();
        store.scan_runs(&mut |run| {
            with_ids.extend(run.scope.map(|_| run.run));
            Ok(())
        })?;
        let (mut millis, mut ids) = (0, HashSet::new());
        let mut positions = HashSet::new();
        store.scan_batches(BatchOrder::Millis, &mut |row| {
            let BatchRow { run, id_millis, records, dates, .. } = row;
            if id_millis != millis {
                ids.clear(); // ids of different milliseconds differ
                millis = id_millis;
            }
            let mut sound = Vec::new();
            for record in record::unpack(&records) {
                let Some(record) = record else {
                    self.problems.push(format!("a record of run {run} has an invalid date"));
                    continue;
                };
                if !ids.insert(record.id_tail) {
                    self.problems.push(format!("the id {} is given twice", record.id(id_millis as u64)));
                }
                // Where items are known by their ids, they stand anywhere, and another time somewhere else.
                let is_known_by_id = with_ids.contains(&run) && record.has_correlation_id();
                if !is_known_by_id && !positions.insert((run, record.position)) {
                    self.problems.push(format!("item {} of run {run} was issued twice", record.position));
                }
                sound.push(record);
            }
            if batches::dates_of(&sound) != dates {
                self.problems.push(format!("a batch of run {run} has different dates from its credentials"));
            }
            Ok(())
        })
    }
}
