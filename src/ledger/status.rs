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
//! Revocation is final (contract section 6). The table `statuses` has a row for each credential
//! that is not active; a change of it and the event that tells of it are one transaction.

use std::collections::HashMap;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use uuid::Uuid;

use super::{Ledger, LedgerError, events, lists, record};
use crate::clock::UnixTime;

/// Whether a credential can be relied on, apart from its dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Status {
    /// It can.
    #[default]
    Active,
    /// Not now.
    Suspended,
    /// Never again.
    Revoked,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 3] = [Status::Active, Status::Suspended, Status::Revoked];

    /// The word in the ledger, in resources and in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Suspended => "suspended",
            Status::Revoked => "revoked",
        }
    }
}

impl FromSql for Status {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Status> {
        let word = value.as_str()?;
        Status::ALL.into_iter().find(|status| status.as_str() == word).ok_or(FromSqlError::InvalidType)
    }
}

/// A credential's status, since when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// The status.
    pub status: Status,
    /// Since when; none for one that is active.
    pub since: Option<UnixTime>,
    /// The reason that was given.
    pub reason: Option<String>,
}

/// A change of status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// For ever.
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

/// Why a credential's status stays what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The ledger knows no such credential.
    #[error("the ledger knows no credential of this id")]
    Unknown,
    /// Revocation is final.
    #[error("revoked already, which is final")]
    Revoked,
    /// It is suspended already.
    #[error("suspended already")]
    Suspended,
    /// There is no suspension to end.
    #[error("not suspended")]
    NotSuspended,
}

/// Where a credential's record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub(super) batch: i64,
    pub(super) place: u32,
}

/// A credential whose status was changed, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The credential.
    pub id: Uuid,
    /// What it is now.
    pub standing: Standing,
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
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
            .map_err(|source| self.cannot("write", source))?;
        let outcome = (|| {
            let mut recent = Recent::default();
            let mut answers = Vec::with_capacity(ids.len());
            for id in ids {
                answers.push(change_one(&transaction, order, *id, &mut recent)?);
            }
            let last_event = last_event(&transaction)?;
            transaction.commit()?;
            Ok((answers, last_event))
        })();
        let (answers, last_event) = outcome.map_err(|source| self.cannot("write", source))?;
        self.came_to(last_event);
        Ok(answers)
    }

    /// What [`Ledger::change`] would say. Writes nothing; what was foreseen before counts.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn foresee_change(
        &mut self,
        order: Order<'_>,
        ids: &[Uuid],
    ) -> Result<Vec<Result<Changed, Refusal>>, LedgerError> {
        let mut recent = Recent::default();
        let mut foreseen = std::mem::take(&mut self.foreseen);
        let answers = ids
            .iter()
            .map(|id| foresee_one(&self.connection, order, *id, &mut recent, &mut foreseen))
            .collect::<rusqlite::Result<_>>();
        self.foreseen = foreseen;
        answers.map_err(|source| self.cannot("read", source))
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
    let standing = match decide(order, standing(transaction, place)?.status) {
        Ok(standing) => standing,
        Err(refusal) => return Ok(Err(refusal)),
    };
    match order.change {
        Change::Reinstate => transaction
            .prepare_cached("DELETE FROM statuses WHERE batch = ?1 AND place = ?2")?
            .execute(params![place.batch, place.place])?,
        Change::Revoke | Change::Suspend => transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO statuses (batch, place, status, since, reason)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                place.batch,
                place.place,
                standing.status.as_str(),
                order.at.seconds(),
                order.reason
            ])?,
    };
    if order.change == Change::Suspend {
        let list = "SELECT list FROM batches WHERE batch = ?1";
        let list = transaction.prepare_cached(list)?.query_row([place.batch], |row| row.get(0))?;
        lists::begin_suspension(transaction, list)?;
    }
    events::append_change(transaction, order.change, place, order.at, order.reason)?;
    Ok(Ok(Changed { id, standing }))
}

fn foresee_one(
    connection: &Connection,
    order: Order<'_>,
    id: Uuid,
    recent: &mut Recent,
    foreseen: &mut HashMap<Place, Status>,
) -> rusqlite::Result<Result<Changed, Refusal>> {
    let Some(place) = locate(connection, id, recent)? else { return Ok(Err(Refusal::Unknown)) };
    let status = match foreseen.get(&place) {
        Some(status) => *status,
        None => standing(connection, place)?.status,
    };
    Ok(decide(order, status).map(|standing| {
        foreseen.insert(place, standing.status);
        Changed { id, standing }
    }))
}

/// The rule of the module's page.
fn decide(order: Order<'_>, now: Status) -> Result<Standing, Refusal> {
    match (order.change, now) {
        (_, Status::Revoked) => return Err(Refusal::Revoked),
        (Change::Suspend, Status::Suspended) => return Err(Refusal::Suspended),
        (Change::Reinstate, Status::Active) => return Err(Refusal::NotSuspended),
        _ => {}
    }
    Ok(match order.change.leads_to() {
        Status::Active => Standing::default(),
        status => Standing { status, since: Some(order.at), reason: order.reason.map(str::to_owned) },
    })
}

/// Where a credential's record stands. All ids of a batch hold its millisecond.
fn locate(connection: &Connection, id: Uuid, recent: &mut Recent) -> rusqlite::Result<Option<Place>> {
    let Some(millis) = record::millis_of(id) else { return Ok(None) };
    if recent.millis != Some(millis) {
        let mut statement =
            connection.prepare_cached("SELECT batch, records FROM batches WHERE id_millis = ?1")?;
        recent.batches = statement
            .query_map([millis as i64], |row| Ok((row.get(0)?, row.get(1)?)))?
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

fn standing(connection: &Connection, place: Place) -> rusqlite::Result<Standing> {
    let sql = "SELECT status, since, reason FROM statuses WHERE batch = ?1 AND place = ?2";
    let found = connection
        .prepare_cached(sql)?
        .query_row(params![place.batch, place.place], |row| read_standing(row, 0))
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// The standings of a batch's credentials that are not active, by their places.
pub(super) fn standings(connection: &Connection, batch: i64) -> rusqlite::Result<HashMap<u32, Standing>> {
    let sql = "SELECT place, status, since, reason FROM statuses WHERE batch = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map([batch], |row| Ok((row.get(0)?, read_standing(row, 1)?)))?.collect()
}

fn read_standing(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Standing> {
    Ok(Standing {
        status: row.get(first)?,
        since: Some(UnixTime::from_seconds(row.get(first + 1)?).ok_or_else(super::corrupt)?),
        reason: row.get(first + 2)?,
    })
}

/// The number of the last event; 0 where there is none.
pub(super) fn last_event(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT coalesce(max(event), 0) FROM events")?.query_row([], |row| row.get(0))
}
