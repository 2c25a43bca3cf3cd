//! Looking a ledger over, on demand.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::{Connection, Row};

use super::allocation::LIST_ENTRIES;
use super::{LedgerError, events, record, schema};

/// What was found in a ledger.
#[derive(Debug, Default)]
pub struct Examination {
    /// How many credentials it knows.
    pub credentials: u64,
    /// How many status lists.
    pub lists: u64,
    /// How many runs.
    pub runs: u64,
    /// What is wrong; nothing in a sound ledger.
    pub problems: Vec<String>,
}

impl Examination {
    /// Looks a ledger over: SQLite's own integrity check, and the invariants of this module.
    ///
    /// # Errors
    /// Where the ledger cannot be read at all.
    pub fn of(path: &Path) -> Result<Examination, LedgerError> {
        let connection = schema::connect(path)?;
        let fail = |source| LedgerError::sqlite("read", path, source);
        let mut examination = Examination::default();
        examination.integrity(&connection).map_err(fail)?;
        if examination.problems.is_empty() {
            examination.slots(&connection).map_err(fail)?;
            examination.ids(&connection).map_err(fail)?;
            examination.problems.extend(events::verify(&connection, None).map_err(fail)?.problems);
        }
        Ok(examination)
    }

    fn integrity(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare("PRAGMA integrity_check")?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
        for line in lines {
            let line = line?;
            if line != "ok" {
                self.problems.push(line);
            }
        }
        let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
        let broken = statement.query_map([], |row| row.get::<_, String>(0))?;
        for table in broken {
            self.problems.push(format!("a row of {} refers to nothing", table?));
        }
        Ok(())
    }

    /// No slot is given twice, and none beyond what its list says is taken.
    fn slots(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let count = |table| {
            let sql = format!("SELECT count(*) FROM {table}");
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
        };
        (self.lists, self.runs) = (count("lists")?, count("runs")?);
        let mut statement = connection.prepare(
            "SELECT list, first_slot, count, taken FROM batches JOIN lists USING (list) ORDER BY list, first_slot",
        )?;
        let mut rows = statement.query([])?;
        let mut end_before = (0, 0);
        while let Some(row) = rows.next()? {
            let (list, first, count, taken): (i64, u32, u32, u32) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let free_from = if end_before.0 == list { end_before.1 } else { 0 };
            if first < free_from {
                self.problems.push(format!("slots from {first} on of list {list} are given twice"));
            }
            if first + count > taken.min(LIST_ENTRIES) {
                self.problems
                    .push(format!("list {list} gave slots beyond the {taken} that it says are taken"));
            }
            end_before = (list, first + count);
            self.credentials += u64::from(count);
        }
        Ok(())
    }

    /// No id is given twice, and no position of a run.
    fn ids(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare(
            "SELECT run, id_millis, records, issued_first, issued_last, expires_first, expires_last
                 FROM batches ORDER BY id_millis",
        )?;
        let mut rows = statement.query([])?;
        let (mut millis, mut ids) = (0, HashSet::new());
        let mut positions = HashSet::new();
        while let Some(row) = rows.next()? {
            let (run, at): (i64, i64) = (row.get(0)?, row.get(1)?);
            if at != millis {
                ids.clear(); // ids of different milliseconds differ
                millis = at;
            }
            if !dates_fit(row)? {
                self.problems.push(format!("a batch of run {run} has other dates than its credentials"));
            }
            for record in record::unpack(row.get_ref(2)?.as_blob()?) {
                let Some(record) = record else {
                    self.problems.push(format!("a record of run {run} has a date that cannot be"));
                    continue;
                };
                if !ids.insert(record.id_tail) {
                    self.problems.push(format!("the id {} is given twice", record.id(at as u64)));
                }
                if !positions.insert((run, record.position)) {
                    self.problems.push(format!("item {} of run {run} was issued twice", record.position));
                }
            }
        }
        Ok(())
    }
}

/// Whether a batch's dates, by which searches leave batches out, are those of its credentials.
fn dates_fit(row: &Row<'_>) -> rusqlite::Result<bool> {
    let records: Vec<_> = record::unpack(row.get_ref(2)?.as_blob()?).flatten().collect();
    let issued = || records.iter().map(|record| record.issued_at.seconds());
    let expires = || records.iter().map(|record| record.expires_at.seconds());
    let expected = [issued().min(), issued().max(), expires().min(), expires().max()];
    let found: [Option<i64>; 4] = [row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?];
    Ok(found == expected)
}
