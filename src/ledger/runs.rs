//! Runs: what their credentials have in common, and whether all of them are found.

use super::checksum::{Checksum, contradiction};
use super::rows::RunRow;
use super::seal::{Counts, Seal, must_count};
use super::store::{Store, StoreError, Stored, in_one_snapshot};
use super::terms::{RunDescription, Terms, TypeTerms};
use super::{Difference, LedgerError, batches, next, statuses};
use crate::clock::system_now;
use crate::types::CredentialType;

/// The rows of a run, by the types of which it has issued anything.
#[derive(Debug, Clone)]
pub(super) struct RunNumbers(Vec<(String, i64)>);

impl RunNumbers {
    /// What the ledger has of a run, if its terms are these. Where items may have been issued under it, all of them can
    /// be found.
    pub(super) fn find(
        store: &dyn Store,
        run: &RunDescription,
        fail: impl Fn(StoreError) -> LedgerError,
    ) -> Result<RunNumbers, LedgerError> {
        let found = of_name(store, run).map_err(&fail)?;
        for row in &found {
            row.must_be_under(run)?;
            if run.repeatable {
                row.must_find_all(store).map_err(&fail)?;
            }
        }
        let numbers = found.into_iter().map(|row| (row.of_type.credential_type, row.number));
        Ok(RunNumbers(numbers.collect()))
    }

    /// Whether nothing was issued in the run yet.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The row for a type, where this process knows it.
    pub(super) fn known(&self, credential_type: &CredentialType) -> Option<i64> {
        self.0.iter().find(|(known, _)| known == credential_type.name).map(|(_, number)| *number)
    }

    /// The row for a type, which is added where there is none.
    pub(super) fn of_type(
        &mut self,
        credential_type: &CredentialType,
        store: &dyn Store,
        run: &RunDescription,
        scope: Option<i64>,
        added: &mut Counts,
    ) -> Stored<i64> {
        let name = credential_type.name;
        if let Some((_, number)) = self.0.iter().find(|(known, _)| known == name) {
            return Ok(*number);
        }
        let of_type = run.of_type(name).expect("a run is described for each type that it issues");
        let rows = store.runs_named(&run.name)?;
        let number = match rows.iter().find(|row| row.credential_type == name) {
            // Another process has begun with it meanwhile.
            Some(row) => row.run,
            None => {
                added.runs += 1;
                add_run(store, run, of_type, scope)?
            }
        };
        self.0.push((name.to_owned(), number));
        Ok(number)
    }
}

/// A row of a run, which is that of one type.
pub(super) struct FoundRun {
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) terms: Terms,
    pub(super) of_type: TypeTerms,
    /// The scope within which its items are known, where they are.
    pub(super) scope: Option<i64>,
    /// The sum of what the run's index must show.
    pub(super) batches: i64,
}

impl FoundRun {
    /// Reads a row, and refuses one that is not what was written.
    pub(super) fn read(row: RunRow) -> Stored<FoundRun> {
        let RunRow { issuer, kid, proof_format, context, ttl, credential_type, vct, disclosure, .. } = row;
        let found = FoundRun {
            number: row.run,
            name: row.name,
            terms: Terms { issuer, kid, proof_format, context, ttl },
            of_type: TypeTerms { credential_type, vct, disclosure },
            scope: row.scope,
            batches: row.batches,
        };
        let sums = run_checksum(
            found.number,
            &found.name,
            (&found.terms, &found.of_type),
            found.scope,
            row.started_at,
        );
        sums.must_be(row.crc, || format!("table `runs`, run {}", found.number))?;
        Ok(found)
    }

    /// Refuses to look up what was issued before where not all of it may be found.
    pub(super) fn must_find_all(&self, store: &dyn Store) -> Stored<()> {
        batches::must_be_found(store, self.number, self.batches)?;
        statuses::must_be_whole(store)
    }

    /// Refuses to go on with the run under other terms.
    pub(super) fn must_be_under(&self, run: &RunDescription) -> Result<(), LedgerError> {
        let of_type = run.of_type(&self.of_type.credential_type).unwrap_or(&self.of_type);
        let (was, is) = (named(&self.terms, &self.of_type), named(&run.terms, of_type));
        let differences: Vec<Difference> = (was.into_iter().zip(is))
            .filter(|((_, was), (_, is))| was != is)
            .map(|((name, was), (_, is))| Difference::new(name, was, is))
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
pub(super) fn of_name(store: &dyn Store, run: &RunDescription) -> Stored<Vec<FoundRun>> {
    let found = store.runs_named(&run.name)?.into_iter().map(FoundRun::read);
    let found = found.collect::<Stored<Vec<_>>>()?;
    if found.len() < run.types.len() && run.repeatable {
        must_not_be_hidden(store, &run.name, found.len())?;
    }
    Ok(found)
}

/// Refuses a ledger that has rows of this name which its index does not find, or of which a row is changed or missing.
fn must_not_be_hidden(store: &dyn Store, name: &str, found: usize) -> Stored<()> {
    let mut named = 0;
    go_through(store, |found| named += usize::from(found.name == name))?;
    match named == found {
        true => Ok(()),
        false => Err(contradiction("the index of table `runs` does not find a run that is there")),
    }
}

/// Refuses a table of runs in which one is changed or missing: it might be the one that was not found.
pub(super) fn must_be_whole(store: &dyn Store) -> Stored<()> {
    go_through(store, |_| ())
}

fn go_through(store: &dyn Store, mut each: impl FnMut(FoundRun)) -> Stored<()> {
    in_one_snapshot(store, || {
        let mut count = 0;
        store.scan_runs(&mut |row| {
            count += 1;
            FoundRun::read(row).map(&mut each)
        })?;
        must_count("runs", count, Seal::read(store)?.counts.runs)
    })
}

fn run_checksum(
    number: i64,
    name: &str,
    (terms, of_type): (&Terms, &TypeTerms),
    scope: Option<i64>,
    started_at: i64,
) -> Checksum {
    let sums = Checksum::of("runs").number(number).text(name).number(started_at);
    let sums = sums.number(scope.unwrap_or_default());
    let sums = sums.text(&of_type.credential_type);
    named(terms, of_type).iter().fold(sums, |sums, (_, term)| sums.text(term))
}

fn add_run(store: &dyn Store, run: &RunDescription, of_type: &TypeTerms, scope: Option<i64>) -> Stored<i64> {
    let (number, now) = (next(store.last_run()?)?, system_now().seconds());
    let Terms { issuer, kid, proof_format, context, ttl } = run.terms.clone();
    let TypeTerms { credential_type, vct, disclosure } = of_type.clone();
    store.insert_run(&RunRow {
        run: number,
        name: run.name.clone(),
        credential_type,
        issuer,
        kid,
        proof_format,
        vct,
        context,
        ttl,
        disclosure,
        started_at: now,
        scope,
        crc: run_checksum(number, &run.name, (&run.terms, of_type), scope, now).sum(),
        batches: 0,
    })?;
    Ok(number)
}
