//! What was issued before for the items of a batch.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::batches::{Slots, StoredBatch};
use super::issue::{Conflict, Entry};
use super::items::ItemIndex;
use super::record::{self, Record, RecordPlace};
use super::store::{Store, Stored};
use super::{corrupt, statuses};
use crate::credential::CredentialStatus;
use crate::request::{BATCH_ITEMS, ContentHash, ItemId, ItemKey};

/// A credential that was issued, now or before.
pub(super) struct Known {
    pub(super) id: Uuid,
    pub(super) place: RecordPlace,
    pub(super) slots: Slots,
    pub(super) record: Record,
    pub(super) current: CredentialStatus,
}

impl Known {
    pub(super) fn must_be(&self, content_hash: ContentHash) -> Result<(), Conflict> {
        match self.record.content_hash.is_same_as(&content_hash) {
            true => Ok(()),
            false => Err(Conflict::Changed { id: self.id, item: self.record.position }),
        }
    }
}

/// The credentials that were issued before for these entries, by the entries' positions.
pub(super) type KnownByPosition = HashMap<u64, Known>;

/// The credentials that were issued at the entries' positions in the run of this name, for items without an id.
pub(super) fn by_position(store: &dyn Store, run: &str, entries: &[Entry<'_>]) -> Stored<KnownByPosition> {
    let mut known = HashMap::new();
    let wanted: Vec<u64> = (entries.iter().filter(|entry| entry.draft.id == ItemId::Position))
        .map(|entry| entry.position)
        .collect();
    let (Some(first), Some(last)) = (wanted.first().copied(), wanted.last().copied()) else {
        return Ok(known);
    };
    // A batch's positions lie within BATCH_ITEMS of its first one.
    let earliest = first.saturating_sub(BATCH_ITEMS - 1);
    store.batches_at(run, earliest as i64..=last as i64, &mut |row| {
        let batch = StoredBatch::read(row)?;
        let mut statuses_of_batch = statuses::of_batch(store, batch.number)?;
        for (place, record) in (0..).zip(record::unpack(&batch.records)) {
            let record = record.ok_or_else(corrupt)?;
            if wanted.binary_search(&record.position).is_ok() {
                let current = statuses_of_batch.remove(&place).unwrap_or_default();
                known.insert(record.position, batch.credential(place, record, current));
            }
        }
        Ok(())
    })?;
    Ok(known)
}

/// As [`by_position`], where some items of the run have ids: those were issued at positions, too, and say nothing about
/// an item that has none.
pub(super) fn by_position_without_id(
    store: &dyn Store,
    run: &str,
    entries: &[Entry<'_>],
) -> Stored<KnownByPosition> {
    let mut known = by_position(store, run, entries)?;
    known.retain(|_, known| !known.record.has_correlation_id());
    Ok(known)
}

/// The newest credentials of the entries' ids.
pub(super) fn by_id(
    store: &dyn Store,
    index: &mut ItemIndex,
    entries: &[Entry<'_>],
) -> Stored<KnownByPosition> {
    let ids = entries.iter().filter_map(|entry| match entry.draft.id {
        ItemId::Key(key) => Some((entry.position, key)),
        _ => None,
    });
    let (positions, keys): (Vec<u64>, Vec<ItemKey>) = ids.unzip();
    let found = index.find(store, &keys)?;
    let newest = (positions.iter().zip(&found)).filter_map(|(at, places)| Some((*at, *places.last()?)));
    let mut of_batches: BTreeMap<i64, Vec<(u64, u32)>> = BTreeMap::new();
    for (position, place) in newest {
        of_batches.entry(place.batch).or_default().push((position, place.place));
    }
    let mut known = HashMap::new();
    for (number, wanted) in of_batches {
        let batch = StoredBatch::of(store, number)?;
        let statuses_of_batch = statuses::of_batch(store, number)?;
        for (position, place) in wanted {
            let record = batch.record(place)?;
            let current = statuses_of_batch.get(&place).cloned().unwrap_or_default();
            known.insert(position, batch.credential(place, record, current));
        }
    }
    Ok(known)
}

impl StoredBatch {
    /// The credential at a place, of which this is the record.
    pub(super) fn credential(&self, place: u32, record: Record, current: CredentialStatus) -> Known {
        let id = record.id(self.millis);
        let place = RecordPlace { batch: self.number, place };
        Known { id, place, slots: self.slots, record, current }
    }
}
