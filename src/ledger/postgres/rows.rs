//! The store: each operation is a statement.

use std::ops::{Range, RangeInclusive};
use std::path::Path;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::cache::LastNumbers;
use super::fitness::{fitness, read_fitness};
use super::line::{Statement, Value};
use super::read::{
    BATCH, EVENT, LEDGER, LIST, RUN, SCHEMA, SCOPE, SEAL, SEGMENT, STATUS, conditions, read_batch,
    read_event, read_ledger, read_list, read_order, read_run, read_schema, read_scope, read_seal,
    read_segment, read_status, short,
};
use super::{PostgresStore, bytes, number, schema, text, value};
use crate::files::Way;
use crate::ledger::lanes::Lanes;
use crate::ledger::rows::{
    BatchRow, ClosingRow, EventRow, IndexRow, LedgerRow, ListRow, OrderRow, RunRow, SchemaRow, ScopeRow,
    SealRow, SegmentHead, SegmentRow, StatusRow,
};
use crate::ledger::store::{
    Access, BatchOrder, BatchQuery, Commit, Each, ServerFault, Store, Stored, Watcher,
};
use crate::ledger::{LedgerError, corrupt};

/// Whatever the database's default is: who waited for a lock sees what its holder has written.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// The greatest number of a row in each table whose rows are numbered as they come: [`read_last_numbers`].
const LAST_NUMBERS: &str = "SELECT (SELECT coalesce(max(run), 0) FROM beltic.runs),
    (SELECT coalesce(max(scope), 0) FROM beltic.scopes), (SELECT coalesce(max(segment), 0) FROM beltic.segments),
    (SELECT coalesce(max(list), 0) FROM beltic.lists), (SELECT coalesce(max(batch), 0) FROM beltic.batches)";

/// So many rows are fetched at once by whoever goes through all of them: of those that have a batch's records, and of
/// those that are short.
const FETCHED: u32 = 64;
const FETCHED_SHORT: u32 = 1_000;

fn read_last_numbers(row: &Row) -> Stored<LastNumbers> {
    let [run, scope, segment, list, batch] = [0, 1, 2, 3, 4].map(|at| row.try_get(at));
    Ok(LastNumbers { run: run?, scope: scope?, segment: segment?, list: list?, batch: batch? })
}

fn last_event() -> String {
    format!("SELECT {EVENT} FROM beltic.events ORDER BY event DESC LIMIT 1")
}

fn optional(number: Option<i64>) -> Value {
    value(number, Type::INT8)
}

fn optional_text(text: Option<&str>) -> Value {
    value(text.map(str::to_owned), Type::TEXT)
}

fn optional_bytes(bytes: Option<&[u8]>) -> Value {
    value(bytes.map(<[u8]>::to_vec), Type::BYTEA)
}

/// `$1, $2, …`, so many.
fn places(columns: &str) -> String {
    let count = columns.split(',').count();
    (1..=count).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ")
}

impl PostgresStore {
    /// The only row of a query, where there is one.
    fn row<T>(&self, sql: &str, values: Vec<Value>, read: impl Fn(&Row) -> Stored<T>) -> Stored<Option<T>> {
        self.ask(sql, values)?.first().map(read).transpose()
    }

    /// The number that a query always has.
    fn one(&self, sql: &str, values: Vec<Value>) -> Stored<i64> {
        Ok(self.ask(sql, values)?.first().ok_or_else(corrupt)?.try_get(0)?)
    }

    fn rows<T>(&self, sql: &str, values: Vec<Value>, read: impl Fn(&Row) -> Stored<T>) -> Stored<Vec<T>> {
        self.ask(sql, values)?.iter().map(read).collect()
    }

    /// Goes through the rows of a query, so many of them in memory at a time; `each` says whether to go on.
    fn go_through<T>(
        &self,
        (sql, values, fetched): (&str, Vec<Value>, u32),
        read: impl Fn(&Row) -> Stored<T>,
        each: &mut dyn FnMut(T) -> Stored<bool>,
    ) -> Stored<()> {
        if !self.is_in_transaction() {
            self.begin(Access::Read)?;
            let outcome = self.go_through((sql, values, fetched), read, each);
            self.roll_back();
            return outcome;
        }
        let cursor = format!("rows_{}", self.cursors.replace(self.cursors.get() + 1));
        let declare = Statement::new(format!("DECLARE {cursor} NO SCROLL CURSOR FOR {sql}"), values);
        let fetch = || Statement::new(format!("FETCH {fetched} FROM {cursor}"), Vec::new());
        let mut answers = self.send(vec![declare, fetch()])?;
        loop {
            let rows = answers.pop().ok_or_else(corrupt)?;
            for row in &rows {
                if !each(read(row)?)? {
                    return self.tell(&format!("CLOSE {cursor}"), Vec::new(), 0);
                }
            }
            if rows.len() < fetched as usize {
                return self.tell(&format!("CLOSE {cursor}"), Vec::new(), 0);
            }
            answers = self.send(vec![fetch()])?;
        }
    }

    fn scan<T>(
        &self,
        query: (&str, Vec<Value>, u32),
        read: impl Fn(&Row) -> Stored<T>,
        each: Each<'_, T>,
    ) -> Stored<()> {
        self.go_through(query, read, &mut |row| each(row).map(|()| true))
    }

    /// A column of these segments, in their order; empty where there is no such segment.
    fn of_segments(&self, column: &str, segments: &[i64]) -> Stored<Vec<Vec<u8>>> {
        let sql = format!(
            "SELECT coalesce({column}, '') FROM unnest($1) WITH ORDINALITY AS wanted (segment, place)
             LEFT JOIN beltic.segments USING (segment) ORDER BY place"
        );
        self.rows(&sql, vec![value(segments.to_vec(), Type::INT8_ARRAY)], |row| Ok(row.try_get(0)?))
    }

    /// Begins a transaction under no lock of the ledger's.
    pub(super) fn begin_plain(&self) -> Stored<()> {
        self.cache.borrow_mut().forget(true);
        self.transaction.set(Some(Access::Write));
        self.ask(BEGIN, Vec::new()).map(drop)
    }

    /// Commits a transaction that is repeated where it was not carried out.
    pub(super) fn commit_plain(&self) -> Stored<()> {
        let outcome = self.ask("COMMIT", Vec::new()).map(drop);
        self.end();
        outcome
    }

    fn end(&self) {
        self.transaction.set(None);
        self.deferred.take();
        self.cache.borrow_mut().forget(false);
    }

    /// Takes the ledger's lock, and learns what is asked of the server.
    fn begin_to_write(&self) -> Stored<()> {
        let is_unguarded = self.is_unguarded.get();
        let lock_timeout = format!("SET LOCAL lock_timeout = '{}ms'", self.address.wait.as_millis());
        let statements = [
            BEGIN.to_owned(),
            lock_timeout,
            format!("SELECT {SEAL} FROM beltic.seal FOR UPDATE"),
            format!("SELECT {LEDGER} FROM beltic.ledger"),
            fitness(is_unguarded),
            LAST_NUMBERS.to_owned(),
            last_event(),
        ];
        let mut answers =
            self.send(statements.map(|sql| Statement::new(sql, Vec::new())).into())?.into_iter().skip(2);
        let mut next = || answers.next().map(|rows| rows.into_iter().next()).ok_or_else(corrupt);
        let mut always = || next()?.ok_or_else(corrupt);
        let (seal, ledger, fit, numbers) = (always()?, always()?, always()?, always()?);
        let event = next()?.as_ref().map(read_event).transpose()?;
        self.home.set(read_fitness(&fit)?);
        let mut cache = self.cache.borrow_mut();
        (cache.seal, cache.ledger) = (Some(read_seal(&seal)?), Some(read_ledger(&ledger)?));
        (cache.last, cache.last_event) = (Some(read_last_numbers(&numbers)?), Some(event));
        Ok(())
    }

    fn last_numbers(&self) -> Stored<LastNumbers> {
        let known = self.cache.borrow().last;
        match known {
            Some(known) => Ok(known),
            None => self.row(LAST_NUMBERS, Vec::new(), read_last_numbers)?.ok_or_else(corrupt),
        }
    }

    /// Whether the row is under the ledger's lock, so that it stays as it is.
    fn is_locked(&self) -> bool {
        self.transaction.get() == Some(Access::Write)
    }
}

impl Store for PostgresStore {
    fn is_writable(&self) -> bool {
        self.is_writable.get()
    }

    /// Nothing has to be watched: what was committed is in the database that the next command asks.
    fn watcher(&self) -> Option<Box<dyn Watcher>> {
        None
    }

    fn lanes(&self) -> Option<&dyn Lanes> {
        Some(self)
    }

    fn back_up(&self, file: &Path, way: Way) -> Result<(), LedgerError> {
        crate::ledger::sqlite::back_up(self, &super::opening::shown(&self.address), file, way)
    }

    fn integrity_problems(&self) -> Stored<Vec<String>> {
        schema::problems(self)
    }

    fn begin(&self, purpose: Access) -> Stored<()> {
        self.cache.borrow_mut().forget(true);
        self.transaction.set(Some(purpose));
        let begun = match purpose {
            Access::Read => self.tell("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", Vec::new(), 0),
            Access::Write => self.begin_to_write(),
        };
        begun.inspect_err(|_| self.roll_back())
    }

    fn is_in_transaction(&self) -> bool {
        self.transaction.get().is_some()
    }

    fn commit(&self, commit: Commit) -> Result<(), LedgerError> {
        let fail = |source| LedgerError::store("write", Path::new(&self.address.to_string()), source);
        let token = commit.token.as_slice();
        let insert = Statement::new("INSERT INTO beltic.commits (token) VALUES ($1)", vec![bytes(token)]);
        let mut statements = vec![insert];
        if token[0] == 0 {
            // Once in a while: nobody asks for a transaction of yesterday.
            let old = "DELETE FROM beltic.commits WHERE at < now() - interval '1 day'";
            statements.push(Statement::new(old, Vec::new()));
        }
        statements.push(Statement::new("COMMIT", Vec::new()));
        let outcome = self.send(statements);
        self.end();
        match outcome {
            Err(error) if error.fault() == Some(ServerFault::Lost) => match self.was_committed(token) {
                Ok(true) => Ok(()),
                Ok(false) => Err(fail(error)),
                Err(unknown) => Err(fail(unknown)),
            },
            outcome => outcome.map(drop).map_err(fail),
        }
    }

    fn roll_back(&self) {
        if !self.is_in_transaction() {
            return;
        }
        self.end();
        // Where it fails, the connection is gone, and the transaction with it. Nobody waits for that.
        if let Some(line) = &*self.line.borrow() {
            line.tell("ROLLBACK");
        }
    }

    fn runs_named(&self, name: &str) -> Stored<Vec<RunRow>> {
        self.rows(
            &format!("SELECT {RUN} FROM beltic.runs WHERE name = $1 ORDER BY run"),
            vec![text(name)],
            read_run,
        )
    }

    fn run(&self, run: i64) -> Stored<Option<RunRow>> {
        if let Some(known) = self.cache.borrow().runs.get(&run) {
            return Ok(Some(known.clone()));
        }
        let found =
            self.row(&format!("SELECT {RUN} FROM beltic.runs WHERE run = $1"), vec![number(run)], read_run)?;
        if let (true, Some(row)) = (self.is_locked(), &found) {
            self.cache.borrow_mut().runs.insert(run, row.clone());
        }
        Ok(found)
    }

    fn scan_runs(&self, each: Each<'_, RunRow>) -> Stored<()> {
        let sql = format!("SELECT {RUN} FROM beltic.runs ORDER BY run");
        self.scan((&sql, Vec::new(), FETCHED_SHORT), read_run, each)
    }

    fn last_run(&self) -> Stored<i64> {
        Ok(self.last_numbers()?.run)
    }

    fn insert_run(&self, row: &RunRow) -> Stored<()> {
        let mut cache = self.cache.borrow_mut();
        cache.note_last(row.run, |last| &mut last.run);
        if cache.last.is_some() {
            cache.runs.insert(row.run, row.clone());
        }
        drop(cache);
        let values = vec![
            number(row.run),
            text(&row.name),
            text(&row.credential_type),
            text(&row.issuer),
            text(&row.kid),
            text(&row.proof_format),
            text(&row.vct),
            text(&row.context),
            text(&row.ttl),
            text(&row.disclosure),
            number(row.started_at),
            number(row.crc),
            number(row.batches),
            optional(row.scope),
        ];
        self.tell(&format!("INSERT INTO beltic.runs ({RUN}) VALUES ({})", places(RUN)), values, 0)
    }

    fn add_to_run(&self, run: i64, batches: i64) -> Stored<()> {
        if let Some(known) = self.cache.borrow_mut().runs.get_mut(&run) {
            known.batches = known.batches.wrapping_add(batches);
        }
        let values = vec![number(run), number(batches)];
        self.tell("UPDATE beltic.runs SET batches = batches + $2 WHERE run = $1", values, 0)
    }

    fn batch(&self, batch: i64) -> Stored<Option<BatchRow>> {
        if let Some(known) = self.cache.borrow().batch.as_ref().filter(|known| known.batch == batch) {
            return Ok(Some(known.clone()));
        }
        let sql = format!("SELECT {BATCH} FROM beltic.batches WHERE batch = $1");
        self.row(&sql, vec![number(batch)], read_batch)
    }

    fn last_batch(&self) -> Stored<i64> {
        Ok(self.last_numbers()?.batch)
    }

    fn count_batches(&self) -> Stored<i64> {
        self.one("SELECT count(*) FROM beltic.batches", Vec::new())
    }

    fn insert_batch(&self, row: &BatchRow) -> Stored<()> {
        let [issued_first, issued_last, expires_first, expires_last] = row.dates;
        let values = vec![
            number(row.batch),
            number(row.run),
            number(row.first_position),
            number(row.list),
            number(row.first_slot.into()),
            number(row.id_millis),
            number(row.count.into()),
            bytes(&row.records),
            number(issued_first),
            number(issued_last),
            number(expires_first),
            number(expires_last),
            optional_text(row.attestation_type.as_deref()),
            optional(row.opening),
            number(row.crc),
        ];
        {
            let mut cache = self.cache.borrow_mut();
            cache.note_last(row.batch, |last| &mut last.batch);
            cache.batch = Some(row.clone());
        }
        let sql = format!("INSERT INTO beltic.batches ({BATCH}) VALUES ({})", places(BATCH));
        self.tell(&sql, values, row.records.len())
    }

    fn batches_at(&self, run_name: &str, first: RangeInclusive<i64>, each: Each<'_, BatchRow>) -> Stored<()> {
        let sql = format!(
            "SELECT {BATCH} FROM beltic.batches
             WHERE run IN (SELECT run FROM beltic.runs WHERE name = $1) AND first_position BETWEEN $2 AND $3"
        );
        let values = vec![text(run_name), number(*first.start()), number(*first.end())];
        self.scan((&sql, values, FETCHED), read_batch, each)
    }

    fn batches_of_opening(&self, opening: i64) -> Stored<Vec<BatchRow>> {
        let sql = format!("SELECT {BATCH} FROM beltic.batches WHERE opening = $1 ORDER BY batch");
        self.rows(&sql, vec![number(opening)], read_batch)
    }

    fn batches_of_millis(&self, id_millis: i64) -> Stored<Vec<BatchRow>> {
        let sql = format!("SELECT {BATCH} FROM beltic.batches WHERE id_millis = $1");
        self.rows(&sql, vec![number(id_millis)], read_batch)
    }

    fn find_batches(&self, query: &BatchQuery, each: &mut dyn FnMut(BatchRow) -> Stored<bool>) -> Stored<()> {
        let (condition, values) = conditions(query);
        let sql = format!("SELECT {BATCH} FROM beltic.batches WHERE {condition} ORDER BY batch");
        self.go_through((&sql, values, FETCHED), read_batch, each)
    }

    fn scan_batches(&self, order: BatchOrder, each: Each<'_, BatchRow>) -> Stored<()> {
        let order = match order {
            BatchOrder::Slot => "list, first_slot",
            BatchOrder::Millis => "id_millis",
        };
        let sql = format!("SELECT {BATCH} FROM beltic.batches ORDER BY {order}");
        self.scan((&sql, Vec::new(), FETCHED), read_batch, each)
    }

    fn batch_index(&self, run: i64, each: Each<'_, IndexRow>) -> Stored<()> {
        let sql =
            "SELECT run, first_position, batch FROM beltic.batches WHERE run = $1 ORDER BY first_position";
        let read = |row: &Row| {
            Ok(IndexRow { run: row.try_get(0)?, first_position: row.try_get(1)?, batch: row.try_get(2)? })
        };
        // All at once: a row is three numbers.
        self.rows(sql, vec![number(run)], read)?.into_iter().try_for_each(each)
    }

    fn last_expiry_of_key(&self, kid: &str) -> Stored<Option<i64>> {
        let sql = "SELECT max(expires_last) FROM beltic.batches JOIN beltic.runs USING (run) WHERE kid = $1";
        Ok(self.row(sql, vec![text(kid)], |row| Ok(row.try_get(0)?))?.flatten())
    }

    fn scope_named(&self, kind: &str, name: &str) -> Stored<Option<ScopeRow>> {
        let sql = format!("SELECT {SCOPE} FROM beltic.scopes WHERE kind = $1 AND name = $2");
        self.row(&sql, vec![text(kind), text(name)], read_scope)
    }

    fn scan_scopes(&self, each: Each<'_, ScopeRow>) -> Stored<()> {
        let sql = format!("SELECT {SCOPE} FROM beltic.scopes ORDER BY scope");
        self.scan((&sql, Vec::new(), FETCHED_SHORT), read_scope, each)
    }

    fn last_scope(&self) -> Stored<i64> {
        Ok(self.last_numbers()?.scope)
    }

    fn insert_scope(&self, row: &ScopeRow) -> Stored<()> {
        self.cache.borrow_mut().note_last(row.scope, |last| &mut last.scope);
        let values = vec![
            number(row.scope),
            text(&row.kind),
            text(&row.name),
            text(&row.issuer),
            text(&row.rule),
            number(row.created_at),
            number(row.version),
            number(row.entries),
            number(row.sum),
            number(row.crc),
        ];
        self.tell(&format!("INSERT INTO beltic.scopes ({SCOPE}) VALUES ({})", places(SCOPE)), values, 0)
    }

    fn update_scope(&self, row: &ScopeRow) -> Stored<()> {
        let values = vec![
            number(row.scope),
            number(row.version),
            number(row.entries),
            number(row.sum),
            number(row.crc),
        ];
        let sql = "UPDATE beltic.scopes SET version = $2, entries = $3, sum = $4, crc = $5 WHERE scope = $1";
        self.tell(sql, values, 0)
    }

    fn segments_of(&self, scope: i64) -> Stored<Vec<SegmentHead>> {
        let sql = format!("SELECT {SEGMENT} FROM beltic.segments WHERE scope = $1 ORDER BY segment");
        self.rows(&sql, vec![number(scope)], read_segment)
    }

    fn segment_filters(&self, segments: &[i64]) -> Stored<Vec<Vec<u8>>> {
        self.of_segments("filter", segments)
    }

    fn segment_entries(&self, segments: &[i64]) -> Stored<Vec<Vec<u8>>> {
        self.of_segments("entries", segments)
    }

    fn last_segment(&self) -> Stored<i64> {
        Ok(self.last_numbers()?.segment)
    }

    fn insert_segment(&self, row: &SegmentRow) -> Stored<()> {
        let SegmentHead { segment, node, count, filter_crc, entries_crc } = row.head;
        self.cache.borrow_mut().note_last(segment, |last| &mut last.segment);
        let values = vec![
            number(segment),
            number(node),
            number(count.into()),
            number(filter_crc),
            number(entries_crc),
            number(row.scope),
            bytes(&row.filter),
            bytes(&row.entries),
        ];
        let sql = format!(
            "INSERT INTO beltic.segments ({SEGMENT}, scope, filter, entries) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        );
        self.tell(&sql, values, row.filter.len() + row.entries.len())
    }

    fn delete_segment(&self, segment: i64) -> Stored<()> {
        // The number of the last one is known in the transaction, so that it is not given once more.
        debug_assert!(self.cache.borrow().last.is_some());
        self.tell("DELETE FROM beltic.segments WHERE segment = $1", vec![number(segment)], 0)
    }

    fn list(&self, list: i64) -> Stored<Option<ListRow>> {
        if let Some(known) = self.cache.borrow().lists.get(&list) {
            return Ok(Some(known.clone()));
        }
        let sql = format!("SELECT {LIST} FROM beltic.lists WHERE list = $1");
        let found = self.row(&sql, vec![number(list)], read_list)?;
        if let (true, Some(row)) = (self.is_locked(), &found) {
            self.cache.borrow_mut().lists.insert(list, row.clone());
        }
        Ok(found)
    }

    fn last_list(&self) -> Stored<i64> {
        Ok(self.last_numbers()?.list)
    }

    fn list_numbers(&self) -> Stored<Vec<i64>> {
        self.rows("SELECT list FROM beltic.lists ORDER BY list", Vec::new(), |row| Ok(row.try_get(0)?))
    }

    /// A lane's slots are given by [`Lanes::grant`] alone.
    fn open_list(&self, issuer: &str, base: &str, taken_below: u32) -> Stored<Option<i64>> {
        let sql = "SELECT list FROM beltic.lists l
                   WHERE issuer = $1 AND base = $2 AND NOT closed AND taken < $3
                     AND NOT EXISTS (SELECT FROM beltic.lanes WHERE lanes.list = l.list)
                   ORDER BY list DESC LIMIT 1";
        self.row(sql, vec![text(issuer), text(base), number(taken_below.into())], |row| Ok(row.try_get(0)?))
    }

    fn has_open_lists(&self) -> Stored<bool> {
        let rows = self.ask("SELECT EXISTS (SELECT FROM beltic.lists WHERE NOT closed)", Vec::new())?;
        Ok(rows.first().ok_or_else(corrupt)?.try_get(0)?)
    }

    fn insert_list(&self, row: &ListRow) -> Stored<()> {
        let mut cache = self.cache.borrow_mut();
        cache.note_last(row.list, |last| &mut last.list);
        cache.lists.remove(&row.list);
        drop(cache);
        let values = vec![
            number(row.list),
            text(&row.issuer),
            text(&row.base),
            text(&row.token_uri),
            text(&row.bitstring_uri),
            optional_text(row.suspension_uri.as_deref()),
            bytes(&row.secret),
            number(row.taken.into()),
            value(row.closed, Type::BOOL),
            number(row.opened_at),
            number(row.crc),
        ];
        self.tell(&format!("INSERT INTO beltic.lists ({LIST}) VALUES ({})", places(LIST)), values, 0)?;
        // A list that comes from another ledger.
        if row.taken > 0 { self.claim_slots(row.list, 0..row.taken) } else { Ok(()) }
    }

    fn claim_slots(&self, list: i64, slots: Range<u32>) -> Stored<()> {
        self.tell(
            "INSERT INTO beltic.slots (ticket, list, first_slot, end_slot) VALUES (gen_random_uuid(), $1, $2, $3)",
            vec![number(list), number(slots.start.into()), number(slots.end.into())],
            0,
        )
    }

    fn update_list(&self, row: &ListRow) -> Stored<()> {
        if let Some(known) = self.cache.borrow_mut().lists.get_mut(&row.list) {
            *known = row.clone();
        }
        let values = vec![
            number(row.list),
            optional_text(row.suspension_uri.as_deref()),
            number(row.taken.into()),
            value(row.closed, Type::BOOL),
            number(row.crc),
        ];
        let sql =
            "UPDATE beltic.lists SET suspension_uri = $2, taken = $3, closed = $4, crc = $5 WHERE list = $1";
        self.tell(sql, values, 0)?;
        match row.closed {
            true => {
                self.tell("UPDATE beltic.lanes SET closed = true WHERE list = $1", vec![number(row.list)], 0)
            }
            false => Ok(()),
        }
    }

    fn end_of_batches(&self, list: i64) -> Stored<Option<u32>> {
        let sql =
            "SELECT first_slot + count FROM beltic.batches WHERE list = $1 ORDER BY first_slot DESC LIMIT 1";
        self.row(sql, vec![number(list)], |row| short(row, 0))
    }

    fn batches_with_statuses(&self, list: i64) -> Stored<Vec<i64>> {
        let sql =
            "SELECT DISTINCT batch FROM beltic.batches JOIN beltic.statuses USING (batch) WHERE list = $1";
        self.rows(sql, vec![number(list)], |row| Ok(row.try_get(0)?))
    }

    fn order_part(&self, list: i64, part: u32) -> Stored<Option<OrderRow>> {
        let sql = "SELECT list, part, indices, crc FROM beltic.orders WHERE list = $1 AND part = $2";
        self.row(sql, vec![number(list), number(part.into())], read_order)
    }

    fn insert_order_part(&self, row: &OrderRow) -> Stored<()> {
        let values = vec![number(row.list), number(row.part.into()), bytes(&row.indices), number(row.crc)];
        let sql = "INSERT INTO beltic.orders (list, part, indices, crc) VALUES ($1, $2, $3, $4)";
        self.tell(sql, values, row.indices.len())
    }

    fn order_of(&self, list: i64) -> Stored<Vec<OrderRow>> {
        let sql = "SELECT list, part, indices, crc FROM beltic.orders WHERE list = $1 ORDER BY part";
        self.rows(sql, vec![number(list)], read_order)
    }

    fn status(&self, batch: i64, place: u32) -> Stored<Option<StatusRow>> {
        let sql = format!("SELECT {STATUS} FROM beltic.statuses WHERE batch = $1 AND place = $2");
        self.row(&sql, vec![number(batch), number(place.into())], read_status)
    }

    fn statuses_of(&self, batch: i64) -> Stored<Vec<StatusRow>> {
        let sql = format!("SELECT {STATUS} FROM beltic.statuses WHERE batch = $1 ORDER BY place");
        self.rows(&sql, vec![number(batch)], read_status)
    }

    fn scan_statuses(&self, each: Each<'_, StatusRow>) -> Stored<()> {
        let sql = format!("SELECT {STATUS} FROM beltic.statuses ORDER BY batch, place");
        self.scan((&sql, Vec::new(), FETCHED_SHORT), read_status, each)
    }

    fn count_statuses(&self) -> Stored<i64> {
        self.one("SELECT count(*) FROM beltic.statuses", Vec::new())
    }

    fn set_status(&self, row: &StatusRow) -> Stored<()> {
        let values = vec![
            number(row.batch),
            number(row.place.into()),
            text(&row.status),
            number(row.since),
            optional_text(row.reason.as_deref()),
            optional_text(row.cause.as_deref()),
            number(row.crc),
        ];
        let sql = format!(
            "INSERT INTO beltic.statuses ({STATUS}) VALUES ({})
             ON CONFLICT (batch, place) DO UPDATE SET status = excluded.status, since = excluded.since,
                 reason = excluded.reason, cause = excluded.cause, crc = excluded.crc",
            places(STATUS)
        );
        self.tell(&sql, values, 0)
    }

    fn delete_status(&self, batch: i64, place: u32) -> Stored<()> {
        let values = vec![number(batch), number(place.into())];
        self.tell("DELETE FROM beltic.statuses WHERE batch = $1 AND place = $2", values, 0)
    }

    fn last_event(&self) -> Stored<Option<EventRow>> {
        if let Some(known) = &self.cache.borrow().last_event {
            return Ok(known.clone());
        }
        self.row(&last_event(), Vec::new(), read_event)
    }

    fn event(&self, event: i64) -> Stored<Option<EventRow>> {
        let sql = format!("SELECT {EVENT} FROM beltic.events WHERE event = $1");
        self.row(&sql, vec![number(event)], read_event)
    }

    fn insert_event(&self, row: &EventRow) -> Stored<()> {
        self.cache.borrow_mut().last_event = Some(Some(row.clone()));
        let values = vec![
            number(row.event),
            number(row.at),
            text(&row.kind),
            number(row.batch),
            optional(row.place.map(i64::from)),
            optional_text(row.reason.as_deref()),
            optional_bytes(row.places.as_deref()),
            optional_bytes(row.entries.as_ref().map(<[u8; 16]>::as_slice)),
            optional_text(row.cause.as_deref()),
            bytes(&row.hash),
        ];
        self.tell(&format!("INSERT INTO beltic.events ({EVENT}) VALUES ({})", places(EVENT)), values, 0)
    }

    fn events_after(&self, event: i64, limit: u64, each: Each<'_, EventRow>) -> Stored<()> {
        let sql = format!("SELECT {EVENT} FROM beltic.events WHERE event > $1 ORDER BY event LIMIT $2");
        let values = vec![number(event), number(limit.min(i64::MAX as u64) as i64)];
        self.scan((&sql, values, FETCHED_SHORT), read_event, each)
    }

    fn events_of(&self, batch: i64) -> Stored<Vec<EventRow>> {
        let sql = format!("SELECT {EVENT} FROM beltic.events WHERE batch = $1 ORDER BY event");
        self.rows(&sql, vec![number(batch)], read_event)
    }

    fn latest_event_time(&self, among: u64) -> Stored<Option<i64>> {
        let sql = "SELECT max(at) FROM (SELECT at FROM beltic.events ORDER BY event DESC LIMIT $1) AS last";
        Ok(self.row(sql, vec![number(among as i64)], |row| Ok(row.try_get(0)?))?.flatten())
    }

    fn seal(&self) -> Stored<SealRow> {
        if let Some(known) = self.cache.borrow().seal {
            return Ok(known);
        }
        self.row(&format!("SELECT {SEAL} FROM beltic.seal"), Vec::new(), read_seal)?.ok_or_else(corrupt)
    }

    fn insert_seal(&self, row: &SealRow) -> Stored<()> {
        self.tell("INSERT INTO beltic.seal VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8)", seal_values(row), 0)
    }

    fn update_seal(&self, row: &SealRow) -> Stored<()> {
        self.cache.borrow_mut().seal = Some(*row);
        let sql = "UPDATE beltic.seal SET token = $1, before = $2, runs = $3, lists = $4, statuses = $5, closings = $6,
                       scopes = $7, crc = $8";
        self.tell(sql, seal_values(row), 0)
    }

    fn ledger(&self) -> Stored<LedgerRow> {
        if let Some(known) = self.cache.borrow().ledger.clone() {
            return Ok(known);
        }
        self.row(&format!("SELECT {LEDGER} FROM beltic.ledger"), Vec::new(), read_ledger)?.ok_or_else(corrupt)
    }

    fn insert_ledger(&self, row: &LedgerRow) -> Stored<()> {
        let mut values = ledger_values(row);
        values.push(number(crate::ledger::sqlite::FORMAT_VERSION));
        let sql = format!(
            "INSERT INTO beltic.ledger (one, {LEDGER}, format) VALUES (1, {}, ${})",
            places(LEDGER),
            values.len()
        );
        self.tell(&sql, values, 0)
    }

    fn update_ledger(&self, row: &LedgerRow) -> Stored<()> {
        self.cache.borrow_mut().ledger = Some(row.clone());
        let sql = format!("UPDATE beltic.ledger SET ({LEDGER}) = ({})", places(LEDGER));
        self.tell(&sql, ledger_values(row), 0)
    }

    fn schemas(&self) -> Stored<Vec<SchemaRow>> {
        self.rows(&format!("SELECT {SCHEMA} FROM beltic.schemas ORDER BY version"), Vec::new(), read_schema)
    }

    fn insert_schema(&self, row: &SchemaRow) -> Stored<()> {
        let values = vec![
            text(&row.issuer),
            text(&row.credential_type),
            text(&row.vct),
            bytes(&row.source),
            number(row.version.into()),
            bytes(&row.document),
            number(row.crc),
        ];
        let sql = format!("INSERT INTO beltic.schemas ({SCHEMA}) VALUES ({})", places(SCHEMA));
        self.tell(&sql, values, row.document.len())
    }

    fn closings(&self) -> Stored<Vec<ClosingRow>> {
        let sql = "SELECT closing, at, event, reasons, lists, crc FROM beltic.closings ORDER BY closing";
        self.rows(sql, Vec::new(), |row| {
            Ok(ClosingRow {
                closing: row.try_get(0)?,
                at: row.try_get(1)?,
                event: row.try_get(2)?,
                reasons: row.try_get(3)?,
                lists: row.try_get(4)?,
                crc: row.try_get(5)?,
            })
        })
    }

    fn insert_closing(&self, row: &ClosingRow) -> Stored<()> {
        let values = vec![
            number(row.closing),
            number(row.at),
            number(row.event),
            text(&row.reasons),
            number(row.lists),
            number(row.crc),
        ];
        self.tell("INSERT INTO beltic.closings VALUES ($1, $2, $3, $4, $5, $6)", values, 0)
    }
}

fn seal_values(row: &SealRow) -> Vec<Value> {
    let counts = [row.runs, row.lists, row.statuses, row.closings, row.scopes, row.crc];
    [bytes(&row.token), bytes(&row.before)].into_iter().chain(counts.map(number)).collect()
}

fn ledger_values(row: &LedgerRow) -> Vec<Value> {
    vec![
        bytes(&row.id),
        bytes(&row.hash_key),
        number(row.created_at),
        number(row.home_inode),
        number(row.home_born),
        number(row.crc),
        optional_text(row.moved_to.as_deref()),
    ]
}
