//! Finding credentials: by id, run, dates, status, or by the hash of a subject's or a correlation
//! id.
//!
//! Hashes have no index of their own, which would slow issuing down by more than everything else
//! in the ledger together. A search by hash reads the records of all batches that the other
//! conditions leave: 74 bytes a credential.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use uuid::Uuid;

use super::batches::StoredBatch;
use super::checksum::contradiction;
use super::lists::OpenLists;
use super::record::{self, Record, RecordPlace};
use super::rows::RunRow;
use super::runs::FoundRun;
use super::store::{BatchQuery, Store, Stored};
use super::terms::{Terms, TypeTerms};
use super::{Ledger, LedgerError, change, corrupt, statuses};
use crate::clock::UnixTime;
use crate::credential::{CredentialStatus, ListUris, Status};
use crate::request::LookupHash;

/// A credential, as the ledger knows it.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Where its record stands, which is also its place in the order of issuance.
    pub place: RecordPlace,
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
    /// The hash of the id of the subject who delegated; zeros where nobody did.
    pub delegator_hash: LookupHash,
    /// What it attests, where its type says so.
    pub attestation_type: Option<Arc<str>>,
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
    /// Of this `vct`.
    pub vct: Option<String>,
    /// Of the credential type of this name.
    pub credential_type: Option<String>,
    /// Not issued later than the credentials of this batch, as [`Ledger::newest_batch`] gives it.
    pub up_to: Option<i64>,
    /// Issued in this time.
    pub issued: Option<RangeInclusive<UnixTime>>,
    /// Expiring in this time.
    pub expiring: Option<RangeInclusive<UnixTime>>,
    /// Whose subject has one of these hashes.
    pub subjects: Option<HashSet<LookupHash>>,
    /// Whether those count too that a subject of these hashes delegated.
    pub with_delegated: bool,
    /// Whose correlation id has one of these hashes.
    pub correlation_ids: Option<HashSet<LookupHash>>,
}

impl Filter {
    /// Whether a record meets the conditions that the store has not looked at.
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
            && (among(&self.subjects, &record.subject_hash)
                || (self.with_delegated && among(&self.subjects, &record.delegator_hash)))
            && among(&self.correlation_ids, &record.correlation_hash)
    }

    /// The batches that may hold what is looked for, from this one on.
    fn batches(&self, from: i64) -> BatchQuery {
        let seconds = |range: &RangeInclusive<UnixTime>| range.start().seconds()..=range.end().seconds();
        BatchQuery {
            from,
            up_to: self.up_to,
            run: self.run.clone(),
            issuer: self.issuer.clone(),
            kid: self.kid.clone(),
            vct: self.vct.clone(),
            credential_type: self.credential_type.clone(),
            issued: self.issued.as_ref().map(seconds),
            expiring: self.expiring.as_ref().map(seconds),
            with_statuses: matches!(self.status, Some(Status::Suspended | Status::Revoked)),
        }
    }
}

impl Ledger {
    /// The credential of this id.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn credential(&mut self, id: Uuid) -> Result<Option<Credential>, LedgerError> {
        let found = (|| {
            let Some(place) = change::place_of(&*self.store, id)? else { return Ok(None) };
            let filter = Filter::default();
            let mut finder =
                Finder { store: &*self.store, lists: &mut self.lists, runs: KnownRuns::default() };
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
        after: Option<RecordPlace>,
        limit: usize,
    ) -> Result<Vec<Credential>, LedgerError> {
        let mut finder = Finder { store: &*self.store, lists: &mut self.lists, runs: KnownRuns::default() };
        finder.page(filter, after, false, limit).map_err(|source| self.cannot("read", source))
    }

    /// The batch of the credential that was issued last; 0 where there is none.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn newest_batch(&self) -> Result<i64, LedgerError> {
        self.store.last_batch().map_err(|source| self.cannot("read", source))
    }

    /// The types of which this issuer has issued credentials.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn types_of(&self, issuer: &str) -> Result<BTreeSet<String>, LedgerError> {
        let mut types = BTreeSet::new();
        let mut add = |row: RunRow| {
            if row.issuer == issuer {
                types.insert(row.credential_type);
            }
            Ok(())
        };
        self.store.scan_runs(&mut add).map_err(|source| self.cannot("read", source))?;
        Ok(types)
    }

    /// When the last credential signed with the key of this id expires, where there is one.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn last_expiry_of_key(&self, kid: &str) -> Result<Option<UnixTime>, LedgerError> {
        let seconds = self.store.last_expiry_of_key(kid).map_err(|source| self.cannot("read", source))?;
        Ok(seconds.and_then(UnixTime::from_seconds))
    }
}

/// Runs that were read before.
#[derive(Debug, Default)]
pub(super) struct KnownRuns(HashMap<i64, Arc<Run>>);

impl KnownRuns {
    /// The run of this number.
    pub(super) fn get(&mut self, store: &dyn Store, number: i64) -> Stored<Arc<Run>> {
        if let Some(run) = self.0.get(&number) {
            return Ok(Arc::clone(run));
        }
        let missing = || contradiction(format!("table `runs`, run {number} is missing"));
        let row = store.run(number)?.ok_or_else(missing)?;
        let FoundRun { name, terms, of_type, .. } = FoundRun::read(row)?;
        let run = Arc::new(Run { name, terms, of_type });
        self.0.insert(number, Arc::clone(&run));
        Ok(run)
    }
}

struct Finder<'l> {
    store: &'l dyn Store,
    lists: &'l mut OpenLists,
    runs: KnownRuns,
}

impl Finder<'_> {
    fn page(
        &mut self,
        filter: &Filter,
        from: Option<RecordPlace>,
        inclusive: bool,
        limit: usize,
    ) -> Stored<Vec<Credential>> {
        let mut found = Vec::new();
        let beyond = |place: RecordPlace| match from {
            None => true,
            Some(from) => place > from || inclusive && place == from,
        };
        let query = filter.batches(from.map_or(0, |place| place.batch));
        self.store.find_batches(&query, &mut |row| {
            self.take(&StoredBatch::read(row)?, filter, beyond, limit, &mut found)?;
            Ok(found.len() < limit)
        })?;
        Ok(found)
    }

    fn take(
        &mut self,
        batch: &StoredBatch,
        filter: &Filter,
        beyond: impl Fn(RecordPlace) -> bool,
        limit: usize,
        found: &mut Vec<Credential>,
    ) -> Stored<()> {
        let statuses_of_batch = statuses::of_batch(self.store, batch.number)?;
        let active = CredentialStatus::default();
        let attestation_type: Option<Arc<str>> = batch.attestation_type.as_deref().map(Arc::from);
        let mut kept = false;
        for (place, record) in (0..).zip(record::unpack(&batch.records)) {
            let record = record.ok_or_else(corrupt)?;
            let current = statuses_of_batch.get(&place).unwrap_or(&active);
            let at = RecordPlace { batch: batch.number, place };
            if found.len() == limit || !beyond(at) || !filter.takes(&record, current) {
                continue;
            }
            if !kept {
                let count = record::count(&batch.records);
                self.lists.keep(self.store, [batch.slots.from(0, count)])?;
                kept = true;
            }
            found.push(Credential {
                place: at,
                id: record.id(batch.millis),
                run: self.runs.get(self.store, batch.run)?,
                index: record.position,
                issued_at: record.issued_at,
                expires_at: record.expires_at,
                list: self.lists.place(batch.slots.list, batch.slots.first + place),
                current: current.clone(),
                subject_hash: record.subject_hash,
                correlation_hash: record.correlation_hash,
                delegator_hash: record.delegator_hash,
                attestation_type: attestation_type.clone(),
            });
        }
        Ok(())
    }
}

/// A place as a cursor: opaque to users, and stable.
impl std::fmt::Display for RecordPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.batch, self.place)
    }
}

impl std::str::FromStr for RecordPlace {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<RecordPlace, Self::Err> {
        let (batch, place) = text.split_once('-').unwrap_or((text, ""));
        Ok(RecordPlace { batch: batch.parse()?, place: place.parse()? })
    }
}
