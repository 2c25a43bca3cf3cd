//! The audit trail: an event for everything that happened, each sealed with the one before.
//!
//! An event's hash is SHA-256 over the hash before it, the event itself, and what it is about: for
//! issued credentials, all of their records, their run and their list. Whoever changes or removes
//! something would have to compute every later hash anew, and the last one, the *head*, would be
//! another. So a head that was noted elsewhere vouches for everything before it.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::change::ChangeOrder;
use super::items::{self, ItemIndex};
use super::record::{self, RecordPlace, id_from_parts};
use super::rows::{BatchRow, EventRow};
use super::scopes::Scope;
use super::store::{Store, StoreError, Stored, in_one_snapshot};
use super::{LedgerError, corrupt, next, statuses};
use crate::clock::UnixTime;
use crate::credential::Status;

/// The hash of an event.
pub type EventHash = [u8; 32];

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A batch of credentials was issued.
    Issued,
    /// Credentials were given out again, under the same idempotency key.
    Replayed,
    /// Credentials were taken into a register.
    Adopted,
    /// A credential was revoked.
    Revoked,
    /// A credential was suspended.
    Suspended,
    /// A credential's suspension was ended.
    Reinstated,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [EventKind; 6] = [
        EventKind::Issued,
        EventKind::Replayed,
        EventKind::Adopted,
        EventKind::Revoked,
        EventKind::Suspended,
        EventKind::Reinstated,
    ];

    /// The word in the ledger and in output.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Issued => "issued",
            EventKind::Replayed => "replayed",
            EventKind::Adopted => "adopted",
            EventKind::Revoked => "revoked",
            EventKind::Suspended => "suspended",
            EventKind::Reinstated => "reinstated",
        }
    }

    fn from_str(word: &str) -> Option<EventKind> {
        EventKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// An event as it is stored.
#[derive(Debug)]
struct StoredEvent {
    number: i64,
    at: i64,
    kind: EventKind,
    batch: i64,
    place: Option<u32>,
    reason: Option<String>,
    /// Which places of the batch were replayed or adopted, one bit each.
    places: Option<Vec<u8>>,
    /// The sum of what an index has of them since.
    entries: Option<u128>,
    /// The run that did it by itself.
    cause: Option<String>,
}

/// What is to be said about an event.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its number; the first is 1.
    pub number: i64,
    /// When it happened.
    pub at: UnixTime,
    /// What happened.
    pub kind: EventKind,
    /// The run that issued the credentials.
    pub run: String,
    /// The credential, where the event is about one.
    pub id: Option<Uuid>,
    /// How many credentials it is about.
    pub count: u64,
    /// The reason that was given.
    pub reason: Option<String>,
    /// The run that did it by itself: a `sync`.
    pub cause: Option<String>,
    /// Its hash.
    pub hash: EventHash,
}

/// What an examination of the audit trail found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    /// How many events there are.
    pub events: i64,
    /// The hash of the last one; of nothing where there is none.
    pub head: EventHash,
    /// What is wrong; nothing in a sound trail.
    pub problems: Vec<String>,
}

/// Appends the event of a batch that was inserted, with the sum of what an index has of it.
pub(super) fn append_issued(
    store: &dyn Store,
    batch: i64,
    at: UnixTime,
    entries: Option<u128>,
) -> Stored<()> {
    StoredEvent { entries, ..StoredEvent::new(EventKind::Issued, batch, at) }.append(store)
}

/// Appends the event of a replay of these places of a batch.
pub(super) fn append_replayed(store: &dyn Store, batch: i64, at: UnixTime, places: &[u32]) -> Stored<()> {
    let places = Some(bits_of(places));
    StoredEvent { places, ..StoredEvent::new(EventKind::Replayed, batch, at) }.append(store)
}

/// Appends the event of the adoption of these places of a batch, with the sum of what the register's index has of them.
pub(super) fn append_adopted(
    store: &dyn Store,
    (batch, places): (i64, &[u32]),
    at: UnixTime,
    entries: u128,
    cause: &str,
) -> Stored<()> {
    let (places, cause) = (Some(bits_of(places)), Some(cause.to_owned()));
    let event = StoredEvent::new(EventKind::Adopted, batch, at);
    StoredEvent { places, entries: Some(entries), cause, ..event }.append(store)
}

/// Appends the event of a change of status.
pub(super) fn append_change(store: &dyn Store, order: ChangeOrder<'_>, place: RecordPlace) -> Stored<()> {
    let event = StoredEvent::new(order.change.event(), place.batch, order.at);
    let (reason, cause) = (order.reason.map(str::to_owned), order.cause.map(str::to_owned));
    StoredEvent { place: Some(place.place), reason, cause, ..event }.append(store)
}

fn bits_of(places: &[u32]) -> Vec<u8> {
    let mut bits = vec![0; places.iter().max().map_or(0, |last| *last as usize / 8 + 1)];
    for place in places {
        bits[*place as usize / 8] |= 1 << (place % 8);
    }
    bits
}

impl StoredEvent {
    /// An event about all of a batch, which gets its number when it is appended.
    fn new(kind: EventKind, batch: i64, at: UnixTime) -> StoredEvent {
        let at = at.seconds();
        StoredEvent {
            number: 0,
            at,
            kind,
            batch,
            place: None,
            reason: None,
            places: None,
            entries: None,
            cause: None,
        }
    }

    fn append(mut self, store: &dyn Store) -> Stored<()> {
        let (last, before) = store.last_event()?.map_or((0, [0; 32]), |last| (last.event, last.hash));
        self.number = next(last)?;
        let hash = self.hash(&before, store)?;
        let StoredEvent { number, at, kind, batch, place, reason, places, entries, cause } = self;
        store.insert_event(&EventRow {
            event: number,
            at,
            kind: kind.as_str().to_owned(),
            batch,
            place,
            reason,
            places,
            entries: entries.map(u128::to_le_bytes),
            cause,
            hash,
        })
    }

    fn read(row: EventRow) -> Stored<(StoredEvent, EventHash)> {
        let event = StoredEvent {
            number: row.event,
            at: row.at,
            kind: EventKind::from_str(&row.kind).ok_or_else(corrupt)?,
            batch: row.batch,
            place: row.place,
            reason: row.reason,
            places: row.places,
            entries: row.entries.map(u128::from_le_bytes),
            cause: row.cause,
        };
        Ok((event, row.hash))
    }

    fn hash(&self, before: &EventHash, store: &dyn Store) -> Stored<EventHash> {
        let mut hash = Sha256::new_with_prefix(before);
        hash.update(self.number.to_le_bytes());
        hash.update(self.at.to_le_bytes());
        hash.update(self.kind.as_str());
        hash.update(self.batch.to_le_bytes());
        hash.update(self.place.map_or(-1, i64::from).to_le_bytes());
        update_with(&mut hash, self.reason.as_deref().unwrap_or_default().as_bytes());
        update_with(&mut hash, self.places.as_deref().unwrap_or_default());
        update_with(&mut hash, self.entries.map(u128::to_le_bytes).as_ref().map_or(&[], |sum| sum));
        update_with(&mut hash, self.cause.as_deref().unwrap_or_default().as_bytes());
        if self.kind == EventKind::Issued {
            hash_batch(&mut hash, store, self.batch)?;
        }
        Ok(hash.finalize().into())
    }

    /// How many credentials the event is about.
    fn count(&self, batch_count: u64) -> u64 {
        match (&self.places, self.place) {
            (Some(bits), _) => bits.iter().map(|byte| u64::from(byte.count_ones())).sum(),
            (None, Some(_)) => 1,
            (None, None) => batch_count,
        }
    }

    /// Whether the event is about the credential at this place of its batch.
    fn is_about(&self, place: u32) -> bool {
        match (&self.places, self.place) {
            (Some(bits), _) => bits.get(place as usize / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1),
            (None, Some(only)) => only == place,
            (None, None) => true,
        }
    }
}

/// A text of any length: its length stands first, so that two texts cannot run into each other.
fn update_with(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

/// Everything that the ledger knows of a batch of credentials. Rows are taken as they are: whoever changed one makes
/// another hash.
fn hash_batch(hash: &mut Sha256, store: &dyn Store, batch: i64) -> Stored<()> {
    // A batch that is gone leaves its event with a hash that nothing gives.
    let Some(batch) = store.batch(batch)? else { return Ok(()) };
    let (Some(run), Some(list)) = (store.run(batch.run)?, store.list(batch.list)?) else { return Ok(()) };
    for number in [batch.first_position, batch.first_slot.into(), batch.id_millis, batch.count.into()] {
        hash.update(number.to_le_bytes());
    }
    update_with(hash, &batch.records);
    update_with(hash, batch.attestation_type.unwrap_or_default().as_bytes());
    for text in [
        &run.name,
        &run.credential_type,
        &run.issuer,
        &run.kid,
        &run.proof_format,
        &run.vct,
        &run.context,
        &run.ttl,
        &run.disclosure,
        &list.token_uri,
        &list.bitstring_uri,
    ] {
        update_with(hash, text.as_bytes());
    }
    update_with(hash, &list.secret);
    Ok(())
}

/// Hands out the events after the one of this number, oldest first, at most `limit`.
fn page(store: &dyn Store, after: i64, limit: usize) -> Stored<Vec<Event>> {
    let mut rows = Vec::new();
    store.events_after(after, limit as u64, &mut |row| {
        rows.push(row);
        Ok(())
    })?;
    told(store, rows)
}

/// The events of one credential, oldest first.
fn of_credential(store: &dyn Store, place: RecordPlace) -> Stored<Vec<Event>> {
    let mut rows = Vec::new();
    for row in store.events_of(place.batch)? {
        if StoredEvent::read(row.clone())?.0.is_about(place.place) {
            rows.push(row);
        }
    }
    told(store, rows)
}

/// What is to be said about events. Most that follow each other are about one batch.
fn told(store: &dyn Store, rows: Vec<EventRow>) -> Stored<Vec<Event>> {
    let mut events = Vec::with_capacity(rows.len());
    let mut about: Option<(BatchRow, String)> = None;
    for row in rows {
        let (stored, hash) = StoredEvent::read(row)?;
        if about.as_ref().is_none_or(|(batch, _)| batch.batch != stored.batch) {
            // A trail that is cut off is for `verify_events` to tell of.
            let Some(batch) = store.batch(stored.batch)? else { continue };
            let Some(run) = store.run(batch.run)? else { continue };
            about = Some((batch, run.name));
        }
        let Some((batch, run)) = &about else { continue };
        let id = stored.place.map(|place| {
            let record = record::at(&batch.records, place).ok_or_else(corrupt)?;
            Ok::<_, StoreError>(id_from_parts(batch.id_millis as u64, &record.id_tail))
        });
        events.push(Event {
            number: stored.number,
            at: UnixTime::from_seconds(stored.at).ok_or_else(corrupt)?,
            kind: stored.kind,
            run: run.clone(),
            id: id.transpose()?,
            count: stored.count(batch.count.into()),
            reason: stored.reason,
            cause: stored.cause,
            hash,
        });
    }
    Ok(events)
}

/// Goes through the whole trail: no event is missing or changed, nothing was issued without one,
/// and every credential's status is what its events say. `noted` is a head that was written down
/// before; it must still be in the trail.
pub(super) fn verify(store: &dyn Store, noted: Option<EventHash>) -> Stored<Trail> {
    // Events and what they are about are compared as they are at one moment: others may be issuing.
    in_one_snapshot(store, || verify_snapshot(store, noted))
}

fn verify_snapshot(store: &dyn Store, noted: Option<EventHash>) -> Stored<Trail> {
    let mut trail = Trail { events: 0, head: [0; 32], problems: Vec::new() };
    let mut issued = 0u64;
    let mut expected = Standings::new();
    let mut indexed = Indexed::new();
    let mut found_noted = noted.is_none() || noted == Some(trail.head);
    store.events_after(i64::MIN, u64::MAX, &mut |row| {
        let (event, hash) = StoredEvent::read(row)?;
        if event.number != trail.events.saturating_add(1) {
            trail.problems.push(format!("event {} is missing", trail.events.saturating_add(1)));
        } else if event.hash(&trail.head, store)? != hash {
            trail.problems.push(format!("event {} or the record it describes was changed", event.number));
        }
        trail.events = event.number;
        trail.head = hash;
        found_noted |= noted == Some(hash);
        issued += u64::from(event.kind == EventKind::Issued);
        if let Some(place) = event.place {
            let place = RecordPlace { batch: event.batch, place };
            match event.kind {
                EventKind::Revoked => {
                    expected.insert(place, (Status::Revoked, event.at, event.reason, event.cause))
                }
                EventKind::Suspended => {
                    expected.insert(place, (Status::Suspended, event.at, event.reason, event.cause))
                }
                _ => expected.remove(&place),
            };
        }
        if let Some(entries) = event.entries {
            let sum = indexed.entry(event.batch).or_default();
            *sum = sum.wrapping_add(entries);
        }
        Ok(())
    })?;
    let batches = store.count_batches()?;
    if batches.unsigned_abs() != issued {
        trail.problems.push(format!("{batches} batches were issued, but only {issued} events are recorded"));
    }
    if stored_statuses(store)? != expected {
        trail.problems.push("the credentials' statuses are not what the events say".to_owned());
    }
    if indexed_entries(store)? != indexed {
        trail.problems.push("what is known of items is not what the events say".to_owned());
    }
    if !found_noted {
        trail.problems.push(
            "the noted hash does not match any event: events before or after it are missing".to_owned(),
        );
    }
    Ok(trail)
}

/// Status, time, reason and cause of each credential that is not active.
type Standings = HashMap<RecordPlace, (Status, i64, Option<String>, Option<String>)>;

/// The sum of the entries that indices have of each batch.
type Indexed = HashMap<i64, u128>;

fn indexed_entries(store: &dyn Store) -> Stored<Indexed> {
    let mut indexed = Indexed::new();
    for scope in Scope::all(store)? {
        ItemIndex::open(store, &scope)?.each(store, &mut |entry| {
            let sum = indexed.entry(entry.place().batch).or_default();
            *sum = sum.wrapping_add(items::digest(scope.number, &entry));
            Ok(())
        })?;
    }
    Ok(indexed)
}

fn stored_statuses(store: &dyn Store) -> Stored<Standings> {
    let mut found = Standings::new();
    store.scan_statuses(&mut |row| {
        let place = RecordPlace { batch: row.batch, place: row.place };
        found.insert(place, (statuses::status_of(&row.status)?, row.since, row.reason, row.cause));
        Ok(())
    })?;
    Ok(found)
}

impl super::Ledger {
    /// The events after the one of this number, oldest first, at most `limit`.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn events(&self, after: i64, limit: usize) -> Result<Vec<Event>, LedgerError> {
        page(&*self.store, after, limit).map_err(|source| self.cannot("read", source))
    }

    /// The events of one credential, oldest first.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn events_of(&self, place: RecordPlace) -> Result<Vec<Event>, LedgerError> {
        of_credential(&*self.store, place).map_err(|source| self.cannot("read", source))
    }
}
