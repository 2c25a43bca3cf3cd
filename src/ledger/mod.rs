//! The ledger: the one place with state.
//!
//! # What it promises
//!
//! Under kill -9, power loss, a full disk and several processes at once (contract section 5):
//!
//! 1. A status-list index is never given to two credentials. Each list hands out *slots*, a
//!    counter that only grows, in the transaction that also writes the records; a slot's index is
//!    its place in the list's own secret order ([`allocation`]), which is a permutation, so two
//!    slots never share an index.
//! 2. A credential's record is durable before its result leaves the process. The record is all of
//!    the credential but its signature, so it is committed *before* the credential is signed.
//! 3. A run under an idempotency key that is repeated gives each item the same id, index and
//!    dates, never a second credential. Whether an item was issued before is asked in the
//!    transaction that would issue it, so that two processes under one key cannot both issue it.
//! 4. No personal data: ids, indices, dates, status, and keyed hashes of requests.
//!
//! # Form
//!
//! One SQLite file in WAL mode with full sync: a transaction is on the disk when its commit
//! returns. A batch of up to 1,000 credentials is one transaction and one row; its records are
//! packed one after the other in that row (`record`). Row and index are a thousandth of what a
//! row for each credential would be, which is why the ledger neither slows the signers nor
//! slows down as it grows.
//!
//! | table | a row is | found by |
//! | --- | --- | --- |
//! | `ledger` | the ledger itself: its secret key for hashes | there is one |
//! | `runs` | a run, or all runs under one idempotency key, and what they must have in common | its name |
//! | `lists` | a status list: its URIs, its secret, how many slots are taken | issuer and base URL |
//! | `batches` | up to 1,000 credentials issued together | run and position; the millisecond in their ids |
//!
//! All ids of a batch hold the same millisecond (UUID version 7), so a credential is found by its
//! id through that: one index entry a batch.
//!
//! # Several processes
//!
//! Every write happens inside `BEGIN IMMEDIATE`, which one process holds at a time; the others
//! wait ([`WAIT`]). No decision is taken from something read outside the transaction that writes.

//! # A ledger that went back in time
//!
//! A ledger restored from a backup has forgotten the slots given since, and would give them again.
//! Each run leaves the number of its last batch in a file beside the ledger (`mark`). A ledger
//! with fewer batches than its mark went back: the user is warned, and its lists are closed, so
//! that nothing is given from a list of which the ledger may not know everything. A backup that
//! restores the mark as well cannot be told from the present.

pub mod allocation;
mod check;
mod error;
mod mark;
mod record;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use uuid::Uuid;

pub use check::Examination;
pub use error::{Difference, LedgerError};
use mark::Mark;
pub use record::Record;

use crate::clock::{UnixTime, system_millis, system_now};
use crate::request::{ContentHash, Draft};
use allocation::IndexOrder;

/// How long a process waits for others to finish their transactions, each of which takes
/// milliseconds. Whoever waits this long waits for a process that hangs.
pub const WAIT: Duration = Duration::from_secs(120);

/// The most items of a batch. Replays rely on it: they look for a batch's records no further back
/// than this.
pub const BATCH_ITEMS: u64 = 1_000;

/// How many lists a run keeps worked out; a replay goes through them one after the other.
const LISTS_KEPT: usize = 4;

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
}

impl Terms {
    /// The terms by their names, as messages call them and as the ledger's columns are named.
    fn named(&self) -> [(&'static str, &str); 6] {
        [
            ("issuer", &self.issuer),
            ("kid", &self.kid),
            ("proof_format", &self.proof_format),
            ("vct", &self.vct),
            ("context", &self.context),
            ("ttl", &self.ttl),
        ]
    }
}

/// A status list, as credentials refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListUris {
    /// The URI of the IETF Token Status List.
    pub token: String,
    /// The URL of the W3C Bitstring Status List credential.
    pub bitstring: String,
}

/// What the ledger gives a credential: who it is, and where its status stands.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The credential's id.
    pub id: Uuid,
    /// The status list and the index in it; none without a ledger.
    pub status: Option<(Arc<ListUris>, u32)>,
    /// When the credential is issued.
    pub issued_at: UnixTime,
    /// When it expires.
    pub expires_at: UnixTime,
    /// Whether it was granted before, under the same idempotency key.
    pub replayed: bool,
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

/// The ledger of one issuer's machine, opened by one run.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    connection: Connection,
    hash_key: [u8; 32],
    run: Option<i64>,
    lists: Vec<OpenList>,
    last_batch: i64,
    /// What was issued at positions that now hold something else. Where rows were put in or taken
    /// out, it stands at another position, and is not issued there once more.
    displaced: HashMap<ContentHash, Uuid>,
}

/// A list with its order worked out.
#[derive(Debug)]
struct OpenList {
    number: i64,
    uris: Arc<ListUris>,
    order: IndexOrder,
}

/// Slots of one list, from `first` on.
struct Slots {
    list: i64,
    first: u32,
}

/// A credential that was issued before under the run's name.
struct Known {
    id: Uuid,
    list: i64,
    slot: u32,
    record: Record,
}

/// Whether a ledger went back in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// Nothing speaks against it.
    Whole,
    /// The ledger has fewer batches than it once had; its lists were closed.
    WentBack,
    /// Another ledger was kept in a file of this name before.
    Replaced,
}

impl Ledger {
    /// Opens the ledger, and creates it where there is no such file.
    ///
    /// # Errors
    /// Where the file cannot be opened or created, is no ledger, is damaged, or was written by a
    /// newer version. It is never replaced.
    pub fn open(path: &Path) -> Result<(Ledger, History), LedgerError> {
        schema::create_missing(path)?;
        // The mark is read first: it may rise at any time, and the ledger is always ahead of it.
        let marked = mark::read(path);
        let mut ledger = Ledger::on(schema::connect(path)?, path)?;
        let history = ledger.compare_with(marked)?;
        Ok((ledger, history))
    }

    /// Opens a ledger without changing a byte of it, for a dry run. `None` where there is none.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_read_only(path: &Path) -> Result<Option<Ledger>, LedgerError> {
        match path.exists() {
            true => Ok(Some(Ledger::on(schema::connect_read_only(path)?, path)?)),
            false => Ok(None),
        }
    }

    fn on(connection: Connection, path: &Path) -> Result<Ledger, LedgerError> {
        let fail = |source| LedgerError::sqlite("read", path, source);
        let hash_key =
            connection.query_row("SELECT hash_key FROM ledger", [], |row| row.get(0)).map_err(fail)?;
        let last_batch = connection
            .query_row("SELECT coalesce(max(batch), 0) FROM batches", [], |row| row.get(0))
            .map_err(fail)?;
        Ok(Ledger {
            path: path.to_owned(),
            connection,
            hash_key,
            run: None,
            lists: Vec::new(),
            last_batch,
            displaced: HashMap::new(),
        })
    }

    fn compare_with(&mut self, marked: Option<Mark>) -> Result<History, LedgerError> {
        match marked {
            Some(mark) if mark.is_beyond(&self.hash_key, self.last_batch) => {}
            Some(mark) if mark.is_of_another(&self.hash_key) => {
                mark::set(&self.path, &self.hash_key, self.last_batch);
                return Ok(History::Replaced);
            }
            _ => return Ok(History::Whole),
        }
        self.connection
            .execute("UPDATE lists SET closed = 1", [])
            .map_err(|source| LedgerError::sqlite("write", &self.path, source))?;
        mark::set(&self.path, &self.hash_key, self.last_batch);
        Ok(History::WentBack)
    }

    /// The key for content hashes.
    pub fn hash_key(&self) -> [u8; 32] {
        self.hash_key
    }

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
    /// for longer than [`WAIT`]. Then nothing is recorded and nothing is given out.
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
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate).map_err(fail)?;
        let run_number = match self.run {
            Some(number) => number,
            None => match find_run(&transaction, run).map_err(fail)? {
                Some(found) => found.number_under(&run.terms, &run.name)?,
                None => add_run(&transaction, run).map_err(fail)?,
            },
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
        let batch = match fresh.is_empty() {
            true => None,
            false => Some(Batch::insert(&transaction, run_number, run, &fresh).map_err(fail)?),
        };
        let needed = known.values().map(|known| known.list).chain(batch.iter().map(|batch| batch.slots.list));
        keep_lists(&mut self.lists, &transaction, needed.collect()).map_err(fail)?;
        transaction.commit().map_err(fail)?;

        self.run = Some(run_number);
        self.last_batch = batch.as_ref().map_or(self.last_batch, |batch| batch.number);
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
    pub fn foresee(
        &mut self,
        run: &RunDescription,
        entries: &[Entry<'_>],
    ) -> Result<Vec<Result<bool, Conflict>>, LedgerError> {
        let known = self
            .foresee_in_transaction(run, entries)
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

    fn foresee_in_transaction(
        &self,
        run: &RunDescription,
        entries: &[Entry<'_>],
    ) -> rusqlite::Result<HashMap<u64, Known>> {
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred)?;
        match find_run(&transaction, run)? {
            Some(found) => known_credentials(&transaction, found.number, entries),
            None => Ok(HashMap::new()),
        }
    }

    fn replay(&self, known: &Known, entry: &Entry<'_>) -> Answer {
        known.must_be(entry.draft.content_hash)?;
        Ok(self.grant(known, true))
    }

    fn grant(&self, credential: &Known, replayed: bool) -> Grant {
        let list = self.lists.iter().find(|list| list.number == credential.list);
        let list = list.expect("the lists of all answers were kept");
        Grant {
            id: credential.id,
            status: Some((Arc::clone(&list.uris), list.order.index(credential.slot))),
            issued_at: credential.record.issued_at,
            expires_at: credential.record.expires_at,
            replayed,
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // The mark only helps to notice a restored backup; a run that could not leave one is
        // complete all the same.
        if !self.connection.is_readonly(rusqlite::MAIN_DB).unwrap_or(true) {
            mark::raise(&self.path, &self.hash_key, self.last_batch);
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
    ) -> rusqlite::Result<Batch> {
        let millis = system_millis();
        let records: Vec<Record> = (entries.iter().zip(random_tails(entries.len())?))
            .map(|(entry, id_tail)| Record {
                position: entry.position,
                id_tail,
                issued_at: entry.draft.issued_at,
                expires_at: entry.draft.expires_at,
                content_hash: entry.draft.content_hash,
            })
            .collect();
        let slots = take_slots(transaction, run, entries.len() as u32)?;
        let first_position = records.first().map_or(0, |record| record.position);
        transaction
            .prepare_cached(
                "INSERT INTO batches (run, first_position, list, first_slot, id_millis, count, records)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                run_number,
                first_position as i64,
                slots.list,
                slots.first,
                millis as i64,
                records.len() as i64,
                record::pack(&records)
            ])?;
        Ok(Batch { number: transaction.last_insert_rowid(), slots, millis, records })
    }

    /// The credentials of the batch, in order.
    fn credentials(&self) -> impl Iterator<Item = Known> {
        (self.slots.first..).zip(&self.records).map(|(slot, record)| Known {
            id: record.id(self.millis),
            list: self.slots.list,
            slot,
            record: record.clone(),
        })
    }
}

/// A run that the ledger knows.
struct FoundRun {
    number: i64,
    terms: Terms,
}

impl FoundRun {
    /// The run's number, if its terms are these.
    fn number_under(&self, terms: &Terms, name: &str) -> Result<i64, LedgerError> {
        let differences: Vec<Difference> = (self.terms.named().into_iter().zip(terms.named()))
            .filter(|((_, was), (_, is))| was != is)
            .map(|((name, was), (_, is))| Difference { name, was: was.to_owned(), is: is.to_owned() })
            .collect();
        match differences.is_empty() {
            true => Ok(self.number),
            false => Err(LedgerError::OtherTerms { name: name.to_owned(), differences }),
        }
    }
}

fn find_run(connection: &Connection, run: &RunDescription) -> rusqlite::Result<Option<FoundRun>> {
    let sql = "SELECT run, issuer, kid, proof_format, vct, context, ttl FROM runs WHERE name = ?1";
    connection
        .query_row(sql, [&run.name], |row| {
            let terms = Terms {
                issuer: row.get(1)?,
                kid: row.get(2)?,
                proof_format: row.get(3)?,
                vct: row.get(4)?,
                context: row.get(5)?,
                ttl: row.get(6)?,
            };
            Ok(FoundRun { number: row.get(0)?, terms })
        })
        .optional()
}

fn add_run(transaction: &Transaction<'_>, run: &RunDescription) -> rusqlite::Result<i64> {
    let terms = &run.terms;
    transaction.execute(
        "INSERT INTO runs (name, issuer, kid, proof_format, vct, context, ttl, started_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            run.name,
            terms.issuer,
            terms.kid,
            terms.proof_format,
            terms.vct,
            terms.context,
            terms.ttl,
            system_now().seconds()
        ],
    )?;
    Ok(transaction.last_insert_rowid())
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
    let mut statement = transaction.prepare_cached(
        "SELECT list, first_slot, id_millis, records FROM batches
         WHERE run = ?1 AND first_position BETWEEN ?2 AND ?3",
    )?;
    let mut rows = statement.query(params![run, earliest as i64, last.position as i64])?;
    let mut known = HashMap::new();
    while let Some(row) = rows.next()? {
        let (list, first_slot, millis): (i64, u32, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let records = row.get_ref(3)?.as_blob()?;
        for (slot, record) in (first_slot..).zip(record::unpack(records)) {
            let record = record.ok_or_else(corrupt)?;
            let id = record.id(millis as u64);
            known.insert(record.position, Known { id, list, slot, record });
        }
    }
    known.retain(|position, _| (first.position..=last.position).contains(position));
    Ok(known)
}

/// What SQLite says of a file whose content cannot be.
fn corrupt() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), None)
}

/// Takes slots from the issuer's current list, or from a new one once three quarters of that are
/// taken. A whole batch goes into one list: the last one may pass the mark, by less than the
/// quarter that is left.
fn take_slots(transaction: &Transaction<'_>, run: &RunDescription, count: u32) -> rusqlite::Result<Slots> {
    let base = run.status_base.as_deref().unwrap_or_default();
    let current = transaction
        .prepare_cached(
            "SELECT list, taken FROM lists
             WHERE issuer = ?1 AND base = ?2 AND NOT closed AND taken < ?3 ORDER BY list DESC LIMIT 1",
        )?
        .query_row(params![run.terms.issuer, base, allocation::ROLL_AT], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (list, first) = match current {
        Some(current) => current,
        None => (add_list(transaction, &run.terms.issuer, base)?, 0),
    };
    transaction
        .prepare_cached("UPDATE lists SET taken = taken + ?2 WHERE list = ?1")?
        .execute(params![list, count])?;
    Ok(Slots { list, first })
}

fn add_list(transaction: &Transaction<'_>, issuer: &str, base: &str) -> rusqlite::Result<i64> {
    let uri = || -> rusqlite::Result<String> {
        let id = uuid::Builder::from_random_bytes(random()?).into_uuid();
        Ok(match base {
            "" => format!("urn:uuid:{id}"),
            base => format!("{}/status/{id}.jwt", base.trim_end_matches('/')),
        })
    };
    transaction.execute(
        "INSERT INTO lists (issuer, base, token_uri, bitstring_uri, secret, taken, closed, opened_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?6)",
        params![issuer, base, uri()?, uri()?, random::<32>()?, system_now().seconds()],
    )?;
    Ok(transaction.last_insert_rowid())
}

/// Works the orders of these lists out, unless that was done before.
fn keep_lists(
    lists: &mut Vec<OpenList>,
    transaction: &Transaction<'_>,
    needed: HashSet<i64>,
) -> rusqlite::Result<()> {
    if lists.len() + needed.len() > LISTS_KEPT {
        lists.retain(|list| needed.contains(&list.number));
    }
    for number in needed {
        if !lists.iter().any(|list| list.number == number) {
            lists.push(open_list(transaction, number)?);
        }
    }
    Ok(())
}

fn open_list(transaction: &Transaction<'_>, number: i64) -> rusqlite::Result<OpenList> {
    transaction.query_row(
        "SELECT token_uri, bitstring_uri, secret FROM lists WHERE list = ?1",
        [number],
        |row| {
            let uris = ListUris { token: row.get(0)?, bitstring: row.get(1)? };
            let secret: [u8; 32] = row.get(2)?;
            Ok(OpenList { number, uris: Arc::new(uris), order: IndexOrder::new(&secret) })
        },
    )
}

/// The random parts of version 7 ids, drawn at once: one by one they would cost a hundred times
/// as much.
fn random_tails(count: usize) -> rusqlite::Result<Vec<[u8; 10]>> {
    let mut bytes = vec![0; count * 10];
    fill(&mut bytes)?;
    let (tails, _) = bytes.as_chunks::<10>();
    Ok(tails.to_vec())
}

fn random<const N: usize>() -> rusqlite::Result<[u8; N]> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

fn fill(bytes: &mut [u8]) -> rusqlite::Result<()> {
    getrandom::fill(bytes).map_err(|source| rusqlite::Error::ToSqlConversionFailure(Box::new(source)))
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
            })
        })
        .collect()
}
