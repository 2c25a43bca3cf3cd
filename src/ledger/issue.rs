//! Issuing into the ledger: who a credential is and where its status stands, recorded before it
//! is signed; and what was issued before under the same name.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::batches::{Slots, StoredBatch};
use super::record::{self, Record};
use super::runs::{self, RunNumbers};
use super::seal::{self, Counts, Done};
use super::store::{Access, Store, Stored, Transaction, in_one_snapshot};
use super::terms::RunDescription;
use super::{Ledger, LedgerError, corrupt, events, fill, lists, statuses, writable};
use crate::clock::{system_millis, system_now};
use crate::credential::{CredentialStatus, Grant};
use crate::request::{BATCH_ITEMS, ContentHash, Draft};
use crate::types::CredentialType;

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
        let found = runs::of_name(&*self.store, run).map_err(|source| self.cannot("read", source))?;
        found.iter().try_for_each(|found| found.must_be_under(run))?;
        Ok(!found.is_empty())
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
        let fail = |source| LedgerError::store("write", &path, source);
        let store = writable(&*self.store, &path)?;
        let transaction = Transaction::begin(store, Access::Write).map_err(fail)?;
        let reached = seal::state(store).map_err(fail)?;
        let mut runs = match &self.runs {
            Some(runs) => runs.clone(),
            None => RunNumbers::find(store, run, fail)?,
        };
        let known = match run.repeatable {
            true => known_credentials(store, &run.name, entries).map_err(fail)?,
            false => HashMap::new(),
        };
        note_displaced(&mut self.displaced, &known, entries);
        let fresh = self.fresh(&known, entries);
        self.refuse_expired(&fresh)?;
        let issued = Issued::insert(store, run, &mut runs, &fresh).map_err(fail)?;
        append_replays(store, &known, entries).map_err(fail)?;
        let replayed = known.values().map(|known| known.slots.from(known.place, 1));
        self.lists.keep(store, replayed.chain(issued.slots())).map_err(fail)?;
        let bytes = (fresh.len() * record::RECORD_BYTES) as u64;
        let done = Done { bytes, ..Done::adding(reached, issued.added) };
        seal::commit(store, transaction, done, fail)?;
        self.runs = Some(runs);
        Ok(self.answers(entries, &known, &issued))
    }

    /// The entries that nothing was issued for yet.
    fn fresh<'e, 'd>(&self, known: &HashMap<u64, Known>, entries: &'e [Entry<'d>]) -> Vec<&'e Entry<'d>> {
        let is_fresh = |entry: &&Entry<'_>| {
            !known.contains_key(&entry.position) && !self.displaced.contains_key(&entry.draft.content_hash)
        };
        entries.iter().filter(is_fresh).collect()
    }

    /// Refuses to issue what has expired already, by the ledger's last event, although the clock says otherwise.
    fn refuse_expired(&self, entries: &[&Entry<'_>]) -> Result<(), LedgerError> {
        let Some(last_event) = self.clock_behind.filter(|_| !self.accepts_expired) else { return Ok(()) };
        match entries.iter().find(|entry| entry.draft.expires_at <= last_event) {
            None => Ok(()),
            Some(entry) => Err(LedgerError::Expired {
                path: self.path.clone(),
                index: entry.position,
                expires_at: entry.draft.expires_at,
                last_event,
            }),
        }
    }

    fn answers(
        &self,
        entries: &[Entry<'_>],
        known: &HashMap<u64, Known>,
        issued: &Issued<'_>,
    ) -> Vec<Answer> {
        let mut given = issued.credentials();
        let answer = |entry: &Entry<'_>| match known.get(&entry.position) {
            Some(known) => self.replay(known, entry),
            None => {
                if let Some(id) = self.displaced.get(&entry.draft.content_hash) {
                    return Err(Conflict::Moved(*id));
                }
                let of_kind = given.iter_mut().find(|(kind, _)| *kind == Kind::of(entry));
                let fresh = of_kind.and_then(|(_, credentials)| credentials.next());
                let fresh = fresh.expect("every entry that is not known is in a batch of its kind");
                Ok(self.grant(&fresh, false))
            }
        };
        entries.iter().map(answer).collect()
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
        let known = in_one_snapshot(&*self.store, || self.known_now(run, entries))
            .map_err(|source| self.cannot("read", source))?;
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

    fn known_now(&self, run: &RunDescription, entries: &[Entry<'_>]) -> Stored<HashMap<u64, Known>> {
        let store = &*self.store;
        for found in runs::of_name(store, run)? {
            if self.runs.is_none() {
                found.must_find_all(store)?;
            }
        }
        known_credentials(store, &run.name, entries)
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
fn append_replays(store: &dyn Store, known: &HashMap<u64, Known>, entries: &[Entry<'_>]) -> Stored<()> {
    let mut batches: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for entry in entries {
        if let Some(known) = known.get(&entry.position)
            && known.must_be(entry.draft.content_hash).is_ok()
        {
            batches.entry(known.batch).or_default().push(known.place);
        }
    }
    for (batch, places) in batches {
        events::append_replayed(store, batch, system_now(), &places)?;
    }
    Ok(())
}

/// What all credentials of a batch have in common, beside the run.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind<'d> {
    credential_type: &'static CredentialType,
    attestation_type: Option<&'d str>,
}

impl<'d> Kind<'d> {
    fn of(entry: &Entry<'d>) -> Kind<'d> {
        let attestation_type = entry.draft.attestation_type.as_deref();
        Kind { credential_type: entry.draft.credential_type, attestation_type }
    }
}

/// What was issued now: a batch of each kind.
struct Issued<'d> {
    batches: Vec<(Kind<'d>, InsertedBatch)>,
    added: Counts,
}

impl<'d> Issued<'d> {
    fn insert(
        store: &dyn Store,
        run: &RunDescription,
        runs: &mut RunNumbers,
        entries: &[&Entry<'d>],
    ) -> Stored<Issued<'d>> {
        let mut issued = Issued { batches: Vec::new(), added: Counts::default() };
        for (kind, entries) in by_kind(entries) {
            let run_number = runs.of_type(kind.credential_type, store, run, &mut issued.added)?;
            let batch = InsertedBatch::insert(store, run_number, run, (kind, &entries), &mut issued.added)?;
            issued.batches.push((kind, batch));
        }
        Ok(issued)
    }

    /// The slots that were given.
    fn slots(&self) -> impl Iterator<Item = (i64, std::ops::Range<u32>)> {
        self.batches.iter().map(|(_, batch)| batch.slots.from(0, batch.records.len() as u32))
    }

    /// The credentials of each kind, in the order of their entries.
    fn credentials(&self) -> Vec<(Kind<'d>, impl Iterator<Item = Known>)> {
        self.batches.iter().map(|(kind, batch)| (*kind, batch.credentials())).collect()
    }
}

/// A batch that was inserted.
struct InsertedBatch {
    number: i64,
    slots: Slots,
    millis: u64,
    records: Vec<Record>,
}

impl InsertedBatch {
    /// Inserts the entries as one batch.
    fn insert(
        store: &dyn Store,
        run_number: i64,
        run: &RunDescription,
        (kind, entries): (Kind<'_>, &[&Entry<'_>]),
        added: &mut Counts,
    ) -> Stored<InsertedBatch> {
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
                delegator_hash: entry.draft.delegator_hash,
            })
            .collect();
        let base = run.status_base.as_deref().unwrap_or_default();
        let (slots, of_lists) = lists::take_slots(store, &run.terms.issuer, base, entries.len() as u32)?;
        added.lists += of_lists.lists;
        let batch = StoredBatch::new(run_number, slots, millis, &records, kind.attestation_type);
        let number = batch.insert(store)?;
        events::append_issued(store, number, system_now())?;
        Ok(InsertedBatch { number, slots, millis, records })
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

/// Entries of each kind, in their order. A batch is of one kind, and a row of a run is of one type.
fn by_kind<'e, 'd>(entries: &[&'e Entry<'d>]) -> Vec<(Kind<'d>, Vec<&'e Entry<'d>>)> {
    let mut groups: Vec<(Kind<'d>, Vec<&Entry<'_>>)> = Vec::new();
    for &entry in entries {
        let kind = Kind::of(entry);
        match groups.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, group)) => group.push(entry),
            None => groups.push((kind, vec![entry])),
        }
    }
    groups
}

/// The credentials that were issued before at the entries' positions in the run of this name.
fn known_credentials(store: &dyn Store, run: &str, entries: &[Entry<'_>]) -> Stored<HashMap<u64, Known>> {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(HashMap::new()) };
    // A batch's positions lie within BATCH_ITEMS of its first one.
    let earliest = first.position.saturating_sub(BATCH_ITEMS - 1);
    let mut known = HashMap::new();
    store.batches_at(run, earliest as i64..=last.position as i64, &mut |row| {
        let batch = StoredBatch::read(row)?;
        let mut statuses_of_batch = statuses::of_batch(store, batch.number)?;
        for (place, record) in (0..).zip(record::unpack(&batch.records)) {
            let record = record.ok_or_else(corrupt)?;
            let id = record.id(batch.millis);
            let current = statuses_of_batch.remove(&place).unwrap_or_default();
            let (batch, slots) = (batch.number, batch.slots);
            known.insert(record.position, Known { id, batch, place, slots, record, current });
        }
        Ok(())
    })?;
    known.retain(|position, _| (first.position..=last.position).contains(position));
    Ok(known)
}

/// The random parts of version 7 ids, drawn at once: one by one they would cost a hundred times
/// as much.
fn random_tails(count: usize) -> Stored<Vec<[u8; 10]>> {
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
