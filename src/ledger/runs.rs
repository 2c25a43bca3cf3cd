//! Runs: what their credentials have in common, and whether all of them are found.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::checksum::{Checksum, contradiction};
use super::seal::{Counts, Seal, in_one_snapshot, must_count};
use super::{Difference, LedgerError, RunDescription, Terms, TypeTerms, batches, status};
use crate::clock::system_now;
use crate::types::CredentialType;

/// The rows of a run, by the types of which it has issued anything.
#[derive(Debug, Clone)]
pub(super) struct RunNumbers(Vec<(String, i64)>);

impl RunNumbers {
    /// What the ledger has of a run, if its terms are these. Where items may have been issued under it, all of them can
    /// be found.
    pub(super) fn find(
        connection: &Connection,
        run: &RunDescription,
        path: &Path,
    ) -> Result<RunNumbers, LedgerError> {
        let fail = |source| LedgerError::sqlite("write", path, source);
        let found = of_name(connection, run).map_err(fail)?;
        for row in &found {
            row.must_be_under(run)?;
            if run.repeatable {
                must_find_all(connection, row.number).map_err(fail)?;
            }
        }
        let numbers = found.into_iter().map(|row| (row.of_type.credential_type, row.number));
        Ok(RunNumbers(numbers.collect()))
    }

    /// The row for a type, which is added where there is none.
    pub(super) fn of_type(
        &mut self,
        credential_type: &CredentialType,
        transaction: &Transaction<'_>,
        run: &RunDescription,
        added: &mut Counts,
    ) -> rusqlite::Result<i64> {
        let name = credential_type.name;
        if let Some((_, number)) = self.0.iter().find(|(known, _)| known == name) {
            return Ok(*number);
        }
        let of_type = run.of_type(name).expect("a run is described for each type that it issues");
        let number = match of_name_and_type(transaction, run, name)? {
            // Another process has begun with it meanwhile.
            Some(number) => number,
            None => {
                added.runs += 1;
                add_run(transaction, run, of_type)?
            }
        };
        self.0.push((name.to_owned(), number));
        Ok(number)
    }
}

/// Refuses to look up what was issued before where not all of it may be found.
pub(super) fn must_find_all(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    batches::must_be_found(connection, run)?;
    status::must_be_whole(connection)
}

/// A row of a run, which is that of one type.
pub(super) struct FoundRun {
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) terms: Terms,
    pub(super) of_type: TypeTerms,
}

impl FoundRun {
    /// Reads a row, and refuses one that is not what was written.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<FoundRun> {
        let found = FoundRun {
            number: row.get(0)?,
            name: row.get(1)?,
            terms: Terms {
                issuer: row.get(3)?,
                kid: row.get(4)?,
                proof_format: row.get(5)?,
                context: row.get(7)?,
                ttl: row.get(8)?,
            },
            of_type: TypeTerms { credential_type: row.get(2)?, vct: row.get(6)?, disclosure: row.get(9)? },
        };
        let sums = run_checksum(found.number, &found.name, &found.terms, &found.of_type, row.get(10)?);
        sums.must_be(row.get(11)?, || format!("table `runs`, run {}", found.number))?;
        Ok(found)
    }

    /// Refuses to go on with the run under other terms.
    pub(super) fn must_be_under(&self, run: &RunDescription) -> Result<(), LedgerError> {
        let of_type = run.of_type(&self.of_type.credential_type).unwrap_or(&self.of_type);
        let (was, is) = (named(&self.terms, &self.of_type), named(&run.terms, of_type));
        let differences: Vec<Difference> = (was.into_iter().zip(is))
            .filter(|((_, was), (_, is))| was != is)
            .map(|((name, was), (_, is))| Difference { name, was: was.to_owned(), is: is.to_owned() })
            .collect();
        match differences.is_empty() {
            true => Ok(()),
            false => Err(LedgerError::OtherTerms { name: run.name.clone(), differences }),
        }
    }
}

/// The terms by their names, as messages call them and as the ledger's columns are named.
fn named<'t>(terms: &'t Terms, of_type: &'t TypeTerms) -> [(&'static str, &'t str); 7] {
    [
        ("issuer", &terms.issuer),
        ("kid", &terms.kid),
        ("proof_format", &terms.proof_format),
        ("vct", &of_type.vct),
        ("context", &terms.context),
        ("ttl", &terms.ttl),
        ("disclosure", &of_type.disclosure),
    ]
}

/// The rows of the run of this name: one for each type of which it has issued anything.
pub(super) fn of_name(connection: &Connection, run: &RunDescription) -> rusqlite::Result<Vec<FoundRun>> {
    let sql = format!("SELECT {RUN_COLUMNS} FROM runs WHERE name = ?1 ORDER BY run");
    let mut statement = connection.prepare_cached(&sql)?;
    let found: Vec<FoundRun> =
        statement.query_map([&run.name], FoundRun::read)?.collect::<rusqlite::Result<_>>()?;
    if found.len() < run.types.len() && run.repeatable {
        runs_must_be_whole(connection)?;
        must_not_be_hidden(connection, &run.name, found.len())?;
    }
    Ok(found)
}

fn of_name_and_type(
    connection: &Connection,
    run: &RunDescription,
    credential_type: &str,
) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT run FROM runs WHERE name = ?1 AND credential_type = ?2";
    connection.prepare_cached(sql)?.query_row([&run.name, credential_type], |row| row.get(0)).optional()
}

/// Refuses a ledger that has rows of this name which its index does not find.
fn must_not_be_hidden(connection: &Connection, name: &str, found: usize) -> rusqlite::Result<()> {
    let sql = "SELECT count(*) FROM runs NOT INDEXED WHERE name = ?1";
    match connection.query_row(sql, [name], |row| row.get::<_, i64>(0))? == found as i64 {
        true => Ok(()),
        false => Err(contradiction("the index of table `runs` does not find a run that is there")),
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
    "run, name, credential_type, issuer, kid, proof_format, vct, context, ttl, disclosure, started_at, crc";

fn run_checksum(number: i64, name: &str, terms: &Terms, of_type: &TypeTerms, started_at: i64) -> Checksum {
    let sums = Checksum::of("runs").number(number).text(name).number(started_at);
    let sums = sums.text(&of_type.credential_type);
    named(terms, of_type).iter().fold(sums, |sums, (_, term)| sums.text(term))
}

fn add_run(
    transaction: &Transaction<'_>,
    run: &RunDescription,
    of_type: &TypeTerms,
) -> rusqlite::Result<i64> {
    let terms = &run.terms;
    let last: i64 = transaction.query_row("SELECT coalesce(max(run), 0) FROM runs", [], |row| row.get(0))?;
    let (number, now) = (super::next(last)?, system_now().seconds());
    transaction.execute(
        "INSERT INTO runs (run, name, credential_type, issuer, kid, proof_format, vct, context, ttl, disclosure,
                           started_at, crc, batches)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0)",
        params![
            number,
            run.name,
            of_type.credential_type,
            terms.issuer,
            terms.kid,
            terms.proof_format,
            of_type.vct,
            terms.context,
            terms.ttl,
            of_type.disclosure,
            now,
            run_checksum(number, &run.name, terms, of_type, now).sum()
        ],
    )?;
    Ok(number)
}
