//! Registers: what `sync` reads of the ledger, and how it changes it.
//!
//! A register is a scope whose index says which credentials each of its items has. It is read as of one moment
//! ([`RegisterView`]), from which `sync` makes its plan. Then it is changed, in transactions of up to a batch each:
//!
//! | change | in one transaction |
//! | --- | --- |
//! | [`Ledger::sync`] | records of new credentials, their entries, and the revocation of the former ones |
//! | [`Ledger::adopt`] | entries of credentials that were issued outside of the register |
//! | [`Ledger::remove`] | revocations |
//!
//! The scope's row counts the transactions that changed its index. Each transaction first compares that with what the
//! plan was made from, so that whatever the index did not have then it does not have now. Statuses are read again,
//! because anybody may change them; an item whose credentials have another status than they had fails. So two processes
//! that sync one register never give an item two credentials: the one that comes second stops.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use uuid::Uuid;

use super::batches::StoredBatch;
use super::change::{self, Change, ChangeOrder, Recent};
use super::credentials::{KnownRuns, Run};
use super::issue::{self, Answer, Conflict, Indexed};
use super::issued::{Destination, Issued};
use super::items::{self, IndexEntry};
use super::known::Known;
use super::record::{self, RecordPlace};
use super::scopes::{Scope, ScopeKind};
use super::seal::{Counts, Writing};
use super::store::{Access, BatchQuery, Store, StoreError, Stored, Transaction};
use super::terms::RunDescription;
use super::{Ledger, LedgerError, corrupt, events, openings, renewal, statuses};
use crate::clock::UnixTime;
use crate::credential::{CredentialStatus, Status};
use crate::request::{ContentHash, IdRule, ItemKey, LookupHash};

/// Which register, and what holds for it.
#[derive(Debug, Clone)]
pub struct RegisterName {
    /// Its name.
    pub name: String,
    /// Whose credentials it has.
    pub issuer: String,
    /// What its items are known by.
    pub rule: IdRule,
}

/// A credential of a register, as it is.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its id.
    pub id: Uuid,
    /// What its item said.
    pub content: ContentHash,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// When it expires.
    pub expires_at: UnixTime,
    /// Its status.
    pub current: CredentialStatus,
    /// What it has in common with others.
    pub run: std::sync::Arc<Run>,
}

/// A credential of the issuer, as it may be looked for by somebody who knows its subject or its correlation id.
#[derive(Debug, Clone)]
pub struct Member {
    /// Where it stands.
    pub place: RecordPlace,
    /// When it expires.
    pub expires_at: UnixTime,
    /// Whether it is neither suspended nor revoked.
    pub is_active: bool,
    /// The hash of its subject's id.
    pub subject_hash: LookupHash,
    /// The hash of its correlation id; zeros where it has none.
    pub correlation_hash: LookupHash,
}

/// A register as of one moment.
#[derive(Debug)]
pub struct RegisterView<'l> {
    store: &'l dyn Store,
    path: &'l Path,
    register: Option<Indexed>,
    runs: KnownRuns,
    /// The batch that was read last, with its statuses: credentials are asked for in their order.
    last: Option<(StoredBatch, std::collections::HashMap<u32, CredentialStatus>)>,
}

impl<'l> RegisterView<'l> {
    fn of(store: &'l dyn Store, path: &'l Path, register: Option<Indexed>) -> RegisterView<'l> {
        RegisterView { store, path, register, runs: KnownRuns::default(), last: None }
    }

    /// Whether nothing was ever synced under its name.
    pub fn is_new(&self) -> bool {
        self.register.is_none()
    }

    /// How often its index was changed.
    pub fn version(&self) -> i64 {
        self.register.as_ref().map_or(0, |register| register.scope.version)
    }

    /// How many credentials its index has.
    pub fn count(&self) -> u64 {
        self.register.as_ref().map_or(0, |register| register.scope.entries.unsigned_abs())
    }

    /// Goes through all entries, in no particular order.
    ///
    /// # Errors
    /// Where the ledger cannot be read, and those of `each`.
    pub fn entries<E: From<LedgerError>>(
        &self,
        mut each: impl FnMut(ItemKey, RecordPlace) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(Indexed { index, .. }) = &self.register else { return Ok(()) };
        self.entries_of(index, &mut each)
    }

    /// Goes through the entries of all other registers.
    ///
    /// # Errors
    /// Where the ledger cannot be read, and those of `each`.
    pub fn entries_of_others<E: From<LedgerError>>(
        &self,
        mut each: impl FnMut(ItemKey, RecordPlace) -> Result<(), E>,
    ) -> Result<(), E> {
        let own = self.register.as_ref().map(|register| register.scope.number);
        let fail = |source| E::from(LedgerError::store("read", self.path, source));
        for scope in Scope::all(self.store).map_err(fail)? {
            if scope.kind == ScopeKind::Register && Some(scope.number) != own {
                let Indexed { index, .. } = Indexed::reopen(self.store, scope, None).map_err(fail)?;
                self.entries_of(&index, &mut each)?;
            }
        }
        Ok(())
    }

    fn entries_of<E: From<LedgerError>>(
        &self,
        index: &items::ItemIndex,
        each: &mut impl FnMut(ItemKey, RecordPlace) -> Result<(), E>,
    ) -> Result<(), E> {
        for entries in index.segments(self.store) {
            let entries = entries.map_err(|source| LedgerError::store("read", self.path, source))?;
            entries.iter().try_for_each(|entry| each(entry.key(), entry.place()))?;
        }
        Ok(())
    }

    /// What became of the credential at this place.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn standing(&mut self, place: RecordPlace) -> Result<Standing, LedgerError> {
        self.read_standing(place).map_err(|source| LedgerError::store("read", self.path, source))
    }

    fn read_standing(&mut self, place: RecordPlace) -> Stored<Standing> {
        if self.last.as_ref().is_none_or(|(batch, _)| batch.number != place.batch) {
            let batch = StoredBatch::of(self.store, place.batch)?;
            self.last = Some((batch, statuses::of_batch(self.store, place.batch)?));
        }
        let (batch, statuses_of_batch) = self.last.as_ref().ok_or_else(corrupt)?;
        let record = batch.record(place.place)?;
        Ok(Standing {
            id: record.id(batch.millis),
            content: record.content_hash,
            issued_at: record.issued_at,
            expires_at: record.expires_at,
            current: statuses_of_batch.get(&place.place).cloned().unwrap_or_default(),
            run: self.runs.get(self.store, batch.run)?,
        })
    }

    /// Goes through all credentials of an issuer, in the order of issuance.
    ///
    /// # Errors
    /// Where the ledger cannot be read, and those of `each`.
    pub fn members<E: From<LedgerError>>(
        &self,
        issuer: &str,
        mut each: impl FnMut(&Member, &str, Option<&str>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut outcome = Ok(());
        let mut runs = KnownRuns::default();
        let query = BatchQuery { issuer: Some(issuer.to_owned()), ..BatchQuery::default() };
        let read = self.store.find_batches(&query, &mut |row| {
            let batch = StoredBatch::read(row)?;
            let run = runs.get(self.store, batch.run)?;
            let statuses_of_batch = statuses::of_batch(self.store, batch.number)?;
            for (place, record) in (0..).zip(record::unpack(&batch.records)) {
                let record = record.ok_or_else(corrupt)?;
                let member = Member {
                    place: RecordPlace { batch: batch.number, place },
                    expires_at: record.expires_at,
                    is_active: statuses_of_batch.get(&place).is_none_or(|now| now.status == Status::Active),
                    subject_hash: record.subject_hash,
                    correlation_hash: record.correlation_hash,
                };
                outcome = each(&member, &run.of_type.credential_type, batch.attestation_type.as_deref());
                if outcome.is_err() {
                    return Ok(false);
                }
            }
            Ok(true)
        });
        read.map_err(|source| LedgerError::store("read", self.path, source))?;
        outcome
    }
}

/// What is to be done for an item.
#[derive(Debug)]
pub enum SyncOrder<'d> {
    /// It gets a new credential.
    Issue {
        /// The item.
        entry: issue::Entry<'d>,
        /// The credentials that it has, and the statuses with which the plan reckons.
        formers: &'d [(RecordPlace, Status)],
        /// Those of them that are revoked with it.
        revoke: &'d [RecordPlace],
    },
    /// The credential at this place is given out again.
    Print(RecordPlace),
}

/// Who changes a register, and what it knows of it.
#[derive(Debug, Clone, Copy)]
pub struct Changing<'r> {
    /// The run.
    pub run: &'r RunDescription,
    /// The register.
    pub register: &'r RegisterName,
    /// When.
    pub at: UnixTime,
}

impl Ledger {
    /// Reads a register as it is at one moment, whatever others write.
    ///
    /// # Errors
    /// Where the ledger cannot be read, the register is kept for another issuer or by another rule, and those of `read`.
    pub fn view_register<T, E: From<LedgerError>>(
        &mut self,
        register: &RegisterName,
        read: impl FnOnce(&mut RegisterView<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let store = &*self.store;
        let fail = |source| LedgerError::store("read", &self.path, source);
        let snapshot = Transaction::begin(store, Access::Read).map_err(fail)?;
        statuses::must_be_whole(store).map_err(fail)?;
        let scope = Scope::find(store, ScopeKind::Register, &register.name).map_err(fail)?;
        if let Some(scope) = &scope {
            scope.must_be(&register.issuer, register.rule)?;
        }
        let indexed = scope.map(|scope| Indexed::reopen(store, scope, None)).transpose().map_err(fail)?;
        let mut view = RegisterView::of(store, &self.path, indexed);
        let outcome = read(&mut view);
        self.register_version = view.version();
        self.indexed = view.register;
        drop(snapshot);
        outcome
    }

    /// Carries out what the plan says of these items; all or nothing. When this returns, it is on the disk.
    ///
    /// # Errors
    /// Where the ledger cannot be written, or another process has changed the register since it was viewed. Then nothing
    /// is done.
    pub fn sync(&mut self, by: Changing<'_>, orders: &[SyncOrder<'_>]) -> Result<Vec<Answer>, LedgerError> {
        if orders.is_empty() {
            return Ok(Vec::new());
        }
        let fail = |source| LedgerError::store("write", &self.path, source);
        let mut writing = Writing::begin(&*self.store, &self.path, fail)?;
        let store = writing.store;
        let mut runs = self.run_numbers(by.run, fail)?;
        let Indexed { mut scope, mut index } =
            register_now(&mut writing, by.register, self.register_version, self.indexed.take(), fail)?;
        let judged = orders.iter().map(|order| order.is_as_planned(store)).collect::<Stored<Vec<_>>>();
        let judged = judged.map_err(fail)?;
        let fresh: Vec<_> =
            (orders.iter().zip(&judged)).filter_map(|(order, judged)| order.to_issue(judged)).collect();
        self.refuse_expired(&fresh)?;
        let opening = (runs.is_empty() && !fresh.is_empty()).then(|| openings::of(fresh.iter().copied()));
        let to = Destination { run: by.run, scope: Some(scope.number), opening };
        let issued = Issued::insert(store, to, &mut runs, &fresh, &mut writing.done.added).map_err(fail)?;
        index.insert(store, &mut scope, issued.index_entries()).map_err(fail)?;
        for (order, _) in orders.iter().zip(&judged).filter(|(_, judged)| judged.is_ok()) {
            if let SyncOrder::Issue { revoke, .. } = order {
                revoke_all(store, by.revocation(SUPERSEDED), revoke, &mut writing.done.added)
                    .map_err(fail)?;
            }
        }
        let printed = print(store, orders).map_err(fail)?;
        let given_again = printed.values().map(|known| known.slots.from(known.place.place, 1));
        self.lists.keep(store, issued.slots().chain(given_again)).map_err(fail)?;
        writing.done.bytes = (fresh.len() * record::RECORD_BYTES) as u64;
        if !fresh.is_empty() {
            writing.commit(fail)?;
        }
        self.register_version = scope.version;
        (self.runs, self.indexed) = (Some(runs), Some(Indexed { scope, index }));
        let mut credentials = issued.in_order(&fresh).into_iter();
        let mut answer = |(order, judged): (&SyncOrder<'_>, Result<(), Conflict>)| match order {
            SyncOrder::Print(place) => Ok(self.grant(&printed[place], true)),
            SyncOrder::Issue { .. } => judged.map(|()| {
                self.grant(&credentials.next().expect("a credential for each item that was issued"), false)
            }),
        };
        Ok(orders.iter().zip(judged).map(&mut answer).collect())
    }

    /// What became of the credential at this place.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn standing(&self, place: RecordPlace) -> Result<Standing, LedgerError> {
        RegisterView::of(&*self.store, &self.path, None).standing(place)
    }

    /// The ids of the credentials at these places.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn ids_at(&self, places: &[RecordPlace]) -> Result<Vec<Uuid>, LedgerError> {
        let mut batches: BTreeMap<i64, StoredBatch> = BTreeMap::new();
        let mut id_at = |place: &RecordPlace| {
            let batch = match batches.entry(place.batch) {
                Entry::Occupied(read) => read.into_mut(),
                Entry::Vacant(unread) => unread.insert(StoredBatch::of(&*self.store, place.batch)?),
            };
            let record = batch.record(place.place)?;
            Ok(record.id(batch.millis))
        };
        let ids = places.iter().map(&mut id_at).collect::<Stored<_>>();
        ids.map_err(|source| self.cannot("read", source))
    }

    /// Takes credentials that were issued outside of the register into it. When this returns, that is on the disk.
    ///
    /// # Errors
    /// As [`Ledger::sync`].
    pub fn adopt(&mut self, by: Changing<'_>, members: &[(ItemKey, RecordPlace)]) -> Result<(), LedgerError> {
        let fail = |source| LedgerError::store("write", &self.path, source);
        let mut writing = Writing::begin(&*self.store, &self.path, fail)?;
        let store = writing.store;
        let Indexed { mut scope, mut index } =
            register_now(&mut writing, by.register, self.register_version, self.indexed.take(), fail)?;
        let mut batches: BTreeMap<i64, Vec<IndexEntry>> = BTreeMap::new();
        for (key, place) in members {
            batches.entry(place.batch).or_default().push(IndexEntry::new(key, *place));
        }
        for (batch, entries) in &batches {
            let places: Vec<u32> = entries.iter().map(|entry| entry.place().place).collect();
            let sum =
                entries.iter().map(|entry| items::digest(scope.number, entry)).fold(0, u128::wrapping_add);
            events::append_adopted(store, (*batch, &places), by.at, sum, &by.run.name).map_err(fail)?;
        }
        let entries = batches.into_values().flatten().collect();
        index.insert(store, &mut scope, entries).map_err(fail)?;
        writing.commit(fail)?;
        self.register_version = scope.version;
        self.indexed = Some(Indexed { scope, index });
        Ok(())
    }

    /// Revokes the credentials of items that are gone. Those that are not active any more stay as they are. When this
    /// returns, that is on the disk.
    ///
    /// # Errors
    /// As [`Ledger::sync`].
    pub fn remove(
        &mut self,
        by: Changing<'_>,
        places: &[RecordPlace],
    ) -> Result<Vec<(Uuid, CredentialStatus)>, LedgerError> {
        let fail = |source| LedgerError::store("write", &self.path, source);
        let mut writing = Writing::begin(&*self.store, &self.path, fail)?;
        let store = writing.store;
        let indexed =
            register_now(&mut writing, by.register, self.register_version, self.indexed.take(), fail)?;
        let mut view = RegisterView::of(store, &self.path, None);
        let mut removed = Vec::new();
        for place in places {
            let Standing { id, current, .. } = view.standing(*place)?;
            if current.status == Status::Active {
                let order = by.revocation(REMOVED);
                revoke_all(store, order, &[*place], &mut writing.done.added).map_err(fail)?;
                removed.push((id, order.outcome()));
            }
        }
        if !removed.is_empty() {
            writing.commit(fail)?;
        }
        self.indexed = Some(indexed);
        Ok(removed)
    }
}

/// The register within a transaction: as it was viewed, or changed by this process since then.
fn register_now(
    writing: &mut Writing<'_>,
    register: &RegisterName,
    version: i64,
    before: Option<Indexed>,
    fail: impl Fn(StoreError) -> LedgerError,
) -> Result<Indexed, LedgerError> {
    let store = writing.store;
    let found = Scope::find(store, ScopeKind::Register, &register.name).map_err(&fail)?;
    if found.as_ref().map_or(0, |scope| scope.version) != version {
        return Err(LedgerError::RegisterChanged { name: register.name.clone() });
    }
    let terms = (register.name.as_str(), register.issuer.as_str(), register.rule);
    let scope = match found {
        Some(scope) => scope,
        None => Scope::add(store, ScopeKind::Register, terms, &mut writing.done.added).map_err(&fail)?,
    };
    scope.must_be(&register.issuer, register.rule)?;
    Indexed::reopen(store, scope, before).map_err(fail)
}

/// The reason of revocations by which another credential takes the place of one.
const SUPERSEDED: &str = "superseded";

/// The reason of revocations of items that are gone.
const REMOVED: &str = "removed";

impl<'r> Changing<'r> {
    fn revocation(&self, reason: &'r str) -> ChangeOrder<'r> {
        ChangeOrder { change: Change::Revoke, reason: Some(reason), at: self.at, cause: Some(&self.run.name) }
    }
}

impl<'d> SyncOrder<'d> {
    /// Whether the item's credentials have the statuses with which the plan reckons.
    fn is_as_planned(&self, store: &dyn Store) -> Stored<Result<(), Conflict>> {
        let SyncOrder::Issue { entry, formers, .. } = self else { return Ok(Ok(())) };
        if let Some(conflict) = renewal::refusal(store, entry, &mut Recent::default())? {
            return Ok(Err(conflict));
        }
        for (place, planned) in *formers {
            if statuses::of(store, *place)?.status != *planned {
                let batch = StoredBatch::of(store, place.batch)?;
                let record = batch.record(place.place)?;
                return Ok(Err(Conflict::Restless(record.id(batch.millis))));
            }
        }
        Ok(Ok(()))
    }

    fn to_issue(&self, judged: &Result<(), Conflict>) -> Option<&issue::Entry<'d>> {
        match self {
            SyncOrder::Issue { entry, .. } if judged.is_ok() => Some(entry),
            _ => None,
        }
    }
}

/// Revokes those that are not revoked yet.
fn revoke_all(
    store: &dyn Store,
    order: ChangeOrder<'_>,
    places: &[RecordPlace],
    added: &mut Counts,
) -> Stored<()> {
    for place in places {
        match statuses::of(store, *place)?.status {
            Status::Revoked => continue,
            Status::Active => added.statuses += 1, // it had no row
            Status::Suspended => {}
        }
        change::apply(store, order, *place, &order.outcome())?;
    }
    Ok(())
}

/// The credentials that are given out again. That changes nothing, and so the trail has nothing of it.
fn print(store: &dyn Store, orders: &[SyncOrder<'_>]) -> Result<BTreeMap<RecordPlace, Known>, StoreError> {
    let mut batches: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for order in orders {
        if let SyncOrder::Print(place) = order {
            batches.entry(place.batch).or_default().push(place.place);
        }
    }
    let mut printed = BTreeMap::new();
    for (number, places) in batches {
        let batch = StoredBatch::of(store, number)?;
        let statuses_of_batch = statuses::of_batch(store, number)?;
        for place in places {
            let record = batch.record(place)?;
            let current = statuses_of_batch.get(&place).cloned().unwrap_or_default();
            printed.insert(RecordPlace { batch: number, place }, batch.credential(place, record, current));
        }
    }
    Ok(printed)
}
