//! The row of a batch, as it was written.

use rusqlite::{Connection, Row, Transaction, params};

use super::checksum::{Checksum, contradiction};
use super::lists::Slots;
use super::record::{self, Record};
use crate::clock::UnixTime;

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
    dates: [i64; 4],
}

impl StoredBatch {
    /// What [`StoredBatch::read`] takes, in this order.
    pub(super) const COLUMNS: &'static str = "batch, run, first_position, list, first_slot, id_millis, count, records, \
         issued_first, issued_last, expires_first, expires_last, crc";

    /// A batch that is to be inserted.
    pub(super) fn new(run: i64, slots: Slots, millis: u64, records: &[Record]) -> StoredBatch {
        let first = |time: fn(&Record) -> UnixTime| records.iter().map(|record| time(record).seconds()).min();
        let last = |time: fn(&Record) -> UnixTime| records.iter().map(|record| time(record).seconds()).max();
        let dates = [
            first(|record| record.issued_at),
            last(|record| record.issued_at),
            first(|record| record.expires_at),
            last(|record| record.expires_at),
        ];
        StoredBatch {
            number: 0,
            run,
            first_position: records.first().map_or(0, |record| record.position as i64),
            slots,
            millis,
            records: record::pack(records),
            dates: dates.map(Option::unwrap_or_default),
        }
    }

    /// Reads a row, and refuses one that is not what was written.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<StoredBatch> {
        let batch = StoredBatch {
            number: row.get(0)?,
            run: row.get(1)?,
            first_position: row.get(2)?,
            slots: Slots { list: row.get(3)?, first: row.get(4)? },
            millis: row.get::<_, i64>(5)? as u64,
            records: row.get(7)?,
            dates: [row.get(8)?, row.get(9)?, row.get(10)?, row.get(11)?],
        };
        let named = || format!("table `batches`, batch {}", batch.number);
        batch.checksum().must_be(row.get(12)?, named)?;
        match row.get::<_, u32>(6)? == batch.count()
            && batch.records.len().is_multiple_of(record::RECORD_BYTES)
        {
            true => Ok(batch),
            false => {
                Err(contradiction(format!("{}: it has another number of records than it says", named())))
            }
        }
    }

    /// The batch of this number.
    pub(super) fn of(connection: &Connection, number: i64) -> rusqlite::Result<StoredBatch> {
        let sql = format!("SELECT {} FROM batches WHERE batch = ?1", StoredBatch::COLUMNS);
        connection.prepare_cached(&sql)?.query_row([number], StoredBatch::read)
    }

    pub(super) fn count(&self) -> u32 {
        record::count(&self.records)
    }

    fn checksum(&self) -> Checksum {
        let sums = Checksum::of("batches").number(self.number).number(self.run).number(self.first_position);
        let sums = sums.number(self.slots.list).number(self.slots.first.into()).number(self.millis as i64);
        let sums = self.dates.iter().fold(sums, |sums, date| sums.number(*date));
        sums.number(self.count().into()).bytes(&self.records)
    }

    /// Inserts the batch under the next number, and adds it to what its run's index must show.
    pub(super) fn insert(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let last = "SELECT coalesce(max(batch), 0) FROM batches";
        let last: i64 = transaction.prepare_cached(last)?.query_row([], |row| row.get(0))?;
        self.number = super::next(last)?;
        let [issued_first, issued_last, expires_first, expires_last] = self.dates;
        transaction
            .prepare_cached(
                "INSERT INTO batches (batch, run, first_position, list, first_slot, id_millis, count, crc, records,
                                      issued_first, issued_last, expires_first, expires_last)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                self.number,
                self.run,
                self.first_position,
                self.slots.list,
                self.slots.first,
                self.millis as i64,
                self.count(),
                self.checksum().sum(),
                self.records,
                issued_first,
                issued_last,
                expires_first,
                expires_last
            ])?;
        transaction
            .prepare_cached("UPDATE runs SET batches = batches + ?2 WHERE run = ?1")?
            .execute(params![self.run, in_index(self.run, self.first_position, self.number)])
            .map(drop)
    }
}

/// What a batch adds to the sum of its run: a number for its entry in the index by position, of 32
/// bits, so that sums of them never overflow.
fn in_index(run: i64, first_position: i64, batch: i64) -> i64 {
    Checksum::of("batches_by_position").number(run).number(first_position).number(batch).sum()
}

/// Refuses a run whose index does not show all of its batches: a replay would issue what it does not find.
pub(super) fn must_be_found(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    let sum: i64 = connection
        .prepare_cached("SELECT batches FROM runs WHERE run = ?1")?
        .query_row([run], |row| row.get(0))?;
    let mut statement = connection.prepare_cached(
        "SELECT run, first_position, batch FROM batches INDEXED BY batches_by_position WHERE run = ?1
         ORDER BY first_position",
    )?;
    let mut rows = statement.query([run])?;
    let mut found = 0i64;
    while let Some(row) = rows.next()? {
        found = found.wrapping_add(in_index(row.get(0)?, row.get(1)?, row.get(2)?));
    }
    match found == sum {
        true => Ok(()),
        false => Err(contradiction(format!(
            "table `batches`: the index shows other batches of run {run} than it has"
        ))),
    }
}
