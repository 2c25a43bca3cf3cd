//! The audit trail: an event for everything that happened, each sealed with the one before.
//!
//! An event's hash is SHA-256 over the hash before it, the event itself, and what it is about: for
//! issued credentials, all of their records, their run and their list. Whoever changes or removes
//! something would have to compute every later hash anew, and the last one, the *head*, would be
//! another. So a head that was noted elsewhere vouches for everything before it.

use std::collections::HashMap;

use rusqlite::{Connection, Row, Transaction, params};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::record::{self, id_from_parts};
use super::status::{Change, Place};
use super::{LedgerError, lists};
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
    /// A credential was revoked.
    Revoked,
    /// A credential was suspended.
    Suspended,
    /// A credential's suspension was ended.
    Reinstated,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [EventKind; 5] = [
        EventKind::Issued,
        EventKind::Replayed,
        EventKind::Revoked,
        EventKind::Suspended,
        EventKind::Reinstated,
    ];

    /// The word in the ledger and in output.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Issued => "issued",
            EventKind::Replayed => "replayed",
            EventKind::Revoked => "revoked",
            EventKind::Suspended => "suspended",
            EventKind::Reinstated => "reinstated",
        }
    }

    fn from_str(word: &str) -> Option<EventKind> {
        EventKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl From<Change> for EventKind {
    fn from(change: Change) -> EventKind {
        match change {
            Change::Revoke => EventKind::Revoked,
            Change::Suspend => EventKind::Suspended,
            Change::Reinstate => EventKind::Reinstated,
        }
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
    /// Which places of the batch were replayed, one bit each.
    places: Option<Vec<u8>>,
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

/// What seals an event: the number and the hash of the last one.
struct Seal {
    number: i64,
    hash: EventHash,
}

fn head(connection: &Connection) -> rusqlite::Result<Seal> {
    let mut statement =
        connection.prepare_cached("SELECT event, hash FROM events ORDER BY event DESC LIMIT 1")?;
    let mut rows = statement.query([])?;
    match rows.next()? {
        Some(row) => Ok(Seal { number: row.get(0)?, hash: row.get(1)? }),
        None => Ok(Seal { number: 0, hash: [0; 32] }),
    }
}

/// Appends the event of a batch that was inserted.
pub(super) fn append_issued(transaction: &Transaction<'_>, batch: i64, at: UnixTime) -> rusqlite::Result<()> {
    append(transaction, EventKind::Issued, batch, at, None, None, None)
}

/// Appends the event of a replay of these places of a batch.
pub(super) fn append_replayed(
    transaction: &Transaction<'_>,
    batch: i64,
    at: UnixTime,
    places: &[u32],
) -> rusqlite::Result<()> {
    let mut bits = vec![0; places.iter().max().map_or(0, |last| *last as usize / 8 + 1)];
    for place in places {
        bits[*place as usize / 8] |= 1 << (place % 8);
    }
    append(transaction, EventKind::Replayed, batch, at, None, None, Some(bits))
}

/// Appends the event of a change of status.
pub(super) fn append_change(
    transaction: &Transaction<'_>,
    change: Change,
    place: Place,
    at: UnixTime,
    reason: Option<&str>,
) -> rusqlite::Result<()> {
    append(transaction, change.into(), place.batch, at, Some(place.place), reason, None)
}

fn append(
    transaction: &Transaction<'_>,
    kind: EventKind,
    batch: i64,
    at: UnixTime,
    place: Option<u32>,
    reason: Option<&str>,
    places: Option<Vec<u8>>,
) -> rusqlite::Result<()> {
    let before = head(transaction)?;
    let event = StoredEvent {
        number: super::next(before.number)?,
        at: at.seconds(),
        kind,
        batch,
        place,
        reason: reason.map(str::to_owned),
        places,
    };
    let hash = event.hash(&before.hash, transaction)?;
    transaction
        .prepare_cached(
            "INSERT INTO events (event, at, kind, batch, place, reason, places, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![event.number, event.at, kind.as_str(), batch, place, reason, event.places, hash])?;
    Ok(())
}

impl StoredEvent {
    const COLUMNS: &'static str = "event, at, kind, batch, place, reason, places, hash";

    fn read(row: &Row<'_>) -> rusqlite::Result<(StoredEvent, EventHash)> {
        let kind: String = row.get(2)?;
        let event = StoredEvent {
            number: row.get(0)?,
            at: row.get(1)?,
            kind: EventKind::from_str(&kind).ok_or_else(super::corrupt)?,
            batch: row.get(3)?,
            place: row.get(4)?,
            reason: row.get(5)?,
            places: row.get(6)?,
        };
        Ok((event, row.get(7)?))
    }

    fn hash(&self, before: &EventHash, connection: &Connection) -> rusqlite::Result<EventHash> {
        let mut hash = Sha256::new_with_prefix(before);
        hash.update(self.number.to_le_bytes());
        hash.update(self.at.to_le_bytes());
        hash.update(self.kind.as_str());
        hash.update(self.batch.to_le_bytes());
        hash.update(self.place.map_or(-1, i64::from).to_le_bytes());
        update_with(&mut hash, self.reason.as_deref().unwrap_or_default().as_bytes());
        update_with(&mut hash, self.places.as_deref().unwrap_or_default());
        if self.kind == EventKind::Issued {
            hash_batch(&mut hash, connection, self.batch)?;
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

/// Everything that the ledger knows of a batch of credentials.
fn hash_batch(hash: &mut Sha256, connection: &Connection, batch: i64) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT first_position, first_slot, id_millis, count, records,
                name, credential_type, runs.issuer, kid, proof_format, vct, context, ttl, disclosure, token_uri,
                bitstring_uri,
                secret
         FROM batches JOIN runs USING (run) JOIN lists USING (list) WHERE batch = ?1",
    )?;
    let mut rows = statement.query([batch])?;
    // A batch that is gone leaves its event with a hash that nothing gives.
    let Some(row) = rows.next()? else { return Ok(()) };
    for column in 0..4 {
        hash.update(row.get::<_, i64>(column)?.to_le_bytes());
    }
    update_with(hash, row.get_ref(4)?.as_blob()?);
    for column in 5..16 {
        update_with(hash, row.get_ref(column)?.as_str()?.as_bytes());
    }
    update_with(hash, row.get_ref(16)?.as_blob()?);
    Ok(())
}

/// Hands out the events after the one of this number, oldest first, at most `limit`.
pub(super) fn page(connection: &Connection, after: i64, limit: usize) -> rusqlite::Result<Vec<Event>> {
    let sql = format!(
        "SELECT {}, runs.name, count, id_millis, records FROM events JOIN batches USING (batch)
         JOIN runs USING (run) WHERE event > ?1 ORDER BY event LIMIT ?2",
        StoredEvent::COLUMNS
    );
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_map(params![after, limit as i64], read_event)?.collect()
}

/// The events of one credential, oldest first.
pub(super) fn of_credential(connection: &Connection, place: Place) -> rusqlite::Result<Vec<Event>> {
    let sql = format!(
        "SELECT {}, runs.name, count, id_millis, records FROM events JOIN batches USING (batch)
         JOIN runs USING (run) WHERE batch = ?1 ORDER BY event",
        StoredEvent::COLUMNS
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([place.batch])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        if StoredEvent::read(row)?.0.is_about(place.place) {
            events.push(read_event(row)?);
        }
    }
    Ok(events)
}

fn read_event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let (stored, hash) = StoredEvent::read(row)?;
    let records = row.get_ref(11)?.as_blob()?;
    let millis: i64 = row.get(10)?;
    let id = stored.place.map(|place| {
        let record = record::at(records, place).ok_or_else(super::corrupt)?;
        Ok::<_, rusqlite::Error>(id_from_parts(millis as u64, &record.id_tail))
    });
    Ok(Event {
        number: stored.number,
        at: UnixTime::from_seconds(stored.at).ok_or_else(super::corrupt)?,
        kind: stored.kind,
        run: row.get(8)?,
        id: id.transpose()?,
        count: stored.count(row.get::<_, i64>(9)?.unsigned_abs()),
        reason: stored.reason,
        hash,
    })
}

/// Goes through the whole trail: no event is missing or changed, nothing was issued without one,
/// and every credential's status is what its events say. `noted` is a head that was written down
/// before; it must still be in the trail.
pub(super) fn verify(connection: &Connection, noted: Option<EventHash>) -> rusqlite::Result<Trail> {
    let mut trail = verify_events(connection, noted)?;
    let changed = lists::with_other_order(connection)?;
    let say = |list| format!("the order of list {list} is not the one that its secret gives");
    trail.problems.extend(changed.into_iter().map(say));
    Ok(trail)
}

/// As [`verify`], but for the lists' orders.
pub(super) fn verify_events(connection: &Connection, noted: Option<EventHash>) -> rusqlite::Result<Trail> {
    // Events and what they are about are compared as they are at one moment: others may be issuing.
    let _moment = match connection.is_autocommit() {
        true => Some(connection.unchecked_transaction()?),
        false => None,
    };
    let sql = format!("SELECT {} FROM events ORDER BY event", StoredEvent::COLUMNS);
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut trail = Trail { events: 0, head: [0; 32], problems: Vec::new() };
    let mut issued = 0u64;
    let mut statuses = Standings::new();
    let mut found_noted = noted.is_none() || noted == Some(trail.head);
    while let Some(row) = rows.next()? {
        let (event, hash) = StoredEvent::read(row)?;
        if event.number != trail.events.saturating_add(1) {
            trail.problems.push(format!("event {} is missing", trail.events.saturating_add(1)));
        } else if event.hash(&trail.head, connection)? != hash {
            trail
                .problems
                .push(format!("event {} is not what it was, or what it is about is not", event.number));
        }
        trail.events = event.number;
        trail.head = hash;
        found_noted |= noted == Some(hash);
        issued += u64::from(event.kind == EventKind::Issued);
        if let Some(place) = event.place {
            let place = Place { batch: event.batch, place };
            match event.kind {
                EventKind::Revoked => statuses.insert(place, (Status::Revoked, event.at, event.reason)),
                EventKind::Suspended => statuses.insert(place, (Status::Suspended, event.at, event.reason)),
                _ => statuses.remove(&place),
            };
        }
    }
    let batches: i64 = connection.query_row("SELECT count(*) FROM batches", [], |row| row.get(0))?;
    if batches.unsigned_abs() != issued {
        trail.problems.push(format!("{batches} batches were issued, and {issued} events tell of it"));
    }
    if stored_statuses(connection)? != statuses {
        trail.problems.push("the credentials' statuses are not what the events say".to_owned());
    }
    if !found_noted {
        trail
            .problems
            .push("the hash that was noted is no event's: events after or before it are gone".to_owned());
    }
    Ok(trail)
}

/// Status, time and reason of each credential that is not active.
type Standings = HashMap<Place, (Status, i64, Option<String>)>;

fn stored_statuses(connection: &Connection) -> rusqlite::Result<Standings> {
    let mut statement = connection.prepare("SELECT batch, place, status, since, reason FROM statuses")?;
    statement
        .query_map([], |row| {
            let place = Place { batch: row.get(0)?, place: row.get(1)? };
            Ok((place, (row.get(2)?, row.get(3)?, row.get(4)?)))
        })?
        .collect()
}

impl super::Ledger {
    /// Goes through the audit trail.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn verify_events(&self, noted: Option<EventHash>) -> Result<Trail, LedgerError> {
        verify(&self.connection, noted).map_err(|source| self.cannot("read", source))
    }

    /// The events after the one of this number, oldest first, at most `limit`.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn events(&self, after: i64, limit: usize) -> Result<Vec<Event>, LedgerError> {
        page(&self.connection, after, limit).map_err(|source| self.cannot("read", source))
    }

    /// The events of one credential, oldest first.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn events_of(&self, place: Place) -> Result<Vec<Event>, LedgerError> {
        of_credential(&self.connection, place).map_err(|source| self.cannot("read", source))
    }
}
