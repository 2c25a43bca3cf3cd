//! The rows in SQLite's tables: each operation of the store is one statement, or two.

use std::ops::RangeInclusive;
use std::path::Path;

use rusqlite::{OptionalExtension, Params, Row, params};

use super::SqliteStore;
use super::read::{
    BATCH, EVENT, LIST, RUN, SCOPE, SEGMENT, STATUS, conditions, read_batch, read_event, read_list,
    read_order, read_run, read_schema, read_scope, read_segment, read_status,
};
use crate::files::Way;
use crate::ledger::LedgerError;
use crate::ledger::rows::{
    BatchRow, ClosingRow, EventRow, IndexRow, LedgerRow, ListRow, OrderRow, RunRow, SchemaRow, ScopeRow,
    SealRow, SegmentHead, SegmentRow, StatusRow,
};
use crate::ledger::store::{Access, BatchOrder, BatchQuery, Commit, Each, Store, Stored, Watcher};

impl SqliteStore {
    /// The only row of a query, where there is one.
    fn row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Stored<Option<T>> {
        Ok(self.connection.prepare_cached(sql)?.query_row(params, read).optional()?)
    }

    /// The row that a query always has.
    fn one<T: rusqlite::types::FromSql>(&self, sql: &str, params: impl Params) -> Stored<T> {
        Ok(self.connection.prepare_cached(sql)?.query_row(params, |row| row.get(0))?)
    }

    fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Stored<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params, read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// A column of these segments, in their order; empty where there is no such segment.
    fn of_segments(&self, sql: &str, segments: &[i64]) -> Stored<Vec<Vec<u8>>> {
        let of = |segment| self.row(sql, [segment], |row| row.get(0)).map(Option::unwrap_or_default);
        segments.iter().map(of).collect()
    }

    fn scan<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
        each: Each<'_, T>,
    ) -> Stored<()> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            each(read(row)?)?;
        }
        Ok(())
    }

    fn write(&self, sql: &str, params: impl Params) -> Stored<()> {
        self.connection.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }
}

impl Store for SqliteStore {
    fn is_writable(&self) -> bool {
        self.keeper.borrow().is_some()
    }

    fn watcher(&self) -> Option<Box<dyn Watcher>> {
        let keeper = self.keeper.borrow();
        keeper.as_ref().map(|keeper| Box::new(keeper.watch.clone()) as Box<dyn Watcher>)
    }

    fn back_up(&self, file: &Path, way: Way) -> Result<(), LedgerError> {
        self.copy_to(file, way)
    }

    fn integrity_problems(&self) -> Stored<Vec<String>> {
        let text = |row: &Row<'_>| row.get::<_, String>(0);
        let mut problems = self.rows("PRAGMA integrity_check", [], text)?;
        problems.retain(|line| line != "ok");
        let broken = self.rows("PRAGMA foreign_key_check", [], text)?;
        problems.extend(broken.into_iter().map(|table| format!("a row of {table} refers to nothing")));
        Ok(problems)
    }

    fn begin(&self, purpose: Access) -> Stored<()> {
        let sql = match purpose {
            Access::Read => "BEGIN DEFERRED",
            Access::Write => "BEGIN IMMEDIATE",
        };
        Ok(self.connection.execute_batch(sql)?)
    }

    fn is_in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    fn commit(&self, commit: Commit) -> Result<(), LedgerError> {
        let mut keeper = self.keeper.borrow_mut();
        let keeper = keeper.as_mut().ok_or_else(|| LedgerError::looked_at_only(&self.given))?;
        keeper.commit(self, commit)
    }

    fn roll_back(&self) {
        if self.is_in_transaction() {
            // Where it fails, the transaction is taken back when the connection is closed.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn runs_named(&self, name: &str) -> Stored<Vec<RunRow>> {
        self.rows(&format!("SELECT {RUN} FROM runs WHERE name = ?1 ORDER BY run"), [name], read_run)
    }

    fn run(&self, run: i64) -> Stored<Option<RunRow>> {
        self.row(&format!("SELECT {RUN} FROM runs WHERE run = ?1"), [run], read_run)
    }

    fn scan_runs(&self, each: Each<'_, RunRow>) -> Stored<()> {
        self.scan(&format!("SELECT {RUN} FROM runs NOT INDEXED ORDER BY run"), [], read_run, each)
    }

    fn last_run(&self) -> Stored<i64> {
        self.one("SELECT coalesce(max(run), 0) FROM runs", [])
    }

    fn insert_run(&self, row: &RunRow) -> Stored<()> {
        self.write(
            &format!(
                "INSERT INTO runs ({RUN}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
            ),
            params![
                row.run,
                row.name,
                row.credential_type,
                row.issuer,
                row.kid,
                row.proof_format,
                row.vct,
                row.context,
                row.ttl,
                row.disclosure,
                row.started_at,
                row.crc,
                row.batches,
                row.scope
            ],
        )
    }

    fn add_to_run(&self, run: i64, batches: i64) -> Stored<()> {
        self.write("UPDATE runs SET batches = batches + ?2 WHERE run = ?1", [run, batches])
    }

    fn batch(&self, batch: i64) -> Stored<Option<BatchRow>> {
        self.row(&format!("SELECT {BATCH} FROM batches WHERE batch = ?1"), [batch], read_batch)
    }

    fn last_batch(&self) -> Stored<i64> {
        self.one("SELECT coalesce(max(batch), 0) FROM batches", [])
    }

    fn count_batches(&self) -> Stored<i64> {
        self.one("SELECT count(*) FROM batches", [])
    }

    fn insert_batch(&self, row: &BatchRow) -> Stored<()> {
        let [issued_first, issued_last, expires_first, expires_last] = row.dates;
        self.write(
            &format!(
                "INSERT INTO batches ({BATCH}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
            ),
            params![
                row.batch,
                row.run,
                row.first_position,
                row.list,
                row.first_slot,
                row.id_millis,
                row.count,
                row.records,
                issued_first,
                issued_last,
                expires_first,
                expires_last,
                row.attestation_type,
                row.opening,
                row.crc
            ],
        )
    }

    fn batches_at(&self, run_name: &str, first: RangeInclusive<i64>, each: Each<'_, BatchRow>) -> Stored<()> {
        let sql = format!(
            "SELECT {BATCH} FROM batches
             WHERE run IN (SELECT run FROM runs WHERE name = ?1) AND first_position BETWEEN ?2 AND ?3"
        );
        self.scan(&sql, params![run_name, first.start(), first.end()], read_batch, each)
    }

    fn batches_of_opening(&self, opening: i64) -> Stored<Vec<BatchRow>> {
        self.rows(&format!("SELECT {BATCH} FROM batches WHERE opening = ?1"), [opening], read_batch)
    }

    fn batches_of_millis(&self, id_millis: i64) -> Stored<Vec<BatchRow>> {
        self.rows(&format!("SELECT {BATCH} FROM batches WHERE id_millis = ?1"), [id_millis], read_batch)
    }

    fn find_batches(&self, query: &BatchQuery, each: &mut dyn FnMut(BatchRow) -> Stored<bool>) -> Stored<()> {
        let (condition, values) = conditions(query);
        let sql = format!("SELECT {BATCH} FROM batches WHERE {condition} ORDER BY batch");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            if !each(read_batch(row)?)? {
                break;
            }
        }
        Ok(())
    }

    fn scan_batches(&self, order: BatchOrder, each: Each<'_, BatchRow>) -> Stored<()> {
        let order = match order {
            BatchOrder::Slot => "list, first_slot",
            BatchOrder::Millis => "id_millis",
        };
        self.scan(&format!("SELECT {BATCH} FROM batches ORDER BY {order}"), [], read_batch, each)
    }

    fn batch_index(&self, run: i64, each: Each<'_, IndexRow>) -> Stored<()> {
        let sql =
            "SELECT run, first_position, batch FROM batches INDEXED BY batches_by_position WHERE run = ?1
                   ORDER BY first_position";
        let read = |row: &Row<'_>| {
            Ok(IndexRow { run: row.get(0)?, first_position: row.get(1)?, batch: row.get(2)? })
        };
        self.scan(sql, [run], read, each)
    }

    fn last_expiry_of_key(&self, kid: &str) -> Stored<Option<i64>> {
        self.one("SELECT max(expires_last) FROM batches JOIN runs USING (run) WHERE kid = ?1", [kid])
    }

    fn scope_named(&self, kind: &str, name: &str) -> Stored<Option<ScopeRow>> {
        let sql = format!("SELECT {SCOPE} FROM scopes WHERE kind = ?1 AND name = ?2");
        self.row(&sql, [kind, name], read_scope)
    }

    fn scan_scopes(&self, each: Each<'_, ScopeRow>) -> Stored<()> {
        self.scan(&format!("SELECT {SCOPE} FROM scopes NOT INDEXED ORDER BY scope"), [], read_scope, each)
    }

    fn last_scope(&self) -> Stored<i64> {
        self.one("SELECT coalesce(max(scope), 0) FROM scopes", [])
    }

    fn insert_scope(&self, row: &ScopeRow) -> Stored<()> {
        self.write(
            &format!("INSERT INTO scopes ({SCOPE}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"),
            params![
                row.scope,
                row.kind,
                row.name,
                row.issuer,
                row.rule,
                row.created_at,
                row.version,
                row.entries,
                row.sum,
                row.crc
            ],
        )
    }

    fn update_scope(&self, row: &ScopeRow) -> Stored<()> {
        self.write(
            "UPDATE scopes SET version = ?2, entries = ?3, sum = ?4, crc = ?5 WHERE scope = ?1",
            params![row.scope, row.version, row.entries, row.sum, row.crc],
        )
    }

    fn segments_of(&self, scope: i64) -> Stored<Vec<SegmentHead>> {
        let sql = format!("SELECT {SEGMENT} FROM segments WHERE scope = ?1 ORDER BY segment");
        self.rows(&sql, [scope], read_segment)
    }

    fn segment_filters(&self, segments: &[i64]) -> Stored<Vec<Vec<u8>>> {
        self.of_segments("SELECT filter FROM segments WHERE segment = ?1", segments)
    }

    fn segment_entries(&self, segments: &[i64]) -> Stored<Vec<Vec<u8>>> {
        self.of_segments("SELECT entries FROM segments WHERE segment = ?1", segments)
    }

    fn last_segment(&self) -> Stored<i64> {
        self.one("SELECT coalesce(max(segment), 0) FROM segments", [])
    }

    fn insert_segment(&self, row: &SegmentRow) -> Stored<()> {
        let SegmentHead { segment, node, count, filter_crc, entries_crc } = row.head;
        self.write(
            &format!("INSERT INTO segments ({SEGMENT}, scope, filter, entries) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
            params![segment, node, count, filter_crc, entries_crc, row.scope, row.filter, row.entries],
        )
    }

    fn delete_segment(&self, segment: i64) -> Stored<()> {
        self.write("DELETE FROM segments WHERE segment = ?1", [segment])
    }

    fn list(&self, list: i64) -> Stored<Option<ListRow>> {
        self.row(&format!("SELECT {LIST} FROM lists WHERE list = ?1"), [list], read_list)
    }

    fn last_list(&self) -> Stored<i64> {
        self.one("SELECT coalesce(max(list), 0) FROM lists", [])
    }

    fn list_numbers(&self) -> Stored<Vec<i64>> {
        self.rows("SELECT list FROM lists ORDER BY list", [], |row| row.get(0))
    }

    fn open_list(&self, issuer: &str, base: &str, taken_below: u32) -> Stored<Option<i64>> {
        let sql = "SELECT list FROM lists
                   WHERE issuer = ?1 AND base = ?2 AND NOT closed AND taken < ?3 ORDER BY list DESC LIMIT 1";
        self.row(sql, params![issuer, base, taken_below], |row| row.get(0))
    }

    fn has_open_lists(&self) -> Stored<bool> {
        self.one("SELECT EXISTS (SELECT 1 FROM lists WHERE NOT closed)", [])
    }

    fn insert_list(&self, row: &ListRow) -> Stored<()> {
        self.write(
            &format!("INSERT INTO lists ({LIST}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"),
            params![
                row.list,
                row.issuer,
                row.base,
                row.token_uri,
                row.bitstring_uri,
                row.suspension_uri,
                row.secret,
                row.taken,
                row.closed,
                row.opened_at,
                row.crc
            ],
        )
    }

    fn update_list(&self, row: &ListRow) -> Stored<()> {
        self.write(
            "UPDATE lists SET suspension_uri = ?2, taken = ?3, closed = ?4, crc = ?5 WHERE list = ?1",
            params![row.list, row.suspension_uri, row.taken, row.closed, row.crc],
        )
    }

    fn end_of_batches(&self, list: i64) -> Stored<Option<u32>> {
        let sql = "SELECT first_slot + count FROM batches WHERE list = ?1 ORDER BY first_slot DESC LIMIT 1";
        self.row(sql, [list], |row| row.get(0))
    }

    fn batches_with_statuses(&self, list: i64) -> Stored<Vec<i64>> {
        let sql = "SELECT DISTINCT batch FROM batches JOIN statuses USING (batch) WHERE list = ?1";
        self.rows(sql, [list], |row| row.get(0))
    }

    fn order_part(&self, list: i64, part: u32) -> Stored<Option<OrderRow>> {
        let sql = "SELECT list, part, indices, crc FROM orders WHERE list = ?1 AND part = ?2";
        self.row(sql, params![list, part], read_order)
    }

    fn insert_order_part(&self, row: &OrderRow) -> Stored<()> {
        self.write(
            "INSERT INTO orders (list, part, indices, crc) VALUES (?1, ?2, ?3, ?4)",
            params![row.list, row.part, row.indices, row.crc],
        )
    }

    fn order_of(&self, list: i64) -> Stored<Vec<OrderRow>> {
        let sql = "SELECT list, part, indices, crc FROM orders WHERE list = ?1 ORDER BY part";
        self.rows(sql, [list], read_order)
    }

    fn status(&self, batch: i64, place: u32) -> Stored<Option<StatusRow>> {
        let sql = format!("SELECT {STATUS} FROM statuses WHERE batch = ?1 AND place = ?2");
        self.row(&sql, params![batch, place], read_status)
    }

    fn statuses_of(&self, batch: i64) -> Stored<Vec<StatusRow>> {
        self.rows(&format!("SELECT {STATUS} FROM statuses WHERE batch = ?1"), [batch], read_status)
    }

    fn scan_statuses(&self, each: Each<'_, StatusRow>) -> Stored<()> {
        self.scan(&format!("SELECT {STATUS} FROM statuses"), [], read_status, each)
    }

    fn count_statuses(&self) -> Stored<i64> {
        self.one("SELECT count(*) FROM statuses", [])
    }

    fn set_status(&self, row: &StatusRow) -> Stored<()> {
        self.write(
            &format!("INSERT OR REPLACE INTO statuses ({STATUS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
            params![row.batch, row.place, row.status, row.since, row.reason, row.cause, row.crc],
        )
    }

    fn delete_status(&self, batch: i64, place: u32) -> Stored<()> {
        self.write("DELETE FROM statuses WHERE batch = ?1 AND place = ?2", params![batch, place])
    }

    fn last_event(&self) -> Stored<Option<EventRow>> {
        self.row(&format!("SELECT {EVENT} FROM events ORDER BY event DESC LIMIT 1"), [], read_event)
    }

    fn event(&self, event: i64) -> Stored<Option<EventRow>> {
        self.row(&format!("SELECT {EVENT} FROM events WHERE event = ?1"), [event], read_event)
    }

    fn insert_event(&self, row: &EventRow) -> Stored<()> {
        self.write(
            &format!("INSERT INTO events ({EVENT}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"),
            params![
                row.event,
                row.at,
                row.kind,
                row.batch,
                row.place,
                row.reason,
                row.places,
                row.entries,
                row.cause,
                row.hash
            ],
        )
    }

    fn events_after(&self, event: i64, limit: u64, each: Each<'_, EventRow>) -> Stored<()> {
        let sql = format!("SELECT {EVENT} FROM events WHERE event > ?1 ORDER BY event LIMIT ?2");
        self.scan(&sql, [event, limit.min(i64::MAX as u64) as i64], read_event, each)
    }

    fn events_of(&self, batch: i64) -> Stored<Vec<EventRow>> {
        self.rows(&format!("SELECT {EVENT} FROM events WHERE batch = ?1 ORDER BY event"), [batch], read_event)
    }

    fn latest_event_time(&self, among: u64) -> Stored<Option<i64>> {
        let sql = "SELECT max(at) FROM (SELECT at FROM events ORDER BY event DESC LIMIT ?1)";
        self.one(sql, [among as i64])
    }

    fn seal(&self) -> Stored<SealRow> {
        let sql = "SELECT token, before, runs, lists, statuses, closings, scopes, crc FROM seal";
        let read = |row: &Row<'_>| {
            Ok(SealRow {
                token: row.get(0)?,
                before: row.get(1)?,
                runs: row.get(2)?,
                lists: row.get(3)?,
                statuses: row.get(4)?,
                closings: row.get(5)?,
                scopes: row.get(6)?,
                crc: row.get(7)?,
            })
        };
        Ok(self.connection.prepare_cached(sql)?.query_row([], read)?)
    }

    fn insert_seal(&self, row: &SealRow) -> Stored<()> {
        self.write(
            "INSERT INTO seal VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                row.token,
                row.before,
                row.runs,
                row.lists,
                row.statuses,
                row.closings,
                row.scopes,
                row.crc
            ],
        )
    }

    fn update_seal(&self, row: &SealRow) -> Stored<()> {
        self.write(
            "UPDATE seal SET token = ?1, before = ?2, runs = ?3, lists = ?4, statuses = ?5, closings = ?6, scopes = ?7,
             crc = ?8",
            params![
                row.token,
                row.before,
                row.runs,
                row.lists,
                row.statuses,
                row.closings,
                row.scopes,
                row.crc
            ],
        )
    }

    fn ledger(&self) -> Stored<LedgerRow> {
        let sql = "SELECT id, hash_key, created_at, home_inode, home_born, crc, moved_to FROM ledger";
        let read = |row: &Row<'_>| {
            Ok(LedgerRow {
                id: row.get(0)?,
                hash_key: row.get(1)?,
                created_at: row.get(2)?,
                home_inode: row.get(3)?,
                home_born: row.get(4)?,
                crc: row.get(5)?,
                moved_to: row.get(6)?,
            })
        };
        Ok(self.connection.prepare_cached(sql)?.query_row([], read)?)
    }

    fn insert_ledger(&self, row: &LedgerRow) -> Stored<()> {
        self.write(
            "INSERT INTO ledger VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                row.id,
                row.hash_key,
                row.created_at,
                row.home_inode,
                row.home_born,
                row.moved_to,
                row.crc
            ],
        )
    }

    fn update_ledger(&self, row: &LedgerRow) -> Stored<()> {
        self.write(
            "UPDATE ledger SET home_inode = ?1, home_born = ?2, moved_to = ?3, crc = ?4",
            params![row.home_inode, row.home_born, row.moved_to, row.crc],
        )
    }

    fn schemas(&self) -> Stored<Vec<SchemaRow>> {
        let sql = "SELECT issuer, credential_type, vct, source, version, document, crc FROM schemas ORDER BY version";
        self.rows(sql, [], read_schema)
    }

    fn insert_schema(&self, row: &SchemaRow) -> Stored<()> {
        self.write(
            "INSERT INTO schemas VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![row.issuer, row.credential_type, row.vct, row.source, row.version, row.document, row.crc],
        )
    }

    fn closings(&self) -> Stored<Vec<ClosingRow>> {
        let sql = "SELECT closing, at, event, reasons, lists, crc FROM closings ORDER BY closing";
        self.rows(sql, [], |row| {
            Ok(ClosingRow {
                closing: row.get(0)?,
                at: row.get(1)?,
                event: row.get(2)?,
                reasons: row.get(3)?,
                lists: row.get(4)?,
                crc: row.get(5)?,
            })
        })
    }

    fn insert_closing(&self, row: &ClosingRow) -> Stored<()> {
        self.write(
            "INSERT INTO closings VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![row.closing, row.at, row.event, row.reasons, row.lists, row.crc],
        )
    }
}
