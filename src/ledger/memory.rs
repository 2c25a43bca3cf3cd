//! A ledger that is kept in memory: the second store, which proves that nothing above the seam relies on the first.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::LedgerError;
use super::rows::{
    BatchRow, ClosingRow, EventRow, IndexRow, LedgerRow, ListRow, OrderRow, RunRow, SchemaRow, ScopeRow,
    SealRow, SegmentHead, SegmentRow, StatusRow,
};
use super::store::{Access, BatchOrder, BatchQuery, Commit, Each, Store, Stored, Watcher};
use crate::files::Way;

/// All rows. A copy is cheap: long rows are shared.
#[derive(Debug, Clone, Default)]
struct Tables {
    runs: BTreeMap<i64, RunRow>,
    batches: BTreeMap<i64, Arc<BatchRow>>,
    lists: BTreeMap<i64, ListRow>,
    orders: BTreeMap<(i64, u32), Arc<OrderRow>>,
    statuses: BTreeMap<(i64, u32), StatusRow>,
    scopes: BTreeMap<i64, ScopeRow>,
    segments: BTreeMap<i64, Arc<SegmentRow>>,
    events: BTreeMap<i64, EventRow>,
    closings: BTreeMap<i64, ClosingRow>,
    schemas: Vec<SchemaRow>,
    seal: Option<SealRow>,
    ledger: Option<LedgerRow>,
}

/// What all openings of a ledger share.
#[derive(Debug, Default)]
pub(super) struct Memory {
    tables: Mutex<Tables>,
    is_written: Mutex<bool>,
    written: Condvar,
}

/// A ledger in memory, opened.
#[derive(Debug)]
pub(super) struct MemoryStore {
    memory: Arc<Memory>,
    /// The tables as the open transaction sees them.
    open: RefCell<Option<(Access, Tables)>>,
}

impl MemoryStore {
    pub(super) fn over(memory: &Arc<Memory>) -> MemoryStore {
        MemoryStore { memory: Arc::clone(memory), open: RefCell::new(None) }
    }

    /// Whether nothing was ever written.
    pub(super) fn is_new(&self) -> bool {
        self.tables().seal.is_none()
    }

    fn tables(&self) -> Tables {
        match &*self.open.borrow() {
            Some((_, tables)) => tables.clone(),
            None => self.memory.tables.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn write(&self, change: impl FnOnce(&mut Tables)) -> Stored<()> {
        match &mut *self.open.borrow_mut() {
            Some((Access::Write, tables)) => change(tables),
            _ => panic!("rows are written within a transaction for that"),
        }
        Ok(())
    }

    fn end(&self) -> Option<Tables> {
        let (purpose, tables) = self.open.borrow_mut().take()?;
        (purpose == Access::Write).then(|| {
            *self.memory.is_written.lock().unwrap() = false;
            self.memory.written.notify_one();
            tables
        })
    }
}

impl Drop for MemoryStore {
    fn drop(&mut self) {
        self.roll_back();
    }
}

fn matches(query: &BatchQuery, batch: &BatchRow, tables: &Tables) -> bool {
    let run = &tables.runs[&batch.run];
    let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
    let overlaps = |range: &Option<RangeInclusive<i64>>, first: i64, last: i64| {
        range.as_ref().is_none_or(|range| first <= *range.end() && last >= *range.start())
    };
    let [issued_first, issued_last, expires_first, expires_last] = batch.dates;
    batch.batch >= query.from
        && query.up_to.is_none_or(|last| batch.batch <= last)
        && is(&query.run, &run.name)
        && is(&query.issuer, &run.issuer)
        && is(&query.kid, &run.kid)
        && is(&query.vct, &run.vct)
        && is(&query.credential_type, &run.credential_type)
        && overlaps(&query.issued, issued_first, issued_last)
        && overlaps(&query.expiring, expires_first, expires_last)
        && (!query.with_statuses || tables.statuses.keys().any(|(of, _)| *of == batch.batch))
}

fn each_of<R>(mut rows: impl Iterator<Item = R>, each: Each<'_, R>) -> Stored<()> {
    rows.try_for_each(each)
}

impl Store for MemoryStore {
    fn is_writable(&self) -> bool {
        true
    }

    fn watcher(&self) -> Option<Box<dyn Watcher>> {
        None
    }

    fn back_up(&self, _: &Path, _: Way) -> Result<(), LedgerError> {
        unreachable!("memory is not backed up")
    }

    fn integrity_problems(&self) -> Stored<Vec<String>> {
        Ok(Vec::new())
    }

    fn begin(&self, purpose: Access) -> Stored<()> {
        assert!(!self.is_in_transaction(), "there is one transaction at a time");
        if purpose == Access::Write {
            let is_written = self.memory.is_written.lock().unwrap();
            *self.memory.written.wait_while(is_written, |is_written| *is_written).unwrap() = true;
        }
        let tables = self.tables();
        *self.open.borrow_mut() = Some((purpose, tables));
        Ok(())
    }

    fn is_in_transaction(&self) -> bool {
        self.open.borrow().is_some()
    }

    fn commit(&self, _: Commit) -> Result<(), LedgerError> {
        let tables = self.tables();
        *self.memory.tables.lock().unwrap() = tables;
        self.end();
        Ok(())
    }

    fn roll_back(&self) {
        self.end();
    }

    fn runs_named(&self, name: &str) -> Stored<Vec<RunRow>> {
        Ok(self.tables().runs.into_values().filter(|run| run.name == name).collect())
    }

    fn run(&self, run: i64) -> Stored<Option<RunRow>> {
        Ok(self.tables().runs.remove(&run))
    }

    fn scan_runs(&self, each: Each<'_, RunRow>) -> Stored<()> {
        each_of(self.tables().runs.into_values(), each)
    }

    fn last_run(&self) -> Stored<i64> {
        Ok(self.tables().runs.into_keys().next_back().unwrap_or(0))
    }

    fn insert_run(&self, row: &RunRow) -> Stored<()> {
        self.write(|tables| assert!(tables.runs.insert(row.run, row.clone()).is_none()))
    }

    fn add_to_run(&self, run: i64, batches: i64) -> Stored<()> {
        self.write(|tables| tables.runs.get_mut(&run).unwrap().batches += batches)
    }

    fn batch(&self, batch: i64) -> Stored<Option<BatchRow>> {
        Ok(self.tables().batches.get(&batch).map(|row| (**row).clone()))
    }

    fn last_batch(&self) -> Stored<i64> {
        Ok(self.tables().batches.into_keys().next_back().unwrap_or(0))
    }

    fn count_batches(&self) -> Stored<i64> {
        Ok(self.tables().batches.len() as i64)
    }

    fn insert_batch(&self, row: &BatchRow) -> Stored<()> {
        self.write(|tables| assert!(tables.batches.insert(row.batch, Arc::new(row.clone())).is_none()))
    }

    fn batches_at(&self, run_name: &str, first: RangeInclusive<i64>, each: Each<'_, BatchRow>) -> Stored<()> {
        let tables = self.tables();
        let found = tables
            .batches
            .values()
            .filter(|row| tables.runs[&row.run].name == run_name && first.contains(&row.first_position));
        each_of(found.map(|row| (**row).clone()), each)
    }

    fn batches_of_opening(&self, opening: i64) -> Stored<Vec<BatchRow>> {
        let tables = self.tables();
        let found = tables.batches.values().filter(|row| row.opening == Some(opening));
        Ok(found.map(|row| (**row).clone()).collect())
    }

    fn batches_of_millis(&self, id_millis: i64) -> Stored<Vec<BatchRow>> {
        let tables = self.tables();
        let found = tables.batches.values().filter(|row| row.id_millis == id_millis);
        Ok(found.map(|row| (**row).clone()).collect())
    }

    fn find_batches(&self, query: &BatchQuery, each: &mut dyn FnMut(BatchRow) -> Stored<bool>) -> Stored<()> {
        let tables = self.tables();
        for row in tables.batches.values().filter(|row| matches(query, row, &tables)) {
            if !each((**row).clone())? {
                break;
            }
        }
        Ok(())
    }

    fn scan_batches(&self, order: BatchOrder, each: Each<'_, BatchRow>) -> Stored<()> {
        let mut rows: Vec<_> = self.tables().batches.into_values().collect();
        match order {
            BatchOrder::Slot => rows.sort_by_key(|row| (row.list, row.first_slot)),
            BatchOrder::Millis => rows.sort_by_key(|row| row.id_millis),
        }
        each_of(rows.iter().map(|row| (**row).clone()), each)
    }

    fn batch_index(&self, run: i64, each: Each<'_, IndexRow>) -> Stored<()> {
        let tables = self.tables();
        let of_run = tables.batches.values().filter(|row| row.run == run);
        let entry = |row: &Arc<BatchRow>| IndexRow {
            run: row.run,
            first_position: row.first_position,
            batch: row.batch,
        };
        each_of(of_run.map(entry), each)
    }

    fn last_expiry_of_key(&self, kid: &str) -> Stored<Option<i64>> {
        let tables = self.tables();
        let of_key = tables.batches.values().filter(|row| tables.runs[&row.run].kid == kid);
        Ok(of_key.map(|row| row.dates[3]).max())
    }

    fn scope_named(&self, kind: &str, name: &str) -> Stored<Option<ScopeRow>> {
        Ok(self.tables().scopes.into_values().find(|row| row.kind == kind && row.name == name))
    }

    fn scan_scopes(&self, each: Each<'_, ScopeRow>) -> Stored<()> {
        each_of(self.tables().scopes.into_values(), each)
    }

    fn last_scope(&self) -> Stored<i64> {
        Ok(self.tables().scopes.into_keys().next_back().unwrap_or(0))
    }

    fn insert_scope(&self, row: &ScopeRow) -> Stored<()> {
        self.write(|tables| assert!(tables.scopes.insert(row.scope, row.clone()).is_none()))
    }

    fn update_scope(&self, row: &ScopeRow) -> Stored<()> {
        self.write(|tables| assert!(tables.scopes.insert(row.scope, row.clone()).is_some()))
    }

    fn segments_of(&self, scope: i64) -> Stored<Vec<SegmentHead>> {
        let tables = self.tables();
        Ok(tables.segments.values().filter(|row| row.scope == scope).map(|row| row.head).collect())
    }

    fn segment_filters(&self, segments: &[i64]) -> Stored<Vec<Vec<u8>>> {
        let tables = self.tables();
        let of = |segment| tables.segments.get(segment).map(|row| row.filter.clone()).unwrap_or_default();
        Ok(segments.iter().map(of).collect())
    }

    fn segment_entries(&self, segments: &[i64]) -> Stored<Vec<Vec<u8>>> {
        let tables = self.tables();
        let of = |segment| tables.segments.get(segment).map(|row| row.entries.clone()).unwrap_or_default();
        Ok(segments.iter().map(of).collect())
    }

    fn last_segment(&self) -> Stored<i64> {
        Ok(self.tables().segments.into_keys().next_back().unwrap_or(0))
    }

    fn insert_segment(&self, row: &SegmentRow) -> Stored<()> {
        self.write(|tables| {
            assert!(tables.segments.insert(row.head.segment, Arc::new(row.clone())).is_none());
        })
    }

    fn delete_segment(&self, segment: i64) -> Stored<()> {
        self.write(|tables| drop(tables.segments.remove(&segment)))
    }

    fn list(&self, list: i64) -> Stored<Option<ListRow>> {
        Ok(self.tables().lists.remove(&list))
    }

    fn last_list(&self) -> Stored<i64> {
        Ok(self.tables().lists.into_keys().next_back().unwrap_or(0))
    }

    fn list_numbers(&self) -> Stored<Vec<i64>> {
        Ok(self.tables().lists.into_keys().collect())
    }

    fn open_list(&self, issuer: &str, base: &str, taken_below: u32) -> Stored<Option<i64>> {
        let is_open = |row: &&ListRow| {
            row.issuer == issuer && row.base == base && !row.closed && row.taken < taken_below
        };
        Ok(self.tables().lists.values().rfind(is_open).map(|row| row.list))
    }

    fn has_open_lists(&self) -> Stored<bool> {
        Ok(self.tables().lists.values().any(|row| !row.closed))
    }

    fn insert_list(&self, row: &ListRow) -> Stored<()> {
        self.write(|tables| assert!(tables.lists.insert(row.list, row.clone()).is_none()))
    }

    fn update_list(&self, row: &ListRow) -> Stored<()> {
        self.write(|tables| assert!(tables.lists.insert(row.list, row.clone()).is_some()))
    }

    fn end_of_batches(&self, list: i64) -> Stored<Option<u32>> {
        let tables = self.tables();
        let of_list = tables.batches.values().filter(|row| row.list == list);
        Ok(of_list.map(|row| row.first_slot + row.count).max())
    }

    fn batches_with_statuses(&self, list: i64) -> Stored<Vec<i64>> {
        let tables = self.tables();
        let mut found: Vec<i64> = tables.statuses.keys().map(|(batch, _)| *batch).collect();
        found.dedup();
        found.retain(|batch| tables.batches[batch].list == list);
        Ok(found)
    }

    fn order_part(&self, list: i64, part: u32) -> Stored<Option<OrderRow>> {
        Ok(self.tables().orders.get(&(list, part)).map(|row| (**row).clone()))
    }

    fn insert_order_part(&self, row: &OrderRow) -> Stored<()> {
        self.write(|tables| drop(tables.orders.insert((row.list, row.part), Arc::new(row.clone()))))
    }

    fn order_of(&self, list: i64) -> Stored<Vec<OrderRow>> {
        let tables = self.tables();
        Ok(tables.orders.range((list, 0)..=(list, u32::MAX)).map(|(_, row)| (**row).clone()).collect())
    }

    fn status(&self, batch: i64, place: u32) -> Stored<Option<StatusRow>> {
        Ok(self.tables().statuses.remove(&(batch, place)))
    }

    fn statuses_of(&self, batch: i64) -> Stored<Vec<StatusRow>> {
        Ok(self.tables().statuses.range((batch, 0)..=(batch, u32::MAX)).map(|(_, row)| row.clone()).collect())
    }

    fn scan_statuses(&self, each: Each<'_, StatusRow>) -> Stored<()> {
        each_of(self.tables().statuses.into_values(), each)
    }

    fn count_statuses(&self) -> Stored<i64> {
        Ok(self.tables().statuses.len() as i64)
    }

    fn set_status(&self, row: &StatusRow) -> Stored<()> {
        self.write(|tables| drop(tables.statuses.insert((row.batch, row.place), row.clone())))
    }

    fn delete_status(&self, batch: i64, place: u32) -> Stored<()> {
        self.write(|tables| drop(tables.statuses.remove(&(batch, place))))
    }

    fn last_event(&self) -> Stored<Option<EventRow>> {
        Ok(self.tables().events.into_values().next_back())
    }

    fn event(&self, event: i64) -> Stored<Option<EventRow>> {
        Ok(self.tables().events.remove(&event))
    }

    fn insert_event(&self, row: &EventRow) -> Stored<()> {
        self.write(|tables| assert!(tables.events.insert(row.event, row.clone()).is_none()))
    }

    fn events_after(&self, event: i64, limit: u64, each: Each<'_, EventRow>) -> Stored<()> {
        let limit = limit.min(usize::MAX as u64) as usize;
        each_of(self.tables().events.into_values().filter(|row| row.event > event).take(limit), each)
    }

    fn events_of(&self, batch: i64) -> Stored<Vec<EventRow>> {
        Ok(self.tables().events.into_values().filter(|row| row.batch == batch).collect())
    }

    fn latest_event_time(&self, among: u64) -> Stored<Option<i64>> {
        Ok(self.tables().events.into_values().rev().take(among as usize).map(|row| row.at).max())
    }

    fn seal(&self) -> Stored<SealRow> {
        Ok(self.tables().seal.unwrap())
    }

    fn insert_seal(&self, row: &SealRow) -> Stored<()> {
        self.write(|tables| tables.seal = Some(*row))
    }

    fn update_seal(&self, row: &SealRow) -> Stored<()> {
        self.write(|tables| tables.seal = Some(*row))
    }

    fn ledger(&self) -> Stored<LedgerRow> {
        Ok(self.tables().ledger.unwrap())
    }

    fn insert_ledger(&self, row: &LedgerRow) -> Stored<()> {
        self.write(|tables| tables.ledger = Some(row.clone()))
    }

    fn update_ledger(&self, row: &LedgerRow) -> Stored<()> {
        self.write(|tables| tables.ledger = Some(row.clone()))
    }

    fn schemas(&self) -> Stored<Vec<SchemaRow>> {
        let mut schemas = self.tables().schemas;
        schemas.sort_by_key(|row| row.version);
        Ok(schemas)
    }

    fn insert_schema(&self, row: &SchemaRow) -> Stored<()> {
        self.write(|tables| tables.schemas.push(row.clone()))
    }

    fn closings(&self) -> Stored<Vec<ClosingRow>> {
        Ok(self.tables().closings.into_values().collect())
    }

    fn insert_closing(&self, row: &ClosingRow) -> Stored<()> {
        self.write(|tables| drop(tables.closings.insert(row.closing, row.clone())))
    }
}
