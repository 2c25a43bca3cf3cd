//! The rows of credentials that are not active.

use std::collections::HashMap;

use super::checksum::{Checksum, contradiction};
use super::corrupt;
use super::record::RecordPlace;
use super::rows::StatusRow;
use super::seal::{Seal, must_count};
use super::store::{Store, Stored, in_one_snapshot};
use crate::clock::UnixTime;
use crate::credential::{CredentialStatus, Status};

/// The status of a credential.
pub(super) fn of(store: &dyn Store, place: RecordPlace) -> Stored<CredentialStatus> {
    store.status(place.batch, place.place)?.map_or(Ok(CredentialStatus::default()), read)
}

/// The statuses of a batch's credentials that are not active, by their places.
pub(super) fn of_batch(store: &dyn Store, batch: i64) -> Stored<HashMap<u32, CredentialStatus>> {
    store.statuses_of(batch)?.into_iter().map(|row| Ok((row.place, read(row)?))).collect()
}

/// Writes what a credential's status is now.
pub(super) fn write(store: &dyn Store, place: RecordPlace, current: &CredentialStatus) -> Stored<()> {
    if current.status == Status::Active {
        return store.delete_status(place.batch, place.place);
    }
    store.set_status(&StatusRow {
        batch: place.batch,
        place: place.place,
        status: current.status.as_str().to_owned(),
        since: current.since.map_or(0, UnixTime::seconds),
        reason: current.reason.clone(),
        cause: current.cause.clone(),
        crc: checksum(place, current).sum(),
    })
}

/// Reads a row, and refuses one that is not what was written.
fn read(row: StatusRow) -> Stored<CredentialStatus> {
    let place = RecordPlace { batch: row.batch, place: row.place };
    let current = CredentialStatus {
        status: status_of(&row.status)?,
        since: Some(UnixTime::from_seconds(row.since).ok_or_else(corrupt)?),
        reason: row.reason,
        cause: row.cause,
    };
    let named = || format!("table `statuses`, place {} of batch {}", place.place, place.batch);
    checksum(place, &current).must_be(row.crc, named)?;
    Ok(current)
}

/// The status of this name.
pub(super) fn status_of(word: &str) -> Stored<Status> {
    Status::ALL.into_iter().find(|status| status.as_str() == word).ok_or_else(corrupt)
}

fn checksum(place: RecordPlace, current: &CredentialStatus) -> Checksum {
    let sums = Checksum::of("statuses").number(place.batch).number(place.place.into());
    let sums = sums.text(current.status.as_str()).number(current.since.map_or(0, UnixTime::seconds));
    sums.optional(current.reason.as_deref()).optional(current.cause.as_deref())
}

/// Refuses a table of statuses in which one is changed, missing, or out of its order, where it would not be
/// found: a revoked credential would count as active.
pub(super) fn must_be_whole(store: &dyn Store) -> Stored<()> {
    in_one_snapshot(store, || {
        let (mut seen, mut last) = (0, None);
        store.scan_statuses(&mut |row| {
            let place = RecordPlace { batch: row.batch, place: row.place };
            read(row)?;
            if last >= Some(place) {
                return Err(contradiction("table `statuses` is out of order"));
            }
            last = Some(place);
            seen += 1;
            Ok(())
        })?;
        must_count("statuses", seen, Seal::read(store)?.counts.statuses)
    })
}
