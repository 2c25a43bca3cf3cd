//! Runs: what their credentials have in common, and whether all of them are found.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::checksum::{Checksum, contradiction};
use super::seal::{Counts, Seal, in_one_snapshot, must_count};
use super::{Difference, LedgerError, RunDescription, Terms, batches, status};
use crate::clock::system_now;

/// The number of a run, which is added where there is none of its name. Where items may have been issued under
/// it, all of them can be found.
pub(super) fn number(
    transaction: &Transaction<'_>,
    run: &RunDescription,
    added: &mut Counts,
    path: &Path,
) -> Result<i64, LedgerError> {
    let fail = |source| LedgerError::sqlite("write", path, source);
    let number = match find_run(transaction, run).map_err(fail)? {
        Some(found) => found.number_under(&run.terms, &run.name)?,
        None => {
            added.runs = 1;
            add_run(transaction, run).map_err(fail)?
        }
    };
    if run.repeatable {
        must_find_all(transaction, number).map_err(fail)?;
    }
    Ok(number)
}

/// Refuses to look up what was issued before where not all of it may be found.
pub(super) fn must_find_all(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    batches::must_be_found(connection, run)?;
    status::must_be_whole(connection)
}

/// A run that the ledger knows.
pub(super) struct FoundRun {
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) terms: Terms,
}

impl FoundRun {
    /// Reads a row, and refuses one that is not what was written.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<FoundRun> {
        let found = FoundRun { number: row.get(0)?, name: row.get(1)?, terms: Terms::read(row, 2)? };
        let sums = run_checksum(found.number, &found.name, &found.terms, row.get(9)?);
        sums.must_be(row.get(10)?, || format!("table `runs`, run {}", found.number))?;
        Ok(found)
    }

    /// The run's number, if its terms are these.
    pub(super) fn number_under(&self, terms: &Terms, name: &str) -> Result<i64, LedgerError> {
        let differences: Vec<Difference> = (self.terms.named().into_iter().zip(terms.named()))
            .filter(|((_, was), (_, is))| was != is)
            .map(|((name, was), (_, is))| Difference { name, was: was.to_owned(), is: is.to_owned() })
            .collect();
        match differences.is_empty() {
            true => Ok(self.number),
            false => Err(LedgerError::OtherTerms { name: name.to_owned(), differences }),
        }
    }
}

/// The run of this name, if there is one.
pub(super) fn find_run(connection: &Connection, run: &RunDescription) -> rusqlite::Result<Option<FoundRun>> {
    let sql = format!("SELECT {RUN_COLUMNS} FROM runs WHERE name = ?1");
    let found = connection.query_row(&sql, [&run.name], FoundRun::read).optional()?;
    if found.is_none() && run.repeatable {
        runs_must_be_whole(connection)?;
        must_not_be_hidden(connection, &run.name)?;
    }
    Ok(found)
}

/// Refuses a ledger that has a run of this name which its index does not find.
fn must_not_be_hidden(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    let sql = "SELECT EXISTS (SELECT 1 FROM runs NOT INDEXED WHERE name = ?1)";
    match connection.query_row(sql, [name], |row| row.get(0))? {
        true => Err(contradiction("the index of table `runs` does not find a run that is there")),
        false => Ok(()),
    }
}

/// Refuses a table of runs in which one is changed or missing: it might be the one that was not found.
pub(super) fn runs_must_be_whole(connection: &Connection) -> rusqlite::Result<()> {
    let sql = format!("SELECT {RUN_COLUMNS} FROM runs NOT INDEXED ORDER BY run");
    in_one_snapshot(connection, || {
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            FoundRun::read(row)?;
            count += 1;
        }
        must_count("runs", count, Seal::read(connection)?.counts.runs)
    })
}

/// What [`FoundRun::read`] takes, in this order.
pub(super) const RUN_COLUMNS: &str =
    "run, name, issuer, kid, proof_format, vct, context, ttl, disclosure, started_at, crc";

fn run_checksum(number: i64, name: &str, terms: &Terms, started_at: i64) -> Checksum {
    let sums = Checksum::of("runs").number(number).text(name).number(started_at);
    terms.named().iter().fold(sums, |sums, (_, term)| sums.text(term))
}

fn add_run(transaction: &Transaction<'_>, run: &RunDescription) -> rusqlite::Result<i64> {
    let terms = &run.terms;
    let last: i64 = transaction.query_row("SELECT coalesce(max(run), 0) FROM runs", [], |row| row.get(0))?;
    let (number, now) = (super::next(last)?, system_now().seconds());
    transaction.execute(
        "INSERT INTO runs (run, name, issuer, kid, proof_format, vct, context, ttl, disclosure, started_at, crc, batches)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0)",
        params![
            number,
            run.name,
            terms.issuer,
            terms.kid,
            terms.proof_format,
            terms.vct,
            terms.context,
            terms.ttl,
            terms.disclosure,
            now,
            run_checksum(number, &run.name, terms, now).sum()
        ],
    )?;
    Ok(number)
}
