//! Issuing into the ledger: who a credential is and where its status stands, recorded before it
//! is signed; and what was issued before under the same name.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rusqlite::{Transaction, TransactionBehavior, params};
use uuid::Uuid;

use super::batches::StoredBatch;
use super::lists::{self, Slots};
use super::record::{self, Record};
use super::runs::{self, RunNumbers};
use super::seal::{self, Counts};
use super::status::{self};
use super::{Ledger, LedgerError, corrupt, events, fill};
use crate::clock::{UnixTime, system_millis, system_now};
use crate::credential::{CredentialStatus, Grant, Profile, TypeProfile};
use crate::request::{BATCH_ITEMS, ContentHash, Draft};
use crate::types::CredentialType;

/// What a run is, as far as its credentials depend on it.
#[derive(Debug, Clone)]
pub struct RunDescription {
    /// The run's name: a fresh UUID, or the idempotency key.
    pub name: String,
    /// Whether the name is an idempotency key, so that items may have been issued under it.
    pub repeatable: bool,
    /// What must be the same whenever the run is repeated.
    pub terms: Terms,
    /// What must be the same for each type of which something was issued. The types have different names.
    pub types: Vec<TypeTerms>,
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
    /// The issuer's JSON-LD context; empty where there is none.
    pub context: String,
    /// The life of credentials whose item does not say.
    pub ttl: String,
}

/// What must be the same of a type whenever a run is repeated under its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeTerms {
    /// The name of the credential type.
    pub credential_type: String,
    /// Its name in credentials.
    pub vct: String,
    /// What an `sd_jwt_vc` hides; empty for other forms.
    pub disclosure: String,
}

impl RunDescription {
    /// A run that issues by this profile, with this life of credentials whose item does not say.
    pub fn of(profile: &Profile, name: String, ttl: String) -> RunDescription {
        let terms = Terms {
            issuer: profile.issuer.clone(),
            kid: profile.kid.clone(),
            proof_format: profile.proof_format.as_str().to_owned(),
            context: profile.context.clone(),
            ttl,
        };
        let of_type = |of_type: &TypeProfile| TypeTerms {
            credential_type: of_type.credential_type.name.to_owned(),
            vct: of_type.vct.clone(),
            disclosure: of_type.hidden_claims.clone(),
        };
        let types = profile.types.iter().map(of_type).collect();
        RunDescription { name, repeatable: false, terms, types, status_base: None }
    }

    /// What is laid down for a type.
    pub(super) fn of_type(&self, credential_type: &str) -> Option<&TypeTerms> {
        self.types.iter().find(|of_type| of_type.credential_type == credential_type)
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
        let found = runs::of_name(&self.connection, run)
            .map_err(|source| LedgerError::sqlite("read", &self.path, source))?;
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
        let fail = |source| LedgerError::sqlite("write", &path, source);
        let looked_at_only = self.looked_at_only();
        let keeper = self.keeper.as_mut().ok_or(looked_at_only)?;
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate).map_err(fail)?;
        let reached = seal::state(&transaction).map_err(fail)?;
        let mut added = Counts::default();
        let mut runs = match &self.runs {
            Some(runs) => runs.clone(),
            None => RunNumbers::find(&transaction, run, &path)?,
        };
        let known = match run.repeatable {
            true => known_credentials(&transaction, &run.name, entries).map_err(fail)?,
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
        let mut batches = Vec::new();
        for (credential_type, entries) in by_type(&fresh) {
            let run_number = runs.of_type(credential_type, &transaction, run, &mut added).map_err(fail)?;
            batches.push((
                credential_type,
                Batch::insert(&transaction, run_number, run, &entries, &mut added).map_err(fail)?,
            ));
        }
        append_replays(&transaction, &known, entries).map_err(fail)?;
        let replayed = known.values().map(|known| known.slots.from(known.place, 1));
        let issued = batches.iter().map(|(_, batch)| batch.slots.from(0, batch.records.len() as u32));
        self.lists.keep(&transaction, replayed.chain(issued)).map_err(fail)?;
        let bytes = fresh.len() * record::RECORD_BYTES;
        keeper.commit(&self.connection, transaction, reached, added, bytes as u64)?;

        self.runs = Some(runs);
        let mut given: Vec<_> =
            batches.iter().map(|(of_type, batch)| (*of_type, batch.credentials())).collect();
        let answer = |entry: &Entry<'_>| match known.get(&entry.position) {
            Some(known) => self.replay(known, entry),
            None => {
                if let Some(id) = self.displaced.get(&entry.draft.content_hash) {
                    return Err(Conflict::Moved(*id));
                }
                let of_type = given.iter_mut().find(|(of_type, _)| *of_type == entry.draft.credential_type);
                let fresh = of_type.and_then(|(_, credentials)| credentials.next());
                Ok(self
                    .grant(&fresh.expect("every entry that is not known is in a batch of its type"), false))
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
        for found in runs::of_name(&transaction, run)? {
            if self.runs.is_none() {
                runs::must_find_all(&transaction, found.number)?;
            }
        }
        known_credentials(&transaction, &run.name, entries)
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

/// Entries of each type, in their order. A batch is of one type, as is a row of a run.
fn by_type<'e, 'd>(entries: &[&'e Entry<'d>]) -> Vec<(&'static CredentialType, Vec<&'e Entry<'d>>)> {
    let mut groups: Vec<(&'static CredentialType, Vec<&Entry<'_>>)> = Vec::new();
    for &entry in entries {
        let credential_type = entry.draft.credential_type;
        match groups.iter_mut().find(|(of_type, _)| *of_type == credential_type) {
            Some((_, group)) => group.push(entry),
            None => groups.push((credential_type, vec![entry])),
        }
    }
    groups
}

/// The credentials that were issued before at the entries' positions in the run of this name.
fn known_credentials(
    transaction: &Transaction<'_>,
    run: &str,
    entries: &[Entry<'_>],
) -> rusqlite::Result<HashMap<u64, Known>> {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(HashMap::new()) };
    // A batch's positions lie within BATCH_ITEMS of its first one.
    let earliest = first.position.saturating_sub(BATCH_ITEMS - 1);
    let sql = format!(
        "SELECT {} FROM batches
         WHERE run IN (SELECT run FROM runs WHERE name = ?1) AND first_position BETWEEN ?2 AND ?3",
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
