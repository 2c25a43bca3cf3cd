//! Issuing into the ledger: who a credential is and where its status stands, recorded before it
//! is signed; and what was issued before under the same name.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rusqlite::{Row, Transaction, TransactionBehavior, params};
use uuid::Uuid;

use super::batches::StoredBatch;
use super::lists::{self, Slots};
use super::record::{self, Record};
use super::runs::{self, find_run};
use super::seal::{self, Counts};
use super::status::{self};
use super::{BATCH_ITEMS, Ledger, LedgerError, corrupt, events, fill};
use crate::clock::{UnixTime, system_millis, system_now};
use crate::credential::{CredentialStatus, Grant};
use crate::request::{ContentHash, Draft};

/// What a run is, as far as its credentials depend on it.
#[derive(Debug, Clone)]
pub struct RunDescription {
    /// The run's name: a fresh UUID, or the idempotency key.
    pub name: String,
    /// Whether the name is an idempotency key, so that items may have been issued under it.
    pub repeatable: bool,
    /// What must be the same whenever the run is repeated.
    pub terms: Terms,
    /// `status.base_url`, where there is one.
    pub status_base: Option<String>,
}

/// What must be the same whenever a run is repeated under its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Who issues.
    pub issuer: String,
    /// The key that signs.
    pub kid: String,
    /// The form of the credentials.
    pub proof_format: String,
    /// The credential type.
    pub vct: String,
    /// The issuer's JSON-LD context; empty where there is none.
    pub context: String,
    /// The life of credentials whose item does not say.
    pub ttl: String,
    /// What an `sd_jwt_vc` hides; empty for other forms.
    pub disclosure: String,
}

impl Terms {
    /// The terms in a row, from this column on.
    pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Terms> {
        Ok(Terms {
            issuer: row.get(first)?,
            kid: row.get(first + 1)?,
            proof_format: row.get(first + 2)?,
            vct: row.get(first + 3)?,
            context: row.get(first + 4)?,
            ttl: row.get(first + 5)?,
            disclosure: row.get(first + 6)?,
        })
    }

    /// The terms by their names, as messages call them and as the ledger's columns are named.
    pub(super) fn named(&self) -> [(&'static str, &str); 7] {
        [
            ("issuer", &self.issuer),
            ("kid", &self.kid),
            ("proof_format", &self.proof_format),
            ("vct", &self.vct),
            ("context", &self.context),
            ("ttl", &self.ttl),
            ("disclosure", &self.disclosure),
        ]
    }
}

/// Why an item is not issued under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Its place is that of an item with other content, which was issued.
    #[error("issued before under this idempotency key as urn:uuid:{0}, with other content")]
    Changed(Uuid),
    /// It was issued at a place that now holds something else: rows were put in or taken out.
    #[error("issued before under this idempotency key as urn:uuid:{0}, at another place in the batch")]
    Moved(Uuid),
}

/// What the ledger says to each entry.
pub type Answer = Result<Grant, Conflict>;

/// A draft and its place in the run.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'d> {
    /// The item's index in the run.
    pub position: u64,
    /// What is to be issued.
    pub draft: &'d Draft,
}

/// A credential that was issued, now or before under the run's name.
struct Known {
    id: Uuid,
    batch: i64,
    place: u32,
    slots: Slots,
    record: Record,
    current: CredentialStatus,
}

impl Ledger {
    /// Whether the ledger knows a run of this name, made under the same terms.
    ///
    /// # Errors
    /// Where the ledger cannot be read, or the run was made under other terms.
    pub fn knows(&self, run: &RunDescription) -> Result<bool, LedgerError> {
        let found = find_run(&self.connection, run)
            .map_err(|source| LedgerError::sqlite("read", &self.path, source))?;
        found.map_or(Ok(false), |found| found.number_under(&run.terms, &run.name).map(|_| true))
    }

    /// Gives each entry an id and an index, and records it; all or none. An entry that was issued
    /// before under the run's name gets what it got then.
    ///
    /// When this returns, the records are on the disk.
    ///
    /// # Errors
    /// Where the disk is full, the file cannot be written, or another process has held the ledger
    /// for longer than [`super::WAIT`]. Then nothing is recorded and nothing is given out.
    pub fn record(
        &mut self,
        run: &RunDescription,
        entries: &[Entry<'_>],
    ) -> Result<Vec<Answer>, LedgerError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let path = self.path.clone();
        let fail = |source| LedgerError::sqlite("write", &path, source);
        let looked_at_only = self.looked_at_only();
        let keeper = self.keeper.as_mut().ok_or(looked_at_only)?;
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate).map_err(fail)?;
        let reached = seal::state(&transaction).map_err(fail)?;
        let mut added = Counts::default();
        let run_number = match self.run {
            Some(number) => number,
            None => runs::number(&transaction, run, &mut added, &path)?,
        };
        let known = match run.repeatable {
            true => known_credentials(&transaction, run_number, entries).map_err(fail)?,
            false => HashMap::new(),
        };
        note_displaced(&mut self.displaced, &known, entries);
        let displaced = |entry: &Entry<'_>| self.displaced.get(&entry.draft.content_hash);
        let fresh: Vec<&Entry<'_>> = entries
            .iter()
            .filter(|entry| !known.contains_key(&entry.position) && displaced(entry).is_none())
            .collect();
        if let (Some(last_event), false) = (self.clock_behind, self.accepts_expired) {
            refuse_expired(&fresh, last_event, &path)?;
        }
        let batch = match fresh.is_empty() {
            true => None,
            false => Some(Batch::insert(&transaction, run_number, run, &fresh, &mut added).map_err(fail)?),
        };
        append_replays(&transaction, &known, entries).map_err(fail)?;
        let replayed = known.values().map(|known| known.slots.from(known.place, 1));
        let issued = batch.iter().map(|batch| batch.slots.from(0, fresh.len() as u32));
        self.lists.keep(&transaction, replayed.chain(issued)).map_err(fail)?;
        let bytes = fresh.len() * record::RECORD_BYTES;
        keeper.commit(&self.connection, transaction, reached, added, bytes as u64)?;

        self.run = Some(run_number);
        let mut given = batch.iter().flat_map(Batch::credentials);
        let answer = |entry: &Entry<'_>| match known.get(&entry.position) {
            Some(known) => self.replay(known, entry),
            None => {
                if let Some(id) = self.displaced.get(&entry.draft.content_hash) {
                    return Err(Conflict::Moved(*id));
                }
                let fresh = given.next().expect("every entry that is not known is in the batch");
                Ok(self.grant(&fresh, false))
            }
        };
        Ok(entries.iter().map(answer).collect())
    }

    /// What [`Ledger::record`] would say: for each entry, whether it would be replayed. Writes
    /// nothing.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn preview(
        &mut self,
        run: &RunDescription,
        entries: &[Entry<'_>],
    ) -> Result<Vec<Result<bool, Conflict>>, LedgerError> {
        let known = self
            .preview_in_transaction(run, entries)
            .map_err(|source| LedgerError::sqlite("read", &self.path, source))?;
        note_displaced(&mut self.displaced, &known, entries);
        let answer = |entry: &Entry<'_>| match known.get(&entry.position) {
            None => match self.displaced.get(&entry.draft.content_hash) {
                None => Ok(false),
                Some(id) => Err(Conflict::Moved(*id)),
            },
            Some(known) => known.must_be(entry.draft.content_hash).map(|()| true),
        };
        Ok(entries.iter().map(answer).collect())
    }

    fn preview_in_transaction(
        &self,
        run: &RunDescription,
        entries: &[Entry<'_>],
    ) -> rusqlite::Result<HashMap<u64, Known>> {
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred)?;
        match find_run(&transaction, run)? {
            Some(found) => {
                if self.run.is_none() {
                    runs::must_find_all(&transaction, found.number)?;
                }
                known_credentials(&transaction, found.number, entries)
            }
            None => Ok(HashMap::new()),
        }
    }

    fn replay(&self, known: &Known, entry: &Entry<'_>) -> Answer {
        known.must_be(entry.draft.content_hash)?;
        Ok(self.grant(known, true))
    }

    fn grant(&self, credential: &Known, replayed: bool) -> Grant {
        let slots = credential.slots;
        Grant {
            id: credential.id,
            status: Some(self.lists.place(slots.list, slots.first + credential.place)),
            issued_at: credential.record.issued_at,
            expires_at: credential.record.expires_at,
            replayed,
            current: credential.current.clone(),
        }
    }
}

impl Known {
    fn must_be(&self, content_hash: ContentHash) -> Result<(), Conflict> {
        if self.record.content_hash == content_hash { Ok(()) } else { Err(Conflict::Changed(self.id)) }
    }
}

/// Notes what was issued where something else stands now.
fn note_displaced(
    displaced: &mut HashMap<ContentHash, Uuid>,
    known: &HashMap<u64, Known>,
    entries: &[Entry<'_>],
) {
    for entry in entries {
        if let Some(known) = known.get(&entry.position)
            && known.record.content_hash != entry.draft.content_hash
        {
            displaced.insert(known.record.content_hash, known.id);
        }
    }
}

/// Appends the events of what comes out again.
fn append_replays(
    transaction: &Transaction<'_>,
    known: &HashMap<u64, Known>,
    entries: &[Entry<'_>],
) -> rusqlite::Result<()> {
    let mut batches: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for entry in entries {
        if let Some(known) = known.get(&entry.position)
            && known.must_be(entry.draft.content_hash).is_ok()
        {
            batches.entry(known.batch).or_default().push(known.place);
        }
    }
    for (batch, places) in batches {
        events::append_replayed(transaction, batch, system_now(), &places)?;
    }
    Ok(())
}

/// Refuses to issue what has expired already, by the ledger's last event, although the clock says otherwise.
fn refuse_expired(entries: &[&Entry<'_>], last_event: UnixTime, path: &Path) -> Result<(), LedgerError> {
    match entries.iter().find(|entry| entry.draft.expires_at <= last_event) {
        None => Ok(()),
        Some(entry) => Err(LedgerError::Expired {
            path: path.to_owned(),
            index: entry.position,
            expires_at: entry.draft.expires_at,
            last_event,
        }),
    }
}

/// A batch that was inserted.
struct Batch {
    number: i64,
    slots: Slots,
    millis: u64,
    records: Vec<Record>,
}

impl Batch {
    /// Inserts the entries as one batch.
    fn insert(
        transaction: &Transaction<'_>,
        run_number: i64,
        run: &RunDescription,
        entries: &[&Entry<'_>],
        added: &mut Counts,
    ) -> rusqlite::Result<Batch> {
        let millis = system_millis();
        let records: Vec<Record> = (entries.iter().zip(random_tails(entries.len())?))
            .map(|(entry, id_tail)| Record {
                position: entry.position,
                id_tail,
                issued_at: entry.draft.issued_at,
                expires_at: entry.draft.expires_at,
                content_hash: entry.draft.content_hash,
                subject_hash: entry.draft.subject_hash,
                correlation_hash: entry.draft.correlation_hash,
            })
            .collect();
        let (slots, of_lists) = lists::take_slots(transaction, run, entries.len() as u32)?;
        added.lists += of_lists.lists;
        let mut batch = StoredBatch::new(run_number, slots, millis, &records);
        batch.insert(transaction)?;
        let number = batch.number;
        events::append_issued(transaction, number, system_now())?;
        Ok(Batch { number, slots, millis, records })
    }

    /// The credentials of the batch, in order.
    fn credentials(&self) -> impl Iterator<Item = Known> {
        (0..).zip(&self.records).map(|(place, record)| Known {
            id: record.id(self.millis),
            batch: self.number,
            place,
            slots: self.slots,
            record: record.clone(),
            current: CredentialStatus::default(),
        })
    }
}

/// The credentials that were issued before at the entries' positions.
fn known_credentials(
    transaction: &Transaction<'_>,
    run: i64,
    entries: &[Entry<'_>],
) -> rusqlite::Result<HashMap<u64, Known>> {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(HashMap::new()) };
    // A batch's positions lie within BATCH_ITEMS of its first one.
    let earliest = first.position.saturating_sub(BATCH_ITEMS - 1);
    let sql = format!(
        "SELECT {} FROM batches WHERE run = ?1 AND first_position BETWEEN ?2 AND ?3",
        StoredBatch::COLUMNS
    );
    let mut statement = transaction.prepare_cached(&sql)?;
    let mut rows = statement.query(params![run, earliest as i64, last.position as i64])?;
    let mut known = HashMap::new();
    while let Some(row) = rows.next()? {
        let batch = StoredBatch::read(row)?;
        let mut statuses_of_batch = status::statuses_of_batch(transaction, batch.number)?;
        for (place, record) in (0..).zip(record::unpack(&batch.records)) {
            let record = record.ok_or_else(corrupt)?;
            let id = record.id(batch.millis);
            let current = statuses_of_batch.remove(&place).unwrap_or_default();
            let (batch, slots) = (batch.number, batch.slots);
            known.insert(record.position, Known { id, batch, place, slots, record, current });
        }
    }
    known.retain(|position, _| (first.position..=last.position).contains(position));
    Ok(known)
}

/// The random parts of version 7 ids, drawn at once: one by one they would cost a hundred times
/// as much.
fn random_tails(count: usize) -> rusqlite::Result<Vec<[u8; 10]>> {
    let mut bytes = vec![0; count * 10];
    fill(&mut bytes)?;
    let (tails, _) = bytes.as_chunks::<10>();
    Ok(tails.to_vec())
}

/// A name for a run that was given none: a version 7 UUID.
///
/// # Errors
/// Where the operating system gives no random bytes.
pub fn new_run_name() -> Result<String, getrandom::Error> {
    let mut tail = [0; 10];
    getrandom::fill(&mut tail)?;
    Ok(record::id_from_parts(system_millis(), &tail).to_string())
}

/// Whether a name is of the form that [`new_run_name`] gives.
pub fn is_run_name(name: &str) -> bool {
    Uuid::parse_str(name).is_ok_and(|id| id.get_version_num() == 7)
}

/// Gives ids without a ledger: no index, and nothing remembered.
///
/// # Errors
/// Where the operating system gives no random bytes.
pub fn grants_without_ledger(entries: &[Entry<'_>]) -> Result<Vec<Grant>, getrandom::Error> {
    let millis = system_millis();
    let mut tail = [0; 10];
    entries
        .iter()
        .map(|entry| {
            getrandom::fill(&mut tail)?;
            Ok(Grant {
                id: record::id_from_parts(millis, &tail),
                status: None,
                issued_at: entry.draft.issued_at,
                expires_at: entry.draft.expires_at,
                replayed: false,
                current: CredentialStatus::default(),
            })
        })
        .collect()
}
