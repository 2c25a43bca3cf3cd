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
//! 3. No personal data: ids, indices, dates, status, and keyed hashes of requests.
//!
//! # Form
//!
//! One SQLite file in WAL mode with full sync: a transaction is on the disk when its commit
//! returns. A batch of up to 1,000 credentials is one transaction and one row; its records are
//! packed one after the other in that row ([`record`]). Row and index are a thousandth of what a
//! row for each credential would be, which is why the ledger neither slows the signers nor
//! slows down as it grows.
//!
//! | table | a row is | found by |
//! | --- | --- | --- |
//! | `ledger` | the ledger itself: its secret key for hashes | there is one |
//! | `runs` | a run, or all runs under one idempotency key | its name |
//! | `lists` | a status list: its URIs, its secret, how many slots are taken | issuer and base URL |
//! | `batches` | up to 1,000 credentials issued together | run; the millisecond in their ids |
//!
//! All ids of a batch hold the same millisecond (UUID version 7), so a credential is found by its
//! id through that: one index entry a batch.
//!
//! # Several processes
//!
//! Every write happens inside `BEGIN IMMEDIATE`, which one process holds at a time; the others
//! wait ([`WAIT`]). No decision is taken from something read outside the transaction that writes.

pub mod allocation;
mod error;
mod record;
mod schema;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use uuid::Uuid;

pub use error::LedgerError;
pub use record::Record;

use crate::clock::{UnixTime, system_now};
use crate::request::Draft;
use allocation::IndexOrder;

/// How long a process waits for others to finish their transactions, each of which takes
/// milliseconds. Whoever waits this long waits for a process that hangs.
pub const WAIT: Duration = Duration::from_secs(120);

/// What a run is, as far as its credentials depend on it.
#[derive(Debug, Clone)]
pub struct RunDescription {
    /// The run's name: a fresh UUID, or the idempotency key.
    pub name: String,
    /// Who issues.
    pub issuer: String,
    /// The key that signs.
    pub kid: String,
    /// `status.base_url`, where there is one.
    pub status_base: Option<String>,
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
}

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
    list: Option<OpenList>,
}

/// The list that the run last took slots from, with its order worked out.
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

impl Ledger {
    /// Opens the ledger, and creates it where there is no such file.
    ///
    /// # Errors
    /// Where the file cannot be opened or created, is no ledger, is damaged, or was written by a
    /// newer version. It is never replaced.
    pub fn open(path: &Path) -> Result<Ledger, LedgerError> {
        let fail = |source| LedgerError::sqlite("open", path, source);
        schema::create_file(path)?;
        let mut connection = Connection::open(path).map_err(fail)?;
        connection.busy_timeout(WAIT).map_err(fail)?;
        schema::prepare(&mut connection, path)?;
        let hash_key =
            connection.query_row("SELECT hash_key FROM ledger", [], |row| row.get(0)).map_err(fail)?;
        Ok(Ledger { path: path.to_owned(), connection, hash_key, run: None, list: None })
    }

    /// The key for content hashes.
    pub fn hash_key(&self) -> [u8; 32] {
        self.hash_key
    }

    /// The file that holds the ledger.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives each entry an id and an index, and records it; all or none.
    ///
    /// When this returns, the records are on the disk. `millis` is the time that goes into the
    /// ids, in milliseconds since the epoch.
    ///
    /// # Errors
    /// Where the disk is full, the file cannot be written, or another process has held the ledger
    /// for longer than [`WAIT`]. Then nothing is recorded and nothing is given out.
    pub fn record(
        &mut self,
        run: &RunDescription,
        entries: &[Entry<'_>],
        millis: u64,
    ) -> Result<Vec<Grant>, LedgerError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let path = self.path.clone();
        self.record_in_transaction(run, entries, millis)
            .map_err(|source| LedgerError::sqlite("write", &path, source))
    }

    fn record_in_transaction(
        &mut self,
        run: &RunDescription,
        entries: &[Entry<'_>],
        millis: u64,
    ) -> rusqlite::Result<Vec<Grant>> {
        let tails = random_tails(entries.len())?;
        let records: Vec<Record> = entries
            .iter()
            .zip(tails)
            .map(|(entry, id_tail)| Record {
                position: entry.position,
                id_tail,
                issued_at: entry.draft.issued_at,
                expires_at: entry.draft.expires_at,
                content_hash: entry.draft.content_hash,
            })
            .collect();

        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let run_number = match self.run {
            Some(number) => number,
            None => find_or_add_run(&transaction, run)?,
        };
        let slots = take_slots(&transaction, run, entries.len() as u32)?;
        transaction
            .prepare_cached(
                "INSERT INTO batches (run, list, first_slot, id_millis, count, records)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                run_number,
                slots.list,
                slots.first,
                millis as i64,
                entries.len() as i64,
                record::pack(&records)
            ])?;
        if self.list.as_ref().is_none_or(|list| list.number != slots.list) {
            self.list = Some(open_list(&transaction, slots.list)?);
        }
        transaction.commit()?;

        self.run = Some(run_number);
        Ok(self.grants(&records, &slots, millis))
    }

    fn grants(&self, records: &[Record], slots: &Slots, millis: u64) -> Vec<Grant> {
        let list = self.list.as_ref().filter(|list| list.number == slots.list);
        let grant = |(slot, record): (u32, &Record)| Grant {
            id: record.id(millis),
            status: list.map(|list| (Arc::clone(&list.uris), list.order.index(slot))),
            issued_at: record.issued_at,
            expires_at: record.expires_at,
        };
        (slots.first..).zip(records).map(grant).collect()
    }
}

/// Finds the run of this name, or adds it.
fn find_or_add_run(transaction: &Transaction<'_>, run: &RunDescription) -> rusqlite::Result<i64> {
    let known = transaction
        .query_row("SELECT run FROM runs WHERE name = ?1", [&run.name], |row| row.get(0))
        .optional()?;
    match known {
        Some(number) => Ok(number),
        None => {
            transaction.execute(
                "INSERT INTO runs (name, issuer, kid, started_at) VALUES (?1, ?2, ?3, ?4)",
                params![run.name, run.issuer, run.kid, system_now().seconds()],
            )?;
            Ok(transaction.last_insert_rowid())
        }
    }
}

/// Takes slots from the issuer's current list, or from a new one once three quarters of that are
/// taken. A whole batch goes into one list: the last one may pass the mark, by less than the
/// quarter that is left.
fn take_slots(transaction: &Transaction<'_>, run: &RunDescription, count: u32) -> rusqlite::Result<Slots> {
    let base = run.status_base.as_deref().unwrap_or_default();
    let current = transaction
        .prepare_cached(
            "SELECT list, taken FROM lists
             WHERE issuer = ?1 AND base = ?2 AND taken < ?3 ORDER BY list DESC LIMIT 1",
        )?
        .query_row(params![run.issuer, base, allocation::ROLL_AT], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (list, first) = match current {
        Some(current) => current,
        None => (add_list(transaction, &run.issuer, base)?, 0),
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
        "INSERT INTO lists (issuer, base, token_uri, bitstring_uri, secret, taken, opened_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)",
        params![issuer, base, uri()?, uri()?, random::<32>()?, system_now().seconds()],
    )?;
    Ok(transaction.last_insert_rowid())
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
    Ok(record::id_from_parts(crate::clock::system_millis(), &tail).to_string())
}

/// Gives ids without a ledger: no index, and nothing remembered.
///
/// # Errors
/// Where the operating system gives no random bytes.
pub fn grants_without_ledger(entries: &[Entry<'_>], millis: u64) -> Result<Vec<Grant>, getrandom::Error> {
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
            })
        })
        .collect()
}
