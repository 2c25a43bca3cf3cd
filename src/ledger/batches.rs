//! The row of a batch, as it was written.

use std::ops::Range;

use super::checksum::{Checksum, contradiction};
use super::record::{self, Record};
use super::rows::BatchRow;
use super::store::{Store, Stored};
use super::{corrupt, next};
use crate::clock::UnixTime;

/// Slots of one list, from `first` on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slots {
    pub(super) list: i64,
    pub(super) first: u32,
}

impl Slots {
    /// So many of the slots from this place on, with their list.
    pub(super) fn from(self, place: u32, count: u32) -> (i64, Range<u32>) {
        let first = self.first + place;
        (self.list, first..first + count)
    }
}

/// A batch's row.
#[derive(Debug)]
pub(super) struct StoredBatch {
    pub(super) number: i64,
    pub(super) run: i64,
    pub(super) first_position: i64,
    pub(super) slots: Slots,
    pub(super) millis: u64,
    pub(super) records: Vec<u8>,
    /// When its first and last credentials were issued, and expire.
    pub(super) dates: [i64; 4],
    /// What all of its credentials attest, where their type says so.
    pub(super) attestation_type: Option<String>,
    /// What the first items of its run say, where nothing else tells the run from another.
    pub(super) opening: Option<i64>,
}

impl StoredBatch {
    /// A batch that is to be inserted.
    pub(super) fn new(
        run: i64,
        slots: Slots,
        millis: u64,
        records: &[Record],
        attestation_type: Option<&str>,
    ) -> StoredBatch {
        StoredBatch {
            number: 0,
            run,
            first_position: records.first().map_or(0, |record| record.position as i64),
            slots,
            millis,
            records: record::pack(records),
            dates: dates_of(records),
            attestation_type: attestation_type.map(str::to_owned),
            opening: None,
        }
    }

    /// Reads a row, and refuses one that is not what was written.
    pub(super) fn read(row: BatchRow) -> Stored<StoredBatch> {
        let batch = StoredBatch {
            number: row.batch,
            run: row.run,
            first_position: row.first_position,
            slots: Slots { list: row.list, first: row.first_slot },
            millis: row.id_millis as u64,
            records: row.records,
            dates: row.dates,
            attestation_type: row.attestation_type,
            opening: row.opening,
        };
        let named = || format!("table `batches`, batch {}", batch.number);
        batch.checksum().must_be(row.crc, named)?;
        match row.count == batch.count() && batch.records.len().is_multiple_of(record::RECORD_BYTES) {
            true => Ok(batch),
            false => {
                Err(contradiction(format!("{}: it has another number of records than it says", named())))
            }
        }
    }

    /// The batch of this number.
    pub(super) fn of(store: &dyn Store, number: i64) -> Stored<StoredBatch> {
        let missing = || contradiction(format!("table `batches`, batch {number} is missing"));
        StoredBatch::read(store.batch(number)?.ok_or_else(missing)?)
    }

    /// The record at this place.
    pub(super) fn record(&self, place: u32) -> Stored<Record> {
        record::at(&self.records, place).ok_or_else(corrupt)
    }

    pub(super) fn count(&self) -> u32 {
        record::count(&self.records)
    }

    fn checksum(&self) -> Checksum {
        let sums = Checksum::of("batches").number(self.number).number(self.run).number(self.first_position);
        let sums = sums.number(self.slots.list).number(self.slots.first.into()).number(self.millis as i64);
        let sums = self.dates.iter().fold(sums, |sums, date| sums.number(*date));
        let sums = sums.text(self.attestation_type.as_deref().unwrap_or_default());
        let sums = sums.number(self.opening.is_some().into()).number(self.opening.unwrap_or_default());
        sums.number(self.count().into()).bytes(&self.records)
    }

    /// Inserts the batch under the next number, and adds it to what its run's index must show.
    pub(super) fn insert(mut self, store: &dyn Store) -> Stored<i64> {
        self.number = next(store.last_batch()?)?;
        let (number, run, first_position) = (self.number, self.run, self.first_position);
        store.insert_batch(&BatchRow {
            batch: number,
            run,
            first_position,
            list: self.slots.list,
            first_slot: self.slots.first,
            id_millis: self.millis as i64,
            count: self.count(),
            crc: self.checksum().sum(),
            dates: self.dates,
            attestation_type: self.attestation_type,
            opening: self.opening,
            records: self.records,
        })?;
        store.add_to_run(run, in_index(run, first_position, number))?;
        Ok(number)
    }
}

/// When the first and the last of these were issued, and expire: by these, searches leave batches out.
pub(super) fn dates_of(records: &[Record]) -> [i64; 4] {
    let first = |time: fn(&Record) -> UnixTime| records.iter().map(|record| time(record).seconds()).min();
    let last = |time: fn(&Record) -> UnixTime| records.iter().map(|record| time(record).seconds()).max();
    let dates = [
        first(|record| record.issued_at),
        last(|record| record.issued_at),
        first(|record| record.expires_at),
        last(|record| record.expires_at),
    ];
    dates.map(Option::unwrap_or_default)
}

/// What a batch adds to the sum of its run: a number for its entry in the index by position, of 32
/// bits, so that sums of them never overflow.
fn in_index(run: i64, first_position: i64, batch: i64) -> i64 {
    Checksum::of("batches_by_position").number(run).number(first_position).number(batch).sum()
}

/// Refuses a run whose index does not show all of its batches: a replay would issue what it does not find.
pub(super) fn must_be_found(store: &dyn Store, run: i64, sum: i64) -> Stored<()> {
    let mut found = 0i64;
    store.batch_index(run, &mut |entry| {
        found = found.wrapping_add(in_index(entry.run, entry.first_position, entry.batch));
        Ok(())
    })?;
    match found == sum {
        true => Ok(()),
        false => Err(contradiction(format!(
            "table `batches`: the index shows other batches of run {run} than it has"
        ))),
    }
}
