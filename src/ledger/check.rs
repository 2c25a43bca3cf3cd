//! Looking a ledger over, on demand.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use rusqlite::{Connection, Row};

use super::allocation::LIST_ENTRIES;
use super::batches::{self, StoredBatch};
use super::checksum::contradiction;
use super::identity::{Closing, Identity};
use super::runs::runs_must_be_whole;
use super::seal::{Seal, in_one_snapshot};
use super::{Ledger, LedgerError, events, lists, record, status};

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
        // Everything as it is at one moment.
        let moment = self.connection.unchecked_transaction().map_err(|source| self.cannot("read", source))?;
        Examination::of_connection(&moment, true).map_err(|source| self.cannot("read", source))
    }
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
    pub(super) fn of_connection(connection: &Connection, thorough: bool) -> rusqlite::Result<Examination> {
        in_one_snapshot(connection, || Examination::of_snapshot(connection, thorough))
    }

    fn of_snapshot(connection: &Connection, thorough: bool) -> rusqlite::Result<Examination> {
        let mut examination = Examination::default();
        examination.integrity(connection)?;
        if !examination.problems.is_empty() {
            return Ok(examination);
        }
        let trail = if thorough { Examination::trail_and_orders } else { Examination::trail };
        for step in [Examination::rows, Examination::slots, Examination::ids, trail] {
            if let Err(error) = step(&mut examination, connection) {
                examination.problems.push(error.to_string());
            }
        }
        Ok(examination)
    }

    /// The audit trail holds.
    fn trail(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.problems.extend(events::verify_events(connection, None)?.problems);
        Ok(())
    }

    fn trail_and_orders(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.problems.extend(events::verify(connection, None)?.problems);
        Ok(())
    }

    /// Every row is what was written, and none is missing.
    fn rows(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut note = |outcome: rusqlite::Result<()>| {
            outcome.unwrap_or_else(|error| self.problems.push(error.to_string()));
        };
        note(Seal::read(connection).map(drop));
        note(Identity::read(connection).map(drop));
        note(Closing::all(connection).map(drop));
        note(runs_must_be_whole(connection));
        note(status::must_be_whole(connection));
        let mut runs = connection.prepare("SELECT run FROM runs")?;
        for run in runs.query_map([], |row| row.get(0))? {
            note(batches::must_be_found(connection, run?));
        }
        let sql = format!("SELECT {} FROM batches", StoredBatch::COLUMNS);
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            note(StoredBatch::read(row).map(drop));
        }
        lists::verify(connection, |problem| note(Err(contradiction(problem))))
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
        let count = |what| {
            let sql = format!("SELECT count({what}");
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
        };
        (self.lists, self.runs) = (count("*) FROM lists")?, count("DISTINCT name) FROM runs")?);
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
            if u64::from(first) + u64::from(count) > u64::from(taken.min(LIST_ENTRIES)) {
                self.problems
                    .push(format!("list {list} gave slots beyond the {taken} that it says are taken"));
            }
            end_before = (list, first.saturating_add(count));
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
