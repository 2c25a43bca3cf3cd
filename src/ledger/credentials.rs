//! Finding credentials: by id, run, dates, status, or by the hash of a subject's or a correlation
//! id.
//!
//! Hashes have no index of their own, which would slow issuing down by more than everything else
//! in the ledger together. A search by hash reads the records of all batches that the other
//! conditions leave: 66 bytes a credential.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use rusqlite::{Connection, ToSql};
use uuid::Uuid;

use super::batches::StoredBatch;
use super::lists::OpenLists;
use super::record::{self, Record};
use super::runs::{FoundRun, RUN_COLUMNS};
use super::status::{self, Place};
use super::{Ledger, LedgerError, Terms, TypeTerms};
use crate::clock::UnixTime;
use crate::credential::{CredentialStatus, ListUris, Status};
use crate::request::LookupHash;

/// A credential, as the ledger knows it.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Where its record stands, which is also its place in the order of issuance.
    pub place: Place,
    /// Its id.
    pub id: Uuid,
    /// The run that issued it.
    pub run: Arc<Run>,
    /// The item's index in that run.
    pub index: u64,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// When it expires.
    pub expires_at: UnixTime,
    /// Its status list and the index in that.
    pub list: (Arc<ListUris>, u32),
    /// Its status.
    pub current: CredentialStatus,
    /// The hash of its subject's id.
    pub subject_hash: LookupHash,
    /// The hash of its correlation id; zeros where it has none.
    pub correlation_hash: LookupHash,
}

/// A run, as the ledger knows it, as far as it is about one credential type.
#[derive(Debug)]
pub struct Run {
    /// Its name.
    pub name: String,
    /// What its credentials have in common.
    pub terms: Terms,
    /// What those of the type have in common.
    pub of_type: TypeTerms,
}

/// Which credentials are looked for. Conditions that are not set hold for all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this status.
    pub status: Option<Status>,
    /// Not revoked.
    pub not_revoked: bool,
    /// Of the run of this name.
    pub run: Option<String>,
    /// Issued by this issuer.
    pub issuer: Option<String>,
    /// Signed with the key of this id.
    pub kid: Option<String>,
    /// Of this type.
    pub vct: Option<String>,
    /// Not issued later than the credentials of this batch, as [`Ledger::newest_batch`] gives it.
    pub up_to: Option<i64>,
    /// Issued in this time.
    pub issued: Option<RangeInclusive<UnixTime>>,
    /// Expiring in this time.
    pub expiring: Option<RangeInclusive<UnixTime>>,
    /// Whose subject has one of these hashes.
    pub subjects: Option<HashSet<LookupHash>>,
    /// Whose correlation id has one of these hashes.
    pub correlation_ids: Option<HashSet<LookupHash>>,
}

impl Filter {
    /// Whether a record meets the conditions that SQL has not looked at.
    fn takes(&self, record: &Record, current: &CredentialStatus) -> bool {
        let within = |range: &Option<RangeInclusive<UnixTime>>, time| {
            range.as_ref().is_none_or(|range| range.contains(&time))
        };
        let among = |hashes: &Option<HashSet<LookupHash>>, hash| {
            hashes.as_ref().is_none_or(|hashes| hashes.contains(hash))
        };
        self.status.is_none_or(|status| status == current.status)
            && !(self.not_revoked && current.status == Status::Revoked)
            && within(&self.issued, record.issued_at)
            && within(&self.expiring, record.expires_at)
            && among(&self.subjects, &record.subject_hash)
            && among(&self.correlation_ids, &record.correlation_hash)
    }

    /// The batches that may hold what is looked for, from this one on: a condition in SQL and its
    /// values.
    fn batches(&self, from: i64) -> (String, Vec<Box<dyn ToSql>>) {
        let mut conditions = vec!["batch >= ?"];
        let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(from)];
        if let Some(batch) = self.up_to {
            conditions.push("batch <= ?");
            values.push(Box::new(batch));
        }
        // The `+` keeps SQLite from the index by run, which would have it sort the records of
        // the whole run anew for each page.
        for (condition, text) in [
            ("+run IN (SELECT run FROM runs WHERE name = ?)", &self.run),
            ("+run IN (SELECT run FROM runs WHERE issuer = ?)", &self.issuer),
            ("+run IN (SELECT run FROM runs WHERE kid = ?)", &self.kid),
            ("+run IN (SELECT run FROM runs WHERE vct = ?)", &self.vct),
        ] {
            if let Some(text) = text {
                conditions.push(condition);
                values.push(Box::new(text.clone()));
            }
        }
        let mut overlaps = |condition, range: &Option<RangeInclusive<UnixTime>>| {
            if let Some(range) = range {
                conditions.push(condition);
                values.push(Box::new(range.end().seconds()));
                values.push(Box::new(range.start().seconds()));
            }
        };
        overlaps("issued_first <= ? AND issued_last >= ?", &self.issued);
        overlaps("expires_first <= ? AND expires_last >= ?", &self.expiring);
        if matches!(self.status, Some(Status::Suspended | Status::Revoked)) {
            conditions.push("EXISTS (SELECT 1 FROM statuses WHERE statuses.batch = batches.batch)");
        }
        (conditions.join(" AND "), values)
    }
}

impl Ledger {
    /// The credential of this id.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn credential(&mut self, id: Uuid) -> Result<Option<Credential>, LedgerError> {
        let found = (|| {
            let Some(place) = status::place_of(&self.connection, id)? else { return Ok(None) };
            let filter = Filter::default();
            let mut finder =
                Finder { connection: &self.connection, lists: &mut self.lists, runs: HashMap::new() };
            Ok(finder.page(&filter, Some(place), true, 1)?.pop())
        })();
        found.map_err(|source| self.cannot("read", source))
    }

    /// The next credentials after this place that the filter takes, in the order of issuance, at
    /// most `limit`.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn credentials(
        &mut self,
        filter: &Filter,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Credential>, LedgerError> {
        let mut finder =
            Finder { connection: &self.connection, lists: &mut self.lists, runs: HashMap::new() };
        finder.page(filter, after, false, limit).map_err(|source| self.cannot("read", source))
    }

    /// The batch of the credential that was issued last; 0 where there is none.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn newest_batch(&self) -> Result<i64, LedgerError> {
        self.connection
            .query_row("SELECT coalesce(max(batch), 0) FROM batches", [], |row| row.get(0))
            .map_err(|source| self.cannot("read", source))
    }

    /// When the last credential signed with the key of this id expires, where there is one.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn last_expiry_of_key(&self, kid: &str) -> Result<Option<UnixTime>, LedgerError> {
        let sql = "SELECT max(expires_last) FROM batches JOIN runs USING (run) WHERE kid = ?1";
        let seconds: Option<i64> = self
            .connection
            .query_row(sql, [kid], |row| row.get(0))
            .map_err(|source| self.cannot("read", source))?;
        Ok(seconds.and_then(UnixTime::from_seconds))
    }
}

struct Finder<'l> {
    connection: &'l Connection,
    lists: &'l mut OpenLists,
    runs: HashMap<i64, Arc<Run>>,
}

impl Finder<'_> {
    fn page(
        &mut self,
        filter: &Filter,
        from: Option<Place>,
        inclusive: bool,
        limit: usize,
    ) -> rusqlite::Result<Vec<Credential>> {
        let mut found = Vec::new();
        let (condition, values) = filter.batches(from.map_or(0, |place| place.batch));
        let sql = format!("SELECT {} FROM batches WHERE {condition} ORDER BY batch", StoredBatch::COLUMNS);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()?
            && found.len() < limit
        {
            let batch = StoredBatch::read(row)?;
            let beyond = |place: Place| match from {
                None => true,
                Some(from) => place > from || inclusive && place == from,
            };
            self.take(&batch, filter, beyond, limit, &mut found)?;
        }
        Ok(found)
    }

    fn take(
        &mut self,
        batch: &StoredBatch,
        filter: &Filter,
        beyond: impl Fn(Place) -> bool,
        limit: usize,
        found: &mut Vec<Credential>,
    ) -> rusqlite::Result<()> {
        let statuses_of_batch = status::statuses_of_batch(self.connection, batch.number)?;
        let active = CredentialStatus::default();
        let mut kept = false;
        for (place, record) in (0..).zip(record::unpack(&batch.records)) {
            let record = record.ok_or_else(super::corrupt)?;
            let current = statuses_of_batch.get(&place).unwrap_or(&active);
            let at = Place { batch: batch.number, place };
            if found.len() == limit || !beyond(at) || !filter.takes(&record, current) {
                continue;
            }
            if !kept {
                let count = record::count(&batch.records);
                self.lists.keep(self.connection, [batch.slots.from(0, count)])?;
                kept = true;
            }
            found.push(Credential {
                place: at,
                id: record.id(batch.millis),
                run: self.run(batch.run)?,
                index: record.position,
                issued_at: record.issued_at,
                expires_at: record.expires_at,
                list: self.lists.place(batch.slots.list, batch.slots.first + place),
                current: current.clone(),
                subject_hash: record.subject_hash,
                correlation_hash: record.correlation_hash,
            });
        }
        Ok(())
    }

    fn run(&mut self, number: i64) -> rusqlite::Result<Arc<Run>> {
        if let Some(run) = self.runs.get(&number) {
            return Ok(Arc::clone(run));
        }
        let sql = format!("SELECT {RUN_COLUMNS} FROM runs WHERE run = ?1");
        let FoundRun { name, terms, of_type, .. } =
            self.connection.prepare_cached(&sql)?.query_row([number], FoundRun::read)?;
        let run = Arc::new(Run { name, terms, of_type });
        self.runs.insert(number, Arc::clone(&run));
        Ok(run)
    }
}

/// A place as a cursor: opaque to users, and stable.
impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.batch, self.place)
    }
}

impl std::str::FromStr for Place {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Place, Self::Err> {
        let (batch, place) = text.split_once('-').unwrap_or((text, ""));
        Ok(Place { batch: batch.parse()?, place: place.parse()? })
    }
}
