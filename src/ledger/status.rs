//! What becomes of credentials after they were issued: revocation, suspension, reinstatement.
//!
//! ```text
//!            suspend                revoke
//!   active ──────────▶ suspended ──────────▶ revoked
//!      ▲                   │                    ▲
//!      └─── reinstate ─────┘                    │
//!      └──────────────── revoke ────────────────┘
//! ```
//!
//! Revocation is permanent. A change to the status that a credential already has is no failure, so that
//! a script can be run again: nothing is written, no event is appended, and the credential keeps the
//! date and the reason that it had. A change that leads out of `revoked` is refused.
//!
//! | now | revoke | suspend | reinstate |
//! | --- | --- | --- | --- |
//! | active | changed | changed | unchanged |
//! | suspended | changed | unchanged | changed |
//! | revoked | unchanged | refused | refused |
//!
//! The table `statuses` has a row for each credential that is not active. A change of it and the event
//! that records it are one transaction; so are all changes that one call of [`Ledger::change`] makes.
//! What it returns is durable.

use std::collections::HashMap;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use uuid::Uuid;

use super::batches::StoredBatch;
use super::checksum::{Checksum, contradiction};
use super::seal::{self, Counts, Seal, in_one_snapshot, must_count};
use super::{Ledger, LedgerError, events, lists, record};
use crate::clock::UnixTime;
use crate::credential::{CredentialStatus, Status};

impl FromSql for Status {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Status> {
        let word = value.as_str()?;
        Status::ALL.into_iter().find(|status| status.as_str() == word).ok_or(FromSqlError::InvalidType)
    }
}

/// A change of status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Permanently.
    Revoke,
    /// Until it is reinstated.
    Suspend,
    /// Ends a suspension.
    Reinstate,
}

impl Change {
    /// The status that it leads to.
    pub fn leads_to(self) -> Status {
        match self {
            Change::Revoke => Status::Revoked,
            Change::Suspend => Status::Suspended,
            Change::Reinstate => Status::Active,
        }
    }
}

/// Why a credential's status cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The ledger has no such credential.
    #[error("the ledger has no credential with this id")]
    Unknown,
    /// Revocation is permanent.
    #[error("already revoked; revocation is permanent")]
    Revoked,
}

/// Where a credential's record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub(super) batch: i64,
    pub(super) place: u32,
}

/// A credential that has the wanted status now, or would have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The credential.
    pub id: Uuid,
    /// What it is now.
    pub current: CredentialStatus,
    /// Whether it had that status before, so that nothing was changed.
    pub unchanged: bool,
}

/// What is to be done to credentials.
#[derive(Debug, Clone, Copy)]
pub struct Order<'o> {
    /// The change.
    pub change: Change,
    /// Why.
    pub reason: Option<&'o str>,
    /// When.
    pub at: UnixTime,
}

impl Order<'_> {
    /// What it gives a credential whose status it changes.
    fn outcome(&self) -> CredentialStatus {
        match self.change.leads_to() {
            Status::Active => CredentialStatus::default(),
            status => {
                CredentialStatus { status, since: Some(self.at), reason: self.reason.map(str::to_owned) }
            }
        }
    }
}

/// The credentials that a dry run would have changed so far: a bit for each of a batch, so that a
/// million of them take 200 kB. A process serves one order, which gives them all the same status.
#[derive(Debug, Default)]
pub(super) struct Previewed(HashMap<i64, Vec<u64>>);

impl Previewed {
    fn add(&mut self, place: Place) {
        let (word, bit) = (place.place as usize / 64, place.place % 64);
        let words = self.0.entry(place.batch).or_default();
        if words.len() <= word {
            words.resize(word + 1, 0);
        }
        words[word] |= 1 << bit;
    }

    fn has(&self, place: Place) -> bool {
        let (word, bit) = (place.place as usize / 64, place.place % 64);
        self.0.get(&place.batch).and_then(|words| words.get(word)).is_some_and(|bits| bits >> bit & 1 == 1)
    }
}

/// Rows of a batch that were read before: credentials of one batch are mostly asked for together.
#[derive(Debug, Default)]
struct Recent {
    millis: Option<u64>,
    batches: Vec<(i64, Vec<u8>)>,
}

impl Ledger {
    /// Changes the status of these credentials, all in one transaction; those that cannot be
    /// changed stay as they are. When this returns, the changes are on the disk.
    ///
    /// # Errors
    /// Where the ledger cannot be written. Then nothing is changed.
    pub fn change(
        &mut self,
        order: Order<'_>,
        ids: &[Uuid],
    ) -> Result<Vec<Result<Changed, Refusal>>, LedgerError> {
        let path = self.path.clone();
        let fail = |source| LedgerError::sqlite("write", &path, source);
        let looked_at_only = self.looked_at_only();
        let keeper = self.keeper.as_mut().ok_or(looked_at_only)?;
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate).map_err(fail)?;
        let reached = seal::state(&transaction).map_err(fail)?;
        if !self.statuses_are_whole {
            must_be_whole(&transaction).map_err(fail)?;
            self.statuses_are_whole = true;
        }
        let before = count(&transaction).map_err(fail)?;
        let mut recent = Recent::default();
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            answers.push(change_one(&transaction, order, *id, &mut recent).map_err(fail)?);
        }
        if !answers.iter().any(|answer| answer.as_ref().is_ok_and(|changed| !changed.unchanged)) {
            return Ok(answers);
        }
        let statuses = count(&transaction).map_err(fail)? - before;
        let added = Counts { statuses, ..Counts::default() };
        keeper.commit(&self.connection, transaction, reached, added, 0)?;
        Ok(answers)
    }

    /// What [`Ledger::change`] would say. Writes nothing. Takes into account what it said before, until
    /// [`Ledger::forget_previews`].
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn preview_change(
        &mut self,
        order: Order<'_>,
        ids: &[Uuid],
    ) -> Result<Vec<Result<Changed, Refusal>>, LedgerError> {
        let mut recent = Recent::default();
        let mut previewed = std::mem::take(&mut self.previewed);
        let answers = ids
            .iter()
            .map(|id| preview_one(&self.connection, order, *id, &mut recent, &mut previewed))
            .collect::<rusqlite::Result<_>>();
        self.previewed = previewed;
        answers.map_err(|source| self.cannot("read", source))
    }

    /// Forgets what [`Ledger::preview_change`] said.
    pub fn forget_previews(&mut self) {
        self.previewed = Previewed::default();
    }
}

fn change_one(
    transaction: &Transaction<'_>,
    order: Order<'_>,
    id: Uuid,
    recent: &mut Recent,
) -> rusqlite::Result<Result<Changed, Refusal>> {
    let Some(place) = locate(transaction, id, recent)? else {
        return Ok(Err(Refusal::Unknown));
    };
    let current = match decide(order, read_status(transaction, place)?) {
        Ok((current, false)) => current,
        Ok((current, unchanged)) => return Ok(Ok(Changed { id, current, unchanged })),
        Err(refusal) => return Ok(Err(refusal)),
    };
    match order.change {
        Change::Reinstate => transaction
            .prepare_cached("DELETE FROM statuses WHERE batch = ?1 AND place = ?2")?
            .execute(params![place.batch, place.place])?,
        Change::Revoke | Change::Suspend => transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO statuses (batch, place, status, since, reason, crc)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                place.batch,
                place.place,
                current.status.as_str(),
                order.at.seconds(),
                order.reason,
                checksum(place, &current).sum()
            ])?,
    };
    if order.change == Change::Suspend {
        let list = "SELECT list FROM batches WHERE batch = ?1";
        let list = transaction.prepare_cached(list)?.query_row([place.batch], |row| row.get(0))?;
        lists::begin_suspension(transaction, list)?;
    }
    events::append_change(transaction, order.change, place, order.at, order.reason)?;
    Ok(Ok(Changed { id, current, unchanged: false }))
}

fn preview_one(
    connection: &Connection,
    order: Order<'_>,
    id: Uuid,
    recent: &mut Recent,
    previewed: &mut Previewed,
) -> rusqlite::Result<Result<Changed, Refusal>> {
    let Some(place) = locate(connection, id, recent)? else { return Ok(Err(Refusal::Unknown)) };
    let now = match previewed.has(place) {
        true => order.outcome(),
        false => read_status(connection, place)?,
    };
    Ok(decide(order, now).map(|(current, unchanged)| {
        if !unchanged {
            previewed.add(place);
        }
        Changed { id, current, unchanged }
    }))
}

/// The rule of the module's page: what the credential's status is afterwards, and whether it is what it was.
fn decide(order: Order<'_>, now: CredentialStatus) -> Result<(CredentialStatus, bool), Refusal> {
    match (order.change, now.status) {
        (change, status) if change.leads_to() == status => Ok((now, true)),
        (_, Status::Revoked) => Err(Refusal::Revoked),
        _ => Ok((order.outcome(), false)),
    }
}

/// Where a credential's record stands. All ids of a batch hold its millisecond.
fn locate(connection: &Connection, id: Uuid, recent: &mut Recent) -> rusqlite::Result<Option<Place>> {
    let Some(millis) = record::millis_of(id) else { return Ok(None) };
    if recent.millis != Some(millis) {
        let sql = format!("SELECT {} FROM batches WHERE id_millis = ?1", StoredBatch::COLUMNS);
        recent.batches = connection
            .prepare_cached(&sql)?
            .query_map([millis as i64], StoredBatch::read)?
            .map(|batch| batch.map(|batch| (batch.number, batch.records)))
            .collect::<rusqlite::Result<_>>()?;
        recent.millis = Some(millis);
    }
    for (batch, records) in &recent.batches {
        if let Some(place) = record::find(records, id, millis) {
            return Ok(Some(Place { batch: *batch, place }));
        }
    }
    Ok(None)
}

/// Where the credential of this id stands.
pub(super) fn place_of(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<Place>> {
    locate(connection, id, &mut Recent::default())
}

fn read_status(connection: &Connection, place: Place) -> rusqlite::Result<CredentialStatus> {
    let sql = "SELECT status, since, reason, crc FROM statuses WHERE batch = ?1 AND place = ?2";
    let found = connection
        .prepare_cached(sql)?
        .query_row(params![place.batch, place.place], |row| read_standing(row, 0, place))
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// The statuses of a batch's credentials that are not active, by their places.
pub(super) fn statuses_of_batch(
    connection: &Connection,
    batch: i64,
) -> rusqlite::Result<HashMap<u32, CredentialStatus>> {
    let sql = "SELECT place, status, since, reason, crc FROM statuses WHERE batch = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let current = |row: &rusqlite::Row<'_>| {
        let place = row.get(0)?;
        Ok((place, read_standing(row, 1, Place { batch, place })?))
    };
    statement.query_map([batch], current)?.collect()
}

/// Reads a row, and refuses one that is not what was written.
fn read_standing(row: &rusqlite::Row<'_>, first: usize, place: Place) -> rusqlite::Result<CredentialStatus> {
    let current = CredentialStatus {
        status: row.get(first)?,
        since: Some(UnixTime::from_seconds(row.get(first + 1)?).ok_or_else(super::corrupt)?),
        reason: row.get(first + 2)?,
    };
    let named = || format!("table `statuses`, place {} of batch {}", place.place, place.batch);
    checksum(place, &current).must_be(row.get(first + 3)?, named)?;
    Ok(current)
}

fn checksum(place: Place, current: &CredentialStatus) -> Checksum {
    let sums = Checksum::of("statuses").number(place.batch).number(place.place.into());
    let sums = sums.text(current.status.as_str()).number(current.since.map_or(0, UnixTime::seconds));
    sums.optional(current.reason.as_deref())
}

fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT count(*) FROM statuses")?.query_row([], |row| row.get(0))
}

/// Refuses a table of statuses in which one is changed, missing, or out of its order, where it would not be
/// found: a revoked credential would count as active.
pub(super) fn must_be_whole(connection: &Connection) -> rusqlite::Result<()> {
    in_one_snapshot(connection, || {
        let mut statement =
            connection.prepare_cached("SELECT batch, place, status, since, reason, crc FROM statuses")?;
        let mut rows = statement.query([])?;
        let (mut seen, mut last) = (0, None);
        while let Some(row) = rows.next()? {
            let place = Place { batch: row.get(0)?, place: row.get(1)? };
            read_standing(row, 2, place)?;
            if last >= Some(place) {
                return Err(contradiction("table `statuses` is out of order"));
            }
            last = Some(place);
            seen += 1;
        }
        must_count("statuses", seen, Seal::read(connection)?.counts.statuses)
    })
}

/// The time of the last event; none where there is none.
pub(super) fn last_event_time(connection: &Connection) -> rusqlite::Result<Option<UnixTime>> {
    // The latest of the last ones: an event that was recorded while the clock was wrong does not hide those before it.
    let sql = "SELECT max(at) FROM (SELECT at FROM events ORDER BY event DESC LIMIT 1000)";
    let at: Option<i64> = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(at.and_then(UnixTime::from_seconds))
}
