//! Entering what was granted, under the ledger's lock.
//!
//! As much as a transaction takes is entered in one. Its entries go into an index together, which writes each of them to
//! fewer nodes than batch by batch.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{Lanes, PendingRow, body, seal_after};
use crate::clock::UnixTime;
use crate::ledger::batches::{Slots, StoredBatch};
use crate::ledger::checksum::contradiction;
use crate::ledger::closings::{self, ClosingReason, Restoration};
use crate::ledger::identity::Identity;
use crate::ledger::issue::Indexed;
use crate::ledger::items::{self, IndexEntry};
use crate::ledger::record::{self, RecordPlace};
use crate::ledger::scopes::Scope;
use crate::ledger::seal::{self, Counts, Done};
use crate::ledger::store::{Access, Store, StoreError, Stored, Transaction};
use crate::ledger::{LedgerError, corrupt, events, lists};

/// So many bytes of grants are entered in one transaction, which bounds what it takes.
const ENTERED_AT_ONCE: u64 = 8 << 20;

/// What whoever writes does before with what was granted and not entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) enum Grants {
    /// What is written depends on what was issued.
    Enter,
    /// It does not.
    Leave,
}

/// Begins a transaction that writes, in a ledger that was looked after: what was granted is entered where that is asked
/// for, each part of it in a transaction of its own. Where the ledger is on another server than it was, its open lists
/// are closed in the first of them: another server may not know all that was given from them.
///
/// # Errors
/// Those of the store.
pub(in crate::ledger) fn begin_to_write<'s>(
    store: &'s dyn Store,
    grants: Grants,
    fail: impl Fn(StoreError) -> LedgerError,
) -> Result<(Transaction<'s>, Option<Restoration>), LedgerError> {
    let (mut restored, mut is_enough) = (None, grants == Grants::Leave);
    loop {
        let transaction = Transaction::begin(store, Access::Write).map_err(&fail)?;
        let Some(lanes) = store.lanes() else { return Ok((transaction, None)) };
        let reached = seal::state(store).map_err(&fail)?;
        let closed = settle(store, lanes).map_err(&fail)?;
        // What was granted since all was entered is for whoever comes next: others go on granting.
        if closed.is_none() && is_enough {
            return Ok((transaction, restored));
        }
        let Entered { grants: entered, bytes, is_all } = enter(store).map_err(&fail)?;
        if closed.is_none() && entered == 0 {
            return Ok((transaction, restored));
        }
        let done = match closed {
            None => Done::adding(reached, Counts::default()),
            Some(_) => Done::closing(reached),
        };
        seal::commit(store, transaction, Done { bytes, ..done }, &fail)?;
        (restored, is_enough) = (closed.or(restored), is_all || grants == Grants::Leave);
    }
}

/// Looks after a ledger that nothing is written to now.
///
/// # Errors
/// Those of the store.
pub(in crate::ledger) fn look_after(
    store: &dyn Store,
    grants: Grants,
    fail: impl Fn(StoreError) -> LedgerError,
) -> Result<Option<Restoration>, LedgerError> {
    begin_to_write(store, grants, fail).map(|(_, restored)| restored)
}

/// Enters all that was granted before the lanes were closed, within the transaction that has closed them: nothing more
/// is granted then. How many bytes of records there were.
pub(in crate::ledger) fn enter_the_rest(store: &dyn Store) -> Stored<u64> {
    let mut bytes = 0;
    loop {
        let entered = enter(store)?;
        bytes += entered.bytes;
        if entered.is_all {
            return Ok(bytes);
        }
    }
}

/// Closes the open lists of a ledger that is on another server than it was, and notes where it is.
fn settle(store: &dyn Store, lanes: &dyn Lanes) -> Stored<Option<Restoration>> {
    let home = lanes.home()?;
    let mut identity = Identity::read(store)?;
    if identity.home == home {
        return Ok(None);
    }
    let restoration = closings::close_lists(store, vec![ClosingReason::FailedOver])?;
    identity.move_to(store, Some(home))?;
    Ok(Some(restoration))
}

/// What was entered in one go.
struct Entered {
    grants: u64,
    /// How many bytes of records.
    bytes: u64,
    /// Whether there was nothing more.
    is_all: bool,
}

/// Enters grants, within a transaction that writes: as much as one transaction takes.
fn enter(store: &dyn Store) -> Stored<Entered> {
    let Some(lanes) = store.lanes() else { return Ok(Entered { grants: 0, bytes: 0, is_all: true }) };
    let pending = lanes.pending(ENTERED_AT_ONCE)?;
    let grants = pending.len() as u64;
    let is_all = pending.first().is_none_or(|first| first.of == grants);
    let mut to_index = BTreeMap::new();
    let mut bytes = 0;
    for of_lane in pending.chunk_by(|one, other| one.list == other.list) {
        let last = &of_lane[of_lane.len() - 1];
        let mut list = lists::of(store, last.list)?;
        let mut seal = of_lane[0].entered;
        for grant in of_lane {
            if grant.first != list.taken || grant.end <= grant.first {
                return Err(missing(grant.list, list.taken));
            }
            seal =
                seal_after(&seal, grant.first, grant.end - grant.first, &Sha256::digest(&grant.body).into());
            enter_one(store, grant, &mut to_index)?;
            list.taken = grant.end;
            bytes += grant.body.len() as u64;
        }
        let is_whole = (last.given, last.seal) == (list.taken, seal);
        if !is_whole && is_all {
            return Err(missing(list.list, list.taken));
        }
        let (number, end) = (list.list, list.taken);
        store.update_list(&list.sealed())?;
        lanes.note_entered(number, seal, end)?;
    }
    for (scope, entries) in to_index {
        let Indexed { mut scope, mut index } = Indexed::reopen(store, Scope::of_number(store, scope)?, None)?;
        index.insert(store, &mut scope, entries)?;
    }
    Ok(Entered { grants, bytes, is_all })
}

fn missing(list: i64, slot: u32) -> StoreError {
    contradiction(format!(
        "table `pending`: a grant of list {list} is missing or changed, from slot {slot} on"
    ))
}

/// Enters the batches of a grant, but for what their scopes' indices have to have of them.
fn enter_one(
    store: &dyn Store,
    grant: &PendingRow,
    to_index: &mut BTreeMap<i64, Vec<IndexEntry>>,
) -> Stored<()> {
    let mut first = grant.first;
    for batch in body::read(&grant.body)? {
        let count = record::count(&batch.records);
        let slots = Slots { list: grant.list, first };
        first += count;
        let records: Option<Vec<_>> = record::unpack(&batch.records).collect();
        let attestation = batch.attestation_type.as_deref();
        let stored =
            StoredBatch::new(batch.run, slots, batch.millis, &records.ok_or_else(corrupt)?, attestation);
        let number = stored.insert(store)?;
        let entries = batch
            .keys
            .iter()
            .map(|&(place, key)| IndexEntry::new(&key, RecordPlace { batch: number, place }));
        let entries: Vec<IndexEntry> = entries.collect();
        let scope = batch.scope.filter(|_| !entries.is_empty());
        let sum = scope.map(|scope| items::sum_of(scope, &entries));
        let at = UnixTime::from_seconds(batch.at).ok_or_else(corrupt)?;
        events::append_issued(store, number, at, sum)?;
        if let Some(scope) = scope {
            to_index.entry(scope).or_default().extend(entries);
        }
    }
    match first == grant.end {
        true => Ok(()),
        false => Err(missing(grant.list, first)),
    }
}
