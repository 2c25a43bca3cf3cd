//! Status lists: which there are, and which slots they gave.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::allocation::{IndexOrder, ROLL_AT, index_in, is_whole, parts_of};
use super::batches::StoredBatch;
use super::checksum::{Checksum, contradiction};
use super::seal::{Counts, Seal, in_one_snapshot, must_count};
use super::{RunDescription, corrupt, next, random, status};
use crate::clock::system_now;
use crate::credential::{ListUris, Status};

/// How many lists are kept open; a replay goes through them one after the other.
const LISTS_KEPT: usize = 4;

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

/// A list with the parts of its order that were read.
#[derive(Debug)]
struct OpenList {
    number: i64,
    uris: Arc<ListUris>,
    parts: HashMap<u32, Vec<u8>>,
}

/// The lists that are open. Their orders never change; their URIs are read anew each time.
#[derive(Debug, Default)]
pub(super) struct OpenLists(Vec<OpenList>);

impl OpenLists {
    /// Has these slots of these lists at hand, and the lists as they are now.
    pub(super) fn keep(
        &mut self,
        connection: &Connection,
        needed: impl IntoIterator<Item = (i64, Range<u32>)>,
    ) -> rusqlite::Result<()> {
        if self.0.len() > LISTS_KEPT {
            self.0.clear();
        }
        let mut current = HashSet::new();
        for (number, slots) in needed {
            if current.insert(number) {
                self.open(number, read_uris(connection, number)?);
            }
            let list = self.0.iter_mut().find(|list| list.number == number).ok_or_else(corrupt)?;
            for part in parts_of(slots) {
                if let Entry::Vacant(entry) = list.parts.entry(part) {
                    entry.insert(read_part(connection, number, part)?);
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, number: i64, uris: ListUris) {
        match self.0.iter_mut().find(|list| list.number == number) {
            Some(known) if *known.uris == uris => {}
            Some(known) => known.uris = Arc::new(uris),
            None => self.0.push(OpenList { number, uris: Arc::new(uris), parts: HashMap::new() }),
        }
    }

    /// The URIs of a list, and the index that stands for a slot that was kept.
    pub(super) fn place(&self, list: i64, slot: u32) -> (Arc<ListUris>, u32) {
        let list = self.0.iter().find(|open| open.number == list).expect("the list was kept");
        let part = &list.parts[&parts_of(slot..slot + 1).start];
        (Arc::clone(&list.uris), index_in(part, slot).expect("a part holds its slots"))
    }
}

/// The row of a list.
struct ListRow {
    list: i64,
    issuer: String,
    base: String,
    uris: ListUris,
    secret: [u8; 32],
    taken: u32,
    closed: bool,
    opened_at: i64,
}

impl ListRow {
    const COLUMNS: &'static str = "list, issuer, base, token_uri, bitstring_uri, suspension_uri, secret, taken, \
                                   closed, opened_at, crc";

    /// The row of this list, as it was written.
    fn of(connection: &Connection, list: i64) -> rusqlite::Result<ListRow> {
        let sql = format!("SELECT {} FROM lists WHERE list = ?1", ListRow::COLUMNS);
        let (row, crc) = connection.prepare_cached(&sql)?.query_row([list], ListRow::read)?;
        row.checksum().must_be(crc, || format!("table `lists`, list {list}"))?;
        Ok(row)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<(ListRow, i64)> {
        let uris = ListUris { token: row.get(3)?, bitstring: row.get(4)?, suspension: row.get(5)? };
        let found = ListRow {
            list: row.get(0)?,
            issuer: row.get(1)?,
            base: row.get(2)?,
            uris,
            secret: row.get(6)?,
            taken: row.get(7)?,
            closed: row.get(8)?,
            opened_at: row.get(9)?,
        };
        Ok((found, row.get(10)?))
    }

    fn checksum(&self) -> Checksum {
        let uris = &self.uris;
        let sums = Checksum::of("lists").number(self.list).text(&self.issuer).text(&self.base);
        let sums = sums.text(&uris.token).text(&uris.bitstring).optional(uris.suspension.as_deref());
        let sums = sums.bytes(&self.secret).number(self.taken.into()).number(self.closed.into());
        sums.number(self.opened_at)
    }

    /// Writes what can change of the row.
    fn update(&self, connection: &Connection) -> rusqlite::Result<()> {
        let sql = "UPDATE lists SET suspension_uri = ?2, taken = ?3, closed = ?4, crc = ?5 WHERE list = ?1";
        let values = params![self.list, self.uris.suspension, self.taken, self.closed, self.checksum().sum()];
        connection.prepare_cached(sql)?.execute(values).map(drop)
    }

    /// Refuses a counter that is not where the list's last batch ends.
    fn must_fit_batches(&self, connection: &Connection) -> rusqlite::Result<()> {
        let sql = "SELECT first_slot + count FROM batches WHERE list = ?1 ORDER BY first_slot DESC LIMIT 1";
        let end: Option<u32> =
            connection.prepare_cached(sql)?.query_row([self.list], |row| row.get(0)).optional()?;
        match end.unwrap_or(0) == self.taken {
            true => Ok(()),
            false => Err(contradiction(format!(
                "table `lists`, list {}: {} places are taken, and its last batch ends at {}",
                self.list,
                self.taken,
                end.unwrap_or(0)
            ))),
        }
    }
}

fn read_uris(connection: &Connection, number: i64) -> rusqlite::Result<ListUris> {
    ListRow::of(connection, number).map(|row| row.uris)
}

fn part_checksum(list: i64, part: u32, indices: &[u8]) -> Checksum {
    Checksum::of("orders").number(list).number(part.into()).bytes(indices)
}

fn read_part(connection: &Connection, list: i64, part: u32) -> rusqlite::Result<Vec<u8>> {
    let (indices, crc): (Vec<u8>, i64) = connection
        .prepare_cached("SELECT indices, crc FROM orders WHERE list = ?1 AND part = ?2")?
        .query_row([list, part.into()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or_else(|| contradiction(format!("table `orders`, list {list}, part {part} is missing")))?;
    part_checksum(list, part, &indices)
        .must_be(crc, || format!("table `orders`, list {list}, part {part}"))?;
    if is_whole(part, &indices) { Ok(indices) } else { Err(corrupt()) }
}

/// The lists whose order is kept as another than their secret gives.
pub(super) fn with_other_order(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut found = Vec::new();
    for number in numbers(connection)? {
        let secret =
            connection.query_row("SELECT secret FROM lists WHERE list = ?1", [number], |row| row.get(0))?;
        let mut statement =
            connection.prepare_cached("SELECT indices FROM orders WHERE list = ?1 ORDER BY part")?;
        let kept =
            statement.query_map([number], |row| row.get(0))?.collect::<rusqlite::Result<Vec<Vec<u8>>>>()?;
        if !IndexOrder::new(&secret).parts().eq(kept) {
            found.push(number);
        }
    }
    Ok(found)
}

/// Takes slots from the issuer's current list, or from a new one once three quarters of that are
/// taken. A whole batch goes into one list: the last one may pass the mark, by less than the
/// quarter that is left.
pub(super) fn take_slots(
    transaction: &Transaction<'_>,
    run: &RunDescription,
    count: u32,
) -> rusqlite::Result<(Slots, Counts)> {
    let base = run.status_base.as_deref().unwrap_or_default();
    let current = transaction
        .prepare_cached(
            "SELECT list, taken FROM lists
             WHERE issuer = ?1 AND base = ?2 AND NOT closed AND taken < ?3 ORDER BY list DESC LIMIT 1",
        )?
        .query_row(params![run.terms.issuer, base, ROLL_AT], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let mut added = Counts::default();
    let (list, first) = match current {
        Some(current) => current,
        None => {
            added.lists = 1;
            (add_list(transaction, &run.terms.issuer, base)?, 0)
        }
    };
    let mut row = ListRow::of(transaction, list)?;
    row.must_fit_batches(transaction)?;
    if (row.closed, row.taken, row.issuer.as_str(), row.base.as_str())
        != (false, first, &*run.terms.issuer, base)
    {
        return Err(contradiction(format!("table `lists`, list {list} is not what its row says")));
    }
    row.taken += count;
    row.update(transaction)?;
    Ok((Slots { list, first }, added))
}

fn add_list(transaction: &Transaction<'_>, issuer: &str, base: &str) -> rusqlite::Result<i64> {
    let last: i64 =
        transaction.query_row("SELECT coalesce(max(list), 0) FROM lists", [], |row| row.get(0))?;
    let row = ListRow {
        list: next(last)?,
        issuer: issuer.to_owned(),
        base: base.to_owned(),
        uris: ListUris {
            token: new_uri(base, "token")?,
            bitstring: new_uri(base, "bitstring")?,
            suspension: None,
        },
        secret: random::<32>()?,
        taken: 0,
        closed: false,
        opened_at: system_now().seconds(),
    };
    transaction.execute(
        "INSERT INTO lists (list, issuer, base, token_uri, bitstring_uri, secret, taken, closed, opened_at, crc)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7, ?8)",
        params![
            row.list,
            issuer,
            base,
            row.uris.token,
            row.uris.bitstring,
            row.secret,
            row.opened_at,
            row.checksum().sum()
        ],
    )?;
    let mut statement =
        transaction.prepare("INSERT INTO orders (list, part, crc, indices) VALUES (?1, ?2, ?3, ?4)")?;
    for (part, indices) in (0..).zip(IndexOrder::new(&row.secret).parts()) {
        let crc = part_checksum(row.list, part, &indices).sum();
        statement.execute(params![row.list, part, crc, indices])?;
    }
    Ok(row.list)
}

/// Closes all lists that are open, and says how many. Their rows need not agree with the batches: they are not
/// given from any more.
pub(super) fn close_open(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    let mut closed = 0;
    for number in all_numbers(transaction)? {
        let mut row = ListRow::of(transaction, number)?;
        if !row.closed {
            row.closed = true;
            row.update(transaction)?;
            closed += 1;
        }
    }
    Ok(closed)
}

/// A URI for a form of a list, in the folder of that form. It says nothing else about the list.
fn new_uri(base: &str, form: &str) -> rusqlite::Result<String> {
    let id = uuid::Builder::from_random_bytes(random()?).into_uuid();
    Ok(match base {
        "" => format!("urn:uuid:{id}"),
        base => format!("{}/status/{form}/{id}.jwt", base.trim_end_matches('/')),
    })
}

/// Gives a list its suspension form, unless it has one.
pub(super) fn begin_suspension(transaction: &Transaction<'_>, list: i64) -> rusqlite::Result<()> {
    let mut row = ListRow::of(transaction, list)?;
    if row.uris.suspension.is_none() {
        row.uris.suspension = Some(new_uri(&row.base, "bitstring")?);
        row.update(transaction)?;
    }
    Ok(())
}

/// A list as it is to be published.
#[derive(Debug)]
pub struct ListState {
    /// Its names.
    pub uris: ListUris,
    /// Whose list it is.
    pub issuer: String,
    /// Whether it is closed: it was open when the ledger was restored, or when closing was asked for.
    pub closed: bool,
    /// The indices that are not active.
    pub entries: Vec<(u32, Status)>,
}

/// The numbers of all lists, in the order in which they were opened.
pub(super) fn numbers(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    in_one_snapshot(connection, || {
        let numbers = all_numbers(connection)?;
        must_count("lists", numbers.len() as i64, Seal::read(connection)?.counts.lists)?;
        Ok(numbers)
    })
}

fn all_numbers(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare("SELECT list FROM lists ORDER BY list")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// Goes through all rows of lists and their orders: `problem` is told of each that is not what was written.
pub(super) fn verify(connection: &Connection, mut problem: impl FnMut(String)) -> rusqlite::Result<()> {
    for number in numbers(connection)? {
        let outcome = ListRow::of(connection, number).and_then(|row| row.must_fit_batches(connection));
        outcome.unwrap_or_else(|error| problem(error.to_string()));
    }
    let mut statement = connection.prepare("SELECT list, part, indices, crc FROM orders")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (list, part): (i64, u32) = (row.get(0)?, row.get(1)?);
        let sums = part_checksum(list, part, row.get_ref(2)?.as_blob()?);
        let told = sums.must_be(row.get(3)?, || format!("table `orders`, list {list}, part {part}"));
        told.unwrap_or_else(|error| problem(error.to_string()));
    }
    Ok(())
}

/// A list as it is to be published.
pub(super) fn state(connection: &Connection, number: i64) -> rusqlite::Result<ListState> {
    let row = ListRow::of(connection, number)?;
    let mut statement = connection
        .prepare_cached("SELECT DISTINCT batch FROM batches JOIN statuses USING (batch) WHERE list = ?1")?;
    let batches = statement.query_map([number], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
    let mut slots = Vec::new();
    for batch in batches {
        let first = StoredBatch::of(connection, batch)?.slots.first;
        let statuses_of_batch = status::statuses_of_batch(connection, batch)?;
        slots.extend(statuses_of_batch.into_iter().map(|(place, current)| (first + place, current.status)));
    }
    let mut lists = OpenLists::default();
    lists.keep(connection, slots.iter().map(|&(slot, _)| (number, slot..slot + 1)))?;
    let entries = slots.into_iter().map(|(slot, status)| (lists.place(number, slot).1, status)).collect();
    Ok(ListState { uris: row.uris, issuer: row.issuer, closed: row.closed, entries })
}
